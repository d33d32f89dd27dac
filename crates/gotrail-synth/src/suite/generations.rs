//! What carries over from one generation to the next, and what does not.

use super::*;
use crate::TaskId;
use crate::builder::{NoStack, NoThread, Raw};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "numbers-begin-anew-in-each-generation",
            &[7, 12, 22, 33],
            Go122,
            "A start in the second generation comes before the status there, by the clock, and has \
             a number that would have been next in the first. It waits for the status, and for the \
             start that is number 1 now.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                running(a, T5, P0, G1);
                a.event("GoStop", ("preempted", NoStack));
                a.event("GoStart", (G1, Seq(1)));
                a.event("GoStop", ("preempted", NoStack));
                let g = t.generation(2);
                let b = g.batch(T6, 30);
                b.event("ProcStatus", (P1, ProcRunning));
                b.event("GoStart", (G1, Seq(2)));
                let a = g.batch(T5, 40);
                a.event("ProcStatus", (P0, ProcRunning));
                a.event("GoStatus", (G1, NoThread, GoRunnable));
                a.event("GoStart", (G1, Seq(1)));
                a.event("GoStop", ("preempted", NoStack));
            },
        ),
        case(
            "start-without-a-status-in-a-later-generation",
            &[33],
            Go126,
            "A goroutine is runnable and known, but has no status in this generation. Its number \
             is of the generation before, and nothing can follow it.",
            |t| {
                t.expect_failure(STUCK);
                let b = t.generation(1).batch(T5, 10);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GoStatus", (G1, NoThread, GoRunnable));
                let b = t.generation(2).batch(T5, 20);
                b.event("ProcStatus", (P0, ProcRunning));
                b.event("GoStart", (G1, Seq(1)));
            },
        ),
        case(
            "events-without-a-status-in-a-later-generation",
            &[14, 35, 45],
            Go126,
            "Events that carry no number need no status in their generation: what a thread has, it \
             keeps.",
            |t| {
                let g = t.generation(1);
                running(g.batch(T5, 10), T5, P0, G1);
                let b = g.batch(T6, 15);
                in_syscall(b, T6, P1, G2);
                let g = t.generation(2);
                let a = g.batch(T5, 20);
                a.event("GoStop", ("preempted", NoStack));
                a.event("ProcStop", ());
                g.batch(T6, 25).event("GoSyscallEnd", ());
            },
        ),
        case(
            "syscall-without-a-status-in-a-later-generation",
            &[44],
            Go126,
            "The beginning of a system call carries a number of its proc, which has no status in \
             this generation. It does not wait.",
            |t| {
                t.expect_failure("GoSyscallBegin.* sequence");
                running(t.generation(1).batch(T5, 10), T5, P0, G1);
                let b = t.generation(2).batch(T5, 20);
                b.event("GoSyscallBegin", (Seq(1), NoStack));
            },
        ),
        case(
            "steal-races-with-a-generation-boundary",
            &[8, 15, 18, 27, 46, 47],
            Go122,
            "A system call begins at the end of a generation, and its proc is stolen right after \
             the boundary. Both the thief and the thread that returns write statuses first, and \
             the thread that returns is ahead by the clock.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                running(a, T5, P0, G1);
                a.event("GoSyscallBegin", (Seq(1), NoStack));
                running(g.batch(T6, 12), T6, P1, G2);
                let g = t.generation(2);
                let a = g.batch(T5, 20);
                a.event("GoStatus", (G1, T5, GoSyscall));
                a.event("GoSyscallEndBlocked", ());
                let b = g.batch(T6, 40);
                running(b, T6, P1, G2);
                b.event("ProcStatus", (P0, ProcAbandoned));
                b.event("ProcSteal", (P0, Seq(1), T5));
            },
        ),
        case(
            "steal-before-a-generation-boundary-and-return-after",
            &[18, 27, 47],
            Go126,
            "The proc is stolen in the generation of the system call; the thread returns in the \
             next one, without a proc.",
            |t| {
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                running(a, T5, P0, G1);
                a.event("GoSyscallBegin", (Seq(1), NoStack));
                g.batch(T6, 20).event("ProcSteal", (P0, Seq(2), T5));
                let g = t.generation(2);
                let a = g.batch(T5, 30);
                a.event("GoStatus", (G1, T5, GoSyscall));
                a.event("GoSyscallEndBlocked", ());
                g.batch(NoThread, 40).event("ProcStatus", (P0, ProcIdle));
            },
        ),
        case(
            "steal-after-a-boundary-with-the-number-of-the-generation-before",
            &[15],
            Go126,
            "The number of the steal goes on where the first generation ended. The status set it \
             back to 0.",
            |t| {
                t.expect_failure(STUCK);
                let a = t.generation(1).batch(T5, 10);
                running(a, T5, P0, G1);
                a.event("GoSyscallBegin", (Seq(1), NoStack));
                let b = t.generation(2).batch(T6, 20);
                b.event("ProcStatus", (P0, ProcAbandoned));
                b.event("ProcSteal", (P0, Seq(2), T5));
            },
        ),
        case(
            "everything-is-open-over-three-generations",
            &[55, 58, 49, 61, 65, 69],
            Go125,
            "A task, a region, a stopped world, a collection, a sweep and a mark assist begin in \
             the first generation, last through the second and end in the third, each with other \
             ids for its strings.",
            |t| {
                let task = TaskId(4);
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("UserTaskBegin", (task, TaskId(0), "the task", NoStack));
                b.event("UserRegionBegin", (task, "the region", NoStack));
                b.event("GCBegin", (Seq(1), NoStack));
                b.event("GCSweepBegin", (NoStack,));
                b.event("GCMarkAssistBegin", (NoStack,));
                b.event("STWBegin", ("the reason", NoStack));
                let b = t.generation(2).batch(T5, 30);
                running(b, T5, P0, G1);
                b.event("GCActive", (Seq(2),));
                b.event("GCSweepActive", (P0,));
                b.event("GCMarkAssistActive", (G1,));
                let g = t.generation(3);
                for text in ["a", "b", "the reason"] {
                    g.string(text);
                }
                let b = g.batch(T5, 50);
                running(b, T5, P0, G1);
                b.event("STWEnd", ());
                b.event("GCMarkAssistEnd", ());
                b.event("GCSweepEnd", (3, 4));
                b.event("GCEnd", (Seq(3),));
                b.event("UserRegionEnd", (task, "the region", NoStack));
                b.event("UserTaskEnd", (task, NoStack));
            },
        ),
        case(
            "first-generation-is-that-of-the-first-event",
            &[5, 20],
            Go122,
            "The first generation has no events. Statuses of the second one are of the first sight \
             all the same: the trace has just begun.",
            |t| {
                t.generation(1);
                running(t.generation(2).batch(T5, 10), T5, P0, G1);
            },
        ),
        case(
            "first-generation-comes-again",
            &[20, 27, 54],
            Go126,
            "From 1.26 on, numbers of generations may repeat. One that has the number of the first \
             counts as the first again: goroutines may appear there.",
            |t| {
                running(t.generation(7).batch(T5, 10), T5, P0, G1);
                running(t.generation(8).batch(T5, 20), T5, P0, G1);
                let b = t.generation(7).batch(T6, 30);
                b.event("ProcStatus", (P1, ProcRunning));
                b.event("GoStatus", (G2, T6, GoSyscall));
                b.event("GCSweepActive", (P1,));
            },
        ),
        case(
            "flight-recorder-begins-in-the-middle",
            &[5, 20, 48],
            Go126,
            "A flight recorder's snapshot has the last generations only, with the numbers that \
             they had. The first of them is as good as the first of all.",
            |t| {
                let g = t.generation(41);
                g.sync_with_clocks(1_000_000_000, 5, 77, (1_740_755_049, 123));
                let b = g.batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GCActive", (Seq(12),));
                let g = t.generation(42);
                g.sync_with_clocks(1_000_000_000, 25, 97, (1_740_755_049, 143));
                let b = g.batch(T5, 30);
                running(b, T5, P0, G1);
                b.event("GCActive", (Seq(13),));
            },
        ),
        case(
            "generation-without-its-end",
            &[],
            Go126,
            "From 1.26 on, a generation has to be whole before anything of it is delivered. The \
             second one is cut off before its end.",
            |t| {
                t.expect_failure("incomplete generation");
                running(t.generation(1).batch(T5, 10), T5, P0, G1);
                let g = t.generation(2);
                running(g.batch(T5, 20), T5, P0, G1);
                g.without_end();
            },
        ),
        case(
            "generation-without-a-frequency",
            &[],
            Go122,
            "Without a frequency there are no times, and nothing of the generation is delivered.",
            |t| {
                t.expect_failure("no frequency event found");
                let g = t.generation(1);
                running(g.batch(T5, 10), T5, P0, G1);
                g.without_sync();
            },
        ),
        case(
            "string-defined-twice",
            &[],
            Go126,
            "Two strings of one id spoil the generation, even if the id is never used.",
            |t| {
                t.expect_failure("multiple .* with the same ID|two strings .* the id 1");
                let g = t.generation(1);
                running(g.batch(T5, 10), T5, P0, G1);
                g.string("one");
                g.string_with_id(1, "another");
            },
        ),
        case(
            "string-of-no-bytes",
            &[62],
            Go125,
            "A string without text that has an id of its own, as Go before 1.26 wrote it for empty \
             messages. It is not string 0.",
            |t| {
                let g = t.generation(1);
                g.string_with_id(9, "");
                let b = g.batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("UserLog", (TaskId(0), "", Raw(9), NoStack));
            },
        ),
        case(
            "generation-breaks-off-in-the-next",
            &[],
            Go122,
            "Before 1.26 a generation ends where a batch of the next begins. If that is broken, \
             the generation before is still delivered.",
            |t| {
                t.expect_failure("failed to read full batch|the input ends inside a batch");
                running(t.generation(1).batch(T5, 10), T5, P0, G1);
                let g = t.generation(2);
                running(g.batch(T5, 20).claim_size(5000), T5, P0, G1);
            },
        ),
    ]
}
