//! `gotrail view`: the trace as a timeline in the browser.

use crate::Verdict;
use crate::failure::Failure;
use crate::paint::Paint;
use crate::source::{decompressed, name_of, open_bytes};
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
use tokio::net::TcpListener;

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

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let name = name_of(&args.trace);
    // What is no file can be read once: a pipe, standard input.
    let streamed = args.trace.as_os_str() == "-" || is_pipe(&args.trace)?;
    let compressed = !streamed && compression_of(&args.trace)? != Compression::None;
    // Commands that answer questions read the trace again: a stream must be kept, and what is left of
    // a damaged file that is compressed.
    let file = || tempfile::Builder::new().prefix("gotrail-").suffix(".trace").tempfile();
    let kept = (streamed || compressed).then(file).transpose()?;
    let path = if streamed { args.trace.clone() } else { std::path::absolute(&args.trace)? };
    let folder = if args.no_cache || streamed { None } else { folder() };
    let room = Room { memory: args.memory.unwrap_or_else(quarter_of_memory), folder, block: BLOCK };
    // On the page the file's name is enough.
    let short =
        path.file_name().filter(|_| !streamed).map(|name| name.to_string_lossy().into_owned());
    let mut view = View::new(short.unwrap_or_else(|| name.clone()), path.clone(), room);
    view.streamed = streamed;
    let view = Arc::new(view);
    // What is no trace at all should be told before there is an address. Only to read a stream, or to
    // decompress, takes long.
    let plain = || Trace::open(&path).map_err(|error| Failure::broken(&name, &error));
    let opened = if kept.is_none() { Some(plain()?) } else { None };
    let reading = Arc::clone(&view);
    let copy = kept.as_ref().map(|kept| kept.path().to_owned());
    thread::Builder::new().name("index".to_owned()).spawn(move || match (opened, copy) {
        (Some(trace), _) => reading.read(trace),
        (None, copy) => match unpacked(&path, streamed, &copy.unwrap_or_default()) {
            Ok(found) => {
                if let Some(kept) = found.kept {
                    reading.is_kept_at(kept);
                }
                if let Some(why) = found.cut {
                    reading.is_cut(why);
                }
                reading.read(found.trace);
            }
            // Who looks at the page should read it there.
            Err(error) => {
                let said = format!("{error:#}");
                drop(writeln!(io::stderr(), "error: {said}"));
                // What to type next is for the terminal.
                reading.failed(said.split("\n").next().unwrap_or_default().to_owned());
            }
        },
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(listen(args, view));
    // Whoever still waits for a pipe is not waited for.
    runtime.shutdown_background();
    result.map(|()| Verdict::Fine)
}

/// Whether it can be read once only; what cannot be opened is an error.
fn is_pipe(path: &Path) -> Result<bool> {
    let about = path.metadata().map_err(|error| Failure::open(path, &error))?;
    if about.is_dir() {
        return Err(Failure::directory(path).into());
    }
    Ok(!about.is_file())
}

/// How a file is compressed, by its first bytes.
fn compression_of(path: &Path) -> Result<Compression> {
    let mut first = Vec::new();
    open_bytes(path)?.take(16).read_to_end(&mut first)?;
    Ok(Compression::of(&first))
}

/// A trace that had to be read whole.
struct Unpacked {
    trace: Trace,
    /// What ended it early.
    cut: Option<String>,
    /// Where commands find it, if not where it came from.
    kept: Option<PathBuf>,
}

/// Takes a trace from a stream or a compressed file, as far as it goes: what is cut off has a good part.
/// What only comes once, or cannot be read to its end, goes to `copy`.
fn unpacked(path: &Path, streamed: bool, copy: &Path) -> Result<Unpacked> {
    let mut cut = None;
    let mut ends = |what: &str, empty: bool, error: io::Error| match empty {
        true => Err(error).with_context(|| format!("{what} cannot be read")),
        false => {
            cut = Some(format!("{what} is cut off or damaged ({error}): the rest is lost"));
            Ok(())
        }
    };
    if streamed {
        let mut file = File::create(copy)?;
        if let Err(error) = io::copy(&mut open_bytes(path)?, &mut file) {
            ends("the stream", file.metadata()?.len() == 0, error)?;
        }
    }
    let path_now = if streamed { copy } else { path };
    let mut kept = streamed.then(|| copy.to_owned());
    let trace = if compression_of(path_now)? == Compression::None {
        Trace::open(path_now)
    } else {
        let mut bytes = Vec::new();
        let (_, mut plain) = decompressed(File::open(path_now)?)?;
        if let Err(error) = plain.read_to_end(&mut bytes) {
            ends("the compressed file", bytes.is_empty(), error)?;
            // Commands do not go on where it ends.
            std::fs::write(copy, &bytes).context("keeping what is left")?;
            kept = Some(copy.to_owned());
        }
        Trace::from_bytes(bytes)
    };
    let trace = trace.map_err(|error| Failure::broken(&name_of(path), &error))?;
    Ok(Unpacked { trace, cut, kept })
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

async fn listen(args: &Args, view: Arc<View>) -> Result<()> {
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
    let server = Arc::new(Server::new(view, command));
    let guard = Guard::new(address, token);
    tokio::select! {
        result = serve(server, listener, guard) => result.context("serving"),
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
