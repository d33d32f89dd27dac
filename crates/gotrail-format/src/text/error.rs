//! What can be wrong with the text of a trace.

use crate::EventType;
use crate::quote::QuoteError;
use crate::raw::ShapeError;
use bstr::BString;
use std::io;

/// Why text could not be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct TextError {
    /// The line, from 1. At the end of the text it is the last one.
    pub line: u64,
    /// What is wrong there.
    pub kind: TextErrorKind,
}

/// What is wrong with a line of text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextErrorKind {
    /// The first line that is no comment is not a header.
    #[error("expected a header like \"Trace Go1.26\", found {0:?}")]
    Header(BString),
    /// The text has no header.
    #[error("expected a header like \"Trace Go1.26\", found the end of the text")]
    NoHeader,
    /// A version that is not known.
    #[error("unknown trace version go 1.{0}; known are 1.11 to 1.26")]
    UnknownVersion(u64),
    /// A name that is no event of the trace's version.
    #[error("expected an event, found {0:?}")]
    UnknownEvent(BString),
    /// An argument is missing.
    #[error("expected argument {0}, found the end of the line")]
    MissingArgument(&'static str),
    /// Another argument stands there.
    #[error("expected argument {expected}, found {found:?}")]
    Argument {
        /// Its name.
        expected: &'static str,
        /// The name that was found.
        found: BString,
    },
    /// The value of an argument is no number of 64 bits.
    #[error("expected a number of 64 bits for {name}, found {found:?}")]
    Number {
        /// The argument's name.
        name: &'static str,
        /// What was found.
        found: BString,
    },
    /// Something follows the last argument. A comment needs a line of its own.
    #[error("expected the end of the line, found {0:?}")]
    Trailing(BString),
    /// The text ends before the last frame of a stack.
    #[error("expected {expected} frames, found the end of the text after {found}")]
    MissingFrames {
        /// How many frames the stack has.
        expected: u64,
        /// How many there are.
        found: usize,
    },
    /// The text ends before the data of an event.
    #[error("expected the data of {0}, found the end of the text")]
    MissingData(EventType),
    /// A line that should hold data begins otherwise.
    #[error("expected data=\"...\", found {0:?}")]
    Data(BString),
    /// Data is not quoted as it should be.
    #[error("expected data=\"...\": {0}")]
    Quote(#[from] QuoteError),
    /// A comment that says how the next line is encoded does not fit that line.
    #[error("the comment in front of this line does not fit it: {0}")]
    Comment(CommentError),
    /// The input failed.
    #[error("cannot read: {0}")]
    Io(#[from] io::Error),
}

/// Why a comment about encoding does not fit the line that follows it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommentError {
    /// The line has no number of that name, or not in that order.
    #[error("no number {0:?} there")]
    Name(BString),
    /// The width is impossible.
    #[error(transparent)]
    Width(#[from] ShapeError),
    /// The event has data, or the length is one that events without data cannot claim.
    #[error("it cannot claim {0} bytes of data")]
    Claim(u64),
    /// Nothing follows that the comment could be about.
    #[error("an event or a frame should follow")]
    Nothing,
}
