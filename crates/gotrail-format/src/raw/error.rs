//! What can be wrong with the bytes of a raw event.

use crate::version::HeaderError;
use crate::{EventType, Version};
use std::fmt;
use std::io;

/// Why an event could not be read. Offsets are in bytes from the start of the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RawError {
    /// The header is wrong.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// A trace of Go 1.21 or earlier, whose events have another form.
    #[error("a trace of version {0} has no raw events of this form: they begin with version 1.22")]
    NoGenerations(Version),
    /// A number that is no event, or none that is accepted in this version.
    #[error("offset {at}: expected an event of version {version}, found {event}")]
    UnknownEvent {
        /// Where the number stands.
        at: u64,
        /// The number.
        event: EventType,
        /// The version of the trace.
        version: Version,
    },
    /// A number does not fit 64 bits.
    #[error("offset {at}: expected {part} of {event}, found a number that does not fit 64 bits")]
    Overflow {
        /// Where the number begins.
        at: u64,
        /// The event.
        event: EventType,
        /// Which of its numbers.
        part: Part,
    },
    /// The input ends inside an event.
    #[error(
        "offset {end}: expected {part} of {event} (at offset {at}), found the end of the input"
    )]
    CutOff {
        /// Where the event begins.
        at: u64,
        /// Where the input ends.
        end: u64,
        /// The event.
        event: EventType,
        /// The part that is missing or incomplete.
        part: Part,
        /// Whether some bytes of a number are there, but not its last.
        inside_number: bool,
    },
}

impl RawError {
    /// Whether the reference takes this for the end of the trace: the input ends inside an
    /// event, but not inside a number.
    pub const fn is_end_for_reference(&self) -> bool {
        matches!(self, RawError::CutOff { inside_number: false, .. })
    }

    /// The offset in bytes that the error is about; 0 for the header.
    pub const fn offset(&self) -> u64 {
        match *self {
            RawError::UnknownEvent { at, .. } | RawError::Overflow { at, .. } => at,
            RawError::CutOff { end, .. } => end,
            RawError::Header(_) | RawError::NoGenerations(_) => 0,
        }
    }
}

/// A part of a raw event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The argument with this name.
    Argument(&'static str),
    /// A number of a frame.
    Frame {
        /// Which frame, from 0.
        index: u64,
        /// Which of its numbers.
        field: &'static str,
    },
    /// The length of the data.
    Length,
    /// The data, of this length in bytes.
    Data(u64),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Argument(name) => write!(f, "argument {name}"),
            Part::Frame { index, field } => write!(f, "{field} of frame {index}"),
            Part::Length => f.write_str("the length of the data"),
            Part::Data(length) => write!(f, "{length} bytes of data"),
        }
    }
}

/// Why the next event of a stream could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The bytes are wrong.
    #[error(transparent)]
    Raw(#[from] RawError),
    /// The input failed.
    #[error("offset {at}: cannot read")]
    Io {
        /// How far the input was read.
        at: u64,
        /// The failure.
        source: io::Error,
    },
}
