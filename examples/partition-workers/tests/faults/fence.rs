//! A store that refuses late writes.
//!
//! A worker asks `Holdings::holds`, gets its fence, and writes; between the two it may stand still for as long as it takes, and
//! nothing on its side can help. The store can: it keeps the greatest fence it has seen with what was written, and refuses less.

use async_nats::jetstream::{self, kv};
use isolated_nats::{ExternalNats, isolated_nats};
use partition_workers::{Fence, Partition};

use crate::elsewhere::Elsewhere;
use crate::support::{Failure, Group, SHORT};

/// One value for each partition, in a bucket: to be copied where work on partitions ends in writes.
struct Store(kv::Store);

#[derive(Debug, PartialEq)]
enum Written {
    Yes,
    /// A later owner was here before.
    TooLate(Fence),
}

impl Store {
    async fn open(jetstream: &jetstream::Context) -> Result<Self, Failure> {
        let config = kv::Config { bucket: "totals".into(), ..Default::default() };
        Ok(Self(jetstream.create_key_value(config).await?))
    }

    /// Writes as the owner with this fence.
    async fn write(&self, partition: Partition, fence: Fence, value: &str) -> Result<Written, Failure> {
        let key = partition.to_string();
        loop {
            let (seen, revision) = match self.0.entry(&key).await? {
                Some(entry) => (read(&entry.value)?.0, entry.revision),
                None => (Fence(0), 0),
            };
            if fence < seen {
                return Ok(Written::TooLate(seen));
            }
            let stored = [&fence.0.to_be_bytes(), value.as_bytes()].concat();
            match self.0.update(&key, stored.into(), revision).await {
                Ok(_) => return Ok(Written::Yes),
                // Another has written since it was read: look again.
                Err(error) if error.kind() == kv::UpdateErrorKind::WrongLastRevision => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn value(&self, partition: Partition) -> Result<Option<String>, Failure> {
        let stored = self.0.get(partition.to_string()).await?;
        stored.map(|stored| Ok(read(&stored)?.1.to_owned())).transpose()
    }
}

fn read(stored: &[u8]) -> Result<(Fence, &str), Failure> {
    let (fence, value) = stored.split_first_chunk().ok_or("a value without a fence")?;
    Ok((Fence(u64::from_be_bytes(*fence)), std::str::from_utf8(value)?))
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn a_store_refuses_what_an_earlier_owner_writes_too_late(nats: ExternalNats) -> Result<(), Failure> {
    let store = Store::open(&nats.jetstream().await?).await?;
    let group = Group::open(&nats, 1, SHORT).await?;
    let zombie = Elsewhere::start(group.seat(), "a", group.recorder("a")).await?;
    group.stable(1).await?;
    let early = zombie.worker.holdings().holds(0).ok_or("it owns nothing")?;
    assert_eq!(store.write(0, early, "by a").await?, Written::Yes);
    let early = zombie.worker.holdings().holds(0).ok_or("it owns nothing")?;

    // It has asked, and stands still before it writes.
    let frozen = zombie.freeze().await?;
    let b = group.start("b").await?;
    group.stable(1).await?;
    let late = b.holdings().holds(0).ok_or("it owns nothing")?;
    assert!(late > early);
    assert_eq!(store.write(0, late, "by b").await?, Written::Yes);
    frozen.thaw().await?;

    assert_eq!(store.write(0, early, "by a, late").await?, Written::TooLate(late));
    assert_eq!(store.value(0).await?.as_deref(), Some("by b"));
    assert_eq!(store.write(0, late, "by b again").await?, Written::Yes);
    Ok(())
}
