//! Simulated programs: what a reader delivers is what truly happened.

use gotrail::Fault as Found;
use gotrail::deep::Checker;
use gotrail::{Error, GoId, Mode, ProcId, ThreadId, Trace};
use gotrail_synth::sim::{
    Config, Fault, GoRelease, Observer, Profile, Simulation, Totals, TrueEvent,
};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::{BTreeMap, BTreeSet};

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
    let (bytes, totals) = observe(config, &mut witness);
    assert_eq!(totals.generations, config.generations, "{config:?}");
    (bytes, witness.0)
}

fn observe(config: &Config, observer: &mut impl Observer) -> (Vec<u8>, Totals) {
    let mut bytes = Vec::new();
    let simulation = Simulation::new(config.clone()).unwrap();
    let totals = simulation.observe(&mut bytes, observer).unwrap();
    assert_eq!(totals.bytes, bytes.len() as u64);
    (bytes, totals)
}

/// What a reader delivers, and the error that ends it, if one does. Up to there nothing may be
/// wrong if the trace is whole.
fn read(bytes: &[u8], whole: bool) -> (Vec<TrueEvent>, Option<Error>) {
    let trace = Trace::from_bytes(bytes.to_vec()).unwrap();
    let mut reader = trace.reader(Mode::Strict).unwrap();
    let mut events = Vec::new();
    let mut checker = Checker::new();
    loop {
        match reader.next_event() {
            Ok(Some(event)) => {
                events.extend(TrueEvent::of(&event));
                if let Some(finding) = checker.event(&event).first()
                    && whole
                {
                    panic!("event {}: {finding}", events.len());
                }
            }
            Ok(None) => return (events, None),
            Err(error) => return (events, Some(error)),
        }
    }
}

/// All releases and profiles that go together.
fn all() -> impl Iterator<Item = (u8, Profile)> {
    let pairs = (22..=27).flat_map(|go| Profile::ALL.iter().map(move |&profile| (go, profile)));
    pairs.filter(|&(go, profile)| {
        let go = GoRelease::new(go).unwrap();
        Config { go, profile, ..Config::default() }.check().is_ok()
    })
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

/// Whether a reader delivers exactly what happened.
fn check_exact(config: &Config) {
    let (bytes, truth) = simulate(config);
    let (found, error) = read(&bytes, true);
    assert!(error.is_none(), "{config:?}\nevent {}: {}", found.len(), error.unwrap());
    assert_same(&found, &truth, config);
}

#[test]
fn with_exact_clocks_the_order_is_the_true_one() {
    for (minor, profile) in all() {
        let go = GoRelease::new(minor).unwrap();
        for seed in 0..6 {
            check_exact(&Config {
                seed,
                profile,
                go,
                procs: 1 + 3 * seed as u32,
                goroutines: 10 + 30 * seed as u32,
                events: 5_000,
                generations: 1 + seed,
                ..Config::default()
            });
        }
    }
}

#[test]
fn long_generations_are_right_too() {
    for profile in [Profile::Cgo, Profile::Mixed] {
        check_exact(&Config { profile, events: 500_000, generations: 1, ..Config::default() });
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
        let in_syscall =
            [" Syscall->Syscall", " Syscall->NotExist", "RangeActive Name=\"GC mark assist\""];
        if in_syscall.iter().any(|what| event.what.contains(what)) {
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

/// Whether a reader delivers what happened, as far as that is certain.
fn check_certain(config: &Config) {
    let (bytes, truth) = simulate(config);
    let (found, error) = read(&bytes, true);
    assert!(error.is_none(), "{config:?}\nevent {}: {}", found.len(), error.unwrap());
    let (mut found, mut truth) = (certain(&found), certain(&truth));
    let (subjects, true_subjects) = (by_subject(&found), by_subject(&truth));
    for (subject, events) in &true_subjects {
        assert_same(subjects.get(subject).map_or(&[], |found| &found[..]), events, config);
    }
    truth.sort();
    found.sort();
    assert_same(&found, &truth, config);
}

#[test]
fn whatever_the_clocks_say_sequences_are_the_true_ones() {
    for (minor, profile) in all() {
        let go = GoRelease::new(minor).unwrap();
        for seed in 0..4 {
            check_certain(&Config {
                seed,
                profile,
                go,
                procs: 2 + 4 * seed as u32,
                goroutines: 60,
                events: 5_000,
                generations: 3,
                skew: [3, 100, 1_000_000, 0][seed as usize],
                coarse: [1, 1, 64, 100_000][seed as usize],
                ..Config::default()
            });
        }
    }
}

/// Any simulation that is possible.
fn configs() -> impl Strategy<Value = Config> {
    let program = (any::<u64>(), select(Profile::ALL), 1..80_u32, 1..2_000_u32);
    let trace = (1..20_000_u64, 1..12_u64, 22..=27_u8);
    let clocks = (prop_oneof![Just(0), 1..1_u64 << 24], prop_oneof![Just(1), 1..1_u64 << 16]);
    let all = (program, trace, clocks).prop_map(|(program, trace, (skew, coarse))| {
        let (seed, profile, procs, goroutines) = program;
        let (events, generations, go) = trace;
        let go = GoRelease::new(go).unwrap();
        let fault = None;
        Config { seed, profile, procs, goroutines, events, generations, go, skew, coarse, fault }
    });
    all.prop_filter("the release has what the profile needs", |config| config.check().is_ok())
}

proptest! {
    #[test]
    fn any_simulation_is_read_as_it_happened(config in configs()) {
        if config.skew == 0 && config.coarse == 1 { check_exact(&config) } else { check_certain(&config) }
    }
}

/// What was wrong once: a goroutine that helped to mark was sent into a system call when a generation
/// ended, and went away without an end of its help.
#[test]
fn whoever_helps_to_mark_ends_that_first() {
    check_certain(&Config {
        seed: 7_692_912_085_321_233_463,
        profile: Profile::Cgo,
        procs: 52,
        goroutines: 204,
        events: 15_696,
        generations: 9,
        go: GoRelease::new(22).unwrap(),
        skew: 1,
        coarse: 1,
        fault: None,
    });
}

/// Whether an error is what the fault's description promises.
fn is_diagnosis(fault: Fault, found: &Found, go: u8) -> bool {
    match fault {
        Fault::WrongThread => matches!(found, Found::InconsistentThread { .. }),
        Fault::ProcKept => matches!(found, Found::Missing { .. }),
        Fault::MissingStatus
        | Fault::WrongSequence
        | Fault::StolenTwice
        | Fault::WrongGcSequence => matches!(found, Found::Stuck(_)),
        Fault::MissingUnblock => {
            matches!(found, Found::Stuck(_) | Found::InconsistentStatus { .. })
        }
        Fault::WrongStatus => matches!(found, Found::InconsistentStatus { .. }),
        Fault::RegionMismatch => matches!(found, Found::RegionMisuse { .. }),
        Fault::TaskTwice => matches!(found, Found::TaskBegunTwice { .. }),
        Fault::MissingString => {
            matches!(found, Found::UnknownId { what: "string", .. } | Found::FrameString { .. })
        }
        Fault::MissingStack => matches!(found, Found::UnknownId { what: "stack", .. }),
        Fault::DoubledString => matches!(found, Found::RepeatedId { what: "string", .. }),
        Fault::MissingFrequency => matches!(found, Found::NoFrequency),
        Fault::MissingEnd | Fault::SkippedGeneration => {
            matches!(found, Found::GenerationsMixed { .. })
        }
        // Before Go 1.26 what there is of the generation comes first, and misses the rest.
        Fault::OversizedBatch => matches!(found, Found::Batch(_)) || (go < 26 && is_cut(found)),
        Fault::CutShort => matches!(found, Found::BatchCutOff { .. }) || (go < 26 && is_cut(found)),
        // What a batch leaves behind depends on what was in it.
        Fault::LostBatch | Fault::DoubledBatch => is_disorder(found),
    }
}

/// What is missing where a generation ends early.
fn is_cut(found: &Found) -> bool {
    matches!(
        found,
        Found::NoFrequency | Found::UnknownId { .. } | Found::FrameString { .. } | Found::Stuck(_)
    )
}

/// Something that cannot have happened after what came before.
fn is_disorder(found: &Found) -> bool {
    matches!(
        found,
        Found::Stuck(_)
            | Found::Missing { .. }
            | Found::Unexpected { .. }
            | Found::InconsistentStatus { .. }
            | Found::InconsistentThread { .. }
            | Found::UnknownGoroutine(_)
            | Found::NotExisting { .. }
            | Found::AlreadyExists { .. }
            | Found::WrongState { .. }
            | Found::WrongSequence { .. }
            | Found::WrongVictim { .. }
            | Found::WrongGcState { .. }
            | Found::Range { .. }
            | Found::TaskBegunTwice { .. }
            | Found::RegionMisuse { .. }
    )
}

#[test]
fn every_fault_is_found_and_named() {
    for &fault in Fault::ALL {
        let (mut made, mut missed) = (0, 0);
        for (minor, profile) in all() {
            let go = GoRelease::new(minor).unwrap();
            for seed in 0..2 {
                let config = Config {
                    seed,
                    profile,
                    go,
                    goroutines: 50,
                    events: 20_000,
                    generations: 4,
                    fault: Some(fault),
                    ..Config::default()
                };
                let Ok(simulation) = Simulation::new(config.clone()) else { continue };
                let mut bytes = Vec::new();
                if simulation.write(&mut bytes).unwrap().faults == 0 {
                    missed += 1;
                    continue;
                }
                made += 1;
                let (events, error) = read(&bytes, false);
                let error = error.unwrap_or_else(|| panic!("{fault} is not found: {config:?}"));
                let found = error.fault();
                assert!(is_diagnosis(fault, found, minor), "{fault}: {error}\n{config:?}");
                let early = matches!(fault, Fault::MissingString | Fault::DoubledString);
                assert!(early || !events.is_empty(), "{fault}: {error}");
            }
        }
        assert!(
            made > 5 && missed * 4 <= made,
            "{fault} was made {made} times, not {missed} times"
        );
    }
}

/// Counts what happens in each generation.
#[derive(Default)]
struct Census {
    starts: u64,
    of_main: u64,
    goroutines: BTreeSet<String>,
    kinds: BTreeMap<&'static str, u64>,
}

/// What is looked for, by the words that tell.
const KINDS: [&str; 12] = [
    "Waiting->Runnable",
    "Running->Waiting",
    "Running->Syscall",
    "Syscall->Runnable",
    "NotExist->Syscall",
    "NotExist->Waiting",
    "GC concurrent mark phase",
    "GC mark assist",
    "GC incremental sweep",
    "TaskBegin",
    "RegionBegin",
    "StackSample",
];

impl Observer for Census {
    fn wants_events(&self) -> bool {
        true
    }

    fn happened(&mut self, event: TrueEvent) {
        if event.what.contains("Runnable->Running") {
            self.starts += 1;
            self.of_main += u64::from(event.what.contains("GoID=1 "));
            self.goroutines.extend(event.subject().map(str::to_owned));
        }
        for kind in KINDS {
            *self.kinds.entry(kind).or_default() += u64::from(event.what.contains(kind));
        }
    }
}

/// A program goes on as it began, however long it is traced.
#[test]
fn programs_stay_alive_and_do_what_their_profile_says() {
    for &profile in Profile::ALL {
        for goroutines in [4, 100, 600] {
            let mut census = Census::default();
            let events = 200_000;
            let config = Config { profile, goroutines, events, ..Config::default() };
            observe(&config, &mut census);
            let Census { starts, of_main, goroutines: started, kinds } = census;
            let about = format!("{profile}, {goroutines}: {starts} {of_main} {kinds:?}");
            assert!(of_main * 4 < starts, "{about}");
            assert!(started.len() as u64 * 2 > u64::from(goroutines), "{} {about}", started.len());
            let wanted: &[&str] = match profile {
                Profile::Web => &["Running->Syscall", "TaskBegin", "RegionBegin"],
                Profile::Channels => &["Waiting->Runnable", "Running->Waiting"],
                Profile::Syscalls => &["Running->Syscall", "Syscall->Runnable"],
                Profile::Gc => {
                    &["GC concurrent mark phase", "GC mark assist", "GC incremental sweep"]
                }
                Profile::Cgo => &["NotExist->Syscall"],
                Profile::Coroutines => &["NotExist->Waiting"],
                Profile::Mixed => &KINDS,
            };
            for kind in wanted {
                assert!(kinds[kind] > 4, "{kind}: {about}");
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_observed_or_not() {
    for &profile in Profile::ALL {
        let config = Config { profile, events: 10_000, ..Config::default() };
        let (watched, _) = observe(&config, &mut Witness::default());
        let (unwatched, _) = observe(&config, &mut ());
        assert_eq!(watched, unwatched, "{profile}");
        let (other, _) = observe(&Config { seed: 2, ..config }, &mut ());
        assert_ne!(unwatched, other, "{profile}");
    }
}
