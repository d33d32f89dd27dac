//! What the state machine knows: threads, procs, goroutines, tasks and the GC.
//!
//! Everything here lives across generations and is what a [`Checkpoint`](crate::Checkpoint) holds. Goroutines and
//! procs carry a sequence number that is valid for one generation; the generation is kept as a
//! small tag, equal for equal generation numbers.

use super::Offer;
use super::go_pages::{GoPages, PAGE};
use super::speculate::Trail;
use crate::generation::Generation;
use bstr::{BStr, BString};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Not in the table.
pub(crate) const NO_SLOT: u32 = u32::MAX;

/// A status of a goroutine or proc on the wire.
pub(crate) mod status {
    pub(crate) const GO_RUNNABLE: u8 = 1;
    pub(crate) const GO_RUNNING: u8 = 2;
    pub(crate) const GO_SYSCALL: u8 = 3;
    pub(crate) const GO_WAITING: u8 = 4;

    pub(crate) const PROC_RUNNING: u8 = 1;
    pub(crate) const PROC_IDLE: u8 = 2;
    pub(crate) const PROC_SYSCALL: u8 = 3;
    pub(crate) const PROC_SYSCALL_ABANDONED: u8 = 4;

    /// The goroutine's place in the table is free.
    pub(crate) const GO_DEAD: u8 = 0xff;

    pub(crate) fn go_name(status: u8) -> &'static str {
        ["Bad", "Runnable", "Running", "Syscall", "Waiting"].get(status as usize).unwrap_or(&"Bad")
    }

    pub(crate) fn proc_name(status: u8) -> &'static str {
        const NAMES: [&str; 5] = ["Bad", "Running", "Idle", "Syscall", "SyscallAbandoned"];
        NAMES.get(status as usize).unwrap_or(&"Bad")
    }
}

/// The state of the whole scheduler between two events.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) threads: Threads,
    pub(super) procs: Procs,
    pub(super) goroutines: Goroutines,
    pub(super) tasks: FxHashMap<u64, Task>,
    pub(super) gc: Gc,
    /// Names of tasks and regions that are open since an earlier generation.
    pub(super) names: Arc<Names>,
    /// The tag of each generation number so far.
    pub(super) tags: FxHashMap<u64, u32>,
    /// The number of the first generation.
    initial_number: u64,
    /// The current generation's tag, and whether its number is that of the first.
    pub(super) tag: u32,
    pub(super) initial: bool,
    pub(super) lenient: bool,
    /// What a speculative run takes on trust.
    pub(super) trail: Option<Box<Trail>>,
}

/// The names of tasks and regions that began in a generation before.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Names(Vec<BString>);

impl Names {
    pub(super) fn new(names: Vec<BString>) -> Names {
        Names(names)
    }

    pub(super) fn all(&self) -> &[BString] {
        &self.0
    }

    pub(crate) fn get(&self, index: u64) -> &BStr {
        self.0.get(index as usize).map_or(BStr::new(""), |name| name.as_ref())
    }
}

/// The name of a task or region: a string of the current generation, or one of [`Names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct NameRef(pub(crate) u64);

impl NameRef {
    /// Marks what is not a string of the current generation.
    const CARRIED: u64 = 1 << 63;
    pub(crate) const EMPTY: NameRef = NameRef(0);
    /// A name that a damaged trace does not have.
    pub(crate) const LOST: NameRef = NameRef(u64::MAX);

    /// A string of the current generation, if its id leaves room for the mark.
    pub(crate) fn current(id: u64) -> NameRef {
        NameRef(if id & NameRef::CARRIED == 0 { id } else { 0 })
    }

    /// The string's id, if it is one of the current generation.
    pub(crate) fn of_generation(self) -> Option<u64> {
        (self.0 & NameRef::CARRIED == 0).then_some(self.0)
    }

    pub(super) fn carried(index: usize) -> NameRef {
        NameRef(index as u64 | NameRef::CARRIED)
    }

    /// The text of a name that was carried over.
    pub(super) fn carried_text(self, names: &Names) -> Option<&BStr> {
        let carried = self.0 & NameRef::CARRIED != 0 && self != NameRef::LOST;
        carried.then(|| names.get(self.0 & !NameRef::CARRIED))
    }

    pub(crate) fn resolve<'a>(self, generation: &'a Generation<'a>, names: &'a Names) -> &'a BStr {
        if self.0 & NameRef::CARRIED == 0 {
            generation.string(self.0)
        } else {
            names.get(self.0 & !NameRef::CARRIED)
        }
    }
}

/// An active task.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task {
    pub(crate) parent: u64,
    pub(crate) name: NameRef,
}

/// The mark phase, of which there is one at a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Gc {
    pub(crate) seq: u64,
    pub(crate) phase: GcPhase,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum GcPhase {
    #[default]
    Undetermined,
    NotRunning,
    Running,
}

impl State {
    /// Nothing is known. A lenient state tolerates names that a damaged trace lost.
    pub(crate) fn new(lenient: bool) -> State {
        State {
            lenient,
            trail: None,
            threads: Threads::default(),
            procs: Procs::default(),
            goroutines: Goroutines::default(),
            tasks: FxHashMap::default(),
            gc: Gc::default(),
            names: Arc::new(Names::default()),
            tags: FxHashMap::default(),
            initial_number: 0,
            tag: 0,
            initial: true,
        }
    }

    /// Prepares for the events of the generation with this number.
    pub(crate) fn begin_generation(&mut self, number: u64) {
        let fresh = self.tags.len() as u32 + 1;
        self.tag = *self.tags.entry(number).or_insert(fresh);
        self.initial = self.initial_number == 0 || self.initial_number == number;
    }

    /// Begins with a generation of its own, as if it were the first.
    pub(super) fn first_generation(&mut self, number: u64, tag: u32) {
        (self.tag, self.initial, self.initial_number) = (tag, true, number);
    }

    /// Whether no event happened yet.
    pub(crate) fn is_pristine(&self) -> bool {
        self.initial_number == 0
    }

    pub(super) fn initial_number(&self) -> u64 {
        self.initial_number
    }

    pub(super) fn set_initial_number(&mut self, number: u64) {
        self.initial_number = number;
    }

    pub(crate) fn trail(&mut self) -> Option<&mut Trail> {
        self.trail.as_deref_mut()
    }

    /// Called with the first event of all: from then on its generation is the first.
    #[inline]
    pub(crate) fn note_first_event(&mut self, number: u64) {
        if self.initial_number == 0 {
            self.initial_number = number;
        }
    }

    /// Keeps the names of open tasks and regions beyond the generation whose strings they are.
    pub(crate) fn end_generation(&mut self, generation: &Generation<'_>) {
        let mut kept = Vec::new();
        let mut index = FxHashMap::<BString, NameRef>::default();
        let names = self.names.clone();
        let mut keep = |name: &mut NameRef| {
            if *name == NameRef::LOST {
                return;
            }
            let text = name.resolve(generation, &names);
            *name = *index.entry(text.to_owned()).or_insert_with(|| {
                kept.push(text.to_owned());
                NameRef::carried(kept.len() - 1)
            });
        };
        for task in self.tasks.values_mut() {
            keep(&mut task.name);
        }
        for extra in self.goroutines.extras.values_mut() {
            for region in &mut extra.regions {
                keep(&mut region.name);
            }
        }
        self.names = Arc::new(Names(kept));
    }

    /// The number of goroutines that exist.
    pub(crate) fn goroutine_count(&self) -> usize {
        self.goroutines.len()
    }

    /// How many entries its tables have room for, used or not: a copy has room for as many.
    pub(crate) fn size(&self) -> usize {
        let Goroutines { entries, extras, .. } = &self.goroutines;
        let small = self.threads.entries.len() + self.procs.entries.len() + self.tags.capacity();
        entries.len() + 2 * extras.capacity() + self.tasks.capacity() + small
    }

    /// The number of tasks that are active.
    pub(crate) fn task_count(&self) -> usize {
        self.tasks.len()
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// The same, to be kept while the state moves on in a generation.
    pub(crate) fn shared_names(&self) -> Arc<Names> {
        Arc::clone(&self.names)
    }

    /// Where the goroutine of the offer's context is in the table, if it is.
    #[inline]
    pub(super) fn this_go(&mut self, offer: &Offer<'_>) -> Option<u32> {
        let hint = offer.go_hint;
        match self.goroutines.entries.get(hint as usize) {
            Some(entry) if entry.id == offer.go && entry.status != status::GO_DEAD => Some(hint),
            _ => self.goroutines.find(offer.go),
        }
    }
}

/// Goroutines by id.
#[derive(Debug, Clone, Default)]
pub(crate) struct Goroutines {
    pages: GoPages,
    /// The pages one after the other; ids that are not in use are dead.
    pub(super) entries: Vec<Goroutine>,
    /// Open regions and ranges of the few goroutines that have any.
    pub(super) extras: FxHashMap<i64, Extra>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Goroutine {
    pub(super) id: i64,
    pub(super) seq: u64,
    pub(super) tag: u32,
    pub(super) status: u8,
}

/// What is open on a goroutine.
#[derive(Debug, Clone, Default)]
pub(super) struct Extra {
    pub(super) regions: Vec<Region>,
    pub(super) ranges: Ranges,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Region {
    pub(super) task: u64,
    pub(super) name: NameRef,
}

impl Goroutine {
    const DEAD: Goroutine = Goroutine { id: -1, seq: 0, tag: 0, status: status::GO_DEAD };

    /// Whether this is the goroutine with this id, in this state.
    #[inline(always)]
    pub(super) fn is(&self, id: i64, status: u8) -> bool {
        self.id == id && self.status == status
    }

    /// Whether `seq` of the generation `tag` is the next number.
    #[inline]
    pub(super) fn is_next(&self, tag: u32, seq: u64) -> bool {
        self.tag == tag && seq == self.seq.wrapping_add(1)
    }
}

impl Goroutines {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.pages.len()
    }

    /// All of them, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Goroutine> {
        self.entries.iter().filter(|go| go.status != status::GO_DEAD)
    }

    /// Where a goroutine is in the table, if it exists.
    #[inline]
    pub(super) fn find(&mut self, id: i64) -> Option<u32> {
        let slot = self.pages.slot(id);
        self.exists(slot).then_some(slot)
    }

    /// Like [`Goroutines::find`], without making the next look faster.
    pub(super) fn peek(&self, id: i64) -> Option<u32> {
        let slot = self.pages.peek(id);
        self.exists(slot).then_some(slot)
    }

    #[inline(always)]
    fn exists(&self, slot: u32) -> bool {
        self.entries.get(slot as usize).is_some_and(|go| go.status != status::GO_DEAD)
    }

    /// The place of this id in the table, where something else may be, or nothing.
    #[inline(always)]
    pub(super) fn slot(&mut self, id: i64) -> u32 {
        self.pages.slot(id)
    }

    /// Adds a goroutine that does not exist yet.
    #[inline]
    pub(super) fn insert(&mut self, id: i64, status: u8, tag: u32) -> u32 {
        let slot = self.pages.take(id);
        if slot as usize >= self.entries.len() {
            self.entries.resize(self.pages.page_count() * PAGE, Goroutine::DEAD);
        }
        self.entries[slot as usize] = Goroutine { id, seq: 0, tag, status };
        slot
    }

    #[inline]
    pub(super) fn remove(&mut self, slot: u32) {
        let entry = &mut self.entries[slot as usize];
        entry.status = status::GO_DEAD;
        self.pages.give(entry.id);
        if !self.extras.is_empty() {
            self.extras.remove(&entry.id);
        }
    }

    pub(super) fn extra(&mut self, id: i64) -> &mut Extra {
        self.extras.entry(id).or_default()
    }
}

/// Procs by id; they never go away.
#[derive(Debug, Clone, Default)]
pub(crate) struct Procs {
    index: FxHashMap<i64, u32>,
    pub(super) entries: Vec<Proc>,
}

#[derive(Debug, Clone)]
pub(super) struct Proc {
    pub(super) seq: u64,
    pub(super) tag: u32,
    pub(super) status: u8,
    pub(super) ranges: Ranges,
}

impl Proc {
    #[inline]
    pub(super) fn is_next(&self, tag: u32, seq: u64) -> bool {
        self.tag == tag && seq == self.seq.wrapping_add(1)
    }
}

impl Procs {
    pub(super) fn ids(&self) -> &FxHashMap<i64, u32> {
        &self.index
    }

    #[inline]
    pub(super) fn find(&self, id: i64) -> Option<u32> {
        self.index.get(&id).copied()
    }

    pub(super) fn insert(&mut self, id: i64, status: u8, tag: u32) -> u32 {
        let slot = self.entries.len() as u32;
        self.entries.push(Proc { seq: 0, tag, status, ranges: Ranges::default() });
        self.index.insert(id, slot);
        slot
    }
}

/// Threads by id; they never go away, and ids may be used again.
///
/// The first place belongs to batches without a thread, to which nothing is ever bound.
#[derive(Debug, Clone)]
pub(crate) struct Threads {
    index: FxHashMap<i64, u32>,
    pub(super) entries: Vec<Thread>,
}

/// What is bound to a thread.
#[derive(Debug, Clone, Copy)]
pub(super) struct Thread {
    pub(super) id: i64,
    pub(super) proc: i64,
    pub(super) go: i64,
    pub(super) proc_slot: u32,
    pub(super) go_hint: u32,
}

impl Thread {
    const UNBOUND: Thread =
        Thread { id: -1, proc: -1, go: -1, proc_slot: NO_SLOT, go_hint: NO_SLOT };

    /// Whether the thread has a proc and a goroutine.
    #[inline(always)]
    pub(super) fn is_running(&self) -> bool {
        self.proc != -1 && self.go != -1
    }
}

impl Default for Threads {
    fn default() -> Threads {
        Threads { index: FxHashMap::default(), entries: vec![Thread::UNBOUND] }
    }
}

impl Threads {
    #[inline]
    pub(super) fn find(&self, id: i64) -> Option<u32> {
        self.index.get(&id).copied()
    }

    /// The thread's place; a thread exists from the first event on that it offers.
    pub(crate) fn slot(&mut self, id: i64) -> u32 {
        if id == -1 {
            return 0;
        }
        let fresh = self.entries.len() as u32;
        let slot = *self.index.entry(id).or_insert(fresh);
        if slot == fresh {
            self.entries.push(Thread { id, ..Thread::UNBOUND });
        }
        slot
    }

    /// The thread that holds a proc.
    pub(super) fn holder(&self, proc: i64) -> Option<&Thread> {
        self.entries[1..].iter().find(|thread| thread.proc == proc)
    }

    #[inline]
    pub(super) fn bind_proc(&mut self, slot: u32, proc: i64, proc_slot: u32) {
        let thread = &mut self.entries[slot as usize];
        (thread.proc, thread.proc_slot) = (proc, proc_slot);
    }

    #[inline]
    pub(super) fn bind_go(&mut self, slot: u32, go: i64, hint: u32) {
        let thread = &mut self.entries[slot as usize];
        (thread.go, thread.go_hint) = (go, hint);
    }

    #[inline]
    pub(super) fn unbind_none(&mut self) {
        self.entries[0] = Thread::UNBOUND;
    }
}

/// The open ranges of one goroutine or proc: rarely more than one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ranges(Vec<OpenRange>);

/// An open range: the event that begins it and, for a stop-the-world, the id of its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OpenRange {
    pub(super) begin: u8,
    pub(super) reason: u64,
}

impl Ranges {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn has(&self, range: OpenRange) -> bool {
        self.0.contains(&range)
    }

    pub(super) fn open(&mut self, range: OpenRange) {
        self.0.push(range);
    }

    /// Ends the first range that `begin` began and returns its reason.
    pub(super) fn close(&mut self, begin: u8) -> Option<u64> {
        let at = self.0.iter().position(|range| range.begin == begin)?;
        Some(self.0.swap_remove(at).reason)
    }
}
