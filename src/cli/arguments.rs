//! The command line, read by hand: each command has a handful of options, which is not worth a parser's dependencies.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::Failure;
use super::help::Spec;
use super::near;
use crate::results::Store;

/// An option: its name, what its value is called (none without), and what it does.
pub(super) type Opt = (&'static str, Option<&'static str>, &'static str);

/// The words of one command.
#[derive(Debug)]
pub(super) struct Arguments {
    spec: &'static Spec,
    /// What is no option, in order.
    pub(super) places: Vec<OsString>,
    /// Each with its value, which is empty where it has none.
    options: Vec<(&'static str, OsString)>,
}

impl Arguments {
    pub(super) fn parse(spec: &'static Spec, words: &[OsString]) -> Result<Self, Failure> {
        let mut arguments = Self { spec, places: Vec::new(), options: Vec::new() };
        let mut words = words.iter();
        let mut are_options_over = false;
        while let Some(word) = words.next() {
            if are_options_over || !is_option(word) {
                arguments.places.push(word.clone());
            } else if word == "--" {
                are_options_over = true;
            } else {
                arguments.option(word, &mut words)?;
            }
        }
        arguments.check_places()?;
        Ok(arguments)
    }

    fn option<'a>(
        &mut self,
        word: &OsStr,
        words: &mut impl Iterator<Item = &'a OsString>,
    ) -> Result<(), Failure> {
        let text = word.to_string_lossy();
        // `--option=value` is the same as `--option value`.
        let (name, attached) = match text.split_once('=') {
            Some((name, value)) => (name, Some(OsString::from(value))),
            None => (&*text, None),
        };
        let known = self.spec.options().find(|(known, ..)| *known == name);
        let Some((name, value, _)) = known else {
            let hint = near::hint(name, self.spec.options().map(|(known, ..)| *known));
            return Err(self.usage(format!("`{name}` is not an option of `{}`{hint}", self.spec.name)));
        };
        let value = match (value, attached) {
            (None, None) => OsString::new(),
            (None, Some(_)) => return Err(self.usage(format!("`{name}` takes no value"))),
            (Some(_), Some(value)) => value,
            (Some(what), None) => words
                .next()
                .cloned()
                .ok_or_else(|| self.usage(format!("`{name}` needs a value: `{name} {what}`")))?,
        };
        self.options.push((name, value));
        Ok(())
    }

    fn check_places(&self) -> Result<(), Failure> {
        let (names, given) = (self.spec.places, self.places.len());
        if let Some(missing) = names.iter().filter(|name| !name.starts_with('[')).nth(given) {
            return Err(self.usage(format!("`{}` needs {missing}", self.spec.name)));
        }
        match self.places.get(names.len()) {
            Some(more) => Err(self.usage(format!("`{}` is one argument too many", more.to_string_lossy()))),
            None => Ok(()),
        }
    }

    /// A mistake in these words.
    pub(super) fn usage(&self, what: impl Into<String>) -> Failure {
        Failure::Usage(what.into(), Some(self.spec.name))
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// The values of an option, in the order in which it was given.
    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a OsStr> {
        let name = self.spec.options().find(|(known, ..)| *known == name).map(|(known, ..)| *known);
        debug_assert!(name.is_some(), "an option is in the specification of its command");
        self.options.iter().filter(move |(known, _)| Some(*known) == name).map(|(_, value)| value.as_os_str())
    }

    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.all(name).last().map(PathBuf::from) // the last one counts
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.all(name).last().map(|value| value.to_string_lossy().into_owned())
    }

    /// Reads the values of an option, each by `read`; `expected` says what they may be.
    pub(super) fn each<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, Failure> {
        let one = |value: &OsStr| {
            let value = value.to_string_lossy();
            read(&value).ok_or_else(|| {
                self.usage(format!("`{value}` is not a value for `{name}` (expected {expected})"))
            })
        };
        self.all(name).map(one).collect()
    }

    pub(super) fn value<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        Ok(self.each(name, expected, read)?.pop())
    }

    pub(super) fn place(&self, index: usize) -> Option<String> {
        self.places.get(index).map(|word| word.to_string_lossy().into_owned())
    }

    /// Where runs are, by `--results` or the environment.
    pub(super) fn store(&self) -> Result<Store, Failure> {
        match self.path("--results") {
            Some(directory) if !Path::new(&directory).is_dir() => Err(Failure::Environment(format!(
                "`{}` is no directory (see --results)",
                directory.display()
            ))),
            Some(directory) => Ok(Store::at(directory)),
            None => Ok(Store::find()?),
        }
    }
}

fn is_option(word: &OsStr) -> bool {
    let text = word.to_string_lossy();
    text.starts_with('-') && text != "-"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::help::command;

    fn parse(name: &str, words: &str) -> Result<Arguments, Failure> {
        let words: Vec<_> = words.split_whitespace().map(OsString::from).collect();
        Arguments::parse(command(name).unwrap(), &words)
    }

    #[test]
    fn options_are_taken_in_both_spellings_and_the_last_one_counts() {
        let words = "--alpha=0.1 a --least-effect p50=5% --alpha 0.05 -- --b";
        let arguments = parse("compare", words).unwrap();
        assert_eq!(arguments.places, ["a", "--b"]);
        assert_eq!(arguments.text("--alpha").as_deref(), Some("0.05"));
        assert_eq!(arguments.text("--least-effect").as_deref(), Some("p50=5%"));
        assert!(!arguments.is_set("--format"));
    }

    #[test]
    fn mistakes_name_the_word() {
        let error = |name: &str, words: &str| match parse(name, words) {
            Err(Failure::Usage(what, of)) => {
                assert_eq!(of, Some(name));
                what
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(error("compare", "a"), "`compare` needs CANDIDATE");
        assert_eq!(error("compare", "a b c"), "`c` is one argument too many");
        assert_eq!(error("report", "--al"), "`--al` is not an option of `report` (did you mean `--all`?)");
        assert_eq!(error("report", "--fast"), "`--fast` is not an option of `report`");
        assert_eq!(error("report", "--all=1"), "`--all` takes no value");
        assert_eq!(error("clean", "--keep"), "`--keep` needs a value: `--keep N`");
        let arguments = parse("clean", "--keep some").unwrap();
        let Err(Failure::Usage(what, _)) =
            arguments.value("--keep", "a number", |text| text.parse::<u8>().ok())
        else {
            panic!()
        };
        assert_eq!(what, "`some` is not a value for `--keep` (expected a number)");
    }
}
