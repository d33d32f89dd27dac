//! `gotrail view`: the trace as a timeline in the browser.

use crate::Verdict;
use crate::failure::Failure;
use crate::paint::Paint;
use crate::source::{name_of, open_bytes};
use anyhow::{Context, Result};
use etcetera::BaseStrategy as _;
use gotrail::{Compression, Trace};
use gotrail_view::guard::Guard;
use gotrail_view::kept::Folder;
use gotrail_view::server::{Server, serve};
use gotrail_view::view::{BLOCK, Room, View};
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};

const EXAMPLES: &str = "\
Examples:
  gotrail view trace.out
  gotrail view --no-open --listen 127.0.0.1:8080 trace.out
  curl -s http://localhost:6060/debug/pprof/trace?seconds=5 | gotrail view -

The page can be used while the trace is still being read. What was read is kept in the user's cache
folder, 4 GiB at most, so that the same trace is there at once the next time. Scripts can use the same server:
docs/api.md describes it. Stop it with Ctrl-C.";

/// Show a trace as a timeline in the browser.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The trace; `-` is standard input.
    trace: PathBuf,
    /// Where to listen. Beyond this machine only who knows the printed token is answered.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", value_parser = address)]
    listen: SocketAddr,
    /// Do not open the browser.
    #[arg(long)]
    no_open: bool,
    /// How much memory the index may take, such as 500M or 2GiB; what has no room is read from a
    /// file again. Ordinarily a quarter of the machine's.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: Option<u64>,
    /// Do not keep the index for the next time, and do not look for one.
    #[arg(long)]
    no_cache: bool,
}

/// So many commands answer questions at a time.
const ANSWERS: usize = 4;

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let name = name_of(&args.trace);
    // Commands that answer questions read the trace again: a stream must be kept.
    let kept = match args.trace.as_os_str() == "-" {
        true => Some(tempfile::Builder::new().prefix("gotrail-").suffix(".trace").tempfile()?),
        false => None,
    };
    let path = match &kept {
        Some(file) => file.path().to_owned(),
        None => {
            drop(open_bytes(&args.trace)?);
            std::path::absolute(&args.trace)?
        }
    };
    let folder = if args.no_cache || kept.is_some() { None } else { folder() };
    let room = Room { memory: args.memory.unwrap_or_else(quarter_of_memory), folder, block: BLOCK };
    // On the page the file's name is enough.
    let short =
        path.file_name().filter(|_| kept.is_none()).map(|name| name.to_string_lossy().into_owned());
    let mut view = View::new(short.unwrap_or_else(|| name.clone()), path.clone(), room);
    view.streamed = kept.is_some();
    let view = Arc::new(view);
    // What is no trace at all should be told before there is an address. Only to read a stream, or to
    // decompress, takes long.
    let quick = kept.is_none() && compression_of(&path)? == Compression::None;
    let opened = if quick { Some(open(None, &path, &name)?) } else { None };
    let (failed, failure) = oneshot::channel();
    let reading = Arc::clone(&view);
    let stream = kept.as_ref().map(NamedTempFile::reopen).transpose()?;
    thread::Builder::new().name("index".to_owned()).spawn(move || {
        match opened.map_or_else(|| open(stream, &path, &name), Ok) {
            Ok(trace) => reading.read(trace),
            // The receiver is there as long as the server is.
            Err(error) => drop(failed.send(error)),
        }
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(listen(args, view, failure))?;
    Ok(Verdict::Fine)
}

/// How a file is compressed, by its first bytes.
fn compression_of(path: &Path) -> Result<Compression> {
    let mut first = Vec::new();
    open_bytes(path)?.take(16).read_to_end(&mut first)?;
    Ok(Compression::of(&first))
}

/// Opens the trace, of which it is known only now whether it is one. `stream` takes what comes from
/// standard input.
fn open(stream: Option<File>, path: &Path, name: &str) -> Result<Trace> {
    if let Some(mut stream) = stream {
        io::copy(&mut open_bytes(Path::new("-"))?, &mut stream)
            .context("reading standard input")?;
    }
    Ok(Trace::open(path).map_err(|error| Failure::broken(name, &error))?)
}

/// Where indexes are kept, if that is possible.
fn folder() -> Option<Folder> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Folder::new(strategy.cache_dir().join("gotrail").join("view")).ok()
}

/// An address, also by name, such as localhost:8080.
fn address(text: &str) -> Result<SocketAddr, String> {
    let found = text.to_socket_addrs().map_err(|error| error.to_string())?.next();
    found.ok_or_else(|| "no such address".to_owned())
}

fn size(text: &str) -> Result<u64, parse_size::Error> {
    parse_size::parse_size(text)
}

/// A quarter of the memory that this process may use.
fn quarter_of_memory() -> u64 {
    /// Where nobody can tell.
    const UNKNOWN: u64 = 2 << 30;
    let refresh = sysinfo::RefreshKind::nothing()
        .with_memory(sysinfo::MemoryRefreshKind::nothing().with_ram());
    let Ok(system) = sysinfo::System::new_with_specifics(refresh) else { return UNKNOWN / 4 };
    // In a container it is less than the machine has.
    let limit = system.cgroup_limits().map_or(u64::MAX, |limits| limits.total_memory);
    system.total_memory().min(limit) / 4
}

async fn listen(
    args: &Args,
    view: Arc<View>,
    failure: oneshot::Receiver<anyhow::Error>,
) -> Result<()> {
    let listener = TcpListener::bind(args.listen).await.with_context(|| {
        format!("cannot listen at {}: choose another with --listen", args.listen)
    })?;
    let address = listener.local_addr()?;
    let token = (!address.ip().is_loopback()).then(token);
    // What means all addresses is none that a browser could go to.
    let here = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let mut url = format!("http://{}/", SocketAddr::new(here, address.port()));
    if let Some(token) = &token {
        url += &format!("?token={token}");
    }
    writeln!(io::stdout(), "{}  {}", Paint::stdout().bold(&url), name_of(&args.trace))?;
    io::stdout().flush()?;
    if !args.no_open && open::that_detached(&url).is_err() {
        writeln!(io::stderr(), "no browser could be opened: open the address yourself")?;
    }
    let command = std::env::current_exe().context("finding this program")?;
    let server = Arc::new(Server { view, command, running: Semaphore::new(ANSWERS) });
    let guard = Guard::new(address, token);
    tokio::select! {
        result = serve(server, listener, guard) => result.context("serving"),
        Ok(error) = failure => Err(error),
        _ = stopped() => Ok(()),
    }
}

/// Waits until somebody wants this to end: a process that is killed without a word leaves files
/// behind.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let ends = (signal(SignalKind::terminate()), signal(SignalKind::hangup()));
        if let (Ok(mut terminate), Ok(mut hangup)) = ends {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// What nobody can guess, of 128 bits: the hashers of the standard library begin with what the
/// system gives.
fn token() -> String {
    let part = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", part(), part())
}
