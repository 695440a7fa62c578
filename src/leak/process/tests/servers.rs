//! What this crate itself holds is nobody's leak; a client of its servers is.

use std::net::{TcpListener, TcpStream};

use super::{LONG, alone, baseline, is_clean, looked, the_one};
use crate::leak::finding::LeakKind;
use crate::{ExternalNats, alone as again};

#[test]
fn a_server_that_came_and_went_leaves_nothing() {
    alone(|| {
        let baseline = baseline();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let nats = ExternalNats::builder().jetstream().start().await.unwrap();
            is_clean(&baseline);
            nats.restart().await.unwrap();
            nats.monitor().varz().await.unwrap();
            is_clean(&baseline);
            drop(nats);
            is_clean(&baseline);
        });
        drop(runtime);
        is_clean(&baseline);
    });
}

#[test]
fn a_server_from_before_may_be_restarted_and_asked() {
    alone(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let nats = ExternalNats::start().await.unwrap();
            let probe = crate::MemoryProbe::builder().server(&nats).start();
            let baseline = baseline();
            nats.restart().await.unwrap();
            nats.monitor().connz().await.unwrap();
            probe.phase("after the restart");
            is_clean(&baseline);
            nats.kill().unwrap();
            is_clean(&baseline);
        });
    });
}

#[test]
fn a_server_in_a_static_is_not_the_tests() {
    static NATS: std::sync::OnceLock<ExternalNats> = std::sync::OnceLock::new();
    alone(|| {
        let baseline = baseline();
        NATS.get_or_init(|| ExternalNats::start_blocking().unwrap());
        is_clean(&baseline);
    });
}

#[test]
fn the_other_lifeline_is_ours_too() {
    const VARIABLE: &str = "ISOLATED_NATS_LIFELINE";
    if std::env::var_os(VARIABLE).is_none() {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        return again::run_quietly(&name, None, &[(VARIABLE, "watcher".as_ref())]).unwrap();
    }
    alone(|| {
        let baseline = baseline();
        let nats = ExternalNats::start_blocking().unwrap();
        is_clean(&baseline);
        drop(nats);
        is_clean(&baseline);
    });
}

#[test]
fn a_client_that_is_connected_is_found_with_a_hint() {
    alone(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let nats = ExternalNats::start().await.unwrap();
            let baseline = baseline();
            let client = nats.client().await.unwrap();
            let leaks = looked(&baseline);
            let [leak] = &leaks[..] else { panic!("{leaks:#?}") };
            let peer = format!(" -> 127.0.0.1:{} (fd ", nats.port());
            assert!(leak.what.starts_with("socket 127.0.0.1:") && leak.what.contains(&peer), "{leak:?}");
            assert!(leak.hints[0].starts_with("an async-nats client is still connected"), "{leak:?}");
            drop(client);
            let clean = async || match &looked(&baseline)[..] {
                [] => Ok(()),
                leaks => Err(format!("{leaks:?}")),
            };
            crate::eventually("the connection is closed", LONG, clean).await.unwrap();
        });
    });
}

#[test]
fn a_client_of_before_may_have_another_connection_and_no_second_one() {
    alone(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let nats = ExternalNats::start().await.unwrap();
            let first = TcpStream::connect(("127.0.0.1", nats.port())).unwrap();
            let baseline = baseline();
            let second = TcpStream::connect(("127.0.0.1", nats.port())).unwrap();
            drop(first);
            is_clean(&baseline);
            let _third = TcpStream::connect(("127.0.0.1", nats.port())).unwrap();
            assert_eq!(looked(&baseline).len(), 1);
            drop(second);
            is_clean(&baseline);
        });
    });
}

#[test]
fn a_socket_that_is_closed_hides_no_connection_elsewhere() {
    alone(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let elsewhere = listener.local_addr().unwrap();
        let first = TcpStream::connect(elsewhere).unwrap();
        let baseline = baseline();
        drop(first);
        let left = TcpStream::connect(elsewhere).unwrap();
        the_one(&baseline, LeakKind::Descriptor, &format!("socket {} -> ", left.local_addr().unwrap()));
    });
}
