//! What a server says of itself, as gauges of a probe.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::probe::Gauge;
use crate::server::{ExternalNats, Monitor, Varz};

/// The server is asked no more often than this between the limits of phases.
const EVERY: Duration = Duration::from_secs(1);
/// It answers within this, or the sample is left out: one that is paused must not hold up the other figures.
const LIMIT: Duration = Duration::from_millis(500);

/// The gauges of a server: `server in bytes`, `server out bytes`, `server goroutines`, `server store bytes`.
pub(super) fn gauges(nats: &ExternalNats) -> Vec<Gauge> {
    let monitor = nats.monitor().timeout(LIMIT);
    let stacks = monitor.clone();
    // One answer has both figures, and tells whether to ask on; the closures are called in this order, one after the other.
    let asked = Arc::new(Mutex::new(None));
    let (answer, answered) = (Arc::clone(&asked), Arc::clone(&asked));
    let received = move || {
        let varz = monitor.varz_blocking().ok();
        let received = varz.as_ref().map(|varz| varz.in_bytes as f64);
        *lock(&asked) = varz;
        received
    };
    let sent = move || lock(&answer).as_ref().map(|varz| varz.out_bytes as f64);
    let goroutines = move || lock(&answered).take().and_then(|_| goroutines(&stacks));
    let mut gauges = vec![
        Gauge::new("server in bytes", EVERY, Box::new(received)),
        Gauge::new("server out bytes", EVERY, Box::new(sent)),
        Gauge::new("server goroutines", EVERY, Box::new(goroutines)),
    ];
    if let Some(directory) = nats.store_dir().map(Path::to_owned) {
        let size = move || Some(size_of(&directory) as f64);
        gauges.push(Gauge::new("server store bytes", EVERY, Box::new(size)));
    }
    gauges
}

fn lock(varz: &Mutex<Option<Varz>>) -> MutexGuard<'_, Option<Varz>> {
    varz.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `/stacksz` prints the stack of each goroutine below a line `goroutine 7 [running]:`.
fn goroutines(monitor: &Monitor) -> Option<f64> {
    let stacks = monitor.text_blocking("/stacksz").ok()?;
    Some(stacks.lines().filter(|line| line.starts_with("goroutine ")).count() as f64)
}

/// The lengths of all files in a directory and below; what vanishes meanwhile counts nothing.
fn size_of(directory: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(data) if data.is_dir() => size_of(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}
