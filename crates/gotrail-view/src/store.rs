//! Where blocks of moves are kept: all in a file, those that were looked at lately in memory.
//!
//! Memory has a limit, the file has none but its disk. If it cannot be written, blocks stay in
//! memory.

use crate::asker;
use parking_lot::Mutex;
use quick_cache::{Weighter, sync::Cache};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use twox_hash::XxHash3_64;

/// Where a block lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    offset: u64,
    len: u32,
    sum: u64,
}

impl Place {
    /// Reads the block from the file, if it is the one that was written there.
    pub(crate) fn read(self, file: &mut File) -> io::Result<Arc<[u8]>> {
        let mut block = vec![0; self.len as usize];
        file.seek(SeekFrom::Start(self.offset))?;
        file.read_exact(&mut block)?;
        if XxHash3_64::oneshot(&block) != self.sum {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(block.into())
    }
}

/// All blocks.
pub struct Store {
    /// Where blocks are written, as long as that works.
    file: Option<Mutex<File>>,
    /// Where the next one goes.
    end: u64,
    /// Those that could not be written.
    kept: Vec<(Place, Arc<[u8]>)>,
    cache: Cache<Place, Arc<[u8]>, ByBytes>,
    /// How much memory there is for all that belongs to the index.
    memory: u64,
}

/// However little memory there is, so much of it is for blocks: a few.
const LEAST: u64 = 8 << 20;

#[derive(Clone)]
struct ByBytes;

impl Weighter<Place, Arc<[u8]>> for ByBytes {
    fn weight(&self, place: &Place, _: &Arc<[u8]>) -> u64 {
        u64::from(place.len).max(1)
    }
}

impl Store {
    /// A store that holds at most `memory` bytes of blocks in memory, or a few blocks, and all of them
    /// in `file`.
    pub fn new(file: File, memory: u64) -> Store {
        Store { file: Some(Mutex::new(file)), ..Store::in_memory(memory) }
    }

    /// A store that holds everything in memory, because it must.
    pub fn in_memory(memory: u64) -> Store {
        // A block takes about a megabyte; the cache wants to know how many there may be.
        let items = (memory >> 20).clamp(16, 1 << 16) as usize;
        let cache = Cache::with_weighter(items, memory.max(LEAST), ByBytes);
        Store { file: None, end: 0, kept: Vec::new(), cache, memory }
    }

    /// Leaves so many bytes of the memory to others.
    pub fn leave(&self, bytes: u64) {
        self.cache.set_capacity(self.memory.saturating_sub(bytes).max(LEAST));
    }

    /// Keeps a block.
    pub fn add(&mut self, block: Vec<u8>) -> Place {
        let sum = XxHash3_64::oneshot(&block);
        let place = Place { offset: self.end, len: block.len() as u32, sum };
        let block: Arc<[u8]> = block.into();
        self.end += u64::from(place.len);
        let written = match &self.file {
            Some(file) => write_at(&mut file.lock(), place.offset, &block).is_ok(),
            None => false,
        };
        if written {
            self.cache.insert(place, block);
        } else {
            self.kept.push((place, block));
        }
        place
    }

    /// The block that was kept there. Fails, too, if nobody waits for the answer any more.
    pub fn load(&self, place: Place) -> io::Result<Arc<[u8]>> {
        if asker::is_gone() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if let Ok(at) = self.kept.binary_search_by_key(&place.offset, |kept| kept.0.offset) {
            return Ok(Arc::clone(&self.kept[at].1));
        }
        self.cache.get_or_insert_with(&place, || {
            let Some(file) = &self.file else { return Err(io::ErrorKind::NotFound.into()) };
            place.read(&mut file.lock())
        })
    }

    /// Whether all blocks are in the file.
    pub fn is_in_file(&self) -> bool {
        self.file.is_some() && self.kept.is_empty()
    }

    /// The bytes of blocks in memory.
    pub fn memory(&self) -> u64 {
        let kept: u64 = self.kept.iter().map(|kept| u64::from(kept.0.len)).sum();
        self.cache.weight() + kept
    }
}

fn write_at(file: &mut File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(n: u8) -> Vec<u8> {
        vec![n; 100_000]
    }

    #[test]
    fn what_memory_has_no_room_for_is_read_again() {
        let file = tempfile::tempfile().expect("a file");
        let mut store = Store::new(file, 30 << 20);
        let places: Vec<_> = (0..200).map(|n| store.add(block(n))).collect();
        assert!(store.memory() > 15 << 20, "{}", store.memory());
        store.leave(20 << 20);
        assert!(store.memory() <= 10 << 20, "{}", store.memory());
        for (n, place) in places.iter().enumerate() {
            assert_eq!(&*store.load(*place).expect("it is there"), block(n as u8), "{n}");
        }
        assert!(store.is_in_file());
    }

    #[test]
    fn without_a_file_all_is_in_memory() {
        let mut store = Store::in_memory(0);
        let places: Vec<_> = (0..20).map(|n| store.add(block(n))).collect();
        for (n, place) in places.iter().enumerate() {
            assert_eq!(&*store.load(*place).expect("it is there"), block(n as u8), "{n}");
        }
        assert!(!store.is_in_file());
    }

    #[test]
    fn a_file_that_somebody_changed_is_an_error() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let mut store = Store::new(file.reopen().expect("it"), 0);
        let places: Vec<_> = (0..200).map(|n| store.add(block(n))).collect();
        std::fs::write(file.path(), vec![255; 200 * 100_000]).expect("it can be written");
        let error = places.iter().find_map(|place| store.load(*place).err());
        let error = error.expect("what is not in memory is another one");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
