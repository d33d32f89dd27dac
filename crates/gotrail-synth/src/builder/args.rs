//! Arguments of events with their types, and what a thread's, proc's or goroutine's status is.

use gotrail::{GoId, ProcId, TaskId, ThreadId};
use gotrail_format::event::ArgKind;

/// The sequence number of a proc, a goroutine or the garbage collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seq(pub u64);

/// A number that stands for an argument of any kind: the id of a string that does not exist, say,
/// or a status that nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw(pub u64);

/// A stack without frames: stack 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoStack;

/// No thread: that of batches that belong to none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoThread;

impl From<NoThread> for ThreadId {
    fn from(_: NoThread) -> ThreadId {
        ThreadId::NONE
    }
}

/// The status of a proc, as events give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ProcStatus {
    /// What the runtime never writes.
    Bad = 0,
    /// A thread runs it.
    Running = 1,
    /// No thread has it.
    Idle = 2,
    /// Its thread is in a system call.
    Syscall = 3,
    /// The same, but which thread that is may no longer be known.
    SyscallAbandoned = 4,
}

/// The status of a goroutine, as events give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum GoStatus {
    /// What the runtime never writes.
    Bad = 0,
    /// It could run.
    Runnable = 1,
    /// It runs on a thread.
    Running = 2,
    /// It is in a system call.
    Syscall = 3,
    /// It is blocked.
    Waiting = 4,
}

/// A frame of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StackFrame {
    /// The program counter.
    pub pc: u64,
    /// The function's name.
    pub func: String,
    /// The source file.
    pub file: String,
    /// The line.
    pub line: u64,
}

impl StackFrame {
    /// A frame of these four.
    pub fn new(pc: u64, func: &str, file: &str, line: u64) -> StackFrame {
        StackFrame { pc, func: func.to_owned(), file: file.to_owned(), line }
    }
}

/// An argument of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arg {
    /// A goroutine.
    Go(GoId),
    /// A proc.
    Proc(ProcId),
    /// A thread.
    Thread(ThreadId),
    /// A task.
    Task(TaskId),
    /// A sequence number.
    Seq(Seq),
    /// The status of a proc.
    ProcStatus(ProcStatus),
    /// The status of a goroutine.
    GoStatus(GoStatus),
    /// A string, to which its generation gives an id.
    String(Vec<u8>),
    /// A stack, to which its generation gives an id. The innermost frame comes first.
    Stack(Vec<StackFrame>),
    /// A plain number.
    Value(u64),
    /// A number that is taken for whatever the event wants.
    Raw(u64),
}

impl Arg {
    /// Whether this can be an argument of that kind.
    pub(super) fn is(&self, kind: ArgKind) -> bool {
        match self {
            Arg::Go(_) => kind == ArgKind::Go,
            Arg::Proc(_) => kind == ArgKind::Proc,
            Arg::Thread(_) => kind == ArgKind::Thread,
            Arg::Task(_) => kind == ArgKind::Task,
            Arg::Seq(_) => kind == ArgKind::Seq,
            Arg::ProcStatus(_) => kind == ArgKind::ProcStatus,
            Arg::GoStatus(_) => kind == ArgKind::GoStatus,
            Arg::String(_) => kind == ArgKind::String,
            Arg::Stack(_) => kind == ArgKind::Stack,
            Arg::Value(_) => kind == ArgKind::Value,
            Arg::Raw(_) => true,
        }
    }

    /// What it is called in errors.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Arg::Go(_) => "a GoId",
            Arg::Proc(_) => "a ProcId",
            Arg::Thread(_) => "a ThreadId",
            Arg::Task(_) => "a TaskId",
            Arg::Seq(_) => "a Seq",
            Arg::ProcStatus(_) => "a ProcStatus",
            Arg::GoStatus(_) => "a GoStatus",
            Arg::String(_) => "a string",
            Arg::Stack(_) => "a stack",
            Arg::Value(_) => "a number",
            Arg::Raw(_) => "a Raw",
        }
    }
}

/// What an argument of this kind is given as.
pub(super) fn wanted(kind: ArgKind) -> &'static str {
    match kind {
        ArgKind::Go => "a GoId",
        ArgKind::Proc => "a ProcId",
        ArgKind::Thread => "a ThreadId",
        ArgKind::Task => "a TaskId",
        ArgKind::Seq => "a Seq",
        ArgKind::ProcStatus => "a ProcStatus",
        ArgKind::GoStatus => "a GoStatus",
        ArgKind::String => "a string",
        ArgKind::Stack => "a stack",
        ArgKind::Dt | ArgKind::Value => "a number",
    }
}

macro_rules! from {
    ($($type:ty => |$value:ident| $arg:expr;)*) => {$(
        impl From<$type> for Arg {
            fn from($value: $type) -> Arg {
                $arg
            }
        }
    )*};
}

from! {
    GoId => |id| Arg::Go(id);
    ProcId => |id| Arg::Proc(id);
    ThreadId => |id| Arg::Thread(id);
    NoThread => |none| Arg::Thread(none.into());
    TaskId => |id| Arg::Task(id);
    Seq => |seq| Arg::Seq(seq);
    ProcStatus => |status| Arg::ProcStatus(status);
    GoStatus => |status| Arg::GoStatus(status);
    &str => |text| Arg::String(text.into());
    &[u8] => |text| Arg::String(text.into());
    NoStack => |_none| Arg::Stack(Vec::new());
    &[StackFrame] => |frames| Arg::Stack(frames.into());
    Vec<StackFrame> => |frames| Arg::Stack(frames);
    u64 => |value| Arg::Value(value);
    Raw => |raw| Arg::Raw(raw.0);
}

impl<const N: usize> From<[StackFrame; N]> for Arg {
    fn from(frames: [StackFrame; N]) -> Arg {
        Arg::Stack(frames.into())
    }
}

/// The arguments of an event: a tuple, of which each part can be an [`Arg`], or a list of those.
pub trait IntoArgs {
    /// The arguments in order.
    fn into_args(self) -> Vec<Arg>;
}

impl IntoArgs for Vec<Arg> {
    fn into_args(self) -> Vec<Arg> {
        self
    }
}

macro_rules! tuples {
    ($(($($name:ident),*))*) => {$(
        impl<$($name: Into<Arg>),*> IntoArgs for ($($name,)*) {
            #[allow(non_snake_case, reason = "types and values share their names")]
            fn into_args(self) -> Vec<Arg> {
                let ($($name,)*) = self;
                vec![$($name.into()),*]
            }
        }
    )*};
}

tuples! { () (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) }
