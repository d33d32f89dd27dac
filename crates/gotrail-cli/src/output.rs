//! Standard output: written in large pieces, and without complaint if nobody reads it any more.

use anyhow::{Context, Result};
use std::io::{self, IsTerminal, StdoutLock, Write};

/// How much is written at once.
const PIECE: usize = 256 << 10;

/// Collects output and writes it in large pieces; on a terminal as soon as it is complete.
pub(crate) struct Output {
    stdout: StdoutLock<'static>,
    buffer: Vec<u8>,
    piece: usize,
}

impl Output {
    /// Takes standard output.
    pub(crate) fn new() -> Output {
        let stdout = io::stdout().lock();
        let piece = if stdout.is_terminal() { 0 } else { PIECE };
        Output { stdout, buffer: Vec::with_capacity(PIECE + PIECE / 4), piece }
    }

    /// Where to append output, whole lines at a time.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Lines are complete: writes them if there are enough.
    #[inline]
    pub(crate) fn written(&mut self) -> Result<()> {
        if self.buffer.len() < self.piece { Ok(()) } else { self.flush() }
    }

    /// Writes what is left.
    pub(crate) fn flush(&mut self) -> Result<()> {
        let written = self.stdout.write_all(&self.buffer).and_then(|()| self.stdout.flush());
        self.buffer.clear();
        written.context("cannot write to standard output")
    }
}

/// Whether the only thing wrong is that nobody reads our output any more, as with `| head`.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
