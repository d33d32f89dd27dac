//! Statuses of goroutines.

use super::*;
use crate::builder::{NoStack, NoThread, Raw, StackFrame};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = known();
    cases.extend(in_syscalls());
    cases
}

fn known() -> Vec<Case> {
    vec![
        case(
            "goroutine-status-out-of-range",
            &[19],
            Go122,
            "There is no status 5 of a goroutine.",
            |t| {
                t.expect_failure("invalid status.* goroutine 1");
                let b = t.generation(1).batch(T5, 10);
                b.event("GoStatus", (G2, NoThread, GoRunnable));
                b.event("GoStatus", (G1, T5, Raw(5)));
            },
        ),
        case(
            "goroutine-statuses-in-the-first-generation",
            &[20, 24, 25, 27],
            Go122,
            "Each status of a goroutine at its first sight. Where it comes from is not known. Only \
             running and being in a system call bind a goroutine to the thread, and for a running \
             one the thread that the event names does not count.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GoStatus", (GoId(10), T5, GoBad));
                b.event("GoStatus", (GoId(11), T5, GoRunnable));
                b.event("GoStatus", (GoId(14), NoThread, GoWaiting));
                b.event("HeapAlloc", (1,));
                b.event("GoStatus", (GoId(13), T5, GoSyscall));
                b.event("HeapAlloc", (2,));
                b.event("GoStatus", (GoId(12), T7, GoRunning));
                b.event("HeapAlloc", (3,));
            },
        ),
        case(
            "goroutine-status-with-a-stack",
            &[20, 22, 25],
            Go123,
            "From 1.23 on, goroutines that did not run in a generation have a status with the \
             stack at which they wait. It is ordered as a status without one.",
            |t| {
                let frames = [StackFrame::new(0x401000, "main.wait", "main.go", 7)];
                let g = t.generation(1);
                running(g.batch(T5, 10), T5, P0, G1);
                let b = g.batch(NoThread, 20);
                b.event("GoStatusStack", (G2, NoThread, GoWaiting, frames.clone()));
                let g = t.generation(2);
                running(g.batch(T5, 30), T5, P0, G1);
                let b = g.batch(NoThread, 40);
                b.event("GoStatusStack", (G2, NoThread, GoWaiting, frames));
            },
        ),
        case(
            "goroutine-status-in-a-later-generation",
            &[21],
            Go126,
            "A goroutine that has a status in the second generation must have had one in the \
             first, or must have been created.",
            |t| {
                t.expect_failure("found goroutine status for new goroutine");
                running(t.generation(1).batch(T5, 10), T5, P0, G1);
                let b = t.generation(2).batch(T5, 20);
                running(b, T5, P0, G1);
                b.event("GoStatus", (G2, NoThread, GoWaiting));
            },
        ),
        case(
            "goroutine-status-repeated",
            &[22, 33, 34],
            Go122,
            "A status that says what is known sets the sequence number back to 0: the next start \
             is number 1 again.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GoStatus", (G1, NoThread, GoRunnable));
                b.event("GoStart", (G1, Seq(1)));
                b.event("GoStop", ("preempted", NoStack));
                b.event("GoStatus", (G1, NoThread, GoRunnable));
                b.event("GoStart", (G1, Seq(1)));
            },
        ),
        case(
            "goroutine-status-contradicts",
            &[23],
            Go122,
            "A goroutine that waits is said to be runnable, without having been unblocked.",
            |t| {
                t.expect_failure("inconsistent status for goroutine 1");
                let b = t.generation(1).batch(T5, 10);
                b.event("GoStatus", (G1, NoThread, GoWaiting));
                b.event("GoStatus", (G1, NoThread, GoRunnable));
            },
        ),
        case(
            "goroutine-status-contradicts-the-generation-before",
            &[23],
            Go126,
            "States carry over: a goroutine that ran when a generation ended cannot wait when the \
             next one begins.",
            |t| {
                t.expect_failure("inconsistent status for goroutine 1");
                running(t.generation(1).batch(T5, 10), T5, P0, G1);
                let b = t.generation(2).batch(T5, 20);
                b.event("GoStatus", (G1, NoThread, GoWaiting));
            },
        ),
    ]
}

fn in_syscalls() -> Vec<Case> {
    vec![
        case(
            "goroutine-in-a-syscall-without-a-thread",
            &[26],
            Go122,
            "A goroutine in a system call is on a thread; which one has to be said.",
            |t| {
                t.expect_failure("found goroutine 1 in syscall without a thread");
                t.generation(1).batch(T5, 10).event("GoStatus", (G1, NoThread, GoSyscall));
            },
        ),
        case(
            "goroutine-in-a-syscall-on-its-thread",
            &[27, 45],
            Go122,
            "In the first generation the status binds the goroutine to its thread, which leaves \
             the system call then.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                in_syscall(b, T5, P0, G1);
                b.event("GoSyscallEnd", ());
            },
        ),
        case(
            "goroutine-in-a-syscall-in-a-later-generation",
            &[27, 44, 45],
            Go126,
            "In a later generation the thread has the goroutine already when its status repeats \
             that it is in a system call.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GoSyscallBegin", (Seq(1), NoStack));
                let b = t.generation(2).batch(T5, 20);
                in_syscall(b, T5, P0, G1);
                b.event("GoSyscallEnd", ());
            },
        ),
        case(
            "goroutine-in-a-syscall-on-another-thread-in-a-later-generation",
            &[27],
            Go126,
            "In the second generation another thread says that it has the goroutine that is in a \
             system call. It would have had to say so in the first one.",
            |t| {
                t.expect_failure("inconsistent thread for syscalling goroutine 1");
                let b = t.generation(1).batch(T5, 10);
                b.event("GoStatus", (G1, T5, GoSyscall));
                let b = t.generation(2).batch(T6, 20);
                b.event("GoStatus", (G1, T6, GoSyscall));
            },
        ),
        case(
            "goroutine-in-a-syscall-said-by-another-thread",
            &[28, 3],
            Go122,
            "A thread that is known is in a system call with its goroutine, and another thread \
             says so. The event happens on the named thread, with the proc of the one that wrote \
             it.",
            |t| {
                let g = t.generation(1);
                g.batch(T5, 10).event("GoStatus", (G1, T5, GoSyscall));
                let b = g.batch(T6, 20);
                running(b, T6, P1, G2);
                b.event("GoStatus", (G1, T5, GoSyscall));
                b.event("GoLabel", ("still goroutine 2",));
            },
        ),
        case(
            "goroutine-in-a-syscall-on-a-thread-that-has-another",
            &[28],
            Go122,
            "A thread says that another one is in a system call with a goroutine. But that one \
             runs a different goroutine: in every generation this is an error.",
            |t| {
                t.expect_failure("inconsistent thread for syscalling goroutine 1");
                let g = t.generation(1);
                running(g.batch(T5, 10), T5, P0, G2);
                g.batch(T6, 20).event("GoStatus", (G1, T5, GoSyscall));
            },
        ),
        case(
            "goroutine-in-a-syscall-on-a-thread-never-seen",
            &[29, 47],
            Go122,
            "At the end of a generation the runtime writes, on no thread, which goroutine has been \
             in a system call all the time and where. The thread is known from then on, and in the \
             next generation it returns.",
            |t| {
                let g = t.generation(1);
                running(g.batch(T6, 10), T6, P0, G2);
                g.batch(NoThread, 20).event("GoStatus", (G1, T5, GoSyscall));
                let b = t.generation(2).batch(T5, 30);
                b.event("GoStatus", (G1, T5, GoSyscall));
                b.event("GoSyscallEndBlocked", ());
            },
        ),
        case(
            "goroutine-in-a-syscall-over-three-generations",
            &[27, 28, 29, 47],
            Go126,
            "A goroutine is in a system call before the trace begins and returns in its third \
             generation. Each generation says, on no thread, on which thread it is; always on the \
             same one.",
            |t| {
                for (number, time) in [(1, 10), (2, 30)] {
                    let g = t.generation(number);
                    running(g.batch(T6, time), T6, P0, G2);
                    g.batch(NoThread, time + 10).event("GoStatus", (G1, T5, GoSyscall));
                }
                let g = t.generation(3);
                running(g.batch(T6, 50), T6, P0, G2);
                let b = g.batch(T5, 60);
                b.event("GoStatus", (G1, T5, GoSyscall));
                b.event("GoSyscallEndBlocked", ());
            },
        ),
        case(
            "goroutine-in-a-syscall-over-three-generations-on-a-wrong-thread",
            &[27, 29],
            Go122,
            "As long as the goroutine does not return, each generation says that it is in a system \
             call on thread 0, which is a number of the runtime and not of the system. When it \
             returns on thread 5, this comes out: thread 5 does not have it. Go 1.22 had this \
             mistake before its release (go.dev/issue/65196).",
            |t| {
                t.expect_failure("inconsistent thread for syscalling goroutine 1");
                for (number, time) in [(1, 10), (2, 30)] {
                    let g = t.generation(number);
                    running(g.batch(T6, time), T6, P0, G2);
                    g.batch(NoThread, time + 10).event("GoStatus", (G1, ThreadId(0), GoSyscall));
                }
                let g = t.generation(3);
                running(g.batch(T6, 50), T6, P0, G2);
                let b = g.batch(T5, 60);
                b.event("GoStatus", (G1, T5, GoSyscall));
                b.event("GoSyscallEndBlocked", ());
            },
        ),
    ]
}
