//! The Universal Scalability Law, fitted.
//!
//! It is linear in `1/l`, `s/l` and `k/l`: `N/X = 1/l + (s/l) (N - 1) + (k/l) N (N - 1)`. Least squares of that would weigh small
//! throughputs most, so it is solved again and again with the weights, and the left side, that make its solution the one of
//! least squares in `X` (Gauss and Newton). That no coefficient is below zero is met by solving with each subset of the two last
//! ones at zero and taking the best that is feasible: there are four.

use super::{Interval, ScalabilityLaw};

/// With fewer levels than this, three coefficients fit anything.
pub(super) const LEAST_LEVELS: usize = 6;
const STEPS: usize = 200;
/// A peak beyond so many times the highest level says nothing but that there is none in sight.
const FAR: f64 = 1e3;

/// Fits the law to levels and their throughputs; `None` with fewer than six levels, or where throughput is nowhere above zero.
pub(super) fn fit(points: &[(f64, f64)]) -> Option<ScalabilityLaw> {
    let usable = |(level, throughput): &(f64, f64)| {
        level.is_finite() && throughput.is_finite() && *level >= 1.0 && *throughput > 0.0
    };
    let points: Vec<_> = points.iter().copied().filter(usable).collect();
    if points.len() < LEAST_LEVELS {
        return None;
    }
    let model = Model::fit(&points)?;
    let residuals: Vec<f64> =
        points.iter().map(|(level, throughput)| throughput / model.at(*level) - 1.0).collect();
    let squares: f64 = residuals.iter().map(|residual| residual * residual).sum();
    let peak = model.peak(&points);
    Some(ScalabilityLaw {
        lambda: model.lambda(),
        sigma: model.sigma(),
        kappa: model.kappa(),
        peak,
        worst_residual: residuals.iter().fold(0.0, |worst, residual| residual.abs().max(worst)),
        mean_residual: (squares / float(residuals.len())).sqrt(),
        peak_interval: peak.and_then(|peak| jackknife(&points, peak)),
    })
}

/// The interval of the peak from the fits that leave out one level each: Tukey's jackknife, with the quantile of Student's t.
fn jackknife(points: &[(f64, f64)], value: f64) -> Option<Interval> {
    let without = |left_out: usize| {
        let rest: Vec<_> =
            points.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, p)| *p).collect();
        Model::fit(&rest)?.peak(&rest)
    };
    let peaks: Vec<f64> = (0..points.len()).map(without).collect::<Option<_>>()?;
    let count = float(peaks.len());
    let mean = peaks.iter().sum::<f64>() / count;
    let squares: f64 = peaks.iter().map(|peak| (peak - mean).powi(2)).sum();
    let half = student(peaks.len() - 1) * ((count - 1.0) / count * squares).sqrt();
    Some(Interval { value, low: (value - half).max(0.0), high: value + half })
}

/// The 97.5 % quantile of Student's t (`scipy.stats.t.ppf(.975, n)`); the normal one from 30 degrees of freedom on, 4 % less at most.
fn student(freedom: usize) -> f64 {
    const QUANTILES: [f64; 25] = [
        2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101,
        2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045,
    ];
    QUANTILES.get(freedom.saturating_sub(5)).copied().unwrap_or(1.96)
}

#[expect(clippy::cast_precision_loss, reason = "numbers of levels are small")]
fn float(count: usize) -> f64 {
    count as f64
}

/// `1/l`, `s/l`, `k/l`.
#[derive(Clone, Copy, Debug)]
struct Model([f64; 3]);

impl Model {
    fn fit(points: &[(f64, f64)]) -> Option<Self> {
        // At first as if the throughputs were the model's.
        let mut best = Self::step(points, |_, throughput| throughput)?;
        let mut error = best.squares(points);
        for _ in 0..STEPS {
            let Some(next) = Self::step(points, |level, _| best.at(level)) else { break };
            let Some((next, less)) = best.towards(next, points, error) else { break };
            let gained = error - less;
            (best, error) = (next, less);
            if gained <= error * 1e-14 {
                break;
            }
        }
        Some(best)
    }

    /// The solution of the problem made linear at the throughputs `modelled`.
    fn step(points: &[(f64, f64)], modelled: impl Fn(f64, f64) -> f64) -> Option<Self> {
        let rows = points.iter().map(|&(level, throughput)| {
            let model = modelled(level, throughput);
            let weight = model * model / level;
            let left = level / model - (throughput - model) / weight;
            let right = [1.0, level - 1.0, level * (level - 1.0)];
            (right.map(|value| value * weight), left * weight)
        });
        let rows: Vec<_> = rows.collect();
        let patterns = [[true, true, true], [true, true, false], [true, false, true], [true, false, false]];
        let feasible = patterns.iter().filter_map(|free| solve(&rows, *free));
        let feasible =
            feasible.filter(|solution| solution[0] > 0.0 && solution.iter().all(|part| *part >= 0.0));
        feasible.min_by(|a, b| squares(&rows, a).total_cmp(&squares(&rows, b))).map(Self)
    }

    /// The point on the way to `next` that is better than this one: all of it, else half, and so on.
    fn towards(self, next: Self, points: &[(f64, f64)], error: f64) -> Option<(Self, f64)> {
        (0..20).map(|halved| 0.5_f64.powi(halved)).find_map(|part| {
            let between = [0, 1, 2].map(|i| self.0[i] + part * (next.0[i] - self.0[i]));
            let squares = Self(between).squares(points);
            (squares < error).then_some((Self(between), squares))
        })
    }

    fn squares(self, points: &[(f64, f64)]) -> f64 {
        points.iter().map(|(level, throughput)| (throughput - self.at(*level)).powi(2)).sum()
    }

    fn at(self, level: f64) -> f64 {
        level / (self.0[0] + self.0[1] * (level - 1.0) + self.0[2] * level * (level - 1.0))
    }

    fn lambda(self) -> f64 {
        1.0 / self.0[0]
    }

    fn sigma(self) -> f64 {
        self.0[1] / self.0[0]
    }

    fn kappa(self) -> f64 {
        self.0[2] / self.0[0]
    }

    /// Where the model is highest; `None` where it only rises, or rises far beyond what was measured, or only falls.
    fn peak(self, points: &[(f64, f64)]) -> Option<f64> {
        let highest = points.iter().fold(1.0, |highest: f64, (level, _)| highest.max(*level));
        let peak = ((1.0 - self.sigma()) / self.kappa()).sqrt();
        (peak.is_finite() && peak >= 1.0 && peak <= highest * FAR).then_some(peak)
    }
}

type Row = ([f64; 3], f64);

fn squares(rows: &[Row], solution: &[f64; 3]) -> f64 {
    let residual = |(right, left): &Row| left - right.iter().zip(solution).map(|(a, b)| a * b).sum::<f64>();
    rows.iter().map(|row| residual(row).powi(2)).sum()
}

/// Least squares with the columns that are free, the others zero: orthogonal columns by Gram and Schmidt, twice for precision.
/// `None` where the columns depend on each other.
fn solve(rows: &[Row], free: [bool; 3]) -> Option<[f64; 3]> {
    let columns: Vec<usize> = (0..3).filter(|column| free[*column]).collect();
    let mut unit: Vec<Vec<f64>> = Vec::new();
    let mut upper = [[0.0; 3]; 3];
    for (at, column) in columns.iter().enumerate() {
        let mut vector: Vec<f64> = rows.iter().map(|(right, _)| right[*column]).collect();
        let length = dot(&vector, &vector).sqrt();
        for _ in 0..2 {
            for (before, other) in unit.iter().enumerate() {
                let along = dot(&vector, other);
                upper[before][at] += along;
                vector.iter_mut().zip(other).for_each(|(value, other)| *value -= along * other);
            }
        }
        let rest = dot(&vector, &vector).sqrt();
        if !rest.is_finite() || rest <= length * 1e-12 {
            return None;
        }
        upper[at][at] = rest;
        vector.iter_mut().for_each(|value| *value /= rest);
        unit.push(vector);
    }
    let left: Vec<f64> = rows.iter().map(|(_, left)| *left).collect();
    let mut solution = [0.0; 3];
    for at in (0..columns.len()).rev() {
        let known: f64 =
            (at + 1..columns.len()).map(|later| upper[at][later] * solution[columns[later]]).sum();
        solution[columns[at]] = (dot(&unit[at], &left) - known) / upper[at][at];
    }
    solution.iter().all(|part| part.is_finite()).then_some(solution)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests;
