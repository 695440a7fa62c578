//! Object stores.

use async_nats::jetstream::{Context, object_store, stream::StorageType};
use futures_util::{StreamExt, TryStreamExt};
use isolated_nats::isolated_nats;
use tokio::io::AsyncReadExt;

use super::support::{no_alarm, watch, with_jetstream};

fn books() -> object_store::Config {
    object_store::Config { bucket: "books".into(), storage: StorageType::Memory, ..Default::default() }
}

#[tokio::test]
async fn each_operation_on_a_store_that_is_deleted() {
    let nats = with_jetstream().await;
    let guard = watch(&nats);
    {
        let jetstream = nats.jetstream().await.unwrap();
        let store = jetstream.create_object_store(books()).await.unwrap();
        store.put("emma", &mut vec![7; 300_000].as_slice()).await.unwrap(); // three chunks
        let mut read = Vec::new();
        store.get("emma").await.unwrap().read_to_end(&mut read).await.unwrap();
        assert_eq!(read.len(), 300_000);
        assert_eq!(store.list().await.unwrap().try_collect::<Vec<_>>().await.unwrap().len(), 1);
        store.delete("emma").await.unwrap();
        assert!(store.get("emma").await.is_err());
        jetstream.delete_object_store("books").await.unwrap();
    }
    no_alarm(guard).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_read_in_part_of_a_store_of_before() {
    let nats = with_jetstream().await;
    let before = nats.jetstream().await.unwrap().create_object_store(books()).await.unwrap();
    before.put("emma", &mut vec![7; 300_000].as_slice()).await.unwrap();
    let guard = watch(&nats);
    {
        let store = nats.jetstream().await.unwrap().get_object_store("books").await.unwrap();
        let mut first = [0; 1000];
        store.get("emma").await.unwrap().read_exact(&mut first).await.unwrap();
        assert_eq!(first, [7; 1000]);
    }
    no_alarm(guard).await;
}

#[isolated_nats(jetstream)]
async fn a_watch_of_a_store(jetstream: Context) {
    let store = jetstream.create_object_store(books()).await.unwrap();
    let mut changes = store.watch().await.unwrap();
    store.put("emma", &mut &b"Emma Woodhouse"[..]).await.unwrap();
    assert_eq!(changes.next().await.unwrap().unwrap().name, "emma");
}
