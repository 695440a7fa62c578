//! The command line.

use std::ffi::OsString;

use isolated_nats_benches::Error;

const DEFAULT_TRIALS: usize = 2_000;
const QUICK_TRIALS: usize = 200;
const SEED: u64 = 20_261_121;

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Arguments {
    pub(crate) trials: usize,
    pub(crate) seed: u64,
}

impl Arguments {
    pub(crate) fn parse(mut words: impl Iterator<Item = OsString>) -> Result<Self, Error> {
        let mut arguments = Self { trials: DEFAULT_TRIALS, seed: SEED };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("`{}` wants a value", word.display()));
            match word.to_str() {
                Some("--quick") => arguments.trials = QUICK_TRIALS,
                Some("--trials") => arguments.trials = number(&value()?)?,
                Some("--seed") => arguments.seed = number(&value()?)?,
                _ => {
                    let what =
                        format!("`{}` is no option (known: --trials N, --quick, --seed N)", word.display());
                    return Err(what.into());
                }
            }
        }
        if arguments.trials == 0 {
            return Err("at least 1 trial is needed".into());
        }
        Ok(arguments)
    }
}

fn number<T: std::str::FromStr>(text: &OsString) -> Result<T, Error> {
    let parsed = text.to_str().and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| format!("`{}` is no number that fits here", text.display()).into())
}
