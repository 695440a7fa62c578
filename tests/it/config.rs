//! The user's own configuration, in its many forms.

use isolated_nats::{ExternalNats, StartErrorKind};

use crate::support::Scratch;

#[tokio::test]
async fn a_users_file_is_used_but_for_address_port_store_and_name() {
    let scratch = Scratch::new("größe & co");
    let store = scratch.path().join("their store");
    scratch.file("sub/limits.conf", "max_payload: 2222\n");
    let file = scratch.file(
        "nats server.conf",
        &format!(
            "Port: 4222\nlisten: \"0.0.0.0:4222\"\nhttp: \"0.0.0.0:8222\"\nserver_name: theirs\n\
             include \"sub/limits.conf\"\n\
             jetstream {{ domain: \"hub\", store_dir: {store:?}, max_mem: 10M, max_file: 20M }}\n"
        ),
    );

    let nats = ExternalNats::builder().config_file(&file).start().await.unwrap();

    let varz = nats.monitor().json("/varz").await.unwrap();
    assert_eq!(varz["max_payload"], 2222, "the include of their file is read");
    assert_eq!(varz["host"], "127.0.0.1");
    assert_ne!(varz["port"], 4222);
    assert!(nats.server_name().contains("port_store_and_name"));
    let jsz = nats.monitor().jsz().await.unwrap();
    assert_eq!((jsz.config.domain.as_str(), jsz.config.max_storage), ("hub", 20_000_000));
    assert!(jsz.config.store_dir.starts_with(nats.store_dir().unwrap().to_str().unwrap()), "{jsz:?}");
    assert!(!store.exists());
    // And again, from what was made of it.
    nats.restart().await.unwrap();
    assert_eq!(nats.monitor().varz().await.unwrap().max_payload, 2222);
    nats.reload("max_connections: 3").await.unwrap();
    let varz = nats.monitor().varz().await.unwrap();
    assert_eq!((varz.max_connections, varz.max_payload), (3, 2222));
}

#[tokio::test]
async fn the_monitoring_port_is_never_open_to_others() {
    let scratch = Scratch::new("monitor");
    let file = scratch.file("n.conf", "http: \"0.0.0.0:8222\"\n");
    let nats = ExternalNats::builder().config_file(file).start().await.unwrap();
    let varz = nats.monitor().json("/varz").await.unwrap();
    assert_eq!((&varz["http_host"], &varz["host"]), (&"127.0.0.1".into(), &"127.0.0.1".into()));
}

#[tokio::test]
async fn a_log_and_a_pid_file_of_the_users_are_left_alone() {
    let scratch = Scratch::new("files");
    let (log, pid) = (scratch.path().join("real.log"), scratch.path().join("real.pid"));
    let file = scratch.file("n.conf", &format!("log_file: {log:?}\npid_file: {pid:?}\n"));
    let nats = ExternalNats::builder().config_file(file).start().await.unwrap();
    assert!(!log.exists() && !pid.exists());
    assert!(nats.log_tail(100).contains("Server is ready"), "{}", nats.log_tail(100));
    let error = nats.reload("max_payload: {").await.unwrap_err();
    assert_eq!(error.kind(), isolated_nats::FaultErrorKind::Refused, "{error:?}");
}

#[tokio::test]
async fn jetstream_without_limits_of_their_own_gets_ours() {
    let scratch = Scratch::new("limits");
    let file = scratch.file("n.conf", "max_payload: 3000\n");
    let nats = ExternalNats::builder().config_file(file).jetstream().start().await.unwrap();
    let jsz = nats.monitor().jsz().await.unwrap();
    assert_eq!((jsz.config.max_memory, jsz.config.max_storage), (256 << 20, 1 << 30));
}

#[tokio::test]
async fn text_is_added_and_a_builders_method_wins_over_it() {
    let builder = ExternalNats::builder().config("max_payload: 1000").config("max_connections: 11");
    let nats = builder.max_payload_bytes(2000).start().await.unwrap();
    let varz = nats.monitor().varz().await.unwrap();
    assert_eq!((varz.max_payload, varz.max_connections), (2000, 11));
}

#[tokio::test]
async fn a_store_in_the_text_is_replaced_by_the_private_one() {
    let text = "jetstream {\n  max_mem: 1M\n  store_dir = '/nonexistent/store'\n}";
    let nats = ExternalNats::builder().config(text).start().await.unwrap();
    let jsz = nats.monitor().jsz().await.unwrap();
    assert!(jsz.config.store_dir.starts_with(nats.dir().to_str().unwrap()), "{jsz:?}");
    assert_eq!(jsz.config.max_memory, 1_000_000);
}

#[tokio::test]
async fn a_store_in_a_file_that_the_users_includes_is_named() {
    let scratch = Scratch::new("nested");
    scratch.file("js.conf", "\nstore_dir: /nonexistent\n");
    let file = scratch.file("n.conf", "jetstream {\n  include js.conf\n}\n");
    let error = ExternalNats::builder().config_file(file).start().await.unwrap_err();
    assert_eq!(error.kind(), StartErrorKind::ConfigRejected, "{error:?}");
    assert!(
        error.to_string().contains("take `store_dir` out of `") && error.to_string().contains("js.conf`"),
        "{error}"
    );
    std::fs::remove_dir_all(error.log_path().unwrap().parent().unwrap()).unwrap();
}

#[tokio::test]
async fn a_file_that_is_missing_or_no_file_is_named_with_where_it_was_looked_for() {
    let scratch = Scratch::new("missing");
    for path in [std::path::Path::new("no such.conf"), scratch.path()] {
        let error = ExternalNats::builder().config_file(path).start().await.unwrap_err();
        assert_eq!(error.kind(), StartErrorKind::ConfigFile);
        let text = error.to_string();
        assert!(text.contains(path.to_str().unwrap()) && text.contains(env!("CARGO_MANIFEST_DIR")), "{text}");
    }
}

#[tokio::test]
async fn a_configuration_that_the_server_refuses_is_reported_in_its_own_words() {
    let scratch = Scratch::new("refused");
    let file = scratch.file("n.conf", "max_payload: 3000\nbogus: 1\n");
    let error = ExternalNats::builder().config_file(&file).start().await.unwrap_err();
    assert_eq!(error.kind(), StartErrorKind::ConfigRejected, "{error:?}");
    assert!(error.fatal_line().unwrap().ends_with("n.conf:2:1: unknown field \"bogus\""), "{error:?}");
    assert_eq!(error.exit_status().unwrap().code(), Some(1));
    std::fs::remove_dir_all(error.log_path().unwrap().parent().unwrap()).unwrap();

    let error = ExternalNats::builder().config("a { : ").start().await.unwrap_err();
    assert_eq!(error.kind(), StartErrorKind::ConfigRejected, "{error:?}");
    assert!(error.fatal_line().unwrap().contains("Parse error"), "{error:?}");
    std::fs::remove_dir_all(error.log_path().unwrap().parent().unwrap()).unwrap();
}
