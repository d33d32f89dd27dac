//! The golden file: what the reference says about each trace in `testdata/traces`.
//!
//! `expected.tsv` has a line for each trace, so that a change is a readable diff
//! and tests need neither Go nor megabytes of text. Columns:
//!
//! | column | |
//! |---|---|
//! | trace | path below `testdata/traces` |
//! | events, end, parsed | of the ordered events: how many, `ok` or `error`, hash of their text |
//! | wire events, wire end, wire | the same of the raw events |
//! | footprint | hash of the text of the footprint table |
//!
//! A hash is 64-bit FNV-1a in hexadecimal, of the text as `go tool trace -d=…`
//! prints it to standard output in the time zone UTC.

use std::fmt::Write as _;
use std::fs;
use std::hash::Hasher;
use std::path::PathBuf;

use anyhow::{Context, Result};
use fnv::FnvHasher;

use crate::peer::{Peer, Verdict};
use crate::{difference, paths};

const HEADER: &str = "trace\tevents\tend\tparsed\twire events\twire end\twire\tfootprint";

/// One line of the golden file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Golden {
    /// Path below `testdata/traces`, with slashes.
    pub(crate) trace: String,
    /// Both forms of events.
    pub(crate) verdict: Verdict,
    /// Hash of the footprint table.
    pub(crate) footprint: u64,
}

impl Golden {
    /// Asks the reference.
    pub(crate) fn make(peer: &Peer, trace: &str) -> Result<Self> {
        let path = folder().join(trace);
        let verdict = peer.verdict(&path).with_context(|| format!("reading {trace}"))?;
        let footprint = hash(&peer.dump("footprint", &path)?);
        Ok(Golden { trace: trace.to_owned(), verdict, footprint })
    }
}

/// Where the recorded traces are.
pub(crate) fn folder() -> PathBuf {
    paths::testdata().join("traces")
}

/// Every trace below `testdata/traces`, by path.
pub(crate) fn traces() -> Result<Vec<String>> {
    let mut traces = Vec::new();
    for entry in fs::read_dir(folder()).context("reading testdata/traces")? {
        let version = entry?;
        if !version.file_type()?.is_dir() {
            continue;
        }
        for entry in fs::read_dir(version.path())? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "trace") {
                let name = path.file_name().expect("an entry has a name");
                let version = version.file_name();
                traces.push(format!("{}/{}", version.display(), name.display()));
            }
        }
    }
    traces.sort();
    Ok(traces)
}

/// Asks the reference about every trace.
pub(crate) fn make(peer: &Peer) -> Result<Vec<Golden>> {
    traces()?.iter().map(|trace| Golden::make(peer, trace)).collect()
}

/// Writes the golden file.
pub(crate) fn write(goldens: &[Golden]) -> Result<()> {
    fs::write(path(), text(goldens)?).context("writing expected.tsv")
}

/// The first line of the golden file that is not as the reference has it.
pub(crate) fn outdated(peer: &Peer) -> Result<Option<String>> {
    let now = text(&make(peer)?)?;
    let kept = fs::read(path()).context("reading expected.tsv")?;
    difference::first(now.as_bytes(), &kept[..])
}

fn path() -> PathBuf {
    folder().join("expected.tsv")
}

fn text(goldens: &[Golden]) -> Result<String> {
    let mut text = format!("{HEADER}\n");
    for golden in goldens {
        let Verdict { parsed, wire } = golden.verdict;
        writeln!(text, "{}\t{parsed}\t{wire}\t{:016x}", golden.trace, golden.footprint)?;
    }
    Ok(text)
}

/// The hash of the golden file.
pub(crate) fn hash(text: &[u8]) -> u64 {
    let mut hasher = FnvHasher::default();
    hasher.write(text);
    hasher.finish()
}
