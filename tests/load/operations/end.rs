//! Connections of workers: many, too many, and coming and going.

use std::time::Duration;

use isolated_nats::{ExternalNats, LoadGenerator, Schedule, eventually, operations, skip_unless};

use super::{OPERATIONS, load, moved};

/// Waits until the server has as many connections, which it notices some time after they end.
async fn connected(nats: &ExternalNats, expected: u64) {
    eventually(&format!("{expected} connections"), Duration::from_secs(30), async || {
        let connections = nats.monitor().varz().await.map_err(|error| error.to_string())?.connections;
        if connections == expected { Ok(()) } else { Err(format!("there are {connections}")) }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn workers_beyond_the_servers_limit_are_counted_errors_of_one_kind() {
    let nats = ExternalNats::builder().max_connections(11).start().await.unwrap();
    let client = nats.client().await.unwrap();
    let publish = operations::publish(client, "a").connection_per_worker(operations::connections(&nats));
    let report = load(publish).schedule(Schedule::closed_count(20, OPERATIONS)).run().await.unwrap();
    let workers = report.workers().unwrap();
    assert_eq!((workers.asked, workers.started, workers.failed), (20, 10, 10));
    let [kind] = report.errors_by_kind() else { panic!("{:?}", report.errors_by_kind()) };
    assert_eq!(kind.count, 10);
    assert!(kind.kind.contains("maximum connections exceeded"), "{}", kind.kind);
    assert_eq!((report.counts().succeeded, moved(&report)), (OPERATIONS, (OPERATIONS, OPERATIONS * 100)));
    connected(&nats, 0).await;
}

#[tokio::test]
async fn workers_that_come_and_go_bring_and_take_their_connections() {
    let nats = ExternalNats::start().await.unwrap();
    let client = nats.client().await.unwrap();
    let publish = operations::publish(client, "a").connection_per_worker(operations::connections(&nats));
    let report = load(publish.round_trip())
        .schedule(Schedule::closed(4, Duration::from_millis(500)))
        .churn(Duration::from_millis(25))
        .run()
        .await
        .unwrap();
    let workers = report.workers().unwrap();
    assert!(workers.joined > 0 && workers.left >= workers.joined, "{workers:?}");
    assert_eq!((report.errors(), workers.failed), (0, 0), "{:?}", report.errors_by_kind());
    assert_eq!(report.counts().items, report.counts().succeeded);
    connected(&nats, 0).await;
}

#[tokio::test]
async fn a_thousand_workers_have_a_connection_each() {
    if descriptors() < 4_096 && skip_unless("ISOLATED_NATS_MANY_CONNECTIONS") {
        return;
    }
    let nats = ExternalNats::start().await.unwrap();
    let client = nats.client().await.unwrap();
    let publish = operations::publish(client, "a").connection_per_worker(operations::connections(&nats));
    let report = LoadGenerator::builder()
        .schedule(Schedule::closed_count(1_000, 5_000))
        .progress(false)
        .workload("publish", 1, publish)
        .run()
        .await
        .unwrap();
    assert_eq!((report.count(), report.errors()), (5_000, 0), "{:?}", report.errors_by_kind());
    assert_eq!(report.workers().unwrap().started, 1_000);
    assert_eq!(nats.monitor().varz().await.unwrap().total_connections, 1_001);
    connected(&nats, 0).await;
}

/// How many descriptors this process, and with it a server that it starts, may have.
#[cfg(unix)]
fn descriptors() -> u64 {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[cfg(not(unix))]
fn descriptors() -> u64 {
    u64::MAX
}
