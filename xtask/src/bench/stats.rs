//! Medians and ranges of a few numbers.

/// The middle of some numbers, and how far they reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Summary {
    /// # Panics
    ///
    /// If there are no numbers.
    pub(crate) fn of(numbers: impl IntoIterator<Item = f64>) -> Summary {
        let mut numbers: Vec<f64> = numbers.into_iter().collect();
        numbers.sort_by(f64::total_cmp);
        let middle = numbers.len() / 2;
        let median = if numbers.len() % 2 == 1 {
            numbers[middle]
        } else {
            f64::midpoint(numbers[middle - 1], numbers[middle])
        };
        Summary { median, least: numbers[0], most: numbers[numbers.len() - 1] }
    }
}

/// A duration in seconds with a sensible unit.
pub(crate) fn seconds(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.1} ms", seconds * 1e3) } else { format!("{seconds:.2} s") }
}

/// A ratio without needless zeros.
pub(crate) fn factor(ratio: f64) -> String {
    let text = format!("{ratio:.2}");
    format!("{}x", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A number of bytes in millions.
pub(crate) fn megabytes(bytes: f64) -> String {
    format!("{:.1} MB", bytes / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_has_the_middle_and_the_ends() {
        let summary = |numbers: &[f64]| Summary::of(numbers.iter().copied());
        assert_eq!(summary(&[3.0, 1.0, 2.0]), Summary { median: 2.0, least: 1.0, most: 3.0 });
        assert_eq!(summary(&[4.0, 1.0]).median, 2.5);
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([10.0, 1.4, 1.0 / 1.2].map(factor), ["10x", "1.4x", "0.83x"]);
        assert_eq!([0.0123, 12.3].map(seconds), ["12.3 ms", "12.30 s"]);
        assert_eq!(megabytes(1_250_000.0), "1.2 MB");
    }
}
