//! Whether what was found will do.

use super::figures::{Found, View, of_samples};
use super::result::{ThresholdResult, ThresholdVerdict as Verdict};
use super::value::ThresholdValue as Value;
use super::{Figure, Relation, Rule, Threshold, Time};
use crate::load::figures::LoadCounts;
use crate::load::report::LoadReport;
use crate::load::snapshot::LoadSnapshot;
use crate::memory::MemoryReport;
use crate::memory::text::count;

impl Threshold {
    /// At the end of a run.
    pub(crate) fn judge(&self, report: &LoadReport) -> ThresholdResult {
        let rule = match &self.0 {
            Ok(rule) => rule,
            Err(unreadable) => {
                return ThresholdResult {
                    threshold: unreadable.text.clone(),
                    operation: None,
                    limit: None,
                    found: None,
                    verdict: Verdict::Failed,
                    excusable: false,
                    why: unreadable.why.clone(),
                };
            }
        };
        let found = rule.find(report);
        let (verdict, why) = rule.verdict(&found);
        ThresholdResult {
            threshold: rule.to_string(),
            operation: rule.name.clone(),
            limit: Some(rule.limit),
            found: if let Found::Is(value, _) = &found { Some(*value) } else { None },
            excusable: verdict == Verdict::Failed && rule.is_excusable(&found, report),
            verdict,
            why,
        }
    }

    /// While it runs: why the run need not go on, if so; no samples is no reason, and neither is what can only be told at the end.
    pub(in crate::load) fn hopeless(&self, so_far: &LoadSnapshot) -> Option<String> {
        let rule = self.0.as_ref().ok()?;
        let name = rule.name.as_deref();
        let part = match name.filter(|name| *name != so_far.name) {
            Some(name) => so_far.operations.iter().find(|operation| operation.name == name)?,
            None => so_far,
        };
        let found = View::of_snapshot(part, name).figure(rule)?;
        let (verdict, why) = rule.verdict(&found);
        let failed = verdict == Verdict::Failed && !matches!(found, Found::Nothing(_));
        failed.then(|| format!("`{rule}`: {why}"))
    }
}

impl Rule {
    /// Whether what failed may have done so because something else used the machine.
    fn is_excusable(&self, found: &Found, report: &LoadReport) -> bool {
        let part = self.name.as_deref().and_then(|name| report.operation(name)).unwrap_or(report);
        let counts = part.counts();
        match (found, self.figure) {
            (Found::Nothing(_), _) => false,
            // Mostly by time limits, and for want of workers.
            (Found::NotServed(_), _) => (counts.timed_out + counts.dropped) * 2 > counts.unserved(),
            (Found::Is(..), Figure::Percentile(_) | Figure::Mean | Figure::Max) => true,
            (Found::Is(..), Figure::Rate | Figure::Achieved) => true,
            (Found::Is(value, _), Figure::Errors) => {
                self.compare(without_time_limits(*value, counts)) != Verdict::Failed
            }
            (Found::Is(..), _) => false,
        }
    }

    fn find(&self, report: &LoadReport) -> Found {
        match self.figure {
            Figure::Lost | Figure::Duplicates | Figure::Reordered => self.verified(report),
            Figure::RssGrowth | Figure::PeakHeap => match report.memory.as_ref() {
                Some(memory) if self.figure == Figure::PeakHeap => peak_heap(memory),
                Some(memory) => self.rss_growth(memory),
                None => Found::Nothing("not measured: call `with(..)` on the report".into()),
            },
            _ if self.time == Some(Time::Delivery) => self.delivery(report),
            _ if self.time == Some(Time::SetUp) => self.set_up(report),
            _ => self.of_operations(report),
        }
    }

    fn of_operations(&self, report: &LoadReport) -> Found {
        let name = self.name.as_deref();
        let part = match name.filter(|name| *name != report.name()) {
            Some(name) => report.operation(name),
            None => Some(report),
        };
        let (Some(part), name) = (part, name.unwrap_or_default()) else {
            return Found::Nothing(format!("there is no operation `{}`", name.unwrap_or_default()));
        };
        let view = View::of_report(part, self.name.as_ref().map(|_| name));
        match self.figure {
            Figure::Unfinished => view.unfinished(self),
            Figure::Rate if part.count() == 0 => view.none_ended(),
            Figure::Rate => Found::Is(Value::PerSecond(part.achieved_per_second()), None),
            Figure::Achieved => match part.offered_per_second() {
                Some(offered) if offered > 0.0 => {
                    Found::Is(Value::Share(part.achieved_per_second() / offered), None)
                }
                _ => Found::Nothing("nothing was offered: a closed loop has no rate of its own".into()),
            },
            _ => view.figure(self).unwrap_or_else(|| view.none_ended()),
        }
    }

    fn verified(&self, report: &LoadReport) -> Found {
        let Some(verification) = report.verification() else {
            return Found::Nothing("not measured: give the builder a verifier".into());
        };
        if verification.total().expected == 0 && verification.received() == 0 {
            return Found::Nothing("the verifier knows of no message that had to arrive".into());
        }
        let in_flight = verification.in_flight();
        let messages = match self.figure {
            Figure::Lost => verification.lost(),
            Figure::Duplicates => verification.duplicates(),
            _ => verification.reordered(),
        };
        let still = (in_flight > 0).then(|| format!("{} still in flight", count(in_flight)));
        Found::Is(Value::Count(messages), still)
    }

    /// The worst of the services it is of.
    fn delivery(&self, report: &LoadReport) -> Found {
        let name = self.name.as_deref();
        let services = report.services().iter().filter(|one| name.is_none_or(|name| one.name == name));
        let each: Vec<_> =
            services.map(|one| (one.name.as_str(), of_samples(self.figure, &one.delivery))).collect();
        if each.is_empty() {
            return Found::Nothing(match name {
                Some(name) => format!("there is no service `{name}`"),
                None => "there is no service".into(),
            });
        }
        let mut worst = None;
        for (service, value) in &each {
            let Some(value) = value else {
                return Found::Nothing(format!("nothing was delivered to service `{service}`"));
            };
            if worst.is_none_or(|(_, most): (_, Value)| value.number() > most.number()) {
                worst = Some((service, *value));
            }
        }
        let of = |service| (each.len() > 1).then(|| format!("service `{service}`"));
        worst.map_or_else(
            || Found::Nothing("there is no service".into()),
            |(service, value)| Found::Is(value, of(service)),
        )
    }

    fn set_up(&self, report: &LoadReport) -> Found {
        let set_up = report.workers().and_then(|workers| of_samples(self.figure, &workers.set_up));
        set_up.map_or_else(
            || Found::Nothing("no worker was set up, or none needs it".into()),
            |value| Found::Is(value, None),
        )
    }

    fn rss_growth(&self, memory: &MemoryReport) -> Found {
        let label = self.name.as_deref().unwrap_or("own");
        let Some(process) = memory.process(label) else {
            return Found::Nothing(match &self.name {
                Some(name) => format!("not measured: the memory report has no process `{name}`"),
                None => "not measured: this process is shared with other tests".into(),
            });
        };
        let (start, end) = (process.rss_bytes.start, process.rss_bytes.end);
        if !matches!(self.limit, Value::Share(_)) {
            return Found::Is(Value::Bytes(signed(end - start)), None);
        }
        if start <= 0.0 {
            return Found::Nothing(format!("not measured: nothing of `{label}` was resident at the start"));
        }
        Found::Is(Value::Share((end - start) / start), None)
    }

    fn verdict(&self, found: &Found) -> (Verdict, String) {
        match found {
            Found::Is(value, note) => {
                let verdict = self.compare(*value);
                let mut why = self.told(*value, verdict);
                why.extend(note.iter().flat_map(|note| [" (", note, ")"]));
                (verdict, why)
            }
            Found::NotServed(why) => (Verdict::Failed, format!("not served: {why}")),
            Found::Nothing(why) => (Verdict::Failed, why.clone()),
        }
    }

    fn compare(&self, value: Value) -> Verdict {
        let (found, limit) = (value.number(), self.limit.number());
        // Of a share that should be 99 %, it is the missing 1 % that has a tenth.
        let (part, bound) = match self.figure {
            Figure::Achieved => (1.0 - found, (1.0 - limit) * (1.0 - self.warn)),
            Figure::Rate => (-found, -limit * (1.0 + self.warn)),
            _ => (found, limit * (1.0 - self.warn)),
        };
        match (holds(found, self.relation, limit), part > bound + 1e-12 * bound.abs()) {
            (false, _) => Verdict::Failed,
            (true, true) if self.warn > 0.0 => Verdict::Warned,
            (true, _) => Verdict::Passed,
        }
    }

    fn told(&self, value: Value, verdict: Verdict) -> String {
        let (mut found, mut limit) = (value.to_string(), self.limit.to_string());
        if found == limit {
            // Three figures would not tell them apart.
            (found, limit) = (value.exact(), self.limit.exact());
        }
        match verdict {
            Verdict::Warned if self.figure == Figure::Achieved => format!("{found}, hardly above {limit}"),
            Verdict::Warned => {
                let near = super::value::decimal(self.warn * 100.0);
                format!("{found}, within {near} % of the limit of {limit}")
            }
            _ => format!("{found}, allowed is {} {limit}", self.relation),
        }
    }

    /// `p99 of put < 5.00 ms`.
    pub(super) fn expected(&self) -> String {
        let of = self.name.as_ref().map_or(String::new(), |name| format!(" of `{name}`"));
        format!("{}{of} {} {}", self.subject(), self.relation, self.limit)
    }
}

impl Threshold {
    /// What it asks for, as a person reads it.
    pub(in crate::load) fn expected(&self) -> String {
        self.0.as_ref().map_or_else(|unreadable| unreadable.text.clone(), Rule::expected)
    }
}

/// The errors that are left without those by time limits.
fn without_time_limits(errors: Value, counts: &LoadCounts) -> Value {
    match errors {
        Value::Count(count) => Value::Count(count.saturating_sub(counts.timed_out)),
        Value::Share(share) => {
            Value::Share((share - counts.timed_out as f64 / counts.completed().max(1) as f64).max(0.0))
        }
        other => other,
    }
}

/// Whether a value is in its bound; one that a decimal fraction has missed by its last bits is on it.
fn holds(found: f64, relation: Relation, limit: f64) -> bool {
    let on = (found - limit).abs() <= 1e-12 * limit.abs();
    match relation {
        Relation::Below => found < limit && !on,
        Relation::AtMost => found <= limit || on,
        Relation::AtLeast => found >= limit || on,
        Relation::Above => found > limit && !on,
    }
}

fn peak_heap(memory: &MemoryReport) -> Found {
    match memory.peak_heap_bytes() {
        Some(peak) => Found::Is(Value::Bytes(i64::try_from(peak).unwrap_or(i64::MAX)), None),
        None => Found::Nothing(match &memory.no_heap {
            Some(why) => format!("not measured: {why}"),
            None => "not measured".into(),
        }),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
fn signed(bytes: f64) -> i64 {
    bytes.round() as i64
}
