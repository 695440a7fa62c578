//! The SHA-256 sums compiled into the crate, parsed when the first one is needed and never on a cache hit.

use std::{collections::HashMap, sync::LazyLock};

use serde::Deserialize;

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let text = include_str!("../data/nats-server-checksums.json");
    serde_json::from_str(text).expect("the compiled checksum table is valid")
});

#[derive(Deserialize)]
struct Table {
    /// Version, then `<os>-<arch>`.
    archives: HashMap<String, HashMap<String, String>>,
    /// Version, then file name.
    wheels: HashMap<String, HashMap<String, String>>,
}

/// Returns the sum of a release archive.
pub(crate) fn archive(version: &str, target: &str) -> Option<&'static str> {
    TABLE.archives.get(version)?.get(target).map(String::as_str)
}

/// Returns the sum of a wheel, by its file name.
pub(crate) fn wheel(version: &str, file: &str) -> Option<&'static str> {
    TABLE.wheels.get(version)?.get(file).map(String::as_str)
}

/// Returns whether any wheel of the version is known.
pub(crate) fn has_wheels(version: &str) -> bool {
    TABLE.wheels.contains_key(version)
}

/// Returns the versions with known archives, in no order.
#[cfg(test)]
pub(crate) fn versions() -> impl Iterator<Item = &'static str> {
    TABLE.archives.keys().map(String::as_str)
}

/// Returns the text in lower case if it is a SHA-256 sum in hexadecimal.
pub(crate) fn parse_sum(text: &str) -> Option<String> {
    let text = text.trim();
    (text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| text.to_ascii_lowercase())
}

/// Finds a file's sum in the text of a `SHA256SUMS` file: a sum, blanks, perhaps `*`, a name.
pub(crate) fn find_sum(sums: &str, file: &str) -> Option<String> {
    sums.lines().find_map(|line| {
        let (sum, name) = line.trim().split_once(char::is_whitespace)?;
        let name = name.trim_start().trim_start_matches(['*', '.', '/']);
        if name == file { parse_sum(sum) } else { None }
    })
}

/// Writes a digest as hexadecimal.
pub(crate) fn hex(digest: &[u8]) -> String {
    use std::fmt::Write;

    digest.iter().fold(String::with_capacity(digest.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_version_has_sums_for_the_common_targets() {
        for target in ["linux-amd64", "linux-arm64", "windows-amd64"] {
            assert!(archive(crate::DEFAULT_VERSION, target).is_some(), "{target}");
        }
        assert!(has_wheels(crate::DEFAULT_VERSION));
    }

    #[test]
    fn every_sum_in_the_table_is_a_sum() {
        let all = TABLE.archives.values().chain(TABLE.wheels.values()).flat_map(HashMap::values);
        let bad: Vec<_> = all.filter(|sum| parse_sum(sum).as_ref() != Some(*sum)).collect();
        assert!(bad.is_empty(), "{bad:?}");
    }

    #[test]
    fn a_sums_file_is_read_in_the_usual_spellings() {
        let sum = "ab".repeat(32);
        for line in [
            format!("{sum}  a.tar.gz"),
            format!("{sum} *a.tar.gz"),
            format!("{}\t./a.tar.gz\r", sum.to_uppercase()),
        ] {
            assert_eq!(find_sum(&format!("x\n{line}\n"), "a.tar.gz"), Some(sum.clone()), "{line:?}");
        }
        assert_eq!(find_sum(&format!("{sum}  other-a.tar.gz\n"), "a.tar.gz"), None);
        assert_eq!(find_sum("abcd  a.tar.gz\n", "a.tar.gz"), None);
    }

    #[test]
    fn hex_is_two_digits_for_each_byte() {
        assert_eq!(hex(&[0, 10, 255]), "000aff");
    }
}
