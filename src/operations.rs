//! Ready-made operations for NATS, and what goes with them.
//!
//! Each is a [`Workload`](crate::Workload) with async-nats's words for names, given to
//! [`LoadGeneratorBuilder::workload`](crate::load::LoadGeneratorBuilder::workload). All clone a client once for each worker, not for
//! each operation, make names beforehand, and send the generator's payload without copying it. Each says what its items and
//! bytes are; bytes are always of payloads, values or objects, without what the protocol adds.
//!
//! | what | done when |
//! | --- | --- |
//! | [`publish`] | the client has it; or it is [flushed](Publish::flushed), or the server [has read it](Publish::round_trip) |
//! | [`fan_out`] | every subscriber has it |
//! | [`request`] | the reply is there |
//! | [`jetstream_publish`] | it is acknowledged, or the whole [batch](JetStreamPublish::batch) is |
//! | [`pull_consume`] | a batch is fetched and its acks are sent |
//! | [`kv_put`], [`kv_create`], [`kv_update`], [`kv_delete`] | the revision is acknowledged |
//! | [`kv_get`], [`kv_history`], [`kv_list`] | the last of it is read |
//! | [`kv_watch`] | the watcher has what was put |
//! | `object_put`, `object_get` (feature `object-store`) | the whole object is stored, or read |
//!
//! Services that consume beside the load: [`subscriber`], [`responder`], [`pull_consumer`], [`watcher`]. What must be there
//! before it: [`seeder`]. How load is spread over subjects and keys: [`Popularity`]. A connection for each worker:
//! [`connections`]. All of it at once: [`Preset`].

mod connections;
mod fan_out;
mod jetstream;
mod kv;
#[cfg(any(feature = "object-store", feature = "object-store-aws-lc-rs"))]
mod object;
mod popularity;
mod preset;
mod publish;
mod random;
mod seed;
mod services;
mod stamps;
mod subjects;

pub use connections::{Connections, connections};
pub use fan_out::{FanOut, fan_out};
pub use jetstream::{JetStreamPublish, PullConsume, jetstream_publish, pull_consume};
pub use kv::{
    KeyValue, KeyValueWatch, kv_create, kv_delete, kv_get, kv_history, kv_list, kv_put, kv_update, kv_watch,
};
#[cfg(any(feature = "object-store", feature = "object-store-aws-lc-rs"))]
pub use object::{ObjectOperation, object_get, object_put};
pub use popularity::Popularity;
pub use preset::Preset;
pub use publish::{Publish, RequestReply, publish, request};
pub use seed::{SeedError, SeedErrorKind, Seeded, Seeder, seeder};
pub use services::{
    PullConsumerService, ResponderService, SubscriberService, WatcherService, pull_consumer, responder,
    subscriber, watcher,
};
