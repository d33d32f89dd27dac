//! Profiles, samples and log messages of simulated programs: the same on any number of threads,
//! and not a nanosecond lost.

use gotrail::{Mode, Trace};
use gotrail_analyze::grouping::Grouping;
use gotrail_analyze::pprof::{About, proto};
use gotrail_analyze::profile::{Profile, ProfileKind, Split, go_scope};
use gotrail_analyze::{Analysis, Groups, Options, Scope, WaitKind};
use gotrail_synth::sim::{Config, GoRelease, Simulation};
use prost::Message;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Simulated programs of every profile, with several generations.
fn traces() -> Vec<(Config, Trace)> {
    let mut traces = Vec::new();
    for (seed, &profile) in gotrail_synth::sim::Profile::ALL.iter().enumerate() {
        for go in [22, 27] {
            let go = GoRelease::new(go).unwrap();
            let config = Config {
                seed: seed as u64,
                profile,
                go,
                procs: 3,
                goroutines: 30,
                events: 12_000,
                generations: 6,
                ..Config::default()
            };
            if config.check().is_ok() {
                let mut bytes = Vec::new();
                Simulation::new(config.clone()).unwrap().write(&mut bytes).unwrap();
                traces.push((config, Trace::from_bytes(bytes).unwrap()));
            }
        }
    }
    assert!(traces.len() > 5);
    traces
}

fn analyse(trace: &Trace, threads: usize, options: &Options) -> Analysis {
    let mut analysis = Analysis::new(options.clone());
    let mut reader = trace.reader(Mode::Strict).unwrap();
    reader.fold_parallel(threads, &mut analysis, |_| {}).unwrap();
    analysis.finish();
    analysis
}

/// A profile by names, so that it can be compared with one of another analysis.
fn named(analysis: &Analysis, profile: &Profile) -> BTreeMap<String, (u64, i64)> {
    let names = &analysis.names;
    let samples = profile.samples.iter().map(|sample| {
        let frames = sample
            .frames(names)
            .map(|frame| format!("{}:{}:{}", names.string(frame.function), frame.line, frame.pc));
        let frames: Vec<_> = frames.collect();
        let key = format!(
            "{:?} {} {:?} {}",
            sample.state,
            names.string(sample.reason),
            sample.group,
            frames.join(" ")
        );
        (key, (sample.count, sample.nanos))
    });
    let map: BTreeMap<_, _> = samples.collect();
    assert_eq!(map.len(), profile.samples.len(), "no sample is there twice");
    map
}

/// Everything that this file is about.
fn all_options() -> Options {
    Options { regions: true, running: true, samples: true, logs: true, ..Options::default() }
}

fn groups(trace: &Trace) -> Arc<Groups> {
    let grouping = Grouping { goroutine: true, function: true, task: true, region: true };
    Arc::new(grouping.groups(&analyse(trace, 1, &all_options())).0)
}

#[test]
fn the_number_of_threads_makes_no_difference() {
    let split = Split { state: true, reason: true };
    for (config, trace) in traces() {
        let groups = groups(&trace);
        for groups in [None, Some(groups)] {
            let options = Options { groups, ..all_options() };
            let one = analyse(&trace, 1, &options);
            for threads in [2, 5] {
                let many = analyse(&trace, threads, &options);
                for kind in ProfileKind::ALL {
                    let of = |analysis| named(analysis, &Profile::new(analysis, kind, split));
                    assert_eq!(of(&many), of(&one), "{kind:?} {threads} {config:?}");
                    if kind.is_of_go() && options.groups.is_none() {
                        let of = |analysis| named(analysis, &Profile::as_go(analysis, kind));
                        assert_eq!(of(&many), of(&one), "{kind:?} {threads} {config:?}");
                    }
                }
                let logs = |analysis: &Analysis| -> Vec<String> {
                    let logs = analysis.logs.as_ref().unwrap().iter().map(|log| {
                        let names = &analysis.names;
                        let text = (names.string(log.category), names.string(log.message));
                        format!("{} {} {} {text:?}", log.time, log.task, log.go)
                    });
                    logs.collect()
                };
                assert_eq!(logs(&many), logs(&one), "{config:?}");
            }
        }
    }
}

#[test]
fn a_wall_profile_has_all_time_of_goroutines() {
    for (config, trace) in traces() {
        let analysis = analyse(&trace, 1, &all_options());
        let split = Split { state: true, reason: false };
        let profile = Profile::new(&analysis, ProfileKind::Wall, split);
        let time = |state| {
            let samples = profile.samples.iter().filter(|sample| sample.state == Some(state));
            samples.map(|sample| sample.nanos).sum::<i64>()
        };
        let (mut run, mut off) = (0, 0);
        for goroutine in analysis.goroutines.iter() {
            let times = &goroutine.times;
            run += times.running;
            off += times.total - times.running - times.unknown();
        }
        assert_eq!(time(WaitKind::Run), run, "{config:?}");
        let waits = WaitKind::ALL.map(time).iter().sum::<i64>();
        assert_eq!(waits, off, "{config:?}");
    }
}

#[test]
fn groups_divide_what_there_is() {
    for (config, trace) in traces() {
        let whole = analyse(&trace, 2, &all_options());
        let options = Options { groups: Some(groups(&trace)), ..all_options() };
        let divided = analyse(&trace, 2, &options);
        for kind in ProfileKind::ALL {
            let sum = |analysis| {
                let profile = Profile::new(analysis, kind, Split::default());
                let samples = profile.samples.iter();
                samples.fold((0, 0), |sum, sample| (sum.0 + sample.nanos, sum.1 + sample.count))
            };
            let (whole, divided) = (sum(&whole), sum(&divided));
            assert_eq!(whole.0, divided.0, "{kind:?} {config:?}");
            // A wait counts in each group that it falls into.
            assert!(whole.1 <= divided.1, "{kind:?} {config:?}");
        }
    }
}

#[test]
fn the_scope_of_go_takes_away_and_adds_nothing() {
    for (config, trace) in traces() {
        let all = analyse(&trace, 1, &all_options());
        let goroutines = Some(Arc::new(go_scope(&all)));
        let scope = Some(Scope { goroutines, ..Scope::default() });
        let scoped = analyse(&trace, 1, &Options { scope, ..all_options() });
        for kind in ProfileKind::ALL.into_iter().filter(|kind| kind.is_of_go()) {
            let all = named(&all, &Profile::as_go(&all, kind));
            let scoped = named(&scoped, &Profile::as_go(&scoped, kind));
            for (stack, (count, nanos)) in scoped {
                let (most, longest) = all.get(&stack).copied().unwrap_or_default();
                assert!(count <= most && nanos <= longest, "{stack} {kind:?} {config:?}");
            }
        }
    }
}

#[test]
fn pprof_has_what_the_profile_has() {
    let (_, trace) = traces().swap_remove(0);
    let analysis = analyse(&trace, 1, &all_options());
    let profile = Profile::new(&analysis, ProfileKind::Wall, Split { state: true, reason: true });
    let about = About { time: 7, duration: 8, comment: "a comment".to_owned() };
    let bytes = profile.to_pprof(&analysis.names, &about, |sample| {
        vec![("state", sample.state.map_or("", WaitKind::name).to_owned())]
    });
    let wire = proto::Profile::decode(&bytes[..]).unwrap();
    let text = |number: i64| std::str::from_utf8(&wire.string_table[number as usize]).unwrap();
    assert_eq!(text(0), "");
    assert_eq!((wire.time_nanos, wire.duration_nanos), (7, 8));
    assert_eq!(text(wire.default_sample_type), "time");
    assert_eq!(wire.sample.len(), profile.samples.len());
    for (wire_sample, sample) in wire.sample.iter().zip(&profile.samples) {
        assert_eq!(wire_sample.value, [sample.count as i64, sample.nanos]);
        let [label] = wire_sample.label[..] else { panic!("one label") };
        assert_eq!((text(label.key), text(label.str)), ("state", sample.state.unwrap().name()));
        let functions = wire_sample.location_id.iter().map(|&id| {
            let location = &wire.location[id as usize - 1];
            let function = &wire.function[location.line[0].function_id as usize - 1];
            assert_eq!((location.id, function.id), (id, location.line[0].function_id));
            text(function.name).to_owned()
        });
        let names = &analysis.names;
        let frames = sample.frames(names).map(|frame| names.string(frame.function).to_string());
        assert!(functions.eq(frames));
    }
}
