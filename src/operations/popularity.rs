//! How load is spread over subjects and keys.

use std::sync::Arc;

use super::random::fraction;

/// How load is spread over a number of subjects or keys: evenly, over a hot part and the rest, or as by Zipf's law.
///
/// # Examples
///
/// ```
/// use isolated_nats::operations::Popularity;
///
/// // The first 50 of 1 000 subjects have four fifths of the load.
/// let hot = Popularity::hot(1_000, 0.05, 0.8);
/// assert_eq!(hot.count(), 1_000);
/// assert!(hot.pick(0) < 50);
/// assert!(hot.pick(u64::MAX) >= 50);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Popularity {
    count: usize,
    spread: Spread,
}

#[derive(Clone, Debug, PartialEq)]
enum Spread {
    Uniform,
    Hot {
        subjects: usize,
        load: f64,
    },
    /// The share of each and of all before it.
    Cumulative(Arc<[f64]>),
}

impl Popularity {
    /// Returns one in which each of `count` has the same share.
    ///
    /// # Panics
    ///
    /// If `count` is 0.
    #[must_use]
    #[track_caller]
    pub fn uniform(count: usize) -> Self {
        assert!(count > 0, "a popularity needs at least one subject (`count` is 0)");
        Self { count, spread: Spread::Uniform }
    }

    /// Returns one in which the first `share_of_subjects` of `count`, rounded up, have `share_of_load` together, each the same;
    /// the others share the rest. Where all are hot, none is: it is uniform.
    ///
    /// # Panics
    ///
    /// If `count` is 0, or a share is not from 0 to 1.
    #[must_use]
    #[track_caller]
    pub fn hot(count: usize, share_of_subjects: f64, share_of_load: f64) -> Self {
        assert!(
            (0.0..=1.0).contains(&share_of_load),
            "a share is from 0 to 1 (`share_of_load` is {share_of_load})"
        );
        let subjects = hot_subjects(count, share_of_subjects);
        let all_alike = subjects == 0 || subjects == count;
        let spread = if all_alike { Spread::Uniform } else { Spread::Hot { subjects, load: share_of_load } };
        Self { count, spread }
    }

    /// Returns one in which each of the first `share_of_subjects` of `count`, rounded up, has `times` the load of each other.
    ///
    /// # Panics
    ///
    /// If `count` is 0, the share is not from 0 to 1, or `times` is negative or not finite.
    #[must_use]
    #[track_caller]
    #[expect(clippy::cast_precision_loss, reason = "counts of subjects are far below 2^53")]
    pub fn hot_times(count: usize, share_of_subjects: f64, times: f64) -> Self {
        assert!(times >= 0.0 && times.is_finite(), "a weight is 0 or more (`times` is {times})");
        let subjects = hot_subjects(count, share_of_subjects);
        let (hot, cold) = (subjects as f64 * times, (count - subjects) as f64);
        Self::hot(count, share_of_subjects, if hot + cold > 0.0 { hot / (hot + cold) } else { 0.0 })
    }

    /// Returns one in which number i, from 1, has a share proportional to `1 / i^exponent`; 0 is uniform, 1 is what is seen of
    /// words and visits. It holds 8 bytes for each.
    ///
    /// # Panics
    ///
    /// If `count` is 0, or `exponent` is negative or not finite.
    #[must_use]
    #[track_caller]
    #[expect(clippy::cast_precision_loss, reason = "counts of subjects are far below 2^53")]
    pub fn zipf(count: usize, exponent: f64) -> Self {
        let Self { count, .. } = Self::uniform(count);
        assert!(
            exponent >= 0.0 && exponent.is_finite(),
            "an exponent is 0 or more (`exponent` is {exponent})"
        );
        let weights = (1..=count).map(|rank| (rank as f64).powf(-exponent));
        let sums = weights.scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        });
        let sums: Vec<f64> = sums.collect();
        let total = sums.last().copied().unwrap_or(1.0);
        Self { count, spread: Spread::Cumulative(sums.into_iter().map(|sum| sum / total).collect()) }
    }

    /// Returns how many subjects or keys there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns the number of one, from 0 and below [`count`](Self::count), for a random number; the same number gives the same.
    #[must_use]
    pub fn pick(&self, random: u64) -> usize {
        let place = fraction(random);
        let index = match &self.spread {
            Spread::Uniform => scaled(place, self.count),
            Spread::Hot { subjects, load } if place < *load => scaled(place / load, *subjects),
            Spread::Hot { subjects, load } => {
                subjects + scaled((place - load) / (1.0 - load), self.count - subjects)
            }
            Spread::Cumulative(sums) => sums.partition_point(|sum| *sum <= place),
        };
        index.min(self.count - 1)
    }
}

/// How many are hot.
#[track_caller]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count is neither negative nor above it"
)]
fn hot_subjects(count: usize, share: f64) -> usize {
    let Popularity { count, .. } = Popularity::uniform(count);
    assert!((0.0..=1.0).contains(&share), "a share is from 0 to 1 (`share_of_subjects` is {share})");
    // Without the hair, 0.05 of 1 000 would be 51.
    (((count as f64 * share) - 1e-9).ceil().max(0.0) as usize).min(count)
}

/// `place`, from 0 to 1, as one of `count`.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and the caller takes what is too large as the last"
)]
fn scaled(place: f64, count: usize) -> usize {
    ((place * count as f64) as usize).min(count.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::super::random::mix;
    use super::*;

    const DRAWS: u64 = 200_000;

    /// How often each is picked, by numbers of a fixed seed.
    fn drawn(popularity: &Popularity) -> Vec<f64> {
        let mut counts = vec![0.0; popularity.count()];
        for draw in 0..DRAWS {
            counts[popularity.pick(mix(draw))] += 1.0 / DRAWS as f64;
        }
        counts
    }

    /// Six standard deviations of a share; the seed is fixed, so this cannot fail by chance.
    fn near(found: f64, expected: f64) -> bool {
        (found - expected).abs() <= 6.0 * (expected * (1.0 - expected) / DRAWS as f64).sqrt()
    }

    #[test]
    fn uniform_gives_each_the_same_share() {
        let shares = drawn(&Popularity::uniform(40));
        assert!(shares.iter().all(|share| near(*share, 1.0 / 40.0)), "{shares:?}");
    }

    #[test]
    fn the_hot_part_has_its_share_and_each_side_is_even() {
        let shares = drawn(&Popularity::hot(100, 0.05, 0.8));
        assert!(near(shares[..5].iter().sum(), 0.8), "{shares:?}");
        assert!(shares[..5].iter().all(|share| near(*share, 0.16)), "{shares:?}");
        assert!(shares[5..].iter().all(|share| near(*share, 0.2 / 95.0)), "{shares:?}");
    }

    #[test]
    fn a_hot_subject_can_be_told_by_its_weight() {
        let shares = drawn(&Popularity::hot_times(100, 0.05, 100.0));
        assert!(near(shares[..5].iter().sum(), 500.0 / 595.0), "{shares:?}");
        assert!(shares[5..].iter().all(|share| near(*share, 1.0 / 595.0)), "{shares:?}");
    }

    #[test]
    fn zipf_falls_with_the_rank() {
        let shares = drawn(&Popularity::zipf(50, 1.0));
        let harmonic: f64 = (1..=50).map(|rank| 1.0 / f64::from(rank)).sum();
        for (index, share) in shares.iter().enumerate() {
            assert!(near(*share, 1.0 / ((index + 1) as f64 * harmonic)), "{index}: {share}");
        }
        let even = drawn(&Popularity::zipf(10, 0.0));
        assert!(even.iter().all(|share| near(*share, 0.1)), "{even:?}");
    }

    #[test]
    fn every_number_picks_one_that_exists() {
        let of_all_kinds = [
            Popularity::uniform(1),
            Popularity::uniform(7),
            Popularity::hot(3, 0.0, 1.0),
            Popularity::hot(3, 0.5, 0.0),
            Popularity::hot(3, 0.5, 1.0),
            Popularity::hot(3, 1.0, 0.5),
            Popularity::hot_times(3, 1.0, 0.0),
            Popularity::zipf(1, 2.0),
            Popularity::zipf(9, 30.0),
        ];
        for popularity in of_all_kinds {
            for random in [0, 1, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
                assert!(popularity.pick(random) < popularity.count(), "{popularity:?} {random}");
            }
        }
    }

    #[test]
    fn the_hot_part_is_as_large_as_its_share() {
        assert_eq!(hot_subjects(1_000, 0.05), 50);
        assert_eq!(hot_subjects(10, 0.01), 1);
        assert_eq!((hot_subjects(10, 0.0), hot_subjects(10, 1.0)), (0, 10));
    }

    #[test]
    #[should_panic(expected = "`share_of_load` is 1.5")]
    fn a_share_above_one_is_refused() {
        let _ = Popularity::hot(10, 0.1, 1.5);
    }
}
