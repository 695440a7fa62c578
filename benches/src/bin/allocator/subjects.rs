//! The allocators that can be made beside others in one process.

use std::alloc::System;
use std::any::Any;

use isolated_nats::MemoryProbe;
use isolated_nats_benches::pairs::Subject;
use isolated_nats_benches::{Error, group};

use crate::ALLOCATOR;

pub(crate) const SYSTEM: usize = 0;
pub(crate) const PROBE: usize = 1;
pub(crate) const NO_PROBE: usize = 2;

static TRACKER: tracking_allocator::Allocator<System> = tracking_allocator::Allocator::system();
static DIVAN: divan::AllocProfiler = divan::AllocProfiler::system();
static ALLOC_TRACKER: alloc_tracker::Allocator<System> = alloc_tracker::Allocator::system();

/// All of them; the first is what the others are compared with.
pub(crate) fn all() -> Result<Vec<Subject>, Error> {
    group::track()?;
    if MemoryProbe::start().finish().peak_heap_bytes().is_none() {
        return Err("a probe does not measure the heap here".into());
    }
    Ok(vec![
        Subject::plain("System", &System),
        Subject { during: probe, ..Subject::plain("isolated-nats, probe alive", &ALLOCATOR) },
        Subject::plain("isolated-nats, no probe alive", &ALLOCATOR),
        Subject::plain("stats_alloc 0.1.10", &stats_alloc::INSTRUMENTED_SYSTEM),
        Subject::plain("peak_alloc 0.3.0", &peak_alloc::PeakAlloc),
        Subject { on_thread: group::enter, ..Subject::plain("tracking-allocator 0.4.0", &TRACKER) },
        Subject::plain("divan 0.1.21", &DIVAN),
        Subject::plain("alloc_tracker 0.7.13", &ALLOC_TRACKER),
        Subject { during: profiler, fewer: 100, every: 10, ..Subject::plain("dhat 0.3.3", &dhat::Alloc) },
    ])
}

// Its samples are taken by a thread of its own, and are no part of what an allocation costs.
fn probe() -> Box<dyn Any> {
    Box::new(MemoryProbe::builder().without_samples().start())
}

fn profiler() -> Box<dyn Any> {
    Box::new(dhat::Profiler::builder().testing().build())
}
