//! Load on the code under test, and figures that can be believed.
//!
//! - **What to run**: closures by [`operation_with`](LoadGeneratorBuilder::operation_with), a [`Workload`] where each worker has a state of its
//!   own, [`operations`](crate::operations) for NATS, or a weighted mix of them.
//! - **When**: a [`Schedule`]. Take an open one (`steady`, `ramp`, …) to know what users would wait, a closed one to know how much goes
//!   through.
//! - **What to believe**: *response* counts from when an operation was due, *service* from when it was started, *lag* is the time
//!   between. When lag is most of the response, the generator, its runtime's thread, or the number of workers is at its end, and
//!   [`Validity`] says which.
//! - **What is enough**: [`Threshold`]s, `report.check()?`.
//! - **What arrived**: [`service`](LoadGeneratorBuilder::service)s consume beside the load; a [`Verifier`] counts what was lost.
//! - **What an outage does**: [`event`](LoadGeneratorBuilder::event), [`LoadReport::recoveries`].
//! - **What it costs**: [`LoadReport::with`].
//!
//! ```
//! use std::time::Duration;
//! use isolated_nats::{ExternalNats, LoadGenerator, OperationContext, OperationError, Schedule, Workload};
//!
//! /// Each worker has a connection of its own.
//! struct Publish(ExternalNats);
//!
//! impl Workload for Publish {
//!     type State = async_nats::Client;
//!
//!     async fn set_up(&self, _worker: usize) -> Result<Self::State, OperationError> {
//!         Ok(self.0.client().await?)
//!     }
//!
//!     async fn run(&self, client: &mut Self::State, context: OperationContext) -> Result<(), OperationError> {
//!         Ok(client.publish("orders", context.stamped_payload()).await?)
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), OperationError> {
//! let nats = ExternalNats::start().await?;
//! let subscriber = nats.client().await?;
//! let report = LoadGenerator::builder()
//!     .schedule(Schedule::closed(4, Duration::from_millis(100)))
//!     .workload("publish", 1, Publish(nats.clone()))
//!     .service("orders", 1, isolated_nats::operations::subscriber(subscriber, "orders").into_service())
//!     .event(Duration::from_millis(50), "pause", {
//!         let nats = nats.clone();
//!         move || async move { Ok(nats.pause().and_then(|()| nats.resume())?) }
//!     })
//!     .run()
//!     .await?;
//! assert!(report.services()[0].delivery.count() > 0);
//! # Ok(())
//! # }
//! ```
//!
//! Where to find it in the source:
//!
//! | module | what it decides or does |
//! | --- | --- |
//! | `schedule`, `random` | when operations are due: pure plans, and what they are drawn from |
//! | `workload`, `context` | what an operation is, and what it is told |
//! | `builder`, `run` | what is to be run, and a run under way |
//! | `engine` | how it is run: pacer, workers, recorder, monitor |
//! | `histogram`, `latency` | times in fixed memory, and their percentiles |
//! | `stamp`, `verifier`, `service` | what arrived, where, and when |
//! | `timeline` | the run window by window: steady, outage, recovery |
//! | `machine`, `costs` | what it cost in CPU and memory |
//! | `validity`, `threshold`, `checks` | whether figures can be believed, and whether they are good enough |
//! | `figures`, `report`, `display`, `snapshot`, `progress` | what was found, and how it is shown |

mod builder;
mod checks;
mod context;
mod costs;
mod display;
mod engine;
mod error;
mod figures;
mod histogram;
mod latency;
mod machine;
#[cfg(test)]
pub(crate) mod made;
mod progress;
mod random;
mod report;
mod run;
mod schedule;
mod service;
mod snapshot;
mod stamp;
mod threshold;
mod timeline;
mod validity;
mod verifier;
mod workload;

pub use builder::{LoadGenerator, LoadGeneratorBuilder, Overflow};
pub use context::OperationContext;
pub(crate) use error::chain;
pub use error::{LoadError, LoadErrorKind, OperationError};
pub use figures::{BurstFigures, ErrorCount, LoadCounts, LoadEvent, LoadSetup, WarmUpFigures, WorkerFigures};
pub use latency::Latency;
pub use machine::{CpuPerOperation, CpuShares, MachineFigures, NotMeasured, ProcessLoad};
#[cfg(feature = "results")]
pub(crate) use random::Random;
pub use report::LoadReport;
pub use run::{LoadHandle, LoadRun};
pub use schedule::{Rate, Schedule};
pub use service::{InstanceEnd, InstanceFigures, ServiceContext, ServiceFigures};
pub use snapshot::LoadSnapshot;
pub use stamp::Stamp;
pub use threshold::{LoadOutcome, Threshold, ThresholdResult, ThresholdValue, ThresholdVerdict};
pub use timeline::{Outage, Recovery, Steady, Timeline, Window};
pub use validity::{InvalidReason, Validity};
pub use verifier::{
    DeliveryCounts, Publisher, Receipt, Receiver, ReceiverFigures, Reception, ReceptionKind, SubjectDelivery,
    Verification, Verifier,
};
pub use workload::Workload;
