//! What belongs to the process. Each test has one of its own; what it leaves ends with that process.

use std::fs::File;
use std::io::pipe;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use isolated_nats::{LeakKind, isolated_nats};

use crate::support::{Group, assert_found_alone, at_rest, guard};
use crate::victim::{LONG, Scratch, Victim, wait_gone};

/// A thread that ends with the sender. It has its name by then: the thread itself takes it.
fn stuck(name: &str) -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel::<()>();
    let (begin, begun) = mpsc::channel();
    let body = move || {
        begin.send(()).unwrap();
        released.recv()
    };
    thread::Builder::new().name(name.into()).spawn(body).unwrap();
    begun.recv().unwrap();
    release
}

/// A child that runs until its input ends.
fn cat(argument: &str) -> Child {
    Command::new("cat").args(["-", argument]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
}

fn descriptor(name: impl Into<String>) -> Group {
    Group::new(LeakKind::Descriptor, 1).named(name)
}

#[isolated_nats(process)]
async fn a_thread() {
    let guard = guard();
    let _release = stuck("stuck-worker");
    let report = guard.check().await.unwrap_err();
    assert_found_alone(&report, &[Group::new(LeakKind::Thread, 1).named("stuck-worker")]);
}

/// It bears the name of the test, by whose thread it was started.
#[isolated_nats(process)]
async fn a_thread_without_a_name() {
    let guard = guard();
    let (_release, released) = mpsc::channel::<()>();
    thread::spawn(move || released.recv());
    let report = guard.check().await.unwrap_err();
    assert_found_alone(&report, &[Group::new(LeakKind::Thread, 1).says("std::thread::Builder::name")]);
}

#[isolated_nats(process)]
async fn three_threads_of_one_name() {
    let guard = guard();
    let _releases: Vec<_> = (0..3).map(|_| stuck("crowd")).collect();
    let report = guard.check().await.unwrap_err();
    assert_found_alone(&report, &[Group::new(LeakKind::Thread, 3).named("`crowd`")]);
}

#[isolated_nats(process)]
async fn a_pool_of_threads() {
    let guard = guard();
    let _releases: Vec<_> = (0..3).map(|number| stuck(&format!("pool-{number}"))).collect();
    let report = guard.check().await.unwrap_err();
    let count: usize = report.leaks().iter().map(|leak| leak.count).sum();
    assert_eq!(count, 3, "{report}");
    assert!(report.leaks().iter().all(|leak| leak.kind == LeakKind::Thread), "{report}");
    for number in 0..3 {
        assert!(report.to_string().contains(&format!("pool-{number}")), "{report}");
    }
}

#[isolated_nats(process)]
async fn a_thread_beside_one_allowed() {
    let guard = at_rest().ignore_threads("pool-*").start();
    let _releases = [stuck("pool-1"), stuck("other")];
    let report = guard.check().await.unwrap_err();
    assert_found_alone(&report, &[Group::new(LeakKind::Thread, 1).named("other")]);
}

#[isolated_nats(process)]
async fn a_thread_beside_an_earlier_one() {
    let _earlier = stuck("earlier");
    let guard = guard();
    let _later = stuck("later");
    let report = guard.check().await.unwrap_err();
    assert_found_alone(&report, &[Group::new(LeakKind::Thread, 1).named("later")]);
}

#[isolated_nats(process)]
async fn a_file() {
    let scratch = Scratch::new("a file");
    let guard = guard();
    let path = scratch.file("orders.log", "1");
    let _file = File::open(&path).unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found_alone(&report, &[descriptor(path.to_str().unwrap())]);
}

#[isolated_nats(process)]
async fn a_file_beside_one_allowed() {
    let scratch = Scratch::new("allowed");
    let guard = at_rest().ignore_descriptors("*/allowed.log").start();
    let files = ["allowed.log", "other.log"].map(|name| File::open(scratch.file(name, "1")).unwrap());
    let report = guard.check().await.unwrap_err();
    assert_found_alone(&report, &[descriptor("other.log")]);
    drop(files);
}

#[isolated_nats(process)]
async fn a_removed_file() {
    let scratch = Scratch::new("removed");
    let guard = guard();
    let path = scratch.file("gone.log", "1");
    let _file = File::open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found_alone(&report, &[descriptor("gone.log")]);
}

#[isolated_nats(process)]
async fn a_file_in_place_of_an_earlier_one() {
    let scratch = Scratch::new("in place");
    let earlier = File::open(scratch.file("earlier.log", "1")).unwrap();
    let guard = guard();
    drop(earlier);
    let _later = File::open(scratch.file("later.log", "1")).unwrap(); // with the same number
    let report = guard.check().await.unwrap_err();
    assert_found_alone(&report, &[descriptor("later.log")]);
}

/// A socket is known by whom it is connected to.
#[isolated_nats(process)]
async fn a_tcp_socket() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let guard = guard();
    let _client = TcpStream::connect(address).unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found_alone(&report, &[descriptor(address.to_string())]);
}

#[isolated_nats(process)]
async fn a_tcp_socket_of_tokio() {
    let listener = TcpListener::bind("[::1]:0").or_else(|_| TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let guard = guard();
    let _client = tokio::net::TcpStream::connect(address).await.unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found_alone(&report, &[descriptor(address.to_string())]);
}

#[isolated_nats(process)]
async fn a_listener() {
    let guard = guard();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let report = guard.check().await.unwrap_err();
    let port = listener.local_addr().unwrap().port();
    assert_found_alone(&report, &[descriptor(format!("127.0.0.1:{port}")).says("listen")]);
}

#[isolated_nats(process)]
async fn a_udp_socket() {
    let guard = guard();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let report = guard.check().await.unwrap_err();
    let port = socket.local_addr().unwrap().port();
    assert_found_alone(&report, &[descriptor(format!("127.0.0.1:{port}")).says("udp")]);
}

#[isolated_nats(process)]
async fn a_pipe() {
    let guard = guard();
    let _both = pipe().unwrap();
    let report = guard.check().await.unwrap_err();
    let count: usize = report.leaks().iter().map(|leak| leak.count).sum();
    assert_eq!(count, 2, "{report}");
    assert!(
        report.leaks().iter().all(|leak| leak.kind == LeakKind::Descriptor && leak.what.contains("pipe")),
        "{report}"
    );
}

#[isolated_nats(process)]
async fn a_unix_listener() {
    let scratch = Scratch::new("unix");
    let guard = guard();
    let _listener = UnixListener::bind(scratch.path().join("socket")).unwrap();
    let report = guard.check().await.unwrap_err();
    assert_found_alone(&report, &[descriptor("unix").says("/socket")]);
}

#[isolated_nats(process)]
async fn a_pair_of_unix_sockets() {
    let guard = guard();
    let _pair = UnixStream::pair().unwrap();
    let report = guard.check().await.unwrap_err();
    let count: usize = report.leaks().iter().map(|leak| leak.count).sum();
    assert_eq!(count, 2, "{report}");
    assert!(
        report.leaks().iter().all(|leak| leak.kind == LeakKind::Descriptor && leak.what.contains("unix")),
        "{report}"
    );
}

/// And the pipe to it.
#[isolated_nats(process)]
async fn a_child() {
    let guard = guard();
    let child = Victim(cat("left-behind"));
    let report = guard.check().await.unwrap_err();
    let running = Group::new(LeakKind::Child, 1).named("left-behind").named(child.0.id().to_string());
    assert_found_alone(&report, &[running, descriptor("pipe")]);
}

#[isolated_nats(process)]
async fn a_child_beside_one_allowed() {
    let guard = at_rest().ignore_children("*allowed*").ignore_descriptors("pipe*").start();
    let children = [Victim(cat("allowed")), Victim(cat("other"))];
    let report = guard.check().await.unwrap_err();
    assert_found_alone(&report, &[Group::new(LeakKind::Child, 1).named("other")]);
    drop(children);
}

/// It has ended, and nobody has asked how.
#[isolated_nats(process)]
async fn a_child_not_waited_for() {
    let guard = guard();
    let child = Command::new("true").spawn().unwrap();
    wait_gone(child.id(), LONG).await;
    let report = guard.check().await.unwrap_err();
    let ended = Group::new(LeakKind::Child, 1).named(child.id().to_string());
    assert_found_alone(&report, &[ended.says("zombie")]);
    drop(Victim(child));
}

#[isolated_nats(process)]
async fn a_child_of_tokio() {
    let guard = at_rest().ignore_descriptors("*").start();
    let mut command = tokio::process::Command::new("cat");
    let mut child =
        command.args(["-", "tokios"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let (input, pid) = (child.stdin.take(), child.id().unwrap());
    drop(child); // without `kill_on_drop`
    let report = guard.check().await.unwrap_err();
    drop(input);
    assert_found_alone(&report, &[Group::new(LeakKind::Child, 1).named("tokios").named(pid.to_string())]);
}

/// A stuck blocking task, and the thread it keeps: one of the two is said.
#[isolated_nats(process, tasks = "off")]
async fn a_blocking_task() {
    let guard = guard();
    let (_release, released) = mpsc::channel::<()>();
    let line = line!() + 1;
    tokio::task::spawn_blocking(move || released.recv());
    let report = guard.check().await.unwrap_err();
    assert_found_alone(&report, &[Group::at(LeakKind::BlockingTask, 1, line)]);
}

/// The tasks of a client, and its socket.
#[isolated_nats(process, tasks = "off")]
async fn a_client(nats: isolated_nats::ExternalNats) {
    let guard = guard();
    let line = line!() + 1;
    let client = nats.client().await.unwrap();
    let report = guard.check().await.unwrap_err();
    let mut groups = super::client::clients(1, line);
    groups.push(descriptor(format!("127.0.0.1:{}", nats.port())));
    assert_found_alone(&report, &groups);
    drop(client);
}

#[isolated_nats(process)]
async fn an_allowance_of_no_use() {
    let guard = at_rest().ignore_threads("none-*").ignore_children("none-*").strict().start();
    let report = guard.check().await.unwrap_err();
    assert_found_alone(&report, &[]);
    assert_eq!(
        report.stale_ignores(),
        [r#"ignore_threads("none-*")"#, r#"ignore_children("none-*")"#],
        "{report}"
    );
}
