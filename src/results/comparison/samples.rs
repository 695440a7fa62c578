//! Which figures of two records are compared, and what is estimated from them.

use super::{Basis, ComparisonKind, Interval};
use crate::results::metric::{Metric, MetricKind};
use crate::results::record::Record;
use crate::results::stats::{self, paired, two_sample};

/// What is compared with what.
pub(super) struct Sides<'a> {
    pub(super) base: &'a Record,
    pub(super) candidate: &'a Record,
    pub(super) kind: ComparisonKind,
    /// How the machine of the one differs from that of the other, if it does.
    pub(super) elsewhere: Option<&'a str>,
}

/// The figures of one metric that are compared; of pairs, as many of each, in order.
#[derive(Debug)]
pub(super) struct Samples {
    pub(super) basis: Basis,
    pub(super) base: Vec<f64>,
    pub(super) candidate: Vec<f64>,
    /// Whether it is so much in a time. What disturbs a round takes from it, while it multiplies times: pairs of rates are compared by their
    /// differences, all others by their ratios.
    is_rate: bool,
}

/// What is estimated from them.
pub(super) struct Estimates {
    pub(super) p: Option<f64>,
    pub(super) ratio: Option<Interval>,
    pub(super) shift: Option<Interval>,
}

impl Sides<'_> {
    /// The samples of a metric as they were measured, of the rounds that count.
    pub(super) fn values(&self, base: &Metric, candidate: &Metric) -> (Vec<f64>, Vec<f64>) {
        if self.kind == ComparisonKind::Interleaved {
            let rounds = 0..base.samples.len().min(candidate.samples.len());
            let both = rounds.filter(|round| believed(self.base, *round) && believed(self.candidate, *round));
            return both.filter_map(|round| base.samples[round].zip(candidate.samples[round])).unzip();
        }
        (values(self.base, base), values(self.candidate, candidate))
    }

    /// What is compared of a metric, if `least` ratios are enough.
    pub(super) fn compared(&self, base: &Metric, candidate: &Metric, least: usize) -> Samples {
        let is_rate = base.kind == MetricKind::Throughput;
        let ratios = (ratios(self.base, base), ratios(self.candidate, candidate));
        let enough = ratios.0.len().min(ratios.1.len()) >= least.max(1);
        if self.kind == ComparisonKind::Saved && drifts(base.kind) && self.is_one_control() && enough {
            return Samples { basis: Basis::Control, base: ratios.0, candidate: ratios.1, is_rate };
        }
        let (base, candidate) = self.values(base, candidate);
        let basis = match self.kind {
            ComparisonKind::Interleaved => Basis::Paired,
            ComparisonKind::Saved => Basis::Absolute,
        };
        Samples { basis, base, candidate, is_rate }
    }

    pub(super) fn is_one_control(&self) -> bool {
        self.base.control == self.candidate.control
    }
}

/// Whether it is another an hour later, on the same machine.
pub(super) fn drifts(kind: MetricKind) -> bool {
    kind.drifts()
}

fn believed(record: &Record, round: usize) -> bool {
    record.invalid.iter().all(|(invalid, _)| *invalid != round)
}

fn values(record: &Record, metric: &Metric) -> Vec<f64> {
    let rounds = metric.samples.iter().enumerate().filter(|(round, _)| believed(record, *round));
    rounds.filter_map(|(_, sample)| *sample).collect()
}

fn ratios(record: &Record, metric: &Metric) -> Vec<f64> {
    let rounds = metric.samples.iter().zip(&metric.control).enumerate();
    let both = rounds
        .filter(|(round, _)| believed(record, *round))
        .filter_map(|(_, (sample, control))| sample.zip(*control));
    both.filter(|(_, control)| *control > 0.0).map(|(sample, control)| sample / control).collect()
}

impl Samples {
    pub(super) fn estimates(&self) -> Estimates {
        let shift = self.shift(&self.base, &self.candidate);
        let Some((base, candidate)) = self.logs() else {
            return Estimates { p: self.p(&self.base, &self.candidate), ratio: None, shift };
        };
        if self.basis == Basis::Paired && self.is_rate {
            let ratio = shift
                .zip(stats::median(&self.base))
                .map(|(shift, base)| shift.each(|shift| (1.0 + shift / base).max(0.0)));
            return Estimates { p: self.p(&self.base, &self.candidate), ratio, shift };
        }
        let ratio = self.shift(&base, &candidate).map(|shift| shift.each(f64::exp));
        Estimates { p: self.p(&base, &candidate), ratio, shift }
    }

    /// U is the same of values and of their logarithms; pairs are ranked by their differences, and those are not.
    fn p(&self, base: &[f64], candidate: &[f64]) -> Option<f64> {
        match self.basis {
            Basis::Paired => paired::p(&differences(base, candidate)),
            Basis::Absolute | Basis::Control => two_sample::p(base, candidate),
        }
    }

    fn shift(&self, base: &[f64], candidate: &[f64]) -> Option<Interval> {
        match self.basis {
            Basis::Paired => paired::shift(&differences(base, candidate)),
            Basis::Absolute | Basis::Control => two_sample::shift(base, candidate),
        }
    }

    /// The smallest probability that so many samples can have.
    pub(super) fn least_p(&self) -> f64 {
        match self.basis {
            Basis::Paired => paired::least_p(self.base.len()),
            Basis::Absolute | Basis::Control => two_sample::least_p(self.base.len(), self.candidate.len()),
        }
    }

    /// The rounds of the side that has fewer.
    pub(super) fn rounds(&self) -> usize {
        self.base.len().min(self.candidate.len())
    }

    /// `None` where a value has no logarithm.
    fn logs(&self) -> Option<(Vec<f64>, Vec<f64>)> {
        let is_positive = self.base.iter().chain(&self.candidate).all(|value| *value > 0.0);
        let logs = |values: &[f64]| values.iter().map(|value| value.ln()).collect();
        is_positive.then(|| (logs(&self.base), logs(&self.candidate)))
    }
}

fn differences(base: &[f64], candidate: &[f64]) -> Vec<f64> {
    base.iter().zip(candidate).map(|(from, to)| to - from).collect()
}

impl Interval {
    /// The same of something that grows with it.
    pub(super) fn each(self, of: impl Fn(f64) -> f64) -> Self {
        Self { value: of(self.value), low: of(self.low), high: of(self.high) }
    }
}
