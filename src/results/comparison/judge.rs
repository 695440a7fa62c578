//! The verdict of each metric.

use super::samples::{Estimates, Samples, Sides};
use super::words::Words;
use super::{Basis, ComparisonKind, Interval, MetricComparison, Rules, Spread, Verdict, samples};
use crate::results::metric::{Better, Limits, Metric, MetricKind};
use crate::results::stats;

/// More rounds than this nobody would measure to tell.
const MOST_ROUNDS: f64 = 1000.0;
/// Shares are right to more than this.
const ROUNDING: f64 = 1e-9;

/// The metrics that both have, judged, and what only one of them has.
pub(super) fn metrics(sides: &Sides<'_>, rules: &Rules) -> (Vec<MetricComparison>, Vec<String>) {
    let mut both = Vec::new();
    let mut unmatched = Vec::new();
    for metric in &sides.candidate.metrics {
        match sides.base.metric(&metric.name) {
            Some(base) if base.unit == metric.unit && base.better == metric.better => {
                both.push(Judged::of(sides, base, metric, rules));
            }
            Some(_) => unmatched.push(format!("{} (of another unit)", metric.name)),
            None => unmatched.push(format!("{} (`{}` only)", metric.name, sides.candidate.title())),
        }
    }
    let only_base = sides.base.metrics.iter().filter(|metric| sides.candidate.metric(&metric.name).is_none());
    unmatched.extend(only_base.map(|metric| format!("{} (`{}` only)", metric.name, sides.base.title())));
    correct(&mut both);
    let family = both.iter().filter(|judged| judged.adjusted_p.is_some()).count();
    let title = sides.candidate.title();
    (both.into_iter().map(|judged| judged.comparison(title, rules, family)).collect(), unmatched)
}

/// Holm over those that are judged. Where all rounds of both sides have one value, such as no error, chance can tell nothing apart, and takes
/// no share of what it is allowed.
fn correct(all: &mut [Judged<'_>]) {
    let is_judged = |judged: &&mut Judged<'_>| judged.not_judged.is_none() && !judged.is_one_value();
    let judged: Vec<&mut Judged<'_>> = all.iter_mut().filter(is_judged).collect();
    let known: Vec<f64> = judged.iter().filter_map(|judged| judged.estimates.p).collect();
    let adjusted = stats::holm(&known);
    let with_p = judged.into_iter().filter(|judged| judged.estimates.p.is_some());
    with_p.zip(adjusted).for_each(|(judged, adjusted)| judged.adjusted_p = Some(adjusted));
}

/// One metric on its way to a verdict.
pub(super) struct Judged<'a> {
    pub(super) metric: &'a Metric,
    pub(super) base: Spread,
    candidate: Spread,
    pub(super) samples: Samples,
    pub(super) estimates: Estimates,
    pub(super) adjusted_p: Option<f64>,
    /// Of what is told by ratios on one machine, how it changed by itself, as a share.
    pub(super) by_itself: Option<f64>,
    pub(super) limits: Limits,
    /// Whether one side is a saved record, of which it is asked whether the other is worse.
    is_saved: bool,
    /// Why there can be no verdict.
    not_judged: Option<String>,
}

impl<'a> Judged<'a> {
    fn of(sides: &Sides<'a>, base: &'a Metric, candidate: &'a Metric, rules: &Rules) -> Self {
        let samples = sides.compared(base, candidate, rules.least_rounds);
        let values = sides.values(base, candidate);
        let (was, now) = (Spread::of(&values.0), Spread::of(&values.1));
        let is_told = samples.basis == Basis::Control && sides.elsewhere.is_none();
        let medians = was.median.zip(now.median).filter(|_| is_told);
        Self {
            metric: candidate,
            base: was,
            candidate: now,
            by_itself: medians.filter(|(was, _)| *was > 0.0).map(|(was, now)| now / was - 1.0),
            estimates: samples.estimates(),
            adjusted_p: None,
            limits: rules.limits_of(candidate, sides.kind),
            is_saved: sides.kind == ComparisonKind::Saved,
            not_judged: few(sides, &samples, rules).or_else(|| elsewhere(sides, &samples, candidate.kind)),
            samples,
        }
    }

    fn comparison(self, title: &str, rules: &Rules, family: usize) -> MetricComparison {
        let words = Words { title, judged: &self };
        let (verdict, reason) = match &self.not_judged {
            Some(why) => (Verdict::Inconclusive, why.clone()),
            None => self.verdict(&words, rules, family),
        };
        let warned = verdict != Verdict::Regressed
            && self.is_significant(rules)
            && self.is_warned()
            && !self.is_the_control();
        MetricComparison {
            name: self.metric.name.clone(),
            kind: self.metric.kind,
            unit: self.metric.unit.clone(),
            better: self.metric.better,
            base: self.base,
            candidate: self.candidate,
            basis: self.samples.basis,
            ratio: self.estimates.ratio,
            shift: self.estimates.shift,
            p: self.estimates.p,
            adjusted_p: self.adjusted_p,
            limits: self.limits,
            verdict,
            warned,
            reason,
        }
    }

    fn verdict(&self, words: &Words<'_>, rules: &Rules, family: usize) -> (Verdict, String) {
        if self.estimates.shift.is_none() {
            return (Verdict::Inconclusive, words.nothing());
        }
        let significant = self.is_significant(rules);
        if significant && self.matters() && self.is_the_control() {
            return (Verdict::Inconclusive, words.the_control());
        }
        if significant && self.matters() {
            return (if self.is_worse() { Verdict::Regressed } else { Verdict::Improved }, words.told());
        }
        if self.is_within() {
            return (Verdict::Same, words.same());
        }
        if significant {
            return (Verdict::Same, words.too_small());
        }
        if self.is_saved && self.is_no_worse() {
            return (Verdict::Same, words.no_worse());
        }
        let hopeless = self.samples.least_p() * whole(family) >= rules.alpha;
        let reason = if hopeless {
            words.hopeless(rules.alpha, family)
        } else {
            words.open(self.rounds_to_tell(rules))
        };
        (Verdict::Inconclusive, reason)
    }

    fn is_significant(&self, rules: &Rules) -> bool {
        self.adjusted_p.is_some_and(|p| p < rules.alpha)
    }

    /// Whether the control changed, and not what is measured: what waits, for a timer or a disk, takes as long on a busy machine as on an idle
    /// one, and a control may be quick in one run and slow in the next, by where the system puts its threads.
    fn is_the_control(&self) -> bool {
        let (Some(told), Some(own)) = (self.change(), self.by_itself) else { return false };
        own * told.value.signum() < self.limits.warn * (1.0 - ROUNDING)
    }

    /// By the change that is told: where values differ much from round to round, their shift may be the other way.
    fn is_worse(&self) -> bool {
        let Some(change) = self.change().or(self.estimates.shift).map(|change| change.value) else {
            return false;
        };
        match self.metric.better {
            Better::Higher => change < 0.0,
            Better::Lower => change > 0.0,
        }
    }

    /// The change as a share of the base; `None` where the base is zero, and nothing is a share of it.
    pub(super) fn change(&self) -> Option<Interval> {
        if let Some(ratio) = self.estimates.ratio {
            return Some(ratio.each(|ratio| ratio - 1.0));
        }
        let (shift, base) = (self.estimates.shift?, stats::median(&self.samples.base)?.abs());
        (base > 0.0).then(|| shift.each(|shift| shift / base))
    }

    /// The change in the metric's unit.
    pub(super) fn units(&self) -> Option<Interval> {
        let shift = self.estimates.shift?;
        if self.samples.basis != Basis::Control {
            return Some(shift);
        }
        let (change, base) = (self.change()?, self.base.median?);
        Some(change.each(|change| change * base))
    }

    /// Whether all rounds of both sides have one value.
    pub(super) fn is_one_value(&self) -> bool {
        let first = self.samples.base.first();
        self.samples.base.iter().chain(&self.samples.candidate).all(|value| Some(value) == first)
    }

    pub(super) fn is_over_floor(&self) -> bool {
        self.units().is_some_and(|units| units.value != 0.0 && units.value.abs() >= self.limits.floor)
    }

    /// Whether the change is as large as what matters. Of nothing any change is, from the floor on.
    fn matters(&self) -> bool {
        self.is_over_floor() && self.change().is_none_or(|change| reaches(change, self.limits.fail))
    }

    fn is_warned(&self) -> bool {
        self.is_worse()
            && self.is_over_floor()
            && self.change().is_some_and(|change| reaches(change, self.limits.warn))
    }

    /// Whether the whole interval is less than what matters.
    fn is_within(&self) -> bool {
        let inside = |interval: Interval, limit: f64| interval.low > -limit && interval.high < limit;
        let nothing = |units: Interval| units.low == 0.0 && units.high == 0.0;
        self.change().is_some_and(|change| inside(change, self.limits.fail))
            || self.units().is_some_and(|units| inside(units, self.limits.floor) || nothing(units))
    }

    /// Whether the whole interval is better than what matters for the worse.
    fn is_no_worse(&self) -> bool {
        let below = |interval: Interval, limit: f64| match self.metric.better {
            Better::Higher => interval.low > -limit,
            Better::Lower => interval.high < limit,
        };
        self.change().is_some_and(|change| below(change, self.limits.fail))
            || self.units().is_some_and(|units| below(units, self.limits.floor))
    }

    /// About how many rounds would tell, if all goes on as it did; `None` where more would hardly help.
    fn rounds_to_tell(&self, rules: &Rules) -> Option<usize> {
        let grown = match self.change() {
            Some(change) if change.value.abs() < self.limits.fail => narrowing(change, self.limits.fail),
            // The logarithm of p falls in proportion to the rounds.
            _ => {
                let (p, adjusted) = (self.estimates.p.filter(|p| *p < 1.0)?, self.adjusted_p?);
                (rules.alpha * p / adjusted).ln() / p.ln()
            }
        };
        let rounds = (whole(self.samples.rounds()) * grown).ceil();
        let more = rounds.max(whole(self.samples.rounds() + 1));
        (more <= MOST_ROUNDS).then(|| usize::try_from(crate::memory::text::whole(more)).unwrap_or(usize::MAX))
    }
}

/// Whether a change is as large as a limit, but for what it is off by from the logarithms.
fn reaches(change: Interval, limit: f64) -> bool {
    change.value.abs() >= limit * (1.0 - ROUNDING)
}

/// How many times as many rounds it takes for the interval to be within the limit: its width falls with the root of the rounds.
fn narrowing(change: Interval, limit: f64) -> f64 {
    let up = (change.high - change.value) / (limit - change.value);
    let down = (change.value - change.low) / (limit + change.value);
    up.max(down).powi(2)
}

/// What is said of a side that has too few rounds.
fn few(sides: &Sides<'_>, samples: &Samples, rules: &Rules) -> Option<String> {
    let count = |count: usize| if count == 1 { "1 round".into() } else { format!("{count} rounds") };
    let few = [(samples.base.len(), sides.base), (samples.candidate.len(), sides.candidate)];
    let (rounds, side) = few.into_iter().find(|(rounds, _)| *rounds < rules.least_rounds)?;
    let least = rules.least_rounds;
    let hopeless = if samples.least_p() >= rules.alpha {
        format!(
            ", and even sides wholly apart could not be told apart with so few (p = {:.2})",
            samples.least_p()
        )
    } else {
        String::new()
    };
    Some(format!("{} of `{}`; it takes at least {least}{hopeless}", count(rounds), side.title()))
}

/// What is said where only ratios and memory can be compared.
fn elsewhere(sides: &Sides<'_>, samples: &Samples, kind: MetricKind) -> Option<String> {
    let difference = sides.elsewhere.filter(|_| sides.kind == ComparisonKind::Saved)?;
    let comparable = samples.basis == Basis::Control || kind == MetricKind::Memory;
    let control = if samples::drifts(kind) { " without ratios to a control" } else { "" };
    (!comparable).then(|| format!("measured on another machine or build{control} ({difference})"))
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 rounds")]
fn whole(count: usize) -> f64 {
    count as f64
}
