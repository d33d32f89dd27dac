//! Answers of commands: what `gotrail COMMAND` says of the trace, and the command lines that say it.

use super::asked::{Query, lanes_of, window};
use super::run::{Pieces, run};
use super::scope::{Scope, scope_of};
use super::{ANSWERS, Answer, App, Failure, Server, work};
use crate::flame;
use crate::lane::Lane;
use crate::view::View;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The commands whose answers can be had, with how many arguments each takes before the trace.
const COMMANDS: [(&str, bool); 15] = [
    ("goroutines", false),
    ("goroutine", true),
    ("tasks", false),
    ("task", true),
    ("regions", false),
    ("logs", false),
    ("latency", false),
    ("gc", false),
    ("mmu", false),
    ("procs", false),
    ("check", false),
    ("why", false),
    ("info", false),
    ("flame", false),
    ("pprof", false),
];

/// The options of a question that is about a time.
fn times(asked: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let ends = ["from", "to"].into_iter().filter_map(|end| asked.get(end).map(|time| (end, time)));
    ends.map(|(end, time)| (end.to_owned(), format!("{}ns", time.trim_end_matches("ns")))).collect()
}

/// The lanes of a question; `group=N` is short for one.
fn lanes(asked: &BTreeMap<String, String>) -> Result<Vec<Lane>, String> {
    let mut lanes = lanes_of(asked.get("lanes").map_or("", String::as_str))?;
    if let Some(group) = asked.get("group") {
        lanes.push(format!("group:{group}").parse()?);
    }
    Ok(lanes)
}

pub(super) async fn flame(
    State(app): App,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Answer {
    let kind = asked.get("type").map_or("offcpu", String::as_str).to_owned();
    let lanes = lanes(&asked)?;
    let scope = scope_of(&app.view.index.read(), &lanes)?;
    let (mut sums, mut lines) = (BTreeMap::<String, i64>::new(), Vec::new());
    let mut reason = None;
    for part in scope.parts() {
        let mut options = times(&asked);
        options.insert("type".to_owned(), kind.clone());
        options.extend(part.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let said = match say(&app, "flame", &options).await {
            Ok(said) => said,
            // To the command it is an error that there is nothing to write; here it is an answer.
            Err(Failure(StatusCode::BAD_REQUEST, why)) if is_nothing(&why) => {
                reason = Some(why);
                continue;
            }
            Err(failure) => return Err(failure),
        };
        for line in String::from_utf8_lossy(&said.output).lines() {
            if let Some((frames, Ok(value))) =
                line.rsplit_once(' ').map(|(frames, value)| (frames, value.parse::<i64>()))
            {
                *sums.entry(frames.to_owned()).or_default() += value;
            }
        }
        lines.push(said.line);
    }
    if scope == Scope::Units {
        let Some(of) = flame::Kind::of_name(&kind) else {
            return Err(format!("there is no flame graph of type {kind:?}").into());
        };
        let time = window(nanoseconds(&asked, "from")?, nanoseconds(&asked, "to")?)?;
        sums = work(Arc::clone(&app), move |view| view.flame_of_units(of, time, &lanes)).await??;
        reason =
            Some("goroutines do not wait on a proc or thread, and were not sampled".to_owned());
    }
    let total: i64 = sums.values().sum();
    let stacks = sums.into_iter().map(
        |(frames, value)| json!({"frames": frames.split(';').collect::<Vec<_>>(), "value": value}),
    );
    Ok(Json(json!({
        "unit": if kind == "cpu" { "samples" } else { "ns" },
        "total": total,
        "stacks": stacks.collect::<Vec<_>>(),
        "reason": reason.filter(|_| total == 0),
        // Two commands say it together: none says it alone.
        "command": lines.pop().filter(|_| lines.is_empty()),
    })))
}

/// Whether a command refuses because there is nothing that it could write.
fn is_nothing(why: &str) -> bool {
    why.contains("nothing to show") || why.contains("no goroutine began with")
}

pub(super) async fn critical(
    State(app): App,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Answer {
    let mut options = times(&asked);
    let limit = match asked.get("limit") {
        Some(limit) => limit.parse().map_err(|_| format!("limit={limit} is no number"))?,
        None => 1000,
    };
    // To the command 0 means all.
    let limit = usize::clamp(limit, 1, 10_000);
    options.insert("path".to_owned(), limit.to_string());
    for (name, option) in [("go", "goroutine"), ("task", "task")] {
        if let Some(id) = asked.get(name) {
            options.insert(option.to_owned(), id.clone());
        }
    }
    if let Some(go) = last_of(&app, &asked).await? {
        options.insert("goroutine".to_owned(), go.to_string());
    }
    let said = say(&app, "why", &options).await?;
    let why: Value = serde_json::from_slice(&said.output).unwrap_or(Value::Null);
    let origin = app.view.index.read().start.unwrap_or(0);
    let steps = why["path"].as_array().into_iter().flatten().map(|step| {
        let time = |name: &str| step[name].as_i64().map(|time| time - origin);
        json!({
            "go": step["goroutine"], "function": step["function"],
            "from": time("from"), "to": time("until"),
            "kind": step["kind"], "label": step["reason"],
        })
    });
    Ok(Json(json!({
        "go": why["goroutine"],
        "total": why["path_pieces"],
        "steps": steps.collect::<Vec<_>>(),
        "by_kind": why["kinds"],
    })))
}

/// Of lanes of goroutines, whoever was the last to do something in the time.
async fn last_of(
    app: &Arc<Server>,
    asked: &BTreeMap<String, String>,
) -> Result<Option<i64>, Failure> {
    let lanes = lanes(asked)?;
    match scope_of(&app.view.index.read(), &lanes)? {
        Scope::All => return Ok(None),
        Scope::Units => {
            return Err("a critical path is one of goroutines, not of procs or threads"
                .to_owned()
                .into());
        }
        Scope::Goroutines(..) => {}
    }
    let time = window(nanoseconds(asked, "from")?, nanoseconds(asked, "to")?)?;
    let last = work(Arc::clone(app), move |view| view.last_of(&lanes, time)).await??;
    let why = "none of these goroutines was there in that time";
    last.map(Some).ok_or(Failure(StatusCode::NOT_FOUND, why.to_owned()))
}

/// A time in nanoseconds, if it is given.
fn nanoseconds(asked: &BTreeMap<String, String>, name: &str) -> Result<Option<i64>, String> {
    let Some(time) = asked.get(name) else { return Ok(None) };
    let number = time.trim_end_matches("ns").parse();
    number.map(Some).map_err(|_| format!("{name}={time} is no number of nanoseconds"))
}

/// What a command said, and how it was called.
struct Said {
    output: Vec<u8>,
    line: String,
}

/// What a command says of the trace, in the form for programs.
async fn say(
    app: &Arc<Server>,
    name: &str,
    asked: &BTreeMap<String, String>,
) -> Result<Said, Failure> {
    let (line, mut pieces) = begin(app, name, asked).await?;
    let mut output = Vec::new();
    while let Some(piece) = pieces.recv().await {
        let failed =
            |_| Failure(StatusCode::INTERNAL_SERVER_ERROR, format!("{line}: it ended early"));
        output.extend(piece.map_err(failed)?);
    }
    Ok(Said { output, line })
}

/// A trace that is longer is a lot of work for some commands, which then run alone: they take as much
/// memory as this server.
const LONG: usize = 64 << 20;

/// Begins to say it: how the command is called, and what it writes.
async fn begin(
    app: &Arc<Server>,
    name: &str,
    asked: &BTreeMap<String, String>,
) -> Result<(String, Pieces), Failure> {
    let Some(&(command, takes_id)) = COMMANDS.iter().find(|(known, _)| *known == name) else {
        let names = COMMANDS.map(|(name, _)| name).join(", ");
        return Err(format!("no answers of {name:?}; there are {names}").into());
    };
    let mut args = vec![command.to_owned()];
    for (option, value) in asked {
        if matches!(option.as_str(), "id" | "token") {
            continue;
        }
        if !OPTIONS.contains(&&**option) {
            return Err(format!("--{option} cannot be had here").into());
        }
        match (option.as_str(), value.as_str()) {
            (_, "" | "true") => args.push(format!("--{option}")),
            (_, value) => args.push(format!("--{option}={value}")),
        }
    }
    match command {
        "check" => args.push("--format=json".to_owned()),
        "flame" => args.extend(["--format=folded", "-o", "-"].map(str::to_owned)),
        "pprof" => args.extend(["-o", "-"].map(str::to_owned)),
        _ => args.push("--json".to_owned()),
    }
    args.push("--".to_owned());
    if takes_id {
        let Some(id) = asked.get("id").filter(|id| id.parse::<i64>().is_ok()) else {
            return Err(format!("{command} is about one thing: give its id").into());
        };
        args.push(id.clone());
    }
    let mut words = vec!["gotrail".to_owned()];
    words.extend(args.iter().filter(|word| *word != "--").cloned());
    let line = app.view.line(words);
    args.push(app.view.file().display().to_string());
    let Some(trace) = app.view.trace() else {
        if let Some(error) = &app.view.index.read().error {
            return Err(Failure(StatusCode::NOT_FOUND, format!("there is no trace: {error}")));
        }
        let why = "the trace is still being read: ask again when it is there";
        return Err(Failure(StatusCode::SERVICE_UNAVAILABLE, why.to_owned()));
    };
    let alone = trace.bytes().len() > LONG
        && (matches!(command, "goroutine" | "task" | "why") || asked.contains_key("each"));
    let places = if alone { ANSWERS as u32 } else { 1 };
    Ok((line, run(app, args, places).await?))
}

/// What is wrong, of what a command says to a person in a terminal: where the trace lies and what to
/// type next is for there.
pub(super) fn wrong(said: &str, view: &View) -> String {
    let mut text = said.trim().trim_start_matches("error: ");
    for end in
        ["\n  next:", "\n  likely cause:", "\n\nUsage:", "\n\nFor more information", "\n\n  tip:"]
    {
        text = text.split(end).next().unwrap_or(text);
    }
    let path = format!("{}: ", view.file().display());
    text.trim().replace(&path, "the trace: ")
}

/// The options of commands that may be given: none of them names a file, and a new one is not among
/// them by itself.
const OPTIONS: [&str; 33] = [
    "as-go",
    "by",
    "category",
    "csv",
    "depth",
    "each",
    "flags",
    "frames",
    "from",
    "function",
    "goroutine",
    "group-by",
    "message",
    "nth",
    "only",
    "path",
    "region",
    "region-max",
    "region-min",
    "set",
    "show",
    "sort",
    "stacks",
    "state",
    "steps",
    "task",
    "threads",
    "to",
    "top",
    "type",
    "waits",
    "window",
    "worst",
];

pub(super) async fn answer(
    State(app): App,
    Path(name): Path<String>,
    Query(mut asked): Query<BTreeMap<String, String>>,
) -> Result<Response, Failure> {
    if name == "why" {
        let last = last_of(&app, &asked).await?;
        asked.extend(last.map(|go| ("goroutine".to_owned(), go.to_string())));
    } else if asked.contains_key("lanes") {
        let scope = scope_of(&app.view.index.read(), &lanes(&asked)?)?;
        for (option, value) in scope.options()? {
            if asked.insert(option.to_owned(), value).is_some() {
                return Err(format!("either lanes or {option}, not both").into());
            }
        }
    }
    asked.remove("lanes");
    let (line, pieces) = begin(&app, &name, &asked).await?;
    let kind = match name.as_str() {
        "flame" => "text/plain; charset=utf-8",
        "pprof" => "application/octet-stream",
        _ => "application/x-ndjson",
    };
    // It may be long: what has come is passed on.
    let body = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(pieces));
    let mut response = ([(header::CONTENT_TYPE, kind)], body).into_response();
    if let Ok(line) = HeaderValue::from_str(&line) {
        response.headers_mut().insert("x-gotrail-command", line);
    }
    Ok(response)
}
