//! The program as it is when the trace starts: everything was going on before.

use super::machine::Machine;
use super::vocabulary::Stop;
use super::world::{Doing, GoStatus, Proc, ProcStatus, Role};
use super::{Observer, Profile};
use gotrail_format::EventType;
use std::cmp::Reverse;
use std::io::Write;

/// The thread that starts the trace, and the one that looks after syscalls.
pub(super) const FIRST: u32 = 0;

/// At most so many goroutines are in a syscall when the trace starts: each needs a thread.
const MOST_IN_SYSCALLS: u32 = 64;

impl<W: Write, O: Observer> Machine<'_, W, O> {
    /// Makes everything, and writes how the trace starts.
    pub(super) fn start(&mut self) {
        let config = &self.config;
        let (procs, profile) = (config.procs, config.profile);
        let foreign = match profile {
            Profile::Cgo => procs.clamp(2, 16),
            Profile::Mixed => 2,
            _ => 0,
        };
        let first = self.add_thread(Doing::Running, false);
        let monitor = self.add_thread(Doing::Monitor, false);
        self.world.procs.extend((0..u64::from(procs)).map(Proc::new));
        self.procs = procs;
        let main = self.world.add_goroutine(Role::Main, GoStatus::Running);
        self.world.goroutines[main as usize].thread = first;
        let thread = &mut self.world.threads[first as usize];
        (thread.proc, thread.go) = (Some(0), Some(main));
        let proc = &mut self.world.procs[0];
        (proc.status, proc.thread) = (ProcStatus::Running, first);
        for p in (1..procs).rev() {
            self.world.make_idle(p);
        }
        // Until a reader has seen a first event of the collector it takes any for the first, whatever
        // its number. Where clocks lie, that would be a later one: there the trace starts while
        // marking goes on, and says so before anything else can happen.
        let marking = self.config.skew > 0 || self.config.coarse > 1;
        for _ in 0..procs.div_ceil(4) {
            let marker = self.world.add_goroutine(Role::Marker, GoStatus::Waiting);
            self.collector.markers.push(marker);
            if marking {
                self.world.goroutines[marker as usize].status = GoStatus::Runnable;
                self.world.enqueue(marker, None);
            }
        }
        for i in 0..self.config.goroutines {
            self.start_goroutine(i);
        }
        for _ in 0..foreign {
            let thread = self.add_thread(Doing::Outside, true);
            let due = self.tracer.clock.now + self.rng.u64(..5_000);
            self.world.plan(thread, due);
        }

        self.tracer.begin(self.wall());
        self.procs_change(first, procs.into());
        self.stw_event(first, EventType::STW_BEGIN, Stop::StartTrace);
        if marking {
            self.collector.marking = true;
            self.collector.ends = self.tracer.clock.now + 10_000;
            self.gc_active(first);
        }
        self.heap_goal(first, self.collector.goal);
        for p in 1..procs {
            self.mention_proc(first, p, ProcStatus::Idle);
        }
        self.start_world(first, Stop::StartTrace);
        let now = self.tracer.clock.now;
        self.world.plan(first, now + 10);
        self.world.plan(monitor, now + 300);
    }

    /// A goroutine that the program had before the trace.
    fn start_goroutine(&mut self, i: u32) {
        let role = match self.config.profile {
            Profile::Web if i.is_multiple_of(64) => Role::Acceptor,
            Profile::Web => Role::Handler,
            Profile::Coroutines => Role::Caller,
            Profile::Mixed if i % 16 == 3 => Role::Acceptor,
            Profile::Mixed if i % 8 == 1 && self.config.go.has_coroutines() => Role::Caller,
            _ => Role::Worker,
        };
        // One in a syscall since long, some ready to run, the others waiting.
        let g = self.world.add_goroutine(role, GoStatus::Waiting);
        let now = self.tracer.clock.now;
        match self.rng.u8(..16) {
            _ if i.is_multiple_of(16) && i / 16 < MOST_IN_SYSCALLS => {
                let thread = self.add_thread(Doing::Syscall, false);
                self.world.threads[thread as usize].go = Some(g);
                let go = &mut self.world.goroutines[g as usize];
                (go.status, go.thread) = (GoStatus::Syscall, thread);
                // Some leave it at once, some only generations later.
                let due = now + (1 << self.rng.u32(8..24));
                self.world.plan(thread, due);
            }
            0..4 => {
                self.world.goroutines[g as usize].status = GoStatus::Runnable;
                let p = self.rng.u32(..self.procs);
                self.world.enqueue(g, Some(p));
            }
            4..8 => {
                let due = now + self.rng.u64(..50_000);
                self.world.sleeping.push(Reverse((due, g)));
            }
            _ => self.world.waiting.push(g),
        }
    }
}
