//! A progress bar on standard error: on terminals only, and only for those who have to wait.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long it stays hidden.
const PATIENCE: Duration = Duration::from_secs(1);

/// How far we are with a number of bytes. Threads can share it.
pub(crate) struct Progress {
    start: Instant,
    done: AtomicU64,
    total: Option<u64>,
    bar: OnceLock<ProgressBar>,
    shown: bool,
}

impl Progress {
    /// For `total` bytes, if that is known. It does not mix with other output on the same
    /// terminal, so `quiet` says that there is such output.
    pub(crate) fn new(total: Option<u64>, quiet: bool) -> Progress {
        let shown = !quiet && io::stderr().is_terminal();
        let (done, bar) = (AtomicU64::new(0), OnceLock::new());
        Progress { start: Instant::now(), done, total, bar, shown }
    }

    /// Whether standard output is a terminal too, where a bar would get in its way.
    pub(crate) fn output_is_seen() -> bool {
        io::stdout().is_terminal()
    }

    /// So many bytes more are done.
    pub(crate) fn add(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if self.shown && (self.bar.get().is_some() || self.start.elapsed() >= PATIENCE) {
            self.bar.get_or_init(|| bar(self.total)).set_position(done);
        }
    }

    /// Everything is done: the bar goes away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr()),
            "{bar:40} {binary_bytes} of {binary_total_bytes} ({binary_bytes_per_sec}, {eta} left)",
        ),
        None => (
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()),
            "{spinner} {binary_bytes} ({binary_bytes_per_sec})",
        ),
    };
    let style = ProgressStyle::with_template(template);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
