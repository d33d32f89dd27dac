//! The commonest changes of state, where nothing but time is to be counted.
//!
//! Most events start, stop, block or wake a goroutine of which all is known, and what they say is
//! at hand: where the goroutine is, and which wait begins. These are a few additions. Anything
//! else is left, before anything has changed, to the code for any event (`goroutines.rs`), which
//! would make the same of it.

use crate::analysis::Found;
use crate::goroutines::Goroutines;
use crate::names::StrId;
use crate::procs::Change;
use crate::waits::{Begun, Instance, Place};
use gotrail::{Event, GoState, GoStep, ProcId};
use gotrail_format::EventType as T;

/// What each type of event is here, 0 for those that are not handled.
///
/// Each kind has a bit of its own, so that they are told apart by conditions: a jump to a place that
/// is looked up is guessed wrong much more often. A compiler that knows the table makes such a jump
/// of the conditions, too, so that it stands among the data.
#[derive(Debug, Clone)]
pub(crate) struct Kinds([u8; 256]);

impl Kinds {
    /// For those to whom no change of state is simple.
    pub(crate) fn none() -> Kinds {
        Kinds([0; 256])
    }

    pub(crate) fn all() -> Kinds {
        let mut kinds = Kinds::none();
        let mut set = |event: T, kind| kinds.0[usize::from(event.0)] = kind;
        set(T::GO_START, START);
        set(T::GO_BLOCK, BLOCK);
        set(T::GO_UNBLOCK, UNBLOCK);
        set(T::GO_STOP, STOP);
        set(T::GO_SYSCALL_BEGIN, SYSCALL_BEGIN);
        set(T::GO_SYSCALL_END, SYSCALL_END);
        kinds
    }
}

const START: u8 = 1 << 0;
const BLOCK: u8 = 1 << 1;
const UNBLOCK: u8 = 1 << 2;
const STOP: u8 = 1 << 3;
const SYSCALL_BEGIN: u8 = 1 << 4;
const SYSCALL_END: u8 = 1 << 5;

impl Goroutines {
    /// Counts an event if that is simple; false, with nothing changed, if it is not.
    #[inline(always)]
    pub(crate) fn quick(&mut self, event: &Event<'_>, with: &mut Found) -> bool {
        use GoState::{Runnable, Running, Syscall, Waiting};
        let step = |named, from, to| event.known_step(named, from, to);
        let wire_type = event.wire_type().unwrap_or(T(0));
        let kind = self.kinds.0[usize::from(wire_type.0)];
        if kind & START != 0 {
            self.pass(event, step(true, Runnable, Running), with)
        } else if kind & BLOCK != 0 {
            self.pass(event, step(false, Running, Waiting), with)
        } else if kind & UNBLOCK != 0 {
            self.pass(event, step(true, Waiting, Runnable), with)
        } else if kind & STOP != 0 {
            self.pass(event, step(false, Running, Runnable), with)
        } else if kind & SYSCALL_BEGIN != 0 {
            self.pass(event, step(false, Running, Syscall), with)
        } else if kind & SYSCALL_END != 0 {
            self.pass(event, step(false, Syscall, Running), with)
        } else {
            false
        }
    }

    /// A goroutine passes from one state to another; both are constants here.
    #[inline(always)]
    fn pass(&mut self, event: &Event<'_>, step: GoStep, with: &mut Found) -> bool {
        use GoState::{Runnable, Running, Syscall, Waiting};
        let wire_type = match (step.from, step.to) {
            (Waiting, _) => T::GO_UNBLOCK,
            (_, Waiting) => T::GO_BLOCK,
            (_, Syscall) => T::GO_SYSCALL_BEGIN,
            _ => T::GO_STOP,
        };
        // Only a goroutine that wakes another has a stack besides that of the one that changes.
        // What has to be looked for among the arguments would keep the event in memory.
        let stack = if step.from == Waiting { event.known_waking_stack() } else { step.stack };
        let time = event.time().0;
        let Some(slot) = self.slots.at_hand(step.go.0) else { return false };
        // What it waits for from now on.
        let (begun, why) = match step.to {
            Running => (Begun::NOTHING, StrId::EMPTY),
            _ => {
                let place = Place::new(wire_type, step.reason, stack);
                let Some(found) = with.waits.begin_at(place) else { return false };
                found
            }
        };
        let goroutine = &mut self.list[slot];
        if !goroutine.is_simply(step.from) {
            return false;
        }
        if step.from == Running && goroutine.name == StrId::EMPTY {
            return false;
        }
        let nanos = time - goroutine.since;
        match step.from {
            Running => goroutine.times.running += nanos,
            Runnable => goroutine.times.runnable += nanos,
            Waiting => {
                let reason = std::mem::take(&mut goroutine.reason);
                *goroutine.times.blocked.entry(reason) += nanos;
            }
            _ => {
                if goroutine.blocked_since != 0 {
                    return false;
                }
                goroutine.times.syscall += nanos;
            }
        }
        if step.from != Running {
            let wait = Instance { go: step.go, from: goroutine.since, until: time };
            with.waits.end_plain(goroutine.wait, wait);
        }
        if step.from == Syscall {
            with.waits.held(goroutine.wait, step.go, goroutine.since, time);
            self.in_syscall.remove(goroutine.syscall_proc.0);
        }
        (goroutine.state, goroutine.since, goroutine.wait) = (step.to, time, begun);
        match step.to {
            Running => {
                if goroutine.started == 0 {
                    goroutine.started = time;
                }
                goroutine.acted = step.from != Runnable;
            }
            Waiting => {
                goroutine.ran(nanos < self.limits.run);
                goroutine.reason = why;
            }
            Syscall => {
                let proc = event.proc();
                goroutine.syscall_proc = proc;
                if proc != ProcId::NONE {
                    self.in_syscall.insert(proc.0, step.go);
                    if self.later {
                        self.touched.insert(proc.0, ());
                    }
                }
            }
            _ => {}
        }
        if let Some(procs) = &mut with.procs {
            if step.from == Runnable {
                procs.change(time, Change::NotRunnable);
            } else if step.to == Runnable {
                procs.change(time, Change::Runnable);
            }
        }
        if step.from == Waiting {
            self.woken(event, stack, with);
        }
        true
    }
}
