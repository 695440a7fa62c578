//! Distributions of times: which share of the operations took no longer than so much.

use super::super::Plot;
use super::canvas::{Canvas, Shape};
use super::panel::{Panel, Titles};
use super::scale::Scale;
use crate::load::Latency;
use crate::results::document::Results;
use crate::results::metric::Unit;

const HEIGHT: f64 = 330.0;
/// More curves than that nobody tells apart.
const CURVES: usize = super::style::STYLES;

pub(super) fn plot(results: &Results, name: String) -> Option<Plot> {
    let records =
        results.records.iter().filter_map(|record| Some((record.title(), record.latency.as_ref()?)));
    let all: Vec<(&str, &Latency)> = records.filter(|(_, latency)| latency.count() > 0).collect();
    let shown = &all[..all.len().min(CURVES)];
    let curves: Vec<Vec<(f64, f64)>> = shown.iter().map(|(_, latency)| curve(latency)).collect();
    let points = || curves.iter().flatten();
    let x = Scale::log(points().map(|point| point.0), &Unit::Seconds)?;
    let nines = points().map(|point| point.1).fold(1.0, f64::max);
    let mut canvas = Canvas::new(name, "Distribution of response times");
    let legend = shown.iter().enumerate().map(|(at, (title, _))| (Shape::Line(at), (*title).to_owned()));
    canvas.legend(&legend.collect::<Vec<_>>());
    let titles =
        Titles { above: "operations that took no longer", below: "time of an operation (logarithmic)" };
    let panel = Panel::wide(&mut canvas, HEIGHT, &titles, x, shares(nines));
    for (place, curve) in curves.iter().enumerate() {
        panel.curve(&mut canvas, Shape::Line(place), curve.iter().copied());
    }
    Some(canvas.finish(&description(shown, all.len())))
}

/// Time in seconds, and how many nines the share has that took no longer: 1 for 90 %, 2 for 99 %. A sample is in the middle of its
/// rank, so that the slowest has a place too.
#[expect(clippy::cast_precision_loss, reason = "53 bits are more than a plot needs")]
fn curve(latency: &Latency) -> Vec<(f64, f64)> {
    let total = latency.count() as f64;
    let (min, max) = (latency.min().unwrap_or_default(), latency.max().unwrap_or_default());
    let mut below = 0.0;
    let mut points = vec![(min.as_secs_f64(), nines(0.5 / total))];
    for (low, high, count) in latency.buckets() {
        below += count as f64;
        let time = (low + (high - low) / 2).clamp(min, max);
        points.push((time.as_secs_f64(), nines((below - 0.5) / total)));
    }
    points.push((max.as_secs_f64(), nines((total - 0.5) / total)));
    points.retain(|(time, _)| *time > 0.0);
    points.dedup();
    points
}

fn nines(share: f64) -> f64 {
    -(1.0 - share).log10()
}

/// 0 %, 50 %, 90 %, 99 %, 99.9 % and so on, each as far from the next as it is rare.
fn shares(most: f64) -> Scale {
    let texts = ["90 %", "99 %", "99.9 %", "99.99 %", "99.999 %", "99.9999 %", "99.99999 %"];
    let rare = texts.iter().zip(1_u8..).map(|(text, nines)| (f64::from(nines), (*text).to_owned()));
    let ticks = [(0.0, "0 %".to_owned()), (nines(0.5), "50 %".to_owned())].into_iter().chain(rare);
    let high = most + 0.1;
    Scale::of(0.0, high, ticks.filter(|(tick, _)| *tick <= high).collect())
}

fn description(shown: &[(&str, &Latency)], all: usize) -> String {
    let text =
        |time: Option<std::time::Duration>| time.map_or_else(|| "-".into(), crate::memory::text::duration);
    let each = |(title, latency): &(&str, &Latency)| {
        let [p50, p99] = [50.0, 99.0].map(|percent| text(latency.percentile(percent)));
        format!("{title}: p50 {p50}, p99 {p99}, max {}", text(latency.max()))
    };
    let mut texts: Vec<_> = shown.iter().map(each).collect();
    if all > shown.len() {
        texts.push(format!("{} more are not drawn", all - shown.len()));
    }
    texts.join("; ")
}
