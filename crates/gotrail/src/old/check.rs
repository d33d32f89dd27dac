//! Whether the order makes sense: a proc runs one goroutine at a time, what is unblocked waits,
//! what ends has begun.
//!
//! On the way, events are marked with what `convert.rs` could only tell by looking ahead.

use super::fault::OldFault;
use super::next::Event;
use super::wire::{Kind, Status};
use crate::error::Fault;
use crate::generation::Generation;
use crate::{GoId, ProcId, TaskId};
use rustc_hash::{FxHashMap, FxHashSet};

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Go {
    /// The number of its syscall, plus 1, if that is the last event on it.
    pub(super) syscall: u64,
    /// The time of the last event that has to do with its state.
    pub(super) touched: i64,
    /// When its last syscall blocked, or 0.
    pub(super) blocked: i64,
    pub(super) state: Status,
    /// Whether anything was said of it.
    pub(super) known: bool,
    /// Whether it last waited for the network.
    pub(super) network: bool,
    pub(super) assists: bool,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Proc {
    /// The goroutine that it runs; 0 for none.
    pub(super) go: u32,
    pub(super) running: bool,
    pub(super) sweeps: bool,
}

/// Checks events, one after the other.
pub(super) struct Check<'a> {
    pub(super) goroutines: Vec<Go>,
    pub(super) procs: Vec<Proc>,
    collecting: bool,
    stopped: bool,
    tasks: FxHashSet<u64>,
    /// The open regions of goroutines: task and name.
    pub(super) regions: FxHashMap<u32, Vec<[u64; 2]>>,
    /// Events by number: syscalls that block, unblocking of goroutines that waited for the network.
    pub(super) marks: Marks,
    /// How many syscalls block.
    pub(super) blocking: u64,
    /// The ids of procs, by slot.
    proc_ids: &'a [i32],
    generation: &'a Generation<'a>,
}

/// A bit for each event.
#[derive(Debug, Default)]
pub(super) struct Marks(Vec<u64>);

impl Marks {
    #[inline]
    pub(super) fn set(&mut self, number: u64) {
        let word = (number / 64) as usize;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (number % 64);
    }

    #[inline(always)]
    pub(super) fn has(&self, number: u64) -> bool {
        self.0.get((number / 64) as usize).is_some_and(|word| word >> (number % 64) & 1 != 0)
    }
}

impl<'a> Check<'a> {
    pub(super) fn new(proc_ids: &'a [i32], generation: &'a Generation<'a>) -> Check<'a> {
        Check {
            // Goroutine 0 stands for the scheduler; its slot is 0.
            goroutines: vec![Go { state: Status::Running, known: true, ..Go::default() }],
            procs: vec![Proc::default(); proc_ids.len()],
            collecting: false,
            stopped: false,
            tasks: FxHashSet::default(),
            regions: FxHashMap::default(),
            marks: Marks::default(),
            blocking: 0,
            proc_ids,
            generation,
        }
    }

    /// When the syscall happened that ends with this event, if that is another time than when it
    /// was written: it is written when the goroutine runs again.
    #[inline(always)]
    pub(super) fn true_time(&self, event: &Event, ids: &[u64]) -> Result<Option<i64>, OldFault> {
        let time = event.args[2] as i64;
        if time == 0 {
            return Ok(None);
        }
        let blocked = self.goroutines.get(event.go as usize).map_or(0, |go| go.blocked);
        if blocked == 0 {
            return Err(OldFault::StraySyscallExit(GoId(ids[event.go as usize] as i64)));
        }
        if time < blocked {
            return Err(OldFault::TimeOrder(event.kind.name()));
        }
        Ok((time != event.time).then_some(time))
    }

    /// Whether it makes no difference to this check if the event happens at that time instead.
    #[inline(always)]
    pub(super) fn may_move(&self, event: &Event, time: i64) -> bool {
        let touched = self.goroutines.get(event.go as usize).map_or(i64::MAX, |go| go.touched);
        (touched..=event.time).contains(&time)
    }

    fn go_id(ids: &[u64], go: u32) -> GoId {
        GoId(ids[go as usize] as i64)
    }

    #[cold]
    #[inline(never)]
    fn go_fault(&self, event: &Event, go: u32, ids: &[u64], problem: &'static str) -> Fault {
        let of = Self::go_id(ids, go).into();
        OldFault::State { event: event.kind.name(), of, problem }.into()
    }

    #[cold]
    #[inline(never)]
    fn proc_fault(&self, event: &Event, problem: &'static str) -> Fault {
        let proc = ProcId(i64::from(self.proc_ids[event.proc as usize]));
        OldFault::State { event: event.kind.name(), of: proc.into(), problem }.into()
    }

    /// The event's goroutine must run, on its proc.
    #[inline(always)]
    fn must_run(&self, event: &Event, ids: &[u64], or_scheduler: bool) -> Result<(), Fault> {
        if self.goroutines[event.go as usize].state != Status::Running {
            return Err(self.go_fault(event, event.go, ids, "is not running"));
        }
        if self.procs[event.proc as usize].go != event.go {
            return Err(self.proc_fault(event, "does not run the goroutine"));
        }
        if event.go == 0 && !or_scheduler {
            return Err(self.go_fault(event, event.go, ids, "does not do this"));
        }
        Ok(())
    }

    /// Checks the event with this number. `ids` are those of goroutines, by slot, `timer` says
    /// whether its goroutine belongs to the runtime's timers.
    #[inline(always)]
    pub(super) fn event(
        &mut self,
        event: &Event,
        number: u64,
        timer: bool,
        ids: &[u64],
    ) -> Result<(), Fault> {
        let phase = |problem| Err(OldFault::Phase { event: event.kind.name(), problem }.into());
        let (go, proc) = (event.go as usize, event.proc as usize);
        if self.goroutines.len() <= go.max(event.other as usize) {
            self.grow(ids);
        }
        let on = &mut self.goroutines[go];
        let syscall = std::mem::take(&mut on.syscall);
        if event.kind != Kind::CPU_SAMPLE {
            on.touched = event.time;
        }
        match event.kind {
            Kind::GO_START | Kind::GO_START_LABEL => {
                if self.goroutines[go].state != Status::Runnable {
                    return Err(self.go_fault(event, event.go, ids, "is not runnable"));
                }
                if self.procs[proc].go != 0 {
                    return Err(self.proc_fault(event, "runs another goroutine"));
                }
                self.goroutines[go].state = Status::Running;
                self.goroutines[go].network = false;
                self.procs[proc].go = event.go;
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
                self.must_run(event, ids, false)?;
                self.goroutines[go].state = Status::Waiting;
                self.goroutines[go].network = event.kind == Kind::GO_BLOCK_NET;
                self.procs[proc].go = 0;
            }
            Kind::GO_UNBLOCK => {
                if self.goroutines[go].state != Status::Running {
                    return Err(self.go_fault(event, event.go, ids, "is not running"));
                }
                if !timer && self.procs[proc].go != event.go {
                    return Err(self.proc_fault(event, "does not run the goroutine"));
                }
                let other = &mut self.goroutines[event.other as usize];
                other.touched = event.time;
                if other.state != Status::Waiting {
                    return Err(self.go_fault(event, event.other, ids, "is not waiting"));
                }
                if other.network {
                    self.marks.set(number);
                }
                other.network = false;
                other.state = Status::Runnable;
            }
            Kind::GO_CREATE => {
                self.must_run(event, ids, true)?;
                let other = &mut self.goroutines[event.other as usize];
                if other.known {
                    return Err(self.go_fault(event, event.other, ids, "exists already"));
                }
                *other = Go { state: Status::Runnable, known: true, ..*other };
            }
            Kind::GO_END | Kind::GO_STOP => {
                self.must_run(event, ids, false)?;
                self.goroutines[go].state = Status::Dead;
                self.procs[proc].go = 0;
                if event.kind == Kind::GO_END && !self.regions.is_empty() {
                    self.regions.remove(&event.go);
                }
            }
            Kind::GO_SCHED | Kind::GO_PREEMPT => {
                self.must_run(event, ids, false)?;
                self.goroutines[go].state = Status::Runnable;
                self.goroutines[go].network = false;
                self.procs[proc].go = 0;
            }
            Kind::SYSCALL => {
                self.must_run(event, ids, false)?;
                self.goroutines[go].network = false;
                self.goroutines[go].syscall = number + 1;
            }
            Kind::SYSCALL_BLOCK => {
                self.must_run(event, ids, false)?;
                self.goroutines[go].state = Status::Waiting;
                self.procs[proc].go = 0;
                self.goroutines[go].blocked = event.time;
                if syscall != 0 {
                    self.blocking += 1;
                    self.marks.set(syscall - 1);
                }
            }
            Kind::SYSCALL_EXIT => {
                if self.goroutines[go].state != Status::Waiting {
                    return Err(self.go_fault(event, event.go, ids, "is not waiting"));
                }
                self.goroutines[go].state = Status::Runnable;
                self.goroutines[go].network = false;
            }
            Kind::GO_WAITING | Kind::GO_IN_SYSCALL => {
                if self.goroutines[go].state != Status::Runnable {
                    return Err(self.go_fault(event, event.go, ids, "is not runnable"));
                }
                self.goroutines[go].state = Status::Waiting;
                self.goroutines[go].network = false;
                if event.kind == Kind::GO_IN_SYSCALL {
                    self.goroutines[go].blocked = event.time;
                }
            }
            Kind::PROC_START => {
                if self.procs[proc].running {
                    return Err(self.proc_fault(event, "is running already"));
                }
                self.procs[proc].running = true;
            }
            Kind::PROC_STOP => {
                if !self.procs[proc].running {
                    return Err(self.proc_fault(event, "is not running"));
                }
                if self.procs[proc].go != 0 {
                    return Err(self.proc_fault(event, "runs a goroutine"));
                }
                self.procs[proc].running = false;
            }
            Kind::GC_START | Kind::GC_DONE => {
                let begins = event.kind == Kind::GC_START;
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
                let begins = event.kind == Kind::STW_START;
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
                let begins = event.kind == Kind::SWEEP_START;
                if self.procs[proc].sweeps == begins {
                    return Err(self.proc_fault(
                        event,
                        if begins { "sweeps already" } else { "does not sweep" },
                    ));
                }
                self.procs[proc].sweeps = begins;
            }
            Kind::MARK_ASSIST_START => {
                if self.goroutines[go].assists {
                    return Err(self.go_fault(event, event.go, ids, "assists already"));
                }
                self.goroutines[go].assists = true;
                self.goroutines[go].known = true;
            }
            Kind::MARK_ASSIST_DONE => {
                // It may have begun before the trace.
                self.goroutines[go].assists = false;
                self.goroutines[go].known = true;
            }
            Kind::TASK_CREATE | Kind::TASK_END | Kind::REGION => self.annotation(event, ids)?,
            _ => {}
        }
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, ids: &[u64]) {
        self.goroutines.resize(ids.len(), Go::default());
    }

    #[cold]
    #[inline(never)]
    pub(super) fn annotation(&mut self, event: &Event, ids: &[u64]) -> Result<(), Fault> {
        let name = |id| self.generation.string(id).to_owned();
        if event.kind == Kind::TASK_END {
            self.tasks.remove(&event.args[0]);
            return Ok(());
        }
        let [task, mode, text] = event.args;
        if event.kind == Kind::TASK_CREATE {
            if self.tasks.insert(task) {
                return Ok(());
            }
            return Err(Fault::TaskBegunTwice {
                go: Self::go_id(ids, event.go),
                id: TaskId(task),
                name: name(text),
            });
        }
        match mode {
            0 => self.regions.entry(event.go).or_default().push([task, text]),
            1 => {
                let open = self.regions.get_mut(&event.go);
                if let Some(open) = open
                    && let Some(&[inner_task, inner]) = open.last()
                {
                    if [inner_task, inner] != [task, text] {
                        return Err(Fault::RegionMisuse {
                            go: Self::go_id(ids, event.go),
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
