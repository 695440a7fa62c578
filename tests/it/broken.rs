//! Programs that are no good server: each a script, so that no part of the way is bypassed.
#![cfg(unix)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use isolated_nats::{ExternalNats, Stage, StartError, StartErrorKind};

use crate::support::{Scratch, Victim};

/// A program that states a version, and then does what the script says; `$ports` is where its ports file belongs.
fn program(scratch: &Scratch, script: &str) -> PathBuf {
    let text = format!(
        "#!/bin/sh\nif [ \"$1\" = -v ]; then echo 'nats-server: v2.14.5'; exit; fi\n\
         while [ $# -gt 1 ]; do if [ \"$1\" = --ports_file_dir ]; then ports=$2; fi; shift; done\n{script}\n"
    );
    let path = scratch.file("a server", &text);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

async fn start(scratch: &Scratch, script: &str, limit: Duration) -> StartError {
    let builder = ExternalNats::builder().binary(program(scratch, script)).start_timeout(limit);
    let error = builder.start().await.unwrap_err();
    if let Some(log) = error.log_path() {
        assert!(log.exists(), "the evidence is kept: {error:?}");
        std::fs::remove_dir_all(log.parent().unwrap()).unwrap();
    }
    error
}

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(400);

#[tokio::test]
async fn one_that_ends_at_once_is_seen_at_once_with_its_last_words() {
    let scratch = Scratch::new("ends");
    let error = start(&scratch, "echo starting; echo 'no more memory' >&2; exit 3", LONG).await;
    assert_eq!((error.kind(), error.stage()), (StartErrorKind::Exited, Stage::Ports), "{error:?}");
    assert_eq!(error.exit_status().unwrap().code(), Some(3));
    assert_eq!(error.log_tail(), Some("starting\nno more memory"));
    assert!(error.elapsed() < LONG / 4, "its end was seen, not waited for: {error:?}");
    assert!(error.command_line().unwrap().contains("'"), "the path has a space: {error:?}");
}

#[tokio::test]
async fn one_that_is_killed_says_by_which_signal() {
    let scratch = Scratch::new("killed");
    let error = start(&scratch, "kill -9 $$", LONG).await;
    assert_eq!(error.kind(), StartErrorKind::Exited);
    assert!(error.to_string().contains("signal: 9 (SIGKILL)"), "{error}");
}

#[tokio::test]
async fn one_that_hangs_is_ended_at_the_limit() {
    let scratch = Scratch::new("hangs");
    let error = start(&scratch, "echo $$ > \"$ports/../pid\"; exec sleep 600", SHORT).await;
    assert_eq!((error.kind(), error.stage()), (StartErrorKind::Timeout, Stage::Ports), "{error:?}");
    assert!(error.elapsed() >= SHORT, "{error:?}");
    assert!(error.to_string().contains("ISOLATED_NATS_TIME_FACTOR"), "{error}");
}

#[tokio::test]
async fn one_that_writes_half_a_ports_file_is_not_ready() {
    let scratch = Scratch::new("half");
    let error =
        start(&scratch, "printf '{\"nats\":[\"nats://127' > \"$ports/x.ports\"; exec sleep 600", SHORT).await;
    assert_eq!((error.kind(), error.stage()), (StartErrorKind::Timeout, Stage::Ports), "{error:?}");
}

#[tokio::test]
async fn one_whose_port_speaks_something_else_is_not_taken_for_a_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").and_then(|()| stream.read(&mut [0; 1]));
        }
    });
    let scratch = Scratch::new("garbage");
    let script =
        format!("echo '{{\"nats\":[\"nats://127.0.0.1:{port}\"]}}' > \"$ports/x.ports\"; exec sleep 600");
    let error = start(&scratch, &script, LONG).await;
    assert_eq!((error.kind(), error.stage()), (StartErrorKind::NotTheServer, Stage::Greeting), "{error:?}");
    assert!(format!("{error:?}").contains("it said \"SSH-2.0-OpenSSH_9.2"), "{error:?}");
}

#[tokio::test]
async fn one_whose_port_is_another_servers_is_not_taken_for_it() {
    let other = ExternalNats::start().await.unwrap();
    let scratch = Scratch::new("other");
    let port = other.port();
    let script =
        format!("echo '{{\"nats\":[\"nats://127.0.0.1:{port}\"]}}' > \"$ports/x.ports\"; exec sleep 600");
    let error = start(&scratch, &script, LONG).await;
    assert_eq!(error.kind(), StartErrorKind::NotTheServer, "{error:?}");
    assert!(error.to_string().contains(other.server_name()), "{error}");
}

#[tokio::test]
async fn one_that_nobody_can_connect_to_is_not_ready() {
    let closed = tokio::net::TcpSocket::new_v4().unwrap(); // bound, and so nobody else's, and not listening
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = closed.local_addr().unwrap().port();
    let scratch = Scratch::new("closed");
    let script =
        format!("echo '{{\"nats\":[\"nats://127.0.0.1:{port}\"]}}' > \"$ports/x.ports\"; exec sleep 600");
    let error = start(&scratch, &script, SHORT).await;
    assert_eq!((error.kind(), error.stage()), (StartErrorKind::Timeout, Stage::Greeting), "{error:?}");
}

#[tokio::test]
async fn a_server_that_listens_without_jetstream_is_named_so() {
    let builder = ExternalNats::builder().jetstream().config("jetstream: disabled");
    let error = builder.start_timeout(SHORT).start().await.unwrap_err();
    assert_eq!((error.kind(), error.stage()), (StartErrorKind::NoJetStream, Stage::JetStream), "{error:?}");
    std::fs::remove_dir_all(error.log_path().unwrap().parent().unwrap()).unwrap();
}

/// As a server does whose configuration has `handshake_first`: it waits for the client's TLS, and says nothing.
#[tokio::test]
async fn one_that_greets_nobody_is_known_by_its_monitoring_port() {
    let (silent, monitor) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    let scratch = Scratch::new("silent");
    let script = format!(
        "sed -n 's/^server_name: //p' \"$ports/../server.conf\" > \"$0.name\"\n\
         echo '{{\"nats\":[\"tls://127.0.0.1:{}\"],\"monitoring\":[\"http://127.0.0.1:{}\"]}}' > \"$ports/x.ports\"\n\
         exec sleep 600",
        port(&silent),
        port(&monitor)
    );
    let program = program(&scratch, &script);
    let name = program.with_file_name("a server.name");
    std::thread::spawn(move || {
        for stream in monitor.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let name = std::fs::read_to_string(&name).unwrap();
            let body = format!("{{\"server_name\":{name},\"server_id\":\"N\",\"version\":\"2.14.5\"}}");
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    let nats = ExternalNats::builder().binary(program).start().await.unwrap();
    assert_eq!(nats.url(), format!("tls://127.0.0.1:{}", port(&silent)));
    assert_eq!(nats.version(), "2.14.5");
}

#[tokio::test]
async fn one_that_cannot_write_its_store_says_where() {
    let builder = ExternalNats::builder().jetstream().arg("-sd").arg("/dev/null/store");
    let error = builder.start().await.unwrap_err();
    assert_eq!(error.kind(), StartErrorKind::Store, "{error:?}");
    assert!(error.to_string().contains("/dev/null/store"), "{error}");
    std::fs::remove_dir_all(error.log_path().unwrap().parent().unwrap()).unwrap();
}

#[tokio::test]
async fn one_that_does_not_know_an_argument_says_which() {
    let error = ExternalNats::builder().arg("--nonsense").start().await.unwrap_err();
    assert_eq!(error.kind(), StartErrorKind::Builder, "{error:?}");
    assert!(error.fatal_line().unwrap().contains("-nonsense"), "{error:?}");
    std::fs::remove_dir_all(error.log_path().unwrap().parent().unwrap()).unwrap();
}

#[test]
fn a_root_that_cannot_be_written_is_named_with_the_way_out() {
    let scratch = Scratch::new("root");
    let root = scratch.file("a file", "").join("below");
    let (passed, text) = Victim::run("attribute::needs_no_argument", &root, &[]);
    assert!(!passed && text.contains("a file/below` cannot be made (ISOLATED_NATS_DIR,"), "{text}");
}

#[tokio::test]
async fn a_path_without_a_program_says_so() {
    let scratch = Scratch::new("none");
    let error = ExternalNats::builder().binary(scratch.path().join("no server")).start().await.unwrap_err();
    assert_eq!((error.kind(), error.stage()), (StartErrorKind::Binary, Stage::Acquire), "{error:?}");
    assert!(format!("{error:?}").contains("no server"), "{error:?}");
}

#[tokio::test]
async fn a_script_without_its_interpreter_and_a_file_that_is_no_program_cannot_be_run() {
    let scratch = Scratch::new("interpreter");
    let path = scratch.file("script", "#!/no/such/interpreter\n");
    for mode in [0o755, 0o644] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let error = ExternalNats::builder().binary(&path).start().await.unwrap_err();
        assert_eq!(error.kind(), StartErrorKind::Binary, "{error:?}");
    }
}

#[tokio::test]
async fn another_version_than_the_one_asked_for_is_refused() {
    let scratch = Scratch::new("version");
    let path = program(&scratch, "exit 0");
    let error = ExternalNats::builder().binary(path).version("2.10").start().await.unwrap_err();
    assert_eq!(error.kind(), StartErrorKind::Binary, "{error:?}");
    let text = format!("{error:?}");
    assert!(text.contains("2.14.5") && text.contains("2.10"), "{text}");
}
