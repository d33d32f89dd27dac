//! What a reader should say to a trace.

use gotrail_format::quote::{self, QuoteError};
use regex::Regex;

/// What a reader should say to a trace.
#[derive(Debug, Clone)]
pub enum Expectation {
    /// It reads the trace to its end.
    Success,
    /// It fails with an error that matches.
    Failure(Regex),
}

/// Why an expectation could not be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpectationError {
    /// Neither of the two words.
    #[error("expected SUCCESS or FAILURE \"...\", found {0:?}")]
    Word(String),
    /// A failure without a pattern.
    #[error("expected a quoted pattern after FAILURE, found the end of the line")]
    NoPattern,
    /// The pattern is not quoted as it should be.
    #[error("expected a quoted pattern after FAILURE: {0}")]
    Quote(#[from] QuoteError),
    /// The pattern is no regular expression.
    #[error("expected a regular expression: {0}")]
    Pattern(#[from] regex::Error),
    /// The pattern is not UTF-8.
    #[error("the pattern is not UTF-8")]
    NotText,
}

impl Expectation {
    /// Reads the first line of `text`: `SUCCESS`, or `FAILURE` and a quoted regular expression.
    /// No text at all expects success, as in the reference.
    pub fn parse(text: &[u8]) -> Result<Expectation, ExpectationError> {
        if text.is_empty() {
            return Ok(Expectation::Success);
        }
        let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut parts = line.splitn(2, |&byte| byte == b' ');
        match (parts.next().unwrap_or_default(), parts.next()) {
            (b"SUCCESS", _) => Ok(Expectation::Success),
            (b"FAILURE", Some(literal)) => {
                let pattern = quote::unquote(literal)?.into_owned();
                let pattern = String::from_utf8(pattern).map_err(|_| ExpectationError::NotText)?;
                Ok(Expectation::Failure(Regex::new(&pattern)?))
            }
            (b"FAILURE", None) => Err(ExpectationError::NoPattern),
            _ => Err(ExpectationError::Word(String::from_utf8_lossy(line).into_owned())),
        }
    }

    /// The text of the expectation, a line.
    pub fn to_text(&self) -> Vec<u8> {
        match self {
            Expectation::Success => b"SUCCESS\n".to_vec(),
            Expectation::Failure(pattern) => {
                let mut out = b"FAILURE ".to_vec();
                quote::write_quoted(&mut out, pattern.as_str().as_bytes());
                out.push(b'\n');
                out
            }
        }
    }

    /// Judges a reader by its error, if it had one. The words of the failure say what was
    /// expected.
    pub fn check(&self, error: Option<&str>) -> Result<(), String> {
        match (self, error) {
            (Expectation::Success, None) => Ok(()),
            (Expectation::Success, Some(error)) => {
                Err(format!("expected no error, found: {error}"))
            }
            (Expectation::Failure(pattern), Some(error)) if pattern.is_match(error) => Ok(()),
            (Expectation::Failure(pattern), Some(error)) => {
                Err(format!("expected an error that matches {pattern:?}, found: {error}"))
            }
            (Expectation::Failure(pattern), None) => {
                Err(format!("expected an error that matches {pattern:?}, found none"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_are_read_as_the_reference_reads_them() {
        let success: &[&[u8]] = &[b"", b"SUCCESS", b"SUCCESS\r\n", b"SUCCESS and more\nFAILURE\n"];
        for text in success {
            assert!(matches!(Expectation::parse(text), Ok(Expectation::Success)));
        }
        for text in [&b"FAILURE \"a.b\"\n"[..], b"FAILURE `a.b`\nrest"] {
            let Ok(Expectation::Failure(pattern)) = Expectation::parse(text) else { panic!() };
            assert_eq!(pattern.as_str(), "a.b");
        }
    }

    #[test]
    fn bad_expectations_say_what_is_wrong() {
        let errors: &[(&[u8], &str)] = &[
            (b"\n", "expected SUCCESS or FAILURE \"...\", found \"\""),
            (b" SUCCESS\n", "expected SUCCESS or FAILURE \"...\", found \" SUCCESS\""),
            (b"FAILURE\n", "expected a quoted pattern after FAILURE, found the end of the line"),
            (b"FAILURE  \"a\"\n", "expected a quoted pattern after FAILURE: expected a quote"),
            (b"FAILURE \"(\"\n", "expected a regular expression: "),
            (b"FAILURE \"\\xff\"\n", "the pattern is not UTF-8"),
        ];
        for (text, want) in errors {
            let error = Expectation::parse(text).unwrap_err().to_string();
            assert!(error.starts_with(want), "{error}");
        }
    }

    #[test]
    fn readers_are_judged() {
        let success = Expectation::Success;
        assert!(success.check(None).is_ok());
        assert!(success.check(Some("an error")).is_err());
        let failure = Expectation::parse(b"FAILURE \".*first generation.*\"").unwrap();
        assert!(failure.check(Some("no first generation here")).is_ok());
        assert!(failure.check(Some("another error")).is_err());
        assert!(failure.check(None).is_err());
        assert_eq!(failure.to_text(), b"FAILURE \".*first generation.*\"\n");
    }
}
