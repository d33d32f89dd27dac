//! Lanes as options of commands: which goroutines a command is to be asked about, so that it says of
//! lanes what the page shows of them.

use super::Failure;
use crate::index::Index;
use crate::lane::Lane;
use crate::view::View;
use axum::http::StatusCode;
use rustc_hash::FxHashSet;

/// A system does not start a command with an argument over 128 KiB.
const LONGEST: usize = 100_000;

/// Options of commands, without `--`.
pub(super) type Options = Vec<(&'static str, String)>;

/// What lanes are about.
#[derive(Debug, PartialEq)]
pub(super) enum Scope {
    /// All goroutines.
    All,
    /// Those that began with functions matching this expression, and these that did not.
    Goroutines(Option<String>, Vec<i64>),
    /// What was done on procs or threads.
    Units,
}

/// What these lanes are about: goroutines if any lane is, as in [`View::selection`].
pub(super) fn scope_of(index: &Index, lanes: &[Lane]) -> Result<Scope, Failure> {
    let missing = |why: String| Failure(StatusCode::NOT_FOUND, why);
    let (mut groups, mut goroutines) = (FxHashSet::default(), Vec::new());
    let mut units = false;
    for &lane in lanes {
        match lane {
            Lane::Group(group) if (group as usize) < index.groups.len() => {
                groups.insert(group);
            }
            Lane::Group(group) => {
                return Err(missing(format!("there is no group {group}: /api/lanes lists them")));
            }
            Lane::Go(id) | Lane::Regions(id) => match index.find(id) {
                Some(place) => goroutines.push(place),
                None => return Err(missing(format!("there is no goroutine {id} in this trace"))),
            },
            Lane::Proc(_) | Lane::Thread(_) => units = true,
            _ => {}
        }
    }
    if groups.is_empty() && goroutines.is_empty() {
        return Ok(if units { Scope::Units } else { Scope::All });
    }
    // Each once: what is said of parts is added up.
    goroutines.sort_unstable();
    goroutines.dedup();
    goroutines.retain(|&place| !groups.contains(&index.goroutines[place as usize].group));
    let ids: Vec<i64> = goroutines.into_iter().map(|place| index.id(place)).collect();
    let mut groups: Vec<u32> = groups.into_iter().collect();
    groups.sort_unstable();
    let functions: Vec<String> =
        groups.into_iter().map(|group| escaped(index.function_of_group(group))).collect();
    let regex = match &functions[..] {
        [] => None,
        [one] => Some(format!("^{one}$")),
        several => Some(format!("^({})$", several.join("|"))),
    };
    if regex.as_ref().map_or(0, String::len).max(ids.len() * 20) > LONGEST {
        return Err("these are too many functions or goroutines at a time".to_owned().into());
    }
    Ok(Scope::Goroutines(regex, ids))
}

impl Scope {
    /// The options of commands that say together what is to be said: each goroutine is in one.
    pub(super) fn parts(&self) -> Vec<Options> {
        match self {
            Scope::All => vec![Vec::new()],
            Scope::Units => Vec::new(),
            Scope::Goroutines(functions, ids) => {
                let functions = functions.iter().map(|regex| vec![("function", regex.clone())]);
                let listed = ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
                let ids = (!ids.is_empty()).then(|| vec![("goroutine", listed)]);
                functions.chain(ids).collect()
            }
        }
    }

    /// The options of the one command that says it, or why there is none.
    pub(super) fn options(&self) -> Result<Options, &'static str> {
        let mut parts = self.parts();
        match (parts.len(), parts.pop()) {
            (1, Some(options)) => Ok(options),
            (0, _) => Err("no command is about single procs or threads"),
            _ => Err("no command is about functions and single goroutines together"),
        }
    }
}

/// A text as a regular expression that matches it alone.
fn escaped(text: &str) -> String {
    let special = |c: char| !(c.is_alphanumeric() || "_/".contains(c)) && c.is_ascii();
    text.chars().fold(String::new(), |mut out, c| {
        if special(c) {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

/// The command that says the same of a selection, or why there is none.
pub(super) fn command_of(
    view: &View,
    (from, to): (Option<i64>, Option<i64>),
    lanes: &[Lane],
) -> Result<String, String> {
    let scope = match scope_of(&view.index.read(), lanes) {
        Ok(scope) => scope,
        Err(Failure(_, why)) => return Err(why),
    };
    let mut words = vec!["gotrail".to_owned(), "goroutines".to_owned()];
    for (name, time) in [("--from", from), ("--to", to)] {
        if let Some(time) = time {
            words.extend([name.to_owned(), format!("{time}ns")]);
        }
    }
    for (name, value) in scope.options()? {
        words.extend([format!("--{name}"), value]);
    }
    Ok(view.line(words))
}
