//! Lines and words of the text form.

use super::{DATA, TextError, TextErrorKind};
use crate::raw::Accept;
use crate::{EventType, Version, decimal};
use std::io::BufRead;

/// The length of the white space at the start of `text`, 0 if there is none: one character of it.
fn space(text: &[u8]) -> usize {
    match text.first() {
        Some(&byte) if byte.is_ascii() => usize::from(matches!(byte, b'\t'..=b'\r' | b' ')),
        Some(_) => match bstr::decode_utf8(text) {
            (Some(c), len) if c.is_whitespace() => len,
            _ => 0,
        },
        None => 0,
    }
}

/// `text` without the white space at its start.
fn trim_start(mut text: &[u8]) -> &[u8] {
    loop {
        match space(text) {
            0 => return text,
            len => text = &text[len..],
        }
    }
}

/// `text` without the white space at its ends.
pub(super) fn trim(text: &[u8]) -> &[u8] {
    let mut text = trim_start(text);
    while let (Some(c), len) = bstr::decode_last_utf8(text)
        && c.is_whitespace()
    {
        text = &text[..text.len() - len];
    }
    text
}

/// Splits the next word off, which white space or a `#` ends. `None` if the text is blank or
/// begins with a comment.
pub(super) fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = trim_start(text);
    if text.first().is_none_or(|&byte| byte == b'#') {
        return None;
    }
    let mut len = 1;
    while len < text.len() && text[len] != b'#' && space(&text[len..]) == 0 {
        len += 1;
    }
    Some(text.split_at(len))
}

/// Splits `name=value` at the first `=`.
pub(super) fn split_arg(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = word.iter().position(|&byte| byte == b'=')?;
    Some((&word[..at], &word[at + 1..]))
}

/// Reads `name=value` for each of `names` and nothing else.
pub(super) fn read_args(
    mut text: &[u8],
    names: &[&'static str],
    out: &mut [u64],
) -> Result<(), TextErrorKind> {
    for (&name, out) in names.iter().zip(out) {
        let (word, rest) = word(text).ok_or(TextErrorKind::MissingArgument(name))?;
        let (found, value) = split_arg(word).unwrap_or((word, b""));
        if found != name.as_bytes() {
            return Err(TextErrorKind::Argument { expected: name, found: found.into() });
        }
        *out = decimal::parse(value)
            .ok_or_else(|| TextErrorKind::Number { name, found: value.into() })?;
        text = rest;
    }
    match trim_start(text) {
        [] => Ok(()),
        rest => Err(TextErrorKind::Trailing(rest.into())),
    }
}

/// The lines of the text that count, with what comments say of the next one.
pub(super) struct Lines<R> {
    input: R,
    line: Vec<u8>,
    /// The number of the line that was read last.
    pub(super) number: u64,
    /// Which unnamed events are accepted; `None` in front of the header, where comments say
    /// nothing.
    pub(super) context: Option<(Accept, Version)>,
    /// The words `name=bytes` of the comments in front of the line.
    pub(super) widths: Vec<u8>,
    /// The length of data that a comment in front of the line claims.
    pub(super) claim: Option<u64>,
}

/// What the next line holds.
pub(super) enum Line<'a> {
    /// Text to be read.
    Text(&'a [u8]),
    /// A comment that stands for an event without a name.
    Unnamed(EventType),
    /// Nothing: the text ends.
    End,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Lines<R> {
        Lines { input, line: Vec::new(), number: 0, context: None, widths: Vec::new(), claim: None }
    }

    /// Goes to the next line that is neither blank nor an ordinary comment.
    pub(super) fn next(&mut self) -> Result<Line<'_>, TextError> {
        self.widths.clear();
        self.claim = None;
        loop {
            self.line.clear();
            let len = self.input.read_until(b'\n', &mut self.line);
            if len.map_err(|error| self.error(error.into()))? == 0 {
                return Ok(Line::End);
            }
            self.number += 1;
            for end in [b'\n', b'\r'] {
                if self.line.last() == Some(&end) {
                    self.line.pop();
                }
            }
            if word(&self.line).is_some() {
                return Ok(Line::Text(&self.line));
            }
            if let Some(event) = self.read_comment() {
                return Ok(Line::Unnamed(event));
            }
        }
    }

    /// Whether a comment says something of the line.
    pub(super) fn has_notes(&self) -> bool {
        self.claim.is_some() || !self.widths.is_empty()
    }

    pub(super) fn error(&self, kind: TextErrorKind) -> TextError {
        TextError { line: self.number.max(1), kind }
    }

    /// Takes note of a comment about encoding; returns the event if it stands for one.
    fn read_comment(&mut self) -> Option<EventType> {
        let (accept, version) = self.context?;
        let (_, text) = trim_start(&self.line).split_first()?;
        let (first, rest) = word(text)?;
        let words = || words(rest);
        match first {
            b"widths" if words().count() > 0 && words().all(|word| pair(word).is_some()) => {
                for word in words() {
                    self.widths.extend_from_slice(word);
                    self.widths.push(b' ');
                }
            }
            b"claims" => {
                let mut words = words();
                let (name, length) = pair(words.next()?)?;
                if words.next().is_none() && name == DATA.as_bytes() {
                    self.claim = Some(length);
                }
            }
            b"unnamed" => {
                let mut words = words();
                let (b"event", number, None) = (words.next()?, words.next()?, words.next()) else {
                    return None;
                };
                let event = EventType(u8::try_from(decimal::parse(number)?).ok()?);
                let known = event.spec().is_some();
                return (!known && accept.accepts(event, version)).then_some(event);
            }
            _ => {}
        }
        None
    }
}

/// The words of `text`.
pub(super) fn words(mut text: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (first, rest) = word(text)?;
        text = rest;
        Some(first)
    })
}

/// A word of the form `name=number`.
pub(super) fn pair(word: &[u8]) -> Option<(&[u8], u64)> {
    let (name, value) = split_arg(word)?;
    Some((name, decimal::parse(value)?))
}
