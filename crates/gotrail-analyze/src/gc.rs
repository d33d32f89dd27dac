//! The garbage collector: cycles, stop-the-world, assists, sweeps, the heap over time.
//!
//! What takes processor time from the program is kept as a list of changes, from which `mmu.rs`
//! makes utilization functions for any flags. The list is short: it grows with garbage
//! collections, not with events.

use crate::names::{Renumbering, StrId};
use crate::timeline::{Step, Timeline};
use gotrail::{Event, GoId, ProcId};
use std::sync::Arc;

/// Something that changes how much of the procs the collector takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// GOMAXPROCS, which stands in the place of the proc.
    Procs,
    StwBegin,
    StwEnd,
    SweepBegin,
    SweepEnd,
    AssistBegin,
    AssistEnd,
    /// Was in a sweep at the start of the trace.
    SweepActive,
    /// Was in an assist at the start of the trace; whether the event's goroutine was executing.
    AssistActive(bool),
    /// A goroutine that collects begins, or ceases, to run.
    Runs,
    Rests,
    /// A goroutine is a mark worker; whether it has its proc for itself.
    Worker(bool),
}

/// A change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) time: i64,
    pub(crate) go: GoId,
    pub(crate) proc: i32,
    pub(crate) what: What,
}

/// A stretch of time in which the world was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopTheWorld {
    /// Why.
    pub reason: StrId,
    /// When it began, in nanoseconds of the trace's clock; none if that is not in the trace.
    pub start: Option<i64>,
    /// When it ended; none if that is not in the trace.
    pub end: Option<i64>,
    /// Who stopped it.
    pub go: GoId,
}

/// A garbage collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cycle {
    /// When its concurrent mark phase began; none if that is not in the trace.
    pub start: Option<i64>,
    /// When it ended; none if that is not in the trace.
    pub end: Option<i64>,
}

/// Bytes of the heap in a step of time; 0 where nothing is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heap {
    /// The most that was allocated.
    pub allocated: u64,
    /// The last goal.
    pub goal: u64,
}

impl Step for Heap {
    fn add(&mut self, next: &Heap) {
        self.allocated = self.allocated.max(next.allocated);
        if next.goal != 0 {
            self.goal = next.goal;
        }
    }
}

/// What sweeping came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many sweeps ended.
    pub count: u64,
    /// Bytes swept.
    pub swept: u64,
    /// Bytes reclaimed.
    pub reclaimed: u64,
}

/// What the collector did.
#[derive(Debug, Clone, Default)]
pub struct Gc {
    /// Every stop of the world, in the order in which they began.
    pub stops: Vec<StopTheWorld>,
    /// Every cycle.
    pub cycles: Vec<Cycle>,
    /// Sweeps.
    pub swept: Swept,
    /// The heap over time.
    pub heap: Timeline<Heap>,
    pub(crate) changes: Vec<Change>,
    /// Later folds: goroutines whose every change is in the list.
    pub(crate) known: Arc<Vec<GoId>>,
    /// Goroutines that are mark workers.
    pub(crate) workers: Vec<GoId>,
    /// How many syncs there were.
    pub(crate) syncs: u64,
    /// Room for the changes of a later fold.
    spare: Vec<Change>,
}

/// Room for so many changes of a later fold is kept for the next one.
const SPARE: usize = 1 << 16;

impl Gc {
    /// For a fold of later generations.
    pub(crate) fn later(&mut self) -> Gc {
        Gc {
            heap: self.heap.going_on(),
            known: Arc::new(self.workers.clone()),
            // What only the first generation says must not be taken from another.
            syncs: 1,
            changes: std::mem::take(&mut self.spare),
            ..Gc::default()
        }
    }

    pub(crate) fn note(&mut self, time: i64, go: GoId, proc: ProcId, what: What) {
        self.changes.push(Change { time, go, proc: proc.0 as i32, what });
    }

    /// The size of the heap is told.
    #[inline]
    pub(crate) fn allocated(&mut self, event: &Event<'_>) {
        let step = self.heap.at(event.time().0);
        step.allocated = step.allocated.max(event.metric_value().unwrap_or(0));
    }

    /// A stop of the world ends.
    pub(crate) fn started_again(&mut self, reason: StrId, go: GoId, time: i64) {
        let open = self.stops.iter_mut().rev().find(|stop| stop.end.is_none() && stop.go == go);
        match open {
            Some(stop) => stop.end = Some(time),
            None => {
                self.stops.push(StopTheWorld { reason, start: None, end: Some(time), go });
            }
        }
    }

    /// The concurrent mark phase ends.
    pub(crate) fn marked(&mut self, time: i64) {
        match self.cycles.last_mut() {
            Some(cycle) if cycle.end.is_none() => cycle.end = Some(time),
            _ => self.cycles.push(Cycle { start: None, end: Some(time) }),
        }
    }

    /// Takes over what a later fold came to.
    pub(crate) fn absorb(&mut self, mut later: Gc, to: &Renumbering) {
        for mut stop in later.stops {
            stop.reason = to.string(stop.reason);
            match (stop.start, stop.end) {
                (None, Some(end)) => self.started_again(stop.reason, stop.go, end),
                _ => self.stops.push(stop),
            }
        }
        for cycle in later.cycles {
            match (cycle.start, cycle.end) {
                (None, Some(end)) => self.marked(end),
                _ => self.cycles.push(cycle),
            }
        }
        self.swept.count += later.swept.count;
        self.swept.swept += later.swept.swept;
        self.swept.reclaimed += later.swept.reclaimed;
        self.heap.add(later.heap);
        self.changes.append(&mut later.changes);
        if later.changes.capacity() <= SPARE {
            self.spare = later.changes;
        }
        self.syncs += later.syncs;
        for go in later.workers {
            if !self.workers.contains(&go) {
                self.workers.push(go);
            }
        }
    }
}
