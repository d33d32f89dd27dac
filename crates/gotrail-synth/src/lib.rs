//! gotrail-synth
