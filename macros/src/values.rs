//! Reads the texts inside option values. Each error is the part of the message after the option's name.

use std::time::Duration;

const UNITS: [(&str, u64); 4] =
    [("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000)];

/// Reads `30s`, `1.5s` or `250 ms`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let unreadable =
        || format!("does not understand `{text}` (write a number and ms, s, m or h, such as `1.5s`)");
    let text = text.trim();
    let number_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(number_end);
    let unit = unit.trim_start();
    if unit.is_empty() && decimal(number).is_some() {
        return Err(format!(
            "lacks a unit in `{text}` (write ms, s, m or h after the number, such as `{text}s`)"
        ));
    }
    let (digits, places) = decimal(number).ok_or_else(unreadable)?;
    let (_, nanoseconds) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(unreadable)?;
    let scale = places.and_then(|places| 10_u128.checked_pow(places));
    let nanoseconds = digits.checked_mul(u128::from(*nanoseconds)).zip(scale).map(|(all, scale)| all / scale);
    match nanoseconds.and_then(|all| u64::try_from(all).ok()) {
        Some(0) => {
            Err(format!("must be longer than zero, but is `{text}` (leave it out for no limit of its own)"))
        }
        Some(nanoseconds) => Ok(Duration::from_nanos(nanoseconds)),
        None => Err(format!("is too long or too precise in `{text}` (write something like `30s`)")),
    }
}

/// Bytes of each unit of a size. The case tells them apart: `KB` is written for either of two.
const SIZES: [(&str, u64); 7] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
];

/// Reads `8 MiB`, `1.5kB` or `0 B` as bytes; a part of a byte is left off.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let units = "B, KiB, MiB, GiB, kB, MB or GB";
    let unreadable =
        || format!("does not understand `{text}` (write a number and {units}, such as `1.5 MiB`)");
    let text = text.trim();
    let number_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(number_end);
    let unit = unit.trim_start();
    let (digits, places) = decimal(number).ok_or_else(unreadable)?;
    if unit.is_empty() {
        return Err(format!(
            "lacks a unit in `{text}` (write {units} after the number, such as `{text} MiB`)"
        ));
    }
    let Some((_, bytes)) = SIZES.iter().find(|(name, _)| *name == unit) else {
        return Err(other_spelling(unit)
            .map_or_else(unreadable, |units| format!("does not know the unit in `{text}` ({units})")));
    };
    let scale = places.and_then(|places| 10_u128.checked_pow(places));
    let bytes = digits.checked_mul(u128::from(*bytes)).zip(scale).map(|(all, scale)| all / scale);
    match bytes.and_then(|all| u64::try_from(all).ok()) {
        Some(0) if digits != 0 => {
            Err(format!("is less than a byte in `{text}` (write `0 B` for nothing at all)"))
        }
        Some(bytes) => Ok(bytes),
        None => Err(format!("is too large or too precise in `{text}` (write something like `8 MiB`)")),
    }
}

/// What to write for a unit that differs in case alone, or leaves open which thousand is meant.
fn other_spelling(unit: &str) -> Option<&'static str> {
    match unit.to_ascii_lowercase().as_str() {
        "b" | "byte" | "bytes" => Some("write `B`"),
        "kib" | "ki" => Some("write `KiB`"),
        "mib" | "mi" => Some("write `MiB`"),
        "gib" | "gi" => Some("write `GiB`"),
        "kb" | "k" => Some("write `KiB` for 1024 bytes, `kB` for 1000"),
        "mb" | "m" => Some("write `MiB` for 1024 KiB, `MB` for 1000 kB"),
        "gb" | "g" => Some("write `GiB` for 1024 MiB, `GB` for 1000 MB"),
        _ => None,
    }
}

/// Returns a decimal number as its digits and, if they can be counted, the number of them behind the point. Digits
/// that do not fit stand as a number that no unit can be multiplied with.
fn decimal(number: &str) -> Option<(u128, Option<u32>)> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let digits = format!("{whole}{fraction}").parse().unwrap_or(u128::MAX);
    Some((digits, u32::try_from(fraction.len()).ok()))
}

/// Longer names of baselines are refused when they are read and written.
const LONGEST_BASELINE: usize = 200;

/// Checks the name of a baseline, which becomes that of a file.
pub(crate) fn baseline(text: &str) -> Result<(), String> {
    let is_fit = |c: char| c.is_alphanumeric() || ['-', '_', '.', ' '].contains(&c);
    if text.is_empty() {
        return Err("has an empty name (write `baseline` alone for the test's own name)".to_owned());
    }
    if text.len() > LONGEST_BASELINE {
        return Err(format!("is longer than {LONGEST_BASELINE} bytes"));
    }
    match text.chars().find(|c| !is_fit(*c)) {
        Some(c) => Err(format!(
            "becomes a file's name, in which `{c}` cannot be (letters, digits, `-`, `_`, `.` and spaces can)"
        )),
        None if text.starts_with('.') => {
            Err(format!("becomes a file's name: `{text}` would hide it (begin with a letter)"))
        }
        None => Ok(()),
    }
}

/// Checks `2.12`, `2.12.3` and `2.12.3-RC.1`.
pub(crate) fn version(text: &str) -> Result<(), String> {
    let (numbers, prerelease) = match text.split_once('-') {
        Some((numbers, prerelease)) => (numbers, Some(prerelease)),
        None => (text, None),
    };
    let parts: Vec<&str> = numbers.split('.').collect();
    let is_number = |part: &&str| part.bytes().all(|b| b.is_ascii_digit()) && part.parse::<u64>().is_ok();
    let is_name =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if let Some(bare) = text.strip_prefix(['v', '=', '^', '~', '>', '<']) {
        let bare = bare.trim_start_matches(['=', ' ']);
        return Err(format!("takes the numbers alone, not `{text}` (write `{bare}`)"));
    }
    if !parts.iter().all(is_number) || !(2..=3).contains(&parts.len()) {
        return Err(format!("does not understand `{text}` (write it as `2.12` or `2.12.3`)"));
    }
    match prerelease {
        Some(_) if parts.len() == 2 => {
            Err(format!("needs all three numbers before a prerelease in `{text}` (such as `2.12.0-RC.1`)"))
        }
        Some(prerelease) if !prerelease.split('.').all(is_name) => {
            Err(format!("does not understand the prerelease of `{text}` (write it as `2.12.0-RC.1`)"))
        }
        _ => Ok(()),
    }
}

/// Returns the candidate that `word` was most probably meant to be.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let tolerance = (word.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| {
            let related = word.len() > 2 && (candidate.starts_with(&word) || word.starts_with(candidate));
            (if related { 1 } else { edit_distance(&word, candidate) }, candidate)
        })
        .filter(|(distance, _)| *distance <= tolerance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Counts insertions, deletions and replacements of one character (Levenshtein), one row at a time.
fn edit_distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.chars().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        for (text, milliseconds) in [
            ("30s", 30_000),
            ("1.5s", 1_500),
            ("250 ms", 250),
            ("0.5m", 30_000),
            ("2h", 7_200_000),
            (" 1s ", 1_000),
            ("0.001s", 1),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn bad_durations_say_what_to_write() {
        let hint = "(write a number and ms, s, m or h, such as `1.5s`)";
        for text in ["", "s", "-1s", "1 day", "1.s", ".5s", "1.2.3s", "1s 5ms", "1e3s", "１s"] {
            assert_eq!(duration(text), Err(format!("does not understand `{text}` {hint}")), "{text}");
        }
        for (text, says) in [
            ("30", "lacks a unit in `30` (write ms, s, m or h after the number, such as `30s`)"),
            ("0s", "must be longer than zero, but is `0s` (leave it out for no limit of its own)"),
            (
                "0.0000000001s",
                "must be longer than zero, but is `0.0000000001s` (leave it out for no limit of its own)",
            ),
            ("99999999999h", "is too long or too precise in `99999999999h` (write something like `30s`)"),
        ] {
            assert_eq!(duration(text), Err(says.to_owned()), "{text}");
        }
        assert!(duration(&format!("{}s", "9".repeat(100))).is_err());
        assert!(duration(&format!("0.{}s", "0".repeat(100))).is_err());
    }

    #[test]
    fn sizes_have_a_number_and_a_unit() {
        for (text, bytes) in [
            ("0 B", 0),
            ("0 MiB", 0),
            ("64KiB", 65_536),
            (" 8 MiB ", 8_388_608),
            ("1.5 GiB", 1_610_612_736),
            ("1.1 MiB", 1_153_433),
            ("0.5 kB", 500),
            ("2.25MB", 2_250_000),
            ("1 GB", 1_000_000_000),
            ("18446744073709551615 B", u64::MAX),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn bad_sizes_say_what_to_write() {
        let units = "B, KiB, MiB, GiB, kB, MB or GB";
        for text in [
            "", "MiB", "-1 MiB", "1. MiB", ".5 MiB", "1.2.3 B", "1 TiB", "1 MiB/s", "1e3 B", "１ B",
            "1_000 B",
        ] {
            let says =
                format!("does not understand `{text}` (write a number and {units}, such as `1.5 MiB`)");
            assert_eq!(size(text), Err(says), "{text}");
        }
        for (text, says) in [
            ("8", format!("lacks a unit in `8` (write {units} after the number, such as `8 MiB`)")),
            (
                "8 KB",
                "does not know the unit in `8 KB` (write `KiB` for 1024 bytes, `kB` for 1000)".to_owned(),
            ),
            (
                "8 mb",
                "does not know the unit in `8 mb` (write `MiB` for 1024 KiB, `MB` for 1000 kB)".to_owned(),
            ),
            ("8G", "does not know the unit in `8G` (write `GiB` for 1024 MiB, `GB` for 1000 MB)".to_owned()),
            ("8 kib", "does not know the unit in `8 kib` (write `KiB`)".to_owned()),
            ("8 bytes", "does not know the unit in `8 bytes` (write `B`)".to_owned()),
            ("0.3 B", "is less than a byte in `0.3 B` (write `0 B` for nothing at all)".to_owned()),
            (
                "18446744073709551616 B",
                "is too large or too precise in `18446744073709551616 B` (write something like `8 MiB`)"
                    .to_owned(),
            ),
        ] {
            assert_eq!(size(text), Err(says), "{text}");
        }
        assert!(size("17179869184 GiB").is_err(), "one byte more than can be counted");
        assert!(size(&format!("{} GiB", "9".repeat(100))).is_err());
        assert!(size(&format!("0.{} B", "0".repeat(100))).is_err());
    }

    #[test]
    fn versions_have_two_or_three_numbers() {
        for text in ["2.12", "2.12.3", "2.12.0-RC.1", "2.11.0-preview.2", "10.0.0-a-b"] {
            assert_eq!(version(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn bad_versions_say_what_to_write() {
        for text in ["", "2", "2.", ".2", "2.12.3.4", "2.x", "latest", "2.12 ", "2.99999999999999999999999"] {
            let says = format!("does not understand `{text}` (write it as `2.12` or `2.12.3`)");
            assert_eq!(version(text), Err(says), "{text}");
        }
        for (text, says) in [
            ("v2.12", "takes the numbers alone, not `v2.12` (write `2.12`)"),
            (">= 2.12", "takes the numbers alone, not `>= 2.12` (write `2.12`)"),
            (
                "2.12-RC.1",
                "needs all three numbers before a prerelease in `2.12-RC.1` (such as `2.12.0-RC.1`)",
            ),
            ("2.12.0-", "does not understand the prerelease of `2.12.0-` (write it as `2.12.0-RC.1`)"),
            ("2.12.0-a b", "does not understand the prerelease of `2.12.0-a b` (write it as `2.12.0-RC.1`)"),
        ] {
            assert_eq!(version(text), Err(says.to_owned()), "{text}");
        }
    }

    #[test]
    fn the_nearest_word_is_a_small_mistake_away() {
        let known = ["jetstream", "config", "version", "timeout", "worker_threads", "crate"];

        for (word, meant) in [
            ("timeot", Some("timeout")),
            ("time_out", Some("timeout")),
            ("config_file", Some("config")),
            ("JetStream", Some("jetstream")),
            ("worker", Some("worker_threads")),
            ("threads", None),
            ("c", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }

    #[test]
    fn a_baseline_is_called_what_a_file_can_be() {
        for name in ["orders", "KV put, 1", "größe.2", &"x".repeat(200)] {
            assert_eq!(baseline(name).is_ok(), !name.contains(','), "{name}");
        }
        assert_eq!(baseline(&"x".repeat(201)).unwrap_err(), "is longer than 200 bytes");
        assert!(baseline(".a").is_err() && baseline("").is_err() && baseline("a/b").is_err());
    }
}
