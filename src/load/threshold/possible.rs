//! Which thresholds say nothing, or can never be met: by far the most are slips of the pen.

use super::value::ThresholdValue as Value;
use super::{Figure, Relation, Rule, Time};

/// Why a rule cannot be used.
pub(super) fn check(rule: &Rule) -> Result<(), String> {
    if let Some(time) = rule.time.filter(|_| !rule.figure.is_time()) {
        return Err(format!("`{}` is not a figure of the {time} time", rule.figure));
    }
    if let Figure::Percentile(percent) = rule.figure
        && !(percent > 0.0 && percent <= 100.0)
    {
        return Err("there are percentiles above 0 and up to 100".into());
    }
    if !(0.0..1.0).contains(&rule.warn) {
        return Err("the share of the limit that is warned of is from 0 to less than 1".into());
    }
    direction(rule)?;
    unit(rule)?;
    reach(rule)?;
    whole_run(rule)
}

fn direction(rule: &Rule) -> Result<(), String> {
    let from_below = matches!(rule.relation, Relation::AtLeast | Relation::Above);
    match (rule.figure.should_be_high(), from_below) {
        (true, false) => Err(format!("`{}` is bounded from below: more of it is no fault", rule.figure)),
        (false, true) => Err(format!("`{}` is bounded from above: less of it is no fault", rule.subject())),
        _ => Ok(()),
    }
}

fn unit(rule: &Rule) -> Result<(), String> {
    let (fits, needs) = match (rule.figure, rule.limit) {
        (Figure::Percentile(_) | Figure::Mean | Figure::Max, limit) => {
            (matches!(limit, Value::Time(_)), "a time, such as `5ms`")
        }
        (Figure::Errors | Figure::Dropped | Figure::Unfinished, limit) => {
            (matches!(limit, Value::Share(_) | Value::Count(_)), "a share, such as `1%`, or a count")
        }
        (Figure::Rate, limit) => (matches!(limit, Value::PerSecond(_)), "a rate, such as `1000/s`"),
        (Figure::Achieved, limit) => (matches!(limit, Value::Share(_)), "a share, such as `99%`"),
        (Figure::Lost | Figure::Duplicates | Figure::Reordered, limit) => {
            (matches!(limit, Value::Count(_)), "a count of messages")
        }
        (Figure::RssGrowth, limit) => {
            (matches!(limit, Value::Share(_) | Value::Bytes(_)), "a share or a size, such as `8MiB`")
        }
        (Figure::PeakHeap, limit) => (matches!(limit, Value::Bytes(_)), "a size, such as `8MiB`"),
    };
    if fits { Ok(()) } else { Err(format!("the limit of `{}` is {needs}", rule.subject())) }
}

/// Limits that every run passes, or none.
fn reach(rule: &Rule) -> Result<(), String> {
    let limit = rule.limit.number();
    let strict = matches!(rule.relation, Relation::Below | Relation::Above);
    let never = |what: &str| Err(format!("no run can meet it: {what}"));
    let always = |what: &str| Err(format!("every run meets it: {what}"));
    if !limit.is_finite() || limit < 0.0 {
        return Err("the limit is not a number from 0 on".into());
    }
    match (rule.figure, rule.limit) {
        (Figure::Percentile(_) | Figure::Mean | Figure::Max, _) if limit == 0.0 => {
            never("everything takes some time")
        }
        (Figure::Rate | Figure::Achieved, _) if limit == 0.0 => {
            Err("a limit of nothing bounds nothing".into())
        }
        (Figure::Achieved, _) if limit > 1.0 || (limit == 1.0 && strict) => {
            never("no more than what is offered can be achieved")
        }
        (Figure::Errors | Figure::Dropped | Figure::Unfinished, Value::Share(_))
            if limit > 1.0 || (limit == 1.0 && !strict) =>
        {
            always("there is no more than all of them")
        }
        (Figure::PeakHeap, _) if limit == 0.0 => never("every run holds some heap"),
        (Figure::RssGrowth, _) => Ok(()),
        _ if limit == 0.0 && strict => never("nothing is less than none (write `<=`)"),
        _ => Ok(()),
    }
}

/// Figures of the run as a whole are of no operation.
fn whole_run(rule: &Rule) -> Result<(), String> {
    let of_a_part = rule.figure.is_of_operations(rule.time)
        || rule.figure == Figure::RssGrowth
        || rule.time == Some(Time::Delivery);
    match &rule.name {
        Some(name) if !of_a_part => {
            Err(format!("`{}` is of the run as a whole (leave out ` for {name}`)", rule.subject()))
        }
        _ => Ok(()),
    }
}

/// Whether the operation that it names is one of the run's.
pub(super) fn known(rule: &Rule, operations: &[String]) -> Result<(), String> {
    let Some(name) = rule.name.as_ref().filter(|_| rule.figure.is_of_operations(rule.time)) else {
        return Ok(());
    };
    if operations.contains(name) {
        return Ok(());
    }
    let names: Vec<_> = operations.iter().map(|name| format!("`{name}`")).collect();
    Err(format!("there is no operation `{name}` (there are {})", names.join(", ")))
}
