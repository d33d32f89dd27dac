//! Wall-clock times as text: RFC 3339 with as many digits as needed, as Go prints them.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// The time in the system's time zone.
///
/// Damaged traces claim times that no calendar library knows: those are written in UTC by
/// [`utc`].
pub(crate) fn local(seconds: i64, nanos: u32) -> String {
    match Timestamp::new(seconds, nanos as i32) {
        Ok(timestamp) => format(&timestamp.to_zoned(TimeZone::system()), nanos),
        Err(_) => utc(seconds, nanos),
    }
}

fn format(time: &Zoned, nanos: u32) -> String {
    let date = time.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let offset = time.offset().seconds();
    if offset == 0 {
        return format!("{date}{}Z", fraction(nanos));
    }
    let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs() / 60);
    format!("{date}{}{sign}{:02}:{:02}", fraction(nanos), minutes / 60, minutes % 60)
}

/// The fraction of a second without zeros at its end.
fn fraction(nanos: u32) -> String {
    let digits = format!(".{nanos:09}");
    digits.trim_end_matches(['0']).trim_end_matches('.').to_owned()
}

/// A time in UTC, for any number of seconds: years count from Go's zero year, and seconds before
/// it wrap around.
pub(crate) fn utc(seconds: i64, nanos: u32) -> String {
    const ZERO_YEAR: i128 = -292_277_022_399;
    // Days from the first of January of the zero year to 1970, in the proleptic calendar.
    const DAYS_PER_ERA: i128 = 146_097;
    let days_of_year_start = |year: i128| {
        let before = year - 1;
        before * 365 + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400)
    };
    let epoch = (days_of_year_start(1970) - days_of_year_start(ZERO_YEAR)) * 86_400;
    let absolute = (i128::from(seconds) + epoch).rem_euclid(1 << 64);
    let (day, second) = (absolute.div_euclid(86_400), absolute.rem_euclid(86_400));
    // Count eras of 400 years from a first of March (Hinnant, "chrono-compatible low-level date
    // algorithms").
    let z = day + days_of_year_start(ZERO_YEAR) - days_of_year_start(0) - 60;
    let (era, in_era) = (z.div_euclid(DAYS_PER_ERA), z.rem_euclid(DAYS_PER_ERA));
    let year_of_era = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let day_of_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i128::from(month <= 2);
    let (sign, year) = (if year < 0 { "-" } else { "" }, year.abs());
    format!(
        "{sign}{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}{}Z",
        second / 3600,
        second / 60 % 60,
        second % 60,
        fraction(nanos)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_have_no_zeros_at_the_end() {
        assert_eq!(fraction(0), "");
        assert_eq!(fraction(120_000_000), ".12");
        assert_eq!(fraction(1), ".000000001");
    }

    #[test]
    fn utc_needs_no_calendar_library() {
        assert_eq!(utc(0, 0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(1_740_755_049, 123), "2025-02-28T15:04:09.000000123Z");
        assert_eq!(utc(-62_135_596_800, 0), "0001-01-01T00:00:00Z");
        assert_eq!(utc(951_782_400, 0), "2000-02-29T00:00:00Z");
        for seconds in (-60_000_000_000..250_000_000_000).step_by(777_777_777) {
            let zoned = Timestamp::new(seconds, 5).unwrap().to_zoned(TimeZone::UTC);
            assert_eq!(utc(seconds, 5), format(&zoned, 5), "{seconds}");
        }
    }
}
