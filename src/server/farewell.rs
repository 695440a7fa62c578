//! What a server waits for before it is ended while somebody looks for leaks: that clients which were dropped have left.
//!
//! A client whose last handle was dropped closes its connection at its task's next turn. If the server has gone by then,
//! the task may see that first: async-nats takes it for a lost connection, and connects again for ever, though nobody
//! holds the client. A check would rightly find those tasks, for which nobody is to blame.

use std::time::Duration;

use serde::Deserialize;
use tokio::runtime::{Handle, RuntimeFlavor};

use super::monitor::read;
use super::ours::is_watched;
use super::owned::Owned;
use super::{faults, lock, ready, signal};
use crate::memory;
use crate::poll::{Deadline, until};

/// Longest wait: clients that were dropped take a millisecond or two, and those that are held would never leave.
const LIMIT: Duration = Duration::from_millis(100);

/// `/connz`, of which the count is enough.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Count {
    total: u64,
}

/// How a wait for clients ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Farewell {
    /// There was no reason to wait, or nobody to ask.
    NotAwaited,
    AllLeft,
    /// Somebody holds a client, or the machine is too busy to tell.
    SomeStay,
}

impl Owned {
    /// For the drop of the last handle, which blocks its thread: on a runtime of one thread no client could leave
    /// meanwhile, and its tasks see both at their next turn, their handles first.
    pub(super) fn await_farewells_in_drop(&self) -> Farewell {
        let flavor = Handle::try_current().map(|runtime| runtime.runtime_flavor());
        if matches!(flavor, Ok(RuntimeFlavor::MultiThread)) {
            return self.await_farewells();
        }
        Farewell::NotAwaited
    }

    /// Waits until no client is connected, on the calling thread, without a lock; not at all for a server that does not
    /// run, is paused or cannot be asked, or when nobody looks for leaks.
    pub(super) fn await_farewells(&self) -> Farewell {
        if !is_watched() || !self.may_answer() {
            return Farewell::NotAwaited;
        }
        let Some(port) = self.ports().monitor else { return Farewell::NotAwaited };
        let _ours = memory::ours();
        let url = format!("http://{}/connz?limit=1", ready::local(port));
        let deadline = Deadline::after(LIMIT);
        // An agent for each question, as for a check's own: it keeps its connection.
        let ended = until(&deadline, || match read::<Count>(&ready::http(deadline.remaining()), &url) {
            Ok(Count { total: 0 }) => Some(Farewell::AllLeft),
            Ok(_) => None,
            Err(_) if deadline.is_over() => None, // cut off by it
            Err(_) => Some(Farewell::NotAwaited),
        });
        ended.unwrap_or(Farewell::SomeStay)
    }

    fn may_answer(&self) -> bool {
        let mut state = lock(&self.state);
        faults::running(&mut state).is_ok_and(|process| !signal::is_paused(process.id()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ExternalNats;
    use crate::server::Watched;

    fn owned(nats: &ExternalNats) -> &Owned {
        nats.inner.owned().unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn only_a_server_that_can_answer_waits_and_only_for_clients_that_stay() {
        let _watched = Watched::begin();
        let nats = ExternalNats::start().await.unwrap();
        let client = nats.client().await.unwrap();
        client.flush().await.unwrap();
        assert_eq!(owned(&nats).await_farewells_in_drop(), Farewell::SomeStay);
        #[cfg(unix)]
        {
            nats.pause().unwrap();
            assert_eq!(owned(&nats).await_farewells_in_drop(), Farewell::NotAwaited);
            nats.resume().unwrap();
            assert_eq!(owned(&nats).await_farewells_in_drop(), Farewell::SomeStay);
        }
        drop(client);
        // On a busy machine the client may take longer than the limit.
        let all_left = || (owned(&nats).await_farewells_in_drop() == Farewell::AllLeft).then_some(());
        until(&Deadline::after(Duration::from_secs(30)), all_left).unwrap();
        nats.kill().unwrap();
        assert_eq!(owned(&nats).await_farewells_in_drop(), Farewell::NotAwaited);
    }

    #[tokio::test]
    async fn a_drop_on_a_runtime_of_one_thread_does_not_wait() {
        let _watched = Watched::begin();
        let nats = ExternalNats::start().await.unwrap();
        let client = nats.client().await.unwrap();
        client.flush().await.unwrap();
        assert_eq!(owned(&nats).await_farewells_in_drop(), Farewell::NotAwaited);
    }
}
