//! Quantities that are read by a closure.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::memory::figures::{Figure, GaugeFigures};
use crate::memory::series::Series;

type Read = Box<dyn FnMut() -> Option<f64> + Send>;

/// A quantity that is read by a closure.
pub(crate) struct Gauge {
    name: String,
    /// At least this long between two readings, but at the limits of phases.
    every: Duration,
    next: Duration,
    /// `None` once it has panicked.
    read: Option<Read>,
    series: Series,
}

impl Gauge {
    pub(crate) fn new(name: &str, every: Duration, read: Read) -> Self {
        Self {
            name: name.to_owned(),
            every,
            next: Duration::ZERO,
            read: Some(read),
            series: Series::default(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn series(&self) -> &Series {
        &self.series
    }

    /// Reads it, if it is time to, or this is the limit of a phase; one that panics is not read again.
    pub(super) fn sample(&mut self, at: Duration, limit: bool) {
        let Some(read) = self.read.as_mut().filter(|_| limit || at >= self.next) else { return };
        self.next = at + self.every;
        match catch_unwind(AssertUnwindSafe(read)) {
            Ok(value) => value.into_iter().for_each(|value| self.series.push(at, value)),
            Err(_) => self.read = None,
        }
    }

    pub(super) fn figures(&self) -> Option<GaugeFigures> {
        let (name, panicked) = (self.name.clone(), self.read.is_none());
        let figure = Figure::of(&self.series);
        (figure.is_some() || panicked).then_some(GaugeFigures { name, figure, panicked })
    }
}

impl fmt::Debug for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gauge").field("name", &self.name).finish_non_exhaustive()
    }
}
