//! Simulated programs: what a reader delivers is what truly happened.

use gotrail::{Error, GoId, Mode, ProcId, ThreadId, Trace};
use gotrail_synth::sim::{Config, GoRelease, Observer, Profile, Simulation, TrueEvent};
use std::collections::BTreeMap;

/// Keeps all events.
#[derive(Default)]
struct Witness(Vec<TrueEvent>);

impl Observer for Witness {
    fn wants_events(&self) -> bool {
        true
    }

    fn happened(&mut self, event: TrueEvent) {
        self.0.push(event);
    }
}

/// Runs a simulation: its trace, and what happened.
fn simulate(config: &Config) -> (Vec<u8>, Vec<TrueEvent>) {
    let mut witness = Witness::default();
    let mut bytes = Vec::new();
    let simulation = Simulation::new(config.clone()).unwrap();
    let totals = simulation.observe(&mut bytes, &mut witness).unwrap();
    assert_eq!(totals.bytes, bytes.len() as u64);
    assert_eq!(totals.generations, config.generations, "{config:?}");
    (bytes, witness.0)
}

/// What a reader delivers, and the error that ends it, if one does.
fn read(bytes: &[u8], threads: usize) -> (Vec<TrueEvent>, Option<Error>) {
    let trace = Trace::from_bytes(bytes.to_vec()).unwrap();
    let mut reader = trace.reader(Mode::Strict).unwrap();
    let _ = threads;
    let mut events = Vec::new();
    loop {
        match reader.next_event() {
            Ok(Some(event)) => events.extend(TrueEvent::of(&event)),
            Ok(None) => return (events, None),
            Err(error) => return (events, Some(error)),
        }
    }
}

/// All releases and profiles that go together.
fn all() -> impl Iterator<Item = (GoRelease, Profile)> {
    let releases = (22..=27).filter_map(GoRelease::new);
    let pairs = releases.flat_map(|go| Profile::ALL.iter().map(move |&profile| (go, profile)));
    pairs.filter(|&(go, profile)| Config { go, profile, ..Config::default() }.check().is_ok())
}

#[track_caller]
fn assert_same(found: &[TrueEvent], truth: &[TrueEvent], config: &Config) {
    if let Some(at) = (0..truth.len().max(found.len())).find(|&at| found.get(at) != truth.get(at)) {
        let show = |event: Option<&TrueEvent>| event.map_or("nothing".into(), ToString::to_string);
        panic!(
            "{config:?}\nevent {at}:\n  truth {}\n  found {}\nbefore: {}",
            show(truth.get(at)),
            show(found.get(at)),
            show(truth.get(at.wrapping_sub(1)))
        );
    }
}

#[test]
fn with_exact_clocks_the_order_is_the_true_one() {
    for (go, profile) in all() {
        for seed in 0..6 {
            let config = Config {
                seed,
                profile,
                go,
                procs: 1 + 3 * seed as u32,
                goroutines: 10 + 30 * seed as u32,
                events: 8_000,
                generations: 1 + seed,
                ..Config::default()
            };
            let (bytes, truth) = simulate(&config);
            let (found, error) = read(&bytes, 1);
            assert!(error.is_none(), "{config:?}\nevent {}: {}", found.len(), error.unwrap());
            assert_same(&found, &truth, &config);
        }
    }
}

/// What of the events is fixed by sequence numbers, and not by clocks.
///
/// A thread in a syscall may still have its proc, or have lost it to another thread: only the
/// clocks of both say which, as long as the thread does nothing that needs to know. So it is not
/// certain with which proc a goroutine stays in a syscall or disappears there, nor whether a proc
/// was stolen from it, or left behind by it and stolen then.
fn certain(events: &[TrueEvent]) -> Vec<TrueEvent> {
    let mut events = events.to_vec();
    events.retain(|event| {
        let repeats =
            ["Running->Running", "Idle->Idle"].iter().any(|same| event.what.contains(same));
        !(repeats && event.what.contains("ProcID="))
    });
    for event in &mut events {
        if event.what.contains("ProcID=") && event.what.contains("Running->Idle") {
            (event.thread, event.proc, event.go) = (ThreadId::NONE, ProcId::NONE, GoId::NONE);
        }
        if event.what.contains(" Syscall->Syscall") || event.what.contains(" Syscall->NotExist") {
            event.proc = ProcId::NONE;
        }
    }
    events
}

/// The events of each goroutine and proc, and of the collector, each in order.
fn by_subject(events: &[TrueEvent]) -> BTreeMap<&str, Vec<TrueEvent>> {
    let mut subjects = BTreeMap::<_, Vec<_>>::new();
    for event in events {
        if let Some(subject) = event.subject() {
            subjects.entry(subject).or_default().push(event.clone());
        }
    }
    subjects
}

#[test]
fn whatever_the_clocks_say_sequences_are_the_true_ones() {
    for (go, profile) in all() {
        for seed in 0..4 {
            let config = Config {
                seed,
                profile,
                go,
                procs: 2 + 4 * seed as u32,
                goroutines: 60,
                events: 8_000,
                generations: 3,
                skew: [3, 100, 1_000_000, 0][seed as usize],
                coarse: [1, 1, 64, 100_000][seed as usize],
                ..Config::default()
            };
            let (bytes, truth) = simulate(&config);
            let (found, error) = read(&bytes, 1);
            assert!(error.is_none(), "{config:?}\nevent {}: {}", found.len(), error.unwrap());
            let (mut found, mut truth) = (certain(&found), certain(&truth));
            let (subjects, true_subjects) = (by_subject(&found), by_subject(&truth));
            for (subject, events) in &true_subjects {
                assert_same(&subjects[subject], events, &config);
            }
            truth.sort();
            found.sort();
            assert_same(&found, &truth, &config);
        }
    }
}
