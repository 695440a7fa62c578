//! What a probe may be asked for.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::MemoryProbe;
use super::gauge::Gauge;
use super::heap::Heap;
use super::process::Track;
use super::shared::Shared;
use crate::alone::{Alone, alone};
use crate::memory::allocator::{self, Domain, Kind};
use crate::server::ExternalNats;

const INTERVAL: Duration = Duration::from_millis(50);

/// What a [`MemoryProbe`] is to measure.
#[must_use = "a builder does nothing until `start`"]
pub struct MemoryProbeBuilder {
    processes: Vec<(String, Pid)>,
    gauges: Vec<Gauge>,
    interval: Option<Duration>,
    ceiling: Option<u64>,
    pages: bool,
    profile: bool,
}

type Pid = Box<dyn Fn() -> Option<u32> + Send>;

impl Default for MemoryProbeBuilder {
    fn default() -> Self {
        Self {
            processes: Vec::new(),
            gauges: Vec::new(),
            interval: Some(INTERVAL),
            ceiling: None,
            pages: false,
            profile: false,
        }
    }
}

impl fmt::Debug for MemoryProbeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processes, gauges, interval, ceiling, pages, profile } = self;
        let labels: Vec<_> = processes.iter().map(|(label, _)| label).collect();
        let names: Vec<_> = gauges.iter().map(Gauge::name).collect();
        f.debug_struct("MemoryProbeBuilder")
            .field("processes", &labels)
            .field("gauges", &names)
            .field("interval", interval)
            .field("peak_heap_ceiling", ceiling)
            .field("pages", pages)
            .field("heap_profile", profile)
            .finish()
    }
}

impl MemoryProbeBuilder {
    /// A further process to measure, such as `("worker", child.id())`. Default: none.
    ///
    /// Its high-water mark is reset at the start of each phase, where the system permits that.
    pub fn process(self, label: &str, pid: u32) -> Self {
        self.process_of(label, move || Some(pid))
    }

    /// The same for a process that may be restarted meanwhile: the closure is asked for its pid.
    pub fn process_of(mut self, label: &str, pid: impl Fn() -> Option<u32> + Send + 'static) -> Self {
        let _ours = allocator::enter(Domain::ours()); // given back while the test is measured, and not the test's
        self.processes.push((label.to_owned(), Box::new(pid)));
        self
    }

    /// A server to measure: its process, labelled `server`, also after a restart, and, from itself, its goroutines, the
    /// payload bytes it has received and sent, and what its store takes on disk. Default: none.
    ///
    /// The server is asked at the start and the end of each phase, and once a second between: what it says of itself costs
    /// it some work. One that does not answer, as when it is paused, holds up a phase's end for half a second.
    pub fn server(self, nats: &ExternalNats) -> Self {
        let _ours = allocator::enter(Domain::ours());
        let handle = nats.clone();
        let builder = self.process_of("server", move || Some(handle.pid()).filter(|pid| *pid != 0));
        crate::memory::server::gauges(nats).into_iter().fold(builder, Self::add_gauge)
    }

    /// A quantity of your own to sample, such as the length of a queue. Default: none.
    ///
    /// The closure is called with every sample, on a thread of ours, and at the start and the end of each phase on the
    /// thread that begins or ends it; `None` leaves a sample out. It must neither block nor wait for the test: `phase` and
    /// `finish` wait for it. One that panics is not called again, and the report says so.
    pub fn gauge(self, name: &str, read: impl FnMut() -> Option<f64> + Send + 'static) -> Self {
        let _ours = allocator::enter(Domain::ours());
        self.add_gauge(Gauge::new(name, Duration::ZERO, Box::new(read)))
    }

    fn add_gauge(mut self, gauge: Gauge) -> Self {
        self.gauges.push(gauge);
        self
    }

    /// The time between two samples, at least 1 ms. Default: 50 ms.
    ///
    /// A series holds 1024 points; a longer run keeps every second, every fourth, and so on. Peaks of the heap and of
    /// resident memory do not depend on samples.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval.max(Duration::from_millis(1)));
        self
    }

    /// Samples at the start and the end of each phase only: there is no thread, and no growth curve. Default: samples.
    pub fn without_samples(mut self) -> Self {
        self.interval = None;
        self
    }

    /// Keeps the stack of the allocation with which the heap first passes so many bytes above its start, for
    /// [`check_peak_heap_at_most`](super::super::MemoryReport::check_peak_heap_at_most) to show. Default: none.
    ///
    /// The stack is walked once, when the ceiling is passed.
    pub fn peak_heap_ceiling(mut self, bytes: u64) -> Self {
        self.ceiling = Some(bytes);
        self
    }

    /// Reads the shared and private pages of each process at the end, for which the kernel walks all that is resident. Default:
    /// off.
    pub fn pages(mut self) -> Self {
        self.pages = true;
        self
    }

    /// Notes every block of the test with the stack that allocated it, for
    /// [`MemoryProbe::write_heap_profile`]. One test at a time can be profiled in a process. Default: off.
    ///
    /// It walks the stack at every allocation, one at a time for all threads, and is therefore for a second
    /// look, not for a test's every run.
    pub fn heap_profile(mut self) -> Self {
        self.profile = true;
        self
    }

    /// Starts to measure the test that the calling thread belongs to.
    pub fn start(self) -> MemoryProbe {
        let heap = Heap::start(self.profile, self.ceiling);
        let _ours = allocator::enter(Domain::ours());
        // A program is measured as a whole from any of its threads.
        let is_program = heap.as_ref().is_ok_and(|heap| heap.domain().kind() == Kind::Process);
        let alone = alone().or(is_program.then_some(Alone::Program));
        let own: Option<(String, Pid)> =
            alone.as_ref().map(|_: &Alone| ("own".to_owned(), Box::new(|| Some(std::process::id())) as Pid));
        let tracks = own.into_iter().chain(self.processes);
        let tracks = tracks.map(|(label, pid)| Track::new(label, pid, self.pages)).collect();
        let shared = Shared::start(heap, alone, tracks, self.gauges, self.interval);
        MemoryProbe::new(Arc::new(shared), self.interval)
    }
}
