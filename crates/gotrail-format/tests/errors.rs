//! What the readers say of broken traces, and where.

use gotrail_format::raw::{Accept, Frame, RawError, RawEvent, RawReader, ShapeError, Width};
use gotrail_format::text::{self, Mode};
use gotrail_format::version::HeaderError;
use gotrail_format::{EventType, Version};

/// The first error of a trace with these bytes after its header.
fn raw_error(version: Version, body: &[u8]) -> RawError {
    let bytes = [&version.header()[..], body].concat();
    let mut reader = match RawReader::new(&bytes) {
        Ok(reader) => reader,
        Err(error) => return error,
    };
    loop {
        match reader.next() {
            Ok(event) => assert!(event.is_some(), "no error"),
            Err(error) => {
                assert_eq!(reader.next(), Err(error), "errors stay");
                return error;
            }
        }
    }
}

#[test]
fn raw_errors_say_what_was_expected_and_found() {
    let batch = [1, 1, 0, 5, 0x82, 0x80];
    let cases: &[(&[u8], &str)] = &[
        (&[11, 7, 0], "offset 18: expected an event of version 1.22, found event type 0"),
        (&[128], "offset 16: expected an event of version 1.22, found Span"),
        (&[45], "offset 16: expected an event of version 1.22, found GoSwitch"),
        (
            &[11, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
            "offset 17: expected argument dt of ProcStop, \
             found a number that does not fit 64 bits",
        ),
        (
            &batch,
            "offset 22: expected argument size of EventBatch (at offset 16), \
             found the end of the input",
        ),
        (
            &[3, 9, 2, 1, 2, 3, 4, 5],
            "offset 24: expected func of frame 1 of Stack (at offset 16), \
             found the end of the input",
        ),
        (
            &[5, 1],
            "offset 18: expected the length of the data of String (at offset 16), \
             found the end of the input",
        ),
        (
            &[5, 1, 3, b'a'],
            "offset 20: expected 3 bytes of data of String (at offset 16), \
             found the end of the input",
        ),
    ];
    for (body, want) in cases {
        assert_eq!(raw_error(Version::Go122, body).to_string(), *want);
    }
}

#[test]
fn only_an_end_inside_a_number_is_an_error_to_the_reference() {
    assert!(!raw_error(Version::Go122, &[11, 0x80]).is_end_for_reference());
    assert!(!raw_error(Version::Go122, &[0]).is_end_for_reference());
    for body in [&[11][..], &[3, 9, 2, 1, 2], &[5, 1], &[5, 1, 3, b'a']] {
        assert!(raw_error(Version::Go122, body).is_end_for_reference());
    }
}

#[test]
fn traces_without_generations_are_refused() {
    for version in [Version::Go111, Version::Go119, Version::Go121] {
        assert_eq!(raw_error(version, &[]), RawError::NoGenerations(version));
    }
    let error = RawReader::new(b"go 1.22 tr").err();
    assert_eq!(error, Some(RawError::Header(HeaderError::CutOff(10))));
}

#[test]
fn each_version_accepts_what_the_reference_accepts() {
    let count = |accept: Accept, version| {
        (0..=u8::MAX).filter(|&number| accept.accepts(EventType(number), version)).count()
    };
    let versions = [Version::Go121, Version::Go122, Version::Go123, Version::Go125, Version::Go126];
    assert_eq!(versions.map(|version| count(Accept::Reference, version)), [0, 44, 49, 51, 136]);
    assert_eq!(versions.map(|version| count(Accept::All, version)), [0, 61, 61, 61, 61]);
}

/// From 2⁶³ on a length is negative in the reference, which then reads nothing.
#[test]
fn negative_lengths_are_those_of_nothing() {
    let length = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1];
    let header = Version::Go126.header();
    let bytes = [&header[..], &[3, 7], &length, &[5, 8], &length, &[77, 11, 0x81, 0]].concat();
    let plain = text::from_bytes(&bytes, Accept::Reference, Mode::Plain).unwrap();
    let want =
        "Trace Go1.26\nStack id=7 nframes=9223372036854775808\nString id=8\n\nProcStop dt=1\n";
    assert_eq!(String::from_utf8(plain).unwrap(), want);
    let exact = text::from_bytes(&bytes, Accept::Reference, Mode::Exact).unwrap();
    let want = "\
Trace Go1.26
Stack id=7 nframes=9223372036854775808
# claims data=9223372036854775808
String id=8
\tdata=\"\"
# unnamed event 77
# widths dt=2
ProcStop dt=1
";
    assert_eq!(std::str::from_utf8(&exact).unwrap(), want);
    assert_eq!(text::to_bytes(exact).unwrap(), bytes);
}

#[test]
fn events_are_checked_when_they_are_built() {
    let stop = RawEvent::new(EventType::PROC_STOP, &[300]).unwrap();
    assert_eq!(stop.encoded_size(), 3);
    assert!(stop.with_widths(&[Width { number: 0, bytes: 3 }]).is_ok());
    for (number, bytes) in [(0, 2), (0, 11), (1, 3)] {
        let width = Width { number, bytes };
        let error = stop.with_widths(&[width]).unwrap_err();
        assert_eq!(error, ShapeError::Width { event: EventType::PROC_STOP, width });
    }
    assert!(RawEvent::new(EventType::PROC_STOP, &[1, 2]).is_err());
    assert!(RawEvent::new(EventType::STRING, &[1]).is_err());
    assert!(RawEvent::with_data(EventType::PROC_STOP, &[1], b"").is_err());
    assert!(RawEvent::with_frames(EventType::STACK, &[1, 2], &[Frame::default()]).is_err());
    assert!(RawEvent::with_frames(EventType::STACK, &[1, 1], &[Frame::default()]).is_ok());
}

#[test]
fn text_errors_say_what_was_expected_and_found() {
    let cases = [
        ("", "line 1: expected a header like \"Trace Go1.26\", found the end of the text"),
        ("# x\nTrack", "line 2: expected a header like \"Trace Go1.26\", found \"Track\""),
        ("Trace Go1.24", "line 1: unknown trace version go 1.24; known are 1.11 to 1.26"),
        ("Trace Go1.22 # x", "line 1: expected the end of the line, found \"# x\""),
        ("Trace Go1.21\nStrings", "line 2: expected an event, found \"Strings\""),
        (
            "Trace Go1.22\nGoSwitch dt=1 g=2 g_seq=3",
            "line 2: expected an event, found \"GoSwitch\"",
        ),
        ("Trace Go1.22\n\n#\nProcStop", "line 4: expected argument dt, found the end of the line"),
        ("Trace Go1.22\nProcStop dt:1", "line 2: expected argument dt, found \"dt:1\""),
        (
            "Trace Go1.22\nProcStop dt=-1",
            "line 2: expected a number of 64 bits for dt, found \"-1\"",
        ),
        ("Trace Go1.22\nProcStop dt=1 # x", "line 2: expected the end of the line, found \"# x\""),
        (
            "Trace Go1.22\nStack id=1 nframes=2\npc=1 func=2 file=3 line=4\n",
            "line 3: expected 2 frames, found the end of the text after 1",
        ),
        (
            "Trace Go1.22\nStack id=1 nframes=1\nStrings\n",
            "line 3: expected argument pc, found \"Strings\"",
        ),
        (
            "Trace Go1.22\nString id=1\n",
            "line 2: expected the data of String, found the end of the text",
        ),
        (
            "Trace Go1.22\nString id=1\nStrings\n",
            "line 3: expected data=\"...\", found \"Strings\"",
        ),
        (
            "Trace Go1.22\nString id=1\n data=\"a\n",
            "line 3: expected data=\"...\": the closing \" is missing",
        ),
        (
            "Trace Go1.22\n# widths size=3\nProcStop dt=1\n",
            "line 3: the comment in front of this line does not fit it: no number \"size\" there",
        ),
        (
            "Trace Go1.22\n# widths dt=1\nProcStop dt=1\n",
            "line 3: the comment in front of this line does not fit it: \
             number 0 of ProcStop cannot take 1 bytes",
        ),
        (
            "Trace Go1.22\n# claims data=5\nProcStop dt=1\n",
            "line 3: the comment in front of this line does not fit it: \
             it cannot claim 5 bytes of data",
        ),
        (
            "Trace Go1.22\n# widths dt=3\n",
            "line 2: the comment in front of this line does not fit it: \
             an event or a frame should follow",
        ),
    ];
    for (text, want) in cases {
        assert_eq!(text::to_bytes(text).unwrap_err().to_string(), want, "{text}");
    }
}

#[test]
fn widths_stand_on_lines_of_their_own() {
    let batch = b"\x01\x01\x05\x64\xe8\xfb\x83\x80\x80\x80\x80\x80\x80\x00";
    let stack = b"\x03\x09\x82\x00\x01\x02\x03\x04\x05\x86\x80\x00\x07\x88\x00\x05\x01\x81\x00a";
    let bytes = [&Version::Go122.header()[..], batch, stack].concat();
    let text = text::from_bytes(&bytes, Accept::Reference, Mode::Exact).unwrap();
    let want = "\
Trace Go1.22
# widths size=10
EventBatch gen=1 m=5 time=100 size=65000
# widths nframes=2
Stack id=9 nframes=2
\tpc=1 func=2 file=3 line=4
\t# widths func=3 line=2
\tpc=5 func=6 file=7 line=8
# widths data=2
String id=1
\tdata=\"a\"
";
    assert_eq!(std::str::from_utf8(&text).unwrap(), want);
    assert_eq!(text::to_bytes(&text).unwrap(), bytes);
}
