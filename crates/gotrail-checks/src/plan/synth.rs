//! Plans of `gotrail-synth`: small simulated programs, and the builder's suite.

use super::Choices;
use crate::layout::Layout;
use gotrail_synth::Expectation;
use gotrail_synth::sim::{Config, GoRelease, Profile, Simulation};
use gotrail_synth::suite;
use std::sync::LazyLock;

/// The traces of the suite that a reader reads to their end.
static SUITE: LazyLock<Vec<Layout>> = LazyLock::new(|| {
    let cases = suite::cases().into_iter();
    let archives = cases.filter_map(|case| case.archive().ok());
    let good = archives.filter(|archive| matches!(archive.expectation, Expectation::Success));
    good.filter_map(|archive| Layout::read(&archive.bytes().ok()?)).collect()
});

/// A case of the suite.
pub(super) fn suite(choices: &mut Choices<'_>) -> Layout {
    let at = choices.below(256) * 256 + choices.below(256);
    SUITE[at % SUITE.len()].clone()
}

/// A simulated program of a few hundred events.
pub(super) fn simulated(choices: &mut Choices<'_>) -> Layout {
    let mut number = |most: u64| choices.below(256) as u64 % most;
    let config = Config {
        seed: number(256) << 8 | number(256),
        profile: Profile::ALL[number(Profile::ALL.len() as u64) as usize],
        procs: 1 + number(8) as u32,
        goroutines: 1 + number(40) as u32,
        events: 40 + 4 * number(256),
        generations: 1 + number(5),
        go: GoRelease::new(22 + number(6) as u8).unwrap_or(GoRelease::NEWEST),
        skew: [0, 10, 10_000][number(3) as usize],
        coarse: [1, 64][number(2) as usize],
        fault: None,
    };
    // Where the release lacks something, the newest has it.
    let simulation = Simulation::new(config.clone())
        .or_else(|_| Simulation::new(Config { go: GoRelease::NEWEST, ..config }));
    let mut bytes = Vec::new();
    let written = simulation.map(|simulation| simulation.write(&mut bytes));
    match (written, Layout::read(&bytes)) {
        (Ok(Ok(_)), Some(layout)) => layout,
        // It always is, and its test would say if not.
        _ => SUITE[0].clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_planned_is_written_as_it_was() {
        assert!(SUITE.len() > 100, "{} cases", SUITE.len());
        let mut rng = fastrand::Rng::with_seed(3);
        for _ in 0..200 {
            let choices: Vec<u8> = (0..16).map(|_| rng.u8(..)).collect();
            let layout = simulated(&mut Choices::new(&choices));
            assert_eq!(
                Layout::read(&layout.write()).map(|again| again.write()),
                Some(layout.write())
            );
            assert!(layout.batches().count() > 3);
        }
    }
}
