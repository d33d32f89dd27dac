//! Decimal numbers, without the cost of `std::fmt`: most of what is printed is numbers.

use std::str;

/// The longest decimal number of 64 bits, in digits.
pub const MAX_DIGITS: usize = 20;

/// The numbers from 00 to 99.
static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut i = 0;
    while i < 100 {
        pairs[i] = [b'0' + i as u8 / 10, b'0' + i as u8 % 10];
        i += 1;
    }
    pairs
};

/// Appends `value` in decimal digits.
///
/// ```
/// let mut out = b"gen=".to_vec();
/// gotrail_format::decimal::push(&mut out, 65_536);
/// assert_eq!(out, b"gen=65536");
/// ```
#[inline]
pub fn push(out: &mut Vec<u8>, mut value: u64) {
    if value < 10 {
        return out.push(b'0' + value as u8);
    }
    let mut digits = [0; MAX_DIGITS];
    let mut at = MAX_DIGITS;
    while value >= 10 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[(value % 100) as usize]);
        value /= 100;
    }
    if value > 0 {
        at -= 1;
        digits[at] = b'0' + value as u8;
    }
    out.extend_from_slice(&digits[at..]);
}

/// Reads a number of decimal digits and nothing else, as Go's `strconv.ParseUint` does: no sign,
/// no separators, leading zeros allowed. `None` if it is something else or does not fit 64 bits.
pub fn parse(digits: &[u8]) -> Option<u64> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn assert_round_trip(value: u64) {
        let mut out = Vec::new();
        push(&mut out, value);
        assert_eq!(out, value.to_string().as_bytes());
        assert_eq!(parse(&out), Some(value));
    }

    #[test]
    fn the_ends_of_every_length_round_trip() {
        let mut power = 1u64;
        loop {
            assert_round_trip(power - 1);
            assert_round_trip(power);
            let Some(next) = power.checked_mul(10) else { break };
            power = next;
        }
        assert_round_trip(u64::MAX);
    }

    #[test]
    fn only_digits_are_read() {
        for text in ["", "+1", "-1", "1_0", " 1", "0x1", "18446744073709551616"] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse(b"007"), Some(7));
    }

    proptest! {
        #[test]
        fn numbers_round_trip(value: u64, shift in 0u32..64) {
            assert_round_trip(value >> shift);
        }
    }
}
