//! One file for each command.

pub(crate) mod check;
pub(crate) mod check_archive;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod diff;
pub(crate) mod dump;
pub(crate) mod event_json;
pub(crate) mod flame;
pub(crate) mod gc;
pub(crate) mod goroutine;
pub(crate) mod goroutines;
pub(crate) mod info;
pub(crate) mod latency;
pub(crate) mod logs;
pub(crate) mod man;
pub(crate) mod mmu;
pub(crate) mod pprof;
pub(crate) mod procs;
pub(crate) mod regions;
pub(crate) mod report;
pub(crate) mod synth;
pub(crate) mod task;
pub(crate) mod tasks;
pub(crate) mod validate;
pub(crate) mod view;
pub(crate) mod why;
