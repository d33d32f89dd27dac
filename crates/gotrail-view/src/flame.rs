//! What goroutines did on procs and threads, by stack. Of goroutines the commands say that; none is
//! about a proc or thread.

use crate::index::Index;
use crate::lane::Lane;
use crate::moves::{Move, Mover, NONE};
use crate::state::State;
use crate::view::View;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::io;

/// What is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// CPU samples.
    Cpu,
    /// All time, by what was done: on a proc that is to run or to be in a system call.
    Wall,
    /// Time in system calls.
    Syscall,
    /// Waits, of which none is on a proc or thread.
    Waits,
}

impl Kind {
    /// The kind as the API names it.
    pub fn of_name(name: &str) -> Option<Kind> {
        Some(match name {
            "cpu" => Kind::Cpu,
            "wall" => Kind::Wall,
            "syscall" => Kind::Syscall,
            "offcpu" | "sched" | "sync" | "net" => Kind::Waits,
            _ => return None,
        })
    }
}

/// When each goroutine, by place, was on something, in the order of time.
type Times = FxHashMap<u32, Vec<(i64, i64)>>;

/// Sums by what was done and where; the stacks of each generation, by where it begins.
type Sums = FxHashMap<u64, FxHashMap<(State, Where), i64>>;

/// Where something was done: a stack, or the function that a goroutine began with, by group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Where {
    Stack(u32),
    Group(u32),
}

impl View {
    /// The stacks of what goroutines did on the procs and threads among these lanes, frames from the
    /// outermost on with semicolons between them: nanoseconds, or samples.
    pub fn flame_of_units(
        &self,
        kind: Kind,
        (from, to): (i64, i64),
        lanes: &[Lane],
    ) -> io::Result<BTreeMap<String, i64>> {
        let index = self.index.read();
        let times = index.times_on(lanes, (from, to))?;
        let mut sums = Sums::default();
        match kind {
            Kind::Waits => {}
            Kind::Cpu => {
                let all = index.marks.samples.iter();
                for sample in all.filter(|one| (from..to).contains(&one.time)) {
                    let times = times.get(&sample.go).map_or(&[][..], |times| times);
                    let after = times.partition_point(|time| time.0 <= sample.time);
                    if after.checked_sub(1).is_some_and(|at| sample.time < times[at].1) {
                        let bytes = index.parts[index.part_at(sample.time)].bytes.start;
                        let sums = sums.entry(bytes).or_default();
                        *sums.entry((State::RUNNING, Where::Stack(sample.stack))).or_default() += 1;
                    }
                }
            }
            Kind::Wall => index.add_times(&times, (from, to), |_| true, &mut sums)?,
            Kind::Syscall => {
                index.add_times(&times, (from, to), |state| state != State::RUNNING, &mut sums)?;
            }
        }
        let mut named = BTreeMap::new();
        for (generation, sums) in sums {
            let generation = self.generation(&(generation..generation));
            for ((state, place), value) in sums {
                let mut frames: Vec<String> = match (place, &generation) {
                    (Where::Group(group), _) => {
                        vec![plain(index.function_of_group(group).as_bytes())]
                    }
                    (Where::Stack(stack), Some(generation)) if stack != NONE => {
                        let stack = generation.stack_with_id(u64::from(stack)).into_iter();
                        stack
                            .flat_map(|stack| stack.frames().map(|one| plain(one.function)))
                            .collect()
                    }
                    _ => Vec::new(),
                };
                if frames.is_empty() {
                    frames.push("(no stack)".to_owned());
                }
                if kind == Kind::Wall {
                    frames.push(State::NAMES[usize::from(state.0)].to_owned());
                }
                frames.reverse();
                *named.entry(frames.join(";")).or_default() += value;
            }
        }
        Ok(named)
    }

    /// Of the goroutines of these lanes the one that was the last to do something in a time: the one
    /// that ran last, or else the one that came last to what it was in.
    pub fn last_of(&self, lanes: &[Lane], time: (i64, i64)) -> io::Result<Option<i64>> {
        let index = self.index.read();
        let chosen: FxHashSet<u32> = index.chosen(lanes).unwrap_or_default();
        let mut last = None;
        let wanted = |place: u32| chosen.contains(&place);
        index.each_span(Mover::Goroutines, wanted, time, |place, begun, from, until, _| {
            let works = begun.to() == State::RUNNING || begun.to() == State::SYSCALL;
            if begun.to() != State::NONE {
                last = last.max(Some((works, if works { until } else { from }, place)));
            }
        })?;
        Ok(last.map(|(_, _, place)| index.id(place)))
    }
}

/// A name without what separates names.
fn plain(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let safe = |c: char| if c.is_control() { ' ' } else { c };
    name.chars().map(|c| if c == ';' { ':' } else { safe(c) }).collect()
}

/// Where something was done, and a time of its generation.
type Stacked = (Where, i64);

/// The goroutine's own stack when it moved. Who loses its proc in a system call is where the call began.
fn stacked(moved: Move, before: Option<Stacked>) -> Stacked {
    match before {
        Some(before) if moved.from() == State::SYSCALL && moved.to() == State::SYSCALL_NO_PROC => {
            before
        }
        _ if moved.by == NONE => (Where::Stack(moved.stack), moved.time()),
        _ => (Where::Stack(NONE), moved.time()),
    }
}

impl Index {
    /// When goroutines were on the procs and threads among these lanes.
    fn times_on(&self, lanes: &[Lane], window: (i64, i64)) -> io::Result<Times> {
        let mut times = Times::default();
        for kind in [Mover::Procs, Mover::Threads] {
            let units = lanes.iter().filter_map(|&lane| self.unit(lane));
            let units: FxHashSet<u32> =
                units.filter(|unit| unit.1 == kind).map(|unit| unit.0).collect();
            let wanted = |place: u32| units.contains(&place);
            self.each_span(kind, wanted, window, |_, begun, from, until, _| {
                if begun.to() != State::NONE && begun.by != NONE {
                    times.entry(begun.by).or_default().push((from, until));
                }
            })?;
        }
        // A goroutine that is on a proc is on a thread, too: that counts once.
        for times in times.values_mut() {
            times.sort_unstable();
            times.dedup_by(|next, last| {
                let overlaps = next.0 <= last.1;
                if overlaps {
                    last.1 = last.1.max(next.1);
                }
                overlaps
            });
        }
        Ok(times)
    }

    /// Adds what goroutines did in these times. Where one ran is in the event that stopped it, if it
    /// stopped by itself.
    fn add_times(
        &self,
        times: &Times,
        (from, to): (i64, i64),
        counts: impl Fn(State) -> bool,
        sums: &mut Sums,
    ) -> io::Result<()> {
        let mut add = |place: u32, (state, begin, end): (State, i64, i64), of: Stacked| {
            let executes = state.0 <= State::SYSCALL_NO_PROC.0 && state != State::RUNNABLE;
            if !executes || !counts(state) {
                return;
            }
            let Some(times) = times.get(&place) else { return };
            let first = times.partition_point(|time| time.1 <= begin);
            let touching = times[first..].iter().take_while(|time| time.0 < end);
            let sum: i64 = touching.map(|time| time.1.min(end) - time.0.max(begin)).sum();
            if sum > 0 {
                let bytes = self.parts[self.part_at(of.1)].bytes.start;
                *sums.entry(bytes).or_default().entry((state, of.0)).or_default() += sum;
            }
        };
        let mut open: FxHashMap<u32, (Move, Stacked)> = FxHashMap::default();
        // What was under way at the beginning began before.
        for &place in times.keys() {
            let Some(moved) = self.last_move(place, Mover::Goroutines, from)? else { continue };
            let before = match moved.time() {
                0 => None,
                time => self.last_move(place, Mover::Goroutines, time - 1)?,
            };
            let before = before.map(|before| stacked(before, None));
            open.insert(place, (moved, stacked(moved, before)));
        }
        for part in self.parts_in(from, i64::MAX) {
            if part.from >= to && open.is_empty() {
                break;
            }
            for (place, moves) in self.all_moves(part, Mover::Goroutines)? {
                if !times.contains_key(&place) {
                    continue;
                }
                for moved in moves.skip_while(|moved| moved.time() <= from) {
                    let before = open.remove(&place);
                    if let Some((before, of)) = before {
                        let span = (before.to(), before.time(), moved.time());
                        let of = match (before.to(), moved.to()) {
                            // Of its last stretch no stack is known.
                            (State::RUNNING, State::NONE) if moved.stack == NONE => {
                                let group = self.goroutines[place as usize].group;
                                (Where::Group(group), moved.time())
                            }
                            (State::RUNNING, _) => stacked(moved, None),
                            _ => of,
                        };
                        add(place, span, of);
                    }
                    if moved.time() >= to {
                        break;
                    }
                    open.insert(place, (moved, stacked(moved, before.map(|before| before.1))));
                }
            }
        }
        for (place, (moved, of)) in open {
            let ran = moved.to() == State::RUNNING;
            let of = if ran { (Where::Stack(NONE), moved.time()) } else { of };
            add(place, (moved.to(), moved.time(), self.indexed), of);
        }
        Ok(())
    }
}
