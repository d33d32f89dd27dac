//! `gotrail procs`: which procs were used, and who waited for one meanwhile.

use crate::Verdict;
use crate::failure::wrong_usage;
use crate::output::Output;
use crate::query::{Answer, Query};
use crate::table::{Cell, Format, Table, column};
use anyhow::Result;
use gotrail_analyze::Options;
use gotrail_analyze::procs::Load;
use gotrail_analyze::timeline::Step;
use std::num::NonZero;

const EXAMPLES: &str = "\
Examples:
  gotrail procs trace.out
  gotrail procs --show time --steps 20 trace.out
  gotrail procs --show changes trace.out
  gotrail procs --show summary --json trace.out

docs/analyses.md defines every figure.";

/// Show how procs were used: in all, each, over time, and GOMAXPROCS.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
// Refused, and so not offered.
#[command(mut_arg("function", |arg| arg.hide(true)))]
#[command(mut_arg("goroutine", |arg| arg.hide(true)))]
#[command(mut_arg("task", |arg| arg.hide(true)))]
#[command(mut_arg("region", |arg| arg.hide(true)))]
#[command(mut_arg("region_min", |arg| arg.hide(true)))]
#[command(mut_arg("region_max", |arg| arg.hide(true)))]
pub(crate) struct Args {
    #[command(flatten)]
    query: Query,
    /// Which table to print.
    #[arg(long, value_enum, default_value_t = Show::Each)]
    show: Show,
    /// With `--show time`: into how many steps the time is divided, at most [default: 25].
    #[arg(long, value_name = "N")]
    steps: Option<NonZero<usize>>,
    #[command(flatten)]
    format: Format,
}

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Show {
    /// All procs together.
    Summary,
    /// Each proc.
    Each,
    /// Utilization over time.
    Time,
    /// Changes of GOMAXPROCS.
    Changes,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let part = &args.query.part;
    let filtered = part.function.is_some()
        || !part.goroutine.is_empty()
        || part.task.is_some()
        || part.names_regions();
    if filtered {
        wrong_usage!("procs belong to the whole program: of the filters they have --from and --to");
    }
    if args.show == Show::Summary {
        args.format.need_one_row()?;
    }
    if args.steps.is_some() && args.show != Show::Time {
        wrong_usage!("--steps is for --show time");
    }
    let answer = args.query.run(Options { procs: true, ..Options::default() })?;
    let table = match args.show {
        Show::Summary => summary(&answer),
        Show::Each => each(&answer),
        Show::Time => time(&answer, args.steps.map_or(25, NonZero::get)),
        Show::Changes => changes(&answer),
    };
    let mut output = Output::new();
    if args.show == Show::Summary && !args.format.is_for_programs() {
        table.write_fields(&mut output);
        output.flush()?;
        return Ok(Verdict::Fine);
    }
    table.sorted(&args.format)?.print(&mut output, &args.format)
}

/// The time that counts: of the trace, or of the part of it that is asked for.
fn counted(answer: &Answer) -> (i64, i64) {
    let (from, until) = answer.window();
    (from.max(answer.start.time), until.min(answer.analysis.end()))
}

/// A share, if it is known how much there was: GOMAXPROCS may not be in the trace.
fn share(part: i64, whole: i64) -> Cell {
    if whole == 0 { Cell::None } else { Cell::Share(part as f64 / whole as f64) }
}

/// All procs together, in one row.
pub(super) fn summary(answer: &Answer) -> Table {
    let columns = &[
        column("gomaxprocs", "GOMAXPROCS"),
        column("duration", "duration"),
        column("held", "procs held by threads"),
        column("utilization", "utilization"),
        column("idle_while_runnable", "idle while goroutines were runnable"),
        column("idle_while_runnable_share", "share of that"),
        column("runnable_mean", "goroutines runnable, on average"),
        column("starts", "starts"),
        column("steals", "steals"),
    ];
    let mut table = Table::new("summary", columns);
    let Some(procs) = &answer.analysis.procs else { return table };
    let (from, until) = counted(answer);
    let duration = until - from;
    let mean = procs.total.runnable as f64 / duration.max(1) as f64;
    let last = procs.changes.iter().rfind(|change| change.0 < until).or(procs.changes.first());
    table.push(vec![
        last.map_or(Cell::None, |change| Cell::Count(change.1 as u64)),
        Cell::Nanos(duration),
        Cell::Nanos(procs.total.held),
        share(procs.total.held, procs.total.procs),
        Cell::Nanos(procs.total.idle_while_runnable),
        share(procs.total.idle_while_runnable, procs.total.procs),
        Cell::Number(mean),
        Cell::Count(procs.procs.values().map(|proc| proc.starts).sum()),
        Cell::Count(procs.procs.values().map(|proc| proc.steals).sum()),
    ]);
    table
}

/// Each proc.
pub(super) fn each(answer: &Answer) -> Table {
    let columns = &[
        column("proc", "proc"),
        column("held", "held by a thread"),
        column("utilization", "utilization"),
        column("starts", "starts"),
        column("steals", "steals in syscalls"),
    ];
    let mut table = Table::new("proc", columns);
    let Some(procs) = &answer.analysis.procs else { return table };
    let (from, until) = counted(answer);
    let duration = until - from;
    for (&id, proc) in &procs.procs {
        table.push(vec![
            Cell::Id(id),
            Cell::Nanos(proc.held),
            share(proc.held, duration),
            Cell::Count(proc.starts),
            Cell::Count(proc.steals),
        ]);
    }
    table
}

fn time(answer: &Answer, steps: usize) -> Table {
    let columns = &[
        column("after", "after"),
        column("duration", "during"),
        column("utilization", "utilization"),
        column("procs", "procs held"),
        column("runnable", "goroutines runnable"),
        column("idle_while_runnable", "idle while runnable"),
    ];
    let mut table = Table::new("step", columns);
    let Some(procs) = &answer.analysis.procs else { return table };
    let (from, until) = counted(answer);
    let shown: Vec<_> = procs.timeline.steps().filter(|(time, _)| *time < until).collect();
    for group in shown.chunks(shown.len().div_ceil(steps).max(1)) {
        let mut load = Load::default();
        group.iter().for_each(|(_, step)| load.add(step));
        // The first and the last step lie in the time in part only.
        let start = group[0].0.max(from);
        let stop = (group[group.len() - 1].0 + procs.timeline.step()).min(until);
        let long = (stop - start).max(1);
        table.push(vec![
            Cell::Offset(start - answer.start.time),
            Cell::Nanos(long),
            share(load.held, load.procs),
            Cell::Number(load.held as f64 / long as f64),
            Cell::Number(load.runnable as f64 / long as f64),
            share(load.idle_while_runnable, load.procs),
        ]);
    }
    table
}

/// Changes of GOMAXPROCS.
pub(super) fn changes(answer: &Answer) -> Table {
    let columns = &[column("after", "after"), column("gomaxprocs", "GOMAXPROCS")];
    let mut table = Table::new("change", columns);
    let (from, until) = answer.window();
    for &(time, number) in answer.analysis.procs.iter().flat_map(|procs| &procs.changes) {
        if !(from..until).contains(&time) {
            continue;
        }
        table.push(vec![Cell::Offset(time - answer.start.time), Cell::Count(number as u64)]);
    }
    table
}
