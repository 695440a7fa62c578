//! The load generator, as users run it. One binary, for it needs the tracking allocator.
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use isolated_nats::TrackingAllocator;

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

mod edges;
mod engine;
mod machine;
mod many;
mod memory;
mod omission;
mod operations;
mod recovery;
mod services;
mod support;
mod thresholds;
mod verifier;
mod workers;
