//! Core publishes.

use async_nats::{Client, Subject};
use bytes::Bytes;

use super::connections::{Connections, Held, Source, closing_round_trip, nobody, round_trip};
use super::popularity::Popularity;
use super::stamps::{Publishers, Stamps};
use super::subjects::Subjects;
use crate::load::{OperationContext, OperationError, Verifier, Workload};

/// A core publish: [`publish`].
///
/// It has as many items as messages, and the bytes of their payloads.
#[derive(Clone, Debug)]
pub struct Publish {
    source: Source<Client>,
    subjects: Subjects,
    stamps: Stamps,
    batch: u64,
    until: Until,
}

/// When a publish is done.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Until {
    Buffered,
    Flushed,
    RoundTrip,
}

/// Publishes the payload on `subject`; done when the client has taken it into its buffer, which says nothing of the server.
pub fn publish(client: Client, subject: impl Into<String>) -> Publish {
    Publish {
        source: Source::new(client),
        subjects: Subjects::one(subject.into()),
        stamps: Stamps::default(),
        batch: 1,
        until: Until::Buffered,
    }
}

impl Publish {
    /// Publishes on `<subject>.0`, `<subject>.1` and so on, drawn by their popularity. Default: on the subject alone.
    #[must_use]
    pub fn subjects(mut self, popularity: Popularity) -> Self {
        self.subjects = self.subjects.spread(popularity);
        self
    }

    /// Publishes `messages` in each operation; a subject is drawn for each. Default: 1; 0 is taken as 1.
    #[must_use]
    pub fn batch(mut self, messages: u64) -> Self {
        self.batch = messages.max(1);
        self
    }

    /// Done when all is written to the socket; the server need not have read it.
    #[must_use]
    pub fn flushed(mut self) -> Self {
        self.until = Until::Flushed;
        self
    }

    /// Done when the server has read and routed it: a request that nobody can answer follows on the same connection, and the
    /// server says so. Subscribers need not have it yet.
    #[must_use]
    pub fn round_trip(mut self) -> Self {
        self.until = Until::RoundTrip;
        self
    }

    /// Writes the intended start into each payload, so that services measure the delivery: see
    /// [`OperationContext::stamped_payload`]. It costs a copy of the payload.
    #[must_use]
    pub fn stamped(mut self) -> Self {
        self.stamps = Stamps::Delivery;
        self
    }

    /// Writes numbers into each payload, so that `verifier` can tell what is lost, came twice or out of order. It costs a copy of
    /// the payload.
    #[must_use]
    pub fn verified(mut self, verifier: &Verifier) -> Self {
        self.stamps = Stamps::Verified(verifier.clone());
        self
    }

    /// Gives each worker a connection of its own. Default: all share the client.
    #[must_use]
    pub fn connection_per_worker(mut self, connections: Connections) -> Self {
        self.source.own = Some(connections);
        self
    }
}

/// What a worker of [`Publish`] keeps.
#[derive(Debug)]
pub struct PublishState {
    held: Held<Client>,
    nobody: Subject,
    publishers: Publishers,
}

impl Publish {
    async fn send(
        &self,
        state: &mut PublishState,
        context: &OperationContext,
        message: u64,
    ) -> Result<usize, OperationError> {
        let index = self.subjects.pick(context, message);
        let subject = self.subjects.get(index);
        let (payload, mut mark) = state.publishers.payload(&self.stamps, subject, index, context);
        let len = payload.len();
        match state.held.handle.publish(subject.clone(), payload).await {
            Ok(()) => mark.sent(),
            Err(error) => {
                mark.failed();
                return Err(error.into());
            }
        }
        Ok(len)
    }
}

impl Workload for Publish {
    type State = PublishState;

    async fn set_up(&self, _worker: usize) -> Result<PublishState, OperationError> {
        let held = self.source.hold().await?;
        let nobody = nobody(&held.handle);
        Ok(PublishState { held, nobody, publishers: Publishers::new(&self.stamps, self.subjects.len()) })
    }

    async fn run(&self, state: &mut PublishState, context: OperationContext) -> Result<(), OperationError> {
        for message in 0..self.batch {
            let len = self.send(state, &context, message).await?;
            context.add_items(1);
            context.add_bytes(len as u64);
        }
        match self.until {
            Until::Buffered => {}
            Until::Flushed => state.held.handle.flush().await?,
            Until::RoundTrip => round_trip(&state.held.handle, &state.nobody).await?,
        }
        Ok(())
    }

    /// Waits until the server has read what the worker published, so that its figures and the report's can be compared.
    async fn tear_down(&self, state: PublishState) {
        // A server that does not answer has its errors counted already.
        let _ = closing_round_trip(&state.held.handle, &state.nobody).await;
        state.held.release().await;
    }
}

/// A request and its reply: [`request`].
///
/// It has one item, and the bytes of both payloads.
#[derive(Clone, Debug)]
pub struct RequestReply {
    source: Source<Client>,
    subjects: Subjects,
    stamps: Stamps,
}

/// Sends the payload as a request on `subject`; done when its reply is there. [`responder`](super::responder) answers.
///
/// Without a responder it fails with the client's `no responders`, and after its time limit, 10 s by default, with `timed out`.
pub fn request(client: Client, subject: impl Into<String>) -> RequestReply {
    RequestReply {
        source: Source::new(client),
        subjects: Subjects::one(subject.into()),
        stamps: Stamps::default(),
    }
}

impl RequestReply {
    /// Asks on `<subject>.0`, `<subject>.1` and so on, drawn by their popularity. Default: on the subject alone.
    #[must_use]
    pub fn subjects(mut self, popularity: Popularity) -> Self {
        self.subjects = self.subjects.spread(popularity);
        self
    }

    /// Writes the intended start into each payload, so that the responder's figures have the delivery of the request.
    #[must_use]
    pub fn stamped(mut self) -> Self {
        self.stamps = Stamps::Delivery;
        self
    }

    /// Gives each worker a connection of its own. Default: all share the client.
    #[must_use]
    pub fn connection_per_worker(mut self, connections: Connections) -> Self {
        self.source.own = Some(connections);
        self
    }
}

impl Workload for RequestReply {
    type State = Held<Client>;

    async fn set_up(&self, _worker: usize) -> Result<Held<Client>, OperationError> {
        self.source.hold().await
    }

    async fn run(&self, held: &mut Held<Client>, context: OperationContext) -> Result<(), OperationError> {
        let subject = self.subjects.get(self.subjects.pick(&context, 0));
        let payload: Bytes = self.stamps.unnumbered(&context);
        let sent = payload.len();
        let reply = held.handle.request(subject.clone(), payload).await?;
        context.add_items(1);
        context.add_bytes((sent + reply.payload.len()) as u64);
        Ok(())
    }

    async fn tear_down(&self, held: Held<Client>) {
        held.release().await;
    }
}
