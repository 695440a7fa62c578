//! What a probe has measured.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ceiling::{Ceiling, CeilingError};
use super::display;
use super::figures::{
    ComponentFigures, Figure, GaugeFigures, HeapFigures, PhaseFigures, ProcessFigures, Sampling,
};
use super::installed::NoHeap;
use super::series::Series;
use super::split::MemorySplit;
use super::text::whole;
use crate::alone::Alone;

/// What a [`MemoryProbe`](super::MemoryProbe) has measured.
///
/// `Display` prints it as a table; serde writes it whole, its series included, and reads it back (serde_json to the last digit
/// with its feature `float_roundtrip`). What was not measured is
/// `None`, and a measured zero is `Some(0)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MemoryReport {
    /// The name of the thread that started the probe, which with libtest is that of the test.
    pub test: String,
    /// From the probe's start to its finish.
    pub duration: Duration,
    /// The test's heap.
    pub heap: Option<HeapFigures>,
    /// Why the heap was not measured, and what to do about it.
    pub no_heap: Option<String>,
    /// The components that were asked for, the largest peak first.
    pub components: Vec<ComponentFigures>,
    /// Why the process is the test's own; `None` when it is shared with other tests, and so not measured.
    pub own_process: Option<String>,
    /// The processes that were measured: first the test's own, called `own`, then those given to the builder.
    pub processes: Vec<ProcessFigures>,
    /// Tokio tasks alive in the runtime the probe was started in; the peak is that of the samples.
    pub tasks: Option<Figure>,
    /// What else was sampled, in the order of the builder's.
    pub gauges: Vec<GaugeFigures>,
    /// The phases, in order; there is at least one.
    pub phases: Vec<PhaseFigures>,
    /// How samples were taken, and at what cost.
    pub sampling: Sampling,
    /// The samples: `heap`, `tasks`, `rss <label>` of each process, and each gauge by its name.
    pub series: BTreeMap<String, Series>,
    /// The return addresses of the stack at which the builder's ceiling was passed: of this process alone.
    #[serde(skip)]
    pub(super) crossing: Option<Crossing>,
}

/// Where a ceiling was passed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Crossing {
    /// The ceiling, in bytes above the start.
    pub(super) ceiling: u64,
    /// Return addresses, innermost first.
    pub(super) addresses: Vec<usize>,
}

/// What a report is made from.
pub(super) struct Parts {
    pub(super) test: String,
    pub(super) duration: Duration,
    pub(super) heap: Result<HeapFigures, NoHeap>,
    pub(super) components: Vec<ComponentFigures>,
    pub(super) crossing: Option<Crossing>,
    pub(super) alone: Option<Alone>,
    pub(super) processes: Vec<ProcessFigures>,
    pub(super) tasks: Option<Figure>,
    pub(super) gauges: Vec<GaugeFigures>,
    pub(super) phases: Vec<PhaseFigures>,
    pub(super) sampling: Sampling,
    pub(super) series: BTreeMap<String, Series>,
}

impl MemoryReport {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            test: parts.test,
            duration: parts.duration,
            no_heap: parts.heap.as_ref().err().map(NoHeap::to_string),
            heap: parts.heap.ok(),
            components: parts.components,
            own_process: parts.alone.map(|alone| alone.to_string()),
            processes: parts.processes,
            tasks: parts.tasks,
            gauges: parts.gauges,
            phases: parts.phases,
            sampling: parts.sampling,
            series: parts.series,
            crossing: parts.crossing,
        }
    }

    /// Returns the most bytes of heap held at any moment, above those held at the start.
    #[must_use]
    pub fn peak_heap_bytes(&self) -> Option<u64> {
        self.heap.as_ref().map(|heap| heap.peak_bytes)
    }

    /// Returns the bytes of heap allocated since the start and not freed by the end.
    #[must_use]
    pub fn live_heap_bytes(&self) -> Option<u64> {
        self.heap.as_ref()?.live_bytes
    }

    /// Returns the bytes of heap held at the end, less those held at the start.
    #[must_use]
    pub fn live_heap_growth_bytes(&self) -> Option<i64> {
        self.heap.as_ref().map(|heap| heap.growth_bytes)
    }

    /// Returns how many blocks of heap were asked for, resizing included.
    #[must_use]
    pub fn allocations(&self) -> Option<u64> {
        self.heap.as_ref().map(|heap| heap.allocations)
    }

    /// Returns the most bytes ever resident in the test's own process between start and finish; `None` when the process is
    /// shared with other tests, or the kernel keeps no such mark.
    #[must_use]
    pub fn peak_rss_bytes(&self) -> Option<u64> {
        let rss = self.process("own")?.rss_bytes;
        rss.peak_is_exact.then_some(whole(rss.peak))
    }

    /// Returns the figures of a process by its label; that of the test is `own`.
    #[must_use]
    pub fn process(&self, label: &str) -> Option<&ProcessFigures> {
        self.processes.iter().find(|process| process.label == label)
    }

    /// Returns the first phase of this name.
    #[must_use]
    pub fn phase(&self, name: &str) -> Option<&PhaseFigures> {
        self.phases.iter().find(|phase| phase.name == name)
    }

    /// Returns a component by its name.
    #[must_use]
    pub fn component(&self, name: &str) -> Option<&ComponentFigures> {
        self.components.iter().find(|component| component.name == name)
    }

    /// Returns what the library costs, what the server costs, and both: what an embedded server would have added.
    ///
    /// `None` when no server was measured ([`MemoryProbeBuilder::server`](super::MemoryProbeBuilder::server)), or nothing of
    /// the library.
    #[must_use]
    pub fn split(&self) -> Option<MemorySplit> {
        MemorySplit::of(self)
    }

    /// Compares the report with a ceiling.
    ///
    /// # Errors
    ///
    /// [`Exceeded`](super::CeilingErrorKind::Exceeded) above the ceiling; [`NotMeasured`](super::CeilingErrorKind::NotMeasured)
    /// when the figure is absent, with what to do about it; [`Unknown`](super::CeilingErrorKind::Unknown) for a phase or a
    /// process that is not in the report.
    pub fn check(&self, ceiling: &Ceiling) -> Result<(), CeilingError> {
        ceiling.check(self)
    }

    /// Compares the report with a ceiling.
    ///
    /// # Panics
    ///
    /// With the text of the error that [`check`](Self::check) gives.
    #[track_caller]
    pub fn assert(&self, ceiling: &Ceiling) {
        if let Err(error) = self.check(ceiling) {
            panic!("{error:?}");
        }
    }

    /// Compares the peak of the heap with a ceiling: `check(&Ceiling::peak_heap(bytes))`.
    ///
    /// # Errors
    ///
    /// As of [`check`](Self::check).
    pub fn check_peak_heap_at_most(&self, bytes: u64) -> Result<(), CeilingError> {
        self.check(&Ceiling::peak_heap(bytes))
    }

    /// Compares the growth of the live heap with a ceiling: `check(&Ceiling::live_heap_growth(bytes))`.
    ///
    /// # Errors
    ///
    /// As of [`check`](Self::check).
    pub fn check_live_heap_growth_at_most(&self, bytes: u64) -> Result<(), CeilingError> {
        self.check(&Ceiling::live_heap_growth(bytes))
    }
}

impl fmt::Display for MemoryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&display::report(self))
    }
}
