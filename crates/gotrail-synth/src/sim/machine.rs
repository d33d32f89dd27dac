//! What happens next, and to whom: the threads' agenda, the scheduler, and the change of
//! generations.

use super::collector::Collector;
use super::start::FIRST;
use super::tables::Program;
use super::tracer::Tracer;
use super::vocabulary::{Place, Stop, Vocabulary};
use super::world::{Doing, ProcStatus, Role, World};
use super::{Config, Observer, Totals};
use std::cmp::Reverse;
use std::io::{self, Write};

/// A proc in a syscall for so long may be taken by the monitor.
const LONG_SYSCALL: u64 = 300;

/// The monitor looks so often.
const MONITOR_PERIOD: u64 = 320;

/// Threads beyond this and two for each proc end when they have nothing to do.
const SPARE_THREADS: usize = 4;

/// The observer is told at least this often.
const TELL: u64 = 1 << 16;

pub(super) struct Machine<'o, W, O> {
    pub(super) config: Config,
    pub(super) rng: fastrand::Rng,
    pub(super) world: World,
    pub(super) tracer: Tracer<W>,
    pub(super) words: Vocabulary,
    pub(super) collector: Collector,
    pub(super) observer: &'o mut O,
    pub(super) looked_at: bool,
    /// GOMAXPROCS.
    pub(super) procs: u32,
    pub(super) last_task: u64,
    /// Logs so far.
    pub(super) logs: u64,
    /// After so many events the generation ends.
    quota: u64,
    told: u64,
    thread_base: u64,
}

impl<'o, W: Write, O: Observer> Machine<'o, W, O> {
    pub(super) fn new(config: Config, out: W, observer: &'o mut O) -> Machine<'o, W, O> {
        let mut rng = fastrand::Rng::with_seed(config.seed);
        let mut program = Program::default();
        let words = Vocabulary::new(&mut program);
        let thread_base = 1000 + u64::from(rng.u16(..));
        Machine {
            rng,
            world: World::default(),
            tracer: Tracer::new(&config, out, program),
            words,
            collector: Collector::new(),
            looked_at: observer.wants_events(),
            observer,
            procs: config.procs,
            last_task: 0,
            logs: 0,
            quota: (config.events / config.generations).max(1),
            told: 0,
            thread_base,
            config,
        }
    }

    /// Runs until the trace has as many events as it should.
    pub(super) fn run(mut self) -> io::Result<Totals> {
        self.start();
        let armed_from = self.config.events / 3;
        while !self.is_done() && !self.tracer.failed() {
            self.tracer.faults.armed |= self.tracer.events >= armed_from;
            let act = self.world.agenda.peek().map(|&Reverse((due, _))| due);
            let wakes = self.world.sleeping.peek().map(|&Reverse((due, _))| due);
            match (act, wakes) {
                (act, Some(due)) if act.is_none_or(|act| due < act) && self.can_wake() => {
                    self.pass_to(due);
                    self.wake();
                }
                _ => self.act(),
            }
            if self.tracer.events - self.told >= TELL {
                self.told = self.tracer.events;
                self.observer.wrote(self.told);
            }
        }
        self.silent_procs(FIRST);
        self.silent_goroutines();
        let (wall, generations) = (self.wall(), self.tracer.generation);
        self.tracer.end_generation(wall, true);
        let events = self.tracer.events;
        let (bytes, faults) = self.tracer.finish()?;
        Ok(Totals { events, generations, bytes, faults })
    }

    fn is_done(&self) -> bool {
        let last = self.tracer.generation == self.config.generations;
        last && self.tracer.events >= self.config.events
    }

    pub(super) fn add_thread(&mut self, doing: Doing, foreign: bool) -> u32 {
        // The system may well use an id again, for a thread of C or of Go.
        let reuses = self.rng.bool();
        let thread = self.world.add_thread(doing, foreign, self.thread_base, reuses);
        let id = self.world.threads[thread as usize].id;
        let offset = self.tracer.clock.offset(&mut self.rng);
        self.tracer.add_thread(thread as usize + 1, id, offset);
        thread
    }

    /// Nanoseconds since the trace started, and a bit.
    pub(super) fn wall(&self) -> u64 {
        self.tracer.clock.now * 64
    }

    fn pass_to(&mut self, time: u64) {
        let now = &mut self.tracer.clock.now;
        *now = (*now).max(time);
    }

    /// The next thread on the agenda does its next thing.
    fn act(&mut self) {
        let Some(Reverse((due, m))) = self.world.agenda.pop() else { return };
        let thread = &self.world.threads[m as usize];
        if thread.due != due {
            return;
        }
        let (doing, has_go) = (thread.doing, thread.go.is_some());
        self.pass_to(due);
        match doing {
            Doing::Running if has_go => {
                let full = self.tracer.generation_events >= self.quota;
                if full && self.tracer.generation < self.config.generations {
                    self.advance(m);
                    self.go_on(m, 1);
                } else {
                    self.step(m);
                }
            }
            Doing::Running => self.schedule(m),
            Doing::Waking => {
                self.world.waking -= 1;
                match self.world.take_idle() {
                    Some(p) => {
                        self.proc_start(m, p);
                        self.world.threads[m as usize].doing = Doing::Running;
                        self.schedule(m);
                    }
                    None => self.park(m),
                }
            }
            Doing::Syscall => self.leave_syscall(m),
            Doing::Outside => self.call_from_c(m),
            Doing::Monitor => self.monitor(m),
            Doing::Parked | Doing::Locked | Doing::Gone => {}
        }
    }

    /// The thread does its next thing after about this time.
    pub(super) fn go_on(&mut self, m: u32, mean: u64) {
        let due = self.tracer.clock.now + 1 + self.rng.u64(..2 * mean);
        self.world.plan(m, due);
    }

    // Scheduling.

    fn can_wake(&self) -> bool {
        self.world.waking == 0 && !self.world.idle.is_empty()
    }

    /// Wakes a thread if there is a proc for it, and none was woken before.
    pub(super) fn wake(&mut self) {
        if !self.can_wake() {
            return;
        }
        let m = match self.world.parked.pop() {
            Some(m) => m,
            None => self.add_thread(Doing::Waking, false),
        };
        self.world.threads[m as usize].doing = Doing::Waking;
        self.world.waking += 1;
        self.go_on(m, 30);
    }

    /// A thread has nothing to do; one of C's waits for its goroutine.
    pub(super) fn park(&mut self, m: u32) {
        let thread = &mut self.world.threads[m as usize];
        thread.due = u64::MAX;
        if thread.foreign {
            thread.doing = Doing::Locked;
        } else if self.world.parked.len() > 2 * self.world.procs.len() + SPARE_THREADS {
            // As if a goroutine that was locked to it had ended.
            self.tracer.remove_thread(m as usize + 1);
            self.world.remove_thread(m);
        } else {
            thread.doing = Doing::Parked;
            self.world.parked.push(m);
        }
    }

    /// A goroutine has become runnable.
    pub(super) fn ready(&mut self, g: u32, proc: Option<u32>) {
        self.world.enqueue(g, proc);
        self.wake();
    }

    /// A thread with a proc and without a goroutine looks for one.
    pub(super) fn schedule(&mut self, m: u32) {
        let Some(p) = self.world.threads[m as usize].proc else { return };
        if self.world.threads[m as usize].foreign {
            // It runs nothing but the goroutine of its own call.
            self.proc_stop(m);
            self.park(m);
            self.wake();
            return;
        }
        self.wake_sleepers(m, p);
        let Some(g) = self.world.dequeue(p, &mut self.rng) else {
            self.proc_stop(m);
            self.park(m);
            return;
        };
        let go = &self.world.goroutines[g as usize];
        let (role, owner) = (go.role, go.partner);
        if role == Role::Callback {
            // Only the C thread that called can go on with this: it gets the proc.
            self.proc_stop(m);
            self.park(m);
            if let Some(p) = self.world.take_idle() {
                self.proc_start(owner, p);
                self.go_start(owner, g);
                self.go_on(owner, 20);
            }
            return;
        }
        self.go_start(m, g);
        if role == Role::Marker && self.collector.marking {
            let label = self.words.labels[self.rng.usize(..self.words.labels.len())];
            self.go_label(m, label);
        }
        if self.world.queued > 0 {
            self.wake();
        }
        self.go_on(m, 20);
    }

    /// Goroutines whose time has come, or for whom the network has something.
    fn wake_sleepers(&mut self, m: u32, p: u32) {
        let now = self.tracer.clock.now;
        while let Some(&Reverse((due, g))) = self.world.sleeping.peek()
            && due <= now
        {
            self.world.sleeping.pop();
            self.go_unblock(m, g, Place::System);
            self.world.enqueue(g, Some(p));
        }
    }

    /// If nobody runs, the network has something for one of those that wait: a program in which
    /// all wait for each other would never go on.
    fn relieve(&mut self) {
        let waiting = self.world.waiting.len();
        let rests = self.world.queued == 0 && self.world.idle.len() == self.procs as usize;
        if rests && waiting > 0 {
            let g = self.world.waiting.swap_remove(self.rng.usize(..waiting));
            self.world.sleeping.push(Reverse((self.tracer.clock.now, g)));
        }
    }

    // Syscalls.

    fn leave_syscall(&mut self, m: u32) {
        if self.goes_away(m) {
            return;
        }
        if let Some(p) = self.world.threads[m as usize].proc {
            if self.rng.u8(..32) > 0 {
                self.syscall_end(m);
                return self.go_on(m, 20);
            }
            // The proc was taken, used and given back meanwhile.
            self.proc_steal(m, p);
        } else if self.rng.u8(..8) == 0 {
            // It takes the proc of another that is in a syscall.
            let victim = self.rng.usize(..self.world.procs.len());
            if self.world.procs[victim].status == ProcStatus::Syscall {
                self.proc_steal(m, victim as u32);
            }
        }
        self.leave_syscall_late(m);
    }

    /// The thread's proc is gone: it takes another, or its goroutine waits for one.
    pub(super) fn leave_syscall_late(&mut self, m: u32) {
        if let Some(p) = self.world.take_idle() {
            self.proc_start(m, p);
            let g = self.syscall_end_blocked(m);
            self.go_start(m, g);
            self.go_on(m, 20);
        } else {
            let g = self.syscall_end_blocked(m);
            self.park(m);
            self.ready(g, None);
        }
    }

    /// Procs that have been in a syscall for long are taken, so that others can use them.
    fn monitor(&mut self, m: u32) {
        let now = self.tracer.clock.now;
        for p in 0..self.world.procs.len() {
            let proc = &self.world.procs[p];
            let long = proc.since + LONG_SYSCALL < now;
            let taken = match proc.status {
                ProcStatus::Syscall => long && (self.world.queued > 0 || self.rng.bool()),
                ProcStatus::Abandoned => long,
                _ => false,
            };
            if taken {
                self.proc_steal(m, p as u32);
            }
        }
        if self.world.queued > 0 {
            self.wake();
        }
        self.relieve();
        self.go_on(m, MONITOR_PERIOD);
    }

    // Generations.

    /// Ends the generation and begins the next; the thread runs a goroutine.
    fn advance(&mut self, m: u32) {
        let began = self.tracer.clock.now;
        self.silent_procs(m);
        self.stragglers(m);
        self.silent_goroutines();
        let wall = self.wall();
        self.tracer.end_generation(wall, false);
        let left = self.config.events.saturating_sub(self.tracer.events);
        self.quota = left / (self.config.generations - self.tracer.generation + 1);
        // Whoever wrote into the old generation last was not waited for.
        self.tracer.clock.now = began;
        self.tracer.begin(self.wall());
        self.procs_change(m, self.procs.into());
        if self.collector.marking {
            self.gc_active(m);
        }
        if !self.config.go.has_end_marks() {
            self.mention_procs(m);
        }
    }

    /// Some threads are in the middle of an event when a generation ends, and write it into the
    /// old one although it is later than the first of the new one.
    fn stragglers(&mut self, m: u32) {
        for _ in 0..2 {
            let other = self.rng.usize(..self.world.threads.len()) as u32;
            let thread = &self.world.threads[other as usize];
            if other == m || thread.doing != Doing::Running || thread.go.is_none() {
                continue;
            }
            let go = thread.go.map(|go| &self.world.goroutines[go as usize]);
            // Whoever helps to mark does nothing else before that is done.
            let assists = go.is_some_and(|go| go.assists);
            if self.rng.bool() || assists {
                self.heap_alloc(other, self.collector.heap);
            } else {
                self.syscall_begin(other, Place::Read);
                self.go_on(other, 200);
            }
        }
    }

    /// GOMAXPROCS becomes another number, not less than what keeps the thread's own proc.
    pub(super) fn change_procs(&mut self, m: u32) {
        let Some(own) = self.world.threads[m as usize].proc else { return };
        let procs = self.rng.u32(own + 1..=self.config.procs);
        self.stop_world(m, Stop::Procs);
        self.procs = procs;
        self.procs_change(m, procs.into());
        self.world.idle.clear();
        for p in (0..self.world.procs.len() as u32).rev() {
            let proc = &mut self.world.procs[p as usize];
            proc.retired = p >= procs;
            if proc.retired {
                self.world.queue.extend(proc.queue.drain(..));
            } else if p != own {
                self.world.idle.push(p);
            }
        }
        self.start_world(m, Stop::Procs);
    }
}
