//! One system at several levels of load.
//!
//! | module | what it decides or does |
//! | --- | --- |
//! | `plan` | the builder: what is to be measured |
//! | `run`, `turn`, `server` | the windows, their order and their end; what the server's side of each is |
//! | `window`, `rung`, `figure` | the figures of one window, of one level, and what they are called |
//! | `limit`, `knee`, `law`, `degradation`, `bottleneck` | what follows: pure functions of the figures |
//! | `doubt` | what cannot be stated of them, and why |
//! | `analysis` | all of that together, and what the reader should know |
//! | `display` | the report as a table and sentences |

mod analysis;
mod bottleneck;
mod degradation;
mod display;
mod doubt;
mod figure;
mod knee;
mod law;
mod limit;
mod plan;
mod run;
mod rung;
mod server;
mod turn;
mod window;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::comparison::Interval;
use super::document::Results;
use super::fingerprint::Fingerprint;
use super::metric::{Metric, Unit};
use super::time::Moment;
pub use plan::{Sweep, SweepStep};

/// What is raised from level to level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Axis {
    /// Operations offered per second.
    Rate,
    /// Operations in flight, or workers.
    Concurrency,
    /// Bytes of a message.
    Payload,
    /// How much is there already: messages in a stream, keys in a bucket.
    Data,
    /// Anything else, by its name.
    Named(String),
}

/// Why a sweep did not measure all that it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SweepStop {
    /// More than 10 % of the operations failed; higher levels were left out.
    Errors {
        /// At this level.
        level: f64,
        /// Their share of those that ended, from 0 to 1, in the first window in which it was so.
        share: f64,
    },
    /// No operation ended well, or the window itself failed; higher levels were left out.
    NothingAchieved {
        /// At this level.
        level: f64,
    },
    /// Operations took more than 5 s on average; higher levels were left out.
    Latency {
        /// At this level.
        level: f64,
        /// How long, in the first window in which it was so.
        mean: Duration,
    },
    /// The time it was given was over.
    Budget {
        /// How long that was.
        limit: Duration,
    },
}

/// A system at several levels, and what follows from it.
///
/// `Display` prints a table of the levels, and the rest as sentences.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SweepReport {
    /// What was measured: [`Sweep::named`]; `sweep` without.
    #[serde(default)]
    pub name: String,
    /// When the first window began, the one that is not counted; `None` where a file does not say.
    #[serde(default)]
    pub taken: Option<Moment>,
    /// What the machine and the build were before it.
    #[serde(default)]
    pub fingerprint: Fingerprint,
    /// What the order of the windows was drawn from.
    #[serde(default)]
    pub seed: u64,
    /// The thresholds of the sweep, as text; those of the generators are in the problems where they failed.
    #[serde(default)]
    pub thresholds: Vec<String>,
    /// Why not all was measured; `None` when it was. Of several reasons the one of the lowest level.
    #[serde(default)]
    pub stopped: Option<SweepStop>,
    /// Levels that were asked for and have no window, in ascending order.
    #[serde(default)]
    pub skipped: Vec<f64>,
    /// What was raised.
    pub axis: Axis,
    /// The unit of the levels.
    pub unit: Unit,
    /// The levels that have a window, in ascending order; measured in ascending order first, then in shuffled order.
    pub levels: Vec<Level>,
    /// The highest level at which all is well.
    pub limit: Option<Limit>,
    /// Where throughput stops rising with the level, of the levels at which most operations succeeded; `None` where it still rises at the
    /// highest, does not depend on it, goes up and down by more than 25 %, or where the windows of the levels do not agree on it. The
    /// notes say which.
    pub knee: Option<Knee>,
    /// From which level on figures are worse than at the first one, by how much; of levels at which most operations succeeded.
    pub degradation: Vec<Degradation>,
    /// The Universal Scalability Law fitted to throughput over level: a model, and how far it is off. Only for
    /// [`Concurrency`](Axis::Concurrency), with enough levels that are on average no more than 20 % off it, and whose throughput does not
    /// go up and down by more than 25 %.
    pub law: Option<ScalabilityLaw>,
    /// What limits it at the knee, or above, with the evidence; the strongest first, other processes last, never empty. A level at which
    /// most operations failed gives only what its errors say.
    pub bottlenecks: Vec<Bottleneck>,
    /// Why one of the above is absent, or what the reader should know.
    pub notes: Vec<String>,
}

/// One level of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Level {
    /// The level, in the unit of the axis.
    pub level: f64,
    /// What was measured, a sample for each window; what no window measured is not there.
    ///
    /// | name | what, and its source |
    /// | --- | --- |
    /// | `throughput` | operations that ended well per second ([`achieved_per_second`](crate::LoadReport::achieved_per_second)) |
    /// | `p50`, `p99`, `mean` | of the response times; in a closed loop, of the service times |
    /// | `service p99`, `lag p99` | of these times |
    /// | `errors` | the share of failures in what ended |
    /// | `dropped`, `unfinished` | operations |
    /// | `client cpu`, `server cpu` | CPU seconds of an operation |
    /// | `client cores`, `server cores`, `other cores` | processors in use on average ([`MachineFigures`](crate::load::MachineFigures)) |
    /// | `client rss`, `server rss`, `client threads`, `server threads` | most bytes resident, most threads |
    /// | `undelivered` | messages that the run's verifier missed; `None` without one |
    /// | `slow consumers` | clients that the server dropped for being slow: `/varz` before and after; only with [`Sweep::server`] |
    /// | `server storage` | bytes per second that the server had read from and written to storage (`/proc/<pid>/io` before and after, with the window's set-up and warm-up); only with [`Sweep::server`] |
    /// | `disk wait` | share of the time in which some task of the machine waited for storage (`/proc/pressure/io` before and after); only with [`Sweep::server`], on Linux whose kernel tells |
    pub metrics: Vec<Metric>,
    /// Why it is not well there, for each window that is not: a threshold that failed, figures that cannot be believed; empty
    /// when more than half of the windows are well.
    pub problems: Vec<String>,
    /// Throughput per level, over that of the first level: 1 is perfect scaling. Only where throughput should rise with the
    /// level.
    pub scalability: Option<f64>,
}

/// The highest level at which all is well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Limit {
    /// The level.
    pub level: f64,
    /// The lowest level above it at which it is not; `None` where all is well at the highest measured.
    pub fails_at: Option<f64>,
    /// Why not there.
    pub why: Option<String>,
}

/// Where throughput stops rising: the lowest level from which no higher one has 10 % more for each doubling of the level, and 5 % more
/// in all; or the limit, where that is lower.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Knee {
    /// The level.
    pub level: f64,
    /// Operations per second there.
    pub throughput: f64,
    /// The evidence, in one sentence: what the next level adds.
    pub evidence: String,
}

/// A figure that is worse than at the first stable level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Degradation {
    /// The metric's name.
    pub metric: String,
    /// The level from which on it is worse, this one and all above.
    pub from: f64,
    /// The value at the first stable level.
    pub stable: f64,
    /// The value at the worst level.
    pub worst: f64,
    /// Which level that is.
    pub worst_at: f64,
    /// The unit of the values.
    pub unit: Unit,
}

/// The Universal Scalability Law (Gunther), `X(N) = l N / (1 + s (N - 1) + k N (N - 1))`, with its coefficients by weighted
/// least squares, none below zero.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScalabilityLaw {
    /// Throughput of one, in operations per second: `l`.
    pub lambda: f64,
    /// The serial share: `s`.
    pub sigma: f64,
    /// What each pays for each other one: `k`.
    pub kappa: f64,
    /// The level of highest throughput by the model, `sqrt((1 - s) / k)`; `None` where it has none.
    pub peak: Option<f64>,
    /// How far the measured throughputs are from the model, at most and on average, as shares of the model's.
    pub worst_residual: f64,
    /// The root of the mean of the squares of the residuals, as shares.
    pub mean_residual: f64,
    /// The interval of the peak from leaving out each level in turn; `None` where one of these fits has no peak.
    pub peak_interval: Option<Interval>,
}

/// What limits a system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Bottleneck {
    /// What it is.
    pub kind: BottleneckKind,
    /// The figures that say so.
    pub evidence: String,
    /// The level that they are from.
    pub level: f64,
}

/// What can limit a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BottleneckKind {
    /// The threads of this process are busy.
    ClientCpu,
    /// The server is.
    ServerCpu,
    /// All processors are busy, by client and server for the most part.
    Processors,
    /// Other processes use the machine.
    OtherProcesses,
    /// CPU time of an operation rises with the level: work for each other.
    Contention,
    /// The server waits for its disk.
    Disk,
    /// Operations wait for their turn: response times are many times the service times; or throughput stays while they grow.
    Queueing,
    /// A consumer does not keep up.
    SlowConsumer,
    /// Operations or messages are dropped.
    Drops,
    /// A limit of the server or the run is reached: connections, pending, in flight.
    LimitReached,
    /// Memory grows with the level until it is short.
    Memory,
    /// None of the above: each operation waits for its answer, and more in flight would give more.
    LatencyBound,
    /// Something does, and no figure says what; or nothing was measured.
    Unknown,
    /// Nothing limits it at the levels measured.
    None,
}

impl Axis {
    /// Returns the unit of the levels.
    #[must_use]
    pub fn unit(&self) -> Unit {
        match self {
            Self::Rate => Unit::PerSecond,
            Self::Concurrency | Self::Data => Unit::Count,
            Self::Payload => Unit::Bytes,
            Self::Named(name) => Unit::Named(name.clone()),
        }
    }

    /// What should rise with the level, from the operations per second at it; `None` where nothing should.
    fn output(&self, level: f64, throughput: f64) -> Option<f64> {
        match self {
            Self::Rate | Self::Concurrency => Some(throughput),
            Self::Payload => Some(throughput * level),
            Self::Data | Self::Named(_) => None,
        }
    }

    /// What that is.
    fn what(&self) -> &'static str {
        if *self == Self::Payload { "bytes per second" } else { "throughput" }
    }
}

impl SweepReport {
    /// Returns the results that every output is made from, with this sweep in them and no records, under its name.
    #[must_use]
    pub fn into_results(self) -> Results {
        // A file of an earlier version may have no name.
        let title = if self.name.is_empty() { "sweep".to_owned() } else { self.name.clone() };
        self.into_results_as(title)
    }

    /// Returns the same under another title. A [`Store`](super::Store) keeps them by it.
    #[must_use]
    pub fn into_results_as(self, title: impl Into<String>) -> Results {
        Results::of_sweep(title, Vec::new(), self)
    }

    /// Returns a level that was measured.
    #[must_use]
    pub fn level(&self, level: f64) -> Option<&Level> {
        self.levels.iter().find(|known| known.level.total_cmp(&level).is_eq())
    }
}

impl Level {
    /// Returns a metric by its name; `None` where no window measured it.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }
}
