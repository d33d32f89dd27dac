//! What a tolerant reader lost, as text.

use crate::failure;
use crate::human;
use crate::paint::Paint;
use gotrail::{Cause, Loss, Misuse, Place, Report, Time};
use std::fmt::Write as _;
use std::io::Write as _;

/// How many losses, and how many misuses, are shown one by one.
const SHOWN: usize = 20;
/// How many frames of a stack are shown.
const FRAMES: usize = 8;

/// One line: complete, or how much is missing.
pub(crate) fn verdict(paint: Paint, report: &Report, bytes: u64) -> String {
    if report.is_complete() {
        return paint.green("complete");
    }
    let mut parts = Vec::new();
    if !report.losses.is_empty() {
        let (lost, all) = (report.bytes_lost(), human::size(bytes));
        let (size, share) = (human::size(lost), human::percent(lost, bytes));
        let is_cut = |loss: &&Loss| loss.cause == Cause::CutOff && loss.bytes.end >= bytes;
        if report.losses.iter().any(|loss| is_cut(&loss)) {
            // How much is missing behind that, nobody knows.
            parts.push(format!("cut off after {all}"));
        }
        if lost > 0 || parts.is_empty() {
            parts.push(format!("{size} of {all} lost ({share})"));
        }
    }
    if report.unresolved > 0 {
        let events = human::counted(report.unresolved, "event");
        parts.push(format!("{events} without some of their strings or stacks"));
    }
    format!("{}, {}", paint.red("broken"), parts.join(", "))
}

/// How long something took, in the report's unit.
pub(crate) fn span(report: &Report, long: i64) -> String {
    if report.times_are_ticks {
        return human::counted(long.unsigned_abs(), "tick");
    }
    human::duration(long)
}

/// The losses and misuses, each in a few lines. Times count from `start`.
pub(crate) fn details(out: &mut String, paint: Paint, report: &Report, start: Time) {
    if report.times_are_ticks {
        line(
            out,
            0,
            "Times are ticks, not nanoseconds: the trace ends before it says how long a tick is",
        );
        out.push('\n');
    }
    if !report.losses.is_empty() {
        let number = report.losses.len() as u64 + report.more_losses;
        let title = human::counted(number, "loss").replace("losss", "losses");
        line(out, 0, &paint.bold(title));
        for (i, loss) in report.losses.iter().take(SHOWN).enumerate() {
            write_loss(out, report, loss, start, follows(&report.losses[..i], loss));
        }
        more(out, number, report.losses.len());
    }
    if !report.misuses.is_empty() {
        if !report.losses.is_empty() {
            out.push('\n');
        }
        let title = human::counted(report.misuse_count(), "misused annotation");
        let dropped = "dropped, everything else was kept";
        line(out, 0, &format!("{} ({dropped})", paint.bold(title)));
        for misuse in report.misuses.iter().take(SHOWN) {
            write_misuse(out, report, misuse, start);
        }
        more(out, report.misuse_count(), report.misuses.len());
    }
}

/// The whole report on standard error, if there is anything to report. `start` is the trace's, 0 if it
/// is not known.
pub(crate) fn to_stderr(name: &str, report: &Report, bytes: u64, start: Time) {
    if report.is_complete() && report.misuses.is_empty() {
        return;
    }
    let paint = Paint::stderr();
    let mut text = format!("{name}: {}\n", verdict(paint, report, bytes));
    details(&mut text, paint, report, start);
    // Nothing can be done if even this fails.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// A time after the start, and as the trace has it.
fn time(report: &Report, time: Time, start: Time) -> String {
    if start == Time(0) {
        return format!("time {time}");
    }
    if time <= start {
        return "the start".to_owned();
    }
    format!("{} after the start (time {time})", span(report, time.since(start)))
}

/// A place, without brackets.
pub(crate) fn place(place: Place) -> String {
    place.to_string().trim_start_matches(" (").trim_end_matches(')').to_owned()
}

/// Whether a loss follows from the lack of what was cut off of the same generation.
fn follows(before: &[Loss], loss: &Loss) -> bool {
    loss.cause == Cause::Damaged
        && loss.place.generation.is_some()
        && before.iter().any(|other| {
            other.cause == Cause::CutOff && other.place.generation == loss.place.generation
        })
}

fn write_loss(out: &mut String, report: &Report, loss: &Loss, start: Time, follows: bool) {
    line(out, 2, &format!("- {}", loss.reason));
    let place = place(loss.place);
    if !place.is_empty() {
        line(out, 4, &format!("where:  {place}"));
    }
    if loss.bytes_lost > 0 {
        let range = format!("{}..{}", human::count(loss.bytes.start), human::count(loss.bytes.end));
        let scattered = loss.bytes_lost < loss.bytes.end - loss.bytes.start;
        let how = if scattered { "between bytes" } else { "bytes" };
        line(out, 4, &format!("lost:   {}, {how} {range}", human::size(loss.bytes_lost)));
    }
    match (loss.from, loss.until) {
        (Some(from), Some(until)) => {
            let long = span(report, until.since(from));
            line(out, 4, &format!("when:   {long} from {}", time(report, from, start)));
        }
        (Some(from), None) => {
            line(out, 4, &format!("when:   from {} to the end", time(report, from, start)))
        }
        (None, Some(until)) if until > start => {
            line(out, 4, &format!("when:   before {}", time(report, until, start)))
        }
        _ => {}
    }
    let likely =
        if follows { "follows from what is cut off" } else { failure::explain(loss.cause) };
    line(out, 4, &format!("likely: {likely}"));
}

fn write_misuse(out: &mut String, report: &Report, misuse: &Misuse, start: Time) {
    line(out, 2, &format!("- {}", misuse.reason));
    line(out, 4, &format!("when:   {}", time(report, misuse.time, start)));
    line(out, 4, &format!("where:  {}", place(misuse.place)));
    for (function, file, number) in misuse.stack.iter().take(FRAMES) {
        line(out, 6, &format!("{function} {file}:{number}"));
    }
    if misuse.stack.len() > FRAMES {
        line(
            out,
            6,
            &format!("and {} more", human::counted((misuse.stack.len() - FRAMES) as u64, "frame")),
        );
    }
}

/// Says what is not shown: of `number` in all, `described` are known in detail.
fn more(out: &mut String, number: u64, described: usize) {
    let shown = described.min(SHOWN) as u64;
    if number > shown {
        let rest = human::count(number - shown);
        let json = if described > SHOWN { "; --json lists more of them" } else { "" };
        line(out, 2, &format!("and {rest} more{json}"));
    }
}

fn line(out: &mut String, indent: usize, text: &str) {
    writeln!(out, "{:indent$}{text}", "").unwrap_or_default();
}
