//! What is asked of some lanes is about these lanes, as the commands say it.

use crate::common::{self, arg, committed};
use crate::server::Server;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a flame graph adds up, by stack.
fn stacks(flame: &Value) -> BTreeMap<String, i64> {
    let stacks = flame["stacks"].as_array().expect("stacks").iter();
    let frames = |stack: &Value| {
        let frames = stack["frames"].as_array().expect("frames").iter();
        frames.map(|frame| frame.as_str().expect("a name")).collect::<Vec<_>>().join(";")
    };
    stacks.map(|stack| (frames(stack), stack["value"].as_i64().expect("a value"))).collect()
}

/// The same as the command folds it; nothing where it has nothing to show.
fn folded(trace: &str, options: &[&str]) -> BTreeMap<String, i64> {
    let path = committed(trace);
    let mut args = vec!["flame", "--format", "folded", "-o", "-"];
    args.extend(options);
    args.push(arg(&path));
    let run = common::run(&args);
    let lines = run.out.lines().filter_map(|line| line.rsplit_once(' '));
    lines.map(|(stack, value)| (stack.to_owned(), value.parse().expect("a value"))).collect()
}

#[test]
fn a_flame_graph_is_of_its_lanes() {
    for trace in ["go1.27/network", "go1.27/cpu", "go1.22/channels"] {
        let server = Server::start(trace);
        let lanes = server.json("/api/lanes");
        let groups = lanes["groups"].as_array().expect("groups");
        let known: Vec<(&str, &str)> = groups
            .iter()
            .map(|group| (group["lane"].as_str().unwrap(), group["function"].as_str().unwrap()))
            .collect();
        let regex = |function: &str| function.replace(['.', '(', ')', '*', '[', ']'], ".");
        for kind in ["offcpu", "wall", "cpu", "sched"] {
            let all = folded(trace, &["--type", kind]);
            let ask = |lanes: &str| {
                stacks(&server.json(&format!("/api/flame?type={kind}&lanes={lanes}")))
            };
            assert_eq!(ask(""), all, "{trace} {kind}");
            let mut sum = BTreeMap::<String, i64>::new();
            for (lane, function) in &known {
                let function = format!("^{}$", regex(function));
                let told = folded(trace, &["--type", kind, "--function", &function]);
                assert_eq!(ask(lane), told, "{trace} {kind} {function}");
                told.into_iter().for_each(|(stack, value)| *sum.entry(stack).or_default() += value);
            }
            let names: Vec<&str> = known.iter().map(|group| group.0).collect();
            assert_eq!(ask(&names.join(",")), sum, "{trace} {kind}");
            assert!(kind == "cpu" || sum.len() > 1, "{trace} {kind}");
        }
        // Goroutines alone, and with a group that has one of them already.
        let members = server.json("/api/members?sort=blocked&limit=3");
        let ids: Vec<i64> = members["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].as_i64().unwrap())
            .collect();
        let listed = ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
        let named: Vec<String> = ids.iter().map(|id| format!("go:{id}")).collect();
        let time = ["--from", "1us", "--to", "3ms"];
        let told =
            folded(trace, &[&["--type", "wall", "--goroutine", &listed][..], &time].concat());
        let asked = format!("/api/flame?type=wall&from=1000&to=3000000&lanes={}", named.join(","));
        assert_eq!(stacks(&server.json(&asked)), told, "{trace}");
        let everything: Vec<&str> =
            groups.iter().map(|group| group["lane"].as_str().unwrap()).collect();
        let twice =
            format!("/api/flame?type=wall&lanes={},{}", everything.join(","), named.join(","));
        let wall: i64 = folded(trace, &["--type", "wall"]).values().sum();
        assert_eq!(server.json(&twice)["total"], wall, "{trace}");
    }
}

#[test]
fn a_flame_graph_of_procs_is_what_was_done_on_them() {
    for trace in ["go1.27/cpu", "go1.27/syscalls"] {
        let server = Server::start(trace);
        let lanes = server.json("/api/lanes");
        let names = |list: &str| -> Vec<String> {
            let list = lanes[list].as_array().expect("lanes").iter();
            list.map(|lane| lane["lane"].as_str().expect("a lane").to_owned()).collect()
        };
        let procs = names("procs");
        let mut sum = BTreeMap::<String, i64>::new();
        for proc in &procs {
            let flame = server.json(&format!("/api/flame?type=wall&lanes={proc}"));
            stacks(&flame)
                .into_iter()
                .for_each(|(stack, value)| *sum.entry(stack).or_default() += value);
            let states = &server.json(&format!("/api/selection?lanes={proc}"))["states"];
            let states: i64 = states.as_array().unwrap().iter().filter_map(Value::as_i64).sum();
            assert_eq!(flame["total"], states, "{trace} {proc}");
        }
        let ask = |kind: &str, lanes: &[String]| {
            server.json(&format!("/api/flame?type={kind}&lanes={}", lanes.join(",")))
        };
        assert_eq!(stacks(&ask("wall", &procs)), sum, "{trace}");
        // Where goroutines ran, as the command says it of them.
        let told = folded(trace, &["--type", "wall", "--group-by", "state"]);
        let mut compared = 0;
        for (stack, value) in told.iter().filter(|told| told.0.starts_with("run;")) {
            if stack.ends_with("(no stack)") {
                continue;
            }
            let Some(found) = sum.get(&stack.replacen("run;", "running;", 1)) else { continue };
            assert_eq!(found, value, "{trace} {stack}");
            compared += 1;
        }
        assert!(compared > 3, "{trace}: {told:?} {sum:?}");
        let threads = names("threads");
        let sampled = folded(trace, &["--type", "cpu"]);
        assert!(ask("cpu", &threads)["total"].as_i64().unwrap() <= sampled.values().sum());
        assert_eq!(
            ask("cpu", &threads)["total"].as_i64() > Some(0),
            !sampled.is_empty(),
            "{trace}"
        );
        let waits = ask("offcpu", &procs);
        assert!(waits["total"] == 0 && waits["reason"].is_string(), "{waits}");
    }
}

#[test]
fn a_selection_names_the_command_that_says_the_same() {
    let server = Server::start("go1.27/network");
    let lanes = server.json("/api/lanes");
    let groups = lanes["groups"].as_array().expect("groups");
    let names: Vec<&str> =
        groups.iter().take(3).map(|group| group["lane"].as_str().unwrap()).collect();
    let found =
        server.json(&format!("/api/selection?from=0&to=90000000000&lanes={}", names.join(",")));
    let command = found["command"].as_str().expect("a command").to_owned();
    // A shell that has the program takes it as it is, and it is about the same goroutines.
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_gotrail"));
    let path = std::env::var("PATH").expect("a path");
    let path = format!("{}:{path}", program.parent().expect("a folder").display());
    let json = command.replacen(" goroutines ", " goroutines --json ", 1);
    let run = std::process::Command::new("sh").args(["-c", &json]).env("PATH", path).output();
    let run = run.expect("a shell");
    assert!(run.status.success(), "{command}: {}", String::from_utf8_lossy(&run.stderr));
    let counts = |rows: Vec<(String, i64)>| rows.into_iter().collect::<BTreeMap<_, _>>();
    let told = String::from_utf8(run.stdout).expect("text");
    let told = told.lines().map(|line| {
        let row: Value = serde_json::from_str(line).expect("an object");
        (row["function"].as_str().expect("a function").to_owned(), row["count"].as_i64().unwrap())
    });
    let shown =
        found["functions"].as_array().unwrap().iter().map(|row| {
            (row["function"].as_str().unwrap().to_owned(), row["count"].as_i64().unwrap())
        });
    assert_eq!(counts(told.collect()), counts(shown.collect()), "{command}");
    for (lanes, why) in [("proc:0", "procs"), ("group:1,go:1", "together")] {
        let found = server.json(&format!("/api/selection?lanes={lanes}"));
        assert!(found["command"].is_null(), "{found}");
        assert!(found["no_command"].as_str().is_some_and(|said| said.contains(why)), "{found}");
    }
}

#[test]
fn causes_are_those_of_the_lanes() {
    let server = Server::start("go1.27/network");
    let lanes = server.json("/api/lanes");
    let groups = lanes["groups"].as_array().expect("groups").iter();
    let mut checked = 0;
    for group in groups.filter(|group| group["states"][0].as_i64() > Some(0)) {
        let (id, lane) = (&group["id"], group["lane"].as_str().expect("a lane"));
        let members = server.json(&format!("/api/members?group={id}&limit=1000"));
        let members = members["rows"].as_array().expect("rows").iter();
        let members: Vec<i64> = members.map(|row| row["id"].as_i64().expect("an id")).collect();
        let path = server.json(&format!("/api/critical?lanes={lane}"));
        let go = path["go"].as_i64().expect("a goroutine");
        assert!(members.contains(&go), "{lane}: {go}");
        let own = server.json(&format!("/api/critical?go={go}"));
        assert_eq!(path["steps"], own["steps"], "{lane}");
        // Of the same path the longest steps.
        let all = own["total"].as_u64().expect("a number");
        let few = server.json(&format!("/api/critical?go={go}&limit=2"));
        assert_eq!(
            (few["total"].as_u64(), few["by_kind"].clone()),
            (Some(all), own["by_kind"].clone())
        );
        let steps = few["steps"].as_array().expect("steps").len() as u64;
        assert_eq!(steps, all.min(2), "{lane}");
        let why = server.json(&format!("/api/answer/why?lanes={lane}"));
        assert_eq!(why["goroutine"], go, "{lane}");
        checked += 1;
    }
    assert!(checked > 2);
    // Answers of commands take lanes as well.
    let one = server.get("/api/answer/goroutines?lanes=group:1,group:2&each=true", &[]).1;
    assert!(
        one.contains("x-gotrail-command: gotrail goroutines") && one.contains("--function"),
        "{one}"
    );
    // They come as they are written, not when all is.
    assert!(one.to_lowercase().contains("transfer-encoding: chunked"), "{one}");
    assert_eq!(server.get("/api/answer/goroutines?lanes=proc:0", &[]).0, 400);
    assert_eq!(server.get("/api/answer/why?lanes=go:123456789", &[]).0, 404);
}

#[test]
fn what_nobody_knows_is_refused() {
    let server = Server::start("go1.27/network");
    let all = server.json("/api/openapi.json");
    for path in all["paths"].as_object().expect("paths").keys() {
        let path = path.replace("{command}", "goroutines");
        let (status, text) = server.get(&format!("{path}?no_such_thing=1"), &[]);
        assert!(status == 400 && text.contains("no_such_thing"), "{path}: {text}");
    }
    for asked in [
        "/api/members?limit=many",
        "/api/tile?level=-1&index=0",
        "/api/plot?name=heap&from=1.5",
        "/api/members?limit=1&limit=2",
        "/api/flame?type=nothing",
        "/api/flame?type=cpu&from=soon",
        "/api/flame?lanes=nothing",
        "/api/answer/task?id=999999",
        "/api/answer/latency?by=nothing",
        "/api/answer/goroutines?function=(",
        "/api/critical?task=12345",
    ] {
        let (status, text) = server.get(asked, &[]);
        assert!((400..500).contains(&status), "{asked}: {text}");
        let body = text.split_once("\r\n\r\n").expect("a body").1;
        for leak in ["eserialize", "--help", "Usage", "gotrail-view", "testdata", "invalid digit"] {
            assert!(!body.contains(leak), "{asked}: {body}");
        }
    }
}

#[test]
fn goroutines_of_a_task_are_counted_as_the_command_counts_them() {
    let trace = "go1.27/annotations";
    let server = Server::start(trace);
    let shown = server.json("/api/tasks?limit=1000");
    let told = common::run(&["tasks", "--json", arg(&committed(trace))]);
    let mut compared = 0;
    for task in told.json_lines() {
        let rows = shown["rows"].as_array().expect("rows");
        // 0 is that of no task in particular.
        if task["id"] == 0 {
            continue;
        }
        let row = rows.iter().find(|row| row["id"] == task["id"]).expect("the same tasks");
        let mut ids: Vec<i64> =
            row["goroutines"].as_array().unwrap().iter().filter_map(Value::as_i64).collect();
        ids.sort_unstable();
        let mut expected: Vec<i64> =
            task["goroutines"].as_array().unwrap().iter().filter_map(Value::as_i64).collect();
        expected.sort_unstable();
        assert_eq!(ids, expected, "{task}");
        compared += 1;
    }
    assert!(compared > 3);
}

#[test]
fn pages_of_goroutines_are_those_of_the_whole_list() {
    let server = Server::start("go1.27/many");
    for sort in ["blocked", "runnable", "running", "syscall", "start", "id", "total"] {
        let page = |offset: usize, limit: usize| -> Vec<Value> {
            let asked = format!("/api/members?sort={sort}&offset={offset}&limit={limit}");
            server.json(&asked)["rows"].as_array().expect("rows").clone()
        };
        let all = page(0, 10_000);
        assert!(all.len() > 20);
        for offset in [0, 1, 7, all.len() - 1, all.len(), all.len() + 5] {
            let end = (offset + 5).min(all.len());
            assert_eq!(page(offset, 5), all[offset.min(end)..end], "{sort} {offset}");
        }
        let of = |row: &Value, states: &[usize]| -> i64 {
            states.iter().filter_map(|&state| row["states"][state].as_i64()).sum()
        };
        let keys = all.iter().map(|row| match sort {
            "blocked" => -of(row, &[4, 5, 6, 7, 8, 9]),
            "runnable" => -of(row, &[1]),
            "running" => -of(row, &[0]),
            "syscall" => -of(row, &[2, 3]),
            "start" => row["created"].as_i64().unwrap(),
            "id" => row["id"].as_i64().unwrap(),
            _ => -of(row, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        });
        assert!(keys.is_sorted(), "{sort}");
    }
}

#[test]
fn what_is_not_there_is_said_of_the_trace() {
    let server = Server::start("go1.27/network");
    let (status, text) = server.get("/api/critical?task=999", &[]);
    assert!(
        status == 400 && text.contains("the trace: no task 999 begins or ends in it"),
        "{text}"
    );
    let nothing = server.json("/api/flame?type=cpu");
    assert!(
        nothing["total"] == 0
            && nothing["reason"].as_str().is_some_and(|why| why.contains("nothing"))
    );
}

/// What a command says with `--json`, line by line.
fn told(trace: &str, args: &[&str]) -> Vec<Value> {
    let path = committed(trace);
    common::run(&[args, &["--json", arg(&path)]].concat()).json_lines()
}

#[test]
fn stops_and_mark_phases_are_spans() {
    for trace in ["go1.27/gc", "go1.22/gc", "go1.27/stw"] {
        let server = Server::start(trace);
        let stops = told(trace, &["gc", "--show", "stops"]);
        assert!(!stops.is_empty(), "{trace}");
        let all = stops.iter().map(|stop| ("stw", stop, "duration"));
        let cycles = told(trace, &["gc", "--show", "cycles"]);
        let whole = cycles.iter().filter(|cycle| !cycle["mark"].is_null());
        for (lane, one, length) in all.chain(whole.map(|cycle| ("gc", cycle, "mark"))) {
            let from = one["after"].as_i64().expect("a time");
            let Some(length) = one[length].as_i64() else { continue };
            // Its first and its last moment.
            for time in [from, (from + length - 1).max(from)] {
                let span = server.json(&format!("/api/span?lane={lane}&time={time}"));
                assert_eq!(span["from"], from, "{trace} {lane} {time}");
                assert_eq!(span["to"], from + length, "{trace} {lane} {time}");
                assert_eq!(span["label"], one["reason"], "{trace} {lane} {time}");
                assert_eq!(span["lane"], lane);
                if lane == "stw" {
                    assert_eq!(span["go"], one["goroutine"], "{trace} {time}");
                    assert_eq!(span["began"]["go"], one["goroutine"], "{trace} {time}");
                }
            }
        }
        assert_eq!(server.get("/api/span?lane=stw&time=-5", &[]).0, 404);
        assert_eq!(server.get("/api/span?lane=all&time=5", &[]).0, 404);
    }
}

#[test]
fn tasks_and_regions_are_spans() {
    let trace = "go1.27/annotations";
    let server = Server::start(trace);
    let mut regions = 0;
    for task in told(trace, &["tasks"]).iter().filter(|task| task["after"].is_i64()) {
        let (id, from) = (&task["id"], task["after"].as_i64().expect("a time"));
        let zero = task["start"].as_i64().expect("a time") - from;
        let span = server.json(&format!("/api/span?lane=task:{id}&time={from}"));
        assert_eq!((&span["from"], &span["task"]), (&from.into(), id));
        assert_eq!(span["label"].as_str().unwrap_or(""), task["name"], "{id}");
        assert_eq!(span["open"], task["end"].is_null(), "{id}");
        if let Some(end) = task["end"].as_i64() {
            assert_eq!(span["to"], end - zero, "{id}");
        }
        assert_eq!(server.json(&format!("/api/span?lane=tasks&time={from}"))["from"], from);
        let one = &told(trace, &["task", &id.to_string()])[0];
        assert_eq!(span["go"], one["creator"], "{id}");
        for region in one["regions"].as_array().expect("regions") {
            let (Some(start), Some(end)) = (region["start"].as_i64(), region["end"].as_i64())
            else {
                continue;
            };
            let lane = format!("regions:{}", region["goroutine"]);
            let span = server.json(&format!("/api/span?lane={lane}&time={}", start - zero));
            assert_eq!(span["lane"], lane);
            assert_eq!(span["from"], start - zero, "{id} {region}");
            assert_eq!(span["to"], end - zero, "{id} {region}");
            assert_eq!((&span["label"], &span["task"]), (&region["name"], id));
            assert_eq!(span["go"], region["goroutine"]);
            regions += 1;
        }
    }
    assert!(regions > 0);
}
