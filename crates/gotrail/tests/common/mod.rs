//! What the tests share: the recorded traces, and readers that give text.

#![allow(dead_code, unreachable_pub, unused_imports)]

pub mod scenario;

use gotrail::{Mode, Reader, Trace};
pub use gotrail_checks::outcome::{Outcome, collect, drain, generation, hash, read, strict};
use std::io::{self, Read};
use std::path::PathBuf;

/// The folder with the recorded traces.
pub fn traces() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/traces")
}

/// A recorded trace and what Go's own reader makes of it.
pub struct Golden {
    pub name: String,
    pub bytes: Vec<u8>,
    pub events: usize,
    pub ok: bool,
    pub parsed: u64,
    pub wire_events: usize,
    pub wire_ok: bool,
    pub wire: u64,
    pub footprint: u64,
}

impl Golden {
    pub fn path(&self) -> PathBuf {
        traces().join(&self.name)
    }

    /// Whether it was recorded before Go 1.22.
    pub fn is_old(&self) -> bool {
        gotrail::format::version::read_header(&self.bytes)
            .is_ok_and(|(version, _)| !version.has_generations())
    }
}

/// All recorded traces.
pub fn goldens() -> Vec<Golden> {
    let list = std::fs::read_to_string(traces().join("expected.tsv")).unwrap();
    let goldens: Vec<Golden> = list.lines().skip(1).map(golden).collect();
    assert!(goldens.len() > 100, "only {} traces", goldens.len());
    goldens
}

/// All recorded traces of Go 1.22 and later, which have generations.
pub fn goldens_with_generations() -> Vec<Golden> {
    goldens().into_iter().filter(|golden| !golden.is_old()).collect()
}

/// The recorded traces of at most `size` bytes.
pub fn small_goldens(size: usize) -> Vec<Golden> {
    let mut goldens = goldens();
    goldens.retain(|golden| golden.bytes.len() <= size);
    assert!(goldens.len() > 5, "only {} traces", goldens.len());
    goldens
}

/// The recorded trace of this name.
pub fn golden_named(name: &str) -> Golden {
    goldens().into_iter().find(|golden| golden.name == name).expect(name)
}

fn golden(line: &str) -> Golden {
    let columns: Vec<&str> = line.split('\t').collect();
    let [name, events, end, parsed, wire_events, wire_end, wire, footprint] = columns[..] else {
        panic!("{line}")
    };
    let hash = |text| u64::from_str_radix(text, 16).unwrap();
    Golden {
        name: name.to_owned(),
        bytes: std::fs::read(traces().join(name)).unwrap(),
        events: events.parse().unwrap(),
        ok: end == "ok",
        parsed: hash(parsed),
        wire_events: wire_events.parse().unwrap(),
        wire_ok: wire_end == "ok",
        wire: hash(wire),
        footprint: hash(footprint),
    }
}

/// The strict events of a stream that gives `chunk` bytes at a time.
pub fn streamed(bytes: &[u8], chunk: usize) -> Outcome {
    read(Reader::from_read(Chunks { bytes, chunk }, Mode::Strict))
}

/// The events of a tolerant reader, which has no errors once the header was read.
pub fn tolerant(bytes: &[u8]) -> (Outcome, gotrail::Report) {
    match Reader::from_slice(bytes, Mode::Tolerant) {
        Ok(mut reader) => {
            let outcome = drain(&mut reader);
            assert!(outcome.error.is_none(), "a tolerant reader fails: {:?}", outcome.error);
            (outcome, reader.report())
        }
        Err(error) => {
            (Outcome { error: Some(error), ..Outcome::default() }, gotrail::Report::default())
        }
    }
}

/// The events of each generation from the checkpoint before it, the last generation first.
pub fn resumed(trace: &Trace) -> Outcome {
    let checkpoints = trace.checkpoints().unwrap();
    assert_eq!(checkpoints.len(), trace.generations().len());
    let mut parts: Vec<Outcome> =
        (0..checkpoints.len()).rev().map(|i| generation(trace, i, &checkpoints[i])).collect();
    parts.reverse();
    let mut all = Outcome::default();
    for part in parts {
        all.events.extend(part.events);
        all.times.extend(part.times);
        all.error = all.error.or(part.error);
    }
    all
}

/// A stream that gives few bytes at a time.
pub struct Chunks<'a> {
    pub bytes: &'a [u8],
    pub chunk: usize,
}

impl Read for Chunks<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let len = self.chunk.min(out.len()).min(self.bytes.len());
        let (now, later) = self.bytes.split_at(len);
        out[..len].copy_from_slice(now);
        self.bytes = later;
        Ok(len)
    }
}

/// Times must rise strictly, as long as they do not wrap around.
#[track_caller]
pub fn assert_rising(outcome: &Outcome, what: &str) {
    outcome.assert_rising(what);
}
