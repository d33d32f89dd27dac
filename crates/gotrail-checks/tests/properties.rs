//! All checks on generated inputs: recorded traces that were changed, planned traces, bytes that
//! never were a trace, text.
//!
//! Every property is tried with two seeds: one that is always the same, and one that is new each
//! time, or that of `GOTRAIL_SEED`. With `GOTRAIL_TIMES` there are so many times as many cases.
//! An input that fails is made smaller and saved below `fuzz/artifacts`.

use gotrail::Version;
use gotrail_checks::memory::Counting;
use gotrail_checks::mutate::{self, Base};
use gotrail_checks::{plan, reading, reference, wire};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};
use std::sync::LazyLock;

#[global_allocator]
static COUNTING: Counting = Counting;

/// The recorded traces that are changed.
static TRACES: LazyLock<Vec<Base>> = LazyLock::new(|| gotrail_checks::recorded(6 << 10));

/// The same of Go 1.19 and 1.21.
static OLD: LazyLock<Vec<Base>> = LazyLock::new(|| gotrail_checks::recorded_old(6 << 10));

/// The seed that is new each time.
static SEED: LazyLock<u64> = LazyLock::new(|| {
    let given = std::env::var("GOTRAIL_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(2, |now| now.as_millis() as u64)
    })
});

/// Tries a check on inputs; `default` of them with each seed, or more.
#[track_caller]
fn property(name: &str, default: u32, inputs: impl Strategy<Value = Vec<u8>>, check: fn(&[u8])) {
    let times = std::env::var("GOTRAIL_TIMES").ok().and_then(|times| times.parse().ok());
    let cases = default * times.unwrap_or(1);
    for seed in [1, *SEED] {
        let config = Config {
            cases,
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(seed),
            ..Config::default()
        };
        let result = TestRunner::new(config).run(&inputs, |input| {
            check(&input);
            Ok(())
        });
        match result {
            Ok(()) => {}
            Err(TestError::Fail(reason, input)) => {
                let path = save(name, &input);
                panic!("{name}, GOTRAIL_SEED={seed}: {reason}\nsaved as {path}");
            }
            Err(error) => panic!("{name}, GOTRAIL_SEED={seed}: {error}"),
        }
    }
}

fn save(name: &str, input: &[u8]) -> String {
    let folder = gotrail_checks::regressions().with_file_name("artifacts");
    let hash = gotrail_checks::outcome::hash([input]);
    let path = folder.join(format!("{name}-{hash:016x}"));
    match std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, input)) {
        Ok(()) => path.display().to_string(),
        Err(error) => format!("nothing: {error}"),
    }
}

/// One change to the bytes of a trace.
#[derive(Debug, Clone)]
enum Edit {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Duplicate(Index, usize, Index),
    Swap(Index, Index, usize),
    /// A number that claims to be very large.
    Large(Index),
    /// A change to batches, events or bytes.
    Structure(usize, u64),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        9 => (0..mutate::KINDS, any::<u64>()).prop_map(|(kind, seed)| Edit::Structure(kind, seed)),
        // Numbers of events, statuses, sequences: often still a trace that makes some sense.
        3 => (at(), 0..60u8).prop_map(|(at, byte)| Edit::Set(at, byte)),
        1 => (at(), prop::collection::vec(any::<u8>(), 1..12)).prop_map(|(a, b)| Edit::Insert(a, b)),
        2 => (at(), 1..200usize, at()).prop_map(|(from, len, to)| Edit::Duplicate(from, len, to)),
        1 => (at(), at(), 1..40usize).prop_map(|(a, b, len)| Edit::Swap(a, b, len)),
        1 => at().prop_map(Edit::Large),
    ]
}

/// Applies an edit, most to what follows the header.
fn apply(bytes: &mut Vec<u8>, edit: &Edit) {
    const HEADER: usize = 16;
    let body = bytes.len().saturating_sub(HEADER);
    if body == 0 {
        return;
    }
    let place = |at: &Index| HEADER + at.index(body);
    match edit {
        Edit::Set(at, byte) => bytes[place(at)] = *byte,
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
        Edit::Large(at) => {
            let at = place(at);
            let large = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
            bytes.splice(at..at + 1, large);
        }
        Edit::Structure(kind, seed) => {
            if let Some((changed, _)) = mutate::change(bytes, &TRACES, *kind, *seed) {
                *bytes = changed;
            }
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

/// A planned trace, with a few changes.
fn planned() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..1500).prop_map(|choices| plan::trace(&choices))
}

/// A header and anything.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let versions = Version::ALL.to_vec();
    let body = prop::collection::vec(any::<u8>(), 0..300);
    (prop::sample::select(versions), body)
        .prop_map(|(version, body)| [&version.header()[..], &body].concat())
}

/// A trace of Go 1.19 or 1.21, changed.
fn old() -> impl Strategy<Value = Vec<u8>> {
    any::<u64>().prop_map(|seed| mutate::mutant(&OLD, seed, 0).bytes)
}

fn any_trace() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![6 => edited(), 3 => planned(), 1 => noise(), 2 => old()]
}

#[test]
fn a_reader_takes_anything() {
    property("reader", 2000, any_trace(), reading::reader);
}

#[test]
fn a_tolerant_reader_keeps_what_is_good() {
    property("tolerant", 2000, any_trace(), reading::tolerant);
}

#[test]
fn what_is_left_of_an_old_trace_agrees_with_itself() {
    property("mended", 8000, old(), reading::mended);
}

#[test]
fn streams_give_what_slices_give() {
    property("streamed", 800, any_trace(), reading::streamed);
}

#[test]
fn generations_are_the_same_from_their_checkpoints() {
    property("checkpoints", 1500, any_trace(), reading::checkpoints);
}

#[test]
fn many_threads_give_what_one_gives() {
    property("threads", 500, any_trace(), reading::threads);
}

#[test]
fn many_threads_give_what_one_gives_of_planned_traces() {
    property("planned_threads", 1000, planned(), reading::speculation);
}

#[test]
fn the_deep_check_takes_whatever_a_reader_delivers() {
    property("deep", 1500, any_trace(), reading::deep);
}

#[test]
fn raw_events_are_the_same_in_every_form() {
    property("wire", 1500, any_trace(), wire::bytes);
}

#[test]
fn planned_traces_are_read_in_every_way() {
    property("planned", 300, planned(), gotrail_checks::all);
}

/// Only where `GOTRAIL_PEER` names the program: without it this checks nothing.
#[test]
fn go_says_the_same() {
    if std::env::var_os(reference::PEER).is_some() {
        property("differential", 2000, any_trace(), reference::differential);
    }
}

/// Words and lines that text is made of, whole and broken.
fn words() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "Stack id=1 nframes=2\n",
        "\tpc=1 func=2 file=3 line=4\n",
        "String id=1\n",
        "data=\"a\"\n",
        "\tdata='",
        "GoStart dt=1 g=2 g_seq=3\n",
        "# widths g=3\n",
        "# widths id=2 data=9\n",
        "# widths pc=4\n",
        "# claims data=9223372036854775808\n",
        "# unnamed event 77\n",
        "Sync\n",
        "Trace Go1.22\n",
        "dt=",
        "#",
        "\r\n",
        "\u{a0}",
        "18446744073709551615",
    ];
    let word = prop::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec());
    prop_oneof![6 => word, 1 => prop::collection::vec(any::<u8>(), 0..4)]
}

#[test]
fn text_is_read_and_written_again() {
    let text = prop::collection::vec(words(), 0..12)
        .prop_map(|words| [b"Trace Go1.26\n".to_vec(), words.concat()].concat());
    property("text", 2000, text, wire::text);
}

/// Every input that ever failed, through all checks.
#[test]
fn what_once_failed_passes() {
    for entry in std::fs::read_dir(gotrail_checks::regressions()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "md") {
            println!("{}", path.display());
            let input = std::fs::read(&path).unwrap();
            gotrail_checks::all(&input);
            reference::differential(&input);
        }
    }
}
