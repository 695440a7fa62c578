//! Memory over time: heap, and what is resident.

use super::super::Plot;
use super::super::words::shortened;
use super::canvas::{Canvas, Shape};
use super::panel::{Panel, Titles};
use super::scale::Scale;
use crate::memory::{MemoryReport, Series};
use crate::results::metric::Unit;
use crate::results::record::Record;

const HEIGHT: f64 = 220.0;

pub(super) fn plot(record: &Record, name: String) -> Option<Plot> {
    let memory = record.memory.as_ref()?;
    let series = |wanted: fn(&str) -> bool| -> Vec<(&str, &Series)> {
        let all = memory.series.iter().map(|(name, series)| (name.as_str(), series));
        all.filter(|(name, series)| wanted(name) && !series.is_empty()).collect()
    };
    // Apart, since a heap of some kilobytes is not to be seen beside a process.
    let heap = series(|name| name == "heap");
    let resident = series(|name| name.starts_with("rss "));
    if heap.is_empty() && resident.is_empty() {
        return None;
    }
    let mut canvas = Canvas::new(name, &format!("Memory over time: {}", record.title()));
    let shapes = |first: usize, list: &[(&str, &Series)]| -> Vec<(Shape, String)> {
        list.iter().enumerate().map(|(at, (name, _))| (Shape::Line(first + at), text(name))).collect()
    };
    let entries = [shapes(0, &heap), shapes(1, &resident)].concat();
    canvas.legend(&entries);
    panel(&mut canvas, memory, "heap, above the start", 0, &heap);
    panel(&mut canvas, memory, "resident", 1, &resident);
    Some(canvas.finish(&description(&heap, &resident)))
}

fn text(name: &str) -> String {
    match name {
        "heap" => "heap of the test".into(),
        "rss own" => "resident: own process".into(),
        _ => format!("resident: {}", name.trim_start_matches("rss ")),
    }
}

fn panel(canvas: &mut Canvas, memory: &MemoryReport, above: &str, first: usize, list: &[(&str, &Series)]) {
    let points = || list.iter().flat_map(|(_, series)| series.points());
    let ends = [0.0, memory.duration.as_secs_f64()];
    let x = Scale::linear(points().map(|point| point.at.as_secs_f64()).chain(ends), &Unit::Seconds, true);
    let y = Scale::linear(points().map(|point| point.value), &Unit::Bytes, true);
    let (Some(x), Some(y), false) = (x, y, list.is_empty()) else { return };
    let x_end = x.bounds().1;
    let panel = Panel::wide(canvas, HEIGHT, &Titles { above, below: "time since the start" }, x, y);
    for (place, (_, series)) in list.iter().enumerate() {
        let points = series.points().map(|point| (point.at.as_secs_f64(), point.value));
        panel.curve(canvas, Shape::Line(first + place), points);
    }
    if memory.phases.len() > 1 {
        let marks = memory.phases.iter().map(|phase| (phase.at.as_secs_f64(), shortened(&phase.name, 20)));
        panel.marks(canvas, &marks.filter(|(at, _)| *at <= x_end).collect::<Vec<_>>());
    }
}

fn description(heap: &[(&str, &Series)], resident: &[(&str, &Series)]) -> String {
    let peak = |(name, series): &(&str, &Series)| {
        let peak = series.max().map_or_else(|| "not measured".into(), |point| Unit::Bytes.text(point.value));
        format!("{}: at most {peak} in a sample", text(name))
    };
    heap.iter().chain(resident).map(peak).collect::<Vec<_>>().join("; ")
}
