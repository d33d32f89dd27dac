//! Procs: which ran when, and how many goroutines waited for one meanwhile.
//!
//! How many procs were idle while goroutines waited depends on what there was at the beginning. A
//! later fold learns that from the first mention of each proc and goroutine, most of which come
//! soon: until then it only notes what happens (`opening.rs`). The merge sees whether it was right.

use crate::by_id::ByProc;
use crate::opening::Opening;
use crate::scope::Scope;
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

/// Before the first change.
const BEFORE: i64 = i64::MIN;

/// All procs.
#[derive(Debug, Clone, Default)]
pub struct Procs {
    /// Each proc by its id; complete when the trace has ended.
    pub procs: BTreeMap<i64, Proc>,
    /// GOMAXPROCS, whenever it changed.
    pub changes: Vec<(i64, i64)>,
    /// What they did over time; as all sums of an analysis with a scope only in its time.
    pub timeline: Timeline<Load>,
    /// What they did in all.
    pub total: Load,
    known: ByProc<Proc>,
    now: Now,
    /// What is not in the sums yet: of each number its sum over time since `settled`, less what
    /// its present value comes to by then.
    pending: Load,
    settled: i64,
    /// When the step of the timeline ends that `settled` is in, or [`BEFORE`].
    step_ends: i64,
    /// From when on it is counted.
    begin: i64,
    /// How many procs are known.
    seen: i64,
    /// What happens before it is known what there was at the beginning.
    opening: Option<Box<Opening>>,
    /// Whether it is still the first generation of a first fold.
    at_beginning: bool,
    /// Whether a proc was idle at any time with no goroutine known to wait for it.
    spare: bool,
    /// What there was at the beginning.
    first: Option<Box<First>>,
    /// Whether there were generations before.
    is_later: bool,
    /// Room for what a later fold notes.
    room: Vec<u64>,
    window: Window,
}

/// Which time counts, in nanoseconds of the trace's clock: from when until when.
#[derive(Debug, Clone, Copy)]
struct Window {
    from: i64,
    until: i64,
}

impl Default for Window {
    fn default() -> Window {
        Window { from: i64::MIN, until: i64::MAX }
    }
}

impl Window {
    /// The moment of the window that is the nearest: between two of these no other time passes.
    #[inline(always)]
    fn nearest(self, time: i64) -> i64 {
        time.max(self.from).min(self.until)
    }

    fn contains(self, time: i64) -> bool {
        (self.from..self.until).contains(&time)
    }
}

/// How many there are now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Now {
    /// Procs held by a thread.
    pub(crate) held: i64,
    /// GOMAXPROCS.
    pub(crate) limit: i64,
    /// Goroutines that wait for a proc.
    pub(crate) runnable: i64,
    /// Procs that nobody holds.
    free: i64,
    /// Procs that are idle while a goroutine waits for one.
    idle: i64,
}

/// What a fold takes for the beginning.
#[derive(Debug, Clone, Default)]
pub(crate) struct First {
    pub(crate) sync: i64,
    pub(crate) now: Now,
    /// Procs, and whether they were held.
    pub(crate) procs: Vec<(i64, bool)>,
    /// Something of it was learned too late.
    pub(crate) late: bool,
}

impl Procs {
    /// A fold that begins with nothing, of the time in this scope.
    pub(crate) fn new(scope: Option<&Scope>) -> Procs {
        let all = Window::default();
        let from = scope.and_then(|scope| scope.from).unwrap_or(all.from);
        let until = scope.and_then(|scope| scope.until).unwrap_or(all.until);
        let window = Window { from, until };
        Procs { step_ends: BEFORE, window, ..Procs::default() }
    }

    /// A fold of a later generation.
    pub(crate) fn later(&mut self) -> Procs {
        let opening = Opening::new(self.now.limit, std::mem::take(&mut self.room));
        Procs {
            opening: Some(Box::new(opening)),
            timeline: self.timeline.going_on(),
            step_ends: BEFORE,
            is_later: true,
            window: self.window,
            ..Procs::default()
        }
    }

    /// A generation begins. Only where there are generations does the first mention of something say
    /// what it was from the beginning on.
    pub(crate) fn sync(&mut self, time: i64, has_generations: bool) {
        let is_first = !self.is_later && self.step_ends == BEFORE;
        if is_first && has_generations && self.opening.is_none() {
            self.opening = Some(Box::default());
            self.at_beginning = true;
        }
        if let Some(opening) = &mut self.opening {
            opening.first.sync = time;
        } else if is_first {
            self.settle(time);
        }
    }

    /// Something happens.
    #[inline(always)]
    pub(crate) fn change(&mut self, time: i64, change: Change) {
        // While there is an opening, all time is beyond the step.
        if time >= self.step_ends && self.goes_beyond(time, change) {
            return;
        }
        self.apply(time, change);
    }

    /// Settles, or notes the change: then that was all.
    #[cold]
    #[inline(never)]
    fn goes_beyond(&mut self, time: i64, change: Change) -> bool {
        let noted = self.opening.is_some();
        match noted {
            true => self.note(time, change),
            false => self.settle(time),
        }
        noted
    }

    fn note(&mut self, time: i64, change: Change) {
        if let Some(opening) = &mut self.opening
            && opening.note(time, change)
        {
            self.open();
        }
    }

    /// First folds: a goroutine is mentioned for the first time, and is runnable.
    pub(crate) fn is_runnable(&mut self, time: i64) {
        match self.at_beginning {
            true => self.was_runnable(time),
            false => self.change(time, Change::Runnable),
        }
    }

    /// A goroutine is mentioned that was runnable at the beginning.
    pub(crate) fn was_runnable(&mut self, time: i64) {
        match (&mut self.opening, &mut self.first) {
            (Some(opening), _) => opening.was_runnable(),
            (None, Some(_)) => self.was_runnable_after_all(time),
            _ => {}
        }
    }

    /// One more waited since the sync than was known. As long as all procs were held, or there
    /// were others to wait for the idle ones, that changes how many waited and nothing else.
    #[cold]
    fn was_runnable_after_all(&mut self, time: i64) {
        if time >= self.step_ends {
            self.settle(time);
        }
        let (settled, Some(first)) = (self.settled, &mut self.first) else { return };
        first.now.runnable += 1;
        first.late |= self.spare;
        let since = self.window.nearest(first.sync);
        self.timeline.between(since, settled, |step, nanos| step.runnable += nanos);
        self.total.runnable += settled - since;
        self.now.runnable += 1;
        self.step_ends = self.end_of_step(settled);
        self.shift(self.window.nearest(time) - settled);
    }

    /// What there was at the beginning is known now.
    #[cold]
    fn open(&mut self) {
        let Some(opening) = self.opening.take() else { return };
        let first = &opening.first;
        self.now = first.now;
        let mention = opening.changes().find(|change| matches!(change.1, Change::Procs(_)));
        if let (false, Some((time, _))) = (self.is_later, mention) {
            self.changes.push((time, first.now.limit));
        }
        self.seen = first.procs.len() as i64;
        self.now.free = self.free();
        self.shift(0);
        self.pending = Load::default();
        let begin = self.window.nearest(first.sync);
        for &(id, held) in &first.procs {
            let since = held.then_some(begin);
            self.known.insert(id, Proc { since, ..Proc::default() });
        }
        if let Some((until, _)) = opening.changes().next_back() {
            self.timeline.expect(begin, self.window.nearest(until));
        }
        (self.begin, self.settled) = (begin, begin);
        self.step_ends = self.end_of_step(begin);
        for (time, change) in opening.changes() {
            if time >= self.step_ends {
                self.settle(time);
            }
            self.apply(time, change);
        }
        let (first, room) = opening.ends();
        (self.first, self.room) = (Some(Box::new(first)), room);
    }

    /// The generation has ended at this time.
    pub(crate) fn generation_ends(&mut self, time: i64) {
        self.open();
        if self.first.is_some() {
            self.settle(time);
        }
        self.at_beginning = false;
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
            // A generation that was put in order by itself says what is known from the one before.
            ProcState::Undetermined | ProcState::NotExist
                if self.is_later && self.known.contains(proc) =>
            {
                return;
            }
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

    #[inline(always)]
    fn apply(&mut self, time: i64, change: Change) {
        let since = self.window.nearest(time) - self.settled;
        match change {
            Change::Runnable => self.runs_changed(since, 1),
            Change::NotRunnable if self.now.runnable > 0 => self.runs_changed(since, -1),
            Change::NotRunnable => {}
            _ => self.apply_other(time, change),
        }
    }

    #[inline(always)]
    fn runs_changed(&mut self, since: i64, more: i64) {
        self.pending.runnable -= more * since;
        self.now.runnable += more;
        // While all procs are held, none is idle.
        if self.now.free > 0 {
            self.shift(since);
        }
    }

    /// The number of procs that are idle while goroutines wait may have changed.
    #[inline(always)]
    fn shift(&mut self, since: i64) {
        self.spare |= self.now.free > self.now.runnable;
        let idle = self.now.free.min(self.now.runnable);
        self.pending.idle_while_runnable -= (idle - self.now.idle) * since;
        self.now.idle = idle;
    }

    fn apply_other(&mut self, time: i64, change: Change) {
        let counts = self.window.contains(time);
        let now = self.window.nearest(time);
        let since = now - self.settled;
        match change {
            Change::Runnable | Change::NotRunnable => {}
            Change::Held(id) | Change::Status(id, true) => {
                let proc = self.proc(id);
                if proc.since.is_none() {
                    proc.since = Some(now);
                    proc.starts += u64::from(counts && matches!(change, Change::Held(_)));
                    self.now.held += 1;
                    self.pending.held -= since;
                }
            }
            Change::Idle(id) | Change::Stolen(id) => {
                let proc = self.proc(id);
                proc.steals += u64::from(counts && matches!(change, Change::Stolen(_)));
                if let Some(begin) = proc.since.take() {
                    proc.held += now - begin;
                    self.now.held -= 1;
                    self.pending.held += since;
                }
            }
            Change::Status(id, false) => {
                self.proc(id);
                if let Some(first) = &mut self.first {
                    first.procs.push((id, false));
                }
            }
            Change::Procs(number) => {
                if self.now.limit == 0 {
                    self.were(number);
                } else {
                    self.pending.procs -= (number - self.now.limit) * since;
                }
                if number != self.now.limit {
                    self.changes.push((time, number));
                    self.now.limit = number;
                }
            }
        }
        self.now.free = self.free();
        if let (Change::Status(_, true), Some(first)) = (change, &mut self.first) {
            first.late = true;
        }
        self.shift(since);
    }

    fn proc(&mut self, id: i64) -> &mut Proc {
        self.seen += i64::from(!self.known.contains(id));
        self.known.entry(id)
    }

    /// Procs that nobody holds. As long as GOMAXPROCS is not known, those that were mentioned count.
    fn free(&self) -> i64 {
        let all = if self.now.limit == 0 { self.seen } else { self.now.limit };
        (all - self.now.held).max(0)
    }

    /// GOMAXPROCS is mentioned for the first time, and is taken for what it was from the beginning on.
    /// The time since `settled` counts with it anyway.
    fn were(&mut self, number: i64) {
        self.timeline.between(self.begin, self.settled, |step, nanos| step.procs += number * nanos);
        self.total.procs += number * (self.settled - self.begin);
        self.step_ends = self.end_of_step(self.settled);
    }

    fn end_of_step(&self, time: i64) -> i64 {
        let step = self.timeline.step();
        (time.div_euclid(step) + 1) * step
    }

    /// What the present numbers come to in so many nanoseconds.
    fn load(&self, nanos: i64) -> Load {
        Load {
            held: self.now.held * nanos,
            procs: self.now.limit * nanos,
            runnable: self.now.runnable * nanos,
            idle_while_runnable: self.now.idle * nanos,
        }
    }

    /// Adds what is pending to the sums. All changes since `settled` are in the same step as that.
    #[cold]
    #[inline(never)]
    fn settle(&mut self, time: i64) {
        let time = self.window.nearest(time);
        if self.step_ends == BEFORE {
            (self.begin, self.settled, self.step_ends) = (time, time, self.end_of_step(time));
        }
        let end = time.min(self.step_ends);
        let mut load = self.load(end - self.settled);
        load.add(&std::mem::take(&mut self.pending));
        self.timeline.at(self.settled).add(&load);
        self.total.add(&load);
        let (each, mut timeline) = (self.load(1), std::mem::take(&mut self.timeline));
        timeline.between(end, time, |step, nanos| {
            step.add(&Load {
                held: each.held * nanos,
                procs: each.procs * nanos,
                runnable: each.runnable * nanos,
                idle_while_runnable: each.idle_while_runnable * nanos,
            });
        });
        self.timeline = timeline;
        self.total.add(&self.load(time - end));
        (self.settled, self.step_ends) = (time, self.end_of_step(time));
    }

    /// Whether a later fold took something else for the beginning.
    pub(crate) fn doubts(&self, later: &Procs) -> bool {
        let Some(first) = &later.first else { return true };
        let held = |id| self.known.get(id).is_some_and(|proc| proc.since.is_some());
        let same = |now: &Now| (now.held, now.limit, now.runnable);
        first.late
            || first.now.limit == 0
            || same(&first.now) != same(&self.now)
            || first.procs.iter().any(|&(id, was)| was != held(id))
    }

    /// Adds what a later fold came to.
    pub(crate) fn absorb(&mut self, later: Procs) {
        let Some(first) = later.first else { return };
        self.settle(first.sync);
        let begin = self.window.nearest(first.sync);
        self.timeline.add(later.timeline);
        self.total.add(&later.total);
        self.changes.extend(later.changes);
        (self.now, self.settled) = (later.now, later.settled);
        self.room = later.room;
        self.step_ends = self.end_of_step(self.settled);
        for (id, proc) in later.known.iter() {
            let own = self.known.entry(id);
            if let Some(since) = own.since {
                own.held += begin - since;
            }
            own.held += proc.held;
            own.starts += proc.starts;
            own.steals += proc.steals;
            own.since = proc.since;
        }
    }

    /// The trace ends.
    pub(crate) fn finish(&mut self, time: i64) {
        self.open();
        self.settle(time);
        self.procs.extend(self.known.iter().map(|(id, &proc)| (id, proc)));
        for proc in self.procs.values_mut() {
            if let Some(since) = proc.since.take() {
                proc.held += self.window.nearest(time) - since;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Changes from a fixed seed, with their times.
    fn changes(mut each: impl FnMut(i64, Change)) -> i64 {
        let mut rng = fastrand::Rng::with_seed(11);
        let mut time = 1_000_000;
        each(time, Change::Procs(4));
        for _ in 0..20_000 {
            time += rng.i64(1..5_000);
            let id = rng.i64(0..4);
            each(
                time,
                match rng.u8(0..6) {
                    0 | 1 => Change::Runnable,
                    2 => Change::NotRunnable,
                    3 => Change::Held(id),
                    4 => Change::Idle(id),
                    _ => Change::Stolen(id),
                },
            );
        }
        time
    }

    #[test]
    fn parts_of_the_time_come_to_all_of_it() {
        let of = |from: Option<i64>, until: Option<i64>| {
            let mut procs = Procs::new(Some(&Scope { from, until, goroutines: None }));
            let end = changes(|time, change| procs.change(time, change));
            procs.finish(end);
            let steps = procs.timeline.steps().fold(Load::default(), |mut sum, (_, load)| {
                sum.add(load);
                sum
            });
            assert_eq!(steps, procs.total);
            let each = procs.procs.values();
            let each = each.fold((0, 0, 0), |sum, proc| {
                (sum.0 + proc.held, sum.1 + proc.starts, sum.2 + proc.steals)
            });
            assert_eq!(each.0, procs.total.held);
            (procs.total, each)
        };
        let (a, b) = (Some(7_654_321), Some(30_000_000));
        let (mut sum, mut each) = of(None, a);
        for (load, more) in [of(a, b), of(b, None)] {
            assert!(load.held > 0 && load.idle_while_runnable > 0);
            sum.add(&load);
            each = (each.0 + more.0, each.1 + more.1, each.2 + more.2);
        }
        assert_eq!((sum, each), of(None, None));
    }

    #[test]
    fn what_is_noted_comes_to_the_same() {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut whole = Procs::new(None);
        let mut split = Procs::new(None);
        let mut later = split.later();
        let mut time = 1_000_000;
        for i in 0..20_000 {
            if i == 7_000 {
                // What is mentioned first comes soon.
                later.sync(time, true);
                let held = |id| split.known.get(id).is_some_and(|proc| proc.since.is_some());
                (0..4).for_each(|id| later.change(time + 1, Change::Status(id, held(id))));
                (0..split.now.runnable).for_each(|_| later.was_runnable(time));
                later.change(time + 1, Change::Procs(4));
            }
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
        later.generation_ends(time);
        assert!(!split.doubts(&later));
        split.absorb(later);
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
