//! Where baselines are, and what they may be called.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::super::error::{ResultsError, ResultsErrorKind};
use super::super::{files, json};
use super::{Baseline, check};

const LONGEST_NAME: usize = 200;
/// How many other names an error shows.
const SHOWN: usize = 5;

/// A directory of baselines.
#[derive(Clone, Debug)]
pub(super) struct Place(PathBuf);

impl Place {
    pub(super) fn find() -> Self {
        Self::find_in(&|name| std::env::var_os(name), std::env::current_dir().ok())
    }

    pub(super) fn at(directory: &Path) -> Self {
        Self(directory.into())
    }

    /// A relative path is so to the package, wherever in it the test or the command is called.
    fn find_in(variable: &dyn Fn(&str) -> Option<OsString>, current: Option<PathBuf>) -> Self {
        let value = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let around = || current.map(|current| package(&current).map_or(current.clone(), Path::to_owned));
        let package = value("CARGO_MANIFEST_DIR").or_else(around).unwrap_or_default();
        Self(package.join(value("ISOLATED_NATS_BASELINES").unwrap_or_else(|| "baselines".into())))
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(format!("{}.json", files::name_of(name)))
    }

    pub(super) fn save(&self, baseline: &Baseline) -> Result<PathBuf, ResultsError> {
        check_name(&baseline.name)?;
        let path = self.file(&baseline.name);
        files::replace(&path, &json::write(baseline))?;
        files::sweep(&self.0, SystemTime::now());
        Ok(path)
    }

    pub(super) fn load(&self, name: &str) -> Result<Baseline, ResultsError> {
        check_name(name)?;
        let path = self.file(name);
        if path.exists() { json::read_file(&path) } else { Err(self.none(name, &path)) }
    }

    fn none(&self, name: &str, path: &Path) -> ResultsError {
        let near = nearest(name, self.names());
        let others =
            if near.is_empty() { String::new() } else { format!("; there is `{}`", near.join("`, `")) };
        let what = format!(
            "there is no baseline `{name}` at `{}` (write it with `{}` where all is well, and commit it{others})",
            path.display(),
            check::bless()
        );
        ResultsError::new(ResultsErrorKind::NoBaseline, what)
    }

    /// The names of the baselines that can be read.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten().map(|entry| entry.path());
        let jsons = entries.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
        jsons.filter_map(|path| Some(json::read_file::<Baseline>(&path).ok()?.name)).collect()
    }
}

/// The nearest package around a directory, which may be that of a workspace without one of its own.
fn package(directory: &Path) -> Option<&Path> {
    directory.ancestors().find(|path| {
        let manifest = fs::read_to_string(path.join("Cargo.toml")).unwrap_or_default();
        manifest.lines().any(|line| line.split('#').next().is_some_and(|line| line.trim() == "[package]"))
    })
}

pub(super) fn check_name(name: &str) -> Result<(), ResultsError> {
    let why = match name {
        "" => "it is empty",
        _ if name.len() > LONGEST_NAME => "it is longer than 200 bytes",
        _ if name.starts_with('.') => "it begins with a dot",
        _ if name.contains(['/', '\\']) => "it has a path separator",
        _ if name.contains(char::is_control) => "it has a control character",
        _ => return Ok(()),
    };
    let what = format!("a baseline cannot be called {name:?}: {why} (give it another name)");
    Err(ResultsError::new(ResultsErrorKind::Misuse, what))
}

/// The most similar names, sorted by how much they are.
fn nearest(name: &str, names: Vec<String>) -> Vec<String> {
    let mut ranked: Vec<_> = names.into_iter().map(|other| (distance(name, &other), other)).collect();
    ranked.sort_unstable();
    ranked.into_iter().take(SHOWN).map(|(_, name)| name).collect()
}

/// Counts insertions, deletions and replacements of one character (Levenshtein), one row at a time.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (above, left) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (column, right) in to.chars().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_is_where_the_package_is_unless_told() {
        let find = |package: &str, told: &str| {
            let variable = |name: &str| match name {
                "CARGO_MANIFEST_DIR" => Some(package.into()),
                _ => Some(told.into()),
            };
            Place::find_in(&variable, Some("/here".into())).file("a")
        };
        assert_eq!(find("/package", ""), Path::new("/package/baselines/a.json"));
        assert_eq!(find("", ""), Path::new("/here/baselines/a.json"));
        assert_eq!(find("/package", "speed"), Path::new("/package/speed/a.json"));
        assert_eq!(find("/package", "/elsewhere"), Path::new("/elsewhere/a.json"));
    }

    #[test]
    fn the_nearest_package_is_found_from_any_directory_of_it() {
        let scratch = files::tests::Scratch::new();
        let package = scratch.path().join("workspace/member");
        let below = package.join("src/deep");
        fs::create_dir_all(&below).unwrap();
        let unset = |_: &str| None;
        let found = |from: &Path| Place::find_in(&unset, Some(from.into())).0;
        assert_eq!(found(&below), below.join("baselines"), "there is none");
        fs::write(scratch.path().join("workspace/Cargo.toml"), "[workspace]\nmembers = [\"member\"]\n")
            .unwrap();
        fs::write(package.join("Cargo.toml"), "# [package]\n[package] # ours\nname = \"member\"\n").unwrap();
        assert_eq!([found(&below), found(&package)], [package.join("baselines"), package.join("baselines")]);
        let told = |name: &str| (name == "ISOLATED_NATS_BASELINES").then(|| "speed".into());
        assert_eq!(Place::find_in(&told, Some(below)).0, package.join("speed"));
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["", "../a", "a/b", "a\\b", ".hidden", "a\nb", &"x".repeat(201)] {
            let error = Place::at(Path::new("/nowhere")).load(name).unwrap_err();
            assert_eq!(error.kind(), ResultsErrorKind::Misuse, "{name:?}");
            assert!(error.to_string().starts_with("a baseline cannot be called "), "{error}");
        }
        for name in ["a", "orders::put", "KV put, 1 KiB", &"ö".repeat(100)] {
            check_name(name).unwrap();
        }
    }

    #[test]
    fn the_most_similar_names_come_first() {
        let names = ["other", "kv-put", "kv-get"].map(str::to_owned).to_vec();
        assert_eq!(nearest("kv-putt", names), ["kv-put", "kv-get", "other"]);
        assert_eq!([distance("kitten", "sitting"), distance("", "ab"), distance("a", "a")], [3, 2, 0]);
    }
}
