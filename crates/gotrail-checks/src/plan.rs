//! Traces that make sense, planned from choices: a small model of the scheduler decides what can
//! happen next, and bytes choose among that. The same bytes give the same trace, similar bytes
//! similar traces, so that a fuzzer can steer.
//!
//! ```text
//! choices ──► plan (valid) ──► changes ([`mutate`]) ──► bytes of a trace
//! ```
//!
//! Whatever else can plan a trace has its place in [`PLANNERS`]: the changes and all checks come
//! by themselves.

mod model;
mod synth;

use crate::layout::Layout;
use crate::mutate;

/// Choices that bytes make.
#[derive(Debug)]
pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    /// The choices of these bytes.
    pub fn new(bytes: &'a [u8]) -> Choices<'a> {
        Choices(bytes)
    }

    /// Whether there are no choices left; from then on all are 0.
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// A number from 0 to 255.
    pub fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((&first, rest)) => {
                self.0 = rest;
                first
            }
            None => 0,
        }
    }

    /// A number below `n`, which is at most 256 and not 0.
    pub fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n
    }

    /// One of these; none if there are none.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        if of.is_empty() { None } else { Some(of[self.below(of.len())]) }
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: usize) -> bool {
        !self.is_over() && self.below(n) == n - 1
    }
}

/// Something that plans traces. It stops planning when the choices are over.
pub type Planner = fn(&mut Choices<'_>) -> Layout;

/// All planners.
pub const PLANNERS: &[Planner] = &[model::plan, synth::simulated, model::plan, synth::suite];

/// A trace without fault.
pub fn valid(choices: &mut Choices<'_>) -> Vec<u8> {
    let planner = PLANNERS[choices.below(PLANNERS.len())];
    planner(choices).write()
}

/// A trace, most often with a few changes.
pub fn trace(bytes: &[u8]) -> Vec<u8> {
    let mut choices = Choices::new(bytes);
    let mut changes = Vec::new();
    for _ in 0..choices.below(4) {
        let kind = choices.below(mutate::KINDS);
        changes.push((kind, u64::from_le_bytes([0; 8].map(|_: u8| choices.byte()))));
    }
    let mut trace = valid(&mut choices);
    for (kind, seed) in changes {
        let own = mutate::Base { name: "itself".into(), bytes: trace.clone() };
        if let Some((changed, _)) = mutate::change(&trace, &[own], kind, seed) {
            trace = changed;
        }
    }
    trace
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::strict;

    #[test]
    fn planned_traces_are_valid_and_large_enough() {
        let mut rng = fastrand::Rng::with_seed(7);
        let (mut events, mut generations) = (0, 0);
        for number in 0..2000 {
            let choices: Vec<u8> = (0..rng.usize(..1500)).map(|_| rng.u8(..)).collect();
            let bytes = valid(&mut Choices::new(&choices));
            let outcome = strict(&bytes);
            if let Some(error) = outcome.message() {
                let text = gotrail_format::text::from_bytes(
                    &bytes,
                    gotrail_format::raw::Accept::All,
                    gotrail_format::text::Mode::Exact,
                );
                let text = String::from_utf8(text.unwrap()).unwrap();
                panic!("trace {number}: {error}\n{text}\n{}", outcome.text());
            }
            events += outcome.events.len();
            generations += outcome.generations.len();
        }
        assert!(events > 2000 * 50, "{events} events");
        assert!(generations > 2000 * 2, "{generations} generations");
    }
}
