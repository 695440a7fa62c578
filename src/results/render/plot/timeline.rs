//! A run of load window by window: throughput, failures and p99, with what was done to the system.

use super::super::Plot;
use super::super::words::shortened;
use super::canvas::{Canvas, Shape};
use super::panel::{Panel, Titles};
use super::scale::Scale;
use crate::load::{LoadReport, Window};
use crate::results::metric::Unit;
use crate::results::record::Record;

const HEIGHT: f64 = 220.0;
/// A range of times this wide is shown by its logarithm.
const WIDE: f64 = 20.0;

pub(super) fn plot(record: &Record, name: String) -> Option<Plot> {
    let load = record.load.as_ref()?;
    let windows = load.timeline().windows();
    if windows.len() < 2 {
        return None; // no course of time to be seen
    }
    let failed = windows.iter().any(|window| window.failed > 0);
    let mut canvas = Canvas::new(name, &format!("Load over time, last round: {}", record.title()));
    let mut entries = vec![(Shape::Line(0), "operations that ended well".to_owned())];
    entries.extend(failed.then(|| (Shape::Line(1), "operations that failed".to_owned())));
    entries.push((Shape::Line(2), "p99 of a window".into()));
    canvas.legend(&entries);
    rates(&mut canvas, load, windows, failed);
    times(&mut canvas, load, windows);
    Some(canvas.finish(&description(load, windows)))
}

fn middle(window: &Window) -> f64 {
    (window.at + window.length / 2).as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "53 bits are more than a plot needs")]
fn failed_per_second(window: &Window) -> Option<f64> {
    (!window.length.is_zero()).then(|| window.failed as f64 / window.length.as_secs_f64())
}

fn time_axis(windows: &[Window]) -> Option<Scale> {
    let ends = windows.iter().map(|window| window.end().as_secs_f64());
    Scale::linear(ends.chain([0.0]), &Unit::Seconds, true)
}

fn rates(canvas: &mut Canvas, load: &LoadReport, windows: &[Window], failed: bool) {
    let well = || windows.iter().filter_map(|w| Some((middle(w), w.succeeded_per_second()?)));
    let badly = || windows.iter().filter(|_| failed).filter_map(|w| Some((middle(w), failed_per_second(w)?)));
    let y = Scale::linear(well().chain(badly()).map(|(_, y)| y), &Unit::PerSecond, true);
    let (Some(x), Some(y)) = (time_axis(windows), y) else { return };
    let titles = Titles { above: "operations, per second", below: "time since the start" };
    let panel = Panel::wide(canvas, HEIGHT, &titles, x, y);
    outages(canvas, &panel, load);
    panel.curve(canvas, Shape::Line(0), well());
    panel.curve(canvas, Shape::Line(1), badly());
    events(canvas, &panel, load);
}

/// Where no operation ended well there is no p99, and the line has a gap.
fn times(canvas: &mut Canvas, load: &LoadReport, windows: &[Window]) {
    let values: Vec<f64> = windows.iter().filter_map(|window| Some(window.p99?.as_secs_f64())).collect();
    let (least, most) = values.iter().fold((f64::MAX, 0.0_f64), |all, y| (all.0.min(*y), all.1.max(*y)));
    let log = least > 0.0 && most / least >= WIDE;
    let y =
        if log { Scale::log(values, &Unit::Seconds) } else { Scale::linear(values, &Unit::Seconds, true) };
    let (Some(x), Some(y)) = (time_axis(windows), y) else { return };
    let above = if log { "p99 (logarithmic)" } else { "p99" };
    let panel = Panel::wide(canvas, HEIGHT, &Titles { above, below: "time since the start" }, x, y);
    outages(canvas, &panel, load);
    for run in windows.chunk_by(|a, b| a.p99.is_some() == b.p99.is_some()) {
        let points = run.iter().filter_map(|window| Some((middle(window), window.p99?.as_secs_f64())));
        panel.curve(canvas, Shape::Line(2), points);
    }
    events(canvas, &panel, load);
}

/// What each event broke is shaded.
fn outages(canvas: &mut Canvas, panel: &Panel, load: &LoadReport) {
    let end = load.timeline().windows().last().map(Window::end).unwrap_or_default();
    for outage in load.recoveries().into_iter().filter_map(|recovery| recovery.outage) {
        panel.shade(canvas, outage.from.as_secs_f64(), outage.until.unwrap_or(end).as_secs_f64());
    }
}

fn events(canvas: &mut Canvas, panel: &Panel, load: &LoadReport) {
    let marks = load.events().iter().map(|event| (event.at.as_secs_f64(), shortened(&event.name, 24)));
    panel.marks(canvas, &marks.collect::<Vec<_>>());
}

fn description(load: &LoadReport, windows: &[Window]) -> String {
    let events = load
        .events()
        .iter()
        .map(|event| format!("; {} at {}", event.name, crate::memory::text::duration(event.at)));
    format!("{} windows{}", windows.len(), events.collect::<String>())
}
