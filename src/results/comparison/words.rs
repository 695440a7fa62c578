//! What a verdict says.

use super::judge::Judged;
use super::{Basis, Interval};
use crate::memory::text;

/// From this many times on, a change is told in times and not in per cent.
const MANY: f64 = 3.0;

/// The texts of one metric.
pub(super) struct Words<'a> {
    pub(super) title: &'a str,
    pub(super) judged: &'a Judged<'a>,
}

impl Words<'_> {
    pub(super) fn nothing(&self) -> String {
        format!("{} was not measured", self.what())
    }

    /// `throughput of `new` is 18 % lower (95 %: 14 % to 22 % lower), p = 0.0003 over 20 rounds`.
    pub(super) fn told(&self) -> String {
        format!("{}, {}", self.found(), self.evidence())
    }

    /// Of what is another only against the control.
    pub(super) fn the_control(&self) -> String {
        let own = self.judged.by_itself.unwrap_or_default();
        let way = if own < 0.0 { "lower" } else { "higher" };
        format!(
            "{}, {}, and {} {way} by itself: it is the control that changed",
            self.found(),
            self.evidence(),
            percent(own.abs())
        )
    }

    pub(super) fn too_small(&self) -> String {
        format!("{}, {}, which is less than the {} that matter", self.found(), self.evidence(), self.limit())
    }

    /// Of a saved record, which is asked only whether something is worse.
    pub(super) fn no_worse(&self) -> String {
        format!("{}, so not worse by the {} that matter", self.found(), self.limit())
    }

    pub(super) fn same(&self) -> String {
        if self.judged.units().is_some_and(|units| units.low == 0.0 && units.high == 0.0) {
            let rounds = if self.judged.is_one_value() { "all" } else { "most" };
            return format!("{} {} the same in {rounds} rounds", self.what(), self.verb());
        }
        format!("{}, all of it less than the {} that matter", self.found(), self.limit())
    }

    /// Of sides that cannot be told apart, with about how many rounds would.
    pub(super) fn open(&self, rounds: Option<usize>) -> String {
        let more = rounds.map_or_else(
            || "more rounds would hardly tell".into(),
            |rounds| format!("about {rounds} rounds would tell"),
        );
        format!("{}, {}, and {} matter; {more}", self.found(), self.evidence(), self.limit())
    }

    pub(super) fn hopeless(&self, alpha: f64, metrics: usize) -> String {
        let rounds = self.judged.samples.rounds();
        format!(
            "{}, and even sides wholly apart could not be told apart with {rounds} rounds over {metrics} metrics at alpha {alpha}",
            self.found()
        )
    }

    fn what(&self) -> String {
        format!("{} of `{}`", self.judged.metric.name, self.title)
    }

    fn verb(&self) -> &'static str {
        let first = self.judged.metric.name.split(' ').next().unwrap_or_default();
        if first.ends_with('s') && !first.ends_with("ss") && first != "rss" { "are" } else { "is" }
    }

    fn found(&self) -> String {
        let how = match (self.judged.change(), self.judged.units()) {
            (Some(change), _) if change.value >= MANY - 1.0 => many(change),
            (Some(change), _) => range(change, percent),
            (None, Some(units)) => range(units, |value| self.judged.metric.unit.text(value)),
            (None, None) => return self.nothing(),
        };
        let control = if self.judged.samples.basis == Basis::Control { ", against the control" } else { "" };
        format!("{} {} {how}{control}", self.what(), self.verb())
    }

    fn evidence(&self) -> String {
        let samples = &self.judged.samples;
        let p = self.judged.adjusted_p.map_or_else(|| "p not computed".into(), probability);
        match (samples.base.len(), samples.candidate.len()) {
            (base, candidate) if base == candidate => format!("{p} over {base} rounds"),
            (base, candidate) => format!("{p} over {base} and {candidate} rounds"),
        }
    }

    /// What it falls short of: the share, or the floor.
    fn limit(&self) -> String {
        let (limits, unit) = (self.judged.limits, &self.judged.metric.unit);
        match self.judged.change() {
            Some(change) if change.value.abs() < limits.fail || self.judged.is_over_floor() => {
                percent(limits.fail)
            }
            _ => unit.text(limits.floor),
        }
    }
}

/// `4.9 times as high (95 %: 4.2 to 5.6 times)`.
fn many(change: Interval) -> String {
    let times = |change: f64| {
        let times = change + 1.0;
        if times < 99.95 { format!("{times:.1}") } else { text::count(text::whole(times.round())) }
    };
    let (low, high) = (times(change.low), times(change.high));
    format!("{} times as high (95 %: {low} to {high} times)", times(change.value))
}

/// `18 % lower (95 %: 14 % to 22 % lower)`.
fn range(change: Interval, text: impl Fn(f64) -> String) -> String {
    let one = |value: f64| match value {
        0.0 => "the same".into(),
        ..0.0 => format!("{} lower", text(-value)),
        _ => format!("{} higher", text(value)),
    };
    let ends = match (change.low, change.high) {
        (low, high) if low > 0.0 => format!("{} to {} higher", text(low), text(high)),
        (low, high) if high < 0.0 => format!("{} to {} lower", text(-high), text(-low)),
        (low, high) => format!("{} to {}", one(low), one(high)),
    };
    format!("{} (95 %: {ends})", one(change.value))
}

/// `18 %`, `1.8 %`.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent.abs() < 9.95 && (percent - percent.round()).abs() > 1e-9 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

/// `p = 0.0003`, `p < 0.0001`.
fn probability(p: f64) -> String {
    match p {
        ..0.0001 => "p < 0.0001".into(),
        ..0.01 => format!("p = {p:.4}"),
        _ => format!("p = {p:.2}"),
    }
}
