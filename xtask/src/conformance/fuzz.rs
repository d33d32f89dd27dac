//! Check 2: the fuzz cases of Go's trace reader, in Go's corpus format, and what our own fuzzers
//! found.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, anyhow, bail};

use super::check;
use super::{Failure, Report};
use crate::ours::{self, Source};
use crate::outcome::observe;
use crate::peer::Peer;
use crate::toolchain::Toolchain;
use gotrail_checks::mutate;

/// Checks the cases of these toolchains; equal ones once.
pub(crate) fn run(peer: &Peer, toolchains: &[Toolchain], report: &Report) -> Result<usize> {
    let cases = cases(toolchains)?;
    let work = tempfile::tempdir()?;
    let mut files = Vec::new();
    for (i, bytes) in cases.keys().enumerate() {
        let file = work.path().join(i.to_string());
        fs::write(&file, bytes)?;
        files.push(file);
    }
    let verdicts = peer.verdicts(&files)?;
    for ((bytes, name), verdict) in cases.iter().zip(verdicts) {
        let reference = verdict.with_context(|| format!("the reference dies of {name}"))?;
        let parsed = observe(|visit| ours::parsed(Source::Bytes(bytes), visit));
        let wire = observe(|visit| ours::wire(bytes, visit));
        let detail = if mutate::is_old(bytes) {
            check::against(&reference.parsed, &parsed)
        } else {
            check::both(&reference, &parsed, &wire)
        };
        if let Some(detail) = detail {
            report.fail(Failure { name: format!("fuzz case {name}"), detail });
        }
    }
    Ok(cases.len())
}

/// The bytes of each case, with the name of the first that has them.
pub(super) fn cases(toolchains: &[Toolchain]) -> Result<BTreeMap<Vec<u8>, String>> {
    let mut cases = BTreeMap::new();
    for toolchain in toolchains {
        let folder = toolchain.trace_testdata().join("fuzz/FuzzReader");
        for entry in
            fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?
        {
            let path = entry?.path();
            let file = path.file_name().expect("an entry has a name").display();
            let name = format!("{}/{file}", toolchain.version);
            let bytes = read(&fs::read_to_string(&path)?).with_context(|| name.clone())?;
            cases.entry(bytes).or_insert(name);
        }
    }
    let folder = gotrail_checks::regressions();
    for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            continue;
        }
        let name = path.file_name().expect("an entry has a name").display().to_string();
        cases.entry(fs::read(path)?).or_insert(format!("fuzz/regressions/{name}"));
    }
    Ok(cases)
}

/// Reads a corpus file with one argument of type `[]byte`.
fn read(text: &str) -> Result<Vec<u8>> {
    let mut lines = text.lines();
    if lines.next() != Some("go test fuzz v1") {
        bail!("not a file of Go's fuzz corpus");
    }
    let literal = lines
        .next()
        .and_then(|line| line.strip_prefix("[]byte("))
        .and_then(|line| line.strip_suffix(')'))
        .context("the argument is not a []byte")?;
    ours::unquote(literal.as_bytes()).map_err(|message| anyhow!("{literal}: {message}"))
}
