//! Connections: how many there are at a time, and how long one may be silent.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// What connections may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// So many are open at a time; others wait until one is closed. A browser opens six for a page.
    pub(super) most: usize,
    /// One that has not said what it wants by then is closed: after it was opened, and after each answer.
    pub(super) patience: Duration,
}

pub(super) const LIMITS: Limits = Limits { most: 256, patience: Duration::from_secs(10) };

/// More than the longest question that is answered, with what browsers say of themselves.
const BUFFER: usize = 128 << 10;

/// Answers whoever connects.
pub(super) async fn accept(
    listener: TcpListener,
    router: Router,
    limits: Limits,
) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(limits.most));
    let service = TowerToHyperService::new(router);
    loop {
        let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
        let Ok((stream, _)) = listener.accept().await else {
            // Whoever connected has gone again, or this process has too many files open: soon it has not.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // What is written is written at once.
        let _ = stream.set_nodelay(true);
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(limits.patience).max_buf_size(BUFFER);
        let connection = builder.serve_connection(TokioIo::new(stream), service.clone());
        tokio::spawn(async move {
            // That it ends in some way is nothing to tell.
            let _ = connection.await;
            drop(place);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::time::{Instant, timeout};

    const LIMITS: Limits = Limits { most: 4, patience: Duration::from_millis(300) };
    const LONG: Duration = Duration::from_secs(20);

    async fn server() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/", get(async || "here"));
        tokio::spawn(accept(listener, router, LIMITS));
        address
    }

    /// Everything until the other side closes the connection, and how long that took.
    async fn rest(stream: &mut TcpStream) -> (String, Duration) {
        let start = Instant::now();
        let mut all = Vec::new();
        let read = timeout(LONG, stream.read_to_end(&mut all)).await;
        // A connection that is cut is closed, too.
        let _ = read.expect("it is closed in time");
        (String::from_utf8_lossy(&all).into_owned(), start.elapsed())
    }

    #[tokio::test]
    async fn who_does_not_ask_is_not_waited_for() {
        let address = server().await;
        for said in ["", "GET / HTTP/1.1\r\nHost: x\r\n"] {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.write_all(said.as_bytes()).await.expect("it takes it");
            let (answer, time) = rest(&mut stream).await;
            assert!(!answer.contains("200 OK"), "{answer}");
            assert!(time < LONG / 2, "{time:?}");
        }
        // One that was answered, and says nothing more.
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("it takes it");
        let (answer, time) = rest(&mut stream).await;
        assert!(answer.contains("200 OK") && answer.ends_with("here"), "{answer}");
        assert!(time > LIMITS.patience / 2 && time < LONG / 2, "{time:?}");
    }

    #[tokio::test]
    async fn there_are_only_so_many_at_a_time() {
        let address = server().await;
        let mut waiting = Vec::new();
        for _ in 0..LIMITS.most {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.write_all(b"GET / HTTP/1.1\r\nHo").await.expect("it takes it");
            waiting.push(stream);
        }
        tokio::time::sleep(LIMITS.patience / 4).await;
        let start = Instant::now();
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let asked = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        stream.write_all(asked).await.expect("it takes it");
        let (answer, _) = rest(&mut stream).await;
        // As soon as one of the others was closed.
        assert!(answer.contains("200 OK"), "{answer}");
        assert!(start.elapsed() > LIMITS.patience / 3, "{:?}", start.elapsed());
    }
}
