//! A threshold from its text.

use std::str::FromStr;

use super::value::{ThresholdValue, read};
use super::{Figure, Relation, Rule, Threshold, Time, Unreadable, WARN, possible};
use crate::load::error::{LoadError, LoadErrorKind};

const TIMES: [(&str, Time); 5] = [
    ("response", Time::Response),
    ("service", Time::Service),
    ("lag", Time::Lag),
    ("delivery", Time::Delivery),
    ("set-up", Time::SetUp),
];

const FIGURES: [(&str, Figure); 12] = [
    ("mean", Figure::Mean),
    ("max", Figure::Max),
    ("errors", Figure::Errors),
    ("dropped", Figure::Dropped),
    ("unfinished", Figure::Unfinished),
    ("rate", Figure::Rate),
    ("achieved", Figure::Achieved),
    ("lost", Figure::Lost),
    ("duplicates", Figure::Duplicates),
    ("reordered", Figure::Reordered),
    ("rss_growth", Figure::RssGrowth),
    ("peak_heap", Figure::PeakHeap),
];

/// What is wrong, and the part of the text that is.
struct Wrong<'a> {
    part: &'a str,
    why: String,
    right: String,
}

fn wrong<'a>(part: &'a str, why: impl Into<String>, right: impl Into<String>) -> Wrong<'a> {
    Wrong { part, why: why.into(), right: right.into() }
}

impl FromStr for Threshold {
    type Err = LoadError;

    /// Reads a threshold; how it is written, the type says.
    ///
    /// # Errors
    ///
    /// [`LoadErrorKind::Threshold`], with the part that is wrong, where it is, and one that is right.
    fn from_str(text: &str) -> Result<Self, LoadError> {
        match read_rule(text) {
            Ok(rule) => Ok(Self(Ok(rule))),
            Err(wrong) => Err(LoadError::new(LoadErrorKind::Threshold, told(text, &wrong))),
        }
    }
}

/// Text that cannot be read is an error of the run, of [`LoadErrorKind::Threshold`].
impl From<&str> for Threshold {
    fn from(text: &str) -> Self {
        Self(read_rule(text).map_err(|wrong| Unreadable { text: text.into(), why: told(text, &wrong) }))
    }
}

/// Text that cannot be read is an error of the run, of [`LoadErrorKind::Threshold`].
impl From<String> for Threshold {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

fn told(text: &str, wrong: &Wrong<'_>) -> String {
    // The part is a piece of the text, so that their addresses tell where it stands.
    let at =
        (wrong.part.as_ptr() as usize).checked_sub(text.as_ptr() as usize).filter(|at| *at <= text.len());
    let at = at.and_then(|at| text.get(..at)).map_or(1, |before| before.chars().count() + 1);
    format!("threshold `{text}`, character {at}: {} (right is, for example, `{}`)", wrong.why, wrong.right)
}

fn read_rule(text: &str) -> Result<Rule, Wrong<'_>> {
    let body = text.trim();
    let Some(at) = body.find(['<', '>', '=', '≤', '≥']) else {
        return Err(wrong(body, "there is no `<`, `<=`, `>=` or `>`", "p99<5ms"));
    };
    let (subject, rest) = (body[..at].trim(), &body[at..]);
    let (time, figure) = subject_of(subject)?;
    let (relation, rest) = relation_of(rest)?;
    let (rest, warn) = warn_of(rest)?;
    let (limit, name) = match rest.split_once(" for ") {
        Some((limit, name)) => (limit.trim(), Some(name.trim())),
        None => (rest.strip_suffix(" for").unwrap_or(rest).trim(), rest.strip_suffix(" for").map(|_| "")),
    };
    if name == Some("") {
        return Err(wrong(rest, "nothing follows `for`", "p99<5ms for put"));
    }
    let example = example(figure, time);
    let value = read(limit).map_err(|why| wrong(limit, why, &example))?;
    let rule = Rule { figure, time, relation, limit: value, name: name.map(Into::into), warn };
    match possible::check(&rule) {
        Ok(()) => Ok(rule),
        Err(why) => Err(wrong(if why.starts_with("the limit") { limit } else { body }, why, example)),
    }
}

fn subject_of(subject: &str) -> Result<(Option<Time>, Figure), Wrong<'_>> {
    let (time, name) = match subject.split_once(char::is_whitespace) {
        Some((word, rest)) => match TIMES.iter().find(|(name, _)| *name == word) {
            Some((_, time)) => (Some(*time), rest.trim_start()),
            None => {
                let known = TIMES.map(|(name, _)| name).join(", ");
                return Err(wrong(
                    word,
                    format!("`{word}` is no time (known are {known})"),
                    "service p99<5ms",
                ));
            }
        },
        None => (None, subject),
    };
    if let Some((_, figure)) = FIGURES.iter().find(|(text, _)| *text == name) {
        return Ok((time, *figure));
    }
    let digits = name.strip_prefix('p').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    match digits.and_then(|digits| digits.parse().ok()) {
        Some(percent) => Ok((time, Figure::Percentile(percent))),
        None => {
            let known = FIGURES.map(|(name, _)| name).join(", ");
            Err(wrong(
                name,
                format!("`{name}` is no figure (known are p99 and the like, {known})"),
                "p99<5ms",
            ))
        }
    }
}

fn relation_of(rest: &str) -> Result<(Relation, &str), Wrong<'_>> {
    let known = [
        ("<=", Relation::AtMost),
        ("≤", Relation::AtMost),
        ("<", Relation::Below),
        (">=", Relation::AtLeast),
        ("≥", Relation::AtLeast),
        (">", Relation::Above),
    ];
    let found = known.iter().find_map(|(text, relation)| Some((*relation, rest.strip_prefix(text)?)));
    found.ok_or_else(|| wrong(rest, "`=` bounds nothing: write `<`, `<=`, `>=` or `>`", "p99<=5ms"))
}

/// What stands before ` warn 20%`, and the share.
fn warn_of(rest: &str) -> Result<(&str, f64), Wrong<'_>> {
    let Some((before, warn)) = rest.rsplit_once(" warn") else {
        return Ok((rest, WARN));
    };
    match read(warn.trim()) {
        Ok(ThresholdValue::Share(share)) if share < 1.0 => Ok((before, share)),
        // An operation may be called `warn me`.
        Err(_) if !warn.is_empty() && rest.contains(" for ") => Ok((rest, WARN)),
        _ => {
            let why = "`warn` takes how near the limit is warned of, from 0% to less than 100% of it";
            Err(wrong(warn.trim_start(), why, "p99<5ms warn 20%"))
        }
    }
}

/// A threshold on this figure that is right.
pub(super) fn example(figure: Figure, time: Option<Time>) -> String {
    let right = match figure {
        Figure::Percentile(percent) if percent > 0.0 && percent <= 100.0 => format!("{figure}<5ms"),
        Figure::Percentile(_) => "p99.9<5ms".into(),
        Figure::Mean | Figure::Max => format!("{figure}<5ms"),
        Figure::Errors => "errors<1%".into(),
        Figure::Rate => "rate>=1000/s".into(),
        Figure::Achieved => "achieved>=99%".into(),
        Figure::RssGrowth => "rss_growth<10%".into(),
        Figure::PeakHeap => "peak_heap<8MiB".into(),
        Figure::Dropped | Figure::Unfinished | Figure::Lost | Figure::Duplicates | Figure::Reordered => {
            format!("{figure}<=0")
        }
    };
    time.filter(|_| figure.is_time()).map_or(String::new(), |time| format!("{time} ")) + &right
}
