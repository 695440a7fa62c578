//! `MemoryProbe`: measures a test from its start to its finish.

mod builder;
mod gauge;
mod handle;
mod heap;
mod mark;
mod process;
mod settle;
mod shared;
mod thread;

use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

pub use builder::MemoryProbeBuilder;
pub(super) use gauge::Gauge;
pub use handle::{MemoryHandle, MemorySample};
pub(super) use heap::own_test;
use shared::Shared;
use thread::Sampler;

use super::allocator::{self, Domain, Profile};
use super::places::HeapPlaces;
use super::report::MemoryReport;
use super::scope::{MemoryScope, MemoryScopeGuard, MemoryScoped};

/// Measures what a test costs in memory, from its start to [`finish`](Self::finish).
///
/// Three sources, never mixed up, each absent from the report when it was not measured:
///
/// - **heap**: counted by [`TrackingAllocator`](super::TrackingAllocator), if the test crate has installed it: exact, and of this test alone, however
///   many run in the same process. A test is its thread, and all threads started from it;
/// - **process**: the test's own process, read from the system; only where the test has that to itself (`process` in the
///   attribute, nextest, one test thread, or a program's main thread);
/// - **further processes**, such as the server's, given to the [`builder`](Self::builder).
///
/// What it does not see is said at [`TrackingAllocator`](super::TrackingAllocator). What is done for the first time in a
/// process is on the account of the test that does it, such as a first runtime, or a first panic with a backtrace, which
/// reads the debug information: warm up before the start, or ask for a ceiling with room. The probe's own work is not
/// counted.
///
/// # Examples
///
/// ```
/// use isolated_nats::{MemoryProbe, TrackingAllocator};
///
/// #[global_allocator]
/// static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();
///
/// # fn main() {
/// let probe = MemoryProbe::start();
/// let kept = vec![1_u8; 100_000];
/// drop(vec![2_u8; 300_000]);
/// let report = probe.finish();
///
/// assert_eq!(report.peak_heap_bytes(), Some(400_000));
/// assert_eq!(report.live_heap_bytes(), Some(100_000));
/// assert_eq!(report.allocations(), Some(2));
/// # drop(kept);
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a probe measures until `finish`; bind it to a name"]
pub struct MemoryProbe {
    shared: Arc<Shared>,
    sampler: Option<Sampler>,
}

impl MemoryProbe {
    /// Starts to measure with the defaults: the heap of this test, its own process where it has one, its tasks; a sample each
    /// 50 ms.
    ///
    /// Called within a tokio runtime, it counts that runtime's tasks as well. It blocks while it reads the first figures; the
    /// first probe of a process also starts a thread, to find out how threads inherit.
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Returns a builder, to measure further processes, ask for a stack at a ceiling, and more.
    pub fn builder() -> MemoryProbeBuilder {
        MemoryProbeBuilder::default()
    }

    fn new(shared: Arc<Shared>, interval: Option<Duration>) -> Self {
        let sampler = interval.and_then(|interval| Sampler::start(&shared, interval));
        Self { shared, sampler }
    }

    /// Ends the phase that runs, and begins another: the report has the figures of each.
    ///
    /// The first phase is called `start`. Names may come again; each is a phase of its own.
    pub fn phase(&self, name: &str) {
        let _ours = allocator::enter(Domain::ours());
        self.shared.begin_phase(name);
    }

    /// Waits until the test is at rest: until its live heap and the number of its tasks have not changed for 5 ms, and 2 s
    /// at most (times [`time_factor`](crate::time_factor)); what never rests is measured as it is.
    ///
    /// Tasks that only had to be polled once more end meanwhile, and threads that end hand in their last figures. A paused
    /// clock stands still in a test with `#[isolated_nats(start_paused)]`; elsewhere tokio moves it to its next timer, as
    /// whenever a test waits. Where the process is the test's own and its C library is glibc, memory that is free is given
    /// back to the system, as far as glibc does (`malloc_trim`: of the first arena only), so that the resident bytes tell of
    /// what is held.
    pub async fn settle(&self) {
        settle::settle(&self.shared).await;
    }

    /// The same for a test without a runtime; it blocks the thread.
    pub fn settle_blocking(&self) {
        settle::settle_blocking(&self.shared);
    }

    /// Leaves out what the calling thread allocates until the guard is dropped, such as for printing: a captured line of
    /// output stays on the heap for as long as the test. A buffer of the test's that grows meanwhile leaves the test.
    #[must_use = "it is counted again at once unless the guard is bound to a name"]
    pub fn pause(&self) -> MemoryScopeGuard {
        MemoryScope::of(Domain::ours()).enter()
    }

    /// Returns a component of the test: a part that is measured apart, and in the test's own figures too.
    ///
    /// What is allocated under its [`enter`](MemoryScope::enter) or [`wrap`](MemoryScope::wrap) is the component's, and
    /// stays so wherever it is freed.
    #[must_use]
    pub fn scope(&self, name: &str) -> MemoryScope {
        let _ours = allocator::enter(Domain::ours());
        MemoryScope::of(self.shared.component(name))
    }

    /// Attributes to this test what the calling thread allocates until the guard is dropped: for threads of a pool that
    /// another test has started.
    #[must_use = "the thread goes back at once unless the guard is bound to a name"]
    pub fn enter(&self) -> MemoryScopeGuard {
        self.own_scope().enter()
    }

    /// Attributes to this test what a future allocates while it is polled: for runtimes that another test has started.
    pub fn wrap<F: Future>(&self, future: F) -> MemoryScoped<F> {
        self.own_scope().wrap(future)
    }

    fn own_scope(&self) -> MemoryScope {
        self.shared.domain().map_or_else(MemoryScope::current, MemoryScope::of)
    }

    /// Returns a handle that gives the figures while the test runs, from any thread.
    #[must_use]
    pub fn handle(&self) -> MemoryHandle {
        MemoryHandle::new(&self.shared)
    }

    /// Writes what the builder's [`heap_profile`](MemoryProbeBuilder::heap_profile) has noted so far: every place that
    /// allocated, with its bytes and blocks in all, at the test's peak, and now, in the format of dhat.
    ///
    /// `dh_view.html`, which is part of Valgrind and on the web, shows such a file as a tree.
    ///
    /// # Errors
    ///
    /// Those of writing the file; [`Unsupported`](io::ErrorKind::Unsupported) when there is no profile, with the reason: it was not asked
    /// for, another test is being profiled, or the heap is not measured.
    pub fn write_heap_profile(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let _ours = allocator::enter(Domain::ours());
        super::profile::write(self.profile()?, path.as_ref())
    }

    /// Returns what each place in the program holds now, as far as it was noted for the builder's
    /// [`heap_profile`](MemoryProbeBuilder::heap_profile).
    ///
    /// Work that leaves something behind is a place that holds more blocks each time:
    ///
    /// ```
    /// use isolated_nats::{MemoryProbe, TrackingAllocator};
    ///
    /// #[global_allocator]
    /// static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();
    ///
    /// fn remember(all: &mut Vec<Box<[u8; 100]>>) {
    ///     all.push(Box::new([1; 100]));
    /// }
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let mut all = Vec::with_capacity(100);
    /// let probe = MemoryProbe::builder().heap_profile().start();
    /// (0..10).for_each(|_| remember(&mut all));
    /// let before = probe.heap_places()?;
    /// (0..10).for_each(|_| remember(&mut all));
    /// let more = probe.heap_places()?.since(&before);
    ///
    /// assert_eq!((more[0].bytes, more[0].blocks), (1000, 10));
    /// assert!(more[0].place.contains("remember"), "{more:?}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Unsupported`](io::ErrorKind::Unsupported) when there is no profile, as for [`write_heap_profile`](Self::write_heap_profile).
    pub fn heap_places(&self) -> io::Result<HeapPlaces> {
        let _ours = allocator::enter(Domain::ours());
        Ok(HeapPlaces::of(self.profile()?.sites()))
    }

    fn profile(&self) -> io::Result<&Profile> {
        let none = |why: String| io::Error::new(io::ErrorKind::Unsupported, why);
        let heap = self.shared.heap().map_err(|why| none(why.to_string()))?;
        let not_taken = "no heap profile was taken (ask for it with `MemoryProbe::builder().heap_profile()`; one test of a \
                         process at a time can be profiled)";
        heap.profile().ok_or_else(|| none(not_taken.into()))
    }

    /// Ends the measurement, and returns its report. It does not wait: call [`settle`](Self::settle) before, if tasks and
    /// threads may still be ending.
    pub fn finish(self) -> MemoryReport {
        let _ours = allocator::enter(Domain::ours());
        drop(self.sampler);
        self.shared.finish()
    }
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner) // a gauge that panicked must not take the other figures with it
}

/// A program without libtest is measured as a whole, from its main thread and from any other.
///
/// ```
/// use isolated_nats::{MemoryProbe, TrackingAllocator};
///
/// #[global_allocator]
/// static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();
///
/// #[tokio::main(flavor = "multi_thread", worker_threads = 2)]
/// async fn main() {
///     let measured = tokio::spawn(async {
///         let probe = MemoryProbe::start();
///         let kept = tokio::task::spawn_blocking(|| vec![1_u8; 1_000_000]).await.unwrap();
///         let elsewhere = std::thread::spawn(|| vec![1_u8; 2_000_000]).join().unwrap();
///         let report = probe.finish();
///         drop((kept, elsewhere));
///         report
///     });
///     let report = measured.await.unwrap();
///     assert!((3_000_000..3_100_000).contains(&report.live_heap_bytes().unwrap()), "{report}");
///     assert!(report.own_process.is_some(), "{report}");
/// }
/// ```
#[cfg(doctest)]
struct OfAProgram;
