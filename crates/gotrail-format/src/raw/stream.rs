//! The reader for traces that arrive bit by bit.

use super::decode::{Decoder, Failure};
use super::{Accept, RawError, RawEvent, StreamError};
use crate::Version;
use crate::version::{self, HeaderError};
use std::io::{self, Read};

/// How much of the input the window holds at first.
const WINDOW: usize = 64 << 10;

/// Reads the raw events of a trace from any input.
///
/// It keeps a window of the input, which grows only when one event needs more room, and only
/// with the bytes that arrived: a length that an event claims allocates nothing. An event is
/// returned as soon as its last byte is there.
///
/// ```
/// use gotrail_format::raw::RawStream;
///
/// let pipe: &[u8] = b"go 1.26 trace\0\0\0\x0b\x07";
/// let mut stream = RawStream::new(pipe)?;
/// while let Some(event) = stream.next()? {
///     println!("{} {:?}", event.event_type(), event.args());
/// }
/// # Ok::<(), gotrail_format::raw::StreamError>(())
/// ```
pub struct RawStream<R> {
    window: Window<R>,
    decoder: Decoder,
}

impl<R: Read> RawStream<R> {
    /// Reads the header. Events are accepted as the reference accepts them.
    pub fn new(input: R) -> Result<RawStream<R>, StreamError> {
        RawStream::with_accept(input, Accept::Reference)
    }

    /// Reads the header; `accept` says which events are accepted.
    pub fn with_accept(input: R, accept: Accept) -> Result<RawStream<R>, StreamError> {
        let mut window =
            Window { input, bytes: vec![0; WINDOW], start: 0, end: 0, offset: 0, ended: false };
        let version = loop {
            match version::read_header(window.bytes()) {
                Ok((version, len)) => {
                    window.consume(len);
                    break version;
                }
                Err(HeaderError::CutOff(_)) if !window.ended => {
                    window.fill(window.bytes().len() as u64 + 1)?;
                }
                Err(error) => return Err(RawError::from(error).into()),
            }
        };
        Ok(RawStream { window, decoder: Decoder::new(version, accept)? })
    }

    /// The version of the trace.
    pub fn version(&self) -> Version {
        self.decoder.version()
    }

    /// The offset in bytes of the next event.
    pub fn position(&self) -> u64 {
        self.window.offset
    }

    /// The next event; `None` at the end of the input. After an error the position stays at the
    /// start of the event: wrong bytes give the same error again, a failed input is read again.
    // Inlined, an event is never stored: the caller loads only the parts that it uses.
    #[inline(always)]
    #[expect(clippy::should_implement_trait, reason = "an event borrows from its stream")]
    pub fn next(&mut self) -> Result<Option<RawEvent<'_>>, StreamError> {
        if let Some(window) = self.window.bytes().first_chunk()
            && let Some((plain, len)) = self.decoder.decode_plain(window)
        {
            self.window.consume(len);
            return Ok(Some(self.decoder.plain_event(plain)));
        }
        self.next_carefully()
    }

    /// The same for any event.
    // Not inlined: what it needs must not take registers from the other way.
    #[inline(never)]
    fn next_carefully(&mut self) -> Result<Option<RawEvent<'_>>, StreamError> {
        let bytes = self.window.bytes();
        let len = match bytes.is_empty() {
            false => self.decoder.decode(bytes, self.window.offset).ok(),
            true => None,
        };
        let len = match len {
            Some(len) => len,
            None => match self.decode_slowly()? {
                Some(len) => len,
                None => return Ok(None),
            },
        };
        let start = self.window.start;
        self.window.consume(len);
        Ok(Some(self.decoder.event(&self.window.bytes[start..start + len])))
    }

    /// Decodes an event that needs more input or is wrong; returns its length.
    #[cold]
    fn decode_slowly(&mut self) -> Result<Option<usize>, StreamError> {
        loop {
            let at = self.window.offset;
            let bytes = self.window.bytes();
            let have = bytes.len() as u64;
            if have == 0 {
                if self.window.ended {
                    return Ok(None);
                }
                self.window.fill(1)?;
                continue;
            }
            match self.decoder.decode(bytes, at) {
                Ok(len) => return Ok(Some(len)),
                Err(Failure::Wrong(error)) => return Err(error.into()),
                Err(Failure::CutOff { need, .. }) if !self.window.ended => {
                    // What the event claims to need may be nonsense that more input reveals.
                    self.window.fill(need.min(2 * have + 16))?;
                }
                Err(Failure::CutOff { event, part, inside_number, .. }) => {
                    let end = at + have;
                    return Err(RawError::CutOff { at, end, event, part, inside_number }.into());
                }
            }
        }
    }
}

/// The part of the input that was read but not yet used.
struct Window<R> {
    input: R,
    /// Room for input; `start..end` holds it.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// The offset of `start` in the input.
    offset: u64,
    ended: bool,
}

impl<R: Read> Window<R> {
    #[inline]
    fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    #[inline]
    fn consume(&mut self, len: usize) {
        self.start += len;
        self.offset += len as u64;
    }

    /// Reads until the window holds `need` bytes or the input ends.
    #[cold]
    fn fill(&mut self, need: u64) -> Result<(), StreamError> {
        while !self.ended && (self.bytes().len() as u64) < need {
            if self.start > 0 {
                self.bytes.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            }
            if self.end == self.bytes.len() {
                self.bytes.resize(2 * self.end, 0);
            }
            match self.input.read(&mut self.bytes[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(len) => self.end += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    let at = self.offset + self.bytes().len() as u64;
                    return Err(StreamError::Io { at, source });
                }
            }
        }
        Ok(())
    }
}
