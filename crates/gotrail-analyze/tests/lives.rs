//! Goroutines of all lives of their ids together come to what the events say one by one.

use gotrail::{GoId, GoState, Mode, Trace};
use gotrail_analyze::{Analysis, Options, Times};
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

#[test]
fn all_lives_of_an_id_count() {
    let (mut traces, mut again) = (0, 0);
    for path in self::traces() {
        let trace = Trace::open(&path).unwrap();
        let (expected, lives) = recount(&trace);
        for threads in [1, 2] {
            let mut analysis = Analysis::new(Options::default());
            let mut reader = trace.reader(Mode::Tolerant).unwrap();
            reader.fold_parallel(threads, &mut analysis, |_| {}).unwrap();
            analysis.finish();
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
