//! From clock units to nanoseconds, exactly as the reference computes them.

use crate::Time;

/// Nanoseconds per clock unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Frequency {
    nanos: f64,
    /// The same as a whole number, and up to how many units it gives the same product; 0 if not.
    whole: u64,
    whole_limit: u64,
    /// The same, if it is a small number: multiplied with less than 2^21 units it gives what
    /// [`Frequency::nanos`] gives. 0 if not, which is rare.
    pub(crate) small: i64,
}

impl Frequency {
    /// What the runtime uses on most platforms: 64 ns a unit. Assumed only where a broken trace
    /// lost its own frequency.
    pub(crate) const USUAL: Frequency =
        Frequency { nanos: 64.0, whole: 64, whole_limit: (1 << 53) / 64, small: 64 };

    /// From the number of clock units a second, as the trace gives it.
    pub(crate) fn from_units_per_second(units: u64) -> Frequency {
        let nanos = 1.0 / (units as f64 / 1e9);
        // Products below 2^53 are exact in both, so that whole numbers can be multiplied.
        let whole = nanos as u64;
        let exact = whole > 0 && whole < 1 << 32 && whole as f64 == nanos;
        let small = if exact && whole < 1 << 20 { whole as i64 } else { 0 };
        Frequency { nanos, whole, whole_limit: if exact { (1 << 53) / whole } else { 0 }, small }
    }

    /// Nanoseconds in `units`. What does not fit becomes the smallest number, as on amd64, and
    /// not the largest as Rust's `as` would have it.
    #[inline]
    pub(crate) fn nanos(self, units: u64) -> i64 {
        if units < self.whole_limit { (units * self.whole) as i64 } else { self.float_nanos(units) }
    }

    fn float_nanos(self, units: u64) -> i64 {
        // The signed conversion is one instruction; the unsigned one is not.
        let units = if units <= i64::MAX as u64 { units as i64 as f64 } else { units as f64 };
        let nanos = units * self.nanos;
        if nanos < 9_223_372_036_854_775_808.0 { nanos as i64 } else { i64::MIN }
    }
}

/// Several clocks read at nearly the same moment; traces have it from format 1.25 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockSnapshot {
    /// The clock of the trace's events.
    pub trace: Time,
    /// The system's monotonic clock, in nanoseconds.
    pub mono: u64,
    /// The wall clock: seconds since 1970 in UTC.
    pub wall_seconds: i64,
    /// Nanoseconds in that second, 0 to 999,999,999.
    pub wall_nanos: u32,
}

impl ClockSnapshot {
    /// From the numbers of a trace, where the nanoseconds may be out of range.
    pub(crate) fn new(trace: Time, mono: u64, seconds: u64, nanos: u64) -> ClockSnapshot {
        let nanos = nanos as i64;
        let (carry, nanos) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
        let wall_seconds = (seconds as i64).wrapping_add(carry);
        ClockSnapshot { trace, mono, wall_seconds, wall_nanos: nanos as u32 }
    }

    /// The wall-clock time of an event at `time`, as nanoseconds since 1970 in UTC.
    pub fn wall_at(&self, time: Time) -> i128 {
        i128::from(self.wall_seconds) * 1_000_000_000
            + i128::from(self.wall_nanos)
            + i128::from(time.0)
            - i128::from(self.trace.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overflow_and_infinity_follow_amd64() {
        let usual = Frequency::from_units_per_second(15_625_000);
        assert_eq!(usual, Frequency::USUAL);
        for units in [0, 1, 10, (1 << 47) - 1, 1 << 47, (1 << 47) + 1, 1 << 60] {
            assert_eq!(usual.nanos(units), usual.float_nanos(units));
        }
        assert_eq!(Frequency::from_units_per_second(0).nanos(0), i64::MIN);
        assert_eq!(Frequency::from_units_per_second(0).nanos(1), i64::MIN);
        assert_eq!(Frequency::from_units_per_second(1).nanos(u64::MAX), i64::MIN);
    }

    #[test]
    fn nanoseconds_of_the_wall_clock_carry() {
        let clock = ClockSnapshot::new(Time(5), 0, 10, 2_500_000_000);
        assert_eq!((clock.wall_seconds, clock.wall_nanos), (12, 500_000_000));
        assert_eq!(clock.wall_at(Time(7)), 12_500_000_002);
        let clock = ClockSnapshot::new(Time(0), 0, 10, u64::MAX);
        assert_eq!((clock.wall_seconds, clock.wall_nanos), (9, 999_999_999));
    }
}
