//! What the bytes of a Go execution trace mean, and nothing more.
//!
//! This crate knows the header, the event table, the batch framing, raw events and the text
//! form that Go's own test archives use. It keeps no state between events, opens no files and
//! has no opinion on what a valid schedule is: that is the `gotrail` crate's job.
//!
//! | module | idea |
//! |---|---|
//! | [`version`] | the header and the format versions |
//! | [`event`] | the event table: every name, argument and type, declared once |
//! | [`varint`] | LEB128 as the reference reads it |
//! | [`batch`] | batch headers |
//! | [`raw`] | raw events: one reader and one writer for bytes |
//! | [`text`] | the same raw events as text |
//! | [`quote`] | Go's string quoting |
//! | [`footprint`] | which events take how many bytes |
//! | [`decimal`] | decimal numbers, fast |
//! | [`gosort`] | Go's sort, ties included |
//!
//! ```
//! use gotrail_format::{raw::RawReader, text};
//!
//! let bytes = text::to_bytes("Trace Go1.22\nEventBatch gen=1 m=0 time=0 size=0\n")?;
//! let mut reader = RawReader::new(&bytes)?;
//! let event = reader.next()?.expect("one event");
//! assert_eq!(event.event_type().name(), "EventBatch");
//! assert_eq!(event.args()[0], 1);
//! assert!(reader.next()?.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod batch;
pub mod decimal;
pub mod event;
pub mod footprint;
pub mod gosort;
mod printable;
pub mod quote;
pub mod raw;
pub mod text;
pub mod varint;
pub mod version;

pub use event::{EventType, Experiment};
pub use version::Version;

/// The largest batch payload in bytes; a batch that claims more is damaged.
pub const MAX_BATCH_SIZE: u64 = 64 << 10;
/// The largest number of frames of one stack.
pub const MAX_FRAMES_PER_STACK: u64 = 128;
/// The longest string in bytes.
pub const MAX_STRING_SIZE: u64 = 1 << 10;
/// The most arguments that a timed event has, its time included.
pub const MAX_TIMED_ARGS: usize = 5;
