//! Whatever is done to a trace: no reader panics, and all of them agree.

mod common;

use common::{Golden, Outcome, assert_rising, generation, small_goldens, strict, tolerant};
use gotrail::{Mode, Reader, Trace};
use proptest::prelude::*;
use proptest::sample::Index;
use std::ops::ControlFlow;
use std::sync::LazyLock;

/// The recorded traces that are edited.
static TRACES: LazyLock<Vec<Golden>> = LazyLock::new(|| small_goldens(6 << 10));

/// One change to the bytes of a trace.
#[derive(Debug, Clone)]
enum Edit {
    Flip(Index, u8),
    Set(Index, u8),
    Delete(Index, usize),
    Insert(Index, Vec<u8>),
    Duplicate(Index, usize, Index),
    Swap(Index, Index, usize),
    Cut(Index),
    /// A number that claims to be very large.
    Large(Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        4 => (at(), 0..8u8).prop_map(|(at, bit)| Edit::Flip(at, 1 << bit)),
        4 => (at(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        // Numbers of events, statuses, sequences: often still a trace that makes some sense.
        4 => (at(), 0..60u8).prop_map(|(at, byte)| Edit::Set(at, byte)),
        2 => (at(), 1..40usize).prop_map(|(at, len)| Edit::Delete(at, len)),
        2 => (at(), prop::collection::vec(any::<u8>(), 1..12)).prop_map(|(a, b)| Edit::Insert(a, b)),
        2 => (at(), 1..200usize, at()).prop_map(|(from, len, to)| Edit::Duplicate(from, len, to)),
        1 => (at(), at(), 1..40usize).prop_map(|(a, b, len)| Edit::Swap(a, b, len)),
        1 => at().prop_map(Edit::Cut),
        1 => at().prop_map(Edit::Large),
    ]
}

/// Applies an edit to what follows the header.
fn apply(bytes: &mut Vec<u8>, edit: &Edit) {
    const HEADER: usize = 16;
    let body = bytes.len() - HEADER;
    if body == 0 {
        return;
    }
    let place = |at: &Index| HEADER + at.index(body);
    match edit {
        Edit::Flip(at, bits) => bytes[place(at)] ^= bits,
        Edit::Set(at, byte) => bytes[place(at)] = *byte,
        Edit::Delete(at, len) => {
            let at = place(at);
            bytes.drain(at..(at + len).min(HEADER + body));
        }
        Edit::Insert(at, new) => {
            let at = place(at);
            bytes.splice(at..at, new.iter().copied());
        }
        Edit::Duplicate(from, len, to) => {
            let (from, to) = (place(from), place(to));
            let copy = bytes[from..(from + len).min(HEADER + body)].to_vec();
            bytes.splice(to..to, copy);
        }
        Edit::Swap(a, b, len) => {
            let (a, b) = (place(a), place(b));
            for i in 0..*len {
                if a.max(b) + i < bytes.len() {
                    bytes.swap(a + i, b + i);
                }
            }
        }
        Edit::Cut(at) => bytes.truncate(place(at)),
        Edit::Large(at) => {
            let at = place(at);
            let large = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
            bytes.splice(at..at + 1, large);
        }
    }
}

fn edited() -> impl Strategy<Value = Vec<u8>> {
    (any::<Index>(), prop::collection::vec(edit(), 1..4)).prop_map(|(which, edits)| {
        let mut bytes = TRACES[which.index(TRACES.len())].bytes.clone();
        edits.iter().for_each(|edit| apply(&mut bytes, edit));
        bytes
    })
}

/// A trace of which only single bytes change: most keep their shape.
fn flipped() -> impl Strategy<Value = Vec<u8>> {
    let one = (any::<Index>(), 0..60u8).prop_map(|(at, byte)| Edit::Set(at, byte));
    (any::<Index>(), one).prop_map(|(which, edit)| {
        let mut bytes = TRACES[which.index(TRACES.len())].bytes.clone();
        apply(&mut bytes, &edit);
        bytes
    })
}

/// As many cases as `PROPTEST_CASES` says, or few enough to be quick.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: cases.unwrap_or(2500),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn message(outcome: &Outcome) -> Option<String> {
    outcome.error.as_ref().map(ToString::to_string)
}

/// All strict readers agree.
fn check_strict(bytes: &[u8], chunk: usize) -> Outcome {
    let outcome = strict(bytes);
    common::streamed(bytes, chunk).assert_same(&outcome, "streamed");
    if let Ok(mut reader) = Reader::from_slice(bytes, Mode::Strict) {
        common::shown(&mut reader, chunk).assert_same(&outcome, "shown");
    }
    if let Ok(mut reader) = Reader::from_slice(bytes, Mode::Strict) {
        let result = reader.drain();
        assert_eq!(reader.events_delivered(), outcome.events.len() as u64, "counted");
        assert_eq!(result.err().map(|error| error.to_string()), message(&outcome), "counted");
    }
    outcome
}

/// Generations from their checkpoints give what the full pass gives.
fn check_generations(bytes: &[u8], full: &Outcome) {
    let Ok(trace) = Trace::from_bytes(bytes.to_vec()) else { return };
    let Ok(checkpoints) = trace.checkpoints() else {
        assert!(full.error.is_some());
        return;
    };
    assert!(full.error.is_none());
    assert!(checkpoints.len() <= trace.generations().len());
    let mut events = Vec::new();
    for (index, checkpoint) in checkpoints.iter().enumerate() {
        let part = generation(&trace, index, checkpoint);
        let loaded = trace.generation(index).unwrap();
        let mut count = 0;
        let flow = loaded.events(checkpoint).for_each_event(|_| {
            count += 1;
            ControlFlow::<()>::Continue(())
        });
        assert!(flow.is_ok() && count == part.events.len(), "generation {index}: shown");
        assert!(part.error.is_none(), "generation {index}: {:?}", part.error);
        events.extend(part.events);
    }
    assert_eq!(events, full.events[..full.events.len() - 1]);
}

/// A tolerant reader delivers all the same, and says so if something is missing.
fn check_tolerant(bytes: &[u8], full: &Outcome) {
    let (outcome, report) = tolerant(bytes);
    if let Ok(mut reader) = Reader::from_slice(bytes, Mode::Tolerant) {
        common::shown(&mut reader, 1 + bytes.len() % 7).assert_same(&outcome, "tolerant, shown");
        assert_eq!(format!("{:?}", reader.report()), format!("{report:?}"));
    }
    if outcome.error.is_some() {
        assert!(full.error.is_some() && full.events.is_empty());
        return;
    }
    let misuse = !report.misuses.is_empty();
    if full.error.is_some() && bytes.len() > 16 {
        assert!(misuse || !report.is_complete(), "{}: nothing reported", message(full).unwrap());
    }
    if full.error.is_none() && report.is_complete() {
        assert!(!misuse, "{report:?}");
        outcome.assert_same(full, "tolerant");
    }
    for loss in &report.losses {
        assert!(loss.bytes.start <= loss.bytes.end, "{loss:?}");
        assert!(loss.bytes.end <= bytes.len() as u64, "{loss:?}");
        assert!(loss.bytes_lost <= loss.bytes.end - loss.bytes.start, "{loss:?}");
    }
    // A damaged frequency can make times wrap around.
    if outcome.times.iter().all(|&time| (0..1 << 62).contains(&time)) {
        assert_rising(&outcome, "tolerant");
    }
}

/// What takes the bytes apart without any order does not panic either.
fn check_apart(bytes: &[u8]) {
    use gotrail::format::{footprint::Footprint, raw, text};
    let counted = raw::RawReader::new(bytes).and_then(|mut reader| {
        let mut footprint = Footprint::new(reader.version());
        while let Some(event) = reader.next()? {
            footprint.add(&event);
        }
        Ok(footprint.sorted())
    });
    let measured = Footprint::of_trace(bytes, 3, |_| {}).map(|footprint| footprint.sorted());
    assert_eq!(format!("{measured:?}"), format!("{counted:?}"));
    let Ok(text) = text::from_bytes(bytes, raw::Accept::All, text::Mode::Exact) else { return };
    assert!(text::to_bytes_with(&text, raw::Accept::All).unwrap() == bytes, "another trace");
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn edited_traces_are_the_same_to_every_strict_reader(bytes in edited(), chunk in 1..200usize) {
        check_strict(&bytes, chunk);
    }

    #[test]
    fn edited_traces_have_the_same_generations(bytes in edited()) {
        check_generations(&bytes, &strict(&bytes));
    }

    #[test]
    fn edited_traces_are_read_tolerantly(bytes in edited()) {
        check_tolerant(&bytes, &strict(&bytes));
    }

    #[test]
    fn traces_with_one_other_byte_are_read_in_every_way(bytes in flipped(), chunk in 1..2000usize) {
        let outcome = check_strict(&bytes, chunk);
        check_generations(&bytes, &outcome);
        check_tolerant(&bytes, &outcome);
    }

    #[test]
    fn edited_traces_can_be_taken_apart(bytes in edited()) {
        check_apart(&bytes);
    }

    #[test]
    fn the_deep_check_takes_whatever_a_reader_delivers(bytes in edited()) {
        if let Ok(mut reader) = Reader::from_slice(&bytes, Mode::Tolerant) {
            let mut checker = gotrail::deep::Checker::new();
            while let Some(event) = reader.next_event().unwrap() {
                for finding in checker.event(&event) {
                    prop_assert!(!finding.to_string().is_empty());
                }
            }
        }
    }

    #[test]
    fn bytes_that_never_were_a_trace(version in 0..4usize, body in prop::collection::vec(any::<u8>(), 0..300)) {
        let version = [
            gotrail::Version::Go122,
            gotrail::Version::Go123,
            gotrail::Version::Go125,
            gotrail::Version::Go126,
        ][version];
        let bytes = [&version.header()[..], &body].concat();
        let outcome = check_strict(&bytes, 1);
        check_generations(&bytes, &outcome);
        check_tolerant(&bytes, &outcome);
    }
}
