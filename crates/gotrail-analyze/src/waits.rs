//! What goroutines waited for: every stretch of time that one was not running, by kind, reason
//! and stack.
//!
//! A wait begins with the event that stops the goroutine or makes it runnable, and its stack is
//! that event's: the goroutine's own where it stopped by itself, that of whoever woke or created
//! it otherwise.
//!
//! Goroutines that run are kept in the same table if that is asked for. Where they ran is known
//! when they stop, so that their stack is that of the event that stopped them.

use crate::analysis::Options;
use crate::groups::{GroupId, Groups};
use crate::histogram::Histogram;
use crate::names::{Renumbering, StackId, StrId};
use crate::scope::{self, Scope};
use gotrail::GoId;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::sync::Arc;

/// What kind of wait it was, or that it was none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum WaitKind {
    /// Runnable, waiting for a proc.
    Sched,
    /// Waiting for something to happen.
    Block,
    /// In a system call.
    Syscall,
    /// Running: only where that is asked for.
    Run,
}

impl WaitKind {
    /// Every kind of wait.
    pub const ALL: [WaitKind; 3] = [WaitKind::Sched, WaitKind::Block, WaitKind::Syscall];

    /// The kind's name.
    pub const fn name(self) -> &'static str {
        match self {
            WaitKind::Sched => "sched",
            WaitKind::Block => "block",
            WaitKind::Syscall => "syscall",
            WaitKind::Run => "run",
        }
    }
}

/// What waits have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WaitKey {
    /// The kind.
    pub kind: WaitKind,
    /// Why: the tracer's reason of a block; of a wait for a proc, what made the goroutine
    /// runnable. Of one that runs where no stack is known, the function that it began with.
    pub why: StrId,
    /// The stack of the event that began it; of one that runs, that of the event that ended it.
    pub stack: StackId,
}

/// Waits that have a [`WaitKey`] in common. Times are nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WaitSum {
    /// How many ended.
    pub count: u64,
    /// How long these took together.
    pub total: i64,
    /// The longest of them.
    pub max: i64,
    /// How many had not ended at the end of the trace.
    pub open: u64,
    /// How long these had taken by then.
    pub open_total: i64,
    /// The one that was the longest within the scope, from its beginning to its end.
    pub longest: Instance,
    /// Of system calls: the longest that one held its proc.
    pub longest_held: Instance,
    /// Of system calls: how many held their proc for at least
    /// [`Limits::held`](crate::analysis::Limits::held), and how long together.
    pub long_held: (u64, i64),
    /// How long goroutines were in this state before they were first mentioned, from the
    /// beginning of the generation on. No other figure has this time.
    pub before: i64,
    class: u32,
}

/// One wait: who waited, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instance {
    /// The goroutine.
    pub go: GoId,
    /// When it began, in nanoseconds of the trace's clock.
    pub from: i64,
    /// When it ended.
    pub until: i64,
}

impl Default for Instance {
    fn default() -> Instance {
        Instance { go: GoId::NONE, from: 0, until: 0 }
    }
}

impl Instance {
    /// Takes the longer one; of equals the one that began first, so that it makes no difference
    /// in which order they are met.
    #[inline]
    pub(crate) fn longest(&mut self, other: Instance) {
        let rank = |of: &Instance| (of.until - of.from, std::cmp::Reverse(of.from));
        if rank(&other) > rank(self) {
            *self = other;
        }
    }
}

/// A wait that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Begun(u32);

impl Begun {
    /// Nothing is waited for.
    pub(crate) const NOTHING: Begun = Begun(u32::MAX);
}

/// Places of a small cache in front of the table.
const CACHED: usize = 1 << 10;

/// All waits.
#[derive(Debug, Clone)]
pub struct Waits {
    sums: IndexMap<WaitKey, WaitSum, FxBuildHasher>,
    classes: IndexMap<(WaitKind, StrId), Histogram, FxBuildHasher>,
    /// Whether histograms stay empty.
    only_sums: bool,
    /// How long a system call holds its proc for long, in nanoseconds.
    long_held: i64,
    scope: Option<Scope>,
    groups: Option<Arc<Groups>>,
    /// The same sums again for each group, by place of the key, if there are groups.
    grouped: IndexMap<(Begun, GroupId), WaitSum, FxBuildHasher>,
    cache: Box<[(u64, u32)]>,
}

impl Waits {
    pub(crate) fn new(options: &Options) -> Waits {
        Waits {
            sums: IndexMap::default(),
            classes: IndexMap::default(),
            only_sums: options.only_sums,
            long_held: options.limits.held,
            scope: options.scope.clone(),
            groups: options.groups.clone(),
            grouped: IndexMap::default(),
            cache: vec![(u64::MAX, 0); CACHED].into(),
        }
    }

    /// A wait begins.
    #[inline]
    pub(crate) fn begin(&mut self, key: WaitKey) -> Begun {
        let packed = (key.kind as u64) << 62 | u64::from(key.why.0) << 32 | u64::from(key.stack.0);
        let place = packed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - CACHED.ilog2());
        let cached = &mut self.cache[place as usize];
        if cached.0 == packed {
            return Begun(cached.1);
        }
        let begun = self.look_up(key);
        self.cache[place as usize] = (packed, begun.0);
        begun
    }

    fn look_up(&mut self, key: WaitKey) -> Begun {
        let entry = self.sums.entry(key);
        let at = entry.index();
        entry.or_insert_with(|| {
            let class = self.classes.entry((key.kind, key.why));
            let index = class.index();
            class.or_default();
            WaitSum { class: index as u32, ..WaitSum::default() }
        });
        Begun(at as u32)
    }

    /// A wait of `go` ends.
    #[inline]
    pub(crate) fn end(&mut self, begun: Begun, go: GoId, from: i64, until: i64) {
        let nanos = scope::nanos(&self.scope, go, from, until);
        let Some((_, sum)) = self.sums.get_index_mut(begun.0 as usize) else { return };
        if nanos <= 0 {
            return;
        }
        sum.count += 1;
        sum.total += nanos;
        if nanos >= sum.max {
            sum.longest(nanos, Instance { go, from, until });
        }
        if !self.only_sums
            && let Some((_, histogram)) = self.classes.get_index_mut(sum.class as usize)
        {
            histogram.record(nanos);
        }
        if self.groups.is_some() {
            self.divide(begun, go, from, until, |sum, nanos| {
                sum.count += 1;
                sum.total += nanos;
                sum.max = sum.max.max(nanos);
            });
        }
    }

    /// A system call of `go` has held its proc.
    #[inline]
    pub(crate) fn held(&mut self, begun: Begun, go: GoId, from: i64, until: i64) {
        if let Some((_, sum)) = self.sums.get_index_mut(begun.0 as usize) {
            let nanos = scope::nanos(&self.scope, go, from, until);
            if nanos > 0 {
                sum.longest_held.longest(Instance { go, from, until });
            }
            if nanos >= self.long_held {
                sum.long_held.0 += 1;
                sum.long_held.1 += nanos;
            }
        }
    }

    /// Adds a time to the sums of the groups that it falls into.
    #[cold]
    fn divide(
        &mut self,
        begun: Begun,
        go: GoId,
        from: i64,
        until: i64,
        add: impl Fn(&mut WaitSum, i64),
    ) {
        let Waits { groups: Some(groups), scope, grouped, .. } = self else { return };
        groups.divide(go, from, until, |group, from, until| {
            let nanos = scope::nanos(scope, go, from, until);
            if nanos > 0 {
                add(grouped.entry((begun, group)).or_default(), nanos);
            }
        });
    }

    /// Counts something else about a time.
    fn note(
        &mut self,
        begun: Begun,
        go: GoId,
        from: i64,
        until: i64,
        add: impl Fn(&mut WaitSum, i64),
    ) {
        let nanos = scope::nanos(&self.scope, go, from, until);
        if let Some((_, sum)) = self.sums.get_index_mut(begun.0 as usize)
            && nanos > 0
        {
            add(sum, nanos);
            self.divide(begun, go, from, until, add);
        }
    }

    /// A goroutine was in this state before its first mention.
    pub(crate) fn before(&mut self, begun: Begun, go: GoId, from: i64, until: i64) {
        self.note(begun, go, from, until, |sum, nanos| sum.before += nanos);
    }

    /// The trace ends during a wait of `go`.
    pub(crate) fn leave_open(&mut self, begun: Begun, go: GoId, from: i64, until: i64) {
        self.note(begun, go, from, until, |sum, nanos| {
            sum.open += 1;
            sum.open_total += nanos;
        });
    }

    /// Takes over the waits of a later generation, and returns what those that have begun are
    /// here.
    pub(crate) fn absorb(&mut self, other: Waits, to: &Renumbering) -> Vec<Begun> {
        for ((kind, why), histogram) in other.classes {
            self.classes.entry((kind, to.string(why))).or_default().add(&histogram);
        }
        let sums = other.sums.into_iter().map(|(key, sum)| {
            let key = WaitKey { why: to.string(key.why), stack: to.stack(key.stack), ..key };
            let begun = self.look_up(key);
            if let Some((_, own)) = self.sums.get_index_mut(begun.0 as usize) {
                own.add(&sum);
            }
            begun
        });
        let begun: Vec<Begun> = sums.collect();
        for ((mut later, group), sum) in other.grouped {
            later.renumber(&begun);
            self.grouped.entry((later, group)).or_default().add(&sum);
        }
        begun
    }

    /// What a wait is.
    pub(crate) fn key(&self, begun: Begun) -> Option<&WaitKey> {
        self.sums.get_index(begun.0 as usize).map(|(key, _)| key)
    }

    /// The sums of all that have something in common, in the order of their first mention.
    pub fn sums(&self) -> impl Iterator<Item = (&WaitKey, &WaitSum)> {
        self.sums.iter().filter(|(_, sum)| !sum.is_empty())
    }

    /// All that ever began, at places that stay the same while more are added.
    pub(crate) fn all(&self) -> impl ExactSizeIterator<Item = (&WaitKey, &WaitSum)> {
        self.sums.iter()
    }

    /// The same for each group; nothing if there are no groups.
    pub fn grouped(&self) -> impl Iterator<Item = (&WaitKey, GroupId, &WaitSum)> {
        self.grouped.iter().filter_map(|(&(begun, group), sum)| {
            let (key, _) = self.sums.get_index(begun.0 as usize)?;
            (!sum.is_empty()).then_some((key, group, sum))
        })
    }

    /// The durations of waits that ended, by kind and reason.
    pub fn classes(&self) -> impl Iterator<Item = (WaitKind, StrId, &Histogram)> {
        let used = self
            .classes
            .iter()
            .filter(|((kind, _), histogram)| *kind != WaitKind::Run && histogram.count() > 0);
        used.map(|(&(kind, why), histogram)| (kind, why, histogram))
    }
}

impl WaitSum {
    /// Another may be the longest; of equals it is the one that began first, so that it makes no
    /// difference in which order they are met.
    fn longest(&mut self, nanos: i64, wait: Instance) {
        if nanos > self.max || nanos == self.max && wait.from < self.longest.from {
            (self.max, self.longest) = (nanos, wait);
        }
    }

    fn is_empty(&self) -> bool {
        self.count + self.open == 0 && self.before == 0
    }

    fn add(&mut self, other: &WaitSum) {
        self.count += other.count;
        self.total += other.total;
        self.longest(other.max, other.longest);
        self.open += other.open;
        self.open_total += other.open_total;
        self.before += other.before;
        self.longest_held.longest(other.longest_held);
        self.long_held.0 += other.long_held.0;
        self.long_held.1 += other.long_held.1;
    }
}

impl Begun {
    /// What this is after [`Waits::absorb`].
    pub(crate) fn renumber(&mut self, to: &[Begun]) {
        if let Some(begun) = to.get(self.0 as usize) {
            *self = *begun;
        }
    }
}
