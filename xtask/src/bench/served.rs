//! Viewers: programs that serve a page until they are stopped. What counts is when they answer, how
//! fast, and how much memory they have by then.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::rows::Programs;
use super::usage::Usage;
use crate::{paths, run};

/// How long a viewer may take until everything is there.
const LIMIT: Duration = Duration::from_secs(600);

/// How many tiles are asked for.
const TILES: usize = 400;

/// A process that ends with its measurement.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    fn start(command: &mut Command) -> Result<Server> {
        // Nothing that a viewer opens by itself is measured with it.
        command.env("BROWSER", "true").env_remove("DISPLAY").stdin(Stdio::null());
        let child = command.spawn();
        Ok(Server(child.with_context(|| format!("cannot start `{}`", run::name(command)))?))
    }

    /// The most memory that it had so far, in bytes.
    fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))
            .context("the memory of a running program is known on Linux only")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        Ok(kilobytes.context("no peak memory in what Linux says")? << 10)
    }
}

/// What a server answers, without its head.
fn get(address: &str, path: &str) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n").context("no answer")?;
    if !answer.starts_with(b"HTTP/1.1 200") {
        bail!("{path}: {}", String::from_utf8_lossy(&answer));
    }
    Ok(answer.split_off(head + 4))
}

fn json(address: &str, path: &str) -> Result<Value> {
    Ok(serde_json::from_slice(&get(address, path)?)?)
}

/// `gotrail view`: when everything is indexed, and which time 95 of 100 tiles need at most. Two
/// lines in this order.
pub(crate) fn ours(programs: &Programs, trace: &Path) -> Result<Usage> {
    let start = Instant::now();
    let mut command = Command::new(&programs.gotrail);
    command.args(["view", "--no-open", "--no-cache"]).arg(trace).stdout(Stdio::piped());
    let mut server = Server::start(&mut command)?;
    let mut line = String::new();
    let out = server.0.stdout.take().context("no output")?;
    BufReader::new(out).read_line(&mut line)?;
    let address = line.strip_prefix("http://").and_then(|line| line.split('/').next());
    let address = address.with_context(|| format!("no address in {line:?}"))?.to_owned();
    let about = loop {
        let about = json(&address, "/api/trace")?;
        if about["done"] == true {
            break about;
        }
        if start.elapsed() > LIMIT {
            bail!("gotrail view is not done after {LIMIT:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let wall = start.elapsed().as_secs_f64();
    let tiles = tiles(&address, &about)?;
    let events = &about["events"];
    let output = format!("{events} events, {wall:.6} s\n{TILES} tiles, {tiles:.6} s\n");
    let printed = output.len() as u64;
    Ok(Usage { wall, cpu: 0.0, memory: server.memory()?, output, printed })
}

/// Which time 95 of 100 tiles need at most: of any part of the trace at any zoom, with the lanes
/// that a page shows at a time.
fn tiles(address: &str, about: &Value) -> Result<f64> {
    const LANES: usize = 40;
    let lanes = json(address, "/api/lanes")?;
    let members = json(address, "/api/members?sort=running&limit=12")?;
    let mut names = vec!["all", "gc", "stw"];
    for (list, most) in [("procs", 8), ("groups", 12), ("threads", 8)] {
        let list = lanes[list].as_array().into_iter().flatten().take(most);
        names.extend(list.filter_map(|lane| lane["lane"].as_str()));
    }
    names.extend(
        members["rows"].as_array().into_iter().flatten().filter_map(|row| row["lane"].as_str()),
    );
    names.truncate(LANES);
    let names = names.join(",");
    let duration = about["duration"].as_u64().context("no duration")?;
    let mut random = fastrand::Rng::with_seed(1);
    let mut times = Vec::new();
    for _ in 0..TILES {
        // From the whole trace in one tile down to tiles of a quarter of a millisecond.
        let coarsest = u64::BITS - (duration / 256).leading_zeros();
        let level = random.u32(10..=coarsest.max(10));
        let index = random.u64(0..=duration >> (level + 8));
        let start = Instant::now();
        get(address, &format!("/api/tile?level={level}&index={index}&lanes={names}"))?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times[TILES * 95 / 100])
}

/// `go tool trace`: when its page can be opened.
pub(crate) fn other(programs: &Programs, trace: &Path) -> Result<Usage> {
    let start = Instant::now();
    let mut command = Command::new(&programs.gotrace);
    command.arg("-http=127.0.0.1:0").arg(trace).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut server = Server::start(&mut command)?;
    let said = server.0.stderr.take().context("no output")?;
    let mut lines = BufReader::new(said).lines();
    loop {
        let line = lines.next().context("go tool trace ended without listening")??;
        if line.contains("listening on") {
            break;
        }
    }
    let wall = start.elapsed().as_secs_f64();
    Ok(Usage { wall, cpu: 0.0, memory: server.memory()?, output: String::new(), printed: 0 })
}

/// Our page in a browser: when the first lane is drawn, and which time 95 of 100 frames need at
/// most while it is zoomed and moved. Two lines in this order.
pub(crate) fn page(programs: &Programs, trace: &Path) -> Result<Usage> {
    let web = paths::workspace().join("web");
    if !web.join("node_modules").is_dir() {
        let mut command = Command::new("npm");
        run::output(command.current_dir(&web).args(["ci", "--no-audit", "--no-fund"]))?;
    }
    let mut command = Command::new("node");
    command.current_dir(&web).arg("test/e2e/frames.mjs").arg("--gotrail").arg(&programs.gotrail);
    let output = run::output(command.arg("--trace").arg(trace))?;
    let said: Value = serde_json::from_slice(&output)
        .with_context(|| format!("not JSON: {:?}", String::from_utf8_lossy(&output)))?;
    let seconds = |place: &str| {
        let time = said.pointer(place).and_then(Value::as_f64);
        Ok::<f64, anyhow::Error>(time.with_context(|| format!("no {place} in {said}"))? / 1e3)
    };
    let (paint, frame) = (seconds("/first_lane")?, seconds("/interval/p95")?);
    let output = format!("first paint, {paint:.6} s\nframes, {frame:.6} s\n");
    Ok(Usage { wall: paint, cpu: 0.0, memory: 0, printed: output.len() as u64, output })
}

/// A limit, as if something needed exactly that long.
pub(crate) fn limit(seconds: f64) -> Usage {
    Usage { wall: seconds, cpu: 0.0, memory: 0, output: String::new(), printed: 0 }
}
