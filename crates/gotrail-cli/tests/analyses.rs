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
