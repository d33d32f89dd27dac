//! The garbage collector, and what stops the world.

use super::Observer;
use super::faults::Fault;
use super::machine::Machine;
use super::vocabulary::{Place, Reason, Stop};
use super::world::{GoStatus, ProcStatus};
use gotrail_format::EventType;
use std::io::Write;

/// The collector's state.
#[derive(Debug)]
pub(super) struct Collector {
    pub(super) marking: bool,
    /// When marking is done.
    pub(super) ends: u64,
    /// The number of the next event.
    seq: u64,
    pub(super) heap: u64,
    pub(super) goal: u64,
    /// The goroutines that mark.
    pub(super) markers: Vec<u32>,
}

/// What is alive after each collection.
const LIVE: u64 = 4 << 20;

impl Collector {
    pub(super) fn new() -> Collector {
        let (heap, goal) = (LIVE, 2 * LIVE);
        Collector { marking: false, ends: 0, seq: 1, heap, goal, markers: Vec::new() }
    }

    fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq - 1
    }
}

impl<W: Write, O: Observer> Machine<'_, W, O> {
    /// Stops all other threads that run Go, for a reason.
    pub(super) fn stop_world(&mut self, m: u32, stop: Stop) {
        self.mention(m, GoStatus::Running, ProcStatus::Running);
        self.stw_event(m, EventType::STW_BEGIN, stop);
        for p in 0..self.world.procs.len() as u32 {
            let proc = &self.world.procs[p as usize];
            let thread = proc.thread;
            match proc.status {
                ProcStatus::Running if thread != m => {
                    if self.go(thread).is_some() {
                        let g = self.go_stop(thread, Reason::Preempted);
                        self.world.enqueue(g, Some(p));
                    }
                    self.proc_stop(thread);
                    self.park(thread);
                }
                ProcStatus::Syscall | ProcStatus::Abandoned => self.proc_steal(m, p),
                _ => {}
            }
        }
        self.tracer.clock.now += u64::from(self.rng.u8(..200));
    }

    /// Lets the others go on.
    pub(super) fn start_world(&mut self, m: u32, stop: Stop) {
        self.stw_event(m, EventType::STW_END, stop);
        self.wake();
    }

    /// The begin or end of a stop, alone.
    pub(super) fn stw_event(&mut self, m: u32, event: EventType, stop: Stop) {
        let reason = self.words.stop(stop);
        self.mention(m, GoStatus::Running, ProcStatus::Running);
        let g = self.go(m);
        if event == EventType::STW_BEGIN {
            let args = [self.tracer.string(reason), self.stack(g, Place::Stop)];
            self.write(m, event, &args);
        } else {
            self.write(m, event, &[]);
        }
        if self.looked_at {
            let name = format!("stop-the-world ({})", self.tracer.program.text(reason));
            let context = self.context(m);
            let scope = format!("Goroutine({})", context.2);
            self.range_happens(m, event == EventType::STW_BEGIN, &name, &scope);
        }
    }

    fn range_happens(&mut self, m: u32, begins: bool, name: &str, scope: &str) {
        let context = self.context(m);
        if begins {
            self.happens(context, format_args!("RangeBegin Name={name:?} Scope={scope}"));
        } else {
            self.happens(
                context,
                format_args!("RangeEnd Name={name:?} Scope={scope} Attributes=[]"),
            );
        }
    }

    /// The running goroutine allocates: the heap grows, and what follows from that.
    pub(super) fn allocate(&mut self, m: u32, bytes: u64) {
        self.collector.heap += bytes;
        self.heap_alloc(m, self.collector.heap);
        let now = self.tracer.clock.now;
        if self.collector.marking && now >= self.collector.ends {
            self.finish_marking(m);
        } else if !self.collector.marking && self.collector.heap > self.collector.goal {
            self.start_marking(m);
        }
        self.sweep_begin(m);
    }

    fn start_marking(&mut self, m: u32) {
        self.stop_world(m, Stop::SweepTermination);
        // Nothing may be left to sweep.
        for proc in &mut self.world.procs {
            proc.to_sweep = false;
        }
        self.sweep_end(m);
        let g = self.go(m);
        let args = [self.collector.next_seq(), self.stack(g, Place::Collection)];
        self.write(m, EventType::GC_BEGIN, &args);
        self.range_happens(m, true, "GC concurrent mark phase", "None");
        self.collector.marking = true;
        self.collector.ends = self.tracer.clock.now + 2_000 + self.rng.u64(..20_000);
        self.start_world(m, Stop::SweepTermination);
        let p = self.world.threads[m as usize].proc;
        for marker in self.collector.markers.clone() {
            if self.world.goroutines[marker as usize].status == GoStatus::Waiting {
                self.go_unblock(m, marker, Place::Collection);
                self.ready(marker, p);
            }
        }
    }

    pub(super) fn finish_marking(&mut self, m: u32) {
        self.stop_world(m, Stop::MarkTermination);
        let mut seq = self.collector.next_seq();
        seq += u64::from(self.tracer.faults.strikes(Fault::WrongGcSequence));
        self.mention(m, GoStatus::Running, ProcStatus::Running);
        self.write(m, EventType::GC_END, &[seq]);
        self.range_happens(m, false, "GC concurrent mark phase", "None");
        self.collector.marking = false;
        self.collector.heap = LIVE + self.rng.u64(..LIVE);
        self.collector.goal = 2 * self.collector.heap;
        self.heap_alloc(m, self.collector.heap);
        self.heap_goal(m, self.collector.goal);
        for proc in &mut self.world.procs {
            proc.to_sweep = true;
        }
        self.start_world(m, Stop::MarkTermination);
    }

    /// A generation begins while marking goes on.
    pub(super) fn gc_active(&mut self, m: u32) {
        self.mention(m, GoStatus::Running, ProcStatus::Running);
        let seq = self.collector.next_seq();
        self.write(m, EventType::GC_ACTIVE, &[seq]);
        let context = self.context(m);
        self.happens(
            context,
            format_args!("RangeActive Name=\"GC concurrent mark phase\" Scope=None"),
        );
    }

    /// The running goroutine helps to mark.
    pub(super) fn assist_begin(&mut self, m: u32) {
        let Some(g) = self.go(m) else { return };
        self.mention(m, GoStatus::Running, ProcStatus::Running);
        let stack = self.stack(Some(g), Place::Allocation);
        self.write(m, EventType::GC_MARK_ASSIST_BEGIN, &[stack]);
        self.world.goroutines[g as usize].assists = true;
        self.assist_happens(m, true);
    }

    /// It has helped enough.
    pub(super) fn assist_end(&mut self, m: u32) {
        let Some(g) = self.go(m) else { return };
        self.mention(m, GoStatus::Running, ProcStatus::Running);
        self.write(m, EventType::GC_MARK_ASSIST_END, &[]);
        self.world.goroutines[g as usize].assists = false;
        self.assist_happens(m, false);
    }

    fn assist_happens(&mut self, m: u32, begins: bool) {
        if self.looked_at {
            let scope = format!("Goroutine({})", self.context(m).2);
            self.range_happens(m, begins, "GC mark assist", &scope);
        }
    }

    /// The thread's proc begins to sweep, if it has yet to.
    pub(super) fn sweep_begin(&mut self, m: u32) {
        let thread = &self.world.threads[m as usize];
        let (Some(p), g) = (thread.proc, thread.go) else { return };
        let proc = &mut self.world.procs[p as usize];
        if !proc.to_sweep || proc.sweeping {
            return;
        }
        self.mention(m, GoStatus::Running, ProcStatus::Running);
        let stack = self.stack(g, Place::Sweep);
        self.write(m, EventType::GC_SWEEP_BEGIN, &[stack]);
        let proc = &mut self.world.procs[p as usize];
        (proc.to_sweep, proc.sweeping) = (false, true);
        let scope = format!("Proc({})", proc.id);
        self.range_happens(m, true, "GC incremental sweep", &scope);
    }

    /// The thread's proc ends its sweep, if there is one.
    pub(super) fn sweep_end(&mut self, m: u32) {
        let Some(p) = self.world.threads[m as usize].proc else { return };
        if !self.world.procs[p as usize].sweeping {
            return;
        }
        self.mention(m, GoStatus::Running, ProcStatus::Running);
        let swept = 8192 * (1 + u64::from(self.rng.u8(..)));
        let reclaimed = swept / 2;
        self.write(m, EventType::GC_SWEEP_END, &[swept, reclaimed]);
        let proc = &mut self.world.procs[p as usize];
        proc.sweeping = false;
        let id = proc.id;
        let context = self.context(m);
        self.happens(
            context,
            format_args!(
                "RangeEnd Name=\"GC incremental sweep\" Scope=Proc({id}) Attributes=[\"bytes \
                 swept\"=Value{{Uint64({swept})}} \"bytes reclaimed\"=Value{{Uint64({reclaimed})}}]"
            ),
        );
    }
}
