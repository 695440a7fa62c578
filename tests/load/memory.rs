//! The generator's own memory: none of it is the test's, and it does not grow with the run.

use std::time::Duration;

use isolated_nats::{LeakGuard, LoadGenerator, LoadReport, MemoryProbe, Rate, Schedule};

/// What a test's heap may show of a run that allocates nothing: what tokio makes for its timers and tasks, and keeps.
const NEAR_NOTHING: u64 = 16 << 10;
const MEBIBYTE: u64 = 1 << 20;

async fn nothing(schedule: Schedule) -> LoadReport {
    let generator = LoadGenerator::builder().schedule(schedule).operation("nothing", 1, |_| async { Ok(()) });
    generator.run().await.unwrap()
}

/// Whether there are heap figures: under a sanitizer there are none.
fn heap_is_measured() -> bool {
    MemoryProbe::builder().without_samples().start().finish().heap.is_some()
}

async fn is_not_the_tests(schedule: Schedule, operations: u64) {
    if !heap_is_measured() {
        println!("skipped: the heap is not measured here");
        return;
    }
    let probe = MemoryProbe::builder().without_samples().start();
    let report = nothing(schedule).await;
    let memory = probe.finish();
    assert_eq!(report.count(), operations);
    assert!(report.setup().generator_bytes > 0);
    let (peak, growth) = (memory.peak_heap_bytes().unwrap(), memory.live_heap_growth_bytes().unwrap());
    assert!(peak < NEAR_NOTHING && growth.unsigned_abs() < NEAR_NOTHING, "{memory}");
}

#[tokio::test]
async fn a_closed_loop_takes_nothing_of_the_tests_heap() {
    is_not_the_tests(Schedule::closed_count(64, 10_000), 10_000).await;
}

#[tokio::test]
async fn an_open_loop_takes_nothing_of_the_tests_heap() {
    let schedule = Schedule::steady(Rate::per_second(10_000.0), Duration::from_millis(300));
    is_not_the_tests(schedule, 3000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_does_it_on_several_threads() {
    is_not_the_tests(Schedule::closed_count(64, 10_000), 10_000).await;
}

// An issue of other generators: samples in a list, or in a channel, grow with the run.
#[tokio::test]
async fn a_million_operations_take_less_than_32_mebibytes() {
    let probe = MemoryProbe::builder().without_samples().start();
    let report = nothing(Schedule::closed_count(64, 1_000_000)).await;
    let memory = probe.finish();
    assert_eq!(report.counts().succeeded, 1_000_000);
    assert!(report.setup().generator_bytes < 32 * MEBIBYTE, "{:?}", report.setup());
    assert!(memory.peak_heap_bytes().is_none_or(|peak| peak < NEAR_NOTHING), "{memory}");
    let own = &report.machine().unwrap().own;
    let grown = own.rss_peak_bytes.saturating_sub(own.rss_start_bytes.unwrap());
    println!("a million: {:?} states, resident grew by {grown}", report.setup().generator_bytes);
}

// Tasks, and in a process of its own threads, descriptors and children too.
#[tokio::test]
async fn nothing_is_left_after_a_run() {
    let runs = async {
        for schedule in [
            Schedule::closed_count(8, 1000),
            Schedule::steady(Rate::per_second(2000.0), Duration::from_millis(100)),
        ] {
            assert!(nothing(schedule).await.count() > 0);
        }
    };
    LeakGuard::builder().run_alone(runs).await;
}
