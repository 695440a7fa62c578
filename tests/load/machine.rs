//! What a run costs: CPU time and memory of this process and of the server.

use std::time::Duration;

use isolated_nats::{ExternalNats, LoadGenerator, LoadReport, MemoryProbe, ProcessProbe, Schedule};

/// A closed loop of publishes with a round trip each.
async fn requests(nats: &ExternalNats, operations: u64) -> LoadReport {
    let client = nats.client().await.unwrap();
    let jetstream = async_nats::jetstream::new(client.clone());
    let config = async_nats::jetstream::stream::Config {
        name: "S".into(),
        subjects: vec!["s".into()],
        ..Default::default()
    };
    jetstream.create_stream(config).await.unwrap();
    let generator = LoadGenerator::builder().schedule(Schedule::closed_count(8, operations)).operation_with(
        "publish",
        1,
        jetstream,
        |jetstream, context| async move {
            jetstream.publish("s", context.payload_bytes()).await?.await?;
            Ok(())
        },
    );
    generator.run().await.unwrap()
}

async fn start() -> ExternalNats {
    ExternalNats::builder().jetstream().start().await.unwrap()
}

// The promise of issue 5: no builder call is needed for the server's part.
#[tokio::test]
async fn the_servers_part_is_known_from_its_process_alone() {
    let nats = start().await;
    let probe = MemoryProbe::builder().server(&nats).start();
    let report = requests(&nats, 2000).await;
    assert_eq!(report.cpu_per_operation().unwrap().server, None, "not named yet");
    let report = report.with(&probe.finish(), &nats.process());

    let cpu = report.cpu_per_operation().unwrap();
    assert!(cpu.client > Duration::ZERO && cpu.server.unwrap() > Duration::ZERO, "{cpu:?}");
    let machine = report.machine().unwrap();
    let server = machine.server().unwrap();
    assert_eq!(server.pids, [nats.pid()]);
    assert!(server.rss_peak_bytes >= server.rss_start_bytes.unwrap() && server.rss_end_bytes.is_some());
    assert!(machine.not_measured.is_empty(), "{machine}");
    let shares = machine.cpu_shares().unwrap();
    let sum = shares.client + shares.server.unwrap() + shares.other.unwrap();
    assert!((sum - 1.0).abs() < 1e-9, "{shares:?}");
    assert!(report.split().unwrap().rows.iter().any(|row| row.server_bytes > 0.0));
    nats.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_given_to_the_builder_is_called_as_there() {
    let nats = start().await;
    let generator = LoadGenerator::builder()
        .schedule(Schedule::closed_count(1, 100))
        .process("the server", nats.process())
        .operation("nothing", 1, |_| async { Ok(()) });
    let report = generator.run().await.unwrap();
    let machine = report.machine().unwrap();
    assert_eq!(machine.process("the server").unwrap().pids, [nats.pid()]);
    assert_eq!(machine.processes.iter().filter(|process| process.pids.contains(&nats.pid())).count(), 1);
}

#[tokio::test]
async fn a_server_that_is_restarted_during_the_run_is_one_process() {
    let nats = start().await;
    let first = nats.pid();
    let again = nats.clone();
    let probe = MemoryProbe::builder().server(&nats).start();
    let generator = LoadGenerator::builder()
        .schedule(Schedule::closed(1, Duration::from_millis(800)))
        .event(Duration::from_millis(100), "restart", || async move {
            again.restart().await?;
            Ok(())
        })
        .operation("look", 1, |_| async {
            tokio::task::yield_now().await;
            Ok(())
        });
    let report = generator.run().await.unwrap();
    assert_eq!(report.events()[0].error, None);
    let report = report.with(&probe.finish(), &nats.process());
    let server = report.machine().unwrap().server().unwrap().clone();
    assert_eq!(server.pids, [first, nats.pid()], "{}", report.machine().unwrap());
    assert!(server.rss_start_bytes.is_some() && server.rss_end_bytes.is_some(), "{server:?}");
    nats.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_server_that_was_not_sampled_is_absent_with_the_reason() {
    let generator =
        LoadGenerator::builder()
            .schedule(Schedule::closed_count(1, 10))
            .operation("nothing", 1, |_| async { Ok(()) });
    let report = generator.run().await.unwrap();
    let memory = MemoryProbe::builder().without_samples().start().finish();
    let parent = ProcessProbe::new(1);
    let report = report.with(&memory, &parent);
    assert_eq!(report.cpu_per_operation().unwrap().server, None);
    let why = &report.machine().unwrap().not_measured[0].why;
    assert!(why.contains("`.process(\"server\", nats.process())`"), "{why}");
    assert!(report.split().is_none() && report.memory().is_some());
}

#[tokio::test]
async fn a_report_survives_json() {
    let nats = start().await;
    let probe = MemoryProbe::builder().server(&nats).start();
    let report = requests(&nats, 500).await.with(&probe.finish(), &nats.process());
    let text = serde_json::to_string(&report).unwrap();
    let read: LoadReport = serde_json::from_str(&text).unwrap();
    // Squares and slopes are whole to the last digit only with serde_json's `float_roundtrip`.
    let service = |report: &LoadReport| [report.service().percentile(99.0), report.service().mean()];
    assert_eq!((read.count(), service(&read)), (500, service(&report)));
    assert_eq!((read.counts(), read.workers().map(|w| w.started)), (report.counts(), Some(8)));
    let peak = |report: &LoadReport| report.memory().unwrap().peak_heap_bytes();
    assert_eq!((read.timeline(), peak(&read)), (report.timeline(), peak(&report)));
    assert_eq!((read.machine(), read.validity()), (report.machine(), report.validity()));
    nats.shutdown().await.unwrap();
}
