//! Equal times, times that go backwards, and CPU samples, which only time puts in order.

use super::*;
use crate::builder::{NoStack, NoThread, StackFrame};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "equal-times-on-three-threads",
            &[],
            Go122,
            "Three threads write at the same instants. Who comes first follows from the shape of \
             the heap that the reference uses; delivered times rise all the same.",
            |t| {
                let g = t.generation(1);
                let batches = [(T5, P0, G1), (T6, P1, G2), (T7, P2, G3)].map(|(m, p, go)| {
                    let b = g.batch(m, 10);
                    b.event_after(0, "ProcStatus", (p, ProcRunning));
                    b.event_after(0, "GoStatus", (go, m, GoRunning));
                    b
                });
                for i in 0..3 {
                    for b in batches {
                        b.event_after(i % 2, "HeapAlloc", (i,));
                    }
                }
            },
        ),
        case(
            "no-time-passes-at-all",
            &[33, 40],
            Go126,
            "Every event of the trace is at time 0, so that only states and numbers give an order.",
            |t| {
                t.disable_timestamps();
                let g = t.generation(1);
                let a = g.batch(T5, 0);
                running(a, T5, P0, G1);
                a.event("GoBlock", ("wait", NoStack));
                a.event("GoStart", (G3, Seq(1)));
                a.event("GoUnblock", (GoId(9), Seq(1), NoStack));
                let b = g.batch(T6, 0);
                running(b, T6, P1, G2);
                b.event("GoCreate", (G3, NoStack, NoStack));
                b.event("GoStop", ("preempted", NoStack));
                let c = g.batch(T6, 0);
                c.event("GoStart", (G2, Seq(1)));
                let d = g.batch(NoThread, 0);
                d.event("GoStatus", (GoId(9), NoThread, GoWaiting));
            },
        ),
        case(
            "times-that-go-backwards",
            &[],
            Go126,
            "A thread's second batch begins before its first one ended, and within a batch a step \
             is so large that the time overflows to one long ago. Events of a thread stay in the \
             order in which they were written, and delivered times rise.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 1000);
                running(a, T5, P0, G1);
                a.event_after(500, "HeapAlloc", (1,));
                a.event_after(u64::MAX - 299, "HeapAlloc", (2,));
                let b = g.batch(T6, 1100);
                running(b, T6, P1, G2);
                let a = g.batch(T5, 1050);
                a.event("HeapAlloc", (3,));
                a.event_after(100, "HeapAlloc", (4,));
            },
        ),
        case(
            "batches-of-a-thread-out-of-order",
            &[],
            Go122,
            "The batches of a thread stand in the file in the order in which they were filled. \
             Their times do not change that.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 500);
                running(a, T5, P0, G1);
                g.batch(T5, 300).event("HeapAlloc", (1,));
                g.batch(T5, 100).event("HeapAlloc", (2,));
                running(g.batch(T6, 200), T6, P1, G2);
            },
        ),
        case(
            "generation-that-begins-before-the-last-one-ended",
            &[7, 22],
            Go126,
            "The times of the second generation are earlier than those of the first. Generations \
             follow each other all the same, and times rise by one.",
            |t| {
                let b = t.generation(1).batch(T5, 1000);
                running(b, T5, P0, G1);
                b.event("HeapAlloc", (1,));
                let b = t.generation(2).batch(T5, 100);
                running(b, T5, P0, G1);
                b.event("HeapAlloc", (2,));
            },
        ),
        case(
            "frequency-changes-between-generations",
            &[],
            Go125,
            "Each generation has its own frequency: the same clock units are other times.",
            |t| {
                for (number, freq) in [(1, 1_000_000_000), (2, 15_625_000), (3, 3)] {
                    let g = t.generation(number);
                    g.sync_with_clocks(freq, 1000 * number, 5, (60, 7));
                    let b = g.batch(T5, 1000 * number);
                    running(b, T5, P0, G1);
                    b.event_after(10, "HeapAlloc", (number,));
                }
            },
        ),
        case(
            "samples-at-the-instant-of-events",
            &[],
            Go122,
            "A sample comes before an event only if it is earlier. At the same instant the event \
             is first.",
            |t| {
                let frames = [StackFrame::new(0x401000, "main.spin", "main.go", 5)];
                let g = t.generation(1);
                let b = g.batch(T5, 10);
                running(b, T5, P0, G1);
                b.event_after(8, "HeapAlloc", (1,));
                b.event_after(10, "HeapAlloc", (2,));
                g.cpu_sample(30, T5, P0, G1, &frames);
                g.cpu_sample(29, T5, P0, G1, &frames);
                g.cpu_sample(20, T5, P0, G1, &frames);
                g.cpu_sample(1, T6, ProcId::NONE, GoId(0), &frames);
                g.cpu_sample(900, NoThread.into(), ProcId::NONE, GoId::NONE, &[]);
            },
        ),
        case(
            "samples-of-one-instant",
            &[],
            Go126,
            "Many samples with few different times: those of one time stay as an unstable sort \
             leaves them, which a reader has to repeat exactly.",
            |t| {
                let g = t.generation(1);
                running(g.batch(T5, 10), T5, P0, G1);
                for i in 0..40 {
                    g.cpu_sample(11 + i * 7 % 3, T5, P0, GoId(i as i64 + 1), &[]);
                }
            },
        ),
        case(
            "samples-and-nothing-else",
            &[],
            Go126,
            "A generation of samples alone: they need no state of the scheduler.",
            |t| {
                t.generation(1).cpu_sample(7, T5, P0, G1, &[]);
            },
        ),
        case(
            "retries-among-twenty-threads",
            &[12, 33],
            Go126,
            "Twenty threads start one goroutine after the other, with times that are all the same. \
             The waiting ones are sorted again and again, and the order of equal ones shows.",
            |t| {
                let g = t.generation(1);
                let first = g.batch(ThreadId(100), 50);
                first.event("GoStatus", (G1, NoThread, GoRunnable));
                for i in 1..=20u64 {
                    let turn = (i * 7) % 20 + 1;
                    let b = g.batch(ThreadId(100 + i as i64), 50);
                    b.event("ProcStatus", (ProcId(i as i64), ProcRunning));
                    b.event("GoStart", (G1, Seq(turn)));
                    b.event_after(i % 3, "GoStop", ("preempted", NoStack));
                }
            },
        ),
    ]
}
