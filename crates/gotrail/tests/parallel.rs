//! Events on several threads are those of one thread: each of them, with all that is about it, on
//! every recorded trace.

use gotrail::{Details, Event, Fold, GoState, Kind, Mode, Trace};
use gotrail_format::EventType;
use rustc_hash::FxHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

/// A sum over all events of each generation.
#[derive(Default, Clone, Debug, PartialEq)]
struct Sums(Vec<(u64, u64)>);

impl Fold for Sums {
    fn part(&mut self, _: bool) -> Sums {
        Sums::default()
    }

    fn event(&mut self, event: &Event<'_>) {
        if event.kind() == Kind::Sync || self.0.is_empty() {
            self.0.push((0, 0));
        }
        let mut hasher = FxHasher::default();
        (event.time().0, event.kind() as u8).hash(&mut hasher);
        // A generation by itself does not know what came before: not in which state something was
        // that is mentioned for the first time, nor who ran on its thread by then.
        let mut context = true;
        if let Some(step) = event.go_step() {
            (step.go.0, step.to as u8, event.string(step.reason)).hash(&mut hasher);
            frames(event, step.stack, &mut hasher);
            context = step.from != GoState::Undetermined && step.from != step.to;
        } else if let Some(step) = event.proc_step() {
            step.proc.0.hash(&mut hasher);
            context = false;
        } else if let Details::Sync(sync) = event.details() {
            format!("{} {:?}", sync.number, sync.clock).hash(&mut hasher);
        } else if event.kind() != Kind::TaskEnd {
            format!("{:?}", event.details()).hash(&mut hasher);
        }
        // So does a mark assist that lasts follow a status.
        if context && event.wire_type() != Some(EventType::GC_MARK_ASSIST_ACTIVE) {
            (event.thread().0, event.proc().0, event.goroutine().0).hash(&mut hasher);
        }
        frames(event, event.stack_id(), &mut hasher);
        let sum = self.0.last_mut().expect("there is one");
        // In their order: what was there so far counts too.
        hasher.write_u64(sum.1);
        *sum = (sum.0 + 1, hasher.finish());
    }

    fn merge(&mut self, later: Sums) -> bool {
        self.0.extend(later.0);
        true
    }
}

fn frames(event: &Event<'_>, stack: u64, hasher: &mut FxHasher) {
    for frame in event.stack_with_id(stack).into_iter().flat_map(|stack| stack.frames()) {
        (frame.function, frame.file, frame.line, frame.pc).hash(hasher);
    }
}

fn sums(trace: &Trace, threads: usize) -> (Sums, Result<u64, String>) {
    let mut sums = Sums::default();
    let mut reader = trace.reader(Mode::Strict).expect("a header");
    let result = reader.fold_parallel(threads, &mut sums, |_| {});
    (sums, result.map_err(|error| error.to_string()))
}

fn traces(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            traces(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "trace") {
            found.push(path);
        }
    }
}

#[test]
fn every_event_is_the_same_on_any_number_of_threads() {
    let mut all = Vec::new();
    traces(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/traces"), &mut all);
    assert!(all.len() > 50, "{}", all.len());
    let mut apart = 0;
    for path in all {
        let trace =
            Trace::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let expected = sums(&trace, 1);
        apart += usize::from(expected.0.0.len() > 3);
        for threads in [2, 8] {
            assert_eq!(sums(&trace, threads), expected, "{}, {threads} threads", path.display());
        }
    }
    // Of one generation there is nothing to do at once.
    assert!(apart > 5, "{apart}");
}
