//! `gotrail convert`: between the binary form of a trace and its text form.

use crate::commands::dump::raw_failure;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::target::{self, Encoder};
use crate::{Verdict, source};
use anyhow::{Context, Result};
use clap::ValueEnum;
use gotrail::format::Version;
use gotrail::format::raw::{Accept, RawEvent, RawStream, StreamError, push_event};
use gotrail::format::text::{self, Mode, TextError, TextErrorKind, TextReader};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  gotrail convert trace.out -o trace.txt
  gotrail convert trace.txt -o trace.out
  gotrail convert trace.out --to binary -o trace.out.zst
  gotrail convert trace.out.gz -o - | less

The text form has a line for each event, as the archives of Go's own tests. Numbers that the
trace encodes longer than needed stand in comments, so that text gives the same bytes again.";

/// How much is written at once.
const PIECE: usize = 256 << 10;
/// How much of the input is looked at to tell its form: comments may precede the first line.
const PEEK: u64 = 64 << 10;

/// Convert a trace of Go 1.22 or later to text, or text to a trace.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A trace or its text form, compressed or not; `-` is standard input.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The form to write [default: the one that IN is not in].
    #[arg(long, value_name = "FORM")]
    to: Option<Form>,
    #[command(flatten)]
    target: target::Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A line for each event.
    Text,
    /// What Go writes.
    Binary,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let name = source::name_of(&args.input);
    args.target.check()?;
    let progress = Progress::new(source::size_of(&args.input), args.target.is_stdout());
    let input = Watched { inner: source::open_bytes(&args.input)?, progress: &progress };
    let failed = |error| Failure::read(&name, "", &error);
    let mut input = source::decompressed(input).map_err(failed)?.1;
    let mut start = Vec::new();
    input.by_ref().take(PEEK).read_to_end(&mut start).map_err(failed)?;
    let from = form_of(&start);
    let input = BufReader::with_capacity(PIECE, io::Cursor::new(start).chain(input));
    let to = args.to.unwrap_or(match from {
        Form::Text => Form::Binary,
        Form::Binary => Form::Text,
    });

    let written = args.target.write(|out| {
        let mut sink = Sink::new(out);
        convert(&name, input, from, to, &mut sink)?;
        sink.finish().with_context(|| format!("cannot convert {name}"))
    });
    progress.finish();
    written?;
    Ok(Verdict::Fine)
}

/// Text begins with its header, white space and comments aside. Whatever else is taken for a
/// trace, and found to be none later.
fn form_of(start: &[u8]) -> Form {
    let lines = start.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.into_iter().find(|line| !line.is_empty() && !line.starts_with(b"#"));
    match first {
        Some(line) if is_text_header(line) => Form::Text,
        _ => Form::Binary,
    }
}

/// `Trace`, white space, `Go1.` and so on.
fn is_text_header(line: &[u8]) -> bool {
    let rest = line.strip_prefix(b"Trace").unwrap_or_default();
    rest.first().is_some_and(u8::is_ascii_whitespace) && rest.trim_ascii().starts_with(b"Go1.")
}

fn convert(
    name: &str,
    input: impl BufRead,
    from: Form,
    to: Form,
    out: &mut Sink<'_>,
) -> Result<()> {
    let broken = |error: TextError| text_failure(name, error);
    match from {
        Form::Text => {
            let mut reader = TextReader::with_accept(input, Accept::All).map_err(broken)?;
            out.header(to, reader.version());
            while let Some(event) = reader.next().map_err(broken)? {
                out.event(to, &event)?;
            }
        }
        Form::Binary => {
            let broken = |error| stream_failure(name, error);
            let mut reader = RawStream::with_accept(input, Accept::All).map_err(broken)?;
            out.header(to, reader.version());
            while let Some(event) = reader.next().map_err(broken)? {
                out.event(to, &event)?;
            }
        }
    }
    Ok(())
}

fn text_failure(name: &str, error: TextError) -> Failure {
    let line = error.line;
    match error.kind {
        TextErrorKind::Io(error) => Failure::read(name, &format!(" on at line {line}"), &error),
        kind => Failure::new(format!("{name}: line {line}: {kind}"))
            .next("correct that line; nothing was written"),
    }
}

fn stream_failure(name: &str, error: StreamError) -> Failure {
    match error {
        StreamError::Raw(error) => {
            let failure = raw_failure(name, &error);
            let next = failure.next.clone().unwrap_or_default();
            failure.next(format!("{next}; nothing was written"))
        }
        StreamError::Io { at, source } => {
            Failure::read(name, &format!(" on at offset {at}"), &source)
        }
        error => Failure::new(format!("{name}: {error}")),
    }
}

/// Forms events, and writes them in large pieces.
struct Sink<'a> {
    out: Encoder<'a>,
    buffer: Vec<u8>,
}

impl<'a> Sink<'a> {
    fn new(out: Encoder<'a>) -> Sink<'a> {
        Sink { out, buffer: Vec::with_capacity(2 * PIECE) }
    }

    fn header(&mut self, form: Form, version: Version) {
        match form {
            Form::Text => text::write_header(&mut self.buffer, version),
            Form::Binary => self.buffer.extend_from_slice(&version.header()),
        }
    }

    #[inline]
    fn event(&mut self, form: Form, event: &RawEvent<'_>) -> io::Result<()> {
        match form {
            Form::Text => text::write_event(&mut self.buffer, event, Mode::Exact),
            Form::Binary => push_event(&mut self.buffer, event),
        }
        if self.buffer.len() < PIECE { Ok(()) } else { self.write() }
    }

    fn write(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        self.write()?;
        self.out.finish()
    }
}

/// Tells the progress what passes.
struct Watched<'a> {
    inner: Box<dyn Read + Send>,
    progress: &'a Progress,
}

impl Read for Watched<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buf)?;
        self.progress.add(len as u64);
        Ok(len)
    }
}
