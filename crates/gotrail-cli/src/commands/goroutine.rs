//! `gotrail goroutine`: the life of one goroutine.

use crate::absent;
use crate::causes::{self, Teller};
use crate::output::Output;
use crate::paint::Paint;
use crate::query::{Answer, Moment, Part, Query};
use crate::source::Source;
use crate::{Verdict, human, times};
use anyhow::Result;
use gotrail::GoId;
use gotrail_analyze::path::{End, Wait};
use gotrail_analyze::{Detail, Goroutine, History, Names, Options, Region, StackId, Why};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::num::NonZero;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  gotrail goroutine 17 trace.out
  gotrail goroutine 17 --from 1s --to 2s trace.out
  gotrail goroutine 17 --json trace.out | jq '.waits[0].stack'

See also: `gotrail why --goroutine 17`, the whole chain of causes.";

/// How many regions people are shown.
const REGIONS: usize = 15;

/// Show the life of one goroutine: where it came from, where its time went, its longest waits.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The goroutine.
    #[arg(value_name = "ID", allow_hyphen_values = true)]
    id: i64,
    /// The trace; `-` is standard input.
    trace: PathBuf,
    /// Only from this time on: after the start, as `1.5s`, or on the wall clock, as
    /// `2026-11-22T08:30:00.5Z`.
    #[arg(long, value_name = "TIME")]
    from: Option<Moment>,
    /// Only until this time.
    #[arg(long, value_name = "TIME")]
    to: Option<Moment>,
    /// How many waits to show, the longest.
    #[arg(long, value_name = "N", default_value_t = 5, help_heading = "Output")]
    waits: usize,
    /// Print one JSON object, times in nanoseconds.
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// How many threads to use [default: the number of cores].
    #[arg(long, value_name = "N", value_parser = crate::query::thread_count)]
    threads: Option<NonZero<usize>>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let id = GoId(args.id);
    let mut source = Source::open(&args.trace)?.into_mapped()?;
    let window = source.window(args.from, args.to)?;
    let part = Part { from: args.from, to: args.to, goroutine: vec![args.id], ..Part::default() };
    let query = Query { trace: args.trace.clone(), part, threads: args.threads };
    let answer = query.run_on(&mut source, Options { regions: true, ..Options::default() })?;
    let Some(goroutine) = answer.analysis.goroutines.get(id) else {
        let known = answer.analysis.goroutines.iter().map(|goroutine| goroutine.id);
        return Err(absent::goroutine(id, known, &source.name).into());
    };
    source.mend(false)?;
    let mut history = source.history(|_| {})?;
    let until = if goroutine.ended == 0 { i64::MAX } else { goroutine.ended };
    let detail = Detail { waits: args.waits, depth: 1, pieces: 0 };
    let (from, until) = (goroutine.created.max(window.0), until.min(window.1));
    let why = history.why(id, from, until.max(from), detail)?;
    let life = Life { answer: &answer, goroutine, history: &history, why: &why };
    let mut output = Output::new();
    if args.json {
        human::need_nanoseconds("JSON")?;
        writeln!(output.buffer(), "{}", life.json())?;
    } else {
        output.buffer().extend_from_slice(life.text(args).as_bytes());
    }
    output.flush()?;
    Ok(Verdict::Fine)
}

/// What is known of a goroutine.
struct Life<'a> {
    answer: &'a Answer,
    goroutine: &'a Goroutine,
    history: &'a History<'a>,
    why: &'a Why,
}

impl Life<'_> {
    fn names(&self) -> &Names {
        &self.answer.analysis.names
    }

    fn function(&self, go: GoId) -> String {
        let known = self.answer.analysis.goroutines.get(go);
        known.map_or("(unknown)".to_owned(), |go| times::function(self.names(), go.name))
    }

    /// After the start, and on the wall clock where there is one.
    fn time(&self, time: i64) -> String {
        let after = human::moment(time - self.answer.start.time);
        let wall = self.history.wall(time).and_then(|nanos| Timestamp::from_nanosecond(nanos).ok());
        let wall = wall.map(|wall| wall.to_zoned(TimeZone::system()).strftime("%F %T.%6f"));
        let wall = wall.map_or(String::new(), |wall| format!(", at {wall}"));
        format!("{after} after the start{wall}")
    }

    fn regions(&self) -> Vec<&Region> {
        let regions = self.answer.analysis.goroutines.regions().iter();
        let (from, until) = self.answer.window();
        let mut own: Vec<_> = regions
            .filter(|region| region.go == self.goroutine.id)
            .filter(|region| !self.names().string(region.name).is_empty())
            .filter(|region| region.start.is_none_or(|start| start < until))
            .filter(|region| region.end.is_none_or(|end| end > from))
            .collect();
        own.sort_by_key(|region| (region.start, -region.end.unwrap_or(i64::MAX)));
        own
    }

    /// What it was in when the trace ended.
    fn state(&self) -> String {
        let goroutine = self.goroutine;
        let reason = self.names().string(goroutine.reason);
        match goroutine.state {
            gotrail::GoState::NotExist => "ended".to_owned(),
            gotrail::GoState::Waiting if reason.is_empty() => "waiting".to_owned(),
            gotrail::GoState::Waiting => format!("waiting: {reason}"),
            state => state.to_string().to_lowercase(),
        }
    }

    fn text(&self, args: &Args) -> String {
        let paint = Paint::stdout();
        let teller = Teller { history: self.history, paint, stacks: true };
        let goroutine = self.goroutine;
        let mut out = String::new();
        let title = format!("Goroutine {} {}", goroutine.id, self.function(goroutine.id));
        let _ = writeln!(out, "{}", paint.bold(title));
        let seen = goroutine.creator == GoId::NONE && goroutine.created_by == StackId::EMPTY;
        if seen && goroutine.created <= self.answer.start.time {
            let _ = writeln!(out, "Created   before the trace");
        } else {
            let _ = writeln!(out, "Created   {}", self.time(goroutine.created));
        }
        if let Some(creator) = goroutine.creator.some() {
            let _ = writeln!(out, "          by goroutine {creator} {}", self.function(creator));
        }
        self.frames(&mut out, goroutine.created_by, "        ");
        match goroutine.started {
            0 => out.push_str("Started   never in the trace\n"),
            started => {
                let _ = writeln!(out, "Started   {}", self.time(started));
            }
        }
        match (goroutine.ended, goroutine.state) {
            (0, _) => {}
            (ended, gotrail::GoState::NotExist) => {
                let _ = writeln!(out, "Ended     {}", self.time(ended));
            }
            (ended, _) => {
                let _ = writeln!(out, "Waits     forever since {}", self.time(ended));
            }
        }
        let at_end = if goroutine.ended == 0 { "when the trace ended: " } else { "" };
        let _ = writeln!(out, "State     {at_end}{}", self.state());
        let part =
            if args.from.is_some() || args.to.is_some() { " in the part asked for" } else { "" };
        let _ = writeln!(out, "Lifetime  {}{part}", human::duration(goroutine.times.total));

        if goroutine.times.total > 0 {
            let _ = writeln!(out, "\n{}", paint.bold("Where its time went"));
            causes::columns(&mut out, times::lines(self.names(), &goroutine.times));
        }
        let ranges = times::sums(self.names(), &goroutine.times.ranges);
        if !ranges.is_empty() {
            let _ = writeln!(out, "\n{}", paint.bold("Ranges, within these times"));
            let lines = ranges.into_iter().map(|(name, nanos)| {
                let share = human::percent(nanos as u64, goroutine.times.total.max(0) as u64);
                (name, human::duration(nanos), share)
            });
            causes::columns(&mut out, lines.collect());
        }
        let regions = self.regions();
        if !regions.is_empty() {
            let _ = writeln!(out, "\n{}", paint.bold("Regions"));
            regions_text(&mut out, self.names(), &regions, self.answer);
        }
        let waits = &self.why.step.waits;
        if !waits.is_empty() {
            let _ = writeln!(out, "\n{}", paint.bold("Longest waits"));
        }
        for wait in waits {
            self.wait(&mut out, &teller, wait);
        }
        let (more, nanos) = self.why.step.more;
        if more > 0 {
            let (more, nanos) = (human::counted(more, "more wait"), human::duration(nanos));
            let _ = writeln!(out, "  and {more}, {nanos} together; --waits N shows more");
        }
        out
    }

    fn wait(&self, out: &mut String, teller: &Teller<'_>, wait: &Wait) {
        let kind = teller.paint.yellow(causes::kind(&self.history.names, wait.kind));
        let nanos = human::duration(wait.nanos());
        let _ = writeln!(out, "  {nanos} {kind}, from {} on", teller.after(wait.from));
        teller.stack(out, wait.stack, "    ");
        match &wait.end {
            End::Nothing => {
                let _ = writeln!(out, "    did not end by then");
            }
            End::Runtime => {
                let by = causes::runtime(&self.history.names, wait.kind);
                let _ = writeln!(out, "    ended by {by}");
            }
            End::Goroutine { stack, meanwhile } => {
                let _ = writeln!(out, "    ended by {}", teller.goroutine(meanwhile.go));
                teller.stack(out, *stack, "    ");
            }
        }
    }

    fn frames(&self, out: &mut String, stack: StackId, indent: &str) {
        let names = self.names();
        for frame in names.stack(stack) {
            let (function, file) = (names.string(frame.function), names.string(frame.file));
            let _ = writeln!(out, "{indent}  {function} {file}:{}", frame.line);
        }
    }

    fn json(&self) -> Value {
        let goroutine = self.goroutine;
        let teller = Teller { history: self.history, paint: Paint::stdout(), stacks: true };
        let time = |time: i64| (time != 0).then_some(time);
        let creator = goroutine
            .creator
            .some()
            .map(|go| json!({"goroutine": go.0, "function": self.function(go)}));
        let regions = self.regions();
        json!({
            "id": goroutine.id.0,
            "function": self.names().string(goroutine.name).to_string(),
            "creation": goroutine.created,
            "creator": creator,
            "creation_stack": causes::stack_json(self.names(), goroutine.created_by),
            "start": time(goroutine.started),
            "end": time(goroutine.ended),
            "state": self.state(),
            "times": times::json(self.names(), &goroutine.times),
            "regions": regions.iter().map(|region| region_json(self.names(), region))
                .collect::<Value>(),
            "waits": self.why.step.waits.iter().map(|wait| teller.wait_json(wait))
                .collect::<Value>(),
            "more_waits": self.why.step.more.0,
        })
    }
}

/// A region as JSON.
pub(crate) fn region_json(names: &Names, region: &Region) -> Value {
    serde_json::from_str(&times::region_json(names, region, &region.times)).unwrap_or_default()
}

/// Regions in order of time, with where their time went.
pub(crate) fn regions_text(out: &mut String, names: &Names, regions: &[&Region], answer: &Answer) {
    let (start, end) = (answer.start.time, answer.analysis.end());
    let shown = regions.iter().take(REGIONS).map(|region| {
        let begin = region.start.unwrap_or(start);
        let nanos = region.end.unwrap_or(end) - begin;
        let from = match region.start {
            Some(time) => format!("from {} on", human::duration(time - start)),
            None => "began before the trace".to_owned(),
        };
        let open = if region.end.is_none() { ", did not end" } else { "" };
        let times = times::lines(names, &region.times).into_iter().take(3);
        let times: Vec<_> = times.map(|line| format!("{} {}", line.0, line.1)).collect();
        let name = human::name(&names.string(region.name).to_string());
        (name, human::duration(nanos), format!("{from}{open}; {}", times.join(", ")))
    });
    causes::columns(out, shown.collect());
    if let Some(rest @ 1..) = regions.len().checked_sub(REGIONS) {
        let _ =
            writeln!(out, "  and {}; --json has all", human::counted(rest as u64, "more region"));
    }
}
