//! Explanations for people and programs: times by kind, stacks, and the tree of causes.

use crate::human;
use crate::paint::Paint;
use crate::times;
use gotrail::GoId;
use gotrail_analyze::path::{End, Kind, Kinds, Step, Wait};
use gotrail_analyze::{History, Names, StackId, StrId, Why};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// How many functions people are shown.
const FUNCTIONS: usize = 8;

/// How many kinds fit on a line.
const KINDS: usize = 4;

/// Writes explanations.
pub(crate) struct Teller<'a> {
    pub(crate) history: &'a History<'a>,
    pub(crate) paint: Paint,
    /// Whether people want to see all frames of stacks.
    pub(crate) stacks: bool,
}

/// What a kind of time is called.
pub(crate) fn kind(names: &Names, kind: Kind) -> String {
    match kind {
        Kind::Running => "running".to_owned(),
        Kind::Runnable => "runnable".to_owned(),
        Kind::Preempted => "preempted".to_owned(),
        Kind::Syscall => "syscall".to_owned(),
        Kind::GcAssist => "GC assist".to_owned(),
        Kind::StopTheWorld => "stop-the-world".to_owned(),
        Kind::Blocked(StrId::EMPTY) => "blocked".to_owned(),
        Kind::Blocked(reason) => format!("blocked: {}", names.string(reason)),
        Kind::NotExisting => "did not exist".to_owned(),
        // None is left in a finished explanation.
        _ => "unknown".to_owned(),
    }
}

/// Whether a function is the runtime's or a primitive's own, in which nobody looks for causes.
fn is_inner(function: &str) -> bool {
    let inner = ["runtime.", "sync.", "internal/", "syscall.", "time.", "runtime/", "iter."];
    inner.iter().any(|start| function.starts_with(start))
}

/// The frame of a stack that tells most: the innermost of the program's own.
pub(crate) fn place(names: &Names, stack: StackId) -> Option<String> {
    let text = |id| names.string(id).to_string();
    let own = names.stack(stack).find(|frame| !is_inner(&text(frame.function)));
    let frame = own.or_else(|| names.stack(stack).next())?;
    let file = text(frame.file);
    let short = file.rsplit('/').next().unwrap_or_default();
    Some(format!("{} {short}:{}", text(frame.function), frame.line))
}

/// The frames of a stack as JSON, innermost first.
pub(crate) fn stack_json(names: &Names, stack: StackId) -> Value {
    let text = |id| names.string(id).to_string();
    let frames = names.stack(stack).map(|frame| {
        json!({"function": text(frame.function), "file": text(frame.file), "line": frame.line})
    });
    frames.collect()
}

/// Times by kind as a JSON object of nanoseconds.
pub(crate) fn kinds_json(names: &Names, kinds: &Kinds) -> Value {
    let map = kinds.iter().map(|(one, nanos)| (kind(names, one), nanos.into()));
    Value::Object(map.collect::<Map<_, _>>())
}

/// Who could have ended a wait that no goroutine ended.
pub(crate) fn runtime(names: &Names, reason: Kind) -> &'static str {
    let Kind::Blocked(reason) = reason else { return "the runtime" };
    let reason = names.string(reason).to_string();
    match reason.as_str() {
        "sleep" => "a timer",
        "network" => "the network poller",
        reason if reason.starts_with("GC") => "the garbage collector",
        "" => "the runtime",
        _ => "the runtime (a timer or the network poller)",
    }
}

impl Teller<'_> {
    fn names(&self) -> &Names {
        &self.history.names
    }

    /// A goroutine with its function.
    pub(crate) fn goroutine(&self, go: GoId) -> String {
        let function = self.history.function(go).unwrap_or(StrId::EMPTY);
        format!("goroutine {go} {}", times::function(self.names(), function))
    }

    /// `1.503 ms after the start`.
    pub(crate) fn after(&self, time: i64) -> String {
        human::moment(time - self.history.start())
    }

    /// The longest kinds on one line.
    pub(crate) fn line(&self, kinds: &Kinds) -> String {
        let all = kinds.iter().count();
        let shown = kinds.iter().take(KINDS);
        let shown = shown
            .map(|(one, nanos)| format!("{} {}", kind(self.names(), one), human::duration(nanos)));
        let mut parts: Vec<_> = shown.collect();
        if all > KINDS {
            let rest: i64 = kinds.iter().skip(KINDS).map(|entry| entry.1).sum();
            parts.push(format!("other {}", human::duration(rest)));
        }
        parts.join(", ")
    }

    /// Each kind with its share of the whole.
    pub(crate) fn kinds(&self, out: &mut String, kinds: &Kinds) {
        let whole = kinds.total();
        let lines = kinds.iter().map(|(one, nanos)| {
            let share = human::percent(nanos as u64, whole as u64);
            (kind(self.names(), one), human::duration(nanos), share)
        });
        columns(out, lines.collect());
    }

    /// The functions on the path.
    pub(crate) fn functions(&self, out: &mut String, why: &Why) {
        let whole = why.total.total();
        let shown = why.functions.iter().take(FUNCTIONS).map(|(function, kinds)| {
            let nanos = kinds.total();
            let share = human::percent(nanos as u64, whole as u64);
            let name = times::function(self.names(), *function);
            (name, human::duration(nanos), format!("{share:>6}  {}", self.line(kinds)))
        });
        columns(out, shown.collect());
        if let Some(rest @ 1..) = why.functions.len().checked_sub(FUNCTIONS) {
            let _ = writeln!(out, "  and {}", human::counted(rest as u64, "more function"));
        }
    }

    /// What a goroutine did, its waits, and what ended these.
    pub(crate) fn tree(&self, out: &mut String, step: &Step) {
        let nanos = human::duration(step.until - step.from);
        let goroutine = self.paint.bold(self.goroutine(step.go));
        let _ = writeln!(out, "{goroutine}: {nanos}{}", self.own(step));
        self.waits(out, step, "");
    }

    fn own(&self, step: &Step) -> String {
        let line = self.line(&step.own);
        if line.is_empty() { ", all of it waiting".to_owned() } else { format!(": {line}") }
    }

    fn waits(&self, out: &mut String, step: &Step, indent: &str) {
        let more = step.more.0 > 0;
        for (number, wait) in step.waits.iter().enumerate() {
            let last = !more && number + 1 == step.waits.len();
            let (branch, below) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let _ = write!(out, "{indent}{branch}");
            self.wait(out, wait, &format!("{indent}{below}"));
        }
        if more && step.waits.is_empty() {
            let (count, nanos) = (human::counted(step.more.0, "wait"), step.more.1);
            let nanos = human::duration(nanos);
            let _ = writeln!(
                out,
                "{indent}└─ {count}, {nanos} together; `gotrail why --depth N` goes on"
            );
        } else if more {
            let (count, nanos) = (human::counted(step.more.0, "more wait"), step.more.1);
            let _ = writeln!(out, "{indent}└─ and {count}, {} together", human::duration(nanos));
        }
    }

    fn wait(&self, out: &mut String, wait: &Wait, indent: &str) {
        let names = self.names();
        let what = self.paint.yellow(kind(names, wait.kind));
        let (nanos, after) = (human::duration(wait.nanos()), self.after(wait.from));
        let _ = writeln!(out, "{nanos} {what}, from {after} on{}", self.place(wait.stack));
        self.frames(out, wait.stack, indent);
        match &wait.end {
            End::Nothing if wait.kind == Kind::NotExisting => {
                let _ = writeln!(out, "{indent}it had ended before");
            }
            End::Nothing => {
                let _ = writeln!(out, "{indent}did not end by then");
            }
            End::Runtime => {
                let _ = writeln!(out, "{indent}ended by {}", runtime(names, wait.kind));
            }
            End::Goroutine { stack, meanwhile } => {
                let did = if wait.kind == Kind::NotExisting { "created" } else { "ended" };
                let go = self.paint.bold(self.goroutine(meanwhile.go));
                let _ = writeln!(out, "{indent}{did} by {go}{}", self.place(*stack));
                self.frames(out, *stack, indent);
                let _ = writeln!(out, "{indent}which had meanwhile{}", self.own(meanwhile));
                self.waits(out, meanwhile, indent);
            }
        }
    }

    fn place(&self, stack: StackId) -> String {
        match place(self.names(), stack) {
            Some(place) if !self.stacks => format!(", at {place}"),
            _ => String::new(),
        }
    }

    fn frames(&self, out: &mut String, stack: StackId, indent: &str) {
        if self.stacks {
            self.stack(out, stack, indent);
        }
    }

    /// All frames of a stack.
    pub(crate) fn stack(&self, out: &mut String, stack: StackId, indent: &str) {
        for frame in self.names().stack(stack) {
            let text = |id| self.names().string(id);
            let (function, file) = (text(frame.function), text(frame.file));
            let _ = writeln!(out, "{indent}  {function} {file}:{}", frame.line);
        }
    }

    /// An explanation as JSON.
    pub(crate) fn json(&self, why: &Why) -> Value {
        let names = self.names();
        let text = |id| names.string(id).to_string();
        let function = |go| self.history.function(go).map(text);
        let functions = why.functions.iter().map(|(function, kinds)| {
            let kinds_of = kinds_json(names, kinds);
            json!({"function": text(*function), "nanos": kinds.total(), "kinds": kinds_of})
        });
        let path = why.pieces.iter().map(|piece| {
            json!({
                "from": piece.from, "until": piece.until, "kind": kind(names, piece.kind),
                "goroutine": piece.go.0, "function": function(piece.go),
            })
        });
        json!({
            "goroutine": why.step.go.0,
            "function": function(why.step.go),
            "from": why.step.from,
            "until": why.step.until,
            "nanos": why.step.until - why.step.from,
            "kinds": kinds_json(names, &why.total),
            "functions": functions.collect::<Value>(),
            "path": path.collect::<Value>(),
            "path_pieces": why.piece_count,
            "causes": self.step_json(&why.step),
        })
    }

    fn step_json(&self, step: &Step) -> Value {
        let names = self.names();
        json!({
            "goroutine": step.go.0,
            "function": self.history.function(step.go).map(|id| names.string(id).to_string()),
            "from": step.from,
            "until": step.until,
            "own": kinds_json(names, &step.own),
            "others": kinds_json(names, &step.others),
            "waits": step.waits.iter().map(|wait| self.wait_json(wait)).collect::<Value>(),
            "more_waits": step.more.0,
            "more_waits_nanos": step.more.1,
        })
    }

    /// A wait as JSON.
    pub(crate) fn wait_json(&self, wait: &Wait) -> Value {
        let names = self.names();
        let (by, stack, meanwhile) = match &wait.end {
            End::Nothing => (Value::Null, Value::Null, Value::Null),
            End::Runtime => (runtime(names, wait.kind).into(), Value::Null, Value::Null),
            End::Goroutine { stack, meanwhile } => {
                ("goroutine".into(), stack_json(names, *stack), self.step_json(meanwhile))
            }
        };
        json!({
            "from": wait.from,
            "until": wait.until,
            "nanos": wait.nanos(),
            "kind": kind(names, wait.kind),
            "stack": stack_json(names, wait.stack),
            "ended_by": by,
            "ended_stack": stack,
            "meanwhile": meanwhile,
        })
    }
}

/// Lines of three columns, the second to the right.
pub(crate) fn columns(out: &mut String, lines: Vec<(String, String, String)>) {
    let width = |cell: fn(&(String, String, String)) -> &String| {
        lines.iter().map(|line| cell(line).chars().count()).max().unwrap_or(0)
    };
    let (first, second) = (width(|line| &line.0), width(|line| &line.1));
    for (a, b, c) in &lines {
        let line = format!("  {a:first$}  {b:>second$}  {c}");
        let _ = writeln!(out, "{}", line.trim_end());
    }
}
