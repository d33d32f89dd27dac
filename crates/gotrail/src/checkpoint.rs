//! Where reading can go on: what is known between two events.

use crate::deliver::Delivery;
use crate::order::State;
use crate::run::Run;
use std::ops::Range;

/// The state between two events.
///
/// A generation put in order from the checkpoint before it, or from one within it, gives exactly
/// the events that the full pass gives. Take checkpoints with
/// [`Reader::checkpoint`](crate::Reader::checkpoint),
/// [`Trace::checkpoints`](crate::Trace::checkpoints) or
/// [`Trace::checkpoints_every`](crate::Trace::checkpoints_every).
///
/// It takes some kilobytes, 24 bytes for each of 32 goroutines with neighbouring ids if any of them
/// exists or did at the time of which there were the most (60 for each goroutine so far in traces before
/// Go 1.22), and about 50 for each task.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    pub(crate) state: State,
    pub(crate) last_time: i64,
    pub(crate) syncs: u64,
    pub(crate) events: u64,
    pub(crate) within: Option<Box<Within>>,
}

/// How far reading came in a generation.
#[derive(Debug, Clone)]
pub(crate) struct Within {
    /// The generation's bytes in the trace.
    pub(crate) bytes: Range<u64>,
    pub(crate) run: Run,
    pub(crate) delivery: Delivery,
}

impl Checkpoint {
    /// The start of a trace, where nothing is known.
    pub fn start() -> Checkpoint {
        Checkpoint { state: State::new(false), last_time: 0, syncs: 0, events: 0, within: None }
    }

    /// The index of the generation that the next event belongs to, as the pass counted that the
    /// checkpoint is from.
    pub fn generation(&self) -> usize {
        self.syncs as usize - usize::from(self.within.is_some())
    }

    /// The number of events before it.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The number of goroutines that exist.
    pub fn goroutine_count(&self) -> usize {
        self.state.goroutine_count()
    }

    /// The number of tasks that are active.
    pub fn task_count(&self) -> usize {
        self.state.task_count()
    }
}
