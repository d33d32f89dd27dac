//! From goroutine ids to places in the table.
//!
//! Ids are handed out in rising order, so that those in use lie close together, wherever they
//! begin. Pages of 32 ids hold their places; a hash table finds a page, and a small cache in front
//! of it nearly always has it. Empty pages are given back, a good many at a time because the next
//! goroutine may well use them again: memory follows the goroutines that exist, not those that
//! ever did, and an id from nowhere costs one page.

use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;

const PAGE: usize = 32;
const CACHE: usize = 256;

/// So many pages are emptied before they are given back.
const EMPTIED: usize = 1024;

/// No page has this place.
const NO_PAGE: u32 = u32::MAX;

/// A place of the cache that is not in use: no page has this number.
const EMPTY: (u64, u32) = (u64::MAX, NO_PAGE);

#[derive(Debug, Clone)]
pub(super) struct GoIndex {
    /// The number of a page and its place, by the low bits of the number.
    cache: Box<[(u64, u32); CACHE]>,
    places: FxHashMap<u64, u32>,
    pages: Vec<Page>,
    free: Vec<u32>,
    /// Pages that were empty at some time, by number, to be given back if they still are.
    emptied: Vec<u64>,
    len: usize,
}

#[derive(Debug, Clone, Copy)]
struct Page {
    /// Places of goroutines, plus one; 0 for none.
    slots: [u32; PAGE],
    used: u32,
}

impl Default for GoIndex {
    fn default() -> GoIndex {
        GoIndex {
            cache: Box::new([EMPTY; CACHE]),
            places: FxHashMap::default(),
            pages: Vec::new(),
            free: Vec::new(),
            emptied: Vec::new(),
            len: 0,
        }
    }
}

/// The page of an id, and its place there.
#[inline(always)]
fn split(id: i64) -> (u64, usize) {
    (id as u64 / PAGE as u64, id as usize % PAGE)
}

impl GoIndex {
    /// The number of ids.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub(super) fn get(&mut self, id: i64) -> Option<u32> {
        let (number, at) = split(id);
        let (cached, place) = self.cache[number as usize % CACHE];
        let place = if cached == number { place } else { self.look_up(number) };
        self.pages.get(place as usize)?.slots[at].checked_sub(1)
    }

    pub(super) fn peek(&self, id: i64) -> Option<u32> {
        let (number, at) = split(id);
        self.pages[*self.places.get(&number)? as usize].slots[at].checked_sub(1)
    }

    /// Finds a page, if there is one, and puts it into the cache.
    #[cold]
    fn look_up(&mut self, number: u64) -> u32 {
        let Some(&place) = self.places.get(&number) else { return NO_PAGE };
        self.cache[number as usize % CACHE] = (number, place);
        place
    }

    /// Adds an id that is not there.
    #[inline]
    pub(super) fn insert(&mut self, id: i64, slot: u32) {
        let (number, at) = split(id);
        let cached = self.cache[number as usize % CACHE];
        let place = if cached.0 == number { cached.1 } else { self.load(number) };
        let page = &mut self.pages[place as usize];
        page.slots[at] = slot + 1;
        page.used += 1;
        self.len += 1;
    }

    /// Finds or makes a page, and puts it into the cache.
    #[cold]
    fn load(&mut self, number: u64) -> u32 {
        let place = *self.places.entry(number).or_insert_with(|| {
            let page = Page { slots: [0; PAGE], used: 0 };
            match self.free.pop() {
                Some(place) => {
                    self.pages[place as usize] = page;
                    place
                }
                None => {
                    self.pages.push(page);
                    self.pages.len() as u32 - 1
                }
            }
        });
        self.cache[number as usize % CACHE] = (number, place);
        place
    }

    /// Removes an id that is there.
    #[inline]
    pub(super) fn remove(&mut self, id: i64) {
        let (number, at) = split(id);
        let cached = self.cache[number as usize % CACHE];
        let place = if cached.0 == number { cached.1 } else { self.load(number) };
        let page = &mut self.pages[place as usize];
        page.slots[at] = 0;
        page.used -= 1;
        self.len -= 1;
        if page.used == 0 {
            self.emptied.push(number);
            if self.emptied.len() == EMPTIED {
                self.give_back();
            }
        }
    }

    /// Gives back the pages that were emptied and still are.
    #[cold]
    fn give_back(&mut self) {
        for number in self.emptied.drain(..) {
            if let Entry::Occupied(entry) = self.places.entry(number)
                && self.pages[*entry.get() as usize].used == 0
            {
                self.free.push(entry.remove());
                let cached = &mut self.cache[number as usize % CACHE];
                if cached.0 == number {
                    *cached = EMPTY;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_until_they_are_removed() {
        let mut index = GoIndex::default();
        // Near each other, in the same place of the cache, and from nowhere.
        let ids = [0, 1, 31, 32, 8192, 8193, 1 << 40, i64::MAX, -1, i64::MIN];
        for (slot, &id) in ids.iter().enumerate() {
            assert_eq!(index.get(id), None, "{id}");
            index.insert(id, slot as u32);
        }
        assert_eq!(index.len(), ids.len());
        for (slot, &id) in ids.iter().enumerate() {
            assert_eq!(index.get(id), Some(slot as u32), "{id}");
        }
        assert_eq!(index.get(2), None);
        for &id in &ids {
            index.remove(id);
            assert_eq!(index.get(id), None, "{id}");
        }
        assert_eq!((index.len(), index.emptied.len()), (0, 7));
    }

    #[test]
    fn a_page_that_leaves_the_cache_hides_no_other() {
        let mut index = GoIndex::default();
        let other = (PAGE * CACHE) as i64;
        index.insert(0, 5);
        index.insert(other, 6);
        index.remove(other);
        assert_eq!((index.get(0), index.get(other)), (Some(5), None));
    }

    #[test]
    fn pages_are_used_again() {
        let mut index = GoIndex::default();
        for id in 0..100_000 {
            index.insert(id, 7);
            assert_eq!(index.get(id), Some(7));
            index.remove(id);
        }
        assert!(index.pages.len() <= EMPTIED, "{} pages", index.pages.len());
    }
}
