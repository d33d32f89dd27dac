//! Scenarios: a small trace as text, and the events that Go's own reader delivers.
//!
//! A scenario is a file of three parts:
//!
//! ```text
//! The situation, in words.
//! -- trace --
//! Trace Go1.22
//! thread 7 gen=1 time=10
//! ProcStatus dt=1 p=0 pstatus=1
//! clock gen=1
//! -- events --
//! M=-1 P=-1 G=-1 Sync Time=1 N=1
//! -- end --
//! ok
//! ```
//!
//! The end is `ok`, or `error` with a part of our message. The trace has the events of the text
//! form, and these lines:
//!
//! | line | meaning |
//! |---|---|
//! | `thread M gen=N time=T` | begins a batch of the right size |
//! | `clock gen=N [time=T]` | a sync batch: a clock unit is a nanosecond |
//! | `strings gen=N a b …` | a batch of strings with the ids 1, 2, … |
//! | `bytes "…"` | these bytes |
//!
//! Numbers can be -1. With the environment variable `GOTRAIL_PEER`, a program that prints what
//! `go tool trace -d=parsed` does for `PROGRAM parsed FILE`, the expected events are written
//! anew; our own reader has no say in them.

use gotrail::Version;
use gotrail::format::raw::Accept;
use gotrail::format::{quote, text};
use std::path::PathBuf;
use std::process::Command;

/// One scenario.
pub struct Scenario {
    path: PathBuf,
    about: String,
    trace: String,
    pub events: String,
    pub end: String,
}

impl Scenario {
    /// Reads the scenario of this name in `tests/ordering`.
    pub fn load(name: &str) -> Scenario {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/ordering");
        let path = folder.join(name).with_extension("txt");
        let text = std::fs::read_to_string(&path).expect(name);
        let (about, rest) = text.split_once("-- trace --\n").expect("a trace");
        let (trace, rest) = rest.split_once("-- events --\n").expect("events");
        let (events, end) = rest.rsplit_once("-- end --\n").expect("an end");
        let [about, trace, events] = [about, trace, events].map(str::to_owned);
        let scenario = Scenario { path, about, trace, events, end: end.trim().to_owned() };
        match std::env::var("GOTRAIL_PEER") {
            Ok(peer) => scenario.write_anew(&peer),
            Err(_) => scenario,
        }
    }

    /// The bytes of the trace.
    pub fn bytes(&self) -> Vec<u8> {
        to_bytes(&self.trace)
    }

    fn write_anew(mut self, peer: &str) -> Scenario {
        let name =
            format!("gotrail-{}-{}", std::process::id(), self.path.file_name().unwrap().display());
        let file = std::env::temp_dir().join(name);
        std::fs::write(&file, self.bytes()).unwrap();
        let output = Command::new(peer).arg("parsed").arg(&file).env("TZ", "UTC").output().unwrap();
        std::fs::remove_file(&file).unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(!complaint.contains("goroutine 1 [running]"), "Go's reader panics: {complaint}");
        self.events = String::from_utf8(output.stdout).unwrap();
        match (output.status.success(), self.end.starts_with("error")) {
            (true, _) => self.end = "ok".into(),
            (false, true) => {}
            (false, false) => self.end = "error".into(),
        }
        if !output.status.success() {
            println!("{}: {complaint}", self.path.display());
        }
        let Scenario { about, trace, events, end, .. } = &self;
        let text = format!("{about}-- trace --\n{trace}-- events --\n{events}-- end --\n{end}\n");
        std::fs::write(&self.path, text).unwrap();
        self
    }
}

/// The bytes of a trace in the text of a scenario.
pub fn to_bytes(trace: &str) -> Vec<u8> {
    let (header, body) = trace.split_once('\n').expect("a header");
    let mut out = Builder { bytes: text::to_bytes(header).expect(header), ..Builder::default() };
    let version = text::TextReader::new(header.as_bytes()).expect(header).version();
    for line in body.lines() {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        match first {
            "thread" => out.begin(&format!("m={rest}")),
            "clock" => {
                let (generation, time) = rest.split_once(' ').unwrap_or((rest, "time=1"));
                out.begin(&format!("m=-1 {generation} {time}"));
                if version >= Version::Go125 {
                    out.line("Sync");
                    let now = &time["time=".len()..];
                    out.line("Frequency freq=1000000000");
                    out.line(&format!("ClockSnapshot dt=0 mono={now} sec={now} nsec=5"));
                } else {
                    out.line("Frequency freq=1000000000");
                }
            }
            "strings" => {
                let (generation, strings) = rest.split_once(' ').unwrap_or((rest, ""));
                out.begin(&format!("m=-1 {generation} time=1"));
                out.line("Strings");
                for (string, id) in strings.split(' ').zip(1..) {
                    out.line(&format!("String id={id}\n\tdata=\"{string}\""));
                }
            }
            "bytes" => {
                out.flush();
                out.payload.extend(quote::unquote(rest.as_bytes()).expect(line).iter());
            }
            "EventBatch" | "ExperimentalBatch" | "EndOfGeneration" => {
                out.end();
                out.line(line);
            }
            _ => out.line(line),
        }
    }
    out.end();
    out.bytes
}

#[derive(Default)]
struct Builder {
    bytes: Vec<u8>,
    /// The head of the batch, without its size.
    head: Option<String>,
    payload: Vec<u8>,
    /// Lines that are not yet part of the payload.
    lines: String,
}

impl Builder {
    fn line(&mut self, line: &str) {
        self.lines.push_str(&line.replace("=-1", "=18446744073709551615"));
        self.lines.push('\n');
    }

    fn flush(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        self.payload.extend(encode(&lines));
    }

    fn begin(&mut self, fields: &str) {
        self.end();
        let field = |name: &str| {
            let found = fields.split(' ').find_map(|field| field.strip_prefix(name));
            found.unwrap_or_else(|| panic!("{name} in {fields}"))
        };
        let (generation, thread, time) = (field("gen="), field("m="), field("time="));
        self.head = Some(format!("EventBatch gen={generation} m={thread} time={time}"));
    }

    fn end(&mut self) {
        self.flush();
        if let Some(head) = self.head.take() {
            let head = format!("{head} size={}\n", self.payload.len());
            self.bytes.extend(encode(&head.replace("=-1", "=18446744073709551615")));
        }
        self.bytes.append(&mut self.payload);
    }
}

/// The bytes of events in the text form, of any version.
fn encode(lines: &str) -> Vec<u8> {
    let all = format!("Trace Go1.26\n{lines}");
    let bytes = text::to_bytes_with(&all, Accept::All).unwrap_or_else(|e| panic!("{e}: {lines}"));
    bytes[Version::Go126.header().len()..].to_vec()
}
