//! Workers that share partitions among themselves, over a key-value bucket of NATS JetStream.
//!
//! A group has a number of partitions, and any number of [`Worker`]s that come, go and crash. One of them is elected leader and
//! assigns the partitions; each worker is told by its [`Handler`] what it owns. Once the group is stable every partition has exactly
//! one owner, and at no time has it two:
//!
//! - **A worker owns by lease.** It owns nothing once it could not renew its membership for [`Config::lease`], counted from when the
//!   last renewal that was acknowledged was *sent*. [`Holdings::holds`] asks the clock each time.
//! - **A partition changes hands in two steps.** The leader takes it from its owner, waits until that worker has acknowledged to be
//!   done with it, and only then gives it to another. A worker that is dead need not acknowledge: its key is deleted at the revision
//!   the leader has last seen, longer than a lease ago, which a heartbeat since then makes impossible.
//! - **Leaders are fenced by revision.** A new leader writes the assignment anew before all else; what an older one would still write
//!   fails, since it names an older revision.
//! - **A stopped process cannot ask its clock**, and while a machine is suspended, its clock may stand still with it. For writes that
//!   may come late there is the [`Fence`]: it grows with every owner of a partition, so that a store can refuse those of an earlier one.
//!
//! No clock is compared with another machine's.
//!
//! | key of the bucket | written by | says |
//! | --- | --- | --- |
//! | `group` | the first to open it | what all members must agree on |
//! | `leader` | the leader, in each interval | who leads; a revision that stays for a lease is an empty chair |
//! | `assignment` | the leader | who owns what |
//! | `workers.<id>` | each worker, in each interval | that it lives, and up to which assignment it has acted |
//!
//! ```no_run
//! use partition_workers::{Config, Grant, Handler, Manager, Partition};
//!
//! struct Orders;
//!
//! impl Handler for Orders {
//!     async fn assigned(&self, grant: Grant) {
//!         println!("mine now: {:?}, fence {:?}", grant.partitions, grant.fence);
//!     }
//!     async fn revoked(&self, partitions: &[Partition]) {
//!         println!("to be let go: {partitions:?}"); // nobody else has them until this returns
//!     }
//! }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = async_nats::connect("nats://127.0.0.1:4222").await?;
//! let manager = Manager::open(async_nats::jetstream::new(client), Config::new("orders", 100)).await?;
//! let worker = manager.start_worker("a", Orders).await?;
//! manager.wait_until_stable(1).await?;
//! assert_eq!(worker.owned().len(), 100);
//! worker.stop().await?;
//! # Ok(())
//! # }
//! ```

mod assign;
mod bucket;
mod config;
mod error;
mod handler;
mod holdings;
mod leader;
mod manager;
mod plan;
mod records;
mod worker;

pub use assign::{assign, least_movement, movement, partition_of};
pub use config::Config;
pub use error::Error;
pub use handler::{Grant, Handler};
pub use holdings::{Fence, Holdings};
pub use manager::{Manager, Status};
pub use worker::{State, Worker};

/// The number of a partition, from 0.
pub type Partition = u32;
