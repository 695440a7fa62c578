//! Which whole operations a changing rate comes to, and when each is due.
//!
//! Operation k is due when the integral of the rate has come to k. Within a part of the curve that is a closed formula of k, in
//! `f64`: over a day, 8.64 * 10^13 ns, it errs by less than a tenth of a nanosecond, and neither way more often.

use super::phase::Slope;
use crate::memory::text::whole;

/// A part of a curve, with the operations that begin in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Part {
    /// How many begin in it.
    pub(super) count: u64,
    /// How far the rate's integral must come, from the part's start, until the first of them is due: less than 1.
    offset: f64,
    shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    /// Nanoseconds for each operation.
    Level(f64),
    /// Operations per nanosecond at the start, and what is added to that in each nanosecond.
    Ramp { from: f64, slope: f64 },
}

/// The parts of slopes right after each other.
pub(super) fn parts(slopes: &[Slope]) -> Vec<Part> {
    let mut carried = 0.0; // of the operation that has begun last: 0 when it is whole
    let mut parts = Vec::with_capacity(slopes.len());
    for slope in slopes {
        let offset = if carried > 0.0 { 1.0 - carried } else { 0.0 };
        let open = u64::from(carried > 0.0);
        let (whole, rest) = split(carried + integral(slope));
        let count = (whole + u64::from(rest > 0.0)).saturating_sub(open);
        parts.push(Part { count, offset, shape: shape(slope) });
        carried = rest;
    }
    if carried > 0.0 {
        // The last operation does not become whole: leave it out.
        if let Some(last) = parts.iter_mut().rev().find(|part| part.count > 0) {
            last.count -= 1;
        }
    }
    parts
}

/// How many operations a slope comes to.
#[expect(clippy::cast_precision_loss, reason = "a day is far below 2^53 ns")]
fn integral(slope: &Slope) -> f64 {
    f64::midpoint(slope.from, slope.to) * (nanoseconds(slope) as f64) / 1e9
}

/// Whole operations, and what is over. A rate such as 1/30 has no exact `f64`: what misses a whole number by so little is it.
fn split(operations: f64) -> (u64, f64) {
    let near = (operations * 1e-15).max(1e-6);
    let rounded = operations.round();
    if (operations - rounded).abs() <= near {
        (whole(rounded), 0.0)
    } else {
        (whole(operations.floor()), operations.fract())
    }
}

#[expect(clippy::cast_precision_loss, reason = "a day is far below 2^53 ns")]
fn shape(slope: &Slope) -> Shape {
    #[expect(clippy::float_cmp, reason = "that they are given as one number is what matters")]
    if slope.from == slope.to {
        return Shape::Level(1e9 / slope.from);
    }
    let length = nanoseconds(slope) as f64;
    Shape::Ramp { from: slope.from / 1e9, slope: (slope.to - slope.from) / 1e9 / length }
}

/// The length of a slope, which is at most a day.
pub(super) fn nanoseconds(slope: &Slope) -> u64 {
    u64::try_from(slope.duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Part {
    /// Nanoseconds from the part's start to when the operation is due that is number `place` in it, from 0.
    #[expect(clippy::cast_precision_loss, reason = "schedules have less than 2^53 operations")]
    pub(super) fn due(&self, place: u64) -> u64 {
        let operations = place as f64 + self.offset;
        let due = match self.shape {
            Shape::Level(each) => operations * each,
            // The root of `slope / 2 * t^2 + from * t = operations`, in the form in which nothing cancels out.
            Shape::Ramp { from, slope } => {
                let rate = (from * from + 2.0 * slope * operations).max(0.0).sqrt();
                if operations > 0.0 { 2.0 * operations / (from + rate) } else { 0.0 }
            }
        };
        whole(due + 0.5)
    }
}
