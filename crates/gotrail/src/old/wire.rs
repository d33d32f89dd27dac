//! The events of old traces, and how they are written.
//!
//! An event is a byte, with the type in its lower six bits and the number of arguments less one
//! in the upper two, and numbers; from four arguments on, the length of the numbers in bytes
//! comes first. The first number of nearly every event is the time since the event before.

use super::fault::OldFault;
use gotrail_format::Version;
use gotrail_format::varint::{self, VarintError};

/// The type of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind(pub(super) u8);

/// What the table says of an event.
pub(super) struct Spec {
    pub(super) name: &'static str,
    /// The first version that has it.
    since: Version,
    /// How many numbers it has, with time and stack.
    pub(super) numbers: usize,
    /// Whether the last number is the stack.
    pub(super) stack: bool,
    /// Whether it happens at a time, on a proc.
    pub(super) timed: bool,
}

/// The state of a goroutine, as far as the order needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Status {
    #[default]
    Dead,
    Runnable,
    Running,
    Waiting,
}

macro_rules! events {
    ($($number:literal $konst:ident $name:literal $since:ident $numbers:literal $($what:ident)*;)*) => {
        impl Kind {
            $(pub(super) const $konst: Kind = Kind($number);)*
        }

        // As many as there are numbers for types: no lookup can miss.
        static SPECS: [Spec; 64] = {
            let mut table = [const { Spec::NONE }; 64];
            $(
                table[$number] = Spec {
                    name: $name,
                    since: Version::$since,
                    numbers: $numbers,
                    stack: false $(|| is(stringify!($what), "stack"))*,
                    timed: true $(&& !is(stringify!($what), "untimed"))*,
                };
            )*
            table
        };
    };
}

/// Whether two words are the same, of the two that the table uses.
const fn is(a: &str, b: &str) -> bool {
    a.as_bytes()[0] == b.as_bytes()[0]
}

impl Spec {
    const NONE: Spec =
        Spec { name: "", since: Version::Go122, numbers: 0, stack: false, timed: false };
}

// Number, name, version, how many numbers; whether the last is a stack, whether there is no time.
events! {
     1 BATCH             "Batch"             Go111 2 untimed;
     2 FREQUENCY         "Frequency"         Go111 1 untimed;
     3 STACK             "Stack"             Go111 0 untimed;
     4 PROCS_CHANGE      "Gomaxprocs"        Go111 3 stack;
     5 PROC_START        "ProcStart"         Go111 2;
     6 PROC_STOP         "ProcStop"          Go111 1;
     7 GC_START          "GCStart"           Go111 3 stack;
     8 GC_DONE           "GCDone"            Go111 1;
     9 STW_START         "STWStart"          Go111 2;
    10 STW_DONE          "STWDone"           Go111 1;
    11 SWEEP_START       "GCSweepStart"      Go111 2 stack;
    12 SWEEP_DONE        "GCSweepDone"       Go111 3;
    13 GO_CREATE         "GoCreate"          Go111 4 stack;
    14 GO_START          "GoStart"           Go111 3;
    15 GO_END            "GoEnd"             Go111 1;
    16 GO_STOP           "GoStop"            Go111 2 stack;
    17 GO_SCHED          "GoSched"           Go111 2 stack;
    18 GO_PREEMPT        "GoPreempt"         Go111 2 stack;
    19 GO_SLEEP          "GoSleep"           Go111 2 stack;
    20 GO_BLOCK          "GoBlock"           Go111 2 stack;
    21 GO_UNBLOCK        "GoUnblock"         Go111 4 stack;
    22 GO_BLOCK_SEND     "GoBlockSend"       Go111 2 stack;
    23 GO_BLOCK_RECV     "GoBlockRecv"       Go111 2 stack;
    24 GO_BLOCK_SELECT   "GoBlockSelect"     Go111 2 stack;
    25 GO_BLOCK_SYNC     "GoBlockSync"       Go111 2 stack;
    26 GO_BLOCK_COND     "GoBlockCond"       Go111 2 stack;
    27 GO_BLOCK_NET      "GoBlockNet"        Go111 2 stack;
    28 SYSCALL           "GoSysCall"         Go111 2 stack;
    29 SYSCALL_EXIT      "GoSysExit"         Go111 4;
    30 SYSCALL_BLOCK     "GoSysBlock"        Go111 1;
    31 GO_WAITING        "GoWaiting"         Go111 2;
    32 GO_IN_SYSCALL     "GoInSyscall"       Go111 2;
    33 HEAP_ALLOC        "HeapAlloc"         Go111 2;
    34 HEAP_GOAL         "HeapGoal"          Go111 2;
    35 TIMER_GOROUTINE   "TimerGoroutine"    Go111 1 untimed;
    36 FUTILE_WAKEUP     "FutileWakeup"      Go111 1;
    37 STRING            "String"            Go111 0 untimed;
    38 GO_START_LOCAL    "GoStartLocal"      Go111 2;
    39 GO_UNBLOCK_LOCAL  "GoUnblockLocal"    Go111 3 stack;
    40 SYSCALL_EXIT_LOCAL "GoSysExitLocal"   Go111 3;
    41 GO_START_LABEL    "GoStartLabel"      Go111 4;
    42 GO_BLOCK_GC       "GoBlockGC"         Go111 2 stack;
    43 MARK_ASSIST_START "GCMarkAssistStart" Go111 2 stack;
    44 MARK_ASSIST_DONE  "GCMarkAssistDone"  Go111 1;
    45 TASK_CREATE       "UserTaskCreate"    Go111 5 stack;
    46 TASK_END          "UserTaskEnd"       Go111 3 stack;
    47 REGION            "UserRegion"        Go111 5 stack;
    48 LOG               "UserLog"           Go111 4 stack;
    49 CPU_SAMPLE        "CPUSample"         Go119 5 untimed;
}

impl Kind {
    #[inline(always)]
    pub(super) fn spec(self) -> &'static Spec {
        &SPECS[(self.0 & 63) as usize]
    }

    pub(super) fn name(self) -> &'static str {
        self.spec().name
    }
}

/// The most bytes that the numbers of an event take.
const MOST_BYTES: u64 = 2048;

/// The numbers of an event, stacks aside; what it has not is 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers {
    /// The first, which is nearly always the time since the last event.
    pub(super) time: u64,
    /// Those behind it.
    pub(super) args: [u64; 3],
    /// The last of all.
    pub(super) last: u64,
}

impl Numbers {
    #[inline(always)]
    fn of<const N: usize>(numbers: [u64; N]) -> Numbers {
        let number = |i: usize| if i < N { numbers[i] } else { 0 };
        let args = [number(1), number(2), number(3)];
        Numbers { time: number(0), args, last: number(N - 1) }
    }
}

/// The first byte of an event.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) kind: Kind,
    /// How many numbers follow, or 4 if their length comes first.
    pub(super) count: usize,
}

impl Head {
    #[inline(always)]
    pub(super) fn of(byte: u8) -> Head {
        Head { kind: Kind(byte & 0x3f), count: (byte >> 6) as usize + 1 }
    }

    #[inline(always)]
    pub(super) fn has_length(self) -> bool {
        self.count == 4
    }

    /// Whether the version has this event.
    #[inline(always)]
    pub(super) fn is_known(self, version: Version) -> bool {
        self.kind.spec().since <= version
    }

    pub(super) fn number(self, error: VarintError) -> OldFault {
        match error {
            VarintError::CutOff => OldFault::CutOff(self.kind.name()),
            error => OldFault::Number { event: self.kind.name(), error },
        }
    }

    /// Where the numbers end that begin at `at` with their length; and where the first is.
    #[inline]
    pub(super) fn extent(self, data: &[u8], at: usize) -> Result<(usize, usize), OldFault> {
        let (len, at) = number(data, at).map_err(|error| self.number(error))?;
        if len > MOST_BYTES {
            return Err(OldFault::TooLong { event: self.kind.name(), len });
        }
        let end = at + len as usize;
        // The reference does not read nothing at the end of the data either.
        if end > data.len() || at >= data.len() {
            return Err(OldFault::CutOff(self.kind.name()));
        }
        Ok((at, end))
    }

    /// Reads the numbers behind the first byte, `want` of them, and returns where they end.
    #[inline(always)]
    pub(super) fn numbers(
        self,
        data: &[u8],
        at: usize,
        want: usize,
    ) -> Result<(Numbers, usize), OldFault> {
        let quick = match want {
            1 => self.short::<1>(data, at),
            2 => self.short::<2>(data, at),
            3 => self.short::<3>(data, at),
            4 => self.short::<4>(data, at),
            _ => None,
        };
        quick.map_or_else(|| self.any_numbers(data, at, want), Ok)
    }

    /// Reads numbers that take no more than eight bytes together, as most do; none if they take
    /// more or are not right.
    #[inline(always)]
    fn short<const N: usize>(self, data: &[u8], at: usize) -> Option<(Numbers, usize)> {
        let window: &[u8; 9] = data.get(at..)?.first_chunk()?;
        let (word, at) = if self.has_length() {
            (u64::from_le_bytes(*window.last_chunk()?), at + 1)
        } else {
            (u64::from_le_bytes(*window.first_chunk()?), at)
        };
        let mut cut = Cut::of(word);
        let numbers: [u64; N] = std::array::from_fn(|_| cut.next());
        let len = cut.len();
        let right = if self.has_length() { usize::from(window[0]) == len } else { self.count == N };
        (right && cut.are_whole()).then(|| (Numbers::of(numbers), at + len))
    }

    #[inline(never)]
    fn any_numbers(
        self,
        data: &[u8],
        mut at: usize,
        want: usize,
    ) -> Result<(Numbers, usize), OldFault> {
        let mut end = None;
        if self.has_length() {
            let (first, last) = self.extent(data, at)?;
            at = first;
            end = Some(last);
        } else if want != self.count {
            return Err(OldFault::Arguments(self.kind.name()));
        }
        let mut numbers = [0; 5];
        for slot in &mut numbers[..want] {
            let (value, next) = number(data, at).map_err(|error| self.number(error))?;
            *slot = value;
            at = next;
        }
        match end {
            Some(end) if end != at => Err(OldFault::Arguments(self.kind.name())),
            _ => Ok((Numbers { last: numbers[want.max(1) - 1], ..Numbers::of(numbers) }, at)),
        }
    }
}

/// The bits that are not set where a number ends.
const ENDS: u64 = 0x8080_8080_8080_8080;

/// A number of up to eight bytes, without the bits that say whether it goes on.
#[inline(always)]
fn squeeze(word: u64) -> u64 {
    let word = word & !ENDS;
    let word = word - ((word & 0x7f00_7f00_7f00_7f00) >> 1);
    let word = (word & 0x0000_3fff_0000_3fff) | (word & 0x3fff_0000_3fff_0000) >> 2;
    // Hardly any number is longer than four bytes.
    if word >> 32 == 0 { word } else { word & 0x0fff_ffff | word >> 32 << 28 }
}

/// Reads the number at `at`; returns it with the place behind it.
#[inline(always)]
pub(super) fn number(data: &[u8], at: usize) -> Result<(u64, usize), VarintError> {
    match data.get(at) {
        Some(&byte) if byte < 0x80 => Ok((u64::from(byte), at + 1)),
        Some(_) => long_number(data, at),
        None => Err(VarintError::CutOff),
    }
}

#[inline(always)]
fn long_number(data: &[u8], at: usize) -> Result<(u64, usize), VarintError> {
    if let Some(bytes) = data[at..].first_chunk::<8>() {
        let word = u64::from_le_bytes(*bytes);
        let ends = !word & ENDS;
        if ends != 0 {
            let word = squeeze(word & (ends ^ (ends - 1)));
            return Ok((word, at + ends.trailing_zeros() as usize / 8 + 1));
        }
    }
    let (value, len) = varint::read(&data[at..])?;
    Ok((value, at + len))
}

/// Cuts numbers out of eight bytes.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    word: u64,
    /// Where numbers end that were not cut out yet.
    ends: u64,
    /// How many bits those take that were; more than there are if the last is not whole.
    bits: u32,
}

impl Cut {
    #[inline(always)]
    pub(super) fn of(word: u64) -> Cut {
        Cut { word, ends: !word & ENDS, bits: 0 }
    }

    /// The next number; any if it is not whole.
    #[inline(always)]
    pub(super) fn next(&mut self) -> u64 {
        let here = self.ends ^ self.ends.wrapping_sub(1);
        let number = squeeze((self.word & here) >> (self.bits & 63));
        self.skip();
        number
    }

    /// Goes over a number.
    #[inline(always)]
    pub(super) fn skip(&mut self) {
        self.bits = self.ends.trailing_zeros() + 1;
        self.ends &= self.ends.wrapping_sub(1);
    }

    /// Whether all numbers so far were whole.
    #[inline(always)]
    pub(super) fn are_whole(&self) -> bool {
        self.bits <= 64
    }

    /// How many bytes they take.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.bits as usize / 8
    }
}

/// How long `count` numbers are, one at least, that begin with these bytes; none if they are longer.
#[inline(always)]
pub(super) fn len(bytes: u64, count: usize) -> Option<usize> {
    let mut ends = !bytes & ENDS;
    if count > 1 {
        ends &= ends.wrapping_sub(1);
    }
    if count > 2 {
        ends &= ends.wrapping_sub(1);
    }
    (ends != 0).then(|| ends.trailing_zeros() as usize / 8 + 1)
}

/// The place behind `count` numbers.
pub(super) fn skip(data: &[u8], mut at: usize, count: usize) -> Result<usize, VarintError> {
    for _ in 0..count {
        at = number(data, at)?.1;
    }
    Ok(at)
}
