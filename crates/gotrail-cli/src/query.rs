//! What the analysing commands have in common: which part of a trace they are about, and the
//! passes that find out.

use crate::absent;
use crate::failure::{Failure, quoted, wrong_usage};
use crate::progress::Progress;
use crate::source::{self, Source};
use crate::{human, report, times};
use anyhow::{Context, Result, bail};
use gotrail::{ClockSnapshot, GoId, Mode, Report, TaskId, Trace};
use gotrail_analyze::lives::Past;
use gotrail_analyze::profile;
use gotrail_analyze::{Analysis, Goroutine, Groups, Options, Region, Scope, StrId, Task};
use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};
use regex::Regex;
use rustc_hash::FxHashMap;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

/// Which trace, and which part of it.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Query {
    /// The trace; `-` is standard input.
    pub(crate) trace: PathBuf,
    #[command(flatten)]
    pub(crate) part: Part,
    /// How many threads to use [default: the number of cores].
    #[arg(long, value_name = "N", value_parser = crate::query::thread_count)]
    pub(crate) threads: Option<NonZero<usize>>,
}

/// Which part of a trace.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Part {
    /// Only from this time on: after the start, as `1.5s`, or on the wall clock, as
    /// `2026-11-22T08:30:00.5Z`.
    #[arg(long, value_name = "TIME", help_heading = "Filters")]
    pub(crate) from: Option<Moment>,
    /// Only until this time.
    #[arg(long, value_name = "TIME", help_heading = "Filters")]
    pub(crate) to: Option<Moment>,
    /// Only goroutines that began with a function matching this regular expression.
    #[arg(long, value_name = "REGEX", help_heading = "Filters")]
    pub(crate) function: Option<Regex>,
    /// Only these goroutines.
    #[arg(long, value_name = "ID", value_delimiter = ',', help_heading = "Filters")]
    pub(crate) goroutine: Vec<i64>,
    /// Only what was done for this task: its regions, and between its ends the goroutine that
    /// began it (if the trace has neither, those that ended it or logged for it).
    #[arg(long, value_name = "ID", help_heading = "Filters")]
    pub(crate) task: Option<u64>,
    /// Only what was done in regions of a type matching this regular expression.
    #[arg(long, value_name = "REGEX", help_heading = "Filters")]
    pub(crate) region: Option<Regex>,
    /// Only what was done in regions that took at least this long.
    #[arg(long, value_name = "DURATION", help_heading = "Filters")]
    pub(crate) region_min: Option<SignedDuration>,
    /// Only what was done in regions that took at most this long.
    #[arg(long, value_name = "DURATION", help_heading = "Filters")]
    pub(crate) region_max: Option<SignedDuration>,
    /// Exactly what counts for `go tool trace`: goroutines from their first run on; of regions that
    /// overlap without being nested, only the first one.
    #[arg(skip)]
    pub(crate) as_go: bool,
}

/// How many threads may be asked for: there are hardly more cores, and so many can be started anywhere.
const MOST_THREADS: usize = 1024;

/// A number of threads, as people name it.
pub(crate) fn thread_count(text: &str) -> Result<NonZero<usize>, String> {
    let number = text.parse().ok().filter(|number: &NonZero<usize>| number.get() <= MOST_THREADS);
    number.ok_or_else(|| format!("must be a number from 1 to {MOST_THREADS}"))
}

/// A moment, as people name it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Moment {
    /// Nanoseconds after the first event.
    Offset(i64),
    /// Nanoseconds since 1970 in UTC.
    Wall(i128),
}

impl std::str::FromStr for Moment {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Moment> {
        if text == "0" {
            return Ok(Moment::Offset(0));
        }
        if let Ok(offset) = text.parse::<SignedDuration>() {
            if text.contains(':') {
                bail!("a time after the start is written as 1h10m5s, one of the day with its date");
            }
            if offset.is_negative() {
                bail!("is before the start");
            }
            let nanos = i64::try_from(offset.as_nanos()).context("too long")?;
            return Ok(Moment::Offset(nanos));
        }
        if let Ok(time) = text.parse::<Timestamp>() {
            return Ok(Moment::Wall(time.as_nanosecond()));
        }
        if let Ok(time) = text.parse::<civil::DateTime>() {
            let zoned = time.to_zoned(TimeZone::system()).context("no such time in this zone")?;
            return Ok(Moment::Wall(zoned.timestamp().as_nanosecond()));
        }
        bail!("neither a time after the start, as 1.5s, nor one as 2026-11-22T08:30:00Z")
    }
}

/// When a trace begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    /// The first event's time on the trace's clock.
    pub(crate) time: i64,
    /// The clocks, from format 1.25 on.
    pub(crate) clock: Option<ClockSnapshot>,
}

impl Start {
    /// The moment on the trace's clock.
    pub(crate) fn resolve(self, moment: Moment) -> Result<i64> {
        match (moment, self.clock) {
            (Moment::Offset(nanos), _) => Ok(self.time.saturating_add(nanos)),
            (Moment::Wall(wall), Some(clock)) => {
                let since = wall - clock.wall_at(gotrail::Time(self.time));
                let far = if since < 0 { i64::MIN } else { i64::MAX };
                let nanos = i64::try_from(since).unwrap_or(far);
                Ok(self.time.saturating_add(nanos))
            }
            (Moment::Wall(_), None) => wrong_usage!(
                "the trace has no wall-clock time (formats before 1.25 do not): \
                 give a time after its start, as --from 1.5s"
            ),
        }
    }
}

/// A trace that was analysed.
pub(crate) struct Answer {
    /// What it comes to.
    pub(crate) analysis: Analysis,
    /// When it begins.
    pub(crate) start: Start,
    /// What counts.
    pub(crate) scope: Option<Scope>,
    /// What could not be read.
    pub(crate) report: Report,
}

impl Answer {
    /// The goroutines that are asked for.
    pub(crate) fn goroutines(&self) -> impl Iterator<Item = &Goroutine> {
        let end = |go: &Goroutine| if go.ended == 0 { i64::MAX } else { go.ended };
        let scope = self.scope.as_ref();
        let lived =
            move |go: &Goroutine| scope.is_none_or(|scope| scope.meets(go.created, end(go)));
        self.analysis.goroutines.iter().filter(move |go| self.is_asked_for(go.id) && lived(go))
    }

    /// The function, the number and the times of goroutines that are asked for and whose ids
    /// others had later.
    pub(crate) fn past(&self) -> impl Iterator<Item = (StrId, &Past)> {
        let past = self.analysis.goroutines.past();
        past.filter(|past| self.is_asked_for(past.0)).map(|(_, name, past)| (name, past))
    }

    /// The times between which something counts, on the trace's clock.
    pub(crate) fn window(&self) -> (i64, i64) {
        let scope = self.scope.as_ref();
        let from = scope.and_then(|scope| scope.from).unwrap_or(i64::MIN);
        (from, scope.and_then(|scope| scope.until).unwrap_or(i64::MAX))
    }

    /// The tasks that a goroutine worked for which is asked for, and that were under way in the
    /// time asked for.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = (TaskId, &Task)> {
        let (from, until) = self.window();
        self.analysis.goroutines.tasks.iter().filter(move |(_, task)| {
            let mut goroutines = task.goroutines.iter();
            self.scope.is_none()
                || (goroutines.any(|&go| self.is_asked_for(go))
                    && task.start.is_none_or(|start| start < until)
                    && task.end.is_none_or(|end| end > from))
        })
    }

    fn is_asked_for(&self, go: GoId) -> bool {
        let named = self.scope.as_ref().and_then(|scope| scope.goroutines.as_ref());
        named.is_none_or(|named| named.contains_key(&go))
    }
}

impl Part {
    /// Whether goroutines must be known before it can be told what counts.
    fn needs_a_first_pass(&self) -> bool {
        self.function.is_some() || self.task.is_some() || self.names_regions() || self.as_go
    }

    /// Refuses times where the trace's are ticks.
    fn need_no_times(&self) -> Result<()> {
        let lengths = self.region_min.is_some() || self.region_max.is_some();
        if lengths || self.from.is_some() || self.to.is_some() {
            human::need_nanoseconds("a filter by time")?;
        }
        Ok(())
    }

    /// Whether only some regions count.
    pub(crate) fn names_regions(&self) -> bool {
        self.region.is_some() || self.region_min.is_some() || self.region_max.is_some()
    }

    /// Whether only some goroutines count.
    pub(crate) fn names_goroutines(&self) -> bool {
        self.function.is_some()
            || !self.goroutine.is_empty()
            || self.task.is_some()
            || self.names_regions()
    }

    /// Whether everything counts.
    pub(crate) fn is_everything(&self) -> bool {
        self.from.is_none()
            && self.to.is_none()
            && self.goroutine.is_empty()
            && !self.needs_a_first_pass()
    }
}

impl Query {
    /// How many threads may be used.
    pub(crate) fn threads(&self) -> usize {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        self.threads.map_or(cores, NonZero::get)
    }

    /// Gives back what is not needed any more, by another thread if there may be one. Should the
    /// program end before, it goes with that.
    pub(crate) fn leave(&self, what: impl Send + 'static) {
        if self.threads() > 1 {
            // Where no thread can be had it is given back here.
            let _ = thread::Builder::new().spawn(move || drop(what));
        }
    }

    /// Analyses the part of the trace that is asked for.
    pub(crate) fn run(&self, options: Options) -> Result<Answer> {
        self.run_in_groups(options, None)
    }

    /// The same in groups, which are made when goroutines and regions are known.
    pub(crate) fn run_in_groups(
        &self,
        options: Options,
        groups: Option<&mut dyn FnMut(&Analysis) -> Groups>,
    ) -> Result<Answer> {
        let mut source = Source::open(&self.trace)?;
        if !self.part.is_everything() || groups.is_some() {
            // What counts is known when the start is: a stream must be read twice, too.
            source = source.into_mapped()?;
        }
        let answer = self.analyse(&mut source, options, groups);
        // What was mapped goes while the answer is made.
        self.leave(source);
        answer
    }

    /// The same of a trace that is open already, and can be read more than once.
    pub(crate) fn run_on(&self, source: &mut Source, options: Options) -> Result<Answer> {
        self.analyse(source, options, None)
    }

    fn analyse(
        &self,
        source: &mut Source,
        options: Options,
        groups: Option<&mut dyn FnMut(&Analysis) -> Groups>,
    ) -> Result<Answer> {
        if self.part.is_everything() && groups.is_none() {
            let (analysis, start, report) = self.pass(source, options, true)?;
            return Ok(Answer { analysis, start, scope: None, report });
        }
        let first = Options { regions: true, ..Options::default() };
        let (known, start) = if self.part.needs_a_first_pass() || groups.is_some() {
            let (known, start, _) = self.pass(source, first, false)?;
            (Some(known), start)
        } else {
            (None, source.start()?)
        };
        let scope = self.scope(known.as_ref().filter(|_| self.part.needs_a_first_pass()), start)?;
        let groups = groups.zip(known.as_ref()).map(|(make, known)| Arc::new(make(known)));
        drop(known);
        let options = Options { scope: Some(scope.clone()), groups, ..options };
        let (analysis, start, report) = self.pass(source, options, true)?;
        let answer = Answer { analysis, start, scope: Some(scope), report };
        self.check_window(&answer)?;
        self.check_goroutines(&answer.analysis)?;
        Ok(answer)
    }

    /// What counts of a trace that can be read more than once; none if everything does.
    pub(crate) fn scope_of(&self, source: &mut Source) -> Result<Option<Scope>> {
        if self.part.is_everything() {
            return Ok(None);
        }
        if !self.part.needs_a_first_pass() {
            return self.scope(None, source.start()?).map(Some);
        }
        let first = Options { regions: true, ..Options::default() };
        let (known, start, _) = self.pass(source, first, false)?;
        self.scope(Some(&known), start).map(Some)
    }

    /// There must be something of the trace in the time that is asked for.
    fn check_window(&self, answer: &Answer) -> Result<()> {
        let (from, until) = answer.window();
        let (start, end) = (answer.start.time, answer.analysis.end());
        let length = human::duration(end - start);
        if from > end {
            wrong_usage!("--from is after the end of the trace, which is {length} long");
        }
        if until <= start {
            wrong_usage!("--to is not after the start of the trace, which is {length} long");
        }
        Ok(())
    }

    /// Goroutines that are asked for by their ids must be in the trace.
    fn check_goroutines(&self, analysis: &Analysis) -> Result<()> {
        let mut named = self.part.goroutine.iter().map(|&id| GoId(id));
        let unknown = named.find(|&go| analysis.goroutines.get(go).is_none());
        let known = analysis.goroutines.iter().map(|goroutine| goroutine.id);
        unknown.map_or(Ok(()), |go| Err(absent::goroutine(go, known, &self.name()).into()))
    }

    /// The trace's name.
    fn name(&self) -> String {
        source::name_of(&self.trace)
    }

    /// Reads the trace once. What cannot be read is said, in the last pass, and the rest counts.
    fn pass(
        &self,
        source: &mut Source,
        options: Options,
        last: bool,
    ) -> Result<(Analysis, Start, Report)> {
        let progress = Progress::new(source.size, false);
        let mut analysis = Analysis::new(options.clone());
        let mut outcome = source.fold(Mode::Strict, self.threads(), &mut analysis, &progress)?;
        if let Some(error) = outcome.error.take() {
            if !source.is_mapped() {
                let good = "the good parts of a broken trace are read";
                let next = match source.size {
                    Some(_) => format!("decompress it as far as it goes: of a plain file, {good}"),
                    None => format!("save it to a file: of a file, {good}"),
                };
                return Err(Failure::broken(&source.name, &error).next(next).into());
            }
            analysis = Analysis::new(options);
            outcome = source.fold(Mode::Tolerant, 1, &mut analysis, &progress)?;
            if last {
                let start = gotrail::Time(analysis.start());
                report::to_stderr(&source.name, &outcome.report, outcome.bytes, start);
            }
            if outcome.report.times_are_ticks {
                human::times_are_ticks();
                self.part.need_no_times()?;
            }
        }
        progress.finish();
        analysis.finish();
        let start = Start { time: analysis.start(), clock: analysis.clock() };
        Ok((analysis, start, outcome.report))
    }

    fn scope(&self, known: Option<&Analysis>, start: Start) -> Result<Scope> {
        let part = &self.part;
        let from = part.from.map(|moment| start.resolve(moment)).transpose()?;
        let until = part.to.map(|moment| start.resolve(moment)).transpose()?;
        if let (Some(from), Some(until)) = (from, until)
            && from >= until
        {
            wrong_usage!("--from is not before --to");
        }
        let mut goroutines: Option<FxHashMap<GoId, Vec<(i64, i64)>>> = None;
        if !part.goroutine.is_empty() {
            let all = part.goroutine.iter().map(|&id| (GoId(id), vec![(i64::MIN, i64::MAX)]));
            goroutines = Some(all.collect());
        }
        if let Some(known) = known {
            let found = part.matching(known);
            if found.is_empty() {
                return Err(part.nothing_found(known, &self.name()).into());
            }
            goroutines = Some(match goroutines {
                Some(named) => found.into_iter().filter(|go| named.contains_key(&go.0)).collect(),
                None => found,
            });
        }
        Ok(Scope { from, until, goroutines: goroutines.map(Arc::new) })
    }
}

impl Part {
    /// The goroutines that match, each with the times that count.
    fn matching(&self, known: &Analysis) -> FxHashMap<GoId, Vec<(i64, i64)>> {
        let text = |name| String::from_utf8_lossy(known.names.string(name)).into_owned();
        let mut times = FxHashMap::<GoId, Vec<(i64, i64)>>::default();
        if self.task.is_some() || self.names_regions() {
            let types = |region: &&Region| {
                let named = region.name != gotrail_analyze::StrId::EMPTY;
                let matches = |regex: &Regex| named && regex.is_match(&text(region.name));
                self.region.as_ref().is_none_or(matches)
            };
            let task = |region: &&Region| self.task.is_none_or(|id| region.task == TaskId(id));
            let within = |region: &&Region| self.has_length(region, known);
            let regions = known.goroutines.regions().iter();
            for region in regions.filter(types).filter(task).filter(within) {
                let start = region.start.unwrap_or(known.start());
                let mut end = region.end.unwrap_or(known.end());
                if region.name == gotrail_analyze::StrId::EMPTY && !self.as_go {
                    // Inherited by a goroutine that was created in a region: until the task ends.
                    let task = known.goroutines.tasks.get(region.task);
                    end = end.min(task.and_then(|task| task.end).unwrap_or(end)).max(start);
                }
                times.entry(region.go).or_default().push((start, end));
            }
            if let (Some(id), false) = (self.task, self.names_regions())
                && let Some(task) = known.goroutines.tasks.get(TaskId(id))
            {
                let span = (task.start.unwrap_or(i64::MIN), task.end.unwrap_or(i64::MAX));
                if let Some(creator) = task.creator {
                    times.entry(creator).or_default().push(span);
                } else if times.is_empty() {
                    // Its beginning is not in the trace: whoever ended it or logged for it.
                    times = task.goroutines.iter().map(|&go| (go, vec![span])).collect();
                }
            }
        } else {
            let all = known.goroutines.iter().map(|go| (go.id, vec![(i64::MIN, i64::MAX)]));
            times = if self.as_go { profile::go_scope(known) } else { all.collect() };
        }
        if let Some(regex) = &self.function {
            times.retain(|&id, _| {
                // Whatever `gotrail goroutines` shows can be asked for, "(unknown)" too.
                let shown = |go: &Goroutine| times::function(&known.names, go.name);
                known.goroutines.get(id).is_some_and(|go| regex.is_match(&shown(go)))
            });
        }
        let put_in_order = if self.as_go { outermost } else { join };
        times.values_mut().for_each(put_in_order);
        times
    }

    /// Whether a region took as long as is asked for. What is not in the trace lasts from its
    /// beginning, and until its end.
    pub(crate) fn has_length(&self, region: &Region, known: &Analysis) -> bool {
        let start = region.start.unwrap_or(known.start());
        let length = i128::from(region.end.unwrap_or(known.end())) - i128::from(start);
        self.region_min.is_none_or(|min| length >= min.as_nanos())
            && self.region_max.is_none_or(|max| length <= max.as_nanos())
    }

    /// That no goroutine of the trace is what was asked for.
    fn nothing_found(&self, known: &Analysis, trace: &str) -> Failure {
        if let Some(id) = self.task.map(TaskId)
            && known.goroutines.tasks.get(id).is_none()
        {
            return absent::task(id, trace);
        }
        let mut wanted = Vec::new();
        if let Some(function) = &self.function {
            wanted.push(format!("began with a function matching {function}"));
        }
        if let Some(task) = self.task {
            wanted.push(format!("worked for task {task}"));
        }
        if let Some(region) = &self.region {
            wanted.push(format!("had a region matching {region}"));
        }
        if self.region_min.is_some() || self.region_max.is_some() {
            wanted.push("had a region of that length".to_owned());
        }
        let (command, what) = match (self.names_regions(), self.function.is_some()) {
            (true, _) => ("regions", "regions"),
            (_, true) => ("goroutines", "the functions that goroutines began with"),
            _ => ("tasks", "tasks"),
        };
        Failure::new(format!("{trace}: no goroutine {}", wanted.join(" and ")))
            .next(format!("`gotrail {command} {}` lists {what}", quoted(trace)))
    }
}

/// Puts times in order and joins those that overlap.
fn join(times: &mut Vec<(i64, i64)>) {
    times.sort_unstable();
    times.dedup_by(|next, last| {
        let overlaps = next.0 <= last.1;
        if overlaps {
            last.1 = last.1.max(next.1);
        }
        overlaps
    });
}

/// Puts times in order and leaves out those that overlap with one that began before.
fn outermost(times: &mut Vec<(i64, i64)>) {
    times.sort_unstable();
    times.dedup_by(|next, last| next.0 < last.1);
}

impl Source {
    /// The same source in a form that can be read more than once.
    pub(crate) fn into_mapped(mut self) -> Result<Source> {
        if let crate::source::Data::Stream(stream) = self.data {
            let trace = Trace::from_read(stream);
            let trace = trace.map_err(|error| Failure::broken(&self.name, &error))?;
            self.size = Some(trace.bytes().len() as u64);
            self.data = crate::source::Data::Mapped(trace);
        }
        Ok(self)
    }

    /// When the trace begins; only of one that can be read more than once.
    pub(crate) fn start(&self) -> Result<Start> {
        let crate::source::Data::Mapped(trace) = &self.data else {
            bail!("{}: cannot be read twice", self.name);
        };
        let mut reader = trace.reader(Mode::Tolerant)?;
        let mut start = Start { time: 0, clock: None };
        if let Some(event) = reader.next_event()? {
            start.time = event.time().0;
            if let gotrail::Details::Sync(sync) = event.details() {
                start.clock = sync.clock;
            }
        }
        Ok(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_offsets_or_on_the_wall_clock() {
        assert!(matches!("1.5s".parse(), Ok(Moment::Offset(1_500_000_000))));
        assert!(matches!("20ms".parse(), Ok(Moment::Offset(20_000_000))));
        assert!(matches!("1970-01-01T00:00:01Z".parse(), Ok(Moment::Wall(1_000_000_000))));
        for wrong in ["yesterday", "01:10:11", "-1s"] {
            assert!(wrong.parse::<Moment>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_that_overlap_are_one() {
        let mut times = vec![(5, 7), (0, 2), (1, 3), (7, 9)];
        join(&mut times);
        assert_eq!(times, [(0, 3), (5, 9)]);
        let mut times = vec![(5, 7), (0, 2), (1, 3), (7, 9)];
        outermost(&mut times);
        assert_eq!(times, [(0, 2), (5, 7), (7, 9)]);
    }
}
