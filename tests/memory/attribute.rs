//! The ceilings of the attribute, and a probe as an argument.

use std::hint::black_box;

use isolated_nats::{ExternalNats, MemoryProbe, isolated_nats};

use crate::support::{Scratch, Victim};

#[isolated_nats(max_peak_heap = "4 MiB", max_live_heap_growth = "256 KiB")]
async fn what_stays_below_its_ceilings_passes(nats: ExternalNats) -> Result<(), Box<dyn std::error::Error>> {
    let client = nats.client().await?;
    client.publish("a", vec![1; 100_000].into()).await?;
    client.flush().await?;
    Ok(())
}

#[isolated_nats(
    flavor = "multi_thread",
    worker_threads = 2,
    max_peak_heap = "4 MiB",
    max_live_heap_growth = "256 KiB"
)]
async fn tasks_that_end_leave_nothing_on_worker_threads(client: async_nats::Client) {
    let tasks = (0..4).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.publish("a", vec![1; 10_000].into()).await.unwrap() })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

// The thread that watches the time is not the test's.
#[isolated_nats(timeout = "30s", max_peak_heap = "256 B")]
async fn a_time_limit_takes_nothing_of_a_ceiling() {}

#[isolated_nats(max_rss_growth = "24 MiB")]
async fn what_is_given_back_is_no_growth_of_the_process() {
    for _ in 0..20 {
        drop(black_box(vec![1_u8; 8 << 20]));
    }
}

#[isolated_nats(start_paused, max_peak_heap = "4 MiB", allow_tasks = 1)]
async fn a_paused_clock_stands_still_while_the_test_comes_to_rest() {
    tokio::spawn(async {
        tokio::time::sleep_until(tokio::time::Instant::now() + std::time::Duration::from_secs(3600)).await;
        panic!("the clock was moved");
    });
}

#[isolated_nats(jetstream)]
async fn a_probe_is_an_argument_and_measures_the_server_too(
    probe: MemoryProbe,
    nats: ExternalNats,
) -> Result<(), Box<dyn std::error::Error>> {
    probe.phase("load");
    let jetstream = nats.jetstream().await?;
    let config = async_nats::jetstream::stream::Config {
        name: "A".into(),
        subjects: vec!["a".into()],
        ..Default::default()
    };
    jetstream.create_stream(config).await?;
    for _ in 0..50 {
        jetstream.publish("a", vec![1; 10_000].into()).await?.await?;
    }
    probe.settle().await;
    let report = probe.finish();
    let gauge = |name: &str| report.gauges.iter().find(|gauge| gauge.name == name).unwrap().figure.unwrap();
    assert!(gauge("server in bytes").growth() >= 500_000.0, "{report}");
    assert!(gauge("server store bytes").end >= 500_000.0, "{report}");
    assert!(gauge("server goroutines").peak > 5.0, "{report}");
    let server = report.process("server").unwrap();
    assert!(server.rss_bytes.peak > 1e6 && server.rss_bytes.peak_is_exact, "{report}");
    assert!(report.phase("load").unwrap().heap.unwrap().allocations > 50, "{report}");
    let split = report.split().unwrap();
    assert!(split.to_string().contains("peak (heap, resident)"), "{split}");
    assert!(split.rows[0].server_share().unwrap() > 0.5, "{split}");
    Ok(())
}

mod victims {
    use super::{black_box, isolated_nats};

    #[inline(never)]
    fn build_record(bytes: usize) -> Vec<u8> {
        vec![1; bytes]
    }

    #[isolated_nats(max_peak_heap = "1 MiB")]
    #[ignore = "run by what_is_above_its_peak_says_where"]
    async fn holds_too_much() {
        let records: Vec<_> = (0..200).map(|_| black_box(build_record(10_000))).collect();
        drop(records);
    }

    #[isolated_nats(max_live_heap_growth = "64 KiB")]
    #[ignore = "run by what_stays_behind_fails_the_test"]
    async fn leaves_something() {
        std::mem::forget(black_box(vec![1_u8; 100_000]));
    }

    #[isolated_nats(max_live_heap_growth = "64 KiB")]
    #[should_panic(expected = "as it should")]
    #[ignore = "run by a_ceiling_fails_also_a_test_that_panics_as_expected"]
    async fn panics_and_leaves_something() {
        std::mem::forget(black_box(vec![1_u8; 100_000]));
        panic!("as it should");
    }

    #[isolated_nats(max_rss_growth = "4 MiB")]
    #[ignore = "run by what_stays_resident_fails_the_test"]
    async fn stays_resident() {
        std::mem::forget(black_box(vec![1_u8; 20 << 20]));
    }
}

#[test]
fn what_is_above_its_peak_says_where() {
    let root = Scratch::new("peak");
    let directory = root.path().join("profiles");
    let variables = [("ISOLATED_NATS_HEAP_PROFILE", directory.to_str().unwrap())];
    let (passed, text) = Victim::run("attribute::victims::holds_too_much", root.path(), &variables);
    assert!(!passed, "{text}");
    assert!(
        text.contains("the heap's peak is 1.9") && text.contains("above its ceiling of 1.00 MiB"),
        "{text}"
    );
    assert!(
        text.contains("> memory::attribute::victims::build_record (tests/memory/attribute.rs:"),
        "{text}"
    );
    assert!(
        text.contains("at the peak, most is held by\n   1.91 MiB in     200 blocks  > memory::"),
        "{text}"
    );
    let profile = directory.join("memory-attribute-victims-holds_too_much.dhat.json");
    let profile: serde_json::Value = serde_json::from_slice(&std::fs::read(profile).unwrap()).unwrap();
    assert_eq!(profile["dhatFileVersion"], 2);
    let frames = profile["ftbl"].as_array().unwrap();
    assert!(frames.iter().any(|frame| frame.as_str().unwrap().contains("build_record")), "{frames:?}");
    let at_peak: u64 =
        profile["pps"].as_array().unwrap().iter().map(|point| point["gb"].as_u64().unwrap()).sum();
    assert!((2_000_000..2_200_000).contains(&at_peak), "{at_peak}");
}

#[test]
fn what_stays_behind_fails_the_test() {
    let root = Scratch::new("live");
    let (passed, text) = Victim::run("attribute::victims::leaves_something", root.path(), &[]);
    assert!(!passed && text.contains("the live heap's growth is 9") && text.contains("64.0 KiB"), "{text}");
    assert!(text.contains("ISOLATED_NATS_HEAP_PROFILE"), "{text}");
}

#[test]
fn a_ceiling_fails_also_a_test_that_panics_as_expected() {
    let root = Scratch::new("panics");
    let (passed, text) = Victim::run("attribute::victims::panics_and_leaves_something", root.path(), &[]);
    assert!(!passed && text.contains("the live heap's growth"), "{text}");
    assert!(text.contains("test did not panic as expected"), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn what_stays_resident_fails_the_test() {
    let root = Scratch::new("resident");
    let (passed, text) = Victim::run("attribute::victims::stays_resident", root.path(), &[]);
    assert!(!passed && text.contains("the resident growth is 2"), "{text}");
}
