//! Fixtures for [rstest](https://docs.rs/rstest), with the feature `rstest`: import one, and name an argument after it.
//!
//! They serve plain tests. With `#[isolated_nats::test]` under `#[rstest]` an argument of ours is marked `#[ignore]`
//! instead, and the attribute makes it.
//!
//! # Examples
//!
//! ```no_run
//! // `no_run`: a documentation test would fetch a server.
//! use isolated_nats::{ExternalNats, fixtures::nats};
//! use rstest::rstest;
//!
//! #[rstest]
//! #[tokio::test]
//! async fn the_server_answers(nats: ExternalNats) {
//!     nats.client().await.unwrap();
//! }
//! ```

use rstest::fixture;

use crate::{ExternalNats, LeakGuard};

/// A server of the test's own.
///
/// # Panics
///
/// When it does not start, with the whole [`StartError`](crate::StartError).
#[fixture]
pub fn nats() -> ExternalNats {
    started(ExternalNats::start_blocking())
}

/// A server of the test's own, with JetStream.
///
/// # Panics
///
/// When it does not start, with the whole [`StartError`](crate::StartError).
#[fixture]
pub fn nats_with_jetstream() -> ExternalNats {
    started(ExternalNats::builder().jetstream().start_blocking())
}

/// A guard that has started, in the test's runtime: end the test with `guard.verify().await`.
///
/// It looks at no server: an argument after one of [`nats`] does not count what that is. For what is made on a server, use
/// [`LeakGuard::builder`], or `#[isolated_nats::test]` and a `LeakGuard` as its argument.
#[fixture]
pub fn leak_guard() -> LeakGuard {
    LeakGuard::new()
}

fn started(result: Result<ExternalNats, crate::StartError>) -> ExternalNats {
    result.unwrap_or_else(|error| panic!("{error:?}"))
}
