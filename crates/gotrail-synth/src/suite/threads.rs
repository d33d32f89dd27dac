//! What a thread is known by, and what it is bound to.

use super::*;
use crate::builder::NoThread;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "thread-is-known-once-it-was-tried",
            &[1, 12, 28],
            Go122,
            "Thread 5 is asked first and has to wait. From then on it is known, with no goroutine, \
             so that a status which says that a goroutine is in a system call there contradicts \
             it. A reader that makes threads known only when they advance would accept this.",
            |t| {
                t.expect_failure("inconsistent thread for syscalling goroutine 1");
                let g = t.generation(1);
                g.batch(T5, 10).event("ProcStart", (P0, Seq(1)));
                let b = g.batch(T6, 20);
                b.event("GoStatus", (G1, T5, GoSyscall));
                b.event("ProcStatus", (P0, ProcIdle));
            },
        ),
        case(
            "thread-becomes-known-by-a-status",
            &[1, 29, 38],
            Go122,
            "A status on another thread says that a goroutine is in a system call on thread 5, \
             which was never seen. When thread 5 speaks, it has that goroutine already.",
            |t| {
                let g = t.generation(1);
                g.batch(T6, 10).event("GoStatus", (G1, T5, GoSyscall));
                g.batch(T5, 20).event("GoDestroySyscall", ());
            },
        ),
        case(
            "event-that-has-no-rule",
            &[2],
            Go125,
            "The table of events calls a clock snapshot timed, so that it decodes among a thread's \
             events. No rule of order takes it.",
            |t| {
                t.expect_failure("bad event type|cannot be put in order");
                let g = t.generation(1);
                let b = g.batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("ClockSnapshot", (1, 2, 3));
            },
        ),
        case(
            "goroutine-is-bound-to-two-threads",
            &[3, 22, 24],
            Go122,
            "Two threads say that the same goroutine runs there. Binding does not unbind: both \
             have it from then on.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                running(a, T5, P0, G1);
                a.event_after(20, "GoLabel", ("here",));
                let b = g.batch(T6, 20);
                running(b, T6, P1, G1);
                b.event_after(20, "GoLabel", ("there",));
            },
        ),
        case(
            "proc-is-bound-to-two-threads",
            &[3, 7, 14],
            Go122,
            "Two threads say that they run the same proc. The first stops it; the second still has \
             it, but cannot stop what is idle.",
            |t| {
                t.expect_failure("ProcStop (event )?for proc");
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                a.event("ProcStatus", (P0, ProcRunning));
                a.event_after(20, "ProcStop", ());
                let b = g.batch(T6, 20);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event_after(20, "ProcStop", ());
            },
        ),
        case(
            "status-replaces-what-a-thread-has",
            &[3, 11, 24],
            Go122,
            "A thread that runs proc 0 and goroutine 1 says that it runs proc 1 and goroutine 2: \
             it has those from then on, and nothing was stopped.",
            |t| {
                let g = t.generation(1);
                let b = g.batch(T5, 10);
                running(b, T5, P0, G1);
                running(b, T5, P1, G2);
                b.event("GoLabel", ("on proc 1",));
            },
        ),
        case(
            "statuses-without-a-thread",
            &[1, 3, 11, 24],
            Go126,
            "The runtime writes the statuses of what never ran in a generation without a thread. \
             Even a status that would bind something leaves nothing behind there.",
            |t| {
                let g = t.generation(1);
                let b = g.batch(NoThread, 10);
                running(b, NoThread.into(), P0, G1);
                b.event("ProcStatus", (P1, ProcIdle));
                b.event("GoStatus", (G2, NoThread, GoWaiting));
            },
        ),
        case(
            "nothing-stays-with-no-thread",
            &[1, 3, 62],
            Go126,
            "The last event on no thread said that a proc and a goroutine run. The next one has \
             neither.",
            |t| {
                t.expect_failure("expected a thread but didn't have one");
                let g = t.generation(1);
                let b = g.batch(NoThread, 10);
                running(b, NoThread.into(), P0, G1);
                b.event("GoLabel", ("nowhere",));
            },
        ),
        case(
            "batches-of-two-threads-take-turns",
            &[3],
            Go126,
            "Two threads with several batches each, written in turns. What a thread has goes on \
             from one of its batches to the next.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                running(a, T5, P0, G1);
                let b = g.batch(T6, 15);
                running(b, T6, P1, G2);
                g.batch(T5, 20).event("GoLabel", ("first",));
                g.batch(T6, 25).event("GoLabel", ("second",));
                g.batch(T5, 30);
                g.batch(T5, 35).event("GoLabel", ("third",));
                b.event("GoLabel", ("zeroth",));
            },
        ),
    ]
}
