//! Small tables by id: procs count from 0, goroutines lie close together wherever they begin. A
//! damaged trace may have any ids, which must not make a table large.

use rustc_hash::FxHashMap;

/// Ids of procs below this one have a place of their own.
const DENSE: usize = 1 << 12;

/// Something about each of some procs.
#[derive(Debug, Clone)]
pub(crate) struct ByProc<T> {
    dense: Vec<Option<T>>,
    sparse: FxHashMap<i64, T>,
}

impl<T> Default for ByProc<T> {
    fn default() -> ByProc<T> {
        ByProc { dense: Vec::new(), sparse: FxHashMap::default() }
    }
}

impl<T> ByProc<T> {
    #[inline]
    pub(crate) fn get(&self, proc: i64) -> Option<&T> {
        match self.dense.get(proc as usize) {
            Some(place) => place.as_ref(),
            None => self.sparse.get(&proc),
        }
    }

    #[inline]
    pub(crate) fn contains(&self, proc: i64) -> bool {
        self.get(proc).is_some()
    }

    #[inline]
    pub(crate) fn insert(&mut self, proc: i64, value: T) {
        match self.dense.get_mut(proc as usize) {
            Some(place) => *place = Some(value),
            None => self.insert_new(proc, value),
        }
    }

    #[cold]
    fn insert_new(&mut self, proc: i64, value: T) {
        let at = proc as usize;
        if at >= DENSE {
            self.sparse.insert(proc, value);
            return;
        }
        self.dense.resize_with(at + 1, || None);
        self.dense[at] = Some(value);
    }

    #[inline]
    pub(crate) fn remove(&mut self, proc: i64) -> Option<T> {
        match self.dense.get_mut(proc as usize) {
            Some(place) => place.take(),
            None => self.sparse.remove(&proc),
        }
    }

    /// Every proc that there is something about.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, &T)> {
        let dense = self.dense.iter().enumerate();
        let dense = dense.filter_map(|(proc, value)| Some((proc as i64, value.as_ref()?)));
        dense.chain(self.sparse.iter().map(|(&proc, value)| (proc, value)))
    }
}

impl<T: Default> ByProc<T> {
    /// What there is about a proc, which is there afterwards.
    #[inline]
    pub(crate) fn entry(&mut self, proc: i64) -> &mut T {
        if !self.contains(proc) {
            self.insert(proc, T::default());
        }
        match self.dense.get_mut(proc as usize) {
            Some(place) => place.get_or_insert_default(),
            None => self.sparse.entry(proc).or_default(),
        }
    }
}

/// Ids of a page of goroutines, as a power of two.
const PAGE: u32 = 5;

/// Places of a small cache in front of the pages.
const CACHED: usize = 1 << 10;

/// No such goroutine.
const NONE: u32 = u32::MAX;

/// Where goroutines are in a list.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    /// Places among the pages, by the upper bits of ids.
    places: FxHashMap<i64, u32>,
    pages: Vec<[u32; 1 << PAGE]>,
    cache: Box<[(i64, u32); CACHED]>,
}

impl Default for Slots {
    fn default() -> Slots {
        // No id is looked for at the place of another.
        let cache = Box::new(std::array::from_fn(|at| (!(at as i64), NONE)));
        Slots { places: FxHashMap::default(), pages: Vec::new(), cache }
    }
}

impl Slots {
    /// The slot of the goroutine with this id, without keeping it at hand.
    pub(crate) fn look(&self, id: i64) -> Option<usize> {
        let page = self.pages[*self.places.get(&(id >> PAGE))? as usize];
        let slot = page[id as usize % page.len()];
        (slot != NONE).then_some(slot as usize)
    }

    /// The slot of the goroutine with this id.
    #[inline(always)]
    pub(crate) fn get(&mut self, id: i64) -> Option<usize> {
        match self.at_hand(id) {
            None => self.find(id),
            slot => slot,
        }
    }

    /// The slot of the goroutine with this id, if it was asked for not long ago.
    #[inline(always)]
    pub(crate) fn at_hand(&self, id: i64) -> Option<usize> {
        let cached = self.cache[id as usize % CACHED];
        (cached.0 == id).then_some(cached.1 as usize)
    }

    #[inline(never)]
    fn find(&mut self, id: i64) -> Option<usize> {
        let slot = self.look(id)?;
        self.cache[id as usize % CACHED] = (id, slot as u32);
        Some(slot)
    }

    /// A goroutine gets a slot.
    pub(crate) fn insert(&mut self, id: i64, slot: usize) {
        let place = *self.places.entry(id >> PAGE).or_insert_with(|| {
            self.pages.push([NONE; 1 << PAGE]);
            self.pages.len() as u32 - 1
        });
        let page = &mut self.pages[place as usize];
        page[id as usize % (1 << PAGE)] = slot as u32;
        self.cache[id as usize % CACHED] = (id, slot as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_id_has_a_place() {
        let mut slots = Slots::default();
        let ids = [0, 1, 31, 32, 1023, 1024, -1, i64::MIN, i64::MAX - 1, 1 << 40];
        assert!(ids.iter().all(|&id| slots.get(id).is_none()));
        for (slot, &id) in ids.iter().enumerate() {
            slots.insert(id, slot);
        }
        for (slot, &id) in ids.iter().enumerate() {
            assert_eq!((slots.get(id), slots.look(id)), (Some(slot), Some(slot)));
        }
        let mut procs = ByProc::default();
        for &id in &ids {
            procs.insert(id, id);
            *procs.entry(id) += 1;
        }
        assert!(ids.iter().all(|&id| procs.get(id) == Some(&(id.wrapping_add(1)))));
        assert_eq!(procs.iter().count(), ids.len());
        assert_eq!(procs.remove(31), Some(32));
        assert!(!procs.contains(31) && !procs.contains(30));
        assert!(procs.dense.len() <= DENSE);
    }
}
