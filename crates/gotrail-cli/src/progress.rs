//! A progress bar on standard error: on terminals only, and only for those who have to wait.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long it stays hidden.
const PATIENCE: Duration = Duration::from_secs(1);

/// How far we are with a number of bytes, or of events. Threads can share it.
pub(crate) struct Progress {
    start: Instant,
    done: AtomicU64,
    total: Option<u64>,
    bar: OnceLock<ProgressBar>,
    shown: bool,
    unit: Unit,
}

/// What is counted.
#[derive(Debug, Clone, Copy)]
enum Unit {
    Bytes,
    Events,
}

impl Progress {
    /// For `total` bytes, if that is known. It does not mix with other output on the same
    /// terminal, so `quiet` says that there is such output.
    pub(crate) fn new(total: Option<u64>, quiet: bool) -> Progress {
        Progress::of(Unit::Bytes, total, quiet)
    }

    /// The same for a number of events.
    pub(crate) fn events(total: u64, quiet: bool) -> Progress {
        Progress::of(Unit::Events, Some(total), quiet)
    }

    fn of(unit: Unit, total: Option<u64>, quiet: bool) -> Progress {
        let shown = !quiet && io::stderr().is_terminal();
        let (done, bar) = (AtomicU64::new(0), OnceLock::new());
        Progress { start: Instant::now(), done, total, bar, shown, unit }
    }

    /// Whether standard output is a terminal too, where a bar would get in its way.
    pub(crate) fn output_is_seen() -> bool {
        io::stdout().is_terminal()
    }

    /// So many more are done.
    pub(crate) fn add(&self, more: u64) {
        let done = self.done.fetch_add(more, Ordering::Relaxed) + more;
        if self.shown && (self.bar.get().is_some() || self.start.elapsed() >= PATIENCE) {
            let bar = self
                .bar
                .get_or_init(|| bar(self.unit, self.total).with_elapsed(self.start.elapsed()));
            bar.set_position(done);
        }
    }

    /// Everything is done: the bar goes away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}

fn bar(unit: Unit, total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr()),
            match unit {
                Unit::Bytes => "{bar:40} {binary_bytes} of {binary_total_bytes}, {elapsed} so far",
                Unit::Events => "{bar:40} {human_pos} of {human_len} events, {elapsed} so far",
            },
        ),
        None => (
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()),
            "{spinner} {binary_bytes}, {elapsed} so far",
        ),
    };
    let style = ProgressStyle::with_template(template);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
