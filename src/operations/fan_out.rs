//! One publish to many subscribers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_nats::{Client, Subject, Subscriber};
use futures_util::StreamExt as _;

use super::connections::{Connections, Held, Source, nobody, round_trip};
use crate::load::{OperationContext, OperationError, Workload};

/// One publish to many subscribers, done when all have it: [`fan_out`].
///
/// It has an item for each delivery, and the bytes of the payload for each.
#[derive(Clone, Debug)]
pub struct FanOut {
    source: Source<Client>,
    subscribers: usize,
    subscriber_connections: Option<Connections>,
    subject: String,
    /// So that no two workers, nor a worker and the one in its place, share a subject.
    workers: Arc<AtomicU64>,
}

/// Publishes the payload to `subscribers` subscribers of the worker's own, under `subject`; done when all of them have it.
///
/// All of them are on the worker's connection unless [`FanOut::connection_per_subscriber`] says otherwise.
pub fn fan_out(client: Client, subject: impl Into<String>, subscribers: usize) -> FanOut {
    FanOut {
        source: Source::new(client),
        subscribers,
        subscriber_connections: None,
        subject: subject.into(),
        workers: Arc::default(),
    }
}

impl FanOut {
    /// Gives each worker a connection of its own. Default: all share the client.
    #[must_use]
    pub fn connection_per_worker(mut self, connections: Connections) -> Self {
        self.source.own = Some(connections);
        self
    }

    /// Gives each subscriber of each worker a connection of its own. Default: they are on the worker's.
    #[must_use]
    pub fn connection_per_subscriber(mut self, connections: Connections) -> Self {
        self.subscriber_connections = Some(connections);
        self
    }
}

/// What a worker of [`FanOut`] keeps.
#[derive(Debug)]
pub struct FanOutState {
    held: Held<Client>,
    subscribers: Vec<(Subscriber, Option<Client>)>,
    /// `<subject>.<worker>`.
    base: String,
    /// What is published on: the base and the round's number. A round is over when an operation was cut short, so that what is
    /// left of it is not taken for a delivery of the next.
    subject: Subject,
    round: u64,
    cut_short: bool,
}

impl FanOutState {
    fn new_round(&mut self) {
        self.round += 1;
        self.subject = format!("{}.{}", self.base, self.round).into();
    }
}

impl Workload for FanOut {
    type State = FanOutState;

    async fn set_up(&self, _worker: usize) -> Result<FanOutState, OperationError> {
        let held = self.source.hold().await?;
        let base = format!("{}.{}", self.subject, self.workers.fetch_add(1, Ordering::Relaxed));
        let mut subscribers = Vec::with_capacity(self.subscribers);
        for _ in 0..self.subscribers {
            let own = match &self.subscriber_connections {
                Some(connections) => Some(connections.connect().await?),
                None => None,
            };
            let client = own.as_ref().unwrap_or(&held.handle);
            subscribers.push((client.subscribe(format!("{base}.*")).await?, own));
        }
        for client in subscribers.iter().filter_map(|(_, own)| own.as_ref()) {
            round_trip(client, &nobody(client)).await?;
        }
        let subject = format!("{base}.0").into();
        Ok(FanOutState { held, subscribers, base, subject, round: 0, cut_short: false })
    }

    async fn run(&self, state: &mut FanOutState, context: OperationContext) -> Result<(), OperationError> {
        if std::mem::replace(&mut state.cut_short, true) {
            state.new_round();
        }
        state.held.handle.publish(state.subject.clone(), context.payload_bytes()).await?;
        for (subscriber, _) in &mut state.subscribers {
            loop {
                let message = subscriber.next().await.ok_or("the subscription has ended")?;
                if message.subject == state.subject {
                    context.add_items(1);
                    context.add_bytes(message.payload.len() as u64);
                    break;
                }
            }
        }
        state.cut_short = false;
        Ok(())
    }

    async fn tear_down(&self, state: FanOutState) {
        for (mut subscriber, own) in state.subscribers {
            let _ = subscriber.unsubscribe().await;
            if let Some(client) = own {
                let _ = client.drain().await;
            }
        }
        state.held.release().await;
    }
}
