//! The monitoring port.

use std::time::Duration;

use isolated_nats::{ExternalNats, MonitorErrorKind, eventually};

use crate::support::LONG;

#[tokio::test]
async fn the_server_tells_of_itself_its_clients_and_its_streams() {
    let nats = ExternalNats::builder().jetstream().start().await.unwrap();
    let options = nats.connect_options().name("the client");
    let client = options.connect(nats.url()).await.unwrap();
    let _subscriber = client.subscribe("orders.new").await.unwrap();
    client.flush().await.unwrap();
    let monitor = nats.monitor();

    let varz = monitor.varz().await.unwrap();
    assert_eq!((varz.server_name.as_str(), varz.version.as_str()), (nats.server_name(), nats.version()));
    assert_eq!(varz.connections, 1);
    assert!(varz.mem > 1 << 20 && varz.cores >= 1 && !varz.config_load_time.is_empty(), "{varz:?}");

    let connz = monitor.connz().await.unwrap();
    assert_eq!(connz.num_connections, 1);
    let connection = &connz.connections[0];
    assert_eq!((connection.name.as_str(), connection.lang.as_str()), ("the client", "rust"));
    assert_eq!(connection.subscriptions_list, ["orders.new"]);

    assert!(monitor.subsz().await.unwrap().num_subscriptions >= 1);
    assert!(monitor.healthz().await.unwrap().is_ok());
    let jetstream = async_nats::jetstream::new(client);
    let config = async_nats::jetstream::stream::Config { name: "ORDERS".into(), ..Default::default() };
    jetstream.create_stream(config).await.unwrap();
    jetstream.publish("ORDERS", "1".into()).await.unwrap().await.unwrap();
    eventually("the message is counted", LONG, async || match monitor.jsz().await.unwrap() {
        jsz if (jsz.streams, jsz.messages) == (1, 1) => Ok(()),
        jsz => Err(format!("{jsz:?}")),
    })
    .await
    .unwrap();
    assert_eq!(monitor.json("/routez").await.unwrap()["num_routes"], 0);
}

#[tokio::test]
async fn a_server_without_jetstream_says_so() {
    let nats = ExternalNats::start().await.unwrap();
    assert!(nats.monitor().jsz().await.unwrap().disabled);
}

#[tokio::test]
async fn a_server_that_is_down_is_unreachable_and_a_page_that_is_no_json_unexpected() {
    let nats = ExternalNats::start().await.unwrap();
    assert_eq!(nats.monitor().json("/").await.unwrap_err().kind(), MonitorErrorKind::Unexpected);
    nats.stop().await.unwrap();
    let error = nats.monitor().varz().await.unwrap_err();
    assert_eq!(error.kind(), MonitorErrorKind::Unreachable);
    assert!(error.to_string().ends_with("does not answer (is the server stopped or paused?)"), "{error}");
    nats.restart().await.unwrap();
    nats.monitor().varz().await.unwrap();
    nats.pause().unwrap();
    let error = nats.monitor().timeout(Duration::from_millis(50)).varz().await.unwrap_err();
    assert_eq!(error.kind(), MonitorErrorKind::Unreachable);
}
