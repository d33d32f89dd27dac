//! Indexes kept on disk, so that a trace is indexed once: files in a folder, named for what the trace
//! contains, of limited size together.
//!
//! ```text
//! blocks of moves     where `Known` says, as the store wrote them
//! `Known`             as postcard writes it
//! trailer             the name of the form, then the length and the sum of `Known`: u64, u64
//! ```

use crate::index::Known;
use std::fs::{self, File};
use std::hash::Hasher;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::NamedTempFile;
use twox_hash::{XxHash3_64, XxHash3_128};

/// To be raised with every change of what is in an index, or of what it means: indexes of other
/// forms are not read.
const FORM: u32 = 9;

/// What begins the trailer.
const MAGIC: &[u8; 8] = b"GTINDEX\0";

const TRAILER: u64 = 24;

/// How indexes that are being made are called.
const DRAFT: &str = "draft-";

/// How others end.
const SUFFIX: &str = ".index";

/// All files together take at most so much.
const LIMIT: u64 = 4 << 30;

/// A draft that is so old belongs to a program that ended early.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// A folder of indexes.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// This folder, which is made if it is not there.
    pub fn new(path: PathBuf) -> io::Result<Folder> {
        fs::create_dir_all(&path)?;
        Ok(Folder(path))
    }

    /// A file for an index that is being made.
    pub fn draft(&self) -> io::Result<NamedTempFile> {
        tempfile::Builder::new().prefix(DRAFT).suffix(SUFFIX).tempfile_in(&self.0)
    }

    /// Where the index of a trace of these bytes is kept. Goes through all of them.
    pub fn place(&self, trace: &[u8]) -> PathBuf {
        let sum = XxHash3_128::oneshot(trace);
        self.0.join(format!("{sum:032x}-{}-{FORM}{SUFFIX}", env!("CARGO_PKG_VERSION")))
    }

    /// The index that is kept there, if there is one that can be read: what is known, and the file
    /// with its moves.
    pub fn find(&self, place: &Path) -> Option<(Known, File)> {
        let mut file = File::open(place).ok()?;
        // All of it is looked at: what is damaged would be found out only when somebody asks for it.
        let known = read(&mut file).ok().flatten();
        let known = known.filter(|known| known.places().all(|place| place.read(&mut file).is_ok()));
        match known {
            // What was not used for the longest time is the first to go.
            Some(_) => drop(file.set_modified(SystemTime::now())),
            None => drop(fs::remove_file(place)),
        }
        Some((known?, file))
    }

    /// Keeps an index there; its moves are in `draft` already.
    pub fn keep(&self, place: &Path, known: &Known, draft: NamedTempFile) -> io::Result<()> {
        write(draft.as_file(), known)?;
        draft.persist(place)?;
        self.shrink(LIMIT)
    }

    /// Removes what was not used for the longest time, until the rest takes at most `limit` bytes.
    fn shrink(&self, limit: u64) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let name = entry.file_name();
            // Whatever else is in the folder is none of ours.
            let Some(name) = name.to_str().filter(|name| name.ends_with(SUFFIX)) else { continue };
            let about = entry.metadata()?;
            let used = about.modified()?;
            if !name.starts_with(DRAFT) {
                files.push((used, about.len(), entry.path()));
            } else if used.elapsed().is_ok_and(|age| age > ABANDONED) {
                remove(&entry.path())?;
            }
        }
        files.sort();
        let mut total: u64 = files.iter().map(|file| file.1).sum();
        for (_, len, path) in files {
            if total <= limit {
                break;
            }
            remove(&path)?;
            total -= len;
        }
        Ok(())
    }
}

/// Another process may have removed it first.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Counts and sums up what is written.
struct Summed<W> {
    out: W,
    len: u64,
    sum: XxHash3_64,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = self.out.write(bytes)?;
        self.len += len as u64;
        self.sum.write(&bytes[..len]);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn write(mut file: &File, known: &Known) -> io::Result<()> {
    file.seek(SeekFrom::End(0))?;
    let out = Summed { out: BufWriter::new(file), len: 0, sum: XxHash3_64::default() };
    let mut out = postcard::to_io(known, out).map_err(io::Error::other)?;
    let (len, sum) = (out.len, out.sum.finish());
    out.write_all(MAGIC)?;
    out.write_all(&len.to_le_bytes())?;
    out.write_all(&sum.to_le_bytes())?;
    out.flush()
}

/// What is known, if the file is one of ours and whole.
fn read(file: &mut File) -> io::Result<Option<Known>> {
    let end = file.metadata()?.len();
    if end < TRAILER {
        return Ok(None);
    }
    let mut trailer = [0; TRAILER as usize];
    file.seek(SeekFrom::Start(end - TRAILER))?;
    file.read_exact(&mut trailer)?;
    let (words, _) = trailer.as_chunks::<8>();
    let (len, sum) = (u64::from_le_bytes(words[1]), u64::from_le_bytes(words[2]));
    if words[0] != *MAGIC || len > end - TRAILER {
        return Ok(None);
    }
    let mut bytes = vec![0; len as usize];
    file.seek(SeekFrom::Start(end - TRAILER - len))?;
    file.read_exact(&mut bytes)?;
    if XxHash3_64::oneshot(&bytes) != sum {
        return Ok(None);
    }
    Ok(postcard::from_bytes(&bytes).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Folder::new(folder.path().join("a/b")).expect("it can be made");
        let now = SystemTime::now();
        for (age, name) in [(3, "old"), (1, "new"), (2, "middle")] {
            let file = File::create(cache.0.join(format!("{name}.index"))).expect("a file");
            file.set_len(1000).expect("it has room");
            file.set_modified(now - Duration::from_secs(age)).expect("a time");
        }
        for (age, name) in [(60, "draft-1.index"), (2 * 24 * 60 * 60, "draft-2.index")] {
            let file = File::create(cache.0.join(name)).expect("a file");
            file.set_modified(now - Duration::from_secs(age)).expect("a time");
        }
        fs::write(cache.0.join("something else"), [0; 5000]).expect("a file");
        cache.shrink(2500).expect("it shrinks");
        let mut left: Vec<_> = fs::read_dir(&cache.0)
            .expect("a folder")
            .map(|entry| entry.expect("a file").file_name().into_string().expect("a name"))
            .collect();
        left.sort();
        assert_eq!(left, ["draft-1.index", "middle.index", "new.index", "something else"]);
    }
}
