//! The command line.

use std::ffi::OsString;

use isolated_nats_benches::Error;

const SEED: u64 = 20_261_121;

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Arguments {
    pub(crate) seed: u64,
    pub(crate) unoptimised: bool,
    pub(crate) rounds: usize,
    pub(crate) spawn_rounds: usize,
}

impl Arguments {
    pub(crate) fn parse(mut words: impl Iterator<Item = OsString>) -> Result<Self, Error> {
        let mut arguments = Self { seed: SEED, unoptimised: false, rounds: 300, spawn_rounds: 30 };
        while let Some(word) = words.next() {
            match word.to_str() {
                Some("--quick") => (arguments.rounds, arguments.spawn_rounds) = (30, 5),
                Some("--unoptimised") => arguments.unoptimised = true,
                Some("--seed") => {
                    let seed = words.next().ok_or("`--seed` wants a value")?;
                    let parsed = seed.to_str().and_then(|seed| seed.parse().ok());
                    arguments.seed =
                        parsed.ok_or_else(|| format!("`{}` is no number that fits here", seed.display()))?;
                }
                _ => {
                    let what = format!(
                        "`{}` is no option (known: --quick, --unoptimised, --seed N)",
                        word.display()
                    );
                    return Err(what.into());
                }
            }
        }
        Ok(arguments)
    }
}
