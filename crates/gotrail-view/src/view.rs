//! A trace that is looked at: its index, which grows while it is read, and what details need.

use crate::index::Index;
use crate::moves::NONE;
use gotrail::{Mode, Trace};
use parking_lot::{RwLock, RwLockWriteGuard};
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::path::PathBuf;

/// After so many events whoever asks is let in: a fraction of a millisecond.
const STRIDE: u32 = 1 << 12;

/// A trace and what is known of it.
pub struct View {
    /// The trace.
    pub trace: Trace,
    /// What to call it.
    pub name: String,
    /// Where it lies, for commands that answer questions about it.
    pub path: PathBuf,
    /// What is known so far.
    pub index: RwLock<Index>,
}

impl View {
    /// Begins to look at a trace. Nothing is read yet but its structure.
    pub fn new(trace: Trace, name: String, path: PathBuf) -> View {
        let generations = trace.generations();
        let start = generations.iter().map(|generation| generation.start.0).min().unwrap_or(0);
        let end = generations.iter().map(|generation| generation.end.0).max().unwrap_or(start);
        let index = RwLock::new(Index::new((end - start).max(1)));
        View { trace, name, path, index }
    }

    /// Reads the trace from its first to its last event. What cannot be read is noted.
    pub fn read(&self) {
        let mut reader = match self.trace.reader(Mode::Tolerant) {
            Ok(reader) => reader,
            Err(error) => {
                let mut index = self.index.write();
                index.error = Some(error.to_string());
                index.done = true;
                return;
            }
        };
        let mut index = self.index.write();
        let mut until_bump = STRIDE;
        let result = reader.for_each_event(|event| {
            index.event(event);
            until_bump -= 1;
            if until_bump == 0 {
                until_bump = STRIDE;
                RwLockWriteGuard::bump(&mut index);
            }
            ControlFlow::<()>::Continue(())
        });
        index.finish_part();
        if let Err(error) = result {
            index.error = Some(error.to_string());
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
        index.duration = index.duration.max(end);
        index.done = true;
    }

    /// The frames of a stack of the part at a time, innermost first.
    pub fn stack(&self, bytes: &std::ops::Range<u64>, stack: u32) -> Value {
        if stack == NONE {
            return json!([]);
        }
        let generations = self.trace.generations();
        let at = generations.iter().position(|generation| generation.bytes.start == bytes.start);
        let Some(generation) = at.and_then(|at| self.trace.generation(at).ok()) else {
            return json!([]);
        };
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
