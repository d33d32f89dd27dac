//! `.test` archives.

use crate::txtar::{self, File};
use crate::{Expectation, ExpectationError};
use gotrail_format::text::{self, TextError, TextErrorKind};

/// A trace as text with what a reader should say to it.
#[derive(Debug, Clone)]
pub struct Archive {
    /// What stands in front of the files.
    pub comment: Vec<u8>,
    /// What a reader should say to the trace.
    pub expectation: Expectation,
    /// The trace in the text form.
    pub trace_text: Vec<u8>,
    /// The line of the archive on which the trace begins, from 1.
    trace_line: u64,
}

/// What is wrong with an archive, and where.
#[derive(Debug, thiserror::Error)]
#[error("line {line} (file {file}): {kind}")]
pub struct ArchiveError {
    /// The file inside the archive.
    pub file: &'static str,
    /// The line of the archive, from 1.
    pub line: u64,
    /// What is wrong.
    pub kind: ArchiveErrorKind,
}

/// What is wrong with an archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveErrorKind {
    /// A file is missing, or another stands in its place.
    #[error("expected the file, found {}", found.as_deref().unwrap_or("the end of the archive"))]
    Missing {
        /// The name of the file that stands there.
        found: Option<String>,
    },
    /// A third file.
    #[error("expected the end of the archive after the file, found another: {0}")]
    Extra(String),
    /// The expectation cannot be read.
    #[error(transparent)]
    Expectation(#[from] ExpectationError),
    /// The trace cannot be read.
    #[error(transparent)]
    Trace(#[from] TextErrorKind),
    /// A line that would begin another file if it were written.
    #[error("this line would begin another file: {0}")]
    Marker(String),
}

/// The names of the two files, in order.
const EXPECT: &str = "expect";
const TRACE: &str = "trace";

impl Archive {
    /// An archive with this trace.
    pub fn new(expectation: Expectation, trace_text: impl Into<Vec<u8>>) -> Archive {
        let (comment, trace_text) = (Vec::new(), trace_text.into());
        Archive { comment, expectation, trace_text, trace_line: 1 }
    }

    /// Reads an archive, which has to hold the files `expect` and `trace` in this order and no
    /// others. The trace is not read yet: [`Archive::bytes`] does that.
    pub fn parse(archive: &[u8]) -> Result<Archive, ArchiveError> {
        let (comment, files) = txtar::parse(archive);
        let end = archive.split_inclusive(|&byte| byte == b'\n').count() as u64;
        let mut files = files.into_iter();
        let mut file = |name| expect_file(files.next(), name, end);
        let expect = file(EXPECT)?;
        let trace = file(TRACE)?;
        if let Some(extra) = files.next() {
            let (line, kind) = (extra.line - 1, ArchiveErrorKind::Extra(extra.name));
            return Err(ArchiveError { file: TRACE, line, kind });
        }
        let expectation = Expectation::parse(expect.text).map_err(|error| ArchiveError {
            file: EXPECT,
            line: expect.line,
            kind: error.into(),
        })?;
        let mut trace_text = Vec::with_capacity(trace.text.len() + 1);
        txtar::push_text(&mut trace_text, trace.text);
        let comment = comment.to_vec();
        Ok(Archive { comment, expectation, trace_text, trace_line: trace.line })
    }

    /// The trace in bytes. Lines in an error are those of the archive.
    pub fn bytes(&self) -> Result<Vec<u8>, ArchiveError> {
        text::to_bytes(&self.trace_text).map_err(|TextError { line, kind }| {
            let line = self.trace_line + line - 1;
            ArchiveError { file: TRACE, line, kind: kind.into() }
        })
    }

    /// The text of the archive. Fails if the comment or the trace hold a line that would begin
    /// another file.
    pub fn to_text(&self) -> Result<Vec<u8>, ArchiveError> {
        for (file, text) in [(EXPECT, &self.comment), (TRACE, &self.trace_text)] {
            for (line, number) in text.split(|&byte| byte == b'\n').zip(1..) {
                if let Some(name) = txtar::marker(line) {
                    let kind = ArchiveErrorKind::Marker(name);
                    return Err(ArchiveError { file, line: number, kind });
                }
            }
        }
        let mut out = Vec::new();
        txtar::push_text(&mut out, &self.comment);
        txtar::push_file(&mut out, EXPECT, &self.expectation.to_text());
        txtar::push_file(&mut out, TRACE, &self.trace_text);
        Ok(out)
    }
}

/// The next file of the archive if it has this name; `end` is the archive's last line.
fn expect_file<'a>(
    next: Option<File<'a>>,
    name: &'static str,
    end: u64,
) -> Result<File<'a>, ArchiveError> {
    let (line, found) = match next {
        Some(file) if file.name == name => return Ok(file),
        Some(file) => (file.line - 1, Some(file.name)),
        None => (end.max(1), None),
    };
    Err(ArchiveError { file: name, line, kind: ArchiveErrorKind::Missing { found } })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "about\n-- expect --\nFAILURE \"x\"\n-- trace --\nTrace Go1.22\nStrings\n";

    fn error(archive: &str) -> String {
        let read = Archive::parse(archive.as_bytes()).and_then(|archive| archive.bytes());
        read.unwrap_err().to_string()
    }

    #[test]
    fn archives_round_trip() {
        let archive = Archive::parse(SMALL.as_bytes()).unwrap();
        assert_eq!(archive.bytes().unwrap(), b"go 1.22 trace\0\0\0\x04");
        assert_eq!(archive.to_text().unwrap(), SMALL.as_bytes());
        let archive = Archive::parse(SMALL.trim_end().as_bytes()).unwrap();
        assert_eq!(archive.to_text().unwrap(), SMALL.as_bytes());
    }

    #[test]
    fn errors_name_the_file_and_the_line() {
        let cases = [
            (
                SMALL.replace("expect", "wish"),
                "line 2 (file expect): expected the file, found wish",
            ),
            (
                SMALL.replace("-- trace", "- trace"),
                "line 6 (file trace): expected the file, found the end of the archive",
            ),
            (
                format!("{SMALL}-- more --\n"),
                "line 7 (file trace): expected the end of the archive after the file, found another: more",
            ),
            (
                SMALL.replace("\"x\"", "x"),
                "line 3 (file expect): expected a quoted pattern after FAILURE: \
                 expected a quote (\", ' or `) at the start of the literal",
            ),
            (
                SMALL.replace("Strings", "Strands"),
                "line 6 (file trace): expected an event, found \"Strands\"",
            ),
            (
                String::new(),
                "line 1 (file expect): expected the file, found the end of the archive",
            ),
        ];
        for (archive, want) in cases {
            assert_eq!(error(&archive), want);
        }
    }

    #[test]
    fn a_trace_cannot_hold_a_marker() {
        let archive = Archive::new(Expectation::Success, "Trace Go1.22\n-- x --\n");
        let error = archive.to_text().unwrap_err();
        assert_eq!(error.to_string(), "line 2 (file trace): this line would begin another file: x");
    }
}
