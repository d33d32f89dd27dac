//! The suite against its files in `testdata/archives`: the archives are what the suite makes, and
//! the events and verdicts, which come from Go's reader, are what ours gives in every way of
//! reading. None of it needs Go.

use gotrail::{Mode, Reader};
use gotrail_synth::suite::{self, Case, golang, index};
use gotrail_synth::{Archive, Expectation, reading};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn kept(name: &str) -> Vec<u8> {
    let path = root().join("testdata/archives").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The trace of a case, from its file.
fn trace(case: &Case) -> (Archive, Vec<u8>) {
    let archive = Archive::parse(&kept(&format!("{}.test", case.name))).expect(case.name);
    let bytes = archive.bytes().expect(case.name);
    (archive, bytes)
}

#[test]
fn the_files_are_what_the_suite_makes() {
    for case in suite::cases() {
        let made = case.archive().unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let file = kept(&format!("{}.test", case.name));
        assert_eq!(text(&made.to_text().unwrap()), text(&file), "{}", case.name);
        assert_eq!(case.trace.to_bytes().unwrap(), trace(&case).1, "{}", case.name);
    }
}

#[test]
fn the_index_is_what_the_suite_makes() {
    let format = std::fs::read_to_string(root().join("docs/format.md")).unwrap();
    assert_eq!(index::readme(&suite::cases(), &format), text(&kept("README.md")));
}

#[test]
fn every_rule_has_a_case() {
    let format = std::fs::read_to_string(root().join("docs/format.md")).unwrap();
    let rules: BTreeSet<u8> = index::rules(&format).into_keys().collect();
    assert_eq!(rules, (1..=70).collect());
    let cases = suite::cases();
    let of = |refused: bool| -> BTreeSet<u8> {
        let all = cases.iter().filter(|case| case.is_refused() == refused);
        all.flat_map(|case| case.rules).copied().collect()
    };
    let (good, bad) = (of(false), of(true));
    // These rules are nothing but an error.
    let errors = [2, 4, 10, 19, 21, 23, 26];
    let missing: Vec<_> = rules.iter().filter(|rule| !good.contains(rule)).collect();
    assert_eq!(missing, errors.iter().collect::<Vec<_>>(), "rules without a good case");
    // These have neither an error nor a wait.
    let never = [5, 6, 7, 9, 11, 16, 20, 22, 24, 25, 50];
    let missing: Vec<_> =
        rules.iter().filter(|rule| !bad.contains(rule) && !never.contains(rule)).collect();
    assert!(missing.is_empty(), "rules without a refused case: {missing:?}");
    assert!(good.union(&bad).all(|rule| rules.contains(rule)));
}

#[test]
fn names_are_unique_and_plain() {
    let mut seen = BTreeSet::new();
    for case in suite::cases() {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(case.name.chars().all(plain), "{}", case.name);
        assert!(seen.insert(case.name), "{} is there twice", case.name);
        assert!(case.about.ends_with('.'), "{}", case.name);
    }
    assert!(seen.len() > 200);
}

#[test]
fn our_reader_gives_the_events_of_the_reference() {
    let mut verdicts = Vec::new();
    for case in suite::cases() {
        let (archive, bytes) = trace(&case);
        let expected = text(&kept(&format!("{}.events", case.name)));
        let reading = reading::of(&bytes);
        assert_eq!(text(&reading.events), expected, "{}", case.name);
        if let Err(verdict) = archive.expectation.check(reading.error.as_deref()) {
            verdicts.push(format!("{}: {verdict}", case.name));
        }

        for chunk in [1, 7, usize::MAX] {
            let stream = Chunks { bytes: &bytes, chunk };
            let streamed = reading::read(Reader::from_read(stream, Mode::Strict));
            assert_eq!(streamed, reading, "{} in pieces of {chunk}", case.name);
        }
        for threads in [1, 2] {
            let mut reader = Reader::from_slice(&bytes, Mode::Strict).unwrap();
            let error = reader.drain_parallel(threads, |_| {}).err();
            let found = (reader.events_delivered(), error.map(|error| error.to_string()));
            assert_eq!(found, (reading.count, reading.error.clone()), "{} {threads}", case.name);
        }
    }
    assert!(verdicts.is_empty(), "{}", verdicts.join("\n"));
}

#[test]
fn the_first_archive_of_create_syscall_with_p_can_still_be_written() {
    // Go's reader once let this pass; its archive was rewritten when that changed.
    let kept = include_bytes!("data/go122-create-syscall-with-p.at-first.test");
    let trace = golang::create_syscall_with_p_at_first();
    let archive = trace.to_archive().unwrap();
    assert_eq!(text(&archive.to_text().unwrap()), text(kept));
    assert!(matches!(archive.expectation, Expectation::Success));
    let error = reading::of(&trace.to_bytes().unwrap()).error.expect("today it is refused");
    assert!(error.contains("expected a proc but didn't have one"), "{error}");
}

#[test]
fn the_newest_generators_differ_in_the_times_of_tables_only() {
    let of = |generator| golang::written_by(generator).into_iter();
    for (first, newest) in of(golang::Generator::OfTheArchives).zip(of(golang::Generator::Newest)) {
        let [first, newest] = [&first, &newest].map(|case| {
            let text = text(&case.trace.to_archive().unwrap().to_text().unwrap());
            let head = "EventBatch gen=1 m=18446744073709551615 time=";
            let lines = text.lines().map(|line| match line.contains("m=18446744073709551615") {
                true => line.split(" time=").next().unwrap_or(head).to_owned(),
                false => line.to_owned(),
            });
            lines.collect::<Vec<_>>()
        });
        assert_eq!(first, newest);
    }
}

/// A stream that gives few bytes at a time.
struct Chunks<'a> {
    bytes: &'a [u8],
    chunk: usize,
}

impl std::io::Read for Chunks<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let len = self.chunk.min(out.len()).min(self.bytes.len());
        let (now, later) = self.bytes.split_at(len);
        out[..len].copy_from_slice(now);
        self.bytes = later;
        Ok(len)
    }
}
