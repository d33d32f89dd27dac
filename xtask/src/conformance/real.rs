//! Check 4: traces of real programs, most of them larger than those of test programs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::recordings::cache;
use super::{Failure, Report, check, in_parallel};
use crate::peer::Peer;
use crate::toolchain::{NEWEST, Toolchain};
use crate::{paths, programs, run};

/// Packages of the standard library whose tests, or those that match a pattern,
/// run offline and in seconds.
const PACKAGES: [(&str, &str); 16] = [
    ("bufio", ""),
    ("compress/flate", ""),
    ("context", ""),
    ("encoding/json", ""),
    ("go/parser", ""),
    ("io", ""),
    ("net", "TestTCP|TestUDP|TestUnix|TestConn"),
    ("net/http", "TestServe|TestHandler|TestClient|TestHead"),
    ("os/exec", ""),
    ("runtime", "TestChan|TestSelect|TestGc|TestGoroutine|TestYield|TestStop|TestTimer"),
    ("sort", ""),
    ("strings", ""),
    ("sync", ""),
    ("sync/atomic", ""),
    ("text/template", ""),
    ("time", "TestTick|TestAfter|TestTimer|TestSleep|TestReset"),
];

/// The same of the oldest Go.
const OLD_PACKAGES: [(&str, &str); 2] = [("sort", ""), ("sync", "")];

/// How many rounds each worker of `stress64` makes, for more than [`MANY`] events.
const ROUNDS: &str = "7000";

/// How many events the largest trace has at least.
const MANY: u64 = 5_000_000;

/// Records what is missing and checks all.
pub(crate) fn run(peer: &Peer, oldest: &Toolchain, jobs: usize, report: &Report) -> Result<usize> {
    let newest = Toolchain::get(NEWEST)?;
    let mut traces = Vec::new();
    for (go, packages) in [(&newest, &PACKAGES[..]), (oldest, &OLD_PACKAGES)] {
        let folder = cache()?.join(go.version).join("real");
        fs::create_dir_all(&folder)?;
        for &(package, pattern) in packages {
            let trace = folder.join(format!("test-{}.trace", package.replace('/', "-")));
            make(&trace, |partial| test(go, package, pattern, partial))
                .with_context(|| format!("tracing the tests of {package}"))?;
            traces.push((format!("{}/go test {package}", go.version), trace));
        }
        let trace = folder.join("go-build.trace");
        make(&trace, |partial| build(go, partial)).context("tracing go build")?;
        traces.push((format!("{}/go build", go.version), trace));
    }
    let huge = cache()?.join(NEWEST).join("real").join(format!("stress64-{ROUNDS}.trace"));
    make(&huge, |partial| stress(&newest, partial)).context("tracing stress64")?;
    let events = peer.verdict(&huge)?.parsed.events;
    if events < MANY {
        report.fail(Failure::new("stress64", &format!("has only {events} events")));
    }
    report.note(&format!("the largest trace has {events} events on 64 procs"));
    traces.push((format!("{NEWEST}/stress64"), huge));

    in_parallel(jobs, &traces, |(name, path)| {
        for failure in check::trace(peer, name, path)? {
            report.fail(failure);
        }
        report.step();
        Ok(())
    })?;
    Ok(traces.len())
}

/// Makes a trace unless it is there from before.
fn make(trace: &Path, record: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if trace.exists() {
        return Ok(());
    }
    let partial = trace.with_extension(format!("partial-{}", std::process::id()));
    record(&partial)?;
    if fs::metadata(&partial).map_or(0, |meta| meta.len()) == 0 {
        bail!("no trace came");
    }
    fs::rename(&partial, trace)?;
    Ok(())
}

fn test(go: &Toolchain, package: &str, pattern: &str, trace: &Path) -> Result<()> {
    let work = tempfile::tempdir()?;
    run::output(
        go.command()?
            .current_dir(go.root().join("src"))
            .args(["test", "-short", "-count=1", "-timeout=120s", "-run", pattern, "-o"])
            .arg(work.path().join("test"))
            .arg("-trace")
            .arg(trace)
            .arg(package),
    )?;
    Ok(())
}

/// The go command tells of its own work with an undocumented flag.
fn build(go: &Toolchain, trace: &Path) -> Result<()> {
    let work = tempfile::tempdir()?;
    run::output(
        go.command()?
            .current_dir(go.root().join("src"))
            .env("GOCACHE", work.path())
            .arg("build")
            .arg(format!("-debug-runtime-trace={}", trace.display()))
            .arg("sort"),
    )?;
    Ok(())
}

fn stress(go: &Toolchain, trace: &Path) -> Result<()> {
    let work = tempfile::tempdir()?;
    let program: PathBuf = work.path().join("stress64");
    programs::build(go, &paths::testdata().join("programs/stress64.go"), &program)?;
    programs::record(&program, &[ROUNDS], "", trace)
}
