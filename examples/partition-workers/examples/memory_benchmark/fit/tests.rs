//! Expected values are those of numpy 2.4 and scipy 1.17. With `X` the rows `[1, workers, partitions]`, one for each sample, and `y`
//! the values: `numpy.linalg.lstsq(X, y)`, residual `s = sqrt(r @ r / (n - 3))`, and margins
//! `scipy.stats.t.ppf(.975, n - 3) * s * sqrt(diag(inv(X.T @ X)))`.

use super::super::cell::MADE;
use super::*;

/// Three for each cell, which sum up to 0.
const NOISE: [[f64; 3]; 6] = [
    [3.0, -1.0, -2.0],
    [0.0, 2.0, -2.0],
    [1.0, -3.0, 2.0],
    [-2.0, 1.0, 1.0],
    [2.0, -2.0, 0.0],
    [-1.0, -1.0, 2.0],
];

fn samples(of: impl Fn(f64, f64) -> f64) -> Vec<(Cell, f64)> {
    let value = |cell: Cell| of(f64::from(cell.workers), f64::from(cell.partitions));
    let cells = MADE.into_iter().zip(NOISE);
    cells.flat_map(|(cell, noise)| noise.map(|off| (cell, value(cell) + off))).collect()
}

#[track_caller]
fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9 * expected.abs().max(1.0), "{found}, not {expected}");
}

#[test]
fn a_plane_with_noise_is_found_with_its_intervals() {
    let fit = fit(&samples(|workers, partitions| 1000.0 + 20.0 * workers + 3.0 * partitions)).unwrap();
    let found = [fit.base, fit.worker, fit.partition];
    let expected = [(1000.0, 1.750290089213), (20.0, 0.081205970046), (3.0, 0.006734943434)];
    for (found, (value, margin)) in found.into_iter().zip(expected) {
        assert_near(found.value, value);
        assert_near(found.margin, margin);
        assert!(found.is_told());
    }
    assert_near(fit.residual, 1.932183566159);
    assert_eq!(fit.samples, 18);
}

/// Where each worker holds something for each partition. The margins are `scipy.stats.t.ppf(.975, 6 - 3)` times
/// `sqrt(sum(3 * (mean of a cell - plane) ** 2) / (6 - 3)) * sqrt(diag(inv(X.T @ X)))`.
#[test]
fn cells_off_the_plane_widen_the_intervals() {
    let product =
        |workers, partitions| 1000.0 + 20.0 * workers + 3.0 * partitions + workers * partitions / 100.0;
    let fit = fit(&samples(product)).unwrap();
    let found = [fit.base, fit.worker, fit.partition];
    let expected = [
        (973.254276827371, 33.672434532524),
        (24.810264385692, 1.562256866381),
        (3.064243131156, 0.129568203153),
    ];
    for (found, (value, margin)) in found.into_iter().zip(expected) {
        assert_near(found.value, value);
        assert_near(found.margin, margin);
    }
    assert_eq!(fit.worst.unwrap().0, MADE[2]);
    assert_near(fit.worst.unwrap().1, -17.781233799896);
    assert_near(fit.worst_share().unwrap(), 17.781233799896 / (1510.0 + 17.781233799896));
}

#[test]
fn what_is_within_the_noise_is_not_told() {
    let fit = fit(&samples(|workers, _| 1000.0 + 20.0 * workers)).unwrap();
    assert!(fit.worker.is_told());
    assert!(!fit.partition.is_told(), "{fit:?}");
}

#[test]
fn cells_that_cannot_tell_have_no_fit() {
    let all = samples(|workers, partitions| workers + partitions);
    let of = |cells: &[Cell]| {
        let some: Vec<_> = all.iter().copied().filter(|(cell, _)| cells.contains(cell)).collect();
        fit(&some).map(|_| ()).unwrap_err()
    };
    for cells in [&[][..], &MADE[..1], &MADE[..3], &MADE[3..]] {
        assert!(of(cells).contains("cannot tell workers from partitions"), "{}", of(cells));
    }
    let three = [all[0], all[6], all[9]];
    assert!(fit(&three).unwrap_err().contains("leave no interval"));
}
