//! Against a real server, and over its recorded answers (`judge`).

mod judge;

use std::time::Duration;

use async_nats::jetstream::{consumer, kv, object_store, stream};
use async_nats::{Client, ConnectOptions};
use futures_util::StreamExt;

use super::*;
use crate::eventually;
use crate::leak::finding::{Leak, LeakKind};
use crate::leak::ignore::Ignored;

const LONG: Duration = Duration::from_secs(30);

async fn jetstream() -> ExternalNats {
    ExternalNats::builder().jetstream().start().await.unwrap()
}

/// What the guard does in its async forms: the runtime runs for a moment, then the server is asked on another thread.
async fn flushed(nats: &ExternalNats) -> ServerBaseline {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
    let baseline = ServerBaseline::take(nats).unwrap();
    crate::own_thread::on_own_thread("baseline", || baseline.flushed()).await
}

async fn ask(baseline: &ServerBaseline) -> Result<ServerState, NotChecked> {
    let question = baseline.question();
    crate::own_thread::on_own_thread("question", move || question.ask()).await
}

async fn judge(baseline: &ServerBaseline, ignores: &Ignores, strict: bool) -> Findings {
    baseline.judge(&ask(baseline).await.unwrap(), ignores, strict)
}

async fn found(baseline: &ServerBaseline) -> Vec<Leak> {
    judge(baseline, &Ignores::default(), false).await.leaks
}

/// Waits as the guard does; then it must stay clean.
async fn settles(baseline: &ServerBaseline) -> Findings {
    let clean = eventually("nothing is left", LONG, async || {
        let findings = judge(baseline, &Ignores::default(), false).await;
        if findings.leaks.is_empty() { Ok(findings) } else { Err(format!("{:?}", findings.leaks)) }
    });
    clean.await.unwrap()
}

/// The leaks once there are so many, for the server hears of some later than the client goes on, and once it is known
/// whose the connections are.
async fn leaks(baseline: &ServerBaseline, count: usize) -> Vec<Leak> {
    let leaks = eventually("the leaks are seen", LONG, async || {
        let changed = || baseline.question.changed.get();
        let lasts = changed().is_some_and(|first| first.elapsed() > PATIENCE);
        let state = ask(baseline).await.unwrap();
        let leaks = baseline.judge(&state, &Ignores::default(), false).leaks;
        if leaks.len() == count && (lasts || changed().is_none()) {
            Ok(leaks)
        } else {
            Err(format!("{leaks:?}"))
        }
    });
    leaks.await.unwrap()
}

async fn named(nats: &ExternalNats, name: &str) -> Client {
    nats.connect_options().name(name).connect(nats.url()).await.unwrap()
}

async fn make_stream(context: &async_nats::jetstream::Context, name: &str) -> stream::Stream {
    context.create_stream(stream::Config { name: name.into(), ..Default::default() }).await.unwrap()
}

fn texts(leaks: &[Leak]) -> Vec<(LeakKind, &str)> {
    leaks.iter().map(|leak| (leak.kind, leak.what.as_str())).collect()
}

#[tokio::test]
async fn a_client_that_is_kept_is_found_and_one_that_is_dropped_is_not() {
    let nats = ExternalNats::start().await.unwrap();
    let baseline = ServerBaseline::take(&nats).unwrap();
    let client = named(&nats, "kept").await;
    let subscription = client.queue_subscribe("orders.*", "workers".into()).await.unwrap();
    client.request("nobody", "".into()).await.unwrap_err(); // a flush does not wait for the server
    let leaks = leaks(&baseline, 1).await;
    assert_eq!((leaks[0].kind, leaks[0].count), (LeakKind::Connection, 1));
    assert!(leaks[0].what.starts_with("`kept` (rust 0."), "{leaks:?}");
    if cfg!(target_os = "linux") {
        assert!(leaks[0].what.ends_with(" of this process)"), "{leaks:?}");
    }
    assert_eq!(leaks[0].details, ["subscribed to `orders.*` (queue group `workers`)"]);
    assert!(leaks[0].hints[0].starts_with("an async-nats client"), "{leaks:?}");
    drop((client, subscription));
    settles(&baseline).await;
}

#[tokio::test]
async fn a_subscription_that_is_kept_on_a_client_of_before_is_found() {
    let nats = ExternalNats::start().await.unwrap();
    let client = named(&nats, "old").await;
    let mut before = client.subscribe("before").await.unwrap(); // not flushed: the server does not know it yet
    let sync = ServerBaseline::take(&nats).unwrap();
    let baseline = flushed(&nats).await;
    let queue = client.queue_subscribe("orders.*", "workers".into()).await.unwrap();
    let again = client.subscribe("before").await.unwrap();
    // The muxer's subscription is no leak.
    client.request("nobody", "".into()).await.unwrap_err();
    let leaks = leaks(&baseline, 2).await;
    assert!(leaks.iter().all(|leak| leak.kind == LeakKind::Subscription), "{leaks:?}");
    assert!(leaks[0].what.starts_with("`orders.*` (queue group `workers`) of `old` (rust"), "{leaks:?}");
    assert!(leaks[1].what.starts_with("`before` of `old`"), "{leaks:?}");
    // Without the flush, the one of before is new too: notes, and leaks when all is asked for.
    let findings = judge(&sync, &Ignores::default(), false).await;
    assert_eq!((findings.leaks.len(), findings.notes.len()), (0, 3), "{findings:?}");
    assert_eq!(judge(&sync, &Ignores::default(), true).await.leaks.len(), 3);
    drop((queue, again));
    settles(&baseline).await;
    before.unsubscribe().await.unwrap();
}

#[tokio::test]
async fn what_jetstream_keeps_is_found_until_it_is_deleted() {
    let nats = jetstream().await;
    let context = nats.jetstream().await.unwrap();
    let store = kv::Config { bucket: "before".into(), ..Default::default() };
    let store = context.create_key_value(store).await.unwrap();
    let old = make_stream(&context, "OLD").await;
    let baseline = flushed(&nats).await;

    store.put("key", "value".into()).await.unwrap();
    let orders = make_stream(&context, "ORDERS").await;
    context.publish("ORDERS", "1".into()).await.unwrap().await.unwrap();
    let durable =
        |name: &str| consumer::pull::Config { durable_name: Some(name.into()), ..Default::default() };
    orders.create_consumer(durable("inner")).await.unwrap();
    old.create_consumer(durable("left")).await.unwrap();
    context.create_key_value(kv::Config { bucket: "conf".into(), ..Default::default() }).await.unwrap();
    let objects = object_store::Config { bucket: "files".into(), ..Default::default() };
    context.create_object_store(objects).await.unwrap();

    let leaks = leaks(&baseline, 4).await;
    assert_eq!(
        texts(&leaks),
        [
            (LeakKind::Bucket, "key-value bucket `conf` (0 messages, 0 bytes)"),
            (LeakKind::Bucket, "object store `files` (0 messages, 0 bytes)"),
            (LeakKind::Consumer, "`left` of `OLD`, durable"),
            (LeakKind::Stream, "`ORDERS` (1 message, 37 bytes, 1 consumer)"),
        ]
    );
    let mut ignores = Ignores::default();
    for name in ["con?", "con*", "OBJ_files", "left", "ORDERS"] {
        ignores.add(Ignored::Names, name);
    }
    assert_eq!(judge(&baseline, &ignores, true).await.leaks, []);
    assert_eq!(ignores.stale(|_| true).collect::<Vec<_>>(), ["ignore_names(\"con?\")"]);

    context.delete_stream("ORDERS").await.unwrap();
    context.delete_key_value("conf").await.unwrap();
    context.delete_object_store("files").await.unwrap();
    old.delete_consumer("left").await.unwrap();
    // One that is made anew under the name of one of before was there before.
    context.delete_stream("OLD").await.unwrap();
    make_stream(&context, "OLD").await;
    settles(&baseline).await;
}

#[tokio::test]
async fn what_the_server_removes_by_itself_is_a_note_and_a_leak_only_when_strict() {
    let nats = jetstream().await;
    let context = nats.jetstream().await.unwrap();
    let stream = make_stream(&context, "ORDERS").await;
    let store = kv::Config { bucket: "conf".into(), ..Default::default() };
    let store = context.create_key_value(store).await.unwrap();
    let baseline = flushed(&nats).await;

    stream.create_consumer(consumer::pull::Config::default()).await.unwrap();
    let ordered = stream.create_consumer(consumer::pull::OrderedConfig::default()).await.unwrap();
    drop(ordered.messages().await.unwrap());
    drop(store.watch_all().await.unwrap());

    let notes = settles(&baseline).await.notes;
    assert_eq!(notes.len(), 3, "{notes:?}");
    assert!(notes[0].starts_with("ephemeral consumer `"), "{notes:?}");
    let ends = |note: &str, seconds: u32| note.ends_with(&format!("after {seconds}s of inactivity"));
    assert_eq!(notes.iter().filter(|note| ends(note, 5)).count(), 1, "{notes:?}");
    assert_eq!(notes.iter().filter(|note| ends(note, 30)).count(), 2, "{notes:?}");
    assert!(notes.iter().any(|note| note.contains("of key-value bucket `conf`")), "{notes:?}");
    let leaks = judge(&baseline, &Ignores::default(), true).await.leaks;
    assert_eq!(leaks.len(), 3, "{leaks:?}");
    assert!(leaks.iter().all(|leak| leak.kind == LeakKind::Consumer && leak.what.ends_with(", ephemeral")));
}

#[tokio::test]
async fn a_server_that_is_down_or_paused_is_not_checked_and_says_why() {
    let nats = ExternalNats::start().await.unwrap();
    let baseline = ServerBaseline::take(&nats).unwrap();
    let why = async || ask(&baseline).await.unwrap_err().why;
    nats.kill().unwrap();
    assert_eq!(why().await, "stopped by the test (killed by `kill`)");
    nats.restart().await.unwrap();
    nats.stop().await.unwrap();
    assert_eq!(why().await, "stopped by the test (stopped by `stop`)");
    nats.restart().await.unwrap();
    settles(&baseline).await;
    #[cfg(unix)]
    {
        nats.pause().unwrap();
        assert_eq!(why().await, "it does not answer (is it paused?)");
        nats.resume().unwrap();
        settles(&baseline).await;
    }
    nats.clone().shutdown().await.unwrap();
    assert_eq!(why().await, "stopped by the test (ended by `shutdown`)");
    let dir = nats.dir().to_owned();
    drop(nats); // the last handle: the baseline keeps none
    assert!(!dir.exists());
    assert_eq!(why().await, "it has ended");
    assert_eq!(ask(&baseline).await.unwrap_err().what, "server");
}

#[tokio::test]
async fn clients_of_before_come_back_after_a_restart_and_only_new_ones_are_found() {
    let nats = ExternalNats::start().await.unwrap();
    let (silent, asking) = (nats.client().await.unwrap(), nats.client().await.unwrap());
    let mut subscription = silent.subscribe("orders").await.unwrap();
    asking.request("nobody", "".into()).await.unwrap_err();
    let baseline = flushed(&nats).await;
    nats.restart().await.unwrap();
    eventually("both are back", LONG, async || match nats.monitor().varz().await.unwrap().connections {
        2 => Ok(()),
        connections => Err(format!("{connections} connections")),
    })
    .await
    .unwrap();
    settles(&baseline).await;
    // It is the old subscription, and it works.
    asking.publish("orders", "1".into()).await.unwrap();
    subscription.next().await.unwrap();

    let new = nats.client().await.unwrap();
    let found = leaks(&baseline, 1).await;
    assert_eq!(found[0].count, 1, "{found:?}");
    drop(new);
    settles(&baseline).await;
    // What they subscribe to since is found on them.
    let more = silent.subscribe("more").await.unwrap();
    let found = leaks(&baseline, 1).await;
    assert_eq!(found[0].kind, LeakKind::Subscription, "{found:?}");
    drop(more);

    // A baseline that does not know who may come back does not say that something is new.
    let late = ServerBaseline::take(&nats).unwrap();
    assert_eq!(judge(&late, &Ignores::default(), false).await, Findings::default());
    let _new = nats.client().await.unwrap();
    let findings = judge(&late, &Ignores::default(), false).await;
    assert_eq!((findings.leaks.len(), findings.not_checked.len()), (0, 1), "{findings:?}");
    assert!(findings.not_checked[0].why.starts_with("the server was restarted before the guard"));
}

#[tokio::test]
async fn what_is_allowed_is_not_found_and_what_allows_nothing_is_stale() {
    let nats = ExternalNats::start().await.unwrap();
    let old = named(&nats, "old").await;
    let baseline = flushed(&nats).await;
    let _client = named(&nats, "pool-1").await;
    let _subscription = old.subscribe("audit.eu").await.unwrap();
    old.request("nobody", "".into()).await.unwrap_err(); // a flush does not wait for the server
    let mut ignores = Ignores::default();
    ignores.add(Ignored::Names, "pool-*");
    ignores.add(Ignored::Names, "old"); // it was there before: nothing is to be allowed
    ignores.add(Ignored::Subjects, "audit.>");
    ignores.add(Ignored::Subjects, "orders");
    assert_eq!(judge(&baseline, &ignores, false).await.leaks, []);
    let stale: Vec<_> = ignores.stale(|_| true).collect();
    assert_eq!(stale, ["ignore_names(\"old\")", "ignore_subjects(\"orders\")"]);
}

#[tokio::test]
async fn accounts_are_told_apart() {
    let accounts = "accounts { A: { jetstream: enabled, users: [{user: a, password: a}] }, \
                    B: { jetstream: enabled, users: [{user: b, password: b}] } }";
    let nats = ExternalNats::builder().jetstream().config(accounts).start().await.unwrap();
    let connect = async |user: &str| {
        let options = ConnectOptions::new().user_and_password(user.into(), user.into());
        async_nats::jetstream::new(options.connect(nats.url()).await.unwrap())
    };
    let (a, b) = (connect("a").await, connect("b").await);
    make_stream(&a, "ORDERS").await;
    let baseline = flushed(&nats).await;
    make_stream(&b, "ORDERS").await;
    let _new = connect("b").await;
    let leaks = leaks(&baseline, 2).await;
    assert_eq!(leaks[0].details, ["account `B`"]);
    assert_eq!(leaks[1].what, "`ORDERS` of account `B` (0 messages, 0 bytes)");
}

#[tokio::test]
async fn hundreds_of_streams_and_clients_are_all_seen() {
    let nats = jetstream().await;
    let context = nats.jetstream().await.unwrap();
    let memory =
        |name: String| stream::Config { name, storage: stream::StorageType::Memory, ..Default::default() };
    for number in 0..150 {
        context.create_stream(memory(format!("OLD-{number}"))).await.unwrap();
    }
    let old: Vec<_> = futures_util::future::join_all((0..40).map(|_| nats.client())).await;
    let baseline = flushed(&nats).await;
    settles(&baseline).await;
    for number in 0..150 {
        context.create_stream(memory(format!("NEW-{number}"))).await.unwrap();
    }
    let new: Vec<_> = futures_util::future::join_all((0..120).map(|_| nats.client())).await;
    let leaks = leaks(&baseline, 151).await;
    let count = |kind| leaks.iter().filter(|leak| leak.kind == kind).map(|leak| leak.count).sum::<usize>();
    assert_eq!((count(LeakKind::Connection), count(LeakKind::Stream)), (120, 150));
    assert!(leaks[0].what.ends_with(" and 110 more"), "{:?}", leaks[0]);
    drop((old, new));
    eventually("the clients have gone", LONG, async || match found(&baseline).await {
        leaks if leaks.len() == 150 => Ok(()),
        leaks => Err(leaks.len().to_string()),
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_shared_server_is_not_checked_between_tests() {
    let nats = ExternalNats::shared().await.unwrap();
    let taken = ServerBaseline::take(&nats);
    if alone().is_some() {
        taken.unwrap();
    } else {
        let why = taken.unwrap_err().why;
        assert!(why.starts_with("shared by the tests of this process (its connections"), "{why}");
    }
}
