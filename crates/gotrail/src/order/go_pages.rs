//! From goroutine ids to places in a table.
//!
//! Ids are handed out in rising order, so that those in use lie close together, wherever they
//! begin. The table is made of pages of 32 ids each; a hash table finds a page, and a small cache
//! in front of it nearly always has it. Empty pages are given back, a good many at a time because
//! the next goroutine may well use them again: memory follows the goroutines that exist, not those
//! that ever did, and an id from nowhere costs one page.

use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;

/// The ids of a page.
pub(super) const PAGE: usize = 32;
const CACHE: usize = 256;

/// So many pages are emptied before they are given back.
const EMPTIED: usize = 32;

/// No page has this place: no table is that long.
const NO_PAGE: u32 = u32::MAX / PAGE as u32;

/// A place of the cache that is not in use: no page has this number.
const EMPTY: (u64, u32) = (u64::MAX, NO_PAGE);

/// Which pages there are, and how full they are.
#[derive(Debug, Clone)]
pub(super) struct GoPages {
    /// The number of a page and its place, by the low bits of the number.
    cache: Box<[(u64, u32); CACHE]>,
    places: FxHashMap<u64, u32>,
    /// How many ids of each page are in use.
    used: Vec<u32>,
    free: Vec<u32>,
    /// Pages that were empty at some time, by number, to be given back if they still are.
    emptied: Vec<u64>,
    len: usize,
}

impl Default for GoPages {
    fn default() -> GoPages {
        GoPages {
            cache: Box::new([EMPTY; CACHE]),
            places: FxHashMap::default(),
            used: Vec::new(),
            free: Vec::new(),
            emptied: Vec::new(),
            len: 0,
        }
    }
}

/// The page of an id, and its place there.
#[inline(always)]
fn split(id: i64) -> (u64, u32) {
    (id as u64 / PAGE as u64, (id as u64 % PAGE as u64) as u32)
}

impl GoPages {
    /// The number of ids in use.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The number of pages, used or not.
    pub(super) fn page_count(&self) -> usize {
        self.used.len()
    }

    /// The place of an id, in use or not; none if it has no page.
    #[inline(always)]
    pub(super) fn slot(&mut self, id: i64) -> u32 {
        let (number, at) = split(id);
        let (cached, place) = self.cache[number as usize % CACHE];
        let place = if cached == number { place } else { self.look_up(number) };
        place * PAGE as u32 + at
    }

    /// The same without making the next look faster.
    pub(super) fn peek(&self, id: i64) -> u32 {
        let (number, at) = split(id);
        self.places.get(&number).copied().unwrap_or(NO_PAGE) * PAGE as u32 + at
    }

    /// Finds a page, if there is one, and puts it into the cache.
    #[cold]
    #[inline(never)]
    fn look_up(&mut self, number: u64) -> u32 {
        let Some(&place) = self.places.get(&number) else { return NO_PAGE };
        self.cache[number as usize % CACHE] = (number, place);
        place
    }

    /// Takes an id that is not in use, with a page for it if need be; returns its place.
    #[inline]
    pub(super) fn take(&mut self, id: i64) -> u32 {
        let (number, at) = split(id);
        let cached = self.cache[number as usize % CACHE];
        let place = if cached.0 == number { cached.1 } else { self.load(number) };
        self.used[place as usize] += 1;
        self.len += 1;
        place * PAGE as u32 + at
    }

    /// Finds or makes a page, and puts it into the cache.
    #[cold]
    #[inline(never)]
    fn load(&mut self, number: u64) -> u32 {
        let place = *self.places.entry(number).or_insert_with(|| {
            self.free.pop().unwrap_or_else(|| {
                self.used.push(0);
                self.used.len() as u32 - 1
            })
        });
        self.cache[number as usize % CACHE] = (number, place);
        place
    }

    /// Gives an id back that is in use.
    #[inline]
    pub(super) fn give(&mut self, id: i64) {
        let (number, _) = split(id);
        let cached = self.cache[number as usize % CACHE];
        let place = if cached.0 == number { cached.1 } else { self.load(number) };
        let used = &mut self.used[place as usize];
        *used -= 1;
        self.len -= 1;
        if *used == 0 {
            self.emptied.push(number);
            if self.emptied.len() == EMPTIED {
                self.give_back();
            }
        }
    }

    /// Gives back the pages that were emptied and still are.
    #[cold]
    #[inline(never)]
    fn give_back(&mut self) {
        for number in self.emptied.drain(..) {
            if let Entry::Occupied(entry) = self.places.entry(number)
                && self.used[*entry.get() as usize] == 0
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

    /// Near each other, in the same place of the cache, and from nowhere.
    const IDS: [i64; 10] = [0, 1, 31, 32, 8192, 8193, 1 << 40, i64::MAX, -1, i64::MIN];

    #[test]
    fn an_id_keeps_its_place() {
        let mut pages = GoPages::default();
        let slots = IDS.map(|id| pages.take(id));
        for (a, id) in IDS.into_iter().enumerate() {
            assert_eq!(pages.slot(id), slots[a], "{id}");
            assert_eq!(pages.peek(id), slots[a], "{id}");
            assert!(slots[..a].iter().all(|&slot| slot != slots[a]), "{id}");
        }
        assert_eq!((pages.len(), pages.page_count()), (IDS.len(), 7));
        let nowhere = pages.slot(1 << 30) as usize;
        assert!(nowhere >= pages.page_count() * PAGE);
        IDS.into_iter().for_each(|id| pages.give(id));
        assert_eq!((pages.len(), pages.emptied.len()), (0, 7));
    }

    #[test]
    fn a_page_that_leaves_the_cache_hides_no_other() {
        let mut pages = GoPages::default();
        let other = (PAGE * CACHE) as i64;
        let (first, second) = (pages.take(0), pages.take(other));
        assert_eq!((pages.slot(0), pages.slot(other)), (first, second));
    }

    #[test]
    fn pages_are_used_again() {
        let mut pages = GoPages::default();
        for id in 0..100_000 {
            pages.take(id);
            pages.give(id);
        }
        assert!(pages.page_count() <= EMPTIED, "{} pages", pages.page_count());
    }
}
