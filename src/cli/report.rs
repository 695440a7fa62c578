//! `report`: what was measured.

use super::arguments::Arguments;
use super::format::{self, Form};
use super::pick::{self, What};
use super::{Failure, Said, keep};
use crate::results::{Outcome, Results, StoredRun};

pub(super) fn run(arguments: &Arguments) -> Result<Said, Failure> {
    let form = Form::of(arguments)?;
    let is_all = arguments.is_set("--all");
    match arguments.place(0) {
        Some(_) if is_all => {
            Err(arguments.usage("`--all` is of all scenarios, and `report` was given one run"))
        }
        Some(word) => {
            let results = results(&word, arguments)?;
            show(&[results], &form, arguments)
        }
        None => latest(is_all, &form, arguments),
    }
}

fn results(word: &str, arguments: &Arguments) -> Result<Results, Failure> {
    Ok(match pick::pick(word, arguments)?.what {
        What::Run(results) => *results,
        What::Baseline(baseline) => Results::new(&baseline.name, baseline.runs, Vec::new()),
    })
}

/// The latest run of each scenario: shown where there is one, or all are asked for, else listed.
fn latest(is_all: bool, form: &Form, arguments: &Arguments) -> Result<Said, Failure> {
    let store = arguments.store()?;
    let runs = store.runs(None)?;
    let latest = of_each(&runs);
    if latest.is_empty() {
        return Err(pick::nothing(&store));
    }
    // A check of nothing must not pass for one.
    let is_all = is_all || arguments.is_set("--check");
    if latest.len() > 1 && !is_all && (arguments.is_set("--format") || arguments.is_set("--output")) {
        let names: Vec<_> = latest.iter().map(|run| run.scenario.as_str()).collect();
        let what = "there are several scenarios (name one, or give `--all`; there are";
        return Err(arguments.usage(format!("{what} `{}`)", names.join("`, `"))));
    }
    if latest.len() > 1 && !is_all {
        let mut said = Said::of(keep::scenarios(&runs));
        said.notes
            .push("there are several scenarios (name one: `report SCENARIO`, or all: `report --all`)".into());
        return Ok(said);
    }
    let results = latest.iter().map(|run| store.load(run)).collect::<Result<Vec<_>, _>>()?;
    show(&results, form, arguments)
}

/// The newest run of each scenario, by its name; `runs` are in the order of time.
pub(super) fn of_each(runs: &[StoredRun]) -> Vec<&StoredRun> {
    let mut latest = std::collections::BTreeMap::new();
    for run in runs {
        latest.insert(&run.scenario, run);
    }
    latest.into_values().collect()
}

fn show(all: &[Results], form: &Form, arguments: &Arguments) -> Result<Said, Failure> {
    let mut said = Said::default();
    let directories = format::directories(all.iter().map(|results| results.title.as_str()));
    for (index, (results, directory)) in all.iter().zip(&directories).enumerate() {
        if index > 0 && !said.out.is_empty() {
            said.out.push('\n');
        }
        form.put(results, (all.len() > 1).then_some(directory.as_str()), &mut said)?;
    }
    if arguments.is_set("--check") {
        said.code = worst(all.iter().map(Results::outcome));
    }
    Ok(said)
}

/// A failure outweighs what cannot be told.
fn worst(outcomes: impl Iterator<Item = Outcome>) -> u8 {
    let order = [Outcome::Passed, Outcome::Warned, Outcome::Inconclusive, Outcome::Failed];
    let rank = |outcome: &Outcome| order.iter().position(|known| known == outcome);
    outcomes.max_by_key(rank).map_or(0, Outcome::exit_code)
}
