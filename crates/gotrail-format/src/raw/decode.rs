//! The decoder that the slice reader and the stream reader share.

use super::{Accept, Frame, MAX_ARGS, Part, RawError, RawEvent, Width, frame_count};
use crate::event::Shape;
use crate::varint::{self, VarintError};
use crate::{EventType, Version};

/// What follows the number of an event.
#[derive(Clone, Copy)]
struct Layout {
    args: u8,
    tail: Tail,
}

#[derive(Clone, Copy)]
enum Tail {
    Nothing,
    Frames,
    Data,
}

/// Decodes events into buffers that it keeps. It also keeps where the last event lies, so that
/// decoding returns only a length: moving a whole event through memory takes as long as decoding.
pub(super) struct Decoder {
    version: Version,
    /// For each event number what follows it; `None` for a number that is not accepted.
    layouts: [Option<Layout>; 256],
    /// For each event number how many arguments it has, if it has some and nothing else, or
    /// [`NOT_PLAIN`].
    plain: [u8; 256],
    event: EventType,
    arg_count: usize,
    args: [u64; MAX_ARGS],
    frames: Vec<Frame>,
    /// Where the data begins and ends, for an event with data.
    data: Option<(usize, usize)>,
    /// The length of the data as it is encoded.
    length: u64,
    widths: Vec<Width>,
}

/// Not accepted, or not followed by arguments alone.
const NOT_PLAIN: u8 = u8::MAX;

/// Enough bytes for any event without frames and data whose numbers take up to four bytes, and for
/// reading eight bytes wherever one of them begins.
pub(super) type Window = [u8; 40];

/// An event of the commonest form, whose arguments the decoder has.
#[derive(Clone, Copy)]
pub(super) struct Plain {
    event: EventType,
    args: usize,
}

/// Why an event could not be decoded; offsets are relative to its start.
pub(super) enum Failure {
    /// More input is needed: at least `need` bytes in all.
    CutOff { need: u64, event: EventType, part: Part, inside_number: bool },
    /// More input will not help.
    Wrong(RawError),
}

/// A position in the input of one event.
struct Cursor<'a> {
    input: &'a [u8],
    at: usize,
    /// How many numbers were read.
    number: usize,
}

impl Cursor<'_> {
    #[inline]
    fn number(&mut self, widths: &mut Vec<Width>) -> Result<u64, VarintError> {
        let number = self.number;
        self.number += 1;
        if let Some(&byte) = self.input.get(self.at)
            && byte < 0x80
        {
            self.at += 1;
            return Ok(u64::from(byte));
        }
        let (value, len) = varint::read(&self.input[self.at..])?;
        if len > varint::len(value) {
            widths.push(Width { number, bytes: len as u8 });
        }
        self.at += len;
        Ok(value)
    }
}

impl Decoder {
    /// A decoder for traces of `version`.
    pub(super) fn new(version: Version, accept: Accept) -> Result<Decoder, RawError> {
        if !version.has_generations() {
            return Err(RawError::NoGenerations(version));
        }
        let mut layouts = [None; 256];
        let mut plain = [NOT_PLAIN; 256];
        for number in 0..=u8::MAX {
            let event = EventType(number);
            if accept.accepts(event, version) {
                let layout = match event.spec() {
                    None => Layout { args: 0, tail: Tail::Nothing },
                    Some(spec) => Layout {
                        args: spec.args.len() as u8,
                        tail: match spec.shape {
                            Shape::Stack => Tail::Frames,
                            Shape::Data => Tail::Data,
                            _ => Tail::Nothing,
                        },
                    },
                };
                layouts[usize::from(number)] = Some(layout);
                if matches!(layout.tail, Tail::Nothing) && layout.args > 0 {
                    plain[usize::from(number)] = layout.args;
                }
            }
        }
        Ok(Decoder {
            version,
            layouts,
            plain,
            event: EventType(0),
            arg_count: 0,
            args: [0; MAX_ARGS],
            frames: Vec::new(),
            data: None,
            length: 0,
            widths: Vec::new(),
        })
    }

    pub(super) fn version(&self) -> Version {
        self.version
    }

    /// Decodes an event of the commonest form: only arguments, as short as possible and of up to
    /// four bytes each. Returns it by its type and the number of its arguments, and its length;
    /// none if it is not like that.
    // What it returns is not stored: in registers it costs less.
    #[inline(always)]
    pub(super) fn decode_plain(&mut self, window: &Window) -> Option<(Plain, usize)> {
        // The first number is mostly the time since the event before, in one byte: it comes with the
        // type. Its length is nearly always foreseen, and nothing waits for a second load.
        let word = u32::from_le_bytes(*window.first_chunk().expect("a window is longer"));
        let count = self.plain[word as usize & 0xff];
        if count == NOT_PLAIN {
            return None;
        }
        let (first, more) = self.args.split_first_mut().expect("there is room for some");
        let mut at = 2;
        *first = u64::from(word >> 8 & 0x7f);
        if word & 0x8000 != 0 {
            at = 1;
            *first = plain_number(window, &mut at)?;
        }
        for arg in more.iter_mut().take(usize::from(count) - 1) {
            *arg = plain_number(window, &mut at)?;
        }
        Some((Plain { event: EventType(window[0]), args: usize::from(count) }, at))
    }

    /// The length of an event that [`Decoder::decode_plain`] would decode, without decoding it.
    #[inline(always)]
    pub(super) fn measure_plain(&self, window: &Window) -> Option<usize> {
        let count = self.plain[usize::from(window[0])];
        if count == NOT_PLAIN {
            return None;
        }
        let mut at = 1;
        for _ in 0..count {
            at += plain_len(window, at)?;
        }
        Some(at)
    }

    /// The length of a stack that has no number longer than eight bytes or longer than needed;
    /// none if there is anything to be said about it.
    pub(super) fn measure_stack(&self, input: &[u8]) -> Option<usize> {
        let window: &Window = input.first_chunk()?;
        let layout = self.layouts[usize::from(window[0])]?;
        if !matches!(layout.tail, Tail::Frames) {
            return None;
        }
        let mut at = 1;
        for _ in 1..layout.args {
            at += plain_len(window, at)?;
        }
        let frames = plain_number(window, &mut at)?;
        let mut numbers = 4 * frames;
        while numbers > 0 {
            let block: &[u8; 64] = input.get(at..)?.first_chunk()?;
            let ends = varint::ends(block);
            let before: &[u8; 64] = input[at - 1..].first_chunk()?;
            if has_long_or_padded(block, before, ends) {
                return None;
            }
            let there = u64::from(ends.count_ones());
            if there <= numbers {
                // Up to the last number that ends here.
                numbers -= there;
                at += 64 - ends.leading_zeros() as usize;
            } else {
                let behind = (0..numbers).fold(ends, |ends, _| ends & ends.wrapping_sub(1));
                let last = ends & !behind;
                at += 64 - last.leading_zeros() as usize;
                numbers = 0;
            }
        }
        Some(at)
    }

    /// The event that [`Decoder::decode_plain`] decoded just now.
    #[inline(always)]
    pub(super) fn plain_event(&self, plain: Plain) -> RawEvent<'_> {
        RawEvent {
            event: plain.event,
            args: &self.args[..plain.args],
            frames: &[],
            data: None,
            length: 0,
            widths: &[],
        }
    }

    /// Decodes the event at the start of `input`, which is not empty and stands at `offset` in
    /// the trace; returns its length in bytes.
    pub(super) fn decode(&mut self, input: &[u8], offset: u64) -> Result<usize, Failure> {
        let event = EventType(input[0]);
        let Some(layout) = self.layouts[usize::from(event.0)] else {
            let version = self.version;
            return Err(Failure::Wrong(RawError::UnknownEvent { at: offset, event, version }));
        };
        self.event = event;
        self.frames.clear();
        self.data = None;
        self.length = 0;
        self.widths.clear();
        let mut cursor = Cursor { input, at: 1, number: 0 };
        let args = usize::from(layout.args);
        for i in 0..args {
            match cursor.number(&mut self.widths) {
                Ok(value) => self.args[i] = value,
                Err(error) => {
                    let name = event.spec().map_or("", |spec| spec.args[i]);
                    let missing = (args - i) as u64;
                    return Err(failure(error, &cursor, offset, Part::Argument(name), missing));
                }
            }
        }
        self.arg_count = args;
        match layout.tail {
            Tail::Nothing => Ok(cursor.at),
            Tail::Frames => {
                self.decode_frames(frame_count(self.args[args - 1]), &mut cursor, offset)?;
                Ok(cursor.at)
            }
            Tail::Data => {
                let length = cursor
                    .number(&mut self.widths)
                    .map_err(|error| failure(error, &cursor, offset, Part::Length, 1))?;
                let start = cursor.at;
                let end = start as u64 + frame_count(length);
                if end > input.len() as u64 {
                    let (need, part) = (end, Part::Data(length));
                    return Err(Failure::CutOff { need, event, part, inside_number: false });
                }
                self.length = length;
                self.data = Some((start, end as usize));
                Ok(end as usize)
            }
        }
    }

    fn decode_frames(
        &mut self,
        count: u64,
        cursor: &mut Cursor<'_>,
        offset: u64,
    ) -> Result<(), Failure> {
        // Whatever the count claims: a frame takes at least four bytes.
        let room = cursor.input.len().saturating_sub(cursor.at) as u64 / 4;
        self.frames.reserve(count.min(room) as usize);
        for index in 0..count {
            if let Some(window) = cursor.input[cursor.at..].first_chunk()
                && let Some((frame, len)) = plain_frame(window)
            {
                cursor.at += len;
                cursor.number += 4;
                self.frames.push(frame);
                continue;
            }
            let mut numbers = [0; 4];
            for (i, number) in numbers.iter_mut().enumerate() {
                *number = cursor.number(&mut self.widths).map_err(|error| {
                    let missing = (count - index).saturating_mul(4) - i as u64;
                    let part = Part::Frame { index, field: Frame::FIELDS[i] };
                    failure(error, cursor, offset, part, missing)
                })?;
            }
            self.frames.push(Frame::from(numbers));
        }
        Ok(())
    }

    /// The event that was just decoded from the start of `input`.
    #[inline(always)]
    pub(super) fn event<'a>(&'a self, input: &'a [u8]) -> RawEvent<'a> {
        RawEvent {
            event: self.event,
            args: &self.args[..self.arg_count],
            frames: &self.frames,
            data: self.data.map(|(start, end)| &input[start..end]),
            length: self.length,
            widths: &self.widths,
        }
    }
}

/// Reads the number at `at`, and moves `at` behind it; none if it has more than four bytes, or
/// more than it needs.
#[inline(always)]
fn plain_number(window: &Window, at: &mut usize) -> Option<u64> {
    // The mask only tells the compiler what is so anyway.
    let word = window[*at & 31..].first_chunk().map(|&word| u64::from_le_bytes(word))?;
    if word & 0x80 == 0 {
        *at += 1;
        return Some(word & 0x7f);
    }
    let two = word & 0x7f | word >> 1 & 0x3f80;
    if word & 0x8000 == 0 {
        *at += 2;
        return (two >= 1 << 7).then_some(two);
    }
    let three = two | word >> 2 & 0x1f_c000;
    if word & 0x80_0000 == 0 {
        *at += 3;
        return (three >= 1 << 14).then_some(three);
    }
    let four = three | word >> 3 & 0xfe0_0000;
    *at += 4;
    (word & 0x8000_0000 == 0 && four >= 1 << 21).then_some(four)
}

/// The length of the number at `at`, if it is plain.
#[inline(always)]
fn plain_len(window: &Window, at: usize) -> Option<usize> {
    // The mask only tells the compiler what is so anyway.
    let word = window[at & 31..].first_chunk().map(|&word| u32::from_le_bytes(word))?;
    if word & 0x80 == 0 {
        Some(1)
    } else if word & 0x8000 == 0 {
        (word & 0x7f00 != 0).then_some(2)
    } else if word & 0x80_0000 == 0 {
        (word & 0x7f_0000 != 0).then_some(3)
    } else {
        (word & 0x8000_0000 == 0 && word & 0x7f00_0000 != 0).then_some(4)
    }
}

/// Whether numbers in this block may be longer than eight bytes, or than they need to be.
/// `before` is the same one byte earlier.
#[inline]
fn has_long_or_padded(block: &[u8; 64], before: &[u8; 64], ends: u64) -> bool {
    const MORE: u64 = 0x8080_8080_8080_8080;
    // Eight bytes in a row that end no number.
    let two = !ends & !ends >> 1;
    let four = two & two >> 2;
    // A number that ends with a byte of nothing, although it goes on from the byte before.
    let ((words, _), (befores, _)) = (block.as_chunks::<8>(), before.as_chunks::<8>());
    let padded = words.iter().zip(befores).fold(0, |all, (&word, &before)| {
        let (word, before) = (u64::from_le_bytes(word), u64::from_le_bytes(before));
        let something = ((word & !MORE) + !MORE) | word;
        all | (!something & before & MORE)
    });
    four & four >> 4 != 0 || padded != 0
}

/// A frame whose numbers are plain, and its length.
#[inline(always)]
fn plain_frame(window: &Window) -> Option<(Frame, usize)> {
    let mut at = 0;
    let mut next = || plain_number(window, &mut at);
    let frame = Frame { pc: next()?, func: next()?, file: next()?, line: 0 };
    // Lines have one or two bytes, and nobody can foresee how many: no branch tells them apart.
    let word = window[at & 31..].first_chunk().map(|&word| u16::from_le_bytes(word))?;
    let more = word >> 7 & 1;
    let high = word >> 1 & 0x3f80 & more.wrapping_neg();
    let line = word & 0x7f | high;
    if word & 0x8080 == 0x8080 || (more != 0 && high == 0) {
        let line = plain_number(window, &mut at)?;
        return Some((Frame { line, ..frame }, at));
    }
    Some((Frame { line: u64::from(line), ..frame }, at + 1 + usize::from(more)))
}

/// The failure to read a number; `missing` numbers, itself included, are still to come.
#[cold]
fn failure(
    error: VarintError,
    cursor: &Cursor<'_>,
    offset: u64,
    part: Part,
    missing: u64,
) -> Failure {
    let event = EventType(cursor.input[0]);
    let at = cursor.at as u64;
    match error {
        VarintError::Overflow => {
            Failure::Wrong(RawError::Overflow { at: offset + at, event, part })
        }
        VarintError::CutOff => {
            let there = cursor.input.len() as u64 - at;
            let need = (at + there).saturating_add(missing);
            Failure::CutOff { need, event, part, inside_number: there > 0 }
        }
    }
}
