//! A straight line through a few points.

#[path = "../../examples/memory_benchmark/fit/student.rs"]
mod student;

/// What each further worker costs, by least squares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// The value at 0.
    pub base: f64,
    /// What is added by each.
    pub each: f64,
    /// The true slope is within so much of it in 95 of 100 cases, if errors are independent and normal.
    pub margin: f64,
}

impl Fit {
    /// `None` with fewer than three points: two have a line and no interval. Of different x there must be two.
    #[expect(clippy::cast_precision_loss, reason = "a few points")]
    pub fn of(points: &[(f64, f64)]) -> Option<Self> {
        let freedom = points.len().checked_sub(2).filter(|freedom| *freedom > 0)?;
        let count = points.len() as f64;
        let x_mean = points.iter().map(|(x, _)| x).sum::<f64>() / count;
        let y_mean = points.iter().map(|(_, y)| y).sum::<f64>() / count;
        let spread: f64 = points.iter().map(|(x, _)| (x - x_mean).powi(2)).sum();
        if spread == 0.0 {
            return None;
        }
        let each = points.iter().map(|(x, y)| (x - x_mean) * (y - y_mean)).sum::<f64>() / spread;
        let base = y_mean - each * x_mean;
        let squares: f64 = points.iter().map(|(x, y)| (y - base - each * x).powi(2)).sum();
        let margin = student::quantile_95(freedom) * (squares / freedom as f64 / spread).sqrt();
        Some(Self { base, each, margin })
    }
}

#[test]
fn a_line_is_found_and_its_margin_tells_of_the_noise() {
    let exact = Fit::of(&[(1.0, 12.0), (2.0, 14.0), (5.0, 20.0)]).unwrap();
    assert!((exact.base - 10.0).abs() < 1e-9 && (exact.each - 2.0).abs() < 1e-9 && exact.margin < 1e-6);
    // The residuals are -0.8, 0.6, 1, -0.6 and -0.2, and the margin is 3.182 times the root of 2.4 / 3 / 10.
    let noisy = Fit::of(&[(1.0, 2.0), (2.0, 4.0), (3.0, 5.0), (4.0, 4.0), (5.0, 5.0)]).unwrap();
    assert!((noisy.each - 0.6).abs() < 1e-9 && (noisy.margin - 0.900).abs() < 1e-3, "{noisy:?}");
    assert_eq!(Fit::of(&[(1.0, 1.0), (2.0, 2.0)]), None);
    assert_eq!(Fit::of(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]), None);
}
