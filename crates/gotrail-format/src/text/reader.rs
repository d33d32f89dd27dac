//! The reader for the text form.

use super::error::CommentError;
use super::line::{Line, Lines, pair, read_args, split_arg, trim, word, words};
use super::{DATA, TextError, TextErrorKind};
use crate::event::Shape;
use crate::raw::{Accept, Frame, MAX_ARGS, NEGATIVE, RawEvent, Width, frame_count};
use crate::{EventType, Version, decimal, event, quote};
use std::io::BufRead;

/// Reads raw events from text, line by line.
///
/// ```
/// use gotrail_format::text::TextReader;
///
/// let text: &[u8] = b"Trace Go1.22\nString id=1\n\tdata=\"main\"\n";
/// let mut reader = TextReader::new(text)?;
/// let event = reader.next()?.expect("one event");
/// assert_eq!(event.data(), Some(&b"main"[..]));
/// # Ok::<(), gotrail_format::text::TextError>(())
/// ```
pub struct TextReader<R> {
    lines: Lines<R>,
    version: Version,
    /// The names of the events that are accepted, sorted.
    names: Vec<(&'static str, EventType)>,
    args: [u64; MAX_ARGS],
    frames: Vec<Frame>,
    data: Vec<u8>,
    widths: Vec<Width>,
}

impl<R: BufRead> TextReader<R> {
    /// Reads the header. Events are accepted as the reference accepts them.
    pub fn new(input: R) -> Result<TextReader<R>, TextError> {
        TextReader::with_accept(input, Accept::Reference)
    }

    /// Reads the header; `accept` says which events are accepted.
    pub fn with_accept(input: R, accept: Accept) -> Result<TextReader<R>, TextError> {
        let mut lines = Lines::new(input);
        let version = match lines.next()? {
            Line::Text(line) => read_header(line),
            Line::Unnamed(_) | Line::End => Err(TextErrorKind::NoHeader),
        };
        let version = version.map_err(|kind| lines.error(kind))?;
        lines.context = Some((accept, version));
        let accepted = event::all().filter(|spec| accept.accepts(spec.event, version));
        let mut names: Vec<_> = accepted.map(|spec| (spec.name, spec.event)).collect();
        names.sort_unstable();
        let (frames, data, widths) = (Vec::new(), Vec::new(), Vec::new());
        Ok(TextReader { lines, version, names, args: [0; MAX_ARGS], frames, data, widths })
    }

    /// The version of the trace.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The number of the line that was read last, from 1; 0 in front of the first.
    pub fn line(&self) -> u64 {
        self.lines.number
    }

    /// The next event; `None` at the end of the text. After an error the reader goes on with the
    /// next line, which makes sense only if the error was about a whole event.
    #[expect(clippy::should_implement_trait, reason = "an event borrows from its reader")]
    pub fn next(&mut self) -> Result<Option<RawEvent<'_>>, TextError> {
        self.frames.clear();
        self.data.clear();
        self.widths.clear();
        let event = match self.lines.next()? {
            Line::Text(line) => read_event(line, &self.names, &mut self.args),
            Line::Unnamed(event) => Ok(event),
            Line::End => match self.lines.has_notes() {
                true => Err(comment(CommentError::Nothing)),
                false => return Ok(None),
            },
        };
        let event = event.map_err(|kind| self.lines.error(kind))?;
        let spec = event.spec();
        let names = spec.map_or(&[][..], |spec| spec.args);
        let args = names.len();
        let shape = spec.map(|spec| spec.shape);
        let own_names = names.iter().copied().chain((shape == Some(Shape::Data)).then_some(DATA));
        note_widths(&self.lines.widths, own_names, 0, &mut self.widths)
            .map_err(|kind| self.lines.error(kind))?;
        let claim = self.lines.claim;
        match shape {
            Some(Shape::Stack) => self.read_frames(frame_count(self.args[args - 1]), args)?,
            Some(Shape::Data) => self.read_data(event)?,
            _ => {}
        }

        let data = (shape == Some(Shape::Data)).then_some(self.data.as_slice());
        let mut raw = RawEvent::build(event, &self.args[..args], &self.frames, data)
            .map_err(|error| self.lines.error(comment(error.into())))?;
        if let Some(length) = claim {
            if data.is_none_or(|data| !data.is_empty()) || length < NEGATIVE {
                return Err(self.lines.error(comment(CommentError::Claim(length))));
            }
            raw = raw.with_claim(length);
        }
        let raw = raw.with_widths(&self.widths);
        raw.map(Some).map_err(|error| self.lines.error(comment(error.into())))
    }

    /// Reads the frames of a stack whose first frame begins with the event's number `first`.
    fn read_frames(&mut self, expected: u64, first: usize) -> Result<(), TextError> {
        while (self.frames.len() as u64) < expected {
            let mut numbers = [0; Frame::FIELDS.len()];
            let read = match self.lines.next()? {
                Line::Text(line) => read_args(line, &Frame::FIELDS, &mut numbers),
                Line::Unnamed(_) => Err(comment(CommentError::Nothing)),
                Line::End => {
                    let found = self.frames.len();
                    Err(TextErrorKind::MissingFrames { expected, found })
                }
            };
            let first = first + self.frames.len() * Frame::FIELDS.len();
            let noted = read.and_then(|()| match self.lines.claim {
                Some(length) => Err(comment(CommentError::Claim(length))),
                None => note_widths(&self.lines.widths, Frame::FIELDS, first, &mut self.widths),
            });
            noted.map_err(|kind| self.lines.error(kind))?;
            self.frames.push(Frame::from(numbers));
        }
        Ok(())
    }

    fn read_data(&mut self, event: EventType) -> Result<(), TextError> {
        let data = match self.lines.next()? {
            Line::Text(line) => read_data(line),
            Line::Unnamed(_) => Err(comment(CommentError::Nothing)),
            Line::End => Err(TextErrorKind::MissingData(event)),
        };
        let data = data.map(|data| self.data.extend_from_slice(&data));
        data.map_err(|kind| self.lines.error(kind))?;
        if self.lines.has_notes() {
            return Err(self.lines.error(comment(CommentError::Nothing)));
        }
        Ok(())
    }
}

fn comment(error: CommentError) -> TextErrorKind {
    TextErrorKind::Comment(error)
}

fn read_header(line: &[u8]) -> Result<Version, TextErrorKind> {
    let header = || TextErrorKind::Header(trim(line).into());
    let (b"Trace", rest) = word(line).ok_or_else(header)? else { return Err(header()) };
    let (version, rest) = word(rest).ok_or_else(header)?;
    let minor = version.strip_prefix(b"Go1.").and_then(decimal::parse).ok_or_else(header)?;
    // The reference keeps 32 bits of it.
    let known = Version::from_minor(minor & u64::from(u32::MAX));
    let version = known.ok_or(TextErrorKind::UnknownVersion(minor))?;
    match trim(rest) {
        [] => Ok(version),
        rest => Err(TextErrorKind::Trailing(rest.into())),
    }
}

fn read_event(
    line: &[u8],
    names: &[(&'static str, EventType)],
    args: &mut [u64; MAX_ARGS],
) -> Result<EventType, TextErrorKind> {
    let unknown = |name: &[u8]| TextErrorKind::UnknownEvent(name.into());
    let (name, rest) = word(line).ok_or_else(|| unknown(line))?;
    let at = names
        .binary_search_by(|(known, _)| known.as_bytes().cmp(name))
        .map_err(|_| unknown(name))?;
    let event = names[at].1;
    read_args(rest, event.spec().map_or(&[], |spec| spec.args), args)?;
    Ok(event)
}

fn read_data(line: &[u8]) -> Result<std::borrow::Cow<'_, [u8]>, TextErrorKind> {
    match split_arg(line) {
        Some((name, literal)) if trim(name) == DATA.as_bytes() => {
            Ok(quote::unquote(trim(literal))?)
        }
        _ => Err(TextErrorKind::Data(trim(line).into())),
    }
}

/// Turns the words `name=bytes` into widths of the numbers with these names, the first of which
/// is the event's number `first`.
fn note_widths(
    text: &[u8],
    names: impl IntoIterator<Item = &'static str>,
    first: usize,
    widths: &mut Vec<Width>,
) -> Result<(), TextErrorKind> {
    let mut names = names.into_iter().zip(first..);
    for (name, bytes) in words(text).filter_map(pair) {
        let found = names.find(|(known, _)| known.as_bytes() == name);
        let (_, number) = found.ok_or_else(|| comment(CommentError::Name(name.into())))?;
        // A width that does not fit a byte is refused with all the others that are too large.
        widths.push(Width { number, bytes: u8::try_from(bytes).unwrap_or(u8::MAX) });
    }
    Ok(())
}
