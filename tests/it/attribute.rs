//! `#[isolated_nats]`, as users write it.

use std::sync::Mutex;
use std::time::Duration;

use async_nats::jetstream;
use isolated_nats::{
    ExternalNats, FromTest, FromTestError, TestContext, TestName, eventually, isolated_nats,
};

use crate::support::{LONG, Scratch, Victim, is_gone};

#[isolated_nats]
async fn needs_no_argument() {}

#[isolated_nats]
async fn all_arguments_share_one_server(
    nats: ExternalNats,
    client: async_nats::Client,
    jetstream: jetstream::Context,
    name: TestName,
) -> Result<(), Box<dyn std::error::Error>> {
    assert_eq!(name.as_str(), "attribute::all_arguments_share_one_server");
    assert_eq!(Some(name.as_str()), std::thread::current().name());
    assert_eq!(client.server_info().server_name, nats.server_name());
    assert!(nats.server_name().contains("all_arguments_share_one_server"));
    let config = jetstream::kv::Config { bucket: "config".into(), ..Default::default() };
    let bucket = jetstream.create_key_value(config).await?;
    bucket.put("colour", "green".into()).await?;
    assert_eq!(bucket.get("colour").await?.as_deref(), Some(&b"green"[..]));
    assert_eq!(nats.monitor().varz().await?.connections, 2);
    Ok(())
}

#[isolated_nats]
async fn jetstream_is_off_unless_asked_for(nats: ExternalNats) {
    assert!(nats.monitor().jsz().await.unwrap().disabled);
}

#[isolated_nats(jetstream)]
async fn jetstream_is_on_when_asked_for(nats: ExternalNats) {
    assert!(!nats.monitor().jsz().await.unwrap().disabled);
}

#[isolated_nats(config = "tests/it/limits.conf")]
async fn a_configuration_file_is_taken_from_the_package(nats: ExternalNats) {
    assert_eq!(nats.monitor().varz().await.unwrap().max_payload, 54_321);
}

#[isolated_nats(version = "2.14")]
async fn a_version_can_be_asked_for(nats: ExternalNats) {
    assert!(nats.version().starts_with("2.14."), "{}", nats.version());
}

#[isolated_nats(flavor = "multi_thread", worker_threads = 3)]
async fn the_runtime_is_the_one_asked_for(client: async_nats::Client) {
    let handle = tokio::runtime::Handle::current();
    assert_eq!(handle.runtime_flavor(), tokio::runtime::RuntimeFlavor::MultiThread);
    assert_eq!(handle.metrics().num_workers(), 3);
    tokio::spawn(async move { client.flush().await.unwrap() }).await.unwrap();
}

#[isolated_nats]
async fn the_runtime_is_of_one_thread_by_default() {
    let flavor = tokio::runtime::Handle::current().runtime_flavor();
    assert_eq!(flavor, tokio::runtime::RuntimeFlavor::CurrentThread);
}

/// tokio moves a paused clock on whenever nothing but timers is left to do, as while a real server answers.
#[isolated_nats(start_paused)]
async fn a_paused_clock_stands_still_for_a_real_server(client: async_nats::Client) {
    let start = tokio::time::Instant::now();
    let mut replies = client.subscribe("echo").await.unwrap();
    client.publish("echo", "x".into()).await.unwrap();
    let message = async { futures_util::StreamExt::next(&mut replies).await.unwrap() };
    tokio::time::timeout(Duration::from_nanos(1_000_000), message).await.expect("its time does not pass");
    assert_eq!(start.elapsed(), Duration::ZERO);
    tokio::time::advance(Duration::from_secs(3600)).await;
    assert_eq!(start.elapsed(), Duration::from_secs(3600));
}

#[isolated_nats(timeout = "5m")]
async fn a_time_limit_that_is_not_passed_changes_nothing(client: async_nats::Client) {
    client.flush().await.unwrap();
}

#[isolated_nats]
#[should_panic]
async fn any_panic_is_expected(_nats: ExternalNats) {
    panic!("on purpose");
}

#[isolated_nats]
#[should_panic(expected = "the stream")]
async fn a_certain_panic_is_expected(_nats: ExternalNats) {
    panic!("the stream is missing");
}

struct Named {
    subject: String,
}

impl FromTest for Named {
    async fn from_test(context: &TestContext) -> Result<Self, FromTestError> {
        Ok(Self { subject: format!("{}.{}", context.server().port(), context.test_name()) })
    }
}

#[isolated_nats]
async fn a_type_of_the_users_is_an_argument_too(nats: ExternalNats, named: Named) {
    assert_eq!(named.subject, format!("{}.attribute::a_type_of_the_users_is_an_argument_too", nats.port()));
}

static DROPPED: Mutex<Vec<&str>> = Mutex::new(Vec::new());

struct First;
struct Second(ExternalNats);

impl FromTest for First {
    async fn from_test(_context: &TestContext) -> Result<Self, FromTestError> {
        DROPPED.lock().unwrap().push("made first");
        Ok(Self)
    }
}

impl FromTest for Second {
    async fn from_test(context: &TestContext) -> Result<Self, FromTestError> {
        DROPPED.lock().unwrap().push("made second");
        Ok(Self(context.server().clone()))
    }
}

impl Drop for First {
    fn drop(&mut self) {
        DROPPED.lock().unwrap().push("dropped first");
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        assert!(!is_gone(self.0.pid()), "the server outlives the arguments");
        DROPPED.lock().unwrap().push("dropped second");
    }
}

#[isolated_nats]
#[ignore = "run by the test below, which looks at what it leaves"]
async fn takes_two(_first: First, _second: Second) {}

#[test]
fn arguments_are_made_in_order_and_dropped_in_reverse() {
    takes_two();
    let order = ["made first", "made second", "dropped second", "dropped first"];
    assert_eq!(*DROPPED.lock().unwrap(), order);
}

mod cases {
    use isolated_nats::ExternalNats;
    use rstest::rstest;

    #[rstest]
    #[case::empty(0)]
    #[case::one_kibibyte(1024)]
    #[isolated_nats::test(jetstream)]
    async fn of_rstest(
        #[ignore] nats: ExternalNats,
        #[case] bytes: usize,
        #[values("a", "b")] subject: &str,
    ) {
        assert!(nats.server_name().contains("case_"), "{nats:?}");
        let client = nats.client().await.unwrap();
        client.publish(subject.to_owned(), vec![0; bytes].into()).await.unwrap();
        client.flush().await.unwrap();
    }
}

// ---- tests that must fail, each in a process of its own ----

struct Broken;

impl FromTest for Broken {
    async fn from_test(_context: &TestContext) -> Result<Self, FromTestError> {
        Err(FromTestError::new("the fixture is broken"))
    }
}

#[isolated_nats]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn has_a_broken_argument(_broken: Broken) {
    println!("the body ran");
}

#[isolated_nats]
#[should_panic]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn expects_a_panic_and_has_a_broken_argument(_broken: Broken) {}

#[isolated_nats(timeout = "100ms")]
#[should_panic]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn expects_a_panic_and_hangs() {
    std::future::pending::<()>().await;
}

#[isolated_nats]
#[should_panic]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn expects_a_panic_and_returns() {}

#[isolated_nats]
#[should_panic(expected = "the stream")]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn expects_another_panic() {
    panic!("the bucket is missing");
}

/// A fixture that waits in a future that must be `Send`, as `from_test` gives.
struct Flushed;

impl FromTest for Flushed {
    async fn from_test(context: &TestContext) -> Result<Self, FromTestError> {
        let client = context.server().client().await?;
        eventually("the client flushes", LONG, async || client.flush().await).await?;
        Ok(Self)
    }
}

#[isolated_nats]
async fn a_wait_can_be_part_of_a_fixture_and_of_a_task(_flushed: Flushed, nats: ExternalNats) {
    let task = async move { eventually("a client connects", LONG, async || nats.client().await).await };
    tokio::spawn(task).await.unwrap().unwrap();
}

#[isolated_nats(start_paused, timeout = "200ms")]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn sleeps_on_a_paused_clock() {
    tokio::time::timeout(Duration::from_secs(1), std::future::pending::<()>()).await.unwrap();
}

#[isolated_nats(timeout = "50ms")]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn blocks_its_thread() {
    let end = std::time::Instant::now() + Duration::from_millis(600);
    while std::time::Instant::now() < end {
        std::thread::yield_now();
    }
}

#[isolated_nats(config = "no such file.conf")]
#[should_panic]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn expects_a_panic_and_has_no_server() {}

#[isolated_nats]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn blocks_the_end_of_the_runtime() {
    tokio::task::spawn_blocking(|| {
        loop {
            std::thread::park();
        }
    });
}

#[test]
fn a_test_that_cannot_begin_says_which_argument_is_missing_and_why() {
    let root = Scratch::new("argument");
    let (passed, text) = Victim::run("attribute::has_a_broken_argument", root.path(), &[]);
    let expected = "test `attribute::has_a_broken_argument` did not begin: the argument `_broken: Broken` could not be \
                    made: the fixture is broken";
    assert!(!passed && text.contains(expected) && !text.contains("the body ran"), "{text}");
}

#[test]
fn a_test_that_expects_a_panic_does_not_pass_by_another_failure() {
    for (test, said) in [
        ("expects_a_panic_and_has_a_broken_argument", "did not begin: the argument"),
        ("expects_a_panic_and_hangs", "did not end within its 100.0ms"),
        ("expects_a_panic_and_returns", "did not panic as expected"),
        ("expects_another_panic", "the bucket is missing"),
        ("expects_a_panic_and_has_no_server", "has no server: nats-server did not start"),
    ] {
        let root = Scratch::new(test);
        let (passed, text) = Victim::run(&format!("attribute::{test}"), root.path(), &[]);
        assert!(!passed && text.contains(said), "{test}: {text}");
    }
}

#[test]
fn a_body_that_blocks_its_thread_is_told_so() {
    let root = Scratch::new("blocks");
    // The notice comes 2 s after the limit; a factor shortens both.
    let factor = [("ISOLATED_NATS_TIME_FACTOR", "0.1")];
    let (passed, text) = Victim::run("attribute::blocks_its_thread", root.path(), &factor);
    assert!(text.contains("is past its time limit of 5.0ms, but blocks its thread"), "{text}");
    assert!(!passed && text.contains("did not end within its 5.0ms"), "late is late: {text}");

    let (passed, text) = Victim::run("attribute::sleeps_on_a_paused_clock", root.path(), &[]);
    assert!(!passed && text.contains("its clock is paused, and stands still until"), "{text}");
}

#[test]
fn blocking_work_that_never_ends_does_not_hold_up_the_test() {
    let root = Scratch::new("blocking");
    let factor = [("ISOLATED_NATS_TIME_FACTOR", "0.2")];
    let (_, text) = Victim::run("attribute::blocks_the_end_of_the_runtime", root.path(), &factor);
    assert!(text.contains("finished in"), "{text}");
}

#[test]
fn a_missing_server_fails_a_test_and_skips_it_only_when_asked() {
    let root = Scratch::new("missing");
    // Empty is unset: the variable would win over the sources.
    let nowhere = [("ISOLATED_NATS_SOURCES", "path"), ("PATH", "/nowhere"), ("ISOLATED_NATS_SERVER", "")];
    let (passed, text) = Victim::run("attribute::needs_no_argument", root.path(), &nowhere);
    assert!(!passed && text.contains("has no server: nats-server did not start"), "{text}");

    let asked = [nowhere[0], nowhere[1], nowhere[2], ("ISOLATED_NATS_MISSING", "skip")];
    let (passed, text) = Victim::run("attribute::needs_no_argument", root.path(), &asked);
    let said = "isolated-nats: test `attribute::needs_no_argument` is skipped (ISOLATED_NATS_MISSING=skip)";
    assert!(passed && text.contains(said), "{text}");
    for test in ["any_panic_is_expected", "a_certain_panic_is_expected"] {
        let (passed, text) = Victim::run(&format!("attribute::{test}"), root.path(), &asked);
        assert!(passed && text.contains("is skipped"), "{text}");
    }
}

/// Whoever asks to skip where there is no server does not ask to skip because of a typing error.
#[test]
fn a_variable_with_a_wrong_value_is_an_error_that_names_it() {
    let root = Scratch::new("variables");
    for (variable, value) in [
        ("ISOLATED_NATS_SERVER", "/no/such/nats-server"),
        ("ISOLATED_NATS_VERSION", "latest"),
        ("ISOLATED_NATS_SOURCES", "cloud"),
        ("ISOLATED_NATS_TIME_FACTOR", "slow"),
        ("ISOLATED_NATS_KEEP", "yes"),
        ("ISOLATED_NATS_LOG", "verbose"),
        ("ISOLATED_NATS_LIFELINE", "line"),
    ] {
        let variables = [(variable, value), ("ISOLATED_NATS_MISSING", "skip")];
        let (passed, text) = Victim::run("attribute::needs_no_argument", root.path(), &variables);
        assert!(!passed && text.contains(variable) && text.contains(value), "{variable}: {text}");
    }
}
