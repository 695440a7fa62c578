//! The memory of a round of 4 s.

use std::time::Duration;

use serde_json::json;

use super::noise;
use crate::memory::{MemoryReport, Series};

/// A series of a value every 20 ms.
fn series(value: impl Fn(u32) -> f64) -> Series {
    let mut series = Series::with_capacity(256);
    (0..200).for_each(|at| series.push(Duration::from_millis(u64::from(at) * 20), value(at)));
    series
}

pub(super) fn report() -> MemoryReport {
    let rise = |at: u32| f64::from(at.clamp(40, 150) - 40);
    let heap = series(|at| (rise(at) * 9_000.0 + 60_000.0 * (noise(at) + 1.0)).round());
    let own = series(|at| (24e6 + rise(at) * 20_000.0 + 2e5 * noise(at + 500)).round());
    let server = series(|at| (15e6 + rise(at) * 60_000.0).round());
    let phase = |name: &str, at: u64, duration: u64| {
        json!({ "name": name, "at": Duration::from_millis(at), "duration": Duration::from_millis(duration),
            "heap": null, "processes": [], "peak_tasks": null })
    };
    serde_json::from_value(json!({
        "test": "event_bus", "duration": Duration::from_secs(4), "heap": null,
        "no_heap": "the tracking allocator is not installed", "components": [], "own_process": null,
        "processes": [], "tasks": null, "gauges": [],
        "phases": [phase("start", 0, 800), phase("publish", 800, 2200), phase("drain", 3000, 1000)],
        "sampling": { "interval": Duration::from_millis(20), "samples": 200, "cost": Duration::from_micros(900) },
        "series": { "heap": heap, "rss own": own, "rss nats-server": server, "tasks": series(f64::from) },
    }))
    .unwrap()
}
