//! What there is: procs, threads, goroutines, and who waits for whom.

use super::tables::Name;
use super::tracer::BatchRef;
use gotrail::{GoId, ProcId, ThreadId};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// The state of a goroutine, with its number on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GoStatus {
    Runnable = 1,
    Running = 2,
    Syscall = 3,
    Waiting = 4,
}

impl GoStatus {
    pub(super) fn name(self) -> &'static str {
        match self {
            GoStatus::Runnable => "Runnable",
            GoStatus::Running => "Running",
            GoStatus::Syscall => "Syscall",
            GoStatus::Waiting => "Waiting",
        }
    }
}

/// The state of a proc, with its number on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProcStatus {
    Running = 1,
    Idle = 2,
    Syscall = 3,
    Abandoned = 4,
}

impl ProcStatus {
    /// As readers show it.
    pub(super) fn name(self) -> &'static str {
        match self {
            ProcStatus::Running | ProcStatus::Syscall => "Running",
            ProcStatus::Idle | ProcStatus::Abandoned => "Idle",
        }
    }
}

/// What the tracer notes of a proc or goroutine: in which generation its status was written last,
/// and the number of its last event there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Traced {
    generation: u64,
    seq: u64,
}

impl Traced {
    /// Whether the status is still to be written in this generation; it counts as written then.
    #[inline]
    pub(super) fn first_sight(&mut self, generation: u64) -> bool {
        let first = self.generation != generation;
        if first {
            *self = Traced { generation, seq: 0 };
        }
        first
    }

    pub(super) fn was_seen(&self, generation: u64) -> bool {
        self.generation == generation
    }

    /// Whether any generation has its status.
    pub(super) fn is_known(&self) -> bool {
        self.generation != 0
    }

    #[inline]
    pub(super) fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }
}

/// What a goroutine is there for: it decides what it does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Goroutine 1. Never ends.
    Main,
    /// Marks while the collector runs.
    Marker,
    /// Accepts connections, and starts a handler for each.
    Acceptor,
    /// Serves one request.
    Handler,
    /// Does whatever the profile says.
    Worker,
    /// Uses an iterator.
    Caller,
    /// Is an iterator.
    Iterator,
    /// A C thread's call into Go.
    Callback,
}

#[derive(Debug, Clone)]
pub(super) struct Goroutine {
    pub(super) id: u64,
    pub(super) status: GoStatus,
    pub(super) alive: bool,
    pub(super) role: Role,
    /// How far its role came.
    pub(super) step: u16,
    pub(super) assists: bool,
    pub(super) traced: Traced,
    /// The thread that it runs on, or that is in its syscall.
    pub(super) thread: u32,
    /// The batch that says that it was unblocked last.
    pub(super) unblocked_in: BatchRef,
    /// The iterator of a caller, the caller of an iterator, the thread of a call from C.
    pub(super) partner: u32,
    /// Its task and the task's name, if it has begun one.
    pub(super) task: u64,
    pub(super) task_parent: u64,
    pub(super) task_name: Name,
    /// Open regions: task and name.
    pub(super) regions: [(u64, Name); 3],
    pub(super) open: u8,
}

/// Nobody.
pub(super) const NOBODY: u32 = u32::MAX;

impl Goroutine {
    pub(super) fn new(id: u64, role: Role, status: GoStatus) -> Goroutine {
        Goroutine {
            id,
            status,
            alive: true,
            role,
            step: 0,
            assists: false,
            traced: Traced::default(),
            thread: NOBODY,
            unblocked_in: BatchRef::default(),
            partner: NOBODY,
            task: 0,
            task_parent: 0,
            task_name: Name(0),
            regions: [(0, Name(0)); 3],
            open: 0,
        }
    }
}

#[derive(Debug)]
pub(super) struct Proc {
    pub(super) id: u64,
    pub(super) status: ProcStatus,
    pub(super) traced: Traced,
    /// The thread that holds it, or is in a syscall with it.
    pub(super) thread: u32,
    /// The id of the thread that was in a syscall with it last, and since when.
    pub(super) syscall_thread: u64,
    pub(super) since: u64,
    pub(super) queue: VecDeque<u32>,
    pub(super) sweeping: bool,
    /// It has yet to sweep after the last collection.
    pub(super) to_sweep: bool,
    /// It is beyond GOMAXPROCS.
    pub(super) retired: bool,
}

impl Proc {
    pub(super) fn new(id: u64) -> Proc {
        Proc {
            id,
            status: ProcStatus::Idle,
            traced: Traced::default(),
            thread: NOBODY,
            syscall_thread: 0,
            since: 0,
            queue: VecDeque::new(),
            sweeping: false,
            to_sweep: false,
            retired: false,
        }
    }
}

/// What a thread is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// Nothing; it can be woken.
    Parked,
    /// It was woken, and looks for a proc.
    Waking,
    /// It has a proc, and mostly a goroutine.
    Running,
    /// Its goroutine is in a syscall.
    Syscall,
    /// It is a C thread outside of Go.
    Outside,
    /// It is a C thread whose call waits, for a proc or for something else.
    Locked,
    /// It looks after procs in syscalls.
    Monitor,
    /// It is gone; its id may be used again.
    Gone,
}

#[derive(Debug, Clone)]
pub(super) struct Thread {
    pub(super) id: u64,
    pub(super) doing: Doing,
    pub(super) proc: Option<u32>,
    pub(super) go: Option<u32>,
    /// When it does the next thing.
    pub(super) due: u64,
    /// It was made by C.
    pub(super) foreign: bool,
}

/// Everything.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) procs: Vec<Proc>,
    pub(super) threads: Vec<Thread>,
    pub(super) goroutines: Vec<Goroutine>,
    free: Vec<u32>,
    pub(super) alive: usize,
    last_go: u64,
    /// Procs without a thread.
    pub(super) idle: Vec<u32>,
    /// Threads that can be woken.
    pub(super) parked: Vec<u32>,
    /// How many threads were woken, and look for a proc.
    pub(super) waking: usize,
    /// Goroutines that any proc may run.
    pub(super) queue: VecDeque<u32>,
    /// How many goroutines are in a queue.
    pub(super) queued: usize,
    /// Goroutines that wait for another.
    pub(super) waiting: Vec<u32>,
    /// Goroutines that wait for a time, or for the network.
    pub(super) sleeping: BinaryHeap<Reverse<(u64, u32)>>,
    /// When threads do their next thing.
    pub(super) agenda: BinaryHeap<Reverse<(u64, u32)>>,
    /// Places and ids of threads that are gone.
    gone: Vec<u32>,
    used_ids: Vec<u64>,
    next_thread: u64,
}

impl World {
    /// The place and id of a new goroutine.
    pub(super) fn add_goroutine(&mut self, role: Role, status: GoStatus) -> u32 {
        self.last_go += 1;
        self.alive += 1;
        let go = Goroutine::new(self.last_go, role, status);
        match self.free.pop() {
            Some(at) => {
                self.goroutines[at as usize] = go;
                at
            }
            None => {
                self.goroutines.push(go);
                self.goroutines.len() as u32 - 1
            }
        }
    }

    pub(super) fn remove_goroutine(&mut self, at: u32) {
        self.goroutines[at as usize].alive = false;
        self.alive -= 1;
        self.free.push(at);
    }

    /// A new thread, with a new id from `first_id` on, or that of one that is gone.
    pub(super) fn add_thread(
        &mut self,
        doing: Doing,
        foreign: bool,
        first_id: u64,
        reuses: bool,
    ) -> u32 {
        let used = if reuses { self.used_ids.pop() } else { None };
        let id = used.unwrap_or_else(|| {
            self.next_thread = self.next_thread.max(first_id) + 1;
            self.next_thread
        });
        let thread = Thread { id, doing, proc: None, go: None, due: u64::MAX, foreign };
        match self.gone.pop() {
            Some(at) => {
                self.threads[at as usize] = thread;
                at
            }
            None => {
                self.threads.push(thread);
                self.threads.len() as u32 - 1
            }
        }
    }

    /// A thread ends: its place and its id can be used again.
    pub(super) fn remove_thread(&mut self, at: u32) {
        let thread = &mut self.threads[at as usize];
        (thread.doing, thread.due) = (Doing::Gone, u64::MAX);
        self.used_ids.push(thread.id);
        self.gone.push(at);
    }

    /// Enters a thread's next act.
    #[inline]
    pub(super) fn plan(&mut self, thread: u32, due: u64) {
        self.threads[thread as usize].due = due;
        self.agenda.push(Reverse((due, thread)));
    }

    /// Puts a runnable goroutine into a queue: a proc's, or the common one.
    #[inline]
    pub(super) fn enqueue(&mut self, go: u32, proc: Option<u32>) {
        self.queued += 1;
        match proc {
            Some(proc) => self.procs[proc as usize].queue.push_back(go),
            None => self.queue.push_back(go),
        }
    }

    /// The next goroutine for a proc: its own, the common ones', another proc's.
    pub(super) fn dequeue(&mut self, proc: u32, rng: &mut fastrand::Rng) -> Option<u32> {
        if self.queued == 0 {
            return None;
        }
        // Now and then the common ones come first, so that they come at all.
        let mut found = if rng.u8(..61) == 0 { self.queue.pop_front() } else { None };
        if found.is_none() {
            found = self.procs[proc as usize].queue.pop_front();
        }
        if found.is_none() {
            found = self.queue.pop_front();
        }
        if found.is_none() {
            let count = self.procs.len();
            let start = rng.usize(..count);
            let mut all = (start..count).chain(0..start);
            found = all.find_map(|other| self.procs[other].queue.pop_front());
        }
        self.queued -= usize::from(found.is_some());
        found
    }

    /// A proc without a thread, the last one that became idle first: out of the idle ones.
    pub(super) fn take_idle(&mut self) -> Option<u32> {
        self.idle.pop()
    }

    pub(super) fn make_idle(&mut self, proc: u32) {
        let p = &mut self.procs[proc as usize];
        (p.status, p.thread) = (ProcStatus::Idle, NOBODY);
        if !p.retired {
            self.idle.push(proc);
        }
    }

    pub(super) fn thread_id(&self, thread: u32) -> ThreadId {
        ThreadId(self.threads[thread as usize].id as i64)
    }

    pub(super) fn proc_id(&self, proc: Option<u32>) -> ProcId {
        proc.map_or(ProcId::NONE, |proc| ProcId(self.procs[proc as usize].id as i64))
    }

    pub(super) fn go_id(&self, go: Option<u32>) -> GoId {
        go.map_or(GoId::NONE, |go| GoId(self.goroutines[go as usize].id as i64))
    }
}
