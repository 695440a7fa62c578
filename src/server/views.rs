//! What a check for leaks asks the server, which it must not keep alive: connections and JetStream, on the calling thread.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use serde::Deserialize;

use super::monitor::{MonitorError, MonitorErrorKind, read};
use super::owned::Owned;
use super::{ExternalNats, Inner, Source, ready};
use crate::poll::scaled;

/// How long the server may take to answer one question: one that is paused must not hold up the other checks.
const LIMIT: Duration = Duration::from_secs(1);
/// More than a server can have, so that all come in one answer: in pages, one may slip through between two of them.
const ALL: u32 = 1 << 24;

/// A server that may end at any time.
#[derive(Clone, Debug, Default)]
pub(crate) struct WeakNats(Weak<Inner>);

impl ExternalNats {
    pub(crate) fn downgrade(&self) -> WeakNats {
        WeakNats(Arc::downgrade(&self.inner))
    }

    /// Whether it is somebody else's.
    pub(crate) fn is_attached(&self) -> bool {
        matches!(self.inner.source, Source::Attached(_))
    }

    /// Whether it is the one that the tests of a process share.
    pub(crate) fn is_shared(&self) -> bool {
        self.inner.shared.load(Ordering::Relaxed)
    }

    /// Whether clients of an earlier process of it may come back at any time.
    pub(crate) fn was_restarted(&self) -> bool {
        self.inner.owned().is_some_and(Owned::was_restarted)
    }

    /// The name of the thread that started it, which is the test's name under libtest.
    pub(crate) fn started_on(&self) -> &str {
        &self.inner.caller.name
    }
}

impl WeakNats {
    /// What there is now; without a handle, while the server is asked.
    pub(crate) fn views(&self) -> Result<Views, Silent> {
        self.ask(Views::read)
    }

    /// The connections alone.
    pub(crate) fn connections(&self) -> Result<ConnectionsView, Silent> {
        self.ask(connections)
    }

    /// JetStream with what its consumers were configured with, which is many times the text.
    pub(crate) fn consumers(&self) -> Result<JetStreamView, Silent> {
        self.ask(|agent, base| jetstream(agent, base, "&config=1"))
    }

    fn ask<T>(&self, ask: impl FnOnce(&ureq::Agent, &str) -> Result<T, MonitorError>) -> Result<T, Silent> {
        let base = self.base()?;
        // An agent for each question: it keeps its connection, which a check of descriptors would find.
        let answer = ask(&ready::http(scaled(LIMIT)), &base);
        answer.map_err(|error| self.base().err().unwrap_or(Silent::Asked(error)))
    }

    fn base(&self) -> Result<String, Silent> {
        let nats = ExternalNats { inner: self.0.upgrade().ok_or(Silent::Gone)? };
        match nats.how_it_ended() {
            Some(how) => Err(Silent::Ended(how)),
            None => nats.monitor().base().map_err(Silent::Asked),
        }
    }
}

/// Why a server says nothing.
#[derive(Debug)]
pub(crate) enum Silent {
    /// Nobody holds it any more.
    Gone,
    /// Its process does not run, and may be started again.
    Ended(String),
    Asked(MonitorError),
}

impl Silent {
    pub(crate) fn why(&self) -> String {
        match self {
            Self::Gone => "it has ended".into(),
            Self::Ended(how) if how.starts_with("ended by itself") => format!("it {how}"),
            Self::Ended(how) => format!("stopped by the test ({how})"),
            Self::Asked(error) => match error.kind() {
                MonitorErrorKind::NoPort => {
                    "its monitoring port is not known (set ISOLATED_NATS_MONITOR_URL)".into()
                }
                MonitorErrorKind::Unreachable => "it does not answer (is it paused?)".into(),
                MonitorErrorKind::Unexpected => format!("{error:?}"),
            },
        }
    }
}

/// What the server tells.
#[derive(Clone, Debug, Default)]
pub(crate) struct Views {
    pub(crate) connections: ConnectionsView,
    pub(crate) jetstream: JetStreamView,
}

impl Views {
    fn read(agent: &ureq::Agent, base: &str) -> Result<Self, MonitorError> {
        Ok(Self { connections: connections(agent, base)?, jetstream: jetstream(agent, base, "")? })
    }
}

fn connections(agent: &ureq::Agent, base: &str) -> Result<ConnectionsView, MonitorError> {
    let url = format!("{base}/connz?subs=detail&auth=1&limit={ALL}");
    let view: ConnectionsView = read(agent, &url)?;
    if (view.connections.len() as u64) < view.total {
        let cause = "it tells of fewer connections than it has";
        return Err(MonitorError::new(MonitorErrorKind::Unexpected, &url, cause));
    }
    Ok(view)
}

fn jetstream(agent: &ureq::Agent, base: &str, more: &str) -> Result<JetStreamView, MonitorError> {
    let url = format!("{base}/jsz?accounts=1&streams=1&consumers=1&limit={ALL}{more}");
    let view: JetStreamView = read(agent, &url)?;
    // It is by accounts that the answer is cut, never by streams.
    if (view.account_details.len() as u64) < view.total {
        let cause = "it tells of fewer accounts than it has";
        return Err(MonitorError::new(MonitorErrorKind::Unexpected, &url, cause));
    }
    Ok(view)
}

/// `/connz?subs=detail&auth=1`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ConnectionsView {
    /// New with each start: the numbers of connections begin anew, too.
    pub(crate) server_id: String,
    pub(crate) total: u64,
    pub(crate) connections: Vec<ConnectionView>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct ConnectionView {
    pub(crate) cid: u64,
    pub(crate) name: String,
    pub(crate) ip: String,
    pub(crate) port: u16,
    pub(crate) lang: String,
    pub(crate) version: String,
    pub(crate) account: String,
    #[serde(rename = "subscriptions_list_detail")]
    pub(crate) subscriptions: Vec<SubscriptionView>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct SubscriptionView {
    pub(crate) sid: String,
    pub(crate) subject: String,
    #[serde(rename = "qgroup")]
    pub(crate) queue_group: String,
}

/// `/jsz?accounts=1&streams=1&consumers=1`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct JetStreamView {
    pub(crate) total: u64,
    pub(crate) account_details: Vec<AccountView>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AccountView {
    pub(crate) name: String,
    #[serde(rename = "stream_detail")]
    pub(crate) streams: Vec<StreamView>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StreamView {
    pub(crate) name: String,
    pub(crate) state: StreamStateView,
    #[serde(rename = "consumer_detail")]
    pub(crate) consumers: Vec<ConsumerView>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StreamStateView {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ConsumerView {
    pub(crate) name: String,
    /// `None` unless asked for.
    pub(crate) config: Option<ConsumerConfigView>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ConsumerConfigView {
    /// Nanoseconds after which the server removes it when nobody uses it; 0 for never.
    pub(crate) inactive_threshold: u64,
}
