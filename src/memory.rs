//! What a test costs in memory: on the heap, in its process, in its server.
//!
//! | module | what it decides or does |
//! | --- | --- |
//! | `allocator` | counts, for each test apart |
//! | `scope` | says by hand whose memory it is |
//! | `installed` | whether the heap can be measured, and how threads inherit |
//! | `probe` | measures from start to finish: heap, processes, gauges, samples |
//! | `server` | what a server says of itself, as gauges |
//! | `series` | a bounded series of samples, and its slope |
//! | `figures`, `report`, `display` | what was measured, and how it is shown |
//! | `ceiling`, `site` | what must not be exceeded, and where it was |
//! | `split` | library, server, and both |
//! | `profile` | a heap profile in dhat's format |
//! | `places` | what each place holds, and how much more than before |
//! | `growth` | whether rounds of the same work leave something behind |
//! | `trim` | free memory back to the system |

mod allocator;
mod ceiling;
mod display;
mod figures;
mod growth;
mod installed;
mod places;
mod probe;
mod profile;
mod report;
mod scope;
mod series;
mod server;
mod site;
mod split;
pub(crate) mod text;
mod trim;

pub use allocator::TrackingAllocator;
pub use ceiling::{Ceiling, CeilingError, CeilingErrorKind};
pub use figures::{
    ComponentFigures, Figure, GaugeFigures, HeapFigures, Inheritance, PhaseFigures, PhaseHeap, PhaseProcess,
    ProcessFigures, Sampling, SizeClass,
};
pub use growth::{GrowthError, GrowthErrorKind, GrowthReport, GrowthVerdict};
pub use places::{HeapPlace, HeapPlaces};
pub use probe::{MemoryHandle, MemoryProbe, MemoryProbeBuilder, MemorySample};
pub use report::MemoryReport;
pub use scope::{MemoryScope, MemoryScopeGuard, MemoryScoped};
pub use series::{Series, SeriesPoint, Slope};
pub use split::{MemorySplit, SplitRow};

pub(crate) use allocator::{CELL_WORDS, Cell, CellWatch, Domain, current_domain};
pub(crate) use profile::{Moment, largest};
#[cfg(feature = "results")]
pub(crate) use series::slope_of;
pub(crate) use site::{Line, named, shorter};
pub(crate) use trim::keep_little;

/// Why the heap cannot be measured; `None` when it can.
pub(crate) fn why_no_heap() -> Option<String> {
    installed::inheritance().err().map(|why| why.to_string())
}

/// The return addresses of the calling thread, innermost first, as many as are kept of any stack.
pub(crate) fn stack() -> Vec<usize> {
    allocator::stack()
}

/// While it is alive, what this thread allocates is this crate's own, and counts for no test.
pub(crate) fn ours() -> impl Sized {
    allocator::enter(Domain::ours())
}
