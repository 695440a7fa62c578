//! What an instance of a service is given.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use super::super::stamp::Stamp;
use super::super::verifier::{Receiver, Reception};
use super::Phase;
use super::instance::{Instance, Service};
use crate::memory;

/// What an instance of a service is given: its name and number, and where it says what it got. Clones are of the same instance.
#[derive(Clone)]
pub struct ServiceContext {
    service: Arc<Service>,
    state: Arc<Instance>,
    phase: watch::Receiver<Phase>,
}

impl ServiceContext {
    pub(super) fn new(service: Arc<Service>, state: Arc<Instance>, phase: watch::Receiver<Phase>) -> Self {
        Self { service, state, phase }
    }

    /// Returns the service's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.service.name
    }

    /// Returns the number of this instance among those of its service, from 0.
    #[must_use]
    pub fn instance(&self) -> usize {
        self.state.number
    }

    /// Says that the instance is subscribed, so that the load may begin; each must say so within 10 s, multiplied by
    /// [`time_factor`](crate::time_factor). Again, it does nothing.
    ///
    /// A client's `flush` does not wait for the server: to know that a subscription is in place, send a request over the same connection
    /// or look at [`Monitor::subsz`](crate::Monitor::subsz).
    pub fn ready(&self) {
        self.state.ready();
    }

    /// Counts a message, given whole as it came, and its bytes. Where it begins with a [`Stamp`] of this process, its delivery is
    /// timed, from intended start to now.
    ///
    /// What arrives before the schedule starts, in the warm-up too, is not counted.
    pub fn received(&self, message: &[u8]) {
        if self.service.is_measuring() {
            self.state.received(message.len());
            if let Some(stamp) = Stamp::read(message) {
                self.service.delivered(stamp.age());
            }
        }
    }

    /// Counts a message as [`received`](Self::received) does, and gives it to a receiver: the two in one call. The receiver is given
    /// what arrives in the warm-up, too.
    pub fn receive(&self, receiver: &Receiver, message: &[u8]) -> Reception {
        let reception = receiver.received(message);
        if self.service.is_measuring() {
            self.state.received(message.len());
            if let Some(latency) = reception.latency {
                self.service.delivered(latency);
            }
        }
        reception
    }

    /// Counts an error, by kind: texts that differ in their digits alone are of one kind. What an instance returns is counted by
    /// itself.
    pub fn failed(&self, error: impl fmt::Display) {
        let text = {
            let _ours = memory::ours();
            error.to_string()
        };
        self.service.failed(&self.state, &text);
    }

    /// Completes when the run is over: the instance is to return then, or is aborted when the run's
    /// [`stop_timeout`](super::super::LoadGeneratorBuilder::stop_timeout) is over.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing; called again it completes at the same moment.
    pub async fn stopping(&self) {
        // An error means that the run is gone altogether.
        let _ = self.phase.clone().wait_for(|phase| *phase == Phase::Stopping).await;
    }

    /// Returns whether [`stopping`](Self::stopping) would complete at once.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.phase.borrow() == Phase::Stopping || self.phase.has_changed().is_err()
    }
}

impl fmt::Debug for ServiceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceContext")
            .field("name", &self.service.name)
            .field("instance", &self.state.number)
            .finish_non_exhaustive()
    }
}
