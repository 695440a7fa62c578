//! The samples of two sides by rounds: noise and drift are to be seen here.

use super::super::Plot;
use super::super::words::{shortened, verdict};
use super::canvas::{Anchor, Canvas, MARGIN, Shape};
use super::panel::{Panel, Titles};
use super::scale::Scale;
use crate::results::comparison::{Comparison, MetricComparison};
use crate::results::document::Results;
use crate::results::metric::Unit;

const HEIGHT: f64 = 160.0;
/// Panels in one plot.
const MOST: usize = 12;

pub(super) fn plot(results: &Results, comparison: &Comparison, name: String) -> Option<Plot> {
    let fields: Vec<_> =
        comparison.metrics.iter().filter_map(|metric| field(results, comparison, metric)).collect();
    if fields.is_empty() {
        return None;
    }
    let title = format!("Samples by round: {} with {}", comparison.candidate, comparison.base);
    let mut canvas = Canvas::new(name, &title);
    let side = |shape, what: &str, name: &str| (shape, format!("{what}: {}", shortened(name, 36)));
    canvas.legend(&[
        side(Shape::Rings(0), "base", &comparison.base),
        side(Shape::Dots(1), "candidate", &comparison.candidate),
        (Shape::Line(0), "median of the base".into()),
        (Shape::Line(1), "median of the candidate".into()),
    ]);
    for pair in fields[..fields.len().min(MOST)].chunks(2) {
        let top = canvas.take(HEIGHT);
        for (field, right) in pair.iter().zip([false, true]) {
            field.draw(&mut canvas, right, top);
        }
    }
    if fields.len() > MOST {
        let top = canvas.take(18.0);
        let text = format!("{} more metrics are not drawn", fields.len() - MOST);
        canvas.label(MARGIN, top + 12.0, Anchor::Start, &text);
    }
    Some(canvas.finish(&description(comparison)))
}

/// What is drawn of one metric.
struct Field {
    title: String,
    samples: [Vec<(f64, f64)>; 2],
    medians: [Option<f64>; 2],
    axes: (Scale, Scale),
}

/// `None` where neither side has samples. Of a base that was saved, the median may be all there is.
fn field(results: &Results, comparison: &Comparison, metric: &MetricComparison) -> Option<Field> {
    let sides = [&comparison.base, &comparison.candidate];
    let samples = sides.map(|side| {
        let record = results.record(side);
        let metric = record.and_then(|record| record.metric(&metric.name));
        let rounds = metric.iter().flat_map(|metric| (1_u32..).zip(&metric.samples));
        rounds.filter_map(|(round, value)| Some((f64::from(round), (*value)?))).collect::<Vec<_>>()
    });
    if samples.iter().all(Vec::is_empty) {
        return None;
    }
    let medians = [metric.base.median, metric.candidate.median];
    let all = || samples.iter().flatten();
    let y = Scale::linear(all().map(|(_, y)| *y).chain(medians.into_iter().flatten()), &metric.unit, false)?;
    let rounds = all().map(|(round, _)| *round).fold(1.0, f64::max);
    let (verdict, _) = verdict(metric.verdict, comparison.rules.designs);
    let title = format!("{}{}: {verdict}", shortened(&metric.name, 30), unit(&metric.unit));
    Some(Field { title, samples, medians, axes: (x_axis(rounds), y) })
}

/// What the ticks do not say.
fn unit(unit: &Unit) -> String {
    match unit {
        Unit::PerSecond => ", per second".into(),
        Unit::Cores => ", cores".into(),
        Unit::Named(name) => format!(", {}", shortened(name, 12)),
        Unit::Seconds | Unit::Bytes | Unit::Share | Unit::Count => String::new(),
    }
}

/// Whole rounds, with room at both ends.
fn x_axis(rounds: f64) -> Scale {
    let every = if rounds <= 8.0 { 1.0 } else { (rounds / 5.0 / 5.0).ceil() * 5.0 };
    let last = crate::memory::text::whole(rounds / every);
    let ticks = (0..=last).map(|tick| (tick as f64 * every).max(1.0));
    let ticks = ticks.map(|round| (round, format!("{round}"))).collect::<Vec<_>>();
    Scale::of(0.5, rounds + 0.5, ticks.into_iter().filter(|(round, _)| *round <= rounds).collect())
}

impl Field {
    fn draw(&self, canvas: &mut Canvas, right: bool, top: f64) {
        let titles = Titles { above: &self.title, below: "round" };
        let panel = Panel::half(canvas, right, (top, HEIGHT), &titles, self.axes.clone());
        for (style, median) in self.medians.iter().enumerate() {
            median.iter().for_each(|median| panel.level(canvas, Shape::Line(style), *median));
        }
        for (samples, shape) in self.samples.iter().zip([Shape::Rings(0), Shape::Dots(1)]) {
            panel.curve(canvas, shape, samples.iter().copied());
        }
    }
}

fn description(comparison: &Comparison) -> String {
    let each = comparison.metrics.iter().map(|metric| {
        let text =
            |value: Option<f64>| value.map_or_else(|| "not measured".into(), |value| metric.unit.text(value));
        let (base, candidate) = (text(metric.base.median), text(metric.candidate.median));
        format!(
            "{}: median {base} and {candidate}, {}",
            metric.name,
            verdict(metric.verdict, comparison.rules.designs).0
        )
    });
    each.collect::<Vec<_>>().join("; ")
}
