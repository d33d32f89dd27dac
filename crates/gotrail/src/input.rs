//! Bytes from somewhere: a slice that is all there, or a stream read as far as needed.
//!
//! Both look like a window that begins at the current generation and can be asked for more. A
//! finished generation takes its bytes with it: a slice lends them, a stream gives its buffer
//! away and goes on with what it had read beyond.

use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How much is read from a stream at once.
const CHUNK: usize = 256 << 10;

/// The bytes of one generation.
#[derive(Debug)]
pub(crate) enum Bytes<'t> {
    Borrowed(&'t [u8]),
    Owned(Vec<u8>),
}

impl Bytes<'_> {
    /// Only the first `len` bytes are left.
    pub(crate) fn truncate(&mut self, len: usize) {
        match self {
            Bytes::Borrowed(bytes) => *bytes = &bytes[..len.min(bytes.len())],
            Bytes::Owned(bytes) => bytes.truncate(len),
        }
    }
}

impl std::ops::Deref for Bytes<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Borrowed(bytes) => bytes,
            Bytes::Owned(bytes) => bytes,
        }
    }
}

pub(crate) enum Input<'t> {
    Slice(&'t [u8]),
    Stream(Stream<'t>),
}

pub(crate) struct Stream<'t> {
    reader: Box<dyn Read + Send + 't>,
    buffer: Vec<u8>,
    at_end: bool,
    /// Why the stream ended, until somebody asks for what comes after.
    error: Option<io::Error>,
}

impl<'t> Input<'t> {
    pub(crate) fn stream(reader: impl Read + Send + 't) -> Input<'t> {
        let reader = Box::new(reader);
        Input::Stream(Stream { reader, buffer: Vec::new(), at_end: false, error: None })
    }

    /// The bytes from `at` on: at least `need` of them unless the input ends before.
    #[inline]
    pub(crate) fn window(&mut self, at: usize, need: usize) -> io::Result<&[u8]> {
        match self {
            Input::Slice(bytes) => Ok(&bytes[at.min(bytes.len())..]),
            Input::Stream(stream) => stream.window(at, need),
        }
    }

    /// What was already asked for; for a slice, everything.
    pub(crate) fn seen(&self) -> &[u8] {
        match self {
            Input::Slice(bytes) => bytes,
            Input::Stream(stream) => &stream.buffer,
        }
    }

    /// How many bytes are left, if that is known.
    pub(crate) fn left(&self) -> Option<u64> {
        match self {
            Input::Slice(bytes) => Some(bytes.len() as u64),
            Input::Stream(_) => None,
        }
    }

    /// Gives the first `len` bytes away; the window then begins behind them.
    pub(crate) fn take(&mut self, len: usize) -> Bytes<'t> {
        match self {
            Input::Slice(bytes) => {
                let (taken, rest) = bytes.split_at(len);
                *bytes = rest;
                Bytes::Borrowed(taken)
            }
            Input::Stream(stream) => {
                let rest = stream.buffer[len..].to_vec();
                let mut taken = std::mem::replace(&mut stream.buffer, rest);
                taken.truncate(len);
                Bytes::Owned(taken)
            }
        }
    }

    /// Drops the first `len` bytes.
    pub(crate) fn skip(&mut self, len: usize) {
        match self {
            Input::Slice(bytes) => *bytes = &bytes[len..],
            Input::Stream(stream) => drop(stream.buffer.drain(..len)),
        }
    }
}

impl Stream<'_> {
    fn window(&mut self, at: usize, need: usize) -> io::Result<&[u8]> {
        while !self.at_end && self.buffer.len() < at + need {
            let wanted = CHUNK.max(at + need - self.buffer.len()) as u64;
            match self.reader.by_ref().take(wanted).read_to_end(&mut self.buffer) {
                Ok(1..) => {}
                Ok(0) => self.at_end = true,
                // What was read before the error is good, and there is nothing more to be had.
                Err(error) => (self.at_end, self.error) = (true, Some(error)),
            }
        }
        if self.buffer.len() < at + need
            && let Some(error) = self.error.take()
        {
            return Err(error);
        }
        Ok(&self.buffer[at.min(self.buffer.len())..])
    }
}

/// The compression of a trace, told by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// None.
    None,
    /// gzip, one or more members.
    Gzip,
    /// Zstandard.
    Zstd,
}

impl Compression {
    /// The number of bytes that tell the compression.
    const MAGIC: Range<usize> = 0..4;

    /// What these first bytes of a file say.
    pub fn of(start: &[u8]) -> Compression {
        match start {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            // A frame, or one that readers skip.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
            _ => Compression::None,
        }
    }
}

/// Looks at the first bytes of `reader` and decompresses it if need be.
pub(crate) fn decompressed<'t>(
    reader: impl Read + Send + 't,
) -> io::Result<(Compression, Box<dyn Read + Send + 't>)> {
    let mut reader = BufReader::with_capacity(CHUNK, reader);
    let mut start = Vec::with_capacity(Compression::MAGIC.end);
    reader.by_ref().take(Compression::MAGIC.end as u64).read_to_end(&mut start)?;
    let compression = Compression::of(&start);
    let whole = io::Cursor::new(start).chain(reader);
    Ok((compression, decoder(compression, whole)?))
}

fn decoder<'t>(
    compression: Compression,
    input: impl BufRead + Send + 't,
) -> io::Result<Box<dyn Read + Send + 't>> {
    let taken = Arc::new(AtomicU64::new(0));
    let input = Counted { inner: input, taken: Arc::clone(&taken) };
    let inner: Box<dyn Read + Send + 't> = match compression {
        Compression::None => return Ok(Box::new(input.inner)),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(input)?),
    };
    Ok(Box::new(Decoding { inner, compression, taken, given: 0 }))
}

/// Counts the compressed bytes that a decoder takes.
struct Counted<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buf)?;
        self.taken.fetch_add(len as u64, Ordering::Relaxed);
        Ok(len)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, len: usize) {
        self.taken.fetch_add(len as u64, Ordering::Relaxed);
        self.inner.consume(len);
    }
}

/// Says where compressed data is broken: in itself, and in what it holds.
struct Decoding<'t> {
    inner: Box<dyn Read + Send + 't>,
    compression: Compression,
    taken: Arc<AtomicU64>,
    given: u64,
}

impl Read for Decoding<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let Decoding { inner, compression, taken, given } = self;
        match inner.read(buf) {
            Ok(len) => {
                *given += len as u64;
                Ok(len)
            }
            Err(error) => {
                let name = if *compression == Compression::Gzip { "gzip" } else { "Zstandard" };
                let taken = taken.load(Ordering::Relaxed);
                let (kind, place) = (error.kind(), format!("which is byte {given} of the trace"));
                let what = if kind == io::ErrorKind::UnexpectedEof {
                    format!("the {name} data is cut off after {taken} bytes, {place}")
                } else {
                    format!("the {name} data is damaged before its byte {taken}, {place}: {error}")
                };
                Err(io::Error::new(kind, what))
            }
        }
    }
}
