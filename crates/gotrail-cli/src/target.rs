//! Where a command's result goes: a file that appears only when it is complete, or standard output,
//! compressed or not.

use crate::failure::Failure;
use anyhow::{Context, Result};
use clap::ValueEnum;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What commands that write a file are told about it.
#[derive(clap::Args)]
pub(crate) struct Target {
    #[command(flatten)]
    place: Place,
    /// How to compress [default: by the ending of OUT, .gz or .zst].
    #[arg(long, value_name = "HOW")]
    compress: Option<Compress>,
}

/// Where a file is to be.
#[derive(clap::Args)]
pub(crate) struct Place {
    /// Where to write; `-` is standard output.
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Overwrite OUT if it exists.
    #[arg(long)]
    force: bool,
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

impl Place {
    /// The path as it was given.
    pub(crate) fn path(&self) -> &Path {
        &self.output
    }

    /// Whether the result goes to standard output.
    pub(crate) fn is_stdout(&self) -> bool {
        self.output.as_os_str() == "-"
    }

    /// Fails early if the file exists and must not be overwritten; pipes and devices never are.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if !self.is_stdout() && !self.force && self.output.is_file() {
            return Err(exists(&self.output));
        }
        Ok(())
    }

    /// Writes a small result. If that fails, a file stays what it was.
    pub(crate) fn write_all(&self, bytes: &[u8]) -> Result<()> {
        let mut target = Opened::open(&self.output)?;
        let out = target.writer();
        out.write_all(bytes)
            .and_then(|()| out.flush())
            .with_context(|| format!("cannot write {}", self.output.display()))?;
        target.keep(self)
    }
}

impl Target {
    /// Whether the result goes to standard output.
    pub(crate) fn is_stdout(&self) -> bool {
        self.place.is_stdout()
    }

    /// See [`Place::check`].
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.place.check()
    }

    /// Lets `fill` write the result. If it fails, a file stays what it was.
    pub(crate) fn write<T>(&self, fill: impl FnOnce(Encoder<'_>) -> Result<T>) -> Result<T> {
        let path = self.place.path();
        let mut target = Opened::open(path)?;
        let encoder = Encoder::new(target.writer(), self.compress())
            .with_context(|| format!("cannot write {}", path.display()))?;
        let result = fill(encoder)?;
        target.keep(&self.place)?;
        Ok(result)
    }

    fn compress(&self) -> Compress {
        self.compress.unwrap_or(match self.place.path().extension() {
            Some(ending) if ending == "gz" => Compress::Gzip,
            Some(ending) if ending == "zst" => Compress::Zstd,
            _ => Compress::None,
        })
    }
}

fn exists(path: &Path) -> Failure {
    Failure::new(format!("{}: the file exists", path.display()))
        .next("choose another name, or overwrite it with --force")
}

/// Where the result goes: a temporary file beside OUT that takes its place when it is complete.
enum Opened {
    Stdout(io::Stdout),
    /// Not a regular file: a pipe, a device.
    Special(File),
    Temporary(tempfile::NamedTempFile),
}

impl Opened {
    fn open(path: &Path) -> Result<Opened> {
        if path.as_os_str() == "-" {
            return Ok(Opened::Stdout(io::stdout()));
        }
        let cannot = || format!("cannot write {}", path.display());
        if path.is_dir() {
            let what = format!("{}: is a directory", path.display());
            return Err(Failure::new(what).next("name a file in it").into());
        }
        if fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
            let file = File::options().write(true).open(path).with_context(cannot)?;
            return Ok(Opened::Special(file));
        }
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        let mut builder = tempfile::Builder::new();
        builder.prefix(".gotrail-").suffix(".tmp");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let dir = dir.unwrap_or(Path::new("."));
        match builder.tempfile_in(dir) {
            Ok(file) => Ok(Opened::Temporary(file)),
            Err(error) => {
                // The error names the temporary file, of which nobody knows.
                let why = match error.kind() {
                    io::ErrorKind::NotFound => "there is no such directory".to_owned(),
                    other => other.to_string(),
                };
                let what = format!("{}: {}: {why}", cannot(), dir.display());
                Err(Failure::new(what)
                    .next("name a file in a directory that may be written")
                    .into())
            }
        }
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Opened::Stdout(stdout) => stdout,
            Opened::Special(file) => file,
            Opened::Temporary(file) => file,
        }
    }

    /// The result is complete.
    fn keep(self, args: &Place) -> Result<()> {
        let Opened::Temporary(file) = self else { return Ok(()) };
        // What a link points to is written, not the link.
        let path = &fs::canonicalize(&args.output).unwrap_or_else(|_| args.output.clone());
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

/// Compresses what is written; for large pieces.
pub(crate) enum Encoder<'a> {
    /// Not at all.
    Plain(&'a mut dyn Write),
    Gzip(flate2::write::GzEncoder<&'a mut dyn Write>),
    Zstd(zstd::stream::write::Encoder<'static, &'a mut dyn Write>),
}

impl<'a> Encoder<'a> {
    fn new(out: &'a mut dyn Write, compress: Compress) -> io::Result<Encoder<'a>> {
        Ok(match compress {
            Compress::None => Encoder::Plain(out),
            Compress::Gzip => {
                Encoder::Gzip(flate2::write::GzEncoder::new(out, flate2::Compression::default()))
            }
            Compress::Zstd => Encoder::Zstd(zstd::stream::write::Encoder::new(out, 0)?),
        })
    }

    fn inner(&mut self) -> &mut dyn Write {
        match self {
            Encoder::Plain(out) => out,
            Encoder::Gzip(out) => out,
            Encoder::Zstd(out) => out,
        }
    }

    /// Writes what is left.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Encoder::Plain(out) => out,
            Encoder::Gzip(out) => out.finish()?,
            Encoder::Zstd(out) => out.finish()?,
        }
        .flush()
    }
}

impl Write for Encoder<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner().flush()
    }
}
