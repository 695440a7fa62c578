//! What a report is made of.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::allocator::{CLASS_LIMITS, Origin, Tally};
use super::series::{Series, Slope};

/// Heap figures of one test, from the counters of [`TrackingAllocator`](super::TrackingAllocator).
///
/// Everything is counted from the start of the probe. All threads of the test count, and nothing else does. The counts are
/// exact when the test's threads are at rest at the start and at the end; the peak is exact but for
/// [`peak_error_bytes`](Self::peak_error_bytes). One thing of the process's own is on a test's account by chance: `std` keeps a table
/// of all threads, of which a thread that begins may allocate a node (some hundred bytes), and one that ends, of any test, may free it.
/// A test that has its process to itself does not see that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HeapFigures {
    /// The most bytes held at any moment, above those held at the start. Counted at every allocation, never sampled.
    pub peak_bytes: u64,
    /// By how much the peak may be wrong: 2 KiB for each thread but one of the most that the test had at a time, since a
    /// thread tells of its own blocks at 2 KiB, at its end, or when it enters another scope.
    pub peak_error_bytes: u64,
    /// Bytes allocated since the start and not freed by the end. A block that was resized counts from then. `None` after
    /// 65 534 probes in one process, when the age of blocks is no longer known.
    pub live_bytes: Option<u64>,
    /// Bytes held at the end less those held at the start; negative when more was given back than taken.
    pub growth_bytes: i64,
    /// The mean of the bytes held above those of the start, over time, from samples; `None` without samples.
    pub mean_bytes: Option<f64>,
    /// The robust slope of the bytes held, with its interval; `None` with fewer than 20 samples.
    pub slope: Option<Slope>,
    /// Blocks asked for, resizing included.
    pub allocations: u64,
    /// Blocks resized.
    pub reallocations: u64,
    /// Blocks freed.
    pub deallocations: u64,
    /// Bytes asked for; a block that is resized counts anew, at its new size.
    pub allocated_bytes: u64,
    /// Bytes given back, by the same count: `allocated_bytes` less `growth_bytes`.
    pub freed_bytes: u64,
    /// Blocks asked for, by their size; every class is there, the smallest first.
    pub size_classes: Vec<SizeClass>,
    /// Bytes that threads asked for of which nobody knows whose they are; what the test's own figures may lack.
    pub unattributed_bytes: u64,
    /// Blocks freed, in the whole process, that were not allocated through Rust, or whose end was overwritten.
    pub untagged_frees: u64,
    /// How a new thread learns which test it belongs to: found out by a trial when the first probe of the process started.
    pub inheritance: Inheritance,
}

/// How many blocks of a size were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SizeClass {
    /// The largest size in the class; `None` for the last, which has no limit.
    pub up_to_bytes: Option<u64>,
    /// Blocks allocated or resized to such a size.
    pub allocations: u64,
}

/// How a new thread learns which test it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Inheritance {
    /// `pthread_create` tells it, which stands before that of the C library: Linux with glibc.
    ThreadStart,
    /// It frees a block of the thread that started it before all else: `std` from Rust 1.93 on, on every system.
    FirstFree,
    /// It does not: threads count where [`MemoryScope::enter`](super::MemoryScope::enter) says so, and are unattributed
    /// elsewhere.
    ByHand,
}

impl From<Origin> for Inheritance {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::Creation => Self::ThreadStart,
            Origin::FirstFree => Self::FirstFree,
            Origin::Known | Origin::Unknown => Self::ByHand,
        }
    }
}

impl Inheritance {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::ThreadStart => "threads by pthread_create",
            Self::FirstFree => "threads by their first free",
            Self::ByHand => "threads by hand only",
        }
    }
}

/// Blocks asked for, by size.
pub(super) fn size_classes(tally: &Tally) -> Vec<SizeClass> {
    let limits = CLASS_LIMITS.iter().map(|limit| Some(*limit as u64)).chain([None]);
    let classes = limits.zip(tally.classes);
    classes.map(|(up_to_bytes, allocations)| SizeClass { up_to_bytes, allocations }).collect()
}

/// Heap figures of one component: a named part of the test, whose figures are in the test's as well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ComponentFigures {
    /// The name given to [`MemoryProbe::scope`](super::MemoryProbe::scope).
    pub name: String,
    /// The most bytes it held at any moment since the scope was first asked for; counted.
    pub peak_bytes: u64,
    /// Bytes it allocated since then and holds at the end; `None` when their age is not known.
    pub live_bytes: Option<u64>,
    /// Blocks it asked for.
    pub allocations: u64,
    /// Bytes it asked for.
    pub allocated_bytes: u64,
}

/// A quantity over the life of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Figure {
    /// At the start.
    pub start: f64,
    /// At the end.
    pub end: f64,
    /// The highest.
    pub peak: f64,
    /// Whether the peak is that of all moments, kept by the kernel, and not of the samples alone.
    pub peak_is_exact: bool,
    /// The mean over time, of the samples.
    pub mean: f64,
}

impl Figure {
    /// The figure of a series of samples; `None` of an empty one.
    pub(super) fn of(series: &Series) -> Option<Self> {
        Some(Self {
            start: series.first()?.value,
            end: series.last()?.value,
            peak: series.max()?.value,
            peak_is_exact: false,
            mean: series.mean()?,
        })
    }

    /// The end less the start.
    #[must_use]
    pub fn growth(&self) -> f64 {
        self.end - self.start
    }
}

/// Figures of one process over the life of a probe; sources as of [`ProcessSample`](crate::ProcessSample).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProcessFigures {
    /// What it was called: `own` for the test's own process, else as given to the builder.
    pub label: String,
    /// The pids it had, in order; more than one when it was restarted.
    pub pids: Vec<u32>,
    /// Bytes resident. The peak is the kernel's high-water mark, where it could be reset at the start.
    pub rss_bytes: Figure,
    /// The robust slope of the resident bytes; `None` with fewer than 20 samples.
    pub rss_slope: Option<Slope>,
    /// Bytes of address space; the peak is that of the samples.
    pub virtual_bytes: Option<Figure>,
    /// Threads; the peak is that of the samples.
    pub threads: Option<Figure>,
    /// Open descriptors; the peak is that of the samples.
    pub open_descriptors: Option<Figure>,
    /// CPU time used, user and system together.
    pub cpu_time: Duration,
    /// CPU time over time passed: 1.0 is one processor in use all the time.
    pub cpu_share: f64,
    /// Bytes read from storage.
    pub read_bytes: Option<u64>,
    /// Bytes written to storage.
    pub written_bytes: Option<u64>,
    /// Times it gave up a processor to wait.
    pub voluntary_switches: Option<u64>,
    /// Times a processor was taken from it.
    pub involuntary_switches: Option<u64>,
    /// Resident bytes at the end with shared pages divided among their users; asked for by the builder's `pages`.
    pub pss_bytes: Option<u64>,
    /// Resident bytes at the end that no other process shares; asked for by the builder's `pages`.
    pub private_bytes: Option<u64>,
}

/// A quantity that was sampled by a closure of its own, such as the length of a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GaugeFigures {
    /// Its name.
    pub name: String,
    /// Its values; `None` when there was none.
    pub figure: Option<Figure>,
    /// Whether the closure panicked; it was not called again.
    pub panicked: bool,
}

/// One phase of the test, from its beginning to that of the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PhaseFigures {
    /// Its name; the first, until another is named, is `start`.
    pub name: String,
    /// When it began, after the start of the probe.
    pub at: Duration,
    /// How long it took.
    pub duration: Duration,
    /// Its heap figures; `None` when the heap was not measured.
    pub heap: Option<PhaseHeap>,
    /// Figures of each process that was measured, in the order of the report's.
    pub processes: Vec<PhaseProcess>,
    /// The most tokio tasks alive in a sample; `None` without a runtime.
    pub peak_tasks: Option<u64>,
}

/// Heap figures of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PhaseHeap {
    /// The most bytes held at any moment of the phase, above those held at the start of the probe.
    pub peak_bytes: u64,
    /// Bytes held at the end of the phase, less those at its beginning.
    pub growth_bytes: i64,
    /// Blocks asked for.
    pub allocations: u64,
    /// Bytes asked for.
    pub allocated_bytes: u64,
}

/// Figures of one process in a phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PhaseProcess {
    /// What the process was called.
    pub label: String,
    /// The most bytes resident, by the kernel's high-water mark; `None` where that could not be reset.
    pub peak_rss_bytes: Option<u64>,
    /// Bytes resident at the end of the phase, less those at its beginning.
    pub rss_growth_bytes: i64,
    /// CPU time over the time of the phase.
    pub cpu_share: f64,
}

/// How the samples were taken, and what they cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sampling {
    /// The time between two samples; `None` when only the start and the end of each phase were sampled.
    pub interval: Option<Duration>,
    /// Samples taken.
    pub samples: u64,
    /// The time they took, all together: on a thread of ours, but for those at the limits of phases.
    pub cost: Duration,
}
