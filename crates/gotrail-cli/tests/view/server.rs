//! A server for tests, and what it answers.

use crate::common::{arg, committed};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that ends with the test.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: String,
    /// What it wants to be told, if it listens beyond this machine.
    pub(crate) token: String,
    /// Where it keeps indexes.
    cache: tempfile::TempDir,
}

impl Server {
    /// Ends it, and returns its cache.
    pub(crate) fn stop(mut self) -> tempfile::TempDir {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let cache = tempfile::tempdir().expect("a folder");
        std::mem::replace(&mut self.cache, cache)
    }

    /// How many indexes it has kept.
    pub(crate) fn kept(&self) -> usize {
        let folder = self.cache.path().join("gotrail/view");
        std::fs::read_dir(folder).map_or(0, |files| {
            files
                .filter(|file| {
                    !file.as_ref().unwrap().file_name().to_string_lossy().starts_with("draft-")
                })
                .count()
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    pub(crate) fn start(trace: &str) -> Server {
        let cache = tempfile::tempdir().expect("a folder");
        Server::start_with(&[arg(&committed(trace))], Stdio::null(), cache)
    }

    pub(crate) fn start_with(args: &[&str], stdin: Stdio, cache: tempfile::TempDir) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gotrail"))
            .args(["view", "--no-open"])
            .args(args)
            .env("XDG_CACHE_HOME", cache.path())
            .stdin(stdin)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("its address");
        let address = line.trim_start_matches("http://");
        let address = address.split('/').next().expect("an address").to_owned();
        let token = line.split_once("?token=").map_or("", |(_, rest)| rest);
        let token = token.split_whitespace().next().unwrap_or_default().to_owned();
        let server = Server { child, address, token, cache };
        let bearer = format!("Bearer {}", server.token);
        let start = Instant::now();
        while !server.get("/api/trace", &[("Authorization", &bearer)]).1.contains("\"done\":true") {
            assert!(start.elapsed() < Duration::from_secs(60), "it never ends");
        }
        server
    }

    /// The status and everything that comes.
    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
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
        let head = answer.windows(4).position(|end| end == b"\r\n\r\n").expect("a head") + 4;
        let body = answer.split_off(head);
        let mut text = String::from_utf8_lossy(&answer).into_owned();
        let chunked = text.to_lowercase().contains("transfer-encoding: chunked");
        text += &String::from_utf8_lossy(&if chunked { joined(&body) } else { body });
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.expect("a status"), text)
    }

    pub(crate) fn json(&self, path: &str) -> serde_json::Value {
        let (status, text) = self.get(path, &[]);
        assert_eq!(status, 200, "{path}: {text}");
        let body = text.split_once("\r\n\r\n").expect("a body").1;
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
    }
}

/// A body that came in pieces.
fn joined(mut body: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(end) = body.windows(2).position(|end| end == b"\r\n") {
        let len = std::str::from_utf8(&body[..end]).expect("a length");
        let len = usize::from_str_radix(len, 16).expect("a length");
        all.extend_from_slice(&body[end + 2..end + 2 + len]);
        body = &body[end + 2 + len + 2..];
        if len == 0 {
            break;
        }
    }
    all
}
