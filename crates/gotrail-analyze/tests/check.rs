//! Findings of traces in which it is known what there is to find.

use gotrail::{GoId, Mode, Trace};
use gotrail_analyze::check::{Finding, Rules, Value};
use gotrail_analyze::{Analysis, Options};
use gotrail_synth::builder::{Batch, GoStatus, NoStack, ProcStatus, Seq, StackFrame, TestTrace};
use gotrail_synth::{ProcId, ThreadId, Version};

/// Clock units in a millisecond.
const MS: u64 = 15_625;

/// Frames of calls, innermost first.
fn at<const N: usize>(functions: [&str; N]) -> [StackFrame; N] {
    functions.map(|name| StackFrame::new(name.bytes().map(u64::from).sum(), name, "main.go", 7))
}

/// A trace of one thread that goroutine 1 runs on, which `write` goes on with.
fn trace(write: impl FnOnce(Batch<'_>)) -> Trace {
    let trace = TestTrace::new(Version::Go122);
    let generation = trace.generation(1);
    generation.sync(15_625_000, 10);
    let thread = generation.batch(ThreadId(7), 10);
    write(
        thread
            .event_after(0, "ProcStatus", (ProcId(0), ProcStatus::Running))
            .event_after(0, "GoStatus", (GoId(1), ThreadId(7), GoStatus::Running))
            .event_after(0, "ProcsChange", (1, NoStack)),
    );
    Trace::from_bytes(trace.to_bytes().expect("a trace")).expect("a trace")
}

fn analyse(trace: &Trace) -> Analysis {
    let options = Options { regions: true, procs: true, ..Options::default() };
    let mut analysis = Analysis::new(options);
    let mut reader = trace.reader(Mode::Strict).expect("a trace");
    reader.fold_parallel(1, &mut analysis, |_| {}).expect("a good trace");
    analysis.finish();
    analysis
}

/// What a rule finds with its usual thresholds.
fn found(rule: &str, trace: &Trace) -> Vec<Finding> {
    let mut found = Rules::default().find(&analyse(trace));
    found.retain(|finding| finding.rule == rule);
    found
}

fn number(finding: &Finding, name: &str) -> Value {
    finding.evidence.iter().find(|evidence| evidence.0 == name).expect("evidence").1
}

/// So many goroutines that block at once and never go on; the trace ends `after` units later.
fn leak(number: i64, after: u64) -> Trace {
    trace(|mut thread| {
        for go in 2..2 + number {
            thread = thread.event_after(1, "GoCreate", (GoId(go), at(["main.leak"]), NoStack));
        }
        thread = thread.event_after(1, "GoStop", ("Gosched", NoStack));
        for go in 2..2 + number {
            thread = thread.event_after(1, "GoStart", (GoId(go), Seq(1))).event_after(
                1,
                "GoBlock",
                ("chan receive", at(["main.leak"])),
            );
        }
        thread.event_after(after, "GoStart", (GoId(1), Seq(1))).event_after(
            1,
            "GoStop",
            ("Gosched", NoStack),
        );
    })
}

#[test]
fn goroutines_that_never_end_are_a_leak_if_there_are_enough_for_long_enough() {
    let leaks = found("goroutine-leak", &leak(12, 600 * MS));
    assert_eq!(leaks.len(), 1, "{leaks:?}");
    assert_eq!(number(&leaks[0], "count"), Value::Count(12));
    assert_eq!(leaks[0].what, "12 goroutines of main.leak have not ended and wait (chan receive)");
    assert_eq!(found("goroutine-leak", &leak(9, 600 * MS)), []);
    assert_eq!(found("goroutine-leak", &leak(12, 400 * MS)), []);
}

#[test]
fn a_long_stop_of_the_world_is_found_with_its_length() {
    let stopped = |units| {
        trace(|thread| {
            thread
                .event_after(1, "STWBegin", ("GC mark termination", NoStack))
                .event_after(units, "STWEnd", ())
                .event_after(1, "GoStop", ("Gosched", NoStack));
        })
    };
    let stops = found("long-stw", &stopped(12 * MS));
    assert_eq!(number(&stops[0], "longest"), Value::Nanos(12_000_000));
    assert_eq!(stops[0].what, "stop-the-world (GC mark termination)");
    assert_eq!(found("long-stw", &stopped(9 * MS)), []);
}

#[test]
fn a_lock_is_found_by_the_line_that_locks_it() {
    let contended = |inner: &'static str| {
        trace(|mut thread| {
            thread = thread
                .event_after(1, "GoCreate", (GoId(2), at(["main.worker"]), NoStack))
                .event_after(1, "GoStop", ("Gosched", NoStack));
            for turn in 0..30 {
                let stack = at([inner, "main.(*Store).Get", "main.worker"]);
                thread = thread
                    .event_after(1, "GoStart", (GoId(2), Seq(1 + 2 * turn)))
                    .event_after(1, "GoBlock", ("sync", stack))
                    .event_after(1, "GoStart", (GoId(1), Seq(1 + turn)))
                    .event_after(10 * MS, "GoUnblock", (GoId(2), Seq(2 + 2 * turn), NoStack))
                    .event_after(1, "GoStop", ("Gosched", NoStack));
            }
        })
    };
    let locks = found("lock-contention", &contended("sync.(*Mutex).Lock"));
    assert_eq!(locks.len(), 1, "{locks:?}");
    assert_eq!(locks[0].what, "goroutines waited for a lock in main.(*Store).Get (line 7)");
    assert_eq!(number(&locks[0], "count"), Value::Count(30));
    // From the block on, 1 unit and 10 ms each.
    assert_eq!(number(&locks[0], "total"), Value::Nanos(30 * (10_000_000 + 64)));
    assert_eq!(found("lock-contention", &contended("sync.(*WaitGroup).Wait")), []);
}

#[test]
fn tasks_that_do_not_end_and_regions_left_open_are_found() {
    let trace = trace(|thread| {
        thread
            .event_after(
                1,
                "UserTaskBegin",
                (gotrail::TaskId(5), gotrail::TaskId(0), "order", NoStack),
            )
            .event_after(1, "GoCreate", (GoId(2), at(["main.worker"]), NoStack))
            .event_after(1, "GoStop", ("Gosched", NoStack))
            .event_after(1, "GoStart", (GoId(2), Seq(1)))
            .event_after(1, "UserRegionBegin", (gotrail::TaskId(5), "parse", NoStack))
            .event_after(1, "GoDestroy", ())
            .event_after(1_200 * MS, "GoStart", (GoId(1), Seq(1)))
            .event_after(1, "GoStop", ("Gosched", NoStack));
    });
    let tasks = found("unfinished-task", &trace);
    assert_eq!(tasks[0].what, "tasks of type order have not ended; the oldest is 5");
    let regions = found("misused-annotations", &trace);
    assert_eq!(regions[0].what, "regions of type parse ended only with their goroutine");
    assert_eq!(number(&regions[0], "count"), Value::Count(1));
}

#[test]
fn many_that_one_wakes_at_once_are_a_herd() {
    let herd = |number: i64| {
        trace(|mut thread| {
            let all = || 2..2 + number;
            for go in all() {
                thread = thread.event_after(1, "GoCreate", (GoId(go), at(["main.w"]), NoStack));
            }
            thread = thread.event_after(1, "GoStop", ("Gosched", NoStack));
            for turn in 0..4u64 {
                for go in all() {
                    thread = thread
                        .event_after(1, "GoStart", (GoId(go), Seq(1 + 2 * turn)))
                        .event_after(1, "GoBlock", ("chan receive", at(["main.w"])));
                }
                thread = thread.event_after(MS, "GoStart", (GoId(1), Seq(1 + turn)));
                for go in all() {
                    let stack = at(["runtime.closechan", "main.main"]);
                    thread =
                        thread.event_after(1, "GoUnblock", (GoId(go), Seq(2 + 2 * turn), stack));
                }
                thread = thread.event_after(1, "GoStop", ("Gosched", NoStack));
            }
        })
    };
    let herds = found("thundering-herd", &herd(100));
    assert_eq!(herds[0].what, "runtime.closechan wakes many goroutines at once");
    assert_eq!(number(&herds[0], "bursts"), Value::Count(4));
    assert_eq!(found("thundering-herd", &herd(40)), []);
}
