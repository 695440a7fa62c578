//! Key-value buckets.

use async_nats::jetstream::{Context, kv, stream::StorageType};
use futures_util::{StreamExt, TryStreamExt};
use isolated_nats::{LeakGuard, isolated_nats};

use super::support::{no_alarm, watch, with_jetstream};

fn colours() -> kv::Config {
    kv::Config { bucket: "colours".into(), history: 5, storage: StorageType::Memory, ..Default::default() }
}

#[tokio::test]
async fn each_operation_on_a_bucket_that_is_deleted() {
    let nats = with_jetstream().await;
    let guard = watch(&nats);
    let jetstream = nats.jetstream().await.unwrap();
    let bucket = jetstream.create_key_value(colours()).await.unwrap();
    let revision = bucket.create("sky", "blue".into()).await.unwrap();
    bucket.update("sky", "red".into(), revision).await.unwrap();
    assert!(bucket.create("sky", "blue".into()).await.is_err());
    bucket.put("sea", "green".into()).await.unwrap();
    assert_eq!(bucket.get("sky").await.unwrap().unwrap(), "red");
    assert_eq!(bucket.entry("sea").await.unwrap().unwrap().value, "green");
    bucket.delete("sky").await.unwrap();
    bucket.purge("sea").await.unwrap();
    assert_eq!(bucket.status().await.unwrap().bucket(), "colours");
    jetstream.delete_key_value("colours").await.unwrap();
    drop((bucket, jetstream));
    no_alarm(guard).await;
}

/// Each of these makes an ordered consumer, which the server removes by itself, half a minute later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_keys_and_watches_on_a_bucket_of_before() {
    let nats = with_jetstream().await;
    let bucket = nats.jetstream().await.unwrap().create_key_value(colours()).await.unwrap();
    for colour in ["blue", "red", "grey"] {
        bucket.put("sky", colour.into()).await.unwrap();
    }
    let guard = watch(&nats);
    {
        let bucket = nats.jetstream().await.unwrap().get_key_value("colours").await.unwrap();
        assert_eq!(bucket.history("sky").await.unwrap().count().await, 3);
        assert_eq!(bucket.keys().await.unwrap().try_collect::<Vec<_>>().await.unwrap(), ["sky"]);
        let mut history = bucket.watch_with_history("sky").await.unwrap();
        assert_eq!(history.next().await.unwrap().unwrap().value, "grey");
        let mut one = bucket.watch("sky").await.unwrap();
        let mut all = bucket.watch_all().await.unwrap();
        bucket.put("sky", "black".into()).await.unwrap();
        assert_eq!(one.next().await.unwrap().unwrap().value, "black");
        assert_eq!(all.next().await.unwrap().unwrap().value, "black");
    }
    no_alarm(guard).await;
}

#[isolated_nats(jetstream)]
async fn a_watch_in_a_task_that_ends_by_what_it_sees(jetstream: Context) {
    let bucket = jetstream.create_key_value(colours()).await.unwrap();
    let mut changes = bucket.watch("sky").await.unwrap();
    let watcher = tokio::spawn(async move {
        while let Some(entry) = changes.next().await {
            if entry.unwrap().value == "red" {
                return;
            }
        }
    });
    for colour in ["blue", "red"] {
        bucket.put("sky", colour.into()).await.unwrap();
    }
    watcher.await.unwrap();
}

#[isolated_nats(jetstream)]
async fn a_watch_in_a_task_that_is_aborted(jetstream: Context) {
    let bucket = jetstream.create_key_value(colours()).await.unwrap();
    let mut changes = bucket.watch_all().await.unwrap();
    let (seen, mut first) = tokio::sync::mpsc::channel(1);
    let watcher = tokio::spawn(async move {
        while changes.next().await.is_some() {
            seen.send(()).await.unwrap();
        }
    });
    bucket.put("sky", "blue".into()).await.unwrap();
    first.recv().await.unwrap();
    watcher.abort();
}

#[tokio::test]
async fn a_bucket_deleted_under_its_watch() {
    let nats = with_jetstream().await;
    LeakGuard::builder()
        .server(&nats)
        .run(async {
            let jetstream = nats.jetstream().await.unwrap();
            let bucket = jetstream.create_key_value(colours()).await.unwrap();
            let _changes = bucket.watch_all().await.unwrap();
            jetstream.delete_key_value("colours").await.unwrap();
            assert!(bucket.put("sky", "blue".into()).await.is_err());
        })
        .await;
}
