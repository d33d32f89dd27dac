//! A small model of Go's scheduler that writes what the runtime would write.
//!
//! Only what can happen next is ever chosen, statuses come before the first mention in a
//! generation, and sequence numbers count. Clocks of threads differ, so that times and order
//! disagree as they do on real machines.

use super::Choices;
use crate::layout::{Batch, Item, Layout, Part};
use gotrail_format::{EventType, Version};

const NONE: u64 = u64::MAX;
/// How many strings and stacks each generation has, ids from 1 on.
const STRINGS: u64 = 6;
const STACKS: u64 = 4;

#[derive(Clone, Copy, PartialEq)]
enum Status {
    Runnable = 1,
    Running = 2,
    Syscall = 3,
    Waiting = 4,
}

struct Thread {
    id: u64,
    proc: Option<usize>,
    go: Option<usize>,
    /// How far its clock is ahead.
    skew: u64,
    /// The time of its last event.
    time: u64,
    items: Vec<Item>,
    /// The time of the batch that is being filled.
    start: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum ProcStatus {
    Running = 1,
    Idle = 2,
    Syscall = 3,
}

struct Proc {
    status: ProcStatus,
    seq: u64,
    mentioned: bool,
    sweeps: bool,
}

struct Go {
    id: u64,
    status: Status,
    seq: u64,
    mentioned: bool,
    assists: bool,
    stopped: bool,
    regions: Vec<(u64, u64)>,
}

struct Model<'c, 'b> {
    choices: &'c mut Choices<'b>,
    version: Version,
    generation: u64,
    first: bool,
    now: u64,
    threads: Vec<Thread>,
    procs: Vec<Proc>,
    gos: Vec<Option<Go>>,
    /// The id of the goroutine that is created next.
    next_go: u64,
    tasks: Vec<u64>,
    next_task: u64,
    /// Whether the collector marks, and its sequence number.
    marks: bool,
    gc_seq: u64,
    /// The generation in which the collector marked first.
    first_mark: Option<u64>,
    parts: Vec<Part>,
}

/// Plans a trace.
pub(super) fn plan(choices: &mut Choices<'_>) -> Layout {
    let versions = [Version::Go126, Version::Go125, Version::Go123, Version::Go122];
    let version = versions[choices.below(4)];
    let procs = 1 + choices.below(4);
    let gos = 1 + choices.below(8) as u64;
    let ids = [0, 4, 1 << 20, 5000][choices.below(4)];
    let proc = || Proc { status: ProcStatus::Idle, seq: 0, mentioned: false, sweeps: false };
    let threads = 1 + choices.below(6);
    let mut model = Model {
        version,
        generation: 1 + choices.below(3) as u64,
        first: true,
        now: 1000,
        threads: Vec::new(),
        procs: (0..procs).map(|_| proc()).collect(),
        gos: (1..=gos).map(|id| Some(Go::new(ids + id, Status::Runnable))).collect(),
        next_go: ids + gos + 1,
        tasks: Vec::new(),
        next_task: 1,
        marks: false,
        gc_seq: 0,
        first_mark: None,
        parts: Vec::new(),
        choices,
    };
    for id in 0..threads as u64 {
        let skew = [0, 0, 3, 40][model.choices.below(4)];
        let id = 100 + 7 * id;
        let start = model.now;
        model.threads.push(Thread {
            id,
            proc: None,
            go: None,
            skew,
            time: start,
            items: Vec::new(),
            start,
        });
    }
    loop {
        model.generate();
        if model.choices.is_over() || model.parts.len() > 400 {
            break;
        }
    }
    Layout { header: version.header().to_vec(), parts: model.parts, ..Layout::default() }
}

impl Go {
    fn new(id: u64, status: Status) -> Go {
        Go {
            id,
            status,
            seq: 0,
            mentioned: false,
            assists: false,
            stopped: false,
            regions: Vec::new(),
        }
    }
}

fn item(event: EventType, args: &[u64]) -> Item {
    Item { event: event.0, args: args.to_vec(), data: None, data_len: None }
}

impl Model<'_, '_> {
    fn generate(&mut self) {
        self.procs.iter_mut().for_each(|proc| (proc.mentioned, proc.seq) = (false, 0));
        for go in self.gos.iter_mut().flatten() {
            (go.mentioned, go.seq) = (false, 0);
        }
        for t in 0..self.threads.len() {
            self.now += 2;
            self.threads[t].start = self.now;
            self.threads[t].time = self.threads[t].time.max(self.now);
        }
        let clock_first = self.version >= Version::Go125 || self.choices.once_in(2);
        if clock_first {
            self.clock();
        }
        self.carry_over();
        for _ in 0..10 + self.choices.below(120) {
            if self.choices.is_over() {
                break;
            }
            let t = self.choices.below(self.threads.len());
            self.act(t);
            if self.choices.once_in(25) {
                self.flush(t);
            }
        }
        // Nobody may come up for the first time later.
        for g in 0..self.gos.len() {
            self.mention_go(0, g);
        }
        for t in 0..self.threads.len() {
            self.flush(t);
        }
        self.tables();
        if !clock_first {
            self.clock();
        }
        if self.version >= Version::Go126 {
            self.parts.push(Part::EndOfGeneration);
        }
        self.generation += 1;
        self.first = false;
    }

    /// What threads hold at the start of the generation is mentioned by themselves.
    fn carry_over(&mut self) {
        for t in 0..self.threads.len() {
            if let Some(p) = self.threads[t].proc {
                self.mention_proc(t, p);
            }
            if let Some(g) = self.threads[t].go {
                self.mention_go(t, g);
            }
        }
    }

    fn emit(&mut self, t: usize, event: EventType, args: &[u64]) {
        self.now += [1, 1, 2, 9][self.choices.below(4)];
        let thread = &mut self.threads[t];
        let time = (self.now + thread.skew).max(thread.time + 1);
        let dt = time - thread.time.max(thread.start);
        if thread.items.is_empty() {
            thread.start = thread.time.max(thread.start);
        }
        thread.time = time;
        thread.items.push(item(event, &[&[dt], args].concat()));
    }

    fn flush(&mut self, t: usize) {
        let thread = &mut self.threads[t];
        if thread.items.is_empty() {
            return;
        }
        let items = std::mem::take(&mut thread.items);
        let (time, thread) = (thread.start, thread.id);
        self.threads[t].start = self.threads[t].time;
        self.batch(thread, time, items);
    }

    fn batch(&mut self, thread: u64, time: u64, items: Vec<Item>) {
        let generation = self.generation;
        self.parts.push(Part::Batch(Batch { generation, thread, time, items, ..Batch::default() }));
    }

    fn mention_proc(&mut self, t: usize, p: usize) {
        if !std::mem::replace(&mut self.procs[p].mentioned, true) {
            let status = self.procs[p].status as u64;
            self.emit(t, EventType::PROC_STATUS, &[p as u64, status]);
            if self.procs[p].sweeps && self.choices.once_in(2) {
                self.emit(t, EventType::GC_SWEEP_ACTIVE, &[p as u64]);
            }
        }
    }

    fn mention_go(&mut self, t: usize, g: usize) {
        let Some(go) = &mut self.gos[g] else { return };
        if !std::mem::replace(&mut go.mentioned, true) {
            let (id, status, assists) = (go.id, go.status, go.assists);
            let thread = match status {
                Status::Running | Status::Syscall => self.threads[t].id,
                _ => NONE,
            };
            if self.version >= Version::Go123 && self.choices.once_in(4) {
                let stack = self.stack();
                let args = [id, thread, status as u64, stack];
                self.emit(t, EventType::GO_STATUS_STACK, &args);
            } else {
                self.emit(t, EventType::GO_STATUS, &[id, thread, status as u64]);
            }
            if assists {
                self.emit(t, EventType::GC_MARK_ASSIST_ACTIVE, &[id]);
            }
        }
    }

    fn string(&mut self) -> u64 {
        self.choices.below(1 + STRINGS as usize) as u64
    }

    fn stack(&mut self) -> u64 {
        self.choices.below(1 + STACKS as usize) as u64
    }

    /// A goroutine with this status.
    fn go_with(&mut self, status: Status) -> Option<usize> {
        let fits = |go: &Option<Go>| go.as_ref().is_some_and(|go| go.status == status);
        let fitting: Vec<usize> = (0..self.gos.len()).filter(|&g| fits(&self.gos[g])).collect();
        self.choices.pick(&fitting)
    }

    fn proc_with(&mut self, status: ProcStatus) -> Option<usize> {
        let procs = 0..self.procs.len();
        let fitting: Vec<usize> = procs.filter(|&p| self.procs[p].status == status).collect();
        self.choices.pick(&fitting)
    }

    fn go(&mut self, g: usize) -> &mut Go {
        self.gos[g].as_mut().expect("the model knows it")
    }

    fn go_seq(&mut self, g: usize) -> [u64; 2] {
        let go = self.go(g);
        go.seq += 1;
        [go.id, go.seq]
    }

    fn proc_seq(&mut self, p: usize) -> [u64; 2] {
        self.procs[p].seq += 1;
        [p as u64, self.procs[p].seq]
    }

    fn act(&mut self, t: usize) {
        match (self.threads[t].proc, self.threads[t].go) {
            (None, None) => self.act_alone(t),
            (Some(p), None) => self.act_on_proc(t, p),
            (p, Some(g)) if self.go(g).status == Status::Syscall => self.act_in_syscall(t, p, g),
            (Some(p), Some(g)) => self.act_as_go(t, p, g),
            (None, Some(_)) => {}
        }
    }

    fn act_alone(&mut self, t: usize) {
        match self.choices.below(8) {
            0 => self.create_in_syscall(t),
            1 => self.alloc_free(t),
            _ => self.proc_start(t),
        }
    }

    fn proc_start(&mut self, t: usize) {
        let Some(p) = self.proc_with(ProcStatus::Idle) else { return };
        self.mention_proc(t, p);
        let args = self.proc_seq(p);
        self.emit(t, EventType::PROC_START, &args);
        self.procs[p].status = ProcStatus::Running;
        self.threads[t].proc = Some(p);
    }

    fn create_in_syscall(&mut self, t: usize) {
        let g = self.new_go(Status::Syscall);
        let id = self.go(g).id;
        self.emit(t, EventType::GO_CREATE_SYSCALL, &[id]);
        self.threads[t].go = Some(g);
    }

    fn new_go(&mut self, status: Status) -> usize {
        let id = self.next_go;
        self.next_go += 1;
        self.gos.push(Some(Go { mentioned: true, ..Go::new(id, status) }));
        self.gos.len() - 1
    }

    fn act_on_proc(&mut self, t: usize, p: usize) {
        match self.choices.below(12) {
            0 => self.proc_stop(t, p),
            1 => self.go_create(t),
            2 => {
                let value = u64::from(self.choices.byte()) << 12;
                self.emit(t, EventType::HEAP_ALLOC, &[value]);
            }
            3 => self.sweep(t, p),
            4 => self.go_unblock(t),
            5 => self.steal(t),
            _ => {
                let Some(g) = self.go_with(Status::Runnable) else { return };
                self.mention_go(t, g);
                let args = self.go_seq(g);
                self.emit(t, EventType::GO_START, &args);
                self.go(g).status = Status::Running;
                self.threads[t].go = Some(g);
            }
        }
    }

    fn proc_stop(&mut self, t: usize, p: usize) {
        self.emit(t, EventType::PROC_STOP, &[]);
        self.procs[p].status = ProcStatus::Idle;
        self.threads[t].proc = None;
    }

    fn go_create(&mut self, t: usize) {
        if self.gos.len() > 40 {
            return;
        }
        let blocked = self.version >= Version::Go123 && self.choices.once_in(4);
        let g = self.new_go(if blocked { Status::Waiting } else { Status::Runnable });
        let args = [self.go(g).id, self.stack(), self.stack()];
        let event = if blocked { EventType::GO_CREATE_BLOCKED } else { EventType::GO_CREATE };
        self.emit(t, event, &args);
    }

    fn go_unblock(&mut self, t: usize) {
        let Some(g) = self.go_with(Status::Waiting) else { return };
        self.mention_go(t, g);
        let [id, seq] = self.go_seq(g);
        let stack = self.stack();
        self.emit(t, EventType::GO_UNBLOCK, &[id, seq, stack]);
        self.go(g).status = Status::Runnable;
    }

    fn sweep(&mut self, t: usize, p: usize) {
        if self.procs[p].sweeps {
            self.emit(t, EventType::GC_SWEEP_END, &[4096, 512]);
        } else {
            let stack = self.stack();
            self.emit(t, EventType::GC_SWEEP_BEGIN, &[stack]);
        }
        self.procs[p].sweeps ^= true;
    }

    /// Takes a proc from a thread in a system call.
    fn steal(&mut self, t: usize) {
        let Some(p) = self.proc_with(ProcStatus::Syscall) else { return };
        let holder = self.threads.iter().position(|thread| thread.proc == Some(p));
        let Some(holder) = holder.filter(|&holder| holder != t) else { return };
        let [id, seq] = self.proc_seq(p);
        let thread = self.threads[holder].id;
        self.emit(t, EventType::PROC_STEAL, &[id, seq, thread]);
        self.threads[holder].proc = None;
        self.procs[p].status = ProcStatus::Idle;
    }

    fn act_in_syscall(&mut self, t: usize, p: Option<usize>, g: usize) {
        let in_syscall = p.filter(|&p| self.procs[p].status == ProcStatus::Syscall);
        match (in_syscall, p) {
            (Some(p), _) => match self.choices.below(4) {
                0 => self.proc_stop(t, p),
                1 => {}
                _ => {
                    self.emit(t, EventType::GO_SYSCALL_END, &[]);
                    self.procs[p].status = ProcStatus::Running;
                    self.go(g).status = Status::Running;
                }
            },
            (None, None) if self.choices.once_in(3) => self.proc_start(t),
            (None, None) if self.choices.once_in(6) => {
                self.emit(t, EventType::GO_DESTROY_SYSCALL, &[]);
                self.gos[g] = None;
                self.threads[t].go = None;
            }
            _ => {
                self.emit(t, EventType::GO_SYSCALL_END_BLOCKED, &[]);
                self.go(g).status = Status::Runnable;
                self.threads[t].go = None;
            }
        }
    }

    fn act_as_go(&mut self, t: usize, p: usize, g: usize) {
        let choice = self.choices.below(24);
        let (string, stack) = (self.string(), self.stack());
        match choice {
            0 | 1 => self.go_create(t),
            2 | 3 => self.leave(t, g, EventType::GO_STOP, Status::Runnable),
            4 | 5 => self.leave(t, g, EventType::GO_BLOCK, Status::Waiting),
            6 if !self.go(g).stopped => {
                self.emit(t, EventType::GO_DESTROY, &[]);
                self.gos[g] = None;
                self.threads[t].go = None;
            }
            7..=9 => self.go_unblock(t),
            10 | 11 => {
                let [_, seq] = self.proc_seq(p);
                self.emit(t, EventType::GO_SYSCALL_BEGIN, &[seq, stack]);
                self.procs[p].status = ProcStatus::Syscall;
                self.go(g).status = Status::Syscall;
            }
            12 => self.switch(t, g),
            13 => {
                let stops = std::mem::replace(&mut self.go(g).stopped, true);
                if stops {
                    self.emit(t, EventType::STW_END, &[]);
                    self.go(g).stopped = false;
                } else {
                    self.emit(t, EventType::STW_BEGIN, &[string, stack]);
                }
            }
            14 => self.mark(t, stack),
            15 => {
                if self.go(g).assists {
                    self.emit(t, EventType::GC_MARK_ASSIST_END, &[]);
                } else {
                    self.emit(t, EventType::GC_MARK_ASSIST_BEGIN, &[stack]);
                }
                self.go(g).assists ^= true;
            }
            16 => self.emit(t, EventType::GO_LABEL, &[string]),
            17 => self.task(t, string, stack),
            18 | 19 => self.region(t, g, string, stack),
            20 => self.emit(t, EventType::USER_LOG, &[0, string, string, stack]),
            21 => self.emit(t, EventType::PROCS_CHANGE, &[4, stack]),
            22 => self.emit(t, EventType::HEAP_GOAL, &[string << 20]),
            23 => self.steal(t),
            _ => self.alloc_free(t),
        }
    }

    fn leave(&mut self, t: usize, g: usize, event: EventType, status: Status) {
        let args = [self.string(), self.stack()];
        self.emit(t, event, &args);
        self.go(g).status = status;
        self.threads[t].go = None;
    }

    fn switch(&mut self, t: usize, g: usize) {
        if self.version < Version::Go123 {
            return;
        }
        let Some(other) = self.go_with(Status::Waiting) else { return };
        self.mention_go(t, other);
        let args = self.go_seq(other);
        if self.choices.once_in(3) && !self.go(g).stopped {
            self.emit(t, EventType::GO_SWITCH_DESTROY, &args);
            self.gos[g] = None;
        } else {
            self.emit(t, EventType::GO_SWITCH, &args);
            self.go(g).status = Status::Waiting;
        }
        self.go(other).status = Status::Running;
        self.threads[t].go = Some(other);
    }

    fn mark(&mut self, t: usize, stack: u64) {
        // The first begin of a trace waits for nothing, so that no other may come near it.
        let first = *self.first_mark.get_or_insert(self.generation);
        if first == self.generation && self.gc_seq == 2 {
            return;
        }
        self.gc_seq += 1;
        let seq = self.gc_seq;
        if !self.marks {
            self.emit(t, EventType::GC_BEGIN, &[seq, stack]);
            self.marks = true;
        } else if !self.first && self.choices.once_in(3) {
            self.emit(t, EventType::GC_ACTIVE, &[seq]);
        } else {
            self.emit(t, EventType::GC_END, &[seq]);
            self.marks = false;
        }
    }

    fn task(&mut self, t: usize, name: u64, stack: u64) {
        if self.choices.once_in(2)
            && let Some(task) = self.tasks.pop()
        {
            return self.emit(t, EventType::USER_TASK_END, &[task, stack]);
        }
        let task = self.next_task;
        self.next_task += 1;
        let parent = self.tasks.last().copied().unwrap_or(0);
        self.tasks.push(task);
        self.emit(t, EventType::USER_TASK_BEGIN, &[task, parent, name, stack]);
    }

    fn region(&mut self, t: usize, g: usize, name: u64, stack: u64) {
        let open = self.go(g).regions.last().copied();
        if let (Some((task, name)), true) = (open, self.choices.once_in(2)) {
            self.go(g).regions.pop();
            return self.emit(t, EventType::USER_REGION_END, &[task, name, stack]);
        }
        let task = self.tasks.last().copied().unwrap_or(0);
        self.go(g).regions.push((task, name));
        self.emit(t, EventType::USER_REGION_BEGIN, &[task, name, stack]);
    }

    fn alloc_free(&mut self, t: usize) {
        if self.version >= Version::Go123 {
            let id = u64::from(self.choices.byte());
            self.emit(t, EventType::HEAP_OBJECT_ALLOC, &[id, 1]);
        }
    }

    fn clock(&mut self) {
        let time = self.now;
        let frequency = [1_000_000_000, 15_625_000, 1][self.choices.below(3)];
        let mut items = vec![item(EventType::FREQUENCY, &[frequency])];
        if self.version >= Version::Go125 {
            items.insert(0, item(EventType::SYNC, &[]));
            items.push(item(EventType::CLOCK_SNAPSHOT, &[1, time, 1_700_000_000, 5]));
        }
        self.batch(NONE, time, items);
    }

    fn tables(&mut self) {
        let time = self.now;
        let mut strings = vec![item(EventType::STRINGS, &[])];
        for id in 1..=STRINGS {
            let data = Some(format!("s{id}").into_bytes());
            strings.push(Item { data, ..item(EventType::STRING, &[id]) });
        }
        self.batch(NONE, time, strings);
        let mut stacks = vec![item(EventType::STACKS, &[])];
        for id in 1..=STACKS {
            let mut args = vec![id, id - 1];
            for frame in 1..id {
                args.extend([frame << 8, 1 + frame % STRINGS, frame, 40 + frame]);
            }
            stacks.push(item(EventType::STACK, &args));
        }
        self.batch(NONE, time, stacks);
        let mut samples = vec![item(EventType::CPU_SAMPLES, &[])];
        for _ in 0..self.choices.below(4) {
            let ago = u64::from(self.choices.byte());
            let args = [time.saturating_sub(ago), 100, 0, 1, 1 + ago % STACKS];
            samples.push(item(EventType::CPU_SAMPLE, &args));
        }
        self.batch(NONE, time, samples);
        if self.version >= Version::Go123 && self.choices.once_in(4) {
            let (generation, thread) = (self.generation, NONE);
            let tail = vec![1, 0x80, 0x20, 0x80, 0x40, 8, 0x80, 0x10];
            let batch =
                Batch { experiment: Some(1), generation, thread, time, tail, ..Batch::default() };
            self.parts.push(Part::Batch(batch));
        }
    }
}
