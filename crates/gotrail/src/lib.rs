//! gotrail
