//! Reads Go execution traces (Go 1.11 and later), puts their events in the order in which they
//! happened, and says precisely what is wrong with a broken one.
//!
//! A trace is a sequence of generations, about one a second; one of Go 1.21 or earlier is a
//! single generation. Within a generation each thread
//! wrote its own events; which of two threads' events came first is found out by a state machine
//! of Go's scheduler. The result is that of Go's own reader, event by event.
//!
//! ```
//! use gotrail::{Details, Mode, Trace};
//!
//! # let bytes = gotrail::doc_trace();
//! let trace = Trace::from_bytes(bytes)?;
//! let mut reader = trace.reader(Mode::Strict)?;
//! let mut starts = 0;
//! while let Some(event) = reader.next_event()? {
//!     if let Details::Goroutine(transition) = event.details() {
//!         starts += u32::from(transition.to == gotrail::GoState::Running);
//!     }
//! }
//! assert_eq!(starts, 1);
//! # Ok::<(), gotrail::Error>(())
//! ```
//!
//! | to | use |
//! |---|---|
//! | read a file once | [`Trace::open`], [`Trace::reader`], [`Reader::next_event`] |
//! | read a pipe, or hold little in memory | [`Reader::from_read`] |
//! | get what is left of a broken trace | [`Mode::Tolerant`], [`Reader::report`] |
//! | list generations | [`Trace::generations`] |
//! | read one generation again | [`Trace::checkpoints`], [`Generation::events`] |
//! | read all of it again on all cores | [`Trace::checkpoints_every`], [`Trace::for_each_part`] |
//! | print events as Go does | [`text::write_event`] |
//! | check more than order needs | [`deep::Checker`] |
//! | count what a trace is about | [`summary::Summary`] |

mod checkpoint;
mod clock;
mod collect;
mod cursor;
pub mod deep;
mod deliver;
mod details;
mod error;
mod event;
mod events;
mod fold;
mod frontier;
mod generation;
mod ids;
mod input;
mod merge;
mod old;
mod order;
mod parallel;
mod parts;
mod prefetch;
mod reader;
mod report;
mod run;
mod stack;
mod stacks;
mod states;
mod steps;
pub mod summary;
mod tables;
pub mod text;
mod trace;
mod wall;

pub use bstr;
pub use checkpoint::Checkpoint;
pub use clock::ClockSnapshot;
pub use details::{
    Details, Experimental, GoTransition, Label, Log, Metric, ProcTransition, Range, RangeName,
    Region, Scope, Sync, Task,
};
pub use error::{Cause, Error, Fault, Holding, Needed, Place, Subject, Waiting};
pub use event::{Event, Kind};
pub use events::Events;
pub use fold::Fold;
pub use generation::{ExperimentalBatch, Generation};
pub use gotrail_format as format;
pub use gotrail_format::Version;
pub use ids::{GoId, ProcId, TaskId, ThreadId, Time};
pub use input::Compression;
pub use old::OldFault;
pub use reader::{Mode, Reader};
pub use report::{DESCRIBED, Loss, Misuse, Report};
pub use stack::{Frame, Stack};
pub use states::{GoState, ProcState};
pub use steps::GoStep;
pub use trace::{GenerationInfo, Trace};

/// A small trace for the examples of this documentation: a goroutine starts on a proc.
#[doc(hidden)]
pub fn doc_trace() -> Vec<u8> {
    let mut trace = Version::Go122.header().to_vec();
    // EventBatch gen=1 m=0 time=1: a proc starts, a goroutine's status, it starts.
    trace.extend([1, 1, 0, 1, 16]);
    trace.extend([13, 1, 0, 2, 10, 1, 0, 1, 25, 1, 4, 0, 1, 16, 1, 4]);
    trace[20] = 17;
    trace.push(1);
    // EventBatch gen=1 m=0 time=0: Frequency freq=15625000.
    trace.extend([1, 1, 0, 0, 5, 8, 0xa8, 0xd6, 0xb9, 0x07]);
    trace
}
