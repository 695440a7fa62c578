//! Kill, stop, restart, pause, resume, lame duck, reload.

use std::net::TcpListener;
use std::time::Duration;

use async_nats::jetstream::{self, stream};
use futures_util::StreamExt;
use isolated_nats::{ExternalNats, FaultErrorKind, StartError, StartErrorKind, eventually};

use crate::support::{LONG, is_gone};

async fn with_one_message(nats: &ExternalNats) -> jetstream::Context {
    let jetstream = nats.jetstream().await.unwrap();
    let config = stream::Config { name: "KEPT".into(), ..Default::default() };
    jetstream.create_stream(config).await.unwrap();
    jetstream.publish("KEPT", "1".into()).await.unwrap().await.unwrap();
    jetstream
}

async fn messages(jetstream: &jetstream::Context) -> u64 {
    eventually("the stream answers", LONG, async || {
        let mut stream = jetstream.get_stream("KEPT").await.map_err(|error| error.to_string())?;
        stream.info().await.map(|info| info.state.messages).map_err(|error| error.to_string())
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_restart_keeps_port_and_store_after_each_kind_of_end() {
    let nats = ExternalNats::builder().jetstream().start().await.unwrap();
    let jetstream = with_one_message(&nats).await;
    let (port, url) = (nats.port(), nats.url().to_owned());
    for end in ["running", "stopped", "killed", "ended by itself"] {
        let before = nats.pid();
        match end {
            "stopped" => nats.stop().await.unwrap(),
            "killed" => nats.kill().unwrap(),
            "ended by itself" => {
                let pid = rustix::process::Pid::from_raw(before.try_into().unwrap()).unwrap();
                rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
                crate::support::wait_gone(before, LONG).await;
            }
            _ => {}
        }
        nats.restart().await.unwrap();
        assert_ne!(nats.pid(), before, "{end}");
        assert!(is_gone(before), "{end}");
        assert_eq!((nats.port(), nats.url()), (port, url.as_str()), "{end}");
        assert_eq!(messages(&jetstream).await, 1, "{end}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_run_says_how_it_ended() {
    let nats = ExternalNats::start().await.unwrap();
    nats.kill().unwrap();
    let error = nats.pause().unwrap_err();
    assert_eq!(error.kind(), FaultErrorKind::Stopped);
    assert_eq!(
        error.to_string(),
        "the server does not run: it was killed by `kill` (`restart` brings it back)"
    );
    assert_eq!(nats.kill().unwrap_err().kind(), FaultErrorKind::Stopped);
    assert_eq!(nats.stop().await.unwrap_err().kind(), FaultErrorKind::Stopped);
    assert_eq!(nats.reload("").await.unwrap_err().kind(), FaultErrorKind::Stopped);
    nats.restart().await.unwrap();
    nats.pause().unwrap();
    nats.resume().unwrap();
}

#[tokio::test]
async fn a_shutdown_is_for_good_and_for_every_handle() {
    let nats = ExternalNats::start().await.unwrap();
    let other = nats.clone();
    let status = nats.shutdown().await.unwrap();
    assert!(status.success(), "{status}");
    assert!(is_gone(other.pid()) && other.dir().exists());
    for result in [other.restart().await, other.stop().await, other.kill(), other.lame_duck().await] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), FaultErrorKind::Stopped);
        assert_eq!(error.to_string(), "the server was ended for good by `shutdown` (start another one)");
    }
    assert_eq!(other.clone().shutdown().await.unwrap_err().kind(), FaultErrorKind::Stopped);
    let directory = other.dir().to_owned();
    drop(other);
    assert!(!directory.exists());
}

#[tokio::test]
async fn a_paused_server_does_not_answer_until_it_goes_on() {
    let nats = ExternalNats::start().await.unwrap();
    let client = nats.client().await.unwrap();
    let mut echo = client.subscribe("echo").await.unwrap();
    client.flush().await.unwrap();
    nats.pause().unwrap();
    nats.pause().unwrap();
    client.publish("echo", "x".into()).await.unwrap();
    // A real wait, for an answer that must not come: without a pause it takes a fraction of a millisecond.
    assert!(tokio::time::timeout(Duration::from_millis(100), echo.next()).await.is_err());
    nats.resume().unwrap();
    assert!(tokio::time::timeout(LONG, echo.next()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_paused_server_can_be_stopped_killed_restarted_and_dropped() {
    let nats = ExternalNats::start().await.unwrap();
    nats.pause().unwrap();
    nats.stop().await.unwrap();
    nats.restart().await.unwrap();
    nats.pause().unwrap();
    nats.kill().unwrap();
    nats.restart().await.unwrap();
    nats.pause().unwrap();
    nats.restart().await.unwrap();
    nats.pause().unwrap();
    let pid = nats.pid();
    drop(nats);
    assert!(is_gone(pid));
}

#[tokio::test]
async fn a_lame_duck_turns_clients_away_and_can_still_be_stopped() {
    let nats = ExternalNats::start().await.unwrap();
    let (events, mut told) = tokio::sync::mpsc::unbounded_channel();
    let options = nats.connect_options().event_callback(move |event| {
        let _ = events.send(event);
        async {}
    });
    let client = options.connect(nats.url()).await.unwrap();
    nats.lame_duck().await.unwrap();
    assert!(nats.client().await.is_err());
    let lame = async { while told.recv().await != Some(async_nats::Event::LameDuckMode) {} };
    tokio::time::timeout(LONG, lame).await.unwrap();
    nats.stop().await.unwrap();
    drop(client);
    nats.restart().await.unwrap();
    nats.client().await.unwrap();
    // Without clients it ends at once, and that is no failure either.
    nats.lame_duck().await.unwrap();
}

#[tokio::test]
async fn a_reload_is_in_force_when_it_returns_and_a_bad_one_changes_nothing() {
    let nats = ExternalNats::builder().jetstream().config("max_connections: 5").start().await.unwrap();
    let jetstream = with_one_message(&nats).await;
    let port = nats.port();
    nats.reload("max_connections: 6").await.unwrap();
    assert_eq!(nats.monitor().varz().await.unwrap().max_connections, 6);
    assert_eq!(messages(&jetstream).await, 1, "JetStream is still on");

    let error = nats.reload("max_connections: {").await.unwrap_err();
    assert_eq!(error.kind(), FaultErrorKind::Refused, "{error:?}");
    assert!(error.to_string().starts_with("the server keeps its old configuration: Parse error"), "{error}");
    assert_eq!(nats.monitor().varz().await.unwrap().max_connections, 6);

    nats.restart().await.unwrap();
    assert_eq!(
        nats.monitor().varz().await.unwrap().max_connections,
        6,
        "the last good text is started again"
    );
    assert_eq!((nats.port(), messages(&jetstream).await), (port, 1));
}

#[tokio::test]
async fn a_port_that_was_taken_meanwhile_is_named_and_a_later_restart_works() {
    let nats = ExternalNats::builder().fault_timeout(Duration::from_millis(200)).start().await.unwrap();
    nats.stop().await.unwrap();
    let thief = TcpListener::bind(("127.0.0.1", nats.port())).unwrap();
    let error = nats.restart().await.unwrap_err();
    assert_eq!(error.kind(), FaultErrorKind::PortTaken, "{error:?}");
    assert!(error.to_string().contains(&nats.port().to_string()), "{error}");
    let cause = std::error::Error::source(&error).unwrap().downcast_ref::<StartError>().unwrap();
    assert_eq!(cause.kind(), StartErrorKind::PortTaken);
    assert_eq!(nats.pause().unwrap_err().kind(), FaultErrorKind::Stopped);
    drop(thief);
    nats.restart().await.unwrap();
    nats.client().await.unwrap();
}

/// Many ports are asked of the system while the server is down: none of them may be its own.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn nobody_is_given_the_port_of_a_server_that_is_down() {
    let nats = ExternalNats::start().await.unwrap();
    for _ in 0..3 {
        nats.kill().unwrap();
        for _ in 0..2000 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            assert_ne!(port, nats.port());
        }
        nats.restart().await.unwrap();
    }
}

#[tokio::test]
async fn faults_at_the_same_time_come_one_after_the_other() {
    let nats = ExternalNats::start().await.unwrap();
    let restarts = (0..6).map(|_| {
        let nats = nats.clone();
        tokio::spawn(async move { nats.restart().await })
    });
    for restart in restarts.collect::<Vec<_>>() {
        restart.await.unwrap().unwrap();
    }
    nats.client().await.unwrap();
}
