//! Publishes with an ack, and pull consumers.

use std::fmt;
use std::future::IntoFuture as _;
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::context::PublishAckFuture;
use futures_util::StreamExt as _;

use super::connections::{Connections, Held, Source};
use super::popularity::Popularity;
use super::stamps::{Mark, Publishers, Stamps};
use super::subjects::Subjects;
use crate::load::{OperationContext, OperationError, Verifier, Workload};

/// A JetStream publish that waits for its ack: [`jetstream_publish`].
///
/// It has an item for each message that was acknowledged, and the bytes of its payload.
#[derive(Clone, Debug)]
pub struct JetStreamPublish {
    source: Source<Context>,
    subjects: Subjects,
    stamps: Stamps,
    batch: usize,
}

/// Publishes the payload into the stream of `subject`; done when the server has acknowledged that it is stored.
///
/// The context has at most 5 000 acks outstanding unless its builder says otherwise (`max_ack_inflight`), and more than that
/// fail: workers times [`JetStreamPublish::batch`] must stay below.
pub fn jetstream_publish(context: Context, subject: impl Into<String>) -> JetStreamPublish {
    JetStreamPublish {
        source: Source::new(context),
        subjects: Subjects::one(subject.into()),
        stamps: Stamps::default(),
        batch: 1,
    }
}

impl JetStreamPublish {
    /// Publishes on `<subject>.0`, `<subject>.1` and so on, drawn by their popularity. Default: on the subject alone.
    #[must_use]
    pub fn subjects(mut self, popularity: Popularity) -> Self {
        self.subjects = self.subjects.spread(popularity);
        self
    }

    /// Publishes `messages` in each operation, and then waits for the acks of all. Default: 1; 0 is taken as 1.
    #[must_use]
    pub fn batch(mut self, messages: usize) -> Self {
        self.batch = messages.max(1);
        self
    }

    /// Writes the intended start into each payload, so that services measure the delivery. It costs a copy of the payload.
    #[must_use]
    pub fn stamped(mut self) -> Self {
        self.stamps = Stamps::Delivery;
        self
    }

    /// Writes numbers into each payload, so that `verifier` can tell what is lost, came twice or out of order; what the server
    /// has acknowledged must come. It costs a copy of the payload.
    #[must_use]
    pub fn verified(mut self, verifier: &Verifier) -> Self {
        self.stamps = Stamps::Verified(verifier.clone());
        self
    }

    /// Gives each worker a connection of its own, with a context by `jetstream::new`. Default: all share the context.
    #[must_use]
    pub fn connection_per_worker(mut self, connections: Connections) -> Self {
        self.source.own = Some(connections);
        self
    }
}

/// What a worker of [`JetStreamPublish`] keeps.
pub struct JetStreamPublishState {
    held: Held<Context>,
    publishers: Publishers,
    /// Acks that are awaited, oldest first, with the length of the payload.
    acks: Vec<(PublishAckFuture, Mark, usize)>,
}

impl fmt::Debug for JetStreamPublishState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JetStreamPublishState").field("acks", &self.acks.len()).finish_non_exhaustive()
    }
}

impl JetStreamPublish {
    /// Publishes one message, whose ack is then outstanding.
    async fn send(
        &self,
        state: &mut JetStreamPublishState,
        context: &OperationContext,
        message: u64,
    ) -> Result<(), OperationError> {
        let index = self.subjects.pick(context, message);
        let subject = self.subjects.get(index);
        let (payload, mut mark) = state.publishers.payload(&self.stamps, subject, index, context);
        let len = payload.len();
        match state.held.handle.publish(subject.clone(), payload).await {
            Ok(ack) => {
                mark.sent();
                state.acks.push((ack, mark, len));
            }
            Err(error) => {
                mark.failed();
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Waits for all acks that are outstanding; the first that fails is the operation's error.
    async fn acknowledged(
        state: &mut JetStreamPublishState,
        context: &OperationContext,
    ) -> Result<(), OperationError> {
        let mut first_error = None;
        for (ack, mark, len) in state.acks.drain(..) {
            match ack.into_future().await {
                Ok(_) => {
                    mark.confirmed();
                    context.add_items(1);
                    context.add_bytes(len as u64);
                }
                // Without its ack, a message may be stored all the same.
                Err(error) => {
                    mark.failed();
                    first_error.get_or_insert(error);
                }
            }
        }
        first_error.map_or(Ok(()), |error| Err(error.into()))
    }
}

impl Workload for JetStreamPublish {
    type State = JetStreamPublishState;

    async fn set_up(&self, _worker: usize) -> Result<JetStreamPublishState, OperationError> {
        Ok(JetStreamPublishState {
            held: self.source.hold().await?,
            publishers: Publishers::new(&self.stamps, self.subjects.len()),
            acks: Vec::with_capacity(self.batch),
        })
    }

    async fn run(
        &self,
        state: &mut JetStreamPublishState,
        context: OperationContext,
    ) -> Result<(), OperationError> {
        // What an operation that was cut short has left.
        state.acks.clear();
        let mut sent = Ok(());
        for message in 0..self.batch as u64 {
            sent = self.send(state, &context, message).await;
            if sent.is_err() {
                break;
            }
        }
        Self::acknowledged(state, &context).await.and(sent)
    }

    async fn tear_down(&self, state: JetStreamPublishState) {
        state.held.release().await;
    }
}

/// A batch fetched by a pull consumer, and acknowledged: [`pull_consume`].
///
/// It has an item for each message, and the bytes of its payload.
#[derive(Clone, Debug)]
pub struct PullConsume {
    source: Source<PullConsumer>,
    batch: usize,
    expires: Duration,
    double_ack: bool,
}

/// Fetches up to `batch` messages and acknowledges each; done when the batch is full, or what there is has come and the pull
/// request expires.
///
/// One that gets nothing fails with `no message within ..`: it would have measured its own waiting.
pub fn pull_consume(consumer: PullConsumer, batch: usize) -> PullConsume {
    PullConsume {
        source: Source::new(consumer),
        batch: batch.max(1),
        expires: Duration::from_secs(1),
        double_ack: false,
    }
}

impl PullConsume {
    /// How long to wait for a full batch. Default: 1 s.
    #[must_use]
    pub fn expires(mut self, limit: Duration) -> Self {
        self.expires = limit;
        self
    }

    /// Waits for the server's confirmation of each ack. Default: an ack is sent, and that is all.
    #[must_use]
    pub fn double_ack(mut self) -> Self {
        self.double_ack = true;
        self
    }

    /// Gives each worker a connection of its own. Default: all share the consumer's.
    #[must_use]
    pub fn connection_per_worker(mut self, connections: Connections) -> Self {
        self.source.own = Some(connections);
        self
    }
}

impl Workload for PullConsume {
    type State = Held<PullConsumer>;

    async fn set_up(&self, _worker: usize) -> Result<Held<PullConsumer>, OperationError> {
        self.source.hold().await
    }

    async fn run(
        &self,
        held: &mut Held<PullConsumer>,
        context: OperationContext,
    ) -> Result<(), OperationError> {
        let mut batch = held.handle.batch().max_messages(self.batch).expires(self.expires).messages().await?;
        let mut messages = 0;
        while messages < self.batch {
            let Some(message) = batch.next().await else { break };
            let message = message?;
            if self.double_ack {
                message.double_ack().await?;
            } else {
                message.ack().await?;
            }
            messages += 1;
            context.add_items(1);
            context.add_bytes(message.payload.len() as u64);
        }
        if messages == 0 {
            return Err(format!("no message within {:?}", self.expires).into());
        }
        Ok(())
    }

    /// Waits until the acks are sent.
    async fn tear_down(&self, held: Held<PullConsumer>) {
        held.release().await;
    }
}
