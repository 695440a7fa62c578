//! `ISOLATED_NATS_URL`, which is the whole process's: the tests with it run in processes of their own.
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::process::Command;

use isolated_nats::{
    ExternalNats, FaultErrorKind, MonitorErrorKind, ProcessErrorKind, StartErrorKind, isolated_nats,
};

#[isolated_nats]
#[ignore = "run by the tests below, with the variable set"]
async fn uses_the_attached_server(nats: ExternalNats) {
    assert_eq!(
        nats.url(),
        std::env::var("EXPECTED_URL").unwrap(),
        "without a password, and one that answers"
    );
    assert!(!format!("{nats:?}").contains("p%40"));
    assert_eq!(Some(nats.server_name()), std::env::var("EXPECTED_NAME").ok().as_deref());
    assert_eq!((nats.pid(), nats.store_dir()), (0, None));
    assert_eq!((nats.log_tail(9), nats.command_line()), (String::new(), String::new()));
    nats.client().await.unwrap();
    nats.jetstream().await.unwrap().query_account().await.unwrap();
    assert_eq!(nats.process().sample().unwrap_err().kind(), ProcessErrorKind::Unknown);
    match std::env::var_os("ISOLATED_NATS_MONITOR_URL") {
        Some(_) => assert_eq!(nats.monitor().varz().await.unwrap().server_name, nats.server_name()),
        None => assert_eq!(nats.monitor().varz().await.unwrap_err().kind(), MonitorErrorKind::NoPort),
    }
    let other = nats.clone();
    for error in [
        nats.kill().unwrap_err(),
        nats.stop().await.unwrap_err(),
        nats.restart().await.unwrap_err(),
        nats.pause().unwrap_err(),
        nats.resume().unwrap_err(),
        nats.lame_duck().await.unwrap_err(),
        nats.reload("").await.unwrap_err(),
        nats.shutdown().await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), FaultErrorKind::Attached);
        assert!(error.to_string().contains("unset ISOLATED_NATS_URL"), "{error}");
    }
    other.client().await.unwrap();
}

#[tokio::test]
#[ignore = "run by the tests below, with the variable set"]
async fn what_only_a_server_of_ones_own_can_give_is_refused() {
    let builder = ExternalNats::builder().config("max_payload: 1").token("x").port(7);
    let error = builder.start().await.unwrap_err();
    assert_eq!(error.kind(), StartErrorKind::Attach);
    assert!(error.to_string().contains("cannot be given `config`, `token`, `port`"), "{error}");
    let error = ExternalNats::builder().version("1.2").start().await.unwrap_err();
    assert_eq!(error.kind(), StartErrorKind::Attach);
    assert!(error.to_string().contains("and the test asks for 1.2"), "{error}");
}

#[tokio::test]
#[ignore = "run by the tests below, with the variable set"]
async fn jetstream_is_missing() {
    let error = ExternalNats::builder().jetstream().start().await.unwrap_err();
    assert_eq!(error.kind(), StartErrorKind::NoJetStream, "{error:?}");
}

#[tokio::test]
#[ignore = "run by the tests below, with the variable set"]
async fn nobody_answers() {
    let error = ExternalNats::start().await.unwrap_err();
    assert_eq!(error.kind(), StartErrorKind::Attach, "{error:?}");
    assert!(error.to_string().contains("ISOLATED_NATS_URL"), "{error}");
}

fn passes(test: &str, variables: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--include-ignored"]).envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("running 1 test"), "{text}");
}

#[tokio::test]
async fn tests_run_against_a_server_that_runs_already() {
    let nats = ExternalNats::builder().jetstream().user("u", "p@:").start().await.unwrap();
    let url = format!("nats://u:p%40%3A@127.0.0.1:{}", nats.port());
    let variables = [
        ("ISOLATED_NATS_URL", url.as_str()),
        ("EXPECTED_URL", nats.url()),
        ("EXPECTED_NAME", nats.server_name()),
    ];
    passes("uses_the_attached_server", &variables);
    let ports = std::fs::read_dir(nats.dir().join("ports")).unwrap().next().unwrap().unwrap();
    let ports = std::fs::read_to_string(ports.path()).unwrap();
    let monitor = ports.split('"').find(|part| part.starts_with("http://")).unwrap();
    let [url_variable, shown, name] = variables;
    passes("uses_the_attached_server", &[url_variable, shown, name, ("ISOLATED_NATS_MONITOR_URL", monitor)]);
    let monitor = nats.monitor().json("/varz").await.unwrap();
    assert_eq!(monitor["server_name"], nats.server_name(), "the attached server still runs");
    passes("what_only_a_server_of_ones_own_can_give_is_refused", &[("ISOLATED_NATS_URL", &url)]);
}

#[tokio::test]
async fn a_cluster_is_a_list_of_which_one_must_answer() {
    let nats = ExternalNats::builder().jetstream().start().await.unwrap();
    let closed = closed_port();
    let url = format!("nats://{},{}", closed.local_addr().unwrap(), nats.url());
    let variables = [
        ("ISOLATED_NATS_URL", url.as_str()),
        ("EXPECTED_URL", nats.url()),
        ("EXPECTED_NAME", nats.server_name()),
    ];
    passes("uses_the_attached_server", &variables);
}

/// A port at which nobody listens, and which nobody else is given for as long as this lives.
fn closed_port() -> tokio::net::TcpSocket {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket
}

#[tokio::test]
async fn an_attached_server_without_jetstream_is_no_server_for_a_test_that_asks_for_it() {
    let nats = ExternalNats::start().await.unwrap();
    passes("jetstream_is_missing", &[("ISOLATED_NATS_URL", nats.url())]);
}

#[tokio::test]
async fn an_address_that_is_none_or_at_which_nobody_is_says_so() {
    let closed = closed_port();
    for url in [
        format!("nats://{}", closed.local_addr().unwrap()),
        "ws://host:1".into(),
        "nats://".into(),
        ",".into(),
    ] {
        passes("nobody_answers", &[("ISOLATED_NATS_URL", &url)]);
    }
}
