//! The command line, read by hand: a handful of options is not worth a parser's dependencies.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use crate::{Acquire, Progress, Source};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Fetch,
    Path,
    Doctor,
    Clean,
    Help,
    Version,
}

#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) action: Action,
    pub(crate) is_quiet: bool,
    version: Option<String>,
    cache_dir: Option<PathBuf>,
    mirror: Option<String>,
    sha256: Option<String>,
    sources: Option<Vec<Source>>,
    is_offline: bool,
    is_verified: bool,
    deadline: Option<Duration>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UsageError {
    #[error("no command (expected fetch, path, doctor or clean)")]
    NoCommand,
    #[error("`{0}` is not a command (expected fetch, path, doctor or clean)")]
    Command(String),
    #[error("`{0}` is not an option")]
    Option(String),
    #[error("`{0}` needs a value")]
    NoValue(String),
    #[error("`{value}` is not a value for `{option}` (expected {expected})")]
    Value { option: String, value: String, expected: &'static str },
}

impl Arguments {
    pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let mut words = words.into_iter();
        let first = words.next().ok_or(UsageError::NoCommand)?;
        let mut arguments = Self::new(action(&first.to_string_lossy())?);
        while let Some(word) = words.next() {
            let word = word.to_string_lossy().into_owned();
            // `--option=value` is the same as `--option value`.
            let (name, mut given) = match word.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(OsString::from(value))),
                None => (word, None),
            };
            arguments.option(&name, || {
                given.take().or_else(|| words.next()).ok_or_else(|| UsageError::NoValue(name.clone()))
            })?;
        }
        Ok(arguments)
    }

    fn new(action: Action) -> Self {
        Self {
            action,
            is_quiet: false,
            version: None,
            cache_dir: None,
            mirror: None,
            sha256: None,
            sources: None,
            is_offline: false,
            is_verified: false,
            deadline: None,
        }
    }

    fn option(
        &mut self,
        name: &str,
        mut value: impl FnMut() -> Result<OsString, UsageError>,
    ) -> Result<(), UsageError> {
        match name {
            "--version" => self.version = Some(text(value()?)),
            "--cache-dir" => self.cache_dir = Some(value()?.into()),
            "--mirror" => self.mirror = Some(text(value()?)),
            "--sha256" => self.sha256 = Some(checked(name, value()?, "64 hexadecimal digits", sum)?),
            "--sources" => {
                self.sources = Some(checked(name, value()?, "sources separated by commas", sources)?);
            }
            "--deadline" => self.deadline = Some(checked(name, value()?, "seconds above 0", seconds)?),
            "--offline" => self.is_offline = true,
            "--verify" => self.is_verified = true,
            "--quiet" => self.is_quiet = true,
            "-h" | "--help" => self.action = Action::Help,
            _ => return Err(UsageError::Option(name.to_owned())),
        }
        Ok(())
    }

    /// Lets the command line outweigh the environment.
    pub(crate) fn apply(self, mut acquire: Acquire) -> Acquire {
        if let Some(version) = self.version {
            acquire = acquire.version(version);
        }
        if let Some(directory) = self.cache_dir {
            acquire = acquire.cache_dir(directory);
        }
        if let Some(mirror) = self.mirror {
            acquire = acquire.mirror(mirror);
        }
        if let Some(sum) = self.sha256 {
            acquire = acquire.sha256(sum);
        }
        if let Some(sources) = self.sources {
            acquire = acquire.sources(sources);
        }
        if let Some(deadline) = self.deadline {
            acquire = acquire.deadline(deadline);
        }
        if self.is_offline {
            acquire = acquire.offline(true);
        }
        if self.is_verified {
            acquire = acquire.verify(true);
        }
        if self.is_quiet { acquire.progress(Progress::quiet()) } else { acquire }
    }
}

fn action(word: &str) -> Result<Action, UsageError> {
    match word {
        "fetch" => Ok(Action::Fetch),
        "path" => Ok(Action::Path),
        "doctor" => Ok(Action::Doctor),
        "clean" => Ok(Action::Clean),
        "help" | "-h" | "--help" => Ok(Action::Help),
        "-V" | "--version" => Ok(Action::Version),
        _ => Err(UsageError::Command(word.to_owned())),
    }
}

fn text(value: OsString) -> String {
    value.into_string().unwrap_or_else(|value| value.to_string_lossy().into_owned())
}

fn checked<T>(
    option: &str,
    value: OsString,
    expected: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, UsageError> {
    let value = text(value);
    read(&value).ok_or_else(|| UsageError::Value { option: option.to_owned(), value, expected })
}

fn sum(text: &str) -> Option<String> {
    (text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| text.to_owned())
}

fn sources(text: &str) -> Option<Vec<Source>> {
    text.split(',').map(|name| name.parse().ok()).collect()
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?)
        .ok()
        .filter(|limit| !limit.is_zero() && *limit < Duration::from_secs(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Arguments, UsageError> {
        Arguments::parse(words.split_whitespace().map(OsString::from))
    }

    #[test]
    fn options_are_taken_in_both_spellings() {
        let arguments =
            parse("fetch --version 2.12 --cache-dir=/c --sources path,go --deadline 1.5 --offline --quiet")
                .unwrap();
        assert_eq!(arguments.action, Action::Fetch);
        assert_eq!(arguments.version.as_deref(), Some("2.12"));
        assert_eq!(arguments.cache_dir, Some("/c".into()));
        assert_eq!(arguments.sources, Some(vec![Source::Path, Source::Go]));
        assert_eq!(arguments.deadline, Some(Duration::from_millis(1500)));
        assert!(arguments.is_offline && arguments.is_quiet && !arguments.is_verified);
    }

    #[test]
    fn mistakes_name_the_word() {
        let error = |words: &str| parse(words).unwrap_err().to_string();
        assert_eq!(error(""), "no command (expected fetch, path, doctor or clean)");
        assert_eq!(error("get"), "`get` is not a command (expected fetch, path, doctor or clean)");
        assert_eq!(error("fetch --fast"), "`--fast` is not an option");
        assert_eq!(error("fetch --mirror"), "`--mirror` needs a value");
        let expected = "`-1` is not a value for `--deadline` (expected seconds above 0)";
        assert_eq!(error("fetch --deadline -1"), expected);
        assert!(error("fetch --sources curl").starts_with("`curl` is not a value"));
    }

    #[test]
    fn help_and_version_need_no_command() {
        assert_eq!(parse("--version").unwrap().action, Action::Version);
        assert_eq!(parse("fetch --help").unwrap().action, Action::Help);
    }
}
