//! `compare`: two runs, or a run with a baseline.

use super::arguments::Arguments;
use super::format::Form;
use super::pick::{self, Picked, What};
use super::{Failure, Said};
use crate::results::{
    Baseline, Comparison, ComparisonKind, Limits, Record, Results, ResultsErrorKind, Rules,
};

/// The share of what fails that is warned of.
const WARN: f64 = 0.5;

pub(super) fn run(arguments: &Arguments) -> Result<Said, Failure> {
    let form = Form::of(arguments)?;
    let rules = rules(arguments)?;
    let [base, candidate] =
        [0, 1].map(|place| pick::pick(&arguments.place(place).unwrap_or_default(), arguments));
    let (base, candidate) = (base?, candidate?);
    let What::Run(results) = &candidate.what else {
        return Err(arguments.usage("a baseline is what a run is compared with (give it as BASE)"));
    };
    pick::no_sweep(results, &candidate.label, "is not compared")?;
    let results = match &base.what {
        What::Baseline(baseline) => with_baseline(baseline, results, &candidate.label, &rules)?,
        What::Run(earlier) => {
            pick::no_sweep(earlier, &base.label, "is not compared")?;
            of_runs((&base, earlier), (&candidate, results), &rules, arguments)?
        }
    };
    if results.comparisons.is_empty() {
        return Err(Failure::Environment(format!("`{}` has no record to compare", candidate.label)));
    }
    let mut said = Said { code: results.outcome().exit_code(), ..Said::default() };
    form.put(&results, None, &mut said)?;
    Ok(said)
}

/// The one record, or that of the side that the baseline is of: of another one it says nothing.
fn with_baseline(
    baseline: &Baseline,
    results: &Results,
    label: &str,
    rules: &Rules,
) -> Result<Results, Failure> {
    let side = baseline.runs.first().and_then(|run| run.side.as_ref());
    let record = match &results.records[..] {
        [only] => Some(only),
        records => records.iter().find(|record| record.side.as_ref() == side),
    };
    let Some(record) = record else {
        let side = side.map_or_else(|| "of no side".to_owned(), |side| format!("of the side `{side}`"));
        let (name, sides) = (&baseline.name, sides(results));
        let what =
            format!("baseline `{name}` is {side}, which `{label}` does not have (its sides are {sides})");
        return Err(Failure::Environment(what));
    };
    let comparison = baseline.compare_by(record, rules.clone()).map_err(|error| no_flag(&error))?;
    Ok(Results::new(&results.title, vec![without_aims(record.clone())], vec![comparison]))
}

/// What a run aims at is no matter of a comparison: `report --check` judges it.
fn without_aims(record: Record) -> Record {
    Record { targets: Vec::new(), load: None, ..record }
}

/// A baseline's configuration is never to be overlooked; the flag is for runs.
fn no_flag(error: &crate::results::ResultsError) -> Failure {
    let hint = match error.kind() {
        ResultsErrorKind::OtherConfiguration => "\n(bless runs of this configuration, or compare with a run)",
        _ => "",
    };
    Failure::Environment(format!("{error:?}{hint}"))
}

fn of_runs(
    (base, earlier): (&Picked, &Results),
    (candidate, now): (&Picked, &Results),
    rules: &Rules,
    arguments: &Arguments,
) -> Result<Results, Failure> {
    let pairs = pairs(earlier, now);
    if pairs.is_empty() {
        let (labels, sides) = ((&base.label, &candidate.label), (sides(earlier), sides(now)));
        return Err(Failure::Environment(format!(
            "`{}` and `{}` have no side in common (the sides are {}, and {})",
            labels.0, labels.1, sides.0, sides.1
        )));
    }
    let (mut records, mut comparisons) = (Vec::new(), Vec::new());
    for (old, new) in pairs {
        let differences = differences(old, new);
        let is_other = old.configuration_hash != new.configuration_hash;
        if is_other && !arguments.is_set("--any-configuration") {
            return Err(Failure::Environment(format!(
                "`{}` and `{}` are of different configurations: {} (`--any-configuration` compares them nonetheless)",
                base.label,
                candidate.label,
                differences.join("; ")
            )));
        }
        let [old, new] = [titled(old, &base.label), titled(new, &candidate.label)].map(without_aims);
        let mut comparison = Comparison::of(&old, &new, ComparisonKind::Saved, rules);
        if is_other {
            comparison.warnings.push(format!("the configurations differ: {}", differences.join("; ")));
        }
        comparisons.push(comparison);
        records.extend([old, new]);
    }
    let title = format!("{} against {}", candidate.label, base.label);
    Ok(Results::new(title, records, comparisons))
}

/// The records of one side each; where there is but one on both, these, whatever they are called.
fn pairs<'a>(earlier: &'a Results, now: &'a Results) -> Vec<(&'a Record, &'a Record)> {
    if let ([old], [new]) = (&earlier.records[..], &now.records[..]) {
        return vec![(old, new)];
    }
    now.records.iter().filter_map(|new| Some((earlier.record(new.title())?, new))).collect()
}

fn sides(results: &Results) -> String {
    let names: Vec<_> = results.records.iter().map(|record| format!("`{}`", record.title())).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// The record under the name that the user gave: both may have the same of their own.
fn titled(record: &Record, label: &str) -> Record {
    let side = match &record.side {
        Some(side) => format!("{side} of {label}"),
        None => label.to_owned(),
    };
    Record { side: Some(side), ..record.clone() }
}

/// What the two were set to where they differ: `payload: 128, was 64`.
fn differences(old: &Record, new: &Record) -> Vec<String> {
    let keys = old.configuration.keys().chain(new.configuration.keys());
    let keys: std::collections::BTreeSet<_> = keys.collect();
    let text = |record: &Record, key| record.configuration.get(key).map_or("not set".into(), String::clone);
    let each = keys.into_iter().map(|key| (key, text(new, key), text(old, key)));
    each.filter(|(_, now, was)| now != was)
        .map(|(key, now, was)| format!("{key}: {now}, was {was}"))
        .collect()
}

fn rules(arguments: &Arguments) -> Result<Rules, Failure> {
    let mut rules = Rules::saved();
    let share = |text: &str| text.parse().ok().filter(|share: &f64| *share > 0.0 && *share < 1.0);
    if let Some(alpha) = arguments.value("--alpha", "a probability above 0 and below 1", share)? {
        rules.alpha = alpha;
    }
    let expected = "METRIC=SHARE, such as p99=30% or p99=0.3";
    rules.limits.extend(arguments.each("--least-effect", expected, least_effect)?);
    Ok(rules)
}

/// `p99=30%` or `p99=0.3`. A metric's name may have a `=` in it, a share none.
fn least_effect(text: &str) -> Option<(String, Limits)> {
    let (metric, share) = text.rsplit_once('=')?;
    let share: f64 = match share.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok()? / 100.0,
        None => share.parse().ok()?,
    };
    let is_share = share.is_finite() && share > 0.0 && !metric.is_empty();
    is_share.then(|| (metric.to_owned(), Limits::new(share * WARN, share)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_least_effect_is_a_share_in_either_spelling() {
        let limits = |text| least_effect(text).map(|(metric, limits)| (metric, limits.warn, limits.fail));
        assert_eq!(limits("p99=30%"), Some(("p99".into(), 0.15, 0.3)));
        assert_eq!(limits("p50 of put=0.1"), Some(("p50 of put".into(), 0.05, 0.1)));
        for text in ["p99", "p99=", "=10%", "p99=-1%", "p99=0", "p99=NaN", "p99=inf", "p99=ten"] {
            assert_eq!(limits(text), None, "{text}");
        }
    }

    #[test]
    fn configurations_differ_by_what_is_set_in_one_only_too() {
        let record = |pairs: &[(&str, &str)]| {
            let mut record = Record::new("bus");
            record.configuration =
                pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
            record
        };
        let (old, new) = (record(&[("a", "1"), ("b", "2")]), record(&[("b", "3"), ("c", "4")]));
        assert_eq!(differences(&old, &new), ["a: not set, was 1", "b: 3, was 2", "c: 4, was not set"]);
    }
}
