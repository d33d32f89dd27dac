//! Events as `go tool trace -d=parsed` prints them, byte for byte.

use crate::details::{Details, Scope};
use crate::event::Event;
use crate::{ClockSnapshot, Frame, Kind, Stack, wall};
use gotrail_format::{EventType, quote};

/// Appends one event as the reference prints it, with a new line at its end. For many events use a
/// [`Writer`].
///
/// Names are bytes of the trace, so that the text need not be UTF-8. Wall-clock times are in the
/// system's time zone.
///
/// ```
/// # let trace = gotrail::Trace::from_bytes(gotrail::doc_trace())?;
/// # let mut reader = trace.reader(gotrail::Mode::Strict)?;
/// let event = reader.next_event()?.expect("a trace begins with a sync");
/// let mut text = Vec::new();
/// gotrail::text::write_event(&mut text, &event);
/// assert_eq!(text, b"M=-1 P=-1 G=-1 Sync Time=1 N=1\n");
/// # Ok::<(), gotrail::Error>(())
/// ```
pub fn write_event(out: &mut Vec<u8>, event: &Event<'_>) {
    write(out, event, wall::local, &mut |out, frames| {
        frames.frames().for_each(|frame| write_frame(out, frame));
    });
}

/// Writes many events as [`write_event`] does. Frames come again and again: the text of each is
/// made once in a generation.
#[derive(Debug, Default)]
pub struct Writer {
    /// The text of the frames of the current generation.
    text: Vec<u8>,
    /// The range of a frame's text, by the frame's place; empty if it was not made yet.
    frames: Vec<(u32, u32)>,
    /// Whether wall-clock times are in UTC.
    utc: bool,
}

impl Writer {
    /// Writes wall-clock times in UTC, for text that is compared with another machine's.
    pub fn utc() -> Writer {
        Writer { utc: true, ..Writer::default() }
    }

    /// Appends the event, with a new line at its end.
    pub fn write_event(&mut self, out: &mut Vec<u8>, event: &Event<'_>) {
        if event.kind() == Kind::Sync || self.text.len() > MOST_TEXT {
            self.text.clear();
            self.frames.clear();
        }
        let wall = if self.utc { wall::utc } else { wall::local };
        write(out, event, wall, &mut |out, stack| self.write_frames(out, stack));
    }

    fn write_frames(&mut self, out: &mut Vec<u8>, stack: Stack<'_>) {
        for &place in stack.places() {
            let at = place as usize;
            if at >= self.frames.len() {
                self.frames.resize(at + 1, (0, 0));
            }
            let (mut start, mut end) = self.frames[at];
            if start == end {
                start = self.text.len() as u32;
                write_frame(&mut self.text, stack.frame(place));
                end = self.text.len() as u32;
                self.frames[at] = (start, end);
            }
            out.extend_from_slice(&self.text[start as usize..end as usize]);
        }
    }
}

/// So much text of frames is kept at most, in bytes: names may be long.
const MOST_TEXT: usize = 64 << 20;

/// Appends the event; `wall` says a wall-clock time, and `frames` appends those of a stack.
fn write(
    out: &mut Vec<u8>,
    event: &Event<'_>,
    wall: fn(i64, u32) -> String,
    frames: &mut impl FnMut(&mut Vec<u8>, Stack<'_>),
) {
    context(out, event);
    let kind = event.kind();
    put(out, &[b" ", kind.name().as_bytes(), b" Time="]);
    signed(out, event.time().0);
    match event.details() {
        Details::Sync(sync) => {
            put(out, &[b" N="]);
            number(out, sync.number);
            if let Some(clock) = sync.clock {
                write_clock(out, &clock, wall);
            }
        }
        Details::Metric(metric) => {
            put(out, &[b" Name="]);
            quote::write_quoted(out, metric.name.as_bytes());
            put(out, &[b" Value="]);
            value(out, metric.value);
        }
        Details::Label(label) => {
            put(out, &[b" Label="]);
            quote::write_quoted(out, label.label);
            put(out, &[b" Resource="]);
            write_scope(out, Scope::Go(label.go));
        }
        Details::Range(range) => {
            put(out, &[b" Name="]);
            match range.name {
                crate::RangeName::StopTheWorld(reason) => {
                    let name = [&b"stop-the-world ("[..], reason, b")"].concat();
                    quote::write_quoted(out, &name);
                }
                name => quote::write_quoted(out, name.to_string().as_bytes()),
            }
            put(out, &[b" Scope="]);
            write_scope(out, range.scope);
            if kind == Kind::RangeEnd {
                put(out, &[b" Attributes=["]);
                if let Some((swept, reclaimed)) = range.swept {
                    put(out, &[b"\"bytes swept\"="]);
                    value(out, swept);
                    put(out, &[b" \"bytes reclaimed\"="]);
                    value(out, reclaimed);
                }
                out.push(b']');
            }
        }
        Details::Task(task) => {
            put(out, &[b" ID="]);
            number(out, task.id.0);
            put(out, &[b" Parent="]);
            number(out, task.parent.0);
            put(out, &[b" Type="]);
            quote::write_quoted(out, task.name);
        }
        Details::Region(region) => {
            put(out, &[b" Task="]);
            number(out, region.task.0);
            put(out, &[b" Type="]);
            quote::write_quoted(out, region.name);
        }
        Details::Log(log) => {
            put(out, &[b" Task="]);
            number(out, log.task.0);
            put(out, &[b" Category="]);
            quote::write_quoted(out, log.category);
            put(out, &[b" Message="]);
            quote::write_quoted(out, log.message);
        }
        Details::Goroutine(change) => {
            put(out, &[b" GoID="]);
            signed(out, change.go.0);
            put(out, &[b" ", change.from.name().as_bytes(), b"->", change.to.name().as_bytes()]);
            put(out, &[b" Reason="]);
            quote::write_quoted(out, change.reason);
            // A new goroutine's stack is announced even if the trace has none.
            let created = matches!(
                event.wire_type(),
                Some(EventType::GO_CREATE | EventType::GO_CREATE_BLOCKED)
            );
            write_stack(out, b"\nTransitionStack=\n", change.stack, created, frames);
        }
        Details::Proc(change) => {
            put(out, &[b" ProcID="]);
            signed(out, change.proc.0);
            put(out, &[b" ", change.from.name().as_bytes(), b"->", change.to.name().as_bytes()]);
            put(out, &[b" Reason=\"\""]);
        }
        Details::StackSample => {}
        Details::Experimental(experimental) => {
            put(out, &[b" Name=", experimental.name.as_bytes(), b" Args=["]);
            for (i, (name, arg)) in experimental.args().enumerate() {
                put(out, &[if i == 0 { b"" } else { b", " }, name.as_bytes(), b"="]);
                value(out, arg);
            }
            out.push(b']');
        }
    }
    let sample = kind == Kind::StackSample;
    write_stack(out, b"\nStack=\n", event.stack(), sample, frames);
    out.push(b'\n');
}

fn context(out: &mut Vec<u8>, event: &Event<'_>) {
    put(out, &[b"M="]);
    signed(out, event.thread().0);
    put(out, &[b" P="]);
    signed(out, event.proc().0);
    put(out, &[b" G="]);
    signed(out, event.goroutine().0);
}

fn write_clock(out: &mut Vec<u8>, clock: &ClockSnapshot, wall: fn(i64, u32) -> String) {
    put(out, &[b" Trace="]);
    signed(out, clock.trace.0);
    put(out, &[b" Mono="]);
    number(out, clock.mono);
    put(out, &[b" Wall=", wall(clock.wall_seconds, clock.wall_nanos).as_bytes()]);
}

fn write_scope(out: &mut Vec<u8>, scope: Scope) {
    match scope {
        Scope::Global => put(out, &[b"None"]),
        Scope::Go(id) => {
            put(out, &[b"Goroutine("]);
            signed(out, id.0);
            out.push(b')');
        }
        Scope::Proc(id) => {
            put(out, &[b"Proc("]);
            signed(out, id.0);
            out.push(b')');
        }
    }
}

fn write_stack(
    out: &mut Vec<u8>,
    head: &[u8],
    stack: Option<Stack<'_>>,
    always: bool,
    frames: &mut impl FnMut(&mut Vec<u8>, Stack<'_>),
) {
    if stack.is_some() || always {
        out.extend_from_slice(head);
    }
    if let Some(stack) = stack {
        frames(out, stack);
    }
}

fn write_frame(out: &mut Vec<u8>, frame: Frame<'_>) {
    put(out, &[b"\t", frame.function, b" @ 0x"]);
    hex(out, frame.pc);
    put(out, &[b"\n\t\t", frame.file, b":"]);
    number(out, frame.line);
    out.push(b'\n');
}

fn put(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(part);
    }
}

fn value(out: &mut Vec<u8>, value: u64) {
    put(out, &[b"Value{Uint64("]);
    number(out, value);
    put(out, &[b")}"]);
}

fn number(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn signed(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn hex(out: &mut Vec<u8>, value: u64) {
    let digits = (64 - (value | 1).leading_zeros()).div_ceil(4);
    for digit in (0..digits).rev() {
        out.push(b"0123456789abcdef"[(value >> (4 * digit)) as usize & 0xf]);
    }
}
