//! The commands, their options, and the texts of the help.

use std::ffi::OsString;

use isolated_nats_server_binary::cli::OPTIONS;

use super::Failure;
use super::arguments::Opt;
use super::near;

/// One command.
#[derive(Debug)]
pub(super) struct Spec {
    pub(super) name: &'static str,
    /// What it does, in a line.
    pub(super) what: &'static str,
    /// What its arguments are called; in brackets those that need not be given.
    pub(super) places: &'static [&'static str],
    own: &'static [Opt],
    /// What there is to say of it, and examples.
    more: &'static str,
    /// Whether it is one of server-binary's, with the options of that.
    pub(super) is_of_server: bool,
}

const STORES: &[Opt] =
    &[("--results", Some("DIR"), "where runs are kept (default: in cargo's target directory)")];
const BASELINES: Opt = ("--baselines", Some("DIR"), "where baselines are (default: in the package)");
const FORMAT: Opt =
    ("--format", Some("F"), "terminal (default), markdown, json, csv, html, or svg (with --output DIR)");
const OUTPUT: Opt =
    ("--output", Some("PATH"), "write there instead; into a directory without a format: all of them");

const COMMANDS: &[Spec] = &[
    Spec {
        name: "report",
        what: "show what was measured, the latest run by default",
        places: &["[RUN]"],
        own: &[
            FORMAT,
            OUTPUT,
            ("--all", None, "the latest run of every scenario"),
            ("--check", None, "end with the exit code of what it comes to; without RUN, of all scenarios"),
            BASELINES,
        ],
        more: "Without RUN: the latest run where there is one scenario, else the list of them.\n\nExamples:\n  \
               isolated-nats report\n  isolated-nats report orders --format markdown\n  isolated-nats report orders \
               --output orders.html\n  isolated-nats report --all --output target/report\n",
        is_of_server: false,
    },
    Spec {
        name: "compare",
        what: "compare two runs, or a run with a baseline, metric by metric",
        places: &["BASE", "CANDIDATE"],
        own: &[
            (
                "--least-effect",
                Some("METRIC=SHARE"),
                "what matters of a metric, such as p99=30%; may be repeated",
            ),
            ("--alpha", Some("P"), "how often equal runs may be told apart by chance (default 0.001)"),
            ("--any-configuration", None, "also where the two were set up differently"),
            FORMAT,
            OUTPUT,
            BASELINES,
        ],
        more: "Only differences count; what a run aims at, `report --check` judges.\n\nExamples:\n  isolated-nats compare orders~1 orders\n  isolated-nats compare orders@1f5a489 orders \
               --least-effect throughput=5%\n  isolated-nats compare baseline:orders orders\n  isolated-nats compare \
               main.json branch.json --format markdown\n",
        is_of_server: false,
    },
    Spec {
        name: "bless",
        what: "make runs the baseline that later ones are compared with",
        places: &["RUN"],
        own: &[
            (
                "--as",
                Some("NAME"),
                "what the baseline is called (default: the scenario, and `-` and the side, if it has one)",
            ),
            ("--runs", Some("N"), "the newest N runs of one configuration (default 1)"),
            ("--side", Some("NAME"), "which side of a comparison"),
            BASELINES,
        ],
        more: "Quick runs cannot become baselines, nor runs of fewer than 5 rounds, or of fewer than 10 together.\n\nExamples:\n  isolated-nats bless \
               orders\n  isolated-nats bless orders --runs 5 --as orders-on-ci\n",
        is_of_server: false,
    },
    Spec {
        name: "trend",
        what: "show how a scenario's figures have gone from run to run",
        places: &["SCENARIO"],
        own: &[("--metric", Some("M"), "this metric alone")],
        more: "Examples:\n  isolated-nats trend orders\n  isolated-nats trend orders --metric p99\n",
        is_of_server: false,
    },
    Spec {
        name: "clean",
        what: "remove runs; baselines stay",
        places: &["[SCENARIO]"],
        own: &[
            (
                "--keep",
                Some("N"),
                "but for the newest N of each scenario, and as many quick ones (default 0)",
            ),
            ("--dry-run", None, "say what would be removed, and remove nothing"),
        ],
        more: "Where there is nothing to remove, all is well.\n\nExamples:\n  isolated-nats clean --keep 10\n  isolated-nats clean orders --dry-run\n",
        is_of_server: false,
    },
    Spec {
        name: "list",
        what: "list the scenarios, or the runs of one",
        places: &["[SCENARIO]"],
        own: &[],
        more: "Examples:\n  isolated-nats list\n  isolated-nats list orders\n",
        is_of_server: false,
    },
    of_server("fetch", "get nats-server into the cache, unless it is there; says on stderr where it is"),
    of_server(
        "path",
        "print the path of nats-server, and nothing else; uses what is here, never the network",
    ),
    of_server(
        "doctor",
        "say of each source of nats-server whether it would work, and why not; changes nothing",
    ),
];

const RUNS: &str = "\
A RUN is one of

  orders           the latest run of that scenario
  orders~1         the one before
  orders@1f5a489   the latest at that commit
  baseline:orders  that baseline
  results.json     that file
";

const CODES: &str = "\
Exit codes: 0 fine; 1 something is worse, or misses its target; 2 it cannot be told; 3 trouble with the environment;
64 wrong usage.
";

const fn of_server(name: &'static str, what: &'static str) -> Spec {
    Spec { name, what, places: &[], own: &[], more: "", is_of_server: true }
}

/// Finds a command.
pub(super) fn command(name: &str) -> Result<&'static Spec, Failure> {
    COMMANDS.iter().find(|command| command.name == name).ok_or_else(|| {
        let what = if name.starts_with('-') { "an option" } else { "a command" };
        let hint = near::hint(name, COMMANDS.iter().map(|command| command.name));
        let names: Vec<_> = COMMANDS.iter().map(|command| command.name).collect();
        let hint = if hint.is_empty() { format!(" (expected {})", names.join(", ")) } else { hint };
        Failure::Usage(format!("`{name}` is not {what}{hint}"), None)
    })
}

/// `help`, or `help command`.
pub(super) fn asked(words: &[OsString]) -> Result<String, Failure> {
    match words {
        [] => Ok(all()),
        [name, ..] => Ok(command(&name.to_string_lossy())?.help()),
    }
}

fn all() -> String {
    let commands = rows(COMMANDS.iter().map(|command| (command.name.to_owned(), command.what)));
    format!(
        "Shows, compares and keeps what tests measured with isolated-nats, and finds their nats-server.\n\n\
         Usage: isolated-nats <COMMAND> [OPTIONS]\n\nCommands:\n{commands}\n\
         `isolated-nats <COMMAND> --help` has the options and examples; `--version` prints the version.\n\n{RUNS}\n{CODES}"
    )
}

impl Spec {
    /// Its own options, and those of all.
    pub(super) fn options(&self) -> impl Iterator<Item = &'static Opt> {
        self.own.iter().chain(STORES)
    }

    pub(super) fn help(&self) -> String {
        let (name, what) = (self.name, self.what);
        let mut capital = what.chars();
        let first = capital.next().into_iter().flat_map(char::to_uppercase);
        let what: String = first.chain(capital).collect();
        let places = self.places.iter().map(|place| format!(" {place}")).collect::<String>();
        let options = if self.is_of_server {
            format!("Options (each outweighs its environment variable):\n{OPTIONS}")
        } else {
            let row = |(name, value, what): &Opt| {
                let value = value.map_or(String::new(), |value| format!(" {value}"));
                (format!("{name}{value}"), *what)
            };
            format!("Options:\n{}", rows(self.options().map(row)))
        };
        let runs = self.places.iter().any(|place| ["[RUN]", "RUN", "BASE"].contains(place));
        let parts = [if runs { RUNS } else { "" }, self.more, CODES];
        let more: String =
            parts.iter().filter(|part| !part.is_empty()).map(|part| format!("\n{part}")).collect();
        format!("{what}.\n\nUsage: isolated-nats {name}{places} [OPTIONS]\n\n{options}{more}")
    }
}

/// Two columns.
fn rows<'a>(rows: impl Iterator<Item = (String, &'a str)>) -> String {
    let rows: Vec<_> = rows.collect();
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.iter().map(|(name, what)| format!("  {name:width$}  {what}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Rules;

    #[test]
    fn the_default_that_the_help_names_is_that_of_the_rules() {
        let help = command("compare").unwrap().help();
        assert!(help.contains(&format!("(default {})", Rules::saved().alpha)), "{help}");
    }
}
