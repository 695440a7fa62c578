//! What a report, or a run so far, has of a threshold's figure.

use super::value::ThresholdValue as Value;
use super::{Figure, Rule, Time};
use crate::load::figures::LoadCounts;
use crate::load::latency::{Latency, rank};
use crate::load::report::LoadReport;
use crate::load::snapshot::LoadSnapshot;
use crate::memory::text::count;

/// What a figure was found to be.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// This, and what else should be known.
    Is(Value, Option<String>),
    /// Worse than any limit.
    NotServed(String),
    /// It was not measured.
    Nothing(String),
}

/// The figures that a report and a run under way both have, of all operations or of one.
pub(super) struct View<'a> {
    name: Option<&'a str>,
    closed: bool,
    counts: &'a LoadCounts,
    /// Workers that could not be set up: errors too, of the run as a whole.
    not_set_up: u64,
    response: &'a Latency,
    service: &'a Latency,
    lag: &'a Latency,
}

impl<'a> View<'a> {
    pub(super) fn of_report(report: &'a LoadReport, name: Option<&'a str>) -> Self {
        let closed = report.setup().closed;
        let (counts, lag) = (report.counts(), report.lag());
        let not_set_up = report.workers().map_or(0, |workers| workers.failed);
        Self { name, closed, counts, not_set_up, response: report.response(), service: report.service(), lag }
    }

    pub(super) fn of_snapshot(so_far: &'a LoadSnapshot, name: Option<&'a str>) -> Self {
        let LoadSnapshot { counts, response, service, lag, .. } = so_far;
        Self { name, closed: false, counts, not_set_up: 0, response, service, lag }
    }

    /// The figure of a rule, if it is one of operations that can be told at any time.
    pub(super) fn figure(&self, rule: &Rule) -> Option<Found> {
        let counts = self.counts;
        match rule.figure {
            Figure::Errors => {
                Some(self.part(rule, counts.failed + self.not_set_up, counts.completed() + self.not_set_up))
            }
            Figure::Dropped => Some(self.part(rule, counts.dropped, self.all())),
            Figure::Percentile(_) | Figure::Mean | Figure::Max => match rule.time {
                None | Some(Time::Response) => Some(self.time(rule.figure, self.response)),
                Some(Time::Service) => Some(self.time(rule.figure, self.service)),
                Some(Time::Lag) => Some(self.lag(rule.figure)),
                Some(Time::Delivery | Time::SetUp) => None,
            },
            _ => None,
        }
    }

    pub(super) fn unfinished(&self, rule: &Rule) -> Found {
        self.part(rule, self.counts.unfinished, self.all())
    }

    fn all(&self) -> u64 {
        self.counts.succeeded + self.counts.unserved()
    }

    /// A count, or its share of a whole, as the limit is given.
    fn part(&self, rule: &Rule, part: u64, whole: u64) -> Found {
        match rule.limit {
            _ if whole == 0 => self.none_ended(),
            Value::Share(_) => {
                let of = format!("{} of {}", count(part), count(whole));
                Found::Is(Value::Share(part as f64 / whole as f64), Some(of))
            }
            _ => Found::Is(Value::Count(part), None),
        }
    }

    fn time(&self, figure: Figure, latency: &Latency) -> Found {
        let unserved = self.counts.unserved();
        if latency.count() + unserved == 0 {
            return self.none_ended();
        }
        let left_out = (unserved > 0).then(|| self.unserved());
        match figure {
            Figure::Mean => match latency.mean() {
                Some(mean) => Found::Is(Value::Time(mean), left_out.map(|what| format!("not in it: {what}"))),
                None => Found::NotServed(self.unserved()),
            },
            _ => percentile(figure, latency, unserved)
                .map_or_else(|| Found::NotServed(self.unserved()), |time| Found::Is(time, None)),
        }
    }

    fn lag(&self, figure: Figure) -> Found {
        match of_samples(figure, self.lag) {
            Some(value) => Found::Is(value, None),
            None if self.closed => Found::Nothing("a closed loop has no lag: no start is intended".into()),
            None => self.none_ended(),
        }
    }

    /// `150 of 10 000 failed, 3 were dropped`.
    fn unserved(&self) -> String {
        let LoadCounts { failed, dropped, unfinished, .. } = *self.counts;
        let parts = [(failed, "failed"), (dropped, "dropped"), (unfinished, "unfinished")];
        let some = parts.iter().filter(|(number, _)| *number > 0);
        let texts: Vec<_> = some.map(|(number, what)| format!("{} {what}", count(*number))).collect();
        match texts.split_first() {
            Some((first, rest)) => {
                let (number, what) = first.rsplit_once(' ').unwrap_or((first, ""));
                let rest: String = rest.iter().map(|text| format!(", {text}")).collect();
                format!("{number} of {} {what}{rest}", count(self.all()))
            }
            None => String::new(),
        }
    }

    pub(super) fn none_ended(&self) -> Found {
        Found::Nothing(match self.name {
            Some(name) => format!("no operation `{name}` ended"),
            None => "no operation ended".into(),
        })
    }
}

/// The time at the figure's rank, where `unserved` more are slower than all the samples; `None` where it is one of these.
fn percentile(figure: Figure, latency: &Latency, unserved: u64) -> Option<Value> {
    let percent = if let Figure::Percentile(percent) = figure { percent } else { 100.0 };
    latency.at_rank(rank(percent, latency.count() + unserved)?).map(Value::Time)
}

/// A figure of samples alone; `None` without any.
pub(super) fn of_samples(figure: Figure, latency: &Latency) -> Option<Value> {
    match figure {
        Figure::Mean => latency.mean().map(Value::Time),
        _ => percentile(figure, latency, 0),
    }
}
