//! Profiles: how often and how long, by stack.
//!
//! The first four are those of `go tool trace -pprof`, from the same stretches of time. By default
//! they also have what the reference leaves out: waits that last until the end of the trace, and
//! the time before a goroutine's first mention.

use crate::analysis::{Analysis, Options};
use crate::groups::GroupId;
use crate::names::{Frame, Names, StackId, StrId};
use crate::scope::Spans;
use crate::waits::{WaitKey, WaitKind, WaitSum};
use bstr::ByteSlice;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

/// What a profile is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileKind {
    /// Waiting for the network.
    Net,
    /// Waiting for channels, select and what package sync has.
    Sync,
    /// In system calls.
    Syscall,
    /// Runnable, waiting for a proc.
    Sched,
    /// CPU samples.
    Cpu,
    /// All time of goroutines.
    Wall,
    /// All time of goroutines in which they did not run.
    OffCpu,
}

impl ProfileKind {
    /// Every kind.
    pub const ALL: [ProfileKind; 7] = [
        ProfileKind::Net,
        ProfileKind::Sync,
        ProfileKind::Syscall,
        ProfileKind::Sched,
        ProfileKind::Cpu,
        ProfileKind::Wall,
        ProfileKind::OffCpu,
    ];

    /// The kind's name.
    pub const fn name(self) -> &'static str {
        match self {
            ProfileKind::Net => "net",
            ProfileKind::Sync => "sync",
            ProfileKind::Syscall => "syscall",
            ProfileKind::Sched => "sched",
            ProfileKind::Cpu => "cpu",
            ProfileKind::Wall => "wall",
            ProfileKind::OffCpu => "offcpu",
        }
    }

    /// Whether `go tool trace` has it, too.
    pub const fn is_of_go(self) -> bool {
        matches!(
            self,
            ProfileKind::Net | ProfileKind::Sync | ProfileKind::Syscall | ProfileKind::Sched
        )
    }

    /// What an analysis must find out for it.
    pub fn options(self) -> Options {
        Options {
            running: self == ProfileKind::Wall,
            only_sums: true,
            samples: self == ProfileKind::Cpu,
            ..Options::default()
        }
    }

    fn takes(self, names: &Names, key: &WaitKey) -> bool {
        let why = names.string(key.why);
        match self {
            ProfileKind::Net => key.kind == WaitKind::Block && why == "network",
            ProfileKind::Sync => {
                let words = ["chan", "sync", "select"];
                key.kind == WaitKind::Block && words.iter().any(|word| why.contains_str(word))
            }
            ProfileKind::Syscall => key.kind == WaitKind::Syscall,
            ProfileKind::Sched => key.kind == WaitKind::Sched,
            ProfileKind::Cpu => false,
            ProfileKind::Wall => true,
            ProfileKind::OffCpu => key.kind != WaitKind::Run,
        }
    }
}

/// What samples of a profile are told apart by, besides their stack and their group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Split {
    /// By state.
    pub state: bool,
    /// By the reason of the state.
    pub reason: bool,
}

/// A sample of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The stack.
    pub stack: StackId,
    /// Where no stack is known: the function that the goroutine began with.
    pub function: StrId,
    /// The state, if the profile is split by it.
    pub state: Option<WaitKind>,
    /// Why, if the profile is split by it; empty if that is not known.
    pub reason: StrId,
    /// The group, if there are groups.
    pub group: GroupId,
    /// How many stretches of time, or CPU samples.
    pub count: u64,
    /// How long in nanoseconds; 0 for CPU samples.
    pub nanos: i64,
}

/// How often and how long, by stack.
#[derive(Debug, Clone)]
pub struct Profile {
    /// What it is about.
    pub kind: ProfileKind,
    /// Its samples: those with the longest time, or the most, first.
    pub samples: Vec<Sample>,
}

/// How long stacks are that the reference tells apart.
const GO_STACK: usize = 128;

/// What is the same for all that makes up a sample.
type Key = (StackId, StrId, Option<WaitKind>, StrId, GroupId);

impl Profile {
    /// The profile of an analysis with the [`ProfileKind::options`].
    pub fn new(analysis: &Analysis, kind: ProfileKind, split: Split) -> Profile {
        Profile::of(analysis, kind, split, |sum| {
            (sum.count + sum.open, sum.total + sum.open_total + sum.before)
        })
    }

    /// The profile that `go tool trace` makes: without waits that last until the end, stacks told
    /// apart by their first 128 program counters. The analysis needs the reference's scope: unless
    /// regions are chosen, the time of each goroutine from its first run on, see [`go_scope`].
    pub fn as_go(analysis: &Analysis, kind: ProfileKind) -> Profile {
        let split = Split::default();
        let mut profile = Profile::of(analysis, kind, split, |sum| (sum.count, sum.total));
        let mut stacks = IndexMap::<Vec<u64>, Sample, FxBuildHasher>::default();
        for sample in profile.samples {
            let frames = analysis.names.stack(sample.stack).take(GO_STACK);
            let mut pcs: Vec<u64> = frames.map(|frame| frame.pc).collect();
            while pcs.last() == Some(&0) {
                pcs.pop();
            }
            let sum = stacks.entry(pcs).or_insert(Sample { count: 0, nanos: 0, ..sample });
            sum.count += sample.count;
            sum.nanos += sample.nanos;
        }
        profile.samples = stacks.into_values().collect();
        profile.sort();
        profile
    }

    fn of(
        analysis: &Analysis,
        kind: ProfileKind,
        split: Split,
        figures: impl Fn(&WaitSum) -> (u64, i64),
    ) -> Profile {
        let mut sums = IndexMap::<Key, (u64, i64), FxBuildHasher>::default();
        let mut add = |key: Key, count: u64, nanos: i64| {
            let sum = sums.entry(key).or_default();
            sum.0 += count;
            sum.1 += nanos;
        };
        let none = StrId::EMPTY;
        if let (ProfileKind::Cpu, Some(samples)) = (kind, &analysis.samples) {
            for (stack, group, count) in samples.iter() {
                add((stack, none, None, none, group), count, 0);
            }
        }
        let mut wait = |key: &WaitKey, group: GroupId, sum: &WaitSum| {
            if !kind.takes(&analysis.names, key) {
                return;
            }
            let (function, why) =
                if key.kind == WaitKind::Run { (key.why, none) } else { (none, key.why) };
            let state = split.state.then_some(key.kind);
            let reason = if split.reason { why } else { none };
            let (count, nanos) = figures(sum);
            if nanos > 0 {
                add((key.stack, function, state, reason, group), count, nanos);
            }
        };
        if analysis.has_groups() {
            analysis.waits.grouped().for_each(|(key, group, sum)| wait(key, group, sum));
        } else {
            analysis.waits.sums().for_each(|(key, sum)| wait(key, GroupId::NONE, sum));
        }
        let samples = sums.into_iter().map(|(key, (count, nanos))| {
            let (stack, function, state, reason, group) = key;
            Sample { stack, function, state, reason, group, count, nanos }
        });
        let mut profile = Profile { kind, samples: samples.collect() };
        profile.sort();
        profile
    }

    /// Equal ones stay as they are, which is the order of their first mention.
    fn sort(&mut self) {
        self.samples.sort_by_key(|sample| std::cmp::Reverse((sample.nanos, sample.count)));
    }
}

/// What the reference's profiles are of: for each goroutine the time from its first run, or from
/// the beginning if it never runs, until its end. Of several goroutines with one id, which cgo
/// makes, only the last one's.
pub fn go_scope(known: &Analysis) -> Spans {
    let scope = known.goroutines.iter().map(|goroutine| {
        let end = if goroutine.ended == 0 { known.end() } else { goroutine.ended };
        (goroutine.id, vec![(goroutine.started, end)])
    });
    scope.collect()
}

impl Sample {
    /// The frames, innermost first: of the stack, or the function that stands for it.
    pub fn frames<'a>(&self, names: &'a Names) -> impl DoubleEndedIterator<Item = Frame> + 'a {
        let function = self.function;
        let known = function != StrId::EMPTY;
        let alone = known.then_some(Frame { pc: 0, function, file: StrId::EMPTY, line: 0 });
        names.stack(self.stack).chain(alone)
    }
}
