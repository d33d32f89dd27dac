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
use gotrail_format::EventType;
use indexmap::{IndexMap, IndexSet};
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
// What the end of a wait touches lies in one line of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(C, align(64))]
pub struct WaitSum {
    /// How many ended.
    pub count: u64,
    /// How long these took together.
    pub total: i64,
    /// The longest of them.
    pub max: i64,
    /// The shortest of them; 0 if there is none.
    pub min: i64,
    /// The one that was the longest within the scope, from its beginning to its end.
    pub longest: Instance,
    class: u32,
    /// How many had not ended at the end of the trace.
    pub open: u64,
    /// How long these had taken by then.
    pub open_total: i64,
    /// Of system calls: the longest that one held its proc.
    pub longest_held: Instance,
    /// Of system calls: how many held their proc for at least
    /// [`Limits::held`](crate::analysis::Limits::held), and how long together.
    pub long_held: (u64, i64),
    /// How long goroutines were in this state before they were first mentioned, from the
    /// beginning of the generation on. No other figure has this time.
    pub before: i64,
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
    keys: IndexSet<WaitKey, FxBuildHasher>,
    /// The sum of each key, by itself: it is looked for by number.
    sums: Vec<WaitSum>,
    /// Sizes of waits by kind and reason, and by stack if that is asked for.
    classes: IndexMap<WaitKey, Histogram, FxBuildHasher>,
    /// Whether histograms stay empty.
    only_sums: bool,
    /// Whether each stack has a histogram of its own.
    by_stack: bool,
    /// How long a system call holds its proc for long, in nanoseconds.
    long_held: i64,
    scope: Option<Scope>,
    groups: Option<Arc<Groups>>,
    /// The same sums again for each group, by place of the key, if there are groups.
    grouped: IndexMap<(Begun, GroupId), WaitSum, FxBuildHasher>,
    cache: Box<[(u64, u32)]>,
    near: Box<[Near; CACHED]>,
    /// See [`Waits::are_plain`].
    plain: bool,
}

/// A wait in the words of the current generation: the wire event that begins it, its reason and
/// its stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) event: EventType,
    pub(crate) reason: u64,
    pub(crate) stack: u64,
}

impl Place {
    /// What is never looked for.
    const NONE: Place = Place { event: EventType(0), reason: 0, stack: 0 };

    /// Where it is among those at hand. There are some hundred in a generation, and a few of them
    /// make nearly all events: two of these at one place would always take it from each other.
    #[inline(always)]
    fn at(self) -> usize {
        let ids = self.stack ^ self.reason << 24 ^ u64::from(self.event.0) << 48;
        (ids.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - CACHED.ilog2())) as usize
    }
}

/// What a place in the current generation is, and its reason.
#[derive(Debug, Clone, Copy)]
struct Near {
    place: Place,
    begun: Begun,
    why: StrId,
}

impl Near {
    const NONE: Near = Near { place: Place::NONE, begun: Begun::NOTHING, why: StrId::EMPTY };
}

impl Waits {
    pub(crate) fn new(options: &Options) -> Waits {
        Waits {
            keys: IndexSet::default(),
            sums: Vec::new(),
            classes: IndexMap::default(),
            only_sums: options.only_sums,
            by_stack: options.waits_by_stack,
            long_held: options.limits.held,
            scope: options.scope.clone(),
            groups: options.groups.clone(),
            grouped: IndexMap::default(),
            cache: vec![(u64::MAX, 0); CACHED].into(),
            near: Box::new([Near::NONE; CACHED]),
            plain: Waits::are_plain(options),
        }
    }

    /// Whether all that is to be done when a wait ends is to count it.
    pub(crate) fn are_plain(options: &Options) -> bool {
        options.scope.is_none() && options.groups.is_none() && !options.only_sums
    }

    /// A generation begins: its ids mean other things.
    pub(crate) fn forget_places(&mut self) {
        self.near.fill(Near::NONE);
    }

    /// The wait that begins at a place, with its reason, if that is at hand.
    #[inline(always)]
    pub(crate) fn begin_at(&self, place: Place) -> Option<(Begun, StrId)> {
        let near = &self.near[place.at()];
        (near.place == place).then_some((near.begun, near.why))
    }

    /// Keeps a place at hand.
    pub(crate) fn note_place(&mut self, place: Place, begun: Begun, why: StrId) {
        self.near[place.at()] = Near { place, begun, why };
    }

    /// [`Waits::end`] where all of the time counts.
    #[inline(always)]
    pub(crate) fn end_plain(&mut self, begun: Begun, wait: Instance) {
        let Some(sum) = self.sums.get_mut(begun.0 as usize) else { return };
        let nanos = wait.until - wait.from;
        // Times rise, but those of broken traces may do anything.
        if nanos <= 0 {
            return;
        }
        sum.record(nanos, wait);
        if let Some((_, histogram)) = self.classes.get_index_mut(sum.class as usize) {
            histogram.record_size(nanos);
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
        let (at, is_new) = self.keys.insert_full(key);
        if is_new {
            let stack = if self.by_stack { key.stack } else { StackId::EMPTY };
            let class = self.classes.entry(WaitKey { stack, ..key });
            let index = class.index();
            class.or_default();
            self.sums.push(WaitSum { class: index as u32, ..WaitSum::default() });
        }
        Begun(at as u32)
    }

    /// A wait of `go` ends.
    #[inline]
    pub(crate) fn end(&mut self, begun: Begun, go: GoId, from: i64, until: i64) {
        if self.plain {
            return self.end_plain(begun, Instance { go, from, until });
        }
        let nanos = scope::nanos(&self.scope, go, from, until);
        if self.scope.as_ref().is_some_and(|scope| scope.until.is_some_and(|end| end < until)) {
            // It had not ended when the time that counts did.
            return self.leave_open(begun, go, from, until);
        }
        let Some(sum) = self.sums.get_mut(begun.0 as usize) else { return };
        if nanos <= 0 {
            return;
        }
        sum.record(nanos, Instance { go, from, until });
        if !self.only_sums
            && let Some((_, histogram)) = self.classes.get_index_mut(sum.class as usize)
        {
            histogram.record_size(nanos);
        }
        if self.groups.is_some() {
            self.divide(begun, go, from, until, |sum, nanos| {
                sum.record(nanos, Instance { go, from, until });
            });
        }
    }

    /// [`Waits::held`] where all of the time counts.
    #[inline(always)]
    pub(crate) fn held_plain(&mut self, begun: Begun, call: Instance) {
        let Some(sum) = self.sums.get(begun.0 as usize) else { return };
        let (nanos, longest) = (call.until - call.from, sum.longest_held);
        // Most are neither long nor the longest.
        if nanos >= self.long_held || nanos >= longest.until - longest.from {
            self.held(begun, call.go, call.from, call.until);
        }
    }

    /// A system call of `go` has held its proc.
    #[inline]
    pub(crate) fn held(&mut self, begun: Begun, go: GoId, from: i64, until: i64) {
        if let Some(sum) = self.sums.get_mut(begun.0 as usize) {
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
        if let Some(sum) = self.sums.get_mut(begun.0 as usize)
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
        for (key, histogram) in other.classes {
            let key = WaitKey { why: to.string(key.why), stack: to.stack(key.stack), ..key };
            self.classes.entry(key).or_default().add_sizes(&histogram);
        }
        let sums = other.keys.into_iter().zip(other.sums).map(|(key, sum)| {
            let key = WaitKey { why: to.string(key.why), stack: to.stack(key.stack), ..key };
            let begun = self.look_up(key);
            self.sums[begun.0 as usize].add(&sum);
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
        self.keys.get_index(begun.0 as usize)
    }

    /// The sums of all that have something in common, in the order of their first mention.
    pub fn sums(&self) -> impl Iterator<Item = (&WaitKey, &WaitSum)> {
        self.all().filter(|(_, sum)| !sum.is_empty())
    }

    /// All that ever began, at places that stay the same while more are added.
    pub(crate) fn all(&self) -> impl ExactSizeIterator<Item = (&WaitKey, &WaitSum)> {
        self.keys.iter().zip(&self.sums)
    }

    /// The same for each group; nothing if there are no groups.
    pub fn grouped(&self) -> impl Iterator<Item = (&WaitKey, GroupId, &WaitSum)> {
        self.grouped.iter().filter_map(|(&(begun, group), sum)| {
            let key = self.key(begun)?;
            (!sum.is_empty()).then_some((key, group, sum))
        })
    }

    /// The durations of waits that ended, by kind and reason.
    pub fn classes(&self) -> impl Iterator<Item = (WaitKind, StrId, Histogram)> {
        let mut classes = IndexMap::<(WaitKind, StrId), Histogram, FxBuildHasher>::default();
        for (key, histogram) in self.distributions() {
            classes.entry((key.kind, key.why)).or_default().add(&histogram);
        }
        classes.into_iter().map(|((kind, why), histogram)| (kind, why, histogram))
    }

    /// The same by stack, too, if that was asked for.
    pub fn distributions(&self) -> impl Iterator<Item = (WaitKey, Histogram)> {
        let mut classes = self.classes.clone();
        for sum in self.sums.iter().filter(|_| !self.only_sums) {
            if let Some((_, histogram)) = classes.get_index_mut(sum.class as usize) {
                histogram.add_sums(sum.count, sum.total, sum.min, sum.max);
            }
        }
        let used =
            |class: &(WaitKey, Histogram)| class.0.kind != WaitKind::Run && class.1.count() > 0;
        classes.into_iter().filter(used)
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

    #[inline(always)]
    fn record(&mut self, nanos: i64, wait: Instance) {
        if nanos < self.min || self.count == 0 {
            self.min = nanos;
        }
        self.count += 1;
        self.total += nanos;
        if nanos >= self.max {
            self.longest(nanos, wait);
        }
    }

    fn add(&mut self, other: &WaitSum) {
        if other.count > 0 && (self.count == 0 || other.min < self.min) {
            self.min = other.min;
        }
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
