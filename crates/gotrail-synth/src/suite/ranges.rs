//! Sweeps of procs, mark assists of goroutines, and the stopped world.

use super::*;
use crate::builder::{NoStack, NoThread, Raw};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = sweeps();
    cases.extend(assists());
    cases.extend(stopped_world());
    cases
}

fn sweeps() -> Vec<Case> {
    vec![
        case(
            "sweep",
            &[53, 56],
            Go122,
            "A proc sweeps. What it swept and reclaimed is said at the end. No goroutine is \
             needed.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GCSweepBegin", (NoStack,));
                b.event("GCSweepEnd", (8192, 4096));
                b.event("GCSweepBegin", (NoStack,));
                b.event("GCSweepEnd", (0, 0));
            },
        ),
        case(
            "sweep-begins-without-a-proc",
            &[53],
            Go122,
            "A proc sweeps, and there is none.",
            |t| {
                t.expect_failure("expected a proc but didn't have one");
                t.generation(1).batch(T5, 10).event("GCSweepBegin", (NoStack,));
            },
        ),
        case("sweep-begins-without-a-thread", &[53], Go126, "Nobody sweeps.", |t| {
            t.expect_failure("expected a thread but didn't have one");
            t.generation(1).batch(NoThread, 10).event("GCSweepBegin", (NoStack,));
        }),
        case("sweep-begins-twice", &[53], Go122, "A proc that sweeps begins to sweep.", |t| {
            t.expect_failure("in-flight|GCSweepBegin: the range on proc 0");
            let b = t.generation(1).batch(T5, 10);
            b.event("ProcStatus", (P0, ProcRunning));
            b.event("GCSweepBegin", (NoStack,));
            b.event("GCSweepBegin", (NoStack,));
        }),
        case(
            "sweep-is-active-when-the-trace-begins",
            &[54, 56],
            Go122,
            "A proc sweeps when the trace begins; another thread may say so. It ends where the \
             proc runs.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                a.event("ProcStatus", (P0, ProcRunning));
                a.event_after(20, "GCSweepEnd", (1, 2));
                let b = g.batch(T6, 15);
                b.event("GCSweepActive", (P0,));
            },
        ),
        case(
            "sweep-is-active-twice-in-the-first-generation",
            &[54],
            Go122,
            "In the first generation this is how a sweep becomes known. It cannot become known \
             twice.",
            |t| {
                t.expect_failure("already in first gen|GCSweepActive: the range on proc 0");
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GCSweepActive", (P0,));
                b.event("GCSweepActive", (P0,));
            },
        ),
        case(
            "sweep-is-active-on-an-unknown-proc",
            &[54],
            Go122,
            "The named proc has no status yet. This does not wait.",
            |t| {
                t.expect_failure("GCSweepActive for (unknown )?proc 0");
                t.generation(1).batch(T5, 10).event("GCSweepActive", (P0,));
            },
        ),
        case(
            "sweep-over-generations",
            &[53, 55, 56],
            Go126,
            "A sweep lives through a generation: there it is said to be active, which changes \
             nothing, and may be said twice.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GCSweepBegin", (NoStack,));
                let b = t.generation(2).batch(T5, 20);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GCSweepActive", (P0,));
                b.event("GCSweepActive", (P0,));
                let b = t.generation(3).batch(T5, 30);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GCSweepActive", (P0,));
                b.event("GCSweepEnd", (1, 2));
            },
        ),
        case(
            "sweep-is-active-that-never-began",
            &[55],
            Go126,
            "In a later generation a sweep that is active must have begun before.",
            |t| {
                t.expect_failure("missing active range|GCSweepActive: the range on proc 0");
                t.generation(1).batch(T5, 10).event("ProcStatus", (P0, ProcRunning));
                let b = t.generation(2).batch(T5, 20);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GCSweepActive", (P0,));
            },
        ),
        case(
            "sweep-ends-without-a-proc",
            &[56],
            Go122,
            "The proc stopped while it swept; its sweep cannot end without it.",
            |t| {
                t.expect_failure("expected a proc but didn't have one");
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GCSweepBegin", (NoStack,));
                b.event("ProcStop", ());
                b.event("GCSweepEnd", (1, 2));
            },
        ),
        case("sweep-ends-without-a-thread", &[56], Go126, "Nobody is done with sweeping.", |t| {
            t.expect_failure("expected a thread but didn't have one");
            t.generation(1).batch(NoThread, 10).event("GCSweepEnd", (1, 2));
        }),
        case("sweep-ends-that-never-began", &[56], Go122, "The proc does not sweep.", |t| {
            t.expect_failure("not in-flight|GCSweepEnd: the range on proc 0");
            let b = t.generation(1).batch(T5, 10);
            b.event("ProcStatus", (P0, ProcRunning));
            b.event("GCSweepEnd", (1, 2));
        }),
    ]
}

fn assists() -> Vec<Case> {
    vec![
        case(
            "mark-assist",
            &[57, 59],
            Go122,
            "A goroutine helps to mark what it allocates, blocks meanwhile and goes on.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GCMarkAssistBegin", (NoStack,));
                b.event("GoStop", ("preempted", NoStack));
                b.event("GoStart", (G1, Seq(1)));
                b.event("GCMarkAssistEnd", ());
            },
        ),
        case(
            "mark-assist-in-a-syscall",
            &[57, 59],
            Go126,
            "The goroutine must be known; what it does at the moment is not looked at.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                in_syscall(b, T5, P0, G1);
                b.event("GCMarkAssistBegin", (NoStack,));
                b.event("GCMarkAssistEnd", ());
            },
        ),
        case(
            "mark-assist-begins-without-a-goroutine",
            &[57],
            Go122,
            "It is goroutines that assist.",
            |t| {
                t.expect_failure("expected a goroutine but didn't have one");
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GCMarkAssistBegin", (NoStack,));
            },
        ),
        case(
            "mark-assist-begins-without-a-proc",
            &[57],
            Go126,
            "A goroutine in a system call that has lost its proc does not allocate.",
            |t| {
                t.expect_failure("expected a proc but didn't have one");
                let b = t.generation(1).batch(T5, 10);
                b.event("GoStatus", (G1, T5, GoSyscall));
                b.event("GCMarkAssistBegin", (NoStack,));
            },
        ),
        case(
            "mark-assist-begins-twice",
            &[57],
            Go122,
            "A goroutine that assists begins to assist.",
            |t| {
                t.expect_failure("in-flight|GCMarkAssistBegin: the range on goroutine 1");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GCMarkAssistBegin", (NoStack,));
                b.event("GCMarkAssistBegin", (NoStack,));
            },
        ),
        case(
            "mark-assist-is-active-when-the-trace-begins",
            &[58, 59],
            Go122,
            "A goroutine assists when the trace begins, and another thread says so.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                running(a, T5, P0, G1);
                a.event_after(20, "GCMarkAssistEnd", ());
                g.batch(T6, 15).event("GCMarkAssistActive", (G1,));
            },
        ),
        case(
            "mark-assist-over-generations",
            &[57, 58, 59],
            Go126,
            "A mark assist begins in one generation, is active in the next and ends there.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GCMarkAssistBegin", (NoStack,));
                let b = t.generation(2).batch(T5, 20);
                running(b, T5, P0, G1);
                b.event("GCMarkAssistActive", (G1,));
                b.event("GCMarkAssistEnd", ());
            },
        ),
        case(
            "mark-assist-is-active-that-never-began",
            &[58],
            Go126,
            "In a later generation an assist that is active must have begun before.",
            |t| {
                t.expect_failure(
                    "missing active range|GCMarkAssistActive: the range on goroutine 1",
                );
                running(t.generation(1).batch(T5, 10), T5, P0, G1);
                let b = t.generation(2).batch(T5, 20);
                running(b, T5, P0, G1);
                b.event("GCMarkAssistActive", (G1,));
            },
        ),
        case(
            "mark-assist-is-active-on-an-unknown-goroutine",
            &[58],
            Go122,
            "The named goroutine has no status yet. This does not wait.",
            |t| {
                t.expect_failure("uninitialized goroutine 1|GCMarkAssistActive for goroutine 1");
                t.generation(1).batch(T5, 10).event("GCMarkAssistActive", (G1,));
            },
        ),
        case(
            "mark-assist-ends-without-a-goroutine",
            &[59],
            Go122,
            "The goroutine stopped while it assisted, and another has not started yet.",
            |t| {
                t.expect_failure("expected a goroutine but didn't have one");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GCMarkAssistBegin", (NoStack,));
                b.event("GoStop", ("preempted", NoStack));
                b.event("GCMarkAssistEnd", ());
            },
        ),
        case(
            "mark-assist-ends-that-never-began",
            &[59],
            Go122,
            "The goroutine does not assist.",
            |t| {
                t.expect_failure("not in-flight|GCMarkAssistEnd: the range on goroutine 1");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GCMarkAssistEnd", ());
            },
        ),
    ]
}

fn stopped_world() -> Vec<Case> {
    vec![
        case(
            "world-is-stopped-for-two-reasons",
            &[60, 61],
            Go122,
            "Two stops of the world with different reasons may be open on one goroutine. What ends \
             is the first of them.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("STWBegin", ("read mem stats", NoStack));
                b.event("STWBegin", ("start trace", NoStack));
                b.event("STWEnd", ());
                b.event("STWEnd", ());
            },
        ),
        case(
            "world-is-stopped-without-a-goroutine",
            &[60],
            Go122,
            "The world is stopped by a goroutine.",
            |t| {
                t.expect_failure("expected a goroutine but didn't have one");
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("STWBegin", ("GOMAXPROCS", NoStack));
            },
        ),
        case(
            "world-is-stopped-twice-for-one-reason",
            &[60],
            Go122,
            "Two stops with the same reason cannot be open on one goroutine.",
            |t| {
                t.expect_failure("in-flight|STWBegin: the range on goroutine 1");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("STWBegin", ("GOMAXPROCS", NoStack));
                b.event("STWBegin", ("GOMAXPROCS", NoStack));
            },
        ),
        case(
            "world-is-stopped-over-generations",
            &[60, 61],
            Go126,
            "The end of a stop shows the reason that its string id has in the generation of the \
             end: another one than at the beginning, if the id means something else by then.",
            |t| {
                let g = t.generation(1);
                let b = g.batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("STWBegin", ("start trace", NoStack));
                let g = t.generation(2);
                g.string("the first string of this generation");
                let b = g.batch(T5, 20);
                running(b, T5, P0, G1);
                b.event("STWEnd", ());
            },
        ),
        case(
            "world-is-stopped-for-no-reason-that-is-known",
            &[60],
            Go122,
            "The reason is a string that the generation does not have. The order does not mind; \
             the event cannot be delivered.",
            |t| {
                t.expect_failure("invalid string ID 9|refers to string 9");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("STWBegin", (Raw(9), NoStack));
            },
        ),
        case(
            "world-starts-without-a-goroutine",
            &[61],
            Go122,
            "The one who stopped the world has to start it, and is gone.",
            |t| {
                t.expect_failure("expected a goroutine but didn't have one");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("STWBegin", ("GOMAXPROCS", NoStack));
                b.event("GoBlock", ("wait", NoStack));
                b.event("STWEnd", ());
            },
        ),
        case("world-starts-that-was-not-stopped", &[61], Go122, "The world runs already.", |t| {
            t.expect_failure("not in-flight|STWEnd: the range on goroutine 1");
            let b = t.generation(1).batch(T5, 10);
            running(b, T5, P0, G1);
            b.event("STWEnd", ());
        }),
    ]
}
