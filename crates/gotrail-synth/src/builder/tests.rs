//! How traces are written, and what is said of wrong use.

use super::*;
use crate::reading;
use gotrail::{GoId, ProcId, TaskId, ThreadId};

fn text(trace: &TestTrace) -> String {
    String::from_utf8(trace.to_archive().unwrap().to_text().unwrap()).unwrap()
}

/// What is said, without the lines of source.
fn errors(trace: &TestTrace) -> Vec<String> {
    let BuildError(all) = trace.to_archive().unwrap_err();
    let texts = all.iter().map(|error| {
        let text = error.to_string();
        let place = format!("{}:{}: ", file!(), error.at.line());
        text.strip_prefix(&place).expect("the place").to_owned()
    });
    texts.collect()
}

#[test]
fn strings_stacks_and_sizes_are_looked_after() {
    let trace = TestTrace::new(Version::Go122);
    trace.expect_failure("a \"b\"");
    trace.comment("Why.\n");
    let generation = trace.generation(1);
    let frames = [StackFrame::new(255, "main.main", "main.go", 3)];
    let batch = generation.batch(ThreadId(7), 10);
    batch.event("GoBlock", ("sleep", frames.clone()));
    batch.event("GoBlock", ("", NoStack));
    batch.event("GoBlock", ("sleep", frames));
    let expected = "\
Why.
-- expect --
FAILURE \"a \\\"b\\\"\"
-- trace --
Trace Go1.22
EventBatch gen=1 m=7 time=10 size=12
GoBlock dt=1 reason_string=1 stack=1
GoBlock dt=1 reason_string=0 stack=0
GoBlock dt=1 reason_string=1 stack=1
EventBatch gen=1 m=18446744073709551615 time=0 size=5
Frequency freq=15625000
EventBatch gen=1 m=18446744073709551615 time=1 size=9
Stacks
Stack id=1 nframes=1
\tpc=255 func=2 file=3 line=3
EventBatch gen=1 m=18446744073709551615 time=2 size=31
Strings
String id=1
\tdata=\"sleep\"
String id=2
\tdata=\"main.main\"
String id=3
\tdata=\"main.go\"
";
    assert_eq!(text(&trace), expected);
    // Once more, and as bytes, it is the same.
    assert_eq!(text(&trace), expected);
    let archive = trace.to_archive().unwrap();
    assert_eq!(archive.bytes().unwrap(), trace.to_bytes().unwrap());
}

#[test]
fn batches_keep_their_order_however_events_are_written() {
    let trace = TestTrace::new(Version::Go126);
    let generation = trace.generation(1);
    let (a, b) = (generation.batch(ThreadId(1), 5), generation.batch(ThreadId(2), 6));
    b.event("ProcStatus", (ProcId(1), ProcStatus::Running));
    a.event("ProcStatus", (ProcId(0), ProcStatus::Running));
    b.event_after(3, "HeapAlloc", (1,));
    generation.sync_with_clocks(1_000_000_000, 4, 9, (5, 6));
    let second = trace.generation(2);
    second.without_sync();
    second.without_tables();
    second.without_end();
    trace.raw_event(EventType::END_OF_GENERATION, &[]);
    assert_eq!(
        text(&trace).split_once("Trace Go1.26\n").unwrap().1,
        "\
EventBatch gen=1 m=18446744073709551615 time=3 size=12
Sync
Frequency freq=1000000000
ClockSnapshot dt=1 mono=9 sec=5 nsec=6
EventBatch gen=1 m=1 time=5 size=4
ProcStatus dt=1 p=0 pstatus=1
EventBatch gen=1 m=2 time=6 size=7
ProcStatus dt=1 p=1 pstatus=1
HeapAlloc dt=3 heapalloc_value=1
EventBatch gen=1 m=18446744073709551615 time=5 size=1
Stacks
EventBatch gen=1 m=18446744073709551615 time=6 size=1
Strings
EndOfGeneration
EndOfGeneration
"
    );
}

#[test]
fn without_timestamps_nothing_has_a_time() {
    let trace = TestTrace::new(Version::Go125);
    trace.disable_timestamps();
    let generation = trace.generation(1);
    generation.batch(ThreadId(1), 5).event("ProcStop", ()).event_after(2, "ProcStop", ());
    let text = text(&trace);
    assert_eq!(text.matches(" time=0 ").count(), 4, "{text}");
    assert!(text.contains("ProcStop dt=0\nProcStop dt=2\n"), "{text}");
    assert!(text.contains("ClockSnapshot dt=0 "), "{text}");
}

#[test]
fn wrong_things_can_be_written_on_purpose() {
    let trace = TestTrace::new(Version::Go123);
    let generation = trace.generation(1);
    generation.string("one");
    generation.string_with_id(1, "another");
    generation.stack_with_id(7, &[]);
    generation.experimental_batch(1, NoThread, 3, b"\x01");
    let batch = generation.batch(NoThread, 4).claim_size(99);
    batch.event("GoBlock", (Raw(5), Raw(6)));
    batch.raw_event(EventType::SPAN_FREE, &[0, 1]);
    batch.raw_event(EventType(77), &[]);
    // Bytes can hold what the text form of this version does not know.
    assert_eq!(
        errors(&trace),
        [
            "SpanFree: the text form of version 1.23 does not know it, so that no archive can hold it",
            "event type 77: the text form of version 1.23 does not know it, so that no archive can \
             hold it",
        ]
    );
    let bytes = trace.to_bytes().unwrap();
    assert!(bytes.windows(8).any(|found| found == [20, 1, 5, 6, 130, 0, 1, 77]), "{bytes:?}");
}

#[test]
fn large_tables_take_several_batches() {
    let trace = TestTrace::new(Version::Go126);
    let generation = trace.generation(1);
    for i in 0..100 {
        generation.string(&format!("{i:0>1000}"));
    }
    generation.batch(ThreadId(1), 1).event("ProcStatus", (ProcId(0), ProcStatus::Running));
    let reading = reading::of(&trace.to_bytes().unwrap());
    assert_eq!((reading.count, reading.error), (3, None));
    assert_eq!(text(&trace).matches("\nStrings\n").count(), 4);
}

#[test]
fn samples_stand_in_a_batch_of_their_own() {
    let trace = TestTrace::new(Version::Go122);
    let generation = trace.generation(1);
    generation.cpu_sample(5, ThreadId(1), ProcId(2), GoId(3), &[]);
    let text = text(&trace);
    assert!(text.contains("CPUSamples\nCPUSample time=5 m=1 p=2 g=3 stack=0\n"), "{text}");
}

#[test]
fn wrong_use_is_said_with_the_event_and_the_argument() {
    let trace = TestTrace::new(Version::Go122);
    trace.expect_failure("(");
    let generation = trace.generation(1);
    generation.sync_with_clocks(1, 2, 3, (4, 5));
    let batch = generation.batch(ThreadId(1), 1);
    batch.event("GoStrat", (GoId(1), Seq(1)));
    batch.event("GoSwitch", (GoId(1), Seq(1)));
    batch.event("GoStart", (GoId(1),));
    batch.event("ProcStop", (1,));
    batch.event("GoStart", (ProcId(1), 5));
    batch.event("UserTaskBegin", (TaskId(1), GoId(0), NoStack, "name"));
    batch.event_after(1, "Frequency", (5,));
    batch.event("String", (5,));
    trace.raw_event(EventType::EVENT_BATCH, &[1]);
    let mut found = errors(&trace);
    assert!(found.remove(0).starts_with("expect_failure: expected a regular expression: "));
    assert_eq!(
        found,
        [
            "sync_with_clocks: traces before 1.25 have no clock snapshot",
            "GoStrat: there is no such event",
            "GoSwitch: traces of version 1.22 don't have it, it came with 1.23",
            "GoStart: expected 2 arguments (g, g_seq), found 1",
            "ProcStop: expected 0 arguments (), found 1",
            "GoStart: argument g: expected a GoId, found a ProcId",
            "GoStart: argument g_seq: expected a Seq, found a number",
            "UserTaskBegin: argument parent_task: expected a TaskId, found a GoId",
            "UserTaskBegin: argument name_string: expected a string, found a stack",
            "UserTaskBegin: argument stack: expected a stack, found a string",
            "Frequency: it carries no time",
            "String: data given for String, which has none, or missing for an event with data",
            "EventBatch: EventBatch has 4 arguments, not 1",
        ]
    );
}
