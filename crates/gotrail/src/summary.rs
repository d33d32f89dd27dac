//! What a trace is about, in numbers: one pass over its events, nothing kept of them.
//!
//! ```
//! # let trace = gotrail::Trace::from_bytes(gotrail::doc_trace())?;
//! let mut reader = trace.reader(gotrail::Mode::Tolerant)?;
//! let mut summary = gotrail::summary::Summary::new();
//! while let Some(event) = reader.next_event()? {
//!     summary.event(&event);
//! }
//! assert_eq!(summary.goroutines, 1);
//! assert_eq!(summary.count(gotrail::Kind::Sync), 2);
//! # Ok::<(), gotrail::Error>(())
//! ```

use crate::details::{Details, RangeName};
use crate::event::{Event, Kind};
use crate::states::GoState;
use crate::{TaskId, Time};
use gotrail_format::EventType;
use rustc_hash::FxHashSet;

/// Counts over the events of a trace. Feed it every event, in order.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// The time of the first event.
    pub start: Option<Time>,
    /// The time of the last event.
    pub end: Option<Time>,
    /// The first time on the wall clock, in nanoseconds since 1970 in UTC; traces have it from
    /// format 1.25 on.
    pub wall_start: Option<i128>,
    /// The generations.
    pub generations: u64,
    /// The batches with events.
    pub batches: u64,
    /// The strings of all generations; what two generations share counts twice.
    pub strings: u64,
    /// The stacks of all generations; what two generations share counts twice.
    pub stacks: u64,
    /// The goroutines that existed at some time.
    pub goroutines: u64,
    /// The goroutines that existed before the first event.
    pub goroutines_at_start: u64,
    /// The cycles of garbage collection that began, or that ran when the trace began.
    pub gc_cycles: u64,
    /// The tasks that began.
    pub tasks_begun: u64,
    /// The tasks that ended, those that began before the trace included.
    pub tasks_ended: u64,
    /// The regions that began.
    pub regions_begun: u64,
    /// The regions that ended, those that began before the trace included.
    pub regions_ended: u64,
    /// The last value of GOMAXPROCS, if the trace says so.
    pub gomaxprocs: Option<u64>,
    kinds: [u64; Kind::ALL.len()],
    tasks: FxHashSet<TaskId>,
    procs: FxHashSet<i64>,
    threads: FxHashSet<i64>,
    alive: FxHashSet<i64>,
    known: FxHashSet<i64>,
    /// Goroutines created less those that ended, and the most that this ever was.
    balance: i64,
    highest: i64,
    gc_runs: bool,
}

impl Summary {
    /// Before the first event.
    pub fn new() -> Summary {
        Summary::default()
    }

    /// All events.
    pub fn events(&self) -> u64 {
        self.kinds.iter().sum()
    }

    /// The events of a kind.
    pub fn count(&self, kind: Kind) -> u64 {
        self.kinds[kind as usize]
    }

    /// The most goroutines that existed at once. A goroutine that merely waits may appear late;
    /// it is counted from the start of the trace on.
    pub fn goroutines_at_once(&self) -> u64 {
        self.goroutines_at_start + self.highest as u64
    }

    /// The procs that held a thread or were there.
    pub fn procs(&self) -> usize {
        self.procs.len()
    }

    /// The threads that wrote events.
    pub fn threads(&self) -> usize {
        self.threads.len()
    }

    /// The tasks that began and did not end.
    pub fn tasks_open(&self) -> usize {
        self.tasks.len()
    }

    /// The time from the first event to the last, in nanoseconds.
    pub fn duration(&self) -> i64 {
        match (self.start, self.end) {
            (Some(start), Some(end)) => end.since(start),
            _ => 0,
        }
    }

    /// Counts an event.
    #[inline]
    pub fn event(&mut self, event: &Event<'_>) {
        let kind = event.kind();
        self.kinds[kind as usize] += 1;
        self.end = Some(event.time());
        match event.raw.event {
            // Most events by far, and nothing to learn from them.
            EventType::GO_START
            | EventType::GO_STOP
            | EventType::GO_BLOCK
            | EventType::GO_UNBLOCK
            | EventType::GO_SYSCALL_BEGIN
            | EventType::GO_SYSCALL_END
            | EventType::GO_SYSCALL_END_BLOCKED
            | EventType::PROC_STOP
            | EventType::CPU_SAMPLE
            | EventType::HEAP_ALLOC
            | EventType::HEAP_GOAL => {}
            _ => self.look_at(event, kind),
        }
    }

    fn look_at(&mut self, event: &Event<'_>, kind: Kind) {
        match event.details() {
            Details::Sync(_) => self.generation(event),
            Details::Metric(metric) => self.gomaxprocs = Some(metric.value),
            Details::Goroutine(change) => match (change.from, change.to) {
                (_, GoState::NotExist) => {
                    if self.alive.remove(&change.go.0) {
                        self.balance -= 1;
                    }
                }
                (GoState::NotExist, _) => self.goroutine(change.go.0, true),
                _ => self.goroutine(change.go.0, false),
            },
            Details::Proc(change) => drop(self.procs.insert(change.proc.0)),
            Details::Range(range) if range.name == RangeName::GcMark => {
                if kind != Kind::RangeEnd && !self.gc_runs {
                    self.gc_cycles += 1;
                }
                self.gc_runs = kind != Kind::RangeEnd;
            }
            Details::Task(task) if kind == Kind::TaskBegin => {
                self.tasks_begun += 1;
                self.tasks.insert(task.id);
            }
            Details::Task(task) => {
                self.tasks_ended += 1;
                self.tasks.remove(&task.id);
            }
            Details::Region(_) if kind == Kind::RegionBegin => self.regions_begun += 1,
            Details::Region(_) => self.regions_ended += 1,
            _ => {}
        }
    }

    fn generation(&mut self, sync: &Event<'_>) {
        self.start.get_or_insert(sync.time());
        if sync.generation().is_none() {
            return;
        }
        if self.wall_start.is_none() {
            self.wall_start = sync.wall_clock();
        }
        let generation = sync.generation;
        self.generations += 1;
        self.batches += generation.batch_count() as u64;
        self.strings += generation.string_count() as u64;
        self.stacks += generation.stack_count() as u64;
        self.threads.extend(generation.threads().map(|thread| thread.0));
    }

    /// A goroutine exists: it was created just now, or it was there before.
    fn goroutine(&mut self, go: i64, created: bool) {
        if !self.alive.insert(go) {
            return;
        }
        // The ids of goroutines that C threads bring along are used again.
        self.goroutines += u64::from(self.known.insert(go));
        if created {
            self.balance += 1;
            self.highest = self.highest.max(self.balance);
        } else {
            self.goroutines_at_start += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mode, Trace};
    use gotrail_format::text;

    fn summary(events: &str) -> Summary {
        let text = format!(
            "Trace Go1.22
EventBatch gen=1 m=0 time=1 size=0
{events}
EventBatch gen=1 m=18446744073709551615 time=0 size=5
Frequency freq=15625000
"
        );
        // The sizes of batches are filled in here: both are short.
        let mut bytes = text::to_bytes(text).unwrap();
        let header = 16 + 5;
        let tail = 1 + 1 + 10 + 1 + 1 + 5;
        let size = bytes.len() - header - tail;
        assert!(size < 128, "{size}");
        bytes[header - 1] = size as u8;
        let trace = Trace::from_bytes(bytes).unwrap();
        let mut reader = trace.reader(Mode::Strict).unwrap();
        let mut summary = Summary::new();
        while let Some(event) = reader.next_event().unwrap() {
            summary.event(&event);
        }
        summary
    }

    #[test]
    fn goroutines_that_appear_late_were_there_before() {
        let summary = summary(
            "ProcStatus dt=1 p=0 pstatus=1
GoStatus dt=1 g=1 m=0 gstatus=2
GoCreate dt=1 new_g=2 new_stack=0 stack=0
GoStop dt=1 reason_string=0 stack=0
GoStart dt=1 g=2 g_seq=1
GoDestroy dt=1
GoStatus dt=1 g=3 m=18446744073709551615 gstatus=4",
        );
        assert_eq!((summary.goroutines, summary.goroutines_at_start), (3, 2));
        assert_eq!(summary.goroutines_at_once(), 3);
        assert_eq!((summary.procs(), summary.threads(), summary.generations), (1, 1, 1));
        assert_eq!(summary.events(), 9);
        // Eight times 64 ns, from nanosecond 1 on; the last sync comes one after.
        assert_eq!(summary.duration(), 512);
    }

    #[test]
    fn annotations_and_cycles_are_counted() {
        let summary = summary(
            "ProcStatus dt=1 p=0 pstatus=1
GoStatus dt=1 g=1 m=0 gstatus=2
GCActive dt=1 gc_seq=1
GCEnd dt=1 gc_seq=2
GCBegin dt=1 gc_seq=3 stack=0
UserTaskBegin dt=1 task=7 parent_task=0 name_string=0 stack=0
UserTaskBegin dt=1 task=8 parent_task=7 name_string=0 stack=0
UserRegionBegin dt=1 task=7 name_string=0 stack=0
UserTaskEnd dt=1 task=7 stack=0
ProcsChange dt=1 procs_value=4 stack=0",
        );
        assert_eq!(summary.gc_cycles, 2);
        assert_eq!((summary.tasks_begun, summary.tasks_ended, summary.tasks_open()), (2, 1, 1));
        assert_eq!((summary.regions_begun, summary.regions_ended), (1, 0));
        assert_eq!(summary.gomaxprocs, Some(4));
    }
}
