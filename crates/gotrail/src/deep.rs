//! placeholder
/// placeholder
pub struct Checker;
