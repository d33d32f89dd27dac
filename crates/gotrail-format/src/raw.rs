//! Raw events: the bytes of a trace, one event at a time, without interpretation.
//!
//! [`RawReader`] reads a slice, [`RawStream`] anything that implements [`std::io::Read`]; both
//! use the same decoder and lend out a [`RawEvent`] that lives until the next call, so reading
//! allocates nothing in the steady state. [`push_event`] and [`RawWriter`] are the way back.
//!
//! ```text
//! event   number of the event (one byte), arguments, frames or data
//! frames  four numbers for each of the frames that the last argument counts
//! data    its length, then that many bytes
//! ```
//!
//! Every argument is a LEB128 number ([`crate::varint`]). Numbers may be encoded longer than
//! needed: the runtime leaves room for the size of a batch before it knows it. A raw event
//! remembers such widths ([`RawEvent::widths`]) and writing it gives the same bytes again.
//!
//! The events of a batch are read like the batch's header, as one flat sequence; that the size
//! of a batch agrees with its events is not checked here.
//!
//! # The end of the input
//!
//! Input that ends inside an event is [`RawError::CutOff`]. The reference notices that only when
//! the input ends inside a number and otherwise takes it for the end of the trace;
//! [`RawError::is_end_for_reference`] tells the two cases apart.

mod decode;
mod error;
mod reader;
mod stream;
mod writer;

pub use error::{Part, RawError, StreamError};
pub use reader::RawReader;
pub use stream::RawStream;
pub use writer::{RawWriter, push_event};

use crate::event::Shape;
use crate::{EventType, Version, varint};

/// Which event numbers are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Accept {
    /// What the reference accepts for the version of the trace. Its tables are cut: experimental
    /// events are known to version 1.26 only, though earlier versions can hold them. From 1.26
    /// on numbers without a name, 53 to 127, are events without arguments.
    #[default]
    Reference,
    /// Every event of the table, whatever the version (1.22 or later).
    All,
}

impl Accept {
    /// Whether this event is accepted in a trace of `version`.
    pub fn accepts(self, event: EventType, version: Version) -> bool {
        let last = match (self, version) {
            (_, Version::Go111 | Version::Go119 | Version::Go121) => return false,
            (Accept::All, _) => return event.spec().is_some(),
            (_, Version::Go122) => EventType::USER_LOG,
            (_, Version::Go123) => EventType::EXPERIMENTAL_BATCH,
            (_, Version::Go125) => EventType::CLOCK_SNAPSHOT,
            (_, Version::Go126) => EventType::GOROUTINE_STACK_FREE,
        };
        event.0 != 0 && event <= last
    }
}

/// One frame of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Frame {
    /// The program counter.
    pub pc: u64,
    /// The id of the function's name.
    pub func: u64,
    /// The id of the file's name.
    pub file: u64,
    /// The line.
    pub line: u64,
}

impl Frame {
    /// The names of the four numbers in the text form, in order.
    pub const FIELDS: [&'static str; 4] = ["pc", "func", "file", "line"];

    /// The four numbers in order.
    pub const fn numbers(self) -> [u64; 4] {
        [self.pc, self.func, self.file, self.line]
    }
}

impl From<[u64; 4]> for Frame {
    fn from([pc, func, file, line]: [u64; 4]) -> Frame {
        Frame { pc, func, file, line }
    }
}

/// The width of a number that is encoded longer than needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Width {
    /// Which of the event's numbers: first the arguments, then the frames' numbers or the length
    /// of the data.
    pub number: usize,
    /// The length of its encoding in bytes.
    pub bytes: u8,
}

/// The most arguments that an event has, frames and data aside.
pub const MAX_ARGS: usize = 5;

/// Lengths from here on are negative in the reference, which then reads no data and no frames.
pub(crate) const NEGATIVE: u64 = 1 << 63;

/// One event as it stands in the trace. It borrows from its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawEvent<'a> {
    event: EventType,
    args: &'a [u64],
    frames: &'a [Frame],
    data: Option<&'a [u8]>,
    length: u64,
    widths: &'a [Width],
}

impl<'a> RawEvent<'a> {
    /// An event with these arguments; see [`RawEvent::with_frames`] and [`RawEvent::with_data`].
    ///
    /// Checks that the event has this number of arguments, and neither frames nor data. An event
    /// that the table does not know has no arguments.
    pub fn new(event: EventType, args: &'a [u64]) -> Result<RawEvent<'a>, ShapeError> {
        RawEvent::build(event, args, &[], None)
    }

    /// A stack with these frames, which its last argument has to count.
    pub fn with_frames(
        event: EventType,
        args: &'a [u64],
        frames: &'a [Frame],
    ) -> Result<RawEvent<'a>, ShapeError> {
        RawEvent::build(event, args, frames, None)
    }

    /// An event with data.
    pub fn with_data(
        event: EventType,
        args: &'a [u64],
        data: &'a [u8],
    ) -> Result<RawEvent<'a>, ShapeError> {
        RawEvent::build(event, args, &[], Some(data))
    }

    pub(crate) fn build(
        event: EventType,
        args: &'a [u64],
        frames: &'a [Frame],
        data: Option<&'a [u8]>,
    ) -> Result<RawEvent<'a>, ShapeError> {
        let spec = event.spec();
        let expected = spec.map_or(0, |spec| spec.args.len());
        if args.len() != expected {
            return Err(ShapeError::Arguments { event, expected, found: args.len() });
        }
        let shape = spec.map(|spec| spec.shape);
        let expected = if shape == Some(Shape::Stack) { frame_count(args[1]) } else { 0 };
        if frames.len() as u64 != expected {
            return Err(ShapeError::Frames { event, expected, found: frames.len() });
        }
        if data.is_some() != (shape == Some(Shape::Data)) {
            return Err(ShapeError::Data { event });
        }
        let length = data.map_or(0, |data| data.len() as u64);
        Ok(RawEvent { event, args, frames, data, length, widths: &[] })
    }

    /// The same event with some numbers encoded longer than needed. The list is in the order of
    /// [`Width::number`]. A width is at least one byte more than needed and at most
    /// [`varint::MAX_LEN`].
    pub fn with_widths(self, widths: &'a [Width]) -> Result<RawEvent<'a>, ShapeError> {
        let mut free = 0;
        for &width in widths {
            let at_least = self.number(width.number).map_or(usize::MAX, varint::len);
            let bytes = usize::from(width.bytes);
            if width.number < free || bytes <= at_least || bytes > varint::MAX_LEN {
                return Err(ShapeError::Width { event: self.event, width });
            }
            free = width.number + 1;
        }
        Ok(RawEvent { widths, ..self })
    }

    /// The value of one of the event's numbers, counted as [`Width::number`] counts.
    fn number(&self, number: usize) -> Option<u64> {
        if let Some(&arg) = self.args.get(number) {
            return Some(arg);
        }
        let after = number - self.args.len();
        match self.data {
            Some(_) => (after == 0).then_some(self.length),
            None => self.frames.get(after / 4).map(|frame| frame.numbers()[after % 4]),
        }
    }

    /// The same event with another length for its data, which only the reader of text needs.
    pub(crate) fn with_claim(self, length: u64) -> RawEvent<'a> {
        RawEvent { length, ..self }
    }

    /// Which event this is.
    pub const fn event_type(&self) -> EventType {
        self.event
    }

    /// The arguments, without frames and the length of data.
    pub const fn args(&self) -> &'a [u64] {
        self.args
    }

    /// The frames; empty unless this is a stack.
    pub const fn frames(&self) -> &'a [Frame] {
        self.frames
    }

    /// The data, for the events that have data.
    pub const fn data(&self) -> Option<&'a [u8]> {
        self.data
    }

    /// The length of the data as it is encoded. It differs from the length of [`RawEvent::data`]
    /// only from 2⁶³ on: the reference takes such lengths as negative and reads no data.
    pub const fn data_length(&self) -> u64 {
        self.length
    }

    /// The numbers that are encoded longer than needed, in order; nearly always empty.
    pub const fn widths(&self) -> &'a [Width] {
        self.widths
    }

    /// The size in bytes of the event with every number as short as possible, which is how the
    /// reference counts.
    #[inline]
    pub fn encoded_size(&self) -> u64 {
        let mut size = 1 + self.args.iter().map(|&arg| varint::len(arg)).sum::<usize>();
        for frame in self.frames {
            size += frame.numbers().into_iter().map(varint::len).sum::<usize>();
        }
        if let Some(data) = self.data {
            size += varint::len(data.len() as u64) + data.len();
        }
        size as u64
    }
}

/// How many frames follow a stack whose last argument is `count`.
pub(crate) fn frame_count(count: u64) -> u64 {
    if count < NEGATIVE { count } else { 0 }
}

/// An event that cannot have these parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// Another number of arguments.
    #[error("{event} has {expected} arguments, not {found}")]
    Arguments {
        /// The event.
        event: EventType,
        /// How many it has.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// Another number of frames.
    #[error("{event} with these arguments has {expected} frames, not {found}")]
    Frames {
        /// The event.
        event: EventType,
        /// How many it has.
        expected: u64,
        /// How many were given.
        found: usize,
    },
    /// A width that is out of order, too small or too large for its number, or of no number.
    #[error("number {} of {event} cannot take {} bytes", width.number, width.bytes)]
    Width {
        /// The event.
        event: EventType,
        /// The width.
        width: Width,
    },
    /// Data for an event that has none, or none for one that has.
    #[error("data given for {event}, which has none, or missing for an event with data")]
    Data {
        /// The event.
        event: EventType,
    },
}
