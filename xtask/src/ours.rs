//! All that the other chores ask of this workspace's library, in one place: what
//! it says about a trace, in the terms of the reference.
//!
//! Events are handed over as text, each with its line feed, which is what the
//! reference's text is compared with. An error is its message.

use std::io::Read;
use std::path::Path;

use gotrail::{Mode, Reader, Trace};
use gotrail_format::footprint::Footprint;
use gotrail_format::raw::{Accept, RawReader};
use gotrail_format::{quote, text};
use gotrail_synth::{Archive, Expectation};

/// What is done with the text of each event.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(&[u8]);

/// Where a trace comes from.
pub(crate) enum Source<'a> {
    /// From memory.
    Bytes(&'a [u8]),
    /// From a file, mapped.
    File(&'a Path),
    /// From a stream that cannot go back.
    Stream(Box<dyn Read + Send + 'a>),
}

/// The ordered events of a trace.
pub(crate) fn parsed(source: Source<'_>, visit: Visit<'_>) -> Result<(), String> {
    match source {
        Source::Bytes(bytes) => read(Reader::from_slice(bytes, Mode::Strict), visit),
        Source::File(path) => {
            let trace = Trace::open(path).map_err(message)?;
            read(trace.reader(Mode::Strict), visit)
        }
        Source::Stream(stream) => read(Reader::from_read(stream, Mode::Strict), visit),
    }
}

fn read(reader: Result<Reader<'_>, gotrail::Error>, visit: Visit<'_>) -> Result<(), String> {
    let mut reader = reader.map_err(message)?;
    let mut text = Vec::new();
    while let Some(event) = reader.next_event().map_err(message)? {
        text.clear();
        gotrail::text::write_event(&mut text, &event);
        visit(&text);
    }
    Ok(())
}

/// The ordered events, each generation resumed from its checkpoint, the last
/// generation first. `visit` is called with the index of the generation too.
/// Returns how many checkpoints there are.
pub(crate) fn resumed(bytes: &[u8], visit: &mut dyn FnMut(usize, &[u8])) -> Result<usize, String> {
    let trace = Trace::from_bytes(bytes.to_vec()).map_err(message)?;
    let checkpoints = trace.checkpoints().map_err(message)?;
    let mut text = Vec::new();
    for (index, checkpoint) in checkpoints.iter().enumerate().rev() {
        let generation = trace.generation(index).map_err(message)?;
        for event in generation.events(checkpoint) {
            let event = event.map_err(message)?;
            text.clear();
            gotrail::text::write_event(&mut text, &event);
            visit(index, &text);
        }
    }
    Ok(checkpoints.len())
}

/// How many events there are when generations are read in parallel, and the error.
pub(crate) fn parallel(bytes: &[u8], threads: usize) -> (u64, Result<(), String>) {
    match Reader::from_slice(bytes, Mode::Strict) {
        Ok(mut reader) => {
            let result = reader.drain_parallel(threads, |_| {});
            (reader.events_delivered(), result.map(drop).map_err(message))
        }
        Err(error) => (0, Err(message(error))),
    }
}

/// The wire events of a trace, as far as the reference reads them.
pub(crate) fn wire(bytes: &[u8], visit: Visit<'_>) -> Result<(), String> {
    let mut reader = RawReader::new(bytes).map_err(|error| error.to_string())?;
    let mut line = Vec::new();
    loop {
        match reader.next() {
            Ok(Some(event)) => {
                line.clear();
                text::write_event(&mut line, &event, text::Mode::Plain);
                visit(&line);
            }
            Ok(None) => return Ok(()),
            // The reference does not notice every cut.
            Err(error) if error.is_end_for_reference() => return Ok(()),
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// The table of how many bytes each kind of event takes.
pub(crate) fn footprint(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut reader = RawReader::new(bytes).map_err(|error| error.to_string())?;
    let mut footprint = Footprint::new(reader.version());
    while let Some(event) = reader.next().map_err(|error| error.to_string())? {
        footprint.add(&event);
    }
    let mut table = Vec::new();
    footprint.write_table(&mut table, bytes.len() as u64);
    Ok(table)
}

/// The text form of a trace, with all that is needed to get the same bytes again.
pub(crate) fn to_text(bytes: &[u8]) -> Result<Vec<u8>, String> {
    text::from_bytes(bytes, Accept::All, text::Mode::Exact).map_err(|error| error.to_string())
}

/// The trace of a text form.
pub(crate) fn from_text(text: &[u8]) -> Result<Vec<u8>, String> {
    text::to_bytes_with(text, Accept::All).map_err(|error| error.to_string())
}

/// Reads a `.test` archive: its trace, and what a reader should say to it. Writing
/// it again gives the same text.
pub(crate) fn archive(text: &[u8]) -> Result<(Vec<u8>, Expectation), String> {
    let archive = Archive::parse(text).map_err(|error| error.to_string())?;
    if archive.to_text().map_err(|error| error.to_string())? != text {
        return Err("written again it is another text".into());
    }
    Ok((archive.bytes().map_err(|error| error.to_string())?, archive.expectation))
}

/// The bytes that a string literal of Go stands for.
pub(crate) fn unquote(literal: &[u8]) -> Result<Vec<u8>, String> {
    quote::unquote(literal).map(|bytes| bytes.into_owned()).map_err(|error| error.to_string())
}

/// An error with all that caused it.
fn message(error: gotrail::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
