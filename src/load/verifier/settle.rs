//! Waiting until all has arrived that will.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use super::{Shared, Verifier};
use crate::poll;

/// How long messages may pile up before it is counted again what is missing.
const TOGETHER: Duration = Duration::from_millis(2);

impl Verifier {
    /// Waits until every receiver has every message that it must have, or until nothing has arrived for `limit`, multiplied by
    /// [`time_factor`](crate::time_factor). Returns whether nothing is missing.
    ///
    /// What is then missing of the messages stamped so far counts as lost, no more as in flight; one that arrives later after all
    /// is not lost. Call it when the publishers are done: after each operation has ended.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves all as it was; it can be called again.
    pub async fn settled(&self, limit: Duration) -> bool {
        let shared = &*self.shared;
        let limit = poll::scaled(limit);
        loop {
            let mut arrived = pin!(shared.arrived.notified());
            arrived.as_mut().enable();
            shared.waiting.store(true, Ordering::SeqCst);
            let before = shared.receptions.load(Ordering::SeqCst);
            if shared.is_complete() {
                shared.give_up();
                return true;
            }
            let any = either(arrived, poll::delay(limit)).await;
            if !any && shared.receptions.load(Ordering::SeqCst) == before {
                shared.give_up();
                return shared.is_complete();
            }
            poll::delay(TOGETHER).await;
        }
    }
}

impl Shared {
    /// Whether each receiver has all that it must.
    fn is_complete(&self) -> bool {
        let receivers = self.receivers().clone();
        self.publishers().all(|published| {
            let stamped = published.stamped.load(Ordering::Acquire);
            let expecting = receivers.iter().filter(|receiver| receiver.expects(published));
            expecting.into_iter().all(|receiver| {
                let seen = receiver.seen(published.number);
                published.required().missing_in(&seen.received, 0..stamped) == 0
            })
        })
    }

    /// Counts as lost what has not arrived by now.
    fn give_up(&self) {
        self.waiting.store(false, Ordering::SeqCst);
        for published in self.publishers() {
            published.settled.store(published.stamped.load(Ordering::Acquire), Ordering::Release);
        }
    }
}

/// Whether the first of two futures is done first; both at once count for it.
async fn either(first: impl Future<Output = ()>, second: impl Future<Output = ()>) -> bool {
    let (mut first, mut second) = (pin!(first), pin!(second));
    poll_fn(|context| {
        if first.as_mut().poll(context).is_ready() {
            return Poll::Ready(true);
        }
        second.as_mut().poll(context).map(|()| false)
    })
    .await
}
