//! Running commands: what one writes is passed on as it comes, and only so many run at a time.

use super::answers::wrong;
use super::{Failure, Server};
use axum::http::StatusCode;
use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::sync::{mpsc, oneshot};

/// No command runs longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// So much of what a command writes is passed on at a time.
const PIECE: usize = 64 << 10;

/// What a command writes, piece by piece. An error is a command that ended in the middle.
pub(super) type Pieces = mpsc::Receiver<io::Result<Vec<u8>>>;

/// Runs a command with these arguments as soon as there is room for it: so many of all places it takes.
/// Ends it when nobody takes what it writes any more.
pub(super) async fn run(
    app: &Arc<Server>,
    args: Vec<String>,
    places: u32,
) -> Result<Pieces, Failure> {
    let (head, begun) = oneshot::channel();
    let (sender, pieces) = mpsc::channel(2);
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let gone = sender.clone();
        let job = tokio::time::timeout(PATIENCE, pass_on(&app, args, places, head, sender));
        tokio::select! {
            _ = job => {}
            () = gone.closed() => {}
        }
    });
    match begun.await {
        Ok(begun) => begun.map(|()| pieces),
        Err(_) => {
            let why = "that takes too long: ask for less".to_owned();
            Err(Failure(StatusCode::SERVICE_UNAVAILABLE, why))
        }
    }
}

async fn pass_on(
    app: &Server,
    args: Vec<String>,
    places: u32,
    head: oneshot::Sender<Result<(), Failure>>,
    sender: mpsc::Sender<io::Result<Vec<u8>>>,
) {
    let failed = |error: io::Error| {
        let why = format!("gotrail cannot run: {error}");
        Failure(StatusCode::INTERNAL_SERVER_ERROR, why)
    };
    // Nobody closes it.
    let Ok(_turn) = app.running.acquire_many(places).await else { return };
    let mut command = Command::new(&app.command);
    command.args(&args).kill_on_drop(true).stdin(Stdio::null());
    let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let (mut child, mut out, mut errors) = match spawned {
        Ok(mut child) => match (child.stdout.take(), child.stderr.take()) {
            (Some(out), Some(errors)) => (child, out, errors),
            _ => return,
        },
        Err(error) => return drop(head.send(Err(failed(error)))),
    };
    // Both at once: a command stops while nobody reads what it says.
    let said = tokio::spawn(async move {
        let mut said = Vec::new();
        let _ = errors.read_to_end(&mut said).await;
        said
    });
    let mut head = Some(head);
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        match out.read_buf(&mut piece).await {
            Ok(0) => break,
            Ok(_) => {
                if let Some(head) = head.take() {
                    let _ = head.send(Ok(()));
                }
                if sender.send(Ok(piece)).await.is_err() {
                    return;
                }
            }
            Err(error) => return drop(sender.send(Err(error)).await),
        }
    }
    let status = child.wait().await;
    match (head, status) {
        (Some(head), Ok(status)) if !status.success() => {
            let said = said.await.unwrap_or_default();
            let why = wrong(&String::from_utf8_lossy(&said), &app.view);
            let _ = head.send(Err(why.into()));
        }
        (Some(head), Ok(_)) => drop(head.send(Ok(()))),
        (Some(head), Err(error)) => drop(head.send(Err(failed(error)))),
        // 1 is a verdict, where there is something to read. Whoever reads half of it must see that.
        (None, Ok(status)) if status.code().is_some_and(|code| code < 2) => {}
        (None, _) => drop(sender.send(Err(io::ErrorKind::UnexpectedEof.into())).await),
    }
}
