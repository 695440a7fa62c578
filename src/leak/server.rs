//! What a test made on the server: connections, subscriptions, streams, buckets, consumers.
//!
//! Two answers of the monitoring port are compared, that of the baseline and that of now. What counts:
//!
//! | what | is left behind when |
//! | --- | --- |
//! | connection | it is new, a process of the test's holds it, and it is no client of before that has come back |
//! | subscription | a client of before has more of them, by subject and queue group; its inboxes count as one subject |
//! | stream, bucket | its name is new in its account |
//! | consumer | it is new on a stream of before, and the server does not remove it by itself |
//!
//! **A client that comes back** after a restart, or a broken connection, has a new connection. It is known by the inbox
//! of its requests, which async-nats keeps; without one, any new connection with the same name and library is taken for
//! it, one for each that has gone. So a new client can hide behind one that was dropped, but no client of before is ever
//! reported. Where the server was restarted before the baseline, clients of before may come back that the baseline does
//! not know: a new connection is then "not checked".
//!
//! **Subscriptions of before** that the server had not heard of by the baseline look new: async-nats sends them later, and
//! its `flush` does not wait for the server. New ones are leaks only after [`ServerBaseline::flushed`], and notes
//! otherwise, unless under `strict`.
//!
//! **Who else uses the server.** Of a server of one's own, connections of processes other than this one and its children
//! are no leaks, where the system says whose they are. A server that tests share (by [`ExternalNats::shared`], or started by
//! another test) is checked only where the test is alone in its process; an attached one, which other processes may use,
//! only for connections of this process then, and for the rest too where tests come one after the other.

mod connections;
mod jetstream;
mod sockets;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::finding::{Findings, NotChecked};
use super::ignore::Ignores;
use crate::alone::{Alone, alone};
use crate::poll::{Deadline, until_each};
use crate::server::{ConnectionsView, ExternalNats, JetStreamView, Silent, Views, WeakNats};
use sockets::{Owner, Sockets};

const WHAT: &str = NotChecked::SERVER;
/// Longest wait until what clients had to send has been sent; it is mostly over after the first interval.
const FLUSH: Duration = Duration::from_secs(1);
/// How long a change of the connections lasts until it matters whose they are, which takes longer to find out than most
/// clients take to close theirs.
const PATIENCE: Duration = Duration::from_millis(20);
const FLUSH_INTERVAL: Duration = Duration::from_millis(2);

/// What there was before. It does not keep the server alive.
#[derive(Debug)]
pub(crate) struct ServerBaseline {
    question: ServerQuestion,
    flushed: bool,
    /// Clients of before may come back that are not in the answer.
    restarted: bool,
}

/// Asks the server; may go to another thread.
#[derive(Clone, Debug)]
pub(crate) struct ServerQuestion {
    nats: WeakNats,
    reach: Reach,
    before: Arc<Views>,
    /// When connections were first other than before.
    changed: Arc<OnceLock<Instant>>,
}

/// What the server says that there is now.
#[derive(Debug)]
pub(crate) struct ServerState {
    views: Views,
    /// Of all connections, if something has been new or gone for [`PATIENCE`].
    owners: HashMap<u64, Owner>,
}

/// How much of what is on the server can only be this test's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// All, but for connections that other processes certainly hold.
    All,
    /// All, but for connections that are not certainly this process's.
    AllWithOwnConnections,
    /// Connections that are certainly this process's.
    OwnConnections,
}

impl ServerBaseline {
    /// Asks the server what there is, on the calling thread, which may take a millisecond. To be called on the test's own
    /// thread.
    pub(crate) fn take(nats: &ExternalNats) -> Result<Self, NotChecked> {
        let reach = reach(nats)?;
        let restarted = nats.was_restarted();
        let nats = nats.downgrade();
        let before = Arc::new(nats.views().map_err(|silent| not_checked(&silent))?);
        let question = ServerQuestion { nats, reach, before, changed: Arc::default() };
        Ok(Self { question, flushed: false, restarted })
    }

    /// Waits a few milliseconds until clients have sent what they had to, so that each subscription which is new later was
    /// made later; on the calling thread, which must not be the runtime's. The runtime must have run for a moment before.
    pub(crate) fn flushed(mut self) -> Self {
        let ServerQuestion { nats, before, .. } = &mut self.question;
        let mut last = before.connections.clone();
        let deadline = Deadline::after(FLUSH);
        let mut looks = 0;
        let settled = until_each(FLUSH_INTERVAL, &deadline, || {
            looks += 1;
            let Ok(now) = nats.connections() else { return Some(false) };
            let same = now.connections == last.connections;
            last = now;
            (same && looks > 1).then_some(true)
        });
        let views = Views { connections: last, jetstream: before.jetstream.clone() };
        *before = Arc::new(views);
        self.flushed = settled == Some(true);
        self
    }

    pub(crate) fn question(&self) -> ServerQuestion {
        self.question.clone()
    }

    /// What there is now and was not before.
    pub(crate) fn judge(&self, now: &ServerState, ignores: &Ignores, strict: bool) -> Findings {
        let before = &self.question.before;
        let mut findings = connections::judge(self, now, ignores, strict);
        if self.question.reach != Reach::All && now.owners.values().any(|owner| *owner == Owner::Unknown) {
            let why = "attached, and this system does not say which are of this process";
            findings.not_checked.push(NotChecked { what: "connections, subscriptions", why: why.into() });
        }
        if self.question.reach == Reach::OwnConnections {
            let why = "attached (other processes may use the server at the same time)";
            findings.not_checked.push(NotChecked { what: "streams, buckets, consumers", why: why.into() });
        } else {
            findings.add(jetstream::judge(&before.jetstream, &now.views.jetstream, ignores, strict));
        }
        findings
    }

    fn reach(&self) -> Reach {
        self.question.reach
    }

    fn connections(&self) -> &ConnectionsView {
        &self.question.before.connections
    }
}

impl ServerQuestion {
    /// Asks the server again, on the calling thread; an error says that the server has ended, or was stopped by the test.
    pub(crate) fn ask(&self) -> Result<ServerState, NotChecked> {
        self.state().map_err(|silent| not_checked(&silent))
    }

    fn state(&self) -> Result<ServerState, Silent> {
        let mut views = self.nats.views()?;
        if has_new_consumers(&self.before.jetstream, &views.jetstream) {
            views.jetstream = self.nats.consumers()?;
        }
        let owners = self.owners(&views.connections);
        Ok(ServerState { views, owners })
    }

    /// Who holds the connections, where it matters: while nothing is new or gone nobody asks, and mostly what is new is
    /// about to be closed.
    fn owners(&self, now: &ConnectionsView) -> HashMap<u64, Owner> {
        if self.before.connections.connections == now.connections {
            return HashMap::new();
        }
        let first = *self.changed.get_or_init(Instant::now);
        if self.reach == Reach::All && first.elapsed() < PATIENCE {
            return HashMap::new();
        }
        let wanted: Vec<_> = now.connections.iter().map(|one| (one.ip.as_str(), one.port)).collect();
        let look = || {
            let sockets = Sockets::look(&wanted);
            let owners = now.connections.iter().map(|one| (one.cid, sockets.owner(&one.ip, one.port)));
            owners.collect::<HashMap<u64, Owner>>()
        };
        let mut owners = look();
        // The kernel may leave out a line of its table while others come and go.
        if owners.values().any(|owner| *owner == Owner::Nobody) {
            owners.retain(|_, owner| *owner != Owner::Nobody);
            for (cid, owner) in look() {
                owners.entry(cid).or_insert(owner);
            }
        }
        owners
    }
}

fn not_checked(silent: &Silent) -> NotChecked {
    NotChecked { what: WHAT, why: silent.why() }
}

fn has_new_consumers(before: &JetStreamView, now: &JetStreamView) -> bool {
    let known = jetstream::by_name(before);
    let streams = jetstream::by_name(now);
    streams.iter().any(|(name, stream)| {
        let Some(known) = known.get(name) else { return false };
        let is_known = |name: &str| known.consumers.iter().any(|known| known.name == name);
        stream.consumers.iter().any(|consumer| !is_known(&consumer.name))
    })
}

fn reach(nats: &ExternalNats) -> Result<Reach, NotChecked> {
    let here = std::thread::current();
    reach_of(nats.is_attached(), nats.is_shared(), nats.started_on(), here.name(), alone())
        .map_err(|why| NotChecked { what: WHAT, why })
}

fn reach_of(
    attached: bool,
    shared: bool,
    started_on: &str,
    here: Option<&str>,
    alone: Option<Alone>,
) -> Result<Reach, String> {
    const MIXED: &str = "(its connections, streams and consumers cannot be told apart)";
    match (alone, attached) {
        (None, true) => Err(format!("attached, and shared by the tests of this process {MIXED}")),
        (None, false) if shared => Err(format!("shared by the tests of this process {MIXED}")),
        (None, false) if is_anothers(started_on, here) => {
            Err(format!("started by `{started_on}`, and so shared by tests of this process {MIXED}"))
        }
        // Another process of the same run may be at it: nextest's, or this one's parent's.
        (Some(Alone::Nextest | Alone::Child), true) => Ok(Reach::OwnConnections),
        (Some(Alone::Program | Alone::Serial), true) => Ok(Reach::AllWithOwnConnections),
        (_, false) => Ok(Reach::All),
    }
}

/// Whether two tests of libtest meet here: it names each test's thread after the test. Names of a runtime's threads, and
/// those that have none, tell nothing.
fn is_anothers(started_on: &str, here: Option<&str>) -> bool {
    let tells = |name: &str| name != "test" && name != "main" && !name.starts_with("tokio-");
    here.is_some_and(|here| here != started_on && tells(here) && tells(started_on))
}
