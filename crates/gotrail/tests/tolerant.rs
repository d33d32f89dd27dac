//! Broken traces: a tolerant reader keeps what is good and says what is missing.

mod common;

use common::scenario::to_bytes;
use common::{Golden, Outcome, assert_rising, golden_named, goldens, strict, tolerant};
use gotrail::deep::{Checker, Problem};
use gotrail::format::batch::{self, Content, Header};
use gotrail::{Cause, GoId, Mode, ProcId, Reader, Report, Subject, Version};
use std::ops::Range;

const VERSIONS: [&str; 6] = ["go1.22", "go1.23", "go1.24", "go1.25", "go1.26", "go1.27"];

/// The events before the sync at the end.
fn without_last_sync(outcome: &Outcome) -> &[Vec<u8>] {
    let events = &outcome.events[..];
    match events.split_last() {
        Some((last, rest)) if last.windows(6).any(|word| word == b" Sync ") => rest,
        _ => events,
    }
}

fn without_syncs(events: &[Vec<u8>]) -> Vec<&[u8]> {
    let sync = |event: &[u8]| event.windows(6).any(|word| word == b" Sync ");
    events.iter().map(Vec::as_slice).filter(|event| !sync(event)).collect()
}

/// What must hold of a trace that was cut off, whatever it is.
/// Says whether a tolerant reader begins with all that a strict one delivers.
fn check_cut(golden: &Golden, cut: usize, full: Option<&Outcome>) -> bool {
    let bytes = &golden.bytes[..cut];
    let what = format!("{} cut at {cut}", golden.name);
    let strict = strict(bytes);
    let (tolerant, report) = tolerant(bytes);
    if cut < 16 {
        assert_eq!(strict.error.expect(&what).cause(), Cause::CutOff, "{what}");
        assert_eq!(tolerant.error.expect(&what).cause(), Cause::CutOff, "{what}");
        return true;
    }
    assert_rising(&strict, &what);
    assert_rising(&tolerant, &what);
    let good = without_last_sync(&strict);
    if let Some(full) = full {
        // The sync has the time of the earliest batch, which may be missing.
        let (good, full) = (without_syncs(good), without_syncs(&full.events));
        assert!(full.starts_with(&good), "{what}: other events than in the whole trace");
    }
    assert!(tolerant.events.len() >= strict.events.len(), "{what}");
    let keeps_all = tolerant.events.starts_with(good);
    // A trace of nothing but a header is the test below.
    if cut > 16 && strict.error.is_some() {
        // Between two batches only what is not there can tell: a string that an event needs, or
        // an event that others wait for.
        let cut_off = report.losses.iter().any(|loss| loss.cause == Cause::CutOff);
        let between = ends_of_batches(&golden.bytes).contains(&cut);
        assert!(cut_off || (between && !report.is_complete()), "{what}: {report:?}");
        for loss in &report.losses {
            assert!(loss.bytes.end <= cut as u64, "{what}: {loss:?}");
            assert!(loss.bytes_lost <= loss.bytes.end - loss.bytes.start, "{what}: {loss:?}");
        }
    }
    keeps_all
}

#[test]
fn a_trace_of_every_version_cut_off_at_every_byte() {
    for version in VERSIONS {
        let golden = golden_named(&format!("{version}/empty.trace"));
        let full = strict(&golden.bytes);
        for cut in 0..golden.bytes.len() {
            assert!(check_cut(&golden, cut, Some(&full)), "{version} cut at {cut}");
        }
    }
}

#[test]
fn a_trace_of_several_generations_cut_off_at_every_byte() {
    for version in VERSIONS {
        let golden = golden_named(&format!("{version}/annotations-stress.trace"));
        for cut in 0..golden.bytes.len() {
            check_cut(&golden, cut, None);
        }
    }
}

#[test]

fn a_batch_that_is_cut_off_holds_no_batches() {
    for version in VERSIONS {
        let golden = golden_named(&format!("{version}/annotations-stress.trace"));
        for cut in 0..golden.bytes.len() {
            if !check_cut(&golden, cut, None) {
                let (outcome, report) = tolerant(&golden.bytes[..cut]);
                panic!("{version} cut at {cut}: {report:?}\n{}", outcome.text());
            }
        }
    }
}

#[test]
fn every_trace_cut_off_here_and_there() {
    for golden in common::goldens_with_generations().into_iter().filter(|golden| golden.ok) {
        for part in 1..12 {
            check_cut(&golden, golden.bytes.len() * part / 12, None);
        }
    }
}

#[test]

fn a_header_and_nothing_else_lacks_something() {
    for version in [Version::Go122, Version::Go123, Version::Go125] {
        let header = version.header();
        assert!(strict(&header).error.is_some());
        assert!(!tolerant(&header).1.is_complete(), "{version}");
    }
}

#[test]
fn a_complete_trace_has_an_empty_report() {
    for golden in goldens().into_iter().filter(|golden| golden.ok) {
        let (outcome, report) = tolerant(&golden.bytes);
        assert_eq!(outcome.events.len(), golden.events, "{}", golden.name);
        assert!(report.is_complete(), "{}: {report:?}", golden.name);
        assert!(report.losses.is_empty() && report.misuses.is_empty());
        assert_eq!((report.unresolved, report.bytes_lost()), (0, 0));
    }
}

#[test]
fn a_strict_reader_reports_nothing() {
    let golden = golden_named("go1.27/misuse.trace");
    let mut reader = Reader::from_slice(&golden.bytes, Mode::Strict).unwrap();
    assert_eq!(reader.drain().unwrap_err().cause(), Cause::Misuse);
    assert!(reader.report().is_complete() && reader.report().misuses.is_empty());
}

/// Where the batches of a trace end.
fn ends_of_batches(bytes: &[u8]) -> Vec<usize> {
    let mut ends = vec![16];
    while let Some(&at) = ends.last()
        && at < bytes.len()
    {
        let (header, len) = batch::read_header(&bytes[at..]).unwrap();
        let size = if let Header::Batch(header) = header { header.size } else { 0 };
        ends.push(at + len + size);
    }
    ends
}

/// A batch of events in a trace.
struct Batch {
    all: Range<usize>,
    payload: Range<usize>,
    generation: u64,
    thread: i64,
}

/// The batches of events of a trace, and where its generations begin.
fn batches(bytes: &[u8]) -> Vec<Batch> {
    let version = Reader::from_slice(bytes, Mode::Strict).unwrap().version();
    let mut batches = Vec::new();
    let mut at = 16;
    while at < bytes.len() {
        let (header, len) = batch::read_header(&bytes[at..]).unwrap();
        let start = at;
        at += len;
        if let Header::Batch(header) = header {
            let payload = at..at + header.size;
            at = payload.end;
            let content = Content::of(header.experiment, &bytes[payload.clone()], version);
            if content == Content::Events {
                let (generation, thread) = (header.generation, header.thread as i64);
                batches.push(Batch { all: start..at, payload, generation, thread });
            }
        }
    }
    batches
}

/// The number of events in each generation, by its number.
fn events_by_generation(bytes: &[u8]) -> (Vec<(u64, usize)>, Report, Outcome) {
    let mut reader = Reader::from_slice(bytes, Mode::Tolerant).unwrap();
    let mut counts: Vec<(u64, usize)> = Vec::new();
    let mut times = Vec::new();
    while let Some(event) = reader.next_event().unwrap() {
        times.push(event.time().0);
        let Some(generation) = event.generation() else { continue };
        match counts.last_mut() {
            Some(last) if last.0 == generation => last.1 += 1,
            _ => counts.push((generation, 1)),
        }
    }
    (counts, reader.report(), Outcome { times, ..Outcome::default() })
}

/// Damages each batch of events but those of the last generation, one at a time.
///
/// It is noticed for sure if `noticed`.
fn damage(name: &str, what: impl Fn(&mut Vec<u8>, &Batch), noticed: impl Fn(&Batch) -> bool) {
    let golden = golden_named(name);
    let list = batches(&golden.bytes);
    let (whole, ..) = events_by_generation(&golden.bytes);
    assert!(whole.len() >= 3, "{name}: only {} generations", whole.len());
    let last = whole[whole.len() - 1].0;
    let step = list.len().div_ceil(60);
    let mut found = 0;
    for batch in list.iter().filter(|batch| batch.generation < last).step_by(step) {
        let mut bytes = golden.bytes.clone();
        what(&mut bytes, batch);
        let (counts, report, outcome) = events_by_generation(&bytes);
        let at = format!("{name}: {:?} of thread {}", batch.all, batch.thread);
        assert_rising(&outcome, &at);
        let index = whole.iter().position(|count| count.0 == batch.generation).unwrap();
        // What came before is untouched.
        assert_eq!(counts[..index], whole[..index], "{at}");
        if report.is_complete() {
            assert!(!noticed(batch), "{at}: not noticed");
            continue;
        }
        found += 1;
        // All that comes later is complete.
        let good = &whole[(index + 1).min(whole.len())..];
        assert!(counts.ends_with(good), "{at}: {counts:?} instead of {whole:?}");
        let loss = &report.losses[0];
        // Before 1.26 a damaged batch may belong to the generation before or to this one; that one
        // is missing may show only in the next.
        let late = u64::from(!noticed(batch));
        let near = batch.generation - 1..batch.generation + 1 + late;
        assert!(near.contains(&loss.place.generation.expect(&at)), "{at}: {loss:?}");
        assert!(!loss.reason.is_empty(), "{at}");
        assert!(loss.bytes.end <= bytes.len() as u64 && loss.bytes.start >= 16, "{at}: {loss:?}");
        assert!(report.bytes_lost() <= bytes.len() as u64, "{at}");
        assert!(loss.from.is_some(), "{at}: {loss:?}");
        let in_last = late > 0 && loss.place.generation == Some(last);
        assert!(loss.until.is_some() || good.is_empty() || in_last, "{at}: {loss:?}");
    }
    assert!(found > 0, "{name}: no damage was noticed");
}

const MANY_GENERATIONS: [&str; 6] = [
    "go1.22/threads-stress.trace",
    "go1.23/cgo-stress.trace",
    "go1.24/generations.trace",
    "go1.25/syscalls-stress.trace",
    "go1.26/generations.trace",
    "go1.27/gc-generations.trace",
];

#[test]
fn a_batch_that_is_missing_costs_its_generation_at_most() {
    for name in MANY_GENERATIONS {
        damage(name, |bytes, batch| drop(bytes.drain(batch.all.clone())), |_| false);
    }
}

#[test]
fn a_batch_that_begins_with_nonsense_costs_its_generation_at_most() {
    for name in MANY_GENERATIONS {
        let overwrite = |bytes: &mut Vec<u8>, batch: &Batch| bytes[batch.payload.start] = 0xfe;
        damage(name, overwrite, |_| true);
    }
}

#[test]
fn a_batch_with_nonsense_in_the_middle_costs_its_generation_at_most() {
    for name in MANY_GENERATIONS {
        let overwrite = |bytes: &mut Vec<u8>, batch: &Batch| {
            let middle = (batch.payload.start + batch.payload.end) / 2;
            bytes[middle..batch.payload.end].fill(0xff);
        };
        damage(name, overwrite, |batch| batch.payload.len() > 1);
    }
}

#[test]
fn a_damaged_batch_header_is_skipped() {
    for name in MANY_GENERATIONS {
        damage(name, |bytes, batch| bytes[batch.all.start] = 0xee, |_| true);
    }
}

const RUNNING: &str = "thread 5 gen=1 time=10\nProcStatus dt=1 p=0 pstatus=1\n\
                       GoStatus dt=1 g=4 m=5 gstatus=2\n";
const TABLES: &str = "clock gen=1\nstrings gen=1 outer inner main.work work.go\n\
                      thread -1 gen=1 time=1\nStacks\nStack id=1 nframes=1\n\
                      \tpc=16 func=3 file=4 line=42\n";

/// A trace of one generation in which goroutine 4 does this.
fn doing(events: &str) -> Vec<u8> {
    to_bytes(&format!("Trace Go1.22\n{RUNNING}{events}{TABLES}"))
}

#[test]
fn a_region_that_is_not_the_innermost_ends() {
    let begin = "UserRegionBegin dt=1 task=0 name_string=1 stack=1\n\
                 UserRegionBegin dt=1 task=9 name_string=2 stack=1\n";
    let end = "UserRegionEnd dt=1 task=9 name_string=2 stack=1\n\
               UserRegionEnd dt=1 task=0 name_string=1 stack=1\n";
    let misuse = "UserRegionEnd dt=0 task=0 name_string=1 stack=1\n";
    let good = strict(&doing(&format!("{begin}{end}")));
    assert!(good.error.is_none());
    let bytes = doing(&format!("{begin}{misuse}{end}"));
    assert_eq!(strict(&bytes).error.unwrap().cause(), Cause::Misuse);
    let (outcome, report) = tolerant(&bytes);
    outcome.assert_same(&good, "only that event is missing");
    assert!(report.is_complete());
    let [misuse] = &report.misuses[..] else { panic!("{report:?}") };
    assert!(misuse.reason.contains("goroutine 4"), "{}", misuse.reason);
    assert!(misuse.reason.contains("region \"outer\" of task 0"), "{}", misuse.reason);
    assert!(misuse.reason.contains("\"inner\" of task 9"), "{}", misuse.reason);
    assert_eq!(misuse.stack, [("main.work".to_owned(), "work.go".to_owned(), 42)]);
    assert_eq!((misuse.time.0, misuse.place.generation), (14, Some(1)));
    assert_eq!(misuse.place.thread.map(|thread| thread.0), Some(5));
}

#[test]
fn a_task_begins_twice() {
    let begin = "UserTaskBegin dt=1 task=7 parent_task=0 name_string=1 stack=1\n";
    let misuse = "UserTaskBegin dt=0 task=7 parent_task=3 name_string=2 stack=1\n";
    let end = "UserTaskEnd dt=1 task=7 stack=1\n";
    let good = strict(&doing(&format!("{begin}{end}")));
    let (outcome, report) = tolerant(&doing(&format!("{begin}{misuse}{end}")));
    outcome.assert_same(&good, "only that event is missing");
    assert!(report.is_complete());
    let [misuse] = &report.misuses[..] else { panic!("{report:?}") };
    assert!(misuse.reason.contains("task 7 (\"inner\")"), "{}", misuse.reason);
    assert_eq!(misuse.stack, [("main.work".to_owned(), "work.go".to_owned(), 42)]);
    assert_eq!(misuse.time.0, 13);
}

#[test]

fn a_task_that_begins_twice_is_reported_with_its_goroutine() {
    let begin = "UserTaskBegin dt=1 task=7 parent_task=0 name_string=1 stack=1\n";
    let (_, report) = tolerant(&doing(&format!("{begin}{begin}")));
    assert!(report.misuses[0].reason.contains("goroutine 4"), "{}", report.misuses[0].reason);
}

#[test]
fn recorded_misuse_costs_one_event() {
    for version in VERSIONS {
        let golden = golden_named(&format!("{version}/misuse.trace"));
        let strict = strict(&golden.bytes);
        let (outcome, report) = tolerant(&golden.bytes);
        assert!(outcome.events.starts_with(&strict.events), "{version}");
        assert!(outcome.events.len() > strict.events.len(), "{version}");
        assert!(report.is_complete(), "{version}: {report:?}");
        assert!(!report.misuses.is_empty(), "{version}");
        for misuse in &report.misuses {
            assert!(misuse.reason.contains("region"), "{version}: {}", misuse.reason);
            assert!(misuse.stack.iter().any(|frame| frame.1.ends_with("misuse.go")), "{misuse:?}");
        }
    }
}

#[test]
fn lost_strings_leave_events_without_names() {
    let bytes = to_bytes(&format!(
        "Trace Go1.22\n{RUNNING}GoLabel dt=1 label_string=9\nGoStop dt=1 reason_string=8 stack=7\n\
         clock gen=1\n"
    ));
    let (outcome, report) = tolerant(&bytes);
    assert_eq!(outcome.events.len(), 6);
    assert_eq!((report.unresolved, report.is_complete()), (2, false));
}

#[test]

fn lost_names_of_tasks_and_regions_do_not_cost_other_events() {
    let bytes = to_bytes(&format!(
        "Trace Go1.22\n{RUNNING}UserTaskBegin dt=1 task=1 parent_task=0 name_string=9 stack=0\n\
         UserRegionBegin dt=1 task=1 name_string=8 stack=0\nHeapAlloc dt=1 heapalloc_value=1\n\
         thread 6 gen=1 time=90\nProcStatus dt=1 p=1 pstatus=1\nclock gen=1\n"
    ));
    let (outcome, report) = tolerant(&bytes);
    // Two syncs, three statuses, a metric.
    assert!(outcome.events.len() >= 6, "{report:?}\n{}", outcome.text());
}

#[test]

fn the_time_range_of_a_loss_is_not_negative() {
    // A batch of no thread, written when the next generation had begun already.
    let mut bytes = golden_named("go1.22/threads-stress.trace").bytes;
    bytes[276] = 0xfe;
    for loss in tolerant(&bytes).1.losses {
        assert!(loss.until.is_none() || loss.from <= loss.until, "{loss:?}");
    }
}

/// What the checker finds in a trace that a strict reader takes.
fn findings(traces: &[Vec<u8>], skip: usize) -> Vec<Problem> {
    let mut checker = Checker::new();
    let mut problems = Vec::new();
    for trace in traces {
        let mut reader = Reader::from_slice(trace, Mode::Strict).unwrap();
        let mut count = 0;
        while let Some(event) = reader.next_event().unwrap() {
            count += 1;
            if count > skip {
                problems.extend(checker.event(&event).into_iter().map(|found| found.problem));
            }
        }
    }
    problems
}

fn findings_of(text: &str) -> Vec<Problem> {
    findings(&[to_bytes(text)], 0)
}

#[test]
fn the_deep_check_finds_nothing_in_good_traces() {
    for golden in common::goldens_with_generations().into_iter().filter(|golden| golden.ok) {
        let problems = findings(std::slice::from_ref(&golden.bytes), 0);
        assert_eq!(problems, [], "{}", golden.name);
    }
}

#[test]
fn the_deep_check_finds_a_second_trace_behind_the_first() {
    let trace = doing("GoStop dt=1 reason_string=0 stack=0\n");
    let problems = findings(&[trace.clone(), trace], 0);
    assert!(problems.iter().any(|problem| matches!(problem, Problem::TimeNotRising(_))));
    assert!(problems.contains(&Problem::SyncNumber { before: 2, found: 1 }), "{problems:?}");
    let known =
        Problem::WrongState { of: Subject::Go(GoId(4)), known: "Runnable", found: "Undetermined" };
    assert!(problems.contains(&known), "{problems:?}");
}

#[test]
fn the_deep_check_finds_what_was_never_begun() {
    let trace = doing("GoStop dt=1 reason_string=0 stack=0\nProcStop dt=1\n");
    // Without the statuses nobody knows of proc and goroutine.
    let problems = findings(&[trace], 3);
    for of in [Subject::Go(GoId(4)), Subject::Proc(ProcId(0))] {
        assert!(problems.contains(&Problem::NotRunning(of)), "{problems:?}");
        let unknown = Problem::WrongState { of, known: "unknown", found: "Running" };
        assert!(problems.contains(&unknown), "{problems:?}");
    }
}

#[test]
fn the_deep_check_finds_two_goroutines_and_two_procs_on_a_thread() {
    let problems =
        findings(&[doing("GoStatus dt=1 g=5 m=5 gstatus=2\nProcStatus dt=1 p=1 pstatus=1\n")], 0);
    let taken = |of, holds| Problem::ThreadTaken { of, holds };
    assert_eq!(
        problems,
        [
            taken(Subject::Go(GoId(5)), Subject::Go(GoId(4))),
            taken(Subject::Proc(ProcId(1)), Subject::Proc(ProcId(0))),
        ]
    );
}

#[test]
fn the_deep_check_finds_what_runs_on_no_thread() {
    let problems = findings_of(
        "Trace Go1.22\nthread -1 gen=1 time=10\nProcStatus dt=1 p=0 pstatus=1\n\
         GoStatus dt=1 g=4 m=-1 gstatus=2\nclock gen=1\n",
    );
    let of = [Subject::Proc(ProcId(0)), Subject::Go(GoId(4))];
    assert_eq!(problems, of.map(Problem::NoThread));
}

#[test]
fn the_deep_check_finds_states_that_do_not_exist() {
    let problems = findings_of(
        "Trace Go1.22\nthread 5 gen=1 time=10\nProcStatus dt=1 p=0 pstatus=0\n\
         GoStatus dt=1 g=4 m=-1 gstatus=0\nclock gen=1\n",
    );
    let illegal = |of| Problem::IllegalTransition { of, from: "Undetermined", to: "Undetermined" };
    assert_eq!(problems, [illegal(Subject::Proc(ProcId(0))), illegal(Subject::Go(GoId(4)))]);
}

#[test]
fn the_deep_check_finds_states_that_are_not_known_in_later_generations() {
    let problems = findings_of(
        "Trace Go1.26\nclock gen=1\nthread 5 gen=1 time=10\nProcStatus dt=1 p=0 pstatus=1\n\
         EndOfGeneration\nclock gen=1 time=50\nthread 5 gen=1 time=60\n\
         GoStatus dt=1 g=4 m=5 gstatus=4\nEndOfGeneration\n",
    );
    assert_eq!(problems, [Problem::Undetermined(Subject::Go(GoId(4)))]);
}

#[test]
fn the_deep_check_finds_ranges_that_do_not_balance() {
    let problems = findings(&[doing("GCMarkAssistBegin dt=1 stack=0\nGoDestroy dt=1\n")], 0);
    assert_eq!(problems, [Problem::EndedInRange(Subject::Go(GoId(4)))]);
    // Reasons are the same text under two ids.
    let problems = findings_of(&format!(
        "Trace Go1.22\n{RUNNING}STWBegin dt=1 kind_string=1 stack=0\n\
         STWBegin dt=1 kind_string=2 stack=0\nclock gen=1\nstrings gen=1 why why\n"
    ));
    assert_eq!(problems, [Problem::RangeActive("stop-the-world (why)".into())]);
    // The id of the reason means something else in the next generation.
    let problems = findings_of(&format!(
        "Trace Go1.22\n{RUNNING}STWBegin dt=1 kind_string=1 stack=0\nclock gen=1\n\
         strings gen=1 why\nthread 5 gen=2 time=90\nSTWEnd dt=1\nclock gen=2 time=80\n\
         strings gen=2 other\n"
    ));
    assert_eq!(problems, [Problem::RangeInactive("stop-the-world (other)".into())]);
}

#[test]
fn the_deep_check_finds_tasks_and_labels_that_cannot_be() {
    let problems = findings(
        &[doing(
            "UserTaskBegin dt=1 task=0 parent_task=0 name_string=1 stack=0\n\
             GoLabel dt=1 label_string=0\n",
        )],
        0,
    );
    assert_eq!(problems, [Problem::ReservedTask(gotrail::TaskId(0)), Problem::BadLabel(GoId(4))]);
    // A task that two traces speak of.
    let begins = doing("UserTaskBegin dt=1 task=3 parent_task=0 name_string=1 stack=0\n");
    let ends = doing("UserTaskEnd dt=1 task=3 stack=0\n");
    let problems = findings(&[begins, ends], 0);
    let name =
        Problem::TaskName { id: gotrail::TaskId(3), begun: "outer".into(), ended: "".into() };
    assert!(problems.contains(&name), "{problems:?}");
}

#[test]
fn the_deep_check_finds_frames_that_lack_something() {
    let problems = findings_of(&format!(
        "Trace Go1.22\n{RUNNING}GoBlock dt=1 reason_string=0 stack=1\nclock gen=1\n\
         strings gen=1 f f.go\nthread -1 gen=1 time=1\nStacks\nStack id=1 nframes=3\n\
         \tpc=0 func=0 file=0 line=0\n\tpc=1 func=1 file=2 line=3\n\tpc=2 func=1 file=2 line=0\n"
    ));
    assert_eq!(problems, [Problem::IncompleteFrame(2)]);
}

#[test]
fn the_deep_check_finds_clocks_that_stand_still() {
    let clock = |generation, time, clocks: &str| {
        format!(
            "thread -1 gen={generation} time={time}\nSync\nFrequency freq=1000000000\n\
             ClockSnapshot {clocks}\nEndOfGeneration\n"
        )
    };
    let problems = findings_of(&format!(
        "Trace Go1.26\n{}{}",
        clock(1, 10, "dt=1 mono=5 sec=6 nsec=7"),
        clock(2, 20, "dt=18446744073709551607 mono=5 sec=6 nsec=7"),
    ));
    let stuck = ["wall time", "monotonic time", "trace time"].map(Problem::ClockNotRising);
    assert_eq!(problems, stuck);
    let problems =
        findings_of(&format!("Trace Go1.26\n{}", clock(1, 0, "dt=0 mono=0 sec=0 nsec=0")));
    let zero = ["wall time", "monotonic time", "trace time"].map(Problem::ClockZero);
    assert_eq!(problems, zero);
}

#[test]
fn a_misuse_in_a_loop_is_counted_and_not_kept() {
    let mut text = String::from("Trace Go1.22\nEventBatch gen=1 m=1 time=1 size=0\n");
    text += "ProcStatus dt=1 p=0 pstatus=1\nGoStatus dt=1 g=1 m=1 gstatus=2\n";
    text += "UserRegionBegin dt=1 task=0 name_string=1 stack=0\n";
    for _ in 0..500 {
        text += "UserRegionEnd dt=1 task=0 name_string=2 stack=0\n";
    }
    let size = gotrail::format::text::to_bytes(text.as_bytes()).unwrap().len() - 16 - 5;
    let text = text.replace("size=0", &format!("size={size}"));
    let rest = "EventBatch gen=1 m=18446744073709551615 time=1 size=5\nFrequency freq=15625000\n\
                EventBatch gen=1 m=18446744073709551615 time=1 size=13\nStrings\n\
                String id=1\n\tdata=\"abc\"\nString id=2\n\tdata=\"def\"\n";
    let bytes = gotrail::format::text::to_bytes((text + rest).as_bytes()).unwrap();
    let mut reader = Reader::from_slice(&bytes, Mode::Tolerant).unwrap();
    let events = reader.drain().unwrap();
    let report = reader.report();
    assert_eq!((report.misuses.len(), report.misuse_count()), (gotrail::DESCRIBED, 500));
    // Two syncs, two statuses, one region that begins.
    assert_eq!((events, report.is_complete()), (5, true), "{:?}", report.losses);
}

#[test]
fn two_traces_in_one_file_are_both_read() {
    for golden in ["go1.26/channels.trace", "go1.27/network.trace"] {
        let one = golden_named(golden).bytes.clone();
        // As flight recorders write it: the same generation number again.
        let two = [&one[..], &one[16..]].concat();
        let count = |bytes: &[u8]| {
            let mut reader = Reader::from_slice(bytes, Mode::Tolerant).unwrap();
            (reader.drain().unwrap(), reader.report())
        };
        let ((single, _), (both, report)) = (count(&one), count(&two));
        // All events of both; the last sync of the first is missing.
        assert_eq!(both, 2 * single - 1, "{golden}");
        assert_eq!(report.bytes_lost(), 0, "{golden}");
        assert!(!report.is_complete(), "{golden}: the contradiction is not reported");
    }
}

#[test]
fn ends_of_nothing_are_one_loss() {
    let bytes = [&b"go 1.26 trace\0\0\0"[..], &[52; 100_000]].concat();
    let mut reader = Reader::from_slice(&bytes, Mode::Tolerant).unwrap();
    assert_eq!(reader.drain().unwrap(), 1);
    let report = reader.report();
    assert_eq!((report.losses.len(), report.bytes_lost()), (1, 100_000));
}
