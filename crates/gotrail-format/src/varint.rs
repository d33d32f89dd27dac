//! Unsigned LEB128 numbers as the reference reads them.
//!
//! At most [`MAX_LEN`] bytes; the tenth may only be 0 or 1. Longer encodings than needed are
//! valid: the runtime pads the size of every batch to ten bytes.

/// The longest encoding of a 64-bit number, in bytes.
pub const MAX_LEN: usize = 10;

/// Why a number could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VarintError {
    /// The input ended inside the number, or before it.
    #[error("the input ends inside a number")]
    CutOff,
    /// The number does not fit 64 bits.
    #[error("a number does not fit 64 bits")]
    Overflow,
}

/// Reads one number from the start of `input`; returns it with its length in bytes.
#[inline]
pub fn read(input: &[u8]) -> Result<(u64, usize), VarintError> {
    match input.first() {
        Some(&byte) if byte < 0x80 => Ok((u64::from(byte), 1)),
        _ => read_long(input),
    }
}

fn read_long(input: &[u8]) -> Result<(u64, usize), VarintError> {
    let mut value = 0u64;
    for (i, &byte) in input.iter().take(MAX_LEN).enumerate() {
        if byte < 0x80 {
            if i == MAX_LEN - 1 && byte > 1 {
                return Err(VarintError::Overflow);
            }
            return Ok((value | u64::from(byte) << (7 * i), i + 1));
        }
        value |= u64::from(byte & 0x7f) << (7 * i);
    }
    if input.len() >= MAX_LEN { Err(VarintError::Overflow) } else { Err(VarintError::CutOff) }
}

/// The number of bytes of the shortest encoding of `value`.
#[inline]
pub fn len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// Appends the shortest encoding of `value`.
#[inline]
pub fn push(out: &mut Vec<u8>, value: u64) {
    push_padded(out, value, 0);
}

/// Appends an encoding of `value` of `width` bytes, or the shortest one if that is longer.
#[inline]
pub fn push_padded(out: &mut Vec<u8>, mut value: u64, width: usize) {
    let mut written = 1;
    while value >= 0x80 || written < width.min(MAX_LEN) {
        out.push(value as u8 | 0x80);
        value >>= 7;
        written += 1;
    }
    out.push(value as u8);
}

/// A bit for each of these bytes that ends a number: all those below 0x80. Four numbers follow each
/// other where four bits are set, however long they are.
#[inline]
pub fn ends(bytes: &[u8; 64]) -> u64 {
    let (words, _) = bytes.as_chunks::<8>();
    let bits = words.iter().enumerate().map(|(i, word)| {
        let ends = !u64::from_le_bytes(*word) & CONTINUES;
        // Moves the highest bit of each byte to the highest byte.
        ((ends >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * i)
    });
    bits.fold(0, |all, bits| all | bits)
}

/// The bits of eight bytes that say that a number goes on.
const CONTINUES: u64 = 0x8080_8080_8080_8080;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_number_round_trips_at_every_width(value: u64, width in 0usize..12) {
            let mut bytes = Vec::new();
            push_padded(&mut bytes, value, width);
            prop_assert_eq!(read(&bytes), Ok((value, bytes.len())));
            prop_assert_eq!(bytes.len(), len(value).max(width.min(MAX_LEN)));
            for cut in 0..bytes.len() {
                prop_assert_eq!(read(&bytes[..cut]), Err(VarintError::CutOff));
            }
        }
    }

    #[test]
    fn the_tenth_byte_holds_one_bit() {
        let mut bytes = vec![0xff; 9];
        bytes.push(1);
        assert_eq!(read(&bytes), Ok((u64::MAX, 10)));
        bytes[9] = 2;
        assert_eq!(read(&bytes), Err(VarintError::Overflow));
        assert_eq!(read(&[0x80; 10]), Err(VarintError::Overflow));
        assert_eq!(read(&[0x80; 9]), Err(VarintError::CutOff));
    }
}
