//! Makes the events of a broken trace agree with each other.
//!
//! What an event needs and nothing has brought about must have happened: it is told before the
//! event. Where only one thing can have happened, it is that event: what waits was woken, by
//! whatever; what can run was started. Where it could be anything, only the state is told, as at
//! the beginning of a trace. What is told for the second time, or ends without having begun, is
//! dropped, as is what a goroutine does that is not known.

use super::convert::{MISSING, SYSCALLS, TIMERS};
use crate::GoState::{self, NotExist, Runnable, Running, Syscall, Waiting};
use crate::event::Ordered;
use gotrail_format::EventType as T;
use rustc_hash::{FxHashMap, FxHashSet};

const NONE: i64 = -1;

#[derive(Debug, Clone, Copy)]
struct Go {
    state: GoState,
    /// The proc that it runs on, or none.
    proc: i64,
    /// Whether it assists the collector, if it ever did.
    assists: Option<bool>,
}

impl Default for Go {
    fn default() -> Go {
        Go { state: NotExist, proc: NONE, assists: None }
    }
}

#[derive(Debug, Clone, Copy)]
struct Proc {
    /// The goroutine that it runs, or none.
    go: i64,
    running: bool,
    /// The begin of a sweep that has not ended.
    sweep: Option<Ordered>,
}

/// What is known of the events so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Repair {
    goroutines: FxHashMap<i64, Go>,
    procs: FxHashMap<i64, Proc>,
    /// The begins of regions that have not ended.
    regions: FxHashMap<i64, Vec<Ordered>>,
    tasks: FxHashSet<u64>,
    collection: Option<Ordered>,
    stop: Option<Ordered>,
    /// How many events were told that are not in the trace, and how many of it were dropped.
    pub(super) assumed: u64,
    pub(super) dropped: u64,
    /// The times of the first and the last of either.
    pub(super) span: Option<(i64, i64)>,
    /// What is to be told.
    out: Vec<Ordered>,
}

impl Repair {
    /// Takes an event and adds what is to be told to `out`.
    pub(super) fn event(&mut self, mut event: Ordered, out: &mut impl Extend<Ordered>) {
        if event.go <= 0 {
            event.go = NONE;
        }
        if let (T::STW_END, Some(begun)) = (event.event, &self.stop) {
            // It ends for the goroutine for which it began, and for the reason.
            event.go = begun.go;
            event.args = begun.args;
        }
        if self.prepare(&event) {
            self.out.push(event);
        } else {
            self.dropped += 1;
            self.note(event.time);
        }
        out.extend(self.out.drain(..));
    }

    /// Whether the event can be told; what must have happened before it, is told.
    fn prepare(&mut self, event: &Ordered) -> bool {
        let (go, proc, [named, ..]) = (event.go, event.proc, event.args);
        let named = named as i64;
        match event.event {
            T::GO_STATUS | T::GO_CREATE | T::GO_START | T::GO_UNBLOCK if named <= 0 => {
                return false;
            }
            T::GO_STATUS => {
                let state = match event.args[2] {
                    1 => Runnable,
                    2 => Running,
                    3 => Syscall,
                    _ => Waiting,
                };
                if self.go(named).state == state {
                    return false;
                }
                if state == Running && is_made_up(proc) {
                    return false;
                }
                self.unbind(named);
                if state == Running {
                    self.bind(named, event);
                }
                self.set(named, state);
            }
            T::GO_CREATE => {
                if self.go(named).state != NotExist || !self.acts(event) {
                    return false;
                }
                self.set(named, Runnable);
            }
            T::GO_START => {
                if is_made_up(proc) {
                    return false;
                }
                self.needs(named, Runnable, event);
                self.bind(named, event);
                self.set(named, Running);
            }
            T::GO_UNBLOCK => {
                if !is_made_up(proc) && !self.acts(event) {
                    return false;
                }
                self.needs(named, Waiting, event);
                self.set(named, Runnable);
            }
            T::GO_BLOCK | T::GO_STOP | T::GO_DESTROY | T::GO_SYSCALL_BEGIN => {
                if go == NONE || !self.acts(event) {
                    return false;
                }
                self.unbind(go);
                match event.event {
                    T::GO_BLOCK => self.set(go, Waiting),
                    T::GO_STOP => self.set(go, Runnable),
                    T::GO_DESTROY => {
                        self.end_assist(go, event);
                        self.goroutines.remove(&go);
                        self.regions.remove(&go);
                    }
                    _ => self.set(go, Syscall),
                }
            }
            T::GO_SYSCALL_END => {
                // It comes right behind its begin.
                if self.go(go).state != Syscall {
                    return false;
                }
                self.bind(go, event);
                self.set(go, Running);
            }
            T::GO_SYSCALL_END_BLOCKED => {
                if go == NONE {
                    return false;
                }
                self.needs(go, Syscall, event);
                self.set(go, Runnable);
            }
            T::PROC_START | T::PROC_STATUS => {
                let proc = named;
                if self.procs.get(&proc).is_some_and(|proc| proc.running) {
                    self.rest(proc, event);
                    self.tell(
                        Ordered { go: NONE, proc, ..*event },
                        T::PROC_STOP,
                        [named as u64, 0, 0, 0],
                    );
                }
                let known =
                    self.procs.entry(proc).or_insert(Proc { go: NONE, running: true, sweep: None });
                known.running = true;
            }
            T::PROC_STOP => {
                if !self.procs.get(&proc).is_some_and(|proc| proc.running) {
                    return false;
                }
                self.rest(proc, event);
                if let Some(proc) = self.procs.get_mut(&proc) {
                    proc.running = false;
                }
            }
            T::GC_BEGIN => {
                if let Some(begun) = self.collection.replace(*event) {
                    self.tell(Ordered { time: event.time, ..begun }, T::GC_END, [0; 4]);
                }
            }
            T::GC_END => return self.collection.take().is_some(),
            T::STW_BEGIN => {
                if let Some(begun) = self.stop.replace(*event) {
                    self.tell(Ordered { time: event.time, ..begun }, T::STW_END, begun.args);
                }
            }
            T::STW_END => return self.stop.take().is_some(),
            T::GC_SWEEP_BEGIN | T::GC_SWEEP_END => {
                self.runs(event);
                let begins = event.event == T::GC_SWEEP_BEGIN;
                let Some(on) = self.procs.get_mut(&proc) else { return begins };
                let begun = std::mem::replace(&mut on.sweep, begins.then_some(*event));
                match begun {
                    Some(begun) if begins => {
                        self.tell(Ordered { time: event.time, ..begun }, T::GC_SWEEP_END, [0; 4]);
                    }
                    begun => return begins || begun.is_some(),
                }
            }
            T::GC_MARK_ASSIST_BEGIN => {
                if !self.acts(event) {
                    return false;
                }
                self.end_assist(go, event);
                self.goroutines.entry(go).or_default().assists = Some(true);
            }
            T::GC_MARK_ASSIST_END => {
                if !self.acts(event) {
                    return false;
                }
                // The first may have begun before the trace.
                let assists = &mut self.goroutines.entry(go).or_default().assists;
                return assists.replace(false) != Some(false);
            }
            T::GO_LABEL => return self.acts(event),
            T::USER_TASK_BEGIN => return self.tasks.insert(event.args[0]),
            T::USER_TASK_END => drop(self.tasks.remove(&event.args[0])),
            T::USER_REGION_BEGIN => {
                if !self.acts(event) {
                    return false;
                }
                self.regions.entry(go).or_default().push(*event);
            }
            T::USER_REGION_END => return self.acts(event) && self.end_region(event),
            _ => {}
        }
        true
    }

    fn go(&self, go: i64) -> Go {
        self.goroutines.get(&go).copied().unwrap_or_default()
    }

    fn set(&mut self, go: i64, state: GoState) {
        self.goroutines.entry(go).or_default().state = state;
    }

    fn note(&mut self, time: i64) {
        let (first, last) = self.span.unwrap_or((time, time));
        self.span = Some((first.min(time), last.max(time)));
    }

    /// Tells something that is not in the trace, at the time and the place of `like`.
    fn tell(&mut self, like: Ordered, event: T, args: [u64; 4]) {
        self.assumed += 1;
        self.note(like.time);
        self.out.push(Ordered { event, args, old: 0, ..like });
    }

    /// Tells a goroutine's state, of which it is not known how it came to it.
    fn tell_state(&mut self, go: i64, state: GoState, like: &Ordered) {
        let number = match state {
            Runnable => 1,
            Running => 2,
            Syscall => 3,
            _ => 4,
        };
        self.tell(*like, T::GO_STATUS, [go as u64, u64::MAX, number, 0]);
        self.set(go, state);
    }

    /// A goroutine must be in this state, and run nowhere.
    fn needs(&mut self, go: i64, state: GoState, event: &Ordered) {
        let now = self.go(go).state;
        if now == state {
            return;
        }
        self.unbind(go);
        let apart = Ordered { thread: NONE, go: NONE, ..*event };
        match (now, state) {
            (Waiting, Runnable) => {
                self.tell(Ordered { proc: MISSING, ..apart }, T::GO_UNBLOCK, [go as u64, 0, 0, 0]);
            }
            (Syscall, Runnable) => {
                let ended = Ordered { proc: SYSCALLS, go, ..apart };
                self.tell(ended, T::GO_SYSCALL_END_BLOCKED, [0; 4]);
            }
            _ => self.tell_state(go, state, &Ordered { proc: MISSING, ..apart }),
        }
        self.set(go, state);
    }

    /// The event's goroutine must run on its proc; false if it is not known which one that is.
    fn acts(&mut self, event: &Ordered) -> bool {
        let (go, proc) = (event.go, event.proc);
        if go == NONE {
            // What happens in the scheduler needs none.
            return matches!(event.event, T::GO_UNBLOCK | T::GO_CREATE);
        }
        let now = self.go(go);
        if now.state == Running && now.proc == proc {
            return true;
        }
        if is_made_up(proc) {
            return false;
        }
        self.unbind(go);
        match now.state {
            Waiting | Runnable | Syscall => {
                self.needs(go, Runnable, event);
                self.bind(go, event);
                self.tell(*event, T::GO_START, [go as u64, 0, 0, 0]);
            }
            _ => {
                self.bind(go, event);
                self.tell_state(go, Running, event);
            }
        }
        self.set(go, Running);
        true
    }

    /// The event's proc must run.
    fn runs(&mut self, event: &Ordered) {
        let proc = event.proc;
        if is_made_up(proc) || self.procs.get(&proc).is_some_and(|proc| proc.running) {
            return;
        }
        let like = Ordered { go: NONE, ..*event };
        let event = if self.procs.contains_key(&proc) {
            (T::PROC_START, [proc as u64, 0, 0, 0])
        } else {
            (T::PROC_STATUS, [proc as u64, 1, 0, 0])
        };
        self.tell(like, event.0, event.1);
        self.procs.entry(proc).or_insert(Proc { go: NONE, running: true, sweep: None }).running =
            true;
    }

    /// The event's proc begins to run a goroutine.
    fn bind(&mut self, go: i64, event: &Ordered) {
        self.runs(event);
        self.rest(event.proc, event);
        self.goroutines.entry(go).or_default().proc = event.proc;
        if let Some(proc) = self.procs.get_mut(&event.proc) {
            proc.go = go;
        }
    }

    /// A goroutine does not run any more.
    fn unbind(&mut self, go: i64) {
        let Some(of) = self.goroutines.get_mut(&go) else { return };
        let proc = std::mem::replace(&mut of.proc, NONE);
        if let Some(proc) = self.procs.get_mut(&proc) {
            proc.go = NONE;
        }
    }

    /// A proc must not run a goroutine; what became of the one that it runs is not known.
    fn rest(&mut self, proc: i64, event: &Ordered) {
        let go = self.procs.get(&proc).map_or(NONE, |proc| proc.go);
        if go != NONE {
            self.unbind(go);
            self.tell_state(
                go,
                Waiting,
                &Ordered { thread: NONE, proc: MISSING, go: NONE, ..*event },
            );
        }
    }

    /// Regions within one that ends must have ended; false if that one is not known to have begun,
    /// although another has.
    fn end_region(&mut self, event: &Ordered) -> bool {
        let Some(open) = self.regions.get_mut(&event.go).filter(|open| !open.is_empty()) else {
            // It may have begun before the trace.
            return true;
        };
        let same = |begun: &Ordered| begun.args[..2] == event.args[..2];
        let Some(at) = open.iter().rposition(same) else { return false };
        let inner = open.split_off(at + 1);
        open.pop();
        for begun in inner.into_iter().rev() {
            self.tell(*event, T::USER_REGION_END, [begun.args[0], begun.args[1], 0, 0]);
        }
        true
    }

    /// A goroutine's assist must have ended.
    fn end_assist(&mut self, go: i64, event: &Ordered) {
        if self.go(go).assists == Some(true) {
            self.tell(Ordered { go, ..*event }, T::GC_MARK_ASSIST_END, [0; 4]);
        }
    }
}

/// Whether nothing can run on this proc.
fn is_made_up(proc: i64) -> bool {
    proc < 0 || (TIMERS..=MISSING).contains(&proc)
}
