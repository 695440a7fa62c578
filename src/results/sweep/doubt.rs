//! What is not stated, and why.
//!
//! | not stated | where |
//! | --- | --- |
//! | knee and law | throughput falls by more than 25 % from one level to a higher one, and rises again above it: a system has one peak |
//! | the knee | the windows of the levels, each round by itself, have it more than two levels and more than a factor of four apart |
//! | the law | the levels are more than 20 % off it, by the root of the mean of the squares |

use super::figure::Figure;
use super::knee::knee;
use super::rung::{Rung, level_text};
use super::{Axis, ScalabilityLaw};
use crate::memory::text::percent;

/// So much may throughput fall between two levels that have more.
const DIP: f64 = 0.25;
/// So far may the measured be off the law. Gunther's table `specsdm91`, which the law is shown by, is 11 % off it.
const MISFIT: f64 = 0.2;
/// So many levels, and such a factor, may the knees of the rounds be apart: on a plateau, noise moves them by one or two.
const LEVELS_APART: usize = 2;
const FACTOR_APART: f64 = 4.0;

const ADVICE: &str = "measure on a machine that does nothing else";

/// Why neither knee nor law is stated: the depth of the deepest dip.
pub(super) fn erratic(axis: &Axis, points: &[(f64, f64)]) -> Option<String> {
    let highest = |points: &[(f64, f64)]| points.iter().map(|(_, output)| *output).reduce(f64::max);
    let depth = |at: usize| {
        let rim = highest(&points[..at])?.min(highest(&points[at + 1..])?);
        Some(1.0 - points[at].1 / rim)
    };
    let deepest = (0..points.len()).filter_map(depth).reduce(f64::max).filter(|depth| *depth > DIP)?;
    let what = if *axis == Axis::Concurrency { "neither knee nor law" } else { "no knee" };
    let goes = if *axis == Axis::Payload { "go" } else { "goes" };
    Some(format!(
        "{what}: {} {goes} up and down from level to level, by up to {}: {ADVICE}",
        axis.what(),
        percent(deepest)
    ))
}

/// Why the knee is not: where the first window of each level has it, where the second, and so on.
pub(super) fn disagreement(axis: &Axis, rungs: &[&Rung], points: &[(f64, f64)]) -> Option<String> {
    knee(points)?;
    let rounds = rungs.iter().map(|rung| rung.windows.len()).min()?;
    let of_round = |round: usize| {
        let output = |rung: &&Rung| {
            let output = axis.output(rung.level, rung.windows[round].value(Figure::Throughput)?)?;
            (output > 0.0).then_some((rung.level, output))
        };
        let points: Vec<_> = rungs.iter().map(output).collect::<Option<_>>()?;
        Some(knee(&points).unwrap_or(points.len() - 1))
    };
    let found: Vec<usize> = (0..rounds).filter_map(of_round).collect();
    let (low, high) = (*found.iter().min()?, *found.iter().max()?);
    let (from, to) = (rungs[low].level, rungs[high].level);
    (high - low > LEVELS_APART && to > from * FACTOR_APART).then(|| {
        format!(
            "no knee: the windows do not agree on it, each round by itself has it between {} and {}: {ADVICE}, or with longer windows",
            level_text(from),
            level_text(to)
        )
    })
}

/// Why a law that was fitted is not stated.
pub(super) fn misfit(law: &ScalabilityLaw) -> Option<String> {
    (law.mean_residual > MISFIT).then(|| {
        format!(
            "no law: the levels are {} off the Universal Scalability Law on average, {} at most",
            percent(law.mean_residual),
            percent(law.worst_residual)
        )
    })
}

#[cfg(test)]
mod tests;
