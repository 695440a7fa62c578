//! A schedule as a person reads it.

use std::fmt;
use std::time::Duration;

use super::phase::{Closed, Phase, Until};
use super::{Rate, Schedule};

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", rate(self.0))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, phase) in self.phases.iter().enumerate() {
            let between = if place == 0 { "" } else { ", then " };
            write!(f, "{between}{phase}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Steady { rate: level, duration } => {
                write!(f, "steady {} for {}", rate(level), time(duration))
            }
            Self::Burst { size, every, bursts: 1 } => write!(f, "burst {size} each {}, once", time(every)),
            Self::Burst { size, every, bursts } => {
                write!(f, "burst {size} each {}, {bursts} times", time(every))
            }
            Self::Ramp { from, to, duration } => {
                write!(f, "ramp {} to {} for {}", rate(from), rate(to), time(duration))
            }
            Self::Stairs { from, to, steps, step } => {
                let plural = if steps == 1 { "step" } else { "steps" };
                write!(f, "stairs {} to {} in {steps} {plural} of {}", rate(from), rate(to), time(step))
            }
            Self::Spike { base, peak, before, during, after } => {
                let [before, during, after] = [before, during, after].map(time);
                let [base, peak] = [base, peak].map(rate);
                write!(f, "spike {base} for {before}, {peak} for {during}, {base} for {after}")
            }
            Self::Poisson { rate: mean, duration, seed } => {
                write!(f, "poisson {} for {}, seed {seed}", rate(mean), time(duration))
            }
            Self::Closed(ref closed) => closed.fmt(f),
        }
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.workers == 1 { "worker" } else { "workers" };
        write!(f, "closed {} {plural} for ", self.workers)?;
        match self.until {
            Until::Time(length) => write!(f, "{}", time(length))?,
            Until::Count(1) => f.write_str("1 operation")?,
            Until::Count(count) => write!(f, "{count} operations")?,
        }
        if !self.think.is_zero() {
            write!(f, ", {} of thinking", time(self.think))?;
        }
        Ok(())
    }
}

/// `1000/s`, with up to six decimals where they say something.
pub(super) fn rate(per_second: f64) -> String {
    let text = format!("{per_second:.6}");
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if short.trim_start_matches('-') == "0" && per_second != 0.0 {
        return format!("{per_second:e}/s");
    }
    format!("{short}/s")
}

/// `2 s`, `1.5 ms`: all the digits it has, unlike a measured time.
pub(super) fn time(value: Duration) -> String {
    let text = format!("{value:?}");
    let unit = text.find(|character: char| character.is_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    format!("{number} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_reads_as_it_was_asked_for() {
        let second = Duration::from_secs(1);
        let [low, high] = [10.0, 1_000.0].map(Rate::per_second);
        for (schedule, text) in [
            (Schedule::steady(high, 2 * second), "steady 1000/s for 2 s"),
            (Schedule::burst(500, second, 3), "burst 500 each 1 s, 3 times"),
            (Schedule::burst(500, second, 1), "burst 500 each 1 s, once"),
            (Schedule::ramp(low, high, second / 4), "ramp 10/s to 1000/s for 250 ms"),
            (Schedule::stairs(low, high, 5, second), "stairs 10/s to 1000/s in 5 steps of 1 s"),
            (
                Schedule::spike(low, high, second, second / 2, 3 * second),
                "spike 10/s for 1 s, 1000/s for 500 ms, 10/s for 3 s",
            ),
            (Schedule::poisson(high, second, 7), "poisson 1000/s for 1 s, seed 7"),
            (Schedule::closed(1, 3 * second / 2), "closed 1 worker for 1.5 s"),
            (
                Schedule::closed_count(4, 1_000).think(second / 100),
                "closed 4 workers for 1000 operations, 10 ms of thinking",
            ),
        ] {
            assert_eq!(schedule.to_string(), text);
        }
        let both = Schedule::steady(high, 2 * second).then(Schedule::burst(500, second, 3));
        assert_eq!(both.to_string(), "steady 1000/s for 2 s, then burst 500 each 1 s, 3 times");
    }

    #[test]
    fn rates_have_the_digits_that_they_need() {
        for (value, text) in [
            (0.0, "0/s"),
            (0.5, "0.5/s"),
            (1.0 / 60.0, "0.016667/s"),
            (100.0, "100/s"),
            (1e9, "1000000000/s"),
            (2e-9, "2e-9/s"),
            (f64::NAN, "NaN/s"),
            (f64::INFINITY, "inf/s"),
            (-3.0, "-3/s"),
        ] {
            assert_eq!(Rate::per_second(value).to_string(), text);
        }
    }
}
