//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use isolated_nats_benches::Error;

const KNOWN: &str = "--quick, --comparisons N, --rounds N, --window-ms N, --condition quiet|loaded|both, --control puts|requests, \
                     --raw FILE, --read FILE, --merge N";
/// Fewer windows of a side tell nothing, and are no baseline.
const LEAST_ROUNDS: usize = 10;

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Arguments {
    /// Scenarios in each condition.
    pub(crate) comparisons: usize,
    /// Rounds of each; of figures that are read, as many as they have unless it is given.
    pub(crate) rounds: Option<usize>,
    /// How long each side is measured in a round.
    pub(crate) window: Duration,
    /// Whether the machine is loaded, for each condition.
    pub(crate) loaded: Vec<bool>,
    pub(crate) control: Control,
    /// Where the figures of each window go.
    pub(crate) raw: Option<PathBuf>,
    /// Such a file of earlier: nothing is measured then.
    pub(crate) read: Option<PathBuf>,
    /// So many rounds are taken for one.
    pub(crate) merge: usize,
}

/// What runs in turn with the sides.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Control {
    /// A loop by hand, of KV puts: other work than that of the sides.
    Puts,
    /// The library's own, of plain requests.
    Requests,
}

impl Arguments {
    pub(crate) fn parse(words: impl Iterator<Item = OsString>) -> Result<Self, Error> {
        let mut words = words.map(|word| word.to_string_lossy().into_owned());
        let mut arguments = Self {
            comparisons: 200,
            rounds: None,
            window: Duration::from_millis(25),
            loaded: vec![false, true],
            control: Control::Puts,
            raw: None,
            read: None,
            merge: 1,
        };
        while let Some(option) = words.next() {
            if option == "--quick" {
                (arguments.comparisons, arguments.rounds) = (5, Some(LEAST_ROUNDS));
                arguments.window = Duration::from_millis(20);
            } else {
                let value =
                    words.next().ok_or_else(|| format!("`{option}` wants a value, or is none of {KNOWN}"))?;
                arguments.set(&option, &value)?;
            }
        }
        match arguments.rounds {
            Some(rounds) if rounds < LEAST_ROUNDS => {
                Err(format!("`--rounds` wants at least {LEAST_ROUNDS}").into())
            }
            _ => Ok(arguments),
        }
    }

    fn set(&mut self, option: &str, value: &str) -> Result<(), Error> {
        let number = || {
            let parsed = value.parse::<usize>().ok().filter(|number| *number > 0);
            parsed.ok_or_else(|| format!("`{option}` wants a number above 0, and not `{value}`"))
        };
        match (option, value) {
            ("--comparisons", _) => self.comparisons = number()?,
            ("--rounds", _) => self.rounds = Some(number()?),
            ("--window-ms", _) => self.window = Duration::from_millis(number()? as u64),
            ("--merge", _) => self.merge = number()?,
            ("--condition", "quiet") => self.loaded = vec![false],
            ("--condition", "loaded") => self.loaded = vec![true],
            ("--condition", "both") => self.loaded = vec![false, true],
            ("--control", "puts") => self.control = Control::Puts,
            ("--control", "requests") => self.control = Control::Requests,
            ("--raw", _) => self.raw = Some(value.into()),
            ("--read", _) => self.read = Some(value.into()),
            _ => return Err(format!("`{option} {value}` is no option (known: {KNOWN})").into()),
        }
        Ok(())
    }
}
