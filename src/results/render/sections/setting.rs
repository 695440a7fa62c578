//! Machine, build and configuration, and how to go on.

use std::collections::BTreeSet;

use super::super::model::{Block, Section, Table};
use super::super::words;
use crate::memory::text::bytes;
use crate::results::baseline::Baseline;
use crate::results::comparison::ComparisonKind;
use crate::results::document::Results;
use crate::results::fingerprint::Fingerprint;
use crate::results::record::Record;

const UNKNOWN: &str = "not known";

pub(in super::super) fn setting(results: &Results) -> Section {
    let mut section = Section::new("Machine, build and configuration");
    let records = &results.records;
    let mut prints: Vec<_> = records.iter().map(|record| fingerprint(&record.fingerprint)).collect();
    // Of a file that does not say, nothing is known.
    let of_sweep = results.sweep.iter().filter(|sweep| records.is_empty() && sweep.taken.is_some());
    prints.extend(of_sweep.map(|sweep| fingerprint(&sweep.fingerprint)));
    let rows = prints.first().into_iter().flat_map(|first| first.iter().map(|(name, _)| *name).enumerate());
    let rows =
        rows.map(|(row, name)| (name.to_owned(), prints.iter().map(|print| print[row].1.clone()).collect()));
    let (unknown, rows): (Vec<_>, Vec<_>) =
        rows.partition(|(_, values): &(String, Vec<String>)| values.iter().all(|value| value == UNKNOWN));
    let mut table = side_by_side("machine and build", records, rows);
    let unknown: Vec<_> = unknown.into_iter().map(|(name, _)| name).collect();
    table.legend = (!unknown.is_empty()).then(|| format!("{UNKNOWN}: {}", unknown.join(", ")));
    match table.rows.is_empty() {
        true => table.legend.into_iter().for_each(|legend| section.say(legend)),
        false => section.table(table),
    }
    section.table(side_by_side("configuration", records, configuration(records)));
    section
}

/// One column where all sides are alike, else one for each.
fn side_by_side(title: &str, records: &[Record], rows: Vec<(String, Vec<String>)>) -> Table {
    let alike = rows.iter().all(|(_, values)| values.windows(2).all(|pair| pair[0] == pair[1]));
    let sides: Vec<_> = records.iter().map(|record| format!("<{}", record.title())).collect();
    let sides = if alike { vec!["<value".into()] } else { sides };
    let mut table = Table::new([title.to_owned()].into_iter().chain(sides));
    for (name, mut values) in rows {
        values.truncate(if alike { 1 } else { values.len() });
        table.row([name].into_iter().chain(values).collect());
    }
    table
}

fn configuration(records: &[Record]) -> Vec<(String, Vec<String>)> {
    let names: BTreeSet<_> = records.iter().flat_map(|record| record.configuration.keys()).collect();
    let row = |name: &String| {
        let value = |record: &Record| record.configuration.get(name).map_or("not set", String::as_str).into();
        (name.clone(), records.iter().map(value).collect())
    };
    // Where nothing was set, a hash says nothing.
    let hashes = (!names.is_empty()).then(|| {
        let hash = |record: &Record| match record.configuration.is_empty() {
            true => words::ABSENT.into(),
            false => record.configuration_hash.clone(),
        };
        ("hash".into(), records.iter().map(hash).collect())
    });
    names.into_iter().map(row).chain(hashes).collect()
}

fn fingerprint(print: &Fingerprint) -> [(&'static str, String); 15] {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| UNKNOWN.into());
    let commit = print.commit.as_ref().map(|commit| match commit.changed {
        Some(true) => format!("{} and changes", commit.hash),
        Some(false) => commit.hash.clone(),
        None => format!("{}, changes not known", commit.hash),
    });
    [
        ("processor", text(&print.cpu_model)),
        ("cores", text(&print.cores.map(|cores| cores.to_string()))),
        ("memory", text(&print.memory_bytes.map(|memory| bytes(memory as f64)))),
        ("kernel", text(&print.kernel)),
        ("governor", text(&print.governor)),
        ("virtualization", text(&print.virtualization)),
        ("rustc", text(&print.rustc)),
        ("profile", text(&print.profile)),
        ("runtime", text(&print.runtime)),
        ("allocator", text(&print.allocator)),
        ("nats-server", text(&print.server)),
        ("file system of its store", text(&print.store_file_system)),
        ("isolated-nats", text(&print.isolated_nats)),
        ("commit", text(&commit)),
        ("load average before", text(&print.load_average.map(|load| format!("{load:.2}")))),
    ]
}

/// The commands that these results can be taken further with.
pub(in super::super) fn commands(results: &Results) -> Section {
    let mut section = Section::new("To go on");
    let mut scenarios: Vec<_> = results.records.iter().map(|record| record.scenario.as_str()).collect();
    scenarios.dedup();
    let mut lines = Vec::new();
    let of_sweep = results.sweep.iter().filter(|_| results.records.is_empty());
    lines.extend(of_sweep.map(|sweep| {
        let name = if sweep.name.is_empty() { &results.title } else { &sweep.name };
        (format!("isolated-nats report {} --output report.html", quoted(name)), "the latest sweep as a page")
    }));
    for scenario in scenarios {
        let name = quoted(scenario);
        // Quick runs are in no trend.
        let is_whole = results.records.iter().any(|record| record.scenario == scenario && !record.quick);
        lines.extend(
            [
                Some((
                    format!("isolated-nats report {name} --output report.html"),
                    "the latest run as a page",
                )),
                is_whole.then(|| (format!("isolated-nats trend {name}"), "all runs that were kept")),
            ]
            .into_iter()
            .flatten(),
        );
    }
    lines.extend(bless(results));
    let wide = lines.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0);
    let lines: Vec<_> = lines.iter().map(|(command, why)| format!("{command:wide$}  # {why}")).collect();
    if !lines.is_empty() {
        section.blocks.push(Block::Commands(lines));
    }
    section
}

/// What would be refused is not offered; and sides that were put together have no names that a run knows.
fn bless(results: &Results) -> Vec<(String, &'static str)> {
    let is_together = results.comparisons.iter().any(|comparison| comparison.kind == ComparisonKind::Saved);
    let can_be = |record: &&Record| Baseline::new("any", vec![(*record).clone()]).is_ok();
    let line = |record: &Record| {
        let name = quoted(&record.scenario);
        match &record.side {
            Some(side) => (
                format!("isolated-nats bless {name} --side {}", quoted(side)),
                "becomes a baseline of its own",
            ),
            None => (format!("isolated-nats bless {name}"), "becomes a baseline"),
        }
    };
    results.records.iter().filter(|_| !is_together).filter(can_be).map(line).collect()
}

/// As a word of a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(plain) {
        return word.into();
    }
    format!("'{}'", words::one_line(word).replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_of_a_shell() {
        assert_eq!(quoted("kv_put-1"), "kv_put-1");
        assert_eq!(quoted("it's; rm"), r"'it'\''s; rm'");
        assert_eq!([quoted("-x"), quoted("")], ["'-x'", "''"]);
    }
}
