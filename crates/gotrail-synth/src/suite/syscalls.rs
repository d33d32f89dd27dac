//! System calls, and C code that calls into Go: to the tracer a system call that was never begun.

use super::*;
use crate::builder::{NoStack, NoThread, StackFrame};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = calls();
    cases.extend(from_c());
    cases
}

fn calls() -> Vec<Case> {
    vec![
        case(
            "syscall-keeps-its-proc",
            &[44, 45],
            Go122,
            "A short system call: the goroutine and its proc stay with the thread. Its number is \
             one of the proc's.",
            |t| {
                let frames = [StackFrame::new(0x401000, "syscall.read", "syscall.go", 3)];
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GoSyscallBegin", (Seq(1), frames));
                b.event("GoSyscallEnd", ());
                b.event("GoSyscallBegin", (Seq(2), NoStack));
                b.event("GoSyscallEnd", ());
            },
        ),
        case(
            "syscall-ends-before-a-generation-does",
            &[44, 45, 7, 22],
            Go126,
            "When the call is over, goroutine and proc run again: that is what their statuses in \
             the next generation have to say.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GoSyscallBegin", (Seq(1), NoStack));
                b.event("GoSyscallEnd", ());
                let b = t.generation(2).batch(T5, 20);
                running(b, T5, P0, G1);
                b.event("GoSyscallBegin", (Seq(1), NoStack));
            },
        ),
        case(
            "syscall-with-a-wrong-number",
            &[44],
            Go122,
            "The number does not follow the proc's. Since the proc is here, waiting could not \
             help: it is an error at once.",
            |t| {
                t.expect_failure("GoSyscallBegin.* sequence");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GoSyscallBegin", (Seq(2), NoStack));
            },
        ),
        case(
            "syscall-inside-a-syscall",
            &[44],
            Go122,
            "A goroutine in a system call cannot begin another.",
            |t| {
                t.expect_failure("GoSyscallBegin (event )?for goroutine");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GoSyscallBegin", (Seq(1), NoStack));
                b.event("GoSyscallBegin", (Seq(2), NoStack));
            },
        ),
        case(
            "syscall-without-a-proc",
            &[44],
            Go122,
            "A goroutine without a proc does not run Go code, so that it begins no system call.",
            |t| {
                t.expect_failure("expected a proc but didn't have one");
                let b = t.generation(1).batch(T5, 10);
                b.event("GoStatus", (G1, T5, GoRunning));
                b.event("GoSyscallBegin", (Seq(1), NoStack));
            },
        ),
        case(
            "syscall-ends-that-never-began",
            &[45],
            Go122,
            "The goroutine runs: there is no system call to come back from.",
            |t| {
                t.expect_failure("GoSyscallEnd (event )?for goroutine");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GoSyscallEnd", ());
            },
        ),
        case(
            "syscall-ends-without-a-proc",
            &[45],
            Go122,
            "The proc is gone when the call comes back. A call that lost its proc ends as one that \
             blocked.",
            |t| {
                t.expect_failure("expected a proc but didn't have one");
                let b = t.generation(1).batch(T5, 10);
                b.event("GoStatus", (G1, T5, GoSyscall));
                b.event("GoSyscallEnd", ());
            },
        ),
        case(
            "syscall-ends-with-another-proc",
            &[45],
            Go122,
            "The proc of the system call was stolen and a new one started. A call that comes back \
             to a new proc ends as one that blocked.",
            |t| {
                t.expect_failure("proc 1 in state");
                let g = t.generation(1);
                let b = g.batch(T5, 10);
                b.event("ProcStatus", (P1, ProcIdle));
                running(b, T5, P0, G1);
                b.event("GoSyscallBegin", (Seq(1), NoStack));
                b.event("ProcSteal", (P0, Seq(2), T5));
                b.event("ProcStart", (P1, Seq(1)));
                b.event("GoSyscallEnd", ());
            },
        ),
        case(
            "blocked-syscall-waits-for-the-steal",
            &[46, 47, 18],
            Go122,
            "A system call took long and its proc was stolen. The thread comes back before the \
             thief's event, by the clock: its own event waits until the proc is gone.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                running(a, T5, P0, G1);
                a.event("GoSyscallBegin", (Seq(1), NoStack));
                a.event("GoSyscallEndBlocked", ());
                let b = g.batch(T6, 50);
                running(b, T6, P1, G2);
                b.event("ProcSteal", (P0, Seq(2), T5));
            },
        ),
        case(
            "blocked-syscall-whose-proc-is-never-stolen",
            &[46],
            Go122,
            "The proc is still in the system call and nobody steals it.",
            |t| {
                t.expect_failure(STUCK);
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GoSyscallBegin", (Seq(1), NoStack));
                b.event("GoSyscallEndBlocked", ());
            },
        ),
        case(
            "blocked-syscall-with-a-new-proc",
            &[46, 47, 34],
            Go122,
            "The thread gets another proc before it comes back. The goroutine is runnable then and \
             starts on that proc, right here.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P1, ProcIdle));
                b.event("GoStatus", (G1, T5, GoSyscall));
                b.event("ProcStart", (P1, Seq(1)));
                b.event("GoSyscallEndBlocked", ());
                b.event("GoStart", (G1, Seq(1)));
            },
        ),
        case(
            "blocked-syscall-ends-that-never-began",
            &[47],
            Go122,
            "The goroutine runs: no system call can have blocked.",
            |t| {
                t.expect_failure("GoSyscallEndBlocked (event )?for goroutine");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GoSyscallEndBlocked", ());
            },
        ),
        case(
            "blocked-syscall-without-a-thread",
            &[47],
            Go126,
            "No thread comes back from a system call.",
            |t| {
                t.expect_failure("expected a thread but didn't have one");
                t.generation(1).batch(NoThread, 10).event("GoSyscallEndBlocked", ());
            },
        ),
        case(
            "blocked-syscall-without-a-goroutine",
            &[47],
            Go126,
            "A thread without a goroutine is in no system call.",
            |t| {
                t.expect_failure("expected a goroutine but didn't have one");
                t.generation(1).batch(T5, 10).event("GoSyscallEndBlocked", ());
            },
        ),
    ]
}

fn from_c() -> Vec<Case> {
    vec![
        case(
            "c-calls-into-go",
            &[32, 47, 34, 38],
            Go122,
            "A C thread calls a Go function: its goroutine is created in a system call, which it \
             leaves at once. It returns to C without a proc, and its goroutine ends.",
            |t| {
                let g = t.generation(1);
                let b = g.batch(T5, 10);
                b.event("ProcStatus", (P0, ProcIdle));
                b.event("GoCreateSyscall", (G1,));
                b.event("GoSyscallEndBlocked", ());
                b.event("ProcStart", (P0, Seq(1)));
                b.event("GoStart", (G1, Seq(1)));
                b.event("GoSyscallBegin", (Seq(2), NoStack));
                g.batch(T6, 50).event("ProcSteal", (P0, Seq(3), T5));
                let b = g.batch(T5, 60);
                b.event("GoDestroySyscall", ());
            },
        ),
        case(
            "c-calls-into-go-with-a-proc",
            &[32],
            Go122,
            "A thread that has a proc may still become one of C's that calls into Go.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GoCreateSyscall", (G1,));
                b.event("GoSyscallEndBlocked", ());
                b.event("GoStart", (G1, Seq(1)));
            },
        ),
        case(
            "c-calls-into-go-with-a-goroutine",
            &[32],
            Go122,
            "A thread that has a goroutine is in Go already.",
            |t| {
                t.expect_failure("expected no goroutine but had one");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GoCreateSyscall", (G2,));
            },
        ),
        case(
            "c-calls-into-go-without-a-thread",
            &[32],
            Go126,
            "C calls from somewhere: there has to be a thread.",
            |t| {
                t.expect_failure("expected a thread but didn't have one");
                t.generation(1).batch(NoThread, 10).event("GoCreateSyscall", (G1,));
            },
        ),
        case(
            "c-calls-into-go-with-a-known-id",
            &[32],
            Go122,
            "The goroutine that is created in a system call exists.",
            |t| {
                t.expect_failure("tried to create goroutine .*already exists");
                let b = t.generation(1).batch(T5, 10);
                b.event("GoStatus", (G1, NoThread, GoWaiting));
                b.event("GoCreateSyscall", (G1,));
            },
        ),
        case(
            "c-thread-returns-without-a-thread",
            &[38],
            Go126,
            "There is no thread that could return to C.",
            |t| {
                t.expect_failure("expected a thread but didn't have one");
                t.generation(1).batch(NoThread, 10).event("GoDestroySyscall", ());
            },
        ),
        case(
            "c-thread-returns-without-a-goroutine",
            &[38],
            Go122,
            "There is no goroutine that could end.",
            |t| {
                t.expect_failure("expected a goroutine but didn't have one");
                t.generation(1).batch(T5, 10).event("GoDestroySyscall", ());
            },
        ),
        case(
            "c-thread-returns-that-runs",
            &[38],
            Go122,
            "The goroutine of a C thread ends while it runs. It has to be in a system call: back \
             in C.",
            |t| {
                t.expect_failure("GoDestroySyscall (event )?for goroutine");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GoDestroySyscall", ());
            },
        ),
        case(
            "c-thread-returns-with-its-proc",
            &[39, 16],
            Go122,
            "A C thread returns with its proc in the system call. The reader makes up that the \
             proc is taken away, and the goroutine ends. The real steal comes later and finds the \
             proc abandoned.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                running(a, T5, P0, G1);
                a.event("GoSyscallBegin", (Seq(1), NoStack));
                a.event("GoDestroySyscall", ());
                let b = g.batch(T6, 30);
                b.event("ProcSteal", (P0, Seq(2), T5));
            },
        ),
        case(
            "c-thread-returns-with-a-proc-that-runs",
            &[39],
            Go122,
            "The goroutine is in a system call and the proc is not: they do not belong together.",
            |t| {
                t.expect_failure("proc 0 in (unexpected )?state");
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GoStatus", (G1, T5, GoSyscall));
                b.event("GoDestroySyscall", ());
            },
        ),
        case(
            "c-thread-calls-again-and-again",
            &[32, 39, 16, 12],
            Go126,
            "A C thread calls into Go three times, each time with a goroutine and a proc of its \
             own, as on systems where the thread's state is not kept between the calls. What it \
             abandoned is stolen by others, at leisure.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                for id in [0, 1, 2] {
                    let (proc, go) = (ProcId(id), GoId(id + 10));
                    a.event("GoCreateSyscall", (go,));
                    a.event("GoSyscallEndBlocked", ());
                    a.event("ProcStatus", (proc, ProcIdle));
                    a.event("ProcStart", (proc, Seq(1)));
                    a.event("GoStart", (go, Seq(1)));
                    a.event("GoSyscallBegin", (Seq(2), NoStack));
                    a.event("GoDestroySyscall", ());
                }
                let b = g.batch(T6, 12);
                b.event("ProcSteal", (P2, Seq(3), T5));
                b.event("ProcSteal", (P0, Seq(3), T5));
                b.event("ProcStart", (P0, Seq(4)));
            },
        ),
        case(
            "thread-id-is-reused-while-another-steals",
            &[39, 16, 12, 13],
            Go122,
            "A C thread dies and the system gives its id to a new thread of Go, which starts a \
             proc of its own while another thread steals the one that was left behind. That steal \
             names the dead thread, whose id means another one by now.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                a.event("GoCreateSyscall", (G1,));
                a.event("GoSyscallEndBlocked", ());
                a.event("ProcStatus", (P0, ProcIdle));
                a.event("ProcStart", (P0, Seq(1)));
                a.event("GoStart", (G1, Seq(1)));
                a.event("GoSyscallBegin", (Seq(2), NoStack));
                a.event("GoDestroySyscall", ());
                let again = g.batch(T5, 30);
                again.event("ProcStatus", (P1, ProcIdle));
                again.event("ProcStart", (P1, Seq(1)));
                again.event("GoCreate", (G2, NoStack, NoStack));
                again.event("GoStart", (G2, Seq(1)));
                again.event("GoLabel", ("a new thread",));
                let thief = g.batch(T6, 32);
                thief.event("ProcSteal", (P0, Seq(3), T5));
                thief.event("ProcStart", (P0, Seq(4)));
            },
        ),
        case(
            "thread-id-is-reused-with-the-goroutine-left-behind",
            &[32, 3],
            Go126,
            "The id of a thread is used again, but the thread before never gave up its goroutine. \
             A call from C finds one there.",
            |t| {
                t.expect_failure("expected no goroutine but had one");
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                a.event("GoCreateSyscall", (G1,));
                g.batch(T5, 20).event("GoCreateSyscall", (G2,));
            },
        ),
    ]
}
