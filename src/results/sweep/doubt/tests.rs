use super::super::law;
use super::super::window::Window;
use super::*;

const LEVELS: [f64; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

fn table(throughputs: [f64; 7]) -> Vec<(f64, f64)> {
    LEVELS.into_iter().zip(throughputs).collect()
}

/// A level with a window for each throughput.
fn rungs(rounds: &[[f64; 7]]) -> Vec<Rung> {
    let window = |throughput: f64| {
        let mut window = Window::default();
        window.put(Figure::Throughput, Some(throughput));
        window
    };
    let rung = |(at, level): (usize, f64)| Rung {
        level,
        windows: rounds.iter().map(|round| window(round[at])).collect(),
    };
    LEVELS.into_iter().enumerate().map(rung).collect()
}

// Measured on a machine that was busy with something else. From 5 538 it falls to 2 539, and rises to 9 903: 1 - 2539 / 5538.
#[test]
fn a_throughput_that_goes_up_and_down_is_told_with_its_deepest_dip() {
    let busy = table([4570.0, 5538.0, 2539.0, 2971.0, 3359.0, 9903.0, 7129.0]);
    assert_eq!(
        erratic(&Axis::Concurrency, &busy).unwrap(),
        "neither knee nor law: throughput goes up and down from level to level, by up to 54.2 %: measure on a machine that \
         does nothing else"
    );
    assert!(erratic(&Axis::Payload, &busy).unwrap().starts_with("no knee: bytes per second go up and down"));
}

#[test]
fn one_peak_a_plateau_and_a_small_dip_are_no_doubt() {
    for throughputs in [
        [1000.0, 2000.0, 4000.0, 8000.0, 4000.0, 2000.0, 1000.0], // falls by half, for good
        [160.0, 161.0, 158.0, 160.0, 159.0, 162.0, 160.0],
        [1000.0, 2000.0, 1600.0, 4000.0, 5000.0, 5000.0, 4000.0], // 20 % down and up again
    ] {
        assert_eq!(erratic(&Axis::Concurrency, &table(throughputs)), None, "{throughputs:?}");
    }
    assert!(erratic(&Axis::Rate, &[(1.0, 10.0), (2.0, 7.4), (4.0, 10.0)]).is_some());
    assert_eq!(erratic(&Axis::Rate, &[(1.0, 10.0), (2.0, 7.6), (4.0, 10.0)]), None);
    assert_eq!(erratic(&Axis::Rate, &[]), None);
}

#[test]
fn a_knee_that_is_elsewhere_in_each_round_is_not_stated() {
    let early = [1000.0, 2000.0, 2000.0, 2000.0, 2000.0, 2000.0, 2000.0];
    let late = [1000.0, 1900.0, 2500.0, 3000.0, 3600.0, 4200.0, 4200.0];
    let told = |rounds: &[[f64; 7]]| {
        let rungs = rungs(rounds);
        let points = table([0, 1, 2, 3, 4, 5, 6].map(|at| rungs[at].median(Figure::Throughput).unwrap()));
        disagreement(&Axis::Concurrency, &rungs.iter().collect::<Vec<_>>(), &points)
    };
    let why = told(&[early, late, early]).unwrap();
    assert!(why.starts_with("no knee: the windows do not agree on it"), "{why}");
    assert!(why.contains("between 2 and 32"), "{why}");
    // A plateau on which noise is a gain of two levels at most.
    let noisy = [1000.0, 2000.0, 2250.0, 2500.0, 2500.0, 2500.0, 2500.0];
    assert_eq!(told(&[early, noisy, early]), None);
    assert_eq!(told(&[early]), None);
}

#[test]
fn a_law_is_stated_up_to_a_fifth_of_misfit() {
    let level = |at: usize| 2_f64.powi(i32::try_from(at).unwrap());
    let fit = |off: f64| {
        let sign = |at: usize| if at.is_multiple_of(2) { 1.0 } else { -1.0 };
        let table: Vec<_> = (0..8).map(|at| (level(at), level(at) * (1.0 + off * sign(at)))).collect();
        law::fit(&table).unwrap()
    };
    assert_eq!(misfit(&fit(0.1)), None);
    let far = fit(0.5);
    assert!(far.mean_residual > MISFIT, "{far}");
    assert!(misfit(&far).unwrap().starts_with("no law: the levels are "), "{far}");
}
