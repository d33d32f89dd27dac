//! What a reader gave, to be compared with what another gave.

use gotrail::{Error, Mode, Reader};
use std::io::{self, Read};
use std::ops::ControlFlow;

/// The text of each event, and the error at the end.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The text of each event as Go prints it.
    pub events: Vec<Vec<u8>>,
    /// The times of the events.
    pub times: Vec<i64>,
    /// Where the syncs are that begin a generation.
    pub generations: Vec<usize>,
    /// The error at the end.
    pub error: Option<Error>,
}

impl Outcome {
    /// The text of all events.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.events.concat()).into_owned()
    }

    /// The 64-bit FNV-1a hash of the text.
    pub fn hash(&self) -> u64 {
        hash(self.events.iter().map(Vec::as_slice))
    }

    /// The error's message.
    pub fn message(&self) -> Option<String> {
        self.error.as_ref().map(ToString::to_string)
    }

    /// Checks that the other reader gave the same.
    #[track_caller]
    pub fn assert_same(&self, other: &Outcome, what: &str) {
        for (i, (ours, theirs)) in self.events.iter().zip(&other.events).enumerate() {
            let text = |event: &[u8]| String::from_utf8_lossy(event).into_owned();
            assert!(ours == theirs, "{what}: event {i}: {} not {}", text(ours), text(theirs));
        }
        assert_eq!(self.events.len(), other.events.len(), "{what}: number of events");
        assert_eq!(self.message(), other.message(), "{what}: error");
    }

    /// Checks that times rise strictly, as long as they do not wrap around.
    #[track_caller]
    pub fn assert_rising(&self, what: &str) {
        for pair in self.times.windows(2) {
            assert!(pair[0] < pair[1] || pair[0] == i64::MAX, "{what}: {pair:?}");
        }
    }

    /// Adds an event.
    pub fn add(&mut self, event: &gotrail::Event<'_>) {
        let mut text = Vec::new();
        gotrail::text::write_event(&mut text, event);
        if event.kind() == gotrail::Kind::Sync && event.generation().is_some() {
            self.generations.push(self.events.len());
        }
        self.events.push(text);
        self.times.push(event.time().0);
    }
}

/// The 64-bit FNV-1a hash of these parts, one after the other.
pub fn hash<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    parts.into_iter().flatten().fold(0xcbf2_9ce4_8422_2325, step)
}

/// Reads all events that are left, one by one.
pub fn drain(reader: &mut Reader<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    loop {
        match reader.next_event() {
            Ok(Some(event)) => outcome.add(&event),
            Ok(None) => break,
            Err(error) => {
                outcome.error = Some(error);
                break;
            }
        }
    }
    assert!(matches!(reader.next_event(), Ok(None)), "events after the end");
    outcome
}

/// Has all events that are left shown, `stretch` of them at a time.
pub fn shown(reader: &mut Reader<'_>, stretch: usize) -> Outcome {
    let mut outcome = Outcome::default();
    loop {
        let mut left = stretch;
        let flow = reader.for_each_event(|event| {
            outcome.add(event);
            left -= 1;
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match flow {
            Ok(ControlFlow::Break(())) => {}
            Ok(ControlFlow::Continue(())) => break,
            Err(error) => {
                outcome.error = Some(error);
                break;
            }
        }
    }
    outcome
}

/// Reads all events of a reader, if there is one.
pub fn read(reader: Result<Reader<'_>, Error>) -> Outcome {
    match reader {
        Ok(mut reader) => drain(&mut reader),
        Err(error) => Outcome { error: Some(error), ..Outcome::default() },
    }
}

/// The events that a strict reader gives of a trace in memory.
pub fn strict(bytes: &[u8]) -> Outcome {
    read(Reader::from_slice(bytes, Mode::Strict))
}

/// The events of one generation from the checkpoint before it.
pub fn generation(trace: &gotrail::Trace, index: usize, before: &gotrail::Checkpoint) -> Outcome {
    match trace.generation(index) {
        Ok(generation) => collect(generation.events(before)),
        Err(error) => Outcome { error: Some(error), ..Outcome::default() },
    }
}

/// All these events, one by one.
pub fn collect(events: gotrail::Events<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    for event in events {
        match event {
            Ok(event) => outcome.add(&event),
            Err(error) => outcome.error = Some(error),
        }
    }
    outcome
}

/// A stream that gives a few bytes at a time: 1 to `most`, told by a count; now and then it is
/// interrupted.
#[derive(Debug)]
pub struct Trickle<'a> {
    /// What is left.
    pub bytes: &'a [u8],
    /// The most bytes at a time.
    pub most: usize,
    /// How often it was asked.
    pub count: usize,
}

impl Read for Trickle<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.count += 1;
        if self.count.is_multiple_of(7) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let len = (1 + self.count * 31 % self.most).min(out.len()).min(self.bytes.len());
        let (now, later) = self.bytes.split_at(len);
        out[..len].copy_from_slice(now);
        self.bytes = later;
        Ok(len)
    }
}
