//! Procs: started and stopped by a thread, or stolen from a thread in a syscall.

use super::state::status::*;
use super::{Advance, NO_SLOT, Offer, Sink, State, Verdict, deliver, not_existing, wrong_state};
use crate::error::{Fault, Holding, Subject};
use crate::event::Ordered;
use crate::states::{ProcState, proc_state_of_status};
use crate::{ProcId, ThreadId};

impl State {
    /// A proc's status at its first mention in a generation.
    pub(super) fn proc_status<S: Sink>(&mut self, mut offer: Offer<'_>, sink: &mut S) -> Advance {
        let id = offer.args[0] as i64;
        // The reference keeps the lowest byte of a status only.
        let mut args = offer.args;
        let status = args[1] as u8;
        let Some(mut old) = proc_state_of_status(status) else {
            let of = Subject::Proc(ProcId(id));
            return Err(Box::new(Fault::InvalidStatus { of, status: offer.args[1] }));
        };
        let mut promoted = false;
        let slot = match self.procs.find(id) {
            Some(slot) => {
                let proc = &mut self.procs.entries[slot as usize];
                match (status, proc.status) {
                    // The tracer has lost the thread that holds the proc, but we have not.
                    (PROC_SYSCALL_ABANDONED, PROC_SYSCALL) => {
                        old = ProcState::Running;
                        args[1] = u64::from(PROC_SYSCALL);
                        promoted = true;
                    }
                    (PROC_SYSCALL_ABANDONED, PROC_SYSCALL_ABANDONED) => {
                        old = ProcState::Idle;
                        args[1] = u64::from(PROC_SYSCALL_ABANDONED);
                    }
                    (found, known) if found != known => {
                        return Err(Box::new(Fault::InconsistentStatus {
                            of: Subject::Proc(ProcId(id)),
                            known: proc_name(known),
                            found: proc_name(found),
                        }));
                    }
                    _ => {}
                }
                (proc.tag, proc.seq) = (self.tag, 0);
                slot
            }
            None => {
                old = if self.initial { ProcState::Undetermined } else { ProcState::NotExist };
                if let Some(trail) = self.trail() {
                    trail.procs.push((id, status));
                }
                self.procs.insert(id, status, self.tag)
            }
        };
        offer.old = old as u8;
        if status == PROC_RUNNING || status == PROC_SYSCALL {
            self.threads.bind_proc(offer.slot, id, slot);
        }
        if promoted {
            // Another thread says this of a proc that is about to be stolen; the event belongs
            // to the thread that holds the proc.
            let Some(holder) = self.threads.holder(id) else {
                return Err(Box::new(Fault::NoHolder(ProcId(id))));
            };
            (offer.thread, offer.proc, offer.go) = (holder.id, id, holder.go);
        }
        sink.emit(Ordered { args, ..offer.ordered() });
        Ok(Verdict::Advanced)
    }

    /// The thread begins to run an idle proc.
    #[inline(always)]
    pub(super) fn proc_start<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        let id = offer.args[0] as i64;
        let Some(slot) = self.procs.find(id) else { return Ok(Verdict::Retry) };
        let proc = &mut self.procs.entries[slot as usize];
        // A proc that is not idle yet, or a thread that still holds another, which is being
        // stolen: some other thread has to go on first.
        if proc.status != PROC_IDLE || !proc.is_next(self.tag, offer.args[1]) || offer.proc != -1 {
            return Ok(Verdict::Retry);
        }
        offer.has_thread()?;
        proc.status = PROC_RUNNING;
        proc.seq = offer.args[1];
        self.threads.bind_proc(offer.slot, id, slot);
        deliver(&offer, sink)
    }

    /// The thread stops its own proc, which is always possible.
    #[inline(always)]
    pub(super) fn proc_stop<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        offer.has_thread()?;
        offer.has_proc()?;
        let Some(proc) = self.procs.entries.get_mut(offer.proc_slot as usize) else {
            return Err(not_existing(offer.event, offer.this_proc()));
        };
        if proc.status != PROC_RUNNING && proc.status != PROC_SYSCALL {
            let found = proc_name(proc.status);
            return Err(wrong_state(offer.event, offer.this_proc(), "Running or Syscall", found));
        }
        proc.status = PROC_IDLE;
        self.threads.bind_proc(offer.slot, -1, NO_SLOT);
        deliver(&offer, sink)
    }

    /// A proc is taken away from a thread in a syscall, by another thread or by itself.
    #[inline(always)]
    pub(super) fn proc_steal<S: Sink>(&mut self, mut offer: Offer<'_>, sink: &mut S) -> Advance {
        let id = offer.args[0] as i64;
        let Some(slot) = self.procs.find(id) else { return Ok(Verdict::Retry) };
        let proc = &mut self.procs.entries[slot as usize];
        let status = proc.status;
        if (status != PROC_SYSCALL && status != PROC_SYSCALL_ABANDONED)
            || !proc.is_next(self.tag, offer.args[1])
        {
            return Ok(Verdict::Retry);
        }
        offer.has_thread()?;
        // Whether the proc was lost before tells the transition: idle or running to idle.
        offer.old = status;
        proc.status = PROC_IDLE;
        proc.seq = offer.args[1];
        if status == PROC_SYSCALL_ABANDONED {
            // The thread has moved on, and its id may be in use again: leave it alone.
            let victim = offer.args[2] as i64;
            let unseen = self.threads.find(victim).is_none();
            if let Some(trail) = self.trail() {
                trail.stolen.push((id, victim, unseen));
            }
            return deliver(&offer, sink);
        }
        let victim = offer.args[2] as i64;
        if victim == offer.thread {
            if offer.proc != id {
                return Err(wrong_victim(id, victim, Holding::Proc(ProcId(offer.proc))));
            }
            self.threads.bind_proc(offer.slot, -1, NO_SLOT);
            return deliver(&offer, sink);
        }
        let Some(victim_slot) = self.threads.find(victim) else {
            return Err(wrong_victim(id, victim, Holding::UnknownThread));
        };
        let thread = &mut self.threads.entries[victim_slot as usize];
        if thread.proc != id {
            return Err(wrong_victim(id, victim, Holding::Proc(ProcId(thread.proc))));
        }
        // Without its proc the thread can leave its syscall: GoSyscallEndBlocked waits for this.
        (thread.proc, thread.proc_slot) = (-1, NO_SLOT);
        deliver(&offer, sink)
    }
}

#[cold]
fn wrong_victim(proc: i64, from: i64, found: Holding) -> Box<Fault> {
    Box::new(Fault::WrongVictim { proc: ProcId(proc), from: ThreadId(from), found })
}
