//! What goroutines waited for: every stretch of time that one was not running, by kind, reason
//! and stack.
//!
//! A wait begins with the event that stops the goroutine or makes it runnable, and its stack is
//! that event's: the goroutine's own where it stopped by itself, that of whoever woke or created
//! it otherwise.

use crate::histogram::Histogram;
use crate::names::{Renumbering, StackId, StrId};
use crate::scope::{self, Scope};
use gotrail::GoId;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

/// What kind of wait it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum WaitKind {
    /// Runnable, waiting for a proc.
    Sched,
    /// Waiting for something to happen.
    Block,
    /// In a system call.
    Syscall,
}

impl WaitKind {
    /// Every kind.
    pub const ALL: [WaitKind; 3] = [WaitKind::Sched, WaitKind::Block, WaitKind::Syscall];

    /// The kind's name.
    pub const fn name(self) -> &'static str {
        match self {
            WaitKind::Sched => "sched",
            WaitKind::Block => "block",
            WaitKind::Syscall => "syscall",
        }
    }
}

/// What waits have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WaitKey {
    /// The kind.
    pub kind: WaitKind,
    /// Why: the tracer's reason of a block; of a wait for a proc, what made the goroutine
    /// runnable.
    pub why: StrId,
    /// The stack of the event that began it.
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
    /// Of system calls: the longest that one held its proc.
    pub longest_held: i64,
    /// Of system calls: how many held their proc for at least [`LONG_HELD`], and how long together.
    pub long_held: (u64, i64),
    class: u32,
}

/// A system call that holds its proc for so many nanoseconds keeps others from it.
pub const LONG_HELD: i64 = 1_000_000;

/// A wait that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    scope: Option<Scope>,
    cache: Box<[(u64, u32)]>,
}

impl Waits {
    pub(crate) fn new(scope: Option<Scope>) -> Waits {
        Waits {
            sums: IndexMap::default(),
            classes: IndexMap::default(),
            scope,
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
        sum.max = sum.max.max(nanos);
        if let Some((_, histogram)) = self.classes.get_index_mut(sum.class as usize) {
            histogram.record(nanos);
        }
    }

    /// A system call has held its proc.
    #[inline]
    pub(crate) fn held(&mut self, begun: Begun, nanos: i64) {
        if let Some((_, sum)) = self.sums.get_index_mut(begun.0 as usize) {
            sum.longest_held = sum.longest_held.max(nanos);
            if nanos >= LONG_HELD {
                sum.long_held.0 += 1;
                sum.long_held.1 += nanos;
            }
        }
    }

    /// The trace ends during a wait of `go`.
    pub(crate) fn leave_open(&mut self, begun: Begun, go: GoId, from: i64, until: i64) {
        let nanos = scope::nanos(&self.scope, go, from, until);
        if let Some((_, sum)) = self.sums.get_index_mut(begun.0 as usize)
            && nanos > 0
        {
            sum.open += 1;
            sum.open_total += nanos;
        }
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
                own.count += sum.count;
                own.total += sum.total;
                own.max = own.max.max(sum.max);
                own.longest_held = own.longest_held.max(sum.longest_held);
                own.long_held.0 += sum.long_held.0;
                own.long_held.1 += sum.long_held.1;
            }
            begun
        });
        sums.collect()
    }

    /// The sums of all that have something in common, in the order of their first mention.
    pub fn sums(&self) -> impl Iterator<Item = (&WaitKey, &WaitSum)> {
        self.sums.iter().filter(|(_, sum)| sum.count + sum.open > 0)
    }

    /// The durations of waits that ended, by kind and reason.
    pub fn classes(&self) -> impl Iterator<Item = (WaitKind, StrId, &Histogram)> {
        let used = self.classes.iter().filter(|(_, histogram)| histogram.count() > 0);
        used.map(|(&(kind, why), histogram)| (kind, why, histogram))
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
