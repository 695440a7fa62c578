//! Quantities with their units.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::memory::text;

/// A figure that a threshold bounds, or its limit. `Display` shows it to three figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ThresholdValue {
    /// A time.
    Time(Duration),
    /// A share of a whole: 0.01 is 1 %. That of a growth is negative where it shrank.
    Share(f64),
    /// A count of operations or messages.
    Count(u64),
    /// Operations per second.
    PerSecond(f64),
    /// Bytes; negative where they became fewer.
    Bytes(i64),
}

impl ThresholdValue {
    /// As one number, in seconds, whole ones, or bytes: for comparing two of one kind.
    pub(super) fn number(self) -> f64 {
        match self {
            Self::Time(time) => time.as_secs_f64(),
            Self::Share(value) | Self::PerSecond(value) => value,
            Self::Count(count) => count as f64,
            Self::Bytes(bytes) => bytes as f64,
        }
    }

    /// As it stands in a threshold's text: nothing is rounded.
    pub(super) fn exact(self) -> String {
        match self {
            Self::Time(time) => {
                let nanos = time.as_nanos();
                let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
                let unit = units.into_iter().find(|(size, _)| nanos >= *size && nanos.is_multiple_of(*size));
                let (size, unit) = unit.unwrap_or((1, "ns"));
                format!("{}{unit}", nanos / size)
            }
            Self::Share(share) => format!("{}%", decimal(share * 100.0)),
            Self::Count(count) => count.to_string(),
            Self::PerSecond(rate) => format!("{}/s", decimal(rate)),
            Self::Bytes(bytes) => {
                let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
                let unit = units.into_iter().find(|(size, _)| bytes.abs() >= *size && bytes % *size == 0);
                let (size, unit) = unit.unwrap_or((1, "B"));
                format!("{}{unit}", bytes / size)
            }
        }
    }
}

/// A number without the digits that a binary fraction has too much.
pub(super) fn decimal(value: f64) -> String {
    let text = format!("{value:.9}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl fmt::Display for ThresholdValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Time(time) => f.write_str(&text::duration(time)),
            Self::Share(share) => f.write_str(&share_text(share)),
            Self::Count(count) => f.write_str(&text::count(count)),
            Self::PerSecond(rate) => write!(f, "{}/s", rate_text(rate)),
            Self::Bytes(bytes) => f.write_str(&text::bytes(bytes as f64)),
        }
    }
}

/// `0.25 %`: small shares have the digits that tell them from none.
fn share_text(share: f64) -> String {
    let percent = share * 100.0;
    match percent.abs() {
        0.0 => "0 %".into(),
        ..0.9995 => format!("{percent:.3} %"),
        ..99.995 => format!("{percent:.2} %"),
        _ => format!("{percent:.1} %"),
    }
}

/// `1 000` or `0.25`.
pub(in crate::load) fn rate_text(rate: f64) -> String {
    match rate {
        ..9.995 => decimal((rate * 100.0).round() / 100.0),
        ..99.95 => format!("{rate:.1}"),
        _ => text::count(text::whole(rate.round())),
    }
}

/// What the text of a limit says: a number and its unit, or what is wrong with it.
pub(super) fn read(value: &str) -> Result<ThresholdValue, String> {
    let end = value.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '_')).unwrap_or(value.len());
    let (number, unit) = (value[..end].replace('_', ""), value[end..].trim());
    if number.is_empty() {
        return Err(match value.strip_prefix('-') {
            Some(_) => format!("`{value}` is negative"),
            None => format!("`{value}` is no number"),
        });
    }
    let amount: f64 = number.parse().map_err(|_| format!("`{number}` is no number"))?;
    let bytes = |unit: i64| whole(amount * unit as f64).map(ThresholdValue::Bytes);
    match unit {
        "" => number
            .parse()
            .map(ThresholdValue::Count)
            .map_err(|_| format!("`{number}` is no count (a time has a unit, a share has `%`)")),
        "%" => Ok(ThresholdValue::Share(amount / 100.0)),
        "/s" => Ok(ThresholdValue::PerSecond(amount)),
        "B" => bytes(1),
        "KiB" => bytes(1 << 10),
        "MiB" => bytes(1 << 20),
        "GiB" => bytes(1 << 30),
        _ => time(amount, unit),
    }
}

fn time(amount: f64, unit: &str) -> Result<ThresholdValue, String> {
    let nanos = match unit {
        "ns" => 1.0,
        "us" | "µs" | "μs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "min" => 60e9,
        _ => {
            return Err(format!(
                "`{unit}` is no unit (known are ns, us, ms, s, min, %, /s, B, KiB, MiB, GiB)"
            ));
        }
    };
    let nanos = u64::try_from(whole(amount * nanos)?).unwrap_or_default();
    Ok(ThresholdValue::Time(Duration::from_nanos(nanos)))
}

#[expect(clippy::cast_possible_truncation, reason = "the bound is below 2^63")]
fn whole(value: f64) -> Result<i64, String> {
    if value < 9e18 { Ok(value.round() as i64) } else { Err("the number is too large".into()) }
}
