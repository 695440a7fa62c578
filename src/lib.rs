#![doc = include_str!("../README.md")]
#![warn(clippy::print_stderr, clippy::print_stdout)]

#[cfg(feature = "attribute")]
pub use isolated_nats_macros::{isolated_nats, test};

pub use async_nats;

mod alone;
#[cfg(feature = "cli")]
pub mod cli;
mod environment;
mod evidence;
mod fixture;
#[cfg(feature = "rstest")]
pub mod fixtures;
mod gate;
mod isolated;
#[allow(dead_code)]
mod leak;
#[cfg(feature = "load")]
pub mod load;
mod memory;
#[cfg(feature = "load")]
pub mod operations;
mod own_thread;
mod panic;
mod poll;
pub mod prelude;
mod process;
#[cfg(feature = "results")]
pub mod results;
pub mod rt;
mod server;

pub use fixture::{FromTest, FromTestError, TestContext, TestName};
pub use gate::skip_unless;
pub use leak::{Leak, LeakGuard, LeakGuardBuilder, LeakKind, LeakReport, SourceLine, leak_checked};
#[cfg(feature = "load")]
pub use load::{
    LoadError, LoadErrorKind, LoadGenerator, LoadGeneratorBuilder, LoadReport, OperationContext,
    OperationError, Rate, Schedule, ServiceContext, Threshold, Verifier, Workload,
};
pub use memory::{
    Ceiling, CeilingError, CeilingErrorKind, ComponentFigures, Figure, GaugeFigures, GrowthError,
    GrowthErrorKind, GrowthReport, GrowthVerdict, HeapFigures, HeapPlace, HeapPlaces, Inheritance,
    MemoryHandle, MemoryProbe, MemoryProbeBuilder, MemoryReport, MemorySample, MemoryScope, MemoryScopeGuard,
    MemoryScoped, MemorySplit, PhaseFigures, PhaseHeap, PhaseProcess, ProcessFigures, Sampling, Series,
    SeriesPoint, SizeClass, Slope, SplitRow, TrackingAllocator,
};
pub use poll::{Condition, WaitError, all_of, any_of, eventually, in_sequence, time_factor};
pub use process::{ProcessError, ProcessErrorKind, ProcessPages, ProcessProbe, ProcessSample};
pub use server::{
    Connection, Connz, ExternalNats, ExternalNatsBuilder, FaultError, FaultErrorKind, Healthz, Jsz,
    JszConfig, Monitor, MonitorError, MonitorErrorKind, Stage, StartError, StartErrorKind, Subsz, Varz,
};

/// The design and its reasons.
pub mod _design {
    #![doc = include_str!("../DESIGN.md")]
}

/// Environment variables, exit codes, symptoms and fixes.
pub mod _reference {
    #![doc = include_str!("../REFERENCE.md")]
}

/// What changed from release to release.
pub mod _changelog {
    #![doc = include_str!("../CHANGELOG.md")]
}

/// The attribute's documentation, whose examples are thereby compiled.
#[cfg(all(doctest, feature = "attribute"))]
#[doc = include_str!("../macros/src/attribute.md")]
mod attribute_examples {}

/// For the expansion of the attribute alone; anything in it may change in any release.
#[doc(hidden)]
pub mod __private {
    pub use crate::fixture::argument;
    pub use crate::isolated::{Flavor, Outcome, ShouldPanic, Test, run};
    pub use crate::leak::TaskPolicy;
}
