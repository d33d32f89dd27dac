//! Differences of traces in which it is known what differs: nothing but chance, or one thing.

use gotrail::{GoId, Mode, Trace};
use gotrail_analyze::WaitKind;
use gotrail_analyze::diff::{Comparison, Difference, Quantity, Subject, Which};
use gotrail_analyze::slices::{Slicer, Slices};
use gotrail_synth::builder::{GoStatus, NoStack, ProcStatus, Seq, StackFrame, TestTrace};
use gotrail_synth::sim::{Config, Profile, Simulation};
use gotrail_synth::{ProcId, ThreadId, Version};
use std::ops::ControlFlow;

/// Of what is said to differ, the share that may be chance.
const RATE: f64 = 0.05;

fn slices(trace: &Trace) -> Slices {
    let generations = trace.generations();
    let start = generations.first().expect("a generation").start.0;
    let end = generations.iter().map(|generation| generation.end.0).max().expect("an end");
    let mut slicer = Slicer::new(start, end, 16, None);
    let mut reader = trace.reader(Mode::Strict).expect("a trace");
    let _ = reader
        .for_each_event(|event| {
            slicer.event(event);
            ControlFlow::<()>::Continue(())
        })
        .expect("a good trace");
    slicer.finish()
}

fn simulated(config: Config) -> Slices {
    let mut bytes = Vec::new();
    Simulation::new(config).expect("it is possible").write(&mut bytes).expect("memory takes it");
    slices(&Trace::from_bytes(bytes).expect("a trace"))
}

fn program(profile: Profile, seed: u64) -> Slices {
    simulated(Config { profile, seed, events: 60_000, ..Config::default() })
}

fn compared(before: &[&Slices], after: &[&Slices]) -> Comparison {
    let mut comparison = Comparison::new(before.len(), after.len());
    before.iter().for_each(|trace| comparison.add(Which::Before, trace));
    after.iter().for_each(|trace| comparison.add(Which::After, trace));
    comparison
}

/// How many comparisons there are, and how many of them are said to exceed chance.
fn count(before: &[&Slices], after: &[&Slices]) -> (usize, usize) {
    let found = compared(before, after).differences(RATE);
    (found.len(), found.iter().filter(|found| found.exceeds).count())
}

#[test]
fn runs_of_the_same_program_hardly_differ() {
    let (mut sets, mut pairs, mut mixed) = ((0, 0), (0, 0), (0, 0));
    let add = |sum: &mut (usize, usize), more: (usize, usize)| {
        *sum = (sum.0 + more.0, sum.1 + more.1);
    };
    for profile in [Profile::Web, Profile::Mixed, Profile::Channels, Profile::Gc] {
        let runs: Vec<_> = (1..=8).map(|seed| program(profile, seed)).collect();
        for [a, b, c, d, e, f] in [[0, 1, 2, 3, 4, 5], [1, 3, 5, 0, 2, 6], [6, 7, 0, 3, 4, 5]] {
            let [a, b, c, d, e, f] = [a, b, c, d, e, f].map(|at: usize| &runs[at]);
            add(&mut sets, count(&[a, b, c], &[d, e, f]));
            add(&mut mixed, count(&[a, b, c], &[d]));
        }
        runs.chunks(2).for_each(|two| add(&mut pairs, count(&[&two[0]], &[&two[1]])));
    }
    println!("compared, and said to differ: sets {sets:?}, 3 to 1 {mixed:?}, pairs {pairs:?}");
    assert!(sets.0 > 2_000 && sets.1 <= 5, "{sets:?}");
    assert!(mixed.0 > 2_000 && mixed.1 <= 5, "{mixed:?}");
    // How runs differ from each other is not known of one run.
    assert!(pairs.0 > 2_000 && pairs.1 <= 10, "{pairs:?}");
}

#[test]
fn a_program_with_half_the_procs_is_told_from_the_others() {
    let run = |procs, seed| {
        simulated(Config {
            profile: Profile::Web,
            procs,
            seed,
            events: 60_000,
            ..Config::default()
        })
    };
    let four: Vec<_> = (1..=3).map(|seed| run(4, seed)).collect();
    let two: Vec<_> = (4..=6).map(|seed| run(2, seed)).collect();
    let sets = compared(&[&four[0], &four[1], &four[2]], &[&two[0], &two[1], &two[2]]);
    let pair = compared(&[&four[0]], &[&two[0]]);
    // With half the procs goroutines wait longer for one.
    let slower = |comparison: &Comparison, found: &Difference| {
        let subject = comparison.subject(found.subject);
        let sched = matches!(subject, Subject::Reason(WaitKind::Sched, _));
        sched && found.quantity == Quantity::PerWait && found.after > 1.3 * found.before
    };
    for (name, comparison) in [("sets", sets), ("pair", pair)] {
        let found = comparison.differences(RATE);
        let found: Vec<_> = found.iter().filter(|found| found.exceeds).collect();
        let slower = found.iter().filter(|found| slower(&comparison, found)).count();
        println!("{name}: {} differ, {slower} of them are waits for a proc", found.len());
        assert!(found.len() >= 3 && (slower >= 1 || name == "pair"), "{name}: {found:?}");
    }
}

/// A trace in which goroutine 2 runs for so many units of each millisecond.
fn built(running: u64) -> Slices {
    const MS: u64 = 15_625;
    let trace = TestTrace::new(Version::Go122);
    let generation = trace.generation(1);
    generation.sync(15_625_000, 10);
    let worker = || [StackFrame::new(1, "main.worker", "main.go", 7)];
    let mut thread = generation
        .batch(ThreadId(7), 10)
        .event_after(0, "ProcStatus", (ProcId(0), ProcStatus::Running))
        .event_after(0, "GoStatus", (GoId(1), ThreadId(7), GoStatus::Running))
        .event_after(1, "GoCreate", (GoId(2), worker(), NoStack))
        .event_after(1, "GoStop", ("Gosched", NoStack));
    for turn in 0..200 {
        // Not always the same, as in life.
        let run = running + turn * 7 % 5;
        thread = thread
            .event_after(1, "GoStart", (GoId(2), Seq(1 + turn)))
            .event_after(run, "GoStop", ("preempted", worker()))
            .event_after(1, "GoStart", (GoId(1), Seq(1 + turn)))
            .event_after(MS - run, "GoStop", ("Gosched", NoStack));
    }
    slices(&Trace::from_bytes(trace.to_bytes().expect("a trace")).expect("a trace"))
}

#[test]
fn a_difference_is_found_with_its_size_and_none_where_there_is_none() {
    let (before, after) = (built(15_625 / 4), built(15_625 / 2));
    let comparison = compared(&[&before], &[&after]);
    let worker = |found: &Difference| {
        let subject = comparison.subject(found.subject);
        subject == Subject::Function("main.worker".to_owned())
            && found.quantity == Quantity::Running
    };
    let found = comparison.differences(RATE);
    let found = found.iter().find(|found| worker(found)).expect("a difference");
    assert!(found.exceeds, "{found:?}");
    // A quarter and a half of a second in each second.
    assert!((found.before / 1e9 - 0.25).abs() < 0.01, "{found:?}");
    assert!((found.after / 1e9 - 0.5).abs() < 0.01, "{found:?}");
    assert_eq!(count(&[&before], &[&built(15_625 / 4)]).1, 0);
    assert_eq!(count(&[&before], &[&before]), (0, 0), "the same trace");
}

#[test]
fn differences_are_in_the_order_of_what_they_cost() {
    let (before, after) = (program(Profile::Web, 1), program(Profile::Gc, 1));
    let comparison = compared(&[&before], &[&after]);
    let found = comparison.differences(RATE);
    let kind = |found: &Difference| match comparison.subject(found.subject) {
        Subject::Function(_) => 0,
        Subject::Reason(..) => 1,
        Subject::Stack(..) => 2,
    };
    assert!(found.is_sorted_by_key(kind));
    // All of a subject stand together.
    let mut subjects: Vec<_> = found.iter().map(|found| found.subject).collect();
    subjects.dedup();
    let different: std::collections::HashSet<_> = subjects.iter().collect();
    assert_eq!(different.len(), subjects.len());
}
