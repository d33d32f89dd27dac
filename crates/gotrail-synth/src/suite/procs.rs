//! Statuses, starts and stops of procs.

use super::*;
use crate::builder::{NoStack, NoThread, Raw};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = statuses();
    cases.extend(starts());
    cases.extend(stops());
    cases
}

fn statuses() -> Vec<Case> {
    vec![
        case("proc-status-out-of-range", &[4], Go122, "There is no status 5 of a proc.", |t| {
            t.expect_failure("invalid status.* proc 0");
            let b = t.generation(1).batch(T5, 10);
            b.event("ProcStatus", (P1, ProcIdle));
            b.event("ProcStatus", (P0, Raw(5)));
        }),
        case(
            "proc-statuses-in-the-first-generation",
            &[5, 11],
            Go122,
            "Each status of a proc at its first sight. Where it comes from is not known. Those \
             that run or are in a system call become the thread's, one after the other.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (ProcId(10), ProcBad));
                b.event("ProcStatus", (ProcId(11), ProcRunning));
                b.event("ProcStatus", (ProcId(12), ProcIdle));
                b.event("ProcStatus", (ProcId(13), ProcSyscall));
                b.event("ProcStatus", (ProcId(14), ProcAbandoned));
                b.event("HeapAlloc", (1,));
            },
        ),
        case(
            "proc-appears-in-a-later-generation",
            &[6, 11],
            Go126,
            "GOMAXPROCS was raised: a proc that is first seen in the second generation did not \
             exist before.",
            |t| {
                t.generation(1).batch(T5, 10).event("ProcStatus", (P0, ProcRunning));
                let b = t.generation(2).batch(T5, 20);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("ProcStatus", (P1, ProcIdle));
                b.event("ProcStatus", (P2, ProcRunning));
            },
        ),
        case(
            "proc-status-repeated",
            &[7, 11, 13],
            Go122,
            "A status that says what is known sets the sequence number back to 0, even within a \
             generation, so that the next start is number 1 again.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcIdle));
                b.event("ProcStart", (P0, Seq(1)));
                b.event("ProcStop", ());
                b.event("ProcStatus", (P0, ProcIdle));
                b.event("ProcStart", (P0, Seq(1)));
                b.event("ProcStatus", (P0, ProcRunning));
            },
        ),
        case(
            "abandoned-status-of-a-proc-in-a-syscall",
            &[8, 18],
            Go126,
            "A thread is in a system call when the generation ends. In the next one its proc is \
             said to be abandoned: the reader knows better and keeps it in the system call, with \
             the thread that has it, from whom it is stolen.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GoSyscallBegin", (Seq(1), NoStack));
                let g = t.generation(2);
                let b = g.batch(T6, 30);
                b.event("ProcStatus", (P0, ProcAbandoned));
                b.event("ProcSteal", (P0, Seq(1), T5));
                let b = g.batch(T5, 40);
                b.event("GoStatus", (G1, T5, GoSyscall));
                b.event("GoSyscallEndBlocked", ());
            },
        ),
        case(
            "abandoned-status-of-a-proc-that-no-thread-has",
            &[8, 11],
            Go122,
            "A proc is in a system call, but since no thread said so, none has it. When it is said \
             to be abandoned there is nobody to ask.",
            |t| {
                t.expect_failure("failed to find");
                let g = t.generation(1);
                g.batch(NoThread, 10).event("ProcStatus", (P0, ProcSyscall));
                g.batch(T6, 20).event("ProcStatus", (P0, ProcAbandoned));
            },
        ),
        case(
            "abandoned-status-repeated",
            &[9, 16],
            Go126,
            "A proc is abandoned in a system call for two generations. Its status sets the \
             sequence number back, so that the steal is number 1.",
            |t| {
                t.generation(1).batch(T5, 10).event("ProcStatus", (P0, ProcAbandoned));
                let b = t.generation(2).batch(T6, 20);
                b.event("ProcStatus", (P0, ProcAbandoned));
                b.event("ProcSteal", (P0, Seq(1), T5));
            },
        ),
        case(
            "proc-status-contradicts",
            &[10],
            Go122,
            "A proc that runs is said to be idle, without having stopped.",
            |t| {
                t.expect_failure("inconsistent status for proc 0");
                let g = t.generation(1);
                g.batch(T5, 10).event("ProcStatus", (P0, ProcRunning));
                g.batch(T6, 20).event("ProcStatus", (P0, ProcIdle));
            },
        ),
        case(
            "proc-status-contradicts-the-generation-before",
            &[10],
            Go126,
            "States carry over: what was idle when a generation ended cannot run when the next one \
             begins.",
            |t| {
                t.expect_failure("inconsistent status for proc 0");
                t.generation(1).batch(T5, 10).event("ProcStatus", (P0, ProcIdle));
                t.generation(2).batch(T5, 20).event("ProcStatus", (P0, ProcRunning));
            },
        ),
        case(
            "proc-in-a-syscall-is-said-to-run",
            &[10, 44],
            Go126,
            "Only one difference between statuses is allowed: that a proc in a system call is said \
             to be abandoned. That it runs again needs an event.",
            |t| {
                t.expect_failure("inconsistent status for proc 0");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GoSyscallBegin", (Seq(1), NoStack));
                b.event("ProcStatus", (P0, ProcRunning));
            },
        ),
    ]
}

fn starts() -> Vec<Case> {
    vec![
        case(
            "proc-start-waits-for-its-status",
            &[12, 13],
            Go122,
            "The clock of thread 5 is behind: its start comes first by time, but the proc's status \
             stands on thread 6.",
            |t| {
                let g = t.generation(1);
                g.batch(T5, 10).event("ProcStart", (P0, Seq(1)));
                g.batch(T6, 20).event("ProcStatus", (P0, ProcIdle));
            },
        ),
        case(
            "proc-start-waits-until-the-proc-is-idle",
            &[12, 13, 14],
            Go122,
            "A proc goes from thread to thread. The start on the other thread waits for the stop \
             on this one, whatever the clocks say.",
            |t| {
                let g = t.generation(1);
                g.batch(T5, 10).event("ProcStart", (P0, Seq(1)));
                let b = g.batch(T6, 20);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("ProcStop", ());
            },
        ),
        case(
            "proc-start-waits-for-its-number",
            &[12, 13, 14],
            Go122,
            "Two threads start an idle proc. Sequence numbers say who was first, though the clocks \
             say otherwise.",
            |t| {
                let g = t.generation(1);
                g.batch(T5, 10).event("ProcStart", (P0, Seq(2)));
                let b = g.batch(T6, 20);
                b.event("ProcStatus", (P0, ProcIdle));
                b.event("ProcStart", (P0, Seq(1)));
                b.event("ProcStop", ());
            },
        ),
        case(
            "proc-start-waits-while-the-thread-has-a-proc",
            &[12, 13, 18],
            Go122,
            "A thread leaves a system call with a new proc while its old one has yet to be stolen \
             on another thread. The start waits for the steal.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                a.event("ProcStatus", (P1, ProcIdle));
                in_syscall(a, T5, P0, G1);
                a.event("ProcStart", (P1, Seq(1)));
                a.event("GoSyscallEndBlocked", ());
                g.batch(T6, 50).event("ProcSteal", (P0, Seq(1), T5));
            },
        ),
        case(
            "proc-start-of-a-proc-that-never-appears",
            &[12],
            Go122,
            "The proc has no status, so that its start can never happen.",
            |t| {
                t.expect_failure(STUCK);
                t.generation(1).batch(T5, 10).event("ProcStart", (P0, Seq(1)));
            },
        ),
        case(
            "proc-start-with-a-number-left-out",
            &[12],
            Go126,
            "Start number 2 of a proc that was never started: an event is missing.",
            |t| {
                t.expect_failure(STUCK);
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcIdle));
                b.event("ProcStart", (P0, Seq(2)));
            },
        ),
        case(
            "proc-start-on-a-thread-that-keeps-its-proc",
            &[12],
            Go126,
            "A thread that runs a proc starts another. Nobody takes the first one away, so that \
             the start waits for ever. It is no error of its own.",
            |t| {
                t.expect_failure(STUCK);
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P1, ProcIdle));
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("ProcStart", (P1, Seq(1)));
            },
        ),
        case(
            "proc-start-with-a-goroutine-in-a-syscall",
            &[13, 47],
            Go122,
            "A goroutine leaves a system call without its proc: the thread has the goroutine \
             already when it starts a new proc.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                b.event("GoStatus", (G1, T5, GoSyscall));
                b.event("ProcStatus", (P0, ProcIdle));
                b.event("ProcStart", (P0, Seq(1)));
                b.event("GoSyscallEndBlocked", ());
                b.event("GoStart", (G1, Seq(1)));
            },
        ),
        case("proc-start-without-a-thread", &[13], Go122, "A proc is started by nobody.", |t| {
            t.expect_failure("expected a thread but didn't have one");
            let b = t.generation(1).batch(NoThread, 10);
            b.event("ProcStatus", (P0, ProcIdle));
            b.event("ProcStart", (P0, Seq(1)));
        }),
        case(
            "abandoned-proc-is-started-again",
            &[12, 13, 16, 39],
            Go122,
            "A C thread leaves Go and abandons its proc, which another thread steals and a third \
             one starts. The numbers tell the order, and no thread needs to be told where the proc \
             came from.",
            |t| {
                let g = t.generation(1);
                let c = g.batch(T7, 10);
                c.event("ProcStart", (P0, Seq(3)));
                c.event("HeapAlloc", (1,));
                let b = g.batch(T6, 20);
                b.event("ProcSteal", (P0, Seq(2), T5));
                let a = g.batch(T5, 30);
                running(a, T5, P0, G1);
                a.event("GoSyscallBegin", (Seq(1), NoStack));
                a.event("GoDestroySyscall", ());
            },
        ),
        case(
            "abandoned-proc-is-started-without-a-steal",
            &[12, 16],
            Go126,
            "A proc that was abandoned is not idle: somebody has to steal it first.",
            |t| {
                t.expect_failure(STUCK);
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcAbandoned));
                b.event("ProcStart", (P0, Seq(1)));
            },
        ),
    ]
}

fn stops() -> Vec<Case> {
    vec![
        case(
            "proc-stops-and-the-goroutine-stays",
            &[14],
            Go122,
            "A proc stops while its thread has a goroutine, and another stops in a system call. \
             Either way the goroutine stays with its thread.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                running(a, T5, P0, G1);
                a.event("ProcStop", ());
                a.event("ProcStatus", (P2, ProcIdle));
                let b = g.batch(T6, 20);
                running(b, T6, P1, G2);
                b.event("GoSyscallBegin", (Seq(1), NoStack));
                b.event("ProcStop", ());
                b.event("GoSyscallEndBlocked", ());
            },
        ),
        case(
            "proc-stop-without-a-proc",
            &[14],
            Go122,
            "A thread stops the proc that it does not have. It does not wait for one.",
            |t| {
                t.expect_failure("ProcStop for proc .*doesn't exist|ProcStop: expected a proc");
                t.generation(1).batch(T5, 10).event("ProcStop", ());
            },
        ),
    ]
}
