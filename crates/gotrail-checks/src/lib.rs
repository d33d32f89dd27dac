//! What must hold of every input, whatever it is: plain functions that panic where something does
//! not hold. Tests call them with generated inputs, `fuzz/` with those that a fuzzer finds, and
//! every input that ever failed is kept in `fuzz/regressions` and goes through all of them.
//!
//! | module | idea |
//! |---|---|
//! | [`reading`] | all ways to read a trace agree |
//! | [`wire`] | bytes, text and footprint of raw events agree |
//! | [`mod@reference`] | what Go's own reader says, from a process that stays |
//! | [`plan`] | traces that make sense, from choices |
//! | [`mutate`], [`layout`] | broken traces, made from good ones |
//! | [`shrink`] | the smallest input that still fails |
//! | [`memory`] | how much memory a piece of work needs |

pub mod layout;
pub mod memory;
pub mod mutate;
mod mutate_old;
pub mod outcome;
pub mod plan;
pub mod reading;
pub mod reference;
pub mod shrink;
pub mod wire;

use mutate::Base;
use std::path::{Path, PathBuf};

/// A check: its name, and the function that panics where it does not hold.
pub type Check = (&'static str, fn(&[u8]));

/// The checks of any bytes that may be a trace.
pub const CHECKS: &[Check] = &[
    ("reader", reading::reader),
    ("tolerant", reading::tolerant),
    ("streamed", reading::streamed),
    ("checkpoints", reading::checkpoints),
    ("threads", reading::threads),
    ("deep", reading::deep),
    ("mended", reading::mended),
    ("wire", wire::bytes),
    ("text", wire::text),
];

/// Does all checks.
pub fn all(bytes: &[u8]) {
    for (_, check) in CHECKS {
        check(bytes);
    }
}

/// The root of the workspace.
fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder of the inputs that once failed.
pub fn regressions() -> PathBuf {
    workspace().join("fuzz/regressions")
}

/// The recorded traces from Go 1.22 on of at most `size` bytes, by name.
///
/// # Panics
///
/// If they are not there: this is for tests.
pub fn recorded(size: usize) -> Vec<Base> {
    // Older ones have no batches with sizes, which most changes are about.
    of_recorded(size, false)
}

/// The same of those before Go 1.22, which [`mutate::mutant`] can change.
///
/// # Panics
///
/// If they are not there: this is for tests.
pub fn recorded_old(size: usize) -> Vec<Base> {
    of_recorded(size, true)
}

fn of_recorded(size: usize, old: bool) -> Vec<Base> {
    let root = workspace().join("testdata/traces");
    let mut files = Vec::new();
    list(&root, &mut files);
    let traces = files.into_iter().filter(|path| path.extension().is_some_and(|e| e == "trace"));
    let mut bases: Vec<Base> = traces
        .filter_map(|path| {
            let bytes = std::fs::read(&path).expect("a file that is there");
            let name = path.strip_prefix(&root).expect("it is below").display().to_string();
            (bytes.len() <= size && mutate::is_old(&bytes) == old).then_some(Base { name, bytes })
        })
        .collect();
    bases.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(bases.len() > 5, "only {} traces", bases.len());
    bases
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder of recorded traces") {
        let path = entry.expect("an entry of a folder").path();
        if path.is_dir() { list(&path, files) } else { files.push(path) }
    }
}
