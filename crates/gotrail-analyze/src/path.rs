//! The critical path of a goroutine between two times, as it is told: how long of what kind, whose
//! it was, and the waits on it with what ended each.

use crate::names::{StackId, StrId};
use gotrail::GoId;
use smallvec::SmallVec;

/// What passed the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Running.
    Running,
    /// Runnable after somebody woke or made it, or after a system call: waiting for a proc.
    Runnable,
    /// Runnable after it was stopped while it ran, or yielded: waiting for a proc again.
    Preempted,
    /// In a system call, or in C.
    Syscall,
    /// Running, and assisting the garbage collector.
    GcAssist,
    /// Running or runnable while the world was stopped, or was to be stopped.
    StopTheWorld,
    /// Waiting for this reason, until nobody in the trace ended it: a timer, the network, the
    /// runtime, or the end of the time that is explained.
    Blocked(StrId),
    /// It did not exist, and no goroutine made it.
    NotExisting,
    /// Not known yet: an earlier generation says it.
    Pending(u32),
}

/// Nanoseconds by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds(SmallVec<[(Kind, i64); 4]>);

impl Kinds {
    pub(crate) fn add(&mut self, kind: Kind, nanos: i64) {
        if nanos == 0 {
            return;
        }
        match self.0.iter_mut().find(|entry| entry.0 == kind) {
            Some(entry) => entry.1 += nanos,
            None => self.0.push((kind, nanos)),
        }
    }

    pub(crate) fn add_all(&mut self, other: &Kinds) {
        other.iter().for_each(|(kind, nanos)| self.add(kind, nanos));
    }

    /// How long it was this kind.
    pub fn get(&self, kind: Kind) -> i64 {
        self.iter().filter(|entry| entry.0 == kind).map(|entry| entry.1).sum()
    }

    /// Every kind with its time, longest first.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, i64)> + '_ {
        self.0.iter().copied()
    }

    /// The time of all kinds.
    pub fn total(&self) -> i64 {
        self.iter().map(|entry| entry.1).sum()
    }

    /// Names what was pending, and puts the longest first.
    pub(crate) fn resolve(&mut self, to: impl Fn(Kind) -> Kind) {
        let before = std::mem::take(self);
        before.iter().for_each(|(kind, nanos)| self.add(to(kind), nanos));
        self.0.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    }
}

/// What a goroutine did in a stretch of time, and what its waits were for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The goroutine.
    pub go: GoId,
    /// When the stretch begins, in nanoseconds of the trace's clock.
    pub from: i64,
    /// When it ends.
    pub until: i64,
    /// Its own time: what no other goroutine explains.
    pub own: Kinds,
    /// The time of others that explains its waits.
    pub others: Kinds,
    /// Its longest waits, longest first.
    pub waits: Vec<Wait>,
    /// How many more there were, and how long these took together.
    pub more: (u64, i64),
}

impl Step {
    pub(crate) fn new(go: GoId, until: i64) -> Step {
        let (own, others) = (Kinds::default(), Kinds::default());
        Step { go, from: until, until, own, others, waits: Vec::new(), more: (0, 0) }
    }

    /// Adds a wait, of which at most `keep` of the longest stay, or about so many until the end.
    pub(crate) fn add(&mut self, wait: Wait, keep: usize) {
        if wait.until == wait.from {
            return;
        }
        if keep == 0 {
            self.more = (self.more.0 + 1, self.more.1 + wait.nanos());
            return;
        }
        self.waits.push(wait);
        if self.waits.len() >= 2 * keep {
            self.shorten(keep);
        }
    }

    pub(crate) fn shorten(&mut self, keep: usize) {
        self.waits.sort_by_key(|wait| (-wait.nanos(), wait.from));
        for wait in self.waits.drain(keep.min(self.waits.len())..) {
            self.more = (self.more.0 + 1, self.more.1 + wait.nanos());
        }
    }
}

/// A wait on the path, or the part of it that lies in the stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// When it began, in nanoseconds of the trace's clock.
    pub from: i64,
    /// When it ended.
    pub until: i64,
    /// What it was: [`Kind::Blocked`] for whatever reason, or [`Kind::NotExisting`].
    pub kind: Kind,
    /// The goroutine's stack, where it began to wait.
    pub stack: StackId,
    /// What ended it.
    pub end: End,
}

impl Wait {
    /// How long it took.
    pub fn nanos(&self) -> i64 {
        self.until - self.from
    }
}

/// What ended a wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Nothing, until the end of the time that is explained.
    Nothing,
    /// The runtime on no goroutine's behalf: a timer, the network poller.
    Runtime,
    /// A goroutine.
    Goroutine {
        /// The stack that it did it on.
        stack: StackId,
        /// What it did meanwhile.
        meanwhile: Box<Step>,
    },
}

/// A piece of the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Piece {
    /// When it begins, in nanoseconds of the trace's clock.
    pub from: i64,
    /// When it ends.
    pub until: i64,
    /// Whose it is.
    pub go: GoId,
    /// What it is.
    pub kind: Kind,
}
