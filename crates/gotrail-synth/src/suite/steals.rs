//! Procs are stolen from threads in system calls.

use super::*;
use crate::builder::{NoStack, NoThread};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "steal-waits-for-the-syscall",
            &[15, 18, 44],
            Go122,
            "The thief's clock is behind: the steal comes first by time, but the system call has \
             to begin before.",
            |t| {
                let g = t.generation(1);
                let b = g.batch(T6, 10);
                b.event("ProcSteal", (P0, Seq(2), T5));
                let a = g.batch(T5, 20);
                running(a, T5, P0, G1);
                a.event("GoSyscallBegin", (Seq(1), NoStack));
                a.event("GoSyscallEndBlocked", ());
            },
        ),
        case(
            "steal-waits-for-the-second-syscall",
            &[15, 18, 45],
            Go122,
            "The proc is in a system call twice. The number of the steal says that it belongs to \
             the second one.",
            |t| {
                let g = t.generation(1);
                let b = g.batch(T6, 12);
                b.event("ProcSteal", (P0, Seq(3), T5));
                let a = g.batch(T5, 10);
                running(a, T5, P0, G1);
                a.event("GoSyscallBegin", (Seq(1), NoStack));
                a.event("GoSyscallEnd", ());
                a.event("GoSyscallBegin", (Seq(2), NoStack));
                a.event("GoSyscallEndBlocked", ());
            },
        ),
        case(
            "steal-of-a-proc-that-never-appears",
            &[15],
            Go122,
            "The steal of a proc without a status can never happen.",
            |t| {
                t.expect_failure(STUCK);
                t.generation(1).batch(T5, 10).event("ProcSteal", (P0, Seq(1), T6));
            },
        ),
        case(
            "steal-of-a-proc-that-runs",
            &[15],
            Go126,
            "Only what is in a system call can be stolen. The steal waits, and nothing comes.",
            |t| {
                t.expect_failure(STUCK);
                let g = t.generation(1);
                running(g.batch(T5, 10), T5, P0, G1);
                g.batch(T6, 20).event("ProcSteal", (P0, Seq(1), T5));
            },
        ),
        case(
            "steal-after-the-syscall-has-ended",
            &[15, 45],
            Go126,
            "The proc is back from its system call and runs: it cannot be stolen any more.",
            |t| {
                t.expect_failure(STUCK);
                let g = t.generation(1);
                let a = g.batch(T5, 10);
                running(a, T5, P0, G1);
                a.event("GoSyscallBegin", (Seq(1), NoStack));
                a.event("GoSyscallEnd", ());
                g.batch(T6, 20).event("ProcSteal", (P0, Seq(2), T5));
            },
        ),
        case("steal-without-a-thread", &[15], Go122, "A proc is stolen by nobody.", |t| {
            t.expect_failure("expected a thread but didn't have one");
            let b = t.generation(1).batch(NoThread, 10);
            b.event("ProcStatus", (P0, ProcAbandoned));
            b.event("ProcSteal", (P0, Seq(1), T5));
        }),
        case(
            "steal-of-an-abandoned-proc",
            &[16],
            Go122,
            "Nobody is asked who had the abandoned proc: the thread that the steal names was never \
             seen, and this does not matter. The proc counts as idle before and after.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P1, G1);
                b.event("ProcStatus", (P0, ProcAbandoned));
                b.event("ProcSteal", (P0, Seq(1), ThreadId(99)));
                b.event("GoLabel", ("still on proc 1",));
            },
        ),
        case(
            "steal-from-oneself",
            &[17, 13],
            Go122,
            "A thread in a system call steals its own proc, and starts it again.",
            |t| {
                let b = t.generation(1).batch(T5, 10);
                running(b, T5, P0, G1);
                b.event("GoSyscallBegin", (Seq(1), NoStack));
                b.event("ProcSteal", (P0, Seq(2), T5));
                b.event("ProcStart", (P0, Seq(3)));
                b.event("GoSyscallEndBlocked", ());
            },
        ),
        case(
            "steal-from-oneself-of-another-proc",
            &[17],
            Go122,
            "A thread says that it steals a proc from itself, but has another one.",
            |t| {
                t.expect_failure("tried to (self-)?steal proc 0");
                let g = t.generation(1);
                in_syscall(g.batch(T6, 10), T6, P0, G1);
                let b = g.batch(T5, 20);
                b.event("ProcStatus", (P1, ProcRunning));
                b.event("ProcSteal", (P0, Seq(1), T5));
            },
        ),
        case(
            "steal-from-another-thread",
            &[18],
            Go122,
            "The thief has a proc of its own and keeps it; the thread in the system call loses its \
             own. The event happens on the thief's thread.",
            |t| {
                let g = t.generation(1);
                in_syscall(g.batch(T5, 10), T5, P0, G1);
                let b = g.batch(T6, 20);
                running(b, T6, P1, G2);
                b.event("ProcSteal", (P0, Seq(1), T5));
                b.event("GoLabel", ("still on proc 1",));
            },
        ),
        case(
            "steal-from-the-wrong-thread",
            &[18],
            Go122,
            "The steal names a thread that has another proc than the one that is stolen.",
            |t| {
                t.expect_failure("tried to steal proc 0 from thread 7");
                let g = t.generation(1);
                in_syscall(g.batch(T5, 10), T5, P0, G1);
                in_syscall(g.batch(T7, 15), T7, P1, G2);
                g.batch(T6, 20).event("ProcSteal", (P0, Seq(1), T7));
            },
        ),
        case(
            "steal-from-a-thread-that-never-appeared",
            &[18],
            Go122,
            "The steal names a thread that nothing is known of.",
            |t| {
                t.expect_failure("non-existent thread 99|thread 99, which has never appeared");
                let g = t.generation(1);
                in_syscall(g.batch(T5, 10), T5, P0, G1);
                g.batch(T6, 20).event("ProcSteal", (P0, Seq(1), ThreadId(99)));
            },
        ),
    ]
}
