//! Where a trace comes from: a mapped file, a compressed file, a pipe, standard input.

use crate::failure::{Failure, wrong_usage};
use crate::progress::Progress;
use anyhow::Result;
use gotrail::{Compression, Event, Fold, Mode, Reader, Report, Trace, Version};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many events pass between two looks at the progress.
const STRIDE: u64 = 1 << 16;

/// A trace that was opened.
pub(crate) struct Source {
    /// What to call it in messages.
    pub(crate) name: String,
    /// The size of the file, if it is one.
    pub(crate) size: Option<u64>,
    pub(crate) data: Data,
    /// How much was read of a stream, before decompression.
    read: Arc<AtomicU64>,
}

/// The data of a trace.
pub(crate) enum Data {
    /// A whole trace in memory, not compressed.
    Mapped(Trace),
    /// Anything else, to be read once.
    Stream(Box<dyn Read + Send>),
}

/// What reading a trace to its end, or to its first error, has shown.
pub(crate) struct Outcome {
    /// The format.
    pub(crate) version: Version,
    /// How the input was compressed.
    pub(crate) compression: Compression,
    /// The bytes of the decompressed trace, as far as it was read.
    pub(crate) bytes: u64,
    /// The number of events.
    pub(crate) events: u64,
    /// The number of generations.
    pub(crate) generations: u64,
    /// What a tolerant reader lost.
    pub(crate) report: Report,
    /// What stopped the reader before the end.
    pub(crate) error: Option<gotrail::Error>,
}

/// What a path is called in messages.
pub(crate) fn name_of(path: &Path) -> String {
    if is_stdin(path) { STDIN.to_owned() } else { path.display().to_string() }
}

/// What people are told instead of `-`.
pub(crate) const STDIN: &str = "standard input";

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Refuses to read standard input more than once.
pub(crate) fn need_one_stdin<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Result<()> {
    if paths.into_iter().filter(|path| is_stdin(path)).count() > 1 {
        wrong_usage!("`-` stands more than once, and standard input can be read only once");
    }
    Ok(())
}

/// The size of a file, if it is one.
pub(crate) fn size_of(path: &Path) -> Option<u64> {
    let meta = path.metadata().ok().filter(|meta| meta.is_file());
    if is_stdin(path) { None } else { meta.map(|meta| meta.len()) }
}

/// Opens a file, or standard input for `-`, without looking at what is in it.
pub(crate) fn open_bytes(path: &Path) -> Result<Box<dyn Read + Send>, Failure> {
    if is_stdin(path) {
        return Ok(Box::new(io::stdin()));
    }
    let file = File::open(path).map_err(|error| Failure::open(path, &error))?;
    match file.metadata() {
        Ok(meta) if meta.is_dir() => Err(Failure::directory(path)),
        _ => Ok(Box::new(file)),
    }
}

impl Source {
    /// Opens a file, or standard input for `-`.
    pub(crate) fn open(path: &Path) -> Result<Source, Failure> {
        let (name, size) = (name_of(path), size_of(path));
        let read = Arc::new(AtomicU64::new(0));
        let mut bytes = open_bytes(path)?;
        if size.is_some() {
            let mut start = Vec::new();
            let peeked = bytes.by_ref().take(4).read_to_end(&mut start);
            peeked.map_err(|error| Failure::open(path, &error))?;
            if Compression::of(&start) == Compression::None {
                let trace = Trace::open(path);
                let trace = trace.map_err(|error| Failure::broken(&name, &error))?;
                return Ok(Source { name, size, data: Data::Mapped(trace), read });
            }
            bytes = Box::new(io::Cursor::new(start).chain(bytes));
        }
        let counting = Counting { inner: bytes, read: Arc::clone(&read) };
        Ok(Source { name, size, data: Data::Stream(Box::new(counting)), read })
    }

    /// Reads all events, in order.
    pub(crate) fn read(
        &mut self,
        mode: Mode,
        progress: &Progress,
        mut each: impl FnMut(&Event<'_>) -> Result<()>,
    ) -> Result<Outcome> {
        self.drive(mode, progress, |reader, tell| {
            let mut until_look = STRIDE;
            let flow = reader.for_each_event(|event| {
                if let Err(failure) = each(event) {
                    return ControlFlow::Break(failure);
                }
                until_look -= 1;
                if until_look == 0 {
                    until_look = STRIDE;
                    tell(event.generation_bytes().end);
                }
                ControlFlow::Continue(())
            });
            match flow {
                Ok(ControlFlow::Continue(())) => Ok(None),
                Ok(ControlFlow::Break(failure)) => Err(failure),
                Err(error) => Ok(Some(error)),
            }
        })
    }

    /// Reads all events and looks at none, strictly, on several threads.
    pub(crate) fn count(&mut self, threads: usize, progress: &Progress) -> Result<Outcome> {
        self.drive(Mode::Strict, progress, |reader, tell| {
            Ok(reader.drain_parallel(threads, tell).err())
        })
    }

    /// Shows all events to a fold, on several threads.
    pub(crate) fn fold(
        &mut self,
        mode: Mode,
        threads: usize,
        fold: &mut impl Fold,
        progress: &Progress,
    ) -> Result<Outcome> {
        self.drive(mode, progress, |reader, tell| {
            Ok(reader.fold_parallel(threads, fold, tell).err())
        })
    }

    /// Whether it can be read more than once.
    pub(crate) fn is_mapped(&self) -> bool {
        matches!(self.data, Data::Mapped(_))
    }

    /// Makes a reader, lets it be driven, and says what came of it.
    fn drive(
        &mut self,
        mode: Mode,
        progress: &Progress,
        drive: impl FnOnce(&mut Reader<'_>, &mut dyn FnMut(u64)) -> Result<Option<gotrail::Error>>,
    ) -> Result<Outcome> {
        let (name, read, size) = (&self.name, &self.read, self.size);
        let mapped = matches!(self.data, Data::Mapped(_));
        let reader = match &mut self.data {
            Data::Mapped(trace) => trace.reader(mode),
            Data::Stream(stream) => Reader::from_read(stream, mode),
        };
        let mut reader = reader.map_err(|error| Failure::broken(name, &error))?;
        let mut seen = 0;
        let mut tell = |bytes_read: u64| {
            let now = if mapped { bytes_read } else { read.load(Ordering::Relaxed) };
            let now = now.max(seen);
            progress.add(now - std::mem::replace(&mut seen, now));
        };
        let error = drive(&mut reader, &mut tell)?;
        tell(reader.bytes_read());
        let report = reader.report();
        // What a stream has behind its last good generation shows only in the losses.
        let lost = report.losses.iter().map(|loss| loss.bytes.end).max().unwrap_or(0);
        let bytes = if mapped { size.unwrap_or(0) } else { reader.bytes_read().max(lost) };
        Ok(Outcome {
            version: reader.version(),
            compression: reader.compression(),
            bytes,
            events: reader.events_delivered(),
            generations: reader.generations_begun(),
            report,
            error,
        })
    }
}

/// Decompresses a stream if its first bytes say that it is compressed, and says how.
pub(crate) fn decompressed<'a>(
    bytes: impl Read + Send + 'a,
) -> io::Result<(Compression, Box<dyn Read + Send + 'a>)> {
    let mut bytes = BufReader::with_capacity(256 << 10, bytes);
    let mut start = Vec::new();
    bytes.by_ref().take(4).read_to_end(&mut start)?;
    let compression = Compression::of(&start);
    let bytes = io::Cursor::new(start).chain(bytes);
    Ok((
        compression,
        match compression {
            Compression::None => Box::new(bytes),
            Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(bytes)),
            Compression::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(bytes)?),
        },
    ))
}

/// Counts what passes.
struct Counting<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buf)?;
        self.read.fetch_add(len as u64, Ordering::Relaxed);
        Ok(len)
    }
}
