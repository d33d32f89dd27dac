//! `gotrail task`: one task of the annotation API.

use crate::absent;
use crate::causes::{self, Teller};
use crate::commands::goroutine::{region_json, regions_text};
use crate::commands::why;
use crate::commands::why::subject::Watch;
use crate::output::Output;
use crate::paint::Paint;
use crate::progress::Progress;
use crate::query::{Answer, Part, Query};
use crate::source::Source;
use crate::{Verdict, human, times};
use anyhow::Result;
use gotrail::{Details, Event, GoId, Mode, TaskId};
use gotrail_analyze::{Detail, Goroutine, History, Options, Region, Task, Times, Why};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::num::NonZero;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  gotrail task 3 trace.out
  gotrail task 3 --json trace.out | jq .why.kinds

See also: `gotrail tasks`, which lists all; `gotrail why --task 3`, its causes in more detail.";

/// How many goroutines, logs and children people are shown.
const ROWS: usize = 15;

/// Show one task: who worked for it, its regions and logs, where its time went and why.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The task.
    #[arg(value_name = "ID")]
    id: u64,
    /// The trace; `-` is standard input.
    trace: PathBuf,
    /// Print one JSON object, times in nanoseconds.
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// How many threads to use [default: the number of cores].
    #[arg(long, value_name = "N", value_parser = crate::query::thread_count)]
    threads: Option<NonZero<usize>>,
}

/// A log message of the task.
struct Message {
    time: i64,
    go: GoId,
    category: String,
    message: String,
}

/// What the pass over the trace finds of the task.
#[derive(Default)]
struct Found {
    logs: Vec<Message>,
    mentioned: bool,
    /// Whether somebody did something for it, from when to when.
    has_work: bool,
}

impl Found {
    fn event(&mut self, event: &Event<'_>, id: TaskId) {
        if let Some((task, _)) = event.region_ids() {
            self.mentioned |= task == id;
            self.has_work |= task == id;
            return;
        }
        match event.kind() {
            gotrail::Kind::Log | gotrail::Kind::TaskBegin | gotrail::Kind::TaskEnd => {}
            _ => return,
        }
        match event.details() {
            Details::Log(log) if log.task == id => {
                self.mentioned = true;
                self.logs.push(Message {
                    time: event.time().0,
                    go: event.goroutine(),
                    category: log.category.to_string(),
                    message: log.message.to_string(),
                });
            }
            Details::Task(task) if task.id == id => {
                self.mentioned = true;
                self.has_work |= event.kind() == gotrail::Kind::TaskBegin;
            }
            _ => {}
        }
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let id = TaskId(args.id);
    let mut source = Source::open(&args.trace)?.into_mapped()?;
    let mut found = Found::default();
    let progress = Progress::new(source.size, false);
    source.read(Mode::Tolerant, &progress, |event| {
        found.event(event, id);
        Ok(())
    })?;
    progress.finish();
    if !found.mentioned {
        return Err(absent::task(id, &source.name).into());
    }
    let part = Part { task: found.has_work.then_some(args.id), ..Part::default() };
    let query = Query { trace: args.trace.clone(), part, threads: args.threads };
    let answer = query.run_on(&mut source, Options { regions: true, ..Options::default() })?;
    let mut watch = Watch::new((i64::MIN, i64::MAX));
    watch.task = Some(id);
    source.mend(false)?;
    let mut history = source.history(|event| watch.event(event))?;
    let subject = watch.subject(&history, 1, &source.name).ok();
    let why = match &subject {
        Some(subject) => {
            let detail = Detail { waits: 3, depth: 3, ..Detail::default() };
            Some(history.why(subject.go, subject.from, subject.until, detail)?)
        }
        // The trace has neither its begin nor its end.
        None => None,
    };
    let task = answer.analysis.goroutines.tasks.get(id).cloned().unwrap_or_default();
    let report = Report { id, task, found, answer, history: &history, why };
    let mut output = Output::new();
    if args.json {
        human::need_nanoseconds("JSON")?;
        writeln!(output.buffer(), "{}", report.json())?;
    } else {
        output.buffer().extend_from_slice(report.text().as_bytes());
    }
    output.flush()?;
    Ok(Verdict::Fine)
}

/// What is known of a task.
struct Report<'a> {
    id: TaskId,
    task: Task,
    found: Found,
    answer: Answer,
    history: &'a History<'a>,
    why: Option<Why>,
}

impl Report<'_> {
    fn name(&self, task: &Task) -> String {
        let name = self.answer.analysis.names.string(task.name).to_string();
        human::known_name(&name)
    }

    /// The goroutines that worked for it, with the times that they did; those that worked longest
    /// first.
    fn goroutines(&self) -> Vec<&Goroutine> {
        if !self.found.has_work {
            return Vec::new();
        }
        let goroutines = &self.answer.analysis.goroutines;
        let mut list: Vec<_> = self.answer.goroutines().collect();
        let more = self.task.goroutines.iter().filter_map(|&go| goroutines.get(go));
        let more: Vec<_> = more.filter(|go| !list.iter().any(|known| known.id == go.id)).collect();
        list.extend(more);
        list.sort_by_key(|goroutine| (-goroutine.times.total, goroutine.id));
        list
    }

    fn children(&self) -> Vec<(TaskId, &Task)> {
        let tasks = self.answer.analysis.goroutines.tasks.iter();
        tasks.filter(|(_, task)| task.parent == Some(self.id)).collect()
    }

    fn regions(&self) -> Vec<&Region> {
        let names = &self.answer.analysis.names;
        let regions = self.answer.analysis.goroutines.regions().iter();
        let own = regions.filter(|region| region.task == self.id);
        let mut own: Vec<_> = own.filter(|region| !names.string(region.name).is_empty()).collect();
        own.sort_by_key(|region| (region.start, -region.end.unwrap_or(i64::MAX)));
        own
    }

    fn text(&self) -> String {
        let paint = Paint::stdout();
        let teller = Teller { history: self.history, paint, stacks: false };
        let names = &self.answer.analysis.names;
        let mut out = String::new();
        let title = format!("Task {} {}", self.id, self.name(&self.task));
        let _ = writeln!(out, "{}", paint.bold(title));
        let (start, end) = (self.task.start, self.task.end);
        let time = |time: i64| format!("{} after the start", teller.after(time));
        let begun = start.map_or("before the trace".to_owned(), time);
        let by = self.task.creator.map(|go| format!(", by {}", teller.goroutine(go)));
        let _ = writeln!(out, "Began     {begun}{}", by.unwrap_or_default());
        let ended = end.map_or("not in the trace".to_owned(), time);
        let by = self.why.as_ref().filter(|_| end.is_some());
        let by = by.map(|why| format!(", by {}", teller.goroutine(why.step.go)));
        let _ = writeln!(out, "Ended     {ended}{}", by.unwrap_or_default());
        if let Some((start, end)) = start.zip(end) {
            let _ = writeln!(out, "Duration  {}", human::duration(end - start));
        }
        if let Some(parent) = self.task.parent {
            let task = self.answer.analysis.goroutines.tasks.get(parent);
            let name = task.map_or(String::new(), |task| self.name(task));
            let _ = writeln!(out, "Part of   task {parent} {name}");
        }
        let goroutines = self.goroutines();
        if !goroutines.is_empty() {
            let mut sum = Times::default();
            goroutines.iter().for_each(|goroutine| sum.add(&goroutine.times));
            let count = human::counted(goroutines.len() as u64, "goroutine");
            let _ = writeln!(out, "\n{}", paint.bold(format!("Time of its {count} together")));
            causes::columns(&mut out, times::lines(names, &sum));
            let _ = writeln!(out, "\n{}", paint.bold("Goroutines, while they worked for it"));
            let lines = goroutines.iter().take(ROWS).map(|goroutine| {
                let times = times::lines(names, &goroutine.times).into_iter().take(3);
                let times: Vec<_> = times.map(|line| format!("{} {}", line.0, line.1)).collect();
                let name = format!("{} {}", goroutine.id, times::function(names, goroutine.name));
                (name, human::duration(goroutine.times.total), times.join(", "))
            });
            causes::columns(&mut out, lines.collect());
            self.more(&mut out, goroutines.len(), "goroutine");
        }
        let children = self.children();
        if !children.is_empty() {
            let _ = writeln!(out, "\n{}", paint.bold("Parts"));
            let lines = children.iter().take(ROWS).map(|(id, task)| {
                let nanos = task.start.zip(task.end).map(|(start, end)| end - start);
                let nanos = nanos.map_or("-".to_owned(), human::duration);
                (format!("task {id} {}", self.name(task)), nanos, String::new())
            });
            causes::columns(&mut out, lines.collect());
            self.more(&mut out, children.len(), "part");
        }
        let regions = self.regions();
        if !regions.is_empty() {
            let _ = writeln!(out, "\n{}", paint.bold("Regions"));
            regions_text(&mut out, names, &regions, &self.answer);
        }
        if !self.found.logs.is_empty() {
            let _ = writeln!(out, "\n{}", paint.bold("Logs"));
            let lines = self.found.logs.iter().take(ROWS).map(|log| {
                let Message { time, go, category, message } = log;
                let place = format!("goroutine {go}");
                let category = if category.is_empty() { "" } else { &format!("{category}: ") };
                (place, teller.after(*time), human::name(&format!("{category}{message}")))
            });
            causes::columns(&mut out, lines.collect());
            self.more(&mut out, self.found.logs.len(), "log message");
        }
        if let Some(why) = &self.why {
            out.push('\n');
            why::explain(&mut out, &teller, why);
        }
        out
    }

    fn more(&self, out: &mut String, all: usize, what: &str) {
        if let Some(rest @ 1..) = all.checked_sub(ROWS) {
            let rest = human::counted(rest as u64, &format!("more {what}"));
            let _ = writeln!(out, "  and {rest}; --json has all");
        }
    }

    fn json(&self) -> Value {
        let names = &self.answer.analysis.names;
        let teller = Teller { history: self.history, paint: Paint::stdout(), stacks: false };
        let goroutines = self.goroutines();
        let goroutines = goroutines.iter().map(|goroutine| {
            json!({
                "id": goroutine.id.0,
                "function": names.string(goroutine.name).to_string(),
                "times": times::json(names, &goroutine.times),
            })
        });
        let children = self.children();
        let children = children.iter().map(|(id, task)| {
            let name = names.string(task.name).to_string();
            json!({"id": id.0, "name": name, "start": task.start, "end": task.end})
        });
        let logs = self.found.logs.iter().map(|log| {
            json!({
                "time": log.time, "goroutine": log.go.0,
                "category": log.category, "message": log.message,
            })
        });
        let regions = self.regions();
        let regions = regions.iter().map(|region| {
            let mut value = region_json(names, region);
            value["goroutine"] = region.go.0.into();
            value
        });
        json!({
            "id": self.id.0,
            "name": names.string(self.task.name).to_string(),
            "parent": self.task.parent.map(|parent| parent.0),
            "start": self.task.start,
            "end": self.task.end,
            "creator": self.task.creator.map(|go| go.0),
            "goroutines": goroutines.collect::<Value>(),
            "children": children.collect::<Value>(),
            "regions": regions.collect::<Value>(),
            "logs": logs.collect::<Value>(),
            "why": self.why.as_ref().map(|why| teller.json(why)),
        })
    }
}
