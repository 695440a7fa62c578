//! The words that every output has in common.

use super::model::Tone;
use crate::memory::text;
use crate::results::comparison::{Basis, ComparisonKind, Interval, Verdict};
use crate::results::document::Outcome;
use crate::results::findings::Severity;
use crate::results::metric::Unit;
use crate::results::sweep::Axis;

/// In the place of a figure that there is none of.
pub(super) const ABSENT: &str = "-";

pub(super) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Warned => "passed, with warnings",
        Outcome::Inconclusive => "inconclusive",
        Outcome::Failed => "failed",
    }
}

/// Of designs to choose from, none has regressed.
pub(super) fn verdict(verdict: Verdict, designs: bool) -> (&'static str, Tone) {
    match verdict {
        Verdict::Improved if designs => ("better", Tone::Good),
        Verdict::Regressed if designs => ("worse", Tone::Warn),
        Verdict::Improved => ("improved", Tone::Good),
        Verdict::Regressed => ("regressed", Tone::Bad),
        Verdict::Same => ("same", Tone::Plain),
        Verdict::Inconclusive => ("inconclusive", Tone::Warn),
    }
}

pub(super) fn severity(severity: Severity) -> (&'static str, Tone) {
    match severity {
        Severity::Fail => ("failed", Tone::Bad),
        Severity::Warn => ("warning", Tone::Warn),
        Severity::Unknown => ("unknown", Tone::Warn),
        Severity::Note => ("note", Tone::Plain),
        Severity::Good => ("good", Tone::Good),
    }
}

pub(super) fn kind(kind: ComparisonKind) -> &'static str {
    match kind {
        ComparisonKind::Interleaved => "in turn, in one process",
        ComparisonKind::Saved => "at different times: one side was saved",
    }
}

pub(super) fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Absolute => "values",
        Basis::Control => "to control",
        Basis::Paired => "round by round",
    }
}

pub(super) fn axis(axis: &Axis) -> String {
    match axis {
        Axis::Rate => "rate".into(),
        Axis::Concurrency => "concurrency".into(),
        Axis::Payload => "payload".into(),
        Axis::Data => "amount of data".into(),
        Axis::Named(name) => name.clone(),
    }
}

/// A figure, or the sign for none.
pub(super) fn figure(unit: &Unit, value: Option<f64>) -> String {
    value.map_or_else(|| ABSENT.into(), |value| unit.text(value))
}

/// `1.21 (1.15 to 1.27)`.
pub(super) fn interval(interval: &Interval) -> String {
    let Interval { value, low, high } = interval;
    format!("{} ({} to {})", ratio(*value), ratio(*low), ratio(*high))
}

/// A level of a sweep: a whole number without decimals.
pub(super) fn level(unit: &Unit, value: f64) -> String {
    if value.fract() != 0.0 || !(0.0..1e15).contains(&value) {
        return unit.text(value);
    }
    let number = text::count(text::whole(value));
    match unit {
        Unit::Count => number,
        Unit::PerSecond => format!("{number} /s"),
        Unit::Named(name) => format!("{number} {name}"),
        Unit::Seconds | Unit::Bytes | Unit::Share | Unit::Cores => unit.text(value),
    }
}

/// Two decimals around 1, and three figures elsewhere.
pub(super) fn ratio(value: f64) -> String {
    match value.abs() {
        99.95.. => format!("{value:.0}"),
        9.995.. => format!("{value:.1}"),
        0.095.. => format!("{value:.2}"),
        0.000_95.. => format!("{value:.4}"),
        0.0 => "0".into(),
        _ => format!("{value:.2e}"),
    }
}

pub(super) fn probability(p: Option<f64>) -> String {
    match p {
        None => ABSENT.into(),
        Some(p) if p < 0.0001 => "< 0.0001".into(),
        Some(p) => format!("{p:.4}"),
    }
}

/// `1 round`, `20 rounds`.
pub(super) fn plural(number: usize, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {what}{s}", text::count(number as u64))
}

/// On one line: what would break it, or move a terminal's cursor, is a space.
pub(super) fn one_line(line: &str) -> String {
    line.chars().map(|c| if c.is_control() || is_bidi(c) { ' ' } else { c }).collect()
}

/// What turns the direction of the text after it around.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// A name in at most `most` columns; its end often tells it from others, so its middle is left out.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let chars: Vec<char> = one_line(text).chars().collect();
    if chars.len() <= most {
        return chars.into_iter().collect();
    }
    let end = most / 3;
    let (first, last) = (&chars[..most - end - 1], &chars[chars.len() - end..]);
    first.iter().chain(['…'].iter()).chain(last).collect()
}

/// For HTML and XML, in texts and in attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // XML has no way to write these.
            c if (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                safe.push(' ');
            }
            c if is_bidi(c) => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_controls_do_not_get_through() {
        assert_eq!(escaped("<a b=\"c\">'&\u{1b}\u{202e}"), "&lt;a b=&quot;c&quot;&gt;&#39;&amp;  ");
        assert_eq!(one_line("a\r\n\u{1b}[31mb"), "a   [31mb");
        assert_eq!(shortened("jetstream publish with ack", 18), "jetstream p…th ack");
    }

    #[test]
    fn levels_are_whole_where_they_can_be() {
        assert_eq!([level(&Unit::Count, 64.0), level(&Unit::Count, 0.5)], ["64", "0.5000"]);
        assert_eq!(level(&Unit::PerSecond, 20_000.0), "20 000 /s");
        assert_eq!(level(&Unit::Bytes, 1024.0), "1.00 KiB");
    }

    #[test]
    fn ratios_and_probabilities_are_short() {
        assert_eq!([ratio(150.2), ratio(1.234), ratio(0.0589), ratio(0.0)], ["150", "1.23", "0.0589", "0"]);
        assert_eq!(
            [probability(None), probability(Some(0.03)), probability(Some(1e-9))],
            ["-", "0.0300", "< 0.0001"]
        );
    }
}
