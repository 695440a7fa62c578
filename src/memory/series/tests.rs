use std::time::Duration;

use super::slope::{Line, block_medians, theil_sen};
use super::*;

const HOUR: Duration = Duration::from_secs(3600);

/// The same numbers in each run, uniform from -1 to 1 (Marsaglia's xorshift).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

/// One value a second, by its number.
fn series(capacity: usize, length: u64, value: impl FnMut(u64) -> f64) -> Series {
    let mut series = Series::with_capacity(capacity);
    (0..length)
        .map(value)
        .zip(0..)
        .for_each(|(value, second)| series.push(Duration::from_secs(second), value));
    series
}

fn seconds(series: &Series) -> Vec<u64> {
    series.points().map(|point| point.at.as_secs()).collect()
}

#[track_caller]
fn assert_close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{actual} is not {expected}");
}

#[test]
fn an_empty_series_has_no_figures() {
    let series = Series::default();
    assert!(series.is_empty());
    assert_eq!((series.len(), series.points().count()), (0, 0));
    assert_eq!((series.first(), series.last(), series.min(), series.max()), (None, None, None, None));
    assert_eq!((series.mean(), series.slope_per_hour()), (None, None));
}

#[test]
fn one_value_is_every_figure() {
    let series = series(8, 1, |_| 3.0);
    let point = Some(SeriesPoint { at: Duration::ZERO, value: 3.0 });
    assert_eq!((series.first(), series.last(), series.min(), series.max()), (point, point, point, point));
    assert_eq!((series.len(), series.mean()), (1, Some(3.0)));
}

#[test]
fn the_mean_is_over_time_and_not_over_the_values() {
    let mut series = Series::default();
    for (second, value) in [(0, 0.0), (1, 0.0), (2, 10.0), (10, 10.0)] {
        series.push(Duration::from_secs(second), value);
    }
    assert_close(series.mean().unwrap(), 8.5); // 5 in the second second, 80 in the last eight, of ten
}

#[test]
fn values_of_one_moment_have_their_plain_mean() {
    let mut series = Series::default();
    for value in [1.0, 2.0, 6.0] {
        series.push(HOUR, value);
    }
    assert_eq!(series.mean(), Some(3.0));
}

#[test]
fn thinning_keeps_every_second_point_and_both_ends() {
    assert_eq!(seconds(&series(4, 4, |_| 0.0)), [0, 1, 2, 3]);
    assert_eq!(seconds(&series(4, 5, |_| 0.0)), [0, 2, 4]);
    assert_eq!(seconds(&series(4, 6, |_| 0.0)), [0, 2, 4, 5]);
    assert_eq!(seconds(&series(4, 8, |_| 0.0)), [0, 4, 7]);
    assert_eq!(seconds(&series(4, 17, |_| 0.0)), [0, 8, 16]);
    assert_eq!(seconds(&series(5, 6, |_| 0.0)), [0, 2, 4, 5]);
}

#[test]
fn whatever_the_capacity_the_points_are_bounded_evenly_spaced_and_reach_both_ends() {
    for capacity in [0, 1, 2, 3, 4, 7, 16, 33] {
        for length in 1..300 {
            let series = series(capacity, length, |second| second as f64);
            let seconds = seconds(&series);
            assert!(seconds.len() <= capacity.max(2), "{capacity} {length}: {seconds:?}");
            assert_eq!(seconds.len(), series.len());
            assert_eq!((seconds[0], seconds[seconds.len() - 1]), (0, length - 1), "{capacity} {length}");
            let stride = seconds.get(1).map_or(1, |second| second - seconds[0]);
            let even = seconds.windows(2).rev().skip(1).all(|pair| pair[1] - pair[0] == stride);
            assert!(even, "{capacity} {length}: {seconds:?}");
        }
    }
}

#[test]
fn thinning_changes_neither_mean_nor_extremes() {
    let value = |second: u64| if second == 4321 { 9e9 } else { (second * 7919 % 1000) as f64 };
    let (small, large) = (series(16, 10_000, value), series(1 << 20, 10_000, value));
    assert!(small.len() <= 16 && large.len() == 10_000);
    assert_eq!(small.mean(), large.mean());
    assert_eq!((small.min(), small.max()), (large.min(), large.max()));
    assert_eq!(small.max().unwrap().at, Duration::from_secs(4321));
    let exact: f64 =
        (1..10_000).map(|second| value(second - 1).midpoint(value(second))).sum::<f64>() / 9_999.0;
    assert_close(small.mean().unwrap(), exact);
}

#[test]
fn a_value_that_is_no_number_is_ignored_and_time_does_not_go_back() {
    let mut series = Series::default();
    series.push(HOUR, 1.0);
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        series.push(HOUR * 2, value);
    }
    series.push(Duration::ZERO, 3.0);
    assert_eq!(series.len(), 2);
    assert_eq!(series.last(), Some(SeriesPoint { at: HOUR, value: 3.0 }));
}

#[test]
fn a_series_goes_through_json_unchanged_and_goes_on() {
    let mut before = series(8, 100, |second| (second as f64).sqrt());
    let mut after: Series = serde_json::from_str(&serde_json::to_string(&before).unwrap()).unwrap();
    assert_eq!(before, after);
    before.push(HOUR, 1.0);
    after.push(HOUR, 1.0);
    assert_eq!(before, after);
}

#[test]
fn a_series_from_elsewhere_may_be_wrong_but_does_no_harm() {
    let text = r#"{"capacity":0,"stride":0,"pushed":0,"kept":[],"pending":null,"min":null,"max":null,"area":0,"sum":0}"#;
    let mut series: Series = serde_json::from_str(text).unwrap();
    for second in 0..100 {
        series.push(Duration::from_secs(second), 1.0);
    }
    assert!(series.len() <= 2 && series.slope_per_hour().is_none(), "{series:?}");
}

#[test]
fn the_slope_of_a_line_is_the_line_however_it_was_thinned() {
    for capacity in [32, 100, 1024, 4096] {
        let slope = series(capacity, 3601, |second| 5.0 + second as f64 / 36.0).slope_per_hour().unwrap();
        for figure in [slope.low, slope.per_hour, slope.high] {
            assert!((figure - 100.0).abs() < 1e-6, "{capacity}: {slope:?}");
        }
    }
}

#[test]
fn fewer_than_twenty_points_have_no_slope() {
    assert_eq!(series(64, 19, |second| second as f64).slope_per_hour(), None);
    assert!(series(64, 20, |second| second as f64).slope_per_hour().is_some());
    let mut moment = Series::default();
    (0..100).for_each(|value| moment.push(HOUR, f64::from(value)));
    assert_eq!(moment.slope_per_hour(), None);
}

#[test]
fn a_constant_rises_by_nothing() {
    let slope = series(1024, 3000, |_| 7e9).slope_per_hour().unwrap();
    assert_eq!((slope.low, slope.per_hour, slope.high), (0.0, 0.0, 0.0));
}

#[test]
fn single_outliers_are_no_rise() {
    let series = series(1024, 1000, |second| if second % 97 == 0 { 1e6 } else { 200.0 });
    let slope = series.slope_per_hour().unwrap();
    assert_eq!((slope.low, slope.per_hour, slope.high), (0.0, 0.0, 0.0));
}

#[test]
fn the_first_fifth_is_warm_up_and_no_part_of_the_slope() {
    let series = series(1024, 1000, |second| if second < 200 { second as f64 } else { -(second as f64) });
    let slope = series.slope_per_hour().unwrap();
    for figure in [slope.low, slope.per_hour, slope.high] {
        assert_close(figure, -3600.0);
    }
}

// It falls by as much as it has risen, whatever a part of it looks like.
#[test]
fn a_saw_may_stand_still_also_when_its_teeth_are_few() {
    for period in [5, 20, 60, 100, 250, 400] {
        let slope = series(1024, 1000, |second| (second % period) as f64).slope_per_hour().unwrap();
        assert!(slope.low <= 0.0 && 0.0 <= slope.high, "{period}: {slope:?}");
    }
}

#[test]
fn a_value_that_drifts_and_returns_is_seldom_said_to_rise() {
    let mut noise = Noise(0x5eed);
    let mut held = 0;
    for _ in 0..300 {
        let mut value = 0.0;
        let drift = |_| {
            value = 0.97 * value + noise.next();
            value
        };
        let slope = series(1024, 601, drift).slope_per_hour().unwrap();
        held += u32::from(slope.low <= 0.0 && 0.0 <= slope.high);
    }
    assert!(held >= 276, "{held}");
}

// The interval is worth what it covers: at 95 %, 285 of 300 series, give or take three standard deviations.
#[test]
fn the_interval_holds_the_true_slope_about_as_often_as_it_says() {
    let mut noise = Noise(0x5eed);
    let (mut held, mut above_zero) = (0, 0);
    for _ in 0..300 {
        let slope =
            series(1024, 601, |second| second as f64 / 5.0 + 100.0 * noise.next()).slope_per_hour().unwrap();
        assert!(slope.low <= slope.per_hour && slope.per_hour <= slope.high, "{slope:?}");
        held += u32::from(slope.low <= 720.0 && 720.0 <= slope.high);
        above_zero += u32::from(slope.low > 0.0);
    }
    assert!((276..=297).contains(&held), "{held}");
    assert!(above_zero >= 290, "{above_zero}");
}

#[test]
fn known_points_have_their_known_slope() {
    let points: Vec<(f64, f64)> = (0..6).map(f64::from).zip([0.0, 1.0, 2.0, 3.0, 4.0, 50.0]).collect();
    // Ten slopes of 1; 10, 12.25, 16, 23.5 and 46 to the outlier; one of fifteen is left out at each end.
    assert_eq!(theil_sen(&points), Some(Line { slope: 1.0, low: 1.0, high: 23.5 }));
    assert_eq!(theil_sen(&points[..5]), None);
    assert_eq!(theil_sen(&[]), None);
}

#[test]
fn blocks_are_of_about_equal_size_and_each_point_is_in_one() {
    let points: Vec<(f64, f64)> = (0..7).map(|x| (f64::from(x), f64::from(10 * x))).collect();
    assert_eq!(block_medians(&points, 3), [(0.5, 5.0), (2.5, 25.0), (5.0, 50.0)]);
    assert_eq!(block_medians(&points, 40), points);
    assert_eq!(block_medians(&[], 40), []);
}
