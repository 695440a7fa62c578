//! Student's distribution, for whole degrees of freedom.

/// The t beyond which, on both sides together, lies 5 % of the distribution.
pub(super) fn quantile_95(freedom: usize) -> f64 {
    // Between the normal distribution's and, rounded up, that of one degree of freedom; halved until nothing is left to halve.
    let (mut low, mut high) = (1.9, 12.8);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if within(middle, freedom) < 0.95 { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// How much of the distribution lies between -t and t: the finite sums of Abramowitz and Stegun, 26.7.3 and 26.7.4.
fn within(t: f64, freedom: usize) -> f64 {
    let angle = (t / number(freedom).sqrt()).atan();
    let (sine, cosine) = angle.sin_cos();
    let is_odd = freedom % 2 == 1;
    let mut term = if is_odd { cosine } else { 1.0 };
    let mut sum = if freedom == 1 { 0.0 } else { term };
    // Each term is the one before times cos² and the next even over the next odd number, or the other way round.
    for next in (if is_odd { 3..freedom } else { 2..freedom }).step_by(2) {
        term *= cosine.powi(2) * number(next - 1) / number(next);
        sum += term;
    }
    if is_odd { std::f64::consts::FRAC_2_PI * (angle + sine * sum) } else { sine * sum }
}

#[expect(clippy::cast_precision_loss, reason = "degrees of freedom are few")]
fn number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By scipy 1.17: `[scipy.stats.t.ppf(0.975, n) for n in (1, 2, 3, 4, 5, 27, 57, 1000)]`.
    #[test]
    fn quantiles_are_those_of_scipy() {
        let known = [
            (1, 12.706204736175),
            (2, 4.302652729749),
            (3, 3.182446305284),
            (4, 2.776445105198),
            (5, 2.570581835636),
            (27, 2.051830516480),
            (57, 2.002465459291),
            (1000, 1.962339080826),
        ];
        for (freedom, expected) in known {
            let found = quantile_95(freedom);
            assert!((found - expected).abs() < 1e-9, "{freedom}: {found}, not {expected}");
        }
    }
}
