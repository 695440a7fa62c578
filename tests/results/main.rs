//! Results, as users get them. One binary, for memory needs the tracking allocator.
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use isolated_nats::TrackingAllocator;

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

mod baseline;
mod scenario;
#[expect(dead_code, reason = "other binaries need more of it")]
#[path = "../it/support.rs"]
mod support;
mod sweep;
