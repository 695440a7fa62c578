//! Numbers and contents that depend on a seed alone.

use bytes::Bytes;

/// Another number for each number, as if drawn at random: SplitMix64's finalizer.
pub(super) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// From 0 to 1, without 1.
#[expect(clippy::cast_precision_loss, reason = "53 bits are what a fraction holds")]
pub(super) fn fraction(random: u64) -> f64 {
    (random >> 11) as f64 / (1_u64 << 53) as f64
}

/// `len` bytes that look random.
pub(super) fn contents(seed: u64, len: usize) -> Bytes {
    let words = (0..len.div_ceil(8) as u64).map(|word| mix(seed ^ mix(word)));
    let mut bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
    bytes.truncate(len);
    bytes.into()
}

/// A whole number of `range`, drawn by `random`.
pub(super) fn within(range: &std::ops::RangeInclusive<usize>, random: u64) -> usize {
    let (low, high) = (*range.start(), (*range.end()).max(*range.start()));
    let span = (high - low) as u64;
    let offset = (u128::from(random) * (u128::from(span) + 1)) >> 64;
    low + usize::try_from(offset).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_have_their_length_and_depend_on_the_seed_alone() {
        for len in [0, 1, 7, 8, 9, 4096] {
            assert_eq!(contents(3, len).len(), len);
            assert_eq!(contents(3, len), contents(3, len));
        }
        assert_ne!(contents(3, 64), contents(4, 64));
    }

    #[test]
    fn a_range_is_reached_at_both_ends_and_never_left() {
        assert_eq!((within(&(3..=9), 0), within(&(3..=9), u64::MAX)), (3, 9));
        assert_eq!(within(&(5..=5), u64::MAX), 5);
        assert!(fraction(u64::MAX) < 1.0 && fraction(0) == 0.0);
    }
}
