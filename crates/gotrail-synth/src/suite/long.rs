//! Long batches: a reader may take a quick way through many common events of one thread, and has to
//! leave it wherever something is not as it should be.

use super::*;
use crate::builder::{Batch, Generation, NoStack, NoThread, Raw, StackFrame};

/// How often a goroutine stops, blocks and is in a system call before and after something happens.
const ROUNDS: u64 = 12;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "long-batch",
            &[35, 36, 34, 40, 44, 45],
            Go126,
            "A thread writes hundreds of events in one batch, and nothing is wrong.",
            |t| {
                let b = before(t.generation(1));
                b.event("GoStop", ("preempted", NoStack));
                b.event("GoStart", (G1, Seq(4 * ROUNDS + 1)));
                rounds(b, ROUNDS, 4 * ROUNDS + 1);
            },
        ),
        case(
            "long-batches-of-two-threads",
            &[33, 34],
            Go126,
            "A goroutine goes to another thread and back, in the middle of long batches. Each \
             thread has to wait for the other, whatever the clocks say.",
            |t| {
                let g = t.generation(1);
                let b = before(g);
                b.event("GoStop", ("preempted", NoStack));
                b.event("GoStart", (G1, Seq(8 * ROUNDS + 2)));
                rounds(b, ROUNDS, 8 * ROUNDS + 2);
                let c = g.batch(T6, 12);
                c.event("ProcStatus", (P2, ProcRunning));
                c.event("GoStart", (G1, Seq(4 * ROUNDS + 1)));
                rounds(c, 0, 4 * ROUNDS + 1);
                c.event("GoStop", ("preempted", NoStack));
            },
        ),
        wrong(
            "long-batch-start-on-a-thread-that-has-a-goroutine",
            &[34],
            "A second goroutine starts in the middle of a long batch.",
            "expected no goroutine but had one",
            |b| b.event("GoStart", (G2, Seq(1))),
        ),
        wrong(
            "long-batch-start-with-a-number-left-out",
            &[33],
            "The number of a start is too high, in the middle of a long batch.",
            STUCK,
            |b| {
                b.event("GoStop", ("preempted", NoStack));
                b.event("GoStart", (G1, Seq(4 * ROUNDS + 2)))
            },
        ),
        wrong(
            "long-batch-start-of-a-goroutine-that-waits",
            &[33],
            "A goroutine that waits starts, in the middle of a long batch.",
            STUCK,
            |b| {
                b.event("GoBlock", ("wait", NoStack));
                b.event("GoStart", (G1, Seq(4 * ROUNDS + 1)))
            },
        ),
        wrong(
            "long-batch-start-without-a-proc",
            &[34],
            "The proc was stopped before the start, in the middle of a long batch.",
            "expected a proc but didn't have one",
            |b| {
                b.event("GoStop", ("preempted", NoStack));
                b.event("ProcStop", ());
                b.event("GoStart", (G1, Seq(4 * ROUNDS + 1)))
            },
        ),
        wrong(
            "long-batch-block-without-a-goroutine",
            &[36],
            "A goroutine blocks twice, in the middle of a long batch.",
            "expected a goroutine but didn't have one",
            |b| {
                b.event("GoBlock", ("wait", NoStack));
                b.event("GoBlock", ("wait", NoStack))
            },
        ),
        wrong(
            "long-batch-block-in-a-syscall",
            &[36],
            "A goroutine blocks in its system call, in the middle of a long batch.",
            "GoBlock (event )?for goroutine",
            |b| {
                b.event("GoSyscallBegin", (Seq(ROUNDS + 1), NoStack));
                b.event("GoBlock", ("wait", NoStack))
            },
        ),
        wrong(
            "long-batch-block-without-a-proc",
            &[36],
            "The proc was stopped and the goroutine blocks, in the middle of a long batch.",
            "expected a proc but didn't have one",
            |b| {
                b.event("ProcStop", ());
                b.event("GoBlock", ("wait", NoStack))
            },
        ),
        wrong(
            "long-batch-block-for-an-unknown-reason",
            &[36],
            "The reason is no string of the generation, in the middle of a long batch. The order \
             is right; the event cannot be delivered.",
            "invalid string ID 9|refers to string 9",
            |b| b.event("GoBlock", (Raw(9), NoStack)),
        ),
        wrong(
            "long-batch-block-with-an-unknown-stack",
            &[36],
            "The stack is none of the generation, in the middle of a long batch.",
            "invalid stack ID 9|refers to stack 9",
            |b| b.event("GoBlock", ("wait", Raw(9))),
        ),
        wrong(
            "long-batch-unblock-with-an-unknown-stack",
            &[40],
            "A goroutine is unblocked with a stack that does not exist, in the middle of a long \
             batch.",
            "invalid stack ID 9|refers to stack 9",
            |b| {
                b.event("GoBlock", ("wait", NoStack));
                b.event("GoUnblock", (G1, Seq(4 * ROUNDS + 1), Raw(9)))
            },
        ),
        wrong(
            "long-batch-unblock-with-a-number-left-out",
            &[40],
            "The number of an unblock is too high, in the middle of a long batch.",
            STUCK,
            |b| {
                b.event("GoBlock", ("wait", NoStack));
                b.event("GoUnblock", (G1, Seq(4 * ROUNDS + 2), NoStack))
            },
        ),
        wrong(
            "long-batch-unblock-of-a-goroutine-that-runs",
            &[40],
            "A goroutine unblocks itself, in the middle of a long batch.",
            STUCK,
            |b| b.event("GoUnblock", (G1, Seq(4 * ROUNDS + 1), NoStack)),
        ),
        wrong(
            "long-batch-syscall-with-a-wrong-number",
            &[44],
            "The number of a system call is too high, in the middle of a long batch.",
            "GoSyscallBegin.* sequence",
            |b| b.event("GoSyscallBegin", (Seq(ROUNDS + 2), NoStack)),
        ),
        wrong(
            "long-batch-syscall-inside-a-syscall",
            &[44],
            "A system call begins in another, in the middle of a long batch.",
            "GoSyscallBegin (event )?for goroutine",
            |b| {
                b.event("GoSyscallBegin", (Seq(ROUNDS + 1), NoStack));
                b.event("GoSyscallBegin", (Seq(ROUNDS + 2), NoStack))
            },
        ),
        wrong(
            "long-batch-syscall-with-an-unknown-stack",
            &[44],
            "A system call begins with a stack that does not exist, in the middle of a long batch.",
            "invalid stack ID 9|refers to stack 9",
            |b| b.event("GoSyscallBegin", (Seq(ROUNDS + 1), Raw(9))),
        ),
        wrong(
            "long-batch-syscall-ends-that-never-began",
            &[45],
            "A system call ends twice, in the middle of a long batch.",
            "GoSyscallEnd (event )?for goroutine",
            |b| b.event("GoSyscallEnd", ()),
        ),
        wrong(
            "long-batch-syscall-ends-with-another-proc",
            &[45],
            "The proc of the system call was stolen and another one started, in the middle of a \
             long batch.",
            "proc 1 in state",
            |b| {
                b.event("GoSyscallBegin", (Seq(ROUNDS + 1), NoStack));
                b.event("ProcSteal", (P0, Seq(ROUNDS + 2), T5));
                b.event("ProcStart", (P1, Seq(1)));
                b.event("GoSyscallEnd", ())
            },
        ),
        wrong(
            "long-batch-syscall-ends-of-a-goroutine-that-runs",
            &[45],
            "The thread takes over a proc that is in a system call while its goroutine runs, in \
             the middle of a long batch. No call of this goroutine can end.",
            "GoSyscallEnd (event )?for goroutine",
            |b| {
                b.event("ProcStatus", (P2, ProcSyscall));
                b.event("GoSyscallEnd", ())
            },
        ),
        case(
            "long-batch-steal-after-the-last-syscall",
            &[15, 45],
            Go126,
            "The last system call of a long batch is over when its proc is to be stolen. It runs, \
             so that the steal waits for ever.",
            |t| {
                t.expect_failure(STUCK);
                let g = t.generation(1);
                let b = before(g);
                for size in 0..100 {
                    b.event("HeapAlloc", (size,));
                }
                g.batch(T6, 1000).event("ProcSteal", (P0, Seq(ROUNDS + 1), T5));
            },
        ),
        wrong(
            "long-batch-heap-size-without-a-proc",
            &[63],
            "The proc was stopped and the heap grows, in the middle of a long batch.",
            "expected a proc but didn't have one",
            |b| {
                b.event("ProcStop", ());
                b.event("HeapAlloc", (1,))
            },
        ),
    ]
}

/// A case in which something wrong happens in the middle of a long batch.
fn wrong(
    name: &'static str,
    rules: &'static [u8],
    about: &'static str,
    pattern: &str,
    happens: impl FnOnce(Batch<'_>) -> Batch<'_>,
) -> Case {
    case(name, rules, Go126, about, |t| {
        t.expect_failure(pattern);
        let b = happens(before(t.generation(1)));
        rounds(b, ROUNDS, 4 * ROUNDS);
    })
}

/// The first half of a long batch.
fn before(generation: Generation<'_>) -> Batch<'_> {
    let b = generation.batch(T5, 10);
    b.event("ProcStatus", (P1, ProcIdle));
    b.event("GoStatus", (G2, NoThread, GoRunnable));
    running(b, T5, P0, G1);
    rounds(b, 0, 0);
    b
}

/// Rounds of the commonest events, which take four numbers of the goroutine and one of the proc.
fn rounds(b: Batch<'_>, proc_seq: u64, go_seq: u64) {
    let frames = [StackFrame::new(0x401000, "main.work", "main.go", 12)];
    for i in 0..ROUNDS {
        let number = |n| Seq(go_seq + 4 * i + n);
        b.event("GoStop", ("preempted", frames.clone()));
        b.event("GoStart", (G1, number(1)));
        b.event("GoSyscallBegin", (Seq(proc_seq + i + 1), frames.clone()));
        b.event("GoSyscallEnd", ());
        b.event("HeapAlloc", (1000 * i,));
        b.event("GoBlock", ("wait", frames.clone()));
        b.event("GoUnblock", (G1, number(2), NoStack));
        b.event("GoStart", (G1, number(3)));
        b.event("GoStop", ("preempted", NoStack));
        b.event("GoStart", (G1, number(4)));
    }
}
