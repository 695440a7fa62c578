//! Reads the workloads of `truth` by `stats_alloc`, which has one counter for the whole process, and no peak.

use std::alloc::System;

use isolated_nats_benches::Error;
use isolated_nats_benches::truth::workloads::{Meter, Reading};
use isolated_nats_benches::truth::{NoParts, Request, answer};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

struct ByRegion;

impl Meter for ByRegion {
    type Running = NoParts;

    fn measure<T>(&self, body: impl FnOnce(&NoParts) -> T) -> Reading {
        let region = Region::new(ALLOCATOR);
        let kept = body(&NoParts);
        let change = region.change();
        drop(kept);
        // What is resized is in both of these.
        let live = change.bytes_allocated.wrapping_sub(change.bytes_deallocated).cast_signed();
        Reading { live: live as i64, peak: None, part: None }
    }
}

fn main() -> Result<(), Error> {
    answer(&ByRegion, Request::parse(std::env::args().skip(1))?)
}
