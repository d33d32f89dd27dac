//! How long a goroutine was in which state: the sums that everything about goroutines is made of.

use crate::names::{Renumbering, StrId};
use smallvec::SmallVec;

/// Nanoseconds by name, in the order of their first mention. Names are few.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums(SmallVec<[(StrId, i64); 2]>);

impl Sums {
    /// The sum of a name, which is there afterwards.
    pub(crate) fn entry(&mut self, name: StrId) -> &mut i64 {
        let at = self.0.iter().position(|entry| entry.0 == name);
        let at = at.unwrap_or_else(|| {
            self.0.push((name, 0));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    /// The sum of a name.
    pub fn get(&self, name: StrId) -> Option<i64> {
        self.0.iter().find(|entry| entry.0 == name).map(|entry| entry.1)
    }

    /// Every name with its sum.
    pub fn iter(&self) -> impl Iterator<Item = (StrId, i64)> + '_ {
        self.0.iter().copied()
    }

    /// The sum of all.
    pub fn total(&self) -> i64 {
        self.0.iter().map(|entry| entry.1).sum()
    }

    /// Whether no name is there.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn add(&mut self, other: &Sums) {
        other.iter().for_each(|(name, time)| *self.entry(name) += time);
    }

    /// Takes away what `other` has; names that only `other` has do not count.
    fn subtract(&mut self, other: &Sums) {
        for (name, time) in &mut self.0 {
            *time -= other.get(*name).unwrap_or(0);
        }
    }

    /// Takes the sum of a name out.
    pub(crate) fn remove(&mut self, name: StrId) -> Option<i64> {
        let at = self.0.iter().position(|entry| entry.0 == name)?;
        Some(self.0.remove(at).1)
    }

    pub(crate) fn renumber(&mut self, to: &Renumbering) {
        self.0.iter_mut().for_each(|entry| {
            if entry.0 != crate::goroutines::REASON_BEFORE {
                entry.0 = to.string(entry.0);
            }
        });
    }
}

/// Nanoseconds by state. All but the ranges exclude each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times {
    /// Running.
    pub running: i64,
    /// Runnable: waiting for a proc.
    pub runnable: i64,
    /// In a system call, holding a proc.
    pub syscall: i64,
    /// In a system call, the proc having been taken away.
    pub syscall_blocked: i64,
    /// Waiting, by reason.
    pub blocked: Sums,
    /// From the first mention to the end, or to the end of the trace.
    pub total: i64,
    /// In ranges such as mark assist, by name. These overlap with the states.
    pub ranges: Sums,
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
