//! Reads by `MemoryProbe`.

use isolated_nats::{MemoryProbe, MemoryScope};
use isolated_nats_benches::Error;
use isolated_nats_benches::truth::exact::{Counted, PROGRAMS, warm_up};
use isolated_nats_benches::truth::workloads::{Meter, Part, Reading, Running};
use isolated_nats_benches::truth::{self, Request};

pub(crate) fn answer(request: Request) -> Result<(), Error> {
    truth::answer(&ByProbe, request)
}

struct ByProbe;

struct Measuring(MemoryProbe);

#[derive(Clone, Copy)]
struct Component(MemoryScope);

impl Meter for ByProbe {
    type Running = Measuring;

    fn measure<T>(&self, body: impl FnOnce(&Measuring) -> T) -> Reading {
        let probe = Measuring(MemoryProbe::start());
        let kept = body(&probe);
        probe.0.settle_blocking();
        let report = probe.0.finish();
        drop(kept);
        let signed = |bytes: Option<u64>| bytes.and_then(|bytes| i64::try_from(bytes).ok());
        let live = signed(report.live_heap_bytes()).unwrap_or(i64::MIN);
        Reading { live, peak: signed(report.peak_heap_bytes()), part: None }
    }
}

impl Running for Measuring {
    type Part = Component;

    fn part(&self) -> Component {
        Component(self.0.scope("part"))
    }
}

impl Part for Component {
    fn run<T>(self, work: impl FnOnce() -> T) -> T {
        let _entered = self.0.enter();
        work()
    }

    fn wrap<F: Future<Output: Send> + Send>(self, future: F) -> impl Future<Output = F::Output> + Send {
        self.0.wrap(future)
    }
}

/// Counts one program, and prints the figures as dhat's program does.
pub(crate) fn count(name: &str) -> Result<(), Error> {
    let (_, program) = PROGRAMS.iter().find(|(own, _)| *own == name).ok_or("no such program")?;
    warm_up();
    let probe = MemoryProbe::builder().without_samples().start();
    let kept = program();
    let report = probe.finish();
    drop(kept);
    let heap = report.heap.ok_or_else(|| report.no_heap.unwrap_or_default())?;
    let counted = Counted {
        total_blocks: heap.allocations,
        total_bytes: heap.allocated_bytes,
        current_blocks: heap.allocations - heap.reallocations - heap.deallocations,
        current_bytes: heap.live_bytes.ok_or("the age of blocks is not known")?,
        max_bytes: heap.peak_bytes,
    };
    println!("{counted}");
    Ok(())
}
