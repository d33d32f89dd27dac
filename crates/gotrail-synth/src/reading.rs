//! What this project's reader says to a trace, and where two texts of events differ.

use gotrail::text::Writer;
use gotrail::{Mode, Reader};
use std::error::Error;
use std::fmt;

/// What came of reading a trace strictly.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// The events up to the end or to the error, as `gotrail dump parsed` prints them in UTC.
    pub events: Vec<u8>,
    /// How many there are.
    pub count: u64,
    /// The error at the end, with its causes.
    pub error: Option<String>,
}

/// Reads a trace in memory.
pub fn of(trace: &[u8]) -> Reading {
    read(Reader::from_slice(trace, Mode::Strict))
}

/// Has a reader read all that it has.
pub fn read(reader: Result<Reader<'_>, gotrail::Error>) -> Reading {
    let mut reading = Reading::default();
    let mut writer = Writer::utc();
    let result = reader.and_then(|mut reader| {
        while let Some(event) = reader.next_event()? {
            reading.count += 1;
            writer.write_event(&mut reading.events, &event);
        }
        Ok(())
    });
    reading.error = result.err().map(|error| message(&error));
    reading
}

/// An error with all that caused it.
fn message(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// The first line in which two texts differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The line, from 1.
    pub line: usize,
    /// What was expected there; `None` if nothing more was.
    pub expected: Option<String>,
    /// What was found there; `None` if nothing more was.
    pub found: Option<String>,
}

impl Difference {
    /// Compares two texts line by line.
    pub fn between(expected: &[u8], found: &[u8]) -> Option<Difference> {
        let mut expected = expected.split_inclusive(|&byte| byte == b'\n');
        let mut found = found.split_inclusive(|&byte| byte == b'\n');
        for line in 1.. {
            match (expected.next(), found.next()) {
                (None, None) => break,
                (expected, found) if expected == found => {}
                (expected, found) => {
                    let text = |line: &[u8]| {
                        let line = line.strip_suffix(b"\n").unwrap_or(line);
                        String::from_utf8_lossy(line).into_owned()
                    };
                    let (expected, found) = (expected.map(text), found.map(text));
                    return Some(Difference { line, expected, found });
                }
            }
        }
        None
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |text: &Option<String>| text.clone().unwrap_or("(nothing more)".into());
        let (expected, found) = (show(&self.expected), show(&self.found));
        write!(f, "line {}: expected: {expected}\n    found:    {found}", self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_found() {
        assert_eq!(Difference::between(b"a\nb\n", b"a\nb\n"), None);
        let difference = Difference::between(b"a\nb\n", b"a\n").unwrap();
        assert_eq!((difference.line, difference.expected.as_deref()), (2, Some("b")));
        assert_eq!(difference.found, None);
        let difference = Difference::between(b"a\n", b"c\n").unwrap();
        assert_eq!(difference.to_string(), "line 1: expected: a\n    found:    c");
    }

    #[test]
    fn what_is_no_trace_is_an_error() {
        let reading = of(b"nothing");
        assert_eq!((reading.count, reading.events.len()), (0, 0));
        assert!(reading.error.is_some());
    }
}
