//! The text form of raw events, which Go's test archives use.
//!
//! ```text
//! Trace Go1.22
//! EventBatch gen=1 m=18446744073709551615 time=28113086274606 size=5
//! Strings
//! # a comment
//! String id=1
//!     data="hi\x00"
//! Stack id=1 nframes=1
//!     pc=4634480 func=1 file=2 line=42
//! ```
//!
//! One line for an event: its name and its arguments in order, separated by any white space.
//! Frames and data follow on lines of their own. Empty lines count for nothing, and neither do
//! comments: lines that begin with `#`. A comment cannot stand behind an event.
//!
//! # Two modes
//!
//! [`Mode::Plain`] is what the reference prints. Some things get lost in it:
//! numbers that are encoded longer than needed, data of no bytes (the reference prints no line
//! for it and cannot read that back), events without a name (an empty line).
//! [`Mode::Exact`] keeps them, so that text gives the same bytes again. What the plain form
//! cannot say stands in comments, which the reference skips:
//!
//! | comment | meaning |
//! |---|---|
//! | `# widths size=10` | in the next event (or frame) the number of `size` takes ten bytes; `data` is the length of the data |
//! | `# claims data=9223372036854775808` | the next event has no data but claims this length |
//! | `# unnamed event 77` | an event without a name or arguments |
//!
//! Only a comment that has exactly such a form, in words separated by white space, is read as
//! one of these.

mod error;
mod line;
mod reader;

pub use error::{CommentError, TextError, TextErrorKind};
pub use reader::TextReader;

use crate::raw::{Accept, Frame, NEGATIVE, RawError, RawEvent, RawReader, Width, push_event};
use crate::{Version, decimal, quote};

/// How events are written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// As the reference prints them.
    Plain,
    /// With everything that is needed to get the same bytes again.
    #[default]
    Exact,
}

/// Appends the line that begins the text form of a trace of `version`.
pub fn write_header(out: &mut Vec<u8>, version: Version) {
    out.extend_from_slice(b"Trace Go1.");
    decimal::push(out, u64::from(version.minor()));
    out.push(b'\n');
}

/// Appends an event with its frames or its data, and a line break at the end.
pub fn write_event(out: &mut Vec<u8>, event: &RawEvent<'_>, mode: Mode) {
    let names = event.event_type().spec().map_or(&[][..], |spec| spec.args);
    let mut notes = Notes { exact: mode == Mode::Exact, widths: event.widths(), number: 0 };
    notes.write_event(out, event, names);
    out.extend_from_slice(event.event_type().name().as_bytes());
    for (name, &value) in names.iter().zip(event.args()) {
        write_arg(out, b' ', name, value);
    }
    for frame in event.frames() {
        out.push(b'\n');
        notes.write_frame(out);
        let mut separator = b'\t';
        for (name, value) in Frame::FIELDS.iter().zip(frame.numbers()) {
            write_arg(out, separator, name, value);
            separator = b' ';
        }
    }
    if let Some(data) = event.data()
        && (notes.exact || !data.is_empty())
    {
        out.extend_from_slice(b"\n\tdata=");
        quote::write_quoted(out, data);
    }
    out.push(b'\n');
}

#[inline]
fn write_arg(out: &mut Vec<u8>, separator: u8, name: &str, value: u64) {
    out.push(separator);
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    decimal::push(out, value);
}

/// The name of the data and its length in the text form.
const DATA: &str = "data";

/// Writes the comments of [`Mode::Exact`].
struct Notes<'a> {
    exact: bool,
    /// The widths that are not yet written.
    widths: &'a [Width],
    /// The first number of the line to come.
    number: usize,
}

impl Notes<'_> {
    /// The comments in front of an event.
    fn write_event(&mut self, out: &mut Vec<u8>, event: &RawEvent<'_>, names: &[&str]) {
        if !self.exact {
            return;
        }
        if event.event_type().spec().is_none() {
            // The line of the event itself is empty.
            out.extend_from_slice(b"# unnamed event ");
            decimal::push(out, event.event_type().0.into());
        }
        if event.data_length() >= NEGATIVE {
            out.extend_from_slice(b"# claims data=");
            decimal::push(out, event.data_length());
            out.push(b'\n');
        }
        if event.data().is_none() {
            self.write_widths(out, "", names.iter().copied(), names.len());
        } else {
            let all = names.iter().copied().chain([DATA]);
            self.write_widths(out, "", all, names.len() + 1);
        }
    }

    /// The comment in front of a frame.
    fn write_frame(&mut self, out: &mut Vec<u8>) {
        if self.exact {
            let fields = Frame::FIELDS;
            self.write_widths(out, "\t", fields.into_iter(), fields.len());
        }
    }

    fn write_widths<'n>(
        &mut self,
        out: &mut Vec<u8>,
        indent: &str,
        names: impl Iterator<Item = &'n str>,
        count: usize,
    ) {
        let first = self.number;
        self.number += count;
        if self.widths.first().is_none_or(|width| width.number >= self.number) {
            return;
        }
        out.extend_from_slice(indent.as_bytes());
        out.extend_from_slice(b"# widths");
        for (i, name) in names.enumerate() {
            if let Some((width, rest)) = self.widths.split_first()
                && width.number == first + i
            {
                write_arg(out, b' ', name, width.bytes.into());
                self.widths = rest;
            }
        }
        out.push(b'\n');
    }
}

/// The bytes of a trace given as text. Accepts what the reference accepts.
///
/// ```
/// use gotrail_format::text;
///
/// let bytes = text::to_bytes("Trace Go1.26\n# widths freq=2\nFrequency freq=5\n")?;
/// assert_eq!(bytes, b"go 1.26 trace\0\0\0\x08\x85\x00");
///
/// let error = text::to_bytes("Trace Go1.26\nFrequency hertz=5\n").unwrap_err();
/// assert_eq!(error.to_string(), "line 2: expected argument freq, found \"hertz\"");
/// # Ok::<(), text::TextError>(())
/// ```
pub fn to_bytes(text: impl AsRef<[u8]>) -> Result<Vec<u8>, TextError> {
    to_bytes_with(text, Accept::Reference)
}

/// The bytes of a trace given as text; `accept` says which events are accepted.
pub fn to_bytes_with(text: impl AsRef<[u8]>, accept: Accept) -> Result<Vec<u8>, TextError> {
    let mut reader = TextReader::with_accept(text.as_ref(), accept)?;
    let mut out = reader.version().header().to_vec();
    while let Some(event) = reader.next()? {
        push_event(&mut out, &event);
    }
    Ok(out)
}

/// The text form of a trace in memory.
pub fn from_bytes(bytes: &[u8], accept: Accept, mode: Mode) -> Result<Vec<u8>, RawError> {
    let mut reader = RawReader::with_accept(bytes, accept)?;
    let mut out = Vec::new();
    write_header(&mut out, reader.version());
    while let Some(event) = reader.next()? {
        write_event(&mut out, &event, mode);
    }
    Ok(out)
}
