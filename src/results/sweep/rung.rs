//! The windows of one level, as one.

use super::figure::Figure;
use super::window::Window;
use super::{Level, SweepStop};
use crate::results::metric::Metric;
use crate::results::stats;

/// From this share of failures on, the figures of a level say nothing of the work.
const MOST_ERRORS: f64 = 0.5;

/// One level, and what its windows measured, in order.
#[derive(Clone, Debug)]
pub(super) struct Rung {
    pub(super) level: f64,
    pub(super) windows: Vec<Window>,
}

impl Rung {
    pub(super) fn new(level: f64) -> Self {
        Self { level, windows: Vec::new() }
    }

    pub(super) fn values(&self, figure: Figure) -> Vec<f64> {
        self.windows.iter().filter_map(|window| window.value(figure)).collect()
    }

    /// The median of the windows that measured it.
    pub(super) fn median(&self, figure: Figure) -> Option<f64> {
        stats::median(&self.values(figure))
    }

    /// Most operations ended well: only then are its figures those of the work, and not of what refuses it.
    pub(super) fn is_working(&self) -> bool {
        let failed = self.median(Figure::Errors).is_some_and(|share| share >= MOST_ERRORS);
        !failed && !matches!(self.stop(), Some(SweepStop::NothingAchieved { .. }))
    }

    /// Most of its windows are well.
    pub(super) fn is_well(&self) -> bool {
        let well = self.windows.iter().filter(|window| window.problems.is_empty()).count();
        well * 2 > self.windows.len()
    }

    /// Whether what is not well may be the machine's alone.
    pub(super) fn is_excused(&self) -> bool {
        self.windows.iter().all(|window| window.excused || window.problems.is_empty())
    }

    /// Why there is no use in going higher: where that is so in half of its windows.
    pub(super) fn stop(&self) -> Option<&SweepStop> {
        let stops: Vec<_> = self.windows.iter().filter_map(|window| window.stop.as_ref()).collect();
        stops.first().copied().filter(|_| stops.len() * 2 >= self.windows.len())
    }

    /// Why it is not well, each reason with the number of its windows; empty when it is.
    pub(super) fn problems(&self) -> Vec<String> {
        if self.is_well() {
            return Vec::new();
        }
        let count = self.windows.len();
        let ill = self.windows.iter().enumerate().filter(|(_, window)| !window.problems.is_empty());
        let texts = ill.map(|(number, window)| {
            let which = if count == 1 { String::new() } else { format!("window {}: ", number + 1) };
            format!("{which}{}", window.problems.join("; "))
        });
        texts.collect()
    }

    /// Why it is not well, in short: what the first window that is not says.
    pub(super) fn why(&self) -> Option<String> {
        let ill = || self.windows.iter().filter(|window| !window.problems.is_empty());
        let first = ill().next()?.problems.first()?;
        Some(match self.windows.len() {
            1 => first.clone(),
            count => format!("{first} (so or otherwise in {} of {count} windows)", ill().count()),
        })
    }

    pub(super) fn report(&self) -> Level {
        let metric = |figure: Figure| {
            let samples: Vec<_> = self.windows.iter().map(|window| window.value(figure)).collect();
            let measured = samples.iter().any(Option::is_some);
            measured.then(|| Metric { samples, ..figure.metric() })
        };
        Level {
            level: self.level,
            metrics: Figure::ALL.into_iter().filter_map(metric).collect(),
            problems: self.problems(),
            scalability: None,
        }
    }
}

/// A level as a person reads it: `64`, or `1.5`.
pub(super) fn level_text(level: f64) -> String {
    if level >= 10_000.0 && level.fract() == 0.0 {
        return crate::memory::text::count(crate::memory::text::whole(level));
    }
    level.to_string()
}

#[cfg(test)]
pub(super) fn rungs(figure: Figure, rows: &[(f64, &[f64])]) -> Vec<Rung> {
    let window = |value: &f64| {
        let mut window = Window::default();
        window.put(figure, Some(*value));
        window
    };
    rows.iter()
        .map(|(level, values)| Rung { level: *level, windows: values.iter().map(window).collect() })
        .collect()
}
