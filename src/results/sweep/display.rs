//! A sweep as a table and sentences.

use std::fmt;

use super::figure::Figure;
use super::rung::level_text;
use super::{
    Axis, Bottleneck, BottleneckKind, Degradation, Level, Limit, ScalabilityLaw, SweepReport, SweepStop,
};
use crate::memory::text::{duration, percent, table};

/// The columns, and where their figures are from.
const COLUMNS: [(&str, Figure); 8] = [
    ("throughput", Figure::Throughput),
    ("p50", Figure::P50),
    ("p99", Figure::P99),
    ("errors", Figure::Errors),
    ("client", Figure::ClientCores),
    ("server", Figure::ServerCores),
    ("others", Figure::OtherCores),
    ("dropped", Figure::Dropped),
];

impl fmt::Display for SweepReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} levels of {}, seed {}", self.name, self.levels.len(), self.axis, self.seed)?;
        if !self.thresholds.is_empty() {
            writeln!(f, "well is: {}", self.thresholds.join(", "))?;
        }
        writeln!(f)?;
        f.write_str(&table(&self.rows()))?;
        writeln!(f)?;
        self.conclusions().into_iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl SweepReport {
    fn rows(&self) -> Vec<Vec<String>> {
        let columns = COLUMNS.iter().filter(|(_, figure)| self.has(*figure));
        let columns: Vec<_> = columns.collect();
        let scaling = self.levels.iter().any(|level| level.scalability.is_some());
        let names = columns.iter().map(|(name, _)| (*name).to_owned());
        let names = std::iter::once(self.axis.to_string()).chain(names);
        let names = names.chain(scaling.then(|| "scaling".to_owned())).chain(["well".to_owned()]);
        let row = |level: &Level| {
            let figures = columns.iter().map(|(_, figure)| cell(level, *figure));
            let cells = std::iter::once(level_text(level.level)).chain(figures);
            let share = level.scalability.map_or_else(|| "-".to_owned(), |share| format!("{share:.2}"));
            let well = if level.problems.is_empty() { "yes" } else { "no" };
            cells.chain(scaling.then_some(share)).chain([well.to_owned()]).collect()
        };
        std::iter::once(names.collect()).chain(self.levels.iter().map(row)).collect()
    }

    /// Whether some level has it; of what is mostly nothing, whether some level has more.
    fn has(&self, figure: Figure) -> bool {
        let nothing = figure == Figure::Dropped;
        let values = self.levels.iter().filter_map(|level| value(level, figure));
        values.into_iter().any(|value| !nothing || value > 0.0)
    }

    fn conclusions(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let of = |level: &f64| level_text(*level);
        lines.extend(self.stopped.map(|stop| format!("stopped: {stop}")));
        if !self.skipped.is_empty() {
            lines.push(format!("left out: {}", self.skipped.iter().map(of).collect::<Vec<_>>().join(", ")));
        }
        lines.push(match &self.limit {
            Some(limit) => limit.to_string(),
            None if self.levels.is_empty() => "limit: nothing was measured".into(),
            None => "limit: none, not even the lowest level is well".into(),
        });
        lines.extend(self.knee.as_ref().map(|knee| {
            let rate = Figure::Throughput.unit().text(knee.throughput);
            format!("knee: {} with {rate}; {}", of(&knee.level), knee.evidence)
        }));
        lines.extend(self.law.as_ref().map(|law| format!("model: {law}")));
        lines.extend(self.degradation.iter().map(ToString::to_string));
        lines.extend(self.bottlenecks.iter().map(ToString::to_string));
        lines.extend(self.notes.iter().map(|note| format!("note: {note}")));
        lines
    }
}

/// The median of the windows that measured it.
fn value(level: &Level, figure: Figure) -> Option<f64> {
    level.metric(figure.name())?.median()
}

fn cell(level: &Level, figure: Figure) -> String {
    let text = |value| figure.unit().text(value).replace(" cores", "");
    value(level, figure).map_or_else(|| "-".to_owned(), text)
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rate => "rate",
            Self::Concurrency => "concurrency",
            Self::Payload => "payload",
            Self::Data => "data",
            Self::Named(name) => name,
        })
    }
}

impl fmt::Display for SweepStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Errors { level, share } => {
                write!(
                    f,
                    "{} of the operations failed at {} (10 % are too many)",
                    percent(*share),
                    level_text(*level)
                )
            }
            Self::NothingAchieved { level } => write!(f, "no operation ended well at {}", level_text(*level)),
            Self::Latency { level, mean } => {
                write!(
                    f,
                    "operations took {} on average at {} (5 s are too long)",
                    duration(*mean),
                    level_text(*level)
                )
            }
            Self::Budget { limit } => write!(f, "the budget of {} was over", duration(*limit)),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "limit: all is well up to {}", level_text(self.level))?;
        match (self.fails_at, &self.why) {
            (None, _) => f.write_str(", the highest measured"),
            (Some(level), None) => write!(f, "; not at {}", level_text(level)),
            (Some(level), Some(why)) => write!(f, "; not at {}: {why}", level_text(level)),
        }
    }
}

impl fmt::Display for Degradation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (stable, worst) = (self.unit.text(self.stable), self.unit.text(self.worst));
        let (from, at) = (level_text(self.from), level_text(self.worst_at));
        write!(f, "worse: {} from {from} on: {worst} at {at}, {stable} at first", self.metric)
    }
}

impl fmt::Display for ScalabilityLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lambda, sigma) = (Figure::Throughput.unit().text(self.lambda), percent(self.sigma));
        let kappa = if self.kappa > 0.0 { format!("{:.2e}", self.kappa) } else { "nothing".to_owned() };
        write!(f, "{lambda} for one, {sigma} serial, {kappa} for each other one")?;
        match (self.peak, self.peak_interval) {
            (None, _) => f.write_str(", no peak")?,
            (Some(peak), None) => write!(f, ", peak at {peak:.0}")?,
            (Some(peak), Some(range)) => {
                write!(f, ", peak at {peak:.0} ({:.0} to {:.0})", range.low, range.high)?;
            }
        }
        let (mean, worst) = (percent(self.mean_residual), percent(self.worst_residual));
        write!(f, "; the measured is {mean} off it, {worst} at most (Universal Scalability Law)")
    }
}

impl fmt::Display for Bottleneck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bottleneck: {}: {}", self.kind, self.evidence)
    }
}

impl fmt::Display for BottleneckKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientCpu => "client CPU",
            Self::ServerCpu => "server CPU",
            Self::Processors => "processors",
            Self::OtherProcesses => "other processes",
            Self::Contention => "contention",
            Self::Disk => "disk",
            Self::Queueing => "queueing",
            Self::SlowConsumer => "slow consumer",
            Self::Drops => "drops",
            Self::LimitReached => "limit reached",
            Self::Memory => "memory",
            Self::LatencyBound => "latency",
            Self::Unknown => "not known",
            Self::None => "none",
        })
    }
}
