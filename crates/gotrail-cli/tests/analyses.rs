//! `goroutines`, `tasks`, `gc`, `mmu`, `procs`, `check`, `diff`, `report`: golden output of committed
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
fn findings_come_in_every_form() {
    let path = committed("go1.27/gc");
    let args = ["check", arg(&path), "--only", "long-stw", "--set", "long-stw.longest=1ns"];
    let text = run(&args);
    assert_eq!(text.code, 1, "{}", text.err);
    assert!(text.out.starts_with("long-stw: stop-the-world ("), "{}", text.out);
    let form = |form| run(&[&args[..], &["--format", form]].concat());
    let json = form("json");
    let first: serde_json::Value =
        serde_json::from_str(json.out.lines().next().expect("a finding")).expect("JSON");
    assert_eq!(first["rule"], "long-stw");
    assert!(first["evidence"]["longest"].as_i64().expect("nanoseconds") > 0);
    assert!(form("github").out.starts_with("::warning title=gotrail long-stw::stop-the-world"));
    let junit = form("junit").out;
    assert!(junit.contains("<testcase name=\"long-stw\""), "{junit}");
    assert!(junit.contains("<failure message="), "{junit}");

    let quiet = run(&["check", arg(&path), "--only", "long-stw", "--set", "long-stw.longest=1h"]);
    assert_eq!((quiet.code, quiet.out.as_str()), (0, "nothing found by 1 rule\n"));
}

#[test]
fn the_list_of_rules_is_a_file_of_rules() {
    let folder = Folder::new();
    let list = run(&["check", "--list", "--set", "long-stw.longest=3ms"]);
    assert_eq!((list.code, list.err.as_str()), (0, ""));
    let rules = folder.file("rules.toml", list.out.as_bytes());
    let again = run(&["check", "--list", "--rules", arg(&rules)]);
    assert_eq!(again.out, list.out, "{}", again.err);
    let wrong = folder.file("wrong.toml", b"[long-stw]\nlength = \"1ms\"\n");
    let wrong = run(&["check", "--list", "--rules", arg(&wrong)]);
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains("it has longest"), "{}", wrong.err);
}

#[test]
fn misused_annotations_are_a_finding() {
    let path = committed("go1.27/misuse");
    let run = run(&["check", "--only", "misused-annotations", arg(&path)]);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("region \"ended twice\""), "{}", run.out);
}

#[test]
fn nothing_differs_from_itself() {
    let path = committed("go1.27/network");
    let same = run(&["diff", "--all", arg(&path), arg(&path)]);
    assert_eq!((same.code, same.out.as_str()), (0, "nothing changed beyond chance\n"));
    let other = committed("go1.27/gc");
    let other = run(&["diff", "--all", "--json", arg(&path), arg(&other)]);
    let first: serde_json::Value =
        serde_json::from_str(other.out.lines().next().expect("a difference")).expect("JSON");
    assert!(first["change"].as_f64().is_some(), "{first}");
    let none = run(&["diff", arg(&path)]);
    assert!(none.code != 0 && none.err.contains("gotrail diff BEFORE AFTER"), "{}", none.err);
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

#[test]
fn wrong_usage_says_what_would_be_right() {
    let path = committed("go1.27/gc");
    for (args, part) in [
        (&["goroutines", "--sort", "size"][..], "there is no column size"),
        (&["goroutines", "--function", "nobody"], "no goroutine began with a function matching"),
        (&["goroutines", "--from", "2ms", "--to", "1ms"], "--from is not before --to"),
        (&["mmu", "--flags", "stw+gc"], "there is no flag \"gc\""),
        (&["mmu", "--from", "1h"], "after the end of the trace"),
        (&["procs", "--function", "main"], "only --show time can be limited"),
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
