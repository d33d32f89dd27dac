//! Answers of commands: what `gotrail COMMAND` says of the trace, and the command lines that say it.

use super::{Answer, App, Asked, Failure, Query, Server};
use crate::lane::Lane;
use crate::view::View;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::process::Command;

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

/// The command that says the same of a selection, if there is one: it knows one goroutine, or those of
/// one function, or all.
pub(super) fn command_of(view: &View, asked: &Asked, lanes: &[Lane]) -> Option<String> {
    let mut words = vec!["gotrail".to_owned(), "goroutines".to_owned()];
    for (name, time) in [("--from", asked.from), ("--to", asked.to)] {
        if let Some(time) = time {
            words.extend([name.to_owned(), format!("{time}ns")]);
        }
    }
    match lanes {
        [] => {}
        [Lane::Go(id)] => words.extend(["--goroutine".to_owned(), id.to_string()]),
        [Lane::Group(group)] => {
            let function = format!("^{}$", escaped(&view.function(*group)?));
            words.extend(["--function".to_owned(), function]);
        }
        _ => return None,
    }
    words.push(view.shown());
    Some(shell_words::join(words))
}

pub(super) async fn flame(
    State(app): App,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Answer {
    let mut options = BTreeMap::new();
    let kind = asked.get("type").map_or("offcpu", String::as_str).to_owned();
    options.insert("type".to_owned(), kind.clone());
    for end in ["from", "to"] {
        if let Some(time) = asked.get(end) {
            options.insert(end.to_owned(), format!("{}ns", time.trim_end_matches("ns")));
        }
    }
    if let Some(group) = asked.get("group") {
        let group = group.parse().map_err(|_| format!("{group:?} is no group"))?;
        let function = app.view.function(group).ok_or(format!("there is no group {group}"))?;
        options.insert("function".to_owned(), format!("^{}$", escaped(&function)));
    }
    let output = match say(&app, "flame", &options).await {
        Ok(said) => said.output,
        // To the command it is an error that there is nothing to write; here it is an answer.
        Err(Failure(StatusCode::BAD_REQUEST, why)) if why.contains("nothing to show") => Vec::new(),
        Err(failure) => return Err(failure),
    };
    let text = String::from_utf8_lossy(&output);
    let lines = text.lines().filter_map(|line| line.rsplit_once(' '));
    let stacks: Vec<_> = lines
        .filter_map(|(frames, value)| {
            let frames: Vec<_> = frames.split(';').collect();
            Some(json!({"frames": frames, "value": value.parse::<i64>().ok()?}))
        })
        .collect();
    let total: i64 = stacks.iter().filter_map(|stack| stack["value"].as_i64()).sum();
    let unit = if kind == "cpu" { "samples" } else { "ns" };
    Ok(Json(json!({"unit": unit, "total": total, "stacks": stacks})))
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

pub(super) async fn critical(
    State(app): App,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Answer {
    let mut options = BTreeMap::from([("path".to_owned(), "1000".to_owned())]);
    for (name, option) in [("go", "goroutine"), ("task", "task")] {
        if let Some(id) = asked.get(name) {
            options.insert(option.to_owned(), id.clone());
        }
    }
    for end in ["from", "to"] {
        if let Some(time) = asked.get(end) {
            options.insert(end.to_owned(), format!("{}ns", time.trim_end_matches("ns")));
        }
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
    Ok(Json(json!({"steps": steps.collect::<Vec<_>>(), "by_kind": why["kinds"]})))
}

/// What a command said, and how it was called.
struct Said {
    output: Vec<u8>,
    line: String,
}

/// What a command says of the trace, in the form for programs.
async fn say(app: &Server, name: &str, asked: &BTreeMap<String, String>) -> Result<Said, Failure> {
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
    words.push(app.view.shown());
    let line = shell_words::join(words);
    args.push(app.view.path.display().to_string());
    let failed = |why: String| Failure(StatusCode::INTERNAL_SERVER_ERROR, why);
    if app.view.trace().is_none() {
        let why = "the trace is still being read: ask again when it is there";
        return Err(Failure(StatusCode::SERVICE_UNAVAILABLE, why.to_owned()));
    }
    let Ok(_turn) = app.running.acquire().await else {
        return Err(Failure(StatusCode::TOO_MANY_REQUESTS, "ask again later".to_owned()));
    };
    let output = Command::new(&app.command).args(&args).kill_on_drop(true).output();
    let output = tokio::time::timeout(Duration::from_secs(120), output)
        .await
        .map_err(|_| failed(format!("{line}: takes too long")))?
        .map_err(|error| failed(format!("{line}: {error}")))?;
    // 1 is a verdict, where there is something to read.
    if !output.status.success() && output.stdout.is_empty() {
        // What the command would say to a person in a terminal; what to do next is for there.
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().trim_start_matches("error: ");
        return Err(said.split("\n  next:").next().unwrap_or(said).to_owned().into());
    }
    Ok(Said { output: output.stdout, line })
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
    Query(asked): Query<BTreeMap<String, String>>,
) -> Result<Response, Failure> {
    let said = say(&app, &name, &asked).await?;
    let kind = match name.as_str() {
        "flame" => "text/plain; charset=utf-8",
        "pprof" => "application/octet-stream",
        _ => "application/x-ndjson",
    };
    let mut response = ([(header::CONTENT_TYPE, kind)], said.output).into_response();
    if let Ok(line) = HeaderValue::from_str(&said.line) {
        response.headers_mut().insert("x-gotrail-command", line);
    }
    Ok(response)
}
