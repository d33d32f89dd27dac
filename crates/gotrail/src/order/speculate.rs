//! A generation put in order before the state it begins with is known.
//!
//! The tracer repeats the status of everything at its first mention in a generation, so that the
//! order of a generation hardly ever depends on what came before. A speculative run begins with
//! nothing, as in a first generation, and leaves a [`Trail`]: everything that it took on trust.
//! [`State::confirm`] compares the trail with the state that is meanwhile known to come before. If
//! they agree, the run made exactly the decisions that a run from that state would have made, and
//! the state after it follows. Whatever is doubtful is not confirmed, and then the generation is
//! put in order again in sequence.
//!
//! What a run can read of the state before it, and what must hold:
//!
//! | read | condition |
//! |---|---|
//! | status of a goroutine or proc | the status is the one known; a goroutine exists, and did not end before in the generation |
//! | a proc abandoned in a syscall, known to be in one | stolen from its holder before the holder did anything |
//! | a new goroutine's id | no such goroutine exists |
//! | what is bound to a thread | the thread's first events are the statuses of the same proc and goroutine, besides those of others and mark assists that last; none later contradicts what it runs |
//! | a thread named by a goroutine in a syscall | unknown, or bound to that goroutine |
//! | open ranges | each is said to be active, once |
//! | GC sequence and phase | the first GC event continues them, on a running goroutine |
//! | open regions | ends without a beginning match them |
//! | active tasks | none begins that is active |

use super::state::status::*;
use super::state::{Extra, Gc, GcPhase, NO_SLOT, NameRef, Names, OpenRange, State};
use crate::generation::Generation;
use bstr::BString;
use gotrail_format::EventType;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// What a speculative run took on trust.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trail {
    /// Goroutines with the status of their first mention.
    pub(super) goroutines: Vec<(i64, u8)>,
    /// Goroutines that are new.
    pub(super) created: Vec<i64>,
    /// Procs with the status of their first mention.
    pub(super) procs: Vec<(i64, u8)>,
    /// Procs that were found abandoned and then stolen, with the thread that is said to hold
    /// them, and whether that thread had done nothing yet.
    pub(super) stolen: Vec<(i64, i64, bool)>,
    /// Goroutines in a syscall on the thread that says so.
    pub(super) in_own_syscall: Vec<(i64, i64)>,
    /// Goroutines in a syscall on a thread that was not seen yet.
    pub(super) in_syscall: Vec<(i64, i64)>,
    /// Ranges that are said to be active, by goroutine and by proc.
    pub(super) go_ranges: Vec<(i64, OpenRange)>,
    pub(super) proc_ranges: Vec<(i64, OpenRange)>,
    /// The first GC event, its number, and whether a goroutine was running it.
    pub(super) gc: Option<(EventType, u64, bool)>,
    /// Ends of regions that began before, in order: goroutine, task, name.
    pub(super) region_ends: Vec<(i64, u64, NameRef)>,
    /// Tasks, and whether the first event of each is its beginning.
    pub(super) tasks: FxHashMap<u64, bool>,
    /// Whether something happened that only a first generation allows.
    pub(super) doubtful: bool,
    /// What the statuses bind that each thread begins with: proc and goroutine.
    pub(crate) prefixes: FxHashMap<i64, (i64, i64)>,
}

impl Trail {
    /// The thread that the abandoned proc was first stolen from, and whether it was unseen.
    fn first_steal(&self, proc: i64) -> Option<(i64, bool)> {
        self.stolen.iter().find(|steal| steal.0 == proc).map(|steal| (steal.1, steal.2))
    }
}

impl State {
    /// A state for a speculative run of the `index`th generation.
    pub(crate) fn speculative(index: u32, number: u64) -> State {
        let mut state = State::new(false);
        state.trail = Some(Box::default());
        state.first_generation(number, index + 1);
        state
    }

    /// The state after a generation, given the state before it and that of a speculative run
    /// through it; none if the run may have gone differently from the state before.
    pub(crate) fn confirm(
        &self,
        mut after: State,
        generation: &Generation<'_>,
        any_events: bool,
    ) -> Option<State> {
        let trail = after.trail.take()?;
        if self.is_pristine() {
            // The first generation: speculation is the real thing.
            after.end_generation(generation);
            after.tags.clone_from(&self.tags);
            after.tags.insert(generation.number, after.tag);
            after.set_initial_number(if any_events { generation.number } else { 0 });
            return Some(after);
        }
        let mentioned: FxHashSet<i64> = trail.goroutines.iter().map(|go| go.0).collect();
        // One that is mentioned again as if it were new has ended meanwhile: there is nothing left
        // to have a status.
        let agreed = mentioned.len() == trail.goroutines.len()
            && !trail.doubtful
            && self.goroutines_agree(&trail)
            && self.procs_agree(&trail)
            && self.threads_agree(&trail, &after)
            && self.ranges_agree(&trail)
            && self.gc_agrees(&trail)
            && trail.tasks.iter().all(|(id, &begun)| !begun || !self.tasks.contains_key(id));
        if !agreed {
            return None;
        }
        let regions = self.regions_after(&trail, generation)?;
        if trail.gc.is_none() {
            after.gc = self.gc;
        }
        after.end_generation(generation);
        self.carry_over(&trail, &mentioned, regions, &mut after);
        after.tags.clone_from(&self.tags);
        after.tags.insert(generation.number, after.tag);
        after.set_initial_number(self.initial_number());
        Some(after)
    }

    fn goroutines_agree(&self, trail: &Trail) -> bool {
        let status = |id| Some(self.goroutines.entries[self.goroutines.peek(id)? as usize].status);
        // A thread without a goroutine has that one, if a trace is so odd as to have it.
        status(-1).is_none()
            && trail.goroutines.iter().all(|&(id, found)| status(id) == Some(found))
            && trail.created.iter().all(|&id| status(id).is_none())
    }

    fn procs_agree(&self, trail: &Trail) -> bool {
        trail.procs.iter().all(|&(id, found)| {
            let Some(slot) = self.procs.find(id) else { return true };
            match (self.procs.entries[slot as usize].status, found) {
                (PROC_SYSCALL, PROC_SYSCALL_ABANDONED) => {
                    let mut holders = self.threads.entries[1..].iter().filter(|t| t.proc == id);
                    match (holders.next(), holders.next()) {
                        (Some(holder), None) => trail.first_steal(id) == Some((holder.id, true)),
                        _ => false,
                    }
                }
                (known, found) => known == found,
            }
        })
    }

    fn threads_agree(&self, trail: &Trail, after: &State) -> bool {
        let go_of = |id| Some(self.threads.entries[self.threads.find(id)? as usize].go);
        let carried = self.threads.entries[1..].iter().filter(|t| t.proc != -1 || t.go != -1);
        let mut bound = carried.filter(|thread| after.threads.find(thread.id).is_some());
        bound.all(|thread| {
            let (proc, go) = trail.prefixes.get(&thread.id).copied().unwrap_or((-1, -1));
            let same_proc = thread.proc == -1
                || thread.proc == proc
                || self.is_robbed(thread.id, thread.proc, trail);
            let same_go = thread.go == -1
                || thread.go == go
                || trail.in_syscall.contains(&(thread.go, thread.id));
            same_proc && same_go
        }) && trail.in_own_syscall.iter().all(|&(go, thread)| {
            let prefix = trail.prefixes.get(&thread).map(|prefix| prefix.1);
            go_of(thread) == Some(go) && prefix == Some(go)
        }) && trail.in_syscall.iter().all(|&(go, thread)| go_of(thread).is_none_or(|g| g == go))
    }

    /// Whether a thread in a syscall loses the proc that it holds, before it does anything.
    fn is_robbed(&self, thread: i64, proc: i64, trail: &Trail) -> bool {
        let status = self.procs.find(proc).map(|slot| self.procs.entries[slot as usize].status);
        status == Some(PROC_SYSCALL) && trail.first_steal(proc) == Some((thread, true))
    }

    /// Every range that is open is said to be active, once, and every range that is said to be
    /// active is open.
    fn ranges_agree(&self, trail: &Trail) -> bool {
        let open_go = |id| self.goroutines.extras.get(&id).map(|extra| &extra.ranges);
        fn once(ranges: &[(i64, OpenRange)]) -> bool {
            let ids: FxHashSet<i64> = ranges.iter().map(|range| range.0).collect();
            ids.len() == ranges.len()
        }
        let open_proc = |id| self.procs.find(id).map(|at| &self.procs.entries[at as usize].ranges);
        let goroutines = self.goroutines.extras.values().map(|extra| extra.ranges.len());
        let procs = self.procs.entries.iter().map(|proc| proc.ranges.len());
        goroutines.sum::<usize>() == trail.go_ranges.len()
            && procs.sum::<usize>() == trail.proc_ranges.len()
            && once(&trail.go_ranges)
            && once(&trail.proc_ranges)
            && trail.go_ranges.iter().all(|r| open_go(r.0).is_some_and(|open| open.has(r.1)))
            && trail.proc_ranges.iter().all(|r| open_proc(r.0).is_some_and(|open| open.has(r.1)))
    }

    fn gc_agrees(&self, trail: &Trail) -> bool {
        let Gc { seq, phase } = self.gc;
        match trail.gc {
            None => true,
            // Where nothing was known before, the first event is taken as it is found.
            Some((EventType::GC_BEGIN, ..)) if phase == GcPhase::Undetermined => true,
            Some((event, found, running)) => {
                let expected = match event {
                    EventType::GC_ACTIVE => GcPhase::Running,
                    EventType::GC_BEGIN => GcPhase::NotRunning,
                    _ => return false,
                };
                running && phase == expected && found == seq.wrapping_add(1)
            }
        }
    }

    /// What is left of each goroutine's open regions when those are closed that end without
    /// having begun in the generation.
    fn regions_after(
        &self,
        trail: &Trail,
        generation: &Generation<'_>,
    ) -> Option<FxHashMap<i64, usize>> {
        let mut left = FxHashMap::default();
        for &(go, task, name) in &trail.region_ends {
            let Some(extra) = self.goroutines.extras.get(&go) else { continue };
            let left = left.entry(go).or_insert(extra.regions.len());
            let Some(inner) = left.checked_sub(1).map(|last| extra.regions[last]) else { continue };
            let ended = name.resolve(generation, &self.names);
            if inner.task != task || inner.name.resolve(generation, &self.names) != ended {
                return None;
            }
            *left -= 1;
        }
        Some(left)
    }

    /// Adds to the state after the generation what it did not touch.
    fn carry_over(
        &self,
        trail: &Trail,
        mentioned: &FxHashSet<i64>,
        regions: FxHashMap<i64, usize>,
        after: &mut State,
    ) {
        let mut names = Interner::new(after.names());
        for entry in self.goroutines.iter() {
            if !mentioned.contains(&entry.id) {
                let slot = after.goroutines.insert(entry.id, entry.status, entry.tag);
                after.goroutines.entries[slot as usize].seq = entry.seq;
            }
        }
        for (&go, extra) in &self.goroutines.extras {
            let left = regions.get(&go).copied().unwrap_or(extra.regions.len());
            if left == 0 || after.goroutines.peek(go).is_none() {
                continue;
            }
            let outer = extra.regions[..left].iter().map(|region| {
                let name = names.carry(region.name, &self.names);
                super::state::Region { task: region.task, name }
            });
            let Extra { regions, .. } = after.goroutines.extra(go);
            regions.splice(0..0, outer);
        }
        let known: FxHashSet<i64> = trail.procs.iter().map(|proc| proc.0).collect();
        for (&id, &slot) in self.procs.ids() {
            if !known.contains(&id) {
                let proc = self.procs.entries[slot as usize].clone();
                let slot = after.procs.insert(id, proc.status, proc.tag);
                after.procs.entries[slot as usize] = proc;
            }
        }
        for thread in &self.threads.entries[1..] {
            if after.threads.find(thread.id).is_none() {
                let slot = after.threads.slot(thread.id);
                if !self.is_robbed(thread.id, thread.proc, trail) {
                    let proc_slot = after.procs.find(thread.proc).unwrap_or(NO_SLOT);
                    after.threads.bind_proc(slot, thread.proc, proc_slot);
                }
                after.threads.bind_go(slot, thread.go, NO_SLOT);
            }
        }
        for (&id, task) in &self.tasks {
            if !trail.tasks.contains_key(&id) {
                let name = names.carry(task.name, &self.names);
                after.tasks.insert(id, super::state::Task { parent: task.parent, name });
            }
        }
        after.names = Arc::new(names.finish());
    }
}

/// Moves names from one table to another.
struct Interner {
    names: Vec<BString>,
    index: FxHashMap<NameRef, NameRef>,
}

impl Interner {
    fn new(names: &Names) -> Interner {
        Interner { names: names.all().to_vec(), index: FxHashMap::default() }
    }

    fn carry(&mut self, name: NameRef, from: &Names) -> NameRef {
        let names = &mut self.names;
        *self.index.entry(name).or_insert_with(|| match name.carried_text(from) {
            Some(text) => {
                names.push(text.to_owned());
                NameRef::carried(names.len() - 1)
            }
            None => name,
        })
    }

    fn finish(self) -> Names {
        Names::new(self.names)
    }
}

#[cfg(debug_assertions)]
impl State {
    /// What differs from another state, if anything does that matters.
    pub(crate) fn difference(&self, other: &State, generation: &Generation<'_>) -> Option<String> {
        fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
            let mut items: Vec<T> = items.collect();
            items.sort();
            items
        }
        let describe = |state: &State| {
            let name = |name: NameRef| name.resolve(generation, &state.names).to_string();
            let current = |tag, seq| if tag == state.tag { seq } else { 0 };
            let extra = |id| {
                let extra = state.goroutines.extras.get(&id);
                let regions = extra.map(|extra| {
                    extra.regions.iter().map(|r| (r.task, name(r.name))).collect::<Vec<_>>()
                });
                (regions.unwrap_or_default(), extra.map_or(0, |extra| extra.ranges.len()))
            };
            let alive = state.goroutines.iter();
            let bound = state.threads.entries.iter().filter(|t| (t.proc, t.go) != (-1, -1));
            let proc = |at: u32| &state.procs.entries[at as usize];
            let procs = state.procs.ids().iter().map(|(&id, &at)| (id, proc(at)));
            let tasks = state.tasks.iter().map(|(id, task)| (id, task.parent, name(task.name)));
            [
                format!(
                    "goroutines {:?}",
                    sorted(alive.map(|go| (
                        go.id,
                        go.status,
                        current(go.tag, go.seq),
                        extra(go.id)
                    )))
                ),
                format!(
                    "procs {:?}",
                    sorted(procs.map(|(id, proc)| {
                        (id, proc.status, current(proc.tag, proc.seq), proc.ranges.len())
                    }))
                ),
                format!("threads {:?}", sorted(bound.map(|t| (t.id, t.proc, t.go)))),
                format!("tasks {:?}", sorted(tasks)),
                format!("gc {:?}, tag {}", state.gc, state.tag),
            ]
        };
        let differs = |(a, b): (String, String)| (a != b).then(|| format!("{a}\n{b}"));
        describe(self).into_iter().zip(describe(other)).find_map(differs)
    }
}
