//! Moments in records.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::error::{ResultsError, ResultsErrorKind};

const SECONDS_PER_DAY: u64 = 86_400;
/// From 0000-03-01 to 1970-01-01: years that begin in March have their leap day last.
const DAYS_TO_EPOCH: u64 = 719_468;
const DAYS_PER_ERA: u64 = 146_097;

/// A moment by the system's clock, in whole seconds since 1970-01-01 00:00:00 UTC.
///
/// `Display` writes it as RFC 3339, in UTC: `2026-11-21T17:32:10Z`. `FromStr` reads that, and the form of file names,
/// `20261121T173210Z`, which sorts by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub(crate) u64);

impl Moment {
    /// Returns the present.
    #[must_use]
    pub fn now() -> Self {
        Self(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }

    /// Returns the seconds since 1970-01-01 00:00:00 UTC.
    #[must_use]
    pub fn unix_seconds(self) -> u64 {
        self.0
    }

    /// `20261121T173210Z`: for names of files, in which a colon may not be.
    pub(crate) fn compact(self) -> String {
        self.to_string().replace(['-', ':'], "")
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0 / SECONDS_PER_DAY);
        let second = self.0 % SECONDS_PER_DAY;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

impl FromStr for Moment {
    type Err = ResultsError;

    /// Reads a moment in one of the two forms.
    ///
    /// # Errors
    ///
    /// [`Format`](ResultsErrorKind::Format) for any other text, another zone than `Z`, a date that does not exist, and one
    /// before 1970.
    fn from_str(text: &str) -> Result<Self, ResultsError> {
        parse(text).ok_or_else(|| {
            let what = format!("`{text}` is no moment (it may be as `2026-11-21T17:32:10Z`)");
            ResultsError::new(ResultsErrorKind::Format, what)
        })
    }
}

fn parse(text: &str) -> Option<Moment> {
    let digits = text.replace(['-', ':', 'T', 'Z'], "");
    if digits.len() != 14 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| digits[from..to].parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(8, 10)?, number(10, 12)?, number(12, 14)?);
    if year < 1970 || !(1..=12).contains(&month) || day == 0 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let moment = Moment(days(year, month, day)? * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second);
    // A day that the month does not have comes out as another one.
    [moment.to_string(), moment.compact()].contains(&text.to_owned()).then_some(moment)
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar (Hinnant, "chrono-compatible low-level date
/// algorithms").
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + DAYS_TO_EPOCH;
    let (era, day) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + next, month, of_month)
}

/// The inverse of [`civil`].
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month > 2 { year } else { year - 1 };
    let (era, of_era) = (year / 400, year % 400);
    let month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * month + 2) / 5 + day - 1;
    (era * DAYS_PER_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year).checked_sub(DAYS_TO_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By `date -u -d @<seconds> +%FT%TZ` (GNU coreutils).
    const KNOWN: [(u64, &str); 9] = [
        (0, "1970-01-01T00:00:00Z"),
        (68_169_600, "1972-02-29T00:00:00Z"),
        (951_782_399, "2000-02-28T23:59:59Z"),
        (951_868_800, "2000-03-01T00:00:00Z"),
        (1_234_567_890, "2009-02-13T23:31:30Z"),
        (2_147_483_648, "2038-01-19T03:14:08Z"),
        (4_107_542_399, "2100-02-28T23:59:59Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
    ];

    #[test]
    fn known_moments_are_written_and_read_back() {
        for (seconds, text) in KNOWN {
            assert_eq!(Moment(seconds).to_string(), text);
            assert_eq!(text.parse::<Moment>().unwrap(), Moment(seconds));
            assert_eq!(Moment(seconds).compact().parse::<Moment>().unwrap(), Moment(seconds));
        }
        assert_eq!(Moment(1_234_567_890).compact(), "20090213T233130Z");
        assert!(Moment(u64::MAX).to_string().ends_with('Z'));
    }

    #[test]
    fn every_day_of_four_centuries_is_written_and_read_back() {
        for day in 0..DAYS_PER_ERA {
            let (year, month, of_month) = civil(day);
            assert_eq!(days(year, month, of_month), Some(day));
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "2026-11-21",
            "2026-11-21T17:32:10+01:00",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-21T24:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-1121T17:32:10Z",
            "2026é11-21T17:32:1",
        ] {
            let error = text.parse::<Moment>().unwrap_err();
            assert_eq!(error.kind(), ResultsErrorKind::Format, "{text}");
        }
    }
}
