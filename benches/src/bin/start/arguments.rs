//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use isolated_nats_benches::Error;

const DEFAULT_ROUNDS: usize = 150;
const QUICK_ROUNDS: usize = 6;
const SEED: u64 = 20_261_121;

/// Names the scratch directory to the second process; nobody types it.
pub(crate) const SCRATCH: &str = "--scratch";

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Arguments {
    pub(crate) rounds: usize,
    pub(crate) seed: u64,
    pub(crate) scratch: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn parse(mut words: impl Iterator<Item = OsString>) -> Result<Self, Error> {
        let mut arguments = Self { rounds: DEFAULT_ROUNDS, seed: SEED, scratch: None };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("`{}` wants a value", word.display()));
            match word.to_str() {
                Some("--quick") => arguments.rounds = QUICK_ROUNDS,
                Some("--rounds") => arguments.rounds = number(&value()?)?,
                Some("--seed") => arguments.seed = number(&value()?)?,
                Some(SCRATCH) => arguments.scratch = Some(value()?.into()),
                _ => {
                    let what =
                        format!("`{}` is no option (known: --rounds N, --quick, --seed N)", word.display());
                    return Err(what.into());
                }
            }
        }
        if arguments.rounds < 2 {
            return Err("at least 2 rounds are needed for an interval".into());
        }
        Ok(arguments)
    }
}

fn number<T: std::str::FromStr>(text: &OsString) -> Result<T, Error> {
    let parsed = text.to_str().and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| format!("`{}` is no number that fits here", text.display()).into())
}
