//! A trace that is looked at while it is being read.

use crate::index::Index;
use crate::kept::Folder;
use crate::matches::Lately;
use crate::moves::NONE;
use crate::store::Store;
use gotrail::{Generation, Mode, Trace};
use parking_lot::{RwLock, RwLockWriteGuard};
use serde_json::{Value, json};
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::NamedTempFile;

/// After so many events whoever asks is let in: a fraction of a millisecond.
const STRIDE: u32 = 1 << 12;

/// Where the moves of an index go.
#[derive(Debug, Clone)]
pub struct Room {
    /// At most so many bytes of them are in memory.
    pub memory: u64,
    /// The rest is in a file. In this folder it is kept, and found again; without, it goes with
    /// the process.
    pub folder: Option<Folder>,
    /// After so many moves a new block begins.
    pub block: usize,
}

/// What [`Room::block`] ordinarily is: what is asked of a short time is answered from little, and
/// what is not in order yet takes little memory.
pub const BLOCK: usize = 1 << 17;

/// A trace and what is known of it.
pub struct View {
    trace: OnceLock<Trace>,
    /// What to call it.
    pub name: String,
    /// Where it lies, for commands that answer questions about it.
    pub path: PathBuf,
    /// Whether it came from standard input, and lies there only for now.
    pub streamed: bool,
    /// What is known so far.
    pub index: RwLock<Index>,
    pub(crate) lately: Lately,
    kept: OnceLock<PathBuf>,
    cut: OnceLock<String>,
    room: Room,
}

impl View {
    /// A trace that is not there yet.
    pub fn new(name: String, path: PathBuf, room: Room) -> View {
        let index = RwLock::new(Index::new(1, Store::in_memory(0), BLOCK));
        View {
            trace: OnceLock::new(),
            name,
            path,
            streamed: false,
            index,
            lately: Lately::default(),
            kept: OnceLock::new(),
            cut: OnceLock::new(),
            room,
        }
    }

    /// Where it came from, as on a command line.
    pub(crate) fn shown(&self) -> String {
        if self.streamed { "-".to_owned() } else { self.path.display().to_string() }
    }

    /// The line that a person types to run a command on it. What came from standard input is gone:
    /// TRACE stands for a file of it.
    pub(crate) fn line(&self, mut words: Vec<String>) -> String {
        if self.streamed {
            return format!("{} - < TRACE", shell_words::join(words));
        }
        words.push(self.path.display().to_string());
        shell_words::join(words)
    }

    /// Where commands find the trace.
    pub(crate) fn file(&self) -> &Path {
        self.kept.get().unwrap_or(&self.path)
    }

    /// Commands find the trace, or what is left of it, in this file.
    pub fn is_kept_at(&self, file: PathBuf) {
        let _ = self.kept.set(file);
    }

    /// Something of the trace is lost behind its end, for this reason.
    pub fn is_cut(&self, why: String) {
        let _ = self.cut.set(why);
    }

    /// There is no trace, and there will be none.
    pub fn failed(&self, why: String) {
        let mut index = self.index.write();
        index.error = Some(why);
        index.done = true;
    }

    /// The trace, as soon as it is there.
    pub fn trace(&self) -> Option<&Trace> {
        self.trace.get()
    }

    /// Reads a trace from its first to its last event, or takes its index from where it was kept.
    /// What cannot be read is noted.
    pub fn read(&self, trace: Trace) {
        let trace = self.trace.get_or_init(|| trace);
        // The index of another trace with the same bytes has nothing of what is lost here.
        let folder = self.room.folder.as_ref().filter(|_| self.cut.get().is_none());
        let place = folder.map(|folder| folder.place(trace.bytes()));
        trace.release(0..u64::MAX);
        if let (Some(folder), Some(place)) = (folder, &place)
            && let Some((known, file)) = folder.find(place)
        {
            *self.index.write() = Index::kept(known, Store::new(file, self.room.memory));
            return;
        }
        // Without a file all is in memory.
        let draft = folder.and_then(|folder| folder.draft().ok());
        let file = match &draft {
            Some(draft) => draft.reopen(),
            None => tempfile::tempfile(),
        };
        let memory = self.room.memory;
        let store = file.map_or_else(|_| Store::in_memory(memory), |file| Store::new(file, memory));
        self.pass(trace, store);
        if let (Some(folder), Some(place), Some(draft)) = (folder, place, draft) {
            self.keep(folder, &place, draft);
        }
    }

    fn pass(&self, trace: &Trace, store: Store) {
        let generations = trace.generations();
        let start = generations.iter().map(|generation| generation.start.0).min().unwrap_or(0);
        let end = generations.iter().map(|generation| generation.end.0).max().unwrap_or(start);
        let mut index = self.index.write();
        *index = Index::new((end - start).max(1), store, self.room.block);
        let mut reader = match trace.reader(Mode::Tolerant) {
            Ok(reader) => reader,
            Err(error) => {
                index.error = Some(error.to_string());
                index.lost.extend(self.cut.get().map(|why| (0, 0, why.clone())));
                index.done = true;
                return;
            }
        };
        // To list the generations was to look at all of the trace.
        trace.release(0..u64::MAX);
        let (mut until_bump, mut released) = (STRIDE, 0);
        let result = reader.for_each_event(|event| {
            index.event(event);
            until_bump -= 1;
            if until_bump == 0 {
                until_bump = STRIDE;
                RwLockWriteGuard::bump(&mut index);
                // What was read is not needed before somebody asks for a stack there.
                let begin = event.generation_bytes().start;
                if begin > released {
                    trace.release(released..begin);
                    released = begin;
                }
            }
            ControlFlow::<()>::Continue(())
        });
        trace.release(released..u64::MAX);
        index.finish_part();
        index.settle_early();
        if let Err(error) = result {
            index.error = Some(error.to_string());
        }
        // Nobody needs to wait for what takes a moment again.
        drop(index);
        let settled = self.index.read().settled();
        let mut index = self.index.write();
        match settled {
            Ok(settled) => index.settle(settled),
            Err(error) => {
                index.error = Some(format!("the index cannot be read again: {error}"));
            }
        }
        let start = index.start.unwrap_or(0);
        let end = index.indexed;
        let losses = reader.report();
        for loss in &losses.losses {
            let time = |time: Option<gotrail::Time>, otherwise: i64| {
                time.map_or(otherwise, |time| (time.0 - start).clamp(0, end))
            };
            index.lost.push((time(loss.from, 0), time(loss.until, end), loss.reason.clone()));
        }
        index.lost.extend(self.cut.get().map(|why| (end, end, why.clone())));
        index.duration = index.duration.max(end);
        index.done = true;
    }

    /// Keeps the index for the next time. If that fails, it is made anew then.
    fn keep(&self, folder: &Folder, place: &Path, draft: NamedTempFile) {
        let index = self.index.read();
        if index.store.is_in_file() {
            let _ = folder.keep(place, &index.known, draft);
        }
    }

    /// The generation that lies there in the trace.
    pub(crate) fn generation(&self, bytes: &Range<u64>) -> Option<Generation<'_>> {
        let trace = self.trace()?;
        let mut generations = trace.generations().iter();
        let at = generations.position(|generation| generation.bytes.start == bytes.start)?;
        trace.generation(at).ok()
    }

    /// The frames of a stack of the generation that lies there, innermost first.
    pub fn stack(&self, bytes: &Range<u64>, stack: u32) -> Value {
        if stack == NONE {
            return json!([]);
        }
        let Some(generation) = self.generation(bytes) else { return json!([]) };
        let Some(stack) = generation.stack_with_id(u64::from(stack)) else { return json!([]) };
        let frames = stack.frames().map(|frame| {
            json!({
                "function": frame.function.to_string(),
                "file": frame.file.to_string(),
                "line": frame.line,
            })
        });
        frames.collect()
    }
}
