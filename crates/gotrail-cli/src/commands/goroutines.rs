//! `gotrail goroutines`: what goroutines did, by the function that they began with.

use crate::output::Output;
use crate::query::{Answer, Query};
use crate::table::{Cell, Column, Format, Table, column};
use crate::{Verdict, times};
use anyhow::Result;
use clap::ValueEnum as _;
use gotrail::GoState;
use gotrail_analyze::{Goroutine, Options, Region, StrId, Times};
use gotrail_format::gosort;
use rustc_hash::FxHashMap;

const EXAMPLES: &str = "\
Examples:
  gotrail goroutines trace.out
  gotrail goroutines --sort runnable --function 'net/http' trace.out
  gotrail goroutines --each --sort blocked_total --top 10 trace.out
  gotrail goroutines --each --state waiting --function worker trace.out
  gotrail goroutines --each --json trace.out | jq 'select(.sched_wait > 1e6) | .id'

docs/analyses.md defines every figure.";

/// Show what goroutines did, grouped by the function that they began with.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    query: Query,
    /// One row for each goroutine.
    #[arg(long)]
    each: bool,
    /// With --each: only goroutines that are in one of these states at the end.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "STATE",
        requires = "each",
        help_heading = "Filters"
    )]
    state: Vec<State>,
    #[command(flatten)]
    format: Format,
}

/// The state of a goroutine at the end of the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum State {
    /// Waiting for a proc.
    Runnable,
    /// Running.
    Running,
    /// Waiting for something to happen.
    Waiting,
    /// In a system call.
    Syscall,
    /// It has ended.
    Ended,
}

impl State {
    fn name(self) -> String {
        self.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned())
    }

    fn of(goroutine: &Goroutine) -> Option<State> {
        Some(match goroutine.state {
            GoState::Runnable => State::Runnable,
            GoState::Running => State::Running,
            GoState::Waiting => State::Waiting,
            GoState::Syscall => State::Syscall,
            GoState::NotExist => State::Ended,
            _ => return None,
        })
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let regions = args.each && args.format.json;
    let answer = args.query.run(Options { regions, ..Options::default() })?;
    if args.each {
        return each(&answer, regions, args);
    }
    let mut table = groups(&answer);
    table.sort(&args.format, "total")?;
    table.print(&mut Output::new(), &args.format)
}

const GROUP: &[Column] = &[
    column("function", "function"),
    column("count", "count"),
    column("total", "total"),
    column("running", "running"),
    column("runnable", "runnable"),
    column("syscall", "syscall"),
    column("syscall_blocked", "syscall, no proc"),
    column("assist", "GC assist"),
    column("share", "share of running"),
    column("blocked_total", "blocked"),
    column("blocked", "blocked by reason"),
];

/// The table by function.
pub(super) fn groups(answer: &Answer) -> Table {
    let mut groups = FxHashMap::<StrId, (u64, Times)>::default();
    let mut all = 0;
    for goroutine in answer.goroutines() {
        let group = groups.entry(goroutine.name).or_default();
        group.0 += 1;
        group.1.add(&goroutine.times);
        all += goroutine.times.running;
    }
    for (name, past) in answer.past() {
        let group = groups.entry(name).or_default();
        group.0 += past.lives;
        group.1.add(&past.times);
        all += past.times.running;
    }
    let mut table = Table::new("function", GROUP);
    let names = &answer.analysis.names;
    for (name, (count, sum)) in groups {
        let share = if all == 0 { 0.0 } else { sum.running as f64 / all as f64 };
        table.push(vec![
            Cell::Text(times::function(names, name)),
            Cell::Count(count),
            Cell::Nanos(sum.total),
            Cell::Nanos(sum.running),
            Cell::Nanos(sum.runnable),
            Cell::Nanos(sum.syscall),
            Cell::Nanos(sum.syscall_blocked),
            Cell::Nanos(times::assist(names, &sum)),
            Cell::Share(share),
            Cell::Nanos(sum.blocked.total()),
            Cell::Sums(times::sums(names, &sum.blocked)),
        ]);
    }
    table
}

/// The names are those of `peer goroutines`, so that tools for one read the other.
const EACH: &[Column] = &[
    column("id", "goroutine"),
    column("name", "function"),
    column("creation", ""),
    column("start", ""),
    column("end", ""),
    column("after", "created after"),
    column("total", "total"),
    column("exec", "running"),
    column("sched_wait", "runnable"),
    column("syscall", "syscall"),
    column("syscall_block", "syscall, no proc"),
    column("blocked_total", "blocked"),
    column("block", "blocked by reason"),
    column("ranges", "GC and others"),
    column("unknown", "unknown"),
    column("state", "state"),
    column("creator", "created by"),
];

fn each(answer: &Answer, regions: bool, args: &Args) -> Result<Verdict> {
    let names = &answer.analysis.names;
    let mut all: Vec<&Region> = Vec::new();
    if regions {
        all.extend(answer.analysis.goroutines.regions());
        // Stable: those of a goroutine keep their order.
        all.sort_by_key(|region| region.go);
    }
    let goroutines = &answer.analysis.goroutines;
    let regions_json = |goroutine: &Goroutine| {
        let first = all.partition_point(|region| region.go < goroutine.id);
        let own = all[first..].iter().take_while(|region| region.go == goroutine.id);
        let mut own: Vec<_> = own.copied().collect();
        // As in the reference, whose order of equal starts shows.
        gosort::sort_unstable_by(&mut own, |a, b| a.start < b.start);
        let own = own.into_iter().map(|region| {
            let times = goroutines.region_as_go(goroutine, region);
            times::region_json(names, region, &times)
        });
        format!("[{}]", own.collect::<Vec<_>>().join(","))
    };
    let for_programs = args.format.is_for_programs();
    let cell = |goroutine: &&Goroutine, key: &str| {
        let Goroutine { id, name, created, started, ended, times, creator, .. } = goroutine;
        // What programs read equals the reference.
        let times = match key {
            "sched_wait" | "syscall" | "syscall_block" | "unknown" if for_programs => {
                &goroutines.as_go(goroutine)
            }
            _ => times,
        };
        match key {
            "id" => Cell::Id(id.0),
            "name" => Cell::Text(String::from_utf8_lossy(names.string(*name)).into_owned()),
            "creation" => Cell::Id(*created),
            "start" => Cell::Id(*started),
            "end" => Cell::Id(*ended),
            "after" if *created == 0 => Cell::None,
            "after" => Cell::Offset((created - answer.start.time).max(0)),
            "total" => Cell::Nanos(times.total),
            "exec" => Cell::Nanos(times.running),
            "sched_wait" => Cell::Nanos(times.runnable),
            "syscall" => Cell::Nanos(times.syscall),
            "syscall_block" => Cell::Nanos(times.syscall_blocked),
            "blocked_total" => Cell::Nanos(times.blocked.total()),
            "block" => Cell::Sums(times::sums(names, &times.blocked)),
            "ranges" => Cell::Sums(times::sums(names, &times.ranges)),
            "unknown" => Cell::Nanos(times.unknown()),
            // People see the words of --state, programs those of the reference.
            "state" => Cell::Text(match State::of(goroutine).filter(|_| !for_programs) {
                Some(state) => state.name(),
                None => goroutine.state.to_string(),
            }),
            "creator" => creator.some().map_or(Cell::None, |id| Cell::Id(id.0)),
            "regions" => Cell::Json(regions_json(goroutine)),
            _ => Cell::None,
        }
    };
    let mut columns = EACH.to_vec();
    if regions {
        columns.push(column("regions", ""));
    }
    let wanted = |goroutine: &&Goroutine| {
        args.state.is_empty()
            || State::of(goroutine).is_some_and(|state| args.state.contains(&state))
    };
    // Programs compare single ones with `go tool trace`, which has them by id.
    let usually = if args.format.is_of_all() { "id" } else { "total" };
    let rows = answer.goroutines().filter(wanted);
    let table = Table::new("goroutine", &columns);
    table.print_each(rows, cell, usually, &mut Output::new(), &args.format)
}
