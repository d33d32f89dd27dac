//! The situations of Go's own list, written with this project's builder.
//!
//! The expectation and the trace are byte for byte those of the archives of the same names that
//! the Go distribution has. Conformance compares them with the archives and, since these were not
//! all made by the newest generators, with what those write today. Three more of Go's archives are
//! recordings, without a generator: conformance reads those as they are.

use super::*;
use crate::EventType;
use crate::TaskId;
use crate::builder::{NoStack, NoThread};

pub(super) fn cases() -> Vec<Case> {
    written_by(Generator::OfTheArchives)
}

/// Which of Go's generators is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generator {
    /// The one that made the archive: that of Go 1.22 for traces of 1.22. It gave the batches of
    /// frequencies and tables the time 0.
    OfTheArchives,
    /// That of the newest Go.
    Newest,
}

/// The cases as one of Go's generators writes them.
pub fn written_by(generator: Generator) -> Vec<Case> {
    let case = |name, rules, version, about, write: fn(&TestTrace)| {
        let trace = TestTrace::new(version);
        if version == Go122 && generator == Generator::OfTheArchives {
            trace.tables_at_time_zero();
        }
        write(&trace);
        Case { name, rules, about, trace }
    };
    vec![
        case(
            "go122-confuse-seq-across-generations",
            &[33, 22],
            Go122,
            "A goroutine starts with number 2 in the second generation, early by the clock, when \
             its number from the first generation is 1. That number is of no use any more: the \
             start follows the one with number 1 of its own generation.",
            confuse_seq_across_generations,
        ),
        case(
            "go122-create-syscall-reuse-thread-id",
            &[39, 16, 32],
            Go122,
            "A C thread calls into Go, returns and dies with a proc. A new thread with its id \
             takes another proc and steals the one left behind, from itself as it seems \
             (go.dev/issue/64060).",
            create_syscall_reuse_thread_id,
        ),
        case(
            "go122-create-syscall-with-p",
            &[32, 39, 45],
            Go122,
            "A C thread calls into Go for the second time and comes out of its system call as if \
             it still had the proc of the first. The return to C has taken that proc away.",
            create_syscall_with_p,
        ),
        case(
            "go122-fail-first-gen-first",
            &[30],
            Go122,
            "The first generation has a creation without a proc, and the second one a batch that \
             is cut off. What is wrong in the first has to be said first.",
            fail_first_gen_first,
        ),
        case(
            "go122-go-create-without-running-g",
            &[30, 34],
            Go122,
            "A goroutine is created on a thread that runs none.",
            go_create_without_running_g,
        ),
        case(
            "go122-syscall-steal-proc-ambiguous",
            &[15, 18, 45],
            Go122,
            "Two system calls on one proc, which is stolen in the second. Without times, numbers \
             alone say in which.",
            steal_ambiguous,
        ),
        case(
            "go122-syscall-steal-proc-gen-boundary-bare-m",
            &[16, 27, 47],
            Go122,
            "The trace begins between a system call and its return. Its proc is abandoned and is \
             stolen by a thread that runs nothing; the one that returns runs another proc already.",
            |t| steal_at_boundary(t, Thief::Bare, false),
        ),
        case(
            "go122-syscall-steal-proc-gen-boundary-reacquire-new-proc-bare-m",
            &[13, 16, 47],
            Go122,
            "The same, and the new proc is started within the trace.",
            |t| steal_at_boundary(t, Thief::Bare, true),
        ),
        case(
            "go122-syscall-steal-proc-gen-boundary-reacquire-new-proc",
            &[13, 16, 47],
            Go122,
            "The same, and the thief runs a goroutine.",
            |t| steal_at_boundary(t, Thief::Running, true),
        ),
        case(
            "go122-syscall-steal-proc-gen-boundary",
            &[16, 27, 47],
            Go122,
            "The trace begins between a system call and its return, the thief runs a goroutine, \
             and the thread that returns runs another proc already.",
            |t| steal_at_boundary(t, Thief::Running, false),
        ),
        case(
            "go122-syscall-steal-proc-reacquire-new-proc-bare-m",
            &[12, 15, 18, 47],
            Go122,
            "A goroutine comes back from a system call with a new proc. The old one is stolen by a \
             thread that runs nothing; the new one cannot start before.",
            |t| steal(t, Thief::Bare, true),
        ),
        case(
            "go122-syscall-steal-proc-reacquire-new-proc",
            &[12, 15, 18, 47],
            Go122,
            "The same, and the thief runs a goroutine.",
            |t| steal(t, Thief::Running, true),
        ),
        case(
            "go122-syscall-steal-proc-self",
            &[17, 13],
            Go122,
            "A thread steals its own proc out of its system call and starts it again, without any \
             time passing.",
            steal_from_oneself,
        ),
        case(
            "go122-syscall-steal-proc-simple-bare-m",
            &[15, 18, 46],
            Go122,
            "A system call blocks, and a thread that runs nothing steals its proc.",
            |t| steal(t, Thief::Bare, false),
        ),
        case(
            "go122-syscall-steal-proc-simple",
            &[15, 18, 46],
            Go122,
            "A system call blocks, and a thread that runs a goroutine steals its proc.",
            |t| steal(t, Thief::Running, false),
        ),
        case(
            "go122-syscall-steal-proc-sitting-in-syscall",
            &[16, 29],
            Go122,
            "A goroutine is in a system call throughout the generation and its proc is stolen. \
             Only the status at the end, on no thread, tells of that goroutine's thread.",
            steal_while_sitting,
        ),
        case(
            "go122-task-across-generations",
            &[64, 65],
            Go122,
            "A task begins in one generation and ends in the next.",
            task_across_generations,
        ),
        case(
            "go123-sync",
            &[],
            Go123,
            "Three generations with their frequencies, one of them without any event.",
            sync_123,
        ),
        case(
            "go125-sync",
            &[],
            Go125,
            "Three generations with frequencies and clocks, one of them without any event.",
            sync_125,
        ),
    ]
}

/// What the archive of `go122-create-syscall-with-p` was at first, when the reader let a thread
/// keep its proc between two calls from C: without times, and good.
pub fn create_syscall_with_p_at_first() -> TestTrace {
    let trace = TestTrace::new(Go122);
    trace.tables_at_time_zero();
    trace.disable_timestamps();
    calls_from_c(&trace);
    trace
}

fn confuse_seq_across_generations(t: &TestTrace) {
    let g = t.generation(1);
    let b = g.batch(ThreadId(0), 0);
    running(b, ThreadId(0), P0, G1);
    b.event("GoStop", ("whatever", NoStack));
    let b = g.batch(ThreadId(1), 0);
    b.event("ProcStatus", (P1, ProcRunning));
    b.event("GoStart", (G1, Seq(1)));
    b.event("GoStop", ("whatever", NoStack));

    let g = t.generation(2);
    let b = g.batch(ThreadId(1), 3);
    b.event("ProcStatus", (P1, ProcRunning));
    b.event("GoStart", (G1, Seq(2)));
    let b = g.batch(ThreadId(0), 5);
    b.event("ProcStatus", (P0, ProcRunning));
    b.event("GoStatus", (G1, ThreadId(0), GoRunnable));
    b.event("GoStart", (G1, Seq(1)));
    b.event("GoStop", ("whatever", NoStack));
}

fn create_syscall_reuse_thread_id(t: &TestTrace) {
    let g = t.generation(1);
    let b = g.batch(ThreadId(0), 0);
    b.event("GoCreateSyscall", (GoId(4),));
    b.event("GoSyscallEndBlocked", ());
    b.event("ProcStatus", (P0, ProcIdle));
    b.event("ProcStart", (P0, Seq(1)));
    b.event("GoStatus", (GoId(4), NoThread, GoRunnable));
    b.event("GoStart", (GoId(4), Seq(1)));
    b.event("GoSyscallBegin", (Seq(2), NoStack));
    b.event("GoDestroySyscall", ());
    let b = g.batch(ThreadId(0), 0);
    b.event("ProcStatus", (P1, ProcIdle));
    b.event("ProcStart", (P1, Seq(1)));
    b.event("ProcSteal", (P0, Seq(3), ThreadId(0)));
}

fn create_syscall_with_p(t: &TestTrace) {
    t.expect_failure(".*expected a proc but didn't have one.*");
    calls_from_c(t);
}

fn calls_from_c(t: &TestTrace) {
    let b = t.generation(1).batch(ThreadId(0), 0);
    b.event("GoCreateSyscall", (GoId(4),));
    b.event("ProcStatus", (P0, ProcIdle));
    b.event("ProcStart", (P0, Seq(1)));
    b.event("GoSyscallEndBlocked", ());
    b.event("GoStart", (GoId(4), Seq(1)));
    b.event("GoSyscallBegin", (Seq(2), NoStack));
    b.event("GoDestroySyscall", ());
    b.event("GoCreateSyscall", (GoId(4),));
    b.event("GoSyscallEnd", ());
    b.event("GoSyscallBegin", (Seq(3), NoStack));
    b.event("GoDestroySyscall", ());
}

fn fail_first_gen_first(t: &TestTrace) {
    t.expect_failure("expected a proc but didn't have one");
    t.raw_event(EventType::EVENT_BATCH, &[1, 0, 0, 5]);
    t.raw_event(EventType::FREQUENCY, &[15_625_000]);
    t.raw_event(EventType::EVENT_BATCH, &[1, 0, 0, 5]);
    t.raw_event(EventType::GO_CREATE, &[0, 1, 0, 0]);
    t.raw_event(EventType::EVENT_BATCH, &[2, 0, 0, 50]);
}

fn go_create_without_running_g(t: &TestTrace) {
    let b = t.generation(1).batch(ThreadId(0), 0);
    b.event("ProcStatus", (P0, ProcRunning));
    b.event("GoCreate", (GoId(5), NoStack, NoStack));
    b.event("GoStart", (GoId(5), Seq(1)));
    b.event("GoStop", ("whatever", NoStack));
}

fn steal_ambiguous(t: &TestTrace) {
    t.disable_timestamps();
    let g = t.generation(1);
    let b = g.batch(ThreadId(0), 0);
    running(b, ThreadId(0), P0, G1);
    b.event("GoSyscallBegin", (Seq(1), NoStack));
    b.event("GoSyscallEnd", ());
    b.event("GoSyscallBegin", (Seq(2), NoStack));
    b.event("GoSyscallEndBlocked", ());
    let b = g.batch(ThreadId(1), 0);
    running(b, ThreadId(1), P2, G2);
    b.event("ProcSteal", (P0, Seq(3), ThreadId(0)));
}

/// What the thread has that steals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Thief {
    /// Nothing.
    Bare,
    /// A proc and a goroutine.
    Running,
}

fn steal_at_boundary(t: &TestTrace, thief: Thief, starts_new_proc: bool) {
    let g = t.generation(1);
    let b = g.batch(ThreadId(0), 0);
    if starts_new_proc {
        b.event("GoStatus", (G1, ThreadId(0), GoSyscall));
        b.event("ProcStatus", (P1, ProcIdle));
        b.event("ProcStart", (P1, Seq(1)));
    } else {
        b.event("ProcStatus", (P1, ProcRunning));
        b.event("GoStatus", (G1, ThreadId(0), GoSyscall));
    }
    b.event("GoSyscallEndBlocked", ());
    let b = g.batch(ThreadId(1), 0);
    if thief == Thief::Running {
        running(b, ThreadId(1), P2, G2);
    }
    b.event("ProcStatus", (P0, ProcAbandoned));
    b.event("ProcSteal", (P0, Seq(1), ThreadId(0)));
}

fn steal(t: &TestTrace, thief: Thief, starts_new_proc: bool) {
    let g = t.generation(1);
    let b = g.batch(ThreadId(0), 0);
    if starts_new_proc {
        b.event("ProcStatus", (P1, ProcIdle));
    }
    running(b, ThreadId(0), P0, G1);
    b.event("GoSyscallBegin", (Seq(1), NoStack));
    if starts_new_proc {
        b.event("ProcStart", (P1, Seq(1)));
    }
    b.event("GoSyscallEndBlocked", ());
    let b = g.batch(ThreadId(1), 0);
    if thief == Thief::Running {
        running(b, ThreadId(1), P2, G2);
    }
    b.event("ProcSteal", (P0, Seq(2), ThreadId(0)));
}

fn steal_from_oneself(t: &TestTrace) {
    t.disable_timestamps();
    let b = t.generation(1).batch(ThreadId(0), 0);
    running(b, ThreadId(0), P0, G1);
    b.event("GoSyscallBegin", (Seq(1), NoStack));
    b.event("ProcSteal", (P0, Seq(2), ThreadId(0)));
    b.event("ProcStart", (P0, Seq(3)));
    b.event("GoSyscallEndBlocked", ());
}

fn steal_while_sitting(t: &TestTrace) {
    let g = t.generation(1);
    let b = g.batch(ThreadId(0), 0);
    b.event("ProcStatus", (P0, ProcAbandoned));
    b.event("ProcSteal", (P0, Seq(1), ThreadId(1)));
    let b = g.batch(NoThread, 0);
    b.event("GoStatus", (G1, ThreadId(1), GoSyscall));
}

fn task_across_generations(t: &TestTrace) {
    let b = t.generation(1).batch(ThreadId(0), 0);
    running(b, ThreadId(0), P0, G1);
    b.event("UserTaskBegin", (TaskId(2), TaskId(0), "my task", NoStack));
    let b = t.generation(2).batch(ThreadId(0), 5);
    running(b, ThreadId(0), P0, G1);
    b.event("UserTaskEnd", (TaskId(2), NoStack));
}

fn sync_123(t: &TestTrace) {
    let g = t.generation(1);
    g.sync(1_000_000_000, 10);
    g.batch(ThreadId(1), 15).event("ProcStatus", (P0, ProcRunning));
    t.generation(2).sync(500_000_000, 20);
    let g = t.generation(3);
    g.batch(ThreadId(1), 30).event("ProcStatus", (P0, ProcRunning));
    g.sync(500_000_000, 40);
}

fn sync_125(t: &TestTrace) {
    // The 28th of February 2025, 15:04:09 UTC.
    let start = 1_740_755_049;
    let g = t.generation(1);
    g.sync_with_clocks(1_000_000_000, 10, 99, (start, 123));
    g.batch(ThreadId(1), 15).event("ProcStatus", (P0, ProcRunning));
    t.generation(2).sync_with_clocks(500_000_000, 20, 199, (start + 1, 123));
    let g = t.generation(3);
    g.sync_with_clocks(500_000_000, 30, 299, (start + 2, 123));
    g.batch(ThreadId(1), 40).event("ProcStatus", (P0, ProcRunning));
}
