//! Workloads whose bytes are known: each reading must be right, in every round, however many tests run beside.

use isolated_nats::{MemoryProbe, MemoryReport, MemoryScope};

use crate::{THREAD_TABLE, heap_is_measured};
use workloads::{Case, Expected, Meter, Part, Reading, Running, cases};

#[expect(unreachable_pub, reason = "the benchmarks include it as well")]
mod workloads;

const ROUNDS: usize = 5;

/// The most that a reading may be wrong by, in shares of what is right.
const LIVE_ERROR: f64 = 0.001;
const PEAK_ERROR: f64 = 0.005;

struct Probe;

impl Meter for Probe {
    type Running = MemoryProbe;

    fn measure<T>(&self, body: impl FnOnce(&MemoryProbe) -> T) -> Reading {
        let probe = MemoryProbe::start();
        let kept = body(&probe);
        probe.settle_blocking();
        let report = probe.finish();
        drop(kept);
        reading(&report)
    }
}

fn reading(report: &MemoryReport) -> Reading {
    let signed = |bytes: u64| i64::try_from(bytes).unwrap();
    let heap = report.heap.as_ref().unwrap();
    assert_eq!(heap.untagged_frees, 0, "{report}");
    let live = signed(heap.live_bytes.unwrap());
    // A runtime that is older than the probe may give back some of its own.
    assert!(
        (live - heap.growth_bytes).abs() <= live / 1000 + THREAD_TABLE,
        "nothing older was freed: {report}"
    );
    let part = report.component("part");
    let part =
        part.map(|part| Expected { live: signed(part.live_bytes.unwrap()), peak: signed(part.peak_bytes) });
    Reading { live, peak: Some(signed(heap.peak_bytes)), part }
}

impl Running for MemoryProbe {
    type Part = MemoryScope;

    fn part(&self) -> MemoryScope {
        self.scope("part")
    }
}

impl Part for MemoryScope {
    fn run<T>(self, work: impl FnOnce() -> T) -> T {
        let _entered = self.enter();
        work()
    }

    fn wrap<F: Future<Output: Send> + Send>(self, future: F) -> impl Future<Output = F::Output> + Send {
        self.wrap(future)
    }
}

/// Checks one figure: to the byte if nothing else is allocated, and within its share otherwise.
fn check_figure(read: i64, right: i64, share: f64, exact: bool, context: &str) {
    if exact {
        assert_eq!(read, right, "{context}");
    }
    assert!((read - right).abs() as f64 <= right as f64 * share, "{context}");
}

fn check(case: &Case<Probe>) {
    if !heap_is_measured() {
        return;
    }
    let alone = MemoryProbe::start().finish().own_process.is_some();
    for round in 0..ROUNDS {
        let read = (case.run)(&Probe);
        let context =
            format!("{}, round {round}: {read:?}, not {:?} and {:?}", case.name, case.expected, case.part);
        assert_eq!(read.part.is_some(), case.part.is_some(), "{context}");
        check_figure(read.live, case.expected.live, LIVE_ERROR, case.exact, &context);
        let (peak, right) = (read.peak.unwrap(), case.expected.peak);
        let by_table = !alone && (0..=THREAD_TABLE).contains(&(right - peak));
        check_figure(if by_table { right } else { peak }, right, PEAK_ERROR, case.exact, &context);
        if let (Some(read), Some(right)) = (read.part, case.part) {
            check_figure(read.live, right.live, LIVE_ERROR, false, &context);
            check_figure(read.peak, right.peak, PEAK_ERROR, false, &context);
        }
    }
}

/// One test for each workload, by its place.
macro_rules! truths {
    ($($name:ident = $place:literal,)*) => {
        $(
            #[test]
            fn $name() {
                check(&cases()[$place]);
            }
        )*

        #[test]
        fn each_workload_is_a_test() {
            assert_eq!([$($place),*].to_vec(), (0..cases::<Probe>().len()).collect::<Vec<_>>());
        }
    };
}

truths! {
    one_block_kept_one_dropped = 0,
    many_small_blocks = 1,
    few_large_blocks = 2,
    zeroed_blocks = 3,
    a_vector_that_grows = 4,
    a_vector_that_shrinks = 5,
    a_block_forgotten = 6,
    a_sawtooth = 7,
    pages_at_their_alignment = 8,
    a_thread = 9,
    four_threads_at_once = 10,
    scoped_threads = 11,
    threads_of_threads_of_threads = 12,
    a_thread_with_a_name = 13,
    two_hundred_short_threads = 14,
    small_blocks_in_four_threads = 15,
    freed_by_another_thread = 16,
    freed_by_a_thread_of_another_test = 17,
    a_channel_to_a_freeing_thread = 18,
    small_blocks_freed_by_another_thread = 19,
    resized_by_one_thread_freed_by_another = 20,
    blocking_threads_current_thread = 21,
    blocking_threads_multi_thread = 22,
    tasks_current_thread = 23,
    tasks_multi_thread = 24,
    tasks_that_migrate = 25,
    block_in_place = 26,
    a_channel_of_tokios_to_a_freeing_task = 27,
    blocking_threads_and_threads_freed_by_the_test = 28,
    a_component = 29,
    a_components_future_that_migrates = 30,
    a_component_on_a_thread_of_another_test = 31,
}
