//! Key-value buckets.

use async_nats::jetstream::kv::{Config, Store};
use isolated_nats::ExternalNats;
use isolated_nats::operations::{self, Popularity};

use super::{OPERATIONS, jetstream, load, moved, run};

async fn bucket() -> (ExternalNats, Store) {
    let (nats, jetstream) = jetstream().await;
    let config = Config { bucket: "b".into(), history: 5, ..Default::default() };
    let store = jetstream.create_key_value(config).await.unwrap();
    operations::seeder(jetstream).keys("b", 20, 10..=10).run().await.unwrap();
    (nats, store)
}

/// The last revision of the bucket: how often it was written.
async fn written(store: &Store) -> u64 {
    store.stream.get_info().await.unwrap().state.last_sequence
}

#[tokio::test]
async fn each_write_is_a_revision() {
    let (nats, store) = bucket().await;
    let own = operations::connections(&nats);
    let writes = [
        (operations::kv_put(store.clone()).popularity(Popularity::zipf(20, 1.0)), OPERATIONS, 100),
        (operations::kv_put(store.clone()).stamped().connection_per_worker(own), OPERATIONS, 132),
        (operations::kv_create(store.clone()), OPERATIONS, 100),
        (operations::kv_update(store.clone()), OPERATIONS, 100),
        (operations::kv_delete(store.clone()).keys(10), OPERATIONS, 0),
    ];
    for (workload, revisions, bytes) in writes {
        let before = written(&store).await;
        let report = run(load(workload)).await;
        assert_eq!(moved(&report), (OPERATIONS, OPERATIONS * bytes));
        assert_eq!(written(&store).await - before, revisions);
    }
}

#[tokio::test]
async fn an_update_that_another_worker_forestalls_is_tried_again() {
    let (_nats, store) = bucket().await;
    let before = written(&store).await;
    let report = run(load(operations::kv_update(store.clone()).keys(1))).await;
    let (tries, bytes) = moved(&report);
    assert_eq!((written(&store).await - before, bytes), (OPERATIONS, OPERATIONS * 100));
    assert!(tries >= OPERATIONS, "{tries}");
}

#[tokio::test]
async fn an_update_that_was_cut_short_spoils_no_later_one() {
    let (_nats, store) = bucket().await;
    for report in [
        load(operations::kv_update(store.clone())).inject_cancellations(0.3).run().await.unwrap(),
        load(operations::kv_watch(store)).inject_cancellations(0.3).run().await.unwrap(),
    ] {
        let counts = report.counts();
        assert_eq!(counts.failed, 0, "{:?}", report.errors_by_kind());
        assert!(counts.injected > 0 && counts.items >= counts.succeeded, "{counts:?}");
    }
}

#[tokio::test]
async fn reads_get_what_is_there() {
    let (_nats, store) = bucket().await;
    let report = run(load(operations::kv_get(store.clone()).keys(20))).await;
    assert_eq!(moved(&report), (OPERATIONS, OPERATIONS * 10));
    for number in 0..20 {
        store.put(format!("key.{number}"), "more".into()).await.unwrap();
    }
    let report = run(load(operations::kv_history(store.clone()).keys(20))).await;
    assert_eq!(moved(&report), (OPERATIONS * 2, OPERATIONS * 14));
    let report = run(load(operations::kv_list(store.clone()))).await;
    assert_eq!(moved(&report), (OPERATIONS * 20, OPERATIONS * (10 * 5 + 10 * 6)));

    let report = load(operations::kv_get(store).keys(21)).run().await.unwrap();
    let [kind] = report.errors_by_kind() else { panic!("{:?}", report.errors_by_kind()) };
    assert_eq!(kind.example, "no value for `key.20` (seed the bucket)");
}

#[tokio::test]
async fn a_watcher_sees_each_put() {
    let (_nats, store) = bucket().await;
    let before = written(&store).await;
    let report = run(load(operations::kv_watch(store.clone()))).await;
    assert_eq!(moved(&report), (OPERATIONS, OPERATIONS * 100));
    assert_eq!(written(&store).await - before, OPERATIONS);
}

#[tokio::test]
async fn a_watching_service_measures_the_delivery_of_puts() {
    let (_nats, store) = bucket().await;
    let watcher = operations::watcher(store.clone()).key("key.*");
    let put = operations::kv_put(store).keys(20).stamped();
    let report = run(load(put).service("watcher", 1, watcher.into_service())).await;
    let watcher = &report.services()[0];
    assert!(watcher.errors.is_empty(), "{:?}", watcher.errors);
    // The last of them may still be under way when the run ends.
    assert!((1..=OPERATIONS).contains(&watcher.received), "{}", watcher.received);
    assert_eq!(watcher.delivery.count(), watcher.received);
}
