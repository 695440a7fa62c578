//! Core NATS: publish, subscribe, request.

use std::time::Duration;

use async_nats::{Client, ConnectOptions, HeaderMap, Request, RequestErrorKind};
use futures_util::StreamExt;
use isolated_nats::{ExternalNats, LeakGuard, isolated_nats, leak_checked};
use tokio::task::JoinSet;

use super::support::{LONG, no_alarm, watch};

#[tokio::test]
async fn publish_and_flush() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = watch(&nats);
    let client = nats.client().await.unwrap();
    client.publish("orders", "a book".into()).await.unwrap();
    client.flush().await.unwrap();
    drop(client);
    no_alarm(guard).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publish_without_flush() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = watch(&nats);
    let client = nats.client().await.unwrap();
    for _ in 0..100 {
        client.publish("orders", "a book".into()).await.unwrap();
    }
    drop(client);
    no_alarm(guard).await;
}

#[isolated_nats]
async fn publish_with_headers_and_reply(client: Client) {
    let mut orders = client.subscribe("orders").await.unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("Kind", "book");
    client.publish_with_reply_and_headers("orders", "answers", headers, "1".into()).await.unwrap();
    let message = orders.next().await.unwrap();
    assert_eq!(message.reply.as_deref(), Some("answers"));
    assert_eq!(message.headers.unwrap().get("Kind").unwrap().as_str(), "book");
}

#[tokio::test]
async fn subscribe_and_drop_the_subscription_first() {
    let nats = ExternalNats::start().await.unwrap();
    let client = nats.client().await.unwrap();
    let guard = watch(&nats);
    let mut orders = client.subscribe("orders.*").await.unwrap();
    client.publish("orders.eu", "a book".into()).await.unwrap();
    assert_eq!(orders.next().await.unwrap().subject.as_str(), "orders.eu");
    drop(orders);
    no_alarm(guard).await; // the client was there before, and stays
    client.flush().await.unwrap();
}

#[tokio::test]
async fn subscribe_and_drop_the_client_first() {
    leak_checked(async {
        let nats = ExternalNats::start().await.unwrap();
        let client = nats.client().await.unwrap();
        let subscription = client.subscribe("orders").await.unwrap();
        drop(client);
        drop(subscription);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queue_subscribe() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = watch(&nats);
    let client = nats.client().await.unwrap();
    let mut first = client.queue_subscribe("jobs", "workers".into()).await.unwrap();
    let mut second = client.queue_subscribe("jobs", "workers".into()).await.unwrap();
    client.publish("jobs", "1".into()).await.unwrap();
    tokio::select! {
        message = first.next() => assert!(message.is_some()),
        message = second.next() => assert!(message.is_some()),
    }
    drop((first, second, client));
    no_alarm(guard).await;
}

#[tokio::test]
async fn unsubscribe_now_later_and_by_drain() {
    let nats = ExternalNats::start().await.unwrap();
    let client = nats.client().await.unwrap();
    let guard = watch(&nats);
    let mut now = client.subscribe("a").await.unwrap();
    let mut later = client.subscribe("a").await.unwrap();
    let mut drained = client.subscribe("a").await.unwrap();
    later.unsubscribe_after(2).await.unwrap();
    now.unsubscribe().await.unwrap();
    client.publish("a", "1".into()).await.unwrap();
    client.publish("a", "2".into()).await.unwrap();
    client.flush().await.unwrap();
    drained.drain().await.unwrap();
    assert_eq!((later.count().await, drained.count().await), (2, 2));
    assert!(now.next().await.is_none());
    drop(now);
    no_alarm(guard).await;
}

#[tokio::test]
async fn drain_a_client() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = watch(&nats);
    let client = nats.client().await.unwrap();
    let subscription = client.subscribe("orders").await.unwrap();
    client.publish("orders", "a book".into()).await.unwrap();
    client.flush().await.unwrap();
    client.drain().await.unwrap();
    assert_eq!(subscription.count().await, 1);
    drop(client);
    no_alarm(guard).await;
}

#[tokio::test]
async fn request_and_reply_by_a_task_that_ends_with_its_subscription() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = watch(&nats);
    let client = nats.client().await.unwrap();
    let mut questions = client.subscribe("time").await.unwrap();
    let responder = tokio::spawn({
        let client = client.clone();
        async move {
            let question = questions.next().await.unwrap();
            client.publish(question.reply.unwrap(), "noon".into()).await.unwrap();
        }
    });
    assert_eq!(client.request("time", "".into()).await.unwrap().payload.as_ref(), b"noon");
    responder.await.unwrap();
    drop(client);
    no_alarm(guard).await;
}

/// The responder ends because the last message that it waits for has come; nobody joins it.
#[isolated_nats(flavor = "multi_thread", worker_threads = 2)]
async fn request_and_reply_by_a_detached_task(client: Client) {
    let questions = client.subscribe("time").await.unwrap();
    let responder = client.clone();
    tokio::spawn(async move {
        let mut questions = questions.take(10);
        while let Some(question) = questions.next().await {
            responder.publish(question.reply.unwrap(), "noon".into()).await.unwrap();
        }
    });
    for _ in 0..10 {
        client.request("time", "".into()).await.unwrap();
    }
}

#[tokio::test]
async fn requests_without_an_answer() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = watch(&nats);
    let client = nats.client().await.unwrap();
    let nobody = client.request("nobody", "".into()).await.unwrap_err();
    assert_eq!(nobody.kind(), RequestErrorKind::NoResponders);
    let silent = client.subscribe("silent").await.unwrap();
    let short = Request::new().timeout(Some(Duration::from_millis(2)));
    let late = client.send_request("silent", short).await.unwrap_err();
    assert_eq!(late.kind(), RequestErrorKind::TimedOut);
    let outer = tokio::time::timeout(Duration::from_millis(2), client.request("silent", "".into())).await;
    assert!(outer.is_err());
    drop((silent, client));
    no_alarm(guard).await;
}

#[tokio::test]
async fn many_clients() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = watch(&nats);
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(nats.client().await.unwrap());
    }
    let mut subscriptions = Vec::new();
    for client in &clients {
        subscriptions.push(client.subscribe("all").await.unwrap());
    }
    drop(clients);
    drop(subscriptions);
    no_alarm(guard).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clones_of_a_client_in_tasks_that_end() {
    let nats = ExternalNats::start().await.unwrap();
    LeakGuard::builder()
        .server(&nats)
        .run(async {
            let client = nats.client().await.unwrap();
            let mut tasks = JoinSet::new();
            for number in 0..20 {
                let client = client.clone();
                tasks.spawn(async move {
                    let mut own = client.subscribe(format!("own.{number}")).await.unwrap();
                    client.publish(format!("own.{number}"), "1".into()).await.unwrap();
                    own.next().await.unwrap()
                });
            }
            assert_eq!(tasks.join_all().await.len(), 20);
        })
        .await;
}

/// tokio looks up names on a blocking thread, which then waits 10 s for more.
#[tokio::test]
async fn connect_by_localhost() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = watch(&nats);
    let client = async_nats::connect(format!("localhost:{}", nats.port())).await.unwrap();
    client.flush().await.unwrap();
    drop(client);
    no_alarm(guard).await;
}

#[tokio::test]
async fn connect_with_options_and_an_event_callback() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = watch(&nats);
    let (events, mut told) = tokio::sync::mpsc::unbounded_channel();
    let options = nats.connect_options().name("orders").ping_interval(Duration::from_millis(1));
    let options = options.custom_inbox_prefix("answers").request_timeout(Some(LONG)).no_echo();
    let options = options.event_callback(move |event| {
        let events = events.clone();
        async move { events.send(event).unwrap() }
    });
    let client = options.connect(nats.url()).await.unwrap();
    assert_eq!(told.recv().await, Some(async_nats::Event::Connected));
    client.publish("orders", "a book".into()).await.unwrap();
    drop(client);
    no_alarm(guard).await;
}

#[tokio::test]
async fn connect_with_a_password_right_and_wrong() {
    let nats = ExternalNats::builder().user("ann", "secret").start().await.unwrap();
    let guard = watch(&nats);
    let client = nats.client().await.unwrap();
    client.flush().await.unwrap();
    let wrong = ConnectOptions::with_user_and_password("ann".into(), "guess".into());
    assert!(wrong.connect(format!("127.0.0.1:{}", nats.port())).await.is_err());
    drop(client);
    no_alarm(guard).await;
}

#[tokio::test]
async fn a_first_request_of_a_client_of_before() {
    let nats = ExternalNats::start().await.unwrap();
    let cell = tokio::sync::OnceCell::new();
    let client: &Client = cell.get_or_init(async || nats.client().await.unwrap()).await;
    let guard = watch(&nats);
    let mut echo = client.subscribe("echo").await.unwrap();
    client.publish("echo", "1".into()).await.unwrap();
    assert!(echo.next().await.is_some());
    echo.unsubscribe().await.unwrap();
    assert!(client.request("nobody", "".into()).await.is_err()); // its inbox subscription stays
    drop(echo);
    no_alarm(guard).await;
}

/// A subscription is dropped with messages in it, another before it has reached the server.
#[tokio::test]
async fn messages_that_nobody_reads() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = watch(&nats);
    let client = nats.client().await.unwrap();
    let subscription = client.subscribe("orders").await.unwrap();
    for _ in 0..1000 {
        client.publish("orders", "a book".into()).await.unwrap();
    }
    client.flush().await.unwrap();
    let never_sent = client.subscribe("late").await.unwrap();
    drop((subscription, never_sent));
    drop(client);
    no_alarm(guard).await;
}

#[tokio::test]
async fn streams_merged_and_forwarded() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = watch(&nats);
    {
        let client = nats.client().await.unwrap();
        let a = client.subscribe("a").await.unwrap();
        let b = client.subscribe("b").await.unwrap();
        client.publish("a", "1".into()).await.unwrap();
        client.publish("b", "2".into()).await.unwrap();
        let both = futures_util::stream::select(a, b).take(2).collect::<Vec<_>>();
        assert_eq!(both.await.len(), 2);
    }
    no_alarm(guard).await;
}
