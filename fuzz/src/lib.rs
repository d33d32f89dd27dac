//! What the fuzz targets share: inputs are changed as traces as often as they are changed as
//! bytes, and memory is counted.

use gotrail_checks::memory::Counting;
use gotrail_checks::mutate::{self, Base};
use libfuzzer_sys::fuzzer_mutate;
use std::sync::LazyLock;

pub use libfuzzer_sys;

#[global_allocator]
static COUNTING: Counting = Counting;

/// The traces that batches are borrowed from.
static BASES: LazyLock<Vec<Base>> = LazyLock::new(|| gotrail_checks::recorded(8 << 10));

/// Changes the first `size` bytes of `data`, which has room for `max_size`; returns how many there
/// are now.
pub fn change(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    // The seed is small; the kinds are tried in an order that it decides.
    let mut random = u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for _ in 0..4 {
        random = (random ^ random >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        if random >> 60 < 7 {
            break;
        }
        let kind = (random >> 32) as usize % mutate::KINDS;
        if let Some((changed, _)) = mutate::change(&data[..size], &BASES, kind, random)
            && changed.len() <= max_size
        {
            data[..changed.len()].copy_from_slice(&changed);
            return changed.len();
        }
    }
    fuzzer_mutate(data, size, max_size)
}

/// A target that gives bytes to a check.
#[macro_export]
macro_rules! target {
    ($check:path) => {
        use $crate::libfuzzer_sys;

        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $check(bytes));

        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            $crate::change(data, size, max_size, seed)
        });
    };
}
