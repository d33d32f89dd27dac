//! The life of goroutines: creation, start, stop, block, unblock and end.

use super::*;
use crate::TaskId;
use crate::builder::{NoStack, NoThread, StackFrame};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = created();
    cases.extend(started());
    cases.extend(stopped());
    cases.extend(unblocked());
    cases
}

fn created() -> Vec<Case> {
    vec![
        case(
            "goroutine-is-created",
            &[30, 34],
            Go122,
            "A goroutine creates another, which runs when the first one blocks. The place where it \
             will start and the place where it was created are two stacks.",
            |t| {
                let start = [StackFrame::new(0x401000, "main.work", "main.go", 20)];
                let here = [StackFrame::new(0x402000, "main.main", "main.go", 9)];
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GoCreate", (G2, start, here.clone()));
                b.event("GoBlock", ("wait", here));
                b.event("GoStart", (G2, Seq(1)));
            },
        ),
        case(
            "goroutine-is-created-without-a-goroutine",
            &[30],
            Go126,
            "The scheduler itself can create a goroutine: a thread and a proc are enough.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GoCreate", (G1, NoStack, NoStack));
            },
        ),
        case(
            "goroutine-is-created-without-a-proc",
            &[30],
            Go122,
            "Nothing is created without a proc.",
            |t| {
                t.expect_failure("expected a proc but didn't have one");
                t.generation(1).batch(T5, 10).event("GoCreate", (G1, NoStack, NoStack));
            },
        ),
        case(
            "goroutine-is-created-without-a-thread",
            &[30],
            Go126,
            "Nothing is created nowhere.",
            |t| {
                t.expect_failure("expected a thread but didn't have one");
                t.generation(1).batch(NoThread, 10).event("GoCreate", (G1, NoStack, NoStack));
            },
        ),
        case(
            "goroutine-is-created-in-a-syscall",
            &[30],
            Go122,
            "Who creates a goroutine has to run: in a system call nothing is created.",
            |t| {
                t.expect_failure("GoCreate (event )?for goroutine");
                let b = t.generation(1).batch(T5, 10);
                in_syscall(b, T5, P0, G1);
                b.event("GoCreate", (G2, NoStack, NoStack));
            },
        ),
        case(
            "goroutine-is-created-that-exists",
            &[30],
            Go122,
            "An id is used again only after the goroutine has ended.",
            |t| {
                t.expect_failure("tried to create goroutine .*already exists");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GoStatus", (G2, NoThread, GoWaiting));
                b.event("GoCreate", (G2, NoStack, NoStack));
            },
        ),
        case(
            "goroutine-is-created-again-after-its-end",
            &[30, 37],
            Go126,
            "A goroutine that has ended is forgotten: its id can be used again, and numbers count \
             from 0.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                for _ in 0..2 {
                    b.event("GoCreate", (G1, NoStack, NoStack));
                    b.event("GoStart", (G1, Seq(1)));
                    b.event("GoDestroy", ());
                }
            },
        ),
        case(
            "goroutine-is-created-blocked",
            &[31, 40],
            Go123,
            "A goroutine that waits from the beginning, as coroutines do. It has to be unblocked \
             before it can start.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GoCreateBlocked", (G2, NoStack, NoStack));
                b.event("GoUnblock", (G2, Seq(1), NoStack));
                b.event("GoBlock", ("wait", NoStack));
                b.event("GoStart", (G2, Seq(2)));
            },
        ),
        case(
            "goroutine-is-created-blocked-that-exists",
            &[31],
            Go123,
            "Two goroutines of one id, the second one created blocked.",
            |t| {
                t.expect_failure("tried to create goroutine .*already exists");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GoCreateBlocked", (G1, NoStack, NoStack));
            },
        ),
        case(
            "goroutine-lives-over-generations",
            &[30, 35, 36, 37, 22],
            Go126,
            "A goroutine is created in one generation, blocks in the next and ends in the third.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GoCreate", (G1, NoStack, NoStack));
                b.event("GoStart", (G1, Seq(1)));
                let b = t.generation(2).batch(T5, 20);
                running(b, T5, P0, G1);
                b.event("GoStop", ("preempted", NoStack));
                b.event("GoStart", (G1, Seq(1)));
                b.event("GoBlock", ("sleep", NoStack));
                let b = t.generation(3).batch(T5, 30);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GoStatus", (G1, NoThread, GoWaiting));
                b.event("GoUnblock", (G1, Seq(1), NoStack));
                b.event("GoStart", (G1, Seq(2)));
                b.event("GoDestroy", ());
            },
        ),
    ]
}

fn started() -> Vec<Case> {
    vec![
        case(
            "start-waits-until-the-goroutine-is-created",
            &[33, 34, 30],
            Go122,
            "A goroutine starts on a thread whose clock is behind that of its creator.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                a.event("ProcStatus", (P0, ProcRunning));
                a.event("GoStart", (G2, Seq(1)));
                let b = g.batch(T6, 50);
                running(b, T6, P1, G1);
                b.event("GoCreate", (G2, NoStack, NoStack));
            },
        ),
        case(
            "start-waits-until-the-goroutine-is-runnable",
            &[33, 34, 40],
            Go122,
            "A goroutine starts after it was unblocked elsewhere, whatever the clocks say.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                a.event("ProcStatus", (P0, ProcRunning));
                a.event("GoStatus", (G2, NoThread, GoWaiting));
                a.event("GoStart", (G2, Seq(2)));
                let b = g.batch(T6, 50);
                running(b, T6, P1, G1);
                b.event("GoUnblock", (G2, Seq(1), NoStack));
            },
        ),
        case(
            "start-waits-for-its-number",
            &[33, 34, 35],
            Go122,
            "A goroutine is stolen from one run queue to another. That it starts on thread 6 first \
             is known only from the numbers.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                a.event("ProcStatus", (P0, ProcRunning));
                a.event("GoStatus", (G1, NoThread, GoRunnable));
                a.event("GoStart", (G1, Seq(2)));
                let b = g.batch(T6, 50);
                b.event("ProcStatus", (P1, ProcRunning));
                b.event("GoStart", (G1, Seq(1)));
                b.event("GoStop", ("preempted", NoStack));
            },
        ),
        case(
            "start-of-a-goroutine-that-never-appears",
            &[33],
            Go122,
            "A goroutine without a status and without a creation can never start.",
            |t| {
                t.expect_failure(STUCK);
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GoStart", (G1, Seq(1)));
            },
        ),
        case(
            "start-of-a-goroutine-that-waits",
            &[33],
            Go126,
            "The goroutine was never unblocked.",
            |t| {
                t.expect_failure(STUCK);
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GoStatus", (G1, NoThread, GoWaiting));
                b.event("GoStart", (G1, Seq(1)));
            },
        ),
        case(
            "start-on-a-thread-that-has-a-goroutine",
            &[34],
            Go122,
            "Two goroutines cannot run on one thread. Unlike a second proc this does not wait.",
            |t| {
                t.expect_failure("expected no goroutine but had one");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GoStatus", (G2, NoThread, GoRunnable));
                b.event("GoStart", (G2, Seq(1)));
            },
        ),
        case("start-without-a-thread", &[34], Go126, "A goroutine starts nowhere.", |t| {
            t.expect_failure("expected a thread but didn't have one");
            let b = t.generation(1).batch(NoThread, 10);
            b.event("GoStatus", (G1, NoThread, GoRunnable));
            b.event("GoStart", (G1, Seq(1)));
        }),
        case("start-without-a-proc", &[34], Go122, "A goroutine needs a proc to run on.", |t| {
            t.expect_failure("expected a proc but didn't have one");
            let b = t.generation(1).batch(T5, 10);
            b.event("GoStatus", (G1, NoThread, GoRunnable));
            b.event("GoStart", (G1, Seq(1)));
        }),
    ]
}

fn stopped() -> Vec<Case> {
    vec![
        case(
            "goroutine-stops-and-starts",
            &[35, 34],
            Go122,
            "A goroutine is preempted and goes on. Stopping takes no sequence number.",
            |t| {
                let frames = [StackFrame::new(0x401000, "main.spin", "main.go", 5)];
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GoStop", ("preempted", frames));
                b.event("GoStart", (G1, Seq(1)));
                b.event("GoStop", ("yield", NoStack));
                b.event("GoStart", (G1, Seq(2)));
            },
        ),
        case(
            "goroutine-stops-that-does-not-run",
            &[35],
            Go122,
            "Two threads have the same goroutine. When it was stopped on one, it cannot be stopped \
             on the other.",
            |t| {
                t.expect_failure("GoStop (event )?for goroutine");
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                running(a, T5, P0, G1);
                a.event_after(10, "GoStop", ("preempted", NoStack));
                let b = g.batch(T6, 11);
                running(b, T6, P1, G1);
                b.event_after(20, "GoStop", ("preempted", NoStack));
            },
        ),
        case(
            "goroutine-stops-without-a-goroutine",
            &[35],
            Go126,
            "Nothing runs on the thread that could stop.",
            |t| {
                t.expect_failure("expected a goroutine but didn't have one");
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GoStop", ("preempted", NoStack));
            },
        ),
        case(
            "goroutine-blocks-and-goes-on",
            &[36, 40, 34],
            Go122,
            "A goroutine blocks, is unblocked by another one and runs again.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GoStatus", (G2, NoThread, GoRunnable));
                b.event("GoBlock", ("chan receive", NoStack));
                b.event("GoStart", (G2, Seq(1)));
                b.event("GoUnblock", (G1, Seq(1), NoStack));
                b.event("GoBlock", ("select", NoStack));
                b.event("GoStart", (G1, Seq(2)));
            },
        ),
        case(
            "goroutine-blocks-without-a-proc",
            &[36],
            Go122,
            "A goroutine without a proc does not run, and cannot block.",
            |t| {
                t.expect_failure("expected a proc but didn't have one");
                let b = t.generation(1).batch(T5, 10);
                b.event("GoStatus", (G1, T5, GoRunning));
                b.event("GoBlock", ("sleep", NoStack));
            },
        ),
        case(
            "goroutine-blocks-in-a-syscall",
            &[36],
            Go122,
            "A goroutine in a system call does not run, so that it cannot block.",
            |t| {
                t.expect_failure("GoBlock (event )?for goroutine");
                let b = t.generation(1).batch(T5, 10);
                in_syscall(b, T5, P0, G1);
                b.event("GoBlock", ("sleep", NoStack));
            },
        ),
        case(
            "goroutine-ends",
            &[37],
            Go122,
            "A goroutine ends, and with it a region and a mark assist that are still open on it.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("UserRegionBegin", (TaskId(0), "open", NoStack));
                b.event("GCMarkAssistBegin", (NoStack,));
                b.event("GoDestroy", ());
                b.event("GoCreate", (G1, NoStack, NoStack));
                b.event("GoStart", (G1, Seq(1)));
                b.event("UserRegionEnd", (TaskId(0), "another", NoStack));
                b.event("GCMarkAssistBegin", (NoStack,));
            },
        ),
        case(
            "goroutine-ends-without-a-goroutine",
            &[37],
            Go122,
            "There is no goroutine that could end.",
            |t| {
                t.expect_failure("expected a goroutine but didn't have one");
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GoDestroy", ());
            },
        ),
        case(
            "goroutine-ends-in-a-syscall",
            &[37],
            Go122,
            "The end of a goroutine that is in a system call is another event.",
            |t| {
                t.expect_failure("GoDestroy (event )?for goroutine");
                let b = t.generation(1).batch(T5, 10);
                in_syscall(b, T5, P0, G1);
                b.event("GoDestroy", ());
            },
        ),
    ]
}

fn unblocked() -> Vec<Case> {
    vec![
        case(
            "unblock-without-any-context",
            &[40],
            Go122,
            "The network poller and timers unblock goroutines where nothing runs: not even a \
             thread is needed.",
            |t| {
                let b = t.generation(1).batch(NoThread, 10);
                b.event("GoStatus", (G1, NoThread, GoWaiting));
                b.event("GoUnblock", (G1, Seq(1), NoStack));
            },
        ),
        case(
            "unblock-waits-until-the-goroutine-blocks",
            &[40, 36],
            Go122,
            "The one who unblocks is ahead of the one who blocks, by the clock. The order is told \
             by the state.",
            |t| {
                let g = t.generation(1);
                let b = g.batch(T6, 10);
                running(b, T6, P1, G2);
                b.event("GoUnblock", (G1, Seq(1), NoStack));
                let a = g.batch(T5, 50);
                running(a, T5, P0, G1);
                a.event("GoBlock", ("sync", NoStack));
            },
        ),
        case(
            "unblock-waits-for-its-number",
            &[40, 33, 36],
            Go122,
            "A goroutine blocks twice. The unblock on thread 6 is the second one by its number, \
             though it comes first by time.",
            |t| {
                let g = t.generation(1);
                let b = g.batch(T6, 10);
                running(b, T6, P1, G2);
                b.event("GoStatus", (G1, NoThread, GoWaiting));
                b.event("GoUnblock", (G1, Seq(3), NoStack));
                let a = g.batch(T5, 50);
                a.event("ProcStatus", (P0, ProcRunning));
                a.event("GoUnblock", (G1, Seq(1), NoStack));
                a.event("GoStart", (G1, Seq(2)));
                a.event("GoBlock", ("sync", NoStack));
            },
        ),
        case(
            "unblock-of-a-goroutine-that-runs",
            &[40],
            Go126,
            "A goroutine is unblocked that never blocks.",
            |t| {
                t.expect_failure(STUCK);
                let g = t.generation(1);
                running(g.batch(T5, 10), T5, P0, G1);
                g.batch(T6, 20).event("GoUnblock", (G1, Seq(1), NoStack));
            },
        ),
    ]
}
