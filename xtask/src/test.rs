//! `cargo xtask test`: everything that must pass before a change is merged.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

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
    ("browser", browser),
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
    const PAGE: &str = "crates/gotrail-view/page";
    const STALE: &str =
        "crates/gotrail-view/page is not what `npm run build` makes of web/src: commit it";
    finish(Command::new("git").args(["diff", "--exit-code", "--stat", PAGE])).context(STALE)?;
    // Files that are new are no difference.
    let new = Command::new("git").args(["ls-files", "--others", PAGE]).output()?;
    ensure!(new.status.success() && new.stdout.is_empty(), "{STALE}");
    Ok(())
}

/// The viewer as a person uses it: a real server, in Chromium and in Firefox.
fn browser() -> Result<()> {
    let chromium = program_of("CHROMIUM", "chromium", "chromium")?;
    let firefox = program_of("FIREFOX", "firefox-esr", "firefox-esr")?;
    // The step before has built the page.
    cargo(&["build", "-p", "gotrail-cli"], &[])?;
    // Next to this program.
    let gotrail = env::current_exe()?.with_file_name("gotrail");
    let npm = |args: &[&str]| {
        let mut command = Command::new("npm");
        command.args(["--prefix", "web"]).args(args);
        finish(command.env("GOTRAIL", &gotrail).env("CHROMIUM", &chromium).env("FIREFOX", &firefox))
    };
    npm(&["ci", "--no-audit", "--no-fund"])?;
    npm(&["run", "e2e"])
}

/// Where a browser is. A variable names it; else it is looked for, and installed where it is missing.
fn program_of(variable: &str, name: &str, package: &str) -> Result<PathBuf> {
    if let Some(path) = env::var_os(variable) {
        return Ok(path.into());
    }
    let find = || {
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    run::apt_install(package)?;
    if find().is_none() {
        // Not root: with sudo, if that asks nothing.
        let mut command = Command::new("sudo");
        let _ = run::output(command.args(["-n", "apt-get", "install", "-y", package]));
    }
    find().with_context(|| {
        format!(
            "there is no {name}: install Debian's package {package}, or set {variable} to its path"
        )
    })
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
