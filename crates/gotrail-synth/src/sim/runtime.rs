//! What the runtime does, one function for each event that it traces.
//!
//! Each function writes the event, changes the world, and says what truly happened. As in Go, what
//! an event is about is preceded by its status at the first mention in a generation.

use super::Observer;
use super::faults::Fault;
use super::machine::Machine;
use super::tables::{Name, Site};
use super::truth::TrueEvent;
use super::vocabulary::{Place, Reason};
use super::world::{Doing, GoStatus, NOBODY, ProcStatus, Role};
use gotrail::{GoId, ProcId, ThreadId};
use gotrail_format::EventType;
use std::fmt::Arguments;
use std::io::Write;

/// A thread, proc and goroutine as readers show them with an event.
pub(super) type Context = (ThreadId, ProcId, GoId);

pub(super) const NOTHING: Context = (ThreadId::NONE, ProcId::NONE, GoId::NONE);

/// An argument that says "none".
pub(super) const NONE: u64 = u64::MAX;

impl<W: Write, O: Observer> Machine<'_, W, O> {
    /// The context of what a thread does now: what readers know of it.
    pub(super) fn context(&self, m: u32) -> Context {
        let world = &self.world;
        let thread = &world.threads[m as usize];
        let proc = thread.proc.filter(|&p| world.procs[p as usize].traced.is_known());
        let go = thread.go.filter(|&g| world.goroutines[g as usize].traced.is_known());
        (ThreadId(thread.id as i64), world.proc_id(proc), world.go_id(go))
    }

    #[inline]
    pub(super) fn happens(&mut self, (thread, proc, go): Context, what: Arguments<'_>) {
        if self.looked_at {
            let what = what.to_string();
            self.observer.happened(TrueEvent { thread, proc, go, what });
        }
    }

    /// Writes an event of a thread. Its buffer's place is one behind the thread's.
    #[inline]
    pub(super) fn write(&mut self, m: u32, event: EventType, args: &[u64]) {
        let passes = 1 + u64::from(self.rng.u8(..4));
        self.tracer.event(m as usize + 1, event, args, passes);
    }

    pub(super) fn go_moves(
        &mut self,
        context: Context,
        g: u32,
        from: &str,
        to: &str,
        reason: Option<Reason>,
    ) {
        if self.looked_at {
            let id = self.world.goroutines[g as usize].id;
            let program = &self.tracer.program;
            let reason = reason.map_or("", |reason| program.text(self.words.reason(reason)));
            let what = format!("StateTransition GoID={id} {from}->{to} Reason={reason:?}");
            let (thread, proc, go) = context;
            self.observer.happened(TrueEvent { thread, proc, go, what });
        }
    }

    pub(super) fn proc_moves(&mut self, context: Context, p: u32, from: &str, to: &str) {
        let id = self.world.procs[p as usize].id;
        self.happens(context, format_args!("StateTransition ProcID={id} {from}->{to} Reason=\"\""));
    }

    pub(super) fn stack(&mut self, g: Option<u32>, place: Place) -> u64 {
        let role = g.map_or(Role::Marker, |g| self.world.goroutines[g as usize].role);
        let site = self.words.site(role, place, self.rng.u8(..).into());
        self.tracer.stack(site)
    }

    pub(super) fn go(&mut self, m: u32) -> Option<u32> {
        self.world.threads[m as usize].go
    }

    // Procs.

    /// The thread begins to run an idle proc, which is no longer among the idle ones.
    pub(super) fn proc_start(&mut self, m: u32, p: u32) {
        self.mention_proc(m, p, ProcStatus::Idle);
        if let Some(g) = self.go(m) {
            self.mention_go(Some(m), Some(m), g, GoStatus::Syscall, Site::NONE);
        }
        let proc = &mut self.world.procs[p as usize];
        let args = [proc.id, proc.traced.next_seq()];
        self.write(m, EventType::PROC_START, &args);
        let context = self.context(m);
        self.proc_moves(context, p, "Idle", "Running");
        let proc = &mut self.world.procs[p as usize];
        (proc.status, proc.thread) = (ProcStatus::Running, m);
        self.world.threads[m as usize].proc = Some(p);
    }

    /// The thread stops running its proc, which becomes idle.
    pub(super) fn proc_stop(&mut self, m: u32) {
        let Some(p) = self.world.threads[m as usize].proc else { return };
        self.sweep_end(m);
        self.mention(m, GoStatus::Syscall, ProcStatus::Running);
        self.write(m, EventType::PROC_STOP, &[]);
        let context = self.context(m);
        self.proc_moves(context, p, "Running", "Idle");
        self.world.threads[m as usize].proc = None;
        self.world.make_idle(p);
    }

    /// The thread takes a proc from a thread in a syscall, or one that such a thread left behind.
    /// It is idle then.
    pub(super) fn proc_steal(&mut self, m: u32, p: u32) {
        self.mention_proc(m, p, ProcStatus::Abandoned);
        let thread = &self.world.threads[m as usize];
        let in_syscall = thread.doing == Doing::Syscall;
        let (go, proc) = if in_syscall {
            (GoStatus::Syscall, ProcStatus::Abandoned)
        } else {
            (GoStatus::Running, ProcStatus::Running)
        };
        self.mention(m, go, proc);
        let proc = &mut self.world.procs[p as usize];
        let args = [proc.id, proc.traced.next_seq(), proc.syscall_thread];
        self.write(m, EventType::PROC_STEAL, &args);
        if self.tracer.faults.strikes(Fault::StolenTwice) {
            self.write(m, EventType::PROC_STEAL, &args);
        }
        let context = self.context(m);
        let proc = &self.world.procs[p as usize];
        let (from, holder) = (proc.status.name(), proc.thread);
        self.proc_moves(context, p, from, "Idle");
        if holder != NOBODY {
            self.world.threads[holder as usize].proc = None;
        }
        self.world.make_idle(p);
    }

    // Goroutines.

    /// A runnable goroutine begins to run; it is in no queue any more.
    pub(super) fn go_start(&mut self, m: u32, g: u32) {
        self.mention(m, GoStatus::Running, ProcStatus::Running);
        self.mention_go(Some(m), Some(m), g, GoStatus::Runnable, Site::NONE);
        let go = &mut self.world.goroutines[g as usize];
        let mut args = [go.id, go.traced.next_seq()];
        self.tracer.needs(m as usize + 1, go.unblocked_in);
        args[1] += u64::from(self.tracer.faults.strikes(Fault::WrongSequence));
        self.write(m, EventType::GO_START, &args);
        let context = self.context(m);
        self.go_moves(context, g, "Runnable", "Running", None);
        self.runs(m, g);
    }

    /// The goroutine is the one that the thread runs.
    fn runs(&mut self, m: u32, g: u32) {
        let go = &mut self.world.goroutines[g as usize];
        (go.status, go.thread) = (GoStatus::Running, m);
        let thread = &mut self.world.threads[m as usize];
        (thread.go, thread.doing) = (Some(g), Doing::Running);
    }

    /// The running goroutine leaves its thread and has a new status.
    fn leave(&mut self, m: u32, status: GoStatus) -> u32 {
        let g = self.world.threads[m as usize].go.take().unwrap_or_default();
        let go = &mut self.world.goroutines[g as usize];
        (go.status, go.thread) = (status, NOBODY);
        g
    }

    /// The running goroutine stops, and stays runnable; it is in no queue yet.
    pub(super) fn go_stop(&mut self, m: u32, reason: Reason) -> u32 {
        self.mention_running(m);
        let place = if reason == Reason::Gosched { Place::Yield } else { Place::Preempted };
        self.go_leaves(m, EventType::GO_STOP, reason, place, GoStatus::Runnable)
    }

    /// The running goroutine blocks.
    pub(super) fn go_block(&mut self, m: u32, reason: Reason, place: Place) -> u32 {
        self.mention_running(m);
        self.go_leaves(m, EventType::GO_BLOCK, reason, place, GoStatus::Waiting)
    }

    fn go_leaves(
        &mut self,
        m: u32,
        event: EventType,
        reason: Reason,
        place: Place,
        status: GoStatus,
    ) -> u32 {
        let g = self.go(m);
        let args = [self.tracer.string(self.words.reason(reason)), self.stack(g, place)];
        self.write(m, event, &args);
        let context = self.context(m);
        let g = self.leave(m, status);
        self.go_moves(context, g, "Running", status.name(), Some(reason));
        g
    }

    /// A waiting goroutine becomes runnable; it is in no queue yet.
    pub(super) fn go_unblock(&mut self, m: u32, g: u32, place: Place) {
        self.mention_go(Some(m), None, g, GoStatus::Waiting, Site::NONE);
        self.mention_running(m);
        let by = self.go(m);
        let stack = if by.is_some() { self.stack(by, place) } else { 0 };
        let go = &mut self.world.goroutines[g as usize];
        let args = [go.id, go.traced.next_seq(), stack];
        go.status = GoStatus::Runnable;
        go.unblocked_in = self.tracer.batch(m as usize + 1);
        if !self.tracer.faults.strikes(Fault::MissingUnblock) {
            self.write(m, EventType::GO_UNBLOCK, &args);
        }
        let context = self.context(m);
        self.go_moves(context, g, "Waiting", "Runnable", None);
    }

    /// The running goroutine makes another, runnable or waiting.
    pub(super) fn go_create(&mut self, m: u32, role: Role, status: GoStatus) -> u32 {
        self.mention_running(m);
        let by = self.go(m);
        let g = self.world.add_goroutine(role, status);
        let id = self.world.goroutines[g as usize].id;
        self.world.goroutines[g as usize].traced.first_sight(self.tracer.generation);
        let starts = self.words.site(role, Place::Start, 0);
        let args = [id, self.tracer.stack(starts), self.stack(by, Place::Create)];
        let event = match status {
            GoStatus::Waiting => EventType::GO_CREATE_BLOCKED,
            _ => EventType::GO_CREATE,
        };
        self.write(m, event, &args);
        let context = self.context(m);
        self.go_moves(context, g, "NotExist", status.name(), None);
        g
    }

    /// The running goroutine ends.
    pub(super) fn go_destroy(&mut self, m: u32) {
        self.mention_running(m);
        self.write(m, EventType::GO_DESTROY, &[]);
        let context = self.context(m);
        let g = self.leave(m, GoStatus::Waiting);
        self.go_moves(context, g, "Running", "NotExist", None);
        self.world.remove_goroutine(g);
    }

    /// The running goroutine hands its thread to a waiting one, and waits itself, or ends.
    pub(super) fn go_switch(&mut self, m: u32, next: u32, ends: bool) {
        self.mention_go(Some(m), None, next, GoStatus::Waiting, Site::NONE);
        self.mention_running(m);
        let go = &mut self.world.goroutines[next as usize];
        let args = [go.id, go.traced.next_seq()];
        let event = if ends { EventType::GO_SWITCH_DESTROY } else { EventType::GO_SWITCH };
        self.write(m, event, &args);
        let context = self.context(m);
        self.go_moves(context, next, "Waiting", "Runnable", None);
        let g = self.leave(m, GoStatus::Waiting);
        self.go_moves(context, g, "Running", if ends { "NotExist" } else { "Waiting" }, None);
        if ends {
            self.world.remove_goroutine(g);
        }
        self.go_moves((context.0, context.1, GoId::NONE), next, "Runnable", "Running", None);
        self.runs(m, next);
    }

    // Syscalls.

    /// The running goroutine enters a syscall.
    pub(super) fn syscall_begin(&mut self, m: u32, place: Place) {
        // Whoever sweeps does nothing else meanwhile.
        self.sweep_end(m);
        self.mention_running(m);
        let thread = &self.world.threads[m as usize];
        let (Some(p), Some(g), id) = (thread.proc, thread.go, thread.id) else { return };
        let stack = self.stack(Some(g), place);
        let now = self.tracer.clock.now;
        let proc = &mut self.world.procs[p as usize];
        (proc.status, proc.syscall_thread, proc.since) = (ProcStatus::Syscall, id, now);
        let args = [proc.traced.next_seq(), stack];
        self.write(m, EventType::GO_SYSCALL_BEGIN, &args);
        let context = self.context(m);
        self.go_moves(context, g, "Running", "Syscall", None);
        self.world.goroutines[g as usize].status = GoStatus::Syscall;
        self.world.threads[m as usize].doing = Doing::Syscall;
    }

    /// A syscall ends, and the thread still has its proc.
    pub(super) fn syscall_end(&mut self, m: u32) {
        self.mention(m, GoStatus::Syscall, ProcStatus::Syscall);
        self.write(m, EventType::GO_SYSCALL_END, &[]);
        let thread = &self.world.threads[m as usize];
        let (Some(p), Some(g)) = (thread.proc, thread.go) else { return };
        let context = self.context(m);
        self.go_moves(context, g, "Syscall", "Running", None);
        self.world.procs[p as usize].status = ProcStatus::Running;
        self.runs(m, g);
    }

    /// A syscall ends whose proc is gone; the thread may have another. The goroutine is runnable,
    /// and in no queue yet.
    pub(super) fn syscall_end_blocked(&mut self, m: u32) -> u32 {
        self.mention(m, GoStatus::Syscall, ProcStatus::Running);
        self.write(m, EventType::GO_SYSCALL_END_BLOCKED, &[]);
        let context = self.context(m);
        let g = self.leave(m, GoStatus::Runnable);
        self.go_moves(context, g, "Syscall", "Runnable", None);
        g
    }

    /// A C thread calls into Go: a goroutine appears in a syscall.
    pub(super) fn go_create_syscall(&mut self, m: u32) {
        let g = self.world.add_goroutine(Role::Callback, GoStatus::Syscall);
        self.world.goroutines[g as usize].traced.first_sight(self.tracer.generation);
        let id = self.world.goroutines[g as usize].id;
        self.write(m, EventType::GO_CREATE_SYSCALL, &[id]);
        let context = self.context(m);
        self.go_moves(context, g, "NotExist", "Syscall", None);
        let go = &mut self.world.goroutines[g as usize];
        // It never runs on another thread.
        (go.thread, go.partner) = (m, m);
        let thread = &mut self.world.threads[m as usize];
        (thread.go, thread.doing) = (Some(g), Doing::Syscall);
    }

    /// The call ends: its goroutine disappears in its syscall. A proc that the thread still has is
    /// left behind, unless that goes wrong: then true.
    pub(super) fn go_destroy_syscall(&mut self, m: u32) -> bool {
        let Some(g) = self.go(m) else { return false };
        self.mention_go(Some(m), Some(m), g, GoStatus::Syscall, Site::NONE);
        self.write(m, EventType::GO_DESTROY_SYSCALL, &[]);
        let context = self.context(m);
        let proc = self.world.threads[m as usize].proc;
        let kept = proc.is_some() && self.tracer.faults.strikes(Fault::ProcKept);
        if let Some(p) = proc
            && !kept
        {
            self.world.threads[m as usize].proc = None;
            self.proc_moves(context, p, "Running", "Idle");
            let proc = &mut self.world.procs[p as usize];
            (proc.status, proc.thread) = (ProcStatus::Abandoned, NOBODY);
        }
        let g = self.leave(m, GoStatus::Waiting);
        self.go_moves(context, g, "Syscall", "NotExist", None);
        self.world.remove_goroutine(g);
        kept
    }

    // What changes nobody's state.

    /// GOMAXPROCS is, or becomes, this.
    pub(super) fn procs_change(&mut self, m: u32, procs: u64) {
        self.mention_running(m);
        let g = self.go(m);
        let args = [procs, self.stack(g, Place::Stop)];
        self.write(m, EventType::PROCS_CHANGE, &args);
        self.metric(m, "/sched/gomaxprocs:threads", procs);
    }

    pub(super) fn heap_alloc(&mut self, m: u32, bytes: u64) {
        self.mention_running(m);
        self.write(m, EventType::HEAP_ALLOC, &[bytes]);
        self.metric(m, "/memory/classes/heap/objects:bytes", bytes);
    }

    pub(super) fn heap_goal(&mut self, m: u32, bytes: u64) {
        self.mention_running(m);
        self.write(m, EventType::HEAP_GOAL, &[bytes]);
        self.metric(m, "/gc/heap/goal:bytes", bytes);
    }

    fn metric(&mut self, m: u32, name: &str, value: u64) {
        let context = self.context(m);
        self.happens(context, format_args!("Metric Name={name:?} Value=Value{{Uint64({value})}}"));
    }

    /// The running goroutine gets a label.
    pub(super) fn go_label(&mut self, m: u32, label: Name) {
        self.mention_running(m);
        let id = self.tracer.string(label);
        self.write(m, EventType::GO_LABEL, &[id]);
        if self.looked_at {
            let context = self.context(m);
            let text = self.tracer.program.text(label).to_owned();
            let go = context.2;
            self.happens(context, format_args!("Label Label={text:?} Resource=Goroutine({go})"));
        }
    }

    /// A CPU sample of whatever the thread does.
    pub(super) fn cpu_sample(&mut self, m: u32) {
        let thread = &self.world.threads[m as usize];
        let (id, p, g) = (thread.id, thread.proc, thread.go);
        let proc = p.map_or(NONE, |p| self.world.procs[p as usize].id);
        let go = g.map_or(0, |g| self.world.goroutines[g as usize].id);
        let role = g.map_or(Role::Marker, |g| self.world.goroutines[g as usize].role);
        let site = self.words.site(role, Place::Running, self.rng.u8(..).into());
        self.tracer.sample(m as usize + 1, [id, proc, go], site);
        let context = self.context(m);
        self.happens(context, format_args!("StackSample"));
    }
}
