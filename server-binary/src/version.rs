//! Versions of nats-server, and what may be asked for.

use std::{cmp::Ordering, fmt, str::FromStr};

/// The newest patch of each line in `data/nats-server-checksums.json`.
///
/// Kept beside the table so that a partial version costs nothing on a cache hit; a unit test compares the two.
const NEWEST: &[(u32, u32, u32)] = &[
    (2, 14, 5),
    (2, 12, 15),
    (2, 11, 17),
    (2, 10, 29),
    (2, 9, 25),
    (2, 8, 4),
    (2, 7, 4),
    (2, 6, 6),
    (2, 5, 0),
    (2, 4, 0),
    (2, 3, 4),
    (2, 2, 6),
    (2, 1, 9),
];

/// A version of nats-server, such as `2.14.5` or `2.15.0-RC.1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    major: u32,
    minor: u32,
    patch: u32,
    pre: Option<Box<str>>,
}

impl Version {
    /// Returns the first number, `2` in `2.14.5`.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.major
    }

    /// Returns the second number, `14` in `2.14.5`.
    #[must_use]
    pub fn minor(&self) -> u32 {
        self.minor
    }

    /// Returns the third number, `5` in `2.14.5`.
    #[must_use]
    pub fn patch(&self) -> u32 {
        self.patch
    }

    /// Returns what follows the first `-`, `RC.1` in `2.15.0-RC.1`; `None` for a plain release.
    #[must_use]
    pub fn pre_release(&self) -> Option<&str> {
        self.pre.as_deref()
    }

    fn release(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch, pre: None }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        match &self.pre {
            Some(pre) => write!(f, "-{pre}"),
            None => Ok(()),
        }
    }
}

/// Orders by number; a pre-release comes before its release, and pre-releases compare as text.
impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| (version.major, version.minor, version.patch);
        numbers(self).cmp(&numbers(other)).then_with(|| match (&self.pre, &other.pre) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => a.cmp(b),
        })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A text that is no version of nats-server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a version (expected three numbers such as `2.14.5`, or a line such as `2.12` or `2`)"
)]
pub struct ParseVersionError {
    text: String,
}

impl ParseVersionError {
    fn of(text: &str) -> Self {
        Self { text: text.to_owned() }
    }
}

impl FromStr for Version {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse()? {
            Requirement::Exact(version) => Ok(version),
            Requirement::Line { .. } => Err(ParseVersionError::of(text)),
        }
    }
}

/// What is asked for: one version, or any of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Requirement {
    Exact(Version),
    Line { major: u32, minor: Option<u32> },
}

impl Requirement {
    pub(crate) fn matches(&self, version: &Version) -> bool {
        match self {
            Self::Exact(wanted) => wanted == version,
            Self::Line { major, minor } => {
                *major == version.major
                    && minor.is_none_or(|minor| minor == version.minor)
                    && version.pre.is_none()
            }
        }
    }

    /// Returns the version to fetch, `None` if no known one matches.
    pub(crate) fn resolve(&self) -> Option<Version> {
        match self {
            Self::Exact(version) => Some(version.clone()),
            Self::Line { .. } => NEWEST
                .iter()
                .map(|&(major, minor, patch)| Version::release(major, minor, patch))
                .filter(|version| self.matches(version))
                .max(),
        }
    }

    /// Returns the lines that `resolve` knows, for error texts.
    pub(crate) fn known_lines() -> String {
        let lines: Vec<_> = NEWEST.iter().map(|(major, minor, _)| format!("{major}.{minor}")).collect();
        lines.join(", ")
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(version) => version.fmt(f),
            Self::Line { major, minor: Some(minor) } => write!(f, "{major}.{minor}"),
            Self::Line { major, minor: None } => write!(f, "{major}"),
        }
    }
}

impl FromStr for Requirement {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || ParseVersionError::of(text);
        let trimmed = text.trim();
        let bare = trimmed.strip_prefix('v').unwrap_or(trimmed);
        let (numbers, pre) = match bare.split_once('-') {
            Some((numbers, pre)) => (numbers, Some(pre)),
            None => (bare, None),
        };
        let numbers = numbers.split('.').map(parse_number).collect::<Option<Vec<u32>>>().ok_or_else(fail)?;
        match (numbers.as_slice(), pre) {
            (&[major], None) => Ok(Self::Line { major, minor: None }),
            (&[major, minor], None) => Ok(Self::Line { major, minor: Some(minor) }),
            (&[major, minor, patch], pre) if pre.is_none_or(is_pre_release) => {
                Ok(Self::Exact(Version { major, minor, patch, pre: pre.map(Into::into) }))
            }
            _ => Err(fail()),
        }
    }
}

/// Digits only: `parse` alone would take a sign.
fn parse_number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// The text becomes part of paths and URLs, so nothing else may come in.
fn is_pre_release(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    !text.is_empty() && text.len() <= 64 && text.bytes().all(allowed) && !text.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksums;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn versions_parse_and_print_as_given() {
        for text in ["2.14.5", "2.15.0-RC.1", "0.0.0", "2.15.0-dev"] {
            assert_eq!(version(text).to_string(), text);
        }
        assert_eq!(version("v2.14.5"), version("2.14.5"));
        assert_eq!(version("2.15.0-RC.1").pre_release(), Some("RC.1"));
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in [
            "",
            "v",
            "latest",
            "2.",
            "2.14.",
            "2.14.5.1",
            "2.+4.5",
            "2.14.5-",
            "2.14.5-../../x",
            "2.12-RC",
            "2.14.5-a b",
        ] {
            assert!(text.parse::<Requirement>().is_err(), "{text:?} was taken");
        }
        let error = "latest".parse::<Requirement>().unwrap_err();
        assert!(
            error.to_string().starts_with("`latest` is not a version (expected three numbers"),
            "{error}"
        );
        assert!("2.14".parse::<Version>().is_err());
    }

    #[test]
    fn numbers_compare_as_numbers_and_pre_releases_come_first() {
        assert!(version("2.9.25") < version("2.12.0"));
        assert!(version("2.15.0-RC.1") < version("2.15.0"));
        assert!(version("2.15.0-RC.1") > version("2.14.5"));
    }

    #[test]
    fn a_line_is_its_newest_known_version() {
        let resolve =
            |text: &str| text.parse::<Requirement>().unwrap().resolve().map(|version| version.to_string());
        assert_eq!(resolve("2.12").as_deref(), Some("2.12.15"));
        assert_eq!(resolve("2").as_deref(), Some(crate::DEFAULT_VERSION));
        assert_eq!(resolve("2.99.1").as_deref(), Some("2.99.1"));
        assert_eq!(resolve("2.99"), None);
    }

    #[test]
    fn a_line_matches_its_releases_only() {
        let line: Requirement = "2.12".parse().unwrap();
        assert!(line.matches(&version("2.12.0")));
        assert!(!line.matches(&version("2.14.5")));
        assert!(!line.matches(&version("2.12.16-RC.1")));
        let exact: Requirement = "2.12.0".parse().unwrap();
        assert!(!exact.matches(&version("2.12.1")));
    }

    // The list in this file is a copy; this keeps it one.
    #[test]
    fn the_newest_of_each_line_is_that_of_the_checksum_table() {
        let mut expected: Vec<(u32, u32, u32)> = Vec::new();
        let mut versions: Vec<Version> = checksums::versions().map(version).collect();
        versions.sort();
        for version in versions.iter().rev() {
            if !expected.iter().any(|&(major, minor, _)| (major, minor) == (version.major, version.minor)) {
                expected.push((version.major, version.minor, version.patch));
            }
        }
        assert_eq!(NEWEST, expected.as_slice());
        assert!(checksums::versions().any(|version| version == crate::DEFAULT_VERSION));
    }
}
