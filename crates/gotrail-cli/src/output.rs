//! Standard output: written in large pieces, and without complaint if nobody reads it any more.
//!
//! What is large is written by a thread of its own, so that more can be made meanwhile.

use anyhow::{Context, Result};
use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::JoinHandle;
use std::{mem, panic, thread};

/// How much is written at once.
const PIECE: usize = 256 << 10;

/// Room for a piece and the line that fills it.
const ROOM: usize = PIECE + PIECE / 4;

/// How many pieces may wait to be written.
const WAITING: usize = 4;

/// Collects output and writes it in large pieces; on a terminal as soon as it is complete.
pub(crate) struct Output {
    buffer: Vec<u8>,
    piece: usize,
    writer: Option<Writer>,
}

impl Output {
    /// Takes standard output.
    pub(crate) fn new() -> Output {
        let piece = if io::stdout().is_terminal() { 0 } else { PIECE };
        Output { buffer: Vec::with_capacity(ROOM), piece, writer: None }
    }

    /// Where to append output, whole lines at a time.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Lines are complete: writes them if there are enough.
    #[inline]
    pub(crate) fn written(&mut self) -> Result<()> {
        if self.buffer.len() < self.piece { Ok(()) } else { self.write_piece() }
    }

    fn write_piece(&mut self) -> Result<()> {
        if self.piece == 0 {
            return self.flush();
        }
        let writer = self.writer.get_or_insert_with(Writer::start);
        let empty = writer.empty.try_recv().unwrap_or_else(|_| Vec::with_capacity(ROOM));
        let full = mem::replace(&mut self.buffer, empty);
        if writer.full.as_ref().is_some_and(|full_pieces| full_pieces.send(full).is_ok()) {
            return Ok(());
        }
        // The writer has given up: it says why.
        self.flush()
    }

    /// Writes what is left, and waits until everything is written.
    pub(crate) fn flush(&mut self) -> Result<()> {
        let written = self.writer.take().map_or(Ok(()), |mut writer| writer.finish());
        let written = written.and_then(|()| write(&self.buffer));
        self.buffer.clear();
        written.context("cannot write to standard output")
    }

    /// The same at the end of a command whose exit status is an answer: it does not depend on whether
    /// anybody reads all of what is printed.
    pub(crate) fn flush_last(&mut self) -> Result<()> {
        self.flush().or_else(|error| if is_closed_pipe(&error) { Ok(()) } else { Err(error) })
    }
}

fn write(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// The thread that writes.
struct Writer {
    /// Pieces to be written.
    full: Option<SyncSender<Vec<u8>>>,
    /// Pieces to be filled again.
    empty: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Writer {
    fn start() -> Writer {
        let (full, pieces) = mpsc::sync_channel::<Vec<u8>>(WAITING);
        let (done, empty) = mpsc::channel();
        let thread = thread::spawn(move || {
            for mut piece in pieces {
                write(&piece)?;
                piece.clear();
                // Nobody needs it at the end.
                let _ = done.send(piece);
            }
            Ok(())
        });
        Writer { full: Some(full), empty, thread: Some(thread) }
    }

    /// Waits until everything is written.
    fn finish(&mut self) -> io::Result<()> {
        // Without a sender the thread ends.
        self.full = None;
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
    }
}

impl Drop for Writer {
    /// Even if something went wrong, what was said to be written is written.
    fn drop(&mut self) {
        self.full = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Whether the only thing wrong is that nobody reads our output any more, as with `| head`.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
