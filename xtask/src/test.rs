//! `cargo xtask test`: everything that must pass before a change is merged.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::{bench, deny, fuzz, paths, run};

/// A step: its name, and how it is done.
type Step = (&'static str, fn() -> Result<()>);

/// All steps, quick ones first.
const STEPS: &[Step] = &[
    ("fmt", || cargo(&["fmt", "--all", "--check"], &[])),
    ("clippy", || cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], &[])),
    ("test", || cargo(&["test", "--workspace", "--all-targets"], &[])),
    ("doc tests", || cargo(&["test", "--workspace", "--doc"], &[])),
    ("properties", fuzz::properties),
    ("doc", || cargo(&["doc", "--workspace", "--no-deps"], &[("RUSTDOCFLAGS", "-D warnings")])),
    ("deny", deny::check),
    ("page", page),
    ("conformance", || {
        // A process of its own: it counts memory and keeps panics to itself.
        let mut command = Command::new(env::current_exe()?);
        finish(command.arg("conformance"))
    }),
    ("instructions", bench::check_instructions),
];

/// Runs every step, also after one has failed.
pub(crate) fn main() -> Result<()> {
    let mut failed = Vec::new();
    let mut times = Vec::new();
    for (name, step) in STEPS {
        println!("=== {name}");
        let start = Instant::now();
        if let Err(error) = step() {
            println!("{error:#}");
            failed.push(*name);
        }
        times.push(format!("{name} {:.0} s", start.elapsed().as_secs_f64()));
    }
    println!("=== times: {}", times.join(", "));
    let passed = STEPS.len() - failed.len();
    println!("xtask test: {passed} passed, {} failed", failed.len());
    if failed.is_empty() {
        return Ok(());
    }
    bail!("failed: {}", failed.join(", "))
}

/// The viewer's page: types, tests, and that what is committed as built is what is built.
fn page() -> Result<()> {
    let npm = |args: &[&str]| {
        let mut command = Command::new("npm");
        finish(command.args(["--prefix", "web"]).args(args))
    };
    npm(&["ci", "--no-audit", "--no-fund"])?;
    npm(&["run", "check"])?;
    npm(&["test"])?;
    npm(&["run", "build"])?;
    finish(Command::new("git").args(["diff", "--exit-code", "--stat", "web/dist"]))
        .context("web/dist is not what `npm run build` makes of web/src: commit it")
}

fn cargo(args: &[&str], environment: &[(&str, &str)]) -> Result<()> {
    let mut command = Command::new(program());
    finish(command.args(args).envs(environment.iter().copied()))
}

/// The cargo that runs us.
pub(crate) fn program() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

/// Runs a command that writes to our own output.
pub(crate) fn finish(command: &mut Command) -> Result<()> {
    let status = command
        .current_dir(paths::workspace())
        .status()
        .with_context(|| format!("cannot start `{}`", run::name(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", run::name(command));
    }
    Ok(())
}
