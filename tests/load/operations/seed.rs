//! Seeders.

use isolated_nats::ExternalNats;
use isolated_nats::operations::{self, SeedErrorKind};

use super::jetstream;

#[tokio::test]
async fn what_is_seeded_is_there_and_is_not_seeded_again() {
    let (nats, jetstream) = jetstream().await;
    let seeder = operations::seeder(jetstream.clone())
        .streams("S", 2)
        .subjects(3)
        .consumers(2)
        .messages(600, 10..=20)
        .keys("b", 50, 5..=5);
    let made = seeder.clone().run().await.unwrap();
    assert_eq!(made.streams, ["S-0", "S-1"]);
    assert_eq!((made.consumers, made.messages, made.keys, made.key_bytes), (4, 1_200, 50, 250));
    assert!((12_000..=24_000).contains(&made.message_bytes), "{}", made.message_bytes);
    let jsz = nats.monitor().jsz().await.unwrap();
    assert_eq!((jsz.streams, jsz.consumers, jsz.messages), (3, 4, 1_250));

    let again = seeder.clone().run().await.unwrap();
    assert_eq!((again.messages, again.message_bytes, again.keys, again.key_bytes), (0, 0, 0, 0));
    let topped_up = seeder.messages(700, 10..=20).run().await.unwrap();
    assert_eq!(topped_up.messages, 200);
    assert_eq!(nats.monitor().jsz().await.unwrap().messages, 1_450);
}

#[tokio::test]
async fn contents_depend_on_the_seed_alone() {
    let mut contents = Vec::new();
    for seed in [1, 1, 2] {
        let (_nats, jetstream) = jetstream().await;
        let seeder = operations::seeder(jetstream.clone()).seed(seed).keys("b", 1, 64..=64).stream("S");
        seeder.messages(3, 1..=99).run().await.unwrap();
        let value = jetstream.get_key_value("b").await.unwrap().get("key.0").await.unwrap().unwrap();
        let message = jetstream.get_stream("S").await.unwrap().get_raw_message(3).await.unwrap();
        contents.push((value, message.payload));
    }
    assert_eq!(contents[0], contents[1]);
    assert_ne!(contents[0], contents[2]);
}

#[tokio::test]
async fn what_cannot_be_made_is_named() {
    let nats = ExternalNats::start().await.unwrap();
    let error = operations::seeder(nats.jetstream().await.unwrap()).stream("S").run().await.unwrap_err();
    assert_eq!((error.kind(), error.name()), (SeedErrorKind::Stream, "S"));
    assert!(format!("{error:?}").starts_with("cannot make the stream `S`: "), "{error:?}");

    let (_nats, jetstream) = jetstream().await;
    let error = operations::seeder(jetstream).keys("not a name", 1, 1..=1).run().await.unwrap_err();
    assert_eq!((error.kind(), error.name()), (SeedErrorKind::Bucket, "not a name"));
}
