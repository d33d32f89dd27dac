//! `gotrail mmu`: minimum mutator utilization.

use crate::Verdict;
use crate::failure::wrong_usage;
use crate::output::Output;
use crate::query::{Moment, Part, Query};
use crate::table::{Cell, Format, Table, column};
use anyhow::Result;
use gotrail_analyze::Options;
use gotrail_analyze::mmu::{Flags, Mmu};
use jiff::SignedDuration;
use std::num::NonZero;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  gotrail mmu trace.out
  gotrail mmu --window 1ms,10ms --flags stw+background+assist trace.out
  gotrail mmu --worst 5 --window 10ms --flags stw trace.out

Minimum mutator utilization is the least share of the processors that the program had in any
window of a length. Flags say what counts as taken away: stw (stop-the-world for the collector),
background (mark workers), assist, sweep, and perproc for the utilization of the worst proc in
place of the mean.

`go tool trace` counts a mark worker twice that runs again, and takes away only one when it stops:
what it says of windows with background is too high or too low, and is printed beside ours (in JSON
as `mmu`) for comparison.";

/// Show the minimum mutator utilization: the program's share of the processors at the worst time.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The trace; `-` is standard input.
    trace: PathBuf,
    /// Only from this time on: after the start, as `1.5s`, or on the wall clock, as
    /// `2026-11-22T08:30:00.5Z`.
    #[arg(long, value_name = "TIME")]
    from: Option<Moment>,
    /// Only until this time.
    #[arg(long, value_name = "TIME")]
    to: Option<Moment>,
    /// How many threads to use [default: the number of cores].
    #[arg(long, value_name = "N", value_parser = crate::query::thread_count)]
    threads: Option<NonZero<usize>>,
    /// Lengths of windows [default: 10us to 1s, each ten times the last; in a table only
    /// those that fit into the trace].
    #[arg(long, value_name = "TIME", value_delimiter = ',')]
    window: Vec<SignedDuration>,
    /// What counts as taken away, joined by `+`; several sets are separated by commas
    /// [default: the four sets that `go tool trace` is usually asked for].
    #[arg(long, value_name = "FLAGS", value_delimiter = ',')]
    flags: Vec<String>,
    /// Show the N worst windows of each length, too.
    #[arg(long, value_name = "N")]
    worst: Option<NonZero<usize>>,
    #[command(flatten)]
    format: Format,
}

const SETS: [&str; 4] = [
    "stw",
    "stw+background+assist",
    "stw+background+assist+sweep",
    "stw+background+assist+sweep+perproc",
];

fn parse(set: &str) -> Result<Flags> {
    let mut flags = Flags::default();
    for flag in set.split('+') {
        match flag {
            "stw" => flags.stw = true,
            "background" => flags.background = true,
            "assist" => flags.assist = true,
            "sweep" => flags.sweep = true,
            "perproc" => flags.per_proc = true,
            _ => wrong_usage!(
                "--flags {set}: there is no flag {flag:?}; there are stw, background, assist, \
                 sweep, perproc"
            ),
        }
    }
    Ok(flags)
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let sets: Vec<String> =
        if args.flags.is_empty() { SETS.map(str::to_owned).to_vec() } else { args.flags.clone() };
    let parsed = sets.iter().map(|set| parse(set)).collect::<Result<Vec<_>>>()?;
    let mut windows = Vec::new();
    for window in &args.window {
        match i64::try_from(window.as_nanos()) {
            Ok(nanos) if nanos > 0 => windows.push(nanos),
            _ => wrong_usage!("--window {window:#}: must be longer than nothing"),
        }
    }
    let part = Part { from: args.from, to: args.to, ..Part::default() };
    let whole = part.is_everything();
    let query = Query { trace: args.trace.clone(), part, threads: args.threads };
    let answer = query.run(Options::default())?;
    let end = answer.analysis.end();
    let (from, until) = answer.window();
    let start = answer.analysis.start();
    if windows.is_empty() {
        windows = (4..=9).map(|power| 10i64.pow(power)).collect();
        if !args.format.is_for_programs() {
            let looked_at = until.min(end).saturating_sub(from.max(start));
            // No one looks for windows that are longer than all of it.
            let fitting = windows.iter().filter(|window| **window <= looked_at).count();
            windows.truncate(fitting.max(1));
        }
    }
    let curves: Vec<Curve> = sets
        .into_iter()
        .zip(parsed)
        .map(|(set, flags)| Curve {
            set,
            mmu: answer.analysis.gc.mmu(flags, start, end).within(from, until),
            as_go: whole.then(|| answer.analysis.gc.mmu_as_go(flags, end)),
        })
        .collect();
    let table = match args.worst {
        None => least(&curves, &windows),
        Some(number) => worst(&curves, &windows, number.get(), answer.start.time),
    };
    let mut output = Output::new();
    table.sorted(&args.format)?.print(&mut output, &args.format)
}

/// The utilization with one set of flags.
struct Curve {
    set: String,
    mmu: Mmu,
    /// As `go tool trace` counts it, which does so for whole traces.
    as_go: Option<Mmu>,
}

fn least(curves: &[Curve], windows: &[i64]) -> Table {
    let columns = [
        column("flags", "flags"),
        column("window", "window"),
        column("least", "least"),
        column("mmu", "go tool trace says"),
    ];
    let mut table = Table::new("window", &columns);
    for Curve { set, mmu, as_go } in curves {
        for &window in windows {
            table.push(vec![
                Cell::Text(set.clone()),
                Cell::Nanos(window),
                Cell::Share(mmu.at(window)),
                as_go.as_ref().map_or(Cell::None, |as_go| Cell::Share(as_go.at(window))),
            ]);
        }
    }
    table
}

fn worst(curves: &[Curve], windows: &[i64], number: usize, begin: i64) -> Table {
    let columns = [
        column("flags", "flags"),
        column("window", "window"),
        column("utilization", "utilization"),
        column("after", "begins after"),
        column("start", ""),
    ];
    let mut table = Table::new("window", &columns);
    for Curve { set, mmu, .. } in curves {
        for &window in windows {
            for found in mmu.worst(window, number) {
                table.push(vec![
                    Cell::Text(set.clone()),
                    Cell::Nanos(found.length),
                    Cell::Share(found.utilization),
                    Cell::Offset(found.start - begin),
                    Cell::Id(found.start),
                ]);
            }
        }
    }
    table
}
