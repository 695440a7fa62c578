//! In which order levels are measured.

use crate::load::Random;

/// The levels of a round: ascending in the first, then in an order of the seed's.
pub(super) fn order(levels: &[f64], seed: u64, round: usize) -> Vec<f64> {
    let mut order = levels.to_vec();
    if round == 0 {
        return order;
    }
    let mut random = Random::new(seed.wrapping_add(u64::try_from(round).unwrap_or(u64::MAX) << 32));
    // Fisher and Yates.
    for last in (1..order.len()).rev() {
        let up_to = u64::try_from(last).unwrap_or(u64::MAX) + 1;
        let number = random.next().unwrap_or_default() % up_to;
        order.swap(last, usize::try_from(number).unwrap_or(last));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_round_goes_up_and_the_others_are_shuffled_by_the_seed() {
        let levels: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(order(&levels, 7, 0), levels);
        let rounds: Vec<_> = (1..4).map(|round| order(&levels, 7, round)).collect();
        assert_eq!(rounds, (1..4).map(|round| order(&levels, 7, round)).collect::<Vec<_>>());
        assert!(rounds.iter().all(|round| *round != levels) && rounds[0] != rounds[1]);
        assert_ne!(rounds[0], order(&levels, 8, 1));
        for mut round in rounds {
            round.sort_by(f64::total_cmp);
            assert_eq!(round, levels);
        }
    }

    #[test]
    fn each_level_comes_at_each_place() {
        let mut seen = [[0; 3]; 3];
        for seed in 0..600 {
            for (place, level) in order(&[0.0, 1.0, 2.0], seed, 1).into_iter().enumerate() {
                seen[place][usize::try_from(crate::memory::text::whole(level)).unwrap()] += 1;
            }
        }
        assert!(seen.iter().flatten().all(|count| (150..=250).contains(count)), "{seen:?}");
    }
}
