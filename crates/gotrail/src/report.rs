//! What a tolerant reader lost, and why.

use crate::error::{Cause, Error, Fault, Place};
use crate::{GoId, Stack, Time};
use std::ops::Range;

/// How many losses, and how many misuses, a report describes. Damage and misuse can repeat without
/// end; all of it is counted.
pub const DESCRIBED: usize = 100;

/// How many frames of a misuse's stack are kept.
const FRAMES: usize = 32;

/// What was lost of a trace, and which annotations were misused.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What was lost, in the order in which it was found: the first [`DESCRIBED`].
    pub losses: Vec<Loss>,
    /// How many losses more there were.
    pub more_losses: u64,
    /// The bytes lost in those.
    pub more_bytes_lost: u64,
    /// Annotations that the traced program used wrongly; only these were dropped. The first
    /// [`DESCRIBED`].
    pub misuses: Vec<Misuse>,
    /// How many misuses more there were.
    pub more_misuses: u64,
    /// Events that refer to strings or stacks that were lost. They are delivered without them.
    pub unresolved: u64,
    /// Events that are told although they are not in the trace, because others need them; and events
    /// that were dropped because they make no sense without what is missing. Only traces before
    /// Go 1.22 are mended so.
    pub assumed: u64,
    /// See [`Report::assumed`].
    pub dropped: u64,
    /// Whether times are ticks of a clock and not nanoseconds: a trace before Go 1.22 says at its
    /// end how long a tick is, and the end is missing.
    pub times_are_ticks: bool,
}

impl Report {
    /// Whether nothing is missing. Misused annotations are the program's fault, not the trace's.
    pub fn is_complete(&self) -> bool {
        self.losses.is_empty() && self.unresolved == 0
    }

    /// The bytes that were lost.
    pub fn bytes_lost(&self) -> u64 {
        self.more_bytes_lost + self.losses.iter().map(|loss| loss.bytes_lost).sum::<u64>()
    }

    /// The number of misused annotations.
    pub fn misuse_count(&self) -> u64 {
        self.more_misuses + self.misuses.len() as u64
    }

    /// Adds a loss. One that continues the last, for the same reason, becomes part of it.
    pub(crate) fn add_loss(&mut self, loss: Loss) {
        let described = self.losses.len();
        match self.losses.last_mut() {
            Some(last)
                if last.reason == loss.reason
                    && !loss.bytes.is_empty()
                    && last.bytes.end == loss.bytes.start =>
            {
                last.bytes.end = loss.bytes.end;
                last.bytes_lost += loss.bytes_lost;
            }
            _ if described < DESCRIBED => self.losses.push(loss),
            _ => {
                self.more_losses += 1;
                self.more_bytes_lost += loss.bytes_lost;
            }
        }
    }

    /// Adds a misuse, which is described only if there are not many yet.
    pub(crate) fn add_misuse(&mut self, describe: impl FnOnce() -> Misuse) {
        if self.misuses.len() < DESCRIBED {
            self.misuses.push(describe());
        } else {
            self.more_misuses += 1;
        }
    }

    /// Moves everything out of `other`.
    pub(crate) fn append(&mut self, other: &mut Report) {
        let other = std::mem::take(other);
        other.losses.into_iter().for_each(|loss| self.add_loss(loss));
        other.misuses.into_iter().for_each(|misuse| self.add_misuse(|| misuse));
        self.more_losses += other.more_losses;
        self.more_bytes_lost += other.more_bytes_lost;
        self.more_misuses += other.more_misuses;
        self.assumed += other.assumed;
        self.dropped += other.dropped;
        self.times_are_ticks |= other.times_are_ticks;
    }
}

/// A part of a trace that could not be used.
#[derive(Debug, Clone)]
pub struct Loss {
    /// The bytes of the (decompressed) trace between the first and the last that were lost.
    pub bytes: Range<u64>,
    /// How many of them were lost: with several threads there is good data between.
    pub bytes_lost: u64,
    /// The first time from which on events are missing, if it is known.
    pub from: Option<Time>,
    /// The time at which complete data begins again, if there is any.
    pub until: Option<Time>,
    /// What is wrong.
    pub reason: String,
    /// Where.
    pub place: Place,
    /// The likely reason.
    pub cause: Cause,
}

impl Loss {
    pub(crate) fn of_error(error: &Error) -> Loss {
        let at = error.place().offset.unwrap_or(0);
        Loss {
            bytes: at..at,
            bytes_lost: 0,
            from: None,
            until: None,
            reason: error.fault().to_string(),
            place: error.place(),
            cause: error.cause(),
        }
    }

    pub(crate) fn of_bytes(bytes: Range<u64>, error: &Error) -> Loss {
        Loss { bytes_lost: bytes.end - bytes.start, bytes, ..Loss::of_error(error) }
    }

    /// Adds ranges of a generation that begins at `offset`.
    pub(crate) fn add(&mut self, offset: u64, ranges: impl Iterator<Item = Range<usize>>) {
        for range in ranges.filter(|range| !range.is_empty()) {
            let range = offset + range.start as u64..offset + range.end as u64;
            let all = self.bytes.start.min(range.start)..self.bytes.end.max(range.end);
            self.bytes = if self.bytes_lost == 0 { range.clone() } else { all };
            self.bytes_lost += range.end - range.start;
        }
    }
}

/// An annotation that the traced program used wrongly.
#[derive(Debug, Clone)]
pub struct Misuse {
    /// What is wrong, with the names of region or task and the goroutine.
    pub reason: String,
    /// Where in the trace.
    pub place: Place,
    /// When.
    pub time: Time,
    /// The goroutine that made the mistake.
    pub goroutine: GoId,
    /// Where in the program, innermost first: function, file, line; the inner 32 frames.
    pub stack: Vec<(String, String, u64)>,
}

impl Misuse {
    pub(crate) fn new(error: &Error, time: Time, stack: Option<Stack<'_>>) -> Misuse {
        let frames = stack.into_iter().flat_map(|stack| stack.frames()).take(FRAMES);
        Misuse {
            reason: error.fault().to_string(),
            place: error.place(),
            time,
            goroutine: match error.fault() {
                Fault::TaskBegunTwice { go, .. } | Fault::RegionMisuse { go, .. } => *go,
                _ => GoId::NONE,
            },
            stack: frames
                .map(|frame| (frame.function.to_string(), frame.file.to_string(), frame.line))
                .collect(),
        }
    }
}
