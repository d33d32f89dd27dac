//! Goroutines: created, started, stopped, in syscalls, switched to, ended.

use super::state::status::*;
use super::{Advance, NO_SLOT, Offer, Sink, State, Verdict, deliver, not_existing, wrong_state};
use crate::error::{Fault, Subject};
use crate::event::Ordered;
use crate::states::{GoState, go_state_of_status};
use crate::{GoId, ProcId, ThreadId};
use gotrail_format::EventType;

impl State {
    /// A goroutine's status at its first mention in a generation, or at its end if there was
    /// none.
    pub(super) fn go_status<S: Sink>(&mut self, mut offer: Offer<'_>, sink: &mut S) -> Advance {
        let id = offer.args[0] as i64;
        let of_thread = offer.args[1] as i64;
        // The reference keeps the lowest byte of a status only.
        let status = offer.args[2] as u8;
        let Some(mut old) = go_state_of_status(status) else {
            let of = Subject::Go(GoId(id));
            return Err(Box::new(Fault::InvalidStatus { of, status: offer.args[2] }));
        };
        let found = self.goroutines.find(id);
        let slot = match found {
            Some(slot) => {
                let go = &mut self.goroutines.entries[slot as usize];
                if go.status != status {
                    return Err(Box::new(Fault::InconsistentStatus {
                        of: Subject::Go(GoId(id)),
                        known: go_name(go.status),
                        found: go_name(status),
                    }));
                }
                (go.tag, go.seq) = (self.tag, 0);
                slot
            }
            None if self.initial => {
                old = GoState::Undetermined;
                if let Some(trail) = self.trail() {
                    trail.goroutines.push((id, status));
                }
                self.goroutines.insert(id, status, self.tag)
            }
            None => return Err(Box::new(Fault::UnknownGoroutine(GoId(id)))),
        };
        let mut args = offer.args;
        args[2] = u64::from(status);
        offer.old = old as u8;
        match status {
            GO_RUNNING => self.threads.bind_go(offer.slot, id, slot),
            GO_SYSCALL if of_thread == -1 => {
                return Err(Box::new(Fault::SyscallWithoutThread(GoId(id))));
            }
            GO_SYSCALL if of_thread == offer.thread => {
                // Later generations must have seen the goroutine enter the syscall, or a status
                // that said so, on this very thread.
                if !self.initial && offer.go != id {
                    return Err(inconsistent_thread(id, of_thread, offer.go));
                }
                if let Some(trail) = self.trail() {
                    match found {
                        None => trail.in_own_syscall.push((id, of_thread)),
                        Some(_) => trail.doubtful |= offer.go != id,
                    }
                }
                self.threads.bind_go(offer.slot, id, slot);
            }
            GO_SYSCALL => {
                // Another thread, which sat in the syscall for the whole generation. It has no
                // proc: the runtime takes those back when a generation begins.
                match self.threads.find(of_thread) {
                    Some(thread) => {
                        let found = self.threads.entries[thread as usize].go;
                        if found != id {
                            return Err(inconsistent_thread(id, of_thread, found));
                        }
                        offer.go = id;
                    }
                    // This event binds the goroutine, so that its context has none yet.
                    None => {
                        if let Some(trail) = self.trail() {
                            trail.in_syscall.push((id, of_thread));
                        }
                        let thread = self.threads.slot(of_thread);
                        self.threads.bind_go(thread, id, slot);
                    }
                }
                offer.thread = of_thread;
            }
            _ => {}
        }
        sink.emit(Ordered { args, ..offer.ordered() });
        Ok(Verdict::Advanced)
    }

    /// A goroutine is created, runnable or (for a coroutine) waiting.
    #[inline(always)]
    pub(super) fn go_create<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        offer.has_thread()?;
        offer.has_proc()?;
        if let Some(creator) = self.this_go(&offer) {
            self.in_state(&offer, creator, GO_RUNNING)?;
        }
        let id = offer.args[0] as i64;
        if self.goroutines.find(id).is_some() {
            return Err(Box::new(Fault::AlreadyExists { event: offer.event, go: GoId(id) }));
        }
        let blocked = offer.event == EventType::GO_CREATE_BLOCKED;
        let status = if blocked { GO_WAITING } else { GO_RUNNABLE };
        if let Some(trail) = self.trail() {
            trail.created.push(id);
        }
        self.goroutines.insert(id, status, self.tag);
        deliver(&offer, sink)
    }

    /// A goroutine appears on a C thread that calls into Go, as if it came out of a syscall.
    pub(super) fn go_create_syscall<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        offer.has_thread()?;
        offer.has_no_go()?;
        let id = offer.args[0] as i64;
        if self.goroutines.find(id).is_some() {
            return Err(Box::new(Fault::AlreadyExists { event: offer.event, go: GoId(id) }));
        }
        if let Some(trail) = self.trail() {
            trail.created.push(id);
        }
        let slot = self.goroutines.insert(id, GO_SYSCALL, self.tag);
        self.threads.bind_go(offer.slot, id, slot);
        deliver(&offer, sink)
    }

    /// A runnable goroutine begins to run.
    #[inline(always)]
    pub(super) fn go_start<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        let id = offer.args[0] as i64;
        let Some(slot) = self.goroutines.find(id) else { return Ok(Verdict::Retry) };
        let go = &mut self.goroutines.entries[slot as usize];
        if go.status != GO_RUNNABLE || !go.is_next(self.tag, offer.args[1]) {
            return Ok(Verdict::Retry);
        }
        offer.has_thread()?;
        offer.has_proc()?;
        offer.has_no_go()?;
        go.status = GO_RUNNING;
        go.seq = offer.args[1];
        self.threads.bind_go(offer.slot, id, slot);
        deliver(&offer, sink)
    }

    /// The running goroutine ends.
    #[inline(always)]
    pub(super) fn go_destroy<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        let slot = self.running_go(&offer)?;
        self.goroutines.remove(slot);
        self.threads.bind_go(offer.slot, -1, NO_SLOT);
        deliver(&offer, sink)
    }

    /// The running goroutine yields.
    #[inline(always)]
    pub(super) fn go_stop<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        let slot = self.running_go(&offer)?;
        self.goroutines.entries[slot as usize].status = GO_RUNNABLE;
        self.threads.bind_go(offer.slot, -1, NO_SLOT);
        deliver(&offer, sink)
    }

    /// The running goroutine blocks.
    #[inline(always)]
    pub(super) fn go_block<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        let slot = self.running_go(&offer)?;
        self.goroutines.entries[slot as usize].status = GO_WAITING;
        self.threads.bind_go(offer.slot, -1, NO_SLOT);
        deliver(&offer, sink)
    }

    /// A waiting goroutine becomes runnable; anything can do that, a thread without proc too.
    #[inline(always)]
    pub(super) fn go_unblock<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        let Some(slot) = self.goroutines.find(offer.args[0] as i64) else {
            return Ok(Verdict::Retry);
        };
        let go = &mut self.goroutines.entries[slot as usize];
        if go.status != GO_WAITING || !go.is_next(self.tag, offer.args[1]) {
            return Ok(Verdict::Retry);
        }
        go.status = GO_RUNNABLE;
        go.seq = offer.args[1];
        deliver(&offer, sink)
    }

    /// The running goroutine hands its thread to a waiting one, and then waits or ends.
    ///
    /// Delivered as three events: the other is unblocked, this one blocks or ends, the other
    /// starts.
    pub(super) fn go_switch<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        let slot = self.running_go(&offer)?;
        let next = offer.args[0] as i64;
        let Some(next_slot) = self.goroutines.find(next) else { return Ok(Verdict::Retry) };
        let go = &self.goroutines.entries[next_slot as usize];
        if go.status != GO_WAITING || !go.is_next(self.tag, offer.args[1]) {
            return Ok(Verdict::Retry);
        }
        sink.emit(offer.ordered());
        let end = if offer.event == EventType::GO_SWITCH {
            self.goroutines.entries[slot as usize].status = GO_WAITING;
            EventType::GO_BLOCK
        } else {
            self.goroutines.remove(slot);
            EventType::GO_DESTROY
        };
        sink.emit(Ordered { event: end, args: [0; 4], ..offer.ordered() });
        let go = &mut self.goroutines.entries[next_slot as usize];
        go.status = GO_RUNNING;
        go.seq = offer.args[1];
        let args = [offer.args[0], offer.args[1], 0, 0];
        sink.emit(Ordered { event: EventType::GO_START, args, go: -1, ..offer.ordered() });
        self.threads.bind_go(offer.slot, next, next_slot);
        Ok(Verdict::Advanced)
    }

    /// The running goroutine enters a syscall; its thread keeps the proc until it is stolen.
    #[inline(always)]
    pub(super) fn go_syscall_begin<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        let slot = self.running_go(&offer)?;
        let proc = &mut self.procs.entries[offer.proc_slot as usize];
        // The number says which syscall a steal means, even if all times are wrong. The proc
        // is running here, so that nothing else can come first.
        if !proc.is_next(self.tag, offer.args[0]) {
            return Err(Box::new(Fault::WrongSequence {
                proc: ProcId(offer.proc),
                expected: if proc.tag == self.tag { proc.seq.wrapping_add(1) } else { 0 },
                found: offer.args[0],
            }));
        }
        proc.status = PROC_SYSCALL;
        proc.seq = offer.args[0];
        self.goroutines.entries[slot as usize].status = GO_SYSCALL;
        deliver(&offer, sink)
    }

    /// A syscall ends with its proc still there.
    #[inline(always)]
    pub(super) fn go_syscall_end<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        offer.is_running()?;
        let slot = self.go_in_state(&offer, GO_SYSCALL)?;
        let proc = &mut self.procs.entries[offer.proc_slot as usize];
        if proc.status != PROC_SYSCALL {
            let found = proc_name(proc.status);
            return Err(wrong_state(offer.event, offer.this_proc(), "Syscall", found));
        }
        proc.status = PROC_RUNNING;
        self.goroutines.entries[slot as usize].status = GO_RUNNING;
        deliver(&offer, sink)
    }

    /// A syscall ends that lost its proc on the way.
    #[inline(always)]
    pub(super) fn go_syscall_end_blocked<S: Sink>(
        &mut self,
        offer: Offer<'_>,
        sink: &mut S,
    ) -> Advance {
        // As long as the thread holds a proc in a syscall, that proc has yet to be lost. One in
        // another state is a new one, started before this event.
        if offer.proc != -1 && self.procs.entries[offer.proc_slot as usize].status == PROC_SYSCALL {
            return Ok(Verdict::Retry);
        }
        offer.has_thread()?;
        offer.has_go()?;
        let slot = self.go_in_state(&offer, GO_SYSCALL)?;
        self.goroutines.entries[slot as usize].status = GO_RUNNABLE;
        self.threads.bind_go(offer.slot, -1, NO_SLOT);
        deliver(&offer, sink)
    }

    /// The goroutine of a C thread's call ends, and with it the thread's hold on its proc.
    ///
    /// The id of the thread may be used again at once, so that the proc must not stay bound to
    /// it: it becomes abandoned, and a steal by the thread itself is delivered first.
    pub(super) fn go_destroy_syscall<S: Sink>(
        &mut self,
        offer: Offer<'_>,
        sink: &mut S,
    ) -> Advance {
        offer.has_thread()?;
        offer.has_go()?;
        let slot = self.go_in_state(&offer, GO_SYSCALL)?;
        if offer.proc != -1 {
            let proc = &mut self.procs.entries[offer.proc_slot as usize];
            if proc.status != PROC_SYSCALL {
                let found = proc_name(proc.status);
                return Err(wrong_state(offer.event, offer.this_proc(), "Syscall", found));
            }
            proc.status = PROC_SYSCALL_ABANDONED;
            sink.emit(Ordered {
                event: EventType::PROC_STEAL,
                args: [offer.proc as u64, 0, 0, 0],
                old: PROC_SYSCALL,
                ..offer.ordered()
            });
            self.threads.bind_proc(offer.slot, -1, NO_SLOT);
        }
        self.goroutines.remove(slot);
        self.threads.bind_go(offer.slot, -1, NO_SLOT);
        deliver(&offer, sink)
    }

    /// The goroutine that runs on the offer's thread and proc.
    #[inline(always)]
    fn running_go(&mut self, offer: &Offer<'_>) -> Result<u32, Box<Fault>> {
        offer.is_running()?;
        self.go_in_state(offer, GO_RUNNING)
    }

    /// The goroutine of the offer's context, which must be in this state.
    #[inline(always)]
    fn go_in_state(&mut self, offer: &Offer<'_>, status: u8) -> Result<u32, Box<Fault>> {
        let slot = self.this_go(offer).ok_or_else(|| not_existing(offer.event, offer.this_go()))?;
        self.in_state(offer, slot, status)?;
        Ok(slot)
    }

    #[inline(always)]
    fn in_state(&self, offer: &Offer<'_>, slot: u32, status: u8) -> Result<(), Box<Fault>> {
        let found = self.goroutines.entries[slot as usize].status;
        if found != status {
            return Err(wrong_state(offer.event, offer.this_go(), go_name(status), go_name(found)));
        }
        Ok(())
    }
}

#[cold]
fn inconsistent_thread(go: i64, thread: i64, found: i64) -> Box<Fault> {
    let (go, thread, found) = (GoId(go), ThreadId(thread), GoId(found));
    Box::new(Fault::InconsistentThread { go, thread, found })
}
