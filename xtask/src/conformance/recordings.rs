//! Check 3: the traces of this repository, and Go's own test programs for traces,
//! recorded with each toolchain.
//!
//! Recordings are kept, so that a second run needs no Go programs to be built.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Failure, Report, check, in_parallel};
use crate::peer::{End, Peer};
use crate::toolchain::{DEBIAN, NEWEST, OLD, Toolchain};
use crate::{golden, paths, programs};

/// The ways a program is run: a suffix for the file and its GODEBUG. The first
/// setting is what Go's own tests set.
const WAYS: [(&str, &str); 3] = [
    ("plain", "tracecheckstackownership=1"),
    ("stress", "tracecheckstackownership=1,traceadvanceperiod=0"),
    ("allocfree", "tracecheckstackownership=1,traceallocfree=1"),
];

/// How often a program is run that does not come to a good end.
const ATTEMPTS: u32 = 3;

/// The traces of the repository, and every recording; records what is missing.
pub(crate) fn all(
    peer: &Peer,
    toolchains: &[Toolchain],
    full: bool,
    report: &Report,
) -> Result<Vec<(String, PathBuf)>> {
    let mut recordings: Vec<(String, PathBuf)> = Vec::new();
    for trace in golden::traces()? {
        let path = golden::folder().join(&trace);
        recordings.push((trace, path));
    }
    for toolchain in toolchains {
        recordings.extend(
            record(peer, toolchain, report)
                .with_context(|| format!("recording with Go {}", toolchain.version))?,
        );
    }
    recordings.extend(old_of_reference()?);
    if full {
        for version in [DEBIAN, OLD] {
            let old = record_old(version);
            recordings.extend(old.with_context(|| format!("recording with Go {version}"))?);
        }
    }
    Ok(recordings)
}

/// Traces of Go 1.11 to 1.21 that the reference's own tests read.
pub(super) fn old_of_reference() -> Result<Vec<(String, PathBuf)>> {
    let folder =
        Toolchain::get(NEWEST)?.root().join("src/internal/trace/internal/tracev1/testdata");
    let mut traces = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().expect("an entry has a name").display().to_string();
        if name.ends_with("_good") {
            traces.push((name, path));
        }
    }
    traces.sort();
    Ok(traces)
}

/// Checks every recording.
pub(crate) fn run(
    peer: &Peer,
    recordings: &[(String, PathBuf)],
    jobs: usize,
    report: &Report,
) -> Result<()> {
    if let Some(line) = golden::outdated(peer)? {
        report.fail(Failure::new("testdata/traces/expected.tsv", &line));
    }
    in_parallel(jobs, recordings, |(name, path)| {
        for failure in check::trace(peer, name, path)? {
            report.fail(failure);
        }
        report.step();
        Ok(())
    })
}

/// Where recordings are kept.
pub(crate) fn cache() -> Result<PathBuf> {
    Ok(paths::cache()?.join("gotrail-recordings"))
}

/// Records this repository's programs with an old Go; one of them writes millions of events.
fn record_old(version: &'static str) -> Result<Vec<(String, PathBuf)>> {
    let go = Toolchain::get(version)?;
    let folder = cache()?.join(go.version);
    fs::create_dir_all(&folder)?;
    let work = tempfile::tempdir()?;
    let mut recordings = Vec::new();
    for entry in fs::read_dir(paths::testdata().join("programs"))? {
        let source = entry?.path();
        let program = source.file_stem().expect("a Go file has a name").display().to_string();
        let trace = folder.join(format!("{program}.trace"));
        // Newer Go has what these use.
        let newer = ["coroutines", "flight"].contains(&program.as_str());
        if newer || programs::needs_c_compiler(&source)? && !programs::has_c_compiler() {
            continue;
        }
        if !trace.exists() {
            let binary = work.path().join(&program);
            programs::build(&go, &source, &binary)?;
            let partial = trace.with_extension(format!("partial-{}", std::process::id()));
            let rounds: &[&str] = if program == "stress64" { &["4000"] } else { &[] };
            programs::record(&binary, rounds, "", &partial)?;
            fs::rename(&partial, &trace)?;
        }
        recordings.push((format!("{version}/{program}"), trace));
    }
    Ok(recordings)
}

fn record(peer: &Peer, go: &Toolchain, report: &Report) -> Result<Vec<(String, PathBuf)>> {
    let folder = cache()?.join(go.version);
    fs::create_dir_all(&folder)?;
    let c_compiler = programs::has_c_compiler();
    let work = tempfile::tempdir()?;
    let mut sources: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(go.trace_testdata().join("testprog"))? {
        sources.push(entry?.path());
    }
    sources.sort();
    let mut recordings = Vec::new();
    for source in sources {
        let program = source.file_stem().expect("a Go file has a name").display().to_string();
        if programs::needs_c_compiler(&source)? && !c_compiler {
            report.note(&format!("{program} is skipped: there is no C compiler"));
            continue;
        }
        for (way, godebug) in WAYS {
            let trace = folder.join(format!("{program}-{way}.trace"));
            let name = format!("{}/{program}-{way}", go.version);
            if !trace.exists() {
                let binary = work.path().join(&program);
                if !binary.exists() {
                    programs::build(go, &source, &binary)?;
                }
                one(peer, &binary, godebug, &trace, report, &name)?;
            }
            recordings.push((name, trace));
        }
    }
    Ok(recordings)
}

/// Records a trace that the reference can read. Go's tracer is not perfect: if it
/// fails again and again, the last trace is kept, and both must refuse it alike.
fn one(
    peer: &Peer,
    program: &Path,
    godebug: &str,
    trace: &Path,
    report: &Report,
    name: &str,
) -> Result<()> {
    let partial = trace.with_extension(format!("partial-{}", std::process::id()));
    let mut end = End::Ok;
    for _ in 0..ATTEMPTS {
        programs::record(program, &[], godebug, &partial)?;
        end = peer.verdict(&partial)?.parsed.end;
        if end == End::Ok {
            break;
        }
    }
    if end != End::Ok {
        report.note(&format!("{name}: the reference does not read what this Go writes"));
    }
    fs::rename(&partial, trace)?;
    Ok(())
}
