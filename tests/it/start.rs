//! A server, its handle, and what the handle tells.

use std::time::Duration;

use isolated_nats::{ExternalNats, StartErrorKind, eventually};

use crate::support::{LONG, is_gone, processes_with, wait_gone};

#[tokio::test]
async fn a_server_answers_and_is_gone_with_its_handle() {
    let nats = ExternalNats::start().await.unwrap();
    let client = nats.client().await.unwrap();
    client.flush().await.unwrap();
    let (pid, directory) = (nats.pid(), nats.dir().to_owned());
    assert!(directory.join("server.conf").exists() && !is_gone(pid));

    drop(nats);

    assert!(is_gone(pid) && !directory.exists());
}

#[test]
fn a_server_starts_without_a_runtime() {
    let nats = ExternalNats::start_blocking().unwrap();
    std::net::TcpStream::connect(("127.0.0.1", nats.port())).unwrap();
    assert_eq!(nats.url(), format!("nats://127.0.0.1:{}", nats.port()));
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_does_not_keep_a_server_from_starting() {
    let start = tokio::time::Instant::now();
    let nats = ExternalNats::start().await.unwrap();
    assert!(nats.port() > 0);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn two_servers_share_nothing() {
    let (one, two) = tokio::join!(
        ExternalNats::builder().jetstream().start(),
        ExternalNats::builder().jetstream().start()
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_ne!(one.port(), two.port());
    assert_ne!(one.server_name(), two.server_name());
    assert_ne!(one.dir(), two.dir());
    let config = || async_nats::jetstream::stream::Config { name: "SAME".into(), ..Default::default() };
    one.jetstream().await.unwrap().create_stream(config()).await.unwrap();
    assert!(two.jetstream().await.unwrap().get_stream("SAME").await.is_err());
}

#[tokio::test]
async fn the_server_lives_as_long_as_any_of_its_handles() {
    let nats = ExternalNats::start().await.unwrap();
    let pid = nats.pid();
    let clone = nats.clone();
    drop(nats);
    clone.client().await.unwrap();
    drop(clone);
    assert!(is_gone(pid));
}

#[tokio::test]
async fn a_handle_tells_where_everything_is() {
    let nats = ExternalNats::builder().jetstream().name("tells all").start().await.unwrap();
    assert!(nats.server_name().starts_with("tells_all-"), "{nats:?}");
    assert_eq!(nats.dir().file_name().unwrap().to_str(), Some(nats.server_name()));
    assert_eq!(nats.store_dir(), Some(nats.dir().join("store").as_path()));
    assert!(nats.store_dir().unwrap().join("jetstream").is_dir());
    assert!(nats.log_path().starts_with(nats.dir()));
    eventually("the log says that it is ready", LONG, async || {
        let tail = nats.log_tail(3);
        if tail.contains("Server is ready") { Ok(()) } else { Err(tail) }
    })
    .await
    .unwrap();
    assert_eq!(nats.log_tail(1).lines().count(), 1);
    assert!(nats.command_line().contains("server.conf"), "{}", nats.command_line());
    assert!(nats.version().starts_with("2."), "{}", nats.version());
    let sample = nats.process().sample().unwrap();
    assert!(sample.rss_bytes > 1 << 20, "{sample:?}");
    assert_eq!(ExternalNats::start().await.unwrap().store_dir(), None);
}

#[tokio::test]
async fn the_servers_name_comes_from_the_tests() {
    let nats = ExternalNats::start().await.unwrap();
    assert!(nats.server_name().starts_with("start-the_servers_name_comes_from_the_tests-"), "{nats:?}");
}

#[tokio::test]
async fn connect_options_hold_what_the_server_asks_for() {
    let builders =
        [ExternalNats::builder().user("us\"er", "pass\\word ä"), ExternalNats::builder().token("to\"ken")];
    for builder in builders {
        let nats = builder.start().await.unwrap();
        nats.client().await.unwrap().flush().await.unwrap();
        let refused = async_nats::connect(nats.url()).await.unwrap_err();
        assert_eq!(refused.kind(), async_nats::ConnectErrorKind::AuthorizationViolation);
    }
}

/// The future is dropped at many points of a start; whatever had been made by then must go.
#[tokio::test]
async fn a_dropped_start_leaves_nothing_behind() {
    let root = isolated_root();
    let name = "a-dropped-start";
    for microseconds in (0..12_000).step_by(400) {
        let start = ExternalNats::builder().name(name).jetstream().start();
        let limit = Duration::from_micros(microseconds);
        drop(tokio::time::timeout(limit, start).await);
    }
    eventually("no directory is left", LONG, async || {
        let left: Vec<_> =
            std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        let left: Vec<_> =
            left.into_iter().filter(|entry| entry.to_string_lossy().starts_with(name)).collect();
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await
    .unwrap();
    assert_eq!(processes_with(name), Vec::<u32>::new());
}

fn isolated_root() -> std::path::PathBuf {
    let nats = ExternalNats::start_blocking().unwrap();
    nats.dir().parent().unwrap().to_owned()
}

#[tokio::test]
async fn one_server_is_shared_by_all_who_ask_and_ends_with_the_last() {
    let (one, two) = tokio::join!(ExternalNats::shared(), ExternalNats::shared());
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.pid(), two.pid());
    one.jetstream().await.unwrap().query_account().await.unwrap();
    let pid = one.pid();
    drop((one, two));
    assert!(is_gone(pid));

    let next = ExternalNats::shared().await.unwrap();
    assert_ne!(next.pid(), pid);
    let pid = next.pid();
    next.clone().shutdown().await.unwrap();
    wait_gone(pid, LONG).await;
    let after = ExternalNats::shared().await.unwrap();
    assert_ne!(after.pid(), pid, "one that was shut down is replaced, though a handle of it still lives");
    drop(next);
}

#[tokio::test]
async fn a_fixed_port_is_the_servers_on_request() {
    // A number that is free and given to nobody: that of a server of ours that is down.
    let down = ExternalNats::start().await.unwrap();
    down.stop().await.unwrap();
    let port = down.port();
    let nats = ExternalNats::builder().port(port).start().await.unwrap();
    assert_eq!(nats.port(), port);
    let error = ExternalNats::builder().port(port).start().await.unwrap_err();
    assert_eq!(error.kind(), StartErrorKind::PortTaken, "{error:?}");
    assert!(error.fatal_line().unwrap().contains("address already in use"), "{error:?}");
    std::fs::remove_dir_all(error.log_path().unwrap().parent().unwrap()).unwrap();
}

#[tokio::test]
async fn what_cannot_work_is_refused_before_anything_is_done() {
    let builder = ExternalNats::builder;
    for builder in [
        builder().user("a", "b").token("c"),
        builder().port(0),
        builder().start_timeout(Duration::ZERO),
        builder().stop_timeout(Duration::ZERO),
        builder().fault_timeout(Duration::ZERO),
        builder().acquire_timeout(Duration::ZERO),
        builder().arg("a\0b"),
        builder().user("a", "b\0"),
        builder().config_file("a\0b"),
        builder().token("$2a$11$hash"),
    ] {
        let error = builder.start().await.unwrap_err();
        assert_eq!(error.kind(), StartErrorKind::Builder, "{error:?}");
        assert!(error.to_string().contains('('), "it says what to do: {error}");
        assert_eq!(error.log_path(), None);
    }
}

#[tokio::test]
async fn limits_asked_for_are_the_servers() {
    let nats = ExternalNats::builder()
        .jetstream_limits(1 << 20, 2 << 20)
        .max_payload_bytes(4096)
        .max_connections(17)
        .max_subscriptions(5)
        .max_pending_bytes(1 << 20)
        .go_memory_limit_bytes(64 << 20)
        .profiling()
        .debug_log()
        .start()
        .await
        .unwrap();
    let varz = nats.monitor().json("/varz").await.unwrap();
    assert_eq!(varz["max_payload"], 4096);
    assert_eq!(varz["max_connections"], 17);
    assert_eq!(varz["max_subscriptions"], 5);
    assert_eq!(varz["max_pending"], 1 << 20);
    assert_eq!(varz["gomemlimit"], 64 << 20);
    let jsz = nats.monitor().jsz().await.unwrap();
    assert_eq!((jsz.config.max_memory, jsz.config.max_storage), (1 << 20, 2 << 20));
    let profiler = nats.profiling_url().unwrap().trim_start_matches("http://").to_owned();
    std::net::TcpStream::connect(profiler).unwrap();
    nats.client().await.unwrap().flush().await.unwrap();
    assert!(nats.log_tail(500).contains("[DBG]"));
}
