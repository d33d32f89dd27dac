//! A pass over a trace that was read before, on all cores: from checkpoint to checkpoint.
//!
//! ```text
//!   generation 0   part part part   ◄── thread 0
//!   generation 1   part part part   ◄── thread 1, and whoever has no generation of its own left
//! ```
//!
//! Each thread takes generations for itself, so that each is read once. When none is left it helps
//! with those of others, so that all threads end together, however many generations there are.

use crate::checkpoint::Checkpoint;
use crate::error::Error;
use crate::events::Events;
use crate::generation::Generation;
use crate::trace::Trace;
use std::ops::Range;
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The parts of one generation.
struct Parts<'t> {
    /// The generation's index.
    index: usize,
    checkpoints: Range<usize>,
    /// How many parts were taken, which may be counted on beyond the last, and how many are done.
    taken: AtomicUsize,
    done: AtomicUsize,
    /// The generation, from the first part that was taken to the last that is done.
    loaded: Mutex<Option<Arc<Generation<'t>>>>,
}

impl<'t> Parts<'t> {
    /// The next part that nobody has.
    fn take(&self) -> Option<usize> {
        let part = self.taken.fetch_add(1, Ordering::Relaxed);
        (part < self.checkpoints.len()).then(|| self.checkpoints.start + part)
    }

    fn load(&self, trace: &'t Trace) -> Result<Arc<Generation<'t>>, Error> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        match &*loaded {
            Some(generation) => Ok(Arc::clone(generation)),
            None => Ok(Arc::clone(loaded.insert(Arc::new(trace.generation(self.index)?)))),
        }
    }

    /// A part is done. After the last one nobody needs the generation.
    fn finish(&self) {
        if self.done.fetch_add(1, Ordering::AcqRel) + 1 == self.checkpoints.len() {
            *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

impl Trace {
    /// Reads the events between checkpoints of this trace again, on several threads: `work` gets
    /// those from each checkpoint to the next of the same generation, or to the generation's end.
    /// Returns what it made of them, in the order of the checkpoints.
    ///
    /// The checkpoints are those that [`Trace::checkpoints_every`] returned, or some of them in the
    /// same order: events before the first one of a generation are left out. Each generation is read
    /// once, and at most as many are held as there are threads. The sync at the end of a trace belongs
    /// to no generation.
    ///
    /// ```
    /// # let trace = gotrail::Trace::from_bytes(gotrail::doc_trace())?;
    /// let checkpoints = trace.checkpoints_every(100_000)?;
    /// let counts = trace.for_each_part(&checkpoints, 2, |events| Ok(events.count()))?;
    /// let all = trace.reader(gotrail::Mode::Strict)?.drain()?;
    /// assert_eq!(counts.iter().sum::<usize>() as u64 + 1, all);
    /// # Ok::<(), gotrail::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first one in the order of the checkpoints, of reading or of `work`. Parts before it are
    /// read to their end; those behind it that nobody has begun by then are not read.
    ///
    /// # Panics
    ///
    /// If the checkpoints are not in order, if they are of another trace and lie within generations
    /// that this one does not have, or if `work` panics.
    pub fn for_each_part<'t, T: Send>(
        &'t self,
        checkpoints: &[Checkpoint],
        threads: usize,
        work: impl Fn(Events<'_>) -> Result<T, Error> + Sync,
    ) -> Result<Vec<T>, Error> {
        let generations = self.parts(checkpoints);
        let next = AtomicUsize::new(0);
        // The first checkpoint whose part came to an error.
        let failed = AtomicUsize::new(usize::MAX);
        let part = |parts: &Parts<'t>, at: usize| {
            let generation = parts.load(self)?;
            let events = generation.events(&checkpoints[at]);
            let next = checkpoints[..parts.checkpoints.end].get(at + 1);
            work(next.into_iter().fold(events, Events::until))
        };
        let run = || {
            let mut results = Vec::new();
            let mut all_of = |parts: &Parts<'t>| {
                while let Some(at) = parts.take() {
                    if at < failed.load(Ordering::Relaxed) {
                        let result = part(parts, at);
                        if result.is_err() {
                            failed.fetch_min(at, Ordering::Relaxed);
                        }
                        results.push((at, result));
                    }
                    parts.finish();
                }
            };
            while let Some(parts) = generations.get(next.fetch_add(1, Ordering::Relaxed)) {
                all_of(parts);
            }
            generations.iter().for_each(all_of);
            results
        };
        let mut results = thread::scope(|scope| {
            let threads: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(run)).collect();
            let results = threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
            results.flatten().collect::<Vec<_>>()
        });
        results.sort_unstable_by_key(|&(at, _)| at);
        results.into_iter().map(|(_, result)| result).collect()
    }

    /// The checkpoints by generation.
    fn parts(&self, checkpoints: &[Checkpoint]) -> Vec<Parts<'_>> {
        assert!(
            checkpoints.is_sorted_by_key(|from| (from.generation(), from.events())),
            "checkpoints out of order"
        );
        let mut end = 0;
        let same = checkpoints.chunk_by(|a, b| a.generation() == b.generation());
        same.map(|parts| {
            let start = end;
            end += parts.len();
            Parts {
                index: parts[0].generation(),
                checkpoints: start..end,
                taken: AtomicUsize::new(0),
                done: AtomicUsize::new(0),
                loaded: Mutex::new(None),
            }
        })
        .collect()
    }
}
