//! What programs say of themselves: tasks, regions, logs.

use super::Observer;
use super::faults::Fault;
use super::machine::Machine;
use super::tables::Name;
use super::vocabulary::Place;
use super::world::{GoStatus, ProcStatus};
use gotrail_format::EventType;
use std::io::Write;

impl<W: Write, O: Observer> Machine<'_, W, O> {
    /// The running goroutine begins a task, if it has none.
    pub(super) fn task_begin(&mut self, m: u32, parent: u64, name: Name) {
        let Some(g) = self.annotates(m) else { return };
        self.last_task += 1;
        let go = &mut self.world.goroutines[g as usize];
        (go.task, go.task_parent, go.task_name) = (self.last_task, parent, name);
        let args = [
            self.last_task,
            parent,
            self.tracer.string(name),
            self.stack(Some(g), Place::Annotation),
        ];
        self.write(m, EventType::USER_TASK_BEGIN, &args);
        if self.tracer.faults.strikes(Fault::TaskTwice) {
            self.write(m, EventType::USER_TASK_BEGIN, &args);
        }
        self.task_happens(m, "TaskBegin", self.last_task, parent, name);
    }

    /// The running goroutine ends its task, if it has one.
    pub(super) fn task_end(&mut self, m: u32) {
        let Some(g) = self.annotates(m) else { return };
        let go = &mut self.world.goroutines[g as usize];
        let (task, parent, name) = (std::mem::take(&mut go.task), go.task_parent, go.task_name);
        if task == 0 {
            return;
        }
        let args = [task, self.stack(Some(g), Place::Annotation)];
        self.write(m, EventType::USER_TASK_END, &args);
        self.task_happens(m, "TaskEnd", task, parent, name);
    }

    fn task_happens(&mut self, m: u32, kind: &str, task: u64, parent: u64, name: Name) {
        if self.looked_at {
            let parent = if parent == 0 { u64::MAX } else { parent };
            let name = self.tracer.program.text(name).to_owned();
            let context = self.context(m);
            self.happens(context, format_args!("{kind} ID={task} Parent={parent} Type={name:?}"));
        }
    }

    /// The running goroutine begins a region, unless too many are open.
    pub(super) fn region_begin(&mut self, m: u32, name: Name) {
        let Some(g) = self.annotates(m) else { return };
        let go = &mut self.world.goroutines[g as usize];
        let task = go.task;
        let Some(region) = go.regions.get_mut(usize::from(go.open)) else { return };
        *region = (task, name);
        go.open += 1;
        self.region(m, g, EventType::USER_REGION_BEGIN, task, name);
    }

    /// The running goroutine ends its innermost region, if there is one.
    pub(super) fn region_end(&mut self, m: u32) {
        let Some(g) = self.annotates(m) else { return };
        let go = &mut self.world.goroutines[g as usize];
        if go.open == 0 {
            return;
        }
        go.open -= 1;
        let (task, name) = go.regions[usize::from(go.open)];
        let task = task + u64::from(self.tracer.faults.strikes(Fault::RegionMismatch));
        self.region(m, g, EventType::USER_REGION_END, task, name);
    }

    fn region(&mut self, m: u32, g: u32, event: EventType, task: u64, name: Name) {
        let args = [task, self.tracer.string(name), self.stack(Some(g), Place::Annotation)];
        self.write(m, event, &args);
        if self.looked_at {
            let kind =
                if event == EventType::USER_REGION_END { "RegionEnd" } else { "RegionBegin" };
            let name = self.tracer.program.text(name).to_owned();
            let context = self.context(m);
            self.happens(context, format_args!("{kind} Task={task} Type={name:?}"));
        }
    }

    /// The running goroutine logs something.
    pub(super) fn log(&mut self, m: u32, category: Name, message: &str) {
        let Some(g) = self.annotates(m) else { return };
        let task = self.world.goroutines[g as usize].task;
        let args = [
            task,
            self.tracer.string(category),
            self.tracer.unique_string(message),
            self.stack(Some(g), Place::Log),
        ];
        self.write(m, EventType::USER_LOG, &args);
        if self.looked_at {
            let category = self.tracer.program.text(category).to_owned();
            let context = self.context(m);
            self.happens(
                context,
                format_args!("Log Task={task} Category={category:?} Message={message:?}"),
            );
        }
    }

    /// The running goroutine, mentioned.
    fn annotates(&mut self, m: u32) -> Option<u32> {
        self.mention(m, GoStatus::Running, ProcStatus::Running);
        self.go(m)
    }
}
