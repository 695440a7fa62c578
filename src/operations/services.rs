//! Services that consume and answer, for `LoadGeneratorBuilder::service`.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::kv::Store;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};

use super::connections::{closing_round_trip, nobody, round_trip};
use crate::load::{OperationError, Receiver, ServiceContext};
use crate::poll;

type Running = Pin<Box<dyn Future<Output = Result<(), OperationError>> + Send>>;

/// The next item; `None` when the run stops or the stream ends.
async fn next<S: Stream + Unpin>(
    mut stopping: Pin<&mut (impl Future<Output = ()> + Send)>,
    stream: &mut S,
) -> Option<S::Item> {
    poll_fn(|cx| match stopping.as_mut().poll(cx) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => stream.poll_next_unpin(cx),
    })
    .await
}

/// Counts a message, and tells the receiver of it if there is one.
fn note(context: &ServiceContext, receiver: Option<&Receiver>, message: &[u8]) {
    match receiver {
        Some(receiver) => drop(context.receive(receiver, message)),
        None => context.received(message),
    }
}

/// A service that subscribes and receives: [`subscriber`].
#[derive(Clone, Debug)]
pub struct SubscriberService {
    client: Client,
    subject: String,
    queue_group: Option<String>,
    receiver: Option<Receiver>,
}

/// Subscribes to `subject` and receives what comes: `.service("billing", 3, operations::subscriber(client, "orders").into_service())`.
///
/// Each instance has a subscription of its own, and so gets every message, unless they share a
/// [queue group](SubscriberService::queue_group). The figures have the delivery of messages that are
/// [stamped](super::Publish::stamped).
pub fn subscriber(client: Client, subject: impl Into<String>) -> SubscriberService {
    SubscriberService { client, subject: subject.into(), queue_group: None, receiver: None }
}

impl SubscriberService {
    /// Joins a queue group: each message goes to one of its members. Default: none.
    #[must_use]
    pub fn queue_group(mut self, name: impl Into<String>) -> Self {
        self.queue_group = Some(name.into());
        self
    }

    /// Tells a verifier's receiver of every message: [`Verifier::receiver`](crate::load::Verifier::receiver). Default: none. All
    /// instances tell the same one, which suits those that share the work.
    #[must_use]
    pub fn receiver(mut self, receiver: Receiver) -> Self {
        self.receiver = Some(receiver);
        self
    }

    /// Returns what the builder's `service` takes.
    pub fn into_service(self) -> impl Fn(ServiceContext) -> Running + Send + Sync + 'static {
        move |context| Box::pin(self.clone().run(context))
    }

    async fn run(self, context: ServiceContext) -> Result<(), OperationError> {
        let mut messages = subscribe(&self.client, self.subject, self.queue_group).await?;
        context.ready();
        let mut stopping = pin!(context.stopping());
        while let Some(message) = next(stopping.as_mut(), &mut messages).await {
            note(&context, self.receiver.as_ref(), &message.payload);
        }
        // What the server had routed when the run ended is under way, and no less received for that.
        let arrived = closing_round_trip(&self.client, &nobody(&self.client)).await;
        messages.unsubscribe().await?;
        while let Some(message) = messages.next().await {
            note(&context, self.receiver.as_ref(), &message.payload);
        }
        arrived
    }
}

/// Subscribes, and returns when the server has it.
async fn subscribe(
    client: &Client,
    subject: String,
    queue_group: Option<String>,
) -> Result<async_nats::Subscriber, OperationError> {
    let messages = match queue_group {
        Some(group) => client.queue_subscribe(subject, group).await?,
        None => client.subscribe(subject).await?,
    };
    // Without it the first messages may come before the subscription, and reach nobody.
    round_trip(client, &nobody(client)).await?;
    Ok(messages)
}

/// A service that answers requests: [`responder`].
#[derive(Clone)]
pub struct ResponderService {
    client: Client,
    subject: String,
    queue_group: Option<String>,
    delay: Duration,
    reply: Option<Bytes>,
}

/// Answers requests on `subject` with their own payload: `.service("responder", 2, operations::responder(client, "ask").into_service())`.
///
/// Its instances are in one queue group, so that each request has one answer. One request is answered after the other; with a
/// delay, each instance answers at most one for each delay.
pub fn responder(client: Client, subject: impl Into<String>) -> ResponderService {
    ResponderService {
        client,
        subject: subject.into(),
        queue_group: Some("responders".into()),
        delay: Duration::ZERO,
        reply: None,
    }
}

impl ResponderService {
    /// Names the queue group. Default: `responders`.
    #[must_use]
    pub fn queue_group(mut self, name: impl Into<String>) -> Self {
        self.queue_group = Some(name.into());
        self
    }

    /// Leaves the queue group: each instance answers each request, and the client takes the first answer.
    #[must_use]
    pub fn without_queue_group(mut self) -> Self {
        self.queue_group = None;
        self
    }

    /// How long to wait before each reply. Default: not at all.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// What to reply with. Default: the request's own payload.
    #[must_use]
    pub fn reply(mut self, payload: impl Into<Bytes>) -> Self {
        self.reply = Some(payload.into());
        self
    }

    /// Returns what the builder's `service` takes.
    pub fn into_service(self) -> impl Fn(ServiceContext) -> Running + Send + Sync + 'static {
        move |context| Box::pin(self.clone().run(context))
    }

    async fn run(self, context: ServiceContext) -> Result<(), OperationError> {
        let mut requests = subscribe(&self.client, self.subject, self.queue_group).await?;
        context.ready();
        let mut stopping = pin!(context.stopping());
        while let Some(request) = next(stopping.as_mut(), &mut requests).await {
            context.received(&request.payload);
            if !self.delay.is_zero() {
                poll::delay(self.delay).await;
            }
            let Some(reply) = request.reply else { continue };
            let payload = self.reply.clone().unwrap_or(request.payload);
            self.client.publish(reply, payload).await?;
        }
        requests.unsubscribe().await?;
        // The last replies are still in the client's buffer.
        Ok(self.client.flush().await?)
    }
}

impl fmt::Debug for ResponderService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponderService").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// A service that pulls and acknowledges: [`pull_consumer`].
#[derive(Clone, Debug)]
pub struct PullConsumerService {
    consumer: PullConsumer,
    batch: usize,
    receiver: Option<Receiver>,
}

/// Pulls messages from `consumer` and acknowledges each; its instances share the work.
pub fn pull_consumer(consumer: PullConsumer) -> PullConsumerService {
    PullConsumerService { consumer, batch: 200, receiver: None }
}

impl PullConsumerService {
    /// How many messages to ask for at once. Default: 200, which is the client's.
    #[must_use]
    pub fn batch(mut self, messages: usize) -> Self {
        self.batch = messages.max(1);
        self
    }

    /// Tells a verifier's receiver of every message: [`Verifier::receiver`](crate::load::Verifier::receiver). Default: none. All
    /// instances tell the same one, which suits those that share the work.
    #[must_use]
    pub fn receiver(mut self, receiver: Receiver) -> Self {
        self.receiver = Some(receiver);
        self
    }

    /// Returns what the builder's `service` takes.
    pub fn into_service(self) -> impl Fn(ServiceContext) -> Running + Send + Sync + 'static {
        move |context| Box::pin(self.clone().run(context))
    }

    async fn run(self, context: ServiceContext) -> Result<(), OperationError> {
        let mut messages = self.consumer.stream().max_messages_per_batch(self.batch).messages().await?;
        context.ready();
        let mut stopping = pin!(context.stopping());
        while let Some(message) = next(stopping.as_mut(), &mut messages).await {
            let message = message?;
            note(&context, self.receiver.as_ref(), &message.payload);
            message.ack().await?;
        }
        Ok(())
    }
}

/// A service that watches a bucket: [`watcher`].
#[derive(Clone, Debug)]
pub struct WatcherService {
    store: Store,
    key: String,
}

/// Watches all keys of a bucket; each instance sees every change from its start on.
pub fn watcher(store: Store) -> WatcherService {
    WatcherService { store, key: ">".into() }
}

impl WatcherService {
    /// Watches one key, or a pattern of keys such as `key.*`. Default: all.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// Returns what the builder's `service` takes.
    pub fn into_service(self) -> impl Fn(ServiceContext) -> Running + Send + Sync + 'static {
        move |context| Box::pin(self.clone().run(context))
    }

    async fn run(self, context: ServiceContext) -> Result<(), OperationError> {
        let mut entries = self.store.watch(&self.key).await?;
        context.ready();
        let mut stopping = pin!(context.stopping());
        while let Some(entry) = next(stopping.as_mut(), &mut entries).await {
            context.received(&entry?.value);
        }
        Ok(())
    }
}
