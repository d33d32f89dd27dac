//! Findings of traces in which it is known what there is to find.

use gotrail::{GoId, Mode, Report, Trace};
use gotrail_analyze::check::{Finding, Rules, Value};
use gotrail_analyze::{Analysis, Options, Scope};
use gotrail_synth::builder::{
    Batch, GoStatus, NoStack, NoThread, ProcStatus, Seq, StackFrame, TestTrace,
};
use gotrail_synth::{ProcId, ThreadId, Version};

/// Clock units in a millisecond.
const MS: u64 = 15_625;

/// Frames of calls, innermost first.
fn at<const N: usize>(functions: [&str; N]) -> [StackFrame; N] {
    functions.map(|name| StackFrame::new(name.bytes().map(u64::from).sum(), name, "main.go", 7))
}

/// A trace of one thread that goroutine 1 runs on, which `write` goes on with.
fn trace(write: impl FnOnce(Batch<'_>)) -> Trace {
    let trace = TestTrace::new(Version::Go123);
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

fn analyse(trace: &Trace, rules: &Rules, scope: Option<Scope>) -> (Analysis, Report) {
    let limits = rules.limits();
    let options = Options { regions: true, procs: true, limits, scope, ..Options::default() };
    let mut analysis = Analysis::new(options);
    // Misused annotations stop a strict reader.
    let mut reader = trace.reader(Mode::Tolerant).expect("a trace");
    reader.fold_parallel(1, &mut analysis, |_| {}).expect("a good trace");
    analysis.finish();
    assert!(reader.report().is_complete());
    (analysis, reader.report())
}

/// What a rule finds with its usual thresholds.
fn found(rule: &str, trace: &Trace) -> Vec<Finding> {
    found_with(rule, &Rules::default(), trace)
}

/// The same in the time until so many nanoseconds after the start.
fn found_until(rule: &str, trace: &Trace, end: i64) -> Vec<Finding> {
    let start = trace.generations()[0].start.0;
    let scope = Scope { until: Some(start + end), ..Scope::default() };
    let rules = Rules::default();
    let (analysis, report) = analyse(trace, &rules, Some(scope));
    rules.find(&analysis, &report, 2).into_iter().filter(|finding| finding.rule == rule).collect()
}

/// The same with other thresholds.
fn found_with(rule: &str, rules: &Rules, trace: &Trace) -> Vec<Finding> {
    let (analysis, report) = analyse(trace, rules, None);
    let mut found = rules.find(&analysis, &report, 2);
    found.retain(|finding| finding.rule == rule);
    found
}

/// The goroutine that a finding was worst for, and for how many nanoseconds.
fn worst(finding: &Finding) -> (i64, i64) {
    let worst = finding.worst.expect("a worst time");
    (worst.go.0, worst.until - worst.from)
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
    // The first to wait waits longest, until the end.
    assert_eq!(worst(&leaks[0]).0, 2);
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
    assert_eq!(worst(&stops[0]), (1, 12_000_000));
    assert_eq!(stops[0].what, "stop-the-world (GC mark termination)");
    assert_eq!(found("long-stw", &stopped(9 * MS)), []);
}

#[test]
fn a_lock_is_found_by_the_line_that_locks_it() {
    let contended_by = |stack: &[&'static str]| {
        trace(|mut thread| {
            thread = thread
                .event_after(1, "GoCreate", (GoId(2), at(["main.worker"]), NoStack))
                .event_after(1, "GoStop", ("Gosched", NoStack));
            for turn in 0..30 {
                let stack: Vec<_> = stack.iter().flat_map(|name| at([name])).collect();
                thread = thread
                    .event_after(1, "GoStart", (GoId(2), Seq(1 + 2 * turn)))
                    .event_after(1, "GoBlock", ("sync", stack))
                    .event_after(1, "GoStart", (GoId(1), Seq(1 + turn)))
                    .event_after(10 * MS, "GoUnblock", (GoId(2), Seq(2 + 2 * turn), NoStack))
                    .event_after(1, "GoStop", ("Gosched", NoStack));
            }
        })
    };
    let contended = |inner| contended_by(&[inner, "main.(*Store).Get", "main.worker"]);
    let locks = found("lock-contention", &contended("sync.(*Mutex).Lock"));
    assert_eq!(locks.len(), 1, "{locks:?}");
    assert_eq!(locks[0].what, "goroutines waited for a lock in main.(*Store).Get (line 7)");
    assert_eq!(number(&locks[0], "count"), Value::Count(30));
    assert_eq!(worst(&locks[0]), (2, 10_000_064));
    let Value::Average(waiting) = number(&locks[0], "waiting") else { panic!("{locks:?}") };
    assert!((waiting - 1.0).abs() < 0.01, "one of them waits nearly always: {waiting}");
    // From the block on, 1 unit and 10 ms each.
    assert_eq!(number(&locks[0], "total"), Value::Nanos(30 * (10_000_000 + 64)));
    assert_eq!(found("lock-contention", &contended("sync.(*WaitGroup).Wait")), []);
    for (stack, line) in [
        // One line of the package would be that of all who use a Cond.
        (
            &["sync.(*RWMutex).RLock", "sync.(*rlocker).Lock", "sync.(*Cond).Wait", "main.wait"][..],
            "main.wait (line 7)",
        ),
        (&["internal/sync.(*Mutex).Lock", "sync.(*Mutex).Lock"], "sync.(*Mutex).Lock (line 7)"),
    ] {
        let locks = found("lock-contention", &contended_by(stack));
        assert_eq!(locks.len(), 1, "{locks:?}");
        assert_eq!(locks[0].what, format!("goroutines waited for a lock in {line}"));
    }
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
    let herd = |number: i64, waker: &'static str| {
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
                    let stack = at([waker, "main.main"]);
                    thread =
                        thread.event_after(1, "GoUnblock", (GoId(go), Seq(2 + 2 * turn), stack));
                }
                thread = thread.event_after(1, "GoStop", ("Gosched", NoStack));
            }
        })
    };
    let herds = found("thundering-herd", &herd(100, "runtime.closechan"));
    assert_eq!(herds[0].what, "main.main wakes many goroutines at once");
    assert_eq!(number(&herds[0], "bursts"), Value::Count(4));
    assert_eq!(number(&herds[0], "size"), Value::Count(100));
    // 100 wake-ups, one unit apart.
    assert_eq!(worst(&herds[0]), (1, 99 * 64));
    assert_eq!(found("thundering-herd", &herd(40, "runtime.closechan")), []);
    assert_eq!(found("thundering-herd", &herd(100, "runtime.gcStart")), [], "the collector's own");
    let mut rules = Rules::default();
    rules.rule("thundering-herd").unwrap().threshold("size").unwrap().value = Value::Count(33);
    let small = found_with("thundering-herd", &rules, &herd(40, "runtime.closechan"));
    assert_eq!(number(&small[0], "size"), Value::Count(40));
    rules.rule("thundering-herd").unwrap().threshold("gap").unwrap().value = Value::Nanos(60);
    assert_eq!(found_with("thundering-herd", &rules, &herd(40, "runtime.closechan")), []);
}

#[test]
fn very_many_that_wait_from_before_the_trace_to_its_end_are_found() {
    let waiting = |number: i64, units: u64| {
        trace(|mut thread| {
            for go in 2..2 + number {
                let stack = at(["runtime.gopark", "main.pool"]);
                let status = (GoId(go), NoThread, GoStatus::Waiting, stack);
                thread = thread.event_after(0, "GoStatusStack", status);
            }
            thread.event_after(units, "GoStop", ("Gosched", NoStack));
        })
    };
    let many = found("waiting-throughout", &waiting(1_200, 150 * MS));
    assert_eq!(many[0].what, "1200 goroutines of main.pool waited during the whole trace");
    assert!(many[0].stack.is_some());
    assert_eq!(found("waiting-throughout", &waiting(900, 150 * MS)), []);
    assert_eq!(found("waiting-throughout", &waiting(1_200, 50 * MS)), []);
}

#[test]
fn waits_for_a_proc_are_found_with_the_longest_of_them() {
    let waits = |units: u64| {
        trace(|mut thread| {
            for go in 2..152 {
                thread = thread.event_after(
                    1,
                    "GoCreate",
                    (GoId(go), at(["main.w"]), at(["main.main"])),
                );
            }
            thread = thread.event_after(units, "GoStop", ("Gosched", NoStack));
            for go in 2..152 {
                thread = thread.event_after(1, "GoStart", (GoId(go), Seq(1))).event_after(
                    1,
                    "GoDestroy",
                    (),
                );
            }
        })
    };
    let late = found("sched-latency", &waits(12 * MS));
    let what = "goroutines that could run waited long for a proc; most was lost after create, at \
                this stack";
    assert_eq!(late[0].what, what);
    assert_eq!(number(&late[0], "count"), Value::Count(150));
    // Each waits for those before it, which take 2 units and were created 1 apart.
    let longest = 12_000_000 + (150 + 2 * 149) * 64 - 149 * 64 + 64;
    assert!((worst(&late[0]).1 - longest).abs() <= 128, "{late:?}");
    assert_eq!(worst(&late[0]).0, 151);
    assert_eq!(found("sched-latency", &waits(5 * MS)), []);
}

#[test]
fn where_the_runtime_itself_woke_goroutines_there_is_no_stack_and_it_is_said() {
    let mut rules = Rules::default();
    let rule = rules.rule("sched-latency").unwrap();
    rule.threshold("count").unwrap().value = Value::Count(1);
    let woken = trace(|thread| {
        thread
            .event_after(1, "GoCreate", (GoId(2), at(["main.w"]), at(["main.main"])))
            .event_after(1, "GoStop", ("Gosched", NoStack))
            .event_after(1, "GoStart", (GoId(2), Seq(1)))
            .event_after(1, "GoBlock", ("sleep", at(["main.w"])))
            .event_after(1, "GoUnblock", (GoId(2), Seq(2), NoStack))
            .event_after(20 * MS, "GoStart", (GoId(2), Seq(3)))
            .event_after(1, "GoDestroy", ());
    });
    let late = found_with("sched-latency", &rules, &woken);
    let what = "most was lost after unblock, without a stack: the runtime made them runnable";
    assert!(late[0].what.ends_with(what), "{late:?}");
    assert_eq!(worst(&late[0]), (2, 20_000_000));
}

#[test]
fn wake_ups_that_come_to_nothing_are_found_by_function() {
    let woken = |run: u64| {
        trace(|mut thread| {
            thread = thread
                .event_after(1, "GoCreate", (GoId(2), at(["main.poll"]), NoStack))
                .event_after(1, "GoStop", ("Gosched", NoStack));
            for turn in 0..300 {
                thread = thread
                    .event_after(1, "GoStart", (GoId(2), Seq(1 + 2 * turn)))
                    .event_after(run, "GoBlock", ("chan receive", at(["main.poll"])))
                    .event_after(1, "GoStart", (GoId(1), Seq(1 + turn)))
                    .event_after(1_000, "GoUnblock", (GoId(2), Seq(2 + 2 * turn), NoStack))
                    .event_after(1, "GoStop", ("Gosched", NoStack));
            }
        })
    };
    // Runs of 3.2 µs, and of 32 µs.
    let busy = found("busy-wakeups", &woken(50));
    assert_eq!(number(&busy[0], "count"), Value::Count(300));
    assert_eq!(worst(&busy[0]).0, 2);
    assert_eq!(found("busy-wakeups", &woken(500)), []);
    let mut rules = Rules::default();
    rules.rule("busy-wakeups").unwrap().threshold("run").unwrap().value = Value::Nanos(40_000);
    assert_eq!(found_with("busy-wakeups", &rules, &woken(500)).len(), 1);
}

#[test]
fn procs_that_idle_while_work_waits_are_found_if_it_is_for_long() {
    let idle = |units: u64| {
        trace(|thread| {
            thread
                .event_after(1, "ProcsChange", (4, NoStack))
                .event_after(1, "GoCreate", (GoId(2), at(["main.w"]), NoStack))
                .event_after(units, "GoStop", ("Gosched", NoStack));
        })
    };
    let found_idle = found("idle-while-runnable", &idle(40 * MS));
    let Value::Share(share) = number(&found_idle[0], "share") else { panic!("{found_idle:?}") };
    assert!((share - 0.25).abs() < 0.01, "one of four procs: {share}");
    assert_eq!(found("idle-while-runnable", &idle(MS)), [], "a tiny trace");
}

#[test]
fn the_collectors_share_and_that_of_assists_are_found() {
    let collected = |units: u64| {
        trace(|mut thread| {
            for cycle in 0..2 {
                thread = thread
                    .event_after(1, "GCBegin", (Seq(1 + 2 * cycle), NoStack))
                    .event_after(1, "GCMarkAssistBegin", (NoStack,))
                    .event_after(units, "GCMarkAssistEnd", ())
                    .event_after(1, "GCEnd", (Seq(2 + 2 * cycle),))
                    .event_after(50 * MS, "GoStop", ("Gosched", at(["main.alloc"])))
                    .event_after(1, "GoStart", (GoId(1), Seq(1 + cycle)));
            }
        })
    };
    let much = collected(50 * MS);
    for rule in ["gc-assist", "gc-share"] {
        let found = found(rule, &much);
        let Value::Share(share) = number(&found[0], "share") else { panic!("{found:?}") };
        assert!((share - 0.5).abs() < 0.01, "half of the time: {share}");
        assert!(worst(&found[0]).1 > 0);
        assert_eq!(number(&found[0], "cycles"), Value::Count(2));
        // The second begins after 100 ms. One is few for the other rule.
        let first = found_until("gc-assist", &much, 80_000_000);
        assert_eq!(number(&first[0], "cycles"), Value::Count(1));
    }
    let assist = found("gc-assist", &much);
    assert!(
        assist[0].what.contains("most of all those of main.alloc, of which goroutine 1 does"),
        "{assist:?}"
    );
    let little = collected(MS);
    assert_eq!((found("gc-assist", &little), found("gc-share", &little)), (vec![], vec![]));
}

#[test]
fn a_system_call_matters_if_somebody_waits_for_its_proc() {
    let call = |waits: bool, units: u64| {
        trace(|mut thread| {
            if waits {
                thread = thread.event_after(1, "GoCreate", (GoId(2), at(["main.w"]), NoStack));
            }
            let stack = at(["syscall.Syscall", "os.(*File).Read", "main.read"]);
            thread
                .event_after(1, "GoSyscallBegin", (Seq(1), stack))
                .event_after(units, "GoSyscallEnd", ())
                .event_after(1, "GoStop", ("Gosched", NoStack));
        })
    };
    let long = found("long-syscall", &call(true, 25 * MS));
    let what = "a system call in main.read held its proc while goroutines waited for one";
    assert_eq!(long[0].what, what);
    assert_eq!(worst(&long[0]), (1, 25_000_000));
    assert_eq!(found("long-syscall", &call(false, 25 * MS)), []);
    assert_eq!(found("long-syscall", &call(true, 15 * MS)), []);
}

#[test]
fn a_system_call_that_never_had_a_proc_holds_none() {
    let trace = TestTrace::new(Version::Go123);
    let generation = trace.generation(1);
    generation.sync(15_625_000, 10);
    generation
        .batch(ThreadId(7), 10)
        .event_after(0, "ProcStatus", (ProcId(0), ProcStatus::Running))
        .event_after(0, "GoStatus", (GoId(1), ThreadId(7), GoStatus::Running))
        .event_after(0, "ProcsChange", (1, NoStack))
        .event_after(1, "GoCreate", (GoId(2), at(["main.w"]), NoStack))
        .event_after(50 * MS, "GoStop", ("Gosched", NoStack))
        .event_after(1, "GoStart", (GoId(3), Seq(1)))
        .event_after(1, "GoStop", ("Gosched", NoStack));
    // It began before the trace, and its thread has no proc.
    generation
        .batch(ThreadId(8), 10)
        .event_after(0, "GoStatus", (GoId(3), ThreadId(8), GoStatus::Syscall))
        .event_after(40 * MS, "GoSyscallEndBlocked", ());
    let trace = Trace::from_bytes(trace.to_bytes().expect("a trace")).expect("a trace");
    assert_eq!(found("long-syscall", &trace), []);
    let (analysis, _) = analyse(&trace, &Rules::default(), None);
    let goroutine = analysis.goroutines.get(GoId(3)).expect("it is in the trace");
    assert_eq!((goroutine.times.syscall, goroutine.times.syscall_blocked), (0, 40_000_000));
    // Go's summarizer takes it for one with a proc.
    let go = analysis.goroutines.as_go(goroutine);
    let before = go.syscall_blocked;
    assert!(before < 10 && go.syscall + before == 40_000_000, "{go:?}");
}

#[test]
fn a_healthy_trace_has_no_findings() {
    let healthy = trace(|mut thread| {
        thread = thread
            .event_after(1, "GoCreate", (GoId(2), at(["main.worker"]), NoStack))
            .event_after(1, "GoStop", ("Gosched", NoStack));
        for turn in 0..2_000 {
            thread = thread
                .event_after(1, "GoStart", (GoId(2), Seq(1 + 2 * turn)))
                .event_after(MS / 2, "GoBlock", ("chan receive", at(["main.worker"])))
                .event_after(1, "GoStart", (GoId(1), Seq(1 + turn)))
                .event_after(MS / 2, "GoUnblock", (GoId(2), Seq(2 + 2 * turn), at(["main.main"])))
                .event_after(1, "GoStop", ("Gosched", NoStack));
        }
    });
    let rules = Rules::default();
    let (analysis, report) = analyse(&healthy, &rules, None);
    assert_eq!(rules.find(&analysis, &report, 2), []);
}

/// The programs that were recorded for the tests of the reader do little of each thing.
#[test]
fn findings_of_small_recorded_programs_are_few_and_true() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/traces/go1.27/");
    let rules = Rules::default();
    let quiet = ["annotations", "channels", "empty", "network", "pipes", "threads", "timers"];
    for (name, expected) in quiet.map(|name| (name, None)).into_iter().chain([
        // Programs that do nothing but allocate, and nothing but misuse.
        ("gc", Some("gc-assist")),
        ("misuse", Some("misused-annotations")),
    ]) {
        let trace = Trace::open(format!("{folder}{name}.trace").as_ref()).expect("a trace");
        let (analysis, report) = analyse(&trace, &rules, None);
        let mut found: Vec<_> =
            rules.find(&analysis, &report, 2).iter().map(|found| found.rule).collect();
        found.dedup();
        assert!(
            expected.map_or(found.is_empty(), |rule| found.contains(&rule)),
            "{name}: {found:?}"
        );
    }
}

/// The simulation knows how often the world was stopped.
#[test]
fn every_stop_of_a_simulated_world_is_counted() {
    use gotrail_synth::sim::{Config, Observer, Profile, Simulation, TrueEvent};
    #[derive(Default)]
    struct Stops(u64);
    impl Observer for Stops {
        fn wants_events(&self) -> bool {
            true
        }
        fn happened(&mut self, event: TrueEvent) {
            self.0 += u64::from(
                event.what.starts_with("RangeBegin") && event.what.contains("stop-the-world"),
            );
        }
    }
    let config = Config { profile: Profile::Gc, events: 50_000, ..Config::default() };
    let (mut bytes, mut stops) = (Vec::new(), Stops::default());
    let simulation = Simulation::new(config).expect("it is possible");
    simulation.observe(&mut bytes, &mut stops).expect("memory takes it");
    let mut rules = Rules::default();
    rules.rule("long-stw").unwrap().threshold("longest").unwrap().value = Value::Nanos(1);
    let trace = Trace::from_bytes(bytes).expect("a trace");
    let found = found_with("long-stw", &rules, &trace);
    let count = |found: &Finding| match number(found, "count") {
        Value::Count(count) => count,
        other => panic!("{other:?}"),
    };
    let counted: u64 = found.iter().map(count).sum();
    // One may last until the end of the trace.
    assert!(stops.0 > 3 && stops.0 - counted <= 1, "{counted} of {}", stops.0);
}
