//! Library, server, and both.

use isolated_nats::{MemoryProbe, MemoryReport, isolated_nats};

use crate::block;

/// A workload of which there are two builds.
fn report(nats: &isolated_nats::ExternalNats, bytes: usize) -> MemoryReport {
    let probe = MemoryProbe::builder().server(nats).without_samples().start();
    let kept = block(bytes);
    let report = probe.finish();
    drop(kept);
    report
}

#[isolated_nats]
async fn two_builds_of_one_workload_stand_side_by_side(nats: isolated_nats::ExternalNats) {
    let (one, two) = (report(&nats, 1 << 20), report(&nats, 3 << 20));
    let (one, two) = (one.split().unwrap(), two.split().unwrap());

    let peak = &one.rows[0];
    // A thread that ends meanwhile may give back a few hundred bytes.
    assert!((peak.library_bytes - f64::from(1 << 20)).abs() < 2000.0, "{one}");
    assert_eq!(peak.total_bytes(), peak.library_bytes + peak.server_bytes);
    let share = peak.server_share().unwrap();
    assert!((0.5..1.0).contains(&share), "{one}");
    assert!(one.to_string().contains("server's share"), "{one}");

    let text = one.beside("before", &two, "after").to_string();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["library", "server", "total", "ratio"]);
    assert_eq!(lines[1][..4], ["peak", "(heap,", "resident)", "before"]);
    assert_eq!(lines[2][..3], ["after", "3.00", "MiB"]);
    let ratio: f64 = lines[2].last().unwrap().parse().unwrap();
    assert!(ratio > 1.0, "{text}");
}

#[test]
fn without_a_server_there_is_nothing_to_split() {
    assert_eq!(MemoryProbe::start().finish().split(), None);
}
