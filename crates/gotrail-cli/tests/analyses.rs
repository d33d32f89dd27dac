//! `goroutines`, `tasks`, `gc`, `mmu`, `procs`, `report`: golden output of committed
//! traces, and what is right and wrong usage.
//!
//! `GOTRAIL_BLESS=1 cargo test -p gotrail-cli --test analyses` writes the golden files anew; read
//! the difference before you commit it.

mod common;

use common::*;
use std::fs;

#[test]
fn tables_are_as_they_were() {
    let gc = "go1.27/gc";
    golden("goroutines.txt", "go1.27/network", &["goroutines"]);
    golden("goroutines.csv", gc, &["goroutines", "--csv", "--sort", "function"]);
    golden("goroutines-each.txt", gc, &["goroutines", "--each", "--top", "5", "--sort", "total"]);
    golden("goroutines-window.txt", "go1.27/network", &["goroutines", "--to", "300us"]);
    golden("tasks.txt", "go1.27/annotations", &["tasks"]);
    golden("gc.txt", gc, &["gc"]);
    golden("gc-cycles.json", gc, &["gc", "--show", "cycles", "--json"]);
    golden("gc-heap.csv", gc, &["gc", "--show", "heap", "--csv"]);
    golden("mmu.txt", gc, &["mmu", "--window", "100us,1ms"]);
    golden("mmu-worst.txt", gc, &["mmu", "--worst", "2", "--window", "100us", "--flags", "stw"]);
    golden("procs.txt", gc, &["procs"]);
    golden("procs-summary.txt", gc, &["procs", "--show", "summary"]);
    golden("procs-time.csv", gc, &["procs", "--show", "time", "--steps", "4", "--csv"]);
}

#[test]
fn a_page_needs_nothing_else_and_overwrites_nothing() {
    let folder = Folder::new();
    let page = folder.path("report.html");
    let path = committed("go1.27/annotations");
    let made = run(&["report", arg(&path), "-o", arg(&page)]);
    assert_eq!((made.code, made.err.as_str()), (0, ""));
    let html = fs::read_to_string(&page).expect("a page");
    for part in ["<!DOCTYPE html>", "Goroutines by function", "<svg", "</html>", "Tasks"] {
        assert!(html.contains(part), "{part}");
    }
    // Nothing is fetched. (The names of namespaces are addresses, but nobody goes there.)
    for outside in ["src=", "@import", "url(http", "href=\"http", "href=&quot;http", "<link"] {
        assert!(!html.contains(outside), "{outside}");
    }
    let again = run(&["report", arg(&path), "-o", arg(&page)]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("--force"), "{}", again.err);
}

/// The numbers of a field in the rows of a command's JSON.
fn numbers(args: &[&str], field: &str) -> Vec<i64> {
    let made = run(args);
    assert_eq!((made.code, made.err.as_str()), (0, ""), "{args:?}");
    let rows = made.out.lines().map(serde_json::from_str::<serde_json::Value>);
    rows.map(|row| row.expect("JSON")[field].as_i64().expect(field)).collect()
}

#[test]
fn parts_of_the_time_come_to_all_of_it() {
    let path = committed("go1.27/generations");
    let parts: [&[&str]; 3] =
        [&["--to", "5ms"], &["--from", "5ms", "--to", "12ms"], &["--from", "12ms"]];
    for (show, field) in [
        ("summary", "held"),
        ("summary", "idle_while_runnable"),
        ("summary", "starts"),
        ("summary", "steals"),
        ("summary", "duration"),
        ("each", "held"),
    ] {
        let sum = |part: &[&str]| -> i64 {
            let args = [&["procs", "--show", show, "--json"], part, &[arg(&path)]].concat();
            numbers(&args, field).iter().sum()
        };
        assert_eq!(parts.iter().map(|part| sum(part)).sum::<i64>(), sum(&[]), "{show} {field}");
    }
}

#[test]
fn every_function_that_is_shown_can_be_asked_for() {
    for name in ["go1.19/channels", "go1.21/pipes", "go1.22/gc", "go1.27/cgo-stress"] {
        let path = committed(name);
        let all = run(&["goroutines", "--json", arg(&path)]);
        let rows: Vec<_> = all.out.lines().collect();
        assert!(rows.len() > 2, "{name}: {}", all.err);
        for row in rows {
            let function = serde_json::from_str::<serde_json::Value>(row).expect("JSON");
            let function = function["function"].as_str().expect("a name").to_owned();
            let exactly = format!("^{}$", regex::escape(&function));
            let one = run(&["goroutines", "--json", "--function", &exactly, arg(&path)]);
            let apart = |row: &str| row.split("\"share\"").next().map(str::to_owned);
            assert_eq!(
                (one.code, apart(one.out.trim_end())),
                (0, apart(row)),
                "{name} {function}: {}",
                one.err
            );
        }
    }
}

#[test]
fn what_lies_in_a_part_is_cut_there() {
    let path = committed("go1.27/gc");
    let of =
        |more: &[&str], field| numbers(&[&["gc", "--json"], more, &[arg(&path)]].concat(), field);
    let (starts, lengths) =
        (of(&["--show", "stops"], "after"), of(&["--show", "stops"], "duration"));
    let longest = (0..lengths.len()).max_by_key(|&at| lengths[at]).expect("a stop");
    let from = format!("{}ns", starts[longest] + lengths[longest] / 2);
    let to = format!("{}ns", starts[longest] + lengths[longest]);
    let part = ["--from", &from, "--to", &to];
    let half = lengths[longest] - lengths[longest] / 2;
    assert_eq!(of(&[&part[..], &["--show", "stops"]].concat(), "duration"), [half]);
    assert_eq!(of(&part, "longest_stop"), [half]);
    let set = ["check", "--only", "long-stw", "--set", "long-stw.longest=1ns", "--json"];
    let found = run(&[&set[..], &part, &[arg(&path)]].concat());
    let found: serde_json::Value =
        serde_json::from_str(found.out.lines().next().expect("a line")).expect("JSON");
    assert_eq!(found["evidence"]["longest"], half, "{found}");
}

#[test]
fn a_task_that_is_asked_for_is_the_only_one() {
    let path = committed("go1.27/annotations");
    let all = numbers(&["tasks", "--json", arg(&path)], "id");
    let one = all[all.len() - 1].to_string();
    assert_eq!(
        numbers(&["tasks", "--task", &one, "--json", arg(&path)], "id"),
        [all[all.len() - 1]]
    );
    assert!(all.len() > 2, "{all:?}");
}

#[test]
fn wrong_usage_says_what_would_be_right() {
    let path = committed("go1.27/gc");
    for (args, part) in [
        (&["goroutines", "--sort", "size"][..], "there is no column size"),
        (&["goroutines", "--function", "nobody"], "no goroutine began with a function matching"),
        (&["goroutines", "--function", "nobody"], "lists the functions that goroutines began with"),
        (&["latency", "--goroutine", "99999"], "there is no goroutine 99999 in it"),
        (&["check", "--goroutine", "99999"], "`gotrail goroutines --each"),
        (&["regions", "--task", "99999"], "there is no task 99999 in it"),
        (&["goroutines", "--from", "2ms", "--to", "1ms"], "--from is not before --to"),
        (&["mmu", "--flags", "stw+gc"], "there is no flag \"gc\""),
        (&["mmu", "--from", "1h"], "after the end of the trace"),
        (&["procs", "--function", "main"], "of the filters they have --from and --to"),
        (&["procs", "--steps", "3"], "--steps is for --show time"),
        (
            &["procs", "--show", "summary", "--top", "1"],
            "--sort and --top are for tables of several",
        ),
        (&["gc", "--sort", "x"], "--sort and --top are for tables of several"),
        (&["latency", "--frames", "2"], "--frames is for --by stack"),
        (&["goroutines", "--threads", "20000"], "from 1 to 1024"),
        (&["check", "--only", "long-stw", "--set", "long-stw.enabled=false"], "no rule is left"),
        (&["why", "--goroutine", "1", "--nth", "2"], "cannot be used with '--nth"),
        (&["tasks", "--region", "x"], "`gotrail regions` says which regions there are"),
    ] {
        let run = run(&[args, &[arg(&path)]].concat());
        assert!(run.code != 0 && run.err.contains(part), "{args:?}: {}", run.err);
    }
}

#[test]
fn a_stream_and_several_threads_give_the_same() {
    let path = committed("go1.26/generations");
    let path = if path.exists() { path } else { committed("go1.22/generations") };
    let bytes = fs::read(&path).expect("a trace");
    let one = run(&["goroutines", "--each", "--json", "--threads", "1", arg(&path)]);
    let three = run(&["goroutines", "--each", "--json", "--threads", "3", arg(&path)]);
    let stream = run_with(&["goroutines", "--each", "--json", "-"], &bytes);
    assert_eq!((one.code, one.err.as_str()), (0, ""));
    assert!(one.out == three.out && one.out == stream.out);
}
