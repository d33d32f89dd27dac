//! What Go's own reader says of a trace, from a process that stays.
//!
//! The process is `peer verdicts -` (`xtask/peer/main.go`): traces go in behind their lengths, one
//! line comes out for each. A panic of Go's reader is a verdict; what kills the process costs one
//! trace, and the next gets a new one.

use crate::outcome::{self, Outcome};
use gotrail_format::raw::RawReader;
use gotrail_format::{text, version};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::Duration;

/// How long the reference may take for one trace.
const LIMIT: Duration = Duration::from_secs(60);

/// The environment variable that names the program.
pub const PEER: &str = "GOTRAIL_PEER";

/// How the reading of a trace ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// At the end of the trace.
    Ok,
    /// At an error.
    Error,
    /// In a panic, of the reader or of the event's printing.
    Panic,
}

impl End {
    /// The word in the program's answers.
    pub fn word(self) -> &'static str {
        match self {
            End::Ok => "ok",
            End::Error => "error",
            End::Panic => "panic",
        }
    }

    /// The end that this word stands for.
    pub fn of(word: &str) -> Option<End> {
        [End::Ok, End::Error, End::Panic].into_iter().find(|end| end.word() == word)
    }

    /// The end that a reader must come to which never panics.
    pub fn without_panic(self) -> End {
        if self == End::Panic { End::Error } else { self }
    }
}

/// What came out of reading one form of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// How many events could be printed.
    pub events: u64,
    /// How it ended.
    pub end: End,
    /// The hash of the text of these events.
    pub hash: u64,
    /// The message of the error or panic. It counts for nothing in comparisons.
    pub message: String,
}

impl Reading {
    /// Whether ours is as it should be: the same, but for an error where the reference panics.
    fn is_met_by(&self, ours: &Reading) -> bool {
        (self.events, self.end.without_panic(), self.hash) == (ours.events, ours.end, ours.hash)
    }
}

/// What is said about a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The ordered events.
    pub parsed: Reading,
    /// The raw events.
    pub wire: Reading,
}

/// A trace that the reference reads: nothing but a header.
const PROBE: &[u8] = b"go 1.26 trace\0\0\0";

/// The running program.
#[derive(Debug)]
pub struct Reference {
    program: PathBuf,
    /// The process, what goes in, and the lines that come out.
    process: Option<(Child, ChildStdin, Receiver<String>)>,
}

impl Reference {
    /// A reference by this program, which is started when it is first needed.
    pub fn new(program: &Path) -> Reference {
        Reference { program: program.to_owned(), process: None }
    }

    /// What the reference says of a trace; none if it dies of it, or comes to no end.
    ///
    /// # Errors
    ///
    /// If the program cannot be started, or answers nothing at all.
    pub fn verdict(&mut self, trace: &[u8]) -> io::Result<Option<Verdict>> {
        if self.process.is_none() {
            let mut child = Command::new(&self.program)
                .args(["verdicts", "-"])
                .env("TZ", "UTC")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()?;
            let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
                unreachable!("pipes were asked for");
            };
            let (lines, answers) = mpsc::channel();
            thread::spawn(move || {
                let lines_read = BufReader::new(stdout).lines().map_while(Result::ok);
                lines_read.map(|line| lines.send(line)).take_while(Result::is_ok).count()
            });
            self.process = Some((child, stdin, answers));
        }
        let Some((_, stdin, answers)) = &mut self.process else { return Ok(None) };
        match ask(stdin, answers, trace) {
            Ok(verdict) => Ok(Some(verdict)),
            Err(error) => {
                self.end();
                // Whoever answers nothing does not die of this trace.
                if trace == PROBE {
                    return Err(error);
                }
                self.verdict(PROBE)?;
                Ok(None)
            }
        }
    }

    fn end(&mut self) {
        if let Some((mut child, stdin, _)) = self.process.take() {
            drop(stdin);
            // It may be gone already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        self.end();
    }
}

fn ask(stdin: &mut ChildStdin, answers: &Receiver<String>, trace: &[u8]) -> io::Result<Verdict> {
    stdin.write_all(&(trace.len() as u32).to_le_bytes())?;
    stdin.write_all(trace)?;
    stdin.flush()?;
    let line = answers.recv_timeout(LIMIT).map_err(io::Error::other)?;
    parse(&line).ok_or_else(|| io::Error::other(format!("{line:?} is no answer")))
}

fn parse(line: &str) -> Option<Verdict> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [_, a, b, c, d, e, f, why, wire_why] = fields[..] else { return None };
    let reading = |events: &str, end: &str, hash: &str, message: &str| {
        Some(Reading {
            events: events.parse().ok()?,
            end: End::of(end)?,
            hash: u64::from_str_radix(hash, 16).ok()?,
            message: message.to_owned(),
        })
    };
    Some(Verdict { parsed: reading(a, b, c, why)?, wire: reading(d, e, f, wire_why)? })
}

/// What our own readers say of a trace.
pub fn ours(trace: &[u8]) -> Verdict {
    let outcome = outcome::strict(trace);
    Verdict { parsed: of(&outcome), wire: wire(trace) }
}

fn of(outcome: &Outcome) -> Reading {
    Reading {
        events: outcome.events.len() as u64,
        end: if outcome.error.is_some() { End::Error } else { End::Ok },
        hash: outcome.hash(),
        message: outcome.message().unwrap_or_default(),
    }
}

fn wire(trace: &[u8]) -> Reading {
    let (mut lines, mut line) = (Vec::new(), Vec::new());
    let mut read = || -> Result<(), gotrail_format::raw::RawError> {
        let mut reader = RawReader::new(trace)?;
        while let Some(event) = reader.next()? {
            line.clear();
            text::write_event(&mut line, &event, text::Mode::Plain);
            lines.push(line.clone());
        }
        Ok(())
    };
    // The reference does not notice every cut.
    let error = read().err().filter(|error| !error.is_end_for_reference());
    Reading {
        events: lines.len() as u64,
        end: if error.is_some() { End::Error } else { End::Ok },
        hash: outcome::hash(lines.iter().map(Vec::as_slice)),
        message: error.map(|error| error.to_string()).unwrap_or_default(),
    }
}

/// What we say of a trace against what the reference says; none if both say the same. On some
/// broken traces, and of old ones with equal times, it says one thing or another, as it walks a
/// hash map in random order: then ours must be one of them, or, if it is not among 200, have as
/// many events and the same end. That is enough of any old trace.
///
/// # Errors
///
/// If the program cannot be started, or answers nothing at all.
pub fn difference(reference: &mut Reference, trace: &[u8]) -> io::Result<Option<String>> {
    let ours = ours(trace);
    // Traces before Go 1.22 have no raw events.
    let has_wire =
        version::read_header(trace).map_or(true, |(version, _)| version.has_generations());
    let wire_is_met = |theirs: &Verdict| !has_wire || theirs.wire.is_met_by(&ours.wire);
    let mut said = Vec::new();
    for _ in 0..200 {
        let Some(theirs) = reference.verdict(trace)? else { return Ok(None) };
        if theirs.parsed.is_met_by(&ours.parsed) && wire_is_met(&theirs) {
            return Ok(None);
        }
        if !said.contains(&theirs) {
            said.push(theirs);
        }
    }
    // Where it chooses many times, 200 answers are not all that it can give.
    let text_aside = |theirs: &Verdict| {
        let parsed = Reading { hash: ours.parsed.hash, ..theirs.parsed.clone() };
        parsed.is_met_by(&ours.parsed) && wire_is_met(theirs)
    };
    // And in an old trace that names strings it does not have, both put other texts in their place:
    // docs/format.md, section 15.4. `cargo xtask conformance` compares the text of old mutants.
    if (said.len() > 1 || !has_wire) && said.iter().any(text_aside) {
        return Ok(None);
    }
    Ok(Some(format!("reference: {said:#?}\nours: {ours:#?}")))
}

/// The program that [`differential`] asks.
static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();

/// From now on [`differential`] asks this program, unless it has asked before.
pub fn set_program(program: &Path) {
    // Whoever asked before goes on with what was asked.
    let _ = PROGRAM.set(Some(program.to_owned()));
}

/// The reference is asked about a trace, if [`PEER`] or [`set_program`] names its program.
pub fn differential(trace: &[u8]) {
    static REFERENCE: Mutex<Option<Reference>> = Mutex::new(None);
    let program = PROGRAM.get_or_init(|| std::env::var_os(PEER).map(PathBuf::from));
    let Some(program) = program else { return };
    // After a difference in another thread it is as good as before.
    let mut reference = REFERENCE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let reference = reference.get_or_insert_with(|| Reference::new(program));
    match difference(reference, trace) {
        Ok(None) => {}
        Ok(Some(difference)) => panic!("{difference}"),
        Err(error) => panic!("{program:?} does not answer: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_says_nothing_is_no_reference() {
        let mut silent = Reference::new(Path::new("true"));
        assert!(silent.verdict(b"go 1.22 trace\0\0\0").is_err());
        assert!(difference(&mut silent, PROBE).is_err());
    }
}
