//! The archives of docs/upstream.md: what that document claims is so.
//!
//! `testdata/upstream/expected.tsv` says for each archive how many events Go's reader and ours
//! deliver and how that ends, whether ours does what the archive asks for, how many findings a deep
//! check has, and how many events a tolerant reader delivers and whether nothing is missing. What is said of Go's reader is checked
//! where `GOTRAIL_PEER` names its program.

use gotrail::{Mode, Reader};
use gotrail_checks::outcome::{drain, strict};
use gotrail_checks::reference::{self, Reference};
use gotrail_synth::Archive;
use std::path::{Path, PathBuf};

const HEADER: &str =
    "archive\tgo events\tgo end\tevents\tend\tas asked\tdeep\ttolerant events\tcomplete";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/upstream")
}

#[test]
fn what_is_said_of_go_and_of_us_is_so() {
    let list = std::fs::read_to_string(folder().join("expected.tsv")).unwrap();
    let mut go = std::env::var_os(reference::PEER).map(|peer| Reference::new(Path::new(&peer)));
    let mut lines = vec![HEADER.to_owned()];
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for path in files.iter().filter(|path| path.extension().is_some_and(|e| e == "test")) {
        let name = path.file_stem().unwrap().display().to_string();
        let archive = Archive::parse(&std::fs::read(path).unwrap()).expect(&name);
        let bytes = archive.bytes().expect(&name);
        let theirs = match &mut go {
            Some(go) => {
                let parsed = go.verdict(&bytes).unwrap().expect(&name).parsed;
                format!("{}\t{}", parsed.events, parsed.end.word())
            }
            None => {
                let known = list.lines().find_map(|line| line.strip_prefix(&format!("{name}\t")));
                let columns: Vec<&str> = known.expect(&name).split('\t').take(2).collect();
                columns.join("\t")
            }
        };
        gotrail_checks::all(&bytes);
        let outcome = strict(&bytes);
        let end = if outcome.error.is_some() { "error" } else { "ok" };
        let asked = archive.expectation.check(outcome.message().as_deref()).is_ok();
        let mut reader = Reader::from_slice(&bytes, Mode::Tolerant).unwrap();
        let tolerant = drain(&mut reader).events.len();
        lines.push(format!(
            "{name}\t{theirs}\t{}\t{end}\t{}\t{}\t{tolerant}\t{}",
            outcome.events.len(),
            yes(asked),
            deep(&bytes),
            yes(reader.report().is_complete())
        ));
    }
    let now = lines.join("\n") + "\n";
    assert!(now == list, "expected.tsv should be\n{now}");
}

/// The findings of a deep check.
fn deep(bytes: &[u8]) -> usize {
    let mut reader = Reader::from_slice(bytes, Mode::Strict).unwrap();
    let mut checker = gotrail::deep::Checker::new();
    let mut findings = 0;
    while let Ok(Some(event)) = reader.next_event() {
        findings += checker.event(&event).len();
    }
    findings
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

/// The document speaks of every archive, and of no other.
#[test]
fn every_archive_is_told_of() {
    let document =
        std::fs::read_to_string(folder().join("../../docs/upstream.md")).expect("the document");
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(!name.ends_with(".test") || document.contains(&name), "{name}");
    }
    for word in document.split(['(', ')', '`', ' ', '|', '/']) {
        let archive = word.len() > 5 && word.ends_with(".test");
        assert!(!archive || folder().join(word).is_file(), "{word}");
    }
}
