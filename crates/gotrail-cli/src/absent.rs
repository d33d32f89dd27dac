//! What was asked for and is not in the trace: that it is not, and what is.

use crate::failure::{Failure, quoted};
use crate::human;
use gotrail::{GoId, TaskId};

/// A goroutine that is not in the trace.
pub(crate) fn goroutine(
    go: GoId,
    known: impl ExactSizeIterator<Item = GoId>,
    trace: &str,
) -> Failure {
    let count = human::counted(known.len() as u64, "goroutine");
    let (mut least, mut most) = (i64::MAX, i64::MIN);
    known.for_each(|go| (least, most) = (least.min(go.0), most.max(go.0)));
    let what = format!("{trace}: there is no goroutine {go} in it, but {count}");
    let range =
        if least <= most { format!(" with ids from {least} to {most}") } else { String::new() };
    Failure::new(what + &range)
        .next(format!("`gotrail goroutines --each {}` lists them", quoted(trace)))
}

/// A task that neither begins nor ends in the trace: there may be regions or messages of it.
pub(crate) fn ends_of_task(id: TaskId, trace: &str) -> Failure {
    Failure::new(format!("{trace}: no task {id} begins or ends in it"))
        .next(format!("`gotrail tasks {}` lists all, and when they began and ended", quoted(trace)))
}

/// A task that is not in the trace.
pub(crate) fn task(id: TaskId, trace: &str) -> Failure {
    Failure::new(format!("{trace}: there is no task {id} in it"))
        .next(format!("`gotrail tasks {}` lists them", quoted(trace)))
}
