//! `gotrail regions`: the regions of the annotation API.

use crate::output::Output;
use crate::query::{Answer, Part, Query};
use crate::table::{Cell, Column, Format, Table, column};
use crate::{Verdict, times};
use anyhow::Result;
use gotrail::TaskId;
use gotrail_analyze::{Histogram, Options, Region, StrId, Times};
use indexmap::IndexMap;

const EXAMPLES: &str = "\
Examples:
  gotrail regions trace.out
  gotrail regions --sort p99 --region 'db|cache' trace.out
  gotrail regions --each --sort duration --top 10 trace.out
  gotrail regions --each --region-min 10ms --json trace.out | jq .goroutine

docs/analyses.md defines every figure.";

/// Show the regions of the annotation API, grouped by type.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    query: Query,
    /// One row for each region.
    #[arg(long)]
    each: bool,
    #[command(flatten)]
    format: Format,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let answer = args.query.run(Options { regions: true, ..Options::default() })?;
    let regions = shown(&answer, &args.query.part);
    let mut table = if args.each { each(&answer, regions) } else { by_type(&answer, regions) };
    table.sort(&args.format, if args.each { "start" } else { "total" })?;
    table.print(&mut Output::new(), &args.format)
}

/// All regions by type; an analysis must have been asked for them.
pub(super) fn types(answer: &Answer) -> Table {
    by_type(answer, shown(answer, &Part::default()))
}

/// The regions that are asked for.
fn shown<'a>(answer: &'a Answer, part: &'a Part) -> impl Iterator<Item = &'a Region> {
    let (from, until) = answer.window();
    let names = &answer.analysis.names;
    let shown = move |region: &&Region| {
        let name = String::from_utf8_lossy(names.string(region.name));
        let named = |id| {
            answer.scope.as_ref().is_none_or(|scope| {
                scope.goroutines.as_ref().is_none_or(|named| named.contains_key(&id))
            })
        };
        // One without a type is only where a goroutine stands that was created in a region.
        region.name != StrId::EMPTY
            && part.region.as_ref().is_none_or(|regex| regex.is_match(&name))
            && part.task.is_none_or(|task| region.task == TaskId(task))
            && part.has_length(region, &answer.analysis)
            && named(region.go)
            && region.start.is_none_or(|start| start < until)
            && region.end.is_none_or(|end| end > from)
    };
    answer.analysis.goroutines.regions().iter().filter(shown)
}

fn duration(region: &Region) -> Option<i64> {
    region.start.zip(region.end).map(|(start, end)| end - start)
}

fn by_type<'a>(answer: &'a Answer, regions: impl Iterator<Item = &'a Region>) -> Table {
    let mut types = IndexMap::<StrId, (Histogram, u64, Times)>::new();
    for region in regions {
        let (histogram, incomplete, sum) = types.entry(region.name).or_default();
        match duration(region) {
            Some(nanos) => histogram.record(nanos),
            None => *incomplete += 1,
        }
        sum.add(&region.times);
    }
    let mut columns = vec![column("type", "type"), column("count", "count")];
    columns.extend(times::DISTRIBUTION);
    columns.extend([
        column("incomplete", "incomplete"),
        column("running", "running"),
        column("runnable", "runnable"),
        column("syscall", "syscall"),
        column("blocked_total", "blocked"),
        column("blocked", "blocked by reason"),
    ]);
    let names = &answer.analysis.names;
    let mut table = Table::new("region type", &columns);
    for (name, (histogram, incomplete, sum)) in types {
        let mut row = vec![
            Cell::Text(String::from_utf8_lossy(names.string(name)).into_owned()),
            Cell::Count(histogram.count()),
        ];
        row.extend(times::distribution(&histogram));
        row.extend([
            Cell::Count(incomplete),
            Cell::Nanos(sum.running),
            Cell::Nanos(sum.runnable),
            Cell::Nanos(sum.syscall + sum.syscall_blocked),
            Cell::Nanos(sum.blocked.total()),
            Cell::Sums(times::sums(names, &sum.blocked)),
        ]);
        table.push(row);
    }
    table
}

const EACH: &[Column] = &[
    column("type", "type"),
    column("goroutine", "goroutine"),
    column("function", "function"),
    column("task", "task"),
    column("start", ""),
    column("end", ""),
    column("after", "begins after"),
    column("duration", "duration"),
    column("running", "running"),
    column("runnable", "runnable"),
    column("syscall", "syscall"),
    column("blocked_total", "blocked"),
    column("blocked", "blocked by reason"),
];

fn each<'a>(answer: &'a Answer, regions: impl Iterator<Item = &'a Region>) -> Table {
    let names = &answer.analysis.names;
    let mut table = Table::new("region", EACH);
    for region in regions {
        let goroutine = answer.analysis.goroutines.get(region.go);
        let times = &region.times;
        let none = region.task == TaskId(0) || region.task == TaskId::NONE;
        table.push(vec![
            Cell::Text(String::from_utf8_lossy(names.string(region.name)).into_owned()),
            Cell::Id(region.go.0),
            goroutine.map_or(Cell::None, |go| Cell::Text(times::function(names, go.name))),
            if none { Cell::None } else { Cell::Id(region.task.0 as i64) },
            region.start.map_or(Cell::None, Cell::Id),
            region.end.map_or(Cell::None, Cell::Id),
            region.start.map_or(Cell::None, |start| Cell::Offset(start - answer.start.time)),
            duration(region).map_or(Cell::None, Cell::Nanos),
            Cell::Nanos(times.running),
            Cell::Nanos(times.runnable),
            Cell::Nanos(times.syscall + times.syscall_blocked),
            Cell::Nanos(times.blocked.total()),
            Cell::Sums(times::sums(names, &times.blocked)),
        ]);
    }
    table
}
