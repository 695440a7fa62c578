//! What cannot be run, and what to change.

use std::time::Duration;

use super::phase::{Closed, Phase, Until};
use super::plan::{Arrivals, HIGHEST_RATE};
use super::text::{rate, time};
use super::{LoadError, Schedule};
use crate::load::error::LoadErrorKind;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MOST_WORKERS: usize = 100_000;
/// Each has figures of its own in the report.
const MOST_BURSTS: u64 = 10_000;
const MOST_STEPS: u32 = 10_000;
/// They are gone through one by one to count them.
const MOST_RANDOM: f64 = 1e9;
/// What `f64` counts without a gap.
const MOST_OPERATIONS: u64 = 1 << 53;

pub(super) fn check(schedule: &Schedule) -> Result<(), LoadError> {
    if schedule.phases.is_empty() {
        return refuse("the schedule has no phases (begin with `Schedule::steady` or another)");
    }
    schedule.phases.iter().try_for_each(of_phase)?;
    whole(&schedule.phases)?;
    schedule.runs().filter(|run| !matches!(run[0], Phase::Closed(_))).try_for_each(has_operations)
}

fn refuse<T>(what: impl Into<String>) -> Result<T, LoadError> {
    Err(LoadError::new(LoadErrorKind::Schedule, what))
}

fn of_phase(phase: &Phase) -> Result<(), LoadError> {
    match *phase {
        Phase::Steady { rate, duration } => {
            above_zero(phase, rate)?;
            lasts(phase, duration)
        }
        Phase::Burst { size, every, bursts } => of_bursts(phase, size, every, bursts),
        Phase::Ramp { from, to, duration } => {
            one_above_zero(phase, from, to)?;
            lasts(phase, duration)
        }
        Phase::Stairs { from, to, steps, step } => {
            one_above_zero(phase, from, to)?;
            match steps {
                0 => refuse(format!("`{phase}` has no steps (ask for at least one)")),
                1..=MOST_STEPS => lasts(phase, step),
                _ => refuse(format!("`{phase}` has more than {MOST_STEPS} steps (take fewer, or a ramp)")),
            }
        }
        Phase::Spike { base, peak, during, .. } => {
            in_range(phase, base)?;
            above_zero(phase, peak)?;
            lasts(phase, during)
        }
        Phase::Poisson { rate, duration, .. } => {
            above_zero(phase, rate)?;
            lasts(phase, duration)?;
            if rate * duration.as_secs_f64() > MOST_RANDOM {
                let hint = "at most 1000000000: shorten it, or take a steady rate";
                return refuse(format!("`{phase}` has too many operations to count ({hint})"));
            }
            Ok(())
        }
        Phase::Closed(closed) => of_closed(phase, closed),
    }
}

fn of_bursts(phase: &Phase, size: u64, every: Duration, bursts: u64) -> Result<(), LoadError> {
    if size == 0 {
        return refuse(format!(
            "the bursts of `{phase}` are of no operations (ask for at least one in each)"
        ));
    }
    if bursts == 0 {
        return refuse(format!("`{phase}` has no bursts (ask for at least one)"));
    }
    lasts(phase, every)
}

fn of_closed(phase: &Phase, closed: Closed) -> Result<(), LoadError> {
    match closed.workers {
        0 => return refuse(format!("`{phase}` has no workers (ask for at least one)")),
        1..=MOST_WORKERS => {}
        _ => return refuse(format!("`{phase}` has too many workers (at most {MOST_WORKERS})")),
    }
    if closed.think > DAY {
        return refuse(format!("the thinking of `{phase}` is longer than a day (shorten it)"));
    }
    match closed.until {
        Until::Time(duration) => lasts(phase, duration),
        Until::Count(0) => refuse(format!("`{phase}` has no operations (ask for at least one)")),
        Until::Count(_) => Ok(()),
    }
}

fn in_range(phase: &Phase, value: f64) -> Result<(), LoadError> {
    let (what, hint) = match value {
        value if value.is_nan() => ("not a number", "was 0 divided by 0?"),
        value if value.is_infinite() => ("infinite", "was something divided by 0?"),
        value if value < 0.0 => ("below zero", "ask for one above 0/s"),
        value if value > HIGHEST_RATE => ("too high", "at most 1000000000/s"),
        _ => return Ok(()),
    };
    refuse(format!("the rate `{}` of `{phase}` is {what} ({hint})", rate(value)))
}

fn above_zero(phase: &Phase, value: f64) -> Result<(), LoadError> {
    in_range(phase, value)?;
    if value > 0.0 {
        return Ok(());
    }
    refuse(format!("the rate `{}` of `{phase}` is zero (ask for one above 0/s)", rate(value)))
}

fn one_above_zero(phase: &Phase, from: f64, to: f64) -> Result<(), LoadError> {
    in_range(phase, from)?;
    in_range(phase, to)?;
    if from > 0.0 || to > 0.0 {
        return Ok(());
    }
    refuse(format!("both rates of `{phase}` are zero (ask for one above 0/s)"))
}

fn lasts(phase: &Phase, duration: Duration) -> Result<(), LoadError> {
    if duration.is_zero() {
        return refuse(format!("`{phase}` takes no time (ask for a duration above 0)"));
    }
    Ok(())
}

/// What may not be too much in all.
fn whole(phases: &[Phase]) -> Result<(), LoadError> {
    let length = phases.iter().filter_map(Phase::duration).fold(Duration::ZERO, Duration::saturating_add);
    if length > DAY {
        let length = if length == Duration::MAX { "longer than can be counted".into() } else { time(length) };
        return refuse(format!("the schedule takes more than a day: `{length}` (shorten it)"));
    }
    let bursts = phases.iter().map(|phase| if let Phase::Burst { bursts, .. } = phase { *bursts } else { 0 });
    let bursts = bursts.fold(0, u64::saturating_add);
    if bursts > MOST_BURSTS {
        return refuse(format!("the schedule has too many bursts: `{bursts}` (at most {MOST_BURSTS})"));
    }
    let counted = phases.iter().map(|phase| match *phase {
        Phase::Burst { size, bursts, .. } => size.saturating_mul(bursts),
        Phase::Closed(Closed { until: Until::Count(count), .. }) => count,
        // A day at the highest rate is 2^46.3.
        _ => 0,
    });
    let counted = counted.fold(0, u64::saturating_add);
    if counted > MOST_OPERATIONS / 2 {
        let most = MOST_OPERATIONS / 2;
        return refuse(format!("the schedule has too many operations: `{counted}` (at most {most})"));
    }
    Ok(())
}

fn has_operations(run: &[Phase]) -> Result<(), LoadError> {
    if Arrivals::of(run).next().is_some() {
        return Ok(());
    }
    let text = run.iter().map(ToString::to_string).collect::<Vec<_>>().join(", then ");
    let what = match run.iter().find(|phase| matches!(phase, Phase::Poisson { .. })) {
        Some(_) => {
            "has no operation by chance, so low is the rate (raise it or the duration, or change the seed)"
        }
        None => "comes to less than one operation (raise the rate or the duration)",
    };
    refuse(format!("`{text}` {what}"))
}

#[cfg(test)]
mod tests {
    use super::super::Rate;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn rate(value: f64) -> Rate {
        Rate::per_second(value)
    }

    fn steady(value: f64) -> Schedule {
        Schedule::steady(rate(value), SECOND)
    }

    #[track_caller]
    fn refused(schedule: &Schedule, text: &str) {
        let error = schedule.check().unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (LoadErrorKind::Schedule, text));
        // What is open to everybody neither panics nor goes on for ever.
        assert_eq!((schedule.operations(), schedule.arrivals().count()), (None, 0));
        let _ = schedule.duration();
    }

    #[test]
    fn rates_that_cannot_be_are_refused() {
        let hint = "ask for one above 0/s";
        refused(&steady(0.0), &format!("the rate `0/s` of `steady 0/s for 1 s` is zero ({hint})"));
        refused(&steady(-1.0), &format!("the rate `-1/s` of `steady -1/s for 1 s` is below zero ({hint})"));
        let text = "the rate `NaN/s` of `steady NaN/s for 1 s` is not a number (was 0 divided by 0?)";
        refused(&steady(f64::NAN), text);
        let text =
            "the rate `inf/s` of `ramp 1/s to inf/s for 1 s` is infinite (was something divided by 0?)";
        refused(&Schedule::ramp(rate(1.0), rate(f64::INFINITY), SECOND), text);
        let text = "the rate `2000000000/s` of `poisson 2000000000/s for 1 s, seed 0` is too high (at most 1000000000/s)";
        refused(&Schedule::poisson(rate(2e9), SECOND, 0), text);
        let text = format!("both rates of `ramp 0/s to 0/s for 1 s` are zero ({hint})");
        refused(&Schedule::ramp(rate(0.0), rate(0.0), SECOND), &text);
        let text =
            "the rate `0/s` of `spike 1/s for 1 s, 0/s for 1 s, 1/s for 1 s` is zero (ask for one above 0/s)";
        refused(&Schedule::spike(rate(1.0), rate(0.0), SECOND, SECOND, SECOND), text);
    }

    #[test]
    fn nothing_to_do_is_refused() {
        refused(
            &Schedule::phases([]),
            "the schedule has no phases (begin with `Schedule::steady` or another)",
        );
        let text = "`steady 1/s for 0 ns` takes no time (ask for a duration above 0)";
        refused(&Schedule::steady(rate(1.0), Duration::ZERO), text);
        let text = "`closed 0 workers for 1 s` has no workers (ask for at least one)";
        refused(&Schedule::closed(0, SECOND), text);
        let text = "`closed 1 worker for 0 operations` has no operations (ask for at least one)";
        refused(&Schedule::closed_count(1, 0), text);
        let text =
            "the bursts of `burst 0 each 1 s, 2 times` are of no operations (ask for at least one in each)";
        refused(&Schedule::burst(0, SECOND, 2), text);
        refused(
            &Schedule::burst(1, SECOND, 0),
            "`burst 1 each 1 s, 0 times` has no bursts (ask for at least one)",
        );
        let text = "`stairs 1/s to 2/s in 0 steps of 1 s` has no steps (ask for at least one)";
        refused(&Schedule::stairs(rate(1.0), rate(2.0), 0, SECOND), text);
        let text = "`steady 0.5/s for 1 s` comes to less than one operation (raise the rate or the duration)";
        refused(&steady(0.5), text);
        let text = "`poisson 0.001/s for 1 s, seed 1` has no operation by chance, so low is the rate \
                    (raise it or the duration, or change the seed)";
        refused(&Schedule::poisson(rate(0.001), SECOND, 1), text);
        // It comes to something with what is after it.
        steady(0.5).then(steady(0.5)).check().unwrap();
    }

    #[test]
    fn too_much_is_refused() {
        let day = Duration::from_secs(86_400);
        Schedule::steady(rate(1e9), day).check().unwrap();
        let text = "the schedule takes more than a day: `86400.000000001 s` (shorten it)";
        refused(&Schedule::steady(rate(1.0), day + Duration::from_nanos(1)), text);
        let text = "the schedule takes more than a day: `86401 s` (shorten it)";
        refused(&Schedule::closed(1, day).then(steady(1.0)), text);
        let text = "the schedule takes more than a day: `longer than can be counted` (shorten it)";
        refused(&Schedule::closed(1, Duration::MAX).then(steady(1.0)), text);
        refused(&Schedule::spike(rate(1.0), rate(2.0), Duration::MAX, Duration::MAX, Duration::MAX), text);
        let text = "the thinking of `closed 1 worker for 1 s, 86401 s of thinking` is longer than a day (shorten it)";
        refused(&Schedule::closed(1, SECOND).think(day + SECOND), text);
        refused(
            &Schedule::closed(100_001, SECOND),
            "`closed 100001 workers for 1 s` has too many workers (at most 100000)",
        );
        let bursts = |bursts| Schedule::burst(1, SECOND / 1_000, bursts);
        bursts(10_000).check().unwrap();
        let text = "the schedule has too many bursts: `10001` (at most 10000)";
        refused(&bursts(10_000).then(bursts(1)), text);
        let text =
            "`stairs 1/s to 2/s in 10001 steps of 1 s` has more than 10000 steps (take fewer, or a ramp)";
        refused(&Schedule::stairs(rate(1.0), rate(2.0), 10_001, SECOND), text);
        let text = "`poisson 1000000000/s for 2 s, seed 0` has too many operations to count \
                    (at most 1000000000: shorten it, or take a steady rate)";
        refused(&Schedule::poisson(rate(1e9), 2 * SECOND, 0), text);
        let text = "the schedule has too many operations: `18446744073709551615` (at most 4503599627370496)";
        refused(&Schedule::burst(u64::MAX, SECOND, 2), text);
    }
}
