//! One goroutine, and its regions: what is known of them.

use crate::names::{StackId, StrId};
use crate::scope::{self, Scope};
use crate::times::Times;
use crate::waits::Begun;
use gotrail::{GoId, GoState, ProcId, TaskId};
use smallvec::SmallVec;

/// What is known of a goroutine. Times are nanoseconds of the trace's clock, 0 for never.
// In this order what common changes of state touch lies together.
#[derive(Debug, Clone)]
#[repr(C)]
pub struct Goroutine {
    /// The state that it is in.
    pub state: GoState,
    /// Whether the time in this state counts.
    pub(crate) counts: bool,
    /// Whether it assists the garbage collector, or is a mark worker.
    pub(crate) collects: bool,
    /// Whether `head` lasts.
    pub(crate) in_head: bool,
    /// Whether it woke or created another since it began to run, or made a system call.
    pub(crate) acted: bool,
    /// Whether its times are complete.
    pub(crate) settled: bool,
    /// The function that it began with; empty while no stack says it.
    pub name: StrId,
    /// The stack of the `go` statement.
    pub created_by: StackId,
    /// Since when it is in its state.
    pub since: i64,
    /// When it first ran in the trace.
    pub started: i64,
    pub(crate) wait: Begun,
    /// Why, if it waits.
    pub reason: StrId,
    /// How often it ran until it had to wait for something.
    pub runs: u32,
    /// How many of these runs were shorter than
    /// [`Limits::run`](crate::analysis::Limits::run) and came to nothing: it woke and
    /// created no other, and made no system call.
    pub short_runs: u32,
    /// How long it was in which state. While the trace is read, without the state it is in.
    pub times: Times,
    pub(crate) woke: Woke,
    /// When its proc was taken away during a system call.
    pub(crate) blocked_since: i64,
    /// The proc that it began its system call on.
    pub(crate) syscall_proc: ProcId,
    /// Its id.
    pub id: GoId,
    /// When it was created, or first known of.
    pub created: i64,
    /// When it ended, or began to wait forever.
    pub ended: i64,
    /// Who created it, if that is in the trace.
    pub creator: GoId,
    /// What a later fold found it in the middle of.
    pub(crate) head: Option<Box<Head>>,
    pub(crate) extra: Option<Box<Extra>>,
}

/// How a goroutine has woken others, one soon after the other.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Woke {
    /// When it began to.
    pub(crate) begin: i64,
    /// When it last did.
    pub(crate) last: i64,
    /// How many until then.
    pub(crate) number: u32,
    /// At which stack of the generation.
    pub(crate) stack: u32,
}

/// A state that a goroutine was in before the first event of a later fold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) state: GoState,
    /// The last sync before the goroutine was first mentioned: what it did is counted from there.
    pub(crate) sync: i64,
    /// When the goroutine was first mentioned, and whether it had a proc.
    pub(crate) seen: i64,
    pub(crate) on_proc: bool,
    /// The function that the first mention's stack begins with.
    pub(crate) name: StrId,
    /// The stack of that mention.
    pub(crate) stack: StackId,
    /// When the state ended, 0 if it did not; and what came then.
    pub(crate) until: i64,
    pub(crate) then: GoState,
    /// Whether it did something in it, as [`Goroutine::short_runs`] has it.
    pub(crate) acted: bool,
    /// Whether it was taken for one that collects from the first mention on.
    pub(crate) collects: bool,
    /// The reason of the first mention.
    pub(crate) reason: StrId,
    /// Of one that ran: the place in the table of waits for it, if its end says where.
    pub(crate) ran: Begun,
}

/// What few goroutines have.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extra {
    /// Since when ranges last, by name.
    pub(crate) ranges: crate::times::Sums,
    /// Regions that have begun, outermost first.
    pub(crate) regions: Regions,
    /// Later folds: from whom the goroutine may have inherited a task.
    pub(crate) inherits: Option<Inherits>,
    /// Later folds: ends of regions that began before the first event.
    pub(crate) ends: Vec<Ended>,
    /// Later folds: when times were first noted for a region.
    pub(crate) noted: bool,
    /// Later folds: the first mention of each range.
    pub(crate) first_ranges: Vec<(StrId, FirstRange)>,
    /// Later folds: when it ended, with the times until then.
    pub(crate) last: Option<Box<(i64, Times)>>,
}

/// How a later fold first heard of a range of a goroutine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstRange {
    /// It began.
    Begun,
    /// It was active already.
    Active,
    /// It ended.
    Ended(i64),
}

/// Regions that have begun, outermost first: hardly ever more than two.
pub(crate) type Regions = SmallVec<[Open; 2]>;

/// A region that has begun.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    pub(crate) task: TaskId,
    pub(crate) name: StrId,
    pub(crate) start: i64,
    /// The goroutine's times at the beginning, if regions are kept; none for zero.
    pub(crate) times: Option<Box<Times>>,
}

impl Open {
    /// What passed since it began, of a goroutine with these times.
    pub(crate) fn since(&self, times: &Times) -> Times {
        match &self.times {
            Some(begun) => times.clone().since(begun),
            None => times.clone(),
        }
    }
}

/// The end of a region that began before a later fold's first event.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    pub(crate) task: TaskId,
    pub(crate) name: StrId,
    pub(crate) end: i64,
    pub(crate) times: Times,
}

/// A new goroutine belongs to the task of its creator's innermost region, which may have begun
/// before a later fold's first event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inherits {
    pub(crate) from: GoId,
    /// How many of the regions that the creator had before had ended.
    pub(crate) ended: usize,
}

/// A region that has ended, or lasts until the end of the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// The goroutine.
    pub go: GoId,
    /// The task that it belongs to.
    pub task: TaskId,
    /// Its type; empty for the time of a goroutine that was created in a region.
    pub name: StrId,
    /// When it began; none if that is not in the trace.
    pub start: Option<i64>,
    /// When it ended; none if that is not in the trace.
    pub end: Option<i64>,
    /// What the goroutine did meanwhile.
    pub times: Times,
    /// Whether it ended with its goroutine.
    pub(crate) with_goroutine: bool,
}

impl Region {
    /// Whether the program left it to the end of its goroutine. The time of a goroutine that
    /// inherited a task has no type, and is nobody's region.
    pub(crate) fn was_left(&self) -> bool {
        self.with_goroutine && self.end.is_some() && self.name != StrId::EMPTY
    }
}

impl Extra {
    /// A range is mentioned, perhaps for the first time.
    pub(crate) fn first_range(&mut self, name: StrId, first: FirstRange) {
        if !self.first_ranges.iter().any(|range| range.0 == name) {
            self.first_ranges.push((name, first));
        }
    }
}

impl Goroutine {
    /// It ran until it had to wait, and whether it ran for hardly any time.
    pub(crate) fn ran(&mut self, short: bool) {
        self.runs += 1;
        self.short_runs += u32::from(short && !self.acted);
    }

    pub(crate) fn new(id: GoId, created: i64) -> Goroutine {
        Goroutine {
            id,
            name: StrId::EMPTY,
            created,
            started: 0,
            ended: 0,
            creator: GoId::NONE,
            created_by: StackId::EMPTY,
            times: Times::default(),
            state: GoState::Undetermined,
            since: created,
            reason: StrId::EMPTY,
            counts: false,
            blocked_since: 0,
            syscall_proc: ProcId::NONE,
            wait: Begun::NOTHING,
            runs: 0,
            short_runs: 0,
            acted: false,
            woke: Woke::default(),
            settled: false,
            collects: false,
            in_head: false,
            head: None,
            extra: None,
        }
    }

    pub(crate) fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// Whether it is in this state, and to leave it takes nothing but to count the time.
    #[inline(always)]
    pub(crate) fn is_simply(&self, state: GoState) -> bool {
        // Four bytes that lie side by side, compared at once.
        let mode = [self.state as u8, self.counts as u8, self.collects as u8, self.in_head as u8];
        u32::from_ne_bytes(mode) == u32::from_ne_bytes([state as u8, 1, 0, 0])
    }

    pub(crate) fn inherits(&self) -> bool {
        self.extra.as_ref().is_some_and(|extra| extra.inherits.is_some())
    }

    /// Counts the time before the first mention.
    pub(crate) fn count_before(
        &mut self,
        state: GoState,
        nanos: i64,
        reason: StrId,
        on_proc: bool,
    ) {
        match state {
            GoState::Running => self.times.running += nanos,
            GoState::Runnable => self.times.runnable += nanos,
            GoState::Waiting => *self.times.blocked.entry(reason) += nanos,
            GoState::Syscall if on_proc => self.times.syscall += nanos,
            GoState::Syscall => self.times.syscall_blocked += nanos,
            _ => {}
        }
    }

    /// Its times, with the state that it is in until now.
    pub(crate) fn times_at(&self, time: i64, scope: &Option<Scope>) -> Times {
        let mut times = self.times.clone();
        self.count_until(time, scope, &mut times);
        times
    }

    /// How much of the system call that it is in it spent without a proc until now.
    pub(crate) fn blocked_at(&self, time: i64, scope: &Option<Scope>) -> i64 {
        match self.blocked_since {
            0 => 0,
            since => scope::nanos(scope, self.id, since, time),
        }
    }

    /// Adds to its times the state that it is in until now.
    pub(crate) fn count_until(&self, time: i64, scope: &Option<Scope>, times: &mut Times) {
        let since = |from| scope::nanos(scope, self.id, from, time);
        if !self.settled {
            times.total = since(self.created);
        }
        if let Some(extra) = &self.extra {
            for (name, from) in extra.ranges.iter() {
                *times.ranges.entry(name) += since(from);
            }
        }
        if !self.counts {
            return;
        }
        let nanos = since(self.since);
        match self.state {
            GoState::Running => times.running += nanos,
            GoState::Runnable => times.runnable += nanos,
            GoState::Waiting => *times.blocked.entry(self.reason) += nanos,
            GoState::Syscall => {
                let blocked = self.blocked_at(time, scope);
                times.syscall += nanos - blocked;
                times.syscall_blocked += blocked;
            }
            _ => {}
        }
    }
}

/// Whether a goroutine that began with this function is one of the program: neither the runtime's own
/// nor the tracer's.
pub fn is_of_program(function: &[u8]) -> bool {
    !is_system(function) && !function.starts_with(b"runtime/trace.")
}

/// Whether a goroutine that began with this function is one of the runtime's own.
pub fn is_system(function: &[u8]) -> bool {
    function.is_empty() || function != b"runtime.main" && function.starts_with(b"runtime.")
}
