//! The command line.

use std::ffi::OsString;
use std::time::Duration;

use isolated_nats_benches::Error;

const SEED: u64 = 20_261_121;

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Arguments {
    pub(crate) seed: u64,
    pub(crate) pairs_only: bool,
    pub(crate) unoptimised: bool,
    pub(crate) pair_rounds: usize,
    pub(crate) pairs_longest: Duration,
    pub(crate) workload_rounds: usize,
    pub(crate) workloads_longest: Duration,
    pub(crate) behaviour_rounds: usize,
}

impl Arguments {
    const fn full() -> Self {
        Self {
            seed: SEED,
            pairs_only: false,
            unoptimised: false,
            pair_rounds: 400,
            pairs_longest: Duration::from_secs(70),
            workload_rounds: 40,
            workloads_longest: Duration::from_secs(60),
            behaviour_rounds: 3,
        }
    }

    fn be_quick(&mut self) {
        self.pair_rounds = 30;
        self.pairs_longest = Duration::from_secs(6);
        self.workload_rounds = 4;
        self.workloads_longest = Duration::from_secs(5);
        self.behaviour_rounds = 1;
    }

    pub(crate) fn parse(mut words: impl Iterator<Item = OsString>) -> Result<Self, Error> {
        let mut arguments = Self::full();
        while let Some(word) = words.next() {
            match word.to_str() {
                Some("--quick") => arguments.be_quick(),
                Some("--pairs") => arguments.pairs_only = true,
                Some("--unoptimised") => arguments.unoptimised = true,
                Some("--seed") => {
                    let seed = words.next().ok_or("`--seed` wants a value")?;
                    let parsed = seed.to_str().and_then(|seed| seed.parse().ok());
                    arguments.seed =
                        parsed.ok_or_else(|| format!("`{}` is no number that fits here", seed.display()))?;
                }
                _ => {
                    let what = format!(
                        "`{}` is no option (known: --quick, --pairs, --unoptimised, --seed N)",
                        word.display()
                    );
                    return Err(what.into());
                }
            }
        }
        Ok(arguments)
    }
}
