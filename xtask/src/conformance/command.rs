//! The `gotrail` command against `go tool trace`, byte for byte, on a few traces.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::{Failure, Report};
use crate::peer::Peer;
use crate::{difference, golden, run};

/// Traces that together have every version, an error, and much text.
const TRACES: [&str; 6] = [
    "go1.22/cgo",
    "go1.23/coroutines-stress",
    "go1.24/misuse",
    "go1.25/annotations",
    "go1.26/cpu",
    "go1.27/many-allocfree",
];

/// Compares standard output and exit status.
pub(crate) fn run(peer: &Peer, report: &Report) -> Result<usize> {
    let gotrail = build()?;
    let mut runs = 0;
    for trace in TRACES {
        let path = golden::folder().join(format!("{trace}.trace"));
        for mode in ["parsed", "wire", "footprint"] {
            // Wall-clock times are printed in the local zone.
            for zone in ["UTC", "Asia/Kathmandu"] {
                runs += 1;
                if let Some(detail) = one(peer, &gotrail, &path, mode, zone)? {
                    report.fail(Failure { name: format!("gotrail dump {mode} {trace}"), detail });
                }
            }
        }
    }
    Ok(runs)
}

fn one(
    peer: &Peer,
    gotrail: &Path,
    trace: &Path,
    mode: &str,
    zone: &str,
) -> Result<Option<String>> {
    let theirs = peer.dump_in(mode, trace, zone)?;
    let mut command = Command::new(gotrail);
    command.args(["dump", mode]).arg(trace).env("TZ", zone).stdin(Stdio::null());
    let ours = command.output().with_context(|| run::name(&command))?;
    let difference = difference::first(&theirs.stdout[..], &ours.stdout[..])?;
    Ok(difference.or_else(|| {
        (theirs.status.success() != ours.status.success()).then(|| {
            format!(
                "reference: {}\n    ours:      {}\n{}",
                theirs.status,
                ours.status,
                String::from_utf8_lossy(&ours.stderr)
            )
        })
    }))
}

/// Builds the command next to this program.
pub(crate) fn build() -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run::output(Command::new(cargo).current_dir(crate::paths::workspace()).args([
        "build",
        "--quiet",
        "--package",
        "gotrail-cli",
    ]))?;
    let here = env::current_exe()?;
    Ok(here.with_file_name(format!("gotrail{}", env::consts::EXE_SUFFIX)))
}
