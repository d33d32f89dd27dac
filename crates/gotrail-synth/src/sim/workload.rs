//! What goroutines do next: a few scripts, and chances by profile.

use super::machine::Machine;
use super::vocabulary::{Place, Reason, Stop};
use super::world::{Doing, GoStatus, NOBODY, Role};
use super::{Observer, Profile};
use std::cmp::Reverse;
use std::io::Write;

/// Something that a worker does.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Work,
    Yield,
    Lose,
    Receive,
    Send,
    Select,
    Lock,
    Sleep,
    Network,
    Unblock,
    Spawn,
    Exit,
    Read,
    Write,
    Begin,
    End,
    Task,
    Log,
    Label,
    Allocate,
    Stop,
}

/// What workers of a profile do, by chance: each so many times.
fn deeds(profile: Profile) -> &'static [(u16, Deed)] {
    use Deed::*;
    match profile {
        Profile::Channels => &[
            (60, Unblock),
            (30, Receive),
            (15, Send),
            (5, Select),
            (10, Lock),
            (10, Work),
            (4, Yield),
            (1, Lose),
            (1, Sleep),
            (1, Spawn),
            (1, Exit),
        ],
        Profile::Syscalls => &[
            (60, Read),
            (40, Write),
            (10, Work),
            (10, Unblock),
            (6, Receive),
            (4, Network),
            (2, Yield),
            (1, Lose),
            (1, Spawn),
            (1, Exit),
        ],
        Profile::Gc => &[
            (60, Allocate),
            (10, Work),
            (10, Unblock),
            (6, Lock),
            (4, Receive),
            (2, Yield),
            (2, Lose),
            (1, Stop),
            (2, Spawn),
            (2, Exit),
        ],
        Profile::Cgo => &[
            (30, Read),
            (20, Work),
            (20, Unblock),
            (15, Receive),
            (5, Allocate),
            (2, Sleep),
            (2, Yield),
            (1, Lose),
            (1, Spawn),
            (1, Exit),
        ],
        _ => &[
            (40, Unblock),
            (20, Receive),
            (8, Send),
            (4, Select),
            (8, Lock),
            (20, Read),
            (10, Write),
            (10, Work),
            (8, Begin),
            (8, End),
            (6, Task),
            (6, Log),
            (1, Label),
            (10, Allocate),
            (4, Yield),
            (2, Lose),
            (3, Sleep),
            (3, Network),
            (3, Spawn),
            (3, Exit),
        ],
    }
}

impl<W: Write, O: Observer> Machine<'_, W, O> {
    /// The thread's goroutine does its next thing.
    pub(super) fn step(&mut self, m: u32) {
        let Some(g) = self.go(m) else { return };
        let often = if self.config.profile == Profile::Gc { 50 } else { 200 };
        if self.rng.u32(..often) == 0 {
            self.cpu_sample(m);
        }
        if self.rng.u8(..8) == 0 {
            self.sweep_end(m);
        }
        let go = &mut self.world.goroutines[g as usize];
        let step = go.step;
        go.step = step.wrapping_add(1);
        if go.assists {
            if self.rng.u8(..3) == 0 {
                return self.sleep(m, Reason::AssistWait, Place::Allocation, 300);
            }
            self.assist_end(m);
        }
        match self.world.goroutines[g as usize].role {
            Role::Main => self.step_main(m),
            Role::Marker => self.step_marker(m),
            Role::Acceptor => self.step_acceptor(m),
            Role::Handler => self.step_handler(m, step),
            Role::Worker => self.step_worker(m),
            Role::Caller => self.step_caller(m, g),
            Role::Iterator => self.step_iterator(m, g, step),
            Role::Callback => self.step_callback(m, step),
        }
    }

    /// The goroutines of the program itself: without the first, and without the collector's.
    fn alive(&self) -> usize {
        self.world.alive - 1 - self.collector.markers.len()
    }

    fn step_main(&mut self, m: u32) {
        if self.collector.marking && self.tracer.clock.now >= self.collector.ends {
            self.finish_marking(m);
        }
        match self.rng.u8(..16) {
            0 => {
                self.stop_world(m, Stop::MemStats);
                self.start_world(m, Stop::MemStats);
            }
            1 if self.config.profile == Profile::Mixed => self.change_procs(m),
            _ => {}
        }
        self.sleep(m, Reason::Sleep, Place::Sleep, 5_000);
    }

    fn step_marker(&mut self, m: u32) {
        if self.collector.marking && self.tracer.clock.now < self.collector.ends {
            return self.go_on(m, 400);
        }
        if self.collector.marking {
            self.finish_marking(m);
        }
        self.go_block(m, Reason::System, Place::System);
        self.schedule(m);
    }

    fn step_acceptor(&mut self, m: u32) {
        if self.alive() < self.config.goroutines as usize {
            return self.spawn(m, Role::Handler);
        }
        self.sleep(m, Reason::Network, Place::Read, 500);
    }

    /// One request, from its first byte to the last.
    fn step_handler(&mut self, m: u32, step: u16) {
        match step {
            0 => {
                let name = self.any(|words| &words.tasks);
                let parent =
                    self.go(m).map_or(0, |g| self.world.goroutines[g as usize].task_parent);
                self.task_begin(m, parent, name);
                self.begin_region(m);
            }
            1 => self.say(m),
            2 => return self.syscall(m, Place::Read),
            3 => {
                self.begin_region(m);
                if self.rng.u8(..8) == 0 && self.alive() < 2 * self.config.goroutines as usize {
                    return self.delegate(m);
                }
            }
            4 => return self.sleep(m, Reason::Network, Place::Read, 400),
            5 => self.grow(m),
            6 => self.unblock_one(m),
            7 if self.rng.bool() => return self.wait(m, Reason::Sync, Place::Lock),
            7 => {}
            8 => self.region_end(m),
            9 => return self.syscall(m, Place::Write),
            10 => self.say(m),
            11 => {
                self.region_end(m);
                self.task_end(m);
            }
            _ => return self.exit(m),
        }
        self.go_on(m, 20);
    }

    /// Part of a request is done by another goroutine, as a task within the task.
    fn delegate(&mut self, m: u32) {
        let task = self.go(m).map_or(0, |g| self.world.goroutines[g as usize].task);
        let part = self.go_create(m, Role::Handler, GoStatus::Runnable);
        self.world.goroutines[part as usize].task_parent = task;
        let p = self.world.threads[m as usize].proc;
        self.ready(part, p);
        self.go_on(m, 20);
    }

    fn step_worker(&mut self, m: u32) {
        let deeds = deeds(self.config.profile);
        let total: u16 = deeds.iter().map(|&(chance, _)| chance).sum();
        let mut lot = self.rng.u16(..total);
        let chosen = deeds.iter().find(|&&(chance, _)| {
            let found = lot < chance;
            lot = lot.saturating_sub(chance);
            found
        });
        let alive = self.alive();
        let target = self.config.goroutines as usize;
        match chosen.map_or(Deed::Work, |&(_, deed)| deed) {
            Deed::Work => return self.go_on(m, 100),
            Deed::Yield => {
                let g = self.go_stop(m, Reason::Gosched);
                self.world.enqueue(g, None);
                return self.schedule(m);
            }
            Deed::Lose => {
                let g = self.go_stop(m, Reason::Preempted);
                self.world.enqueue(g, None);
                return self.schedule(m);
            }
            Deed::Receive => return self.wait(m, Reason::ChanReceive, Place::Receive),
            Deed::Send => return self.wait(m, Reason::ChanSend, Place::Send),
            Deed::Select => return self.wait(m, Reason::Select, Place::Select),
            Deed::Lock => return self.wait(m, Reason::Sync, Place::Lock),
            Deed::Sleep => return self.sleep(m, Reason::Sleep, Place::Sleep, 2_000),
            Deed::Network => return self.sleep(m, Reason::Network, Place::Read, 1_000),
            Deed::Unblock => self.unblock_one(m),
            Deed::Spawn if alive < target => return self.spawn(m, Role::Worker),
            Deed::Exit if alive > target / 2 && alive > 1 => return self.exit(m),
            Deed::Spawn | Deed::Exit => {}
            Deed::Read => return self.syscall(m, Place::Read),
            Deed::Write => return self.syscall(m, Place::Write),
            Deed::Begin => self.begin_region(m),
            Deed::End => self.region_end(m),
            Deed::Task => {
                let task = self.go(m).map_or(0, |g| self.world.goroutines[g as usize].task);
                if task == 0 {
                    let name = self.any(|words| &words.tasks);
                    // One of the last ones, or none.
                    let parent = self.last_task - self.rng.u64(..=self.last_task.min(16));
                    let parent = if self.rng.bool() { parent } else { 0 };
                    self.task_begin(m, parent, name);
                } else {
                    self.task_end(m);
                }
            }
            Deed::Log => self.say(m),
            Deed::Label => {
                let name = self.any(|words| &words.categories);
                self.go_label(m, name);
            }
            Deed::Allocate => self.grow(m),
            Deed::Stop => {
                self.stop_world(m, Stop::MemStats);
                self.start_world(m, Stop::MemStats);
            }
        }
        self.go_on(m, 20);
    }

    /// Uses an iterator, again and again.
    fn step_caller(&mut self, m: u32, g: u32) {
        let iterator = self.world.goroutines[g as usize].partner;
        if iterator == NOBODY {
            if self.config.profile != Profile::Coroutines {
                // Elsewhere they are a part among others.
                let chance = self.rng.u8(..4);
                match chance {
                    0 => self.unblock_one(m),
                    1 => return self.wait(m, Reason::ChanReceive, Place::Receive),
                    2 => return self.sleep(m, Reason::Sleep, Place::Sleep, 2_000),
                    _ => {}
                }
            }
            match self.rng.u8(..8) {
                0 => return self.wait(m, Reason::ChanReceive, Place::Receive),
                1 | 2 => self.unblock_one(m),
                3 => self.grow(m),
                _ => {
                    let iterator = self.go_create(m, Role::Iterator, GoStatus::Waiting);
                    self.world.goroutines[g as usize].partner = iterator;
                    self.world.goroutines[iterator as usize].partner = g;
                }
            }
        } else {
            self.go_switch(m, iterator, false);
        }
        self.go_on(m, 10);
    }

    /// Yields a few values to its caller, then ends.
    fn step_iterator(&mut self, m: u32, g: u32, step: u16) {
        let caller = self.world.goroutines[g as usize].partner;
        let ends = step > 4 && self.rng.u8(..8) == 0;
        if ends {
            self.world.goroutines[caller as usize].partner = NOBODY;
        } else if self.rng.u8(..16) == 0 {
            self.grow(m);
            return self.go_on(m, 10);
        }
        self.go_switch(m, caller, ends);
        self.go_on(m, 10);
    }

    // C threads.

    /// A C thread calls into Go.
    pub(super) fn call_from_c(&mut self, m: u32) {
        self.go_create_syscall(m);
        self.leave_syscall_late(m);
    }

    fn step_callback(&mut self, m: u32, step: u16) {
        match self.rng.u8(..8) {
            0 => self.grow(m),
            1 | 2 => self.unblock_one(m),
            3 => return self.wait(m, Reason::Sync, Place::Lock),
            _ if step > 2 => {
                // Back to C.
                self.syscall_begin(m, Place::Running);
                return self.go_on(m, 100);
            }
            _ => {}
        }
        self.go_on(m, 20);
    }

    /// A C thread's call is in C: it comes back, or the thread goes away and the goroutine with it.
    /// True if it went.
    pub(super) fn goes_away(&mut self, m: u32) -> bool {
        if !self.world.threads[m as usize].foreign || self.rng.bool() {
            return false;
        }
        let kept = self.go_destroy_syscall(m);
        if kept {
            // Wrong on purpose: the next call finds the proc of this one.
            self.go_create_syscall(m);
            self.syscall_end(m);
            self.go_on(m, 20);
        } else if self.rng.bool() {
            // Where threads are not told when they end, each call has a goroutine of its own.
            self.world.threads[m as usize].doing = Doing::Outside;
            self.go_on(m, 500);
        } else {
            self.tracer.remove_thread(m as usize + 1);
            self.world.remove_thread(m);
            // The next thread may have the same id, be it another C thread or one of Go's.
            if self.rng.u8(..4) == 0 {
                let thread = self.add_thread(Doing::Parked, false);
                self.park(thread);
            }
            let foreign = self.add_thread(Doing::Outside, true);
            self.go_on(foreign, 1_000);
        }
        true
    }

    // Small things.

    /// The running goroutine waits for somebody.
    fn wait(&mut self, m: u32, reason: Reason, place: Place) {
        self.keep_going(m);
        let g = self.go_block(m, reason, place);
        self.world.waiting.push(g);
        self.schedule(m);
    }

    /// The running goroutine waits for a time.
    fn sleep(&mut self, m: u32, reason: Reason, place: Place, mean: u64) {
        let g = self.go_block(m, reason, place);
        let due = self.tracer.clock.now + 1 + self.rng.u64(..2 * mean);
        self.world.sleeping.push(Reverse((due, g)));
        self.schedule(m);
    }

    /// When half of all wait, nobody waits or ends without having ended another's wait.
    fn keep_going(&mut self, m: u32) {
        if self.world.waiting.len() * 2 > self.alive() {
            self.unblock_one(m);
        }
    }

    /// The running goroutine ends somebody's wait, if anybody waits.
    fn unblock_one(&mut self, m: u32) {
        let waiting = self.world.waiting.len();
        if waiting > 0 {
            let g = self.world.waiting.swap_remove(self.rng.usize(..waiting));
            self.go_unblock(m, g, Place::Send);
            let p = self.world.threads[m as usize].proc;
            self.ready(g, p);
        }
    }

    fn spawn(&mut self, m: u32, role: Role) {
        let g = self.go_create(m, role, GoStatus::Runnable);
        let p = self.world.threads[m as usize].proc;
        self.ready(g, p);
        self.go_on(m, 20);
    }

    fn exit(&mut self, m: u32) {
        self.keep_going(m);
        self.go_destroy(m);
        self.schedule(m);
    }

    /// A syscall: mostly short, at times long.
    fn syscall(&mut self, m: u32, place: Place) {
        self.syscall_begin(m, place);
        let mean = if self.rng.u8(..8) == 0 { 3_000 } else { 15 };
        self.go_on(m, mean);
    }

    fn begin_region(&mut self, m: u32) {
        let name = self.any(|words| &words.regions);
        self.region_begin(m, name);
    }

    fn say(&mut self, m: u32) {
        self.logs += 1;
        let category = self.any(|words| &words.categories);
        let message = format!("item {}", self.logs);
        self.log(m, category, &message);
    }

    /// Allocates, and may have to help to mark.
    fn grow(&mut self, m: u32) {
        let bytes = 1024 * (1 + self.rng.u64(..64));
        self.allocate(m, bytes);
        if self.collector.marking && self.rng.u8(..4) == 0 {
            self.assist_begin(m);
        }
    }

    fn any(
        &mut self,
        list: impl Fn(&super::vocabulary::Vocabulary) -> &Vec<super::tables::Name>,
    ) -> super::tables::Name {
        let list = list(&self.words);
        list[self.rng.usize(..list.len())]
    }
}
