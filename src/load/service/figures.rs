//! What services were found to do, as plain data.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::figures::ErrorCount;
use super::super::latency::Latency;
use crate::memory::text;

/// The figures of one service, from the start of the schedule until its instances had stopped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceFigures {
    /// Its name.
    pub name: String,
    /// One for each instance, by number.
    pub instances: Vec<InstanceFigures>,
    /// Messages, of all instances.
    pub received: u64,
    /// Messages per second from the start of the schedule until the instances were told to stop; `None` when it never started.
    pub received_per_second: Option<f64>,
    /// Bytes of these messages, with their stamps.
    pub bytes: u64,
    /// From intended start to arrival, of messages with a [`Stamp`](super::super::Stamp) of this process. Source: `Instant`, the
    /// system's monotonic clock.
    pub delivery: Latency,
    /// What the instances reported or ended with, the most frequent first; empty when there was none.
    pub errors: Vec<ErrorCount>,
    /// Instances that panicked.
    pub panicked: u64,
    /// Instances that did not return in time, and were aborted.
    pub aborted: u64,
}

/// The figures of one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InstanceFigures {
    /// Its number, from 0.
    pub instance: u64,
    /// Messages.
    pub received: u64,
    /// Bytes of these messages, with their stamps.
    pub bytes: u64,
    /// Errors of all kinds.
    pub errors: u64,
    /// How it ended.
    pub end: InstanceEnd,
}

/// How an instance ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum InstanceEnd {
    /// It returned when it was told to.
    Stopped,
    /// It returned before it was told to.
    Returned,
    /// It returned this error, at whatever time.
    Failed(String),
    /// It panicked with this text, at whatever time.
    Panicked(String),
    /// It did not return in time, and was aborted.
    Aborted,
}

impl fmt::Display for InstanceEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("stopped when told"),
            Self::Returned => f.write_str("returned before it was told to"),
            Self::Failed(error) => write!(f, "failed: {error}"),
            Self::Panicked(text) => write!(f, "panicked: {text}"),
            Self::Aborted => f.write_str("did not return in time, and was aborted"),
        }
    }
}

impl fmt::Display for ServiceFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, received) = (self.instances.len(), text::count(self.received));
        write!(f, "service {} × {count}: {received} messages", self.name)?;
        if let Some(rate) = self.received_per_second {
            write!(f, ", {rate:.0}/s")?;
        }
        let times = [("p50", self.delivery.percentile(50.0)), ("p99", self.delivery.percentile(99.0))];
        for (name, time) in times.into_iter().filter_map(|(name, time)| Some((name, time?))) {
            write!(f, ", {name} {}", text::duration(time))?;
        }
        writeln!(f)?;
        for error in &self.errors {
            writeln!(f, "  {} × {}", text::count(error.count), error.example)?;
        }
        for one in self.instances.iter().filter(|one| one.end != InstanceEnd::Stopped) {
            writeln!(f, "  instance {} {}", one.instance, one.end)?;
        }
        Ok(())
    }
}
