//! `synth`: traces of simulated programs.

mod common;

use common::*;
use std::fs;

#[test]
fn what_is_made_is_valid_and_always_the_same() {
    let folder = Folder::new();
    let (first, second) = (folder.path("first.trace"), folder.path("second.trace"));
    let args = ["--profile", "web", "--events", "20000", "--generations", "3", "--seed", "9"];
    for path in [&first, &second] {
        let run = run(&[&["synth", "-o", arg(path)], &args[..]].concat());
        assert_eq!((run.code, run.err.as_str()), (0, ""));
        assert!(run.out.contains(" events, 3 generations, "), "{}", run.out);
    }
    assert_eq!(fs::read(&first).expect("a trace"), fs::read(&second).expect("a trace"));
    let validated = run(&["validate", "--deep", arg(&first)]);
    assert_eq!(validated.code, 0, "{}", validated.out);
    assert!(validated.out.contains("3 generations"), "{}", validated.out);
}

#[test]
fn standard_output_and_compression_will_do() {
    let folder = Folder::new();
    let args = ["--events", "5000", "--go", "1.22", "--profile", "gc"];
    let piped = run(&[&["synth", "-o", "-"], &args[..]].concat());
    assert_eq!((piped.code, piped.err.as_str()), (0, ""));
    assert!(piped.bytes.starts_with(b"go 1.22 trace\0\0\0"));
    let packed = folder.path("packed.trace.zst");
    assert_eq!(run(&[&["synth", "-o", arg(&packed)], &args[..]].concat()).code, 0);
    let plain = run(&["convert", arg(&packed), "--to", "binary", "-o", "-"]);
    assert_eq!(plain.bytes, piped.bytes);
}

#[test]
fn faults_are_found() {
    let folder = Folder::new();
    let path = folder.path("broken.trace");
    let args = ["--events", "30000", "--generations", "2", "--fault", "region-mismatch"];
    assert_eq!(run(&[&["synth", "-o", arg(&path)], &args[..]].concat()).code, 0);
    let validated = run(&["validate", arg(&path)]);
    assert_eq!(validated.code, 1);
    assert!(validated.out.contains("misuse of region"), "{}", validated.out);
}

#[test]
fn what_cannot_be_is_refused_and_leaves_nothing_behind() {
    let folder = Folder::new();
    let path = folder.path("none.trace");
    for (args, code, expected) in [
        (&["--profile", "coroutines", "--go", "1.22"][..], 2, "needs Go 1.23 or later"),
        (&["--procs", "0"], 2, "procs must be from 1"),
        (&["--go", "1.21"], 2, "from 1.22 to 1.27"),
        (&["--profile", "webb"], 2, "possible values"),
        (&["--fault", "missing-end", "--go", "1.25", "--generations", "2"], 2, "Go 1.26"),
        (&["--fault", "cut-short", "--events", "1"], 1, "no opportunity"),
    ] {
        let run = run(&[&["synth", "-o", arg(&path)], args].concat());
        assert_eq!(run.code, code, "{args:?}: {}", run.err);
        assert!(run.err.contains(expected), "{args:?}: {}", run.err);
        assert!(!path.exists(), "{args:?}");
    }
    let path = folder.file("there.trace", b"precious");
    let refused = run(&["synth", "-o", arg(&path)]);
    assert!(refused.code == 1 && refused.err.contains("--force"), "{}", refused.err);
    assert_eq!(fs::read(&path).expect("the old file"), b"precious");
}
