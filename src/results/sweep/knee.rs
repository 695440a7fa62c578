//! Where throughput stops rising.

/// So much more for each doubling of the level is a gain.
pub(super) const GAIN: f64 = 0.10;
/// And so much more in all: between levels that are near each other, noise would be many times itself for a doubling.
const LEAST: f64 = 0.05;

/// The lowest of ascending levels from which no higher one gains; `None` when that is the highest.
pub(super) fn knee(points: &[(f64, f64)]) -> Option<usize> {
    let gains_nowhere = |at: usize| !points[at + 1..].iter().any(|higher| gains(points[at], *higher));
    (0..points.len().saturating_sub(1)).find(|at| gains_nowhere(*at))
}

fn gains(from: (f64, f64), to: (f64, f64)) -> bool {
    let whole = to.1 / from.1;
    whole >= 1.0 + LEAST && per_doubling(from, to) >= GAIN
}

/// What a doubling of the level adds, as a share, at the pace from one level to another.
pub(super) fn per_doubling(from: (f64, f64), to: (f64, f64)) -> f64 {
    (to.1 / from.1).powf((to.0 / from.0).log2().recip()) - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table by its first throughput and what each doubling adds.
    fn doublings(gains: &[f64]) -> Vec<(f64, f64)> {
        let mut table = vec![(1.0, 1000.0)];
        for gain in gains {
            let (level, throughput) = table[table.len() - 1];
            table.push((level * 2.0, throughput * (1.0 + gain)));
        }
        table
    }

    // A sweep of request/reply from 1 to 128 in flight on two cores: the last doubling that adds 10 % ends at 64.
    #[test]
    fn it_is_the_end_of_the_last_doubling_that_adds_a_tenth() {
        let table = doublings(&[0.77, 0.59, 0.60, 0.31, 0.26, 0.15, 0.08]);
        assert_eq!(table[knee(&table).unwrap()].0, 64.0);
        let falling = doublings(&[0.9, 0.5, -0.1, -0.3]);
        assert_eq!(falling[knee(&falling).unwrap()].0, 4.0);
    }

    #[test]
    fn a_table_that_rises_to_its_end_has_none() {
        for table in [doublings(&[0.9, 0.8, 0.5]), doublings(&[0.1; 6]), doublings(&[]), Vec::new()] {
            assert_eq!(knee(&table), None, "{table:?}");
        }
    }

    #[test]
    fn noise_on_a_plateau_is_no_gain_and_one_bad_level_on_a_slope_is_no_knee() {
        let noisy = doublings(&[0.9, 0.9, 0.02, -0.06, 0.12]);
        assert_eq!(noisy[knee(&noisy).unwrap()].0, 4.0);
        let dented = doublings(&[0.9, 0.0, 0.9, 0.9, 0.0]);
        assert_eq!(dented[knee(&dented).unwrap()].0, 16.0);
    }

    // Throughput min(level, 100): a line, then a plateau, at levels that are no doublings.
    #[test]
    fn levels_need_be_no_doublings() {
        let table: Vec<_> = (1..=20_u32).map(|at| f64::from(at) * 10.0).map(|n| (n, n.min(100.0))).collect();
        assert_eq!(table[knee(&table).unwrap()].0, 100.0);
        assert!((per_doubling((10.0, 10.0), (30.0, 30.0)) - 1.0).abs() < 1e-12);
    }
}
