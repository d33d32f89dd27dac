//! `gotrail latency`: how long goroutines waited, for what, and where.

use crate::failure::wrong_usage;
use crate::output::Output;
use crate::query::{Answer, Query};
use crate::table::{Cell, Format, Table, column};
use crate::{Verdict, times};
use anyhow::Result;
use clap::ValueEnum;
use gotrail_analyze::{Histogram, Names, Options, StackId, StrId, WaitKind};
use indexmap::IndexMap;
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

const EXAMPLES: &str = "\
Examples:
  gotrail latency trace.out
  gotrail latency --state sched --function 'net/http' trace.out
  gotrail latency --by stack --state block --top 10 trace.out
  gotrail latency --by state --json trace.out | jq 'select(.state == \"sched\") | .p99'

States: sched is runnable and waiting for a proc, block is waiting for something to happen, syscall
is in a system call. Reasons of sched say what made a goroutine runnable: \"unblock\" is the time
from being unblocked to running. docs/analyses.md defines every figure.";

/// Show how long goroutines waited: for a proc, for each other, in system calls.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    query: Query,
    /// What a row is.
    #[arg(long, value_enum, default_value_t = By::Reason)]
    by: By,
    /// Only these states.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "STATE", help_heading = "Filters")]
    state: Vec<State>,
    /// With --by stack: how many of the innermost frames to print; 0 for all
    /// [default: 4].
    #[arg(long, value_name = "N")]
    frames: Option<usize>,
    #[command(flatten)]
    format: Format,
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// All waits in a state.
    State,
    /// All waits in a state for one reason.
    Reason,
    /// All waits that began at one place.
    Stack,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    /// Runnable, waiting for a proc.
    Sched,
    /// Waiting for something to happen.
    Block,
    /// In a system call.
    Syscall,
}

impl State {
    fn kind(self) -> WaitKind {
        match self {
            State::Sched => WaitKind::Sched,
            State::Block => WaitKind::Block,
            State::Syscall => WaitKind::Syscall,
        }
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let by_stack = args.by == By::Stack;
    if args.frames.is_some() && !by_stack {
        wrong_usage!("--frames is for --by stack");
    }
    let answer = args.query.run(Options { waits_by_stack: by_stack, ..Options::default() })?;
    let wanted =
        |kind| args.state.is_empty() || args.state.iter().any(|state| state.kind() == kind);
    let mut table = match args.by {
        By::Stack => {
            let all = args.format.is_for_programs();
            stacks(
                &answer,
                if all || args.frames == Some(0) { usize::MAX } else { args.frames.unwrap_or(4) },
                args.format.json,
                wanted,
            )
        }
        by => classes(&answer, by == By::State, wanted),
    };
    table.sort(&args.format, "total")?;
    table.print(&mut Output::new(), &args.format)
}

/// All waits by state and reason.
pub(super) fn reasons(answer: &Answer) -> Table {
    classes(answer, false, |_| true)
}

/// All waits by the place where they began.
pub(super) fn places(answer: &Answer) -> Table {
    stacks(answer, 4, false, |_| true)
}

fn reason(names: &Names, why: StrId) -> Cell {
    match why {
        StrId::EMPTY => Cell::None,
        why => Cell::Text(String::from_utf8_lossy(names.string(why)).into_owned()),
    }
}

fn classes(answer: &Answer, by_state: bool, wanted: impl Fn(WaitKind) -> bool) -> Table {
    let waits = &answer.analysis.waits;
    let mut rows = IndexMap::<(WaitKind, StrId), (Histogram, u64)>::new();
    let key = |kind, why| (kind, if by_state { StrId::EMPTY } else { why });
    for (kind, why, histogram) in waits.classes() {
        rows.entry(key(kind, why)).or_default().0.add(&histogram);
    }
    for (wait, sum) in waits.sums().filter(|(_, sum)| sum.open > 0) {
        rows.entry(key(wait.kind, wait.why)).or_default().1 += sum.open;
    }
    let mut columns = vec![column("state", "state")];
    if !by_state {
        columns.push(column("reason", "reason"));
    }
    columns.push(column("count", "count"));
    columns.extend(times::DISTRIBUTION);
    columns.push(column("open", "still waiting"));
    let mut table = Table::new("wait reason", &columns);
    for ((kind, why), (histogram, open)) in rows {
        if !wanted(kind) {
            continue;
        }
        let mut row = vec![Cell::Text(kind.name().to_owned())];
        if !by_state {
            row.push(reason(&answer.analysis.names, why));
        }
        row.push(Cell::Count(histogram.count()));
        row.extend(times::distribution(&histogram));
        row.push(Cell::Count(open));
        table.push(row);
    }
    table
}

fn stacks(
    answer: &Answer,
    frames: usize,
    as_json: bool,
    wanted: impl Fn(WaitKind) -> bool,
) -> Table {
    let mut columns =
        vec![column("state", "state"), column("reason", "reason"), column("count", "count")];
    columns.extend(times::DISTRIBUTION);
    columns.extend([column("open", "still waiting"), column("stack", "where")]);
    if as_json {
        columns.push(column("frames", ""));
    }
    let names = &answer.analysis.names;
    let mut table = Table::new("stack", &columns);
    let mut sizes: FxHashMap<_, _> = answer.analysis.waits.distributions().collect();
    for (key, sum) in answer.analysis.waits.sums() {
        if !wanted(key.kind) || sum.count + sum.open == 0 {
            continue;
        }
        let sizes = sizes.remove(key).unwrap_or_default();
        let mut row = vec![
            Cell::Text(key.kind.name().to_owned()),
            reason(names, key.why),
            Cell::Count(sum.count),
        ];
        row.extend(times::distribution(&sizes));
        row.extend([Cell::Count(sum.open), Cell::Text(stack(names, key.stack, frames))]);
        if as_json {
            row.push(Cell::Json(frames_json(names, key.stack)));
        }
        table.push(row);
    }
    table
}

/// All frames, innermost first.
fn frames_json(names: &Names, id: StackId) -> String {
    let text = |name| names.string(name).to_string();
    let frame = |frame: gotrail_analyze::Frame| json!({"function": text(frame.function), "file": text(frame.file), "line": frame.line});
    names.stack(id).map(frame).collect::<Value>().to_string()
}

/// The innermost frames.
fn stack(names: &Names, id: StackId, frames: usize) -> String {
    let all = names.stack(id);
    let more = all.len().saturating_sub(frames);
    let shown = all.take(frames);
    let mut texts: Vec<_> = shown
        .map(|frame| {
            format!("{}:{}", String::from_utf8_lossy(names.string(frame.function)), frame.line)
        })
        .collect();
    match (texts.is_empty(), more) {
        (true, 0) => return "(no stack)".to_owned(),
        (_, 0) => {}
        (_, more) => texts.push(format!("{more} more")),
    }
    texts.join(" < ")
}
