//! The last step before an event is handed out: its ids must mean something, its time must rise.

use crate::cursor::{Cursor, Refresh};
use crate::error::{Error, Fault, Place};
use crate::event::{Ordered, SYNC};
use crate::generation::Generation;
use crate::old;
use crate::order::Sink;
use gotrail_format::EventType;
use gotrail_format::event::Spec;

/// Delivers events: keeps count and time.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    /// The time of the last event.
    pub(crate) last_time: i64,
    /// The number of events so far.
    pub(crate) delivered: u64,
    /// When there were so many, no thread's turn begins any more.
    pub(crate) until: u64,
    /// For tolerant readers: events whose ids mean nothing are delivered, and counted here.
    pub(crate) unresolved: Option<u64>,
}

impl Delivery {
    /// Nothing was delivered yet.
    pub(crate) fn new(lenient: bool) -> Delivery {
        Delivery { last_time: 0, delivered: 0, until: u64::MAX, unresolved: lenient.then_some(0) }
    }

    /// Whether another thread's turn may begin.
    #[inline(always)]
    pub(crate) fn goes_on(&self) -> bool {
        self.delivered < self.until
    }

    /// Checks an event and makes its time later than that of the one before.
    #[inline]
    pub(crate) fn deliver(
        &mut self,
        event: &mut Ordered,
        generation: &Generation<'_>,
    ) -> Result<(), Error> {
        if !self.ids_exist(event, generation) {
            self.refuse(event, generation).map_err(|error| error.with_event(self.delivered))?;
        }
        self.deliver_known(event);
        Ok(())
    }

    /// The same for an event whose ids are known to exist.
    #[inline(always)]
    pub(crate) fn deliver_known(&mut self, event: &mut Ordered) {
        event.time = self.rise(event.time);
        self.delivered += 1;
    }

    /// The time at which the event is delivered: later than that of the one before.
    #[inline(always)]
    fn rise(&mut self, time: i64) -> i64 {
        let time = if time <= self.last_time { self.last_time.wrapping_add(1) } else { time };
        self.last_time = time;
        time
    }

    #[inline(always)]
    fn ids_exist(&self, event: &Ordered, generation: &Generation<'_>) -> bool {
        let ids = IDS[event.event.0 as usize];
        // One more argument, 0, stands in where there is no id.
        let [a, b, c, d] = event.args;
        let args = [a, b, c, d, 0, 0, 0, 0];
        !ids.special
            & generation.stacks.contains(args[ids.stacks[0] as usize & 7])
            & generation.stacks.contains(args[ids.stacks[1] as usize & 7])
            & generation.strings.contains(args[ids.strings[0] as usize & 7])
    }

    /// Looks again at what the quick check did not like, and reports it.
    ///
    /// Four things here the reference's reader lets pass and its printing then fails on: the
    /// stack of a CPU sample, the reason in the end of a stop-the-world, a proc's status beyond
    /// a byte, an unknown experiment. There is nothing right to print, so they are errors.
    #[cold]
    fn refuse(&mut self, event: &Ordered, generation: &Generation<'_>) -> Result<(), Error> {
        let unknown = |what, id| Fault::UnknownId { event: event.event, what, id };
        let ids = IDS[event.event.0 as usize];
        let arg = |arg: u8| event.args.get(arg as usize).copied().unwrap_or(0);
        let mut stacks = ids.stacks.map(arg).into_iter();
        let mut strings = ids.strings.map(arg).into_iter();
        let fault = match event.event {
            SYNC => {
                let unknown =
                    |piece: &&crate::generation::ExperimentPiece| piece.experiment.name().is_none();
                let piece = generation.experiments.iter().find(unknown);
                piece.map(|piece| Fault::UnknownExperiment(piece.experiment.0))
            }
            EventType::PROC_STATUS => (event.args[1] > 0xff).then(|| Fault::InvalidStatus {
                of: crate::error::Subject::Proc(crate::ProcId(event.args[0] as i64)),
                status: event.args[1],
            }),
            _ => None,
        };
        let fault = fault
            .or_else(|| {
                stacks.find(|&id| !generation.stacks.contains(id)).map(|id| unknown("stack", id))
            })
            .or_else(|| {
                strings.find(|&id| !generation.strings.contains(id)).map(|id| unknown("string", id))
            });
        match (fault, &mut self.unresolved) {
            (None, _) => Ok(()),
            (Some(_), Some(unresolved)) => {
                *unresolved += 1;
                Ok(())
            }
            (Some(fault), None) => {
                let position = position(event, generation);
                let place = Place {
                    offset: Some(position.unwrap_or(generation.offset)),
                    generation: Some(generation.number),
                    thread: crate::ThreadId(event.thread).some(),
                    event: None,
                };
                Err(Error::new(fault, place))
            }
        }
    }
}

/// Where an event of a thread lies: of those that refer to the same stacks and strings the latest
/// that is not later. An event does not know it, because only errors ask.
#[cold]
fn position(event: &Ordered, generation: &Generation<'_>) -> Option<u64> {
    if generation.old.is_some() {
        return old::position(generation, event);
    }
    let ids = IDS[event.event.0 as usize];
    let refers = |args: &[u64; 4]| {
        let arg = |arg: u8| args.get(arg as usize).copied().unwrap_or(0);
        (ids.stacks.map(arg), ids.strings.map(arg))
    };
    let chain = generation.threads.iter().find(|chain| chain.thread == event.thread)?;
    let mut cursor = Cursor::new(chain.thread, chain.first);
    let mut found = None;
    while cursor.advance(generation) == Refresh::Event {
        let (kind, args) = cursor.decoded(generation);
        if kind == event.event && refers(&args) == refers(&event.args) {
            if found.is_some() && cursor.next.time > event.time {
                break;
            }
            found = Some(generation.offset + cursor.next.at as u64);
        }
    }
    found
}

/// The stacks that an event refers to; 0 for none.
pub(crate) fn stacks_of(event: EventType, args: &[u64; 4]) -> [u64; 2] {
    let ids = IDS[event.0 as usize].stacks;
    ids.map(|arg| args.get(arg as usize).copied().unwrap_or(0))
}

/// Delivers events that nobody looks at: counts them, checks their ids, keeps the time.
pub(crate) struct Tally<'a> {
    pub(crate) delivery: Delivery,
    generation: &'a Generation<'a>,
    /// Events since the last commit.
    pending: u64,
    /// The error of the first event that cannot be delivered, and its number.
    refused: Option<(u64, Error)>,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(delivery: Delivery, generation: &'a Generation<'a>) -> Tally<'a> {
        Tally { delivery, generation, pending: 0, refused: None }
    }

    #[cold]
    fn fail(&mut self) -> Result<(), Error> {
        let Some((number, error)) = self.refused.take() else { return Ok(()) };
        self.delivery.delivered = number;
        Err(error.with_event(number))
    }

    #[cold]
    #[inline(never)]
    fn look_again(&mut self, event: Ordered) {
        if event.event == EventType::USER_LOG
            && event.args[1..3].iter().all(|&id| self.generation.strings.contains(id))
            && self.generation.stacks.contains(event.args[3])
        {
            return;
        }
        if let Err(error) = self.delivery.refuse(&event, self.generation) {
            self.refused.get_or_insert((self.delivery.delivered + self.pending, error));
        }
    }
}

impl Sink for Tally<'_> {
    #[inline(always)]
    fn emit(&mut self, event: Ordered) {
        if !self.delivery.ids_exist(&event, self.generation) {
            self.look_again(event);
        }
        self.emit_known(event);
    }

    // Only the time is looked at, so that a stretch need not keep the rest of the event.
    #[inline(always)]
    fn emit_known(&mut self, event: Ordered) {
        self.delivery.rise(event.time);
        self.pending += 1;
    }

    #[inline(always)]
    fn deliver(&mut self, mut event: Ordered) {
        self.delivery.deliver_known(&mut event);
    }

    #[inline(always)]
    fn commit(&mut self) -> Result<(), Error> {
        if self.refused.is_some() {
            return self.fail();
        }
        self.delivery.delivered += self.pending;
        self.pending = 0;
        Ok(())
    }

    #[inline(always)]
    fn has_room(&self) -> bool {
        true
    }

    fn count_unseen(&mut self, events: u64, last_time: i64) -> bool {
        self.delivery.delivered += events;
        self.delivery.last_time = self.delivery.last_time.max(last_time);
        true
    }
}

/// Which arguments of an event are ids of stacks and strings; out of range for none.
#[derive(Clone, Copy)]
struct Ids {
    stacks: [u8; 2],
    strings: [u8; 2],
    /// Needs a closer look in any case.
    special: bool,
}

/// Not an argument; the quick check reads a 0 there.
const NO_ARG: u8 = 7;

static IDS: [Ids; 256] = {
    let none = Ids { stacks: [NO_ARG; 2], strings: [NO_ARG; 2], special: false };
    let mut table = [none; 256];
    let mut event = 0;
    while event < 256 {
        if let Some(spec) = EventType(event as u8).spec()
            && spec.is_timed()
        {
            table[event] = ids_of(spec);
        }
        event += 1;
    }
    table[SYNC.0 as usize].special = true;
    table[EventType::PROC_STATUS.0 as usize].special = true;
    table[EventType::CPU_SAMPLE.0 as usize].stacks[0] = 0;
    table[EventType::STW_END.0 as usize].strings[0] = 0;
    table
};

const fn ids_of(spec: &Spec) -> Ids {
    let mut ids = Ids { stacks: [NO_ARG; 2], strings: [NO_ARG; 2], special: false };
    let (mut stacks, mut strings) = (0, 0);
    let mut arg = 1;
    while arg < spec.args.len() {
        let name = spec.args[arg].as_bytes();
        if ends_with(name, b"stack") {
            ids.stacks[stacks] = arg as u8 - 1;
            stacks += 1;
        } else if ends_with(name, b"string") {
            ids.strings[strings] = arg as u8 - 1;
            strings += 1;
        }
        arg += 1;
    }
    // The quick check looks at two stacks and one string.
    ids.special = strings > 1;
    ids
}

const fn ends_with(name: &[u8], end: &[u8]) -> bool {
    if name.len() < end.len() {
        return false;
    }
    let mut i = 0;
    while i < end.len() {
        if name[name.len() - end.len() + i] != end[i] {
            return false;
        }
        i += 1;
    }
    true
}
