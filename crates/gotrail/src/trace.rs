//! A whole trace in memory: its generations can be listed, and read in any order.

use crate::checkpoint::Checkpoint;
use crate::collect::{Collector, Next};
use crate::cursor;
use crate::error::{Error, Fault};
use crate::generation::Generation;
use crate::input::{self, Compression, Input};
use crate::reader::{Mode, Reader};
use crate::report::Report;
use crate::{ThreadId, Time};
use gotrail_format::Version;
use memmap2::Mmap;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;

/// A whole trace, mapped or in memory.
///
/// ```no_run
/// let trace = gotrail::Trace::open("trace.out".as_ref())?;
/// let checkpoints = trace.checkpoints()?;
/// // The last generation, without reading the events of those before it again.
/// let last = checkpoints.len() - 1;
/// let generation = trace.generation(last)?;
/// for event in generation.events(&checkpoints[last]) {
///     println!("{:?}", event?);
/// }
/// # Ok::<(), gotrail::Error>(())
/// ```
pub struct Trace {
    data: Data,
    version: Version,
    header: usize,
    compression: Compression,
    lenient: bool,
    index: OnceLock<(Vec<GenerationInfo>, Report)>,
    /// Of which generations a whole pass has found that no number is too large.
    flawless: OnceLock<Vec<bool>>,
}

/// A checkpoint takes at most some 50 bytes for each goroutine, task and so on that the state has room
/// for, and this many events at least twice that in the trace: they are this far apart, for each of
/// those above some that do not matter.
const EVENTS_PER_ENTRY: u64 = 32;
const FEW_ENTRIES: u64 = 2000;

enum Data {
    Mapped(Mmap),
    Owned(Vec<u8>),
}

impl Data {
    fn bytes(&self) -> &[u8] {
        match self {
            Data::Mapped(map) => map,
            Data::Owned(bytes) => bytes,
        }
    }
}

/// What is known of a generation without putting its events in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerationInfo {
    /// The number that the tracer gave it.
    pub number: u64,
    /// The bytes of the (decompressed) trace that it takes.
    pub bytes: Range<u64>,
    /// The earliest time of any batch.
    pub start: Time,
    /// The latest time of any event.
    pub end: Time,
    /// The number of batches with events.
    pub batches: usize,
    /// The threads that wrote events, in the order in which they first appear.
    pub threads: Vec<ThreadId>,
}

impl Trace {
    /// Opens a trace file: maps it, or reads it whole if it is compressed or cannot be mapped.
    ///
    /// A mapped file must not be made shorter while the trace is in use.
    pub fn open(path: &Path) -> Result<Trace, Error> {
        let file = File::open(path).map_err(Fault::Io)?;
        // SAFETY: the map is only read. Nobody can promise that no other process changes the
        // file meanwhile; the reader checks every number against what is there and accepts that
        // it may read nonsense then, and the documentation says not to cut the file off.
        match unsafe { Mmap::map(&file) } {
            Ok(map) if Compression::of(&map) == Compression::None => {
                #[cfg(unix)]
                let _ = map.advise(memmap2::Advice::Sequential);
                Trace::new(Data::Mapped(map), Compression::None)
            }
            _ => Trace::from_read(file),
        }
    }

    /// Takes a trace that lies in memory, compressed or not.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Trace, Error> {
        match Compression::of(&bytes) {
            Compression::None => Trace::new(Data::Owned(bytes), Compression::None),
            _ => Trace::from_read(&bytes[..]),
        }
    }

    /// Reads a trace whole, compressed or not.
    pub fn from_read(reader: impl Read + Send) -> Result<Trace, Error> {
        let (compression, mut reader) = input::decompressed(reader).map_err(Fault::Io)?;
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(Fault::Io)?;
        Trace::new(Data::Owned(bytes), compression)
    }

    fn new(data: Data, compression: Compression) -> Result<Trace, Error> {
        let reader = Reader::from_slice(data.bytes(), Mode::Strict)?;
        let (version, header) = (reader.version(), reader.bytes_read() as usize);
        drop(reader);
        Ok(Trace {
            data,
            version,
            header,
            compression,
            lenient: false,
            index: OnceLock::new(),
            flawless: OnceLock::new(),
        })
    }

    /// The format version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// How the file was compressed.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// The bytes of the trace, decompressed.
    pub fn bytes(&self) -> &[u8] {
        self.data.bytes()
    }

    /// Takes these bytes of a mapped trace out of this process's memory, as far as the system can:
    /// they come back from the file when they are looked at again. Whoever has read a large trace
    /// and goes on to something else needs less memory then. Nothing else changes.
    pub fn release(&self, bytes: Range<u64>) {
        #[cfg(target_os = "linux")]
        if let Data::Mapped(map) = &self.data {
            let len = map.len() as u64;
            let (start, end) = (bytes.start.min(len), bytes.end.min(len));
            let (at, len) = (start as usize, end.saturating_sub(start) as usize);
            // SAFETY: the map is a shared one of a file, which is only read: its pages come back as
            // the file has them, whoever looks at them meanwhile.
            let _ =
                unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, at, len) };
        }
        #[cfg(not(target_os = "linux"))]
        let _ = bytes;
    }

    /// From now on, all counts that is left of the only generation if the trace is broken. This is
    /// for traces before Go 1.22, which have no other generations to go on with; nothing changes
    /// for others. [`Trace::lost`] says what is missing.
    pub fn make_tolerant(&mut self) {
        self.lenient = !self.version.has_generations();
        self.index = OnceLock::new();
    }

    /// Whether all counts that is left, see [`Trace::make_tolerant`].
    pub fn is_tolerant(&self) -> bool {
        self.lenient
    }

    /// What is missing, see [`Trace::make_tolerant`].
    pub fn lost(&self) -> &Report {
        &self.index().1
    }

    /// Reads the trace from its first event on.
    pub fn reader(&self, mode: Mode) -> Result<Reader<'_>, Error> {
        Reader::from_slice(self.bytes(), mode)
    }

    /// Lists the generations without putting any events in order. A damaged trace is listed up
    /// to its first structural damage.
    pub fn generations(&self) -> &[GenerationInfo] {
        &self.index().0
    }

    fn index(&self) -> &(Vec<GenerationInfo>, Report) {
        self.index.get_or_init(|| {
            let mut collector = self.collector(self.header as u64);
            let mut list = Vec::new();
            while let Next::Generation(generation) = collector.next() {
                list.push(GenerationInfo {
                    number: generation.number,
                    bytes: generation.byte_range(),
                    start: generation.start(),
                    end: match &generation.old {
                        Some(events) => Time(events.end()),
                        None => cursor::end_of(&generation),
                    },
                    batches: generation.batch_count(),
                    threads: generation.threads().collect(),
                });
            }
            (list, collector.take_losses())
        })
    }

    /// Loads the generation with this index in [`Trace::generations`].
    ///
    /// # Panics
    ///
    /// If there is no such generation.
    pub fn generation(&self, index: usize) -> Result<Generation<'_>, Error> {
        let info = &self.generations()[index];
        match self.collector(info.bytes.start).next() {
            Next::Generation(mut generation) => {
                let flawless = self.flawless.get().and_then(|flawless| flawless.get(index));
                generation.flawless = flawless.is_some_and(|&flawless| flawless);
                Ok(*generation)
            }
            Next::Broken(error) => Err(error),
            Next::End => Err(Fault::Incomplete.into()),
        }
    }

    /// Reads the whole trace once, strictly, and returns the state before each generation.
    pub fn checkpoints(&self) -> Result<Vec<Checkpoint>, Error> {
        self.checkpoints_every(u64::MAX)
    }

    /// The same with checkpoints within generations too, at least so many events apart: there a
    /// generation can be read from the middle on, and [`Trace::for_each_part`] has enough to do for
    /// all cores, however few generations there are. 100,000 is a good number for both.
    ///
    /// They lie where one thread's events end and another's begin, and farther apart where there
    /// are or were many goroutines or tasks, so that these take less memory in checkpoints than events
    /// take in the trace.
    pub fn checkpoints_every(&self, events: u64) -> Result<Vec<Checkpoint>, Error> {
        let mode = if self.lenient { Mode::Tolerant } else { Mode::Strict };
        let mut reader = self.reader(mode)?;
        let mut list = vec![Checkpoint::start()];
        let mut flawless = Vec::new();
        loop {
            let many = (reader.state_size() as u64).saturating_sub(FEW_ENTRIES);
            if !reader.go_on(events.max(1).max(many * EVENTS_PER_ENTRY))? {
                break;
            }
            list.extend(reader.checkpoint_anywhere());
            if reader.is_between() {
                flawless.push(reader.was_flawless());
            }
        }
        if !self.lenient {
            // Another thread may have come to the same.
            let _ = self.flawless.set(flawless);
        }
        // The last one is behind the last generation.
        list.truncate(list.partition_point(|from| from.generation() < self.generations().len()));
        Ok(list)
    }

    fn collector(&self, offset: u64) -> Collector<'_> {
        let bytes = &self.bytes()[offset as usize..];
        Collector::new(Input::Slice(bytes), self.version, offset, self.lenient)
    }
}
