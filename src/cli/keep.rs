//! `bless`, `clean` and `list`: which runs there are, and which stay.

use std::collections::BTreeMap;
use std::path::Path;

use super::arguments::Arguments;
use super::pick::{self, What};
use super::{Failure, Said, baselines, report};
use crate::memory::text;
use crate::results::{Baseline, Record, Results, Store, StoredRun};

/// Makes the newest runs of one configuration a baseline.
pub(super) fn bless(arguments: &Arguments) -> Result<Said, Failure> {
    let word = arguments.place(0).unwrap_or_default();
    let count = arguments.value("--runs", "a number from 1", from_one)?;
    let (records, passed) = match is_one(&word) {
        true if count.is_some() => {
            return Err(arguments.usage("`--runs` is of a scenario, and one run was given"));
        }
        true => (vec![side_of(&run(&word, arguments)?, arguments)?], Vec::new()),
        false => newest(&word, count.unwrap_or(1), arguments)?,
    };
    let name = arguments.text("--as").or_else(|| records.first().map(name_of)).unwrap_or(word);
    let baseline = Baseline::new(&name, records)?;
    let path = baselines::save(&baseline, arguments)?;
    let (runs, s) = (baseline.runs.len(), if baseline.runs.len() == 1 { "" } else { "s" });
    let mut said = Said::of(format!("`{name}` is {runs} run{s}, in `{}`\n", path.display()));
    said.out.extend(baseline.runs.iter().map(|run| format!("  {}\n", taken(run))));
    said.notes = passed;
    Ok(said)
}

/// `taken 2026-11-21T17:32:10Z at 1f5a489c0de5`.
fn taken(run: &Record) -> String {
    let commit = run.fingerprint.commit.as_ref();
    let commit =
        commit.map_or("an unknown commit".to_owned(), |commit| commit.hash.chars().take(12).collect());
    format!("taken {} at {commit}", run.taken)
}

/// Sides of one scenario are baselines of their own.
fn name_of(record: &Record) -> String {
    match &record.side {
        Some(side) => format!("{}-{side}", record.scenario),
        None => record.scenario.clone(),
    }
}

fn from_one(text: &str) -> Option<usize> {
    text.parse().ok().filter(|count| *count > 0)
}

/// Whether a word means one run, and no scenario.
fn is_one(word: &str) -> bool {
    let path = Path::new(word);
    path.is_file()
        || path.extension().is_some_and(|extension| extension == "json")
        || word.starts_with("baseline:")
        || word.contains(['~', '@'])
}

fn run(word: &str, arguments: &Arguments) -> Result<Results, Failure> {
    match pick::pick(word, arguments)?.what {
        What::Run(results) => Ok(*results),
        What::Baseline(_) => Err(arguments.usage(format!("`{word}` is a baseline already"))),
    }
}

/// The record that is meant: the only one, or that of `--side`.
fn side_of(results: &Results, arguments: &Arguments) -> Result<Record, Failure> {
    pick::no_sweep(results, &results.title, "does not become a baseline")?;
    let sides: Vec<_> = results.records.iter().map(|record| format!("`{}`", record.title())).collect();
    let there = if sides.is_empty() { "none".to_owned() } else { sides.join(", ") };
    let trouble = |what: String| Err(Failure::Environment(format!("{what} (its sides: {there})")));
    match (arguments.text("--side"), &results.records[..]) {
        (None, [only]) => Ok(only.clone()),
        (None, _) => trouble(format!("`{}` has not one side (name it: `--side NAME`)", results.title)),
        (Some(side), _) => match results.record(&side) {
            Some(record) => Ok(record.clone()),
            None => trouble(format!("`{}` has no side `{side}`", results.title)),
        },
    }
}

/// The newest runs of a scenario that are not quick, as far as they have the configuration of the newest; in the order of
/// time. Then what there is to say of those that were passed over.
fn newest(
    scenario: &str,
    count: usize,
    arguments: &Arguments,
) -> Result<(Vec<Record>, Vec<String>), Failure> {
    let store = arguments.store()?;
    let runs = store.runs(Some(scenario))?;
    if runs.is_empty() {
        return Err(pick::unknown(scenario, &store.runs(None)?, &store));
    }
    let mut records: Vec<Record> = Vec::new();
    if let Some(newest) = runs.last() {
        pick::no_sweep(&store.load(newest)?, scenario, "does not become a baseline")?;
    }
    for run in runs.iter().rev().filter(|run| !run.quick) {
        let record = side_of(&store.load(run)?, arguments)?;
        if records.first().is_none_or(|newest| newest.configuration_hash == record.configuration_hash) {
            records.push(record);
        }
        if records.len() == count {
            records.reverse();
            return Ok((records, passed_over(&runs, run)));
        }
    }
    let quick = runs.iter().filter(|run| run.quick).count();
    Err(Failure::Environment(format!(
        "`{scenario}` has {} runs of one configuration that are not quick, where {count} are asked for; {quick} are quick \
         (run the test again, without ISOLATED_NATS_QUICK, or give `--runs` less)",
        records.len()
    )))
}

/// Quick runs that are newer than the oldest run taken.
fn passed_over(runs: &[StoredRun], oldest: &StoredRun) -> Vec<String> {
    let newer = runs.iter().rev().take_while(|run| run.path != oldest.path).filter(|run| run.quick);
    newer.map(|run| format!("passed over the run of {}, which is quick", run.taken)).collect()
}

/// Removes runs, and says which.
pub(super) fn clean(arguments: &Arguments) -> Result<Said, Failure> {
    let keep = arguments.value("--keep", "a number", |text| text.parse().ok())?.unwrap_or(0);
    let scenario = arguments.place(0);
    let missing = arguments.path("--results").filter(|path| scenario.is_none() && !path.exists());
    if let Some(missing) = missing {
        let note = format!("there is no `{}`, so that nothing is to be removed", missing.display());
        return Ok(Said { notes: vec![note], ..Said::default() });
    }
    let store = arguments.store()?;
    let before = store.runs(scenario.as_deref())?;
    if let (Some(scenario), true) = (&scenario, before.is_empty()) {
        return Err(pick::unknown(scenario, &store.runs(None)?, &store));
    }
    let is_dry = arguments.is_set("--dry-run");
    let removed = match is_dry {
        true => surplus(&before, keep).into_iter().map(|run| run.path.clone()).collect(),
        false => store.clean(scenario.as_deref(), keep)?,
    };
    let mut said = Said::default();
    for path in &removed {
        said.out.extend([&*path.to_string_lossy(), "\n"]);
    }
    let (removed, left) = (removed.len(), before.len().saturating_sub(removed.len())); // others may remove some too
    let word = if is_dry { "would be removed" } else { "removed" };
    said.notes.push(format!("{} {word}, {} left", runs(removed), runs(left)));
    Ok(said)
}

/// What [`Store::clean`] removes.
fn surplus(runs: &[StoredRun], keep: usize) -> Vec<&StoredRun> {
    let mut groups: BTreeMap<(&str, bool), Vec<&StoredRun>> = BTreeMap::new();
    for run in runs {
        groups.entry((&run.scenario, run.quick)).or_default().push(run);
    }
    let surplus = |runs: Vec<_>| {
        let count = runs.len().saturating_sub(keep);
        runs.into_iter().take(count) // the oldest come first
    };
    groups.into_values().flat_map(surplus).collect()
}

fn runs(count: usize) -> String {
    format!("{count} run{}", if count == 1 { "" } else { "s" })
}

/// The scenarios, or the runs of one.
pub(super) fn list(arguments: &Arguments) -> Result<Said, Failure> {
    let store = arguments.store()?;
    let all = store.runs(None)?;
    let mut said = match arguments.place(0) {
        None if all.is_empty() => return Err(pick::nothing(&store)),
        None => Said::of(scenarios(&all)),
        Some(scenario) => {
            let runs: Vec<_> = all.iter().filter(|run| run.scenario == scenario).collect();
            if runs.is_empty() {
                return Err(pick::unknown(&scenario, &all, &store));
            }
            Said::of(of_scenario(&runs))
        }
    };
    said.notes = unreadable(&store)?;
    Ok(said)
}

fn unreadable(store: &Store) -> Result<Vec<String>, Failure> {
    let each = store.unreadable(None)?.into_iter();
    Ok(each.map(|(path, error)| format!("`{}` is left out: {error:?}", path.display())).collect())
}

/// A table of the scenarios, with their latest runs.
pub(super) fn scenarios(all: &[StoredRun]) -> String {
    let heads = ["scenario", "runs", "latest", "commit", ""].map(String::from);
    let row = |run: &StoredRun| {
        let count = all.iter().filter(|other| other.scenario == run.scenario).count();
        vec![run.scenario.clone(), count.to_string(), run.taken.to_string(), commit(run), quick(run)]
    };
    let rows: Vec<_> =
        std::iter::once(heads.to_vec()).chain(report::of_each(all).into_iter().map(row)).collect();
    text::table(&rows)
}

/// A table of one scenario's runs, the newest first, each under the name by which it can be asked for.
fn of_scenario(runs: &[&StoredRun]) -> String {
    let heads = ["run", "taken", "commit", ""].map(String::from);
    let row = |(back, run): (usize, &&StoredRun)| {
        let name = if back == 0 { run.scenario.clone() } else { format!("{}~{back}", run.scenario) };
        vec![name, run.taken.to_string(), commit(run), quick(run)]
    };
    let rows: Vec<_> =
        std::iter::once(heads.to_vec()).chain(runs.iter().rev().enumerate().map(row)).collect();
    text::table(&rows)
}

fn commit(run: &StoredRun) -> String {
    run.commit.clone().unwrap_or_else(|| "-".into())
}

fn quick(run: &StoredRun) -> String {
    if run.quick { "quick".into() } else { String::new() }
}
