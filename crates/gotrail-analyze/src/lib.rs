//! From Go execution traces to answers.
//!
//! One pass over a trace feeds everything, see [`Analysis`]. Nothing keeps all events, and
//! generations are analysed on all cores.
//!
//! | module | idea |
//! |---|---|
//! | [`analysis`] | the pass |
//! | [`goroutines`] | goroutines: their states, times, regions, tasks |
//! | [`lives`] | goroutines whose ids others had later |
//! | [`tasks`] | tasks of the annotation API |
//! | [`waits`] | what goroutines waited for, by kind, reason and stack |
//! | [`procs`] | procs: which was held when, and who waited for one |
//! | [`gc`], [`mmu`] | the garbage collector, and what it takes from the program |
//! | [`herds`] | many goroutines woken at once |
//! | [`check`] | findings, with their numbers |
//! | [`diff`] | what changed between traces |
//! | [`slices`] | a trace cut into slices of time |
//! | [`statistics`] | whether a difference is more than chance |
//! | [`history`], [`why`], [`path`] | a trace read backward: what caused what, and the critical path |
//! | [`samples`] | CPU samples by stack |
//! | [`groups`], [`grouping`] | what waits and samples are told apart by |
//! | [`profile`], [`pprof`] | profiles made of waits and samples, and pprof's form of them |
//! | [`logs`] | log messages |
//! | [`timeline`] | values over time |
//! | [`times`] | how long in which state |
//! | [`histogram`] | durations by size: percentiles |
//! | [`names`] | strings and stacks of all generations |
//! | [`places`] | whose code a frame is |
//! | [`scope`] | which part of a trace counts |

pub mod analysis;
mod as_go;
mod back;
mod by_id;
pub mod check;
mod collector;
pub mod diff;
mod ends;
pub mod gc;
mod goroutine;
pub mod goroutines;
pub mod grouping;
pub mod groups;
pub mod herds;
pub mod histogram;
pub mod history;
pub mod lives;
pub mod logs;
mod merge;
pub mod mmu;
mod moves;
pub mod names;
mod opening;
pub mod path;
pub mod places;
pub mod pprof;
pub mod procs;
pub mod profile;
mod quick;
pub mod samples;
pub mod scope;
pub mod slices;
mod spans;
mod states;
pub mod statistics;
pub mod tasks;
pub mod timeline;
pub mod times;
pub mod waits;
pub mod why;

pub use analysis::{Analysis, Limits, Options};
pub use goroutines::{Goroutine, Goroutines, Region, is_of_program, is_system};
pub use groups::{GroupId, Groups};
pub use histogram::Histogram;
pub use history::History;
pub use names::{Frame, Names, StackId, StrId};
pub use profile::{Profile, ProfileKind};
pub use scope::Scope;
pub use tasks::{Task, Tasks};
pub use times::{RareSums, Sums, Times};
pub use waits::{Instance, WaitKey, WaitKind, WaitSum, Waits};
pub use why::{Detail, Why};
