//! A series of values over time in bounded memory.

mod slope;

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How many points a series keeps unless told otherwise.
const DEFAULT_CAPACITY: usize = 1024;
/// Below two, a series could not show both its ends.
const LEAST_CAPACITY: usize = 2;
/// Fewer points say nothing of a slope.
const LEAST_FOR_SLOPE: usize = 20;
/// The first part of a series, one in so many points, is taken for warm-up.
const WARM_UP: usize = 5;
/// Medians of this many blocks make a slope: fewer resolve less, more are no longer independent of each other.
const BLOCKS: usize = 40;
const SECONDS_PER_HOUR: f64 = 3600.0;

/// Values over time, of which a bounded number of points is kept.
///
/// When the points are as many as the capacity, every second of them goes, and from then on only every second value is
/// kept, then every fourth, and so on: what is kept stays evenly spaced in the order of the pushes. The first and the last
/// value are always there. [`min`](Self::min), [`max`](Self::max) and [`mean`](Self::mean) are of every value ever pushed,
/// kept or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    capacity: usize,
    /// One value in so many is kept; a power of two.
    stride: u64,
    pushed: u64,
    kept: Vec<SeriesPoint>,
    /// The last value pushed, when it is not one of those kept.
    pending: Option<SeriesPoint>,
    min: Option<SeriesPoint>,
    max: Option<SeriesPoint>,
    /// The integral of the value over time, in value seconds.
    area: f64,
    sum: f64,
}

/// One value of a [`Series`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SeriesPoint {
    /// When it was measured, since the start of the series' clock.
    pub at: Duration,
    /// The value, in the unit of what was pushed; always finite.
    pub value: f64,
}

/// How fast a [`Series`] rises, in its own unit per hour; a negative figure falls.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Slope {
    /// The estimate: the median of the slopes between all pairs of block medians (Theil and Sen).
    pub per_hour: f64,
    /// The lower end of the interval that holds the true slope in about 95 of 100 series.
    pub low: f64,
    /// The upper end of that interval.
    pub high: f64,
}

/// The slope of any points, in units of y per unit of x, and the ends of its interval: as of [`Series::slope_per_hour`]. `None` below six
/// different x.
#[cfg(feature = "results")]
pub(crate) fn slope_of(points: &[(f64, f64)]) -> Option<[f64; 3]> {
    slope::theil_sen(points).map(|line| [line.slope, line.low, line.high])
}

impl Default for Series {
    fn default() -> Self {
        Self::with_capacity(DEFAULT_CAPACITY)
    }
}

impl Series {
    /// Makes an empty series that keeps at most this many points; 1024 by default, and at least 2.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(LEAST_CAPACITY),
            stride: 1,
            pushed: 0,
            kept: Vec::new(),
            pending: None,
            min: None,
            max: None,
            area: 0.0,
            sum: 0.0,
        }
    }

    /// Adds a value measured `at` this time since the start.
    ///
    /// A time before the last one's counts as the last one's. A value that is not finite is no measurement and is ignored.
    pub fn push(&mut self, at: Duration, value: f64) {
        if !value.is_finite() {
            return;
        }
        let last = self.last();
        let point = SeriesPoint { at: last.map_or(at, |last| at.max(last.at)), value };
        self.count(point, last);
        if self.pushed.is_multiple_of(self.stride) {
            self.kept.push(point);
            self.pending = None;
        } else {
            self.pending = Some(point);
        }
        self.pushed += 1;
        if self.len() > self.capacity {
            self.thin();
        }
    }

    /// Takes the point into the figures that are of every value.
    fn count(&mut self, point: SeriesPoint, last: Option<SeriesPoint>) {
        if let Some(last) = last {
            let seconds = (point.at - last.at).as_secs_f64();
            self.area += seconds * (last.value / 2.0 + point.value / 2.0);
        }
        self.sum += point.value;
        if self.min.is_none_or(|min| point.value < min.value) {
            self.min = Some(point);
        }
        if self.max.is_none_or(|max| point.value > max.value) {
            self.max = Some(point);
        }
    }

    /// Drops every second point, and keeps half as many from now on.
    fn thin(&mut self) {
        if self.pending.is_none() && self.kept.len().is_multiple_of(2) {
            self.pending = self.kept.last().copied(); // the next loop drops it
        }
        let mut index = 0;
        self.kept.retain(|_| {
            index += 1;
            index % 2 == 1
        });
        self.stride = self.stride.saturating_mul(2);
    }

    /// Returns the points that are kept, in the order of time, the first and the last value among them.
    pub fn points(&self) -> impl Iterator<Item = SeriesPoint> {
        self.kept.iter().copied().chain(self.pending)
    }

    /// Returns how many points are kept: at most the capacity, however many were pushed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len() + usize::from(self.pending.is_some())
    }

    /// Returns whether nothing was pushed yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Returns the first value pushed; `None` when empty.
    #[must_use]
    pub fn first(&self) -> Option<SeriesPoint> {
        self.kept.first().copied()
    }

    /// Returns the last value pushed; `None` when empty.
    #[must_use]
    pub fn last(&self) -> Option<SeriesPoint> {
        self.pending.or_else(|| self.kept.last().copied())
    }

    /// Returns the greatest value ever pushed, the first of several, also when it is no longer kept; `None` when empty.
    #[must_use]
    pub fn max(&self) -> Option<SeriesPoint> {
        self.max
    }

    /// Returns the least value ever pushed, the first of several, also when it is no longer kept; `None` when empty.
    #[must_use]
    pub fn min(&self) -> Option<SeriesPoint> {
        self.min
    }

    /// Returns the mean over time of every value ever pushed; `None` when empty.
    ///
    /// Between two values it takes the straight line (the trapezoid rule), so that a value counts for as long as it was
    /// the nearest one. When all were pushed at one time, it is their plain mean.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        let (first, last) = (self.first()?, self.last()?);
        let seconds = last.at.saturating_sub(first.at).as_secs_f64();
        let mean = if seconds > 0.0 { self.area / seconds } else { self.sum / self.pushed as f64 };
        // What rounding has added up to must not take it out of its bounds.
        Some(mean.max(self.min?.value).min(self.max?.value))
    }

    /// Returns how fast the values rise, with an interval; `None` with fewer than 20 points or all of them at one time.
    ///
    /// The first fifth of the points is left out, as warm-up. The rest is cut into at most 40 blocks of equal size, and the
    /// slope is that of the blocks' medians by the method of Theil and Sen, which single outliers do not move. The
    /// interval is Kendall's, which needs no certain distribution of the noise; where neighbouring blocks are alike, as in
    /// a wave or a slow drift, it is widened by as much as that makes them count for fewer. It reads the kept points alone.
    #[must_use]
    pub fn slope_per_hour(&self) -> Option<Slope> {
        if self.len() < LEAST_FOR_SLOPE {
            return None;
        }
        let points: Vec<_> = self
            .points()
            .skip(self.len() / WARM_UP)
            .map(|point| (point.at.as_secs_f64() / SECONDS_PER_HOUR, point.value))
            .collect();
        let line = slope::theil_sen(&slope::block_medians(&points, BLOCKS))?;
        Some(Slope { per_hour: line.slope, low: line.low, high: line.high })
    }
}

#[cfg(test)]
mod tests;
