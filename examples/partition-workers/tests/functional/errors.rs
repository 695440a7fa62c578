//! What is refused, and in which words.

use std::error::Error as _;
use std::time::Duration;

use async_nats::jetstream;
use isolated_nats::{ExternalNats, isolated_nats};
use partition_workers::{Config, Error, Manager};

use crate::support::{Failure, Group, LONG, SHORT};

#[isolated_nats(jetstream, timeout = "60s")]
async fn a_configuration_that_cannot_be_is_refused(jetstream: jetstream::Context) {
    let name = "cannot be a name (letters, digits, `-` and `_` can, as they become parts of subjects)";
    let number = "a group cannot have";
    let cases = [
        (Config::new("", 1), format!("`` {name}")),
        (Config::new("a.b", 1), format!("`a.b` {name}")),
        (Config::new("ä", 1), format!("`ä` {name}")),
        (Config::new("a", 0), format!("{number} 0 partitions (1 to 100000 it can)")),
        (Config::new("a", 100_001), format!("{number} 100001 partitions (1 to 100000 it can)")),
        (
            Config::new("a", 1).lease(Duration::from_millis(99)),
            "a lease cannot be 99ms (100ms to 86400s it can)".into(),
        ),
    ];
    for (config, text) in cases {
        let error = Manager::open(jetstream.clone(), config).await.unwrap_err();
        assert_eq!(error.to_string(), text);
    }
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn a_worker_needs_a_name(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 4, LONG).await?;
    let error = group.start("a worker").await.unwrap_err();
    assert!(matches!(&error, Error::InvalidName { name } if name == "a worker"), "{error:?}");
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn a_name_is_free_for_one_worker_at_a_time(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 4, SHORT).await?;
    let first = group.start("a").await?;
    let error = group.start("a").await.unwrap_err();
    assert!(matches!(error, Error::IdInUse { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "worker `a` is running already (a name is free again when its worker has stopped, or a lease after its crash)"
    );
    first.stop().await?;
    let second = group.start("a").await?;
    group.stable(1).await?;
    drop(second); // a crash
    let _third = group.start("a").await?;
    group.stable(1).await?;
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn members_must_agree(nats: ExternalNats) -> Result<(), Failure> {
    let _group = Group::open(&nats, 4, LONG).await?;
    let jetstream = nats.jetstream().await?;
    for (config, ours) in [
        (Config::new("orders", 5).lease(LONG), "5 partitions and a lease of 3600000 ms"),
        (Config::new("orders", 4).lease(SHORT), "4 partitions and a lease of 600 ms"),
    ] {
        let error = Manager::open(jetstream.clone(), config).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "group `orders` was opened with 4 partitions and a lease of 3600000 ms, not with {ours} (use the same, or another \
                 name for the group)"
            )
        );
    }
    Manager::open(jetstream, Config::new("orders", 4).lease(LONG)).await?;
    Ok(())
}

#[isolated_nats]
async fn a_server_without_jetstream_is_named_as_the_cause(nats: ExternalNats) -> Result<(), Failure> {
    let jetstream = nats.jetstream().await?;
    let error = Manager::open(jetstream, Config::new("orders", 4)).await.unwrap_err();
    assert!(matches!(error, Error::Open { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the bucket of group `orders` could not be opened (does the server have JetStream, and no bucket of this \
         name with other settings?)"
    );
    assert!(error.source().is_some());
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn a_bucket_of_another_program_is_left_alone(nats: ExternalNats) -> Result<(), Failure> {
    let jetstream = nats.jetstream().await?;
    let bucket =
        jetstream.create_key_value(jetstream::kv::Config { bucket: "orders".into(), ..Default::default() });
    let bucket = bucket.await?;
    bucket.put("group", "not ours".into()).await?;
    let error = Manager::open(jetstream, Config::new("orders", 4)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`group` is not what this library writes (does another program use the bucket, or another version?)"
    );
    assert!(error.source().is_some());
    assert_eq!(bucket.get("group").await?, Some("not ours".into()));
    Ok(())
}
