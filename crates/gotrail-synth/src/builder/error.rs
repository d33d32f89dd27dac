//! What can be wrong with the use of the builder.

use gotrail_format::raw::ShapeError;
use gotrail_format::{EventType, Version};
use std::fmt;
use std::panic::Location;

/// One thing that is wrong with a test trace: where it was written, which event and argument it
/// is about, and what it is.
#[derive(Debug, Clone, thiserror::Error)]
pub struct UseError {
    /// Where it was written.
    pub at: &'static Location<'static>,
    /// The name of the event, or of the builder's function.
    pub event: String,
    /// The name of the argument.
    pub argument: Option<&'static str>,
    /// What is wrong.
    pub kind: UseErrorKind,
}

/// What is wrong with a test trace.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum UseErrorKind {
    /// No version has an event of this name.
    #[error("there is no such event")]
    UnknownEvent,
    /// The version of the trace does not have the event.
    #[error("traces of version {version} don't have it, it came with {since}")]
    NotInVersion {
        /// The version of the trace.
        version: Version,
        /// The first version that has it.
        since: Version,
    },
    /// Too few or too many arguments.
    #[error("expected {} argument{} ({}), found {found}",
        expected.len(), if expected.len() == 1 { "" } else { "s" }, expected.join(", "))]
    Count {
        /// The names of the arguments, without the time.
        expected: &'static [&'static str],
        /// How many were given.
        found: usize,
    },
    /// An argument of another type.
    #[error("expected {expected}, found {found}")]
    Type {
        /// What the event wants.
        expected: &'static str,
        /// What was given.
        found: &'static str,
    },
    /// A time for an event that has none.
    #[error("it carries no time")]
    NotTimed,
    /// A raw event of the wrong shape.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// Clocks for a version that has none.
    #[error("traces before 1.25 have no clock snapshot")]
    NoClocks,
    /// The pattern of an expected failure.
    #[error("expected a regular expression: {0}")]
    Pattern(#[from] regex::Error),
    /// An event that the text form of the version does not know. It can be written as bytes.
    #[error("the text form of version {0} does not know it, so that no archive can hold it")]
    NotInArchives(Version),
}

impl fmt::Display for UseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: ", self.at.file(), self.at.line(), self.event)?;
        if let Some(argument) = self.argument {
            write!(f, "argument {argument}: ")?;
        }
        self.kind.fmt(f)
    }
}

/// All that is wrong with a test trace, in the order in which it was written.
#[derive(Debug, Clone)]
pub struct BuildError(pub Vec<UseError>);

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if i == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for BuildError {}

/// The name of an event in errors.
pub(super) fn name_of(event: EventType) -> String {
    event.to_string()
}
