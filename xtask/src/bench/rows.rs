//! The rows of the table: what is compared with what, on which trace, and what has to come out.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::recipes::Trace;
use super::served;
use super::usage::{Task, Usage};
use crate::peer::Peer;

/// All programs that are run.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    /// The `gotrail` command.
    pub(crate) gotrail: PathBuf,
    /// The example `wire_decode`.
    pub(crate) wire_decode: PathBuf,
    /// The example `second_pass`.
    pub(crate) second_pass: PathBuf,
    /// The reference.
    pub(crate) peer: PathBuf,
    /// `go tool trace`.
    pub(crate) gotrace: PathBuf,
}

impl Programs {
    /// Those of ours in the folder where cargo puts programs, and the reference's.
    pub(crate) fn new(release: &Path, peer: &Peer) -> Programs {
        let suffix = std::env::consts::EXE_SUFFIX;
        let ours = |name: &str| release.join(format!("{name}{suffix}"));
        Programs {
            gotrail: ours("gotrail"),
            wire_decode: ours("examples/wire_decode"),
            second_pass: ours("examples/second_pass"),
            peer: peer.path("peer"),
            gotrace: peer.path("gotrace"),
        }
    }
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Validate,
    Threads,
    Folds,
    FoldsThreads,
    FoldsMemory,
    Wire,
    Parsed,
    Footprint,
    PipeMemory,
    SteadyMemory,
    SecondPass,
    Pprof,
    PprofMemory,
    ViewPaint,
    ViewIndexed,
    ViewMemory,
    ViewTile,
    ViewFrame,
    ViewPaintLong,
}

/// Which figure of a run counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    /// Wall time of the whole process.
    Wall,
    /// The time that the program itself prints: of the first or the second line.
    Printed(usize),
    /// Peak memory.
    Memory,
}

/// A row of the table. What counts is the figure of `other` by that of `ours`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) what: What,
    pub(crate) trace: &'static str,
    /// The ratio that must be reached.
    pub(crate) must: f64,
    /// The ratio to aim for.
    pub(crate) aim: Option<f64>,
}

const fn row(what: What, trace: &'static str, must: f64, aim: f64) -> Row {
    Row { what, trace, must, aim: Some(aim) }
}

/// The table.
pub(crate) const ROWS: &[Row] = &[
    row(What::Validate, "a-mixed", 10.0, 16.0),
    row(What::Validate, "b-procs64", 10.0, 16.0),
    row(What::Validate, "c-channels", 10.0, 16.0),
    row(What::Validate, "d-stacks", 10.0, 16.0),
    row(What::Validate, "e-go1.22", 10.0, 16.0),
    row(What::Validate, "f-interleaved", 5.0, 8.0),
    row(What::Validate, "g-generations", 10.0, 16.0),
    row(What::Validate, "h-go1.21", 12.0, 16.0),
    row(What::Threads, "g-generations", 1.4, 1.8),
    row(What::Wire, "a-mixed", 12.0, 20.0),
    row(What::Wire, "c-channels", 12.0, 20.0),
    row(What::Wire, "d-stacks", 12.0, 20.0),
    row(What::Wire, "f-interleaved", 12.0, 20.0),
    row(What::Parsed, "short", 8.0, 15.0),
    row(What::Parsed, "d-stacks", 8.0, 15.0),
    row(What::Footprint, "a-mixed", 15.0, 30.0),
    row(What::Footprint, "d-stacks", 15.0, 30.0),
    row(What::PipeMemory, "a-mixed", 1.0, 2.0),
    row(What::PipeMemory, "d-stacks", 1.0, 2.0),
    row(What::PipeMemory, "f-interleaved", 1.0, 2.0),
    row(What::PipeMemory, "g-generations", 1.0, 2.0),
    row(What::PipeMemory, "h-go1.21", 2.0, 3.0),
    // At most 20% more memory for ten times the length.
    Row { what: What::SteadyMemory, trace: "short", must: 1.0 / 1.2, aim: None },
    Row { what: What::SecondPass, trace: "g-generations", must: 1.8, aim: None },
    // All folds together take at most 2.5 times as long as reading.
    Row { what: What::Folds, trace: "a-mixed", must: 1.0 / 2.5, aim: None },
    Row { what: What::Folds, trace: "g-generations", must: 1.0 / 2.5, aim: None },
    Row { what: What::FoldsThreads, trace: "a-mixed", must: 1.0 / 2.5, aim: None },
    Row { what: What::FoldsThreads, trace: "g-generations", must: 1.0 / 2.5, aim: None },
    // The mapped file counts on both sides. A fifth of it is for the folds; the rest is the answer,
    // of 24,000 to 27,000 goroutines and as many tasks.
    Row { what: What::FoldsMemory, trace: "a-mixed", must: 1.0 / 1.6, aim: None },
    Row { what: What::FoldsMemory, trace: "g-generations", must: 1.0 / 1.6, aim: None },
    row(What::Pprof, "a-mixed", 15.0, 25.0),
    row(What::PprofMemory, "a-mixed", 15.0, 25.0),
    row(What::Pprof, "g-generations", 15.0, 25.0),
    row(What::PprofMemory, "g-generations", 15.0, 25.0),
    row(What::ViewPaint, "a-mixed", 20.0, 40.0),
    row(What::ViewIndexed, "a-mixed", 15.0, 25.0),
    row(What::ViewMemory, "a-mixed", 12.0, 20.0),
    row(What::ViewTile, "a-mixed", 1.0, 2.0),
    row(What::ViewFrame, "a-mixed", 1.0, 1.2),
    row(What::ViewPaintLong, "i-500MB", 1.0, 2.0),
];

/// Runs a viewer on a trace and says what it used.
type Viewer = fn(&Programs, &Path) -> Result<Usage>;

/// One run of both sides of a row.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) ours: Usage,
    pub(crate) other: Usage,
}

impl What {
    /// What is done, and what it is compared with.
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            What::Validate => ("gotrail validate --threads 1", "peer read"),
            What::Threads => ("gotrail validate, all threads", "ours, one thread"),
            What::Folds => ("gotrail check --threads 1", "gotrail validate --threads 1"),
            What::FoldsThreads => ("gotrail check --threads 2", "gotrail validate --threads 2"),
            What::FoldsMemory => ("gotrail check, memory", "gotrail validate --threads 2"),
            What::Wire => ("wire events decoded", "peer raw"),
            What::Parsed => ("gotrail dump parsed, to a file", "peer parsed"),
            What::Footprint => ("gotrail dump footprint", "gotrace -d=footprint"),
            What::PipeMemory => ("gotrail validate -, memory", "peer read"),
            What::SteadyMemory => ("memory for 10x the length", "short trace"),
            What::SecondPass => ("second pass, 2 threads", "first pass, 1 thread"),
            What::Pprof => ("gotrail pprof --type sched", "gotrace -pprof=sched"),
            What::PprofMemory => ("gotrail pprof, memory", "gotrace -pprof=sched"),
            What::ViewPaint => ("gotrail view, first lanes in Chromium", "gotrace listens"),
            What::ViewIndexed => ("gotrail view, everything indexed", "gotrace listens"),
            What::ViewMemory => ("gotrail view, memory", "gotrace, when it listens"),
            What::ViewTile => ("gotrail view, 95% of tiles of 40 lanes", "limit"),
            What::ViewFrame => ("gotrail view, 95% of frames in Chromium", "limit"),
            What::ViewPaintLong => ("gotrail view, first lanes in Chromium", "limit"),
        }
    }

    /// The figure that counts, of ours and of the other's.
    pub(crate) fn figures(self) -> (Figure, Figure) {
        match self {
            What::Wire => (Figure::Printed(0), Figure::Printed(0)),
            What::SecondPass => (Figure::Printed(1), Figure::Printed(0)),
            What::PipeMemory
            | What::SteadyMemory
            | What::PprofMemory
            | What::FoldsMemory
            | What::ViewMemory => (Figure::Memory, Figure::Memory),
            What::ViewTile | What::ViewFrame => (Figure::Printed(1), Figure::Wall),
            _ => (Figure::Wall, Figure::Wall),
        }
    }
}

impl Figure {
    /// The figure of a run.
    pub(crate) fn of(self, usage: &Usage) -> Result<f64> {
        match self {
            Figure::Wall => Ok(usage.wall),
            Figure::Memory => Ok(usage.memory as f64),
            Figure::Printed(line) => usage
                .seconds(line)
                .with_context(|| format!("no time in what was printed: {:?}", usage.output)),
        }
    }

    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Figure::Wall => "whole process",
            Figure::Printed(_) => "in the process",
            Figure::Memory => "peak memory",
        }
    }
}

impl Row {
    /// The traces that are read: ours and the other's.
    pub(crate) fn traces(&self) -> (&'static str, &'static str) {
        match self.what {
            What::SteadyMemory => ("long", self.trace),
            _ => (self.trace, self.trace),
        }
    }

    /// Both sides of a row about viewers, which do not end by themselves.
    fn viewers(&self) -> Option<(Viewer, Viewer)> {
        // What a page may take until it draws, and a frame and a tile, in seconds.
        let soon: Viewer = |_, _| Ok(served::limit(2.0));
        let moment: Viewer = |_, _| Ok(served::limit(0.02));
        Some(match self.what {
            What::ViewPaint => (served::page, served::other),
            What::ViewIndexed | What::ViewMemory => (served::ours, served::other),
            What::ViewTile => (served::ours, moment),
            What::ViewFrame => (served::page, moment),
            What::ViewPaintLong => (served::page, soon),
            _ => return None,
        })
    }

    /// Our side and the other; `None` where our side prints the figures of both.
    fn tasks(&self, programs: &Programs, ours: &Path, other: &Path) -> (Task, Option<Task>) {
        let gotrail = |args: &[&str]| Task::new(&programs.gotrail, args);
        let peer = |args: &[&str]| Task::new(&programs.peer, args).on(other);
        let validate = gotrail(&["validate", "--json"]);
        let one = gotrail(&["validate", "--json", "--threads", "1"]);
        let stream = gotrail(&["validate", "--json", "-"]);
        match self.what {
            What::Validate => (one.on(ours), Some(peer(&["read"]))),
            What::Threads => (validate.on(ours), Some(one.on(other))),
            What::Folds => {
                let check = gotrail(&["check", "--threads", "1"]).that_may_find_something();
                (check.on(ours), Some(one.on(other)))
            }
            What::FoldsThreads | What::FoldsMemory => {
                let check = gotrail(&["check", "--threads", "2"]).that_may_find_something();
                let two = gotrail(&["validate", "--json", "--threads", "2"]);
                (check.on(ours), Some(two.on(other)))
            }
            What::Wire => (Task::new(&programs.wire_decode, &[]).on(ours), Some(peer(&["raw"]))),
            What::Parsed => (
                gotrail(&["dump", "parsed"]).on(ours).with_long_output(),
                Some(peer(&["parsed"]).with_long_output()),
            ),
            What::Footprint => (
                gotrail(&["dump", "footprint"]).on(ours),
                Some(Task::new(&programs.gotrace, &["-d=footprint"]).on(other)),
            ),
            What::PipeMemory => (stream.piped(ours), Some(peer(&["read"]))),
            What::SteadyMemory => (stream.clone().piped(ours), Some(stream.piped(other))),
            What::Pprof | What::PprofMemory => (
                gotrail(&["pprof", "--type", "sched", "-o", "-"]).on(ours).with_long_output(),
                Some(Task::new(&programs.gotrace, &["-pprof=sched"]).on(other).with_long_output()),
            ),
            What::ViewPaint
            | What::ViewIndexed
            | What::ViewMemory
            | What::ViewTile
            | What::ViewFrame
            | What::ViewPaintLong => unreachable!("these are viewers"),
            What::SecondPass => {
                let mut both = Task::new(&programs.second_pass, &[]).on(ours);
                both.args.push("2".into());
                (both, None)
            }
        }
    }

    /// Runs both sides once, the other one first if asked to.
    pub(crate) fn sample(
        &self,
        programs: &Programs,
        traces: (&Trace, &Trace),
        scratch: &Path,
        other_first: bool,
    ) -> Result<Sample> {
        let (ours_path, other_path) = (&traces.0.path, &traces.1.path);
        if let Some((ours, other)) = self.viewers() {
            let ours = || ours(programs, ours_path);
            let other = || other(programs, other_path);
            return Ok(if other_first {
                let other = other()?;
                Sample { ours: ours()?, other }
            } else {
                Sample { ours: ours()?, other: other()? }
            });
        }
        let (ours, other) = self.tasks(programs, ours_path, other_path);
        let Some(other) = other else {
            let both = ours.run(scratch)?;
            let sample = Sample { ours: both.clone(), other: both };
            return self.check(sample, traces);
        };
        let sample = if other_first {
            let other = other.run(scratch)?;
            Sample { ours: ours.run(scratch)?, other }
        } else {
            Sample { ours: ours.run(scratch)?, other: other.run(scratch)? }
        };
        self.check(sample, traces)
    }

    /// Whether both sides have read the same: the number of events, or of bytes printed.
    fn check(&self, sample: Sample, traces: (&Trace, &Trace)) -> Result<Sample> {
        let (ours, other) = (&sample.ours, &sample.other);
        if matches!(self.what, What::Pprof | What::PprofMemory) {
            // That both say the same is checked by conformance, of far more traces.
            if ours.printed == 0 || other.printed == 0 {
                bail!("no profile came");
            }
            return Ok(sample);
        }
        if matches!(self.what, What::Folds | What::FoldsThreads | What::FoldsMemory) {
            // That folds come to the same on any number of threads is a matter of tests.
            if ours.printed == 0 || other.events() != Some(traces.1.events) {
                bail!("no findings, or not {} events: {:?}", traces.1.events, other.output);
            }
            return Ok(sample);
        }
        if matches!(self.what, What::Parsed | What::Footprint) {
            if ours.printed != other.printed {
                bail!("ours printed {} bytes, the other {}", ours.printed, other.printed);
            }
            return Ok(sample);
        }
        for (usage, trace) in [(ours, traces.0), (other, traces.1)] {
            let expected = if self.what == What::Wire { trace.wire_events } else { trace.events };
            if usage.events() != Some(expected) {
                bail!("not {expected} events: {:?}", usage.output);
            }
        }
        Ok(sample)
    }
}
