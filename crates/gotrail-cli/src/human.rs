//! Numbers for people: separators between thousands, units, three significant digits.

use anyhow::{Result, bail};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether times are ticks of a clock of which it is not known how fast it is. A command reads one
/// trace, or none whose times are ticks: so this holds for all that it prints.
static TICKS: AtomicBool = AtomicBool::new(false);

/// From now on durations are ticks.
pub(crate) fn times_are_ticks() {
    TICKS.store(true, Ordering::Relaxed);
}

/// Refuses what cannot be told in ticks.
pub(crate) fn need_nanoseconds(what: &str) -> Result<()> {
    if TICKS.load(Ordering::Relaxed) {
        bail!(
            "{what} is about nanoseconds, and the trace does not say how long a tick of its clock \
             is: it ends before that; tables for people show ticks"
        );
    }
    Ok(())
}

/// `1234567` as `1,234,567`.
pub(crate) fn count(number: impl Into<u64>) -> String {
    let digits = number.into().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 event`, `2 events`.
pub(crate) fn counted(number: impl Into<u64>, one: &str) -> String {
    let number = number.into();
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A number of bytes: `5.68 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    for unit in ["KiB", "MiB", "GiB"] {
        if value < 1023.5 {
            return format!("{} {unit}", digits(value));
        }
        value /= 1024.0;
    }
    format!("{} TiB", digits(value))
}

/// Nanoseconds: `12.3 ms`, `2 min 5 s`.
pub(crate) fn duration(nanos: i64) -> String {
    if nanos < 0 {
        return match nanos.checked_neg() {
            Some(nanos) => format!("-{}", duration(nanos)),
            None => "-292 years".to_owned(),
        };
    }
    if TICKS.load(Ordering::Relaxed) {
        return counted(nanos.unsigned_abs(), "tick");
    }
    if nanos < 1000 {
        return format!("{nanos} ns");
    }
    let mut value = nanos as f64 / 1e3;
    for unit in ["µs", "ms"] {
        if value < 999.5 {
            return format!("{} {unit}", digits(value));
        }
        value /= 1e3;
    }
    let seconds = value.round() as u64;
    match seconds {
        0..120 => format!("{} s", digits(value)),
        120..7200 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", count(seconds / 3600), seconds / 60 % 60),
    }
}

/// A moment in nanoseconds after the start, to the microsecond, so that moments next to each other can
/// be told apart and be given to `--from`: `516 µs`, `12.345 ms`, `2.000416 s`.
pub(crate) fn moment(nanos: i64) -> String {
    match nanos {
        _ if TICKS.load(Ordering::Relaxed) => duration(nanos),
        // Cut off, not rounded: what is shown is not later than what is meant.
        1_000_000..1_000_000_000 => {
            format!("{}.{:03} ms", nanos / 1_000_000, nanos / 1000 % 1000)
        }
        1_000_000_000.. => {
            format!("{}.{:06} s", nanos / 1_000_000_000, nanos / 1000 % 1_000_000)
        }
        _ => duration(nanos),
    }
}

/// A share of the whole: `81.2%`; what is not nothing is not shown as nothing.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    share(if whole == 0 { 0.0 } else { part as f64 / whole as f64 })
}

/// A share from 0 to 1, as [`percent`].
pub(crate) fn share(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        ..=0.0 => "0%".to_owned(),
        ..0.01 => "<0.01%".to_owned(),
        ..0.995 => format!("{percent:.2}%"),
        99.95.. if share < 1.0 => ">99.9%".to_owned(),
        _ => format!("{percent:.1}%"),
    }
}

/// A number that is not whole: `0.250`, `12.3`, `1,234`.
pub(crate) fn number(value: f64) -> String {
    if value < 0.0 {
        return format!("-{}", number(-value));
    }
    match value {
        0.0..0.9995 => format!("{value:.3}"),
        0.9995..999.5 => digits(value),
        999.5..1e15 => count(value.round() as u64),
        _ => value.to_string(),
    }
}

/// How many characters of a name people are shown.
const NAME: usize = 60;

/// A name of the traced program on one line: control characters escaped, too long ones cut.
pub(crate) fn name(name: &str) -> String {
    let mut text = String::new();
    for (shown, c) in name.chars().enumerate() {
        if shown == NAME {
            text.push('…');
            break;
        }
        match c.is_control() {
            true => text.extend(c.escape_default()),
            false => text.push(c),
        }
    }
    text
}

/// The same where the name may not be in the trace.
pub(crate) fn known_name(text: &str) -> String {
    if text.is_empty() { "(unknown)".to_owned() } else { name(text) }
}

/// Three significant digits.
fn digits(value: f64) -> String {
    let places = match value {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{value:.places$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        assert_eq!(count(0u64), "0");
        assert_eq!(count(999u64), "999");
        assert_eq!(count(1_000u64), "1,000");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(counted(1u64, "event"), "1 event");
        assert_eq!(counted(0u64, "event"), "0 events");
    }

    #[test]
    fn sizes_have_three_digits_and_a_unit() {
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1024), "1.00 KiB");
        assert_eq!(size(5_959_198), "5.68 MiB");
        assert_eq!(size((1 << 20) - 1), "1.00 MiB");
        assert_eq!(size(u64::MAX), "16777216 TiB");
    }

    #[test]
    fn moments_are_precise_to_the_microsecond() {
        assert_eq!(moment(0), "0 ns");
        assert_eq!(moment(516_700), "517 µs");
        assert_eq!(moment(12_345_999), "12.345 ms");
        assert_eq!(moment(2_000_416_000), "2.000416 s");
        assert_eq!(moment(7_260_000_000_999), "7260.000000 s");
    }

    #[test]
    fn durations_have_three_digits_and_a_unit() {
        assert_eq!(duration(999), "999 ns");
        assert_eq!(duration(1_234), "1.23 µs");
        assert_eq!(duration(99_960), "100 µs");
        assert_eq!(duration(999_600), "1.00 ms");
        assert_eq!(duration(75_300_000_000), "75.3 s");
        assert_eq!(duration(125_000_000_000), "2 min 5 s");
        assert_eq!(duration(7_260_000_000_000), "2 h 1 min");
        assert_eq!(duration(-1_500_000), "-1.50 ms");
        assert_eq!(duration(i64::MIN), "-292 years");
    }

    #[test]
    fn names_stay_on_their_line() {
        assert_eq!(name("a\n\tü"), "a\\n\\tü");
        assert_eq!(name(&"x".repeat(100)).chars().count(), NAME + 1);
    }

    #[test]
    fn shares_do_not_round_to_nothing_or_all() {
        assert_eq!(percent(0, 5), "0%");
        assert_eq!(percent(1, 1_000_000), "<0.01%");
        assert_eq!(percent(1, 8), "12.5%");
        assert_eq!(percent(999_999, 1_000_000), ">99.9%");
        assert_eq!(percent(7, 7), "100.0%");
    }
}
