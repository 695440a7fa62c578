//! The command line.

use isolated_nats_benches::Error;
use isolated_nats_benches::truth::Request;

const DEFAULT_ROUNDS: usize = 20;
const QUICK_ROUNDS: usize = 5;

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Arguments {
    /// Everything.
    Run { rounds: usize },
    /// Of this program as a meter among others: readings.
    Answer(Request),
    /// Of this program beside dhat: the counters of one program.
    Count { program: String },
}

pub(crate) const ANSWER: &str = "--answer";
pub(crate) const COUNT: &str = "--count";

impl Arguments {
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Error> {
        let mut rounds = DEFAULT_ROUNDS;
        while let Some(word) = words.next() {
            match word.as_str() {
                "--quick" => rounds = QUICK_ROUNDS,
                "--rounds" => {
                    let number = words.next().and_then(|word| word.parse().ok()).filter(|rounds| *rounds > 0);
                    rounds = number.ok_or("`--rounds` wants a number above 0")?;
                }
                ANSWER => return Ok(Self::Answer(Request::parse(words)?)),
                COUNT => return Ok(Self::Count { program: words.next().unwrap_or_default() }),
                _ => return Err(format!("`{word}` is no option (known: --rounds N, --quick)").into()),
            }
        }
        Ok(Self::Run { rounds })
    }
}
