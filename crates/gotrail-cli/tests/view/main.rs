//! `gotrail view` over HTTP: what it serves, and to whom.

mod broken;
#[path = "../common/mod.rs"]
mod common;
mod lanes;
mod server;

use common::{arg, committed};
use server::Server;
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn only_this_page_is_answered() {
    let server = Server::start("go1.27/network");
    let (status, page) = server.get("/", &[]);
    assert_eq!(status, 200);
    assert!(page.contains("<!doctype html>") || page.contains("<!DOCTYPE html>"), "{page}");
    let page = page.to_lowercase();
    assert!(page.contains("content-security-policy: default-src 'none'"), "{page}");
    for (headers, status) in [
        (&[("Host", "evil.example")][..], 403),
        (&[("Origin", "http://evil.example")], 403),
        (&[("Sec-Fetch-Site", "cross-site")], 403),
        (&[("Sec-Fetch-Site", "same-origin")], 200),
        // Names of hosts are the same in capitals.
        (&[("Host", &server.address.replace("127.0.0.1", "LocalHost"))], 200),
    ] {
        assert_eq!(server.get("/api/trace", headers).0, status, "{headers:?}");
    }
    for path in ["/api/nothing", "/api/answer/report", "/api/answer/check?rules=/etc/passwd"] {
        let (status, text) = server.get(path, &[]);
        assert!(status >= 400 && text.contains("\"error\""), "{path}: {text}");
    }
    // Whatever the path, there is nothing but the page.
    let (_, text) = server.get("/../../../../etc/passwd", &[]);
    assert!(!text.contains("root:"), "{text}");
}

#[test]
fn questions_are_answered() {
    let server = Server::start("go1.27/network");
    let trace = server.json("/api/trace");
    assert_eq!((&trace["done"], &trace["complete"]), (&true.into(), &true.into()));
    let lanes = server.json("/api/lanes");
    let groups = lanes["groups"].as_array().expect("groups");
    assert!(!groups.is_empty());
    let all = server.json("/api/members?sort=id&limit=1000");
    assert_eq!(all["total"], trace["goroutines"]);
    // The same goroutines as the command's.
    let told = common::run(&["goroutines", "--each", "--json", arg(&committed("go1.27/network"))]);
    let told: Vec<_> = told.json_lines().iter().map(|line| line["id"].clone()).collect();
    let shown: Vec<_> =
        all["rows"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
    assert_eq!(shown, told);
    let row = &all["rows"][0];
    let lane = row["lane"].as_str().expect("a lane");
    let span = server.json(&format!("/api/span?lane={lane}&time={}", row["created"]));
    assert_eq!(span["go"], row["id"]);
    let selection = server.json("/api/selection?from=0&to=9000000000000");
    let sum = |states: &serde_json::Value| -> i64 {
        states.as_array().unwrap().iter().filter_map(serde_json::Value::as_i64).sum()
    };
    let of_groups: i64 = groups.iter().map(|group| sum(&group["states"])).sum();
    assert_eq!(sum(&selection["states"]), of_groups);
    let matches = server.json("/api/matches?state=1&limit=10");
    assert!(matches["total"].as_u64() > Some(0));
    assert!(server.json("/api/arrows?limit=10")["total"].as_u64() > Some(0));
    assert_eq!(server.get("/api/answer/latency?by=state", &[]).0, 200);
    assert!(server.json("/api/flame?type=offcpu")["total"].as_i64() > Some(0));
    // A shell takes the command as it is meant, and it is about what was asked.
    let go = row["id"].as_i64().expect("an id");
    let one = server.json(&format!("/api/selection?from=5&to=9000000&lanes=go:{go}"));
    let command = one["command"].as_str().expect("a command");
    assert!(command.starts_with("gotrail goroutines --from 5ns --to 9000000ns --goroutine "));
    assert_eq!(server.json("/api/selection?lanes=proc:0")["command"], serde_json::Value::Null);
    let all = server.json("/api/selection")["command"].as_str().expect("a command").to_owned();
    assert!(!all.contains("--from") && !all.contains("--to"), "{all}");
    let found = server.json("/api/search?q=main");
    assert!(!found["functions"].as_array().unwrap().is_empty());
}

/// Whether a value is as a schema of the description says: types, and what must be there.
fn fits(schema: &serde_json::Value, value: &serde_json::Value, all: &serde_json::Value) -> bool {
    if let Some(name) = schema["$ref"].as_str() {
        let at = name.trim_start_matches('#');
        return fits(all.pointer(at).expect("it is described"), value, all);
    }
    let is = |kind: &str| match kind {
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        other => panic!("no kind {other:?}"),
    };
    let kinds = match &schema["type"] {
        serde_json::Value::Array(kinds) => kinds.clone(),
        kind => vec![kind.clone()],
    };
    let named = kinds.iter().any(|kind| is(kind.as_str().expect("a kind")));
    let listed = match (&schema["enum"], value) {
        (serde_json::Value::Array(all), serde_json::Value::String(_)) => all.contains(value),
        _ => true,
    };
    let items = value.as_array().into_iter().flatten();
    let fields = schema["properties"].as_object().into_iter().flatten();
    // What an object has and nobody describes is a mistake as well.
    let described = value.as_object().into_iter().flatten().all(|(name, _)| {
        schema["properties"].is_null() || schema["properties"].get(name).is_some()
    });
    named
        && listed
        && described
        && (schema["items"].is_null()
            || items.clone().all(|item| fits(&schema["items"], item, all)))
        && (value.is_null()
            || fields.clone().all(|(name, schema)| {
                value.is_array() || value.get(name).is_some_and(|value| fits(schema, value, all))
            }))
}

#[test]
fn the_api_is_what_its_description_says() {
    let server = Server::start("go1.27/annotations");
    let all = server.json("/api/openapi.json");
    let paths = all["paths"].as_object().expect("paths");
    let routes = include_str!("../../../gotrail-view/src/server.rs");
    let routes: Vec<_> =
        routes.split(".route(\"").skip(1).map(|rest| rest.split('"').next()).collect();
    assert_eq!(routes.len(), paths.len());
    for (path, about) in paths {
        assert!(routes.contains(&Some(path.as_str())), "{path}");
        let get = &about["get"];
        let mut asked = path.clone();
        let mut separator = '?';
        for parameter in get["parameters"].as_array().expect("parameters") {
            let name = parameter["name"].as_str().expect("a name");
            let example = match &parameter["example"] {
                serde_json::Value::Null => continue,
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            if parameter["in"] == "path" {
                asked = asked.replace(&format!("{{{name}}}"), &example);
            } else {
                asked += &format!("{separator}{name}={example}");
                separator = '&';
            }
        }
        let (status, text) = server.get(&asked, &[]);
        assert_eq!(status, 200, "{asked}: {text}");
        let kinds = get["responses"]["200"]["content"].as_object().expect("kinds");
        let kind =
            text.lines().find_map(|line| line.strip_prefix("content-type: ")).expect("a kind");
        let schema = kinds.get(kind).unwrap_or_else(|| panic!("{asked}: {kind}"));
        if kind == "application/json" {
            let value = server.json(&asked);
            assert!(fits(&schema["schema"], &value, &all), "{asked}: {value:#}");
        }
    }
}

#[test]
fn questions_have_limits() {
    let server = Server::start("go1.27/network");
    let long = "a".repeat(40_000);
    assert_eq!(server.get(&format!("/api/search?q={long}"), &[]).0, 414);
    let many = vec!["all"; 600].join(",");
    assert_eq!(server.get(&format!("/api/tile?level=20&index=0&lanes={many}"), &[]).0, 400);
    for option in ["rules=/etc/passwd", "output=/tmp/x", "root=/", "no-such=1", "help"] {
        let (status, text) = server.get(&format!("/api/answer/check?{option}"), &[]);
        assert!(status == 400 && text.contains("cannot be had here"), "{option}: {text}");
    }
    // Compressed for those who can read it, plain for others, and the same page.
    let length = |text: &str| -> u64 {
        let line = text.lines().find_map(|line| line.strip_prefix("content-length: "));
        line.expect("a length").parse().expect("a number")
    };
    let plain = server.get("/app.js", &[]).1;
    let small = server.get("/app.js", &[("Accept-Encoding", "br, gzip")]).1;
    assert!(small.contains("content-encoding: gzip") && length(&small) < length(&plain) / 2);
    assert!(
        !server.get("/app.js", &[("Accept-Encoding", "gzip;q=0")]).1.contains("content-encoding")
    );
}

#[test]
fn an_index_is_kept_and_used_again() {
    let trace = committed("go1.27/generations");
    let cache = tempfile::tempdir().expect("a folder");
    let server = Server::start_with(&["--no-cache", arg(&trace)], Stdio::null(), cache);
    let expected = server.json("/api/lanes");
    assert_eq!(server.kept(), 0);
    let first = Server::start_with(&[arg(&trace)], Stdio::null(), server.stop());
    assert_eq!(first.json("/api/lanes"), expected);
    // It is kept a moment after everything is known.
    let start = Instant::now();
    while first.kept() == 0 {
        assert!(start.elapsed() < Duration::from_secs(60), "it is never kept");
    }
    let again = Server::start_with(&["--memory", "0", arg(&trace)], Stdio::null(), first.stop());
    assert_eq!(again.json("/api/lanes"), expected);
    assert_eq!(again.kept(), 1);
}

#[test]
fn any_trace_is_shown_wherever_it_comes_from() {
    let trace = std::fs::read(committed("go1.27/generations")).expect("a trace");
    let folder = tempfile::tempdir().expect("a folder");
    let cache = || tempfile::tempdir().expect("a folder");
    let plain = Server::start("go1.27/generations").json("/api/lanes");
    // Compressed, in a file and at standard input.
    let small = folder.path().join("trace.gz");
    let file = std::fs::File::create(&small).expect("a file");
    let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    encoder.write_all(&trace).expect("it takes it");
    encoder.finish().expect("it ends");
    let server = Server::start_with(&[arg(&small)], Stdio::null(), cache());
    assert_eq!(server.json("/api/lanes"), plain);
    let stdin = std::fs::File::open(&small).expect("it is there");
    let server = Server::start_with(&["-"], stdin.into(), cache());
    assert_eq!(server.json("/api/lanes"), plain);
    assert_eq!(server.json("/api/trace")["name"], "standard input");
    assert_eq!(server.get("/api/answer/goroutines?top=1", &[]).0, 200);
    // Broken: what is lost has a time.
    let cut = folder.path().join("cut.trace");
    std::fs::write(&cut, &trace[..trace.len() / 2]).expect("it can be written");
    let server = Server::start_with(&[arg(&cut)], Stdio::null(), cache());
    let about = server.json("/api/trace");
    assert_eq!(about["complete"], false);
    assert!(!about["lost"].as_array().expect("a list").is_empty(), "{about}");
    assert!(server.json("/api/marks?kind=lost")["total"].as_u64() > Some(0));
    // None at all.
    let junk = folder.path().join("junk");
    std::fs::write(&junk, "junk").expect("it can be written");
    let run = common::run(&["view", "--no-open", arg(&junk)]);
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.out.is_empty() && run.err.contains("not a Go execution trace"));
}

#[test]
fn beyond_this_machine_only_who_knows_the_token_is_answered() {
    let cache = tempfile::tempdir().expect("a folder");
    let trace = committed("go1.27/network");
    let server = Server::start_with(&["--listen", "0.0.0.0:0", arg(&trace)], Stdio::null(), cache);
    assert!(server.token.len() >= 32, "{}", server.token);
    let wrong = "0".repeat(server.token.len());
    let with = |token: &str, how: usize| match how {
        0 => server.get(&format!("/api/trace?token={token}"), &[]),
        1 => server.get("/api/trace", &[("Cookie", &format!("gotrail_token={token}"))]),
        _ => server.get("/api/trace", &[("Authorization", &format!("Bearer {token}"))]),
    };
    assert_eq!(server.get("/", &[]).0, 401);
    for how in 0..3 {
        let (status, answer) = with(&server.token, how);
        assert_eq!(status, 200, "{how}");
        assert_eq!(answer.contains("set-cookie"), how == 0, "{how}");
        for not_it in [&wrong[..], "", &server.token[1..]] {
            let (status, answer) = with(not_it, how);
            assert_eq!(status, 401, "{how} {not_it}");
            // Whoever does not know it is not told.
            assert!(!answer.contains("set-cookie") && !answer.contains(&server.token), "{answer}");
        }
    }
}

#[test]
fn no_number_is_too_much() {
    let server = Server::start("go1.27/annotations");
    let values = [
        "-1",
        "0",
        "1",
        "-9223372036854775808",
        "9223372036854775807",
        "18446744073709551615",
        "72057594037927935",
        "-50000000",
        "1e9",
        "NaN",
        "",
        "x",
    ];
    let questions = [
        ("/api/labels?", &["from"][..]),
        ("/api/members?", &["group", "offset", "limit", "from", "to"]),
        ("/api/tasks?", &["offset", "limit", "from", "to"]),
        ("/api/tile?lanes=all,group:0,go:1,proc:0&", &["level", "index"]),
        ("/api/plot?name=goroutines&", &["from", "to", "points"]),
        ("/api/plot?name=heap&", &["from", "to", "points"]),
        ("/api/marks?kind=regions&", &["from", "to", "limit"]),
        ("/api/span?lane=go:1&", &["time"]),
        ("/api/arrows?", &["from", "to", "limit"]),
        ("/api/matches?", &["min", "max", "from", "to", "limit", "state"]),
        ("/api/selection?", &["from", "to"]),
        ("/api/search?q=main&", &["limit"]),
    ];
    for (path, names) in questions {
        for one in values {
            for other in values {
                // Two of them at a time, the others as they are.
                for pair in names.windows(2).chain(names.get(..1)) {
                    let second =
                        pair.get(1).map_or(String::new(), |name| format!("&{name}={other}"));
                    let asked = format!("{path}{}={one}{second}", pair[0]);
                    let (status, text) = server.get(&asked, &[]);
                    assert!([200, 400, 404].contains(&status), "{asked}: {text}");
                    assert!(status == 200 || text.contains("\"error\""), "{asked}: {text}");
                }
                if names.len() == 1 {
                    break;
                }
            }
        }
    }
}
