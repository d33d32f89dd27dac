//! One generation of a trace: its batches by thread, and the tables that its events refer to.
//!
//! A generation is plain data. It knows nothing of the schedule: give its events their order with
//! [`Generation::events`] from the [`Checkpoint`](crate::Checkpoint) before it.

use crate::clock::Frequency;
use crate::cursor::Tail;
use crate::input::Bytes;
use crate::old::OldEvents;
use crate::stack::Stack;
use crate::stacks::Stacks;
use crate::tables::{CpuSample, Strings};
use crate::{ClockSnapshot, ThreadId, Time};
use bstr::BStr;
use gotrail_format::{Experiment, Version};
use std::ops::Range;

/// No more batches.
pub(crate) const NO_BATCH: u32 = u32::MAX;

/// One generation: about a second of a program's life.
#[derive(Debug)]
pub struct Generation<'t> {
    pub(crate) data: Bytes<'t>,
    pub(crate) tail: Tail,
    /// Where `data` begins in the trace.
    pub(crate) offset: u64,
    pub(crate) version: Version,
    pub(crate) number: u64,
    pub(crate) frequency: Frequency,
    pub(crate) clock: Option<ClockSnapshot>,
    /// The earliest time of any batch, in clock units.
    pub(crate) min_time: u64,
    pub(crate) strings: Strings,
    pub(crate) stacks: Stacks,
    pub(crate) samples: Vec<CpuSample>,
    /// The threads in the order in which they first appear, which decides between equal times.
    pub(crate) threads: Vec<ThreadBatches>,
    pub(crate) batches: Vec<Batch>,
    /// Whether it is known from an earlier pass that no number of any batch is too large.
    pub(crate) flawless: bool,
    pub(crate) experiments: Vec<ExperimentPiece>,
    /// The events of a trace of Go 1.11 to 1.21, which are put in order elsewhere.
    pub(crate) old: Option<Box<OldEvents>>,
}

/// The chain of one thread's batches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ThreadBatches {
    pub(crate) thread: i64,
    pub(crate) first: u32,
    pub(crate) last: u32,
}

/// A batch of events: a range of the generation's bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) time: u64,
    /// The thread's next batch, or [`NO_BATCH`].
    pub(crate) next: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct ExperimentPiece {
    pub(crate) experiment: Experiment,
    pub(crate) thread: i64,
    pub(crate) range: Range<usize>,
}

/// Data of an experiment that is not events, as the trace has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExperimentalBatch<'a> {
    /// The experiment.
    pub experiment: Experiment,
    /// The thread that wrote the data.
    pub thread: ThreadId,
    /// The data.
    pub data: &'a [u8],
}

impl<'t> Generation<'t> {
    /// A generation without anything, for events that belong to none.
    pub(crate) fn empty(version: Version) -> Generation<'t> {
        Generation {
            data: Bytes::Borrowed(&[]),
            tail: Tail::of(&[]),
            offset: 0,
            version,
            number: 0,
            frequency: Frequency::USUAL,
            clock: None,
            min_time: 0,
            strings: Strings::default(),
            stacks: Stacks::default(),
            samples: Vec::new(),
            threads: Vec::new(),
            batches: Vec::new(),
            flawless: false,
            experiments: Vec::new(),
            old: None,
        }
    }

    /// The format version of the trace.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The number that the tracer gave the generation.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The bytes of the trace that the generation takes.
    pub fn byte_range(&self) -> Range<u64> {
        self.offset..self.offset + self.data.len() as u64
    }

    /// The earliest time of any of its batches.
    pub fn start(&self) -> Time {
        if self.old.is_some() {
            // Old traces begin at 0; their sync lies just before.
            return Time(-1);
        }
        Time(self.frequency.nanos(self.min_time))
    }

    /// The clocks, read together; traces have them from format 1.25 on.
    pub fn clock_snapshot(&self) -> Option<ClockSnapshot> {
        self.clock
    }

    /// The threads that wrote events, in the order in which they first appear.
    pub fn threads(&self) -> impl Iterator<Item = ThreadId> + '_ {
        self.threads.iter().map(|thread| ThreadId(thread.thread))
    }

    /// The number of batches with events.
    pub fn batch_count(&self) -> usize {
        self.batches.len()
    }

    /// The number of distinct strings.
    pub fn string_count(&self) -> usize {
        self.strings.len()
    }

    /// The number of distinct stacks.
    pub fn stack_count(&self) -> usize {
        self.stacks.len()
    }

    /// The unparsed data of experiments.
    pub fn experimental_batches(&self) -> impl Iterator<Item = ExperimentalBatch<'_>> + '_ {
        self.experiments.iter().map(|piece| ExperimentalBatch {
            experiment: piece.experiment,
            thread: ThreadId(piece.thread),
            data: &self.data[piece.range.clone()],
        })
    }

    /// The string with this id; empty where there is none.
    #[inline]
    pub(crate) fn string(&self, id: u64) -> &BStr {
        BStr::new(self.strings.get(&self.data, id).unwrap_or_default())
    }

    /// The stack with this id, unless it is 0 or unknown.
    pub fn stack_with_id(&self, id: u64) -> Option<Stack<'_>> {
        self.stack(id).filter(|_| self.stacks.contains(id))
    }

    /// The stack with this id, unless it is 0.
    #[inline]
    pub(crate) fn stack(&self, id: u64) -> Option<Stack<'_>> {
        (id != 0).then(|| Stack::new(self, id))
    }
}
