//! Two records, metric by metric.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::metric::{Better, Limits, Metric, MetricKind, Unit};
use super::record::Record;
use super::stats;
use samples::Sides;

mod judge;
mod samples;
mod summary;
#[cfg(test)]
mod tests;
mod words;

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// Better, significantly and by at least what matters.
    Improved,
    /// Worse, significantly and by at least what matters.
    Regressed,
    /// Whatever difference there is, is smaller than what matters. Of a saved record: it is not worse by as much; whether it is better cannot be
    /// told.
    Same,
    /// It cannot be told: too few rounds, or too much noise.
    Inconclusive,
}

/// How the two sides were measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ComparisonKind {
    /// In turn, in one process: A B B A.
    Interleaved,
    /// One of them earlier, or elsewhere.
    Saved,
}

/// What it takes for a verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rules {
    /// How often, over all metrics of a comparison together, equal sides may be told apart by chance.
    pub alpha: f64,
    /// Fewer rounds than this on a side are inconclusive.
    pub least_rounds: usize,
    /// What matters, by the metric's name, where it is not the default ([`Metric::limits`], [`Metric::saved_limits`]).
    pub limits: BTreeMap<String, Limits>,
    /// Whether the sides are designs to choose from: that one is worse than the first is no failure then, nor is what cannot be told a doubt.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub designs: bool,
}

/// Two records, metric by metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Comparison {
    /// What is compared with.
    pub base: String,
    /// What is compared.
    pub candidate: String,
    /// How they were measured.
    pub kind: ComparisonKind,
    /// The rules applied.
    pub rules: Rules,
    /// The metrics that both have, in the order of the candidate's.
    pub metrics: Vec<MetricComparison>,
    /// Metrics that only one of them has, and which: `p99 (base only)`.
    pub unmatched: Vec<String>,
    /// The worst of the metrics: regressed, else inconclusive, else improved, else same. That a time far out cannot be told, as it
    /// rarely can, does not count beside others that can all be told; without any metric, it is inconclusive.
    pub verdict: Verdict,
    /// Why, in one sentence.
    pub reason: String,
    /// What to do, only where the evidence carries it.
    pub recommendation: Option<String>,
    /// What the reader should know of the comparison itself: another machine, rounds that cannot be believed.
    pub warnings: Vec<String>,
}

/// One metric of two records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MetricComparison {
    /// The metric's name.
    pub name: String,
    /// What sort of quantity it is.
    pub kind: MetricKind,
    /// The unit of both sides' values.
    pub unit: Unit,
    /// Whether more is better.
    pub better: Better,
    /// The base, in the metric's unit: of the rounds that count.
    pub base: Spread,
    /// The candidate, in the metric's unit.
    pub candidate: Spread,
    /// What was compared: the values, or their ratios to the control's.
    pub basis: Basis,
    /// Candidate over base, by Hodges and Lehmann; of paired rates, 1 and the shift as a share of the base's median. `None` where a value is zero
    /// or negative.
    pub ratio: Option<Interval>,
    /// Candidate less base, by Hodges and Lehmann, in the metric's unit (of the ratios, where these were compared); `None`
    /// without samples.
    pub shift: Option<Interval>,
    /// The probability of a difference at least as large between equal sides: two-sided, and exact, with ties too, up to 128 samples
    /// of both sides together, or 200 pairs.
    pub p: Option<f64>,
    /// The same, corrected after Holm for the number of metrics compared; `None` where it is not judged, for want of rounds or on another
    /// machine.
    pub adjusted_p: Option<f64>,
    /// What matters.
    pub limits: Limits,
    /// What it comes to.
    pub verdict: Verdict,
    /// Whether it is worse by so much that it is warned of, though it is no regression.
    pub warned: bool,
    /// Why, in one sentence.
    pub reason: String,
}

/// What was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Basis {
    /// The values as they were measured.
    Absolute,
    /// Each round's value divided by that of the control in the same round.
    Control,
    /// Each round's values of both sides with one another: they were measured in turn.
    Paired,
}

/// The samples of one side in short.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Spread {
    /// How many rounds measured it.
    pub count: usize,
    /// The median; `None` without samples, and so are the others.
    pub median: Option<f64>,
    /// The median absolute deviation from the median, not scaled.
    pub mad: Option<f64>,
    /// The smallest.
    pub min: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
}

/// An estimate with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// The lower end of the interval that holds the true value in about 95 of 100 comparisons.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Rules {
    /// For sides that were measured in turn in one process: `alpha` 0.01, at least 10 rounds.
    #[must_use]
    pub fn interleaved() -> Self {
        Self { alpha: 0.01, least_rounds: 10, limits: BTreeMap::new(), designs: false }
    }

    /// For records of which one was saved: `alpha` 0.001, at least 10 rounds.
    ///
    /// It is less than between sides in turn, since the rounds of one record are nearer to one another than to those of an hour later.
    #[must_use]
    pub fn saved() -> Self {
        Self { alpha: 0.001, least_rounds: 10, limits: BTreeMap::new(), designs: false }
    }

    /// How often, over all metrics together, equal sides may be told apart by chance: from 0 to 1.
    #[must_use]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// Fewer rounds than this on a side are inconclusive.
    #[must_use]
    pub fn least_rounds(mut self, rounds: usize) -> Self {
        self.least_rounds = rounds;
        self
    }

    /// What matters of this metric, in place of the default.
    #[must_use]
    pub fn limit(mut self, metric: impl Into<String>, limits: Limits) -> Self {
        self.limits.insert(metric.into(), limits);
        self
    }

    fn limits_of(&self, metric: &Metric, kind: ComparisonKind) -> Limits {
        let default = match kind {
            ComparisonKind::Interleaved => metric.limits(),
            ComparisonKind::Saved => metric.saved_limits(),
        };
        self.limits.get(&metric.name).copied().unwrap_or(default)
    }
}

impl Comparison {
    /// Compares two records, metric by metric. Configurations are the caller's to compare.
    ///
    /// What matters is a share of the base, whichever way: with 10 %, a ratio of 0.9 and less, or 1.1 and more. It takes that and significance to be
    /// regressed or improved; what is significant and less, and what has its whole interval within, is the same. Where the base is
    /// zero nothing is a share of it, and any significant change of at least the floor matters.
    ///
    /// Rounds that cannot be believed are left out: of both sides where these were measured in turn. What is compared then is in
    /// [`MetricComparison::basis`]:
    ///
    /// - of sides measured in turn, the values of each round with one another, by Wilcoxon's signed-rank test: what disturbs a round
    ///   disturbs both;
    /// - of a saved record, the ratios to the control, by Mann and Whitney's U test, where both records have enough of them for this
    ///   metric and name the same control; of memory and errors, which do not drift with the machine, and where there is no
    ///   such control, the values. On one machine the value must have changed too, by what is warned of, or it is inconclusive: what waits
    ///   for a timer takes as long on a busy machine as on an idle one, and the control does not;
    /// - of records from different machines or builds ([`Fingerprint::differences`](super::Fingerprint::differences)), only ratios and memory.
    #[must_use]
    pub fn of(base: &Record, candidate: &Record, kind: ComparisonKind, rules: &Rules) -> Self {
        let differences = match kind {
            ComparisonKind::Interleaved => Vec::new(), // in one process
            ComparisonKind::Saved => candidate.fingerprint.differences(&base.fingerprint),
        };
        Self::with_differences(base, candidate, kind, rules, &differences)
    }

    fn with_differences(
        base: &Record,
        candidate: &Record,
        kind: ComparisonKind,
        rules: &Rules,
        differences: &[String],
    ) -> Self {
        let sides = Sides { base, candidate, kind, elsewhere: differences.first().map(String::as_str) };
        let (metrics, unmatched) = judge::metrics(&sides, rules);
        let summary = summary::of(&sides, &metrics);
        Self {
            base: base.title().to_owned(),
            candidate: candidate.title().to_owned(),
            kind,
            rules: rules.clone(),
            warnings: summary::warnings(&sides, &metrics, differences),
            metrics,
            unmatched,
            verdict: summary.verdict,
            reason: summary.reason,
            recommendation: summary.recommendation,
        }
    }
}

impl Spread {
    /// Sums up samples.
    #[must_use]
    pub fn of(samples: &[f64]) -> Self {
        Self {
            count: samples.len(),
            median: stats::median(samples),
            mad: stats::mad(samples),
            min: samples.iter().copied().min_by(f64::total_cmp),
            max: samples.iter().copied().max_by(f64::total_cmp),
        }
    }
}
