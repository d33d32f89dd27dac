//! Go's string quoting: the form of data in the text form, and of strings in printed events.
//!
//! [`write_quoted`] equals Go's `strconv.Quote`, [`unquote`] equals `strconv.Unquote`, both on
//! bytes, because strings of a trace need not be UTF-8.
//!
//! ```
//! use gotrail_format::quote::{unquote, write_quoted};
//!
//! let mut out = Vec::new();
//! write_quoted(&mut out, b"caf\xc3\xa9\t\xff");
//! assert_eq!(out, r#""café\t\xff""#.as_bytes());
//! assert_eq!(unquote(&out)?, b"caf\xc3\xa9\t\xff".as_slice());
//! # Ok::<(), gotrail_format::quote::QuoteError>(())
//! ```

use crate::printable::RANGES;
use std::borrow::Cow;

/// Appends `text` in double quotes. Bytes that are not UTF-8 become `\x..`, characters that do
/// not print become an escape; everything else stays as it is.
pub fn write_quoted(out: &mut Vec<u8>, mut text: &[u8]) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    loop {
        let plain = text.iter().position(|&byte| !PLAIN[usize::from(byte)]).unwrap_or(text.len());
        out.extend_from_slice(&text[..plain]);
        text = &text[plain..];
        let Some(&first) = text.first() else { break };
        let len = match bstr::decode_utf8(text) {
            (Some(c), len) => {
                write_char(out, c, &text[..len]);
                len
            }
            (None, _) => {
                write_hex(out, b'x', u32::from(first), 2);
                1
            }
        };
        text = &text[len..];
    }
    out.push(b'"');
}

/// For each byte: whether it stands for itself between double quotes.
static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = b' ';
    while byte <= b'~' {
        plain[byte as usize] = byte != b'"' && byte != b'\\';
        byte += 1;
    }
    plain
};

fn write_char(out: &mut Vec<u8>, c: char, encoded: &[u8]) {
    let short = match c {
        '"' | '\\' => encoded[0],
        '\x07' => b'a',
        '\x08' => b'b',
        '\x0c' => b'f',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        '\x0b' => b'v',
        _ if is_printable(c) => return out.extend_from_slice(encoded),
        '\0'..='\x7f' => return write_hex(out, b'x', c.into(), 2),
        '\u{80}'..='\u{ffff}' => return write_hex(out, b'u', c.into(), 4),
        _ => return write_hex(out, b'U', c.into(), 8),
    };
    out.extend_from_slice(&[b'\\', short]);
}

fn write_hex(out: &mut Vec<u8>, letter: u8, value: u32, digits: u32) {
    out.extend_from_slice(&[b'\\', letter]);
    for digit in (0..digits).rev() {
        out.push(b"0123456789abcdef"[(value >> (4 * digit) & 0xf) as usize]);
    }
}

/// Whether Go prints this character as it is: a letter, a mark, a number, punctuation, a symbol
/// or an ASCII space, by the Unicode tables of the newest Go.
pub fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    let c = u32::from(c);
    let after = RANGES.partition_point(|range| range.0 <= c);
    after > 0 && c <= RANGES[after - 1].1
}

/// Why a literal could not be unquoted; offsets are in bytes from the start of the literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuoteError {
    /// The literal does not begin with a quote.
    #[error("expected a quote (\", ' or `) at the start of the literal")]
    NotQuoted,
    /// The closing quote is missing.
    #[error("the closing {0} is missing")]
    Unclosed(char),
    /// Something follows the closing quote.
    #[error("unexpected text after the closing quote, at offset {0}")]
    Trailing(usize),
    /// A backslash that begins no escape.
    #[error("no valid escape at offset {0}")]
    Escape(usize),
    /// A line break in a literal that is not backquoted.
    #[error("a line break at offset {0}, which needs an escape")]
    LineBreak(usize),
    /// More than one character between single quotes.
    #[error("more than one character between single quotes")]
    NotOneCharacter,
}

/// Reads a literal in double quotes, backquotes or single quotes, with nothing before or after.
///
/// As in Go: backquotes take everything literally but drop carriage returns; single quotes hold
/// one character or none; bytes that are not UTF-8 become U+FFFD where the literal has to be
/// decoded.
pub fn unquote(literal: &[u8]) -> Result<Cow<'_, [u8]>, QuoteError> {
    let Some((&quote @ (b'"' | b'\'' | b'`'), body)) = literal.split_first() else {
        return Err(QuoteError::NotQuoted);
    };
    let unclosed = QuoteError::Unclosed(char::from(quote));
    let end = body.iter().position(|&byte| byte == quote).ok_or(unclosed)?;
    let simple = &body[..end];
    let closed = |text| match end + 2 {
        after if after < literal.len() => Err(QuoteError::Trailing(after)),
        _ => Ok(text),
    };
    if quote == b'`' {
        if !simple.contains(&b'\r') {
            return closed(Cow::Borrowed(simple));
        }
        return closed(Cow::Owned(simple.iter().copied().filter(|&byte| byte != b'\r').collect()));
    }
    if !simple.contains(&b'\\')
        && !simple.contains(&b'\n')
        && let Ok(text) = std::str::from_utf8(simple)
        && (quote == b'"' || text.chars().nth(1).is_none())
    {
        return closed(Cow::Borrowed(simple));
    }
    decode(literal, quote).map(Cow::Owned)
}

/// Decodes a literal in double or single quotes character by character.
fn decode(literal: &[u8], quote: u8) -> Result<Vec<u8>, QuoteError> {
    let mut out = Vec::with_capacity(literal.len());
    let mut at = 1;
    loop {
        let rest = &literal[at..];
        match rest.first() {
            None => return Err(QuoteError::Unclosed(char::from(quote))),
            Some(&byte) if byte == quote => break,
            Some(_) if quote == b'\'' && at > 1 => return Err(QuoteError::NotOneCharacter),
            Some(b'\n') => return Err(QuoteError::LineBreak(at)),
            Some(b'\\') => {
                let (unit, len) = escape(rest, quote).ok_or(QuoteError::Escape(at))?;
                match unit {
                    Unit::Byte(byte) => out.push(byte),
                    Unit::Char(c) => push_char(&mut out, c),
                }
                at += len;
            }
            Some(&byte) if byte.is_ascii() => {
                out.push(byte);
                at += 1;
            }
            Some(_) => {
                let (c, len) = match bstr::decode_utf8(rest) {
                    (Some(c), len) => (c, len),
                    (None, _) => (char::REPLACEMENT_CHARACTER, 1),
                };
                push_char(&mut out, c);
                at += len;
            }
        }
    }
    if at + 1 < literal.len() {
        return Err(QuoteError::Trailing(at + 1));
    }
    Ok(out)
}

fn push_char(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// What an escape stands for: `\x` and octal escapes for a byte, the others for a character.
enum Unit {
    Byte(u8),
    Char(char),
}

/// Decodes the escape at the start of `text`; returns it with its length.
fn escape(text: &[u8], quote: u8) -> Option<(Unit, usize)> {
    let letter = *text.get(1)?;
    let short = |byte| Some((Unit::Byte(byte), 2));
    let number = |range: std::ops::Range<usize>, radix| {
        let digits = text.get(range)?;
        digits.iter().try_fold(0u32, |value, &digit| {
            let digit = char::from(digit).to_digit(radix)?;
            value.checked_mul(radix)?.checked_add(digit)
        })
    };
    match letter {
        b'a' => short(7),
        b'b' => short(8),
        b'f' => short(12),
        b'n' => short(b'\n'),
        b'r' => short(b'\r'),
        b't' => short(b'\t'),
        b'v' => short(11),
        b'\\' => short(b'\\'),
        b'"' | b'\'' if letter == quote => short(quote),
        b'x' => Some((Unit::Byte(number(2..4, 16)? as u8), 4)),
        b'0'..=b'7' => Some((Unit::Byte(u8::try_from(number(1..4, 8)?).ok()?), 4)),
        b'u' => Some((Unit::Char(char::from_u32(number(2..6, 16)?)?), 6)),
        b'U' => Some((Unit::Char(char::from_u32(number(2..10, 16)?)?), 10)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quoted(text: &[u8]) -> String {
        let mut out = Vec::new();
        write_quoted(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    /// Each literal as Go 1.27.3 writes it.
    #[test]
    fn text_is_quoted_as_go_quotes_it() {
        let examples: &[(&[u8], &str)] = &[
            (b"", r#""""#),
            (b"runtime.main", r#""runtime.main""#),
            (b"say \"hi\" \\ 'ho'", r#""say \"hi\" \\ 'ho'""#),
            (b"\x00\x07\x08\t\n\x0b\x0c\r\x1b\x7f", r#""\x00\a\b\t\n\v\f\r\x1b\x7f""#),
            ("é 世界 🦀".as_bytes(), r#""é 世界 🦀""#),
            (
                "\u{80}\u{a0}\u{ad}\u{200b}\u{2028}\u{feff}".as_bytes(),
                r#""\u0080\u00a0\u00ad\u200b\u2028\ufeff""#,
            ),
            (
                "\u{e000}\u{ffff}\u{f0000}\u{10ffff}".as_bytes(),
                r#""\ue000\uffff\U000f0000\U0010ffff""#,
            ),
            ("\u{fffd}".as_bytes(), "\"\u{fffd}\""),
            (b"\xff\xc3(\xe4\xb8\xf0\x9f\xa6", r#""\xff\xc3(\xe4\xb8\xf0\x9f\xa6""#),
            (b"\xed\xa0\x80\xc0\x80", r#""\xed\xa0\x80\xc0\x80""#),
        ];
        for (text, want) in examples {
            assert_eq!(quoted(text), *want);
        }
    }

    #[test]
    fn every_form_of_literal_is_read() {
        let examples: &[(&[u8], &[u8])] = &[
            (br#""""#, b""),
            (br"''", b""),
            (br"``", b""),
            (b"`a\\n\r\"b\n`", b"a\\n\"b\n"),
            (br"'x'", b"x"),
            (br"'\''", b"'"),
            (br#"'"'"#, b"\""),
            (br#""it's""#, b"it's"),
            (br#""\a\b\f\n\r\t\v\\\"""#, b"\x07\x08\x0c\n\r\t\x0b\\\""),
            (br#""\x41\xff\101\377""#, b"A\xffA\xff"),
            (br#""\u00ff\U0001f980""#, "\u{ff}🦀".as_bytes()),
            (b"\"\xff\"", "\u{fffd}".as_bytes()),
            (b"'\xff'", "\u{fffd}".as_bytes()),
        ];
        for (literal, want) in examples {
            assert_eq!(unquote(literal).as_deref(), Ok(*want));
        }
    }

    #[test]
    fn bad_literals_say_what_is_wrong() {
        use QuoteError::*;
        let examples: &[(&[u8], QuoteError)] = &[
            (b"", NotQuoted),
            (b"abc", NotQuoted),
            (b"\"", Unclosed('"')),
            (b"\"abc", Unclosed('"')),
            (b"\"abc\\\"", Unclosed('"')),
            (b"`a` ", Trailing(3)),
            (b"\"a\" \"b\"", Trailing(3)),
            (b"\"a\\n\"b\"", Trailing(5)),
            (b"\"a\nb\"", LineBreak(2)),
            (b"'ab'", NotOneCharacter),
            (br#""\'""#, Escape(1)),
            (br#"'\"'"#, Escape(1)),
            (br#""a\q""#, Escape(2)),
            (br#""\x4""#, Escape(1)),
            (br#""\x+4""#, Escape(1)),
            (br#""\400""#, Escape(1)),
            (br#""\ud800""#, Escape(1)),
            (br#""\U00110000""#, Escape(1)),
            (br#""\Uffffffff""#, Escape(1)),
        ];
        for (literal, want) in examples {
            assert_eq!(unquote(literal), Err(*want), "{}", literal.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn quoting_round_trips(text: Vec<u8>) {
            let literal = quoted(&text);
            prop_assert_eq!(unquote(literal.as_bytes()), Ok(Cow::Owned(text)));
        }

        #[test]
        fn characters_round_trip(text: String) {
            let literal = quoted(text.as_bytes());
            prop_assert_eq!(unquote(literal.as_bytes()), Ok(Cow::Borrowed(text.as_bytes())));
        }
    }
}
