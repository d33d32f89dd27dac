//! Old traces that are cut off anywhere, or damaged in the middle.

use gotrail::{Mode, Reader};
use gotrail_checks::{mutate, reading, recorded_old};

/// How many events a tolerant reader tells, and how many of them it made up.
fn told(bytes: &[u8]) -> (u64, u64) {
    let mut reader = Reader::from_slice(bytes, Mode::Tolerant).unwrap();
    let told = reader.drain().unwrap();
    (told, reader.report().assumed)
}

#[test]
fn whatever_is_cut_off_the_rest_is_told() {
    for base in recorded_old(1 << 20) {
        // Of misused annotations not all are told.
        let whole = told(&base.bytes).0;
        let mut last = 0;
        let mut most = 0;
        for len in (17..=base.bytes.len()).step_by(7) {
            let (all, assumed) = told(&base.bytes[..len]);
            let real = all - assumed.min(all);
            assert!(real + 6 >= last, "{}, {len} bytes: {real} events, {last} before", base.name);
            // The last may be cut in two.
            let sure = mutate::sure_events(&base.bytes[..len]);
            let name = &base.name;
            assert!(real + 1 >= sure, "{name}, {len} bytes: {real} events of {sure}");
            (last, most) = (real, most.max(real));
            reading::mended(&base.bytes[..len]);
        }
        assert!(most <= whole + 6 && most + 6 >= whole, "{}: {most} of {whole}", base.name);
    }
}

#[test]
fn damage_in_the_middle_loses_little() {
    for base in recorded_old(1 << 20) {
        let whole = told(&base.bytes).0;
        let mut sum = 0;
        let mut tries = 0;
        for at in (16..base.bytes.len()).step_by(11) {
            let mut bytes = base.bytes.clone();
            bytes[at] ^= 1 << (at % 8);
            reading::mended(&bytes);
            sum += told(&bytes).0;
            tries += 1;
        }
        assert!(sum * 10 >= whole * tries * 6, "{}: {sum} of {}", base.name, whole * tries);
    }
}
