//! The header and the format versions.

use std::fmt;

/// The version of the trace format, which is the Go version that introduced it.
///
/// Go 1.24 writes version 1.23 and Go 1.27 writes version 1.26.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// The format of Go 1.11 to 1.18: one stream without generations.
    Go111,
    /// The format of Go 1.19 and 1.20.
    Go119,
    /// The format of Go 1.21.
    Go121,
    /// The first format with generations.
    Go122,
    /// Adds coroutines, statuses with a stack and experimental batches.
    Go123,
    /// Adds the sync batch with a clock snapshot.
    Go125,
    /// Adds an explicit end of each generation.
    Go126,
}

impl Version {
    /// Every version, oldest first.
    pub const ALL: [Version; 7] = [
        Version::Go111,
        Version::Go119,
        Version::Go121,
        Version::Go122,
        Version::Go123,
        Version::Go125,
        Version::Go126,
    ];

    /// The newest version.
    pub const CURRENT: Version = Version::Go126;

    /// The minor version number: 22 for [`Version::Go122`].
    pub const fn minor(self) -> u32 {
        match self {
            Version::Go111 => 11,
            Version::Go119 => 19,
            Version::Go121 => 21,
            Version::Go122 => 22,
            Version::Go123 => 23,
            Version::Go125 => 25,
            Version::Go126 => 26,
        }
    }

    /// The version with this minor number, if there is such a format.
    pub fn from_minor(minor: u64) -> Option<Version> {
        Version::ALL.into_iter().find(|v| u64::from(v.minor()) == minor)
    }

    /// Whether the format has generations (Go 1.22 and later).
    pub fn has_generations(self) -> bool {
        self >= Version::Go122
    }

    /// The header of a trace of this version.
    pub fn header(self) -> [u8; HEADER_LEN] {
        let mut header = *b"go 1.00 trace\0\0\0";
        header[5] = b'0' + (self.minor() / 10) as u8;
        header[6] = b'0' + (self.minor() % 10) as u8;
        header
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.minor())
    }
}

/// The length in bytes of the header that Go writes.
pub const HEADER_LEN: usize = 16;

/// Why a header was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The bytes do not begin like any Go execution trace.
    #[error("not a Go execution trace: expected \"go 1.N trace\" at its start")]
    NotATrace,
    /// The input ended inside the header.
    #[error("the input ends inside the header of the trace, after {0} bytes")]
    CutOff(usize),
    /// A Go trace of a version that is not known.
    #[error(
        "unknown trace version go 1.{0}; known are 1.11, 1.19, 1.21, 1.22, 1.23, 1.25 and 1.26"
    )]
    UnknownVersion(u64),
}

/// Reads a header and returns the version with the number of bytes it took.
///
/// The reference scans its header with a `scanf` that is lenient about white space and leading
/// zeros, so the length is not always [`HEADER_LEN`]. A prefix of a header is
/// [`HeaderError::CutOff`], so that a caller with more input can try again.
pub fn read_header(input: &[u8]) -> Result<(Version, usize), HeaderError> {
    let mut scan = Scanner { input, at: 0 };
    scan.literal(b"go")?;
    scan.spaces(1)?;
    scan.literal(b"1.")?;
    scan.spaces(0)?;
    let minor = scan.number()?;
    scan.spaces(1)?;
    scan.literal(b"trace\0\0\0")?;
    match Version::from_minor(minor) {
        Some(version) => Ok((version, scan.at)),
        None => Err(HeaderError::UnknownVersion(minor)),
    }
}

struct Scanner<'a> {
    input: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Result<u8, HeaderError> {
        self.input.get(self.at).copied().ok_or(HeaderError::CutOff(self.at))
    }

    fn literal(&mut self, text: &[u8]) -> Result<(), HeaderError> {
        for &want in text {
            if self.peek()? != want {
                return Err(HeaderError::NotATrace);
            }
            self.at += 1;
        }
        Ok(())
    }

    /// Skips white space other than new lines: at least `min` characters of it.
    fn spaces(&mut self, min: usize) -> Result<(), HeaderError> {
        let mut seen = 0;
        while let Some(width) = self.space_width()? {
            self.at += width;
            seen += 1;
        }
        if seen < min { Err(HeaderError::NotATrace) } else { Ok(()) }
    }

    fn space_width(&self) -> Result<Option<usize>, HeaderError> {
        let first = self.peek()?;
        if first < 0x80 {
            let space = matches!(first, b'\t' | 0x0b | 0x0c | b'\r' | b' ');
            return Ok(space.then_some(1));
        }
        let rest = &self.input[self.at..];
        let width = rest.len().min(4);
        for len in 2..=width {
            if let Ok(text) = std::str::from_utf8(&rest[..len]) {
                let space = text.chars().next().is_some_and(char::is_whitespace);
                return Ok(space.then_some(len));
            }
        }
        Ok(None)
    }

    fn number(&mut self) -> Result<u64, HeaderError> {
        let start = self.at;
        let mut value = 0u64;
        while let digit @ b'0'..=b'9' = self.peek()? {
            value = value.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        if self.at == start { Err(HeaderError::NotATrace) } else { Ok(value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_every_version_round_trip() {
        for version in Version::ALL {
            assert_eq!(read_header(&version.header()), Ok((version, HEADER_LEN)));
        }
    }

    #[test]
    fn white_space_and_zeros_are_read_as_scanf_reads_them() {
        assert_eq!(read_header(b"go\t 1. 022\ttrace\0\0\0x"), Ok((Version::Go122, 19)));
        assert_eq!(read_header(b"go1.22 trace\0\0\0"), Err(HeaderError::NotATrace));
        assert_eq!(read_header(b"go\n1.22 trace\0\0\0"), Err(HeaderError::NotATrace));
        assert_eq!(read_header(b"go 1.22 tracf\0\0\0"), Err(HeaderError::NotATrace));
        assert_eq!(read_header(b"go 1.24 trace\0\0\0"), Err(HeaderError::UnknownVersion(24)));
    }

    #[test]
    fn a_prefix_is_cut_off_wherever_it_ends() {
        let header = Version::Go126.header();
        for len in 0..HEADER_LEN {
            assert_eq!(read_header(&header[..len]), Err(HeaderError::CutOff(len)));
        }
    }
}
