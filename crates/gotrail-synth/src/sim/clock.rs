//! Virtual time, and what each thread's clock makes of it.
//!
//! The true time rises with every event. A thread reads it through a clock that may be off by a
//! constant, and may advance in steps. What it writes still rises within the thread, as in Go's
//! tracer, which adds one to a time that is not later than the last.

use super::Config;

/// Clock units per second: 64 ns each, as on most systems.
pub(super) const FREQUENCY: u64 = 15_625_000;

/// The true time at which the trace starts: room for clocks that are behind.
const START: u64 = 1 << 32;

/// The virtual time.
#[derive(Debug)]
pub(super) struct Clock {
    /// The true time, in clock units.
    pub(super) now: u64,
    skew: u64,
    coarse: u64,
}

impl Clock {
    pub(super) fn new(config: &Config) -> Clock {
        Clock { now: START, skew: config.skew, coarse: config.coarse }
    }

    /// How far a new thread's clock is off.
    pub(super) fn offset(&self, rng: &mut fastrand::Rng) -> i64 {
        let skew = self.skew as i64;
        if skew == 0 { 0 } else { rng.i64(-skew..=skew) }
    }

    /// Lets time pass, and reads a clock that is off by `offset` and last showed `last`.
    #[inline]
    pub(super) fn read(&mut self, passes: u64, offset: i64, last: u64) -> u64 {
        self.now += passes;
        let shown = self.now.wrapping_add_signed(offset);
        let shown = if self.coarse == 1 { shown } else { shown - shown % self.coarse };
        if shown > last {
            return shown;
        }
        if self.skew == 0 && self.coarse == 1 {
            // A thread that ran ahead at the end of a generation: time has passed for all.
            self.now = last + 1;
        }
        last + 1
    }
}
