//! Whose time is to be explained, and which: what was asked for, found in the pass over the trace.

use crate::absent;
use crate::failure::{Failure, quoted, wrong_usage};
use crate::human;
use crate::query::Moment;
use crate::report;
use crate::source::{Data, Source};
use anyhow::{Result, bail};
use gotrail::{Details, Event, GoId, GoState, Kind, TaskId};
use gotrail_analyze::{History, is_of_program};
use regex::Regex;
use rustc_hash::{FxHashMap, FxHashSet};
use std::io::{self, Write as _};

/// Whose time, and which.
pub(crate) struct Subject {
    pub(crate) go: GoId,
    pub(crate) from: i64,
    pub(crate) until: i64,
    /// What it is, for people.
    pub(crate) title: String,
}

/// What is looked for.
pub(crate) struct Watch {
    /// Between which times, on the trace's clock.
    window: (i64, i64),
    pub(crate) goroutine: Option<GoId>,
    pub(crate) task: Option<TaskId>,
    pub(crate) region: Option<Regex>,
    /// Whoever was the last to do something.
    pub(crate) anybody: bool,
    /// From when to when the goroutine lived.
    life: (i64, i64),
    task_seen: Option<Span>,
    open: FxHashMap<GoId, Vec<(String, i64)>>,
    regions: Vec<Span>,
    matches: FxHashMap<Vec<u8>, bool>,
    last: FxHashMap<GoId, i64>,
    /// Goroutines that began or ended in the window: of these it has time that nothing explains.
    partly: FxHashSet<GoId>,
}

/// A task or region.
struct Span {
    name: String,
    go: GoId,
    from: i64,
    until: i64,
}

impl Watch {
    pub(crate) fn new(window: (i64, i64)) -> Watch {
        Watch {
            window,
            goroutine: None,
            task: None,
            region: None,
            anybody: false,
            life: (i64::MIN, i64::MAX),
            task_seen: None,
            open: FxHashMap::default(),
            regions: Vec::new(),
            matches: FxHashMap::default(),
            last: FxHashMap::default(),
            partly: FxHashSet::default(),
        }
    }

    /// The next event.
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        let time = event.time().0;
        if self.anybody {
            if time <= self.window.1 {
                self.of_anybody(event, time);
            }
            return;
        }
        if let Some(step) = event.go_step() {
            if self.goroutine == Some(step.go) {
                if step.from == GoState::NotExist {
                    self.life = (time, i64::MAX);
                } else if step.to == GoState::NotExist {
                    self.life.1 = time;
                }
            }
            if step.to == GoState::NotExist {
                // Its regions end with it.
                for (name, from) in self.open.remove(&step.go).into_iter().flatten() {
                    self.regions.push(Span { name, go: step.go, from, until: time });
                }
            }
        } else if let (Some(id), Kind::TaskBegin | Kind::TaskEnd) = (self.task, event.kind()) {
            self.of_task(event, id);
        } else if let (Some(_), Details::Region(region)) = (&self.region, event.details()) {
            self.of_region(event, &region);
        }
    }

    /// Somebody does something before the end of the window.
    fn of_anybody(&mut self, event: &Event<'_>, time: i64) {
        if let Some(go) = event.goroutine().some() {
            self.last.insert(go, time);
        }
        let Some(step) = event.go_step() else { return };
        let (begins, ends) = (step.from == GoState::NotExist, step.to == GoState::NotExist);
        if ends && time <= self.window.0 {
            self.last.remove(&step.go);
        } else if ends || begins && time > self.window.0 {
            self.partly.insert(step.go);
        }
    }

    fn of_task(&mut self, event: &Event<'_>, id: TaskId) {
        let Details::Task(task) = event.details() else { return };
        if task.id != id {
            return;
        }
        let (time, go) = (event.time().0, event.goroutine());
        let begins = event.kind() == Kind::TaskBegin;
        let seen = self.task_seen.get_or_insert_with(|| {
            let from = if begins { time } else { i64::MIN };
            Span { name: task.name.to_string(), go, from, until: i64::MAX }
        });
        if !begins {
            (seen.go, seen.until) = (go, time);
        }
    }

    fn of_region(&mut self, event: &Event<'_>, region: &gotrail::Region<'_>) {
        let (time, go) = (event.time().0, event.goroutine());
        let matches = match (self.matches.get(&**region.name), &self.region) {
            (Some(known), _) => *known,
            (None, Some(regex)) => {
                let matches = regex.is_match(&region.name.to_string());
                self.matches.insert(region.name.to_vec(), matches);
                matches
            }
            (None, None) => false,
        };
        if !matches {
            return;
        }
        if event.kind() == Kind::RegionBegin {
            self.open.entry(go).or_default().push((region.name.to_string(), time));
            return;
        }
        let begun = self.open.get_mut(&go).and_then(Vec::pop);
        let (name, from) = begun.unwrap_or_else(|| (region.name.to_string(), i64::MIN));
        self.regions.push(Span { name, go, from, until: time });
    }

    /// Who and when it is, now that the trace was read.
    pub(crate) fn subject(
        mut self,
        history: &History<'_>,
        nth: usize,
        trace: &str,
    ) -> Result<Subject> {
        let (start, end) = (history.start(), history.end());
        let length = human::duration(end - start);
        if self.window.0 > end {
            wrong_usage!("--from is after the end of the trace, which is {length} long");
        }
        if self.window.1 <= start {
            wrong_usage!("--to is not after the start of the trace, which is {length} long");
        }
        let within = |from: i64, until: i64| {
            let from = from.max(self.window.0).max(start);
            (from, until.min(self.window.1).min(end).max(from))
        };
        let function = |go| {
            let function = history.function(go).unwrap_or(gotrail_analyze::StrId::EMPTY);
            crate::times::function(&history.names, function)
        };
        let on = |go: GoId| format!("on goroutine {go} {}", function(go));
        let next = quoted(trace);
        if let Some(go) = self.goroutine {
            if history.function(go).is_none() {
                return Err(absent::goroutine(go, history.goroutines(), trace).into());
            }
            let (from, until) = within(self.life.0, self.life.1);
            if from == until {
                let failure =
                    format!("{trace}: goroutine {go} did not exist between --from and --to");
                let next = format!("`gotrail goroutine {go} {next}` says when it did");
                return Err(Failure::new(failure).next(next).into());
            }
            return Ok(Subject {
                go,
                from,
                until,
                title: format!("Goroutine {go} {}", function(go)),
            });
        }
        if let Some(id) = self.task {
            let Some(seen) = self.task_seen.take() else {
                return Err(absent::ends_of_task(id, trace).into());
            };
            let (from, until) = within(seen.from, seen.until);
            if from == until {
                let failure =
                    format!("{trace}: task {id} was not under way between --from and --to");
                let next = format!("`gotrail tasks {next}` says when it was");
                return Err(Failure::new(failure).next(next).into());
            }
            let ended = if seen.until == i64::MAX { ", which did not end," } else { "" };
            let title =
                format!("Task {id} {}{ended} {}", human::known_name(&seen.name), on(seen.go));
            return Ok(Subject { go: seen.go, from, until, title });
        }
        if let Some(regex) = &self.region {
            for (go, open) in std::mem::take(&mut self.open) {
                for (name, from) in open {
                    self.regions.push(Span { name, go, from, until: end });
                }
            }
            let (from, until) = self.window;
            let mut found = self.regions;
            let any = !found.is_empty();
            found.retain(|span| span.from < until && span.until > from);
            if found.is_empty() {
                let next = format!("`gotrail regions {next}` lists them");
                let there = if any { " between --from and --to" } else { "" };
                let failure = format!("{trace}: no region of a type matching {regex}{there}");
                return Err(Failure::new(failure).next(next).into());
            }
            for span in &mut found {
                (span.from, span.until) = within(span.from, span.until);
            }
            let count = found.len();
            if nth > count {
                let regions = human::counted(count as u64, "region");
                let failure = format!("{trace}: {regions} match {regex}, and --nth is {nth}");
                return Err(Failure::new(failure)
                    .next(format!("--nth {count} is the fastest"))
                    .into());
            }
            found.sort_by_key(|span| (span.from - span.until, span.from));
            let span = &found[nth - 1];
            let which = if nth == 1 { "slowest".to_owned() } else { format!("number {nth}") };
            let of = human::counted(count as u64, "match");
            let of = of.replace("matchs", "matches");
            let title =
                format!("Region {}, the {which} of {of}, {}", human::name(&span.name), on(span.go));
            return Ok(Subject { go: span.go, from: span.from, until: span.until, title });
        }
        let (from, until) = within(i64::MIN, i64::MAX);
        let own = self.last.iter().filter(|(go, _)| {
            let name = history.function(**go).map(|id| history.names.string(id).to_vec());
            let name = name.unwrap_or_default();
            is_of_program(&name)
        });
        // One that was there all the time explains all of it. That of the whole trace is explained
        // back to the beginning in any case, by those who created whoever is there at the end.
        let there = |go: &GoId| self.window.0 == i64::MIN || !self.partly.contains(go);
        let last = own.max_by_key(|(go, time)| (there(go), **time, go.0)).map(|(go, _)| *go);
        let last = last.or_else(|| history.goroutines().min());
        let Some(go) = last else { bail!("{trace}: there is no goroutine in it") };
        let title = format!("Goroutine {go} {}, the last to do something then", function(go));
        Ok(Subject { go, from, until, title })
    }
}

impl Source {
    /// The times on the trace's clock that are meant; only of one that can be read more than once.
    pub(crate) fn window(&self, from: Option<Moment>, to: Option<Moment>) -> Result<(i64, i64)> {
        let start = self.start()?;
        let from = from.map_or(Ok(i64::MIN), |moment| start.resolve(moment))?;
        let until = to.map_or(Ok(i64::MAX), |moment| start.resolve(moment))?;
        if from >= until {
            wrong_usage!("--from is not before --to");
        }
        Ok((from, until))
    }

    /// Lets all count that is left of a broken trace before Go 1.22, and says so if nobody has yet.
    pub(crate) fn mend(&mut self, say: bool) -> Result<()> {
        let Data::Mapped(trace) = &mut self.data else { return Ok(()) };
        if trace.version().has_generations() || trace.is_tolerant() {
            return Ok(());
        }
        trace.make_tolerant();
        let report = trace.lost();
        if report.times_are_ticks {
            human::times_are_ticks();
        }
        if say {
            report::to_stderr(&self.name, report, trace.bytes().len() as u64, gotrail::Time(0));
        }
        Ok(())
    }

    /// Reads it so that it can be read backward. What a broken one has before its first error
    /// counts, and people are told.
    pub(crate) fn history(&self, each: impl FnMut(&Event<'_>)) -> Result<History<'_>> {
        let Data::Mapped(trace) = &self.data else {
            bail!("{}: cannot be read twice", self.name);
        };
        let history = History::read(trace, each);
        let history = history.map_err(|error| Failure::broken(&self.name, &error))?;
        if let Some(error) = &history.error {
            let until = human::moment(history.end() - history.start());
            let failure = Failure::broken(&self.name, error);
            let known = "after the start, where the trace breaks";
            // Nothing can be done if this fails.
            let _ = writeln!(io::stderr(), "{failure}\ncauses are known until {until} {known}");
        }
        Ok(history)
    }
}
