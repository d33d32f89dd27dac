//! Raw events back to bytes.

use super::RawEvent;
use crate::{Version, varint};
use std::io::{self, Write};

/// Appends the bytes of an event, with every number as wide as the event says.
pub fn push_event(out: &mut Vec<u8>, event: &RawEvent<'_>) {
    out.push(event.event.0);
    let mut widths = event.widths;
    let mut number = 0;
    let mut push = |out: &mut Vec<u8>, value| {
        let bytes = match widths.split_first() {
            Some((width, rest)) if width.number == number => {
                widths = rest;
                usize::from(width.bytes)
            }
            _ => 0,
        };
        varint::push_padded(out, value, bytes);
        number += 1;
    };
    for &arg in event.args {
        push(out, arg);
    }
    for frame in event.frames {
        for value in frame.numbers() {
            push(out, value);
        }
    }
    if let Some(data) = event.data {
        push(out, event.length);
        out.extend_from_slice(data);
    }
}

/// Writes a trace event by event. It does not buffer: wrap what writes to a file or a pipe in a
/// [`std::io::BufWriter`].
pub struct RawWriter<W> {
    out: W,
    event: Vec<u8>,
}

impl<W: Write> RawWriter<W> {
    /// Writes the header of a trace of `version`.
    pub fn new(mut out: W, version: Version) -> io::Result<RawWriter<W>> {
        out.write_all(&version.header())?;
        Ok(RawWriter { out, event: Vec::new() })
    }

    /// Writes an event. Nothing checks that the version has it.
    pub fn write_event(&mut self, event: &RawEvent<'_>) -> io::Result<()> {
        self.event.clear();
        push_event(&mut self.event, event);
        self.out.write_all(&self.event)
    }

    /// What it writes to.
    pub fn into_inner(self) -> W {
        self.out
    }
}
