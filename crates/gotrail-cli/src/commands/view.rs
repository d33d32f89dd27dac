//! `gotrail view`: the trace as a timeline in the browser.

use crate::failure::Failure;
use crate::paint::Paint;
use crate::source::{name_of, open_bytes};
use crate::{Verdict, human};
use anyhow::{Context, Result};
use gotrail::Trace;
use gotrail_view::guard::Guard;
use gotrail_view::server::{Server, serve};
use gotrail_view::view::View;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

const EXAMPLES: &str = "\
Examples:
  gotrail view trace.out
  gotrail view --no-open --listen 127.0.0.1:8080 trace.out
  curl -s http://localhost:6060/debug/pprof/trace?seconds=5 | gotrail view -

The page can be used while the trace is still being read. Scripts can use the same server:
docs/api.md describes it. Stop it with Ctrl-C.";

/// Show a trace as a timeline in the browser.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The trace; `-` is standard input.
    trace: PathBuf,
    /// Where to listen. Beyond this machine only who knows the printed token is answered.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Do not open the browser.
    #[arg(long)]
    no_open: bool,
}

/// So many commands answer questions at a time.
const ANSWERS: usize = 4;

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let name = name_of(&args.trace);
    // Commands that answer questions read the trace again: a stream must be kept.
    let kept;
    let path = if args.trace.as_os_str() == "-" {
        let mut file = tempfile::Builder::new().prefix("gotrail-").suffix(".trace").tempfile()?;
        io::copy(&mut open_bytes(&args.trace)?, &mut file).context("reading standard input")?;
        kept = file;
        kept.path().to_owned()
    } else {
        drop(open_bytes(&args.trace)?);
        std::path::absolute(&args.trace)?
    };
    let trace = Trace::open(&path).map_err(|error| Failure::broken(&name, &error))?;
    let view = Arc::new(View::new(trace, name, path));
    let reading = Arc::clone(&view);
    thread::Builder::new().name("index".to_owned()).spawn(move || reading.read())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(listen(args, view))?;
    Ok(Verdict::Fine)
}

async fn listen(args: &Args, view: Arc<View>) -> Result<()> {
    let listener = TcpListener::bind(args.listen).await.with_context(|| {
        format!("cannot listen at {}: choose another with --listen", args.listen)
    })?;
    let address = listener.local_addr()?;
    let token = (!address.ip().is_loopback()).then(token);
    let mut url = format!("http://{address}/");
    if let Some(token) = &token {
        url += &format!("?token={token}");
    }
    let size = human::size(view.trace.bytes().len() as u64);
    writeln!(io::stdout(), "{}  {} ({size})", Paint::stdout().bold(&url), view.name)?;
    io::stdout().flush()?;
    if !args.no_open && open::that_detached(&url).is_err() {
        writeln!(io::stderr(), "no browser could be opened: open the address yourself")?;
    }
    let command = std::env::current_exe().context("finding this program")?;
    let server = Arc::new(Server { view, command, running: Semaphore::new(ANSWERS) });
    let guard = Guard::new(address, token);
    tokio::select! {
        result = serve(server, listener, guard) => result.context("serving"),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

/// What nobody can guess, of 128 bits: the hashers of the standard library begin with what the
/// system gives.
fn token() -> String {
    let part = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", part(), part())
}
