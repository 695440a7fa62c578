//! Every sample as CSV (RFC 4180).

use crate::results::document::Results;
use crate::results::metric::{Metric, Unit};

const HEADER: &str = "scenario,side,level,metric,unit,round,value,control,invalid\r\n";

/// Where a sample belongs: the first three columns.
struct Place<'a> {
    scenario: &'a str,
    side: &'a str,
    level: Option<f64>,
}

/// A line for each round of each metric, and for each window of each level of a sweep; rounds are counted from 1. What was not
/// measured is an empty field.
pub(super) fn render(results: &Results) -> String {
    let mut text = String::from(HEADER);
    for record in &results.records {
        let side = record.side.as_deref().unwrap_or("");
        let place = Place { scenario: &record.scenario, side, level: None };
        for metric in &record.metrics {
            rounds(&mut text, &place, metric, &record.invalid);
        }
    }
    for level in results.sweep.iter().flat_map(|sweep| &sweep.levels) {
        let place = Place { scenario: &results.title, side: "", level: Some(level.level) };
        for metric in &level.metrics {
            rounds(&mut text, &place, metric, &[]);
        }
    }
    text
}

fn rounds(text: &mut String, place: &Place<'_>, metric: &Metric, invalid: &[(usize, String)]) {
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for round in 0..metric.samples.len().max(metric.control.len()) {
        let at = |values: &[Option<f64>]| values.get(round).copied().flatten();
        let why: Vec<_> =
            invalid.iter().filter(|(of, _)| *of == round).map(|(_, why)| why.as_str()).collect();
        let fields = [
            field(place.scenario),
            field(place.side),
            number(place.level),
            field(&metric.name),
            field(&unit(&metric.unit)),
            (round + 1).to_string(),
            number(at(&metric.samples)),
            number(at(&metric.control)),
            field(&why.join("; ")),
        ];
        text.push_str(&fields.join(","));
        text.push_str("\r\n");
    }
}

fn unit(unit: &Unit) -> String {
    match unit {
        Unit::Seconds => "s".into(),
        Unit::Bytes => "B".into(),
        Unit::PerSecond => "1/s".into(),
        Unit::Count => "count".into(),
        Unit::Share => "share".into(),
        Unit::Cores => "cores".into(),
        Unit::Named(name) => name.clone(),
    }
}

/// A text: one that a spreadsheet would take for a formula begins with an apostrophe, and what separates is quoted.
fn field(text: &str) -> String {
    let formula = text.trim_start().starts_with(['=', '+', '-', '@']) || text.starts_with(['\t', '\r', '\n']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n']) || text != text.trim() {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_and_never_formulas() {
        for (text, expected) in [
            ("p99 of put", "p99 of put"),
            ("<script>|\"a,b\"", "\"<script>|\"\"a,b\"\"\""),
            ("=1+1", "'=1+1"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            (" +a", "' +a"),
            ("\t=a", "'\t=a"),
            ("a\nb", "\"a\nb\""),
            ("", ""),
        ] {
            assert_eq!(field(text), expected);
        }
    }
}
