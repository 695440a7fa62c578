//! Programs in which something looks like a leak, and is none.

use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Poll, Waker};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use isolated_nats::{ExternalNats, LeakGuard, isolated_nats};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{LocalSet, block_in_place, spawn_blocking, spawn_local};
use tokio::time::interval;

use super::support::{no_alarm, watch};

/// Blocks of the alignment that tokio gives its tasks, as every padded counter and queue has them.
#[repr(align(128))]
struct Padded([u64; 32]);

#[tokio::test]
async fn memory_aligned_as_tasks_are() {
    let guard = LeakGuard::new();
    let blocks: Vec<_> = (0..200).map(|number| Box::new(Padded([number; 32]))).collect();
    let many = (0..100).map(|_| Padded([0; 32])).collect::<Vec<_>>();
    let (sender, receiver) = mpsc::unbounded_channel();
    for number in 0..1000 {
        sender.send([number; 10]).unwrap();
    }
    no_alarm(guard).await;
    assert!(blocks[7].0[0] == 7 && many.len() == 100 && receiver.len() == 1000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waker_of_a_task_that_has_ended() {
    let guard = LeakGuard::new();
    let (give, given) = oneshot::channel::<Waker>();
    let mut give = Some(give);
    let task = tokio::spawn(poll_fn(move |context| {
        give.take().unwrap().send(context.waker().clone()).unwrap();
        Poll::Ready(())
    }));
    let waker = given.await.unwrap();
    task.await.unwrap();
    no_alarm(guard).await;
    waker.wake();
}

#[tokio::test]
async fn a_handle_into_a_runtime_that_is_no_more() {
    let guard = LeakGuard::new();
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let task = runtime.spawn(pending::<()>());
    runtime.shutdown_background();
    while !task.is_finished() {
        tokio::task::yield_now().await;
    }
    no_alarm(guard).await;
    assert!(task.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn local_tasks_of_before() {
    LocalSet::new()
        .run_until(async {
            let task = spawn_local(pending::<()>());
            let guard = LeakGuard::new();
            spawn_local(async {}).await.unwrap();
            no_alarm(guard).await;
            task.abort();
        })
        .await;
}

/// What was there before serves each connection in a task of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_before_that_spawns_for_each_connection() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        loop {
            let (mut peer, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let (mut read, mut write) = peer.split();
                tokio::io::copy(&mut read, &mut write).await.unwrap();
            });
        }
    });
    let guard = LeakGuard::new();
    for _ in 0..5 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"a book").await.unwrap();
        stream.read_exact(&mut [0; 6]).await.unwrap();
    }
    no_alarm(guard).await;
    server.abort();
}

/// There is always one that has just begun or is about to end.
#[tokio::test]
async fn a_task_of_before_that_spawns_now_and_then() {
    let ticker = tokio::spawn(async {
        let mut ticks = interval(Duration::from_millis(1));
        loop {
            ticks.tick().await;
            tokio::spawn(async { tokio::task::yield_now().await });
        }
    });
    let guard = LeakGuard::new();
    tokio::task::yield_now().await;
    no_alarm(guard).await;
    ticker.abort();
}

#[tokio::test]
async fn guards_one_after_the_other() {
    let nats = ExternalNats::start().await.unwrap();
    for _ in 0..5 {
        let guard = watch(&nats);
        nats.client().await.unwrap().flush().await.unwrap();
        drop(tokio::spawn(async {}));
        no_alarm(guard).await;
    }
}

/// The server has not heard of the subscription when the guard begins.
#[tokio::test]
async fn a_subscription_of_before_that_is_still_under_way() {
    let nats = ExternalNats::start().await.unwrap();
    let client = nats.client().await.unwrap();
    let mut orders = client.subscribe("orders").await.unwrap();
    let guard = watch(&nats);
    client.publish("orders", "a book".into()).await.unwrap();
    orders.next().await.unwrap();
    no_alarm(guard).await;
}

#[tokio::test]
async fn panics_caught_within_detached_tasks() {
    let guard = LeakGuard::new();
    drop(tokio::spawn(AssertUnwindSafe(async { panic!("caught by the future") }).catch_unwind()));
    drop(spawn_blocking(|| catch_unwind(|| panic!("caught by the closure")).is_err()));
    let (panicked, has_panicked) = oneshot::channel();
    drop(tokio::spawn(async move {
        let inner = tokio::spawn(async { panic!("seen by the task that spawned it") });
        panicked.send(inner.await.is_err()).unwrap();
    }));
    assert!(has_panicked.await.unwrap());
    no_alarm(guard).await;
}

/// tokio then starts another thread, which takes the worker's place.
#[isolated_nats(process, flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_blocks_in_place(guard: LeakGuard) {
    for _ in 0..4 {
        tokio::spawn(async { block_in_place(|| std::hint::black_box(vec![1; 1 << 20])) }).await.unwrap();
    }
    no_alarm(guard).await;
}

#[isolated_nats(process)]
async fn a_client_of_before_that_is_forced_to_reconnect(client: async_nats::Client, guard: LeakGuard) {
    let mut orders = client.subscribe("orders").await.unwrap();
    client.force_reconnect().await.unwrap();
    while tokio::time::timeout(Duration::from_millis(20), orders.next()).await.is_err() {
        client.publish("orders", "a book".into()).await.unwrap();
    }
    drop(orders);
    no_alarm(guard).await;
}

/// Their counters are aligned as tasks are, the first is as large as a task's state, and between them is what was there before.
#[tokio::test]
async fn channels_of_std_that_have_been_used() {
    let guard = LeakGuard::new();
    let channels: Vec<_> = (0..40).map(|_| std::sync::mpsc::channel::<usize>()).collect();
    for (sender, receiver) in &channels {
        for number in 0..31 {
            sender.send(number).unwrap();
            receiver.recv().unwrap();
        }
    }
    no_alarm(guard).await;
    drop(channels);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channels_with_many_senders_on_many_threads() {
    let background: Vec<_> = (0..100).map(|_| tokio::spawn(pending::<()>())).collect();
    let guard = LeakGuard::new();
    let channels: Vec<_> = (0..40).map(|_| mpsc::channel::<usize>(8)).collect();
    let senders: Vec<_> = channels.iter().flat_map(|(sender, _)| vec![sender.clone(); 64]).collect();
    let sync: Vec<_> = (0..40).map(|_| std::sync::mpsc::sync_channel::<usize>(64)).collect();
    for (sender, receiver) in &sync {
        for number in 0..65 {
            sender.send(number).unwrap();
            receiver.recv().unwrap();
        }
    }
    no_alarm(guard).await;
    drop((background, channels, senders, sync));
}

/// The number of a task that panics, and that others have in their own data.
#[tokio::test]
async fn a_panic_that_is_awaited_beside_tasks_with_small_numbers() {
    let guard = LeakGuard::new();
    let (end, ended) = tokio::sync::watch::channel(());
    let workers: Vec<_> = (0..64_usize)
        .map(|shard| {
            let mut ended = ended.clone();
            tokio::spawn(async move {
                let _ = ended.changed().await;
                std::hint::black_box(shard)
            })
        })
        .collect();
    let panics = tokio::spawn(async { panic!("on purpose") });
    assert!(panics.await.unwrap_err().is_panic());
    drop((end, workers));
    no_alarm(guard).await;
}

#[tokio::test]
async fn background_work_of_any_kind() {
    let guard = LeakGuard::new();
    let (release, released) = std::sync::mpsc::channel::<()>();
    guard.background(&spawn_blocking(move || released.recv().is_ok()));
    let local = LocalSet::new();
    guard.background(&local.spawn_local(pending::<()>()));
    let mut set = tokio::task::JoinSet::new();
    guard.background_task(set.spawn(pending::<()>()));
    no_alarm(guard).await;
    drop((release, set));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_task_that_asks() {
    let guard = LeakGuard::new();
    tokio::spawn(no_alarm(guard)).await.unwrap();
    tokio::spawn(isolated_nats::leak_checked(async { tokio::spawn(async {}).await.unwrap() })).await.unwrap();
}

#[tokio::test]
async fn the_task_that_asks_in_a_local_set() {
    let guard = LeakGuard::new();
    let set = LocalSet::new();
    set.run_until(async { spawn_local(no_alarm(guard)).await.unwrap() }).await;
}

/// The check learns to read a runtime's memory by a task of its own, which nobody is to see.
#[isolated_nats]
async fn no_task_at_the_start_of_a_test() {
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
}

/// A server that goes on when a handler of it panics.
#[tokio::test]
async fn a_panic_that_is_allowed() {
    let guard = LeakGuard::builder().ignore_panics("on purpose*").start();
    drop(tokio::spawn(async { panic!("on purpose, in a handler") }));
    no_alarm(guard).await;
}
