//! Where two texts differ first, for messages.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use anyhow::Result;

use crate::ours::Visit;
use crate::peer::Peer;

/// Compares what the reference prints in a mode with what `read` delivers.
/// `None` if the texts are equal.
pub(crate) fn with_reference(
    peer: &Peer,
    mode: &str,
    trace: &Path,
    read: impl FnOnce(Visit<'_>) -> Result<(), String>,
) -> Result<Option<String>> {
    let mut theirs = tempfile::tempfile()?;
    peer.text(mode, trace, &mut theirs)?;
    let mut ours = std::io::BufWriter::new(tempfile::tempfile()?);
    // The verdicts have been compared; here only the text counts.
    let _ = crate::outcome::catch(|| {
        read(&mut |text| {
            let _ = ours.write_all(text);
        })
    });
    let mut ours = ours.into_inner()?;
    rewind(&mut theirs)?;
    rewind(&mut ours)?;
    first(BufReader::new(theirs), BufReader::new(ours))
}

/// The first line in which ours differs from the reference's.
pub(crate) fn first(theirs: impl Read, ours: impl Read) -> Result<Option<String>> {
    let (mut theirs, mut ours) = (BufReader::new(theirs), BufReader::new(ours));
    let (mut line, mut a, mut b) = (0, Vec::new(), Vec::new());
    loop {
        line += 1;
        a.clear();
        b.clear();
        theirs.read_until(b'\n', &mut a)?;
        ours.read_until(b'\n', &mut b)?;
        if a != b {
            return Ok(Some(format!(
                "line {line}:\n    reference: {}\n    ours:      {}",
                show(&a),
                show(&b)
            )));
        }
        if a.is_empty() {
            return Ok(None);
        }
    }
}

fn show(line: &[u8]) -> String {
    if line.is_empty() {
        return "(nothing more)".into();
    }
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end_matches('\n');
    let short: String = text.chars().take(300).collect();
    if short.len() < text.len() { format!("{short} …") } else { short }
}

fn rewind(file: &mut File) -> Result<()> {
    use std::io::Seek;
    file.rewind()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::first;

    #[test]
    fn the_first_difference_is_named_with_its_line() {
        assert_eq!(first(&b"a\nb\n"[..], &b"a\nb\n"[..]).unwrap(), None);
        let text = first(&b"a\nb\n"[..], &b"a\nc\n"[..]).unwrap().unwrap();
        assert_eq!(text, "line 2:\n    reference: b\n    ours:      c");
        let text = first(&b"a\n"[..], &b""[..]).unwrap().unwrap();
        assert_eq!(text, "line 1:\n    reference: a\n    ours:      (nothing more)");
    }
}
