//! Coroutines: a goroutine hands its thread to another one.

use super::*;
use crate::builder::{Batch, NoStack, NoThread};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "switch-makes-three-events",
            &[41, 42, 31],
            Go123,
            "A goroutine switches to a coroutine that waits. This is one event on the wire and \
             three for who reads it: the other is unblocked, this one blocks, the other starts.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                coroutine(b);
                b.event("GoSwitch", (G2, Seq(1)));
                b.event("GoLabel", ("in the coroutine",));
            },
        ),
        case(
            "switch-chain",
            &[41, 42, 43, 31],
            Go126,
            "Three coroutines pull values from each other, to and fro; two end by handing their \
             thread on. Each one's numbers count for themselves.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                coroutine(b);
                b.event("GoCreateBlocked", (G3, NoStack, NoStack));
                b.event("GoSwitch", (G2, Seq(1)));
                b.event("GoSwitch", (G3, Seq(1)));
                b.event("GoSwitch", (G2, Seq(2)));
                b.event("GoSwitch", (G1, Seq(1)));
                b.event("GoSwitch", (G2, Seq(3)));
                b.event("GoSwitch", (G3, Seq(2)));
                b.event("GoSwitchDestroy", (G2, Seq(4)));
                b.event("GoSwitchDestroy", (G1, Seq(2)));
                b.event("GoLabel", ("back again",));
            },
        ),
        case(
            "switch-over-generations",
            &[41, 42, 43, 22],
            Go126,
            "A coroutine waits when a generation ends and is switched to in the next. Its status \
             comes before, and the numbers begin anew.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                coroutine(b);
                b.event("GoSwitch", (G2, Seq(1)));
                b.event("GoSwitch", (G1, Seq(1)));
                let b = t.generation(2).batch(T5, 30);
                running(b, T5, P0, G1);
                b.event("GoStatus", (G2, NoThread, GoWaiting));
                b.event("GoSwitch", (G2, Seq(1)));
                b.event("GoSwitchDestroy", (G1, Seq(1)));
            },
        ),
        case(
            "switch-waits-until-the-other-waits",
            &[41, 42],
            Go123,
            "A coroutine goes from one thread to another. The switch to it waits until it has \
             switched away over there.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                running(a, T5, P0, G1);
                a.event("GoSwitch", (G3, Seq(2)));
                let b = g.batch(T6, 50);
                running(b, T6, P1, G2);
                b.event("GoCreateBlocked", (G3, NoStack, NoStack));
                b.event("GoSwitch", (G3, Seq(1)));
                b.event("GoSwitch", (G2, Seq(1)));
            },
        ),
        case(
            "switch-to-a-goroutine-that-is-runnable",
            &[41],
            Go123,
            "Only what waits can be switched to. A runnable goroutine never gets there.",
            |t| {
                t.expect_failure(STUCK);
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GoStatus", (G2, NoThread, GoRunnable));
                b.event("GoSwitch", (G2, Seq(1)));
            },
        ),
        case(
            "switch-with-a-number-left-out",
            &[41, 43],
            Go123,
            "The number says that the coroutine was switched to once before, and it was not.",
            |t| {
                t.expect_failure(STUCK);
                let b = t.generation(1).batch(T5, 10);
                coroutine(b);
                b.event("GoSwitchDestroy", (G2, Seq(2)));
            },
        ),
        case(
            "switch-in-a-syscall",
            &[41, 42],
            Go123,
            "Who switches has to run. This is looked at first: it is an error even though the \
             other goroutine does not exist.",
            |t| {
                t.expect_failure("GoSwitch (event )?for goroutine");
                let b = t.generation(1).batch(T5, 10);
                in_syscall(b, T5, P0, G1);
                b.event("GoSwitch", (G2, Seq(1)));
            },
        ),
        case(
            "switch-without-a-proc",
            &[41, 42],
            Go123,
            "A goroutine without a proc does not run, and has nothing to hand on.",
            |t| {
                t.expect_failure("expected a proc but didn't have one");
                let b = t.generation(1).batch(T5, 10);
                b.event("GoStatus", (G1, T5, GoRunning));
                b.event("GoStatus", (G2, NoThread, GoWaiting));
                b.event("GoSwitch", (G2, Seq(1)));
            },
        ),
        case(
            "switch-without-a-goroutine",
            &[41, 43],
            Go123,
            "Nothing runs on the thread that could hand it on.",
            |t| {
                t.expect_failure("expected a goroutine but didn't have one");
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GoStatus", (G2, NoThread, GoWaiting));
                b.event("GoSwitchDestroy", (G2, Seq(1)));
            },
        ),
        case(
            "switch-that-ends-is-forgotten",
            &[43, 30],
            Go123,
            "A coroutine that ends by switching is gone: its id is free again.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                coroutine(b);
                b.event("GoSwitchDestroy", (G2, Seq(1)));
                b.event("GoCreate", (G1, NoStack, NoStack));
            },
        ),
    ]
}

/// Goroutine 1 runs and makes the coroutine 2.
fn coroutine(b: Batch<'_>) {
    running(b, T5, P0, G1);
    b.event("GoCreateBlocked", (G2, NoStack, NoStack));
}
