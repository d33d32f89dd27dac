//! `check` and `diff`, as a user and as CI runs them: golden output of committed traces, every
//! form, broken and missing traces, and what is wrong usage.
//!
//! `GOTRAIL_BLESS=1 cargo test -p gotrail-cli --test findings` writes the golden files anew; read
//! the difference before you commit it.

mod common;

use common::*;
use std::path::Path;

/// Rules that find something in a short trace.
const SHORT: [&str; 6] =
    ["--set", "long-stw.longest=100us", "--set", "gc-assist.share=1%", "--top", "2"];

/// What a command prints about committed traces, which are named as from their folder.
#[track_caller]
fn answer(file: &str, args: &[&str], names: &[&str], code: i32) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/traces");
    let names: Vec<String> = names.iter().map(|name| format!("{name}.trace")).collect();
    let run = command().args(args).args(&names).current_dir(folder).output().expect("it runs");
    let (out, err) = (run.stdout, String::from_utf8_lossy(&run.stderr).into_owned());
    assert_eq!(run.status.code(), Some(code), "{args:?}: {err}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    if std::env::var_os("GOTRAIL_BLESS").is_some() {
        std::fs::write(&path, &out).expect("a golden file");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(String::from_utf8_lossy(&out), expected, "{file}: {args:?}");
}

#[test]
fn findings_are_as_they_were_in_every_form() {
    for (form, file) in [
        ("text", "check.txt"),
        ("json", "check.json"),
        ("github", "check.github"),
        ("junit", "check.xml"),
    ] {
        let args = [&["check", "--format", form][..], &SHORT].concat();
        answer(file, &args, &["go1.27/gc", "go1.27/misuse"], 1);
    }
    answer("check-nothing.txt", &["check"], &["go1.27/network"], 0);
    answer("check-list.toml", &["check", "--list"], &[], 0);
    let window = ["check", "--from", "600us", "--to", "3ms", "--set", "long-stw.longest=1us"];
    answer("check-window.txt", &window, &["go1.27/gc"], 1);
}

#[test]
fn differences_are_as_they_were() {
    let traces = ["go1.27/gc", "go1.27/gc-generations"];
    answer("diff-nothing.txt", &["diff", "--by", "reason"], &traces, 0);
    answer("diff.txt", &["diff"], &["go1.27/threads-stress", "go1.27/timers"], 0);
    answer("diff-all.csv", &["diff", "--all", "--csv", "--by", "stack"], &traces, 0);
    answer("diff-all.json", &["diff", "--all", "--json", "--by", "function"], &traces, 0);
}

#[test]
fn json_is_a_form_too_and_numbers_are_exact() {
    let path = committed("go1.27/gc");
    let args = ["check", "--only", "long-stw", "--set", "long-stw.longest=1ns", arg(&path)];
    let first = &run(&[&args[..], &["--json"]].concat()).json_lines()[0];
    let worst = &first["worst"];
    let long = worst["until"].as_i64().expect("a time") - worst["from"].as_i64().expect("a time");
    assert_eq!(first["evidence"]["longest"], long);
    // The command that is given explains exactly that time.
    let why = worst["why"].as_str().expect("a command");
    let words: Vec<_> = why.split(' ').skip(1).chain(["--json"]).collect();
    let why = run(&words);
    assert_eq!(why.code, 0, "{}", why.err);
    assert_eq!(why.json()["nanos"], long);
}

#[test]
fn what_cannot_be_read_fails_in_every_form() {
    let folder = Folder::new();
    let mut bytes = std::fs::read(committed("go1.27/generations")).expect("the trace");
    bytes.truncate(bytes.len() - 100);
    let cut = folder.file("cut.trace", &bytes);
    let missing = folder.path("missing.trace");
    let none = folder.file("none.trace", &trace(""));
    for path in [&cut, &missing, &none] {
        let form = |form| run(&["check", "--format", form, arg(path)]);
        let text = form("text");
        assert_eq!(text.code, 1, "{}", text.err);
        assert!(!text.err.is_empty() && !text.out.starts_with("nothing found by 13 rules\n"));
        let junit = form("junit");
        assert!(junit.out.contains("errors=\"1\""), "{}", junit.out);
        assert!(junit.out.contains("<error "), "{}", junit.out);
        let github = form("github").out;
        assert!(github.starts_with("::error title=gotrail cannot read a trace::"), "{github}");
        let json = form("json").json_lines();
        assert!(json[0]["error"].as_str().is_some_and(|error| error.contains(".trace: ")));
        for code in [junit.code, form("github").code, form("json").code] {
            assert_eq!(code, 1);
        }
    }
    // Others are judged all the same.
    let good = committed("go1.27/network");
    let both = run(&["check", arg(&missing), arg(&good)]);
    assert_eq!(both.code, 1);
    assert!(both.out.contains("nothing found"), "{}", both.out);
}

#[test]
fn annotations_name_the_programs_own_files() {
    let folder = Folder::new();
    // A program that waits for a lock, built in another place.
    let trace = {
        use gotrail_synth::sim::{Config, Profile, Simulation};
        let config = Config { profile: Profile::Web, events: 20_000, ..Config::default() };
        let mut bytes = Vec::new();
        Simulation::new(config).expect("it is possible").write(&mut bytes).expect("memory");
        folder.file("web.trace", &bytes)
    };
    folder.file("handler.go", b"package main\n");
    let root = folder.path("");
    let args = ["check", "--only", "lock-contention", "--format", "github", arg(&trace)];
    let run = run(&[&args[..], &["--root", arg(&root)]].concat());
    assert_eq!(run.code, 1, "{}", run.err);
    for line in run.out.lines() {
        assert!(line.starts_with("::warning file=handler.go,line="), "{line}");
        assert!(line.contains("; worst: "), "{line}");
    }
}

#[test]
fn the_list_of_rules_is_a_file_of_rules() {
    let folder = Folder::new();
    let list = run(&["check", "--list", "--set", "long-stw.longest=3ms"]);
    assert_eq!((list.code, list.err.as_str()), (0, ""));
    let rules = folder.file("rules.toml", list.out.as_bytes());
    let again = run(&["check", "--list", "--rules", arg(&rules)]);
    assert_eq!(again.out, list.out, "{}", again.err);
}

#[test]
fn wrong_settings_are_wrong_usage_and_say_what_would_be_right() {
    let folder = Folder::new();
    let wrong = folder.file("wrong.toml", b"[long-stw]\nlength = \"1ms\"\n");
    let no_toml = folder.file("no.toml", b"long-stw\n");
    let path = committed("go1.27/gc");
    for (args, part) in [
        (&["--only", "nosuch"][..], "--only nosuch: there is no rule nosuch"),
        (&["--set", "x"], "write RULE.THRESHOLD=VALUE"),
        (
            &["--set", "long-stw.nosuch=1"],
            "--set long-stw.nosuch=1: the rule long-stw has no threshold nosuch; it has longest, enabled\n",
        ),
        (&["--set", "nosuch.longest=1"], "there is no rule nosuch; `gotrail check --list`"),
        (&["--set", "lock-contention.waiting=-1"], "must be a number of 0 or more"),
        (&["--set", "gc-share.share=2"], "must be a share from 0 to 1"),
        (&["--set", "long-stw.longest=-1ms"], "must be a time of 0 or more"),
        (&["--set", "goroutine-leak.count=NaN"], "must be a whole number"),
        (&["--rules", arg(&wrong)], "the rule long-stw has no threshold length"),
        (&["--rules", arg(&no_toml)], "is not TOML"),
        (&["--rules", "/nowhere.toml"], "cannot read it"),
        (&["--from", "1h"], "after the end of the trace"),
        (&["--json", "--format", "text"], "cannot be used with"),
    ] {
        let run = run(&[&["check"][..], args, &[arg(&path)]].concat());
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{args:?}: {}", run.err);
        assert!(run.err.contains(part), "{args:?}: {}", run.err);
    }
    assert_eq!(run(&["check"]).code, 2);
}

#[test]
fn a_part_of_a_trace_can_be_compared() {
    let path = committed("go1.27/network");
    let same = run(&["diff", "--all", arg(&path), arg(&path)]);
    assert_eq!(same.code, 0);
    assert_eq!(same.out, "nothing differs\n");
    let other = committed("go1.27/gc");
    let part = ["--all", "--json", "--by", "function", "--function", "^main\\.main$"];
    let found = run(&[&["diff"][..], &part, &[arg(&path), arg(&other)]].concat()).json_lines();
    assert!(
        !found.is_empty() && found.iter().all(|row| row["subject"] == "main.main"),
        "{found:?}"
    );
    assert!(found[0]["exceeds"].is_boolean() && found[0]["change"].is_number());
    let halves = run(&["diff", "--from", "0s", "--to", "1ms", "--all", arg(&path), arg(&other)]);
    assert_eq!(halves.code, 0, "{}", halves.err);
    for (args, part) in [
        (&["diff", arg(&path)][..], "gotrail diff BEFORE AFTER"),
        (&["diff", "--false", "2", arg(&path), arg(&other)], "between 0 and 1"),
        (&["diff", "--from", "1h", arg(&path), arg(&other)], "has nothing of that time"),
    ] {
        let run = run(args);
        assert!(run.code == 2 && run.err.contains(part), "{args:?}: {}", run.err);
    }
}

#[test]
fn no_two_rows_of_a_comparison_read_alike() {
    let folder = Folder::new();
    let trace = |seed: &str, profile: &str| {
        let path = folder.path(&format!("{profile}{seed}"));
        let args = ["synth", "--profile", profile, "--events", "30000", "--seed", seed, "-o"];
        assert_eq!(run(&[&args[..], &[arg(&path)]].concat()).code, 0);
        path
    };
    let (one, two) = (trace("1", "mixed"), trace("2", "gc"));
    let csv = run(&["diff", "--all", "--csv", arg(&one), arg(&two)]).out;
    let mut rows: Vec<Vec<&str>> =
        csv.lines().map(|line| line.splitn(4, ',').take(3).collect()).collect();
    let all = rows.len();
    rows.sort();
    rows.dedup();
    assert_eq!(rows.len(), all, "{csv}");
}
