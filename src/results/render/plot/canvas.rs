//! A drawing that grows downwards.

use std::fmt::Write as _;

use super::super::Plot;
use super::super::words::{escaped, shortened};
use super::style::{self, STYLE, STYLES};

/// Of every plot, in its own pixels.
pub(super) const WIDTH: f64 = 760.0;
pub(super) const MARGIN: f64 = 14.0;
/// What a letter takes of a line, at most on average.
const LETTER: f64 = 6.1;
/// A name in a legend is not longer.
const LONGEST: usize = 48;

pub(super) struct Canvas {
    name: String,
    title: String,
    body: String,
    /// Down to where it is drawn on.
    bottom: f64,
}

/// How a curve or its points are drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Line(usize),
    /// A line that is no measurement.
    Model(usize),
    Dots(usize),
    Rings(usize),
}

#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How wide a text is, more or less.
pub(super) fn width_of(text: &str) -> f64 {
    text.chars().count() as f64 * LETTER
}

impl Canvas {
    pub(super) fn new(name: String, title: &str) -> Self {
        let mut canvas = Self { name, title: title.into(), body: String::new(), bottom: 30.0 };
        let title = shortened(title, 82);
        canvas.labelled(MARGIN, 21.0, Anchor::Start, "t", &title);
        canvas
    }

    /// Takes so much of the height; returns where that begins.
    pub(super) fn take(&mut self, height: f64) -> f64 {
        self.bottom += height;
        self.bottom - height
    }

    pub(super) fn labelled(&mut self, x: f64, y: f64, anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        let _ =
            writeln!(self.body, "<text x=\"{x:.1}\" y=\"{y:.1}\"{anchor}{class}>{}</text>", escaped(text));
    }

    pub(super) fn label(&mut self, x: f64, y: f64, anchor: Anchor, text: &str) {
        self.labelled(x, y, anchor, "n", text);
    }

    pub(super) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ = writeln!(
            self.body,
            "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        );
    }

    pub(super) fn area(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let (width, height) = ((to.0 - from.0).max(1.0), to.1 - from.1);
        let _ = writeln!(
            self.body,
            "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>",
            from.0, from.1
        );
    }

    /// Draws points as the shape says; where there is only one, a line is a dot.
    pub(super) fn curve(&mut self, shape: Shape, points: &[(f64, f64)]) {
        let style = shape.style();
        match (shape, points) {
            (Shape::Line(_) | Shape::Model(_), [_, _, ..]) => {
                let thin = if matches!(shape, Shape::Model(_)) { " d" } else { "" };
                let dashes = style::dashes(if thin.is_empty() { style } else { 4 });
                let path: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
                let path = path.join(" ");
                let _ =
                    writeln!(self.body, "<polyline class=\"c{thin} s{style}\"{dashes} points=\"{path}\"/>");
            }
            _ => points.iter().for_each(|point| self.dot(shape, *point)),
        }
    }

    fn dot(&mut self, shape: Shape, (x, y): (f64, f64)) {
        let style = shape.style();
        let class = match shape {
            Shape::Rings(_) => format!("h d s{style}"),
            _ => format!("f{style}"),
        };
        let _ = writeln!(self.body, "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.8\"/>");
    }

    /// A line of names with what they are drawn with, or several.
    pub(super) fn legend(&mut self, entries: &[(Shape, String)]) {
        let mut x = MARGIN;
        let mut y = self.take(18.0) + 10.0;
        for (shape, name) in entries {
            let name = shortened(name, LONGEST);
            let wide = 30.0 + width_of(&name) + 16.0;
            if x > MARGIN && x + wide > WIDTH - MARGIN {
                x = MARGIN;
                y = self.take(16.0) + 10.0;
            }
            match shape {
                Shape::Line(_) | Shape::Model(_) => self.curve(*shape, &[(x, y - 4.0), (x + 24.0, y - 4.0)]),
                _ => self.curve(*shape, &[(x + 12.0, y - 4.0)]),
            }
            self.labelled(x + 30.0, y, Anchor::Start, "", &name);
            x += wide;
        }
        self.take(4.0);
    }

    /// The whole, with a text for those who do not see it.
    pub(super) fn finish(self, description: &str) -> Plot {
        let (name, height) = (&self.name, self.bottom + 6.0);
        let (title, description) = (escaped(&self.title), escaped(description));
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"inp\" viewBox=\"0 0 {WIDTH} {height:.0}\" \
             width=\"{WIDTH}\" height=\"{height:.0}\" role=\"img\" aria-labelledby=\"{name}-title {name}-desc\">\n\
             <title id=\"{name}-title\">{title}</title>\n<desc id=\"{name}-desc\">{description}</desc>\n\
             <style>{STYLE}</style>\n<rect class=\"bg\" width=\"100%\" height=\"100%\"/>\n{}</svg>\n",
            self.body
        );
        Plot { name: self.name, title: self.title, svg }
    }
}

impl Shape {
    fn style(self) -> usize {
        let (Self::Line(style) | Self::Model(style) | Self::Dots(style) | Self::Rings(style)) = self;
        style % STYLES
    }
}
