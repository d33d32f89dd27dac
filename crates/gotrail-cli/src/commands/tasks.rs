//! `gotrail tasks`: the tasks of the annotation API.

use crate::Verdict;
use crate::failure::wrong_usage;
use crate::output::Output;
use crate::query::{Answer, Query};
use crate::table::{Cell, Column, Format, Table, column};
use anyhow::Result;
use gotrail_analyze::Options;

const EXAMPLES: &str = "\
Examples:
  gotrail tasks trace.out
  gotrail tasks --sort duration --top 10 trace.out
  gotrail tasks --json trace.out | jq 'select(.end == null)'";

/// Show the tasks of the annotation API.
///
/// Those that were under way in the time asked for, and that one of the goroutines asked for worked
/// for. What a row says is of the whole task.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
// Refused, and so not offered.
#[command(mut_arg("region", |arg| arg.hide(true)))]
#[command(mut_arg("region_min", |arg| arg.hide(true)))]
#[command(mut_arg("region_max", |arg| arg.hide(true)))]
pub(crate) struct Args {
    #[command(flatten)]
    query: Query,
    #[command(flatten)]
    format: Format,
}

const COLUMNS: &[Column] = &[
    column("id", "task"),
    column("name", "type"),
    column("parent", "parent"),
    column("start", ""),
    column("end", ""),
    column("after", "begins after"),
    column("duration", "duration"),
    column("logs", "logs"),
    column("regions", "regions"),
    column("goroutines", "goroutines"),
];

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let part = &args.query.part;
    if part.names_regions() {
        wrong_usage!(
            "--region, --region-min and --region-max are not for tasks: `gotrail regions` says \
             which regions there are, and of which tasks"
        );
    }
    let answer = args.query.run(Options::default())?;
    let mut table = table(&answer, part.task);
    // People look for the slow ones; programs compare with `go tool trace`, which has them by id.
    let usually = if args.format.is_of_all() { "id" } else { "duration" };
    table.sort(&args.format, usually)?;
    table.print(&mut Output::new(), &args.format)
}

/// A row for each task, or for only one.
pub(super) fn table(answer: &Answer, only: Option<u64>) -> Table {
    let names = &answer.analysis.names;
    let time = |time: Option<i64>| time.map_or(Cell::None, Cell::Id);
    let mut table = Table::new("task", COLUMNS);
    for (id, task) in answer.tasks().filter(|task| only.is_none_or(|only| task.0.0 == only)) {
        let mut goroutines: Vec<_> = task.goroutines.iter().map(|go| go.0).collect();
        goroutines.sort_unstable();
        let after = task.start.map(|start| start - answer.start.time);
        let duration = task.start.zip(task.end).map(|(start, end)| end - start);
        table.push(vec![
            Cell::Id(id.0 as i64),
            Cell::Text(String::from_utf8_lossy(names.string(task.name)).into_owned()),
            task.parent.map_or(Cell::None, |parent| Cell::Id(parent.0 as i64)),
            time(task.start),
            time(task.end),
            after.map_or(Cell::None, Cell::Offset),
            duration.map_or(Cell::None, Cell::Nanos),
            Cell::Count(task.logs),
            Cell::Count(task.regions),
            Cell::Ids(goroutines),
        ]);
    }
    table
}
