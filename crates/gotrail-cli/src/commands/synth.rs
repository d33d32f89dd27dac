//! `gotrail synth`: a trace of a simulated program, of any size.

use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::{Cli, Verdict, human, target};
use anyhow::{Context, Result};
use clap::CommandFactory;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use gotrail_synth::sim::{Config, Fault, GoRelease, Observer, Profile, Simulation};
use std::io::{BufWriter, Write as _};

const EXAMPLES: &str = "\
Examples:
  gotrail synth -o web.trace --profile web
  gotrail synth -o big.trace --events 100000000 --procs 64 --goroutines 10000
  gotrail synth -o - --seed 7 --go 1.22 | gotrail validate --deep -
  gotrail synth -o skewed.trace --profile syscalls --skew 1000000
  gotrail synth -o broken.trace --fault missing-unblock; gotrail validate broken.trace

The same arguments always give the same bytes. What is written is valid, unless a fault is asked
for: Go's tools read it too.";

/// Make the trace of a simulated program.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    target: target::Target,
    /// Where all chance comes from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// What the program does.
    #[arg(long, default_value = Profile::Mixed.name(), value_parser = one_of(Profile::ALL, Profile::name))]
    profile: Profile,
    /// GOMAXPROCS.
    #[arg(long, value_name = "N", default_value_t = 4)]
    procs: u32,
    /// About as many goroutines exist at a time.
    #[arg(long, value_name = "N", default_value_t = 100)]
    goroutines: u32,
    /// About as many events are written.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    events: u64,
    /// How many generations there are [default: one for each million events].
    #[arg(long, value_name = "N")]
    generations: Option<u64>,
    /// The Go release whose traces it looks like, 1.22 to 1.27.
    #[arg(long, value_name = "RELEASE", default_value_t = GoRelease::NEWEST)]
    go: GoRelease,
    /// The clocks of threads differ from the true one by up to N units of 64 ns.
    #[arg(long, value_name = "N", default_value_t = 0)]
    skew: u64,
    /// Clocks advance in steps of N units of 64 ns.
    #[arg(long, value_name = "N", default_value_t = 1)]
    coarse: u64,
    /// Something that a broken tracer, program or file system would do, once.
    #[arg(long, value_parser = one_of(Fault::ALL, Fault::name))]
    fault: Option<Fault>,
}

/// Takes one of some named things.
fn one_of<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let names = all.iter().map(|&one| name(one));
    PossibleValuesParser::new(names)
        .map(move |text| all.iter().copied().find(|&one| name(one) == text).unwrap_or(all[0]))
}

/// Moves the bar.
struct Bar<'a> {
    progress: &'a Progress,
    told: u64,
}

impl Observer for Bar<'_> {
    fn wrote(&mut self, events: u64) {
        self.progress.add(events - self.told);
        self.told = events;
    }
}

/// How much is written at once.
const PIECE: usize = 1 << 20;

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let config = Config {
        seed: args.seed,
        profile: args.profile,
        procs: args.procs,
        goroutines: args.goroutines,
        events: args.events,
        generations: args.generations.unwrap_or_else(|| args.events.div_ceil(1_000_000).max(1)),
        go: args.go,
        skew: args.skew,
        coarse: args.coarse,
        fault: args.fault,
    };
    // Numbers that cannot be are wrong usage, like words that are unknown.
    let simulation = Simulation::new(config)
        .unwrap_or_else(|error| Cli::command().error(ErrorKind::ValueValidation, error).exit());
    args.target.check()?;
    let progress = Progress::events(args.events, args.target.is_stdout());
    let written = args.target.write(|out| {
        let mut out = BufWriter::with_capacity(PIECE, out);
        let mut bar = Bar { progress: &progress, told: 0 };
        let totals = simulation.observe(&mut out, &mut bar);
        let written = totals.and_then(|totals| {
            out.into_inner()?.finish()?;
            Ok(totals)
        });
        let totals = written.context("cannot write the trace")?;
        if let Some(fault) = args.fault
            && totals.faults == 0
        {
            let what = format!("the fault {fault} found no opportunity");
            return Err(Failure::new(what).next("try more events, or another seed").into());
        }
        Ok(totals)
    });
    progress.finish();
    let totals = written?;
    if !args.target.is_stdout() {
        let mut out = Output::new();
        let events = human::counted(totals.events, "event");
        let generations = human::counted(totals.generations, "generation");
        let size = human::size(totals.bytes);
        writeln!(out.buffer(), "{events}, {generations}, {size}")?;
        out.flush()?;
    }
    Ok(Verdict::Fine)
}
