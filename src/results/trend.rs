//! How figures have gone from run to run.

mod display;

use serde::{Deserialize, Serialize};

use super::comparison::{Basis, Interval};
use super::document::Results;
use super::metric::{Better, Metric, Unit};
use super::record::Record;
use super::stats;
use super::time::Moment;
use crate::memory;

/// A change of less than this share is no news.
const NEWS: f64 = 0.05;
/// Fewer earlier runs have no deviation worth the name: with four, the same code was 14 of them away.
const LEAST_EARLIER: usize = 8;
/// So many deviations are beyond what runs of the same code differ by.
const NEWS_SIGMAS: f64 = 3.0;
/// The standard deviation of a normal distribution, in median absolute deviations.
const SIGMA: f64 = 1.482_602_2;

/// How the figures of a scenario have gone from run to run: of the runs that were kept, of the configuration of the latest.
///
/// It shows what happened, and judges little ([`MetricTrend::worse`]): runs of different times differ without any change of the code, the
/// more where there is no control. `Display` prints the runs and the changes as tables, with a legend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Trend {
    /// What was measured.
    pub scenario: String,
    /// The runs, the oldest first; empty where there is none that is not quick.
    pub runs: Vec<TrendRun>,
    /// The metrics of the latest run, in its order.
    pub metrics: Vec<MetricTrend>,
    /// How many quick runs were left out.
    pub quick: usize,
    /// How many runs were left out, whole or a side of them, because they are of another configuration than the latest.
    pub other_configuration: usize,
}

/// One run of a [`Trend`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrendRun {
    /// When.
    pub taken: Moment,
    /// The commit's first twelve figures; `None` where it was not known.
    pub commit: Option<String>,
    /// Whether the tree differed from the commit; `None` where that was not known.
    pub changed: Option<bool>,
    /// Why its figures cannot be compared as they are with the latest run's: those of
    /// [`Fingerprint::differences`](super::Fingerprint::differences).
    pub differences: Vec<String>,
}

/// One metric of a [`Trend`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MetricTrend {
    /// The side; `None` where the scenario has none.
    pub side: Option<String>,
    /// The metric's name.
    pub name: String,
    /// The unit of the values as they were measured.
    pub unit: Unit,
    /// Whether more is better.
    pub better: Better,
    /// What the figures below are of: [`Control`](Basis::Control), ratios to the control's, where each run that has the metric has these; else,
    /// and for memory and errors, [`Absolute`](Basis::Absolute), in the unit.
    pub basis: Basis,
    /// The median of each run, in the order of the runs, of its rounds that can be believed; `None` for a run without it.
    pub medians: Vec<Option<f64>>,
    /// By how much it changes from one run to the next, as a share of the median of all (Theil and Sen, with Kendall's interval); `None` below
    /// six runs.
    pub slope: Option<Interval>,
    /// The median of the runs before the latest; `None` without any.
    pub earlier: Option<f64>,
    /// The latest run's.
    pub latest: Option<f64>,
    /// The latest over the earlier ones, less 1: 0.1 is 10 % more; `None` where one is missing, or the earlier is not above zero.
    pub change: Option<f64>,
    /// The latest less the earlier ones, in deviations of these (1.4826 times their median absolute deviation); `None` below eight of
    /// them, and where more than half of these are alike.
    pub sigmas: Option<f64>,
    /// The median of the runs before the latest as they were measured, in the unit: beside `earlier`, where that is a ratio; else `None`.
    #[serde(default)]
    pub plain_earlier: Option<f64>,
    /// The latest run's, likewise.
    #[serde(default)]
    pub plain_latest: Option<f64>,
}

impl Trend {
    /// Puts together the trend of a scenario from its runs, the oldest first.
    #[must_use]
    pub fn of(scenario: &str, runs: &[Results]) -> Self {
        let is_quick = |run: &&Results| run.records.iter().any(|record| record.quick);
        // Sweeps without records have no metrics to follow.
        let (quick, full): (Vec<&Results>, Vec<&Results>) =
            runs.iter().filter(|run| !run.records.is_empty()).partition(is_quick);
        let mut trend = Self {
            scenario: scenario.into(),
            runs: Vec::new(),
            metrics: Vec::new(),
            quick: quick.len(),
            other_configuration: 0,
        };
        let Some(latest) = full.last() else { return trend };
        let alike: Vec<Vec<&Record>> = full.iter().map(|run| alike(run, latest)).collect();
        let left_out = |(run, alike): &(&&Results, &Vec<&Record>)| alike.len() < run.records.len();
        trend.other_configuration = full.iter().zip(&alike).filter(left_out).count();
        let runs: Vec<Vec<&Record>> = alike.into_iter().filter(|records| !records.is_empty()).collect();
        trend.runs =
            runs.iter().filter_map(|run| TrendRun::of(run.first()?, latest.records.first()?)).collect();
        for record in &latest.records {
            let metrics = record.metrics.iter();
            trend
                .metrics
                .extend(metrics.map(|metric| MetricTrend::of(record.side.as_deref(), metric, &runs)));
        }
        trend
    }
}

/// The records of a run that were measured as the latest run's of their side.
fn alike<'a>(run: &'a Results, latest: &Results) -> Vec<&'a Record> {
    let same = |record: &&Record| {
        let of_side = latest.records.iter().find(|latest| latest.side == record.side);
        of_side.is_some_and(|latest| {
            latest.configuration == record.configuration && latest.control == record.control
        })
    };
    run.records.iter().filter(same).collect()
}

impl TrendRun {
    fn of(run: &Record, latest: &Record) -> Option<Self> {
        let commit = run.fingerprint.commit.as_ref();
        Some(Self {
            taken: run.taken,
            commit: commit.map(|commit| commit.short().to_owned()),
            changed: commit.and_then(|commit| commit.changed),
            differences: latest.fingerprint.differences(&run.fingerprint),
        })
    }
}

impl MetricTrend {
    fn of(side: Option<&str>, metric: &Metric, runs: &[Vec<&Record>]) -> Self {
        let in_run = |run: &Vec<&Record>| {
            let record = run.iter().find(|record| record.side.as_deref() == side)?;
            record.believed(&metric.name)
        };
        let of_runs: Vec<Option<Metric>> = runs.iter().map(in_run).collect();
        let by_control =
            metric.kind.drifts() && of_runs.iter().flatten().all(|metric| metric.ratios().is_some());
        let value =
            |metric: &Metric| if by_control { stats::median(&metric.ratios()?) } else { metric.median() };
        let medians: Vec<Option<f64>> = of_runs.iter().map(|metric| value(metric.as_ref()?)).collect();
        let before = medians.len().saturating_sub(1);
        let earlier: Vec<f64> = medians.iter().take(before).copied().flatten().collect();
        let (middle, latest) = (stats::median(&earlier), medians.last().copied().flatten());
        let both = middle.zip(latest);
        let (plain_earlier, plain_latest) = if by_control { plain(&of_runs) } else { (None, None) };
        Self {
            side: side.map(Into::into),
            name: metric.name.clone(),
            unit: metric.unit.clone(),
            better: metric.better,
            basis: if by_control { Basis::Control } else { Basis::Absolute },
            slope: slope(&medians),
            earlier: middle,
            latest,
            change: both.filter(|(middle, _)| *middle > 0.0).map(|(middle, latest)| latest / middle - 1.0),
            sigmas: both.and_then(|(middle, latest)| Some((latest - middle) / deviation(&earlier)?)),
            medians,
            plain_earlier,
            plain_latest,
        }
    }

    /// Returns whether the latest run is worse than the earlier ones (`true`) or better (`false`): by more than 5 %, by more than three of
    /// their deviations (any number, where more than half of them are alike), beyond each of them, and with eight of them at least. `None` for
    /// what is less, and where it is not known.
    #[must_use]
    pub fn worse(&self) -> Option<bool> {
        let change = self.change.filter(|change| change.abs() > NEWS)?;
        let before = self.medians.split_last().map_or(&[][..], |(_, before)| before);
        let earlier: Vec<f64> = before.iter().copied().flatten().collect();
        let is_far = self.sigmas.is_none_or(|sigmas| sigmas.abs() > NEWS_SIGMAS);
        let latest = self.latest?;
        let is_beyond = earlier.iter().all(|one| latest > *one) || earlier.iter().all(|one| latest < *one);
        let is_news = earlier.len() >= LEAST_EARLIER && is_far && is_beyond;
        is_news.then_some((change < 0.0) == (self.better == Better::Higher))
    }
}

/// The median of the runs before the latest, and the latest, as they were measured.
fn plain(of_runs: &[Option<Metric>]) -> (Option<f64>, Option<f64>) {
    let Some((latest, before)) = of_runs.split_last() else { return (None, None) };
    let earlier: Vec<f64> = before.iter().flatten().filter_map(Metric::median).collect();
    (stats::median(&earlier), latest.as_ref().and_then(Metric::median))
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 runs")]
fn slope(medians: &[Option<f64>]) -> Option<Interval> {
    let points = medians.iter().enumerate();
    let points: Vec<(f64, f64)> = points.filter_map(|(at, value)| Some((at as f64, (*value)?))).collect();
    let values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
    let middle = stats::median(&values).filter(|middle| *middle > 0.0)?;
    let [value, low, high] = memory::slope_of(&points)?.map(|slope| slope / middle);
    Some(Interval { value, low, high })
}

fn deviation(values: &[f64]) -> Option<f64> {
    let mad = stats::mad(values).filter(|mad| *mad > 0.0 && values.len() >= LEAST_EARLIER)?;
    Some(mad * SIGMA)
}

#[cfg(test)]
mod tests;
