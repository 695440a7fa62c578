//! Whose a block is: every test here runs beside the others, which allocate as much.

use std::hint::black_box;
use std::sync::mpsc;

use crate::{THREAD_TABLE, heap_is_measured};
use isolated_nats::{Inheritance, MemoryProbe, MemoryReport};

/// What threads, channels and runtimes need for themselves in such a test.
const ROOM: u64 = 64 << 10;

fn assert_heap(report: &MemoryReport, peak: u64, live: u64) {
    let (own_peak, own_live) = (report.peak_heap_bytes().unwrap(), report.live_heap_bytes().unwrap());
    let below = report.heap.as_ref().unwrap().peak_error_bytes + THREAD_TABLE.cast_unsigned();
    assert!((peak - below..peak + ROOM).contains(&own_peak), "peak {own_peak}, not {peak}: {report}");
    assert!((live..live + ROOM).contains(&own_live), "live {own_live}, not {live}: {report}");
}

/// The peak of a test of one thread is exact, but for what it held before its start.
#[track_caller]
fn assert_peak(read: Option<u64>, right: i64) {
    let missing = right - read.unwrap().cast_signed();
    assert!((0..=THREAD_TABLE).contains(&missing), "peak {read:?}, not {right}");
}

#[test]
fn a_plain_test_is_counted_to_the_byte() {
    if !heap_is_measured() {
        return;
    }
    let probe = MemoryProbe::start();
    let kept = black_box(vec![1_u8; 1_000_000]);
    drop(black_box(vec![1_u8; 3_000_000]));
    let report = probe.finish();
    assert_peak(report.peak_heap_bytes(), 4_000_000);
    assert_eq!(report.live_heap_bytes(), Some(1_000_000));
    assert!((0..=THREAD_TABLE).contains(&(1_000_000 - report.live_heap_growth_bytes().unwrap())), "{report}");
    assert_eq!(report.allocations(), Some(2));
    drop(kept);
}

#[test]
fn threads_belong_to_the_test_that_started_them() {
    if !heap_is_measured() {
        return;
    }
    let probe = MemoryProbe::start();
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let nested = std::thread::spawn(|| black_box(vec![1_u8; 500_000]));
        sender.send(black_box(vec![1_u8; 700_000])).unwrap();
        nested.join().unwrap()
    });
    let kept = (receiver.recv().unwrap(), thread.join().unwrap());
    std::thread::scope(|scope| {
        scope.spawn(|| drop(black_box(vec![1_u8; 2_000_000])));
    });
    probe.settle_blocking();
    let report = probe.finish();
    assert_heap(&report, 3_200_000, 1_200_000);
    drop(kept);
}

#[tokio::test]
async fn blocking_threads_of_a_plain_tokio_test_are_its_own() {
    if !heap_is_measured() {
        return;
    }
    let probe = MemoryProbe::start();
    let kept = tokio::task::spawn_blocking(|| black_box(vec![1_u8; 1_500_000])).await.unwrap();
    tokio::spawn(async { drop(black_box(vec![1_u8; 1_000_000])) }).await.unwrap();
    probe.settle().await;
    let report = probe.finish();
    assert_heap(&report, 2_500_000, 1_500_000);
    assert_eq!(report.tasks.unwrap().end, 0.0);
    drop(kept);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn worker_threads_of_a_plain_tokio_test_are_its_own() {
    if !heap_is_measured() {
        return;
    }
    let probe = MemoryProbe::start();
    let tasks: Vec<_> = (0..4).map(|_| tokio::spawn(async { black_box(vec![1_u8; 500_000]) })).collect();
    let mut kept = Vec::new();
    for task in tasks {
        kept.push(task.await.unwrap());
    }
    probe.settle().await;
    let report = probe.finish();
    assert_heap(&report, 2_000_000, 2_000_000);
    drop(kept);
}

#[test]
fn a_block_is_its_owners_whoever_frees_it() {
    if !heap_is_measured() {
        return;
    }
    let block = black_box(vec![1_u8; 5_000_000]);
    let (sender, receiver) = mpsc::channel::<Vec<u8>>();
    let freeing = std::thread::spawn(move || receiver.into_iter().for_each(drop));
    let probe = MemoryProbe::start();
    sender.send(block).unwrap();
    sender.send(black_box(vec![1_u8; 1_000_000])).unwrap();
    drop(sender);
    freeing.join().unwrap();
    probe.settle_blocking();
    let report = probe.finish();
    let growth = report.live_heap_growth_bytes().unwrap();
    assert!((-5_000_000 - 10_000..-4_900_000).contains(&growth), "{report}");
    assert!(report.live_heap_bytes().unwrap() < ROOM, "nothing allocated since the start is held: {report}");
}

#[test]
fn a_component_is_measured_apart_and_in_its_test() {
    if !heap_is_measured() {
        return;
    }
    let probe = MemoryProbe::start();
    let parser = probe.scope("parser");
    let kept = {
        let _entered = parser.enter();
        drop(black_box(vec![1_u8; 3_000_000]));
        black_box(vec![1_u8; 1_000_000])
    };
    let beside = black_box(vec![1_u8; 400_000]);
    let report = probe.finish();
    let parser = report.component("parser").unwrap();
    assert_eq!((parser.peak_bytes, parser.live_bytes), (3_000_000, Some(1_000_000)));
    assert_eq!((parser.allocations, parser.allocated_bytes), (2, 4_000_000));
    assert_peak(report.peak_heap_bytes(), 3_000_000);
    assert_eq!(report.live_heap_bytes(), Some(1_400_000));
    drop((kept, beside));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrapped_future_is_followed_from_thread_to_thread() {
    if !heap_is_measured() {
        return;
    }
    let probe = MemoryProbe::start();
    let scope = probe.scope("task");
    let task = tokio::spawn(scope.wrap(async {
        let mut kept = Vec::new();
        for _ in 0..10 {
            kept.push(black_box(vec![1_u8; 100_000]));
            tokio::task::yield_now().await;
        }
        kept
    }));
    let kept = task.await.unwrap();
    probe.settle().await;
    let report = probe.finish();
    let task = report.component("task").unwrap();
    assert!((1_000_000..1_001_000).contains(&task.peak_bytes), "{report}");
    assert!((1_000_000..1_001_000).contains(&task.live_bytes.unwrap()), "{report}");
    drop(kept);
}

#[test]
fn a_pool_that_another_test_started_is_told_by_hand() {
    if !heap_is_measured() {
        return;
    }
    let (sender, work) = mpsc::channel::<Box<dyn FnOnce() + Send>>();
    let (ready, is_ready) = mpsc::channel();
    // A thread of another test: that of a thread which the main thread would have started.
    let another = MemoryProbe::start();
    let foreign = another.scope("another");
    let pool = {
        let _other = foreign.enter();
        std::thread::spawn(move || work.into_iter().for_each(|work| work()))
    };
    let probe = MemoryProbe::start();
    let scope = probe.scope("mine");
    sender
        .send(Box::new(move || {
            let _mine = scope.enter();
            ready.send(black_box(vec![1_u8; 1_000_000])).unwrap();
        }))
        .unwrap();
    let kept = is_ready.recv().unwrap();
    drop(sender);
    pool.join().unwrap();
    let report = probe.finish();
    assert!(report.component("mine").unwrap().live_bytes.unwrap() >= 1_000_000, "{report}");
    drop(kept);
}

#[test]
fn what_is_allocated_in_a_pause_does_not_count() {
    if !heap_is_measured() {
        return;
    }
    let probe = MemoryProbe::start();
    let kept = {
        let _pause = probe.pause();
        black_box(vec![1_u8; 1_000_000])
    };
    let report = probe.finish();
    assert_eq!(report.live_heap_bytes(), Some(0));
    assert_eq!(report.allocations(), Some(0));
    drop(kept);
}

#[test]
fn there_is_no_mean_of_a_start_and_an_end() {
    if !heap_is_measured() {
        return;
    }
    let report = MemoryProbe::builder().without_samples().start().finish();
    assert_eq!(report.heap.unwrap().mean_bytes, None);
}

#[test]
fn a_resized_block_counts_its_difference_in_the_peak() {
    if !heap_is_measured() {
        return;
    }
    let probe = MemoryProbe::start();
    let mut block = Vec::<u8>::with_capacity(1_000_000);
    block.push(1);
    block.reserve_exact(3_000_000 - 1);
    let block = black_box(block);
    let report = probe.finish();
    assert_peak(report.peak_heap_bytes(), 3_000_000);
    let heap = report.heap.unwrap();
    assert_eq!((heap.allocations, heap.reallocations, heap.allocated_bytes), (2, 1, 4_000_000));
    assert_eq!(heap.freed_bytes.cast_signed(), 4_000_000 - heap.growth_bytes);
    drop(block);
}

#[test]
fn two_probes_of_one_test_measure_apart() {
    if !heap_is_measured() {
        return;
    }
    let outer = MemoryProbe::start();
    drop(black_box(vec![1_u8; 2_000_000]));
    let inner = MemoryProbe::start();
    let kept = black_box(vec![1_u8; 1_000_000]);
    let (inner, outer) = (inner.finish(), outer.finish());
    assert_peak(inner.peak_heap_bytes(), 1_000_000);
    assert_peak(outer.peak_heap_bytes(), 2_000_000);
    assert_eq!((inner.live_heap_bytes(), outer.live_heap_bytes()), (Some(1_000_000), Some(1_000_000)));
    drop(kept);
}

#[test]
fn the_way_threads_inherit_is_named_and_nothing_is_left_over() {
    if !heap_is_measured() {
        return;
    }
    let report = MemoryProbe::start().finish();
    let heap = report.heap.unwrap();
    assert_ne!(heap.inheritance, Inheritance::ByHand);
    assert_eq!((heap.untagged_frees, heap.live_bytes), (0, Some(0)));
}
