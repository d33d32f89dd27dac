//! The project's own test traces: for each rule of order in docs/format.md at least one, with why
//! it matters, and what a reader should say to it.
//!
//! They are kept as archives in `testdata/archives`, each beside the events that Go's own reader
//! delivers of it; `cargo xtask archives --bless` writes both anew.
//!
//! One module for each theme:
//!
//! | module | cases |
//! |---|---|
//! | `threads` | what a thread is known by, and what it is bound to |
//! | `procs` | statuses, starts and stops of procs |
//! | `steals` | procs stolen from threads in system calls |
//! | `statuses` | statuses of goroutines |
//! | `goroutines` | their life: creation, start, stop, block, end |
//! | `switches` | coroutines |
//! | `syscalls` | system calls, and C calling into Go |
//! | `gc` | cycles of the garbage collector |
//! | `ranges` | sweeps, mark assists, the stopped world |
//! | `annotations` | metrics, labels, logs, tasks, regions |
//! | `experiments` | events and batches of experiments |
//! | `generations` | what carries over from one generation to the next |
//! | `times` | equal times, times that go backwards, CPU samples |
//! | `long` | long batches, through which a reader may take a quick way |
//! | `golang` | the situations of Go's own list |

mod annotations;
mod experiments;
mod gc;
mod generations;
pub mod golang;
mod goroutines;
pub mod index;
mod long;
mod procs;
mod ranges;
mod statuses;
mod steals;
mod switches;
mod syscalls;
mod threads;
mod times;

use crate::builder::{Batch, BuildError, GoStatus, ProcStatus, Seq, TestTrace};
use crate::{Archive, GoId, ProcId, ThreadId, Version};

/// A test trace of the suite.
#[derive(Debug)]
pub struct Case {
    /// Its name, which is that of its files too.
    pub name: &'static str,
    /// The numbers of the rules that it is for: 5 is O-5. None if it is about times, samples or
    /// the frame of generations, which sections 6 to 9 of docs/format.md are about.
    pub rules: &'static [u8],
    /// What happens in it and why that matters.
    pub about: &'static str,
    /// The trace.
    pub trace: TestTrace,
}

impl Case {
    /// The archive, with what the case is about in front.
    pub fn archive(&self) -> Result<Archive, BuildError> {
        let mut archive = self.trace.to_archive()?;
        archive.comment = self.comment().into_bytes();
        Ok(archive)
    }

    fn comment(&self) -> String {
        let mut comment = index::wrapped(self.about);
        if !self.rules.is_empty() {
            let rules: Vec<_> = self.rules.iter().map(|rule| format!("O-{rule}")).collect();
            comment.push_str(&index::wrapped(&format!("Rules: {}.", rules.join(", "))));
        }
        comment
    }
}

/// All cases, by theme.
pub fn cases() -> Vec<Case> {
    let themes = [
        threads::cases,
        procs::cases,
        steals::cases,
        statuses::cases,
        goroutines::cases,
        switches::cases,
        syscalls::cases,
        gc::cases,
        ranges::cases,
        annotations::cases,
        experiments::cases,
        generations::cases,
        times::cases,
        long::cases,
        golang::cases,
    ];
    themes.into_iter().flat_map(|theme| theme()).collect()
}

/// A case in which a clock unit is a nanosecond.
fn case(
    name: &'static str,
    rules: &'static [u8],
    version: Version,
    about: &'static str,
    write: impl FnOnce(&TestTrace),
) -> Case {
    let trace = TestTrace::new(version);
    trace.frequency(1_000_000_000);
    write(&trace);
    Case { name, rules, about, trace }
}

/// A proc runs a goroutine on a thread: how most cases begin.
fn running(batch: Batch<'_>, thread: ThreadId, proc: ProcId, go: GoId) {
    batch.event("ProcStatus", (proc, ProcRunning));
    batch.event("GoStatus", (go, thread, GoRunning));
}

/// The same in a system call: what each later generation says of it.
fn in_syscall(batch: Batch<'_>, thread: ThreadId, proc: ProcId, go: GoId) {
    batch.event("ProcStatus", (proc, ProcSyscall));
    batch.event("GoStatus", (go, thread, GoSyscall));
}

/// No thread's next event can happen.
const STUCK: &str = "failed to advance";

const T5: ThreadId = ThreadId(5);
const T6: ThreadId = ThreadId(6);
const T7: ThreadId = ThreadId(7);
const P0: ProcId = ProcId(0);
const P1: ProcId = ProcId(1);
const P2: ProcId = ProcId(2);
const G1: GoId = GoId(1);
const G2: GoId = GoId(2);
const G3: GoId = GoId(3);
use GoStatus::{
    Bad as GoBad, Runnable as GoRunnable, Running as GoRunning, Syscall as GoSyscall,
    Waiting as GoWaiting,
};
use ProcStatus::{
    Bad as ProcBad, Idle as ProcIdle, Running as ProcRunning, Syscall as ProcSyscall,
    SyscallAbandoned as ProcAbandoned,
};
use Version::{Go122, Go123, Go125, Go126};
