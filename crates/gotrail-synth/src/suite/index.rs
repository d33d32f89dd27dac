//! The table of which cases there are for each rule, and the text of the cases.

use super::Case;
use crate::Expectation;
use std::collections::BTreeMap;
use std::fmt::Write;

/// How wide text is written.
const WIDTH: usize = 98;

/// The rules of order that docs/format.md has: number and title.
pub fn rules(format: &str) -> BTreeMap<u8, String> {
    let mut rules = BTreeMap::new();
    for part in format.split("- **O-").skip(1) {
        let text: Vec<_> = part.split("**").next().unwrap_or_default().split_whitespace().collect();
        let text = text.join(" ");
        if let Some((number, title)) = text.split_once(' ')
            && let Ok(number) = number.parse()
        {
            rules.insert(number, title.trim_end_matches('.').to_owned());
        }
    }
    rules
}

/// The README of `testdata/archives`; `format` is the text of docs/format.md.
pub fn readme(cases: &[Case], format: &str) -> String {
    let rules = rules(format);
    let mut text = format!(
        "# Archives\n\n{}\n",
        wrapped(&format!(
            "{} test traces, at least one for each rule of order in \
             [docs/format.md](../../docs/format.md#10-ordering-rules). `NAME.test` is the trace \
             with what it is about and what a reader should say to it, in the form of Go's own \
             test archives. `NAME.events` is what Go's reader delivers of it, as `go tool trace \
             -d=parsed` prints it in UTC: all events, or those before the error.",
            cases.len()
        ))
    );
    text.push_str(&wrapped(
        "Everything here is generated from `crates/gotrail-synth/src/suite`: change it there, then \
         run `cargo xtask archives --bless`. [docs/archives.md](../../docs/archives.md) says more. \
         To run them: `gotrail check-archive testdata/archives`.",
    ));
    text.push_str("\n## By rule\n\n| rule | | read to the end | refused |\n|---|---|---|---|\n");
    for (number, title) in &rules {
        let [good, bad] = [false, true].map(|refused| {
            let all = cases.iter().filter(|case| case.rules.contains(number));
            links(all.filter(|case| case.is_refused() == refused))
        });
        writeln!(text, "| O-{number} | {title} | {good} | {bad} |").unwrap_or_default();
    }
    text.push_str("\n## All\n\n| archive | |\n|---|---|\n");
    for case in cases {
        let about: Vec<_> = case.about.split_whitespace().collect();
        let refused = if case.is_refused() { " *Refused.*" } else { "" };
        writeln!(text, "| [{0}]({0}.test) | {1}{refused} |", case.name, about.join(" "))
            .unwrap_or_default();
    }
    text
}

impl Case {
    /// Whether a reader should refuse it.
    pub fn is_refused(&self) -> bool {
        let archive = self.trace.to_archive();
        archive.is_ok_and(|archive| matches!(archive.expectation, Expectation::Failure(_)))
    }
}

fn links<'a>(cases: impl Iterator<Item = &'a Case>) -> String {
    let links: Vec<_> = cases.map(|case| format!("[{0}]({0}.test)", case.name)).collect();
    links.join(", ")
}

/// The text in lines that are not too long.
pub(super) fn wrapped(text: &str) -> String {
    let (mut out, mut width) = (String::new(), 0);
    for word in text.split_whitespace() {
        let len = word.chars().count();
        if width > 0 && width + 1 + len > WIDTH {
            out.push('\n');
            width = 0;
        }
        if width > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += len;
    }
    out.push('\n');
    out
}
