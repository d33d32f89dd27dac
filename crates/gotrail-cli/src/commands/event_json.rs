//! An event as one line of JSON, everything named.

use crate::json::{self, Object};
use gotrail::{Details, Event, GoId, Kind, ProcId, Scope, Stack};
use jiff::Timestamp;
use std::collections::HashMap;
use std::io::Write;
use std::ops::Range;

/// Writes events. Stacks come again and again: each is made once in a generation.
#[derive(Default)]
pub(crate) struct Writer {
    /// Where the JSON of a stack lies in `text`.
    stacks: HashMap<u64, Range<usize>>,
    text: Vec<u8>,
}

impl Writer {
    /// Appends an event and a new line.
    pub(crate) fn write_event(&mut self, out: &mut Vec<u8>, event: &Event<'_>) {
        // Each generation begins with a sync.
        if event.kind() == Kind::Sync {
            self.stacks.clear();
            self.text.clear();
        }
        write_event(out, event, self);
    }

    fn stack(&mut self, line: &mut Object<'_>, name: &str, stack: Option<Stack<'_>>) {
        let Some(stack) = stack else { return line.null(name) };
        let range = self.stacks.entry(stack.id()).or_insert_with(|| {
            let start = self.text.len();
            write_stack(&mut self.text, stack);
            start..self.text.len()
        });
        line.key(name).extend_from_slice(&self.text[range.clone()]);
    }
}

fn write_event(out: &mut Vec<u8>, event: &Event<'_>, stacks: &mut Writer) {
    let mut line = Object::new(out);
    line.number("time", event.time().0);
    wall(&mut line, event.wall_clock());
    line.string("kind", event.kind().name());
    line.number_or_null("generation", event.generation());
    line.number_or_null("thread", event.thread().some().map(|thread| thread.0));
    line.number_or_null("proc", event.proc().some().map(|proc| proc.0));
    line.number_or_null("goroutine", event.goroutine().some().map(|go| go.0));
    details(&mut line, event, stacks);
    stacks.stack(&mut line, "stack", event.stack());
    drop(line);
    out.push(b'\n');
}

fn details(line: &mut Object<'_>, event: &Event<'_>, stacks: &mut Writer) {
    match event.details() {
        Details::Sync(sync) => {
            line.number("number", sync.number);
            match sync.clock {
                Some(clock) => {
                    let mut object = line.object("clock");
                    object.number("trace", clock.trace.0);
                    object.number("monotonic", clock.mono);
                    wall(&mut object, Some(clock.wall_at(clock.trace)));
                }
                None => line.null("clock"),
            }
            line.objects("experimental_batches", sync.experimental_batches(), |object, batch| {
                object.string("experiment", batch.experiment.name().unwrap_or_default());
                object.number("thread", batch.thread.0);
                object.number("bytes", batch.data.len());
            });
        }
        Details::Metric(metric) => {
            line.string("name", metric.name);
            line.number("value", metric.value);
        }
        Details::Label(label) => {
            line.bytes("label", label.label);
            scope(line, Scope::Go(label.go));
        }
        Details::Range(range) => {
            match range.name {
                gotrail::RangeName::StopTheWorld(reason) => {
                    line.string("name", "stop-the-world");
                    line.bytes("reason", reason);
                }
                gotrail::RangeName::GcMark => line.string("name", "GC concurrent mark phase"),
                gotrail::RangeName::GcSweep => line.string("name", "GC incremental sweep"),
                gotrail::RangeName::GcMarkAssist => line.string("name", "GC mark assist"),
            }
            scope(line, range.scope);
            if let Some((swept, reclaimed)) = range.swept {
                line.number("bytes_swept", swept);
                line.number("bytes_reclaimed", reclaimed);
            }
        }
        Details::Task(task) => {
            line.number("task", task.id.0);
            line.number_or_null("parent", task.parent.some().map(|parent| parent.0));
            line.bytes("name", task.name);
        }
        Details::Region(region) => {
            line.number("task", region.task.0);
            line.bytes("name", region.name);
        }
        Details::Log(log) => {
            line.number("task", log.task.0);
            line.bytes("category", log.category);
            line.bytes("message", log.message);
        }
        Details::Goroutine(change) => {
            scope(line, Scope::Go(change.go));
            line.string("from", change.from.name());
            line.string("to", change.to.name());
            line.bytes("reason", change.reason);
            stacks.stack(line, "transition_stack", change.stack);
        }
        Details::Proc(change) => {
            scope(line, Scope::Proc(change.proc));
            line.string("from", change.from.name());
            line.string("to", change.to.name());
        }
        Details::Experimental(experimental) => {
            line.string("name", experimental.name);
            line.string("experiment", experimental.experiment.name().unwrap_or_default());
            let mut args = line.object("args");
            for (name, value) in experimental.args() {
                args.number(name, value);
            }
        }
        // A stack sample has its stack and nothing else; what is new one day has its names above.
        _ => {}
    }
}

fn scope(line: &mut Object<'_>, scope: Scope) {
    let (name, id) = match scope {
        Scope::Global => ("global", None),
        Scope::Go(GoId(id)) => ("goroutine", Some(id)),
        Scope::Proc(ProcId(id)) => ("proc", Some(id)),
    };
    line.string("scope", name);
    line.number_or_null("scope_id", id);
}

fn write_stack(out: &mut Vec<u8>, stack: Stack<'_>) {
    json::array(out, stack.frames(), |object, frame| {
        object.bytes("function", frame.function);
        object.bytes("file", frame.file);
        object.number("line", frame.line);
        object.number("pc", frame.pc);
    });
}

/// A time on the wall clock, in UTC; null if there is none that a calendar knows.
fn wall(object: &mut Object<'_>, nanos: Option<i128>) {
    match nanos.and_then(|nanos| Timestamp::from_nanosecond(nanos).ok()) {
        Some(time) => write!(object.key("wall"), "\"{time:.9}\"").unwrap_or_default(),
        None => object.null("wall"),
    }
}
