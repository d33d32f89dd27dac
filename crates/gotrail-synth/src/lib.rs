//! Test traces for readers of Go execution traces.
//!
//! Go tests its trace reader with `.test` archives: a trace as text and what a reader should say
//! to it. [`Archive`] reads and writes them, [`Expectation`] judges a reader, [`reading`] is what
//! this project's reader says. [`builder`] makes traces and archives, as right or as wrong as
//! they shall be, [`suite`] is a collection of them with a case for each rule of order, and [`sim`]
//! simulates whole programs.
//!
//! ```
//! use gotrail_synth::Archive;
//!
//! let archive = Archive::parse(b"\
//! Only batches stand at the start of a trace.
//! -- expect --
//! FAILURE \"expected (a )?batch\"
//! -- trace --
//! Trace Go1.22
//! ProcStop dt=1
//! ")?;
//! assert_eq!(archive.bytes()?, b"go 1.22 trace\0\0\0\x0b\x01");
//! archive.expectation.check(Some("offset 16: expected a batch, found ProcStop"))?;
//! assert!(archive.expectation.check(None).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(doctest)]
#[doc = include_str!("../../../docs/archives.md")]
struct Guide;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/synth.md")]
struct SynthGuide;

mod archive;
pub mod builder;
mod expect;
pub mod reading;
pub mod sim;
pub mod suite;
mod txtar;

pub use archive::{Archive, ArchiveError, ArchiveErrorKind};
pub use expect::{Expectation, ExpectationError};
pub use gotrail::{GoId, ProcId, TaskId, ThreadId};
pub use gotrail_format::{EventType, Version};
