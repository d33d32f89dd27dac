//! What a tolerant reader lost, and why.

use crate::error::{Cause, Error, Place};
use crate::{Stack, Time};
use std::ops::Range;

/// What was lost of a trace, and which annotations were misused.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What was lost, in the order in which it was found.
    pub losses: Vec<Loss>,
    /// Annotations that the traced program used wrongly; only these were dropped.
    pub misuses: Vec<Misuse>,
    /// Events that refer to strings or stacks that were lost. They are delivered without them.
    pub unresolved: u64,
}

impl Report {
    /// Whether nothing is missing. Misused annotations are the program's fault, not the trace's.
    pub fn is_complete(&self) -> bool {
        self.losses.is_empty() && self.unresolved == 0
    }

    /// The bytes that were lost.
    pub fn bytes_lost(&self) -> u64 {
        self.losses.iter().map(|loss| loss.bytes_lost).sum()
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
    /// Where in the program, innermost first: function, file, line.
    pub stack: Vec<(String, String, u64)>,
}

impl Misuse {
    pub(crate) fn new(error: &Error, time: Time, stack: Option<Stack<'_>>) -> Misuse {
        let frames = stack.into_iter().flat_map(|stack| stack.frames());
        Misuse {
            reason: error.fault().to_string(),
            place: error.place(),
            time,
            stack: frames
                .map(|frame| (frame.function.to_string(), frame.file.to_string(), frame.line))
                .collect(),
        }
    }
}
