//! Generations of a test trace: their batches, tables and clocks.

use super::write::{BatchData, Event, GenerationData, SyncData};
use super::{Batch, StackFrame, TestTrace, UseErrorKind};
use gotrail::{GoId, ProcId, ThreadId};
use gotrail_format::{EventType, Version};
use std::panic::Location;

/// A generation of a test trace.
#[derive(Debug, Clone, Copy)]
pub struct Generation<'t> {
    pub(super) trace: &'t TestTrace,
    pub(super) index: usize,
}

impl<'t> Generation<'t> {
    pub(super) fn with<T>(self, work: impl FnOnce(&mut GenerationData) -> T) -> T {
        self.trace.with(|inner| work(&mut inner.generations[self.index]))
    }

    /// Begins a batch of a thread. Batches are written in the order in which they were begun;
    /// events can be added to any of them at any time.
    pub fn batch(self, thread: impl Into<ThreadId>, time: u64) -> Batch<'t> {
        self.push(thread.into(), time, false)
    }

    /// A batch of an experiment.
    #[track_caller]
    pub fn experimental_batch(
        self,
        experiment: u8,
        thread: impl Into<ThreadId>,
        time: u64,
        data: &[u8],
    ) {
        let thread = thread.into();
        let batch = self.push(thread, time, true);
        let (number, time) =
            self.with(|generation| (generation.number, generation.batches[batch.index].time));
        let args = [experiment.into(), number, thread.0 as u64, time];
        batch.add(Event::with_data(EventType::EXPERIMENTAL_BATCH, &args, data));
    }

    fn push(self, thread: ThreadId, time: u64, experimental: bool) -> Batch<'t> {
        let batch = self.trace.with(|inner| {
            let time = if inner.clock.on { time } else { 0 };
            if inner.clock.on {
                inner.clock.last = time;
            }
            let batches = &mut inner.generations[self.index].batches;
            let events = Vec::new();
            batches.push(BatchData { thread, time, events, claim: None, experimental });
            batches.len() - 1
        });
        Batch { generation: self, index: batch }
    }

    /// The id of a string, which is in the generation's table from now on; 0 for no text.
    pub fn string(self, text: &str) -> u64 {
        self.with(|generation| generation.string(text.as_bytes()))
    }

    /// The id of a stack, which is in the generation's table from now on; 0 for no frames.
    pub fn stack(self, frames: &[StackFrame]) -> u64 {
        self.with(|generation| generation.stack(frames))
    }

    /// Defines a string under an id of one's own, whether or not it is taken.
    #[track_caller]
    pub fn string_with_id(self, id: u64, text: &str) {
        let event = Event::with_data(EventType::STRING, &[id], text.as_bytes());
        self.with(|generation| generation.more_strings.push(event));
    }

    /// Defines a stack under an id of one's own, whether or not it is taken.
    #[track_caller]
    pub fn stack_with_id(self, id: u64, frames: &[StackFrame]) {
        let stack = (id, frames.to_vec(), Location::caller());
        self.with(|generation| generation.more_stacks.push(stack));
    }

    /// A sample of the CPU profiler, at an absolute time.
    #[track_caller]
    pub fn cpu_sample(
        self,
        time: u64,
        thread: ThreadId,
        proc: ProcId,
        go: GoId,
        stack: &[StackFrame],
    ) {
        let stack = self.stack(stack);
        let args = [time, thread.0 as u64, proc.0 as u64, go.0 as u64, stack];
        let event = Event::new(EventType::CPU_SAMPLE, &args);
        self.with(|generation| generation.samples.push(event));
    }

    /// The frequency, and the time of the batch that says it; from 1.25 on that of the snapshot
    /// of the clocks, which are all 0 then.
    pub fn sync(self, freq: u64, time: u64) {
        self.with(|generation| generation.sync = SyncData { freq, time, ..SyncData::default() });
    }

    /// The same with clocks, from 1.25 on: the monotonic clock in nanoseconds, and seconds and
    /// nanoseconds of the wall clock.
    #[track_caller]
    pub fn sync_with_clocks(self, freq: u64, time: u64, mono: u64, wall: (i64, u64)) {
        let at = Location::caller();
        self.with(|generation| generation.sync = SyncData { freq, time, mono, wall });
        self.trace.with(|inner| {
            if inner.version < Version::Go125 {
                inner.fail(at, "sync_with_clocks", None, UseErrorKind::NoClocks);
            }
        });
    }

    /// Leaves the batch with frequency and clocks out.
    pub fn without_sync(self) {
        self.with(|generation| generation.without_sync = true);
    }

    /// Leaves the tables of stacks and strings out.
    pub fn without_tables(self) {
        self.with(|generation| generation.without_tables = true);
    }

    /// Leaves the end of the generation out, which is written from 1.26 on.
    pub fn without_end(self) {
        self.with(|generation| generation.without_end = true);
    }
}
