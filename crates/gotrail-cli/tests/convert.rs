//! `convert`, and what is made from the definitions of the arguments.

mod common;

use common::*;
use std::fs;

#[test]
fn bytes_to_text_to_bytes_is_the_identity_compressed_or_not() {
    let folder = Folder::new();
    for (i, path) in [folder.file("made.trace", &healthy())]
        .into_iter()
        .chain(recorded().into_iter().filter(|path| !is_old(path)).step_by(9))
        .enumerate()
    {
        let bytes = fs::read(&path).expect("a trace");
        for ending in ["", ".gz", ".zst"] {
            let text = folder.path(&format!("{i}.txt{ending}"));
            let back = folder.path(&format!("{i}.trace{ending}"));
            let plain = folder.path(&format!("{i}{ending}.plain"));
            for (args, from, to) in [
                (&[][..], &path, &text),
                (&[], &text, &back),
                (&["--to", "binary", "--compress", "none"], &back, &plain),
            ] {
                let args = [&["convert", arg(from), "-o", arg(to)], args].concat();
                let run = run(&args);
                assert_eq!((run.code, run.err.as_str(), run.out.as_str()), (0, "", ""), "{args:?}");
            }
            assert_eq!(fs::read(plain).expect("the result"), bytes, "{path:?} {ending}");
            let start = fs::read(&text).expect("the text")[..2].to_vec();
            let expected: &[u8] = match ending {
                ".gz" => b"\x1f\x8b",
                ".zst" => b"\x28\xb5",
                _ => b"Tr",
            };
            assert_eq!(start, expected);
            // What is compressed is a trace like any other.
            assert_eq!(run(&["validate", arg(&back)]).out.contains("ok  "), {
                run(&["validate", arg(&path)]).out.contains("ok  ")
            });
        }
    }
}

#[test]
fn standard_input_and_output_will_do() {
    let bytes = healthy();
    let text = run_with(&["convert", "-", "-o", "-"], &bytes);
    assert!(text.out.starts_with("Trace Go1.22\nEventBatch gen=1"), "{}", text.out);
    let back = run_with(&["convert", "-", "-o", "-"], &text.bytes);
    assert_eq!(back.bytes, bytes);
    let commented = [b"# a comment\n\n", &text.bytes[..]].concat();
    assert_eq!(run_with(&["convert", "-", "-o", "-"], &commented).bytes, bytes);
}

#[test]
fn an_existing_file_is_overwritten_only_by_force() {
    let folder = Folder::new();
    let path = folder.file("a.trace", &healthy());
    let out = folder.file("out.txt", b"precious");
    let refused = run(&["convert", arg(&path), "-o", arg(&out)]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("--force"), "{}", refused.err);
    assert_eq!(fs::read(&out).expect("the old file"), b"precious");
    assert_eq!(run(&["convert", arg(&path), "-o", arg(&out), "--force"]).code, 0);
    assert!(fs::read(&out).expect("the new file").starts_with(b"Trace Go1.22"));
    // A file can even take its own place.
    assert_eq!(run(&["convert", arg(&path), "-o", arg(&path), "--force"]).code, 0);
    assert!(fs::read(&path).expect("the new file").starts_with(b"Trace Go1.22"));
}

#[test]
fn what_cannot_be_converted_leaves_nothing_behind() {
    let folder = Folder::new();
    let cut = folder.file("cut.trace", &healthy()[..40]);
    let wrong = folder.file("wrong.txt", b"Trace Go1.22\nEventBatch gen=1 m=0 time=0 size=0\nNo\n");
    let out = folder.path("out");
    for (path, expected) in [(&cut, "cut off"), (&wrong, "line 3")] {
        let run = run(&["convert", arg(path), "-o", arg(&out)]);
        assert_eq!(run.code, 1);
        assert!(run.err.contains(expected) && run.err.contains("next:"), "{}", run.err);
    }
    assert_eq!(folder.names(), ["cut.trace", "wrong.txt"]);
    let nowhere = run(&["convert", arg(&cut), "-o", arg(&folder.path("no/such/dir"))]);
    assert_eq!(nowhere.code, 1);
    assert!(nowhere.err.contains("cannot write"), "{}", nowhere.err);
}

#[test]
fn help_has_examples_and_wrong_usage_is_status_2() {
    for command in ["info", "dump", "convert", "validate", "completions", "man"] {
        let help = run(&[command, "--help"]);
        assert_eq!(help.code, 0);
        assert!(help.out.contains(&format!("  gotrail {command} ")), "{}", help.out);
    }
    assert!(run(&["--help"]).out.contains("Examples:"));
    assert!(run(&["--version"]).out.starts_with("gotrail "));
    for wrong in [&["nonsense"][..], &["info"], &["dump", "what", "-"], &["validate"], &[]] {
        assert_eq!(run(wrong).code, 2, "{wrong:?}");
    }
}

#[test]
fn completions_and_manual_pages_are_made() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(run(&["completions", shell]).out.contains("validate"), "{shell}");
    }
    assert!(run(&["man"]).out.contains(".TH gotrail 1"));
    let folder = Folder::new();
    assert_eq!(run(&["man", "-o", arg(&folder.path("man1"))]).code, 0);
    for page in ["gotrail.1", "gotrail-info.1", "gotrail-convert.1"] {
        assert!(folder.path("man1").join(page).exists(), "{page}");
    }
}
