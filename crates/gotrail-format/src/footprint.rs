//! Which events take how many bytes of a trace.
//!
//! ```
//! use gotrail_format::{footprint::Footprint, raw::RawReader};
//!
//! let bytes = b"go 1.22 trace\0\0\0\x01\x01\x00\x05\x82\x80\x00\x0b\x07";
//! let mut reader = RawReader::new(bytes)?;
//! let mut footprint = Footprint::new(reader.version());
//! while let Some(event) = reader.next()? {
//!     footprint.add(&event);
//! }
//! let mut table = Vec::new();
//! footprint.write_table(&mut table, bytes.len() as u64);
//! let table = String::from_utf8(table)?;
//! assert_eq!(table.lines().nth(2), Some("EventBatch           5      20.00%  1      50.00%"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::batch::{self, Header};
use crate::raw::{Accept, RawError, RawEvent, RawReader};
use crate::{EventType, Version, gosort};
use std::borrow::Cow;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Counts events and the bytes they take.
///
/// Bytes are counted with every number as short as possible ([`RawEvent::encoded_size`]), so the
/// sum is less than the size of the trace, whose numbers are padded here and there.
#[derive(Debug, Clone)]
pub struct Footprint {
    version: Version,
    rows: [Row; 256],
}

/// The footprint of one event number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The event number.
    pub event: EventType,
    /// The bytes of all events with this number.
    pub bytes: u64,
    /// How many there are.
    pub count: u64,
}

impl Footprint {
    /// An empty footprint of a trace of `version`.
    pub fn new(version: Version) -> Footprint {
        let mut rows = [Row { event: EventType(0), bytes: 0, count: 0 }; 256];
        for (row, number) in rows.iter_mut().zip(0..=u8::MAX) {
            row.event = EventType(number);
        }
        Footprint { version, rows }
    }

    /// Counts an event.
    #[inline]
    pub fn add(&mut self, event: &RawEvent<'_>) {
        self.add_size(event.event_type(), event.encoded_size());
    }

    #[inline]
    fn add_size(&mut self, event: EventType, bytes: u64) {
        let row = &mut self.rows[usize::from(event.0)];
        row.count += 1;
        row.bytes += bytes;
    }

    /// The footprint of a whole trace in memory, counted on up to `threads` threads; the error is
    /// the one that [`RawReader`] meets first. `progress` is told now and then how many bytes more
    /// are done.
    ///
    /// ```
    /// use gotrail_format::{EventType, footprint::Footprint};
    ///
    /// let bytes = b"go 1.22 trace\0\0\0\x01\x01\x00\x05\x82\x80\x00\x0b\x07";
    /// let footprint = Footprint::of_trace(bytes, 2, |_| {})?;
    /// assert_eq!(footprint.row(EventType::PROC_STOP).bytes, 2);
    /// # Ok::<(), gotrail_format::raw::RawError>(())
    /// ```
    pub fn of_trace(
        input: &[u8],
        threads: usize,
        progress: impl Fn(u64) + Sync,
    ) -> Result<Footprint, RawError> {
        let reader = RawReader::new(input)?;
        let version = reader.version();
        let pieces = Mutex::new(Pieces { input, at: reader.position() as usize });
        let next = || pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
        let count = || {
            let mut footprint = Footprint::new(version);
            while let Some(piece) = next() {
                footprint.add_piece(input, piece.clone())?;
                progress(piece.len() as u64);
            }
            Some(footprint)
        };
        let all = thread::scope(|scope| {
            let threads = threads.clamp(1, input.len().div_ceil(PIECE).max(1)) - 1;
            let others: Vec<_> = (0..threads).map(|_| scope.spawn(count)).collect();
            let first = count();
            others.into_iter().try_fold(first?, |mut all, other| {
                all.append(&other.join().unwrap_or_else(|panic| resume_unwind(panic))?);
                Some(all)
            })
        });
        match all {
            Some(footprint) => Ok(footprint),
            None => Footprint::of_sequence(input),
        }
    }

    /// The same, event after event from the first.
    fn of_sequence(input: &[u8]) -> Result<Footprint, RawError> {
        let mut reader = RawReader::new(input)?;
        let mut footprint = Footprint::new(reader.version());
        while let Some((event, bytes)) = reader.next_size()? {
            footprint.add_size(event, bytes);
        }
        Ok(footprint)
    }

    /// Counts the events of a piece; none if they do not end where the piece ends.
    fn add_piece(&mut self, input: &[u8], piece: Range<usize>) -> Option<()> {
        let mut reader = RawReader::new(input).ok()?;
        reader.skip_to(piece.start as u64);
        loop {
            reader.each_plain_size(piece.end, |event, bytes| self.add_size(event, bytes));
            if reader.position() >= piece.end as u64 {
                break;
            }
            let (event, bytes) = reader.next_size().ok()??;
            self.add_size(event, bytes);
        }
        (reader.position() == piece.end as u64).then_some(())
    }

    fn append(&mut self, other: &Footprint) {
        for (row, other) in self.rows.iter_mut().zip(&other.rows) {
            row.count += other.count;
            row.bytes += other.bytes;
        }
    }

    /// What was counted of this event.
    pub fn row(&self, event: EventType) -> Row {
        self.rows[usize::from(event.0)]
    }

    /// How many events were counted.
    pub fn events(&self) -> u64 {
        self.rows.iter().map(|row| row.count).sum()
    }

    /// All 256 event numbers, most bytes first, in the order of the reference's table.
    pub fn sorted(&self) -> [Row; 256] {
        let mut rows = self.rows;
        gosort::sort_unstable_by(&mut rows, |a, b| a.bytes > b.bytes);
        rows
    }

    /// Appends the table that `go tool trace -d=footprint` prints for a trace of `total` bytes.
    /// As there, shares of nothing are printed as `NaN%`.
    pub fn write_table(&self, out: &mut Vec<u8>, total: u64) {
        let events = self.events();
        let mut lines = Vec::with_capacity(258);
        lines.push(["Event", "Bytes", "%", "Count", "%"].map(String::from));
        lines.push(["-"; 5].map(String::from));
        for row in self.sorted() {
            lines.push([
                self.name(row).into_owned(),
                row.bytes.to_string(),
                percent(row.bytes, total),
                row.count.to_string(),
                percent(row.count, events),
            ]);
        }
        write_columns(out, &lines);
    }

    /// What the table calls an event: nothing for a number without a name.
    fn name(&self, row: Row) -> Cow<'static, str> {
        let name = row.event.name();
        let EventType(number) = row.event;
        let in_table = Accept::Reference.accepts(row.event, self.version) || number == 0;
        if in_table || (row.count > 0 && !name.is_empty()) {
            Cow::Borrowed(name)
        } else {
            Cow::Owned(format!("<unknown ({number})>"))
        }
    }
}

/// A trace cut into pieces of whole batches, as far as batches follow each other. That the events
/// of a batch end with it is to be seen when they are read.
///
/// Whoever takes a piece looks for its end: to do so for all pieces first would be to wait for the
/// pages of all headers while the other threads have nothing to do.
struct Pieces<'a> {
    input: &'a [u8],
    /// Where the next piece begins.
    at: usize,
}

/// A piece has at least so many bytes.
const PIECE: usize = 1 << 19;

impl Iterator for Pieces<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let begin = self.at;
        if begin == self.input.len() {
            return None;
        }
        while self.at - begin < PIECE {
            let left = &self.input[self.at..];
            let whole = batch::read_header(left).ok().map(|(header, len)| match header {
                Header::Batch(header) => len.saturating_add(header.size),
                Header::EndOfGeneration => len,
            });
            match whole {
                Some(len) if len <= left.len() => self.at += len,
                _ => {
                    self.at = self.input.len();
                    break;
                }
            }
        }
        Some(begin..self.at)
    }
}

fn percent(part: u64, whole: u64) -> String {
    format!("{:.2}%", part as f64 / whole as f64 * 100.0)
}

/// Writes cells in columns that two spaces separate; the last cell of a line ends it.
fn write_columns<const N: usize>(out: &mut Vec<u8>, lines: &[[String; N]]) {
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    for line in lines {
        for (cell, &width) in line[..N - 1].iter().zip(&widths) {
            out.extend_from_slice(cell.as_bytes());
            out.resize(out.len() + width + 2 - cell.len(), b' ');
        }
        out.extend_from_slice(line[N - 1].as_bytes());
        out.push(b'\n');
    }
}
