//! What `pprof` and `flame` have in common: which profile of which part of a trace, told apart by
//! what.

use crate::failure::{Failure, wrong_usage};
use crate::human;
use crate::query::{Answer, Query};
use crate::target::Place;
use anyhow::Result;
use clap::ValueEnum;
use gotrail_analyze::grouping::{Group, Grouping};
use gotrail_analyze::pprof::{About, Label};
use gotrail_analyze::profile::{Profile, ProfileKind, Sample, Split};
use gotrail_analyze::{GroupId, Groups, Names, WaitKind};
use std::io::{self, Write as _};

/// Which profile.
#[derive(clap::Args)]
pub(crate) struct Wanted {
    #[command(flatten)]
    pub(crate) query: Query,
    /// What the profile is about.
    #[arg(long = "type", value_name = "TYPE", value_enum)]
    pub(crate) kind: Kind,
    /// What to tell apart besides stacks [default: state,reason for wall and offcpu].
    #[arg(long, value_name = "WHAT", value_enum, value_delimiter = ',')]
    pub(crate) group_by: Vec<By>,
    /// Only these states. For wall and offcpu.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "STATE", help_heading = "Filters")]
    pub(crate) state: Vec<State>,
    /// Count exactly what `go tool trace -pprof=TYPE` counts: no wait that lasts until the end of
    /// the trace, none before a goroutine has first run. For net, sync, syscall and sched.
    #[arg(long, conflicts_with = "group_by")]
    pub(crate) as_go: bool,
}

/// What a profile is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Waiting for the network.
    Net,
    /// Waiting for channels, select, mutexes, wait groups and conditions.
    Sync,
    /// In system calls.
    Syscall,
    /// Runnable, waiting for a proc.
    Sched,
    /// CPU samples, if the program also made a CPU profile.
    Cpu,
    /// All time of goroutines.
    Wall,
    /// All time of goroutines in which they did not run.
    Offcpu,
}

impl Kind {
    fn of_library(self) -> ProfileKind {
        match self {
            Kind::Net => ProfileKind::Net,
            Kind::Sync => ProfileKind::Sync,
            Kind::Syscall => ProfileKind::Syscall,
            Kind::Sched => ProfileKind::Sched,
            Kind::Cpu => ProfileKind::Cpu,
            Kind::Wall => ProfileKind::Wall,
            Kind::Offcpu => ProfileKind::OffCpu,
        }
    }
}

/// A state of goroutines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum State {
    /// Running.
    Run,
    /// Runnable, waiting for a proc.
    Sched,
    /// Waiting for something to happen.
    Block,
    /// In a system call.
    Syscall,
}

impl State {
    pub(crate) fn kind(self) -> WaitKind {
        match self {
            State::Run => WaitKind::Run,
            State::Sched => WaitKind::Sched,
            State::Block => WaitKind::Block,
            State::Syscall => WaitKind::Syscall,
        }
    }
}

/// What is told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// Each goroutine.
    Goroutine,
    /// The function that a goroutine began with.
    Function,
    /// sched, block, syscall or run.
    State,
    /// Why it was in that state.
    Reason,
    /// The task that it worked for.
    Task,
    /// The type of the innermost region that it was in.
    Region,
}

impl By {
    fn name(self) -> &'static str {
        match self {
            By::Goroutine => "goroutine",
            By::Function => "function",
            By::State => "state",
            By::Reason => "reason",
            By::Task => "task",
            By::Region => "region",
        }
    }
}

/// A profile, and what it takes to print it.
pub(crate) struct Made {
    pub(crate) answer: Answer,
    pub(crate) profile: Profile,
    groups: Vec<Group>,
    by: Vec<By>,
}

impl Wanted {
    /// Makes the profile.
    pub(crate) fn make(&self) -> Result<Made> {
        let kind = self.kind.of_library();
        if self.as_go && !kind.is_of_go() {
            wrong_usage!(
                "--as-go: Go has no {} profile; it has net, sync, syscall, sched",
                kind.name()
            );
        }
        let mut by = self.group_by.clone();
        if by.is_empty() && matches!(kind, ProfileKind::Wall | ProfileKind::OffCpu) {
            by = vec![By::State, By::Reason];
        }
        let has = |what| by.contains(&what);
        if kind == ProfileKind::Cpu && (has(By::State) || has(By::Reason)) {
            wrong_usage!(
                "--group-by: goroutines that are sampled run, for no reason that is known"
            );
        }
        if !self.state.is_empty() && !matches!(kind, ProfileKind::Wall | ProfileKind::OffCpu) {
            wrong_usage!(
                "--state: a {} profile is of one state; wall and offcpu are of all",
                kind.name()
            );
        }
        let filtered = !self.state.is_empty();
        let split = Split { state: has(By::State) || filtered, reason: has(By::Reason) };
        let grouping = Grouping {
            goroutine: has(By::Goroutine),
            function: has(By::Function),
            task: has(By::Task),
            region: has(By::Region),
        };
        let mut query = self.query.clone();
        query.part.as_go = self.as_go;
        let mut groups = Vec::new();
        let mut group = |known: &_| -> Groups {
            let (made, meanings) = grouping.groups(known);
            groups = meanings;
            made
        };
        let answer = match grouping.is_nothing() {
            true => query.run(kind.options())?,
            false => query.run_in_groups(kind.options(), Some(&mut group))?,
        };
        human::need_nanoseconds("a profile")?;
        let mut profile = if self.as_go {
            Profile::as_go(&answer.analysis, kind)
        } else {
            Profile::new(&answer.analysis, kind, split)
        };
        if filtered {
            let wanted = |state| self.state.iter().any(|wanted| Some(wanted.kind()) == state);
            profile.samples.retain(|sample| wanted(sample.state));
        }
        if profile.samples.is_empty() {
            let what =
                format!("{}: nothing to show in a {} profile", query.trace.display(), kind.name());
            let next = match kind {
                ProfileKind::Cpu => {
                    "a trace has CPU samples if runtime/pprof.StartCPUProfile was on while it was \
                     recorded; --type wall shows where goroutines were without it"
                }
                ProfileKind::Wall => "nothing of the goroutines asked for lies in that time",
                _ => "no goroutine waited for that; --type wall shows all time of goroutines",
            };
            return Err(Failure::new(what).next(next).into());
        }
        Ok(Made { answer, profile, groups, by })
    }
}

impl Made {
    /// A profile of something that was analysed with this kind's options, with states and reasons
    /// told apart.
    pub(crate) fn of(answer: Answer, kind: ProfileKind) -> Made {
        let by = if kind == ProfileKind::Cpu { vec![] } else { vec![By::State, By::Reason] };
        let split = Split { state: !by.is_empty(), reason: !by.is_empty() };
        let profile = Profile::new(&answer.analysis, kind, split);
        Made { answer, profile, groups: Vec::new(), by }
    }

    /// The names of strings and stacks.
    pub(crate) fn names(&self) -> &Names {
        &self.answer.analysis.names
    }

    /// What tells a sample apart, as texts; nothing for what it does not belong to.
    pub(crate) fn labels(&self, sample: &Sample) -> Vec<Label> {
        let none = Group::default();
        let group = match sample.group {
            GroupId(number) => self.groups.get(number as usize).unwrap_or(&none),
        };
        let text = |name| Some(String::from_utf8_lossy(self.names().string(name)).into_owned());
        let labels = self.by.iter().filter_map(|&by| {
            let label = match by {
                By::Goroutine => group.goroutine.map(|go| go.to_string()),
                By::Function => Some(group.function.to_string()),
                By::State => sample.state.map(|state| state.name().to_owned()),
                By::Reason => text(sample.reason),
                By::Task => group.task.as_ref().map(|(id, name)| match name.is_empty() {
                    true => id.to_string(),
                    false => format!("{id} ({name})"),
                }),
                By::Region => Some(group.region.to_string()),
            };
            label.filter(|label| !label.is_empty()).map(|label| (by.name(), label))
        });
        labels.collect()
    }

    /// When and how long, and what in words.
    pub(crate) fn about(&self) -> About {
        let (from, until) = self.answer.window();
        let start = from.max(self.answer.start.time);
        let end = until.min(self.answer.analysis.end());
        let wall = self.answer.start.clock.map(|clock| clock.wall_at(gotrail::Time(start)));
        About {
            time: wall.and_then(|wall| i64::try_from(wall).ok()).unwrap_or(0),
            duration: (end - start).max(0),
            comment: format!("{} profile of a Go execution trace", self.profile.kind.name()),
        }
    }

    /// Says what was written, unless that went to standard output.
    pub(crate) fn tell(&self, place: &Place) {
        if place.is_stdout() {
            return;
        }
        let samples = &self.profile.samples;
        let count: u64 = samples.iter().map(|sample| sample.count).sum();
        let nanos: i64 = samples.iter().map(|sample| sample.nanos).sum();
        let (one, time) = match self.profile.kind {
            ProfileKind::Cpu => ("sample", String::new()),
            ProfileKind::Wall => ("stretch", format!(", {}", human::duration(nanos))),
            _ => ("wait", format!(", {}", human::duration(nanos))),
        };
        let many = if one == "stretch" && count != 1 { "es" } else { "" };
        let counted = match many {
            "" => human::counted(count, one),
            many => format!("{} {one}{many}", human::count(count)),
        };
        let stacks = human::counted(samples.len() as u64, "stack");
        let path = place.path().display();
        // The profile is written: that nobody reads this is no reason to fail.
        let _ = writeln!(io::stderr(), "{path}: {counted}{time}, {stacks}");
    }
}
