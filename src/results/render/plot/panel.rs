//! A field with two axes.

use super::canvas::{Anchor, Canvas, MARGIN, Shape, WIDTH, width_of};
use super::scale::Scale;

/// For the texts of the upright axis.
const LEFT: f64 = 74.0;
/// For a title above it, and the texts of the level axis below it.
const ABOVE: f64 = 26.0;
const BELOW: f64 = 34.0;

pub(super) struct Panel {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x: Scale,
    y: Scale,
}

/// What an axis, or the panel, is called.
pub(super) struct Titles<'a> {
    pub(super) above: &'a str,
    pub(super) below: &'a str,
}

impl Panel {
    /// Draws the axes of a panel of the canvas's whole width, below what is there.
    pub(super) fn wide(canvas: &mut Canvas, height: f64, titles: &Titles<'_>, x: Scale, y: Scale) -> Self {
        let top = canvas.take(height) + ABOVE;
        Self::at(canvas, (LEFT, WIDTH - MARGIN - 8.0), (top, top - ABOVE + height - BELOW), titles, (x, y))
    }

    /// Draws the axes of one of two panels beside each other; the canvas has `top` to `top + height` for them.
    pub(super) fn half(
        canvas: &mut Canvas,
        right: bool,
        (top, height): (f64, f64),
        titles: &Titles<'_>,
        axes: (Scale, Scale),
    ) -> Self {
        let middle = WIDTH / 2.0;
        let left = if right { middle + LEFT - 6.0 } else { LEFT };
        let end = if right { WIDTH - MARGIN - 8.0 } else { middle - 14.0 };
        Self::at(canvas, (left, end), (top + ABOVE, top + height - BELOW), titles, axes)
    }

    fn at(
        canvas: &mut Canvas,
        (left, right): (f64, f64),
        (top, bottom): (f64, f64),
        titles: &Titles<'_>,
        (x, y): (Scale, Scale),
    ) -> Self {
        let panel = Self { left, right, top, bottom, x, y };
        panel.axes(canvas);
        canvas.labelled(left - 60.0, top - 12.0, Anchor::Start, "", titles.above);
        canvas.label(f64::midpoint(left, right), bottom + 28.0, Anchor::Middle, titles.below);
        panel
    }

    fn axes(&self, canvas: &mut Canvas) {
        for (value, text) in &self.y.ticks {
            let y = self.y_of(*value);
            canvas.line("g", (self.left, y), (self.right, y));
            canvas.label(self.left - 6.0, y + 4.0, Anchor::End, text);
        }
        // A text that would touch the one before is left out, its line is not.
        let mut free = f64::NEG_INFINITY;
        for (value, text) in &self.x.ticks {
            let (x, half) = (self.x_of(*value), width_of(text) / 2.0);
            canvas.line("g", (x, self.top), (x, self.bottom));
            if x - half > free {
                canvas.label(x, self.bottom + 14.0, Anchor::Middle, text);
                free = x + half + 6.0;
            }
        }
        canvas.line("a", (self.left, self.bottom), (self.right, self.bottom));
        canvas.line("a", (self.left, self.top), (self.left, self.bottom));
    }

    fn x_of(&self, value: f64) -> f64 {
        self.left + self.x.place(value) * (self.right - self.left)
    }

    fn y_of(&self, value: f64) -> f64 {
        self.bottom - self.y.place(value) * (self.bottom - self.top)
    }

    /// Draws values; of a line's points that fall onto almost one place, the lowest and highest are kept.
    pub(super) fn curve(
        &self,
        canvas: &mut Canvas,
        shape: Shape,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) {
        let places: Vec<_> = points.into_iter().map(|(x, y)| (self.x_of(x), self.y_of(y))).collect();
        match shape {
            Shape::Line(_) | Shape::Model(_) => canvas.curve(shape, &thinned(&places)),
            _ => canvas.curve(shape, &places),
        }
    }

    /// A line from side to side.
    pub(super) fn level(&self, canvas: &mut Canvas, shape: Shape, value: f64) {
        let y = self.y_of(value);
        canvas.curve(shape, &[(self.left, y), (self.right, y)]);
    }

    /// Shades a part of the field.
    pub(super) fn shade(&self, canvas: &mut Canvas, from: f64, to: f64) {
        canvas.area("o", (self.x_of(from), self.top), (self.x_of(to), self.bottom));
    }

    /// Upright lines with their names at the top, which move down where they would touch; a name without room is left out.
    pub(super) fn marks(&self, canvas: &mut Canvas, marks: &[(f64, String)]) {
        for (value, _) in marks {
            let x = self.x_of(*value);
            canvas.line("m", (x, self.top), (x, self.bottom));
        }
        // After all the lines, so that none goes through a name.
        let mut ends = [f64::NEG_INFINITY; 4];
        for (value, name) in marks {
            let (x, wide) = (self.x_of(*value), width_of(name));
            let before = x + 4.0 + wide > self.right;
            let start = if before { x - 4.0 - wide } else { x + 4.0 };
            if let Some(row) = ends.iter().position(|end| start > *end) {
                let y = self.top + 11.0 + 12.0 * row as f64;
                let (x, anchor) = if before { (x - 4.0, Anchor::End) } else { (x + 4.0, Anchor::Start) };
                canvas.labelled(x, y, anchor, "n k", name);
                ends[row] = start + wide + 4.0;
            }
        }
    }
}

fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    const APART: f64 = 0.7;
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for group in points.chunk_by(|a, b| (a.0 / APART).floor() == (b.0 / APART).floor()) {
        let by = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let ends = [group.first(), group.iter().min_by(by), group.iter().max_by(by), group.last()];
        for point in ends.into_iter().flatten() {
            if kept.last() != Some(point) {
                kept.push(*point);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_points_in_one_place_the_extremes_remain() {
        let points: Vec<_> = (0..1000).map(|i| (f64::from(i) / 1e4, f64::from((i * 7) % 1000))).collect();
        let kept = thinned(&points);
        assert!(
            kept.len() <= 4 && kept.contains(&(points[0])) && kept.iter().any(|point| point.1 == 999.0),
            "{kept:?}"
        );
        let apart = [(0.0, 1.0), (1.0, 1.0), (2.0, 5.0)];
        assert_eq!(thinned(&apart), apart);
    }
}
