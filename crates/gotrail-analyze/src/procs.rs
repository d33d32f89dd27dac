//! Procs: which ran when, and how many goroutines waited for one meanwhile.
//!
//! That depends on everything at once, so that a later fold only notes what happens, in eight
//! bytes each, and the merge works it off.

use crate::timeline::{Step, Timeline};
use gotrail::ProcState;
use std::collections::BTreeMap;

/// What is known of a proc. Times are nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Proc {
    /// How long a thread held it.
    pub held: i64,
    /// How often a thread took it.
    pub starts: u64,
    /// How often it was taken away during a system call.
    pub steals: u64,
    /// Since when it is held.
    since: Option<i64>,
}

/// What procs and goroutines did in a step of time, in nanoseconds times their number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Procs that were held by a thread.
    pub held: i64,
    /// Procs that there were: GOMAXPROCS.
    pub procs: i64,
    /// Goroutines that waited for a proc.
    pub runnable: i64,
    /// Procs that were idle while a goroutine waited for one, each counted with one goroutine.
    pub idle_while_runnable: i64,
}

impl Step for Load {
    fn add(&mut self, next: &Load) {
        self.held += next.held;
        self.procs += next.procs;
        self.runnable += next.runnable;
        self.idle_while_runnable += next.idle_while_runnable;
    }
}

/// Something that happens to procs, or to the goroutines that wait for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// A goroutine becomes runnable.
    Runnable,
    /// A goroutine is not runnable any more.
    NotRunnable,
    /// A thread takes a proc.
    Held(i64),
    /// A thread lets a proc go.
    Idle(i64),
    /// A proc is taken away from a thread in a system call.
    Stolen(i64),
    /// What a proc is said to be at its first mention.
    Status(i64, bool),
    /// GOMAXPROCS.
    Procs(i64),
}

/// All procs.
#[derive(Debug, Clone, Default)]
pub struct Procs {
    /// Each proc by its id.
    pub procs: BTreeMap<i64, Proc>,
    /// GOMAXPROCS, whenever it changed.
    pub changes: Vec<(i64, i64)>,
    /// What they did over time.
    pub timeline: Timeline<Load>,
    /// What they did in all.
    pub total: Load,
    held: i64,
    runnable: i64,
    limit: i64,
    time: i64,
    /// What is not in the sums yet: the sums until `time`, since `settled`.
    pending: Load,
    settled: i64,
    /// When the step of the timeline ends that `settled` is in.
    step_ends: i64,
    /// Later folds: what happened.
    log: Option<Log>,
}

/// Changes in eight bytes each: the time since the beginning, what it is, an id.
#[derive(Debug, Clone, Default)]
struct Log {
    begin: i64,
    changes: Vec<u64>,
    /// Whether there was something that does not fit.
    overflow: bool,
}

const ID_BITS: u32 = 20;
const KIND_BITS: u32 = 3;
const TIME_BITS: u32 = 64 - ID_BITS - KIND_BITS;

impl Log {
    fn note(&mut self, time: i64, change: Change) {
        if self.begin == 0 {
            self.begin = time;
        }
        let (kind, id) = match change {
            Change::Runnable => (0, 0),
            Change::NotRunnable => (1, 0),
            Change::Held(id) => (2, id),
            Change::Idle(id) => (3, id),
            Change::Stolen(id) => (4, id),
            Change::Status(id, false) => (5, id),
            Change::Status(id, true) => (6, id),
            Change::Procs(number) => (7, number),
        };
        let since = time - self.begin;
        if since >> TIME_BITS != 0 || id >> ID_BITS != 0 {
            self.overflow = true;
            return;
        }
        self.changes
            .push((since as u64) << (ID_BITS + KIND_BITS) | (id as u64) << KIND_BITS | kind);
    }

    fn iter(&self) -> impl Iterator<Item = (i64, Change)> + '_ {
        self.changes.iter().map(|&packed| {
            let time = self.begin + (packed >> (ID_BITS + KIND_BITS)) as i64;
            let id = (packed >> KIND_BITS & ((1 << ID_BITS) - 1)) as i64;
            let change = match packed & ((1 << KIND_BITS) - 1) {
                0 => Change::Runnable,
                1 => Change::NotRunnable,
                2 => Change::Held(id),
                3 => Change::Idle(id),
                4 => Change::Stolen(id),
                5 => Change::Status(id, false),
                6 => Change::Status(id, true),
                _ => Change::Procs(id),
            };
            (time, change)
        })
    }
}

impl Procs {
    pub(crate) fn new(later: bool) -> Procs {
        Procs { log: later.then(Log::default), ..Procs::default() }
    }

    /// Something happens.
    #[inline]
    pub(crate) fn change(&mut self, time: i64, change: Change) {
        match &mut self.log {
            Some(log) => log.note(time, change),
            None => self.apply(time, change),
        }
    }

    /// A proc changes its state.
    pub(crate) fn step(
        &mut self,
        time: i64,
        proc: i64,
        from: ProcState,
        to: ProcState,
        stolen: bool,
    ) {
        let held = to == ProcState::Running;
        let change = match from {
            ProcState::Undetermined | ProcState::NotExist => Change::Status(proc, held),
            // Stealing a proc that its thread has abandoned is no change of state, but the
            // status that said so is not seen as one either.
            _ if stolen => Change::Stolen(proc),
            _ if from == to => return,
            _ if held => Change::Held(proc),
            _ => Change::Idle(proc),
        };
        self.change(time, change);
    }

    fn apply(&mut self, time: i64, change: Change) {
        self.advance(time);
        match change {
            Change::Runnable => self.runnable += 1,
            Change::NotRunnable => self.runnable = (self.runnable - 1).max(0),
            Change::Held(id) | Change::Status(id, true) => {
                let proc = self.procs.entry(id).or_default();
                if proc.since.is_none() {
                    proc.since = Some(time);
                    proc.starts += u64::from(matches!(change, Change::Held(_)));
                    self.held += 1;
                }
            }
            Change::Idle(id) | Change::Stolen(id) => {
                let proc = self.procs.entry(id).or_default();
                proc.steals += u64::from(matches!(change, Change::Stolen(_)));
                if let Some(since) = proc.since.take() {
                    proc.held += time - since;
                    self.held -= 1;
                }
            }
            Change::Status(id, false) => {
                self.procs.entry(id).or_default();
            }
            Change::Procs(number) => {
                if number != self.limit {
                    self.changes.push((time, number));
                    self.limit = number;
                }
            }
        }
    }

    #[inline(always)]
    fn advance(&mut self, time: i64) {
        if self.time == 0 {
            (self.time, self.settled) = (time, time);
        }
        let nanos = time - self.time;
        let idle = (self.limit - self.held).max(0);
        self.pending.held += self.held * nanos;
        self.pending.procs += self.limit * nanos;
        self.pending.runnable += self.runnable * nanos;
        self.pending.idle_while_runnable += idle.min(self.runnable) * nanos;
        // A stretch that lies in one step is added at once.
        if time >= self.step_ends {
            self.settle_at(time);
        }
        self.time = time;
    }

    #[cold]
    #[inline(never)]
    fn settle_at(&mut self, time: i64) {
        self.settle(time);
    }

    /// Adds what is pending to the sums; it all happened since `settled`, which is in the same
    /// step as what was before the last change, or the state did not change since.
    fn settle(&mut self, time: i64) {
        let idle = (self.limit - self.held).max(0);
        let nanos = time - self.time;
        // What came before the last change lies in its step.
        let before = Load {
            held: self.pending.held - self.held * nanos,
            procs: self.pending.procs - self.limit * nanos,
            runnable: self.pending.runnable - self.runnable * nanos,
            idle_while_runnable: self.pending.idle_while_runnable - idle.min(self.runnable) * nanos,
        };
        self.timeline.at(self.settled).add(&before);
        let (held, limit, runnable) = (self.held, self.limit, self.runnable);
        self.timeline.between(self.time, time, |load, nanos| {
            load.add(&Load {
                held: held * nanos,
                procs: limit * nanos,
                runnable: runnable * nanos,
                idle_while_runnable: idle.min(runnable) * nanos,
            });
        });
        self.total.add(&self.pending);
        self.pending = Load::default();
        self.settled = time;
        self.step_ends = (time / self.timeline.step() + 1) * self.timeline.step();
    }

    /// Whether what a later fold noted is not all that happened.
    pub(crate) fn doubts(&self, later: &Procs) -> bool {
        later.log.as_ref().is_some_and(|log| log.overflow)
    }

    /// Works off what a later fold noted.
    pub(crate) fn absorb(&mut self, later: &Procs) {
        let Some(log) = &later.log else { return };
        for (time, change) in log.iter() {
            match change {
                // Known already, and nothing new.
                Change::Status(id, _) if self.procs.contains_key(&id) => {}
                _ => self.apply(time, change),
            }
        }
    }

    /// The trace ends.
    pub(crate) fn finish(&mut self, time: i64) {
        self.advance(time);
        self.settle(time);
        for proc in self.procs.values_mut() {
            if let Some(since) = proc.since.take() {
                proc.held += time - since;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_comes_to_the_same() {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut whole = Procs::new(false);
        let mut split = Procs::new(false);
        let mut later = Procs::new(true);
        let mut time = 1_000_000;
        for i in 0..20_000 {
            time += rng.i64(1..5_000);
            let id = rng.i64(0..4);
            let change = match rng.u8(0..6) {
                0 | 1 => Change::Runnable,
                2 => Change::NotRunnable,
                3 => Change::Held(id),
                4 => Change::Idle(id),
                _ => Change::Stolen(id),
            };
            let change = if i == 0 { Change::Procs(4) } else { change };
            whole.change(time, change);
            if i < 7_000 { split.change(time, change) } else { later.change(time, change) }
        }
        split.absorb(&later);
        whole.finish(time + 10);
        split.finish(time + 10);
        assert_eq!(split.timeline, whole.timeline);
        assert_eq!((&split.procs, split.total), (&whole.procs, whole.total));
        let sum = whole.timeline.steps().fold(Load::default(), |mut sum, (_, load)| {
            sum.add(load);
            sum
        });
        assert_eq!(sum, whole.total);
        let held: i64 = whole.procs.values().map(|proc| proc.held).sum();
        assert_eq!(held, whole.total.held);
    }
}
