//! A report as a table, and a distribution as a drawing.

mod histogram;
mod sections;
mod tables;

use std::fmt::{self, Write as _};

use super::report::LoadReport;
use super::threshold::rate_text;
use crate::memory::text::{bytes, count, duration, percent};

/// Where the text of a line begins that has a label.
const LABEL: usize = 10;
/// Columns of the whole.
const WIDTH: usize = 100;

/// Everything that was measured, in about a hundred columns; what was not is left out.
impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        head(&mut text, self);
        text.push('\n');
        text.push_str(&tables::counts(self));
        tables::others(&mut text, self);
        text.push('\n');
        text.push_str(&tables::times(self));
        sections::errors(&mut text, self);
        sections::start(&mut text, self);
        sections::workers(&mut text, self);
        sections::bursts(&mut text, self);
        sections::messages(&mut text, self);
        sections::timeline(&mut text, self);
        sections::machine(&mut text, self);
        sections::verdict(&mut text, self);
        f.write_str(&text)
    }
}

/// A line that begins with its label; where it is long, its rest is below its beginning.
fn line(text: &mut String, label: &str, what: impl fmt::Display) {
    wrapped(text, &format!("{label:<LABEL$} "), &what.to_string());
}

/// Words in lines of at most [`WIDTH`] columns, after what stands before the first.
fn wrapped(text: &mut String, before: &str, words: &str) {
    let indent = before.chars().count();
    let mut column = indent;
    text.push_str(before);
    // A number stays with its unit, or with what it counts.
    let after_digit = std::cell::Cell::new(false);
    let ends = |c: char| {
        let digit = after_digit.replace(c.is_ascii_digit());
        c == ' ' && !digit
    };
    for (place, word) in words.split(ends).enumerate() {
        let width = word.chars().count();
        if place > 0 && column + 1 + width > WIDTH {
            let _ = write!(text, "\n{:indent$}", "");
            column = indent;
        } else if place > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += width;
    }
    text.push('\n');
}

fn head(text: &mut String, report: &LoadReport) {
    let setup = &report.setup;
    let of = if report.name == "total" { String::new() } else { format!("`{}`, ", report.name) };
    let (workers, threads) = (plural(setup.workers, "worker"), plural(setup.threads, "thread"));
    let took = duration(report.elapsed);
    line(
        text,
        "load",
        format!("{of}{}: took {took}, {workers}, {} ({threads})", setup.schedule, setup.flavor),
    );
    if setup.flavor == "current_thread" {
        let shared =
            "the default flavour shares one thread among the generator, the library and its responders";
        line(text, "", shared);
    }
    let (smallest, largest) = setup.payload_bytes;
    let [smallest_text, largest_text] = [smallest, largest].map(|size| bytes(size as f64));
    let sizes =
        if smallest == largest { smallest_text } else { format!("{smallest_text} to {largest_text}") };
    let own = bytes(setup.generator_bytes as f64);
    line(text, "", format!("payloads of {sizes}, seed {}, {own} of the generator's own", setup.seed));
    if let Some(why) = &report.stopped {
        line(text, "stopped", format!("before its schedule's end: {why}"));
    }
    rates(text, report);
}

fn rates(text: &mut String, report: &LoadReport) {
    let achieved = report.achieved_per_second();
    match report.offered_per_second() {
        Some(offered) if offered > 0.0 => {
            let share = percent(achieved / offered);
            let (offered, achieved) = (rate_text(offered), rate_text(achieved));
            line(text, "offered", format!("{offered}/s, achieved {achieved}/s ({share})"));
        }
        _ => line(text, "achieved", format!("{}/s", rate_text(achieved))),
    }
}

/// `1 worker`, or `64 workers`.
fn plural(number: u64, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {what}{s}", count(number))
}

/// A text in at most `most` columns: its end is often what tells it from others, so that its middle is left out.
fn shortened(text: &str, most: usize) -> String {
    let chars: Vec<char> = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if chars.len() <= most {
        return chars.into_iter().collect();
    }
    let end = most / 3;
    let (first, last) = (&chars[..most - end - 1], &chars[chars.len() - end..]);
    first.iter().chain(['…'].iter()).chain(last).collect()
}

#[cfg(test)]
mod tests;
