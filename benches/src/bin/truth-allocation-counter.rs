//! Reads the workloads of `truth` by `allocation-counter`, which counts what the calling thread does.

use isolated_nats_benches::Error;
use isolated_nats_benches::truth::workloads::{Meter, Reading};
use isolated_nats_benches::truth::{NoParts, Request, answer};

struct ByThread;

impl Meter for ByThread {
    type Running = NoParts;

    fn measure<T>(&self, body: impl FnOnce(&NoParts) -> T) -> Reading {
        let mut kept = None;
        let info = allocation_counter::measure(|| kept = Some(body(&NoParts)));
        drop(kept);
        Reading { live: info.bytes_current, peak: i64::try_from(info.bytes_max).ok(), part: None }
    }
}

fn main() -> Result<(), Error> {
    answer(&ByThread, Request::parse(std::env::args().skip(1))?)
}
