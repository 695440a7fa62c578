//! What runs beside a test while it is measured: gauges, handles, pauses, clocks.

use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use isolated_nats::{Ceiling, MemoryHandle, MemoryProbe};

use crate::{THREAD_TABLE, block, heap_is_measured};

const SHORT: Duration = Duration::from_millis(1);

#[test]
fn what_is_printed_in_a_pause_does_not_count() {
    if !heap_is_measured() {
        return;
    }
    let mut captured = Vec::with_capacity(100);
    let probe = MemoryProbe::start();
    {
        let _pause = probe.pause();
        captured.extend(block(200_000)); // as libtest's buffer grows
    }
    let report = probe.finish();
    let growth = report.live_heap_growth_bytes().unwrap();
    assert!((-100 - THREAD_TABLE..=THREAD_TABLE).contains(&growth), "{report}");
    assert!(report.peak_heap_bytes().unwrap() < 2000, "{report}");
    drop(captured);
}

#[test]
fn a_builder_is_no_part_of_what_it_measures() {
    if !heap_is_measured() {
        return;
    }
    let pid = std::process::id();
    let report = MemoryProbe::builder().process("a", pid).process_of("b", move || Some(pid)).start().finish();
    assert_eq!(report.allocations(), Some(0), "{report}");
    assert!(report.live_heap_growth_bytes().unwrap().abs() <= THREAD_TABLE, "{report}");
}

#[test]
fn a_stack_is_said_to_be_of_the_ceiling_it_was_kept_for() {
    if !heap_is_measured() {
        return;
    }
    let probe = MemoryProbe::builder().peak_heap_ceiling(1 << 20).start();
    drop(block(1_500_000));
    drop(block(5_000_000));
    let error = probe.finish().check_peak_heap_at_most(4 << 20).unwrap_err();
    assert!(format!("{error:?}").contains("  1.00 MiB was first passed here:"), "{error:?}");
    let nan = MemoryProbe::start().finish().check(&Ceiling::cpu_share(f64::NAN)).unwrap_err();
    assert!(nan.to_string().ends_with("its ceiling is not a number"), "{nan}");
}

#[test]
fn a_gauge_that_panics_is_left_out_and_the_others_go_on() {
    let (counted, counting) = mpsc::channel();
    let probe = MemoryProbe::builder()
        .interval(SHORT)
        .gauge("broken", || panic!("it cannot be read"))
        .gauge("whole", move || counted.send(()).ok().map(|()| 1.0))
        .start();
    for _ in 0..5 {
        counting.recv().unwrap();
    }
    drop(counting);
    let report = probe.finish();
    let gauge = |name: &str| report.gauges.iter().find(|gauge| gauge.name == name).unwrap();
    assert!(gauge("broken").panicked && gauge("broken").figure.is_none(), "{report}");
    assert!(!gauge("whole").panicked && gauge("whole").figure.is_some(), "{report}");
    assert!(report.to_string().contains("broken  no value (its closure panicked)"), "{report}");
}

#[test]
fn a_gauge_may_ask_the_handle_of_its_own_probe() {
    let place: Arc<OnceLock<MemoryHandle>> = Arc::default();
    let (asked, answer) = mpsc::channel();
    let handle = Arc::clone(&place);
    let read = move || {
        let sample = handle.get()?.now()?;
        asked.send(()).ok()?;
        Some(sample.at.as_secs_f64())
    };
    let probe = MemoryProbe::builder().interval(SHORT).gauge("at", read).start();
    place.set(probe.handle()).unwrap();
    answer.recv_timeout(Duration::from_secs(30)).unwrap();
    drop(probe.finish());
}

#[test]
fn a_handle_keeps_nothing_alive() {
    let handles: Vec<_> = (0..10)
        .map(|_| {
            let probe = MemoryProbe::builder().without_samples().start();
            let handle = probe.handle();
            assert!(handle.now().is_some() && handle.series("no such").is_none());
            drop(probe.finish());
            handle
        })
        .collect();
    assert!(handles.iter().all(|handle| handle.now().is_none() && handle.series("heap").is_none()));
    let report = MemoryProbe::start().finish();
    assert_eq!(report.heap.is_some(), heap_is_measured(), "{report}");
}

#[test]
fn the_samples_of_a_figure_can_be_read_meanwhile() {
    if !heap_is_measured() {
        return;
    }
    let probe = MemoryProbe::builder().interval(SHORT).start();
    let kept = block(1_000_000);
    let handle = probe.handle();
    let seen = || handle.series("heap").unwrap().last().unwrap().value >= 1e6;
    while !seen() {
        std::thread::yield_now();
    }
    assert!(handle.now().unwrap().heap_growth_bytes.unwrap() >= 1_000_000 - THREAD_TABLE);
    drop((kept, probe.finish()));
}

#[tokio::test(start_paused = true)]
async fn settling_does_not_move_a_paused_clock() {
    let start = tokio::time::Instant::now();
    let task = tokio::spawn(tokio::time::sleep_until(start + Duration::from_secs(3600)));
    let probe = MemoryProbe::start();
    probe.settle().await;
    assert_eq!(tokio::time::Instant::now(), start);
    drop(probe.finish());
    task.abort();
}

#[test]
fn a_ceiling_passed_within_a_batch_says_that_its_place_is_not_known() {
    if !heap_is_measured() {
        return;
    }
    let probe = MemoryProbe::builder().peak_heap_ceiling(1000).start();
    drop(block(1500));
    let error = probe.finish().check(&Ceiling::peak_heap(1000)).unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains("by less than 2 KiB") && !text.contains("isolated_nats::"), "{text}");
}
