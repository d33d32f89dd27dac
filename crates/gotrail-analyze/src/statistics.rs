//! Whether two means differ by more than chance, and how many of many such differences are chance.
//!
//! Where the formulas come from:
//!
//! | what | source |
//! |---|---|
//! | [`compare`] | B. L. Welch, "The generalization of Student's problem when several different population variances are involved", Biometrika 34 (1947); with one value on a side J. R. Crawford and D. C. Howell, "Comparing an individual's test score against norms derived from small samples", The Clinical Neuropsychologist 12 (1998) |
//! | [`Estimate::of_series`] | G. V. Bayley and J. M. Hammersley, "The 'effective' number of independent observations in an autocorrelated time series", Supplement to the Journal of the Royal Statistical Society 8 (1946); the variance as in A. Zięba and P. Ramza, "Standard deviation of the mean of autocorrelated observations", Metrology and Measurement Systems 18 (2011); the bias of the correlation as in F. H. C. Marriott and J. A. Pope, "Bias in the estimation of autocorrelations", Biometrika 41 (1954) |
//! | [`discoveries`] | Y. Benjamini and Y. Hochberg, "Controlling the false discovery rate", Journal of the Royal Statistical Society B 57 (1995) |
//! | [`two_sided`] | NIST Digital Library of Mathematical Functions, 8.17.22 and 8.17.4 (the incomplete beta function), 5.11.1 (the gamma function) |

/// A mean, and how well it is known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// The square of the mean's standard error.
    pub error: f64,
    /// The degrees of freedom of `error`; 0 if it is not known.
    pub freedom: f64,
    /// Of how many values it is.
    pub values: usize,
}

impl Estimate {
    /// Of values that have nothing to do with each other.
    pub fn of_independent(values: &[f64]) -> Estimate {
        Estimate::with_size(values, values.len() as f64)
    }

    /// Of values that follow each other in time: neighbours that are alike say less.
    pub fn of_series(values: &[f64]) -> Estimate {
        let number = values.len() as f64;
        if values.len() < 4 {
            return Estimate::of_independent(values);
        }
        let mean = values.iter().sum::<f64>() / number;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let pairs = values.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean));
        let seen = if squares > 0.0 { pairs.sum::<f64>() / squares } else { 0.0 };
        // In a short series the correlation comes out too small.
        let correlation = ((seen + 1.0 / number) / (1.0 - 3.0 / number)).clamp(0.0, 0.99);
        let size = (number * (1.0 - correlation) / (1.0 + correlation)).max(2.0);
        Estimate::with_size(values, size)
    }

    /// Of values that say as much as `size` independent ones.
    fn with_size(values: &[f64], size: f64) -> Estimate {
        let number = values.len() as f64;
        let mean = if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / number };
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let freedom = (size - 1.0).max(0.0);
        let error = if freedom > 0.0 { squares / number / freedom } else { 0.0 };
        Estimate { mean, error, freedom, values: values.len() }
    }

    /// The same if the square of its error is known to be at least so large.
    pub fn at_least(self, error: f64) -> Estimate {
        Estimate { error: self.error.max(error), ..self }
    }
}

/// How many standard errors two means are apart, and how likely chance alone brings them so far
/// apart in either direction. None if nothing can be said: there is one value on each side, or
/// values do not differ at all.
pub fn compare(before: &Estimate, after: &Estimate) -> Option<(f64, f64)> {
    let single = |side: &Estimate| side.values == 1 && side.freedom == 0.0;
    let (error, freedom) = match (single(before), single(after)) {
        (true, true) => return None,
        // One value comes from a population that is known by its other side: it varies as one of
        // these does.
        (true, false) => (after.error * (after.values as f64 + 1.0), after.freedom),
        (false, true) => (before.error * (before.values as f64 + 1.0), before.freedom),
        (false, false) => {
            let part = |side: &Estimate| match side.freedom {
                0.0 => 0.0,
                freedom => side.error * side.error / freedom,
            };
            let (error, parts) = (before.error + after.error, part(before) + part(after));
            (error, if parts > 0.0 { error * error / parts } else { 0.0 })
        }
    };
    if error <= 0.0 || freedom <= 0.0 {
        return None;
    }
    let t = (after.mean - before.mean).abs() / error.sqrt();
    Some((t, two_sided(t, freedom)))
}

/// The probability that Student's t with so many degrees of freedom is at least so far from 0.
pub fn two_sided(t: f64, freedom: f64) -> f64 {
    if !t.is_finite() {
        return 0.0;
    }
    beta(freedom / (freedom + t * t), freedom / 2.0, 0.5).clamp(0.0, 1.0)
}

/// The regularized incomplete beta function.
fn beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges quickly on one side of the mean; the other is its mirror.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta(1.0 - x, b, a);
    }
    let ends = a * x.ln() + b * (1.0 - x).ln() - ln_gamma(a) - ln_gamma(b) + ln_gamma(a + b);
    // From the inside out. On this side of the mean so many terms are more than enough.
    let terms = 40 + (8.0 * (a + b).sqrt()).min(1e4) as u32;
    let mut fraction = 1.0;
    for term in (1..=terms).rev() {
        let m = f64::from(term / 2);
        let d = match term % 2 {
            0 => m * (b - m) / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            _ => -(a + m) * (a + b + m) / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        };
        fraction = 1.0 + d * x / fraction;
    }
    ends.exp() / a / fraction
}

/// The logarithm of the gamma function, for arguments above 0: Stirling's series.
fn ln_gamma(x: f64) -> f64 {
    // Below 10 the series is not precise.
    if x < 10.0 {
        return ln_gamma(x + 1.0) - x.ln();
    }
    let square = 1.0 / (x * x);
    let series = (1.0 / 12.0 - square * (1.0 / 360.0 - square / 1260.0)) / x;
    (x - 0.5) * x.ln() - x + (2.0 * std::f64::consts::PI).ln() / 2.0 + series
}

/// The largest probability that still counts as a discovery, if of all that count at most the
/// share `rate` may be chance. Probabilities in any order; 0 if none counts.
pub fn discoveries(probabilities: &[f64], rate: f64) -> f64 {
    let mut sorted = probabilities.to_vec();
    sorted.sort_by(f64::total_cmp);
    let number = sorted.len() as f64;
    let places = sorted.iter().enumerate();
    let mut kept = places.filter(|(at, p)| **p <= rate * (*at as f64 + 1.0) / number);
    kept.next_back().map_or(0.0, |(_, p)| *p)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of tables of Student's distribution.
    #[test]
    fn students_distribution_is_that_of_the_tables() {
        for (t, freedom, p) in [
            (12.706, 1.0, 0.05),
            (636.619, 1.0, 0.001),
            (4.303, 2.0, 0.05),
            (2.776, 4.0, 0.05),
            (8.610, 4.0, 0.001),
            (2.228, 10.0, 0.05),
            (3.291, 100_000.0, 0.001),
            (0.0, 5.0, 1.0),
        ] {
            let found = two_sided(t, freedom);
            assert!((found / p - 1.0).abs() < 2e-3, "{t} {freedom}: {found}, not {p}");
        }
        assert!(two_sided(1e9, 30.0) < 1e-100);
        // With one degree of freedom it is Cauchy's, with two it has a simple form.
        for t in [0.01, 0.5, 1.0, 3.0, 50.0f64] {
            let one = 1.0 - 2.0 * t.atan() / std::f64::consts::PI;
            assert!((two_sided(t, 1.0) - one).abs() < 1e-9, "{t}");
            let two = 1.0 - t / (2.0 + t * t).sqrt();
            assert!((two_sided(t, 2.0) - two).abs() < 1e-9, "{t}");
        }
    }

    #[test]
    fn few_values_say_little_and_one_says_how_it_fits_the_others() {
        let few = Estimate::of_independent(&[10.0, 11.0, 12.0]);
        let (t, p) = compare(&few, &Estimate::of_independent(&[12.0, 13.0, 14.0])).unwrap();
        // As scipy.stats.ttest_ind(equal_var=False) has it.
        assert!((t - 2.449).abs() < 1e-3 && (p - 0.0705).abs() < 1e-3, "{t} {p}");
        let one = Estimate::of_independent(&[13.0]);
        let (t, p) = compare(&few, &one).unwrap();
        assert!((t - 2.0 / (4.0f64 / 3.0).sqrt()).abs() < 1e-9 && p > 0.2, "{t} {p}");
        assert_eq!(compare(&one, &one), None);
    }

    #[test]
    fn neighbours_that_are_alike_say_less() {
        let apart: Vec<f64> = (0..16).map(|at| f64::from(at % 2)).collect();
        let alike: Vec<f64> = (0..16).map(|at| f64::from(at / 8)).collect();
        let (apart, alike) = (Estimate::of_series(&apart), Estimate::of_series(&alike));
        assert_eq!(apart.freedom, 15.0);
        assert!(alike.freedom == 1.0, "{alike:?}");
        assert!(alike.error > 5.0 * apart.error, "{alike:?}");
    }

    #[test]
    fn of_many_comparisons_only_those_that_stand_out_count() {
        assert_eq!(discoveries(&[0.01, 0.02, 0.03, 0.5], 0.05), 0.03);
        assert_eq!(discoveries(&[0.04; 10], 0.05), 0.04);
        let mut many = vec![0.5; 100];
        many[3] = 0.01;
        assert_eq!(discoveries(&many, 0.05), 0.0);
        many[3] = 1e-5;
        assert_eq!(discoveries(&many, 0.05), 1e-5);
        assert_eq!(discoveries(&[], 0.05), 0.0);
    }
}
