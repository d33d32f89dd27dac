//! All that the other chores ask of this workspace's library, in one place: what
//! it says about a trace, in the terms of the reference.
//!
//! Events are handed over as text, each with its line feed, which is what the
//! reference's text is compared with. An error is its message.

use std::io::Read;
use std::path::Path;

use anyhow::Result;

/// What is done with the text of each event.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(&[u8]);

/// Where a trace comes from.
pub(crate) enum Source<'a> {
    /// From memory.
    Bytes(&'a [u8]),
    /// From a file, mapped.
    File(&'a Path),
    /// From a stream that cannot go back.
    Stream(Box<dyn Read + 'a>),
}

const NOT_YET: &str = "the library cannot do this yet";

/// The ordered events of a trace.
pub(crate) fn parsed(source: Source<'_>, visit: Visit<'_>) -> Result<(), String> {
    match source {
        Source::Bytes(bytes) => drop(bytes.to_vec()),
        Source::File(path) => drop(path.to_path_buf()),
        Source::Stream(stream) => drop(stream),
    }
    visit(b"");
    Err(NOT_YET.into())
}

/// The ordered events, each generation resumed from its checkpoint, the last
/// generation first. `visit` is called with the number of the generation too.
pub(crate) fn resumed(bytes: &[u8], visit: &mut dyn FnMut(usize, &[u8])) -> Result<usize, String> {
    visit(bytes.len(), b"");
    Err(NOT_YET.into())
}

/// The wire events of a trace.
pub(crate) fn wire(bytes: &[u8], visit: Visit<'_>) -> Result<(), String> {
    let _ = bytes;
    visit(b"");
    Err(NOT_YET.into())
}

/// The table of how many bytes each kind of event takes.
pub(crate) fn footprint(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let _ = bytes;
    Err(NOT_YET.into())
}

/// The text form of a trace.
pub(crate) fn to_text(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let _ = bytes;
    Err(NOT_YET.into())
}

/// The trace of a text form.
pub(crate) fn from_text(text: &[u8]) -> Result<Vec<u8>, String> {
    let _ = text;
    Err(NOT_YET.into())
}

/// A `.test` archive: its trace, and whether an error's message is as it demands.
pub(crate) struct Archive {
    pub(crate) trace: Vec<u8>,
    /// `None`: reading succeeds.
    pub(crate) failure: Option<regex::Regex>,
}

/// Reads a `.test` archive.
pub(crate) fn archive(text: &[u8]) -> Result<Archive, String> {
    let _ = text;
    Err(NOT_YET.into())
}

/// The bytes that a string literal of Go stands for.
pub(crate) fn unquote(literal: &[u8]) -> Result<Vec<u8>, String> {
    gotrail_format::quote::unquote(literal)
        .map(|bytes| bytes.into_owned())
        .map_err(|error| error.to_string())
}
