//! How long to soak: `90s`, `30m`, `2h`.

use std::env::VarError;
use std::time::Duration;

/// The variable that makes the soak test long.
pub const VARIABLE: &str = "PARTITION_WORKERS_SOAK";

/// As long as a schedule of the load generator can be.
const MOST: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a length cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LengthError {
    #[error("{VARIABLE}=`{text}` is no length of time (a whole number and `s`, `m` or `h`, such as 30m)")]
    Unreadable { text: String },
    #[error("{VARIABLE}=`{text}` is out of bounds (from 1s to 24h)")]
    OutOfBounds { text: String },
}

/// What the variable says; `None` when it is unset or empty.
pub fn asked_for() -> Result<Option<Duration>, LengthError> {
    match std::env::var(VARIABLE) {
        Ok(text) if !text.is_empty() => parse(&text).map(Some),
        Ok(_) | Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(text)) => {
            Err(LengthError::Unreadable { text: text.to_string_lossy().into_owned() })
        }
    }
}

fn parse(text: &str) -> Result<Duration, LengthError> {
    let unreadable = || LengthError::Unreadable { text: text.to_owned() };
    let units = [('s', 1_u64), ('m', 60), ('h', 3600)];
    let (number, unit) = units
        .iter()
        .find_map(|(letter, seconds)| Some((text.strip_suffix(*letter)?, seconds)))
        .ok_or_else(unreadable)?;
    let number: u64 = number.parse().map_err(|_| unreadable())?;
    let length = Duration::from_secs(number.saturating_mul(*unit));
    if length.is_zero() || length > MOST {
        return Err(LengthError::OutOfBounds { text: text.to_owned() });
    }
    Ok(length)
}

#[test]
fn a_length_is_a_number_and_a_unit() {
    assert_eq!(parse("90s"), Ok(Duration::from_secs(90)));
    assert_eq!(parse("30m"), Ok(Duration::from_secs(1800)));
    assert_eq!(parse("24h"), Ok(MOST));
    for text in ["", "2", "h", "2 h", "-1s", "1.5h", "2d"] {
        assert_eq!(parse(text), Err(LengthError::Unreadable { text: text.into() }));
    }
    for text in ["0s", "25h", "9999999999999999999h"] {
        assert_eq!(parse(text), Err(LengthError::OutOfBounds { text: text.into() }));
    }
    let error = parse("2 hours").unwrap_err().to_string();
    assert_eq!(
        error,
        "PARTITION_WORKERS_SOAK=`2 hours` is no length of time (a whole number and `s`, `m` or `h`, such as 30m)"
    );
}
