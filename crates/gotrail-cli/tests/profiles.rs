//! `pprof`, `flame`, `latency`, `regions`, `logs`: golden output of committed traces, and what is
//! right and wrong usage.
//!
//! `GOTRAIL_BLESS=1 cargo test -p gotrail-cli --test profiles` writes the golden files anew; read
//! the difference before you commit it.

mod common;

use common::*;
use std::fs;

#[test]
fn tables_are_as_they_were() {
    let annotations = "go1.27/annotations";
    golden("latency.txt", "go1.27/network", &["latency"]);
    golden("latency-state.json", "go1.27/network", &["latency", "--by", "state", "--json"]);
    let stack = ["latency", "--by", "stack", "--top", "5", "--state", "block,syscall"];
    golden("latency-stack.txt", "go1.27/network", &stack);
    golden("regions.txt", annotations, &["regions"]);
    golden("regions-each.json", annotations, &["regions", "--each", "--json"]);
    golden("regions.csv", annotations, &["regions", "--csv", "--region", "^(outer|inner)$"]);
    golden("logs.txt", annotations, &["logs"]);
    golden("logs.csv", annotations, &["logs", "--csv", "--task", "2"]);
}

#[test]
fn folded_profiles_are_as_they_were() {
    let folded = ["flame", "--format", "folded", "-o", "-", "--type"];
    let of = |kind, rest: &[&'static str]| [&folded[..], &[kind], rest].concat();
    golden("wall.folded", "go1.27/annotations", &of("wall", &[]));
    golden("wall-task.folded", "go1.27/annotations", &of("wall", &["--group-by", "task,region"]));
    golden("cpu.folded", "go1.27/cpu", &of("cpu", &["--group-by", "function"]));
    golden("sync.folded", "go1.22/channels", &of("sync", &["--as-go"]));
    golden("region.folded", "go1.27/annotations", &of("wall", &["--region", "^outer$"]));
}

#[test]
fn threads_make_no_difference() {
    for name in ["go1.27/generations", "go1.22/gc-generations"] {
        let path = committed(name);
        for kind in ["sync", "sched", "wall", "offcpu"] {
            let folded = |threads| {
                let args = ["flame", "--format", "folded", "-o", "-", "--group-by"];
                let rest = ["goroutine,state", "--type", kind, "--threads", threads, arg(&path)];
                run(&[&args[..], &rest].concat()).out
            };
            let one = folded("1");
            assert!(!one.is_empty());
            assert_eq!(one, folded("4"), "{name} {kind}");
        }
    }
}

#[test]
fn a_profile_is_gzip_and_is_not_overwritten() {
    let folder = Folder::new();
    let (path, out) = (committed("go1.27/network"), folder.path("net.pb.gz"));
    let args = ["pprof", "--type", "net", "-o", arg(&out), arg(&path)];
    let first = run(&args);
    assert_eq!((first.code, first.out.as_str()), (0, ""));
    assert!(first.err.contains(" waits, "), "{}", first.err);
    let bytes = fs::read(&out).expect("a profile");
    assert_eq!(bytes[..2], [0x1f, 0x8b]);
    assert_eq!(run(&args).code, 1);
    assert!(run(&args).err.contains("--force"));
    assert_eq!(run(&[&args[..], &["--force"]].concat()).code, 0);
    let piped = run(&["pprof", "--type", "net", "-o", "-", arg(&path)]);
    assert_eq!((piped.bytes, piped.err.as_str()), (bytes, ""));
}

#[test]
fn a_flame_graph_is_an_svg() {
    let folder = Folder::new();
    let (path, out) = (committed("go1.27/network"), folder.path("wall.svg"));
    let drawn = run(&["flame", "--type", "wall", "-o", arg(&out), arg(&path)]);
    assert_eq!(drawn.code, 0, "{}", drawn.err);
    let svg = fs::read_to_string(&out).expect("an SVG");
    assert!(svg.starts_with("<?xml") && svg.contains("main.main") && svg.contains("</svg>"));
}

#[test]
fn what_cannot_be_is_said() {
    let path = committed("go1.27/annotations");
    for (args, code, expected) in [
        (&["pprof", "--type", "net", "-o", "-"][..], 1, "nothing to show in a net profile"),
        (&["pprof", "--type", "cpu", "-o", "-"], 1, "StartCPUProfile"),
        (&["regions", "--region", "nothing of that name"], 1, "no goroutine had a region"),
        // Not a trace that is at fault but the question.
        (&["pprof", "--type", "wall", "--as-go", "-o", "-"], 2, "Go has no wall profile"),
        (&["pprof", "--type", "cpu", "--group-by", "state", "-o", "-"], 2, "--group-by"),
        (&["flame", "--type", "wall", "-o", "wall.png"], 2, "--format"),
        (&["latency", "--sort", "size"], 2, "no column size"),
        (&["goroutines", "--from", "1h"], 2, "after the end of the trace"),
        (&["gc", "--function", "main"], 2, "--show assists"),
    ] {
        let run = run(&[args, &[arg(&path)]].concat());
        assert_eq!(run.code, code, "{args:?}");
        assert!(run.err.contains(expected), "{args:?}: {}", run.err);
    }
    assert_eq!(run(&["pprof", "--type", "heap", "-o", "-", arg(&path)]).code, 2);
}

#[test]
fn filters_choose() {
    let path = committed("go1.27/annotations");
    let logs = |args: &[&str]| run(&[&["logs", "--json"], args, &[arg(&path)]].concat());
    let all = logs(&[]).json_lines().len();
    let some = logs(&["--category", "^at$"]).json_lines();
    assert!(!some.is_empty() && some.len() < all);
    assert!(some.iter().all(|log| log["category"] == "at"));
    let regions = run(&["regions", "--each", "--json", "--region-min", "3us", arg(&path)]);
    let durations = regions.json_lines();
    assert!(!durations.is_empty());
    assert!(durations.iter().all(|row| row["duration"].as_i64().is_none_or(|ns| ns >= 3_000)));
}
