//! Cycles of the garbage collector.

use super::*;
use crate::builder::NoStack;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "gc-is-active-when-the-trace-begins",
            &[48, 52],
            Go122,
            "The collector works when the trace begins. In the first generation that can be said \
             where nothing runs; the numbers go on from there.",
            |t| {
                let g = t.generation(1);
                g.batch(T6, 10).event("GCActive", (Seq(7),));
                let b = g.batch(T5, 20);
                running(b, T5, P0, G1);
                b.event("GCEnd", (Seq(8),));
            },
        ),
        case(
            "gc-is-active-twice-in-the-first-generation",
            &[48],
            Go122,
            "That the collector is active must be the first that is heard of it.",
            |t| {
                t.expect_failure("GCActive (in the first generation|with the GC)");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GCActive", (Seq(1),));
                b.event("GCActive", (Seq(2),));
            },
        ),
        case(
            "gc-over-generations",
            &[49, 51, 52, 50],
            Go126,
            "A collection lives through a whole generation. Its numbers run through the trace and \
             do not begin anew.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GCBegin", (Seq(1), NoStack));
                let b = t.generation(2).batch(T5, 20);
                running(b, T5, P0, G1);
                b.event("GCActive", (Seq(2),));
                let b = t.generation(3).batch(T5, 30);
                running(b, T5, P0, G1);
                b.event("GCActive", (Seq(3),));
                b.event("GCEnd", (Seq(4),));
                b.event("GCBegin", (Seq(5), NoStack));
                b.event("GCEnd", (Seq(6),));
            },
        ),
        case(
            "gc-is-active-waits-for-its-number",
            &[49, 52, 51],
            Go126,
            "In a later generation the collector's events of two threads are put in order by their \
             numbers alone.",
            |t| {
                let g = t.generation(1);
                let b = g.batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GCBegin", (Seq(1), NoStack));
                running(g.batch(T6, 15), T6, P1, G2);
                let g = t.generation(2);
                let c = g.batch(T6, 20);
                running(c, T6, P1, G2);
                c.event("GCEnd", (Seq(3),));
                let b = g.batch(T5, 50);
                running(b, T5, P0, G1);
                b.event("GCActive", (Seq(2),));
            },
        ),
        case(
            "gc-is-active-that-is-off",
            &[49],
            Go126,
            "The collector has ended its work in the first generation. In the second one it is \
             said to be active, without a beginning.",
            |t| {
                t.expect_failure("GCActive (while GC was not in progress|with the GC)");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GCBegin", (Seq(1), NoStack));
                b.event("GCEnd", (Seq(2),));
                let b = t.generation(2).batch(T5, 20);
                running(b, T5, P0, G1);
                b.event("GCActive", (Seq(3),));
            },
        ),
        case(
            "gc-is-active-with-a-number-left-out",
            &[49],
            Go126,
            "An event of the collector is missing before this one.",
            |t| {
                t.expect_failure(STUCK);
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GCBegin", (Seq(1), NoStack));
                let b = t.generation(2).batch(T5, 20);
                running(b, T5, P0, G1);
                b.event("GCActive", (Seq(3),));
            },
        ),
        case(
            "gc-is-active-where-nothing-runs",
            &[49],
            Go126,
            "In a later generation it is said by a goroutine that runs.",
            |t| {
                t.expect_failure("expected a proc but didn't have one");
                let g = t.generation(1);
                let b = g.batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GCBegin", (Seq(1), NoStack));
                t.generation(2).batch(T6, 20).event("GCActive", (Seq(2),));
            },
        ),
        case(
            "gc-begins-first-of-all",
            &[50],
            Go122,
            "As long as nothing is known of the collector, it may begin with any number, and where \
             nothing runs.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                b.event("GCBegin", (Seq(41), NoStack));
                running(b, T5, P0, G1);
                b.event("GCEnd", (Seq(42),));
            },
        ),
        case(
            "gc-begins-first-of-all-in-a-later-generation",
            &[50],
            Go126,
            "The same holds in any generation, as long as it is the first event of the collector.",
            |t| {
                running(t.generation(1).batch(T5, 10), T5, P0, G1);
                let b = t.generation(2).batch(T6, 20);
                b.event("GCBegin", (Seq(9), NoStack));
            },
        ),
        case(
            "gc-begins-waits-for-its-number",
            &[51, 52, 50],
            Go122,
            "Two collections on two threads, whose clocks disagree.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                running(a, T5, P0, G1);
                a.event("GCBegin", (Seq(1), NoStack));
                a.event("GCBegin", (Seq(3), NoStack));
                a.event("GCEnd", (Seq(4),));
                let b = g.batch(T6, 50);
                running(b, T6, P1, G2);
                b.event("GCEnd", (Seq(2),));
            },
        ),
        case(
            "gc-begins-twice",
            &[51],
            Go122,
            "The number is right, but the collector works already.",
            |t| {
                t.expect_failure("GCBegin (while GC was already in progress|with the GC)");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GCBegin", (Seq(1), NoStack));
                b.event("GCBegin", (Seq(2), NoStack));
            },
        ),
        case(
            "gc-begins-with-a-number-left-out",
            &[51],
            Go126,
            "The third collection begins after the first: its number never comes.",
            |t| {
                t.expect_failure(STUCK);
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GCBegin", (Seq(1), NoStack));
                b.event("GCEnd", (Seq(2),));
                b.event("GCBegin", (Seq(5), NoStack));
            },
        ),
        case(
            "gc-begins-where-nothing-runs",
            &[51],
            Go126,
            "Only the very first beginning needs nothing around it.",
            |t| {
                t.expect_failure("expected a proc but didn't have one");
                let g = t.generation(1);
                let b = g.batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GCBegin", (Seq(1), NoStack));
                b.event("GCEnd", (Seq(2),));
                g.batch(T6, 20).event("GCBegin", (Seq(3), NoStack));
            },
        ),
        case(
            "gc-ends-waits-for-its-number",
            &[52, 50],
            Go122,
            "The end of a collection comes first by time, and waits for its beginning on another \
             thread.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                running(a, T5, P0, G1);
                a.event("GCEnd", (Seq(2),));
                let b = g.batch(T6, 50);
                running(b, T6, P1, G2);
                b.event("GCBegin", (Seq(1), NoStack));
            },
        ),
        case(
            "gc-ends-where-nothing-runs",
            &[52],
            Go122,
            "The end of a collection needs a goroutine that runs, though the first beginning \
             needed none.",
            |t| {
                t.expect_failure("expected a goroutine but didn't have one");
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GCBegin", (Seq(1), NoStack));
                b.event("GCEnd", (Seq(2),));
            },
        ),
        case(
            "gc-ends-twice",
            &[52],
            Go122,
            "The number is right, but the collector does not work any more.",
            |t| {
                t.expect_failure("GCEnd (when GC was not in progress|with the GC)");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GCBegin", (Seq(1), NoStack));
                b.event("GCEnd", (Seq(2),));
                b.event("GCEnd", (Seq(3),));
            },
        ),
        case(
            "gc-ends-first-of-all",
            &[52],
            Go122,
            "Nothing is known of the collector, whose number counts as 0: an end with number 1 is \
             looked at and refused.",
            |t| {
                t.expect_failure("GCEnd (when GC was in an undetermined state|with the GC)");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GCEnd", (Seq(1),));
            },
        ),
        case(
            "gc-ends-first-of-all-with-another-number",
            &[52],
            Go126,
            "An end with any other number waits for what never comes.",
            |t| {
                t.expect_failure(STUCK);
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GCEnd", (Seq(4),));
            },
        ),
    ]
}
