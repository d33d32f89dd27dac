//! Broken old traces, small enough to break them everywhere. That what is read of whole ones is
//! right is tested with the recorded traces.

use crate::{Cause, Fault, Mode, OldFault, Reader};
use std::path::PathBuf;

fn trace(name: &str) -> Vec<u8> {
    let traces = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/traces");
    std::fs::read(traces.join(name)).unwrap()
}

/// Reads in both modes: how many events there are, or the error; and how many are left of it.
fn read(bytes: &[u8]) -> (Result<u64, crate::Error>, u64) {
    let strict = Reader::from_slice(bytes, Mode::Strict).and_then(|mut reader| reader.drain());
    let mut reader = Reader::from_slice(bytes, Mode::Tolerant).unwrap();
    let kept = reader.drain().expect("a tolerant reader keeps what it can");
    assert!(reader.report().bytes_lost() <= bytes.len() as u64);
    if strict.is_err() {
        let report = reader.report();
        assert!(!report.is_complete() || report.misuse_count() > 0, "an error, and nothing lost");
    }
    (strict, kept)
}

#[test]
fn no_damage_makes_it_panic() {
    for name in ["go1.19/empty.trace", "go1.21/empty.trace", "go1.21/annotations.trace"] {
        let whole = trace(name);
        for at in 16..whole.len() {
            for flip in [1, 0x40, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] ^= flip;
                let _ = read(&bytes);
            }
        }
    }
}

#[test]
fn what_is_cut_off_is_read_up_to_there() {
    let whole = trace("go1.21/channels.trace");
    let (all, kept) = read(&whole);
    assert_eq!(all.unwrap(), kept);
    let mut most = 0;
    for len in 16..whole.len() {
        let (strict, kept) = read(&whole[..len]);
        if let Err(error) = strict {
            assert!(error.place().offset.is_some(), "{len}: {error}");
            assert!(matches!(error.cause(), Cause::CutOff | Cause::Damaged), "{len}: {error}");
        }
        most = most.max(kept);
    }
    assert_eq!(most, kept, "the tables at the end lack, the events are there");
}

/// An event that is read, and then refused because of what it refers to, is told with its place.
#[test]
fn a_refused_event_says_where() {
    let whole = trace("go1.21/annotations.trace");
    let (mut found, mut near) = ([0; 2], 0);
    // Ids become such as do not exist, and strings and stacks get other ids.
    for at in 16..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] = 0x7f;
        let Err(error) = read(&bytes).0 else { continue };
        let text = error.to_string();
        let kinds = [("GoCreate ", 13), ("UserRegionBegin ", 47)];
        for ((name, kind), found) in kinds.into_iter().zip(&mut found) {
            if text.starts_with(name) {
                let offset = error.place().offset.expect("a place") as usize;
                assert_eq!(bytes[offset] & 0x3f, kind, "byte {at}: {error}");
                *found += 1;
                near += usize::from((1..40).contains(&(at as isize - offset as isize)));
            }
        }
    }
    assert!(found.iter().all(|&found| found > 0) && near > 0, "{found:?}, {near}");
}

/// A program may log what looks like the header of a trace: damage behind that is damage.
#[test]
fn a_message_that_looks_like_a_header_is_none() {
    let whole = trace("go1.21/annotations.trace");
    // A log: its type with more than three numbers, their length, the numbers, a text.
    let text_of = |log: usize| log + 2 + usize::from(whole[log + 1]);
    let is_log = |&log: &usize| {
        let text = text_of(log);
        let len = usize::from(whole[text]);
        let letters = &whole[text + 1..][..len.min(64)];
        whole[log] == 48 | 3 << 6
            && (1..64).contains(&len)
            && letters.iter().all(|letter| (b' '..0x7f).contains(letter))
    };
    let log = (16..whole.len() / 2).find(is_log).expect("a log message");
    let text = text_of(log);
    let behind = text + 1 + usize::from(whole[text]);
    let message = b"see go 1.21 trace\0\0\0 here";
    let mut bytes = whole[..text].to_vec();
    bytes.push(message.len() as u8);
    bytes.extend(message);
    bytes.extend(&whole[behind..]);
    read(&bytes).0.expect("another message does no harm");
    let mut errors = 0;
    for damage in log + 100..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[damage] = 0x3f;
        if let Err(error) = read(&bytes).0 {
            errors += 1;
            let another = matches!(error.fault(), Fault::Old(OldFault::AnotherTrace));
            assert!(!another, "byte {damage}: {error}");
        }
    }
    assert!(errors > 100, "{errors}");
}

#[test]
fn an_error_says_where() {
    let mut bytes = trace("go1.21/channels.trace");
    // Behind the header of the first batch.
    let at = bytes.len() / 2;
    bytes.truncate(at);
    bytes.push(0x3f);
    let error = read(&bytes).0.unwrap_err();
    assert!(error.place().offset.is_some_and(|offset| offset <= at as u64), "{error}");
}

#[test]
fn there_is_one_generation_which_can_be_read_again() {
    let trace = crate::Trace::from_bytes(trace("go1.21/timers.trace")).unwrap();
    let checkpoints = trace.checkpoints().unwrap();
    assert_eq!((trace.generations().len(), checkpoints.len()), (1, 1));
    let generation = trace.generation(0).unwrap();
    let again = generation.events(&checkpoints[0]).count() as u64;
    assert_eq!(again + 1, trace.reader(Mode::Strict).unwrap().drain().unwrap());
}

/// Who only counts events does not see them: the count, and what is wrong, must be the same.
#[test]
fn counting_and_looking_come_to_the_same() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/traces");
    for version in ["go1.19", "go1.21"] {
        for entry in std::fs::read_dir(folder.join(version)).unwrap() {
            let name = format!("{version}/{}", entry.unwrap().file_name().display());
            let whole = trace(&name);
            let step = whole.len() / 60 + 1;
            for at in (15..whole.len()).step_by(step) {
                let mut bytes = whole.clone();
                if at > 15 {
                    bytes[at] ^= 1 << (at % 8);
                }
                let mut reader = Reader::from_slice(&bytes, Mode::Strict).unwrap();
                let counted = reader.drain().map_err(|error| error.to_string());
                let mut reader = Reader::from_slice(&bytes, Mode::Strict).unwrap();
                let mut seen = 0;
                let looked = loop {
                    match reader.next_event() {
                        Ok(Some(_)) => seen += 1,
                        Ok(None) => break Ok(seen),
                        Err(error) => break Err(error.to_string()),
                    }
                };
                assert_eq!(counted, looked, "{name}, byte {at}");
            }
        }
    }
}
