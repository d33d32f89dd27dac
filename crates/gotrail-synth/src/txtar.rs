//! Archives of text files in one text file.
//!
//! A line `-- name --` begins a file, whose lines follow. What stands in front of the first file
//! is a comment. A missing line break at the end of a file is added.

/// One file of an archive.
pub(crate) struct File<'a> {
    pub(crate) name: String,
    pub(crate) text: &'a [u8],
    /// The line of the archive on which the text begins, from 1.
    pub(crate) line: u64,
}

/// Splits an archive into its comment and its files.
pub(crate) fn parse(archive: &[u8]) -> (&[u8], Vec<File<'_>>) {
    let mut files: Vec<File<'_>> = Vec::new();
    let mut comment = archive;
    let (mut at, mut text_at) = (0, 0);
    for (line, number) in archive.split_inclusive(|&byte| byte == b'\n').zip(2..) {
        if let Some(name) = marker(line.strip_suffix(b"\n").unwrap_or(line)) {
            match files.last_mut() {
                Some(file) => file.text = &archive[text_at..at],
                None => comment = &archive[..at],
            }
            text_at = at + line.len();
            files.push(File { name, text: &archive[text_at..], line: number });
        }
        at += line.len();
    }
    (comment, files)
}

/// The name of the file that begins with this line.
pub(crate) fn marker(line: &[u8]) -> Option<String> {
    let name = line.strip_prefix(b"-- ")?.strip_suffix(b" --")?;
    let name = String::from_utf8_lossy(name).trim().to_owned();
    (!name.is_empty()).then_some(name)
}

/// Appends text and the line break that it may lack at its end.
pub(crate) fn push_text(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(text);
    if text.last().is_some_and(|&byte| byte != b'\n') {
        out.push(b'\n');
    }
}

/// Appends a file.
pub(crate) fn push_file(out: &mut Vec<u8>, name: &str, text: &[u8]) {
    out.extend_from_slice(format!("-- {name} --\n").as_bytes());
    push_text(out, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_split_at_their_markers() {
        let archive = b"about\n-- --\n--  a b  --\none\n -- no --\n-- no -- \n-- c --\n-- d --";
        let (comment, files) = parse(archive);
        assert_eq!(comment, b"about\n-- --\n");
        let files: Vec<_> = files.iter().map(|f| (f.name.as_str(), f.text, f.line)).collect();
        let want: [(&str, &[u8], u64); 3] =
            [("a b", b"one\n -- no --\n-- no -- \n", 4), ("c", b"", 8), ("d", b"", 9)];
        assert_eq!(files, want);
    }

    #[test]
    fn an_archive_without_files_is_a_comment() {
        let (comment, files) = parse(b"text\r\n-- x --\r\n");
        assert_eq!((comment.len(), files.len()), (15, 0));
    }
}
