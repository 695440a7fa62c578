//! Payloads: slices of one buffer of random bytes.
//!
//! The buffer is the process's, one for each size that is a power of two, and never freed: its slices need no count of who
//! holds them, which several threads would change for each operation.

use std::ops::RangeInclusive;
use std::sync::OnceLock;

use bytes::Bytes;

use crate::load::random::{mix, number, start};

/// So many different offsets there are, so that payloads of one size differ.
const OFFSETS: usize = 4096;

/// At least so many random bytes.
fn buffer(least: usize) -> &'static [u8] {
    static BUFFERS: [OnceLock<&'static [u8]>; usize::BITS as usize] =
        [const { OnceLock::new() }; usize::BITS as usize];
    let size = least.next_power_of_two();
    BUFFERS[size.ilog2() as usize].get_or_init(|| {
        let _ours = crate::memory::ours();
        let words = (size / size_of::<u64>()) as u64;
        (0..words).flat_map(|word| mix(0, word).to_le_bytes()).collect::<Vec<_>>().leak()
    })
}

/// How sizes are drawn from a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::load) enum Sizes {
    Uniform,
    LogUniform,
}

#[derive(Clone, Copy)]
pub(in crate::load) struct Pool {
    bytes: &'static [u8],
    least: usize,
    most: usize,
    sizes: Sizes,
    pub(in crate::load) seed: u64,
    /// Where the numbers begin by which places are drawn.
    places: u64,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("bytes", &(self.least..=self.most)).finish_non_exhaustive()
    }
}

impl Pool {
    pub(in crate::load) fn new(range: &RangeInclusive<usize>, sizes: Sizes, seed: u64) -> Self {
        let (least, most) = (*range.start(), *range.end());
        Self { bytes: buffer(most + OFFSETS), least, most, sizes, seed, places: start(seed ^ 0x5a5a) }
    }

    pub(in crate::load) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Where the payload of an operation is: offset and length.
    pub(in crate::load) fn place(&self, sequence: u64) -> (usize, usize) {
        let random = number(self.places, sequence);
        let offset = usize::try_from(random % OFFSETS as u64).unwrap_or_default();
        (offset, if self.least == self.most { self.most } else { self.length(random) })
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sizes"
    )]
    fn length(&self, random: u64) -> usize {
        let share = (random >> 11) as f64 / (1_u64 << 53) as f64;
        let span = (self.most - self.least) as f64 + 1.0;
        let length = match self.sizes {
            Sizes::Uniform => self.least as f64 + share * span,
            // One more on both sides: a payload may be empty, whose logarithm is not.
            Sizes::LogUniform => {
                let (least, most) = (self.least as f64 + 1.0, self.most as f64 + 2.0);
                least * (most / least).powf(share) - 1.0
            }
        };
        (length as usize).clamp(self.least, self.most)
    }

    pub(in crate::load) fn slice(&self, (offset, length): (usize, usize)) -> &'static [u8] {
        &self.bytes[offset..offset + length]
    }

    pub(in crate::load) fn bytes(&self, (offset, length): (usize, usize)) -> Bytes {
        Bytes::from_static(&self.bytes[offset..offset + length])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_within_their_range_and_reach_both_ends() {
        for sizes in [Sizes::Uniform, Sizes::LogUniform] {
            let pool = Pool::new(&(0..=9), sizes, 7);
            let lengths: Vec<_> = (0..10_000).map(|n| pool.place(n).1).collect();
            assert_eq!((lengths.iter().min(), lengths.iter().max()), (Some(&0), Some(&9)), "{sizes:?}");
        }
    }

    #[test]
    fn each_doubling_is_as_likely_by_the_logarithm() {
        let pool = Pool::new(&(1024..=4095), Sizes::LogUniform, 7);
        let below = (0..10_000).filter(|n| pool.place(*n).1 < 2048).count();
        assert!((4_700..5_300).contains(&below), "{below}");
    }

    #[test]
    fn the_same_seed_gives_the_same_payload() {
        let [a, b] = [Pool::new(&(16..=64), Sizes::Uniform, 3), Pool::new(&(16..=64), Sizes::Uniform, 3)];
        assert!((0..100).all(|n| a.slice(a.place(n)) == b.slice(b.place(n))));
        assert_ne!(a.slice(a.place(1)), a.slice(a.place(2)));
    }
}
