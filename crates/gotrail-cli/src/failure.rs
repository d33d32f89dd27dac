//! Errors for people: what is wrong, where, why it is likely, and what to do next.

use gotrail::format::version::HeaderError;
use gotrail::{Cause, Error, Fault};
use std::fmt;
use std::io;
use std::path::Path;

/// The command was called in a wrong way, as clap would say: options that do not go together, or
/// values that only the trace shows to be wrong.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// Returns with [`Usage`].
macro_rules! wrong_usage {
    ($($text:tt)*) => {
        return Err($crate::failure::Usage(format!($($text)*)).into())
    };
}
pub(crate) use wrong_usage;

/// Something that stops a command.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The file, what is wrong with it and where.
    pub(crate) what: String,
    /// The likely cause.
    pub(crate) likely: Option<String>,
    /// What to do next.
    pub(crate) next: Option<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(likely) = &self.likely {
            write!(f, "\n  likely cause: {likely}")?;
        }
        if let Some(next) = &self.next {
            write!(f, "\n  next: {next}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

impl Failure {
    /// A failure without further advice.
    pub(crate) fn new(what: impl Into<String>) -> Failure {
        Failure { what: what.into(), likely: None, next: None }
    }

    /// With advice.
    pub(crate) fn next(self, next: impl Into<String>) -> Failure {
        Failure { next: Some(next.into()), ..self }
    }

    /// A file that cannot be opened.
    pub(crate) fn open(path: &Path, error: &io::Error) -> Failure {
        let name = path.display();
        match error.kind() {
            io::ErrorKind::NotFound => Failure::new(format!("{name}: there is no such file"))
                .next("check the name; `go test -trace=trace.out` records a trace"),
            io::ErrorKind::PermissionDenied => {
                Failure::new(format!("{name}: permission denied")).next("check who may read it")
            }
            _ => Failure::new(format!("{name}: cannot open it: {error}")),
        }
    }

    /// An input that fails while it is read; `place` is where.
    pub(crate) fn read(name: &str, place: &str, error: &io::Error) -> Failure {
        let cut_off = error.kind() == io::ErrorKind::UnexpectedEof;
        let likely = cut_off.then(|| "the file is cut off: its copy is incomplete".to_owned());
        let next = Some(format!("`gotrail info {}` shows what can still be read", quoted(name)));
        Failure { what: format!("{name}: cannot read{place}: {error}"), likely, next }
    }

    /// A directory where a trace should be.
    pub(crate) fn directory(path: &Path) -> Failure {
        let name = path.display();
        Failure::new(format!("{name}: is a directory, not a trace"))
            .next(format!("name the files in it, as in `gotrail validate {name}/*`"))
    }

    /// A trace that is broken.
    pub(crate) fn broken(name: &str, error: &Error) -> Failure {
        let likely = match error.fault() {
            Fault::Header(_) | Fault::Unsupported(_) => None,
            fault => Some(explain(fault.cause())),
        };
        Failure {
            what: describe(name, error),
            likely: likely.map(str::to_owned),
            next: Some(advice(name, error)),
        }
    }
}

/// What is wrong and where, in one line.
fn describe(name: &str, error: &Error) -> String {
    match error.fault() {
        Fault::Header(HeaderError::CutOff(0)) => format!("{name}: is empty"),
        Fault::Header(HeaderError::CutOff(len)) => {
            format!("{name}: ends inside the header of the trace, after {len} bytes")
        }
        Fault::Header(HeaderError::NotATrace) => {
            format!("{name}: is not a Go execution trace: it does not begin with \"go 1.N trace\"")
        }
        Fault::Unsupported(version) => {
            format!("{name}: is a trace of format {version}; this needs one of 1.22 or later")
        }
        _ => format!("{name}: {error}"),
    }
}

/// The cause in more words.
pub(crate) fn explain(cause: Cause) -> &'static str {
    match cause {
        Cause::CutOff => {
            "the trace is cut off: the program ended before it stopped tracing, or the copy of \
             the file is incomplete"
        }
        Cause::Appended => {
            "something was written to the same file behind the trace: another trace, or other \
             output of the program"
        }
        Cause::Misuse => {
            "the traced program misuses the annotations of runtime/trace; the trace itself is fine"
        }
        Cause::Damaged => {
            "the data is damaged, or the Go version that wrote it has a bug in its tracer"
        }
        Cause::Io => "the input cannot be read",
        Cause::Unsupported => "not a trace that this program reads",
    }
}

/// What to do about an error.
pub(crate) fn advice(name: &str, error: &Error) -> String {
    let look = format!("`gotrail info {}`", quoted(name));
    match error.fault() {
        Fault::Header(HeaderError::CutOff(_)) => {
            return "record it again; the traced program must call trace.Stop before it ends"
                .to_owned();
        }
        Fault::Io(_) if error.place().offset.is_none() => {
            return "check that the file is intact and that the whole of it was copied".to_owned();
        }
        Fault::Header(HeaderError::UnknownVersion(minor)) if *minor < 26 => {
            return "check that the file is intact: no Go writes this version, or one that is too \
                    old to be read"
                .to_owned();
        }
        Fault::Header(HeaderError::UnknownVersion(_)) => {
            return "look for a newer gotrail, or check that the file is intact".to_owned();
        }
        Fault::Header(HeaderError::NotATrace) => {
            return "`go test -trace=trace.out` records a trace; if this is one in text form, \
                    `gotrail convert` makes a binary one of it"
                .to_owned();
        }
        Fault::Unsupported(_) => {
            let name = quoted(name);
            return format!("`gotrail info {name}` and `gotrail dump parsed {name}` read it");
        }
        _ => {}
    }
    if name == "standard input" {
        // It is gone.
        return "save it to a file, then `gotrail info FILE` shows what can still be read"
            .to_owned();
    }
    match error.cause() {
        Cause::Misuse => format!("{look} shows all such places and reads past them"),
        Cause::Io => "check the file and the disk, then try again".to_owned(),
        _ => format!("{look} shows what can still be read"),
    }
}

/// The name as a shell wants it.
pub(crate) fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./+:,@%=".contains(c);
    if name == "standard input" {
        "-".to_owned()
    } else if !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_for_the_shell_where_needed() {
        assert_eq!(quoted("dir/a-b.trace"), "dir/a-b.trace");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("standard input"), "-");
    }
}
