//! Traces of Go 1.11 to 1.21, as a user meets them.

mod common;

use common::{Folder, arg, run};
use std::io::Write;
use std::path::PathBuf;

fn recorded(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/traces").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(recorded(name)).expect("a recorded trace")
}

const NAME: &str = "go1.21/annotations.trace";

#[test]
fn info_says_what_the_format_cannot_know() {
    let trace = recorded(NAME);
    let text = run(&["info", arg(&trace)]);
    assert_eq!((text.code, text.err.as_str()), (0, ""));
    for line in [
        "Format            1.21, written by Go 1.21",
        "Started           unknown, format 1.21 has no wall-clock time",
        "Generations       1, as format 1.21 does not divide traces",
        "Events            88",
        "Threads           unknown, format 1.21 names threads only where procs start",
        "Tasks             5 begun, 5 ended",
        "Health            complete",
    ] {
        assert!(text.out.contains(line), "{line} in\n{}", text.out);
    }
    let json = run(&["info", "--json", arg(&trace)]).json();
    assert_eq!((json["events"].as_u64(), json["generations"].as_u64()), (Some(88), Some(1)));
    for unknown in ["threads", "wall_start"] {
        assert_eq!(json[unknown], serde_json::Value::Null, "{unknown}");
    }
    assert!(json["duration_ns"].as_i64() > Some(0));
    let older = run(&["info", arg(&recorded("go1.19/empty.trace"))]);
    assert!(older.out.contains("written by Go 1.19 or 1.20"), "{}", older.out);
}

#[test]
fn all_ways_to_read_one_agree_on_its_events() {
    let trace = recorded(NAME);
    for args in [&["validate"][..], &["validate", "--deep"]] {
        let run = run(&[args, &[arg(&trace)]].concat());
        let line = format!("ok  {}  88 events, 1 generation\n", arg(&trace));
        assert_eq!((run.code, run.out), (0, line), "{args:?}");
    }
    let parsed = run(&["dump", "parsed", arg(&trace)]);
    assert_eq!(parsed.code, 0, "{}", parsed.err);
    let golden = std::fs::read(trace.with_extension("events"));
    if let Ok(golden) = golden {
        assert!(parsed.bytes == golden, "what the reference prints");
    }
    assert_eq!(parsed.out.lines().filter(|line| line.starts_with("M=")).count(), 88);
    let json = run(&["dump", "json", arg(&trace)]).json_lines();
    assert_eq!(json.len(), 88);
    assert!(json.iter().all(|event| event["wall"].is_null()));
    assert_eq!((&json[0]["kind"], &json[87]["kind"]), (&"Sync".into(), &"Sync".into()));
}

#[test]
fn there_are_no_wire_events_to_show() {
    let trace = recorded(NAME);
    for form in ["wire", "footprint"] {
        let run = run(&["dump", form, arg(&trace)]);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{form}");
        for part in ["is a trace of format 1.21; this needs one of 1.22 or later", "next: "] {
            assert!(run.err.contains(part), "{form}: {}", run.err);
        }
    }
}

#[test]
fn goroutines_and_tasks_are_found() {
    let trace = recorded(NAME);
    let goroutines = run(&["goroutines", arg(&trace)]);
    assert_eq!((goroutines.code, goroutines.err.as_str()), (0, ""));
    assert!(goroutines.out.contains("main.main.func2"), "{}", goroutines.out);
    let tasks = run(&["tasks", arg(&trace)]);
    assert_eq!((tasks.code, tasks.err.as_str()), (0, ""));
    for name in ["order", "step"] {
        assert!(tasks.out.contains(name), "{name} in\n{}", tasks.out);
    }
}

#[test]
fn one_without_its_end_has_ticks_instead_of_durations() {
    let folder = Folder::new();
    let path = folder.file("cut.trace", &bytes(NAME)[..3000]);
    let strict = run(&["validate", arg(&path)]);
    assert_eq!(strict.code, 1);
    assert!(strict.out.contains("the input ends inside an event"), "{}", strict.out);
    assert!(strict.out.contains("the trace is cut off"), "{}", strict.out);

    let info = run(&["info", arg(&path)]);
    assert_eq!(info.code, 1);
    let row = |name: &str| info.out.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    assert!(row("Duration").ends_with(" ticks"), "{}", info.out);
    assert!(row("Health").contains("broken"), "{}", info.out);
    for part in ["Times are ticks, not nanoseconds", "the trace is cut off at byte 3000, before"] {
        assert!(info.out.contains(part), "{part} in\n{}", info.out);
    }
    let json = run(&["info", "--json", arg(&path)]).json();
    assert_eq!(json["duration_ns"], serde_json::Value::Null);
    assert_eq!(json["times_are_ticks"], true);
    assert!(json["events"].as_u64() > Some(2), "what comes before is kept");

    // Whoever computes durations from it says that they are none.
    for command in [&["goroutines"][..], &["why"], &["goroutine", "1"]] {
        let people = run(&[command, &[arg(&path)]].concat());
        assert!(people.err.contains("Times are ticks"), "{command:?}: {}", people.err);
        assert!(people.out.contains(" ticks"), "{command:?}: {}", people.out);
        assert!(!people.out.contains(" ns"), "{command:?}: {}", people.out);
        let programs = run(&[command, &["--json", arg(&path)]].concat());
        assert_eq!((programs.code, programs.out.as_str()), (1, ""), "{command:?}");
        assert!(programs.err.contains("is about nanoseconds"), "{command:?}: {}", programs.err);
    }
    let filtered = run(&["goroutines", "--from", "1us", arg(&path)]);
    assert!(filtered.err.contains("a filter by time is about nanoseconds"), "{}", filtered.err);
}

#[test]
fn every_command_goes_on_with_what_is_left() {
    let folder = Folder::new();
    // The frequency is there, and not all stacks; what the network did is not damaged.
    let path = folder.file("cut.trace", &bytes("go1.21/network.trace")[..6000]);
    for command in [&["why"][..], &["goroutine", "1"], &["goroutines"], &["procs"], &["gc"]] {
        let run = run(&[command, &[arg(&path)]].concat());
        assert_eq!(run.code, 0, "{command:?}: {}", run.err);
        assert!(run.err.contains("the input ends inside an event"), "{command:?}: {}", run.err);
        assert!(!run.out.is_empty(), "{command:?}");
    }
}

#[test]
fn what_was_appended_is_said_to_be() {
    let folder = Folder::new();
    let whole = bytes("go1.21/network.trace");
    let count = |path: &str| run(&["info", "--json", path]).json()["events"].as_u64();
    let all = count(arg(&recorded("go1.21/network.trace")));
    let at = format!("at byte {}", whole.len());
    let other = bytes(NAME);
    for (name, more, says) in [
        ("two.trace", &other[..], "another trace follows"),
        (
            "text.trace",
            b"exit status 1\n".repeat(9).as_slice(),
            "what follows the end of the trace",
        ),
    ] {
        let path = folder.file(name, &[&whole[..], more].concat());
        let strict = run(&["validate", arg(&path)]);
        assert_eq!(strict.code, 1);
        for part in [says, &at, "something was written to the same file behind the trace"] {
            assert!(strict.out.contains(part), "{part} in {}", strict.out);
        }
        assert_eq!(count(arg(&path)), all, "{name}");
    }
}

#[test]
fn a_compressed_one_that_is_cut_off_says_where() {
    let folder = Folder::new();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&bytes("go1.21/network.trace")).expect("to memory");
    let whole = gzip.finish().expect("to memory");
    let path = folder.file("cut.trace.gz", &whole[..3000]);
    let info = run(&["info", arg(&path)]);
    for part in ["the gzip data is cut off after 3000 bytes, which is byte ", "cut off after "] {
        assert!(info.out.contains(part), "{part} in {}", info.out);
    }
    assert!(!info.out.contains("at byte 16\n"), "{}", info.out);
}

#[test]
fn a_damaged_one_is_read_up_to_the_damage() {
    let folder = Folder::new();
    let mut damaged = bytes(NAME);
    // Here an event begins; no version has one of this type.
    damaged[2057] = 0x3f;
    let path = folder.file("damaged.trace", &damaged);
    let strict = run(&["validate", arg(&path)]);
    assert_eq!(strict.code, 1);
    assert!(strict.out.contains("at byte"), "{}", strict.out);
    let info = run(&["info", "--json", arg(&path)]);
    assert_eq!(info.code, 1);
    let health = &info.json()["health"];
    assert!(health["bytes_lost"].as_u64() > Some(0), "{health}");
    let parsed = run(&["dump", "parsed", arg(&path)]);
    assert_eq!(parsed.code, 1);
    // The reference tells no event of a trace in which anything is wrong, not even a sync.
    assert_eq!(parsed.out, "");
}
