//! `gotrail logs`: the log messages of the annotation API.

use crate::Verdict;
use crate::output::Output;
use crate::query::{Answer, Query};
use crate::table::{Cell, Column, Format, Table, column};
use anyhow::Result;
use gotrail::TaskId;
use gotrail_analyze::logs::Log;
use gotrail_analyze::{Options, Scope};

const EXAMPLES: &str = "\
Examples:
  gotrail logs trace.out
  gotrail logs --task 7 trace.out
  gotrail logs --category 'sql|cache' --from 1s --to 1.2s trace.out
  gotrail logs --json trace.out | jq -r .message";

/// Show the log messages of the annotation API.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    query: Query,
    /// Only messages of a category matching this regular expression.
    #[arg(long, value_name = "REGEX", help_heading = "Filters")]
    category: Option<regex::Regex>,
    /// Only messages that match this regular expression.
    #[arg(long, value_name = "REGEX", help_heading = "Filters")]
    message: Option<regex::Regex>,
    #[command(flatten)]
    format: Format,
}

const COLUMNS: &[Column] = &[
    column("after", "after"),
    column("time", ""),
    column("task", "task"),
    column("task_type", "task type"),
    column("goroutine", "goroutine"),
    column("category", "category"),
    column("message", "message"),
    column("function", ""),
];

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let mut query = args.query.clone();
    // A message says itself which task it is for.
    let task = query.part.task.take().map(TaskId);
    let answer = query.run(Options { logs: true, ..Options::default() })?;
    let names = &answer.analysis.names;
    let wanted = |log: &Log| {
        let matches = |regex: &Option<regex::Regex>, name| {
            let text = String::from_utf8_lossy(names.string(name));
            regex.as_ref().is_none_or(|regex| regex.is_match(&text))
        };
        task.is_none_or(|task| task == log.task)
            && matches(&args.category, log.category)
            && matches(&args.message, log.message)
    };
    let mut table = messages(&answer, wanted);
    table.sort(&args.format, "time")?;
    table.print(&mut Output::new(), &args.format)
}

/// The messages of the part that is asked for; an analysis must have been asked for them.
pub(super) fn messages(answer: &Answer, wanted: impl Fn(&Log) -> bool) -> Table {
    let names = &answer.analysis.names;
    let text = |name| String::from_utf8_lossy(names.string(name)).into_owned();
    let mut table = Table::new("message", COLUMNS);
    for log in answer.analysis.logs.iter().flat_map(|logs| logs.iter()) {
        let outside = |scope: &Scope| !scope.contains(log.go, log.time);
        if answer.scope.as_ref().is_some_and(outside) || !wanted(log) {
            continue;
        }
        let known = answer.analysis.goroutines.tasks.get(log.task);
        let function = names.stack(log.stack).next().map(|frame| text(frame.function));
        table.push(vec![
            Cell::Offset(log.time - answer.start.time),
            Cell::Id(log.time),
            // 0 is the task of messages that belong to none.
            if log.task == TaskId(0) { Cell::None } else { Cell::Id(log.task.0 as i64) },
            known.map_or(Cell::None, |task| Cell::Text(text(task.name))),
            log.go.some().map_or(Cell::None, |go| Cell::Id(go.0)),
            Cell::Text(text(log.category)),
            Cell::Text(text(log.message)),
            function.map_or(Cell::None, Cell::Text),
        ]);
    }
    table
}
