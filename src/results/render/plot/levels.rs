//! Throughput and p99 over the levels of a sweep.

use super::super::Plot;
use super::super::words;
use super::canvas::{Canvas, Shape};
use super::panel::{Panel, Titles};
use super::scale::Scale;
use crate::results::metric::{Metric, Unit};
use crate::results::sweep::{Level, ScalabilityLaw, SweepReport};

const HEIGHT: f64 = 250.0;
/// A range this wide is shown by its logarithm.
const WIDE: f64 = 8.0;
/// Points of the model's curve.
const STEPS: u8 = 80;

/// One metric over the levels.
struct Curve<'a> {
    name: &'a str,
    style: usize,
    law: Option<&'a ScalabilityLaw>,
}

pub(super) fn plot(title: &str, sweep: &SweepReport, name: String) -> Option<Plot> {
    let measured = |curve: &Curve<'_>| of(&sweep.levels, curve.name).next().is_some();
    let curves = [
        Curve { name: "throughput", style: 0, law: sweep.law.as_ref() },
        Curve { name: "p99", style: 1, law: None },
    ];
    let curves: Vec<_> = curves.into_iter().filter(measured).collect();
    if curves.is_empty() {
        return None;
    }
    let axis = words::axis(&sweep.axis);
    let mut canvas = Canvas::new(name, &format!("{title}: figures over {axis}"));
    canvas.legend(&legend(&curves));
    for curve in &curves {
        panel(&mut canvas, sweep, curve, &axis);
    }
    Some(canvas.finish(&description(sweep)))
}

fn legend(curves: &[Curve<'_>]) -> Vec<(Shape, String)> {
    let both = curves.iter().flat_map(|curve| {
        let dots = (Shape::Dots(curve.style), format!("{}, one window", curve.name));
        [(Shape::Line(curve.style), format!("{}, median", curve.name)), dots]
    });
    let law = curves.iter().any(|curve| curve.law.is_some());
    let model = law.then(|| (Shape::Model(2), "Universal Scalability Law (model)".into()));
    both.chain(model).collect()
}

/// The levels that measured a metric, with it.
fn of<'a>(levels: &'a [Level], name: &str) -> impl Iterator<Item = (f64, &'a Metric)> {
    let metric = move |level: &'a Level| {
        let metric = level.metrics.iter().find(|metric| metric.name == name && metric.median().is_some());
        metric.map(|metric| (level.level, metric))
    };
    levels.iter().filter_map(metric)
}

fn panel(canvas: &mut Canvas, sweep: &SweepReport, curve: &Curve<'_>, axis: &str) {
    let measured: Vec<_> = of(&sweep.levels, curve.name).collect();
    let windows = || measured.iter().flat_map(|(level, m)| m.values().into_iter().map(move |y| (*level, y)));
    let Some((_, first)) = measured.first() else { return };
    let (Some(x), Some(y)) = (x_axis(sweep), y_axis(windows().map(|(_, y)| y).collect(), &first.unit)) else {
        return;
    };
    let logarithmic = if y.1 { " (logarithmic)" } else { "" };
    let unit = if let Unit::PerSecond = first.unit { ", per second" } else { "" };
    let above = format!("{}{unit}{logarithmic}", curve.name);
    let (low, high) = x.bounds();
    let model: Vec<_> = curve.law.iter().flat_map(|law| modelled(law, &x, &sweep.levels)).collect();
    let panel = Panel::wide(canvas, HEIGHT, &Titles { above: &above, below: axis }, x, y.0);
    panel.curve(canvas, Shape::Model(2), model);
    panel.curve(canvas, Shape::Dots(curve.style), windows());
    let medians = measured.iter().filter_map(|(level, metric)| Some((*level, metric.median()?)));
    panel.curve(canvas, Shape::Line(curve.style), medians);
    let marks: Vec<_> = marks(sweep).into_iter().filter(|(at, _)| (low..=high).contains(at)).collect();
    panel.marks(canvas, &marks);
}

/// The levels themselves are its ticks.
fn x_axis(sweep: &SweepReport) -> Option<Scale> {
    let levels = || sweep.levels.iter().map(|level| level.level);
    let (least, most) = (levels().reduce(f64::min)?, levels().reduce(f64::max)?);
    let scale = if least > 0.0 && most / least >= WIDE {
        Scale::log(levels(), &sweep.unit)?
    } else {
        Scale::linear(levels(), &sweep.unit, false)?
    };
    let ticks =
        levels().map(|level| (level, words::level(&sweep.unit, level).trim_end_matches(" /s").into()));
    Some(scale.with_ticks(ticks.collect()))
}

/// Whether it is logarithmic, too.
fn y_axis(values: Vec<f64>, unit: &Unit) -> Option<(Scale, bool)> {
    let (least, most) = values.iter().fold((f64::MAX, 0.0_f64), |all, y| (all.0.min(*y), all.1.max(*y)));
    let times = matches!(unit, Unit::Seconds);
    if times && least > 0.0 && most / least >= WIDE * 2.0 {
        return Some((Scale::log(values, unit)?, true));
    }
    Some((Scale::linear(values, unit, true)?, false))
}

/// Over the levels that were measured, and not beyond.
fn modelled(law: &ScalabilityLaw, x: &Scale, levels: &[Level]) -> Vec<(f64, f64)> {
    let ends = levels
        .iter()
        .map(|level| x.place(level.level))
        .fold((1.0, 0.0), |all: (f64, f64), place| (all.0.min(place), all.1.max(place)));
    let throughput = |n: f64| law.lambda * n / (1.0 + law.sigma * (n - 1.0) + law.kappa * n * (n - 1.0));
    let at = (0..=STEPS).map(|step| x.value(ends.0 + (ends.1 - ends.0) * f64::from(step) / f64::from(STEPS)));
    at.map(|level| (level, throughput(level))).collect()
}

fn marks(sweep: &SweepReport) -> Vec<(f64, String)> {
    let limit = sweep.limit.as_ref().map(|limit| (limit.level, "limit"));
    let knee = sweep.knee.as_ref().map(|knee| (knee.level, "knee"));
    match (limit, knee) {
        (Some((limit, _)), Some((knee, _))) if limit == knee => vec![(limit, "limit and knee".into())],
        _ => {
            let mut marks: Vec<_> =
                limit.into_iter().chain(knee).map(|(at, name)| (at, name.to_owned())).collect();
            marks.sort_by(|a, b| a.0.total_cmp(&b.0));
            marks
        }
    }
}

fn description(sweep: &SweepReport) -> String {
    let mut texts: Vec<String> = Vec::new();
    for level in &sweep.levels {
        let of = |metric: &Metric| Some(format!("{} {}", metric.name, metric.text(metric.median()?)));
        let shown =
            level.metrics.iter().filter(|metric| ["throughput", "p99"].contains(&metric.name.as_str()));
        let figures: Vec<_> = shown.filter_map(of).collect();
        texts.push(format!("at {}: {}", words::level(&sweep.unit, level.level), figures.join(", ")));
    }
    texts.join("; ")
}
