//! Tasks and regions of the annotation API. They can outlive generations.

use super::state::{NameRef, Region, Task};
use super::{Advance, Offer, Sink, State, Verdict, deliver, not_existing};
use crate::error::Fault;
use crate::event::Ordered;
use crate::{GoId, TaskId};

impl State {
    /// A task begins. Nothing needs to begin for a task to be referred to, and a task may end
    /// more than once: all that is wrong is to begin one that is active.
    pub(super) fn task_begin<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        let id = offer.args[0];
        let name = self.name(&offer, offer.args[2])?;
        if self.tasks.contains_key(&id) {
            let name = name.resolve(offer.generation, self.names()).to_owned();
            return Err(Box::new(Fault::TaskBegunTwice {
                go: GoId(offer.go),
                id: TaskId(id),
                name,
            }));
        }
        // Here a parent of 0 means that there is none, and not the background task.
        let mut args = offer.args;
        if args[1] == TaskId::BACKGROUND.0 {
            args[1] = TaskId::NONE.0;
        }
        offer.is_running()?;
        self.tasks.insert(id, Task { parent: args[1], name });
        if let Some(trail) = self.trail() {
            trail.tasks.entry(id).or_insert(true);
        }
        sink.emit(Ordered { args, ..offer.ordered() });
        Ok(Verdict::Advanced)
    }

    /// A task ends. Its parent and name are delivered with it; the name may be a string of an
    /// earlier generation.
    pub(super) fn task_end<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        offer.is_running()?;
        if let Some(trail) = self.trail() {
            trail.tasks.entry(offer.args[0]).or_insert(false);
        }
        let unknown = Task { parent: TaskId::NONE.0, name: NameRef::EMPTY };
        let task = self.tasks.remove(&offer.args[0]).unwrap_or(unknown);
        let args = [offer.args[0], offer.args[1], task.parent, task.name.0];
        sink.emit(Ordered { args, ..offer.ordered() });
        Ok(Verdict::Advanced)
    }

    /// A region begins on the running goroutine.
    pub(super) fn region_begin<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        offer.is_running()?;
        let name = self.name(&offer, offer.args[1])?;
        let slot =
            self.this_go(&offer).ok_or_else(|| not_existing(offer.event, offer.this_go()))?;
        let id = self.goroutines.entries[slot as usize].id;
        self.goroutines.extra(id).regions.push(Region { task: offer.args[0], name });
        deliver(&offer, sink)
    }

    /// A region ends: the innermost one of the goroutine, or one that began before the trace.
    pub(super) fn region_end<S: Sink>(&mut self, offer: Offer<'_>, sink: &mut S) -> Advance {
        offer.is_running()?;
        let name = self.name(&offer, offer.args[1])?;
        let slot =
            self.this_go(&offer).ok_or_else(|| not_existing(offer.event, offer.this_go()))?;
        let id = self.goroutines.entries[slot as usize].id;
        let regions = self.goroutines.extras.get_mut(&id).map(|extra| &mut extra.regions);
        if let Some(regions) = regions
            && let Some(inner) = regions.last().copied()
        {
            if inner.task == offer.args[0] && inner.name == name {
                regions.pop();
                return deliver(&offer, sink);
            }
            let ended_name = name.resolve(offer.generation, self.names());
            let inner_name = inner.name.resolve(offer.generation, self.names());
            let lost = name == NameRef::LOST || inner.name == NameRef::LOST;
            let same = lost || ended_name == inner_name;
            if inner.task != offer.args[0] || !same {
                return Err(Box::new(Fault::RegionMisuse {
                    go: GoId(id),
                    ended: ended_name.to_owned(),
                    ended_task: TaskId(offer.args[0]),
                    inner: inner_name.to_owned(),
                    inner_task: TaskId(inner.task),
                }));
            }
            self.goroutines.extra(id).regions.pop();
        } else if let Some(trail) = self.trail() {
            trail.region_ends.push((id, offer.args[0], name));
        }
        deliver(&offer, sink)
    }

    fn name(&self, offer: &Offer<'_>, id: u64) -> Result<NameRef, Box<Fault>> {
        if !offer.generation.strings.contains(id) {
            if self.lenient {
                return Ok(NameRef::LOST);
            }
            return Err(Box::new(Fault::UnknownId { event: offer.event, what: "string", id }));
        }
        Ok(NameRef::current(id))
    }
}
