//! What an event does to a goroutine, in numbers.

use crate::GoId;
use crate::event::{Event, STACK_ARG};
use crate::states::{GoState, go_state_of_status};
use gotrail_format::EventType;

/// A [`GoTransition`](crate::GoTransition) in numbers, for those who look at every one: nothing is looked up.
///
/// Ids of strings and stacks mean something in the event's generation only, see [`Event::string`]
/// and [`Event::stack_with_id`]; 0 means none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GoStep {
    /// The goroutine.
    pub go: GoId,
    /// Its state before.
    pub from: GoState,
    /// Its state after.
    pub to: GoState,
    /// The string that says why, or 0.
    pub reason: u64,
    /// The stack of the goroutine that changes, or 0.
    pub stack: u64,
}

impl Event<'_> {
    /// [`Event::go_step`] for those who know already which event it is, and so from what to what
    /// the goroutine goes: `named` if the event names it, and else it is the running one.
    #[doc(hidden)]
    #[inline(always)]
    pub fn known_step(&self, named: bool, from: GoState, to: GoState) -> GoStep {
        let [first, second, ..] = self.raw.args;
        let go = if named { first as i64 } else { self.raw.go };
        // The reason of a stop and of a block, and their stack; a syscall's first argument is the
        // sequence number of its proc.
        let stops = matches!((from, to), (GoState::Running, GoState::Runnable | GoState::Waiting));
        let reason = if stops { first } else { 0 };
        let begins = matches!((from, to), (GoState::Running, GoState::Syscall));
        let stack = if stops || begins { second } else { 0 };
        GoStep { go: GoId(go), from, to, reason, stack }
    }

    /// [`Event::stack_id`] for those who know already that a goroutine wakes another.
    #[doc(hidden)]
    #[inline(always)]
    pub fn known_waking_stack(&self) -> u64 {
        const { assert!(STACK_ARG[EventType::GO_UNBLOCK.0 as usize] == 2) };
        self.raw.args[2]
    }

    /// If this is a goroutine's change of state, that change in numbers.
    #[inline]
    pub fn go_step(&self) -> Option<GoStep> {
        let args = &self.raw.args;
        let step = &GO_STEPS[self.raw.event.0 as usize];
        let (from, to) = match step.who {
            Who::Nobody => return None,
            Who::Status => (
                GoState::of_number(self.raw.old),
                go_state_of_status(args[2] as u8).unwrap_or(GoState::Undetermined),
            ),
            Who::This | Who::Named => (step.from, step.to),
        };
        let go = if step.who == Who::This { self.raw.go } else { args[0] as i64 };
        let arg = |number: u8| args.get(number as usize).copied().unwrap_or(0);
        Some(GoStep { go: GoId(go), from, to, reason: arg(step.reason), stack: arg(step.stack) })
    }
}

/// Whose state an event changes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    /// No goroutine's.
    Nobody,
    /// The running goroutine's.
    This,
    /// That of the goroutine in the first argument.
    Named,
    /// The same, to the state in the third argument.
    Status,
}

/// What an event does to a goroutine.
#[derive(Clone, Copy)]
struct Step {
    who: Who,
    from: GoState,
    to: GoState,
    /// Which argument is the reason, and which the stack of the goroutine; too large for none.
    reason: u8,
    stack: u8,
}

/// For each event, what it does to a goroutine.
static GO_STEPS: [Step; 256] = {
    use EventType as T;
    use GoState::*;
    const NO_ARG: u8 = 0xff;
    let nobody = Step {
        who: Who::Nobody,
        from: Undetermined,
        to: Undetermined,
        reason: NO_ARG,
        stack: NO_ARG,
    };
    let mut table = [nobody; 256];
    let rows = [
        (T::GO_CREATE, Who::Named, NotExist, Runnable, NO_ARG, 1),
        (T::GO_CREATE_BLOCKED, Who::Named, NotExist, Waiting, NO_ARG, 1),
        (T::GO_CREATE_SYSCALL, Who::Named, NotExist, Syscall, NO_ARG, NO_ARG),
        (T::GO_START, Who::Named, Runnable, Running, NO_ARG, NO_ARG),
        (T::GO_DESTROY, Who::This, Running, NotExist, NO_ARG, NO_ARG),
        (T::GO_DESTROY_SYSCALL, Who::This, Syscall, NotExist, NO_ARG, NO_ARG),
        (T::GO_STOP, Who::This, Running, Runnable, 0, 1),
        (T::GO_BLOCK, Who::This, Running, Waiting, 0, 1),
        (T::GO_UNBLOCK, Who::Named, Waiting, Runnable, NO_ARG, NO_ARG),
        (T::GO_SWITCH, Who::Named, Waiting, Runnable, NO_ARG, NO_ARG),
        (T::GO_SWITCH_DESTROY, Who::Named, Waiting, Runnable, NO_ARG, NO_ARG),
        (T::GO_SYSCALL_BEGIN, Who::This, Running, Syscall, NO_ARG, STACK_ARG_OF_SYSCALL),
        (T::GO_SYSCALL_END, Who::This, Syscall, Running, NO_ARG, NO_ARG),
        (T::GO_SYSCALL_END_BLOCKED, Who::This, Syscall, Runnable, NO_ARG, NO_ARG),
        (T::GO_STATUS, Who::Status, Undetermined, Undetermined, NO_ARG, NO_ARG),
        (T::GO_STATUS_STACK, Who::Status, Undetermined, Undetermined, NO_ARG, 3),
    ];
    let mut row = 0;
    while row < rows.len() {
        let (event, who, from, to, reason, stack) = rows[row];
        table[event.0 as usize] = Step { who, from, to, reason, stack };
        row += 1;
    }
    table
};

/// Behind the sequence number of the proc.
const STACK_ARG_OF_SYSCALL: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Ordered;
    use crate::generation::Generation;
    use crate::order::Names;

    #[test]
    fn what_is_known_of_a_step_is_what_the_table_says() {
        use EventType as T;
        use GoState::*;
        let generation = Generation::empty(gotrail_format::Version::Go126);
        let names = Names::default();
        for (event, named, from, to) in [
            (T::GO_START, true, Runnable, Running),
            (T::GO_UNBLOCK, true, Waiting, Runnable),
            (T::GO_BLOCK, false, Running, Waiting),
            (T::GO_STOP, false, Running, Runnable),
            (T::GO_SYSCALL_BEGIN, false, Running, Syscall),
            (T::GO_SYSCALL_END, false, Syscall, Running),
        ] {
            let raw = Ordered { event, go: 7, args: [11, 12, 13, 14], ..Ordered::EMPTY };
            let event = Event { raw, generation: &generation, names: &names };
            assert_eq!(event.go_step(), Some(event.known_step(named, from, to)));
        }
    }
}
