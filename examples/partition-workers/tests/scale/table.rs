//! The steps as a table, and what each worker adds.

use std::fmt::{self, Write as _};

use crate::fit::Fit;
use crate::steps::Step;

const HEADINGS: [&str; 12] = [
    "workers", "stable", "assign()", "most", "fewest", "moved", "least", "heap", "each", "tasks", "threads",
    "server",
];

/// One row for each step. `heap` is the live heap less that without workers, `each` what each worker of the step has added to it,
/// `server` what the server has resident.
pub fn table(steps: &[Step]) -> String {
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    rows.extend(
        steps
            .iter()
            .enumerate()
            .map(|(index, step)| row(step, index.checked_sub(1).map(|before| &steps[before]))),
    );
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; HEADINGS.len()] = std::array::from_fn(width);
    let mut text = String::new();
    for row in &rows {
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(text, "{cell:>width$}  ");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

fn row(step: &Step, before: Option<&Step>) -> [String; HEADINGS.len()] {
    let each = before.filter(|before| before.workers != step.workers).and_then(|before| {
        let more = step.workers as f64 - before.workers as f64;
        Some((step.heap? - before.heap?) as f64 / more)
    });
    [
        step.workers.to_string(),
        shown(step.until_stable.map(|time| format!("{:.1} ms", time.as_secs_f64() * 1e3))),
        shown(step.assign.map(|time| format!("{:.1} µs", time.as_secs_f64() * 1e6))),
        step.shares.0.to_string(),
        step.shares.1.to_string(),
        step.moved.to_string(),
        step.least.to_string(),
        shown(step.heap.map(|bytes| kib(bytes as f64))),
        shown(each.map(kib)),
        shown(step.tasks),
        shown(step.threads),
        shown(step.server_rss.map(|bytes| format!("{:.1} MiB", bytes as f64 / (1024.0 * 1024.0)))),
    ]
}

/// What was not measured is shown as that.
fn shown(value: Option<impl fmt::Display>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn kib(bytes: f64) -> String {
    format!("{:.1} KiB", bytes / 1024.0)
}

/// What each worker adds in bytes of heap, and in tasks; of the steps with workers.
pub fn fits(steps: &[Step]) -> (Option<Fit>, Option<Fit>) {
    let fit = |value: fn(&Step) -> Option<f64>| {
        let points = steps
            .iter()
            .filter(|step| step.workers > 0)
            .map(|step| Some((step.workers as f64, value(step)?)));
        Fit::of(&points.collect::<Option<Vec<_>>>()?)
    };
    (fit(|step| Some(step.heap? as f64)), fit(|step| Some(step.tasks? as f64)))
}

/// The fits as two lines.
pub fn summary(steps: &[Step]) -> String {
    let (heap, tasks) = fits(steps);
    let line = |fit: Option<Fit>, show: fn(f64) -> String| match fit {
        Some(Fit { base, each, margin }) => {
            format!("{} and {} ± {} for each worker", show(base), show(each), show(margin))
        }
        None => "not fitted (it takes three steps with workers, and figures of each)".to_owned(),
    };
    format!("heap   {}\ntasks  {}\n", line(heap, kib), line(tasks, |count| format!("{count:.2}")))
}
