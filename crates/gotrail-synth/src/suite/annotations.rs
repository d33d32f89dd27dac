//! Metrics, labels and logs; tasks and regions.

use super::*;
use crate::TaskId;
use crate::builder::{NoStack, NoThread, Raw, StackFrame};

const TASK: TaskId = TaskId(2);
const NO_PARENT: TaskId = TaskId(0);

pub(super) fn cases() -> Vec<Case> {
    let mut cases = plain();
    cases.extend(tasks());
    cases.extend(regions());
    cases
}

fn plain() -> Vec<Case> {
    vec![
        case(
            "labels-logs-and-procs",
            &[62],
            Go122,
            "What a goroutine says of itself needs a goroutine that runs. Text may hold anything: \
             quotes, line breaks, bytes that are no UTF-8.",
            |t| {
                let frames = [StackFrame::new(0x401000, "main.log", "main.go", 8)];
                let odd: &[u8] = b"a \"b\"\n\xff\x00\xc3\xa9";
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("ProcsChange", (8, frames.clone()));
                b.event("GoLabel", ("",));
                b.event("GoLabel", (odd,));
                b.event("UserLog", (TASK, "key", odd, frames));
            },
        ),
        case("log-without-a-goroutine", &[62], Go122, "A proc alone logs nothing.", |t| {
            t.expect_failure("expected a goroutine but didn't have one");
            let b = t.generation(1).batch(T5, 10);
            b.event("ProcStatus", (P0, ProcRunning));
            b.event("UserLog", (TASK, "key", "value", NoStack));
        }),
        case(
            "label-without-a-proc",
            &[62],
            Go122,
            "A goroutine in a system call without a proc has no labels set.",
            |t| {
                t.expect_failure("expected a proc but didn't have one");
                let b = t.generation(1).batch(T5, 10);
                b.event("GoStatus", (G1, T5, GoSyscall));
                b.event("GoLabel", ("label",));
            },
        ),
        case(
            "number-of-procs-changes-without-a-goroutine",
            &[62],
            Go126,
            "GOMAXPROCS is changed by a goroutine.",
            |t| {
                t.expect_failure("expected a goroutine but didn't have one");
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("ProcsChange", (8, NoStack));
            },
        ),
        case(
            "heap-metrics",
            &[63],
            Go122,
            "The heap's size and goal are said where a proc runs; no goroutine is needed. Numbers \
             have 64 bits.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("HeapAlloc", (0,));
                b.event("HeapAlloc", (u64::MAX,));
                b.event("HeapGoal", (4 << 20,));
            },
        ),
        case(
            "heap-size-without-a-proc",
            &[63],
            Go126,
            "The size of the heap, on a thread that has no proc.",
            |t| {
                t.expect_failure("expected a proc but didn't have one");
                t.generation(1).batch(T5, 10).event("HeapAlloc", (1,));
            },
        ),
        case(
            "heap-goal-without-a-thread",
            &[63],
            Go126,
            "The goal of the heap, on no thread.",
            |t| {
                t.expect_failure("expected a thread but didn't have one");
                t.generation(1).batch(NoThread, 10).event("HeapGoal", (1,));
            },
        ),
        case("heap-metric-without-a-thread", &[63], Go126, "Nobody allocates.", |t| {
            t.expect_failure("expected a thread but didn't have one");
            t.generation(1).batch(NoThread, 10).event("HeapAlloc", (1,));
        }),
        case(
            "heap-metric-without-a-proc",
            &[63],
            Go122,
            "A thread without a proc does not allocate.",
            |t| {
                t.expect_failure("expected a proc but didn't have one");
                t.generation(1).batch(T5, 10).event("HeapGoal", (1,));
            },
        ),
    ]
}

fn tasks() -> Vec<Case> {
    vec![
        case(
            "task",
            &[64, 65],
            Go122,
            "A task and one inside it. Parent 0 is no parent. The end shows the name again.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("UserTaskBegin", (TASK, NO_PARENT, "request", NoStack));
                b.event("UserTaskBegin", (TaskId(3), TASK, "query", NoStack));
                b.event("UserTaskEnd", (TaskId(3), NoStack));
                b.event("UserTaskEnd", (TASK, NoStack));
                b.event("UserTaskBegin", (TASK, NO_PARENT, "request", NoStack));
            },
        ),
        case(
            "task-begins-twice",
            &[64],
            Go122,
            "Two active tasks of one id. Programs do this when they copy contexts about.",
            |t| {
                t.expect_failure("task ID conflict: (task )?2");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("UserTaskBegin", (TASK, NO_PARENT, "one", NoStack));
                b.event("UserTaskBegin", (TASK, NO_PARENT, "another", NoStack));
            },
        ),
        case(
            "task-without-a-name",
            &[64],
            Go122,
            "The name's string does not exist. Tasks keep their names, so that this is found when \
             the event is put in order, not when it is delivered.",
            |t| {
                t.expect_failure("invalid string ID 9|refers to string 9");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("UserTaskBegin", (TASK, NO_PARENT, Raw(9), NoStack));
            },
        ),
        case(
            "task-begins-without-a-goroutine",
            &[64],
            Go122,
            "A task needs somebody who begins it.",
            |t| {
                t.expect_failure("expected a goroutine but didn't have one");
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("UserTaskBegin", (TASK, NO_PARENT, "one", NoStack));
            },
        ),
        case(
            "task-over-generations",
            &[65, 64],
            Go126,
            "A task ends two generations after it began. Its name is known, though the tables of \
             its generation are gone.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("UserTaskBegin", (TASK, TaskId(1), "a long request", NoStack));
                let g = t.generation(2);
                g.string("another string 1");
                running(g.batch(T5, 20), T5, P0, G1);
                let b = t.generation(3).batch(T5, 30);
                running(b, T5, P0, G1);
                b.event("UserTaskEnd", (TASK, NoStack));
            },
        ),
        case(
            "task-ends-without-a-goroutine",
            &[65],
            Go122,
            "A task ends where nothing runs.",
            |t| {
                t.expect_failure("expected a goroutine but didn't have one");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("UserTaskBegin", (TASK, NO_PARENT, "one", NoStack));
                b.event("GoDestroy", ());
                b.event("UserTaskEnd", (TASK, NoStack));
            },
        ),
        case(
            "task-ends-that-began-before-the-trace",
            &[66],
            Go122,
            "Nothing is known of the task but its end; a second end is one of those, too.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("UserTaskEnd", (TASK, NoStack));
                b.event("UserTaskEnd", (TASK, NoStack));
            },
        ),
        case(
            "unknown-task-ends-without-a-goroutine",
            &[66],
            Go126,
            "Even the end of a task that is not known needs somebody.",
            |t| {
                t.expect_failure("expected a proc but didn't have one");
                t.generation(1).batch(T5, 10).event("UserTaskEnd", (TASK, NoStack));
            },
        ),
    ]
}

fn regions() -> Vec<Case> {
    vec![
        case(
            "regions-nest",
            &[67, 69],
            Go122,
            "Regions end in reverse. The same region may be open more than once.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("UserRegionBegin", (TASK, "outer", NoStack));
                b.event("UserRegionBegin", (TASK, "inner", NoStack));
                b.event("UserRegionBegin", (TASK, "inner", NoStack));
                b.event("UserRegionEnd", (TASK, "inner", NoStack));
                b.event("UserRegionEnd", (TASK, "inner", NoStack));
                b.event("UserRegionEnd", (TASK, "outer", NoStack));
            },
        ),
        case("region-without-a-name", &[67], Go122, "The name's string does not exist.", |t| {
            t.expect_failure("invalid string ID 9|refers to string 9");
            let b = t.generation(1).batch(T5, 10);
            running(b, T5, P0, G1);
            b.event("UserRegionBegin", (TASK, Raw(9), NoStack));
        }),
        case("region-without-a-goroutine", &[67], Go122, "A region belongs to a goroutine.", |t| {
            t.expect_failure("expected a goroutine but didn't have one");
            let b = t.generation(1).batch(T5, 10);
            b.event("ProcStatus", (P0, ProcRunning));
            b.event("UserRegionBegin", (TASK, "region", NoStack));
        }),
        case(
            "region-that-began-before-the-trace",
            &[68],
            Go122,
            "A goroutine without open regions may end any: it began before the trace did.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("UserRegionEnd", (TASK, "old", NoStack));
                b.event("UserRegionEnd", (NO_PARENT, "older", NoStack));
                b.event("UserRegionBegin", (TASK, "new", NoStack));
                b.event("UserRegionEnd", (TASK, "new", NoStack));
            },
        ),
        case(
            "region-ends-without-a-name",
            &[68],
            Go122,
            "The name is looked up even if there is nothing to compare it with.",
            |t| {
                t.expect_failure("invalid string ID 9|refers to string 9");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("UserRegionEnd", (TASK, Raw(9), NoStack));
            },
        ),
        case(
            "region-over-generations",
            &[67, 69],
            Go126,
            "A region is open while the generation changes, and its name has another id at its \
             end. Names are compared as text.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("UserRegionBegin", (TASK, "long", NoStack));
                let g = t.generation(2);
                let b = g.batch(T5, 20);
                running(b, T5, P0, G1);
                b.event("UserRegionBegin", (TASK, "short", NoStack));
                b.event("UserRegionEnd", (TASK, "short", NoStack));
                b.event("UserRegionEnd", (TASK, "long", NoStack));
            },
        ),
        case(
            "region-ends-in-the-wrong-order",
            &[69],
            Go122,
            "The outer region ends first: a mistake of the program that is traced.",
            |t| {
                t.expect_failure("misuse of region in goroutine 1");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("UserRegionBegin", (TASK, "outer", NoStack));
                b.event("UserRegionBegin", (TASK, "inner", NoStack));
                b.event("UserRegionEnd", (TASK, "outer", NoStack));
            },
        ),
        case(
            "region-ends-with-another-task",
            &[69],
            Go122,
            "The name is right, the task is not.",
            |t| {
                t.expect_failure("misuse of region in goroutine 1");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("UserRegionBegin", (TASK, "region", NoStack));
                b.event("UserRegionEnd", (TaskId(3), "region", NoStack));
            },
        ),
        case(
            "region-ends-without-a-goroutine",
            &[69],
            Go122,
            "A region ends where no goroutine is.",
            |t| {
                t.expect_failure("expected a goroutine but didn't have one");
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("UserRegionBegin", (TASK, "region", NoStack));
                b.event("GoDestroy", ());
                b.event("UserRegionEnd", (TASK, "region", NoStack));
            },
        ),
        case(
            "region-stays-with-its-goroutine",
            &[67, 69, 33],
            Go126,
            "A region is open while its goroutine goes to another thread; the goroutine that runs \
             there before has a region of its own.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                running(a, T5, P0, G1);
                a.event("UserRegionBegin", (TASK, "moving", NoStack));
                a.event("GoStop", ("preempted", NoStack));
                let b = g.batch(T6, 12);
                running(b, T6, P1, G2);
                b.event("UserRegionBegin", (TASK, "staying", NoStack));
                b.event("GoBlock", ("wait", NoStack));
                b.event("GoStart", (G1, Seq(1)));
                b.event("UserRegionEnd", (TASK, "moving", NoStack));
            },
        ),
    ]
}
