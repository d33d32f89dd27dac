//! Statuses: what the tracer writes of a proc or goroutine at its first mention in a generation,
//! and at the end of one that has not mentioned it.

use super::Observer;
use super::faults::Fault;
use super::machine::Machine;
use super::runtime::{NONE, NOTHING};
use super::tables::Site;
use super::tracer::NO_THREAD;
use super::vocabulary::Place;
use super::world::{GoStatus, ProcStatus, Role};
use gotrail::{GoId, ProcId, ThreadId};
use gotrail_format::EventType;
use std::io::Write;

impl<W: Write, O: Observer> Machine<'_, W, O> {
    /// Writes the status of a thread's proc and goroutine if they were not mentioned yet.
    #[inline]
    pub(super) fn mention(&mut self, m: u32, go: GoStatus, proc: ProcStatus) {
        let thread = &self.world.threads[m as usize];
        let (p, g) = (thread.proc, thread.go);
        if let Some(p) = p {
            self.mention_proc(m, p, proc);
        }
        if let Some(g) = g {
            self.mention_go(Some(m), Some(m), g, go, Site::NONE);
        }
    }

    /// Writes the status of a proc, as thread `m` sees it, if it was not mentioned yet.
    pub(super) fn mention_proc(&mut self, m: u32, p: u32, status: ProcStatus) {
        let generation = self.tracer.generation;
        let proc = &mut self.world.procs[p as usize];
        let known = proc.traced.is_known();
        if !proc.traced.first_sight(generation) {
            return;
        }
        let (id, before, holder, sweeping) = (proc.id, proc.status, proc.thread, proc.sweeping);
        self.write(m, EventType::PROC_STATUS, &[id, status as u64]);
        let mut context = self.context(m);
        if context.1 == ProcId(id as i64) && !known {
            // Readers learn only from this event that the thread has it.
            context.1 = ProcId::NONE;
        }
        let to = status.name();
        if !known {
            let from = if generation == 1 { "Undetermined" } else { "NotExist" };
            self.proc_moves(context, p, from, to);
        } else if status == ProcStatus::Abandoned && before == ProcStatus::Syscall {
            // It is still the one's who is in the syscall.
            let context = self.context(holder);
            self.proc_moves(context, p, "Running", "Running");
        } else {
            self.proc_moves(context, p, to, to);
        }
        if sweeping {
            self.write(m, EventType::GC_SWEEP_ACTIVE, &[id]);
            let context = self.context(m);
            self.happens(
                context,
                format_args!("RangeActive Name=\"GC incremental sweep\" Scope=Proc({id})"),
            );
        }
    }

    /// Writes the status of a goroutine if it was not mentioned yet. `writer` is the thread that
    /// writes, `named` the one that the status names.
    pub(super) fn mention_go(
        &mut self,
        writer: Option<u32>,
        named: Option<u32>,
        g: u32,
        status: GoStatus,
        site: Site,
    ) {
        let generation = self.tracer.generation;
        let go = &mut self.world.goroutines[g as usize];
        let known = go.traced.is_known();
        if !go.traced.first_sight(generation) {
            return;
        }
        let (id, assists) = (go.id, go.assists);
        let starts = matches!(status, GoStatus::Runnable | GoStatus::Waiting) && writer.is_some();
        if starts && self.tracer.faults.strikes(Fault::MissingStatus) {
            return;
        }
        let mut written = status;
        if generation > 1 && starts && known && self.tracer.faults.strikes(Fault::WrongStatus) {
            let waits = status == GoStatus::Waiting;
            written = if waits { GoStatus::Runnable } else { GoStatus::Waiting };
        }
        let mut thread = named.map_or(NONE, |m| self.world.threads[m as usize].id);
        if writer.is_none()
            && status == GoStatus::Syscall
            && !known
            && self.tracer.faults.strikes(Fault::WrongThread)
        {
            // The runtime's own number of the thread. What shows it is that the thread goes on.
            thread = named.map_or(0, u64::from);
            if let Some(m) = named {
                let soon = self.tracer.clock.now + 1000;
                self.world.plan(m, soon);
            }
        }
        let buffer = writer.map_or(NO_THREAD, |m| m as usize + 1);
        let passes = 1 + u64::from(self.rng.u8(..4));
        if site == Site::NONE {
            let args = [id, thread, written as u64];
            self.tracer.event(buffer, EventType::GO_STATUS, &args, passes);
        } else {
            let args = [id, thread, written as u64, self.tracer.stack(site)];
            self.tracer.event(buffer, EventType::GO_STATUS_STACK, &args, passes);
        }
        let mut context = writer.map_or(NOTHING, |m| self.context(m));
        if context.2 == GoId(id as i64) && !known {
            context.2 = GoId::NONE;
        }
        if status == GoStatus::Syscall && writer != named {
            let thread = named.map_or(ThreadId::NONE, |m| self.world.thread_id(m));
            // A thread that readers do not know yet is shown as it was before.
            context = (thread, context.1, if known { GoId(id as i64) } else { GoId::NONE });
        }
        let from = if known { status.name() } else { "Undetermined" };
        self.go_moves(context, g, from, status.name(), None);
        if assists {
            self.tracer.event(buffer, EventType::GC_MARK_ASSIST_ACTIVE, &[id], 1);
            let context = writer.map_or(NOTHING, |m| self.context(m));
            self.happens(
                context,
                format_args!("RangeActive Name=\"GC mark assist\" Scope=Goroutine({id})"),
            );
        }
    }

    /// The statuses that come before what a running goroutine does.
    #[inline]
    pub(super) fn mention_running(&mut self, m: u32) {
        self.mention(m, GoStatus::Running, ProcStatus::Running);
    }

    /// Before a generation ends, from Go 1.26 on: procs that it has not mentioned.
    pub(super) fn silent_procs(&mut self, m: u32) {
        if self.config.go.has_end_marks() {
            self.mention_procs(m);
        }
    }

    /// Statuses of all procs that the generation has not mentioned yet.
    pub(super) fn mention_procs(&mut self, m: u32) {
        for p in 0..self.world.procs.len() as u32 {
            let proc = &self.world.procs[p as usize];
            if proc.retired || proc.traced.was_seen(self.tracer.generation) {
                continue;
            }
            match proc.status {
                ProcStatus::Running => self.mention_proc(proc.thread, p, ProcStatus::Running),
                ProcStatus::Idle => self.mention_proc(m, p, ProcStatus::Idle),
                // Nobody but its thread could speak for it: so it is taken, unless the thread is
                // just about to leave.
                ProcStatus::Syscall | ProcStatus::Abandoned => {
                    if self.rng.u8(..4) > 0 {
                        self.proc_steal(m, p);
                    }
                }
            }
        }
    }

    /// When a generation ends: goroutines that it has not mentioned.
    pub(super) fn silent_goroutines(&mut self) {
        for g in 0..self.world.goroutines.len() as u32 {
            let go = &self.world.goroutines[g as usize];
            if !go.alive || go.traced.was_seen(self.tracer.generation) {
                continue;
            }
            let (status, thread, role) = (go.status, go.thread, go.role);
            match status {
                GoStatus::Running => {
                    self.mention(thread, GoStatus::Running, ProcStatus::Running);
                }
                GoStatus::Syscall => {
                    self.mention_go(None, Some(thread), g, status, Site::NONE);
                }
                GoStatus::Runnable | GoStatus::Waiting => {
                    let has_stack = self.config.go.has_status_stacks();
                    let place = if role == Role::Marker { Place::System } else { Place::Receive };
                    let site = self.words.site(role, place, g.into());
                    let site = if has_stack { site } else { Site::NONE };
                    self.mention_go(None, None, g, status, site);
                }
            }
        }
    }
}
