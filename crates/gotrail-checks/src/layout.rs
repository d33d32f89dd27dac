//! A trace taken apart into batches and events, to change it and to put it
//! together again.
//!
//! This is lenient where the real readers are strict: what it does not understand
//! it keeps as bytes, so that a mutant can be mutated again.

use gotrail_format::batch::{self, Content, Header};
use gotrail_format::event::{EventType, Shape, Spec};
use gotrail_format::varint;
use gotrail_format::version::{self, Version};

/// A trace.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// The header, as it stands there.
    pub header: Vec<u8>,
    /// Batches and ends of generations, in order.
    pub parts: Vec<Part>,
    /// What is behind the last part that could be understood.
    pub rest: Vec<u8>,
    /// The least number of bytes that numbers are written with.
    pub width: usize,
}

/// A batch, or the end of a generation.
#[derive(Clone, Debug)]
pub enum Part {
    /// The end of a generation.
    EndOfGeneration,
    /// A batch.
    Batch(Batch),
}

/// A batch.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The experiment, if it is an experimental batch.
    pub experiment: Option<u8>,
    /// The generation that it names.
    pub generation: u64,
    /// The thread that wrote it.
    pub thread: u64,
    /// The time that its events' times begin with.
    pub time: u64,
    /// The size that it claims, if that is not the one it has.
    pub size: Option<u64>,
    /// Its events, or entries.
    pub items: Vec<Item>,
    /// What is behind the last event that could be understood.
    pub tail: Vec<u8>,
}

/// An event, or an entry of a table.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its number.
    pub event: u8,
    /// Its arguments; those of a stack go on with its frames.
    pub args: Vec<u64>,
    /// The bytes of a string.
    pub data: Option<Vec<u8>>,
    /// The length that the data claims, if that is not the one it has.
    pub data_len: Option<u64>,
}

/// What begins at a place in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Boundary {
    /// A byte of the header, its end included.
    Header,
    /// A batch, or the end of a generation.
    Batch,
    /// A number of a batch's header.
    BatchHeader,
    /// The first event of a batch.
    Payload,
    /// Another event.
    Event,
    /// An argument of an event.
    Argument,
    /// The second byte of a number.
    InsideNumber,
    /// The middle of a string.
    InsideData,
}

impl Item {
    /// What the event table says of it.
    pub fn spec(&self) -> Option<&'static Spec> {
        EventType(self.event).spec()
    }

    /// The event's name, or its number.
    pub fn name(&self) -> String {
        EventType(self.event).to_string()
    }
}

impl Layout {
    /// Takes a trace apart. `None` if it has no header.
    pub fn read(bytes: &[u8]) -> Option<Layout> {
        let (version, len) = version::read_header(bytes).ok()?;
        let mut layout = Layout { header: bytes[..len].to_vec(), ..Layout::default() };
        let mut rest = &bytes[len..];
        while !rest.is_empty() {
            let Ok((header, len)) = batch::read_header(rest) else { break };
            let Header::Batch(header) = header else {
                layout.parts.push(Part::EndOfGeneration);
                rest = &rest[len..];
                continue;
            };
            let Some(payload) = rest[len..].get(..header.size) else { break };
            let experiment = (rest[0] == EventType::EXPERIMENTAL_BATCH.0).then_some(rest[1]);
            let mut batch = Batch {
                experiment,
                generation: header.generation,
                thread: header.thread,
                time: header.time,
                ..Batch::default()
            };
            match Content::of(header.experiment, payload, version) {
                Content::Experiment(_) => batch.tail = payload.to_vec(),
                _ => batch.read_payload(payload, version),
            }
            layout.parts.push(Part::Batch(batch));
            rest = &rest[len + header.size..];
        }
        layout.rest = rest.to_vec();
        Some(layout)
    }

    /// Puts the trace together.
    pub fn write(&self) -> Vec<u8> {
        self.write_with(&mut |_, _| {})
    }

    /// Every place where something begins, in the order of the written trace.
    pub fn boundaries(&self) -> Vec<(usize, Boundary)> {
        let mut boundaries = Vec::new();
        self.write_with(&mut |at, kind| boundaries.push((at, kind)));
        boundaries
    }

    /// The batches.
    pub fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.parts.iter().filter_map(|part| match part {
            Part::Batch(batch) => Some(batch),
            Part::EndOfGeneration => None,
        })
    }

    /// The batches, to be changed.
    pub fn batches_mut(&mut self) -> impl Iterator<Item = &mut Batch> {
        self.parts.iter_mut().filter_map(|part| match part {
            Part::Batch(batch) => Some(batch),
            Part::EndOfGeneration => None,
        })
    }

    fn write_with(&self, mark: &mut dyn FnMut(usize, Boundary)) -> Vec<u8> {
        let mut out = Vec::new();
        for at in 0..=self.header.len() {
            mark(at, Boundary::Header);
        }
        out.extend(&self.header);
        for part in &self.parts {
            mark(out.len(), Boundary::Batch);
            match part {
                Part::EndOfGeneration => out.push(EventType::END_OF_GENERATION.0),
                Part::Batch(batch) => batch.write(&mut out, self.width, mark),
            }
        }
        out.extend(&self.rest);
        out
    }
}

impl Batch {
    /// The size of the payload, with numbers as short as possible.
    pub fn payload_len(&self) -> usize {
        let mut payload = Vec::new();
        self.write_payload(&mut payload, 0, &mut |_, _| {});
        payload.len()
    }

    fn read_payload(&mut self, payload: &[u8], version: Version) {
        let mut at = 0;
        while let Some((item, len)) = Item::read(&payload[at..], version) {
            self.items.push(item);
            at += len;
        }
        self.tail = payload[at..].to_vec();
    }

    fn write(&self, out: &mut Vec<u8>, width: usize, mark: &mut dyn FnMut(usize, Boundary)) {
        match self.experiment {
            None => out.push(EventType::EVENT_BATCH.0),
            Some(experiment) => {
                out.push(EventType::EXPERIMENTAL_BATCH.0);
                mark(out.len(), Boundary::BatchHeader);
                out.push(experiment);
            }
        }
        let mut payload = Vec::new();
        let mut marks = Vec::new();
        self.write_payload(&mut payload, width, &mut |at, kind| marks.push((at, kind)));
        let size = self.size.unwrap_or(payload.len() as u64);
        for number in [self.generation, self.thread, self.time, size] {
            mark(out.len(), Boundary::BatchHeader);
            varint::push_padded(out, number, width);
        }
        for (at, kind) in marks {
            mark(out.len() + at, kind);
        }
        out.extend(payload);
    }

    fn write_payload(
        &self,
        out: &mut Vec<u8>,
        width: usize,
        mark: &mut dyn FnMut(usize, Boundary),
    ) {
        for (i, item) in self.items.iter().enumerate() {
            mark(out.len(), if i == 0 { Boundary::Payload } else { Boundary::Event });
            out.push(item.event);
            let claim = item.data.as_ref().map(|data| item.data_len.unwrap_or(data.len() as u64));
            for &number in item.args.iter().chain(&claim) {
                mark(out.len(), Boundary::Argument);
                let start = out.len();
                varint::push_padded(out, number, width);
                if out.len() > start + 1 {
                    mark(start + 1, Boundary::InsideNumber);
                }
            }
            if let Some(data) = &item.data {
                mark(out.len() + data.len() / 2, Boundary::InsideData);
                out.extend(data);
            }
        }
        out.extend(&self.tail);
    }
}

impl Item {
    /// Reads an event that a trace of this version can have; with its length.
    fn read(bytes: &[u8], version: Version) -> Option<(Item, usize)> {
        let event = EventType(*bytes.first()?);
        let spec = event.spec().filter(|_| event.is_in(version))?;
        let mut at = 1;
        let mut number = || {
            let (value, len) = varint::read(&bytes[at..]).ok()?;
            at += len;
            Some(value)
        };
        let mut args = Vec::new();
        for _ in spec.args {
            args.push(number()?);
        }
        if spec.shape == Shape::Stack {
            for _ in 0..args[1].checked_mul(4)? {
                args.push(number()?);
            }
        }
        let mut data = None;
        if spec.shape == Shape::Data {
            let len = usize::try_from(number()?).ok()?;
            data = Some(bytes[at..].get(..len)?.to_vec());
            at += len;
        }
        Some((Item { event: event.0, args, data, data_len: None }, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recorded_trace_comes_apart_and_together() {
        for crate::mutate::Base { name: trace, bytes } in crate::recorded(usize::MAX) {
            let layout = Layout::read(&bytes).unwrap();
            assert!(layout.rest.is_empty(), "{trace}");
            for batch in layout.batches() {
                assert!(batch.tail.is_empty() || batch.experiment.is_some(), "{trace}");
            }
            // The runtime pads sizes, so bytes differ; what they say must not.
            let again = Layout::read(&layout.write()).unwrap();
            assert_eq!(again.write(), layout.write(), "{trace}");
            assert_eq!(again.boundaries(), layout.boundaries(), "{trace}");
        }
    }
}
