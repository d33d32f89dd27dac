//! Raw events to bytes and text and back, on generated traces.

use gotrail_format::raw::{
    Accept, Frame, RawEvent, RawReader, RawStream, RawWriter, StreamError, Width,
};
use gotrail_format::text::{self, Mode, TextReader};
use gotrail_format::{EventType, Version, varint};
use proptest::prelude::*;
use std::io::{self, Read};

/// An event that owns its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Event {
    event: EventType,
    args: Vec<u64>,
    frames: Vec<Frame>,
    data: Option<Vec<u8>>,
    widths: Vec<Width>,
}

impl Event {
    fn of(raw: &RawEvent<'_>) -> Event {
        Event {
            event: raw.event_type(),
            args: raw.args().to_vec(),
            frames: raw.frames().to_vec(),
            data: raw.data().map(<[u8]>::to_vec),
            widths: raw.widths().to_vec(),
        }
    }

    fn raw(&self) -> RawEvent<'_> {
        let raw = match &self.data {
            Some(data) => RawEvent::with_data(self.event, &self.args, data),
            None => RawEvent::with_frames(self.event, &self.args, &self.frames),
        };
        raw.unwrap().with_widths(&self.widths).unwrap()
    }
}

/// Numbers of every size.
fn number() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0u32..64).prop_map(|(value, shift)| value >> shift)
}

/// An event that a trace of `version` may hold, some of its numbers padded.
fn event(version: Version, accept: Accept) -> impl Strategy<Value = Event> {
    let accepted = |number: &u8| accept.accepts(EventType(*number), version);
    let numbers: Vec<u8> = (1..=u8::MAX).filter(accepted).collect();
    (
        prop::sample::select(numbers),
        prop::collection::vec(number(), 5),
        prop::collection::vec([number(), number(), number(), number()], 0..4),
        prop::collection::vec(any::<u8>(), 0..300),
        prop::collection::vec(prop::option::weighted(0.1, 2u8..=10), 32),
    )
        .prop_map(|(number, mut args, frames, data, padding)| {
            let event = EventType(number);
            let spec = event.spec();
            args.truncate(spec.map_or(0, |spec| spec.args.len()));
            let has_data = matches!(event, EventType::STRING | EventType::EXPERIMENTAL_BATCH);
            let data = has_data.then_some(data);
            let mut stack = Vec::new();
            if event == EventType::STACK {
                stack = frames.into_iter().map(Frame::from).collect();
                args[1] = stack.len() as u64;
            }
            let mut numbers = args.clone();
            numbers.extend(stack.iter().flat_map(|frame| frame.numbers()));
            numbers.extend(data.iter().map(|data| data.len() as u64));
            let mut widths = Vec::new();
            for (number, (value, bytes)) in numbers.into_iter().zip(padding).enumerate() {
                if let Some(bytes) = bytes.filter(|&bytes| usize::from(bytes) > varint::len(value))
                {
                    widths.push(Width { number, bytes });
                }
            }
            Event { event, args, frames: stack, data, widths }
        })
}

fn trace() -> impl Strategy<Value = (Version, Accept, Vec<Event>)> {
    let versions = vec![Version::Go122, Version::Go123, Version::Go125, Version::Go126];
    let accepts = vec![Accept::Reference, Accept::All];
    (prop::sample::select(versions), prop::sample::select(accepts)).prop_flat_map(
        |(version, accept)| {
            let events = prop::collection::vec(event(version, accept), 0..12);
            (Just(version), Just(accept), events)
        },
    )
}

fn write(version: Version, events: &[Event]) -> Vec<u8> {
    let mut writer = RawWriter::new(Vec::new(), version).unwrap();
    events.iter().for_each(|event| writer.write_event(&event.raw()).unwrap());
    writer.into_inner()
}

/// The events of a trace and the error that ends it.
fn read(bytes: &[u8], accept: Accept) -> (Vec<(u64, Event)>, Option<String>) {
    let mut events = Vec::new();
    let mut reader = match RawReader::with_accept(bytes, accept) {
        Ok(reader) => reader,
        Err(error) => return (events, Some(error.to_string())),
    };
    loop {
        let at = reader.position();
        match reader.next() {
            Ok(Some(event)) => events.push((at, Event::of(&event))),
            Ok(None) => return (events, None),
            Err(error) => return (events, Some(error.to_string())),
        }
    }
}

/// Gives a few bytes at a time, and now and then an interruption.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.1 += 1;
        if self.1.is_multiple_of(5) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let len = (self.1 % 4 + 1).min(out.len());
        self.0.read(&mut out[..len])
    }
}

fn read_stream(bytes: &[u8], accept: Accept) -> (Vec<(u64, Event)>, Option<String>) {
    let mut events = Vec::new();
    let mut stream = match RawStream::with_accept(Trickle(bytes, 0), accept) {
        Ok(stream) => stream,
        Err(error) => return (events, Some(error.to_string())),
    };
    loop {
        let at = stream.position();
        match stream.next() {
            Ok(Some(event)) => events.push((at, Event::of(&event))),
            Ok(None) => return (events, None),
            Err(error) => return (events, Some(error.to_string())),
        }
    }
}

/// Words and lines that text is made of, whole and broken.
fn text_part() -> impl Strategy<Value = Vec<u8>> {
    let parts = [
        "Stack id=1 nframes=2\n",
        "\tpc=1 func=2 file=3 line=4\n",
        "String id=1\n",
        "data=\"a\"\n",
        "\tdata='",
        "GoStart dt=1 g=2 g_seq=3\n",
        "# widths g=3\n",
        "# widths id=2 data=9\n",
        "# widths pc=4\n",
        "# claims data=9223372036854775808\n",
        "# unnamed event 77\n",
        "Sync\n",
        "Trace Go1.22\n",
        "dt=",
        "=",
        "#",
        "\n",
        "\r\n",
        " ",
        "\u{a0}",
        "18446744073709551615",
        "\"",
    ];
    let part = prop::sample::select(parts.to_vec()).prop_map(|part| part.as_bytes().to_vec());
    prop_oneof![6 => part, 1 => prop::collection::vec(any::<u8>(), 0..4)]
}

proptest! {
    #[test]
    fn events_round_trip_through_bytes((version, accept, events) in trace()) {
        let bytes = write(version, &events);
        let (read, error) = read(&bytes, accept);
        prop_assert_eq!(error, None);
        prop_assert!(read.iter().map(|(_, event)| event).eq(&events));
        let sizes: u64 = events.iter().map(|event| event.raw().encoded_size()).sum();
        let padded = events.iter().any(|event| !event.widths.is_empty());
        prop_assert!(sizes + 16 == bytes.len() as u64 || padded);
    }

    #[test]
    fn bytes_round_trip_through_text((version, accept, events) in trace()) {
        let bytes = write(version, &events);
        let text = text::from_bytes(&bytes, accept, Mode::Exact).unwrap();
        prop_assert_eq!(text::to_bytes_with(&text, accept).unwrap(), bytes);
    }

    #[test]
    fn plain_text_loses_widths_only((version, accept, mut events) in trace()) {
        // Events without a name and data without bytes cannot be told in plain text.
        events.retain(|event| event.event.spec().is_some());
        events.retain(|event| event.data.as_ref().is_none_or(|data| !data.is_empty()));
        let bytes = write(version, &events);
        let text = text::from_bytes(&bytes, accept, Mode::Plain).unwrap();
        events.iter_mut().for_each(|event| event.widths.clear());
        prop_assert_eq!(text::to_bytes_with(&text, accept).unwrap(), write(version, &events));
    }

    #[test]
    fn a_stream_reads_what_a_slice_reads(
        (version, accept, events) in trace(),
        cut in any::<prop::sample::Index>(),
        noise in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut bytes = write(version, &events);
        bytes.truncate(cut.index(2 * bytes.len()));
        prop_assert_eq!(read_stream(&bytes, accept), read(&bytes, accept));
        bytes.extend(noise);
        prop_assert_eq!(read_stream(&bytes, accept), read(&bytes, accept));
    }

    /// Whatever the bytes: no panic, and what was read is written as it was.
    #[test]
    fn any_bytes_are_read_and_written_again(
        noise in prop::collection::vec(any::<u8>(), 0..200),
        accept in prop::sample::select(vec![Accept::Reference, Accept::All]),
    ) {
        let mut bytes = Version::Go126.header().to_vec();
        bytes.extend(&noise);
        let mut reader = RawReader::with_accept(&bytes, accept).unwrap();
        let (mut again, mut text) = (Version::Go126.header().to_vec(), Vec::new());
        text::write_header(&mut text, Version::Go126);
        while let Ok(Some(event)) = reader.next() {
            gotrail_format::raw::push_event(&mut again, &event);
            text::write_event(&mut text, &event, Mode::Exact);
        }
        let read = &bytes[..reader.position() as usize];
        prop_assert_eq!(&again, read);
        prop_assert_eq!(text::to_bytes_with(&text, accept).unwrap(), read);
        let _ = RawReader::new(&noise);
    }

    #[test]
    fn any_text_is_read_without_panic(parts in prop::collection::vec(text_part(), 0..12)) {
        let body = parts.concat();
        let text = [b"Trace Go1.26\n".as_slice(), &body].concat();
        if let Ok(bytes) = text::to_bytes(&text) {
            let exact = text::from_bytes(&bytes, Accept::Reference, Mode::Exact).unwrap();
            prop_assert_eq!(text::to_bytes(exact).unwrap(), bytes);
        }
        let _ = text::to_bytes(&body);
        let mut reader = TextReader::new(text.as_slice()).unwrap();
        for _ in 0..20 {
            let _ = reader.next();
        }
    }
}

/// An input that fails.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

#[test]
fn a_failing_input_is_reported_with_its_offset() {
    let trace = [&Version::Go126.header()[..], &[11, 7]].concat();
    let mut stream = RawStream::new(trace.chain(Broken)).unwrap();
    assert_eq!(stream.next().unwrap().unwrap().args(), [7]);
    assert!(matches!(stream.next(), Err(StreamError::Io { at: 18, .. })));
}

#[test]
fn claimed_lengths_allocate_nothing() {
    let mut trace = Version::Go126.header().to_vec();
    trace.extend([3, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3]);
    assert!(read_stream(&trace, Accept::All).1.unwrap().contains("line of frame 0"));
    let mut trace = Version::Go126.header().to_vec();
    trace.extend([5, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3]);
    assert!(read_stream(&trace, Accept::All).1.unwrap().contains("bytes of data"));
}
