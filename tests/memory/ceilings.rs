//! Ceilings on reports: what passes, what does not, and what is said.

use std::hint::black_box;
use std::time::{Duration, Instant};

use isolated_nats::{Ceiling, CeilingErrorKind, MemoryProbe, MemoryReport};

fn kind(report: &MemoryReport, ceiling: &Ceiling) -> Option<CeilingErrorKind> {
    report.check(ceiling).err().map(|error| error.kind())
}

#[test]
fn a_ceiling_is_of_the_whole_or_of_a_phase() {
    let probe = MemoryProbe::start();
    probe.phase("load");
    drop(black_box(vec![1_u8; 2_000_000]));
    probe.phase("idle");
    let kept = black_box(vec![1_u8; 500_000]);
    let report = probe.finish();

    // A thread that ends beside this one may give back a little of std's own.
    report.check_peak_heap_at_most(2_000_000).unwrap();
    let error = report.check_peak_heap_at_most(1_990_000).unwrap_err();
    assert_eq!(error.kind(), CeilingErrorKind::Exceeded);
    assert!(error.measured().unwrap() > 1_990_000.0);
    let text = format!("{error:?}");
    assert!(text.contains("in phase `load`") && text.contains("peak_heap_ceiling"), "{text}");

    report.assert(&Ceiling::peak_heap(500_000).in_phase("idle"));
    report.assert(&Ceiling::live_heap_growth(0).in_phase("load"));
    assert_eq!(
        kind(&report, &Ceiling::live_heap_growth(0).in_phase("idle")),
        Some(CeilingErrorKind::Exceeded)
    );
    report.assert(&Ceiling::allocations(1).in_phase("load"));
    assert_eq!(kind(&report, &Ceiling::allocations(1)), Some(CeilingErrorKind::Exceeded));
    drop(kept);
}

#[test]
fn what_is_not_in_the_report_is_no_pass() {
    let report = MemoryProbe::start().finish();

    let error = report.check(&Ceiling::peak_heap(1).in_phase("lode")).unwrap_err();
    assert_eq!(error.kind(), CeilingErrorKind::Unknown);
    assert_eq!(
        error.to_string(),
        "the heap's peak in phase `lode` cannot be judged: the report has no phase `lode` (it has `start`)"
    );
    assert_eq!(kind(&report, &Ceiling::rss_growth(1).of_process("server")), Some(CeilingErrorKind::Unknown));
    let error = report.check(&Ceiling::tasks(1)).unwrap_err();
    assert_eq!(error.kind(), CeilingErrorKind::NotMeasured);
    assert!(error.to_string().contains("within a tokio runtime"), "{error}");
    let error = report.check(&Ceiling::live_heap(1).in_phase("start")).unwrap_err();
    assert!(error.to_string().contains("leave out `in_phase`"), "{error}");
    if report.own_process.is_none() {
        let error = report.check(&Ceiling::cpu_share(1.0)).unwrap_err();
        assert_eq!(error.kind(), CeilingErrorKind::NotMeasured);
        assert!(error.to_string().contains("write `process` in the attribute"), "{error}");
    }
}

#[test]
fn a_figure_of_the_test_alone_is_not_judged_for_a_process() {
    let report = MemoryProbe::builder().process("child", std::process::id()).start().finish();
    for ceiling in [Ceiling::peak_heap(1 << 40), Ceiling::live_heap(1 << 40), Ceiling::tasks(1000)] {
        let error = report.check(&ceiling.of_process("child")).unwrap_err();
        assert_eq!(error.kind(), CeilingErrorKind::NotMeasured);
        assert!(error.to_string().contains("leave out `of_process`"), "{error}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_resident_peak_of_samples_is_no_pass() {
    let report = MemoryProbe::builder().process("child", std::process::id()).start().finish();
    let ceiling = Ceiling::peak_rss(1 << 40).of_process("child");
    report.assert(&ceiling);
    let mut value = serde_json::to_value(&report).unwrap();
    for process in value["processes"].as_array_mut().unwrap() {
        process["rss_bytes"]["peak_is_exact"] = false.into();
    }
    let sampled: MemoryReport = serde_json::from_value(value).unwrap();
    assert_eq!(kind(&sampled, &ceiling), Some(CeilingErrorKind::NotMeasured));
}

/// Of a process of its own: a shell that is idle, and one that is not.
#[cfg(target_os = "linux")]
#[test]
fn the_cpu_of_a_process_is_judged_by_phase_and_against_a_baseline() {
    let mut child = std::process::Command::new("sh")
        .args(["-c", "echo ready; read line; while :; do :; done"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let probe =
        MemoryProbe::builder().process("child", child.id()).interval(Duration::from_millis(1)).start();
    let handle = probe.handle();
    probe.phase("idle");
    until(|| handle.now().unwrap().at > Duration::from_millis(50));
    probe.phase("busy");
    drop(child.stdin.take());
    let cpu = isolated_nats::ProcessProbe::new(child.id());
    until(|| cpu.sample().unwrap().cpu_time > Duration::from_millis(60));
    let report = probe.finish();
    child.kill().unwrap();
    child.wait().unwrap();

    report.assert(&Ceiling::cpu_share(0.1).of_process("child").in_phase("idle"));
    let busy = Ceiling::cpu_share(0.0).of_process("child").in_phase("busy");
    assert_eq!(kind(&report, &busy), Some(CeilingErrorKind::Exceeded), "{report}");
    let over = |share| Ceiling::cpu_share_over("idle", share).of_process("child").in_phase("busy");
    report.assert(&over(1.5));
    assert_eq!(kind(&report, &over(0.0)), Some(CeilingErrorKind::Exceeded), "{report}");
    report.assert(&Ceiling::open_descriptors(200).of_process("child"));
    report.assert(&Ceiling::threads(1).of_process("child"));
}

#[cfg(target_os = "linux")]
fn until(mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "it never held");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn tasks_are_judged_by_their_most() {
    let probe = MemoryProbe::start();
    let tasks: Vec<_> = (0..10).map(|_| tokio::spawn(std::future::pending::<()>())).collect();
    probe.phase("idle");
    for task in tasks {
        task.abort();
    }
    probe.settle().await;
    let report = probe.finish();
    report.assert(&Ceiling::tasks(10));
    assert_eq!(kind(&report, &Ceiling::tasks(9)), Some(CeilingErrorKind::Exceeded), "{report}");
    assert_eq!(report.tasks.unwrap().end, 0.0);
}

#[test]
fn a_report_is_read_back_as_it_was_written() {
    let probe = MemoryProbe::builder().gauge("length", || Some(3.0)).start();
    drop(probe.scope("part").enter());
    let report = probe.finish();
    let text = serde_json::to_string(&report).unwrap();
    let read: MemoryReport = serde_json::from_str(&text).unwrap();
    // A float may come back with another last digit, which is not shown.
    assert_eq!(read.to_string(), report.to_string());
    assert_eq!(
        (read.allocations(), read.live_heap_bytes()),
        (report.allocations(), report.live_heap_bytes())
    );
    assert_eq!((read.phases.len(), read.own_process), (report.phases.len(), report.own_process.clone()));
    assert!(report.to_string().contains("length  3 to 3, peak 3"), "{report}");
}
