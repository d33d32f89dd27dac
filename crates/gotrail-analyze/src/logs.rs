//! Log messages of the annotation API, each kept.

use crate::names::{Renumbering, StackId, StrId};
use gotrail::{GoId, TaskId};

/// A log message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// When, in nanoseconds of the trace's clock.
    pub time: i64,
    /// The task that it belongs to.
    pub task: TaskId,
    /// Who wrote it.
    pub go: GoId,
    /// Its category.
    pub category: StrId,
    /// What it says.
    pub message: StrId,
    /// Where it was written.
    pub stack: StackId,
}

/// All log messages, in order.
#[derive(Debug, Clone, Default)]
pub struct Logs(Vec<Log>);

impl Logs {
    pub(crate) fn push(&mut self, log: Log) {
        self.0.push(log);
    }

    /// Takes over those of a later generation.
    pub(crate) fn absorb(&mut self, later: Logs, to: &Renumbering) {
        self.0.extend(later.0.into_iter().map(|log| Log {
            category: to.string(log.category),
            message: to.string(log.message),
            stack: to.stack(log.stack),
            ..log
        }));
    }

    /// Every message.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Log> {
        self.0.iter()
    }
}
