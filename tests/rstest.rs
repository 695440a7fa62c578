//! The fixtures of the `rstest` feature.

use isolated_nats::fixtures::{leak_guard, nats, nats_with_jetstream};
use isolated_nats::{ExternalNats, LeakGuard};
use rstest::rstest;

#[rstest]
#[case::small(1)]
#[case::large(10_000)]
#[tokio::test]
async fn a_fixture_is_a_server_of_each_case(nats: ExternalNats, #[case] bytes: usize) {
    let client = nats.client().await.unwrap();
    client.publish("subject", vec![0; bytes].into()).await.unwrap();
    client.flush().await.unwrap();
    assert!(nats.server_name().contains("case_"), "{nats:?}");
}

#[rstest]
#[tokio::test]
async fn a_fixture_is_a_guard_over_the_tests_tasks(nats: ExternalNats, leak_guard: LeakGuard) {
    let client = nats.client().await.unwrap();
    client.flush().await.unwrap();
    let task = tokio::spawn(std::future::pending::<()>());
    drop(client);
    let report = leak_guard.check().await.unwrap_err();
    assert!(report.to_string().contains("left behind 1 task"), "{report}");
    task.abort();
}

#[rstest]
fn a_test_without_a_runtime_has_one_too(#[from(nats_with_jetstream)] with: ExternalNats, nats: ExternalNats) {
    assert!(with.store_dir().is_some());
    assert_eq!(nats.store_dir(), None);
    assert_ne!(with.port(), nats.port());
}

#[rstest]
#[case::small(1)]
#[case::large(10_000)]
#[isolated_nats::test(process)]
async fn a_case_can_have_a_process_of_its_own(
    #[ignore] nats: ExternalNats,
    #[case] bytes: usize,
    #[values("a b", "c")] text: &str,
) {
    let client = nats.client().await.unwrap();
    client.publish("subject", vec![0; bytes].into()).await.unwrap();
    client.flush().await.unwrap();
    // libtest runs all that its arguments name: this case alone, or under nextest, what it asked for.
    let thread = std::thread::current();
    assert!(std::env::args().any(|argument| Some(argument.as_str()) == thread.name()), "{text}");
}
