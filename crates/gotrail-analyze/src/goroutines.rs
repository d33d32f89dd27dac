//! The lives of goroutines: what states each was in, for how long, what regions it had, what
//! tasks it worked for.
//!
//! The rules are those of the summaries that `go tool trace` shows; docs/analyses.md has the
//! definitions. Everything is a sum that grows while a goroutine is in a state, and the times of
//! a region are the difference of the sums at its ends.
//!
//! A fold of later generations does not know what a goroutine was in the middle of. It begins
//! to count at the sync of the generation in which the goroutine is first mentioned, and keeps what
//! it cannot know as such: `merge.rs` completes it.
//!
//! Here events are told apart. What they come to is in `states.rs`, and in `quick.rs` for the
//! commonest; in `spans.rs` for regions and ranges, in `ends.rs` for the end of a goroutine.

use crate::analysis::{Found, Limits, Options};
use crate::by_id::{ByProc, Slots};
pub use crate::goroutine::{Goroutine, Region, is_of_program, is_system};
use crate::lives::Past;
use crate::logs::Log;
use crate::names::{Names, StrId};
use crate::scope::Scope;
use crate::tasks::Tasks;
use crate::waits::Waits;
use gotrail::{Details, Event, GoId, Kind, ProcState, RangeName};
use gotrail_format::EventType;
use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

/// Why a goroutine waits that waited before the first event: only an earlier fold knows.
pub(crate) const REASON_BEFORE: StrId = StrId(u32::MAX);

/// The tracer's reason for a wait that will never end, which it takes for the goroutine's end.
const FOREVER: &[u8] = b"forever";

/// All goroutines, with their regions and tasks.
#[derive(Debug, Clone)]
pub struct Goroutines {
    pub(crate) slots: Slots,
    pub(crate) list: Vec<Goroutine>,
    /// How many nanoseconds goroutines were in system calls that never had a proc and have ended.
    pub(crate) unheld: FxHashMap<GoId, i64>,
    /// Of ids that were used again: what their earlier lives came to, by id and function.
    pub(crate) past: IndexMap<(GoId, StrId), Past, FxBuildHasher>,
    /// Later folds: the first lives of such ids, where they began before.
    pub(crate) over: Vec<Goroutine>,
    pub(crate) regions: Vec<Region>,
    /// Tasks.
    pub tasks: Tasks,
    /// Whether regions are kept.
    pub(crate) keep_regions: bool,
    /// Which times count.
    pub(crate) scope: Option<Scope>,
    /// What is short and what is many.
    pub(crate) limits: Limits,
    /// Whether there were generations before the first event.
    pub(crate) later: bool,
    /// Later folds: how many goroutines there were before.
    pub(crate) heads: u32,
    /// Whether any generation found too many to be merged. A later fold that did counts no more.
    pub(crate) too_many: bool,
    /// Who is in a system call that began on a proc.
    pub(crate) in_syscall: ByProc<GoId>,
    /// Later folds: procs that were in `in_syscall` at any time, or in `idle_before`.
    pub(crate) touched: ByProc<()>,
    /// Later folds: procs that became idle before they were in `in_syscall`, and when first.
    pub(crate) idle_before: Vec<(i64, i64)>,
    /// Later folds: ends of system calls that began before, with the procs that were then in
    /// `in_syscall`.
    pub(crate) syscalls_before: Vec<(GoId, i64, Vec<i64>)>,
    /// Who had a range of a proc begin.
    pub(crate) proc_ranges: IndexMap<(i64, StrId), GoId, FxBuildHasher>,
    /// Later folds: procs with a range that ended and had not begun.
    pub(crate) proc_ranges_before: Vec<(i64, StrId)>,
    /// Whether the table of waits has those that run.
    pub(crate) keep_running: bool,
    /// Whether common changes of state take nothing but to count time.
    pub(crate) only_times: bool,
    /// When goroutines ran and nothing says where: to be counted for the function that they began
    /// with, which is known at the end.
    pub(crate) ran_unseen: Vec<(GoId, i64, i64)>,
    /// The time of the last sync, or of the first event.
    pub(crate) sync: i64,
    pub(crate) last: i64,
    pub(crate) why: Whys,
    /// The names of the commonest ranges, once there was one.
    sweep: Option<StrId>,
    assist: Option<StrId>,
    /// Room for the goroutines of a later fold.
    pub(crate) spare: Vec<Goroutine>,
}

/// Why goroutines become runnable, where the tracer has no reason.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Whys {
    pub(crate) woken: StrId,
    pub(crate) created: StrId,
    pub(crate) syscall: StrId,
    pub(crate) forever: StrId,
}

impl Goroutines {
    pub(crate) fn new(names: &mut Names, options: &Options, later: bool) -> Goroutines {
        Goroutines {
            slots: Slots::default(),
            list: Vec::new(),
            unheld: FxHashMap::default(),
            past: IndexMap::default(),
            over: Vec::new(),
            regions: Vec::new(),
            tasks: Tasks::default(),
            keep_regions: options.regions,
            scope: options.scope.clone(),
            limits: options.limits,
            later,
            heads: 0,
            too_many: false,
            in_syscall: ByProc::default(),
            touched: ByProc::default(),
            idle_before: Vec::new(),
            syscalls_before: Vec::new(),
            proc_ranges: IndexMap::default(),
            proc_ranges_before: Vec::new(),
            keep_running: options.running,
            only_times: !options.running && Waits::are_plain(options),
            ran_unseen: Vec::new(),
            sync: 0,
            last: 0,
            why: Whys {
                woken: names.string_id(b"unblock"),
                created: names.string_id(b"create"),
                syscall: names.string_id(b"syscall exit"),
                forever: names.string_id(FOREVER),
            },
            sweep: None,
            assist: None,
            spare: Vec::new(),
        }
    }

    /// The goroutine with this id, the last one where several had it.
    pub fn get(&self, id: GoId) -> Option<&Goroutine> {
        self.slots.look(id.0).map(|slot| &self.list[slot])
    }

    /// All goroutines, in the order of their first mention: the last of each id.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Goroutine> {
        self.list.iter()
    }

    /// All regions that were kept: those of a goroutine follow in the order in which they ended.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    #[inline(always)]
    pub(crate) fn slot(&mut self, id: GoId) -> Option<usize> {
        self.slots.get(id.0)
    }

    /// The next event, whatever it is.
    pub(crate) fn any(&mut self, event: &Event<'_>, with: &mut Found) {
        if self.sync == 0 {
            self.sync = event.time().0;
        }
        use EventType as T;
        match event.wire_type() {
            Some(T::PROC_START | T::PROC_STOP | T::PROC_STEAL | T::PROC_STATUS) => {
                self.proc(event, with);
            }
            Some(T::HEAP_ALLOC) => self.metric(event, with),
            _ => match event.go_step() {
                Some(step) => self.step(event, &step, with),
                None => self.other(event, with),
            },
        }
    }

    /// A proc changes its state.
    fn proc(&mut self, event: &Event<'_>, with: &mut Found) {
        let Some(step) = event.proc_step() else { return };
        let time = event.time().0;
        // A later fold cannot tell what a status changes. It takes a proc that its thread has
        // abandoned for idle, so that stealing it seems to change nothing.
        let changes = match event.wire_type() {
            Some(EventType::PROC_STATUS) if self.later => false,
            Some(EventType::PROC_STEAL) if self.later => true,
            _ => step.from != step.to,
        };
        if changes && step.to == ProcState::Idle {
            self.proc_idles(step.proc.0, time);
        }
        if let Some(procs) = &mut with.procs {
            let stolen = event.wire_type() == Some(EventType::PROC_STEAL);
            // One that its thread has abandoned was held, as a rule, when the generation began.
            let held = self.later && event.says_abandoned();
            let to = if held { ProcState::Running } else { step.to };
            procs.step(time, step.proc.0, step.from, to, stolen);
        }
    }

    /// A proc becomes idle: a system call that began on it has lost it.
    fn proc_idles(&mut self, proc: i64, time: i64) {
        if let Some(id) = self.in_syscall.remove(proc) {
            if let Some(slot) = self.slot(id) {
                self.list[slot].blocked_since = time;
            }
        } else if self.later && !self.touched.contains(proc) {
            self.touched.insert(proc, ());
            self.idle_before.push((proc, time));
        }
    }

    /// Anything but a change of state.
    fn other(&mut self, event: &Event<'_>, with: &mut Found) {
        let kind = event.kind();
        let names = &mut with.names;
        match kind {
            Kind::Sync => {
                self.sync = event.time().0;
                with.gc.syncs += 1;
            }
            Kind::Metric => self.metric(event, with),
            Kind::Label => self.label(event, with),
            Kind::RangeBegin | Kind::RangeActive | Kind::RangeEnd => {
                if let Details::Range(range) = event.details() {
                    let known = match range.name {
                        RangeName::GcMark => &mut Some(StrId::EMPTY),
                        RangeName::GcSweep => &mut self.sweep,
                        RangeName::GcMarkAssist => &mut self.assist,
                        RangeName::StopTheWorld(_) => &mut None,
                    };
                    let name = *known
                        .get_or_insert_with(|| names.string_id(range.name.to_string().as_bytes()));
                    self.collects(event, kind, &range, name, with);
                    if range.scope != gotrail::Scope::Global {
                        self.range(event, kind, range.scope, name);
                    }
                }
            }
            Kind::RegionBegin | Kind::RegionEnd => {
                if let Some((task, name)) = event.region_ids() {
                    let name = with.lookup.string(names, event, name);
                    self.region(event, kind, task, name);
                }
            }
            Kind::TaskBegin | Kind::TaskEnd => {
                if let Some((id, parent, name)) = event.task_ids() {
                    let name = match name {
                        Some(name) => with.lookup.string(names, event, name),
                        None => match event.details() {
                            Details::Task(task) => names.string_id(task.name),
                            _ => StrId::EMPTY,
                        },
                    };
                    let (go, time) = (event.goroutine(), event.time().0);
                    if kind == Kind::TaskBegin {
                        self.tasks.begin(id, parent, name, go, time);
                    } else {
                        self.tasks.end(id, parent, name, go, time, self.later);
                    }
                }
            }
            Kind::Log => {
                if let Some((task, category, message)) = event.log_ids() {
                    let (go, time) = (event.goroutine(), event.time().0);
                    self.tasks.work(task, go).logs += 1;
                    if let Some(logs) = &mut with.logs {
                        let category = with.lookup.string(names, event, category);
                        let message = with.lookup.string(names, event, message);
                        let stack = with.lookup.stack(names, event, event.stack_id());
                        logs.push(Log { time, task, go, category, message, stack });
                    }
                }
            }
            Kind::StackSample => {
                if let Some(samples) = &mut with.samples {
                    let stack = with.lookup.stack(names, event, event.stack_id());
                    samples.add(event.goroutine(), event.time().0, stack);
                }
            }
            _ => {}
        }
    }
}
