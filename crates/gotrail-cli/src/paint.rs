//! Colours, on terminals only and never with `NO_COLOR`.

use std::env;
use std::fmt::Display;
use std::io::{self, IsTerminal};

/// Paints text, or leaves it alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// For what goes to standard output.
    pub(crate) fn stdout() -> Paint {
        Paint::when(io::stdout().is_terminal())
    }

    /// For what goes to standard error.
    pub(crate) fn stderr() -> Paint {
        Paint::when(io::stderr().is_terminal())
    }

    /// For what goes anywhere else.
    pub(crate) fn nowhere() -> Paint {
        Paint { on: false }
    }

    fn when(terminal: bool) -> Paint {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || env::var_os("TERM").is_some_and(|term| term == "dumb");
        Paint { on: terminal && !refused }
    }

    /// For headings.
    pub(crate) fn bold(self, text: impl Display) -> String {
        self.with("1", text)
    }

    /// For what is wrong.
    pub(crate) fn red(self, text: impl Display) -> String {
        self.with("1;31", text)
    }

    /// For what deserves a look.
    pub(crate) fn yellow(self, text: impl Display) -> String {
        self.with("33", text)
    }

    /// For what is well.
    pub(crate) fn green(self, text: impl Display) -> String {
        self.with("32", text)
    }

    fn with(self, code: &str, text: impl Display) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}
