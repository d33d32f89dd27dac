//! Plots as SVG, for a page that needs nothing else.

use std::fmt::Write;

/// How an axis counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    Linear,
    /// Every power of ten is equally far from the next.
    Log,
}

/// One line of a plot.
pub(crate) struct Series {
    /// What it is.
    pub(crate) name: &'static str,
    /// Points in the order of x.
    pub(crate) points: Vec<(f64, f64)>,
    /// Whether the area below is filled.
    pub(crate) filled: bool,
}

/// A plot with one or more lines over the same axes.
pub(crate) struct Plot {
    /// What is on the axes, said below the plot.
    pub(crate) caption: &'static str,
    pub(crate) x: Scale,
    /// How a number on the x axis is written.
    pub(crate) x_text: fn(f64) -> String,
    /// How a number on the y axis is written; it begins at 0.
    pub(crate) y_text: fn(f64) -> String,
    pub(crate) series: Vec<Series>,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 70.0;
const BOTTOM: f64 = 24.0;
const TOP: f64 = 22.0;
const RIGHT: f64 = 12.0;

/// Classes of the style sheet, which has colours for light and for dark pages.
const CLASSES: [&str; 3] = ["a", "b", "c"];

impl Plot {
    /// The plot as an SVG element; nothing where there is nothing to show.
    pub(crate) fn svg(&self) -> String {
        let points = || self.series.iter().flat_map(|series| &series.points);
        if points().count() < 2 {
            return String::new();
        }
        let place = |x: f64| if self.x == Scale::Log { x.max(1e-9).log10() } else { x };
        let least = points().map(|point| place(point.0)).fold(f64::INFINITY, f64::min);
        let most = points().map(|point| place(point.0)).fold(f64::NEG_INFINITY, f64::max);
        let high = points().map(|point| point.1).fold(0.0, f64::max);
        let high = if high > 0.0 { high * 1.05 } else { 1.0 };
        let span = if most > least { most - least } else { 1.0 };
        let x = |value: f64| LEFT + (place(value) - least) / span * (WIDTH - LEFT - RIGHT);
        let y = |value: f64| HEIGHT - BOTTOM - value / high * (HEIGHT - BOTTOM - TOP);
        let mut out = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            self.caption
        );
        for line in 0..=4 {
            let value = high / 1.05 * f64::from(line) / 4.0;
            let at = y(value);
            let text = (self.y_text)(value);
            let _ = write!(
                out,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                at + 4.0,
            );
        }
        for mark in self.marks(least, most) {
            let (text, at) = ((self.x_text)(mark), x(mark));
            // The last one must not leave the picture.
            let anchor = if at > WIDTH - RIGHT - 20.0 { "end" } else { "middle" };
            let below = HEIGHT - 6.0;
            let _ = write!(
                out,
                "<text x=\"{at:.1}\" y=\"{below:.1}\" text-anchor=\"{anchor}\">{text}</text>",
            );
        }
        for (series, class) in self.series.iter().zip(CLASSES) {
            let mut path = String::new();
            for (i, &(at, value)) in series.points.iter().enumerate() {
                let move_or_line = if i == 0 { 'M' } else { 'L' };
                let _ = write!(path, "{move_or_line}{:.1} {:.1}", x(at), y(value));
            }
            if series.filled
                && let (Some(first), Some(last)) = (series.points.first(), series.points.last())
            {
                let (from, to, zero) = (x(first.0), x(last.0), y(0.0));
                let _ = write!(
                    out,
                    "<path class=\"{class} fill\" d=\"{path}L{to:.1} {zero:.1}L{from:.1} {zero:.1}Z\"/>"
                );
            }
            let _ = write!(out, "<path class=\"{class}\" d=\"{path}\"/>");
        }
        if self.series.len() > 1 {
            for (i, (series, class)) in self.series.iter().zip(CLASSES).enumerate() {
                let at = LEFT + 10.0 + 190.0 * i as f64;
                let _ = write!(
                    out,
                    "<path class=\"{class}\" d=\"M{at:.1} 10L{:.1} 10\"/>\
                     <text x=\"{:.1}\" y=\"14\">{}</text>",
                    at + 18.0,
                    at + 24.0,
                    series.name,
                );
            }
        }
        let _ = write!(out, "</svg><p class=\"caption\">{}</p>", self.caption);
        out
    }

    /// Where the x axis has numbers.
    fn marks(&self, least: f64, most: f64) -> Vec<f64> {
        if self.x == Scale::Log {
            let powers = least.ceil() as i32..=most.floor() as i32;
            return powers.map(|power| 10f64.powi(power)).collect();
        }
        (0..=5).map(|i| least + (most - least) * f64::from(i) / 5.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(points: Vec<(f64, f64)>) -> Plot {
        Plot {
            caption: "bytes over time",
            x: Scale::Log,
            x_text: |x| x.to_string(),
            y_text: |y| format!("{y:.1}"),
            series: vec![Series { name: "bytes", points, filled: true }],
        }
    }

    #[test]
    fn a_plot_spans_its_points() {
        let svg = plot(vec![(1.0, 0.0), (10.0, 2.0), (100.0, 1.0)]).svg();
        assert!(svg.contains(&format!("M{LEFT:.1} {:.1}", HEIGHT - BOTTOM)), "{svg}");
        for mark in [">1<", ">10<", ">100<", ">2.0<"] {
            assert!(svg.contains(mark), "{mark} in {svg}");
        }
        assert_eq!(plot(vec![(1.0, 1.0)]).svg(), "");
    }
}
