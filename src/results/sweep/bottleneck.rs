//! What limits a system, by rule, with the figures that say so.
//!
//! | kind | rule, at the level above the knee, else the first that is not well, else the highest |
//! | --- | --- |
//! | `limit_reached` | an error says so, as `maximum connections exceeded` does; or all workers were busy |
//! | `slow_consumer` | the server dropped a client for being slow, or the verifier misses messages |
//! | `client_cpu` | this process uses 90 % of what its runtime's threads can use |
//! | `server_cpu` | the server uses 90 % of the processors it may use |
//! | `processors` | all processes together use 90 % of the machine, half of that or more client and server |
//! | `other_processes` | others use more than 0.2 processors, or 5 % of the machine: a doubt more than a cause |
//! | `disk` | some task waited for storage for 20 % of the time, while the server moved 1 MiB/s |
//! | `memory` | client and server have more than half of the machine's memory |
//! | `contention` | CPU time of an operation is 25 % above that of the first stable level, with processors free; or throughput has fallen by 10 % from the knee, on more than one thread |
//! | `drops` | an operation was dropped, or 1 % did not end |
//! | `queueing` | p99 is twice that of the service times; or, with rate or concurrency above the knee, p50 is 1.5 times that of the first stable level; strongest where throughput times p50 is the level, throughput as at the knee, and most of the machine idle |
//! | `latency_bound` | none of these, all is well at the highest level, throughput still rising with the operations in flight |
//! | `unknown` | none of these, and not all is well, or throughput rises no more, or goes up and down |
//!
//! Only levels are looked at whose operations succeeded for the most part. Limits, slow consumers and drops are looked for at the
//! first level that is not well too; where most operations failed, limits and drops.
//!
//! The strongest first: errors and losses, then what is busy by how busy it is, then what follows from it; other processes last.

mod rules;

use super::law::LEAST_LEVELS;
use super::rung::{Rung, level_text};
use super::{Axis, Bottleneck, BottleneckKind, Limit};

/// All that the rules look at.
pub(super) struct Case<'a> {
    pub(super) axis: &'a Axis,
    /// Those that were measured, ascending.
    pub(super) rungs: &'a [Rung],
    /// The level where throughput stops rising, whatever the limit.
    pub(super) knee: Option<f64>,
    pub(super) limit: Option<&'a Limit>,
    /// Throughput goes up and down, or the windows do not agree on it: whether it still rises is not known.
    pub(super) is_erratic: bool,
}

/// What a rule found: how strong it is, what, and why.
type Found = (f64, BottleneckKind, String);

impl Case<'_> {
    /// What limits the system; never empty.
    pub(super) fn bottlenecks(&self) -> Vec<Bottleneck> {
        let (at, ill) = (self.focus(), self.ill());
        let mut found: Vec<(f64, Found)> = Vec::new();
        if let Some(at) = at {
            let all = rules::LOSSES.iter().chain(&rules::CAUSES);
            found.extend(all.filter_map(|rule| Some((at.level, rule(self, at)?))));
        }
        if let Some(ill) = ill.filter(|ill| at.is_none_or(|at| ill.level.total_cmp(&at.level).is_ne())) {
            let rules = if ill.is_working() { &rules::LOSSES[..] } else { &rules::ERRORS };
            let losses = rules.iter().filter_map(|rule| Some((ill.level, rule(self, ill)?)));
            let new: Vec<_> =
                losses.filter(|(_, new)| !found.iter().any(|(_, known)| known.1 == new.1)).collect();
            found.extend(new);
        }
        found.sort_by(|a, b| b.1.0.total_cmp(&a.1.0));
        if found.is_empty() {
            found.push(match (at, ill) {
                (Some(at), _) => (at.level, rules::nothing(self, at)),
                (None, Some(ill)) => (ill.level, unknown("at no level did most of the operations succeed")),
                (None, None) => (0.0, unknown("nothing was measured")),
            });
        }
        let bottleneck = |(level, (_, kind, evidence))| Bottleneck { kind, evidence, level };
        found.into_iter().map(bottleneck).collect()
    }

    /// The first level that is not well, where a limit is known.
    fn fails_at(&self) -> Option<&Rung> {
        let level = self.limit?.fails_at?;
        self.rungs.iter().find(|rung| rung.level.total_cmp(&level).is_eq())
    }

    /// The same; without a limit, the first that is not.
    fn ill(&self) -> Option<&Rung> {
        let first = || self.rungs.iter().find(|rung| self.limit.is_none() && !rung.is_well());
        self.fails_at().or_else(first)
    }

    /// The level to look at, of those that work: the first one twice above the knee, or the highest there is; without a knee, the first that is not
    /// well, or the highest.
    fn focus(&self) -> Option<&Rung> {
        let fails_at = self.limit.and_then(|limit| limit.fails_at);
        let from = self.knee.map(|knee| knee * 2.0).or(fails_at);
        let working = || self.rungs.iter().filter(|rung| rung.is_working());
        let first = from.and_then(|from| working().find(|rung| rung.level >= from));
        let ill = || working().find(|rung| self.limit.is_none() && !rung.is_well());
        first.or_else(ill).or_else(|| working().next_back())
    }

    /// The first level that is well; the lowest that works, where none is.
    fn stable(&self) -> Option<&Rung> {
        let mut working = self.rungs.iter().filter(|rung| rung.is_working());
        working.clone().find(|rung| rung.is_well()).or_else(|| working.next())
    }

    fn at_knee(&self) -> Option<&Rung> {
        let knee = self.knee?;
        self.rungs.iter().find(|rung| rung.level.total_cmp(&knee).is_eq())
    }
}

/// Why there is no law.
pub(super) fn no_law(axis: &Axis, levels: usize) -> Option<String> {
    let few = *axis == Axis::Concurrency && levels < LEAST_LEVELS;
    few.then(|| {
        format!("the scalability law takes {LEAST_LEVELS} levels with throughput, and there are {levels}")
    })
}

fn unknown(evidence: &str) -> Found {
    (0.0, BottleneckKind::Unknown, evidence.into())
}

/// What other processes used, where it was more than they may.
pub(super) fn others(rungs: &[Rung]) -> Option<String> {
    let used = rungs.iter().filter_map(|rung| Some((rules::others(rung)?, rung)));
    let ((used, cores), most) = used.max_by(|a, b| a.0.0.total_cmp(&b.0.0))?;
    Some(format!(
        "other processes used up to {used:.2} of {cores} processors ({}): what was measured then is in doubt, and what follows \
         from it (measure on a machine that does nothing else)",
        at(most)
    ))
}

/// `at 64`.
fn at(rung: &Rung) -> String {
    format!("at {}", level_text(rung.level))
}

#[cfg(test)]
mod tests;
