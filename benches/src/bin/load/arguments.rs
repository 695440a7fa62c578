//! The command line.

use std::ffi::{OsStr, OsString};
use std::time::Duration;

use isolated_nats_benches::Error;

const SEED: u64 = 20_261_121;

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Arguments {
    pub(crate) seed: u64,
    pub(crate) rounds: usize,
    /// How long the plain loop takes for the operations of one slice.
    pub(crate) slice: Duration,
    pub(crate) is_multi_thread: bool,
    /// Whether `nats bench` is run, where it is installed.
    pub(crate) peer: bool,
    /// Only cases whose name has this in it.
    pub(crate) only: String,
}

impl Arguments {
    pub(crate) fn parse(mut words: impl Iterator<Item = OsString>) -> Result<Self, Error> {
        let mut arguments = Self {
            seed: SEED,
            rounds: 30,
            slice: Duration::from_millis(200),
            is_multi_thread: false,
            peer: true,
            only: String::new(),
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("`{}` wants a value", word.display()));
            match word.to_str() {
                Some("--quick") => (arguments.rounds, arguments.slice) = (5, Duration::from_millis(40)),
                Some("--rounds") => arguments.rounds = number(&value()?)?,
                Some("--flavor") => arguments.is_multi_thread = is_multi_thread(&value()?)?,
                Some("--no-peer") => arguments.peer = false,
                Some("--only") => arguments.only = value()?.to_string_lossy().into_owned(),
                Some("--seed") => arguments.seed = number(&value()?)?,
                _ => {
                    let known =
                        "--quick, --rounds N, --flavor current|multi, --no-peer, --only NAME, --seed N";
                    return Err(format!("`{}` is no option (known: {known})", word.display()).into());
                }
            }
        }
        if arguments.rounds < 2 {
            return Err("at least 2 rounds are needed".into());
        }
        Ok(arguments)
    }
}

fn is_multi_thread(text: &OsStr) -> Result<bool, Error> {
    match text.to_str() {
        Some("current") => Ok(false),
        Some("multi") => Ok(true),
        _ => Err(format!("`{}` is no flavor (known: current, multi)", text.display()).into()),
    }
}

fn number<T: std::str::FromStr>(text: &OsStr) -> Result<T, Error> {
    let parsed = text.to_str().and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| format!("`{}` is no number that fits here", text.display()).into())
}
