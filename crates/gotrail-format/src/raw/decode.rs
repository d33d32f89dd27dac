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
        for number in 0..=u8::MAX {
            let event = EventType(number);
            if accept.accepts(event, version) {
                layouts[usize::from(number)] = Some(match event.spec() {
                    None => Layout { args: 0, tail: Tail::Nothing },
                    Some(spec) => Layout {
                        args: spec.args.len() as u8,
                        tail: match spec.shape {
                            Shape::Stack => Tail::Frames,
                            Shape::Data => Tail::Data,
                            _ => Tail::Nothing,
                        },
                    },
                });
            }
        }
        Ok(Decoder {
            version,
            layouts,
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
        for index in 0..count {
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
