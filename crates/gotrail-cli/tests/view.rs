//! `gotrail view` over HTTP: what it serves, and to whom.

mod common;

use common::{arg, committed};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that ends with the test.
struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(trace: &str) -> Server {
        let path = committed(trace);
        let mut child = Command::new(env!("CARGO_BIN_EXE_gotrail"))
            .args(["view", "--no-open", arg(&path)])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("its address");
        let address = line.trim_start_matches("http://");
        let address = address.split('/').next().expect("an address").to_owned();
        let server = Server { child, address };
        let start = Instant::now();
        while !server.get("/api/trace", &[]).1.contains("\"done\":true") {
            assert!(start.elapsed() < Duration::from_secs(60), "it never ends");
        }
        server
    }

    /// The status and everything that comes.
    fn get(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        let host = headers.iter().find(|header| header.0 == "Host").map(|header| header.1);
        let mut request = format!("GET {path} HTTP/1.1\r\nConnection: close\r\n");
        request += &format!("Host: {}\r\n", host.unwrap_or(&self.address));
        for (name, value) in headers.iter().filter(|header| header.0 != "Host") {
            request += &format!("{name}: {value}\r\n");
        }
        stream.write_all((request + "\r\n").as_bytes()).expect("a request");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let text = String::from_utf8_lossy(&answer).into_owned();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.expect("a status"), text)
    }

    fn json(&self, path: &str) -> serde_json::Value {
        let (status, text) = self.get(path, &[]);
        assert_eq!(status, 200, "{path}: {text}");
        let body = text.split_once("\r\n\r\n").expect("a body").1;
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
    }
}

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
    let found = server.json("/api/search?q=main");
    assert!(!found["functions"].as_array().unwrap().is_empty());
}
