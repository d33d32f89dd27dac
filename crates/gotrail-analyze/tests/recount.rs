//! What goroutines did, in all lives of their ids together, and how long they waited, come to what
//! the events say one by one.

use gotrail::{GoId, GoState, Mode, Trace};
use gotrail_analyze::{Analysis, Histogram, Options, Times, WaitKind};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Nanoseconds: running, runnable, waiting, in system calls.
type Sums = [i64; 4];

fn traces() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/traces");
    let versions = std::fs::read_dir(folder).unwrap().map(|version| version.unwrap().path());
    let files = versions.filter_map(|version| version.read_dir().ok()).flatten();
    let files = files.map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "trace")).collect()
}

fn kind(state: GoState) -> Option<usize> {
    match state {
        GoState::Running => Some(0),
        GoState::Runnable => Some(1),
        GoState::Waiting => Some(2),
        GoState::Syscall => Some(3),
        _ => None,
    }
}

/// Event by event: how long all goroutines were in which state, and how many lives there were.
fn recount(trace: &Trace) -> (Sums, usize) {
    let (mut sums, mut lives) = (Sums::default(), 0);
    let mut now = HashMap::<GoId, (GoState, bool, i64)>::new();
    let (mut sync, mut last) = (0, 0);
    let mut reader = trace.reader(Mode::Tolerant).unwrap();
    while let Some(event) = reader.next_event().unwrap() {
        last = event.time().0;
        if sync == 0 || event.wire_type().is_none() {
            sync = last;
        }
        let Some(step) = event.go_step().filter(|step| step.from != step.to) else { continue };
        let before = now.get(&step.go).filter(|before| before.0 != GoState::NotExist);
        let (state, counts, since) = match before {
            // It is known already.
            Some(before) if step.from == GoState::Undetermined && before.0 == step.to => continue,
            Some(before) => *before,
            None => {
                lives += 1;
                let known = step.from != GoState::Undetermined;
                (if known { step.from } else { step.to }, true, sync)
            }
        };
        if let Some(kind) = kind(state).filter(|_| counts) {
            sums[kind] += last - since;
        }
        // One that waits forever has ended, for the tracer.
        let forever = step.to == GoState::Waiting && event.string(step.reason) == "forever";
        now.insert(step.go, (step.to, !forever, last));
    }
    for (state, counts, since) in now.into_values() {
        if let Some(kind) = kind(state).filter(|_| counts) {
            sums[kind] += last - since;
        }
    }
    (sums, lives)
}

/// Folded on so many threads.
fn analyse(trace: &Trace, threads: usize) -> Analysis {
    let mut analysis = Analysis::new(Options::default());
    let mut reader = trace.reader(Mode::Tolerant).unwrap();
    reader.fold_parallel(threads, &mut analysis, |_| {}).unwrap();
    analysis.finish();
    analysis
}

#[test]
fn all_lives_of_an_id_count() {
    let (mut traces, mut again) = (0, 0);
    for path in self::traces() {
        let trace = Trace::open(&path).unwrap();
        let (expected, lives) = recount(&trace);
        for threads in [1, 2] {
            let analysis = analyse(&trace, threads);
            let goroutines = &analysis.goroutines;
            let mut sum = Times::default();
            goroutines.iter().for_each(|goroutine| sum.add(&goroutine.times));
            goroutines.past().for_each(|(_, _, past)| sum.add(&past.times));
            let syscall = sum.syscall + sum.syscall_blocked;
            let found = [sum.running, sum.runnable, sum.blocked.total(), syscall];
            let path = path.display();
            assert_eq!(found, expected, "{path}, {threads} threads");
            let past: u64 = goroutines.past().map(|(_, _, past)| past.lives).sum();
            assert_eq!(goroutines.iter().len() + past as usize, lives, "{path}");
            again += past;
        }
        traces += 1;
    }
    assert!(traces > 100 && again > 10, "{again} lives of {traces} traces");
}

/// Event by event: how long each wait took that ended, from the first event that tells of it.
fn rewait(trace: &Trace, state: GoState) -> Vec<i64> {
    let (mut begun, mut waits) = (HashMap::<GoId, i64>::new(), Vec::new());
    let mut reader = trace.reader(Mode::Tolerant).unwrap();
    while let Some(event) = reader.next_event().unwrap() {
        let Some(step) = event.go_step().filter(|step| step.from != step.to) else { continue };
        let time = event.time().0;
        if step.from == state
            && let Some(from) = begun.remove(&step.go)
        {
            waits.push(time - from);
        }
        if step.to == state {
            begun.entry(step.go).or_insert(time);
        }
    }
    waits.sort_unstable();
    waits
}

#[test]
fn every_wait_that_ended_counts_with_its_length() {
    let mut number = 0;
    for path in traces() {
        let trace = Trace::open(&path).unwrap();
        for (kind, state) in [
            (WaitKind::Sched, GoState::Runnable),
            (WaitKind::Block, GoState::Waiting),
            (WaitKind::Syscall, GoState::Syscall),
        ] {
            let expected = rewait(&trace, state);
            for threads in [1, 2] {
                let analysis = analyse(&trace, threads);
                let mut found = Histogram::default();
                let classes = analysis.waits.classes().filter(|class| class.0 == kind);
                classes.for_each(|class| found.add(&class.2));
                let path = path.display();
                let told = (found.count(), found.total(), found.max());
                let longest = expected.last().copied().unwrap_or(0);
                let all = (expected.len() as u64, expected.iter().sum(), longest);
                assert_eq!(told, all, "{kind:?} {path}, {threads} threads");
                for (share, percent) in [(0.5, 50), (0.99, 99)] {
                    let Some(rank) = (expected.len() * percent).div_ceil(100).checked_sub(1) else {
                        continue;
                    };
                    let (exact, told) = (expected[rank], found.percentile(share));
                    let most = exact + exact / 32 + 1;
                    assert!((exact..=most).contains(&told), "{kind:?} {path}: {told} for {exact}");
                }
            }
            number += expected.len();
        }
    }
    assert!(number > 10_000, "{number}");
}
