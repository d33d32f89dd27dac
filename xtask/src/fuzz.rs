//! `cargo xtask fuzz`: builds the fuzz targets, gives them seeds, runs one after the other, and
//! says how many inputs each tried and what it found. `fuzz/README.md` has the rest.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;
use gotrail_checks::{CHECKS, Check, plan, reading, reference, shrink, wire};

use crate::conformance;
use crate::peer::Peer;
use crate::{ours, outcome, paths, run, test};

/// What the subcommand can be told.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Run only these targets [default: all]
    #[arg(long, value_delimiter = ',', value_name = "TARGET")]
    target: Vec<String>,
    /// For how many minutes each
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    minutes: f64,
    /// Make this input smaller for as long as its target fails on it
    #[arg(long, value_name = "FILE", requires = "target")]
    shrink: Option<PathBuf>,
}

/// What the inputs of a target are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Input {
    Trace,
    Text,
    /// The choices of a plan; the check is given the trace.
    Choices,
}

/// A target: its name, its inputs, and the check that it makes of them.
type Target = (&'static str, Input, fn(&[u8]));

/// All targets, the most important first.
fn targets() -> Vec<Target> {
    let input = |&(name, check): &Check| {
        (name, if name == "text" { Input::Text } else { Input::Trace }, check)
    };
    let mut targets: Vec<Target> = CHECKS.iter().map(input).collect();
    targets.push(("planned", Input::Choices, gotrail_checks::all));
    targets.push(("planned_threads", Input::Choices, reading::speculation));
    targets.push(("differential", Input::Trace, reference::differential));
    targets.push(("planned_differential", Input::Choices, reference::differential));
    targets
}

/// What came of running a target.
struct Run {
    executions: u64,
    findings: Vec<PathBuf>,
}

/// Runs the subcommand.
pub(crate) fn main(options: &Options) -> Result<()> {
    let mut chosen = targets();
    if let Some(unknown) =
        options.target.iter().find(|name| !chosen.iter().any(|target| target.0 == *name))
    {
        let names: Vec<&str> = chosen.iter().map(|target| target.0).collect();
        bail!("no target {unknown:?}; there are {}", names.join(", "));
    }
    if !options.target.is_empty() {
        chosen.retain(|target| options.target.iter().any(|name| name == target.0));
    }
    let peer = Peer::get()?;
    if let Some(file) = &options.shrink {
        let made = smaller(chosen[0], file, &peer)?;
        println!("{}", made.display());
        return Ok(());
    }
    seeds(&peer)?;
    let mut lines = Vec::new();
    let mut findings = Vec::new();
    for target in chosen {
        println!("=== {}", target.0);
        let run = one(target, options.minutes, &peer)?;
        let found = run.findings.len();
        lines.push(format!(
            "{:<22}{:>12} executions  {:>6} minutes  {found} findings",
            target.0, run.executions, options.minutes
        ));
        findings.extend(run.findings.into_iter().map(|file| (target, file)));
    }
    println!("===\n{}", lines.join("\n"));
    for (target, file) in &findings {
        let made = smaller(*target, file, &peer)?;
        println!("{}: {}", target.0, paths::show(&made));
    }
    if findings.is_empty() {
        return Ok(());
    }
    bail!("{} findings; give them a name in fuzz/regressions and repair", findings.len())
}

/// The folder of the fuzz targets.
fn folder() -> PathBuf {
    paths::workspace().join("fuzz")
}

fn seed_folder(input: Input) -> PathBuf {
    folder().join("corpus/seeds").join(match input {
        Input::Trace => "traces",
        Input::Text => "text",
        Input::Choices => "choices",
    })
}

/// Writes what the fuzzers begin with: recorded traces, Go's archives and fuzz cases, what once
/// failed; the same as text; and random choices.
fn seeds(peer: &Peer) -> Result<()> {
    for input in [Input::Trace, Input::Text, Input::Choices] {
        fs::create_dir_all(seed_folder(input))?;
    }
    let write = |name: usize, bytes: &[u8]| -> Result<()> {
        fs::write(seed_folder(Input::Trace).join(name.to_string()), bytes)?;
        if let Ok(text) = ours::to_text(bytes) {
            fs::write(seed_folder(Input::Text).join(name.to_string()), text)?;
        }
        Ok(())
    };
    for (name, bytes) in conformance::small_traces(peer)?.iter().enumerate() {
        write(name, bytes)?;
    }
    let mut random = fastrand::Rng::with_seed(1);
    for name in 0..200 {
        let choices: Vec<u8> = (0..random.usize(..1000)).map(|_| random.u8(..)).collect();
        fs::write(seed_folder(Input::Choices).join(name.to_string()), &choices)?;
        let planned = plan::valid(&mut plan::Choices::new(&choices));
        fs::write(seed_folder(Input::Trace).join(format!("planned-{name}")), planned)?;
    }
    Ok(())
}

/// Runs one target.
fn one((target, input, _): Target, minutes: f64, peer: &Peer) -> Result<Run> {
    let artifacts = folder().join("artifacts").join(target);
    let corpus = folder().join("corpus").join(target);
    fs::create_dir_all(&artifacts)?;
    fs::create_dir_all(&corpus)?;
    let before = files(&artifacts)?;
    // cargo-fuzz needs the nightly compiler. There is next to no unsafe code, so that assertions
    // find more than sanitizers; they are on by default.
    let mut command = Command::new("rustup");
    command
        .args(["run", "nightly", "cargo", "fuzz", "run", "--sanitizer", "none", target])
        .args([&corpus, &seed_folder(input)])
        .args(["--", "-print_final_stats=1", "-max_len=16384", "-len_control=0", "-timeout=20"])
        .args(["-rss_limit_mb=2048".to_owned(), format!("-max_total_time={}", minutes * 60.0)])
        .current_dir(paths::workspace())
        .env(reference::PEER, peer.path("peer"))
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    let advice = "it needs rustup, the nightly toolchain, and cargo-fuzz \
                  (`cargo install cargo-fuzz --locked`)";
    let name = run::name(&command);
    let mut child = command.spawn().with_context(|| format!("cannot start `{name}`; {advice}"))?;
    let stderr = child.stderr.take().context("a pipe was asked for")?;
    let (mut executions, mut last) = (None, Vec::new());
    for line in BufReader::new(stderr).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        if let Some(number) = line.strip_prefix("stat::number_of_executed_units:") {
            executions = number.trim().parse().ok();
        }
        if line.contains("panicked at") || line.contains("ERROR: libFuzzer") {
            println!("{line}");
        }
        last.push(line);
        if last.len() > 30 {
            last.remove(0);
        }
    }
    child.wait()?;
    let findings: Vec<PathBuf> = files(&artifacts)?.difference(&before).cloned().collect();
    match executions {
        Some(executions) => Ok(Run { executions, findings }),
        // A crash ends it before it counts.
        None if !findings.is_empty() => Ok(Run { executions: 0, findings }),
        None => bail!("{target} did not run; {advice}\n{}", last.join("\n")),
    }
}

fn files(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

/// Makes a finding smaller; returns the file with the smaller one, which is a trace (or text)
/// whatever the target's inputs are.
fn smaller((name, input, check): Target, file: &Path, peer: &Peer) -> Result<PathBuf> {
    reference::set_program(&peer.path("peer"));
    outcome::keep_panic_messages();
    let mut bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    if input == Input::Choices {
        bytes = plan::trace(&bytes);
    }
    let check = if input == Input::Text { wire::text } else { check };
    let mut fails = |bytes: &[u8]| shrink::fails(check, bytes);
    if !fails(&bytes) {
        println!("{name} does not fail on {} here", file.display());
    } else {
        bytes = shrink::shrink(&bytes, &mut fails);
    }
    let path = file.with_extension("smaller");
    fs::write(&path, bytes)?;
    Ok(path)
}

/// Runs the properties of `gotrail-checks` for longer than a plain `cargo test` does, against Go's
/// own reader too.
pub(crate) fn properties() -> Result<()> {
    let peer = Peer::get()?;
    let mut command = Command::new(test::program());
    test::finish(
        command
            .args(["test", "-p", "gotrail-checks", "--test", "properties", "--test", "upstream"])
            .env("GOTRAIL_TIMES", "20")
            .env(reference::PEER, peer.path("peer")),
    )
}
