use super::*;

fn near(found: f64, expected: f64, off: f64) {
    assert!((found / expected - 1.0).abs() <= off, "{found} for {expected}");
}

/// `specsdm91` of R's package `usl`: SPEC SDM91 on a Sun SPARCcenter 2000 (Gunther 2007).
const SPECSDM91: [(f64, f64); 7] = [
    (1.0, 64.9),
    (18.0, 995.9),
    (36.0, 1652.4),
    (72.0, 1853.2),
    (108.0, 1828.9),
    (144.0, 1775.0),
    (216.0, 1702.2),
];

/// `raytracer` of the same package (Gunther 2007).
const RAYTRACER: [(f64, f64); 11] = [
    (1.0, 20.0),
    (4.0, 78.0),
    (8.0, 130.0),
    (12.0, 170.0),
    (16.0, 190.0),
    (20.0, 200.0),
    (24.0, 210.0),
    (28.0, 230.0),
    (32.0, 260.0),
    (48.0, 280.0),
    (64.0, 310.0),
];

// scipy 1.x: `curve_fit(lambda n, l, s, k: l*n/(1+s*(n-1)+k*n*(n-1)), n, x, bounds=(0, inf), xtol=1e-15, ftol=1e-15, gtol=1e-15)`
// gives 89.9951834, 0.0277284140, 1.04365772e-4; the package's own test of `limit.scalability`, which is l / s, has 3245.589. The
// residuals are from `x / f(n) - 1`; the peaks without one level each from the same call; `t.ppf(.975, 6)` times
// their jackknife error is 38.7327.
#[test]
fn specsdm91_is_fitted_as_by_the_package_usl_and_scipy() {
    let law = fit(&SPECSDM91).unwrap();
    near(law.lambda, 89.995_183_4, 1e-6);
    near(law.sigma, 0.027_728_414, 1e-5);
    near(law.kappa, 1.043_657_72e-4, 1e-5);
    near(law.lambda / law.sigma, 3245.589, 1e-5);
    near(law.peak.unwrap(), 96.519_430_7, 1e-5);
    near(law.worst_residual, 0.278_850_29, 1e-5);
    near(law.mean_residual, 0.114_153_36, 1e-5);
    let interval = law.peak_interval.unwrap();
    near(interval.high - interval.value, 38.732_684, 1e-3);
    near(interval.value - interval.low, 38.732_684, 1e-3);
}

// The same call of scipy: 21.8488427, 0.0577707802, 2.7e-28. The interval has no peak to be of.
#[test]
fn what_pays_nothing_for_each_other_has_no_peak() {
    let law = fit(&RAYTRACER).unwrap();
    near(law.lambda, 21.848_842_7, 1e-6);
    near(law.sigma, 0.057_770_780, 1e-5);
    assert!(law.kappa < 1e-9, "{}", law.kappa);
    assert_eq!((law.peak, law.peak_interval), (None, None));
    near(law.worst_residual, 0.084_619_71, 1e-4);
}

// `tests/t02.Rout.save` of the package: made with sigma and kappa of 0.02 each, which it finds.
#[test]
fn coefficients_that_made_a_table_are_found_in_it() {
    let table = [(1.0, 1.0), (2.0, 1.8868), (4.0, 3.0769), (6.0, 3.5294), (8.0, 3.5398), (10.0, 3.3557)];
    let law = fit(&table).unwrap();
    near(law.sigma, 0.02, 1e-3);
    near(law.kappa, 0.02, 1e-3);
    near(law.peak.unwrap(), 7.0, 1e-3); // sqrt(0.98 / 0.02)
    assert!(law.worst_residual < 1e-4);
}

#[test]
fn any_table_is_fitted_without_a_panic_and_without_a_negative_coefficient() {
    let mut random = crate::load::Random::new(7);
    for round in 0..500 {
        let count = 6 + round % 5;
        let level = |at: usize| 2_f64.powi(i32::try_from(at).unwrap());
        let table: Vec<_> =
            (0..count).map(|at| (level(at), 10_f64.powf(random.unit() * 12.0 - 3.0))).collect();
        let Some(law) = fit(&table) else { continue };
        assert!(law.lambda > 0.0 && law.sigma >= 0.0 && law.kappa >= 0.0, "{law:?} of {table:?}");
        assert!(
            [law.lambda, law.sigma, law.kappa, law.worst_residual].iter().all(|x| x.is_finite()),
            "{law:?}"
        );
    }
}

#[test]
fn too_few_levels_are_not_fitted() {
    assert_eq!(fit(&SPECSDM91[..5]), None);
    assert_eq!(fit(&[]), None);
    assert_eq!(fit(&[(1.0, 0.0); 8]), None);
    assert_eq!(fit(&[(4.0, 10.0); 8]).map(|law| law.peak), Some(None)); // one level, eight times
}
