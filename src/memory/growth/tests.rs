//! The verdict on series whose answer is known.

use super::*;

fn report(live: &[i64]) -> GrowthReport {
    GrowthReport::of_live_bytes(live).unwrap()
}

fn series(rounds: i64, live: impl Fn(i64) -> i64) -> Vec<i64> {
    (0..rounds).map(live).collect()
}

/// Noise of -200 to 200 bytes without a trend: multiples of a number without a common factor with 401.
fn noise(round: i64) -> i64 {
    round * 151 % 401 - 200
}

#[test]
fn a_constant_passes_the_ceiling_of_zero() {
    for rounds in [20, 30, 100, 600] {
        let constant = report(&series(rounds, |_| 123_456));
        assert_eq!((constant.bytes_per_round, constant.trend_z), (0.0, 0.0));
        assert_eq!((constant.bytes_per_round_low, constant.bytes_per_round_high), (0.0, 0.0));
        assert_eq!(constant.verdict(0.0), GrowthVerdict::Pass);
    }
}

#[test]
fn sixteen_bytes_each_round_fail_below_sixteen() {
    for rounds in [20, 21, 33, 100, 599] {
        let leak = report(&series(rounds, |round| 16 * round));
        assert_eq!(leak.bytes_per_round, 16.0, "{rounds} rounds");
        assert_eq!(leak.verdict(0.0), GrowthVerdict::Fail, "{rounds} rounds");
        assert_eq!(leak.verdict(8.0), GrowthVerdict::Fail, "{rounds} rounds");
        assert_eq!(leak.verdict(16.0), GrowthVerdict::Pass, "{rounds} rounds");
    }
}

#[test]
fn a_byte_each_round_is_below_the_resolution_and_still_seen_without_noise() {
    assert_eq!(report(&series(20, |round| round)).verdict(0.0), GrowthVerdict::Fail);
}

#[test]
fn one_time_allocations_of_the_first_rounds_pass() {
    for rounds in [20, 30, 100] {
        let lazies = report(&series(rounds, |round| 8_000 * round.min(4)));
        assert_eq!(lazies.verdict(0.0), GrowthVerdict::Pass, "{rounds} rounds\n{lazies}");
    }
}

#[test]
fn a_clear_leak_fails_in_few_rounds() {
    for rounds in [20, 30, 50] {
        let leak = report(&series(rounds, |round| 1_024 * round + noise(round)));
        assert_eq!(leak.verdict(0.0), GrowthVerdict::Fail, "{leak}");
        assert_eq!(leak.verdict(512.0), GrowthVerdict::Fail, "{leak}");
        assert_eq!(leak.verdict(2_048.0), GrowthVerdict::Pass, "{leak}");
    }
}

#[test]
fn noise_alone_passes_a_ceiling_above_it() {
    for rounds in [20, 30, 50, 100] {
        let flat = report(&series(rounds, noise));
        assert_eq!(flat.verdict(64.0), GrowthVerdict::Pass, "{flat}");
        assert_ne!(flat.verdict(0.0), GrowthVerdict::Fail, "{flat}");
    }
}

#[test]
fn one_jump_never_fails_wherever_it_is() {
    for at in 0..100 {
        let jump = report(&series(100, |round| if round < at { 0 } else { 1 << 20 }));
        assert_ne!(jump.verdict(0.0), GrowthVerdict::Fail, "at {at}\n{jump}");
    }
}

// A table that keeps one entry of each round is a leak, one that stops is not, and both jump: neither may be decided.
#[test]
fn a_table_that_doubles_is_never_failed_and_never_passed() {
    for rounds in [40, 100, 250, 511, 600] {
        let table = report(&series(rounds, |round| {
            48 * (round + 1).cast_unsigned().next_power_of_two().cast_signed()
        }));
        assert_eq!(table.verdict(0.0), GrowthVerdict::Inconclusive, "{rounds} rounds\n{table}");
    }
}

#[test]
fn a_cache_that_fills_up_does_not_fail() {
    for full_at in [10, 30, 50, 70] {
        let cache = report(&series(100, |round| 1_000 * round.min(full_at) + noise(round) / 10));
        assert_ne!(cache.verdict(0.0), GrowthVerdict::Fail, "full at {full_at}\n{cache}");
    }
    let early = report(&series(100, |round| 1_000 * round.min(20)));
    assert_eq!(early.verdict(0.0), GrowthVerdict::Pass, "{early}");
}

#[test]
fn a_sawtooth_shorter_than_a_block_passes() {
    for period in [2, 3, 5, 8, 13] {
        let sawtooth = report(&series(600, |round| 2_048 * (round % period)));
        assert_eq!(sawtooth.verdict(0.0), GrowthVerdict::Pass, "period {period}\n{sawtooth}");
    }
}

#[test]
fn a_sawtooth_above_a_leak_fails() {
    let both = report(&series(600, |round| 2_048 * (round % 8) + 64 * round));
    assert_eq!(both.verdict(0.0), GrowthVerdict::Fail, "{both}");
}

#[test]
fn a_shift_changes_only_the_figures_of_live_bytes() {
    let live = series(60, |round| 40 * round + noise(round));
    let original = report(&live);
    for shift in [-5_000_000, 1, 1 << 50] {
        let shifted = report(&live.iter().map(|bytes| bytes + shift).collect::<Vec<_>>());
        let blocks = original.live_bytes_by_block.clone();
        assert_eq!(GrowthReport { live_bytes_by_block: blocks, ..shifted }, original, "{shift}");
    }
}

#[test]
fn a_scale_scales_the_slope_and_keeps_the_trend() {
    let live = series(60, |round| 40 * round + noise(round));
    let original = report(&live);
    let scaled = report(&live.iter().map(|bytes| bytes * 8).collect::<Vec<_>>());
    assert_eq!(scaled.trend_z, original.trend_z);
    assert_eq!(scaled.bytes_per_round, original.bytes_per_round * 8.0);
    assert_eq!(scaled.bytes_per_round_low, original.bytes_per_round_low * 8.0);
    assert_eq!(scaled.steps_bytes_per_round, original.steps_bytes_per_round.map(|step| step * 8.0));
}

#[test]
fn a_higher_ceiling_is_never_judged_worse() {
    let live = series(100, |round| 20 * round + 3 * noise(round));
    let rank = |verdict| match verdict {
        GrowthVerdict::Fail => 0,
        GrowthVerdict::Inconclusive => 1,
        GrowthVerdict::Pass => 2,
    };
    let ranks: Vec<i32> = (0..60).map(|ceiling| rank(report(&live).verdict(f64::from(ceiling)))).collect();
    assert!(ranks.is_sorted() && ranks.first() == Some(&0) && ranks.last() == Some(&2), "{ranks:?}");
}

#[test]
fn a_report_survives_json() {
    let original = report(&series(30, |round| 64 * round));
    let text = serde_json::to_string(&original).unwrap();
    assert_eq!(serde_json::from_str::<GrowthReport>(&text).unwrap(), original);
}

#[test]
fn a_ceiling_that_is_no_number_does_not_pass() {
    assert_eq!(report(&series(20, |_| 0)).verdict(f64::NAN), GrowthVerdict::Inconclusive);
}

#[test]
fn too_few_rounds_are_an_error_that_names_the_fix() {
    let error = GrowthReport::of_live_bytes(&[0; 19]).unwrap_err();
    assert_eq!(error.kind(), GrowthErrorKind::TooFewRounds);
    assert_eq!(error.to_string(), "19 rounds are too few to see growth (run 20 or more)");
    assert!(error.report().is_none());
    assert!(GrowthReport::of_live_bytes(&[]).is_err());
}

#[test]
#[should_panic(
    expected = "each round leaves bytes behind\n  expected  at most 8 bytes per round\n  growth    16.0 bytes"
)]
fn a_leak_panics_with_its_figures() {
    report(&series(20, |round| 16 * round)).assert_at_most(8.0);
}

#[test]
fn an_inconclusive_check_says_how_many_rounds_tell() {
    let error = report(&series(30, |round| noise(round) * 10)).check_at_most(8.0).unwrap_err();
    assert_eq!(error.kind(), GrowthErrorKind::Inconclusive);
    let rounds = error.rounds_to_tell().unwrap();
    assert!((31..3_000).contains(&rounds), "{rounds}");
    let text = error.to_string();
    assert!(text.contains("  verdict   inconclusive\n"), "{text}");
    assert!(text.ends_with(&format!("run about {rounds} rounds, or raise the ceiling")), "{text}");
}

#[test]
fn a_jump_is_named_as_such() {
    let error =
        report(&series(100, |round| if round < 60 { 0 } else { 4_096 })).check_at_most(0.0).unwrap_err();
    assert_eq!(error.rounds_to_tell(), Some(200));
    assert!(error.to_string().contains("in jumps or ever slower"), "{error}");
}
