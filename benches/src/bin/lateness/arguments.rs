//! The command line.

use std::ffi::OsString;
use std::time::Duration;

use isolated_nats_benches::Error;

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Arguments {
    pub(crate) rounds: usize,
    /// How long each rate is held in each round.
    pub(crate) length: Duration,
}

impl Arguments {
    pub(crate) fn parse(mut words: impl Iterator<Item = OsString>) -> Result<Self, Error> {
        let mut arguments = Self { rounds: 5, length: Duration::from_secs(2) };
        while let Some(word) = words.next() {
            match word.to_str() {
                Some("--quick") => (arguments.rounds, arguments.length) = (2, Duration::from_millis(500)),
                Some("--rounds") => {
                    let rounds = words.next().ok_or("`--rounds` wants a value")?;
                    let parsed = rounds.to_str().and_then(|rounds| rounds.parse().ok());
                    arguments.rounds = parsed
                        .ok_or_else(|| format!("`{}` is no number that fits here", rounds.display()))?;
                }
                _ => {
                    let what = format!("`{}` is no option (known: --quick, --rounds N)", word.display());
                    return Err(what.into());
                }
            }
        }
        if arguments.rounds < 1 {
            return Err("at least 1 round is needed".into());
        }
        Ok(arguments)
    }
}
