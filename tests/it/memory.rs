//! Measuring without the tracking allocator, which this binary does not install.

use std::time::Duration;

use isolated_nats::{CeilingErrorKind, ExternalNats, GrowthErrorKind, MemoryProbe, isolated_nats};

use crate::support::{Scratch, Victim};

#[isolated_nats(jetstream)]
async fn the_server_is_measured_also_across_a_restart(
    nats: ExternalNats,
) -> Result<(), Box<dyn std::error::Error>> {
    let probe = MemoryProbe::builder().server(&nats).interval(Duration::from_millis(5)).pages().start();
    let first = nats.pid();
    nats.restart().await?;
    let report = probe.finish();
    let server = report.process("server").unwrap();
    assert_eq!(server.pids, [first, nats.pid()], "{report}");
    #[cfg(target_os = "linux")]
    {
        assert!(server.rss_bytes.peak > 5e6 && server.rss_bytes.peak_is_exact, "{report}");
        assert!(server.private_bytes.unwrap() > 1_000_000, "{report}");
        assert!(
            server.threads.unwrap().peak >= 2.0 && server.open_descriptors.unwrap().peak >= 3.0,
            "{report}"
        );
    }
    Ok(())
}

#[test]
fn a_heap_that_is_not_measured_is_absent_and_says_what_to_add() {
    let report = MemoryProbe::start().finish();
    assert_eq!(
        (report.heap.is_none(), report.peak_heap_bytes(), report.live_heap_bytes()),
        (true, None, None)
    );
    let error = report.check_peak_heap_at_most(1 << 30).unwrap_err();
    assert_eq!(error.kind(), CeilingErrorKind::NotMeasured);
    assert!(error.to_string().contains("#[global_allocator] static ALLOCATOR"), "{error}");
    assert!(
        report.to_string().contains("heap      not measured: the tracking allocator is not installed"),
        "{report}"
    );

    let error = MemoryProbe::growth_blocking(50, || ()).unwrap_err();
    assert_eq!(error.kind(), GrowthErrorKind::NotMeasured);
    assert!(error.to_string().contains("#[global_allocator]"), "{error}");
}

#[isolated_nats(max_peak_heap = "1 GiB")]
#[ignore = "run by a_ceiling_without_the_allocator_is_no_pass"]
async fn asks_for_a_ceiling() {
    unreachable!("the body is not run");
}

#[test]
fn a_ceiling_without_the_allocator_is_no_pass() {
    let root = Scratch::new("no allocator");
    let (passed, text) = Victim::run("memory::asks_for_a_ceiling", root.path(), &[]);
    assert!(
        !passed && text.contains("cannot be measured: the tracking allocator is not installed"),
        "{text}"
    );
    assert!(text.contains("#[global_allocator] static ALLOCATOR") && !text.contains("unreachable"), "{text}");
}
