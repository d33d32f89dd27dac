//! The reader for traces in memory.

use super::decode::{Decoder, Failure};
use super::{Accept, RawError, RawEvent};
use crate::{EventType, Version, version};

/// Reads the raw events of a trace in memory.
///
/// ```
/// use gotrail_format::raw::RawReader;
///
/// let bytes = b"go 1.26 trace\0\0\0\x01\x01\x00\x05\x82\x80\x00\x0b\x07";
/// let mut reader = RawReader::new(bytes)?;
/// while let Some(event) = reader.next()? {
///     println!("{} {:?}", event.event_type(), event.args());
/// }
/// assert_eq!(reader.position(), bytes.len() as u64);
/// # Ok::<(), gotrail_format::raw::RawError>(())
/// ```
pub struct RawReader<'a> {
    input: &'a [u8],
    at: usize,
    decoder: Decoder,
}

impl<'a> RawReader<'a> {
    /// Reads the header. Events are accepted as the reference accepts them.
    pub fn new(input: &'a [u8]) -> Result<RawReader<'a>, RawError> {
        RawReader::with_accept(input, Accept::Reference)
    }

    /// Reads the header; `accept` says which events are accepted.
    pub fn with_accept(input: &'a [u8], accept: Accept) -> Result<RawReader<'a>, RawError> {
        let (version, at) = version::read_header(input)?;
        Ok(RawReader { input, at, decoder: Decoder::new(version, accept)? })
    }

    /// The version of the trace.
    pub fn version(&self) -> Version {
        self.decoder.version()
    }

    /// The offset in bytes of the next event.
    pub fn position(&self) -> u64 {
        self.at as u64
    }

    /// Goes on at this offset, which must not be before [`RawReader::position`]: behind a damaged
    /// batch, say.
    pub fn skip_to(&mut self, position: u64) {
        let end = self.input.len();
        self.at = usize::try_from(position).map_or(end, |at| at.clamp(self.at, end));
    }

    /// Which event is next, and its size as [`RawEvent::encoded_size`] says it; nearly always
    /// without decoding it.
    #[inline(always)]
    pub(crate) fn next_size(&mut self) -> Result<Option<(EventType, u64)>, RawError> {
        let rest = &self.input[self.at..];
        if let Some(window) = rest.first_chunk() {
            let len = match self.decoder.measure_plain(window) {
                None => self.decoder.measure_stack(rest),
                len => len,
            };
            if let Some(len) = len {
                self.at += len;
                return Ok(Some((EventType(window[0]), len as u64)));
            }
        }
        Ok(self.next()?.map(|event| (event.event_type(), event.encoded_size())))
    }

    /// Shows the types and sizes of events up to `end`, as long as they have only short arguments,
    /// encoded as briefly as possible.
    // The position stays in a register: where the next event begins is what everything waits for.
    #[inline]
    pub(crate) fn each_plain_size(&mut self, end: usize, mut each: impl FnMut(EventType, u64)) {
        let mut at = self.at;
        while at < end
            && let Some(window) = self.input[at..].first_chunk()
            && let Some(len) = self.decoder.measure_plain(window)
        {
            each(EventType(window[0]), len as u64);
            at += len;
        }
        self.at = at;
    }

    /// The next event; `None` at the end of the input. After an error the position stays at the
    /// start of the event, and so the next call returns the same error.
    // Inlined, an event is never stored: the caller loads only the parts that it uses.
    #[inline(always)]
    #[expect(clippy::should_implement_trait, reason = "an event borrows from its reader")]
    pub fn next(&mut self) -> Result<Option<RawEvent<'_>>, RawError> {
        if let Some(window) = self.input[self.at..].first_chunk()
            && let Some((plain, len)) = self.decoder.decode_plain(window)
        {
            self.at += len;
            return Ok(Some(self.decoder.plain_event(plain)));
        }
        self.next_carefully()
    }

    /// The same for any event.
    // Not inlined: what it needs must not take registers from the other way.
    #[inline(never)]
    fn next_carefully(&mut self) -> Result<Option<RawEvent<'_>>, RawError> {
        let rest = &self.input[self.at..];
        if rest.is_empty() {
            return Ok(None);
        }
        match self.decoder.decode(rest, self.at as u64) {
            Ok(len) => {
                self.at += len;
                Ok(Some(self.decoder.event(rest)))
            }
            Err(Failure::Wrong(error)) => Err(error),
            Err(Failure::CutOff { event, part, inside_number, .. }) => {
                let (at, end) = (self.at as u64, self.input.len() as u64);
                Err(RawError::CutOff { at, end, event, part, inside_number })
            }
        }
    }
}
