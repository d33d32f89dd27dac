//! `gotrail convert`: between the binary form of a trace and its text form.

use crate::commands::dump::raw_failure;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{Verdict, source};
use anyhow::{Context, Result};
use clap::ValueEnum;
use gotrail::format::Version;
use gotrail::format::raw::{Accept, RawEvent, RawStream, StreamError, push_event};
use gotrail::format::text::{self, Mode, TextError, TextErrorKind, TextReader};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

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

/// Convert a trace to text, or text to a trace.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A trace or its text form, compressed or not; `-` is standard input.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// Where to write; `-` is standard output.
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// The form to write [default: the one that IN is not in].
    #[arg(long, value_name = "FORM")]
    to: Option<Form>,
    /// How to compress [default: by the ending of OUT, .gz or .zst].
    #[arg(long, value_name = "HOW")]
    compress: Option<Compress>,
    /// Overwrite OUT if it exists.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A line for each event.
    Text,
    /// What Go writes.
    Binary,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Compress {
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
    /// Not at all.
    None,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let name = source::name_of(&args.input);
    let to_stdout = args.output.as_os_str() == "-";
    if !to_stdout && !args.force && args.output.exists() {
        return Err(exists(&args.output).into());
    }
    let progress = Progress::new(source::size_of(&args.input), to_stdout);
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

    let compress = args.compress.unwrap_or(match args.output.extension() {
        Some(ending) if ending == "gz" => Compress::Gzip,
        Some(ending) if ending == "zst" => Compress::Zstd,
        _ => Compress::None,
    });
    let mut target = Target::open(args)?;
    let written = {
        let sink = Sink::new(target.writer(), compress).and_then(|mut sink| {
            convert(&name, input, from, to, &mut sink)?;
            sink.finish()
        });
        sink.with_context(|| format!("cannot convert {name}"))
    };
    progress.finish();
    match written {
        Ok(()) => target.keep(args)?,
        Err(error) => return Err(undress(error)),
    }
    Ok(Verdict::Fine)
}

/// A failure speaks for itself.
fn undress(error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<Failure>() {
        Ok(failure) => failure.into(),
        Err(error) => error,
    }
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

fn exists(path: &Path) -> Failure {
    Failure::new(format!("{}: the file exists", path.display()))
        .next("choose another name, or overwrite it with --force")
}

/// Where the result goes: a temporary file beside OUT that takes its place when it is complete.
enum Target {
    Stdout(io::Stdout),
    /// Not a regular file: a pipe, a device.
    Special(File),
    Temporary(tempfile::NamedTempFile),
}

impl Target {
    fn open(args: &Args) -> Result<Target> {
        let path = &args.output;
        if path.as_os_str() == "-" {
            return Ok(Target::Stdout(io::stdout()));
        }
        let cannot = || format!("cannot write {}", path.display());
        if path.is_dir() {
            let what = format!("{}: is a directory", path.display());
            return Err(Failure::new(what).next("name a file in it").into());
        }
        if fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
            let file = File::options().write(true).open(path).with_context(cannot)?;
            return Ok(Target::Special(file));
        }
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        let mut builder = tempfile::Builder::new();
        builder.prefix(".gotrail-").suffix(".tmp");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(dir.unwrap_or(Path::new("."))).with_context(cannot)?;
        Ok(Target::Temporary(file))
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Target::Stdout(stdout) => stdout,
            Target::Special(file) => file,
            Target::Temporary(file) => file,
        }
    }

    /// The result is complete.
    fn keep(self, args: &Args) -> Result<()> {
        let Target::Temporary(file) = self else { return Ok(()) };
        let path = &args.output;
        let kept = if args.force { file.persist(path) } else { file.persist_noclobber(path) };
        match kept {
            Ok(_) => Ok(()),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                Err(exists(path).into())
            }
            Err(error) => {
                Err(error.error).with_context(|| format!("cannot write {}", path.display()))
            }
        }
    }
}

/// Forms events, compresses and writes them in large pieces.
struct Sink<'a> {
    out: Encoder<'a>,
    buffer: Vec<u8>,
}

enum Encoder<'a> {
    Plain(&'a mut dyn Write),
    Gzip(flate2::write::GzEncoder<&'a mut dyn Write>),
    Zstd(zstd::stream::write::Encoder<'static, &'a mut dyn Write>),
}

impl<'a> Sink<'a> {
    fn new(out: &'a mut dyn Write, compress: Compress) -> Result<Sink<'a>> {
        let out = match compress {
            Compress::None => Encoder::Plain(out),
            Compress::Gzip => {
                Encoder::Gzip(flate2::write::GzEncoder::new(out, flate2::Compression::default()))
            }
            Compress::Zstd => Encoder::Zstd(zstd::stream::write::Encoder::new(out, 0)?),
        };
        Ok(Sink { out, buffer: Vec::with_capacity(2 * PIECE) })
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
        let out: &mut dyn Write = match &mut self.out {
            Encoder::Plain(out) => out,
            Encoder::Gzip(out) => out,
            Encoder::Zstd(out) => out,
        };
        out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        self.write()?;
        match self.out {
            Encoder::Plain(out) => out,
            Encoder::Gzip(out) => out.finish()?,
            Encoder::Zstd(out) => out.finish()?,
        }
        .flush()?;
        Ok(())
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
