//! Probes in odd places, many of them, and more at a time than there may be.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

#[cfg(target_os = "linux")]
use isolated_nats::isolated_nats;
use isolated_nats::{Inheritance, MemoryProbe, MemoryReport};

use crate::{THREAD_TABLE, block, heap_is_measured};

#[track_caller]
fn assert_live(report: &MemoryReport, live: u64) {
    let own = report.live_heap_bytes().unwrap();
    assert!((live..live + (8 << 10)).contains(&own), "live {own}, not {live}: {report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_may_start_in_a_task_and_on_a_blocking_thread() {
    if !heap_is_measured() {
        return;
    }
    let in_task = tokio::spawn(async {
        let probe = MemoryProbe::start();
        let kept = block(1_000_000);
        tokio::task::yield_now().await;
        (probe.finish(), kept)
    });
    assert_live(&in_task.await.unwrap().0, 1_000_000);
    let on_blocking = tokio::task::spawn_blocking(|| {
        let probe = MemoryProbe::start();
        let kept = block(1_000_000);
        (probe.finish(), kept)
    });
    assert_live(&on_blocking.await.unwrap().0, 1_000_000);
}

#[tokio::test]
async fn a_probe_may_start_in_a_runtime_within_a_runtime() {
    if !heap_is_measured() {
        return;
    }
    let nested = || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(async {
            let probe = MemoryProbe::start();
            let kept = tokio::spawn(async { block(1_000_000) }).await.unwrap();
            probe.settle().await;
            (probe.finish(), kept)
        })
    };
    assert_live(&tokio::task::spawn_blocking(nested).await.unwrap().0, 1_000_000);
}

#[test]
fn a_probe_may_finish_on_another_thread() {
    if !heap_is_measured() {
        return;
    }
    let probe = MemoryProbe::start();
    let kept = block(1_000_000);
    let report = thread::spawn(move || probe.finish()).join().unwrap();
    assert_live(&report, 1_000_000);
    drop(kept);
}

#[test]
fn the_ninth_probe_of_a_test_says_why_it_has_no_heap() {
    if !heap_is_measured() {
        return;
    }
    let probes: Vec<_> = (0..8).map(|_| MemoryProbe::start()).collect();
    let ninth = MemoryProbe::start().finish();
    assert!(ninth.heap.is_none());
    let why = ninth.no_heap.unwrap();
    assert_eq!(why, "8 probes measure this test already (finish one)");
    let kept = block(1_000_000);
    let reports: Vec<_> = probes.into_iter().map(MemoryProbe::finish).collect();
    reports.iter().for_each(|report| assert_live(report, 1_000_000));
    assert!(MemoryProbe::start().finish().heap.is_some());
    drop(kept);
}

#[test]
fn many_probes_one_after_another_each_read_their_own() {
    if !heap_is_measured() {
        return;
    }
    let mut kept = Vec::with_capacity(500);
    for round in 0..500 {
        let probe = MemoryProbe::builder().without_samples().start();
        kept.push(block(1_000 + round));
        let report = probe.finish();
        assert_eq!(report.live_heap_bytes(), Some(1_000 + round as u64));
        assert_eq!(report.allocations(), Some(1));
    }
}

#[test]
fn a_probe_that_is_dropped_makes_room_for_the_next() {
    if !heap_is_measured() {
        return;
    }
    for _ in 0..40 {
        let probe = MemoryProbe::start();
        let _part = probe.scope("part");
        drop(block(10_000));
        drop(probe);
    }
    let probe = MemoryProbe::start();
    let _part = probe.scope("part");
    let report = probe.finish();
    assert_eq!(report.live_heap_bytes(), Some(0));
    assert!(report.component("part").is_some(), "{report}");
}

#[cfg(target_os = "linux")]
#[isolated_nats(process)]
async fn the_resident_peak_of_a_probe_outlives_the_start_of_another() {
    let outer = MemoryProbe::builder().without_samples().start();
    drop(block(64 << 20));
    drop(MemoryProbe::builder().without_samples().start());
    let report = outer.finish();
    assert!(report.peak_rss_bytes().unwrap() > 64 << 20, "{report}");
}

/// Sixteen threads start and finish probes of one test while four allocate.
#[test]
fn probes_may_race() {
    if !heap_is_measured() {
        return;
    }
    let over = AtomicBool::new(false);
    let outer = MemoryProbe::builder().without_samples().start();
    let kept = block(1_000_000);
    thread::scope(|scope| {
        for bytes in [24, 700, 5_000, 70_000] {
            let over = &over;
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    drop(block(bytes));
                }
            });
        }
        let race = || {
            for _ in 0..50 {
                let probe = MemoryProbe::builder().without_samples().start();
                let part = probe.scope("part");
                let kept = part.enter();
                let held = block(50_000);
                drop(kept);
                let report = probe.finish();
                drop(held);
                let Some(heap) = report.heap else { continue };
                // Sixteen of these, four of those, and what twenty threads have not told yet; the rest is slack.
                let most = 16 * 50_000 + 4 * 70_000 + (20 << 11) + 100_000;
                let peak = heap.peak_bytes.cast_signed();
                assert!(heap.growth_bytes <= peak && peak <= most, "{heap:?}");
                assert!(
                    heap.live_bytes.unwrap().cast_signed() <= most && heap.growth_bytes >= -most,
                    "{heap:?}"
                );
            }
        };
        let racing: Vec<_> = (0..16).map(|_| scope.spawn(race)).collect();
        let ended: Vec<_> = racing.into_iter().map(thread::ScopedJoinHandle::join).collect();
        over.store(true, Ordering::Relaxed);
        ended.into_iter().for_each(|ended| ended.unwrap());
    });
    outer.settle_blocking();
    let report = outer.finish();
    assert_live(&report, 1_000_000);
    drop(kept);
    // A scope ends with the work of its threads, and some may still be ending themselves.
    let probe = MemoryProbe::start();
    let kept = block(1_000_000);
    let report = probe.finish();
    assert_live(&report, 1_000_000);
    let heap = report.heap.as_ref().unwrap();
    let off = (1_000_000 - heap.peak_bytes.cast_signed()).abs();
    assert!(off <= heap.peak_error_bytes.cast_signed() + THREAD_TABLE + (16 << 10), "{report}");
    drop(kept);
}

#[test]
fn scopes_nest_and_end_in_turn() {
    if !heap_is_measured() {
        return;
    }
    let probe = MemoryProbe::start();
    let (outer, inner) = (probe.scope("outer"), probe.scope("inner"));
    let mut kept = Vec::with_capacity(4);
    {
        let _outer = outer.enter();
        kept.push(block(100_000));
        {
            let _inner = inner.enter();
            kept.push(block(20_000));
            let _own = probe.enter();
            kept.push(block(3_000));
        }
        kept.push(thread::spawn(|| block(1_000_000)).join().unwrap());
    }
    let _again = outer.enter();
    let report = probe.finish();
    let part = report.component("outer").unwrap();
    assert!((1_100_000..1_104_000).contains(&part.live_bytes.unwrap()), "{report}");
    assert_eq!(report.component("inner").unwrap().live_bytes, Some(20_000), "{report}");
    assert_live(&report, 1_123_000 + 4 * size_of::<Vec<u8>>() as u64);
}

#[test]
fn threads_learn_their_test_as_the_build_says() {
    if !heap_is_measured() {
        return;
    }
    let found = MemoryProbe::start().finish().heap.unwrap().inheritance;
    let first_free = option_env!("ISOLATED_NATS_THREADS") == Some("first-free");
    let by_glibc =
        cfg!(all(target_os = "linux", target_env = "gnu", not(target_feature = "crt-static"), not(miri)));
    let expected = if by_glibc && !first_free { Inheritance::ThreadStart } else { Inheritance::FirstFree };
    assert_eq!(found, expected);
}
