//! Object stores.

use isolated_nats::operations;

use super::{jetstream, load, moved};
use isolated_nats::Schedule;

#[tokio::test]
async fn whole_objects_are_stored_and_read() {
    let (_nats, jetstream) = jetstream().await;
    let seeder = operations::seeder(jetstream.clone());
    let seeded = seeder.objects("o", 3, 100 << 10..=1 << 20).run().await.unwrap();
    assert_eq!(seeded.objects, 3);
    let store = jetstream.get_object_store("o").await.unwrap();

    let get = load(operations::object_get(store.clone()).objects(3)).schedule(Schedule::closed_count(2, 30));
    let report = get.run().await.unwrap();
    assert_eq!((report.errors(), report.counts().items), (0, 30), "{:?}", report.errors_by_kind());
    assert!((30 * (100 << 10)..=30 << 20).contains(&moved(&report).1), "{:?}", moved(&report));

    let put = load(operations::object_put(store.clone())).schedule(Schedule::closed_count(2, 10));
    let report = put.payload_bytes(10 << 20..=10 << 20).run().await.unwrap();
    assert_eq!((report.errors(), moved(&report)), (0, (10, 100 << 20)), "{:?}", report.errors_by_kind());
    // Those of the seeder and the last of each worker: what was replaced is gone.
    let stream = jetstream.get_stream("OBJ_o").await.unwrap().get_info().await.unwrap();
    assert!(stream.state.bytes < seeded.object_bytes + (21 << 20), "{}", stream.state.bytes);
}
