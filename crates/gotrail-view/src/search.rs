//! Searching: what has a text in its name.

use crate::index::Index;
use crate::labels::NO_LABEL;
use crate::marks::OPEN;
use crate::view::View;
use rustc_hash::FxHashMap;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// How well a name fits what was typed; less is better.
fn rank(name: &str, needle: &str) -> Option<u32> {
    let name = name.to_lowercase();
    let at = name.find(needle)?;
    // A function is called by what comes behind its package.
    let last = name.rsplit(['.', '/']).next().unwrap_or_default();
    let begins_word =
        |at: usize| name[..at].chars().next_back().is_none_or(|before| !before.is_alphanumeric());
    Some(match () {
        () if name == needle => 0,
        () if last == needle => 1,
        () if name.starts_with(needle) || last.starts_with(needle) => 2,
        () if begins_word(at) => 3,
        () => 4,
    })
}

/// A function of which something in the trace has the name.
struct Function<'a> {
    name: &'a str,
    group: Option<usize>,
    stacks: bool,
}

impl Index {
    /// The functions that have a text in their name, best ones first: those that goroutines began with
    /// and those in stacks.
    fn functions(&self, needle: &str) -> Vec<Function<'_>> {
        let groups = self.groups.iter().enumerate().filter(|(_, group)| !group.members.is_empty());
        let mut of_group: FxHashMap<&str, usize> =
            groups.map(|(at, group)| (self.text(group.label, "(unknown)"), at)).collect();
        let all = self.functions.since(0).iter();
        let mut found: Vec<_> = all
            .filter_map(|name| {
                let group = of_group.remove(&**name);
                Some((rank(name, needle)?, Function { name, group, stacks: true }))
            })
            .collect();
        found.extend(of_group.into_iter().filter_map(|(name, at)| {
            Some((rank(name, needle)?, Function { name, group: Some(at), stacks: false }))
        }));
        let members = |function: &Function<'_>| {
            function.group.map_or(0, |group| self.groups[group].members.len())
        };
        found.sort_by_cached_key(|(rank, function)| {
            (*rank, Reverse(members(function)), function.name.len(), function.name)
        });
        found.into_iter().map(|found| found.1).collect()
    }
}

impl View {
    /// `/api/search`.
    pub fn search(&self, text: &str, limit: usize) -> Value {
        let index = self.index.read();
        let needle = text.to_lowercase();
        let has = |hay: &str| hay.to_lowercase().contains(&needle);
        let functions = index.functions(&needle);
        let goroutines: Vec<_> = index
            .goroutines
            .iter()
            .filter(|goroutine| goroutine.id.to_string().starts_with(text))
            .collect();
        let tasks: Vec<_> = index
            .marks
            .tasks
            .iter()
            .filter(|task| {
                task.is_one() && (has(index.text(task.label, "")) || task.id.to_string() == text)
            })
            .collect();
        let mut names = BTreeMap::<u32, u64>::new();
        for region in &index.marks.regions {
            *names.entry(region.label).or_default() += 1;
        }
        let regions: Vec<_> =
            names.into_iter().filter(|(name, _)| has(index.text(*name, ""))).collect();
        let logs: Vec<_> = index.marks.logs.iter().filter(|log| has(&log.text)).collect();
        let total = json!({
            "functions": functions.len(), "goroutines": goroutines.len(), "tasks": tasks.len(),
            "regions": regions.len(), "logs": logs.len(),
        });
        let functions = functions.into_iter().take(limit).map(|function| {
            let group = function.group.map(|at| &index.groups[at]);
            let label = group.map(|group| group.label).filter(|label| *label != NO_LABEL);
            json!({
                "function": function.name, "group": function.group, "label": label,
                "count": group.map_or(0, |group| group.members.len()), "stacks": function.stacks,
            })
        });
        let goroutines = goroutines.into_iter().take(limit).map(|go| {
            json!({
                "id": go.id, "lane": format!("go:{}", go.id), "function": index.function_of(go),
            })
        });
        let tasks = tasks.into_iter().take(limit).map(|task| {
            json!({
                "id": task.id, "name": index.text(task.label, ""),
                "begin": (task.from != i64::MIN).then_some(task.from),
                "end": (task.until != OPEN).then_some(task.until),
            })
        });
        let regions = regions
            .into_iter()
            .take(limit)
            .map(|(name, count)| json!({"name": index.text(name, ""), "count": count}));
        let logs = logs
            .into_iter()
            .take(limit)
            .map(|log| json!({"time": log.time, "go": index.go(log.go), "text": log.text}));
        json!({
            "functions": functions.collect::<Vec<_>>(),
            "goroutines": goroutines.collect::<Vec<_>>(),
            "tasks": tasks.collect::<Vec<_>>(),
            "regions": regions.collect::<Vec<_>>(),
            "logs": logs.collect::<Vec<_>>(),
            "total": total,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn better_names_come_first() {
        let names = [
            "main.contend",
            "sync.(*Mutex).Lock",
            "main.lockAll",
            "internal/sync.(*Mutex).lockSlow",
            "main.unlock",
            "Lock",
        ];
        let mut found: Vec<_> =
            names.iter().filter_map(|name| Some((rank(name, "lock")?, *name))).collect();
        found.sort_by_key(|found| found.0);
        let found: Vec<_> = found.into_iter().map(|found| found.1).collect();
        assert_eq!(
            found,
            [
                "Lock",
                "sync.(*Mutex).Lock",
                "main.lockAll",
                "internal/sync.(*Mutex).lockSlow",
                "main.unlock"
            ]
        );
    }
}
