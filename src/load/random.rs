//! Seeded randomness: the same seed, the same numbers, on every machine.

/// The odd number next to 2^64 over the golden ratio.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Number `n`, from 0, of the sequence of `seed`: any of them at once, without those before it.
#[inline]
pub(super) fn mix(seed: u64, n: u64) -> u64 {
    number(start(seed), n)
}

/// All numbers of the sequence of a seed, one after the other, without end.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    start: u64,
    next: u64,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self { start: start(seed), next: 0 }
    }

    /// The next number, from 0 to below 1, one of 2^53 in equal distances.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are left")]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn number(&mut self) -> u64 {
        let number = number(self.start, self.next);
        self.next = self.next.wrapping_add(1);
        number
    }
}

impl Iterator for Random {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        Some(self.number())
    }
}

/// Where the sequence of a seed begins, for [`number`]. Seeds lie close together (1, 2, 3); where their sequences begin must not.
#[inline]
pub(super) fn start(seed: u64) -> u64 {
    scramble(seed.wrapping_add(STEP))
}

/// SplitMix64 (Steele, Lea and Flood 2014), whose state after n steps is known without taking them.
#[inline]
pub(super) fn number(start: u64, n: u64) -> u64 {
    scramble(start.wrapping_add(STEP.wrapping_mul(n.wrapping_add(1))))
}

#[inline]
fn scramble(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_splitmix64() {
        // The first three numbers of its authors' code from state 0.
        let first = [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f];
        assert_eq!([0, 1, 2].map(|n| number(0, n)), first);
    }

    #[test]
    fn any_number_of_a_sequence_can_be_had_at_once() {
        let taken: Vec<u64> = Random::new(9).take(100).collect();
        let at_once: Vec<u64> = (0..100).map(|n| mix(9, n)).collect();
        assert_eq!(taken, at_once);
        assert_ne!(mix(9, 0), mix(10, 0));
    }

    #[test]
    fn units_are_spread_evenly() {
        let mut random = Random::new(3);
        let mut tenths = [0_u32; 10];
        for _ in 0..10_000 {
            let unit = random.unit();
            assert!((0.0..1.0).contains(&unit));
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 9")]
            let tenth = (unit * 10.0) as usize;
            tenths[tenth] += 1;
        }
        assert!(tenths.iter().all(|count| (880..1120).contains(count)), "{tenths:?}");
    }
}
