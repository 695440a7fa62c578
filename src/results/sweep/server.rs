//! The server's side of a window: slow consumers, storage; and how much memory there is.

use std::fs;
use std::time::Instant;

use super::figure::Figure;
use super::window::{Window, float};
use crate::server::ExternalNats;

/// What is read before a window, to be read again after it. What cannot be read stays absent.
pub(super) struct Watch {
    nats: Option<ExternalNats>,
    began: Instant,
    slow_consumers: Option<u64>,
    moved_bytes: Option<u64>,
    /// Microseconds since the start of the machine in which some task waited for storage.
    waited: Option<u64>,
}

impl Watch {
    pub(super) async fn start(nats: Option<&ExternalNats>) -> Self {
        let nats = nats.cloned();
        let slow_consumers = match &nats {
            Some(nats) => nats.monitor().varz().await.ok().map(|varz| varz.slow_consumers),
            None => None,
        };
        let (moved_bytes, waited) = (nats.as_ref().and_then(moved), nats.as_ref().and_then(|_| waited()));
        Self { nats, began: Instant::now(), slow_consumers, moved_bytes, waited }
    }

    pub(super) async fn finish(self, window: &mut Window) {
        let took = self.began.elapsed().as_secs_f64();
        window.room.memory = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_memory(&text));
        let Some(nats) = self.nats else { return };
        // What has fallen belongs to another process: the server was restarted.
        let risen = |before: Option<u64>, after: Option<u64>| after?.checked_sub(before?).map(float);
        let moved = risen(self.moved_bytes, moved(&nats));
        window.put(Figure::ServerIo, moved.map(|bytes| bytes / took));
        let waited = risen(self.waited, waited());
        window.put(Figure::DiskWait, waited.map(|micros| (micros / 1e6 / took).min(1.0)));
        if let Ok(varz) = nats.monitor().varz().await {
            window.put(Figure::SlowConsumers, risen(self.slow_consumers, Some(varz.slow_consumers)));
            window.room.server_cores = Some(f64::from(varz.cores)).filter(|cores| *cores > 0.0);
        }
    }
}

fn moved(nats: &ExternalNats) -> Option<u64> {
    let sample = nats.process().sample().ok()?;
    Some(sample.read_bytes? + sample.written_bytes?)
}

fn waited() -> Option<u64> {
    some_total(&fs::read_to_string("/proc/pressure/io").ok()?)
}

/// `some avg10=0.00 avg60=0.00 avg300=0.00 total=12345`
fn some_total(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with("some "))?;
    line.split_whitespace().find_map(|word| word.strip_prefix("total="))?.parse().ok()
}

/// `MemTotal:       16384256 kB`, in bytes.
fn total_memory(text: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(float(kilobytes) * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_linux_are_read() {
        let pressure = "some avg10=0.00 avg60=1.20 avg300=0.33 total=183220\n\
                        full avg10=0.00 avg60=0.00 avg300=0.00 total=99\n";
        assert_eq!(some_total(pressure), Some(183_220));
        assert_eq!(some_total(""), None);
        let memory = "MemTotal:       16384256 kB\nMemFree:         1000 kB\n";
        assert_eq!(total_memory(memory), Some(16_384_256.0 * 1024.0));
        assert_eq!(total_memory("MemFree: 1 kB"), None);
    }
}
