//! The expansion holds nothing unsafe and causes no warning.

#![forbid(unsafe_code)]
#![deny(warnings, clippy::pedantic)]

use isolated_nats::{ExternalNats, isolated_nats};

#[isolated_nats]
async fn without_arguments() {}

/// Documented, and never awaiting.
#[isolated_nats(timeout = "123.456789s", flavor = "multi_thread", worker_threads = 2)]
async fn with_options(nats: ExternalNats) -> Result<(), Box<dyn std::error::Error>> {
    let _: u16 = nats.url().rsplit(':').next().unwrap_or_default().parse()?;
    Ok(())
}

#[isolated_nats]
#[should_panic(expected = "as it should")]
async fn that_should_panic(nats: ExternalNats) {
    assert_eq!(nats.port(), 0, "as it should");
}

#[isolated_nats]
#[cfg_attr(test, should_panic(expected = "as it should"))]
async fn that_should_panic_under_test() {
    panic!("as it should");
}

#[isolated_nats]
async fn with_lints_on_parameters(#[allow(unused_variables)] nats: ExternalNats) {
    #![expect(unused_variables, reason = "inner attributes stay inside")]
    std::future::ready(()).await;
    let unused = 1;
}
