//! `gotrail gc`: what the garbage collector did, and what it cost.

use crate::failure::wrong_usage;
use crate::output::Output;
use crate::query::{Answer, Query};
use crate::table::{Cell, Format, Table, column};
use crate::{Verdict, times};
use anyhow::Result;
use gotrail_analyze::gc::Heap;
use gotrail_analyze::mmu::Flags;
use gotrail_analyze::{Histogram, Options, StrId};
use rustc_hash::FxHashMap;

const EXAMPLES: &str = "\
Examples:
  gotrail gc trace.out
  gotrail gc --show stops --sort duration trace.out
  gotrail gc --show heap --csv trace.out > heap.csv
  gotrail gc --json trace.out | jq .cpu_share

docs/analyses.md defines every figure.";

/// Show what the garbage collector did: cycles, stops, assists, sweeps, the heap.
///
/// It works for all goroutines: filters by function, goroutine, task and region are for --show assists.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    query: Query,
    /// Which table to print.
    #[arg(long, value_enum, default_value_t = Show::Summary)]
    show: Show,
    #[command(flatten)]
    format: Format,
}

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Show {
    /// The figures of the whole trace.
    Summary,
    /// Each cycle's concurrent mark phase.
    Cycles,
    /// Stops of the world by reason.
    Reasons,
    /// Each stop of the world.
    Stops,
    /// Goroutines that had to assist.
    Assists,
    /// Allocated bytes and goal over time.
    Heap,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let part = &args.query.part;
    if args.show != Show::Assists && part.names_goroutines() {
        wrong_usage!(
            "the collector works for all goroutines: --function, --goroutine, --task and --region \
             go with --show assists"
        );
    }
    let answer = args.query.run(Options::default())?;
    let (table, usually) = match args.show {
        Show::Summary => {
            args.format.need_one_row()?;
            return summary(&answer, args);
        }
        Show::Cycles => (cycles(&answer), "after"),
        Show::Reasons => (reasons(&answer), "total"),
        Show::Stops => (stops(&answer), "after"),
        Show::Assists => (assists(&answer), "assist"),
        Show::Heap => (heap(&answer), "after"),
    };
    print(table, usually, args)
}

fn print(mut table: Table, usually: &str, args: &Args) -> Result<Verdict> {
    table.sort(&args.format, usually)?;
    table.print(&mut Output::new(), &args.format)
}

/// How much of two times lies in the part that is asked for.
fn counted(answer: &Answer, start: Option<i64>, end: Option<i64>) -> i64 {
    let (from, until) = answer.window();
    let start = start.unwrap_or(answer.start.time).max(from);
    (end.unwrap_or(answer.analysis.end()).min(until) - start).max(0)
}

/// The figures of the whole trace, in one row.
pub(super) fn figures(answer: &Answer) -> Table {
    let analysis = &answer.analysis;
    let (gc, names) = (&analysis.gc, &analysis.names);
    let (from, until) = answer.window();
    let mark: i64 = gc.cycles.iter().map(|cycle| counted(answer, cycle.start, cycle.end)).sum();
    let cycles = gc.cycles.iter().filter(|cycle| {
        cycle.start.is_none_or(|start| start < until) && cycle.end.is_none_or(|end| end > from)
    });
    let stopped: i64 = stops_in(answer).map(|stop| counted(answer, stop.start, stop.end)).sum();
    let (mut assist, mut workers, mut sweep) = (0, 0, 0);
    let sweep_name = names.known_string(b"GC incremental sweep");
    for goroutine in analysis.goroutines.iter() {
        assist += times::assist(names, &goroutine.times);
        if names.string(goroutine.name) == "runtime.gcBgMarkWorker" {
            workers += goroutine.times.running;
        }
        sweep += sweep_name.and_then(|name| goroutine.times.ranges.get(name)).unwrap_or(0);
    }
    let taken = Flags { background: true, assist: true, sweep: true, ..Flags::default() };
    let share = 1.0 - gc.mmu(taken, analysis.start(), analysis.end()).mean(from, until);
    let peak = heap_steps(answer).map(|(_, heap)| heap.allocated).max().unwrap_or(0);
    let goal =
        heap_steps(answer).filter(|(_, heap)| heap.goal > 0).last().map(|(_, heap)| heap.goal);
    let columns = &[
        column("cycles", "cycles"),
        column("mark", "concurrent mark"),
        column("stops", "stops of the world"),
        column("stopped", "stopped"),
        column("longest_stop", "longest stop"),
        column("workers", "mark workers ran"),
        column("cpu_share", "share of processor time"),
        column("assist", "goroutines in assists"),
        column("sweep", "goroutines in sweeps"),
        column("swept_bytes", "swept"),
        column("reclaimed_bytes", "reclaimed"),
        column("heap_peak", "most allocated"),
        column("heap_goal", "last goal"),
    ];
    let longest = stops_in(answer).map(|stop| counted(answer, stop.start, stop.end)).max();
    let row = vec![
        Cell::Count(cycles.count() as u64),
        Cell::Nanos(mark),
        Cell::Count(stops_in(answer).count() as u64),
        Cell::Nanos(stopped),
        Cell::Nanos(longest.unwrap_or(0)),
        Cell::Nanos(workers),
        Cell::Share(share),
        Cell::Nanos(assist),
        Cell::Nanos(sweep),
        Cell::Bytes(gc.swept.swept),
        Cell::Bytes(gc.swept.reclaimed),
        Cell::Bytes(peak),
        goal.map_or(Cell::None, Cell::Bytes),
    ];
    let mut table = Table::new("summary", columns);
    table.push(row);
    table
}

fn summary(answer: &Answer, args: &Args) -> Result<Verdict> {
    let table = figures(answer);
    if args.format.is_for_programs() {
        return table.print(&mut Output::new(), &args.format);
    }
    let mut output = Output::new();
    table.write_fields(&mut output);
    if stops_in(answer).next().is_some() {
        output.buffer().extend_from_slice(b"\nStops of the world\n");
        let mut table = reasons(answer);
        table.sort(&args.format.unsorted(), "total")?;
        return table.print(&mut output, &args.format.unsorted());
    }
    output.flush()?;
    Ok(Verdict::Fine)
}

fn after(answer: &Answer, time: Option<i64>) -> Cell {
    time.map_or(Cell::None, |time| Cell::Offset(time - answer.start.time))
}

/// Each cycle.
pub(super) fn cycles(answer: &Answer) -> Table {
    let columns = &[
        column("number", "cycle"),
        column("after", "mark begins after"),
        column("start", ""),
        column("end", ""),
        column("mark", "concurrent mark"),
        column("since_last", "since the last"),
    ];
    let mut table = Table::new("cycle", columns);
    let mut last = None;
    for (number, cycle) in answer.analysis.gc.cycles.iter().enumerate() {
        let since = cycle.start.zip(last).map(|(start, last): (i64, i64)| start - last);
        last = cycle.end;
        if counted(answer, cycle.start, cycle.end) == 0 {
            continue;
        }
        let length = cycle.start.zip(cycle.end).map(|_| counted(answer, cycle.start, cycle.end));
        table.push(vec![
            Cell::Count(number as u64 + 1),
            after(answer, cycle.start),
            cycle.start.map_or(Cell::None, Cell::Id),
            cycle.end.map_or(Cell::None, Cell::Id),
            length.map_or(Cell::None, Cell::Nanos),
            since.map_or(Cell::None, Cell::Nanos),
        ]);
    }
    table
}

fn stops_in(answer: &Answer) -> impl Iterator<Item = &gotrail_analyze::gc::StopTheWorld> {
    let stops = answer.analysis.gc.stops.iter();
    stops.filter(|stop| counted(answer, stop.start, stop.end) > 0)
}

/// The reason alone: every name begins with "stop-the-world".
fn reason(answer: &Answer, name: StrId) -> String {
    let name = String::from_utf8_lossy(answer.analysis.names.string(name)).into_owned();
    let inner = name.strip_prefix("stop-the-world (").and_then(|name| name.strip_suffix(')'));
    inner.map(str::to_owned).unwrap_or(name)
}

/// Stops of the world by reason.
pub(super) fn reasons(answer: &Answer) -> Table {
    let mut by_reason = FxHashMap::<StrId, Histogram>::default();
    for stop in stops_in(answer) {
        if stop.start.is_some() && stop.end.is_some() {
            let length = counted(answer, stop.start, stop.end);
            by_reason.entry(stop.reason).or_default().record(length);
        }
    }
    let mut columns = vec![column("reason", "reason"), column("count", "count")];
    columns.extend(times::DISTRIBUTION);
    let mut table = Table::new("reason", &columns);
    for (name, histogram) in by_reason {
        let mut row = vec![Cell::Text(reason(answer, name)), Cell::Count(histogram.count())];
        row.extend(times::distribution(&histogram));
        table.push(row);
    }
    table
}

/// Each stop of the world.
pub(super) fn stops(answer: &Answer) -> Table {
    let columns = &[
        column("reason", "reason"),
        column("after", "begins after"),
        column("start", ""),
        column("end", ""),
        column("duration", "duration"),
        column("goroutine", "goroutine"),
    ];
    let mut table = Table::new("stop", columns);
    for stop in stops_in(answer) {
        let length = stop.start.zip(stop.end).map(|_| counted(answer, stop.start, stop.end));
        table.push(vec![
            Cell::Text(reason(answer, stop.reason)),
            after(answer, stop.start),
            stop.start.map_or(Cell::None, Cell::Id),
            stop.end.map_or(Cell::None, Cell::Id),
            length.map_or(Cell::None, Cell::Nanos),
            stop.go.some().map_or(Cell::None, |go| Cell::Id(go.0)),
        ]);
    }
    table
}

/// Goroutines that had to assist.
pub(super) fn assists(answer: &Answer) -> Table {
    let columns = &[
        column("goroutine", "goroutine"),
        column("function", "function"),
        column("assist", "GC assist"),
        column("total", "of"),
        column("share", "share"),
    ];
    let names = &answer.analysis.names;
    let mut table = Table::new("goroutine", columns);
    for goroutine in answer.goroutines() {
        let assist = times::assist(names, &goroutine.times);
        if assist == 0 {
            continue;
        }
        let total = goroutine.times.total;
        table.push(vec![
            Cell::Id(goroutine.id.0),
            Cell::Text(times::function(names, goroutine.name)),
            Cell::Nanos(assist),
            Cell::Nanos(total),
            Cell::Share(if total == 0 { 0.0 } else { assist as f64 / total as f64 }),
        ]);
    }
    table
}

/// The heap in each step of the part that is asked for, the goal with what it was before; where
/// nothing is said in the first step, what was said last before it.
fn heap_steps(answer: &Answer) -> impl Iterator<Item = (i64, Heap)> {
    let (from, until) = answer.window();
    let heap = &answer.analysis.gc.heap;
    let mut known = Heap::default();
    let mut steps = heap.steps();
    let mut first = true;
    std::iter::from_fn(move || {
        loop {
            let (time, step) = steps.next().filter(|&(time, _)| time < until)?;
            if step.goal != 0 {
                known.goal = step.goal;
            }
            if time + heap.step() <= from {
                if step.allocated != 0 {
                    known.allocated = step.allocated;
                }
                continue;
            }
            let carried = if first { known.allocated } else { 0 };
            first = false;
            let allocated = if step.allocated != 0 { step.allocated } else { carried };
            return Some((time.max(from), Heap { allocated, goal: known.goal }));
        }
    })
}

fn heap(answer: &Answer) -> Table {
    let columns =
        &[column("after", "after"), column("allocated", "most allocated"), column("goal", "goal")];
    let mut table = Table::new("step", columns);
    for (time, Heap { allocated, goal }) in heap_steps(answer) {
        if allocated == 0 {
            continue;
        }
        table.push(vec![
            Cell::Offset((time - answer.start.time).max(0)),
            Cell::Bytes(allocated),
            if goal == 0 { Cell::None } else { Cell::Bytes(goal) },
        ]);
    }
    table
}
