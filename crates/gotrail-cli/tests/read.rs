//! `info`, `dump` and `validate`, as a user runs them.

mod common;

use common::*;
use std::io::Read;
use std::process::Stdio;

#[test]
fn info_says_what_is_in_a_trace() {
    let folder = Folder::new();
    let path = folder.file("a.trace", &healthy());
    let run = run(&["info", arg(&path)]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    for line in [
        "Format            1.22, written by Go 1.22",
        "Started           unknown, format 1.22 has no wall-clock time",
        "Generations       1",
        "Events            9",
        "  TaskBegin       1   11.1%",
        "Goroutines        1 in all, 1 at the start, at most 1 at once",
        "Tasks             1 begun, 1 ended",
        "Regions           1 begun, 1 ended",
        "Health            complete",
    ] {
        assert!(run.out.contains(line), "{line} in\n{}", run.out);
    }
    assert!(!run.out.contains('\x1b'), "no colours in a pipe");
}

#[test]
fn info_gives_full_numbers_as_json() {
    let bytes = healthy();
    let json = run_with(&["info", "-", "--json"], &bytes).json();
    assert_eq!(json["trace"], "standard input");
    assert_eq!(json["trace_bytes"], bytes.len());
    assert_eq!(json["events"], 9);
    assert_eq!(json["events_by_kind"]["StateTransition"], 2);
    // Seven times 64 ns; the last sync comes one later.
    assert_eq!(json["duration_ns"], 449);
    assert_eq!(json["goroutines"]["at_once"], 1);
    assert_eq!(json["health"]["complete"], true);
}

#[test]
fn misused_annotations_cost_only_themselves() {
    let folder = Folder::new();
    let path = folder.file("a.trace", &region_misused());
    let text = run(&["info", arg(&path)]);
    assert_eq!(text.code, 0, "the trace itself is whole");
    for part in ["complete, but", "\"region one\"", "goroutine 1", "main.work /src/main.go:42"] {
        assert!(text.out.contains(part), "{part} in\n{}", text.out);
    }
    let json = run(&["info", "--json", arg(&path)]).json();
    assert_eq!(json["health"]["misuses"][0]["stack"][0]["function"], "main.work");

    let run = run_with(&["info", "-", "--json"], &task_begun_twice());
    let reason = run.json()["health"]["misuses"][0]["reason"].to_string();
    assert!(reason.contains("task 9") && reason.contains("task type"), "{reason}");
    assert_eq!(run.json()["tasks"]["begun"], 1);
}

#[test]
fn a_cut_trace_keeps_its_complete_generations() {
    let mut bytes = generations(&[RUNNING, "GoStop dt=1 reason_string=0 stack=1\n", ""]);
    bytes.truncate(bytes.len() - 30);
    let folder = Folder::new();
    let path = folder.file("cut.trace", &bytes);
    let text = run(&["info", arg(&path)]);
    assert_eq!(text.code, 1, "{}", text.out);
    assert!(text.out.contains("broken, ") && text.out.contains("cut off"), "{}", text.out);
    let json = run(&["info", "--json", arg(&path)]).json();
    assert_eq!(json["health"]["complete"], false);
    assert_eq!(json["health"]["losses"][0]["cause"], "the trace is cut off");
}

#[test]
fn dump_parsed_prints_events_and_stops_at_an_error() {
    let folder = Folder::new();
    let path = folder.file("a.trace", &region_misused());
    let strict = run(&["dump", "parsed", arg(&path)]);
    assert_eq!(strict.code, 1);
    assert!(strict.out.starts_with("M=-1 P=-1 G=-1 Sync Time="), "{}", strict.out);
    assert!(strict.out.contains("RegionBegin") && !strict.out.contains("RegionEnd"));
    for part in ["error: ", "misuse of region", "likely cause: ", "next: ", "--keep-going"] {
        assert!(strict.err.contains(part), "{part} in\n{}", strict.err);
    }

    let on = run(&["dump", "parsed", "--keep-going", arg(&path)]);
    assert_eq!(on.code, 0);
    assert!(on.out.contains("Running->NotExist"), "{}", on.out);
    assert!(on.err.contains("1 misused annotation"), "{}", on.err);
}

#[test]
fn dump_json_names_everything() {
    let events = run_with(&["dump", "json", "-"], &healthy()).json_lines();
    assert_eq!(events.len(), 9);
    let log = events.iter().find(|event| event["kind"] == "Log").expect("a log");
    assert_eq!((&log["category"], &log["message"]), (&"region two".into(), &"main.work".into()));
    assert_eq!((&log["thread"], &log["goroutine"]), (&7.into(), &1.into()));
    assert_eq!(log["stack"][0]["line"], 42);
    assert!(log["wall"].is_null());
    let status = events.iter().find(|event| event["scope"] == "goroutine").expect("a status");
    assert_eq!((&status["from"], &status["to"]), (&"Undetermined".into(), &"Running".into()));
}

#[test]
fn dump_wire_and_footprint_show_what_is_in_the_file() {
    let bytes = healthy();
    let wire = run_with(&["dump", "wire", "-"], &bytes);
    assert_eq!(wire.code, 0);
    assert!(wire.out.starts_with("EventBatch gen=1 m=7 time=1000000 size="), "{}", wire.out);
    let footprint = run_with(&["dump", "footprint", "-"], &bytes);
    assert!(footprint.out.contains("\nString "), "{}", footprint.out);
    assert_eq!(footprint.out.lines().count(), 258);

    let cut = run_with(&["dump", "wire", "-"], &bytes[..40]);
    assert_eq!(cut.code, 1);
    assert!(cut.err.contains("cut off"), "{}", cut.err);
}

#[test]
fn a_file_and_a_pipe_give_the_same() {
    let folder = Folder::new();
    let bytes = healthy();
    let path = folder.file("a.trace", &bytes);
    for form in ["parsed", "wire", "footprint", "json"] {
        let file = run(&["dump", form, arg(&path)]);
        assert_eq!(file.code, 0, "{}", file.err);
        assert_eq!(file.bytes, run_with(&["dump", form, "-"], &bytes).bytes, "{form}");
    }
}

#[test]
fn recorded_traces_are_read_alike_from_files_and_pipes() {
    for path in recorded().into_iter().step_by(3) {
        let bytes = std::fs::read(&path).expect("a recorded trace");
        let file = run(&["dump", "json", arg(&path)]);
        assert_eq!(file.bytes, run_with(&["dump", "json", "-"], &bytes).bytes, "{path:?}");
        for event in file.json_lines() {
            assert!(event["kind"].is_string(), "{path:?}: {event}");
        }
        let info = run(&["info", "--json", arg(&path)]).json();
        assert_eq!(info["health"]["complete"], true, "{path:?}");
    }
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let folder = Folder::new();
    let region = "UserRegionBegin dt=1 task=0 name_string=1 stack=1\n\
                  UserRegionEnd dt=1 task=0 name_string=1 stack=1\n";
    let path = folder.file("a.trace", &trace(&format!("{RUNNING}{}", region.repeat(4000))));
    let mut command = command();
    command.args(["dump", "parsed", arg(&path)]);
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_exact(&mut [0; 10]).expect("some output");
    drop(stdout);
    let output = child.wait_with_output().expect("the binary ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn an_answer_does_not_depend_on_who_reads_it() {
    let folder = Folder::new();
    let good = folder.file("good.trace", &healthy());
    let bad = folder.file("bad.trace", &region_misused());
    let cut = folder.file("cut.trace", &healthy()[..60]);
    let profile = folder.path("a.pb.gz");
    let code = |args: &[&str]| {
        // Nobody has the other ends any more before the command begins.
        let (out, err) = (std::io::pipe().expect("a pipe").1, std::io::pipe().expect("a pipe").1);
        let status = command().args(args).stdout(out).stderr(err).status();
        status.expect("the binary runs").code()
    };
    assert_eq!(code(&["check", arg(&bad)]), Some(1));
    assert_eq!(code(&["check", "--format", "json", arg(&bad)]), Some(1));
    assert_eq!(code(&["info", arg(&cut)]), Some(1));
    assert_eq!(code(&["info", arg(&good)]), Some(0));
    assert_eq!(code(&["goroutines", arg(&good)]), Some(0));
    assert_eq!(code(&["pprof", "--type", "wall", "-o", arg(&profile), arg(&good)]), Some(0));
    assert!(profile.is_file());
}

#[test]
fn validate_has_a_line_for_each_file_in_order() {
    let folder = Folder::new();
    let good = folder.file("good.trace", &healthy());
    let bad = folder.file("bad.trace", &region_misused());
    let all_good = run(&["validate", "--deep", arg(&good), arg(&good)]);
    assert_eq!(all_good.code, 0, "{}", all_good.out);
    let line = format!("ok  {}  9 events, 1 generation", arg(&good));
    assert!(all_good.out.lines().all(|found| found == line), "{}", all_good.out);

    let mixed = run(&["validate", "--threads", "3", arg(&bad), arg(&good), "nowhere"]);
    assert_eq!(mixed.code, 1);
    let at = |text: &str| mixed.out.find(text).unwrap_or_else(|| panic!("{text}: {}", mixed.out));
    assert!(at("bad ") < at("ok  ") && at("ok  ") < at("there is no such file"));
    assert!(mixed.out.contains("likely: the traced program misuses"), "{}", mixed.out);
    assert!(mixed.out.contains(&format!("`gotrail info {}`", arg(&bad))));

    let json = run(&["validate", "--json", arg(&bad), arg(&good)]).json_lines();
    assert_eq!((&json[0]["ok"], &json[1]["ok"]), (&false.into(), &true.into()));
    assert_eq!(json[0]["error"]["place"]["generation"], 1);
}

#[test]
fn inputs_that_are_no_traces_are_told_apart() {
    let folder = Folder::new();
    let cases = [
        (folder.path("missing"), "there is no such file"),
        (folder.path(""), "is a directory"),
        (folder.file("empty", b""), "is empty"),
        (folder.file("short", b"go 1.26"), "ends inside the header"),
        (folder.file("text", b"hello, I am no trace at all"), "is not a Go execution trace"),
        (folder.file("new", b"go 1.99 trace\0\0\0abc"), "unknown trace version"),
    ];
    for (path, expected) in &cases {
        for command in [&["info"][..], &["dump", "parsed"], &["dump", "wire"], &["validate"]] {
            let run = run(&[command, &[arg(path)]].concat());
            assert_eq!(run.code, 1, "{command:?} {path:?}");
            let text = run.out + &run.err;
            assert!(text.contains(expected), "{command:?} {path:?}: {text}");
            assert!(text.contains("next:"), "{command:?} {path:?}: {text}");
        }
    }
}

#[test]
fn old_traces_are_read_but_have_no_newer_wire_events() {
    let trace = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/traces/go1.21/empty.trace");
    for command in [&["info"][..], &["dump", "parsed"], &["dump", "json"], &["validate"]] {
        let run = run(&[command, &[trace]].concat());
        assert_eq!(run.code, 0, "{command:?}: {}", run.err);
    }
    for form in ["wire", "footprint"] {
        let run = run(&["dump", form, trace]);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{form}");
        assert!(run.err.contains("this needs one of 1.22 or later"), "{form}: {}", run.err);
        assert!(run.err.contains("next:"), "{form}: {}", run.err);
    }
}

#[test]
fn dump_wire_goes_on_behind_a_damaged_batch() {
    let mut bytes = healthy();
    // The first event of the first batch becomes one that does not exist.
    let at = bytes.windows(3).position(|window| window == [13, 1, 0]).expect("a status");
    bytes[at] = 0;
    let strict = run_with(&["dump", "wire", "-"], &bytes);
    assert_eq!((strict.code, strict.out.lines().count()), (1, 1), "{}", strict.out);
    let on = run_with(&["dump", "wire", "-", "--keep-going"], &bytes);
    assert_eq!(on.code, 1);
    assert!(on.out.contains("Frequency") && !on.out.contains("UserLog"), "{}", on.out);
    assert!(on.err.contains("offset"), "{}", on.err);
}

#[test]
fn a_compressed_trace_that_is_cut_off_is_read_as_far_as_it_goes() {
    let folder = Folder::new();
    // Long enough that not all of it is in the first piece that is read.
    let mut events = String::from(RUNNING);
    for i in 0..3000u32 {
        let label = i.wrapping_mul(2_654_435_761) % 5 + 1;
        events += &format!("UserLog dt={i} task=0 key_string={label} value_string=1 stack=0\n");
    }
    let mut all = vec![events.trim_start_matches(RUNNING); 40];
    all[0] = &events;
    let path = folder.file("a.trace", &generations(&all));
    let packed = folder.path("a.trace.gz");
    let pack = ["convert", arg(&path), "--to", "binary", "-o", arg(&packed)];
    assert_eq!(run(&pack).code, 0);
    let bytes = std::fs::read(&packed).expect("the result");
    let cut = folder.file("cut.gz", &bytes[..bytes.len() - 200]);
    let info = run(&["info", arg(&cut)]);
    assert_eq!(info.code, 1);
    assert!(info.out.contains("cut off"), "{}", info.out);
    for args in [&["dump", "parsed"][..], &["dump", "wire"], &["dump", "wire", "--keep-going"]] {
        let run = run(&[args, &[arg(&cut)]].concat());
        assert_eq!(run.code, 1);
        assert!(!run.out.is_empty(), "{args:?}");
        assert!(run.err.contains("cut off"), "{args:?}: {}", run.err);
    }
}
