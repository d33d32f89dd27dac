use super::*;
use std::cell::RefCell;

/// SplitMix64: the same numbers here and in the Go program that recorded the hashes.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Sorts by key and hashes where each element came from.
fn permutation(keys: &[u64]) -> u64 {
    let mut elements: Vec<(u64, u64)> = keys.iter().copied().zip(0..).collect();
    sort_unstable_by(&mut elements, |a, b| a.0 < b.0);
    assert!(elements.is_sorted_by_key(|element| element.0));
    let hash = |h: u64, element: &(u64, u64)| (h ^ element.1).wrapping_mul(0x100_0000_01b3);
    elements.iter().fold(0xcbf2_9ce4_8422_2325, hash)
}

/// McIlroy's adversary: decides what an element is only when the sort compares it, so that
/// every pivot is a bad one. At most `decided_max` elements are decided, the others tie.
fn adversary(n: usize, decided_max: usize) -> Vec<u64> {
    let state = RefCell::new((vec![n; n], 0, 0));
    let mut order: Vec<usize> = (0..n).collect();
    sort_unstable_by(&mut order, |&x, &y| {
        let (values, decided, candidate) = &mut *state.borrow_mut();
        if values[x] == n && values[y] == n && *decided < decided_max {
            values[if x == *candidate { x } else { y }] = *decided;
            *decided += 1;
        }
        if values[x] == n {
            *candidate = x;
        } else if values[y] == n {
            *candidate = y;
        }
        values[x] < values[y]
    });
    state.into_inner().0.into_iter().map(|value| value as u64).collect()
}

/// Hashes recorded from `slices.SortFunc` of Go 1.27.3. The columns: a quarter as many keys
/// as elements, three keys, falling with ties, an organ pipe, rising with three exchanges,
/// and fifty adversaries (which reach heap sort from 49 elements on).
const RECORDED: [(usize, [u64; 6]); 7] = [
    (
        12,
        [
            0x5df7_a05b_bacf_7a9d,
            0xa460_235c_c64f_4417,
            0x57ba_9480_012a_8f4f,
            0x8808_7f26_8db8_02cf,
            0xec75_aa9c_0fc9_f32f,
            0x5bd4_a0a6_5766_c220,
        ],
    ),
    (
        13,
        [
            0x3678_d95d_9354_ed05,
            0x3b16_c422_a74f_84bf,
            0x3d5c_5a78_177a_3ed9,
            0x505d_5741_9aa7_370b,
            0x597a_eeae_c885_475b,
            0x6d72_57be_1c4f_6060,
        ],
    ),
    (
        49,
        [
            0xe2b2_3e7e_5980_6ed9,
            0x3dfb_0456_6fcd_ce3d,
            0x558f_b9f7_514d_db9f,
            0x91dd_0784_ab63_ec7f,
            0xb260_9e71_b2d0_f035,
            0xd919_6cd1_0a0e_a414,
        ],
    ),
    (
        50,
        [
            0x77ff_8577_987b_a700,
            0x1073_f121_79ad_a2ee,
            0x9343_451b_7a46_6e24,
            0xe9d3_5320_d0db_7cd2,
            0xce03_fae0_6e53_b542,
            0xa382_871e_a678_f9f0,
        ],
    ),
    (
        137,
        [
            0x2d3c_93be_3a5c_ba4b,
            0xc046_893f_7efd_01e9,
            0x53fe_95b1_f359_0a21,
            0x8714_ecca_fa82_a6f9,
            0xd8c1_4d18_0b6f_a9c9,
            0x8a5c_508e_cea6_80b4,
        ],
    ),
    (
        1000,
        [
            0xdf27_66c3_70c2_7117,
            0x1c89_a3ac_c615_62bd,
            0xe215_947c_472f_2c91,
            0x4354_304d_249c_9831,
            0xe5dc_294a_cda6_9e3b,
            0xccdc_c09b_6952_1240,
        ],
    ),
    (
        5000,
        [
            0xecef_1995_e7ce_01bb,
            0x0195_f240_db20_841b,
            0x54b8_7338_7de1_b995,
            0x6a10_10ef_6068_ca51,
            0x26c8_c78e_61a3_d0dd,
            0xb38f_5f51_6528_c75c,
        ],
    ),
];

#[test]
fn permutations_equal_those_of_go() {
    for (n, want) in RECORDED {
        let mut numbers = Numbers(n as u64);
        let len = n as u64;
        let random: Vec<u64> = (0..n).map(|_| numbers.next() % (len / 4)).collect();
        let few: Vec<u64> = (0..n).map(|_| numbers.next() % 3).collect();
        let falling: Vec<u64> = (0..len).map(|i| (len - i) / 3).collect();
        let organ: Vec<u64> = (0..len).map(|i| i.min(len - i)).collect();
        let mut nearly: Vec<u64> = (0..len).map(|i| i / 2).collect();
        for _ in 0..3 {
            let (a, b) = (numbers.next() % len, numbers.next() % len);
            nearly.swap(a as usize, b as usize);
        }
        let plain = [random, few, falling, organ, nearly].map(|keys| permutation(&keys));
        let adversaries = (10..=500).step_by(10).fold(0u64, |sum, decided_max| {
            sum.wrapping_mul(31).wrapping_add(permutation(&adversary(n, decided_max)))
        });
        assert_eq!(plain, want[..5], "{n} elements");
        assert_eq!(adversaries, want[5], "adversaries of {n} elements");
    }
}

#[test]
fn short_slices_are_stable_by_insertion() {
    for n in 0..=INSERTION_MAX {
        let mut elements: Vec<(usize, usize)> = (0..n).map(|i| (i % 3, i)).collect();
        let mut stable = elements.clone();
        stable.sort_by_key(|element| element.0);
        sort_unstable_by(&mut elements, |a, b| a.0 < b.0);
        assert_eq!(elements, stable);
    }
}

#[test]
fn an_inconsistent_order_does_no_harm() {
    let mut numbers = Numbers(1);
    for n in 0..300 {
        let mut elements: Vec<usize> = (0..n).collect();
        sort_unstable_by(&mut elements, |_, _| numbers.next().is_multiple_of(2));
        elements.sort_unstable();
        assert!(elements.into_iter().eq(0..n));
    }
}
