//! CPU samples by stack.

use crate::groups::{GroupId, Groups};
use crate::names::{Renumbering, StackId};
use crate::scope::Scope;
use gotrail::GoId;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::sync::Arc;

/// How many samples were taken where.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    counts: IndexMap<(StackId, GroupId), u64, FxBuildHasher>,
    scope: Option<Scope>,
    groups: Option<Arc<Groups>>,
}

impl Samples {
    pub(crate) fn new(scope: Option<Scope>, groups: Option<Arc<Groups>>) -> Samples {
        Samples { counts: IndexMap::default(), scope, groups }
    }

    /// A sample of `go`.
    pub(crate) fn add(&mut self, go: GoId, time: i64, stack: StackId) {
        if self.scope.as_ref().is_some_and(|scope| !scope.contains(go, time)) {
            return;
        }
        let group = self.groups.as_ref().map_or(GroupId::NONE, |groups| groups.at(go, time));
        *self.counts.entry((stack, group)).or_default() += 1;
    }

    /// Takes over those of a later generation.
    pub(crate) fn absorb(&mut self, later: Samples, to: &Renumbering) {
        for ((stack, group), count) in later.counts {
            *self.counts.entry((to.stack(stack), group)).or_default() += count;
        }
    }

    /// The stacks with how many samples each has, in the order of their first one.
    pub fn iter(&self) -> impl Iterator<Item = (StackId, GroupId, u64)> + '_ {
        self.counts.iter().map(|(&(stack, group), &count)| (stack, group, count))
    }
}
