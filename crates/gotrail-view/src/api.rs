//! Answers to questions about a trace, as JSON: docs/api.md says what they mean.

use crate::bins::{Bins, Sums};
use crate::index::{Goroutine, Index};
use crate::labels::NO_LABEL;
use crate::lane::Lane;
use crate::marks::OPEN;
use crate::moves::{Move, Mover, NONE};
use crate::state::{STATES, State};
use crate::view::View;
use serde_json::{Value, json};
use std::io;

/// Why there is no answer.
#[derive(Debug)]
pub enum Refusal {
    /// The question makes no sense.
    Wrong(String),
    /// What is asked for is not in the trace.
    Missing(String),
    /// What was indexed cannot be read again.
    Unreadable(io::Error),
}

impl From<String> for Refusal {
    fn from(why: String) -> Refusal {
        Refusal::Wrong(why)
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Refusal {
        Refusal::Unreadable(error)
    }
}

/// Into how many parts time is divided where only numbers are shown.
pub(crate) const STRIP: usize = 512;

impl View {
    /// `/api/trace`.
    pub fn about(&self) -> Value {
        let index = self.index.read();
        let states: Vec<_> = State::NAMES
            .iter()
            .enumerate()
            .map(|(id, name)| json!({"id": id, "name": name}))
            .collect();
        let duration = index.duration.max(1);
        let trace = self.trace();
        // To list them may take a moment, as long as nothing is indexed.
        let indexing = index.start.is_some() || index.done;
        let generations = trace.filter(|_| indexing).map(|trace| trace.generations().len());
        let progress = if index.done { 1.0 } else { index.indexed as f64 / duration as f64 };
        let lost: Vec<_> = index
            .lost
            .iter()
            .map(|(from, to, what)| json!({"from": from, "to": to, "what": what}))
            .collect();
        json!({
            "name": self.name,
            "path": self.shown(),
            "bytes": trace.map(|trace| trace.bytes().len()),
            "version": trace.map(|trace| trace.version().to_string()),
            "start_unix": index.wall,
            "origin": index.start,
            "duration": duration,
            "indexed": if index.done { duration } else { index.indexed },
            "progress": progress.min(1.0),
            "done": index.done,
            "events": index.events,
            "generations": generations,
            "goroutines": index.goroutines.len(),
            "procs": index.procs.all.len(),
            "threads": index.threads.all.len(),
            "tasks": index.marks.tasks.iter().filter(|task| task.is_one()).count(),
            "regions": index.marks.regions.len(),
            "states": states,
            "labels": index.labels.len(),
            "base_level": index.level,
            "complete": index.lost.is_empty() && index.error.is_none(),
            "lost": lost,
            "error": index.error,
        })
    }

    /// `/api/labels`.
    pub fn labels(&self, from: u32) -> Value {
        json!({"from": from, "labels": self.index.read().labels.since(from)})
    }

    /// `/api/lanes`.
    pub fn lanes(&self) -> Value {
        let index = self.index.read();
        let mut groups: Vec<(i64, Value)> = Vec::new();
        for (number, group) in
            index.groups.iter().enumerate().filter(|(_, g)| !g.members.is_empty())
        {
            let mut states = [0; STATES];
            let (mut first, mut last) = (i64::MAX, 0);
            for &member in &group.members {
                let goroutine = &index.goroutines[member as usize];
                first = first.min(goroutine.created);
                last = last.max(index.until(goroutine.ended));
                for (sum, time) in states.iter_mut().zip(index.times(goroutine)) {
                    *sum += time;
                }
            }
            let active = states[..4].iter().sum();
            groups.push((
                active,
                json!({
                    "id": number, "lane": format!("group:{number}"),
                    "function": index.text(group.label, "(unknown)"),
                    "count": group.members.len(), "first": first, "last": last, "states": states,
                }),
            ));
        }
        groups.sort_by_key(|group| -group.0);
        let groups: Vec<_> = groups.into_iter().map(|group| group.1).collect();
        let units = |all: &[crate::index::Unit], kind: &str| {
            let mut ids: Vec<_> = all.iter().map(|unit| unit.id).collect();
            ids.sort_unstable();
            ids.into_iter()
                .map(|id| json!({"id": id, "lane": format!("{kind}:{id}")}))
                .collect::<Vec<_>>()
        };
        json!({
            "revision": index.parts.len(),
            "groups": groups,
            "procs": units(&index.procs.all, "proc"),
            "threads": units(&index.threads.all, "thread"),
        })
    }

    /// `/api/members`.
    pub fn members(
        &self,
        group: Option<u32>,
        sort: &str,
        (offset, limit): (usize, usize),
        (from, to): (i64, i64),
        text: &str,
    ) -> Result<Value, Refusal> {
        let index = self.index.read();
        let members = match group {
            Some(group) => match index.groups.get(group as usize) {
                Some(group) => Some(&group.members),
                None => {
                    let why = format!("there is no group {group}: /api/lanes lists them");
                    return Err(Refusal::Missing(why));
                }
            },
            None => None,
        };
        let sum = |goroutine: &Goroutine, states: std::ops::Range<usize>| {
            -index.times(goroutine)[states].iter().sum::<i64>()
        };
        let key = |goroutine: &Goroutine| match sort {
            "blocked" => sum(goroutine, 4..STATES),
            "runnable" => sum(goroutine, 1..2),
            "syscall" => sum(goroutine, 2..4),
            "start" => goroutine.created,
            "id" => goroutine.id,
            "total" => sum(goroutine, 0..STATES),
            _ => sum(goroutine, 0..1),
        };
        if !["", "blocked", "runnable", "running", "syscall", "start", "id", "total"]
            .contains(&sort)
        {
            let why = format!(
                "there is no order {sort:?}: blocked, runnable, running, syscall, start, id, total"
            );
            return Err(Refusal::Wrong(why));
        }
        let matches = |goroutine: &Goroutine| {
            text.is_empty()
                || goroutine.id.to_string() == text.trim_start_matches('G')
                || index.function_of(goroutine).contains(text)
        };
        let row = |place: u32| {
            let goroutine = &index.goroutines[place as usize];
            let wanted = goroutine.created < to && goroutine.ended > from && matches(goroutine);
            wanted.then(|| (key(goroutine), place))
        };
        let mut rows: Vec<(i64, u32)> = match members {
            Some(members) => members.iter().filter_map(|&place| row(place)).collect(),
            None => (0..index.goroutines.len() as u32).filter_map(row).collect(),
        };
        let total = rows.len();
        // There may be a million: only what is shown, and what is before it, is put in order.
        let end = offset.saturating_add(limit).min(total);
        if end < total {
            rows.select_nth_unstable(end);
            rows.truncate(end);
        }
        rows.sort_unstable();
        let page = rows.into_iter().skip(offset).take(limit).map(|(_, place)| {
            let goroutine = &index.goroutines[place as usize];
            let states = index.times(goroutine);
            json!({
                "id": goroutine.id, "lane": format!("go:{}", goroutine.id),
                "function": index.function_of(goroutine),
                "created": goroutine.created,
                "ended": (goroutine.ended != OPEN).then_some(goroutine.ended),
                "creator": (goroutine.creator != NONE).then(|| index.id(goroutine.creator)),
                "states": states,
            })
        });
        Ok(json!({"total": total, "rows": page.collect::<Vec<_>>()}))
    }

    /// `/api/plot`.
    pub fn plot(&self, name: &str, from: i64, to: i64, points: usize) -> Result<Value, String> {
        let index = self.index.read();
        let over =
            |bins: &Bins, value: fn(&Sums) -> f32| index.over_time(bins, (from, to), points, value);
        let (values, unit): (Vec<(i64, f64)>, &str) = match name {
            "heap" => (numbers(&index.marks.heap), "bytes"),
            "goal" => (numbers(&index.marks.goal), "bytes"),
            "procs" => (numbers(&index.marks.procs), "procs"),
            "goroutines" => (over(&index.all, |sums| sums.iter().sum()), "goroutines"),
            "runnable" => (over(&index.all, |sums| sums[1]), "goroutines"),
            "threads" => (over(&index.all, |sums| sums[0] + sums[2] + sums[3]), "threads"),
            "tasks" => (over(&index.open.tasks, |sums| sums[0]), "tasks"),
            "regions" => (over(&index.open.regions, |sums| sums[0]), "regions"),
            _ => {
                return Err(format!(
                    "there is no plot {name:?}: heap, goal, goroutines, runnable, threads, procs, tasks, \
                     regions"
                ));
            }
        };
        let first = values.partition_point(|value| value.0 < from).saturating_sub(1);
        let end = values.partition_point(|value| value.0 <= to).max(first);
        let shown = &values[first..end];
        let per = shown.len().div_ceil(points.max(1)).max(1);
        let (mut t, mut min, mut max, mut last) = (vec![], vec![], vec![], vec![]);
        for chunk in shown.chunks(per) {
            t.push(chunk[0].0);
            min.push(chunk.iter().map(|value| value.1).fold(f64::MAX, f64::min));
            max.push(chunk.iter().map(|value| value.1).fold(f64::MIN, f64::max));
            last.push(chunk[chunk.len() - 1].1);
        }
        Ok(json!({"name": name, "unit": unit, "t": t, "min": min, "max": max, "last": last}))
    }

    /// `/api/span`.
    pub fn span(&self, lane: Lane, time: i64) -> Result<Value, Refusal> {
        let index = self.index.read();
        let known = |place: Option<u32>| {
            place.ok_or(Refusal::Missing("there is no such lane in the trace".to_owned()))
        };
        let (place, kind) = match lane {
            Lane::Go(id) => (known(index.find(id))?, Mover::Goroutines),
            Lane::Proc(id) => (known(index.procs.find(id))?, Mover::Procs),
            Lane::Thread(id) => (known(index.threads.find(id))?, Mover::Threads),
            _ => return index.stretch(lane, time),
        };
        let of_go = kind == Mover::Goroutines;
        let begun = index.last_move(place, kind, time)?.filter(|m| m.to() != State::NONE);
        let Some(begun) = begun else {
            return Err(Refusal::Missing("nothing is there at that time".to_owned()));
        };
        let next = index.next_move(place, kind, begun.time())?;
        // A proc or thread may have nothing to do in between.
        let mut following = next;
        while let Some(moved) = following.filter(|moved| moved.to() == State::NONE) {
            following = index.next_move(place, kind, moved.time())?;
        }
        let mut before = Some(begun);
        while let Some(moved) = before {
            before = match moved.time() {
                0 => None,
                time => index.last_move(place, kind, time - 1)?,
            };
            if before.is_some_and(|before| before.to() != State::NONE) {
                break;
            }
        }
        let go = if of_go { place } else { begun.by };
        let goroutine = index.goroutines.get(go as usize);
        let who = |by: u32, stack: Value, time: i64| who(&index, by, stack, time);
        let stack_of =
            |moved: Move| self.stack(&index.parts[index.part_at(moved.time())].bytes, moved.stack);
        let stack = stack_of(begun);
        let state = begun.to();
        // The stack of an event that somebody else caused is somebody else's.
        let own = begun.by == NONE;
        let ended = next.filter(|_| of_go).map(|next| who(next.by, stack_of(next), next.time()));
        let creator = match goroutine.filter(|goroutine| goroutine.creator != NONE) {
            None => None,
            Some(goroutine) => {
                let born = index.last_move(go, Mover::Goroutines, goroutine.created)?;
                let stack = born.map_or(json!([]), stack_of);
                Some(who(goroutine.creator, stack, goroutine.created))
            }
        };
        let label = if of_go { index.reasons[usize::from(begun.reason())].0 } else { NO_LABEL };
        let until = next.map_or(index.indexed, |next| next.time());
        let unit = |kind| index.unit_of(kind, go, begun.time());
        let similar = match goroutine.filter(|_| of_go) {
            Some(goroutine) => Some(index.similar(goroutine.group, state, begun.reason())?),
            None => None,
        };
        Ok(json!({
            "lane": lane_name(lane),
            "go": index.go(go),
            "function": goroutine.map(|goroutine| index.function_of(goroutine)),
            "state": state.0,
            "label": (label != NO_LABEL).then(|| index.text(label, "")),
            "task": null,
            "from": begun.time(), "to": until, "open": next.is_none(),
            "proc": if kind == Mover::Procs { Some(index.procs.all[place as usize].id) } else { unit(Mover::Procs)? },
            "thread": if kind == Mover::Threads { Some(index.threads.all[place as usize].id) } else { unit(Mover::Threads)? },
            "stack": if own { stack.clone() } else { json!([]) },
            "began": if of_go && !own { who(begun.by, stack, begun.time()) } else { Value::Null },
            "ended": ended, "creator": creator,
            "previous": before.map(|before| before.time()),
            "next": following.map(|following| following.time()),
            "similar": similar,
        }))
    }

    /// `/api/arrows`.
    pub fn arrows(&self, from: i64, to: i64, between: &[i64], limit: usize) -> io::Result<Value> {
        let index = self.index.read();
        let (mut total, mut rows) = (0, Vec::new());
        for part in index.parts_in(from, to) {
            for (place, moves) in index.all_moves(part, Mover::Goroutines)? {
                let to_id = index.id(place);
                for moved in moves.take_while(|moved| moved.time() < to) {
                    let by = index.id(moved.by);
                    if moved.time() < from
                        || moved.to() != State::RUNNABLE
                        || by == -1
                        || !(between.is_empty()
                            || between.contains(&to_id)
                            || between.contains(&by))
                    {
                        continue;
                    }
                    total += 1;
                    if rows.len() < limit {
                        let kind = if moved.from() == State::NONE { "create" } else { "unblock" };
                        rows.push(
                            json!({"kind": kind, "time": moved.time(), "from": by, "to": to_id}),
                        );
                    }
                }
            }
        }
        Ok(json!({"total": total, "rows": rows}))
    }
}

fn numbers(list: &[(i64, u64)]) -> Vec<(i64, f64)> {
    list.iter().map(|&(time, value)| (time, value as f64)).collect()
}

/// A goroutine that had to do with a span, by place, and when.
pub(crate) fn who(index: &Index, by: u32, stack: Value, time: i64) -> Value {
    let Some(goroutine) = index.goroutines.get(by as usize) else { return Value::Null };
    json!({
        "go": goroutine.id, "lane": format!("go:{}", goroutine.id),
        "function": index.function_of(goroutine), "time": time, "stack": stack,
    })
}

fn lane_name(lane: Lane) -> String {
    match lane {
        Lane::Go(id) => format!("go:{id}"),
        Lane::Proc(id) => format!("proc:{id}"),
        Lane::Thread(id) => format!("thread:{id}"),
        other => format!("{other:?}"),
    }
}

impl Index {
    /// A text, or another where there is none.
    pub(crate) fn text<'a>(&'a self, label: u32, otherwise: &'a str) -> &'a str {
        if label == NO_LABEL { otherwise } else { self.labels.text(label) }
    }

    pub(crate) fn function_of(&self, goroutine: &Goroutine) -> &str {
        self.function_of_group(goroutine.group)
    }

    pub(crate) fn function_of_group(&self, group: u32) -> &str {
        self.text(self.groups[group as usize].label, "(unknown)")
    }

    pub(crate) fn go(&self, place: u32) -> Option<i64> {
        self.goroutines.get(place as usize).map(|goroutine| goroutine.id)
    }

    pub(crate) fn lane(&self, place: u32) -> Option<String> {
        self.go(place).map(|id| format!("go:{id}"))
    }

    /// Times in each state until now.
    fn times(&self, goroutine: &Goroutine) -> [i64; STATES] {
        let mut times = goroutine.times;
        if let Some(state) = goroutine.state.index() {
            times[state] += (self.indexed - goroutine.since).max(0);
        }
        times
    }

    /// A sum of states, on average over bins.
    fn over_time(
        &self,
        of: &Bins,
        (from, to): (i64, i64),
        points: usize,
        value: impl Fn(&Sums) -> f32,
    ) -> Vec<(i64, f64)> {
        let mut level = self.level;
        while ((to.min(self.duration) - from.max(0)) >> level) > points.max(1) as i64 {
            level += 1;
        }
        let first = (from.max(0) >> level) as u64;
        let last = (to.min(self.indexed).max(from) >> level) as u64;
        let mut bins = vec![[0.0; STATES]; (last + 1 - first.min(last)) as usize];
        of.read(level, first, &mut bins);
        let len = (1u64 << level) as f64;
        let bins = bins.iter().enumerate();
        bins.map(|(at, sums)| {
            ((((first + at as u64) << level) as i64), f64::from(value(sums)) / len)
        })
        .collect()
    }

    /// The proc or thread that a goroutine had at a time.
    fn unit_of(&self, kind: Mover, go: u32, time: i64) -> io::Result<Option<i64>> {
        let units = if kind == Mover::Procs { &self.procs } else { &self.threads };
        for (place, unit) in units.all.iter().enumerate() {
            let last = self.last_move(place as u32, kind, time)?;
            if go != NONE && last.is_some_and(|last| last.by == go && last.to() != State::NONE) {
                return Ok(Some(unit.id));
            }
        }
        Ok(None)
    }

    /// Spans of goroutines of a group in a state for a reason: how long they are.
    fn similar(&self, group: u32, state: State, reason: u8) -> io::Result<Value> {
        let mut lengths: Vec<i64> = Vec::new();
        let own = |place: u32| self.goroutines[place as usize].group == group;
        let all = (i64::MIN, i64::MAX);
        self.each_span(Mover::Goroutines, own, all, |_, begun, from, until, whole| {
            if whole && begun.to() == state && begun.reason() == reason {
                lengths.push(until - from);
            }
        })?;
        lengths.sort_unstable();
        let at = |share: f64| {
            let rank = (share * lengths.len() as f64).ceil() as usize;
            lengths.get(rank.saturating_sub(1)).copied()
        };
        Ok(json!({
            "count": lengths.len(), "p50": at(0.5), "p99": at(0.99), "max": lengths.last(),
            "total": lengths.iter().sum::<i64>(),
        }))
    }
}
