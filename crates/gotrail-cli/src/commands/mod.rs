//! One file for each command.

pub(crate) mod check_archive;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod dump;
pub(crate) mod event_json;
pub(crate) mod info;
pub(crate) mod man;
pub(crate) mod synth;
pub(crate) mod validate;
