//! Whether the order makes sense: a proc runs one goroutine at a time, what is unblocked waits,
//! what ends has begun.
//!
//! On the way, rows are marked with what `convert.rs` could only tell by looking ahead or back.

use super::fault::OldFault;
use super::wire::Kind;
use super::{OldEvents, Row, mark};
use crate::error::{Error, Fault, Place};
use crate::generation::Generation;
use crate::report::{Loss, Misuse, Report};
use crate::{GoId, ProcId, TaskId, Time};
use rustc_hash::{FxHashMap, FxHashSet};

#[derive(Debug, Clone, Copy, Default)]
struct Go {
    state: GoState,
    /// Whether anything was said of it.
    known: bool,
    /// Whether it last waited for the network.
    network: bool,
    assists: bool,
    /// The row of its syscall, plus 1, if that is the last event on it.
    syscall: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum GoState {
    #[default]
    Dead,
    Runnable,
    Running,
    Waiting,
}

#[derive(Debug, Clone, Copy, Default)]
struct Proc {
    /// The goroutine that it runs; 0 for none.
    go: u32,
    running: bool,
    sweeps: bool,
}

struct Check<'a> {
    goroutines: Vec<Go>,
    procs: Vec<Proc>,
    collecting: bool,
    stopped: bool,
    tasks: FxHashSet<u64>,
    /// The open regions of goroutines: task and name.
    regions: FxHashMap<u32, Vec<[u64; 2]>>,
    events: &'a OldEvents,
    generation: &'a Generation<'a>,
}

/// Checks all events, and marks their rows; the first fault with the number of its event. With
/// `losses`, misused annotations are dropped and noted.
pub(super) fn check(
    events: &mut OldEvents,
    generation: &Generation<'_>,
    mut losses: Option<&mut Report>,
) -> Option<(Fault, usize)> {
    let mut rows = std::mem::take(&mut events.rows);
    // The walk looks at times, and whether rows are moved, and neither changes.
    let mut order = Walk { next: 0, next_moved: 0 };
    let mut check = Check {
        goroutines: vec![Go::default(); events.goroutines.len()],
        procs: vec![Proc::default(); events.procs.len()],
        collecting: false,
        stopped: false,
        tasks: FxHashSet::default(),
        regions: FxHashMap::default(),
        events,
        generation,
    };
    // Goroutine 0 stands for the scheduler; its slot is 0.
    check.goroutines[0] = Go { state: GoState::Running, known: true, ..Go::default() };
    let mut fault = None;
    let mut first = None;
    for number in 0.. {
        let Some(at) = order.next(&rows, &check.events.moved) else { break };
        let row = &mut rows[at];
        first.get_or_insert(row.time);
        if row.kind == Kind::FUTILE_WAKEUP
            && let Some(report) = &mut losses
        {
            // A strict reader stops when it comes to telling it.
            row.marks |= mark::DROPPED;
            let fault = OldFault::Unexpected(row.kind.name());
            report.add_loss(Loss::of_error(&Fault::from(fault).into()));
        }
        let blocking = match check.event(row, at) {
            Ok(blocking) => blocking,
            Err(found) => {
                let misuse =
                    matches!(found, Fault::TaskBegunTwice { .. } | Fault::RegionMisuse { .. });
                match &mut losses {
                    Some(report) if misuse => {
                        row.marks |= mark::DROPPED;
                        let first = first.unwrap_or(row.time);
                        let time = Time(check.events.nanos_between(first, row.time));
                        let stack = generation.stack(u64::from(row.stack));
                        let error = Error::new(found, Place::default());
                        report.add_misuse(|| Misuse::new(&error, time, stack));
                        0
                    }
                    _ => {
                        fault = Some((found, number));
                        break;
                    }
                }
            }
        };
        if !generation.stacks.contains(u64::from(row.stack)) {
            row.stack = 0;
        }
        if blocking != 0 {
            rows[blocking as usize - 1].marks |= mark::BLOCKS;
        }
    }
    events.rows = rows;
    fault
}

/// The same walk as [`super::Order`], over rows that change.
struct Walk {
    next: usize,
    next_moved: usize,
}

impl Walk {
    #[inline(always)]
    fn next(&mut self, rows: &[Row], moved: &[u32]) -> Option<usize> {
        loop {
            let row = rows.get(self.next);
            if row.is_some_and(|row| row.marks & mark::MOVED != 0) {
                self.next += 1;
                continue;
            }
            if let Some(&moved) = moved.get(self.next_moved) {
                let moved = moved as usize;
                if row.is_none_or(|row| (rows[moved].time, moved) < (row.time, self.next)) {
                    self.next_moved += 1;
                    return Some(moved);
                }
            }
            row?;
            self.next += 1;
            return Some(self.next - 1);
        }
    }
}

impl Check<'_> {
    fn go_id(&self, go: u32) -> GoId {
        GoId(self.events.goroutines[go as usize] as i64)
    }

    #[cold]
    #[inline(never)]
    fn go_fault(&self, row: &Row, go: u32, problem: &'static str) -> Fault {
        OldFault::State { event: row.kind.name(), of: self.go_id(go).into(), problem }.into()
    }

    #[cold]
    #[inline(never)]
    fn proc_fault(&self, row: &Row, problem: &'static str) -> Fault {
        let proc = ProcId(i64::from(self.events.procs[row.proc as usize]));
        OldFault::State { event: row.kind.name(), of: proc.into(), problem }.into()
    }

    /// The row's goroutine must run, on its proc.
    #[inline(always)]
    fn must_run(&self, row: &Row, or_scheduler: bool) -> Result<(), Fault> {
        if self.goroutines[row.go as usize].state != GoState::Running {
            return Err(self.go_fault(row, row.go, "is not running"));
        }
        if self.procs[row.proc as usize].go != row.go {
            return Err(self.proc_fault(row, "does not run the goroutine"));
        }
        if row.go == 0 && !or_scheduler {
            return Err(self.go_fault(row, row.go, "does not do this"));
        }
        Ok(())
    }

    /// Checks the event of a row, the `at`th. Returns the row of the syscall, plus 1, that is now
    /// known to block, or 0.
    #[inline(always)]
    fn event(&mut self, row: &mut Row, at: usize) -> Result<u32, Fault> {
        let phase = |problem| Err(OldFault::Phase { event: row.kind.name(), problem }.into());
        let (go, proc) = (row.go as usize, row.proc as usize);
        let syscall = std::mem::take(&mut self.goroutines[go].syscall);
        let mut blocking = 0;
        match row.kind {
            Kind::GO_START | Kind::GO_START_LABEL => {
                if self.goroutines[go].state != GoState::Runnable {
                    return Err(self.go_fault(row, row.go, "is not runnable"));
                }
                if self.procs[proc].go != 0 {
                    return Err(self.proc_fault(row, "runs another goroutine"));
                }
                self.goroutines[go].state = GoState::Running;
                self.goroutines[go].network = false;
                self.procs[proc].go = row.go;
            }
            Kind::GO_SLEEP
            | Kind::GO_BLOCK
            | Kind::GO_BLOCK_SEND
            | Kind::GO_BLOCK_RECV
            | Kind::GO_BLOCK_SELECT
            | Kind::GO_BLOCK_SYNC
            | Kind::GO_BLOCK_COND
            | Kind::GO_BLOCK_NET
            | Kind::GO_BLOCK_GC => {
                self.must_run(row, false)?;
                self.goroutines[go].state = GoState::Waiting;
                self.goroutines[go].network = row.kind == Kind::GO_BLOCK_NET;
                self.procs[proc].go = 0;
            }
            Kind::GO_UNBLOCK => {
                if self.goroutines[go].state != GoState::Running {
                    return Err(self.go_fault(row, row.go, "is not running"));
                }
                if row.marks & mark::TIMER == 0 && self.procs[proc].go != row.go {
                    return Err(self.proc_fault(row, "does not run the goroutine"));
                }
                let other = &mut self.goroutines[row.arg as u32 as usize];
                if other.state != GoState::Waiting {
                    return Err(self.go_fault(row, row.arg as u32, "is not waiting"));
                }
                if other.network {
                    row.marks |= mark::NETWORK;
                }
                other.network = false;
                other.state = GoState::Runnable;
            }
            Kind::GO_CREATE => {
                self.must_run(row, true)?;
                let other = &mut self.goroutines[row.arg as u32 as usize];
                if other.known {
                    return Err(self.go_fault(row, row.arg as u32, "exists already"));
                }
                *other = Go { state: GoState::Runnable, known: true, ..*other };
            }
            Kind::GO_END | Kind::GO_STOP => {
                self.must_run(row, false)?;
                self.goroutines[go].state = GoState::Dead;
                self.procs[proc].go = 0;
                if row.kind == Kind::GO_END && !self.regions.is_empty() {
                    self.regions.remove(&row.go);
                }
            }
            Kind::GO_SCHED | Kind::GO_PREEMPT => {
                self.must_run(row, false)?;
                self.goroutines[go].state = GoState::Runnable;
                self.goroutines[go].network = false;
                self.procs[proc].go = 0;
            }
            Kind::SYSCALL => {
                self.must_run(row, false)?;
                self.goroutines[go].network = false;
                self.goroutines[go].syscall = at as u32 + 1;
            }
            Kind::SYSCALL_BLOCK => {
                self.must_run(row, false)?;
                self.goroutines[go].state = GoState::Waiting;
                self.procs[proc].go = 0;
                blocking = syscall;
            }
            Kind::SYSCALL_EXIT => {
                if self.goroutines[go].state != GoState::Waiting {
                    return Err(self.go_fault(row, row.go, "is not waiting"));
                }
                self.goroutines[go].state = GoState::Runnable;
                self.goroutines[go].network = false;
            }
            Kind::GO_WAITING | Kind::GO_IN_SYSCALL => {
                if self.goroutines[go].state != GoState::Runnable {
                    return Err(self.go_fault(row, row.go, "is not runnable"));
                }
                self.goroutines[go].state = GoState::Waiting;
                self.goroutines[go].network = false;
            }
            Kind::PROC_START => {
                if self.procs[proc].running {
                    return Err(self.proc_fault(row, "is running already"));
                }
                self.procs[proc].running = true;
            }
            Kind::PROC_STOP => {
                if !self.procs[proc].running {
                    return Err(self.proc_fault(row, "is not running"));
                }
                if self.procs[proc].go != 0 {
                    return Err(self.proc_fault(row, "runs a goroutine"));
                }
                self.procs[proc].running = false;
            }
            Kind::GC_START | Kind::GC_DONE => {
                let begins = row.kind == Kind::GC_START;
                if self.collecting == begins {
                    return phase(if begins {
                        "the last cycle has not ended"
                    } else {
                        "no cycle has begun"
                    });
                }
                self.collecting = begins;
            }
            Kind::STW_START | Kind::STW_DONE => {
                let begins = row.kind == Kind::STW_START;
                if self.stopped == begins {
                    return phase(if begins {
                        "the world is stopped"
                    } else {
                        "the world is not stopped"
                    });
                }
                self.stopped = begins;
            }
            Kind::SWEEP_START | Kind::SWEEP_DONE => {
                let begins = row.kind == Kind::SWEEP_START;
                if self.procs[proc].sweeps == begins {
                    return Err(self.proc_fault(
                        row,
                        if begins { "sweeps already" } else { "does not sweep" },
                    ));
                }
                self.procs[proc].sweeps = begins;
            }
            Kind::MARK_ASSIST_START => {
                if self.goroutines[go].assists {
                    return Err(self.go_fault(row, row.go, "assists already"));
                }
                self.goroutines[go].assists = true;
                self.goroutines[go].known = true;
            }
            Kind::MARK_ASSIST_DONE => {
                // It may have begun before the trace.
                self.goroutines[go].assists = false;
                self.goroutines[go].known = true;
            }
            Kind::TASK_CREATE | Kind::TASK_END | Kind::REGION => self.annotation(row)?,
            _ => {}
        }
        Ok(blocking)
    }

    #[cold]
    #[inline(never)]
    fn annotation(&mut self, row: &Row) -> Result<(), Fault> {
        let name = |id| self.generation.string(id).to_owned();
        if row.kind == Kind::TASK_END {
            self.tasks.remove(&row.arg);
            return Ok(());
        }
        let [task, mode, text] = self.events.more[row.arg as usize];
        if row.kind == Kind::TASK_CREATE {
            if self.tasks.insert(task) {
                return Ok(());
            }
            return Err(Fault::TaskBegunTwice {
                go: self.go_id(row.go),
                id: TaskId(task),
                name: name(text),
            });
        }
        match mode {
            0 => self.regions.entry(row.go).or_default().push([task, text]),
            1 => {
                let open = self.regions.get_mut(&row.go);
                if let Some(open) = open
                    && let Some(&[inner_task, inner]) = open.last()
                {
                    if [inner_task, inner] != [task, text] {
                        return Err(Fault::RegionMisuse {
                            go: GoId(self.events.goroutines[row.go as usize] as i64),
                            ended: name(text),
                            ended_task: TaskId(task),
                            inner: name(inner),
                            inner_task: TaskId(inner_task),
                        });
                    }
                    open.pop();
                }
            }
            mode => return Err(OldFault::RegionMode(mode).into()),
        }
        Ok(())
    }
}
