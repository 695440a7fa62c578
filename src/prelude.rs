//! What most tests need, in one line.
//!
//! ```no_run
//! // `no_run`: a documentation test would fetch a server.
//! # #[cfg(feature = "load")]
//! # mod example {
//! use std::time::Duration;
//!
//! use isolated_nats::prelude::*;
//!
//! async fn orders_are_published_in_time(nats: ExternalNats, client: async_nats::Client) {
//!     let report = LoadGenerator::builder()
//!         .schedule(Schedule::steady(Rate::per_second(1_000.0), Duration::from_secs(2)))
//!         .workload("publish", 3, operations::publish(client.clone(), "orders"))
//!         .workload("ask", 1, operations::request(client.clone(), "ask"))
//!         .service("responder", 2, operations::responder(client, "ask").into_service())
//!         .run()
//!         .await
//!         .unwrap();
//!     assert_eq!(report.errors(), 0);
//! }
//! # }
//! ```

#[cfg(feature = "attribute")]
pub use crate::isolated_nats;
pub use crate::{ExternalNats, LeakGuard, MemoryProbe, eventually};
#[cfg(feature = "load")]
pub use crate::{
    LoadError, LoadGenerator, LoadReport, OperationContext, OperationError, Rate, Schedule, Threshold,
    Workload, operations,
};
