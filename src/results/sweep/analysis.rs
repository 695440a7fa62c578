//! What follows from the figures of all levels.

use super::bottleneck::{Case, no_law, others};
use super::figure::Figure;
use super::rung::{Rung, level_text};
use super::{
    Axis, Bottleneck, Knee, Level, Limit, ScalabilityLaw, SweepReport, SweepStop, degradation, doubt, knee,
    law, limit,
};
use crate::results::fingerprint::Fingerprint;
use crate::results::time::Moment;

/// `N = X R` may be off by so much.
const LITTLE: f64 = 0.05;

/// What the run says of itself.
pub(super) struct Facts {
    pub(super) name: String,
    pub(super) taken: Moment,
    pub(super) fingerprint: Fingerprint,
    pub(super) seed: u64,
    pub(super) thresholds: Vec<String>,
    pub(super) skipped: Vec<f64>,
    pub(super) budget: Option<SweepStop>,
    pub(super) notes: Vec<String>,
}

/// What throughput comes to, and what is noted of it.
struct Found {
    limit: Option<Limit>,
    knee: Option<Knee>,
    law: Option<ScalabilityLaw>,
    bottlenecks: Vec<Bottleneck>,
    notes: Vec<String>,
}

/// Makes the report; `rungs` are in ascending order, each with a window.
pub(super) fn analyse(axis: Axis, rungs: &[Rung], facts: Facts) -> SweepReport {
    let found = find(&axis, rungs);
    let stop = rungs.iter().find_map(Rung::stop).copied().filter(|_| !facts.skipped.is_empty());
    SweepReport {
        name: facts.name,
        taken: Some(facts.taken),
        fingerprint: facts.fingerprint,
        seed: facts.seed,
        thresholds: facts.thresholds,
        stopped: stop.or(facts.budget),
        skipped: facts.skipped,
        unit: axis.unit(),
        levels: levels(&axis, rungs),
        limit: found.limit,
        knee: found.knee,
        degradation: degradation::degradation(&axis, rungs),
        law: found.law,
        bottlenecks: found.bottlenecks,
        notes: facts.notes.into_iter().chain(found.notes).collect(),
        axis,
    }
}

fn find(axis: &Axis, rungs: &[Rung]) -> Found {
    let limit = limit::limit(rungs);
    let (at, points) = rising(axis, rungs);
    let usable: Vec<&Rung> = at.iter().map(|at| &rungs[*at]).collect();
    let erratic = doubt::erratic(axis, &points);
    let (law, no_law) = stated_law(axis, &points, erratic.is_some());
    let doubt = erratic.or_else(|| doubt::disagreement(axis, &usable, &points));
    let saturated = knee::knee(&points).filter(|_| doubt.is_none()).and_then(|index| at.get(index)).copied();
    let case = Case {
        axis,
        rungs,
        knee: saturated.map(|at| rungs[at].level),
        limit: limit.as_ref(),
        is_erratic: doubt.is_some(),
    };
    let bottlenecks = case.bottlenecks();
    let knee = saturated.and_then(|at| found_knee(axis, rungs, at, limit.as_ref()));
    let no_knee = doubt.or_else(|| no_knee(axis, &points, limit.as_ref(), knee.as_ref()));
    let notes = [
        no_law,
        no_limit(rungs, limit.as_ref()),
        no_knee,
        others(rungs),
        one_thread(rungs),
        excused(rungs),
        little(axis, rungs),
    ];
    Found { knee, law, bottlenecks, notes: notes.into_iter().flatten().collect(), limit }
}

/// The law, where the levels are near it; else why there is none. Of a throughput that goes up and down, a note says so anyway.
fn stated_law(
    axis: &Axis,
    points: &[(f64, f64)],
    is_erratic: bool,
) -> (Option<ScalabilityLaw>, Option<String>) {
    let law = (*axis == Axis::Concurrency && !is_erratic).then(|| law::fit(points)).flatten();
    match law {
        Some(law) => match doubt::misfit(&law) {
            Some(why) => (None, Some(why)),
            None => (Some(law), None),
        },
        None => (None, no_law(axis, points.len())),
    }
}

/// What should rise with the level, and at which rungs: those that were not beyond recovery.
fn rising(axis: &Axis, rungs: &[Rung]) -> (Vec<usize>, Vec<(f64, f64)>) {
    let usable = rungs.iter().enumerate().filter(|(_, rung)| rung.stop().is_none() && rung.is_working());
    let points = usable.filter_map(|(at, rung)| {
        let output = axis.output(rung.level, rung.median(Figure::Throughput)?)?;
        (output > 0.0).then_some((at, (rung.level, output)))
    });
    points.unzip()
}

/// The knee at rung `saturated`, or at the limit, where that is lower.
fn found_knee(axis: &Axis, rungs: &[Rung], saturated: usize, limit: Option<&Limit>) -> Option<Knee> {
    let limit = limit?;
    let limited = rungs.iter().position(|rung| rung.level.total_cmp(&limit.level).is_eq())?;
    let at = saturated.min(limited);
    let (here, next) = (&rungs[at], rungs.get(at + 1)?);
    let above = rungs[at + 1..].iter().find(|rung| rung.is_working());
    let throughput = here.median(Figure::Throughput)?;
    let output = |rung: &Rung| axis.output(rung.level, rung.median(Figure::Throughput)?);
    let change = |rung: &Rung| match (output(here), output(rung)) {
        (Some(before), Some(after)) => format!("{:+.1} %", (after / before - 1.0) * 100.0),
        _ => "nothing".to_owned(),
    };
    let what = axis.what();
    let evidence = if limited < saturated {
        let why = limit.why.as_deref().unwrap_or("it is not well");
        let level = level_text(next.level);
        let adds = match next.is_working() {
            true => format!("{level} adds {} of {what}, but {why}", change(next)),
            false => format!("not at {level}: {why}"),
        };
        format!("{adds}; without that, it would rise up to {}", level_text(rungs[saturated].level))
    } else {
        let above = above?;
        format!(
            "{} adds {} of {what} to that at {}, and no higher level {:.0} % for each doubling",
            level_text(above.level),
            change(above),
            level_text(here.level),
            knee::GAIN * 100.0
        )
    };
    Some(Knee { level: here.level, throughput, evidence })
}

fn levels(axis: &Axis, rungs: &[Rung]) -> Vec<Level> {
    let per_level = |rung: &Rung| {
        axis.output(rung.level, rung.median(Figure::Throughput)?).map(|output| output / rung.level)
    };
    let first = rungs.first().and_then(per_level).filter(|first| *first > 0.0);
    let level = |rung: &Rung| {
        let scalability = first.and_then(|first| Some(per_level(rung)? / first));
        Level { scalability, ..rung.report() }
    };
    rungs.iter().map(level).collect()
}

fn no_limit(rungs: &[Rung], limit: Option<&Limit>) -> Option<String> {
    let first = rungs.first().filter(|_| limit.is_none())?;
    let why = first.why().unwrap_or_default();
    Some(format!("no limit: already {} is not well: {why}", level_text(first.level)))
}

fn no_knee(axis: &Axis, points: &[(f64, f64)], limit: Option<&Limit>, knee: Option<&Knee>) -> Option<String> {
    Some(match (knee, points) {
        (Some(_), _) => return None,
        _ if axis.output(1.0, 1.0).is_none() => {
            "no knee: throughput does not have to rise with the level".into()
        }
        (None, [] | [_]) => "no knee: it takes two levels with throughput".into(),
        (None, [.., last]) if limit.is_some_and(|limit| limit.fails_at.is_none()) => {
            format!("no knee: throughput still rises at {}", level_text(last.0))
        }
        _ => "no knee below the first level that is not well".into(),
    })
}

fn excused(rungs: &[Rung]) -> Option<String> {
    let excused = rungs.iter().filter(|rung| !rung.is_well() && rung.is_excused());
    let which: Vec<_> = excused.map(|rung| level_text(rung.level)).collect();
    (!which.is_empty()).then(|| {
        format!(
            "the machine was busy with something else at {}: that it is not well there may be for that",
            which.join(", ")
        )
    })
}

/// What limits a client of one thread at one processor.
fn one_thread(rungs: &[Rung]) -> Option<String> {
    let runtimes =
        rungs.iter().flat_map(|rung| &rung.windows).filter_map(|window| window.room.runtime.as_ref());
    let one = runtimes.into_iter().any(|(flavor, _)| flavor == "current_thread");
    one.then(|| {
        "load, client and test share one thread (`current_thread`): a `multi_thread` runtime may give other figures".into()
    })
}

/// Where the operations in flight are not throughput times their time.
fn little(axis: &Axis, rungs: &[Rung]) -> Option<String> {
    let off = |rung: &Rung| {
        let in_flight = rung.median(Figure::Throughput)? * rung.median(Figure::Mean)?;
        let off = in_flight / rung.level - 1.0;
        (off.abs() > LITTLE && rung.median(Figure::Errors) == Some(0.0))
            .then(|| format!("{in_flight:.1} at {}", level_text(rung.level)))
    };
    let off: Vec<_> = rungs.iter().filter_map(off).collect();
    (*axis == Axis::Concurrency && !off.is_empty()).then(|| {
        format!(
            "by Little's law (throughput times mean time) fewer or more operations were in flight than the level says: {} (a pause \
             between operations, workers that were not set up, or windows that are too short)",
            off.join(", ")
        )
    })
}

#[cfg(test)]
mod tests;
