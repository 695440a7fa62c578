//! What a sweep comes to.

use super::changes::listed;
use super::{Finding, FindingKind, Severity};
use crate::memory::text;
use crate::results::metric::Unit;
use crate::results::sweep::{Bottleneck, BottleneckKind, Degradation, SweepReport, SweepStop};

pub(super) fn find(sweep: &SweepReport) -> Vec<Finding> {
    let knee = sweep.knee.as_ref().map(|knee| {
        let (at, rate) = (level(sweep, knee.level), Unit::PerSecond.text(knee.throughput));
        let text = format!("throughput stops rising at {at}, with {rate}: {}", knee.evidence);
        Finding::new(FindingKind::Bottleneck, Severity::Note, level(sweep, knee.level), text)
    });
    let degradation = sweep.degradation.iter().map(|one| degraded(sweep, one));
    let bottlenecks = sweep.bottlenecks.iter().map(|one| bottleneck(sweep, one));
    limit(sweep).into_iter().chain(stopped(sweep)).chain(degradation).chain(knee).chain(bottlenecks).collect()
}

fn limit(sweep: &SweepReport) -> Option<Finding> {
    let kind = FindingKind::Degradation;
    let (Some(first), Some(last)) = (sweep.levels.first(), sweep.levels.last()) else {
        return Some(Finding::new(kind, Severity::Unknown, &sweep.name, "no level was measured"));
    };
    let Some(limit) = &sweep.limit else {
        let text = format!(
            "no level is well, not even {}: {}",
            level(sweep, first.level),
            first.problems.join("; ")
        );
        // What it is by, a threshold or the machine, is not known here; that it is well is not either.
        return Some(Finding::new(kind, Severity::Unknown, level(sweep, first.level), text));
    };
    let at = level(sweep, limit.level);
    let Some(fails_at) = limit.fails_at else {
        let text = format!("all is well at every level measured, up to {}", level(sweep, last.level));
        return Some(Finding::new(kind, Severity::Good, at, text));
    };
    let why = limit.why.as_ref().map_or(String::new(), |why| format!(": {why}"));
    let text = format!("all is well up to {at}, and not at {}{why}", level(sweep, fails_at));
    Some(Finding::new(kind, Severity::Note, at, text))
}

/// Why it did not measure all that it was asked to.
fn stopped(sweep: &SweepReport) -> Option<Finding> {
    let stop = sweep.stopped.as_ref()?;
    let skipped: Vec<_> = sweep.skipped.iter().map(|skipped| level(sweep, *skipped)).collect();
    let left_out = match &skipped[..] {
        [] => "some windows were left out".to_owned(),
        skipped => {
            format!("{} {} not measured", listed(skipped), if skipped.len() == 1 { "was" } else { "were" })
        }
    };
    // Above a level that fails, nothing is expected of another; for want of time, the limit may be higher than what was found.
    let severity = match stop {
        SweepStop::Budget { .. } => Severity::Warn,
        _ => Severity::Note,
    };
    Some(Finding::new(FindingKind::Validity, severity, &sweep.name, format!("{left_out}: {stop}")))
}

fn degraded(sweep: &SweepReport, one: &Degradation) -> Finding {
    let from = level(sweep, one.from);
    let text = format!(
        "{} is worse from {from} on: {} at {}, where the first stable level has {}",
        one.metric,
        one.unit.text(one.worst),
        level(sweep, one.worst_at),
        one.unit.text(one.stable),
    );
    let mut found = Finding::new(FindingKind::Degradation, Severity::Note, &one.metric, text);
    let ratio = one.worst / one.stable;
    found.impact = (one.stable > 0.0).then(|| match ratio {
        1.0.. => format!("{ratio:.1} times the stable value"),
        _ => format!("{} of the stable value", text::percent(ratio)),
    });
    found
}

fn bottleneck(sweep: &SweepReport, one: &Bottleneck) -> Finding {
    let severity = match one.kind {
        BottleneckKind::None => Severity::Good,
        _ => Severity::Note,
    };
    // The evidence says at which level.
    let text = format!("{}: {}", words(one.kind), one.evidence);
    Finding::new(FindingKind::Bottleneck, severity, level(sweep, one.level), text)
}

fn words(kind: BottleneckKind) -> &'static str {
    match kind {
        BottleneckKind::ClientCpu => "the client is busy",
        BottleneckKind::ServerCpu => "the server's processor time limits it",
        BottleneckKind::Processors => "the machine is full",
        BottleneckKind::OtherProcesses => "the machine is shared",
        BottleneckKind::Contention => "operations are in each other's way",
        BottleneckKind::Disk => "the server waits for its disk",
        BottleneckKind::Queueing => "operations wait for their turn",
        BottleneckKind::SlowConsumer => "a consumer does not keep up",
        BottleneckKind::Drops => "operations or messages are dropped",
        BottleneckKind::LimitReached => "a limit is reached",
        BottleneckKind::Memory => "memory grows with the level",
        BottleneckKind::LatencyBound => {
            "each operation waits for its answer, and more in flight would give more"
        }
        BottleneckKind::Unknown => "what limits it is not known",
        BottleneckKind::None => "nothing limits it",
    }
}

/// `concurrency 64`.
fn level(sweep: &SweepReport, level: f64) -> String {
    let text = match &sweep.unit {
        Unit::Count if level.fract() == 0.0 && level >= 0.0 => text::count(text::whole(level)),
        unit => unit.text(level),
    };
    format!("{} {text}", sweep.axis)
}
