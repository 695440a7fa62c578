//! Properties of plans, over schedules drawn from a seed.

use std::time::Duration;

use super::curve::parts;
use super::phase::{Phase, Slope};
use super::{Burst, Plan, Rate, Schedule, Segment};
use crate::load::random::Random;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

fn per_second(rate: u32) -> Rate {
    Rate::per_second(f64::from(rate))
}

fn plan(schedule: &Schedule) -> Plan {
    schedule.check().unwrap();
    let [Segment::Open(plan)] = &schedule.segments()[..] else {
        panic!("`{schedule}` is not one open piece")
    };
    plan.clone()
}

fn due(schedule: &Schedule) -> Vec<u64> {
    plan(schedule).arrivals().collect()
}

/// A number from `low` to below `high`.
fn drawn(random: &mut Random, low: u32, high: u32) -> u32 {
    low + u32::try_from(random.next().unwrap() % u64::from(high - low)).unwrap()
}

/// A curve of whole rates per second and whole microseconds: what integers can follow exactly.
fn curve(random: &mut Random) -> Schedule {
    let time = |random: &mut Random| Duration::from_micros(u64::from(drawn(random, 1, 400_000)));
    let rate = |random: &mut Random| drawn(random, 1, 5_000);
    let phases = (0..drawn(random, 1, 6)).map(|_| match drawn(random, 0, 4) {
        0 => Schedule::steady(per_second(rate(random)), time(random)),
        1 => Schedule::ramp(per_second(rate(random) - 1), per_second(rate(random)), time(random)),
        2 => Schedule::ramp(per_second(rate(random)), per_second(rate(random) - 1), time(random)),
        _ => {
            let [before, during, after] = [time(random), time(random), time(random)];
            let [base, peak] = [rate(random) - 1, rate(random)].map(per_second);
            Schedule::spike(base, peak, before, during, after)
        }
    });
    Schedule::phases(phases.collect::<Vec<_>>())
}

/// Anything that is open and can be run.
fn open(random: &mut Random) -> Schedule {
    let middle = match drawn(random, 0, 3) {
        0 => Schedule::burst(u64::from(drawn(random, 1, 50)), SECOND / 10, u64::from(drawn(random, 1, 9))),
        1 => Schedule::poisson(per_second(drawn(random, 500, 5_000)), SECOND / 10, random.next().unwrap()),
        _ => Schedule::stairs(per_second(0), per_second(900), drawn(random, 2, 9), SECOND / 20),
    };
    curve(random).then(middle).then(curve(random))
}

fn slopes(schedule: &Schedule) -> Vec<Slope> {
    schedule.phases.iter().filter_map(Phase::slopes).flatten().collect()
}

/// The rates and the length of a slope as integers: per second, and nanoseconds.
#[expect(clippy::cast_possible_truncation, reason = "these rates are whole")]
fn integers(slope: &Slope) -> (i128, i128, i128) {
    (slope.from as i128, slope.to as i128, i128::try_from(slope.duration.as_nanos()).unwrap())
}

/// Twice the integral of the rate, in billionths of an operation.
fn integral(slopes: &[Slope]) -> i128 {
    let of = |slope| {
        let (from, to, length) = integers(slope);
        (from + to) * length
    };
    slopes.iter().map(of).sum()
}

/// Whether the rate's integral comes to `wanted` (twice billionths) within a nanosecond of `due` from the slope's start.
fn is_due(slope: &Slope, due: u64, wanted: i128) -> bool {
    let (from, to, length) = integers(slope);
    let come = |time: i128| 2 * from * time * length + (to - from) * time * time;
    let time = i128::from(due);
    come((time - 1).max(0)) <= wanted * length && wanted * length <= come((time + 1).min(length))
}

#[test]
fn every_arrival_of_a_curve_is_where_exact_arithmetic_puts_it() {
    let mut random = Random::new(1);
    for _ in 0..300 {
        let schedule = curve(&mut random);
        let slopes = slopes(&schedule);
        let total = u64::try_from(integral(&slopes) / 2_000_000_000).unwrap();
        if total == 0 {
            assert_eq!(schedule.operations(), None, "{schedule}");
            continue;
        }
        let due = due(&schedule);
        assert_eq!(due.len() as u64, total, "{schedule}");
        let (mut place, mut before, mut start) = (0, 0, 0);
        for (number, due) in due.into_iter().enumerate() {
            let wanted = 2_000_000_000 * number as i128;
            while before + integral(&slopes[place..=place]) <= wanted {
                before += integral(&slopes[place..=place]);
                start += u64::try_from(slopes[place].duration.as_nanos()).unwrap();
                place += 1;
            }
            let within = due.checked_sub(start).expect("it is due before its slope");
            assert!(is_due(&slopes[place], within, wanted - before), "{schedule}: {number} at {due} ns");
        }
    }
}

#[test]
fn counts_are_exact_and_no_arrival_is_out_of_order_or_after_the_end() {
    let mut random = Random::new(2);
    for _ in 0..300 {
        let schedule = open(&mut random);
        let plan = plan(&schedule);
        let due: Vec<u64> = plan.arrivals().collect();
        assert_eq!(plan.count(), due.len() as u64, "{schedule}");
        assert_eq!(schedule.operations(), Some(plan.count()), "{schedule}");
        assert!(due.is_sorted(), "{schedule}");
        assert_eq!(schedule.duration(), Some(plan.duration()), "{schedule}");
        assert!(u128::from(*due.last().unwrap()) < plan.duration().as_nanos(), "{schedule}");
        let public: Vec<u128> = schedule.arrivals().map(|due| due.as_nanos()).collect();
        assert!(public.into_iter().eq(due.into_iter().map(u128::from)), "{schedule}");
    }
}

#[test]
fn any_window_of_a_steady_rate_has_what_the_rate_comes_to() {
    let mut random = Random::new(3);
    for _ in 0..200 {
        let rate = drawn(&mut random, 100, 100_000);
        let due = due(&Schedule::steady(per_second(rate), SECOND / 5));
        for _ in 0..50 {
            let length = u64::from(drawn(&mut random, 1, 100_000_000));
            let from = u64::from(drawn(&mut random, 0, 100_000_000));
            let before = |end| due.partition_point(|due| *due < end);
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let (found, expected) =
                ((before(from + length) - before(from)) as f64, f64::from(rate) * length as f64 / 1e9);
            assert!((found - expected).abs() <= 1.0 + 1e-6, "{rate}/s: {found}, not {expected}");
        }
    }
}

#[test]
fn a_day_does_not_drift() {
    for rate in [1_u32, 7, 1_000, 999_983, 1_000_000, 333_333_333, 1_000_000_000] {
        let slope = Slope { from: f64::from(rate), to: f64::from(rate), duration: DAY };
        let part = parts(&[slope])[0];
        assert_eq!(part.count, u64::from(rate) * 86_400);
        let mut early = 0_i64;
        let last = (part.count.saturating_sub(2_000)..part.count).collect::<Vec<_>>();
        for &place in &last {
            let (exact, rate) = (u128::from(place) * 1_000_000_000, u128::from(rate));
            let nearest = u64::try_from((exact + rate / 2) / rate).unwrap();
            let found = part.due(place);
            assert!(found.abs_diff(nearest) <= 1, "{rate}/s: {place} at {found} ns, not {nearest}");
            early += nearest.cast_signed() - found.cast_signed();
            assert!(!1_000_000_000_u128.is_multiple_of(rate) || found == nearest, "{rate}/s: {place}");
        }
        // Now and then one is rounded the other way; none of that adds up.
        assert!(
            early.unsigned_abs() <= last.len() as u64 / 10,
            "{rate}/s: {early} ns early in {}",
            last.len()
        );
    }
}

#[test]
fn a_ramp_of_a_day_ends_where_exact_arithmetic_ends_it() {
    for (from, to) in [(0.0, 1e6), (1e6, 0.0), (1.0, 1e9), (999_999.0, 1e6), (5e5, 100.0)] {
        let slope = Slope { from, to, duration: DAY };
        let part = parts(&[slope])[0];
        assert_eq!(i128::from(part.count), integral(&[slope]) / 2_000_000_000, "{from}/s to {to}/s");
        for place in (0..part.count).step_by(usize::try_from(part.count / 1_000).unwrap()) {
            let due = part.due(place);
            assert!(
                is_due(&slope, due, 2_000_000_000 * i128::from(place)),
                "{from}/s to {to}/s: {place} at {due}"
            );
        }
    }
}

#[test]
fn totals_are_those_of_the_closed_forms() {
    let of = |schedule: &Schedule| plan(schedule).count();
    assert_eq!(of(&Schedule::steady(per_second(1_000), 2 * SECOND)), 2_000);
    assert_eq!(of(&Schedule::ramp(per_second(0), per_second(1_000), 2 * SECOND)), 1_000);
    assert_eq!(of(&Schedule::ramp(per_second(300), per_second(100), 2 * SECOND)), 400);
    assert_eq!(of(&Schedule::stairs(per_second(100), per_second(500), 5, SECOND)), 1_500);
    assert_eq!(of(&Schedule::stairs(per_second(500), per_second(0), 3, SECOND)), 750);
    assert_eq!(of(&Schedule::stairs(per_second(100), per_second(500), 1, SECOND)), 100);
    let spike = Schedule::spike(per_second(10), per_second(1_000), SECOND, SECOND / 2, 3 * SECOND);
    assert_eq!(of(&spike), 540);
    assert_eq!(of(&Schedule::burst(500, SECOND, 3)), 1_500);
}

#[test]
fn rates_without_an_exact_number_lose_no_operation() {
    for minutes in 1..600_u32 {
        for per_minute in [1.0, 2.0, 7.0, 90.0] {
            let schedule = Schedule::steady(Rate::per_minute(per_minute), minutes * 60 * SECOND);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and small")]
            let expected = u64::from(minutes) * per_minute as u64;
            assert_eq!(plan(&schedule).count(), expected, "{schedule}");
        }
    }
    let tenths = Schedule::phases((0..10).map(|_| Schedule::steady(Rate::per_second(0.1), SECOND)));
    assert_eq!(due(&tenths), [0]);
}

#[test]
fn a_rate_goes_on_from_phase_to_phase() {
    let parts = |milliseconds: [u64; 3]| {
        let part = |time| Schedule::steady(per_second(1_003), Duration::from_millis(time));
        Schedule::phases(milliseconds.map(part))
    };
    let whole = due(&Schedule::steady(per_second(1_003), SECOND));
    let cut = due(&parts([333, 11, 656]));
    assert_eq!(whole.len(), cut.len());
    assert!(whole.iter().zip(&cut).all(|(whole, cut)| whole.abs_diff(*cut) <= 1));

    // Half an operation is over after each, and comes to one more in the second.
    let half = Schedule::steady(per_second(1), 1_500 * SECOND / 1_000);
    assert_eq!(due(&half), [0]);
    assert_eq!(due(&half.clone().then(half.clone())), [0, 1_000_000_000, 2_000_000_000]);
    let apart = half.clone().then(Schedule::burst(1, SECOND, 1)).then(half);
    assert_eq!(due(&apart), [0, 1_500_000_000, 2_500_000_000]);
}

#[test]
fn bursts_are_where_their_arrivals_are() {
    let schedule = Schedule::steady(per_second(10), SECOND).then(Schedule::burst(3, SECOND, 2));
    let plan = plan(&schedule.then(Schedule::burst(1, SECOND, 1)));
    let at = 1_000_000_000;
    let expected = [(10, 3, at), (13, 3, 2 * at), (16, 1, 3 * at)];
    assert_eq!(plan.bursts(), expected.map(|(first, size, at)| Burst { first, size, at }));
    let due: Vec<u64> = plan.arrivals().collect();
    for burst in plan.bursts() {
        let first = usize::try_from(burst.first).unwrap();
        assert!(due[first..][..usize::try_from(burst.size).unwrap()].iter().all(|due| *due == burst.at));
    }
}

#[test]
fn random_arrivals_have_the_mean_and_the_variance_of_a_poisson_process() {
    // 4 000 windows that have 25 arrivals each on average.
    let schedule = Schedule::poisson(per_second(25_000), 4 * SECOND, 7);
    let mut windows = vec![0.0_f64; 4_000];
    for due in due(&schedule) {
        windows[usize::try_from(due / 1_000_000).unwrap()] += 1.0;
    }
    let mean = windows.iter().sum::<f64>() / 4_000.0;
    let variance = windows.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 3_999.0;
    // Within four standard errors: 5 / sqrt(4000), and 25 * sqrt(2 / 4000).
    assert!((mean - 25.0).abs() < 0.32 && (variance - 25.0).abs() < 2.24, "mean {mean}, variance {variance}");
    // Neighbouring windows know nothing of each other.
    let products = windows.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean));
    let correlation = products.sum::<f64>() / 3_999.0 / variance;
    assert!(correlation.abs() < 0.064, "correlation {correlation}");
}

#[test]
fn the_same_seed_gives_the_same_arrivals_and_another_gives_others() {
    let of = |seed| due(&Schedule::poisson(per_second(1_000), SECOND, seed));
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
    assert_ne!(of(1)[0], 0);
}

#[test]
fn a_warm_up_has_the_rate_of_the_beginning() {
    let of = |schedule: &Schedule| plan(schedule).warm_up(SECOND / 2);
    for (schedule, count) in [
        (Schedule::steady(per_second(100), SECOND).then(Schedule::steady(per_second(1), 9 * SECOND)), 50),
        (Schedule::ramp(per_second(200), per_second(1_000), SECOND), 100),
        (Schedule::ramp(per_second(0), per_second(1_000), SECOND), 250),
        (Schedule::burst(500, 2 * SECOND, 9), 125),
        (Schedule::stairs(per_second(0), per_second(60), 4, SECOND), 10),
        (Schedule::spike(per_second(0), per_second(8), SECOND, SECOND, SECOND), 4),
        (Schedule::steady(per_second(1), SECOND), 0),
    ] {
        let warm_up = of(&schedule);
        assert_eq!(
            (warm_up.count(), warm_up.arrivals().count()),
            (count, usize::try_from(count).unwrap()),
            "{schedule}"
        );
        assert_eq!(warm_up.duration(), SECOND / 2);
        assert_eq!(warm_up.bursts(), []);
    }
    let random = Schedule::poisson(per_second(1_000), SECOND, 5);
    let (first, warm_up) = (plan(&random), of(&random));
    assert!((400..600).contains(&warm_up.count()), "{}", warm_up.count());
    assert!(warm_up.arrivals().zip(first.arrivals()).all(|(one, other)| one != other));
}

#[test]
fn closed_phases_are_pieces_of_their_own() {
    let closed = Schedule::closed(2, SECOND);
    let steady = Schedule::steady(per_second(2), SECOND);
    let mixed = Schedule::phases([steady.clone(), closed, steady.clone(), steady.clone()]);
    let kinds: Vec<bool> =
        mixed.segments().iter().map(|segment| matches!(segment, Segment::Open(_))).collect();
    assert_eq!(kinds, [true, false, true]);
    assert_eq!((mixed.operations(), mixed.duration()), (None, Some(4 * SECOND)));
    let due: Vec<u128> = mixed.arrivals().map(|due| due.as_millis()).collect();
    assert_eq!(due, [0, 500, 2_000, 2_500, 3_000, 3_500]);

    let counted = steady.clone().then(Schedule::closed_count(3, 40)).then(steady).think(SECOND);
    assert_eq!((counted.operations(), counted.duration()), (Some(44), None));
    assert_eq!(counted.arrivals().count(), 2, "nobody knows when the others are due");
    let Segment::Closed(closed) = counted.segments()[1] else { panic!("it is a closed phase") };
    assert_eq!((closed.workers, closed.think), (3, SECOND));
}
