//! cargo-deny: licences, bans and sources of our dependencies (`deny.toml`).
//!
//! It is installed once, in one pinned version, into a cache of its own. The
//! advisory database needs another download and changes every day, so that a
//! failure would say nothing about a change: it is not part of this check.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::test::{finish, program};
use crate::{paths, run};

const VERSION: &str = "0.20.2";

/// Checks all but advisories.
pub(crate) fn check() -> Result<()> {
    let deny = get().context("installing cargo-deny")?;
    finish(Command::new(deny).args(["--all-features", "check", "licenses", "bans", "sources"]))
}

/// The program: an installed one of that version, ours, or a new one.
fn get() -> Result<PathBuf> {
    let root = paths::cache()?.join("gotrail-tools").join(format!("cargo-deny-{VERSION}"));
    let ours = root.join("bin").join(format!("cargo-deny{}", env::consts::EXE_SUFFIX));
    for candidate in [PathBuf::from("cargo-deny"), ours.clone()] {
        let version = run::output(Command::new(&candidate).arg("--version")).unwrap_or_default();
        if String::from_utf8_lossy(&version).trim() == format!("cargo-deny {VERSION}") {
            return Ok(candidate);
        }
    }
    eprintln!("installing cargo-deny {VERSION} (once, takes some minutes)");
    run::output(
        Command::new(program())
            .args(["install", "--quiet", "--locked", "--version", VERSION, "--root"])
            .arg(&root)
            // What is built for this workspace is none of its business.
            .env("CARGO_TARGET_DIR", root.join("target"))
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
            .arg("cargo-deny"),
    )?;
    // It has been built; only the program is worth keeping.
    std::fs::remove_dir_all(root.join("target"))?;
    Ok(ours)
}
