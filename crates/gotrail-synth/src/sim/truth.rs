//! What really happened, to compare a reader's events with.

use gotrail::{Event, GoId, Kind, ProcId, ThreadId};
use std::fmt;

/// An event without its time and stacks: what a reader must deliver.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrueEvent {
    /// The thread of its context.
    pub thread: ThreadId,
    /// The proc of its context.
    pub proc: ProcId,
    /// The goroutine of its context.
    pub go: GoId,
    /// The rest, in the words of the printed form.
    pub what: String,
}

impl TrueEvent {
    /// The same of an event that a reader delivered; none for a sync, which happens in no program.
    pub fn of(event: &Event<'_>) -> Option<TrueEvent> {
        if event.kind() == Kind::Sync {
            return None;
        }
        let mut text = Vec::new();
        gotrail::text::write_event(&mut text, event);
        let text = String::from_utf8_lossy(&text);
        let line = text.lines().next()?;
        // M=1 P=2 G=3 Kind Time=4 the rest
        let mut words = line.splitn(6, ' ');
        let kind = words.nth(3)?;
        let rest = words.nth(1).unwrap_or_default();
        let what = if rest.is_empty() { kind.to_owned() } else { format!("{kind} {rest}") };
        Some(TrueEvent { thread: event.thread(), proc: event.proc(), go: event.goroutine(), what })
    }

    /// What its place is fixed by, besides its thread: a proc's or goroutine's sequence, or the
    /// collector's. None if nothing but time says where it belongs.
    pub fn subject(&self) -> Option<&str> {
        let mut words = self.what.split(' ');
        let kind = words.next()?;
        match kind {
            "StateTransition" => words.next(),
            _ if self.what.contains("\"GC concurrent mark phase\"") => Some("GC"),
            _ => None,
        }
    }
}

impl fmt::Display for TrueEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "M={} P={} G={} {}", self.thread, self.proc, self.go, self.what)
    }
}
