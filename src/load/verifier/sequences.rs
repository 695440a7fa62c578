//! A set of sequence numbers that is small where they are without gaps, and never more than about a bit for each.

use std::collections::BTreeMap;
use std::ops::Range;

/// Numbers in one chunk, and bits in its map.
const CHUNK: u64 = 4096;
const WORDS: usize = (CHUNK / 64) as usize;

type Bits = [u64; WORDS];

const NONE: Bits = [0; WORDS];
const ALL: Bits = [u64::MAX; WORDS];

/// Numbers in chunks: runs of chunks that are full, and a map of bits for each that is not.
///
/// In order and without gaps it is one run and one map of 512 bytes. A gap keeps the map of its chunk, no more.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    /// First chunk and one past the last of each run; runs neither touch nor overlap.
    full: BTreeMap<u64, u64>,
    partial: BTreeMap<u64, Partial>,
    count: u64,
}

#[derive(Debug)]
struct Partial {
    bits: Box<Bits>,
    count: u64,
}

impl Sequences {
    /// How many numbers are in it.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Adds a number; `false` when it was in it already.
    pub(super) fn insert(&mut self, number: u64) -> bool {
        let (chunk, place) = (number / CHUNK, number % CHUNK);
        if !self.partial.contains_key(&chunk) && self.is_full(chunk) {
            return false;
        }
        let partial = self.partial.entry(chunk).or_insert_with(|| Partial { bits: Box::new(NONE), count: 0 });
        let word = &mut partial.bits[usize::try_from(place / 64).unwrap_or_default()];
        let bit = 1 << (place % 64);
        if *word & bit != 0 {
            return false;
        }
        *word |= bit;
        partial.count += 1;
        self.count += 1;
        if partial.count == CHUNK {
            self.partial.remove(&chunk);
            self.fill(chunk);
        }
        true
    }

    fn is_full(&self, chunk: u64) -> bool {
        self.full.range(..=chunk).next_back().is_some_and(|(_, end)| chunk < *end)
    }

    /// Adds a chunk to the runs, and joins those that it closes the gap between.
    fn fill(&mut self, chunk: u64) {
        let before = self.full.range(..=chunk).next_back().filter(|(_, end)| **end == chunk);
        let start = before.map_or(chunk, |(start, _)| *start);
        let end = self.full.remove(&(chunk + 1)).unwrap_or(chunk + 1);
        self.full.insert(start, end);
    }

    fn bits(&self, chunk: u64) -> &Bits {
        match self.partial.get(&chunk) {
            Some(partial) => &partial.bits,
            None if self.is_full(chunk) => &ALL,
            None => &NONE,
        }
    }

    /// How many numbers in `range` are in this set but not in `other`.
    pub(super) fn missing_in(&self, other: &Self, range: Range<u64>) -> u64 {
        let mut missing = 0;
        let mut chunk = range.start / CHUNK;
        while chunk.saturating_mul(CHUNK) < range.end {
            if let Some(end) = self.same_until(other, chunk) {
                chunk = end;
                continue;
            }
            for (word, (ours, theirs)) in (0..).zip(self.bits(chunk).iter().zip(other.bits(chunk))) {
                let first = chunk * CHUNK + word * 64;
                missing += u64::from((ours & !theirs & within(&range, first)).count_ones());
            }
            chunk += 1;
        }
        missing
    }

    /// Where a run of chunks ends that are full in both.
    fn same_until(&self, other: &Self, chunk: u64) -> Option<u64> {
        let end =
            |set: &Self| set.full.range(..=chunk).next_back().map(|(_, end)| *end).filter(|end| chunk < *end);
        Some(end(self)?.min(end(other)?))
    }

    /// What it takes, in bytes, without what the trees themselves do.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.full.len() * 16 + self.partial.len() * (size_of::<Bits>() + size_of::<Partial>() + 8)
    }
}

/// Those of the 64 numbers from `first` that are in the range, as bits.
fn within(range: &Range<u64>, first: u64) -> u64 {
    let low = range.start.saturating_sub(first).min(64);
    let high = range.end.saturating_sub(first).min(64);
    let below = |bits: u64| if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
    below(high) & !below(low)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn of(numbers: impl IntoIterator<Item = u64>) -> Sequences {
        let mut set = Sequences::default();
        for number in numbers {
            set.insert(number);
        }
        set
    }

    #[test]
    fn a_million_in_order_take_a_run_and_a_map() {
        let set = of(0..1_000_000);
        assert_eq!((set.count(), set.full.len(), set.partial.len()), (1_000_000, 1, 1));
        assert!(set.bytes() < 1024);
    }

    #[test]
    fn a_gap_keeps_one_map_and_the_worst_case_is_two_bits_for_each() {
        let set = of((0..1_000_000).filter(|number| *number != 5000));
        assert_eq!((set.full.len(), set.partial.len()), (2, 2));
        let every_other = of((0..1_000_000).step_by(2));
        assert!(every_other.bytes() < 150_000, "{}", every_other.bytes());
    }

    #[test]
    fn runs_are_joined_whatever_the_order() {
        for order in [[0, 1, 2], [2, 1, 0], [0, 2, 1], [1, 2, 0], [1, 0, 2], [2, 0, 1]] {
            let set = of(order.into_iter().flat_map(|chunk| chunk * CHUNK..(chunk + 1) * CHUNK));
            assert_eq!(set.full, BTreeMap::from([(0, 3)]), "{order:?}");
            assert!(set.partial.is_empty());
        }
    }

    #[test]
    fn each_number_is_new_once() {
        let mut set = of(0..2 * CHUNK);
        assert!([0, 1, CHUNK - 1, CHUNK, 2 * CHUNK - 1].into_iter().all(|number| !set.insert(number)));
        assert!(set.insert(2 * CHUNK) && !set.insert(2 * CHUNK));
        assert!(set.insert(u64::MAX) && !set.insert(u64::MAX));
        assert_eq!(set.count(), 2 * CHUNK + 2);
    }

    /// Numbers that look random, the same in each run.
    fn scattered(seed: u64, below: u64) -> impl Iterator<Item = u64> {
        let next = |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        std::iter::successors(Some(seed), next).map(move |state| (state >> 20) % below)
    }

    #[test]
    fn it_agrees_with_a_set_of_the_standard_library() {
        for (seed, count, below) in
            [(1, 3000, 20_000), (2, 40_000, 30_000), (3, 10, 70), (4, 200_000, 20_000)]
        {
            let ours: Vec<_> = scattered(seed, below).take(count).collect();
            let theirs: Vec<_> = scattered(seed + 100, below).take(count).collect();
            let (a, b) = (of(ours.iter().copied()), of(theirs.iter().copied()));
            let known: BTreeSet<_> = ours.into_iter().collect();
            let other: BTreeSet<_> = theirs.into_iter().collect();
            assert_eq!(a.count(), known.len() as u64);
            for range in [0..below, 0..1, 1..65, 63..64, 5000..5000, 4095..4097, 100..below / 2] {
                let expected = known.difference(&other).filter(|number| range.contains(number)).count();
                assert_eq!(a.missing_in(&b, range.clone()), expected as u64, "seed {seed}, {range:?}");
            }
        }
    }
}
