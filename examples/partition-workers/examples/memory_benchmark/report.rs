//! The report, in all its forms.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use isolated_nats::results::{Fingerprint, Record, Results, Verdict};
use serde::Serialize;

use super::analysis::{self, Cost, Split};
use super::cell::Cell;
use super::compare::{self, Compared};
use super::order::Held;
use super::plan::Plan;
use super::plot;
use super::records::SCENARIO;
use super::table::Table;

/// The version of the JSON document; that of the results in it is their own.
const SCHEMA: u32 = 1;
const PLOT: &str = "memory-over-workers.svg";

/// Whether heartbeats and requests leave something behind.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LeakCheck {
    pub(crate) cell: Cell,
    /// The places that hold more and more; empty where there is no leak.
    pub(crate) places: Vec<Held>,
}

/// Everything that a run has to say.
pub(crate) struct Report {
    plan: Plan,
    records: Vec<(Cell, Record)>,
    costs: Vec<Cost>,
    splits: Vec<Split>,
    leaks: Option<LeakCheck>,
    /// The name of the saved run, and each cell's comparison.
    compared: Option<(String, Vec<Compared>)>,
    failures: Vec<(Cell, String)>,
    results: Results,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    seed: u64,
    quick: bool,
    repeats: usize,
    costs: &'a [Cost],
    splits: &'a [Split],
    leaks: Option<&'a LeakCheck>,
    failures: &'a [(Cell, String)],
    results: &'a Results,
}

impl LeakCheck {
    fn text(&self) -> String {
        let cell = self.cell;
        if self.places.is_empty() {
            return format!("none found with {cell}: no place holds more and more blocks");
        }
        let mut text =
            format!("LEAK with {cell}: what held more at each look, and how much more at the last");
        for Held { place, bytes, blocks } in &self.places {
            let each = bytes / blocks; // OK because a leak has blocks
            let _ = write!(text, "\n    {bytes} B more in {blocks} blocks of {each} B  {place}");
        }
        text
    }
}

/// Checks that a report can be written there, before anything is measured.
///
/// # Errors
///
/// That its directory cannot be made.
pub(crate) fn check_path(path: &Path) -> Result<(), String> {
    let directory = if path.extension().is_some() { path.parent() } else { Some(path) };
    let directory = directory.filter(|directory| !directory.as_os_str().is_empty());
    let made = directory.map_or(Ok(()), fs::create_dir_all);
    made.map_err(|error| format!("`{}` cannot be written: {error}", path.display()))
}

impl Report {
    pub(crate) fn new(
        plan: Plan,
        records: Vec<(Cell, Record)>,
        leaks: Option<LeakCheck>,
        compared: Option<(String, Vec<Compared>)>,
        failures: Vec<(Cell, String)>,
    ) -> Self {
        let comparisons = compared.iter().flat_map(|(_, all)| all).filter_map(|(_, one)| one.clone().ok());
        let all = records.iter().map(|(_, record)| record.clone()).collect();
        let results = Results::new(SCENARIO, all, comparisons.collect());
        let (costs, splits) = (analysis::costs(&records), analysis::splits(&records));
        Self { plan, records, costs, splits, leaks, compared, failures, results }
    }

    fn tables(&self) -> Vec<Table> {
        let mut tables = Vec::new();
        if !self.records.is_empty() {
            tables.push(analysis::cells_table(&self.records));
            tables.push(analysis::times_table(&self.records));
            tables.push(analysis::splits_table(&self.splits));
            tables.push(analysis::costs_table(&self.costs));
        }
        let mut leaks = Table::new("Leaks", &[]);
        leaks.notes.push(self.leaks.as_ref().map_or_else(|| self.no_leak_check(), LeakCheck::text));
        tables.push(leaks);
        tables.extend(self.compared.as_ref().map(|(name, compared)| compare::table(name, compared)));
        if !self.failures.is_empty() {
            let mut failures = Table::new("What could not be measured", &[]);
            failures.notes = self.failures();
            tables.push(failures);
        }
        tables
    }

    /// The cells that failed alike in one note.
    fn failures(&self) -> Vec<String> {
        let mut alike = BTreeMap::<&str, Vec<String>>::new();
        for (cell, why) in &self.failures {
            alike.entry(why).or_default().push(cell.to_string());
        }
        alike.into_iter().map(|(why, cells)| format!("{}: {why}", cells.join(", "))).collect()
    }

    fn no_leak_check(&self) -> String {
        let why = if self.plan.leak_check().is_none() { "--no-leak-check" } else { "the check failed" };
        format!("not measured ({why})")
    }

    fn setting(&self) -> String {
        let Plan { repeats, load, seed, quick, .. } = &self.plan;
        let repeats = if *repeats == 1 { "1 repeat".into() } else { format!("{repeats} repeats") };
        let quick = if *quick { ", a quick run" } else { "" };
        let fingerprint = self.records.first().map(|(_, record)| &record.fingerprint);
        let known = |of: fn(&Fingerprint) -> &Option<String>| {
            fingerprint.and_then(|one| of(one).as_deref()).unwrap_or("unknown")
        };
        let (cpu, profile, server) =
            (known(|one| &one.cpu_model), known(|one| &one.profile), known(|one| &one.server));
        format!("{repeats} of {load:?} load, seed {seed}{quick} ({cpu}, {profile}, nats-server {server})")
    }

    pub(crate) fn text(&self) -> String {
        let tables: Vec<_> = self.tables().iter().map(Table::text).collect();
        format!("{SCENARIO}: {}\n\n{}", self.setting(), tables.join("\n"))
    }

    fn markdown(&self, plot: Option<&str>) -> String {
        let tables: Vec<_> = self.tables().iter().map(Table::markdown).collect();
        let plot = plot.map_or_else(String::new, |plot| format!("![Memory over workers]({plot})\n\n"));
        format!("# {SCENARIO}\n\n{}\n\n{plot}{}", self.setting(), tables.join("\n"))
    }

    fn json(&self) -> String {
        let Plan { seed, quick, repeats, .. } = self.plan;
        let (costs, splits, leaks) = (&self.costs, &self.splits, self.leaks.as_ref());
        let (failures, results) = (&self.failures, &self.results);
        let document =
            Document { schema: SCHEMA, seed, quick, repeats, costs, splits, leaks, failures, results };
        // OK because every key is a text, and nothing here refuses to be written.
        serde_json::to_string_pretty(&document).expect("a report can be written as JSON") + "\n"
    }

    /// Writes what the file's ending asks for; all of it into a directory without one. Returns the files.
    ///
    /// # Errors
    ///
    /// What could not be written.
    pub(crate) fn write(&self, path: &Path) -> Result<Vec<PathBuf>, String> {
        let text = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => self.json(),
            Some("md") => self.markdown(None),
            Some("svg") => plot::svg(&self.records),
            _ => return self.write_all(path),
        };
        compare::write(path, &text)?;
        Ok(vec![path.to_owned()])
    }

    /// Beside ours, what `isolated-nats` makes of the results: pages, samples, memory over time.
    fn write_all(&self, directory: &Path) -> Result<Vec<PathBuf>, String> {
        let ours = [
            ("memory.md", self.markdown(Some(PLOT))),
            ("memory.json", self.json()),
            (PLOT, plot::svg(&self.records)),
        ];
        let mut files = Vec::new();
        for (name, text) in ours {
            files.push(directory.join(name));
            compare::write(&directory.join(name), &text)?;
        }
        files.extend(self.results.write_to(directory).map_err(|error| format!("{error:?}"))?);
        Ok(files)
    }

    /// 0: all is well; 1: a regression or a leak; 2: it cannot be told; 3: something could not be measured.
    pub(crate) fn exit_code(&self) -> u8 {
        let verdict = self.compared.as_ref().and_then(|(_, compared)| compare::verdict(compared));
        let leaks = self.leaks.as_ref().is_some_and(|leaks| !leaks.places.is_empty());
        match verdict {
            _ if !self.failures.is_empty() => 3,
            _ if leaks => 1,
            Some(Verdict::Regressed) => 1,
            Some(Verdict::Inconclusive) => 2,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::arguments::Arguments;
    use super::super::cell::MADE;
    use super::*;

    #[test]
    fn what_failed_alike_is_said_once() {
        let failed = [(MADE[0], "it hangs"), (MADE[1], "it hangs"), (MADE[1], "no space")];
        let failures = failed.map(|(cell, why)| (cell, why.to_owned())).into();
        let report = Report::new(Plan::of(&Arguments::default()), Vec::new(), None, None, failures);
        let expected = "What could not be measured\n  1w-100p, 5w-100p: it hangs\n  5w-100p: no space\n";
        assert!(report.text().ends_with(expected), "{}", report.text());
        assert!(!report.text().contains("Memory of the library"), "an empty table: {}", report.text());
        assert_eq!(report.exit_code(), 3);
    }
}
