//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use super::cell::{Cell, MATRIX};
use super::near::nearest;

/// With fewer repeats a saved run would be of no use: nothing could be told from it.
pub(crate) const REPEATS_TO_SAVE: usize = 10;

/// What a child is started with; no user's.
pub(crate) const CHILD: &str = "--child";

pub(crate) const HELP: &str = "\
What the workers of partition-workers cost in memory.

cargo run --release --example memory_benchmark -- [options]

  --quick            fewer repeats and a shorter load: less than a minute once it is built, and no baseline
  --only 10w-100p    measures this configuration alone: 10 workers, 100 partitions; may be given again
  --repeats 5        how often each is measured; 10 for a run that is to be saved
  --load 2s          how long the load of each lasts: 2s or 2, 0.5s, 500ms
  --seed 7           what the order and the load are drawn from, to repeat a run
  --report-file P    writes the report: by the ending as .json, .md or .svg, else into a directory of this name, with all of them
  --save NAME        keeps the run as baselines/NAME.json of the package
  --compare NAME     compares with such a run, or with a file: memory by 10 %, durations by 50 % are regressions
  --more-memory 15   tests the benchmark: the application holds 15 % more than it needs, which must be a regression
  --leak 100         tests the benchmark: the application loses 100 bytes each heartbeat, which must be found, with its line
  --no-leak-check    leaves out the search for leaks, which takes about five seconds of a run; the report says so
  --help             prints this

Exit codes: 0 all is well; 1 a regression or a leak; 2 it cannot be told; 3 something could not be measured; 64 bad usage.
";

const OPTIONS: [&str; 11] = [
    "--quick",
    "--only",
    "--repeats",
    "--load",
    "--seed",
    "--report-file",
    "--save",
    "--compare",
    "--more-memory",
    "--leak",
    "--no-leak-check",
];

/// What the user asks for; what is `None` or empty has a default.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Arguments {
    pub(crate) quick: bool,
    pub(crate) only: Vec<Cell>,
    pub(crate) repeats: Option<usize>,
    pub(crate) load: Option<Duration>,
    pub(crate) seed: Option<u64>,
    pub(crate) report_file: Option<PathBuf>,
    pub(crate) save: Option<String>,
    pub(crate) compare: Option<String>,
    pub(crate) more_memory: u32,
    pub(crate) leak: usize,
    pub(crate) no_leak_check: bool,
}

/// What the command line asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Asked {
    Help,
    Run(Box<Arguments>),
    /// This process is a child, with its order in JSON.
    Child(String),
}

/// Reads the command line, without the program's name.
///
/// # Errors
///
/// What is wrong, and what would be right.
pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Asked, String> {
    let mut arguments = arguments.into_iter();
    let mut parsed = Arguments::default();
    while let Some(argument) = arguments.next() {
        let (name, mut value) = match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        };
        let mut value = || {
            let value = value.take().or_else(|| arguments.next());
            value.ok_or_else(|| format!("`{name}` needs a value (see --help)"))
        };
        match name.as_str() {
            "--help" | "-h" => return Ok(Asked::Help),
            CHILD => return value().map(Asked::Child),
            _ => set(&mut parsed, &name, &mut value)?,
        }
    }
    check(&parsed)?;
    Ok(Asked::Run(Box::new(parsed)))
}

fn set(
    parsed: &mut Arguments,
    name: &str,
    value: &mut dyn FnMut() -> Result<String, String>,
) -> Result<(), String> {
    match name {
        "--quick" => parsed.quick = true,
        "--only" => parsed.only.push(value()?.parse()?),
        "--repeats" => parsed.repeats = Some(number(name, &value()?)?),
        "--load" => parsed.load = Some(duration(&value()?)?),
        "--seed" => parsed.seed = Some(number(name, &value()?)?),
        "--report-file" => parsed.report_file = Some(value()?.into()),
        "--save" => parsed.save = Some(value()?),
        "--compare" => parsed.compare = Some(value()?),
        "--more-memory" => parsed.more_memory = number(name, value()?.trim_end_matches('%'))?,
        "--leak" => parsed.leak = number(name, &value()?)?,
        "--no-leak-check" => parsed.no_leak_check = true,
        _ => return Err(unknown(name)),
    }
    Ok(())
}

fn unknown(name: &str) -> String {
    let near =
        nearest(name, &OPTIONS).map_or_else(|| "see --help".into(), |near| format!("did you mean `{near}`?"));
    format!("there is no `{name}` ({near})")
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is no value for `{name}` (give a whole number)"))
}

/// `2`, `2s`, `0.5s`, `500ms`.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (text.strip_suffix('s').unwrap_or(text), 1.0),
    };
    let seconds = number.parse::<f64>().ok().map(|number| number * unit);
    let sensible = seconds.filter(|seconds| (0.05..=3600.0).contains(seconds));
    let seconds = sensible.ok_or_else(|| format!("`{text}` is no load (give 50ms to 3600s)"))?;
    Ok(Duration::from_secs_f64(seconds))
}

fn check(parsed: &Arguments) -> Result<(), String> {
    if parsed.repeats == Some(0) {
        return Err("0 repeats measure nothing (give 1 or more)".into());
    }
    if parsed.save.is_some() && parsed.repeats.is_some_and(|repeats| repeats < REPEATS_TO_SAVE) {
        return Err(format!(
            "a baseline takes {REPEATS_TO_SAVE} repeats or more (leave out --repeats, or --save)"
        ));
    }
    if parsed.quick && parsed.save.is_some() {
        return Err("a quick run is no baseline (leave out --quick, or --save)".into());
    }
    if parsed.leak > 0 && parsed.no_leak_check {
        return Err("a leak is not found without looking (leave out --leak, or --no-leak-check)".into());
    }
    if (parsed.leak > 0 || parsed.more_memory > 0) && parsed.save.is_some() {
        return Err(
            "a run that was made worse is no baseline (leave out --leak and --more-memory, or --save)".into(),
        );
    }
    Ok(())
}

impl Arguments {
    /// The configurations to measure, each once.
    pub(crate) fn cells(&self) -> Vec<Cell> {
        let mut cells = if self.only.is_empty() { MATRIX.to_vec() } else { self.only.clone() };
        cells.sort();
        cells.dedup();
        cells
    }
}

#[cfg(test)]
mod tests {
    use super::super::cell::MADE;
    use super::*;

    fn parsed(text: &str) -> Result<Asked, String> {
        parse(text.split_whitespace().map(str::to_owned))
    }

    fn run(text: &str) -> Arguments {
        match parsed(text) {
            Ok(Asked::Run(arguments)) => *arguments,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn options_are_read_with_a_space_or_an_equals_sign() {
        let expected = Arguments {
            quick: true,
            only: vec![MADE[2], MADE[0]],
            repeats: Some(3),
            load: Some(Duration::from_millis(500)),
            seed: Some(7),
            report_file: Some("out.json".into()),
            compare: Some("main".into()),
            more_memory: 15,
            leak: 100,
            no_leak_check: false,
            save: None,
        };
        let spaces = "--quick --only 10w-100p --only 1w-100p --repeats 3 --load 500ms --seed 7 --report-file out.json \
                      --compare main --more-memory 15 --leak 100";
        assert_eq!(run(spaces), expected);
        assert_eq!(
            run(&spaces.replace("--load 500ms", "--load=0.5s").replace("--seed 7", "--seed=7")),
            expected
        );
        assert_eq!(expected.cells(), [MADE[0], MADE[2]]);
        assert_eq!(run("").cells().len(), MATRIX.len());
        assert!(run("--no-leak-check").no_leak_check);
    }

    #[test]
    fn mistakes_say_what_would_be_right() {
        for (text, error) in [
            ("--qiuck", "there is no `--qiuck` (did you mean `--quick`?)"),
            ("fast", "there is no `fast` (see --help)"),
            ("--only", "`--only` needs a value (see --help)"),
            ("--only ten", "`ten` is no configuration (10w-100p is one: 10 workers, 100 partitions)"),
            ("--repeats many", "`many` is no value for `--repeats` (give a whole number)"),
            ("--repeats 0", "0 repeats measure nothing (give 1 or more)"),
            ("--load 1ms", "`1ms` is no load (give 50ms to 3600s)"),
            ("--load NaN", "`NaN` is no load (give 50ms to 3600s)"),
            ("--save a --repeats 9", "a baseline takes 10 repeats or more (leave out --repeats, or --save)"),
            (
                "--leak 1 --no-leak-check",
                "a leak is not found without looking (leave out --leak, or --no-leak-check)",
            ),
            ("--quick --save a", "a quick run is no baseline (leave out --quick, or --save)"),
        ] {
            assert_eq!(parsed(text), Err(error.into()));
        }
    }

    #[test]
    fn help_names_every_option() {
        assert!(OPTIONS.iter().all(|option| HELP.contains(option)));
        assert_eq!(parsed("--only 1w-1p --help --nonsense"), Ok(Asked::Help));
    }
}
