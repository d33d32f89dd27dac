//! Events and batches of experiments.

use super::*;
use crate::builder::NoThread;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "experimental-events",
            &[70],
            Go126,
            "Spans, objects and stacks of the heap come and go. A thread is all that such an event \
             needs, and nothing is checked: what is freed need not be there.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                b.event("Span", (1, 2, 3));
                b.event("SpanAlloc", (2, 1, 5));
                b.event("HeapObject", (10, 1));
                b.event("HeapObjectAlloc", (11, 0));
                b.event("GoroutineStack", (20, 12));
                b.event("GoroutineStackAlloc", (21, 13));
                running(b, T5, P0, G1);
                b.event("GoroutineStackFree", (99,));
                b.event("HeapObjectFree", (98,));
                b.event("SpanFree", (97,));
            },
        ),
        case("experimental-event-without-a-thread", &[70], Go126, "No thread, no event.", |t| {
            t.expect_failure("expected a thread but didn't have one");
            t.generation(1).batch(NoThread, 10).event("SpanFree", (1,));
        }),
        case(
            "experimental-batches",
            &[70],
            Go126,
            "Batches of an experiment between those of threads: types and the alignments of the \
             heap. They are kept unread, and no thread is known by them.",
            |t| {
                let g = t.generation(1);
                g.experimental_batch(1, NoThread, 5, b"\x01\x80\x80\x04\x80\x40\x08\x80\x10");
                g.experimental_batch(1, T7, 6, b"\x00\x01\x80\x20\x08\x04\x04int8");
                let b = g.batch(T5, 10);
                b.event("HeapObjectAlloc", (11, 1));
                g.experimental_batch(1, NoThread, 20, b"\x00");
                let g = t.generation(2);
                g.experimental_batch(1, NoThread, 25, b"\x00\x02\x80\x30\x08\x04\x04int9");
                g.batch(T5, 30).event("HeapObjectFree", (11,));
            },
        ),
        case(
            "experimental-batches-before-1-25",
            &[70],
            Go123,
            "The same in the version that brought such batches.",
            |t| {
                let g = t.generation(1);
                g.experimental_batch(1, NoThread, 5, b"\x01\x80\x80\x04\x80\x40\x08\x80\x10");
                running(g.batch(T5, 10), T5, P0, G1);
            },
        ),
        case(
            "experimental-batch-of-no-experiment",
            &[11, 24],
            Go126,
            "A batch of experiment 0 is an ordinary one: its payload is events.",
            |t| {
                let g = t.generation(1);
                g.experimental_batch(0, T5, 10, &[13, 1, 0, 1, 25, 1, 1, 5, 2]);
                g.batch(T5, 20).event("GoLabel", ("of goroutine 1",));
            },
        ),
    ]
}
