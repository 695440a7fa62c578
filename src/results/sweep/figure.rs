//! The figures of a level.

use crate::results::metric::{Better, Metric, MetricKind, Unit};

/// What is measured in each window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Figure {
    Throughput,
    P50,
    P99,
    Mean,
    ServiceP99,
    LagP99,
    Errors,
    Dropped,
    Unfinished,
    ClientCpu,
    ServerCpu,
    ClientCores,
    ServerCores,
    OtherCores,
    ClientRss,
    ServerRss,
    ClientThreads,
    ServerThreads,
    Undelivered,
    SlowConsumers,
    ServerIo,
    DiskWait,
}

impl Figure {
    pub(super) const ALL: [Self; 22] = [
        Self::Throughput,
        Self::P50,
        Self::P99,
        Self::Mean,
        Self::ServiceP99,
        Self::LagP99,
        Self::Errors,
        Self::Dropped,
        Self::Unfinished,
        Self::ClientCpu,
        Self::ServerCpu,
        Self::ClientCores,
        Self::ServerCores,
        Self::OtherCores,
        Self::ClientRss,
        Self::ServerRss,
        Self::ClientThreads,
        Self::ServerThreads,
        Self::Undelivered,
        Self::SlowConsumers,
        Self::ServerIo,
        Self::DiskWait,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Throughput => "throughput",
            Self::P50 => "p50",
            Self::P99 => "p99",
            Self::Mean => "mean",
            Self::ServiceP99 => "service p99",
            Self::LagP99 => "lag p99",
            Self::Errors => "errors",
            Self::Dropped => "dropped",
            Self::Unfinished => "unfinished",
            Self::ClientCpu => "client cpu",
            Self::ServerCpu => "server cpu",
            Self::ClientCores => "client cores",
            Self::ServerCores => "server cores",
            Self::OtherCores => "other cores",
            Self::ClientRss => "client rss",
            Self::ServerRss => "server rss",
            Self::ClientThreads => "client threads",
            Self::ServerThreads => "server threads",
            Self::Undelivered => "undelivered",
            Self::SlowConsumers => "slow consumers",
            Self::ServerIo => "server storage",
            Self::DiskWait => "disk wait",
        }
    }

    fn kind(self) -> MetricKind {
        match self {
            Self::Throughput => MetricKind::Throughput,
            Self::P50 | Self::Mean => MetricKind::Median,
            Self::P99 | Self::ServiceP99 | Self::LagP99 => MetricKind::Tail,
            Self::Errors | Self::Dropped | Self::Unfinished | Self::Undelivered | Self::SlowConsumers => {
                MetricKind::Errors
            }
            Self::ClientCpu | Self::ServerCpu => MetricKind::Cpu,
            Self::ClientRss | Self::ServerRss => MetricKind::Memory,
            _ => MetricKind::Other,
        }
    }

    pub(super) fn unit(self) -> Unit {
        match self {
            Self::Throughput => Unit::PerSecond,
            Self::P50 | Self::P99 | Self::Mean | Self::ServiceP99 | Self::LagP99 => Unit::Seconds,
            Self::ClientCpu | Self::ServerCpu => Unit::Seconds,
            Self::Errors | Self::DiskWait => Unit::Share,
            Self::ClientCores | Self::ServerCores | Self::OtherCores => Unit::Cores,
            Self::ClientRss | Self::ServerRss => Unit::Bytes,
            Self::ServerIo => Unit::Named("B/s".into()),
            _ => Unit::Count,
        }
    }

    /// As a metric without samples.
    pub(super) fn metric(self) -> Metric {
        let better = if self == Self::Throughput { Better::Higher } else { Better::Lower };
        Metric::new(self.name(), self.kind(), self.unit(), better)
    }
}
