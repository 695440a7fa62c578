//! Which run a word means.

use std::fs;
use std::path::Path;

use super::arguments::Arguments;
use super::{Failure, baselines, near};
use crate::results::{Baseline, Record, Results, Store, StoredRun};

/// What a word means.
#[derive(Debug)]
pub(super) struct Picked {
    /// What the user calls it.
    pub(super) label: String,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Run(Box<Results>),
    Baseline(Box<Baseline>),
}

pub(super) fn pick(word: &str, arguments: &Arguments) -> Result<Picked, Failure> {
    let picked = |what| Picked { label: word.to_owned(), what };
    if let Some(name) = word.strip_prefix("baseline:") {
        let baseline = baselines::load(name, arguments)?;
        return Ok(picked(What::Baseline(Box::new(baseline))));
    }
    // A file works without any store, and outside a project.
    let path = Path::new(word);
    if path.is_file() {
        return Ok(picked(read(path)?));
    }
    if path.extension().is_some_and(|extension| extension == "json") {
        return Err(Failure::Environment(format!("there is no file `{word}`")));
    }
    let store = arguments.store()?;
    let run = stored(word, &store)?;
    Ok(picked(What::Run(Box::new(store.load(&run)?))))
}

/// Refuses a sweep, which has levels and no records.
pub(super) fn no_sweep(results: &Results, label: &str, what: &str) -> Result<(), Failure> {
    match (&results.sweep, results.records.is_empty()) {
        (Some(_), true) => {
            let what = format!(
                "`{label}` is a sweep, which has levels and no record: it {what} (`report {label}` shows it; for what is to be \
                 followed from run to run, measure one level as a scenario of its own)"
            );
            Err(Failure::Environment(what))
        }
        _ => Ok(()),
    }
}

/// Results, a baseline, or a record alone, which are told apart by what they have.
fn read(path: &Path) -> Result<What, Failure> {
    let trouble = |why: String| Failure::Environment(format!("`{}` {why}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| trouble(format!("could not be read: {error}")))?;
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| trouble(format!("is no JSON: {error}")))?;
    let has = |name: &str| value.get(name).is_some();
    let unreadable = |error: crate::results::ResultsError| trouble(format!("could not be read: {error:?}"));
    if has("blessed") {
        return baselines::read(&text).map(|baseline| What::Baseline(Box::new(baseline))).map_err(unreadable);
    }
    if has("metrics") {
        let record = Record::from_json(&text).map_err(unreadable)?;
        return Ok(What::Run(Box::new(Results::new(record.scenario.clone(), vec![record], Vec::new()))));
    }
    if !has("records") {
        return Err(trouble("holds neither results nor a baseline of isolated-nats".into()));
    }
    Results::from_json(&text).map(|results| What::Run(Box::new(results))).map_err(unreadable)
}

/// `orders`, `orders~1`, `orders@1f5a489`; a scenario that is really called so comes first.
pub(super) fn stored(word: &str, store: &Store) -> Result<StoredRun, Failure> {
    let all = store.runs(None)?;
    let of = |scenario: &str| all.iter().filter(|run| run.scenario == scenario).cloned().collect::<Vec<_>>();
    if let Some(run) = of(word).pop() {
        return Ok(run);
    }
    if let Some((scenario, back)) = split(word, '~').and_then(|(name, back)| Some((name, back.parse().ok()?)))
    {
        let runs = of(scenario);
        let found = runs.iter().rev().nth(back).cloned();
        return found.ok_or_else(|| match runs.len() {
            0 => unknown(scenario, &all, store),
            count => {
                Failure::Environment(format!("`{scenario}` has {count} runs, and `~{back}` is none of them"))
            }
        });
    }
    if let Some((scenario, commit)) = split(word, '@') {
        let runs = of(scenario);
        let is_at = |run: &&StoredRun| run.commit.as_deref().is_some_and(|known| is_commit(known, commit));
        let found = runs.iter().rev().find(is_at).cloned();
        return found.ok_or_else(|| match runs.len() {
            0 => unknown(scenario, &all, store),
            _ => not_at(scenario, commit, &runs),
        });
    }
    Err(unknown(word, &all, store))
}

/// Either may be the shorter one: twelve figures are kept, and a hash in full is given as often.
fn is_commit(known: &str, given: &str) -> bool {
    given.len() >= 4 && (known.starts_with(given) || given.starts_with(known))
}

fn split(word: &str, at: char) -> Option<(&str, &str)> {
    word.rsplit_once(at).filter(|(name, rest)| !name.is_empty() && !rest.is_empty())
}

fn not_at(scenario: &str, commit: &str, runs: &[StoredRun]) -> Failure {
    let mut known: Vec<_> = runs.iter().rev().filter_map(|run| run.commit.clone()).collect();
    known.dedup();
    let known = if known.is_empty() { "none is known".into() } else { format!("`{}`", known.join("`, `")) };
    Failure::Environment(format!("`{scenario}` has no run at `{commit}` (its commits: {known})"))
}

/// Says which there are.
pub(super) fn unknown(scenario: &str, all: &[StoredRun], store: &Store) -> Failure {
    let directory = store.directory().display();
    let mut names: Vec<_> = all.iter().map(|run| run.scenario.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return nothing(store);
    }
    let hint = match near::hint(scenario, names.iter().copied()) {
        hint if hint.is_empty() => format!(" (there are: `{}`)", names.join("`, `")),
        hint => hint,
    };
    Failure::Environment(format!("there is no run of `{scenario}` in `{directory}`{hint}"))
}

pub(super) fn nothing(store: &Store) -> Failure {
    Failure::Environment(format!(
        "there are no runs in `{}` (run tests that measure something, or give a file, or `--results DIR`)",
        store.directory().display()
    ))
}
