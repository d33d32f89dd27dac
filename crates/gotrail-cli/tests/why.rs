//! `why`, `goroutine` and `task`, as a user runs them, on recorded traces.

mod common;

use common::*;
use serde_json::Value;
use std::path::Path;

fn recording(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/traces/go1.27");
    arg(&root.join(name)).to_owned()
}

/// The output is what it was when somebody read it and found it right. GOTRAIL_BLESS=1 takes what
/// it is now.
fn golden(name: &str, args: &[&str]) {
    let run = run(args);
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{args:?}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("GOTRAIL_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder of answers");
        std::fs::write(&path, &run.out).expect("an answer is written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(run.out, expected, "{args:?}: GOTRAIL_BLESS=1 takes it if it is right");
}

#[test]
fn answers_about_recorded_traces() {
    golden("why-channels.txt", &["why", &recording("channels.trace")]);
    golden("why-task.txt", &["why", "--task", "2", &recording("annotations.trace")]);
    let region = ["why", "--region", "quoted", "--stacks", &recording("annotations.trace")];
    golden("why-region.txt", &region);
    golden("goroutine.txt", &["goroutine", "1", &recording("network.trace")]);
    golden("goroutine-made.txt", &["goroutine", "25", &recording("network.trace")]);
    golden("task.txt", &["task", "2", &recording("annotations.trace")]);
}

fn sum(kinds: &Value) -> i64 {
    kinds.as_object().expect("kinds").values().filter_map(Value::as_i64).sum()
}

fn json(args: &[&str]) -> Value {
    let run = run(args);
    assert_eq!(run.code, 0, "{args:?}: {}", run.err);
    run.json()
}

#[test]
fn the_times_of_all_kinds_are_the_whole_time() {
    for path in recorded() {
        if is_old(&path) && path.ends_with("misuse.trace") {
            // Of these a strict reader delivers nothing.
            continue;
        }
        // A program that misuses annotations breaks its trace for a strict reader.
        let run = run(&["why", "--json", "--path", "0", arg(&path)]);
        assert_eq!(run.code, 0, "{}: {}", path.display(), run.err);
        let why = run.json();
        let nanos = why["nanos"].as_i64().expect("nanoseconds");
        assert_eq!(sum(&why["kinds"]), nanos, "{}", path.display());
        let path_nanos = why["path"].as_array().expect("a path").iter().map(|piece| {
            piece["until"].as_i64().expect("a time") - piece["from"].as_i64().expect("a time")
        });
        assert_eq!(path_nanos.sum::<i64>(), nanos);
        let causes = &why["causes"];
        assert_eq!(sum(&causes["own"]) + sum(&causes["others"]), nanos);
    }
}

#[test]
fn windows_and_streams_give_the_same_answers() {
    let trace = recording("channels.trace");
    let part = ["--goroutine", "1", "--from", "1ms", "--to", "2ms", "--json"];
    let file = json(&[&["why", &trace][..], &part].concat());
    assert_eq!(file["nanos"], 1_000_000);
    let bytes = std::fs::read(&trace).expect("the trace");
    let stream = run_with(&[&["why", "-"][..], &part].concat(), &bytes).json();
    assert_eq!(file, stream);
    let life = json(&["goroutine", "1", "--from", "1ms", "--to", "2ms", "--json", &trace]);
    assert_eq!(life["times"]["total"], 1_000_000);
}

#[test]
fn a_window_is_explained_by_one_that_was_there_all_the_time() {
    // main.main is in each of these from the beginning to the end.
    let mut explained = 0;
    for name in ["channels", "many", "network", "threads", "flight"] {
        let trace = recording(&format!("{name}.trace"));
        for (from, to) in [("100us", "200us"), ("300us", "900us"), ("1ms", "2ms"), ("3ms", "9ms")] {
            let run = run(&["why", "--from", from, "--to", to, "--json", &trace]);
            if run.code == 2 {
                assert!(run.err.contains("after the end of the trace"), "{}", run.err);
                continue;
            }
            let kinds = &run.json()["kinds"];
            assert!(kinds["did not exist"].is_null(), "{name} {from} {to}: {kinds}");
            explained += 1;
        }
    }
    assert!(explained > 12, "{explained} windows");
}

#[test]
fn regions_are_cut_at_the_moments_that_are_given() {
    let trace = recording("annotations.trace");
    let whole = json(&["why", "--region", ".", "--json", &trace]);
    let main = json(&["goroutine", "1", "--json", &trace]);
    let number = |value: &Value| value.as_i64().expect("a number");
    let start = number(&main["creation"]);
    let (from, third) = (number(&whole["from"]) - start, number(&whole["nanos"]) / 3);
    let [from, to] = [from + third, from + 2 * third].map(|time| format!("{time}ns"));
    let cut = json(&["why", "--region", ".", "--from", &from, "--to", &to, "--json", &trace]);
    assert_eq!(cut["nanos"], third);
    let run = run(&["why", "--region", ".", "--from", "1ns", "--to", "2ns", &trace]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("between --from and --to"), "{}", run.err);
}

#[test]
fn a_goroutine_says_who_made_it_and_who_woke_it() {
    let life = json(&["goroutine", "25", "--json", &recording("network.trace")]);
    assert_eq!(life["creator"]["goroutine"], 1);
    assert_eq!(life["creation_stack"][0]["function"], "main.main");
    assert_eq!(life["state"], "ended");
    assert_eq!(life["waits"][0]["ended_by"], "the network poller");
    let main = json(&["goroutine", "1", "--json", &recording("network.trace")]);
    let wait = &main["waits"][0];
    assert_eq!((&wait["kind"], &wait["ended_by"]), (&"blocked: sync".into(), &"goroutine".into()));
    assert_eq!(wait["meanwhile"]["goroutine"], 26);
    assert_eq!(wait["ended_stack"][2]["function"], "main.main.func2");
}

#[test]
fn a_task_has_everything_of_it() {
    let task = json(&["task", "2", "--json", &recording("annotations.trace")]);
    assert_eq!((&task["name"], &task["parent"]), (&"order".into(), &1.into()));
    assert_eq!(task["logs"].as_array().expect("logs").len(), 8);
    assert_eq!(task["logs"][0]["category"], "customer");
    assert_eq!(task["children"].as_array().expect("children").len(), 4);
    let nanos = task["end"].as_i64().expect("an end") - task["start"].as_i64().expect("a start");
    assert_eq!(task["why"]["nanos"], nanos);
}

#[test]
fn what_is_not_there_is_said_with_what_to_do() {
    let trace = recording("network.trace");
    for (args, parts) in [
        (&["why", "--goroutine", "99", &trace][..], &["16 goroutines with ids from 1 to 26"][..]),
        (&["goroutine", "99", &trace], &["no goroutine 99", "gotrail goroutines --each"]),
        (&["task", "99", &trace], &["no task 99", "gotrail tasks"]),
        (&["why", "--task", "99", &trace], &["no task 99 begins or ends", "gotrail tasks"]),
        (&["why", "--region", "nix", &trace], &["matching nix"]),
        (&["why", "--from", "2s", "--to", "1s", &trace], &["--from is not before --to"]),
        (&["why", "--region", "x", "--nth", "0", &trace], &["--nth 1 is the slowest"]),
    ] {
        let run = run(args);
        // Where no trace could be right, it is the question that is wrong.
        let code = if args.contains(&"--from") || args.contains(&"--nth") { 2 } else { 1 };
        assert_eq!((run.code, run.out.as_str()), (code, ""), "{args:?}");
        for part in parts {
            assert!(run.err.contains(part), "{part} in {}", run.err);
        }
    }
}

#[test]
fn of_a_broken_trace_the_good_part_is_explained() {
    let mut bytes = std::fs::read(recording("generations.trace")).expect("the trace");
    bytes.truncate(bytes.len() - 100);
    let run = run_with(&["why", "-", "--json"], &bytes);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.err.contains("causes are known until"), "{}", run.err);
    assert_eq!(Value::from(sum(&run.json()["kinds"])), run.json()["nanos"]);
    let empty = run_with(&["why", "-"], &bytes[..200]);
    assert_eq!(empty.code, 1);
    assert!(empty.err.contains("cut off"), "{}", empty.err);
}

/// Of a server's tasks: the path takes as long as the task, and everybody who had a region of the
/// task, or made one, is among those who worked for it.
#[test]
fn tasks_of_a_simulated_server_add_up() {
    use gotrail_synth::sim::{Config, Profile, Simulation};
    let config =
        Config { profile: Profile::Web, events: 30_000, generations: 3, ..Config::default() };
    let mut bytes = Vec::new();
    Simulation::new(config).expect("it is possible").write(&mut bytes).expect("memory takes it");
    let folder = Folder::new();
    let path = folder.file("web.trace", &bytes);
    let tasks = run(&["tasks", "--json", arg(&path)]).json_lines();
    let ended = tasks.iter().filter(|task| task["duration"].as_i64().is_some_and(|ns| ns > 0));
    let (mut looked_at, mut several) = (0, 0);
    for task in ended.take(25) {
        let id = task["id"].to_string();
        let found = json(&["task", &id, "--json", arg(&path)]);
        assert_eq!(found["why"]["nanos"], task["duration"], "task {id}");
        assert_eq!(Value::from(sum(&found["why"]["kinds"])), task["duration"], "task {id}");
        assert_eq!(Value::from(found["logs"].as_array().map_or(0, Vec::len)), task["logs"]);
        let worked = found["goroutines"].as_array().expect("goroutines");
        for region in found["regions"].as_array().expect("regions") {
            assert!(worked.iter().any(|go| go["id"] == region["goroutine"]), "task {id}");
        }
        several += usize::from(worked.len() > 1);
        looked_at += 1;
    }
    assert!(looked_at == 25 && several > 0, "{several} of {looked_at} tasks have several");
}
