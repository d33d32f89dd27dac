//! `cargo xtask conformance`: everything as the reference has it.
//!
//! One module for each check:
//!
//! - [`archives`]: the `.test` archives of Go's trace reader;
//! - [`fuzz`]: its fuzz cases;
//! - [`recordings`]: Go's test programs, recorded with each toolchain;
//! - [`real`]: traces of real programs;
//! - [`mutants`]: broken traces;
//! - [`simulated`]: traces of simulated programs;
//! - [`analyses`]: what the `gotrail` command finds out about traces;
//! - [`command`]: the `gotrail` command itself;
//! - [`profiles`]: its profiles;
//!
//! and [`check`] for what is checked of every single trace.

mod analyses;
mod archives;
mod check;
mod command;
mod fuzz;
mod mutants;
mod profiles;
mod real;
mod recordings;
mod simulated;

use std::io::{IsTerminal, Write};
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::outcome;
use crate::peer::Peer;
use crate::toolchain::{NEWEST, RELEASES, Toolchain};

/// How many failures are shown in full.
const SHOWN: usize = 12;

/// What the subcommand can be told.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// All checks with all Go releases, and ten times as many mutants
    #[arg(long)]
    full: bool,
    /// How many things to check at once [default: one for each processor]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Do only these checks
    #[arg(long, value_delimiter = ',', value_name = "CHECK")]
    only: Vec<Check>,
    /// How many mutants to check [default: 2000, or 20000 with --full]
    #[arg(long, value_name = "N")]
    mutants: Option<u64>,
    /// The seed of the mutants
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Check this mutant alone and say all about it
    #[arg(long, value_name = "NUMBER")]
    mutant: Option<u64>,
}

/// A check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Check {
    /// The `.test` archives of Go's trace reader
    Archives,
    /// Its fuzz cases
    Fuzz,
    /// The traces of the repository and Go's test programs
    Recordings,
    /// Traces of real programs (only with --full, or when named)
    Real,
    /// Broken traces
    Mutants,
    /// Traces of simulated programs
    Simulated,
    /// What the gotrail command finds out: goroutines, tasks, utilization
    Analyses,
    /// The gotrail command
    Command,
    /// Its profiles, against those of `go tool trace`
    Profiles,
}

/// Runs the subcommand.
pub(crate) fn main(options: &Options) -> Result<()> {
    outcome::keep_panic_messages();
    let jobs = options
        .jobs
        .or_else(|| thread::available_parallelism().ok().map(NonZero::get))
        .unwrap_or(1);
    let peer = Peer::get()?;
    let report = Report::default();
    // The archives and fuzz cases of the oldest and the newest are all there are.
    let ends = [Toolchain::get(RELEASES[0])?, Toolchain::get(NEWEST)?];
    if let Some(number) = options.mutant {
        mutants::explain(&peer, &ends, options.seed, number, &report)?;
        return report.finish("the mutant");
    }
    let all = if options.full {
        RELEASES.iter().map(|version| Toolchain::get(version)).collect::<Result<Vec<_>>>()?
    } else {
        ends.to_vec()
    };
    let wanted = |check| {
        let default = options.full || check != Check::Real;
        if options.only.is_empty() { default } else { options.only.contains(&check) }
    };

    let mut counts = Vec::new();
    if wanted(Check::Archives) {
        report.begin("archives");
        counts.push(format!("{} archives", archives::run(&peer, &ends, &report)?));
    }
    if wanted(Check::Fuzz) {
        report.begin("fuzz cases");
        counts.push(format!("{} fuzz cases", fuzz::run(&peer, &all, &report)?));
    }
    if [Check::Recordings, Check::Analyses, Check::Profiles].into_iter().any(wanted) {
        report.begin("recordings");
        let traces = recordings::all(&peer, &all, options.full, &report)?;
        if wanted(Check::Recordings) {
            recordings::run(&peer, &traces, jobs, &report)?;
            counts.push(format!("{} recordings", traces.len()));
        }
        if wanted(Check::Analyses) {
            report.begin("analyses");
            let answers = analyses::run(&peer, &traces, jobs, &report)?;
            counts.push(format!("{answers} answers about them"));
        }
        if wanted(Check::Profiles) {
            report.begin("profiles");
            let profiles = profiles::run(&peer, &traces, jobs, &report)?;
            counts.push(format!("{profiles} profiles"));
        }
    }
    if wanted(Check::Real) {
        report.begin("real programs");
        counts.push(format!("{} real programs", real::run(&peer, &ends[0], jobs, &report)?));
    }
    if wanted(Check::Mutants) {
        report.begin("mutants");
        let count = options.mutants.unwrap_or(if options.full { 20_000 } else { 2_000 });
        let count = mutants::run(&peer, &ends, options.seed, count, jobs, &report)?;
        counts.push(format!("{count} mutants"));
    }
    if wanted(Check::Simulated) {
        report.begin("simulated programs");
        let seeds = if options.full { 10 } else { 1 };
        let count = simulated::run(&peer, seeds, jobs, &report)?;
        counts.push(format!("{count} simulated programs"));
    }
    if wanted(Check::Command) {
        report.begin("command");
        counts.push(format!("{} runs of the command", command::run(&peer, &report)?));
    }
    report.finish(&counts.join(", "))
}

/// The small traces that there are: of the repository, of Go's archives and of its fuzz cases.
pub(crate) fn small_traces(peer: &Peer) -> Result<Vec<Vec<u8>>> {
    let ends = [Toolchain::get(RELEASES[0])?, Toolchain::get(NEWEST)?];
    let bases = mutants::bases(peer, &ends)?.into_iter().map(|base| base.bytes);
    let mut traces: Vec<Vec<u8>> = bases.chain(fuzz::cases(&ends)?.into_keys()).collect();
    traces.sort();
    traces.dedup();
    Ok(traces)
}

/// Something that is not as the reference has it.
#[derive(Clone, Debug)]
struct Failure {
    name: String,
    detail: String,
}

impl Failure {
    fn new(name: &str, detail: &str) -> Self {
        Failure { name: name.to_owned(), detail: detail.to_owned() }
    }
}

/// Failures and remarks, told as they come.
#[derive(Default)]
struct Report {
    failures: Mutex<Vec<Failure>>,
    current: Mutex<Option<(&'static str, Instant)>>,
    steps: AtomicUsize,
}

impl Report {
    /// A new check begins.
    fn begin(&self, what: &'static str) {
        self.end();
        *self.current.lock().expect("no thread died") = Some((what, Instant::now()));
        self.steps.store(0, Ordering::Relaxed);
        println!("{what}");
    }

    /// Something of the current check is done.
    fn step(&self) {
        let steps = self.steps.fetch_add(1, Ordering::Relaxed) + 1;
        let mut out = std::io::stderr();
        if out.is_terminal() {
            let _ = write!(out, "\r  {steps} done ");
        }
    }

    /// A remark that is no failure.
    fn note(&self, text: &str) {
        println!("  note: {text}");
    }

    fn fail(&self, failure: Failure) {
        let mut failures = self.failures.lock().expect("no thread died");
        if failures.len() < SHOWN {
            println!("  DIFFERS {}\n    {}", failure.name, failure.detail);
        } else if failures.len() == SHOWN {
            println!("  (further differences are only counted)");
        }
        failures.push(failure);
    }

    fn end(&self) {
        if let Some((what, start)) = self.current.lock().expect("no thread died").take() {
            println!("  {what}: {:.1} s", start.elapsed().as_secs_f64());
        }
    }

    fn finish(&self, counts: &str) -> Result<()> {
        self.end();
        let failures = self.failures.lock().expect("no thread died");
        if failures.is_empty() {
            println!("conformance: {counts}: all as the reference");
            return Ok(());
        }
        let names: Vec<&str> =
            failures.iter().take(40).map(|failure| failure.name.as_str()).collect();
        println!("differences in: {}", names.join(", "));
        bail!("conformance: {counts}: {} differences from the reference", failures.len())
    }
}

/// Does the work for each item, on several threads, until one fails.
fn in_parallel<T: Sync>(
    jobs: usize,
    items: &[T],
    work: impl Fn(&T) -> Result<()> + Sync,
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let first_error = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, items.len().max(1)) {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = work(item) {
                        next.store(items.len(), Ordering::Relaxed);
                        first_error.lock().expect("no thread died").get_or_insert(error);
                    }
                }
            });
        }
    });
    match first_error.into_inner().expect("no thread died") {
        Some(error) => Err(error),
        None => Ok(()),
    }
}
