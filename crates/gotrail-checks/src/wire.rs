//! Raw events: bytes, streams, text and footprint agree, whatever the bytes are.

use crate::outcome::Trickle;
use gotrail_format::footprint::Footprint;
use gotrail_format::raw::{Accept, RawReader, RawStream, push_event};
use gotrail_format::text::{self as form, TextReader};
use gotrail_format::version;

/// Raw events of a slice and of a stream are the same, and written again they are the same bytes;
/// so is their text. Footprints are sums of their sizes, counted in any way.
pub fn bytes(bytes: &[u8]) {
    for accept in [Accept::Reference, Accept::All] {
        raw(bytes, accept);
    }
    let counted = RawReader::new(bytes).and_then(|mut reader| {
        let mut footprint = Footprint::new(reader.version());
        let (mut sum, mut count) = (0, 0);
        while let Some(event) = reader.next()? {
            footprint.add(&event);
            sum += event.encoded_size();
            count += 1;
        }
        let rows = footprint.sorted();
        assert_eq!(rows.iter().map(|row| row.bytes).sum::<u64>(), sum, "footprint");
        assert_eq!(footprint.events(), count, "footprint");
        assert!(sum <= bytes.len() as u64, "a footprint larger than the trace");
        footprint.write_table(&mut Vec::new(), bytes.len() as u64);
        Ok(rows)
    });
    for threads in [1, 3] {
        let measured = Footprint::of_trace(bytes, threads, |_| {});
        let measured = measured.map(|footprint| footprint.sorted());
        assert!(measured == counted, "footprint in pieces: {measured:?}\nnot {counted:?}");
    }
}

fn raw(bytes: &[u8], accept: Accept) {
    let stream = Trickle { bytes, most: 1 + bytes.len() % 61, count: 0 };
    let (mut reader, mut stream) =
        match (RawReader::with_accept(bytes, accept), RawStream::with_accept(stream, accept)) {
            (Ok(reader), Ok(stream)) => (reader, stream),
            (Err(a), Err(b)) => return assert_eq!(a.to_string(), b.to_string(), "header"),
            (a, b) => panic!("header: {:?}, {:?}", a.err(), b.err()),
        };
    // A header can have white space that is not written again.
    let header = reader.version().header().to_vec();
    let start = reader.position() as usize;
    let (mut again, mut text) = (header, Vec::new());
    let skipped = start as i64 - again.len() as i64;
    form::write_header(&mut text, reader.version());
    loop {
        match (reader.next(), stream.next()) {
            (Ok(Some(a)), Ok(Some(b))) => {
                assert_eq!(a, b, "slice and stream");
                push_event(&mut again, &a);
                form::write_event(&mut text, &a, form::Mode::Exact);
            }
            (Ok(None), Ok(None)) => break,
            (Err(a), Err(b)) => {
                assert_eq!(a.to_string(), b.to_string(), "slice and stream");
                break;
            }
            (a, b) => panic!("slice and stream: {a:?}, {b:?}"),
        }
    }
    assert_eq!(reader.position(), stream.position(), "slice and stream");
    assert_eq!(again.len() as i64 + skipped, reader.position() as i64, "written again");
    assert!(again[16..] == bytes[start..reader.position() as usize], "written again");
    let back = form::to_bytes_with(&text, accept).expect("text that we wrote");
    assert!(back == again, "bytes to text to bytes:\n{}", String::from_utf8_lossy(&text));
}

/// Any text: no panic; what is read as a trace is the same trace when it is written as text, in
/// both directions.
pub fn text(text: &[u8]) {
    for accept in [Accept::Reference, Accept::All] {
        let Ok(bytes) = form::to_bytes_with(text, accept) else { continue };
        // Text can have the header of an older format, if nothing else.
        if version::read_header(&bytes).is_ok_and(|(version, _)| !version.has_generations()) {
            continue;
        }
        let exact = form::from_bytes(&bytes, accept, form::Mode::Exact).expect("bytes we wrote");
        let again = form::to_bytes_with(&exact, accept).expect("text that we wrote");
        assert!(again == bytes, "text to bytes to text to bytes");
        let twice = form::from_bytes(&again, accept, form::Mode::Exact).expect("bytes we wrote");
        assert!(twice == exact, "text to bytes to text");
    }
    if let Ok(mut reader) = TextReader::new(text) {
        // It may be asked again after an error.
        for _ in 0..20 {
            let _ = reader.next();
        }
    }
}
