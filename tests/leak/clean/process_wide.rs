//! Tests in processes of their own, where threads, descriptors and children are looked at too.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use isolated_nats::{ExternalNats, LeakGuard, MemoryProbe, eventually, isolated_nats};
use tokio::io::AsyncReadExt;
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;

use super::support::{LONG, connected_again, no_alarm, watch};

#[isolated_nats(process)]
async fn threads_joined_and_scoped(_nats: ExternalNats) {
    let guard = LeakGuard::new();
    let named = std::thread::Builder::new().name("a worker".into()).spawn(|| 7).unwrap();
    assert_eq!(named.join().unwrap(), 7);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| std::hint::black_box(vec![0; 1000]));
        }
    });
    no_alarm(guard).await;
}

#[isolated_nats(process)]
async fn a_pool_of_threads_that_ends_with_its_queue() {
    let guard = LeakGuard::new();
    let (jobs, queue) = std::sync::mpsc::channel::<u32>();
    let (results, sums) = std::sync::mpsc::channel();
    let worker = std::thread::spawn(move || results.send(queue.iter().sum::<u32>()).unwrap());
    (1..=10).for_each(|job| jobs.send(job).unwrap());
    drop(jobs);
    assert_eq!(sums.recv().unwrap(), 55);
    worker.join().unwrap();
    no_alarm(guard).await;
}

/// A detached thread that is about to end is no leak: the verdict waits for it.
#[isolated_nats(process, flavor = "multi_thread", worker_threads = 2)]
async fn a_detached_thread_that_ends(guard: LeakGuard) {
    let (done, is_done) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || done.send(1).unwrap());
    assert_eq!(is_done.await.unwrap(), 1);
    no_alarm(guard).await;
}

#[isolated_nats(process)]
async fn files_pipes_and_sockets_closed() {
    let guard = LeakGuard::new();
    let path = std::env::temp_dir().join(format!("isolated-nats-clean-{}", std::process::id()));
    File::create(&path).unwrap().write_all(b"a book").unwrap();
    let mut text = String::new();
    File::open(&path).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(tokio::fs::read(&path).await.unwrap(), b"a book");
    std::fs::remove_file(&path).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    drop((listener.accept().unwrap(), stream, listener));
    drop(std::io::pipe().unwrap());
    no_alarm(guard).await;
}

#[isolated_nats(process)]
async fn sockets_of_tokio_closed(guard: LeakGuard) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut peer, _) = listener.accept().await.unwrap();
        peer.read_to_end(&mut Vec::new()).await.unwrap()
    });
    drop(tokio::net::TcpStream::connect(address).await.unwrap());
    assert_eq!(server.await.unwrap(), 0);
    drop(tokio::net::UdpSocket::bind(("127.0.0.1", 0)).await.unwrap());
    no_alarm(guard).await;
}

/// The first child of tokio in a process opens two sockets for signals, for ever.
#[cfg(unix)]
#[isolated_nats(process)]
async fn children_of_tokio_awaited_and_killed() {
    let guard = LeakGuard::new();
    assert!(tokio::process::Command::new("true").status().await.unwrap().success());
    let mut cat = tokio::process::Command::new("cat");
    let cat = cat.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    assert!(cat.wait_with_output().await.unwrap().stdout.is_empty());
    let endless = tokio::process::Command::new("cat").stdin(Stdio::piped()).kill_on_drop(true).spawn();
    drop(endless.unwrap());
    no_alarm(guard).await;
}

#[cfg(unix)]
#[isolated_nats(process, flavor = "multi_thread", worker_threads = 2)]
async fn children_of_std_waited_for() {
    let guard = LeakGuard::new();
    assert!(Command::new("true").status().unwrap().success());
    let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let echo = spawn_blocking(|| Command::new("echo").arg("a book").output().unwrap()).await.unwrap();
    assert_eq!(echo.stdout, b"a book\n");
    no_alarm(guard).await;
}

#[isolated_nats(process)]
async fn clients_by_address_and_by_name(guard: LeakGuard, nats: ExternalNats) {
    let by_name = async_nats::connect(format!("localhost:{}", nats.port())).await.unwrap();
    let by_address = nats.client().await.unwrap();
    let mut orders = by_name.subscribe("orders").await.unwrap();
    by_name.publish("orders", "a book".into()).await.unwrap();
    by_address.publish("offers", "a book".into()).await.unwrap();
    futures_util::StreamExt::next(&mut orders).await.unwrap();
    drop((orders, by_name, by_address));
    no_alarm(guard).await;
}

#[isolated_nats(process, flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_before_with_a_new_socket(nats: ExternalNats, client: async_nats::Client) {
    let guard = watch(&nats);
    nats.restart().await.unwrap();
    connected_again(&nats, &client, 1).await;
    no_alarm(guard).await;
}

#[isolated_nats(process)]
async fn a_second_server_within_the_check() {
    let guard = LeakGuard::new();
    let nats = ExternalNats::builder().jetstream().start().await.unwrap();
    drop(nats.jetstream().await.unwrap());
    nats.monitor().varz().await.unwrap();
    nats.shutdown().await.unwrap();
    no_alarm(guard).await;
}

/// What this crate itself begins within a check ends, or is none of the test's business.
#[isolated_nats(process)]
async fn probes_waits_and_monitors_of_this_crate(nats: ExternalNats) {
    let guard = watch(&nats);
    let probe = MemoryProbe::start();
    let client = nats.client().await.unwrap();
    eventually("a connection", LONG, async || match nats.monitor().varz().await.unwrap().connections {
        1 => Ok(()),
        other => Err(other),
    })
    .await
    .unwrap();
    drop(client);
    probe.settle().await;
    probe.finish();
    no_alarm(guard).await;
}

#[isolated_nats(process)]
async fn runtimes_of_ones_own() {
    let guard = LeakGuard::new();
    let thread = std::thread::spawn(|| {
        let one = Builder::new_current_thread().enable_all().build().unwrap();
        one.block_on(async { spawn_blocking(|| ()).await.unwrap() });
        let many = Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap();
        many.block_on(async { tokio::spawn(async {}).await.unwrap() });
    });
    thread.join().unwrap();
    no_alarm(guard).await;
}

/// Threads of the blocking pool stay for 10 s, with nothing to do.
#[isolated_nats(process, flavor = "multi_thread")]
async fn idle_threads_of_the_blocking_pool(guard: LeakGuard) {
    let work = (0..10).map(|number| spawn_blocking(move || number * 2));
    for work in work.collect::<Vec<_>>() {
        work.await.unwrap();
    }
    no_alarm(guard).await;
}

#[tokio::test]
async fn a_body_run_alone() {
    LeakGuard::builder()
        .run_alone(async {
            let nats = ExternalNats::start().await.unwrap();
            nats.client().await.unwrap().flush().await.unwrap();
        })
        .await;
}
