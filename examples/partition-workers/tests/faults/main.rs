//! What the library does when workers and servers fail. Every test has a server of its own, and is leak-checked.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `crashes` | workers that end without a word |
//! | `servers` | servers that restart, are away for longer than a lease, or stand still |
//! | `zombies` | workers that go on, or are heard, when others have their partitions |
//! | `fence` | a store that refuses their late writes |
//! | `leftovers` | what the bucket keeps of workers that are gone |
//! | `churn` | joins, leaves and crashes at random |
//! | `elsewhere` | a worker in a runtime of its own, that can be frozen |
//! | `uplink` | a connection on which messages to the server can be held up |
#![expect(clippy::unwrap_used, reason = "tests")]

use isolated_nats::TrackingAllocator;

// Leaked tasks are shown with the lines that spawned them.
#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

mod churn;
mod crashes;
mod elsewhere;
mod fence;
mod leftovers;
mod servers;
#[allow(dead_code, unused_imports, reason = "the functional tests use the rest")]
#[path = "../support/mod.rs"]
mod support;
mod uplink;
mod zombies;
