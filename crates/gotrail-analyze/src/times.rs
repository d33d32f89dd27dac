//! How long a goroutine was in which state: the sums that everything about goroutines is made of.

use crate::goroutines::REASON_BEFORE;
use crate::names::{Renumbering, StrId};
use std::ops::Deref;

/// Nanoseconds by name, in the order of their first mention. Names are few, and mostly there are one
/// or two: only a third one takes memory of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums {
    /// The first names, or [`NO_NAME`], and their sums.
    names: [StrId; NEAR],
    nanos: [i64; NEAR],
    #[expect(clippy::box_collection, reason = "a pointer, where a vector would take three words")]
    more: Option<Box<Vec<(StrId, i64)>>>,
}

/// So many names have a place of their own.
const NEAR: usize = 2;

/// Stands where there is no name.
const NO_NAME: StrId = StrId(u32::MAX - 1);

/// No names.
const EMPTY: Sums = Sums { names: [NO_NAME; NEAR], nanos: [0; NEAR], more: None };
static NOTHING: Sums = EMPTY;

impl Default for Sums {
    fn default() -> Sums {
        EMPTY
    }
}

impl Sums {
    /// The sum of a name, which is there afterwards.
    #[inline]
    pub(crate) fn entry(&mut self, name: StrId) -> &mut i64 {
        for at in 0..NEAR {
            if self.names[at] == name {
                return &mut self.nanos[at];
            }
        }
        self.further(name)
    }

    #[inline(never)]
    fn further(&mut self, name: StrId) -> &mut i64 {
        if let Some(at) = self.names.iter().position(|name| *name == NO_NAME) {
            self.names[at] = name;
            return &mut self.nanos[at];
        }
        if self.names[0] == REASON_BEFORE && self.more.is_none() {
            // Nothing is added to it any more.
            self.more = Some(Box::new(vec![(self.names[0], self.nanos[0])]));
            (self.names, self.nanos) = ([self.names[1], name], [self.nanos[1], 0]);
            return &mut self.nanos[1];
        }
        let more = self.more.get_or_insert_default();
        let at = more.iter().position(|entry| entry.0 == name);
        let at = at.unwrap_or_else(|| {
            more.push((name, 0));
            more.len() - 1
        });
        &mut more[at].1
    }

    /// The sum of a name.
    pub fn get(&self, name: StrId) -> Option<i64> {
        self.iter().find(|entry| entry.0 == name).map(|entry| entry.1)
    }

    /// Every name with its sum.
    pub fn iter(&self) -> impl Iterator<Item = (StrId, i64)> + '_ {
        let near = self.names.iter().copied().zip(self.nanos).filter(|entry| entry.0 != NO_NAME);
        near.chain(self.more.iter().flat_map(|more| more.iter().copied()))
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = (&mut StrId, &mut i64)> + '_ {
        let near = self.names.iter_mut().zip(&mut self.nanos).filter(|entry| *entry.0 != NO_NAME);
        let more = self.more.iter_mut().flat_map(|more| more.iter_mut());
        near.chain(more.map(|(name, nanos)| (name, nanos)))
    }

    /// The sum of all.
    pub fn total(&self) -> i64 {
        self.iter().map(|entry| entry.1).sum()
    }

    /// Whether no name is there.
    pub fn is_empty(&self) -> bool {
        self.names[0] == NO_NAME
    }

    pub(crate) fn add(&mut self, other: &Sums) {
        other.iter().for_each(|(name, time)| *self.entry(name) += time);
    }

    /// Takes away what `other` has; names that only `other` has do not count.
    fn subtract(&mut self, other: &Sums) {
        if !other.is_empty() {
            self.iter_mut().for_each(|(name, time)| *time -= other.get(*name).unwrap_or(0));
        }
    }

    /// Takes the sum of a name out.
    pub(crate) fn remove(&mut self, name: StrId) -> Option<i64> {
        let found = self.get(name)?;
        if self.more.is_none() && self.names[0] == name {
            // Mostly it is the only one.
            (self.names, self.nanos) = ([self.names[1], NO_NAME], [self.nanos[1], 0]);
            return Some(found);
        }
        let left: Vec<_> = self.iter().filter(|entry| entry.0 != name).collect();
        *self = Sums::default();
        left.into_iter().for_each(|(name, nanos)| *self.entry(name) = nanos);
        Some(found)
    }

    pub(crate) fn renumber(&mut self, to: &Renumbering) {
        self.iter_mut().for_each(|(name, _)| {
            if *name != REASON_BEFORE {
                *name = to.string(*name);
            }
        });
    }
}

/// The same where mostly there are none: a pointer then.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RareSums(Option<Box<Sums>>);

impl Deref for RareSums {
    type Target = Sums;

    fn deref(&self) -> &Sums {
        self.0.as_deref().unwrap_or(&NOTHING)
    }
}

impl RareSums {
    /// The sum of a name, which is there afterwards.
    pub(crate) fn entry(&mut self, name: StrId) -> &mut i64 {
        self.0.get_or_insert_default().entry(name)
    }

    pub(crate) fn add(&mut self, other: &Sums) {
        if !other.is_empty() {
            self.0.get_or_insert_default().add(other);
        }
    }

    /// See [`Sums::subtract`].
    fn subtract(&mut self, other: &Sums) {
        if let Some(sums) = &mut self.0 {
            sums.subtract(other);
        }
    }

    fn renumber(&mut self, to: &Renumbering) {
        if let Some(sums) = &mut self.0 {
            sums.renumber(to);
        }
    }
}

/// Nanoseconds by state. All but the ranges exclude each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Times {
    /// Running.
    pub running: i64,
    /// Runnable: waiting for a proc.
    pub runnable: i64,
    /// Waiting, by reason.
    pub blocked: Sums,
    /// In a system call, holding a proc.
    pub syscall: i64,
    /// In a system call, the proc having been taken away.
    pub syscall_blocked: i64,
    /// From the first mention to the end, or to the end of the trace.
    pub total: i64,
    /// In ranges such as mark assist, by name. These overlap with the states.
    pub ranges: RareSums,
}

impl Times {
    /// What of the total is in no state: a goroutine that waits forever, gaps of a broken trace.
    pub fn unknown(&self) -> i64 {
        let known = self.running
            + self.runnable
            + self.syscall
            + self.syscall_blocked
            + self.blocked.total();
        (self.total - known).max(0)
    }

    /// Adds all times of another.
    pub fn add(&mut self, other: &Times) {
        self.running += other.running;
        self.runnable += other.runnable;
        self.syscall += other.syscall;
        self.syscall_blocked += other.syscall_blocked;
        self.blocked.add(&other.blocked);
        self.total += other.total;
        self.ranges.add(&other.ranges);
    }

    /// What passed since `earlier`, a state of the same goroutine's times.
    pub(crate) fn since(mut self, earlier: &Times) -> Times {
        self.running -= earlier.running;
        self.runnable -= earlier.runnable;
        self.syscall -= earlier.syscall;
        self.syscall_blocked -= earlier.syscall_blocked;
        self.blocked.subtract(&earlier.blocked);
        self.total -= earlier.total;
        self.ranges.subtract(&earlier.ranges);
        self
    }

    pub(crate) fn renumber(&mut self, to: &Renumbering) {
        self.blocked.renumber(to);
        self.ranges.renumber(to);
    }
}
