//! `trend`: how figures have gone from run to run.

use super::arguments::Arguments;
use super::{Failure, Said, pick};

pub(super) fn run(arguments: &Arguments) -> Result<Said, Failure> {
    let scenario = arguments.place(0).unwrap_or_default();
    let store = arguments.store()?;
    let runs = store.runs(Some(&scenario))?;
    if runs.is_empty() {
        return Err(pick::unknown(&scenario, &store.runs(None)?, &store));
    }
    let mut trend = store.trend(&scenario)?;
    if trend.runs.is_empty() {
        let why = match runs.iter().all(|run| run.quick) {
            true => "has quick runs only (run the test without ISOLATED_NATS_QUICK)",
            false => "has no run with a record that is not quick (run the test without ISOLATED_NATS_QUICK)",
        };
        let what = format!("`{scenario}` {why}");
        return Err(Failure::Environment(what));
    }
    if let Some(metric) = arguments.text("--metric") {
        let mut names: Vec<_> = trend.metrics.iter().map(|metric| metric.name.clone()).collect();
        names.dedup();
        trend.metrics.retain(|known| known.name == metric);
        if trend.metrics.is_empty() {
            let names = names.join("`, `");
            let what = format!("`{scenario}` has no metric `{metric}` (its metrics: `{names}`)");
            return Err(Failure::Environment(what));
        }
    }
    Ok(Said::of(trend.to_string()))
}
