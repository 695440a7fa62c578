//! Memory over workers, as SVG: the library's heap above, the server's resident bytes below, each with its spread.

use std::fmt::Write as _;

use isolated_nats::results::{Record, Unit};

use super::analysis::spread;
use super::cell::Cell;
use super::records::{LIVE_HEAP, PEAK_HEAP, SERVER_RSS};

const WIDTH: f64 = 760.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 20.0;
const PANEL: f64 = 190.0;
const TOP: f64 = 56.0;
const GAP: f64 = 88.0;

/// In a dark page too: text and axes have the page's colour, and the lines stand out on both. After Okabe and Ito.
const STYLE: &str = "\
svg{color:#1f2328;font-family:system-ui,sans-serif;font-size:12px}
@media (prefers-color-scheme:dark){svg{color:#d1d7e0}}
text{fill:currentColor}.grid{stroke:currentColor;stroke-opacity:.2}.axis{stroke:currentColor;stroke-opacity:.6}
.line{fill:none;stroke-width:2}.c0{stroke:#0072b2}.c1{stroke:#d55e00}.c2{stroke:#009e73}.c3{stroke:#cc79a7}
.f0{fill:#0072b2}.f1{fill:#d55e00}.f2{fill:#009e73}.f3{fill:#cc79a7}.dash{stroke-dasharray:5 4}
";

/// A line of a panel: workers, and the least, the median and the most of the repeats.
struct Line {
    name: String,
    is_dashed: bool,
    /// Of the number of partitions: one colour for each.
    colour: usize,
    points: Vec<(f64, [f64; 3])>,
}

/// Draws all cells that were measured.
pub(crate) fn svg(records: &[(Cell, Record)]) -> String {
    let mut library = lines(records, LIVE_HEAP, false);
    library.extend(lines(records, PEAK_HEAP, true));
    let server = lines(records, SERVER_RSS, false);
    let height = TOP + 2.0 * PANEL + GAP + 48.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"Memory over workers\">\n<style>{STYLE}</style>\n"
    );
    panel(&mut svg, TOP, "Library: heap", &library);
    panel(&mut svg, TOP + PANEL + GAP, "Server: resident, peak", &server);
    svg.push_str("</svg>\n");
    svg
}

/// One line for each number of partitions.
fn lines(records: &[(Cell, Record)], figure: &str, is_dashed: bool) -> Vec<Line> {
    let mut partitions: Vec<u32> = records.iter().map(|(cell, _)| cell.partitions).collect();
    partitions.sort_unstable();
    partitions.dedup();
    let line = |(colour, partitions): (usize, u32)| {
        let of_line = records.iter().filter(|(cell, _)| cell.partitions == partitions);
        let point = |(cell, record): &(Cell, Record)| {
            let spread = spread(record, figure);
            Some((f64::from(cell.workers), [spread.min?, spread.median?, spread.max?]))
        };
        let points = of_line.filter_map(point).collect();
        Line { name: format!("{figure}, {partitions} partitions"), is_dashed, colour: colour % 4, points }
    };
    partitions.into_iter().enumerate().map(line).filter(|line| !line.points.is_empty()).collect()
}

/// A linear axis from 0.
struct Axis {
    to: f64,
    step: f64,
}

impl Axis {
    /// With about five steps of 1, 2 or 5 times a power of `base`.
    fn of(largest: f64, base: f64) -> Self {
        let largest = if largest > 0.0 { largest } else { 1.0 };
        let power = base.powf((largest / 5.0).log(base).floor());
        let sizes = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];
        let step = sizes
            .map(|size| size * power)
            .into_iter()
            .find(|step| step * 6.0 >= largest)
            .unwrap_or(power * base);
        Self { to: (largest / step).ceil() * step, step }
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        (0..).map(|tick| f64::from(tick) * self.step).take_while(|value| *value <= self.to * 1.001)
    }
}

fn panel(svg: &mut String, top: f64, title: &str, lines: &[Line]) {
    let _ = writeln!(svg, "<text x=\"{LEFT}\" y=\"{}\" font-weight=\"600\">{title}</text>", top - 34.0);
    let points = || lines.iter().flat_map(|line| &line.points);
    if points().next().is_none() {
        let _ = writeln!(svg, "<text x=\"{LEFT}\" y=\"{}\">not measured</text>", top + PANEL / 2.0);
        return;
    }
    let x_axis = Axis::of(points().map(|(workers, _)| *workers).fold(0.0, f64::max), 10.0);
    let y_axis = Axis::of(points().map(|(_, [_, _, most])| *most).fold(0.0, f64::max), 1024.0);
    let x = |workers: f64| LEFT + workers / x_axis.to * (WIDTH - LEFT - RIGHT);
    let y = |bytes: f64| top + PANEL - bytes / y_axis.to * PANEL;
    for value in y_axis.ticks() {
        let (at, text) = (y(value), Unit::Bytes.text(value));
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>",
            WIDTH - RIGHT
        );
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
            LEFT - 8.0,
            at + 4.0
        );
    }
    for value in x_axis.ticks() {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{value}</text>",
            x(value),
            top + PANEL + 18.0
        );
    }
    let _ = writeln!(
        svg,
        "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{1}\" y2=\"{1}\"/>",
        WIDTH - RIGHT,
        top + PANEL
    );
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">workers</text>",
        WIDTH - RIGHT,
        top + PANEL + 34.0
    );
    lines.iter().for_each(|line| draw(svg, line, &x, &y));
    legend(svg, top, lines);
}

fn draw(svg: &mut String, line: &Line, x: &impl Fn(f64) -> f64, y: &impl Fn(f64) -> f64) {
    let Line { colour, is_dashed, points, .. } = line;
    let dash = if *is_dashed { " dash" } else { "" };
    let path: Vec<_> = points
        .iter()
        .map(|(workers, [_, middle, _])| format!("{:.1},{:.1}", x(*workers), y(*middle)))
        .collect();
    let _ = writeln!(svg, "<polyline class=\"line c{colour}{dash}\" points=\"{}\"/>", path.join(" "));
    for (workers, [least, middle, most]) in points {
        let (x, low, high) = (x(*workers), y(*least), y(*most));
        let _ = writeln!(
            svg,
            "<line class=\"c{colour}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{low:.1}\" y2=\"{high:.1}\"/>"
        );
        let _ =
            writeln!(svg, "<circle class=\"f{colour}\" cx=\"{x:.1}\" cy=\"{:.1}\" r=\"3.5\"/>", y(*middle));
    }
}

fn legend(svg: &mut String, top: f64, lines: &[Line]) {
    let mut x = LEFT;
    for Line { name, is_dashed, colour, .. } in lines {
        let dash = if *is_dashed { " dash" } else { "" };
        let _ = writeln!(
            svg,
            "<line class=\"line c{colour}{dash}\" x1=\"{x}\" x2=\"{}\" y1=\"{1}\" y2=\"{1}\"/>",
            x + 20.0,
            top - 18.0
        );
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{}\" font-size=\"10\">{name}</text>", x + 24.0, top - 14.0);
        x += 158.0;
    }
}

#[cfg(test)]
mod tests {
    use isolated_nats::results::{Better, Metric, MetricKind};

    use super::super::cell::MADE;
    use super::super::records::SCENARIO;
    use super::*;

    fn records(figures: &[(&str, f64)]) -> Vec<(Cell, Record)> {
        let record = |cell: Cell| {
            let mut record = Record::new(SCENARIO);
            record.rounds = 3;
            for (name, each) in figures {
                let mut metric = Metric::new(*name, MetricKind::Memory, Unit::Bytes, Better::Lower);
                metric.samples =
                    [0.9, 1.0, 1.2].map(|share| Some(share * each * f64::from(cell.workers))).into();
                record.metrics.push(metric);
            }
            (cell, record)
        };
        MADE.into_iter().map(record).collect()
    }

    #[test]
    fn each_figure_has_a_line_for_each_number_of_partitions() {
        let svg = svg(&records(&[(LIVE_HEAP, 40_000.0), (PEAK_HEAP, 60_000.0), (SERVER_RSS, 1e6)]));
        assert_eq!(svg.matches("<polyline").count(), 6, "{svg}");
        assert_eq!(svg.matches("<circle").count(), 3 * MADE.len());
        for text in
            [">live heap, 100 partitions<", ">server rss, 500 partitions<", ">workers<", ">50<", ">2.00 MiB<"]
        {
            assert!(svg.contains(text), "{text}: {svg}");
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn what_was_not_measured_is_said_and_not_drawn() {
        let svg = svg(&records(&[(LIVE_HEAP, 40_000.0)]));
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert!(svg.contains(">not measured<"), "{svg}");
    }

    #[test]
    fn axes_begin_at_zero_and_have_round_steps() {
        let ticks = |largest, base| Axis::of(largest, base).ticks().collect::<Vec<_>>();
        assert_eq!(ticks(50.0, 10.0), [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]);
        assert_eq!(ticks(1.0, 10.0).first(), Some(&0.0));
        assert_eq!(ticks(5000.0, 1024.0), [0.0, 1024.0, 2048.0, 3072.0, 4096.0, 5120.0]);
    }
}
