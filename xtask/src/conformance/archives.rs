//! Check 1: the `.test` archives of Go's trace reader and of this project's suite.
//!
//! Each expects success or a failure whose message matches a regular expression.
//! An old toolchain's archive can expect something else than the same archive of
//! the newest one, whose reader is the reference: then that reader decides.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::check;
use super::{Failure, Report};
use crate::archives;
use crate::ours::{self, Source};
use crate::outcome::observe;
use crate::peer::{End, Peer};
use crate::toolchain::Toolchain;

/// An archive, named by its toolchain and file.
pub(crate) struct Archive {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

/// The archives of the suite.
fn of_the_suite() -> Result<Vec<Archive>> {
    within(&archives::folder(), "suite")
}

/// The archives of a toolchain.
pub(crate) fn of(toolchain: &Toolchain) -> Result<Vec<Archive>> {
    within(&toolchain.trace_testdata().join("tests"), toolchain.version)
}

/// The archives in a folder, named by it.
fn within(folder: &Path, owner: &str) -> Result<Vec<Archive>> {
    let mut archives = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "test") {
            let file = path.file_stem().expect("it has an extension").display();
            archives.push(Archive { name: format!("{owner}/{file}"), path });
        }
    }
    archives.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(archives)
}

/// Checks the files of the suite and all archives, those of these toolchains and the suite's.
pub(crate) fn run(peer: &Peer, toolchains: &[Toolchain], report: &Report) -> Result<usize> {
    let mut archives = Vec::new();
    for toolchain in toolchains {
        archives.extend(of(toolchain)?);
    }
    // Archives that were changed later; the newest comes last.
    let mut newest: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for archive in &archives {
        newest.insert(file(&archive.name).to_owned(), fs::read(&archive.path)?);
    }
    for problem in archives::check(peer)? {
        report.fail(Failure::new("the suite", &problem));
    }
    let newest_go = toolchains.last().context("no toolchain")?;
    for problem in archives::against_go(newest_go)? {
        report.fail(Failure::new("Go's own list", &problem));
    }
    archives.extend(of_the_suite()?);
    for archive in &archives {
        let text = fs::read(&archive.path)?;
        let outdated = newest.get(file(&archive.name)).is_some_and(|newest| *newest != text);
        one(peer, archive, &text, outdated, report)
            .with_context(|| format!("archive {}", archive.name))?;
    }
    Ok(archives.len())
}

fn file(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, file)| file)
}

fn one(peer: &Peer, archive: &Archive, text: &[u8], outdated: bool, report: &Report) -> Result<()> {
    let (trace, expectation) = peer.archive(&archive.path)?;
    let expects_failure = expectation.starts_with("FAILURE");
    let path = tempfile::NamedTempFile::new()?;
    fs::write(path.path(), &trace)?;
    let reference = peer.verdict(path.path())?;
    let fails = reference.parsed.end != End::Ok;
    let contradicted = fails != expects_failure;
    if contradicted {
        let what = if fails { "refuses" } else { "accepts" };
        report.note(&format!(
            "{}: expects {}, but the newest reference {what} it{}",
            archive.name,
            expectation.trim(),
            if outdated { "; the newest archive of that name is another" } else { "" }
        ));
    }

    match ours::archive(text) {
        Err(message) => {
            report.fail(Failure::new(&archive.name, &format!("as an archive: {message}")));
        }
        Ok((bytes, wanted)) => {
            if bytes != trace {
                report.fail(Failure::new(&archive.name, "its text becomes other bytes"));
            }
            let observed = observe(|visit| ours::parsed(Source::Bytes(&bytes), visit));
            let error = (observed.outcome.end != End::Ok).then_some(observed.message.as_str());
            if let (Err(problem), false) = (wanted.check(error), contradicted) {
                report.fail(Failure::new(&archive.name, &problem));
            }
        }
    }
    for failure in check::trace(peer, &archive.name, path.path())? {
        report.fail(failure);
    }
    Ok(())
}
