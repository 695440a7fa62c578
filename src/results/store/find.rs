//! Where the directory is.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::error::{ResultsError, ResultsErrorKind};
use super::retention::Keep;

const RESULTS: &str = "ISOLATED_NATS_RESULTS";
const KEEP: &str = "ISOLATED_NATS_RESULTS_KEEP";

/// From where it can be found.
pub(super) struct Places<'a> {
    pub(super) variable: &'a dyn Fn(&str) -> Option<OsString>,
    pub(super) program: Option<PathBuf>,
    pub(super) current: Option<PathBuf>,
}

impl Places<'_> {
    pub(super) fn directory(&self) -> Result<PathBuf, ResultsError> {
        if let Some(directory) = self.path(RESULTS) {
            // Tests run in their package's directory, and the command wherever it is called.
            let absolute = directory.is_absolute().then(|| directory.clone());
            return absolute.ok_or_else(|| misuse(RESULTS, &directory.to_string_lossy(), "an absolute path"));
        }
        let target = self.target().ok_or_else(|| {
            let what = "there is no target directory to keep results in (call it in a cargo workspace, or set \
                        ISOLATED_NATS_RESULTS to a directory)";
            ResultsError::new(ResultsErrorKind::File, what)
        })?;
        Ok(target.join("isolated-nats").join("results"))
    }

    pub(super) fn keep(&self) -> Result<Keep, ResultsError> {
        let Some(value) = self.value(KEEP) else { return Ok(Keep::default()) };
        let text = value.to_string_lossy();
        let number = text.trim().parse().ok().filter(|runs| *runs > 0);
        number.map(Keep::runs).ok_or_else(|| misuse(KEEP, &text, "a number from 1"))
    }

    fn target(&self) -> Option<PathBuf> {
        // A relative one is so to where cargo was called, which nobody knows here.
        let told = self.path("CARGO_TARGET_DIR").filter(|path| path.is_absolute());
        let running =
            || self.program.as_deref()?.ancestors().find(|path| is_target(path)).map(Path::to_owned);
        told.or_else(running).or_else(|| Some(self.workspace()?.join("target")))
    }

    fn workspace(&self) -> Option<PathBuf> {
        let starts = [self.path("CARGO_MANIFEST_DIR"), self.current.clone()];
        let is_root = |path: &&Path| path.join("Cargo.lock").is_file();
        starts.into_iter().flatten().find_map(|start| start.ancestors().find(is_root).map(Path::to_owned))
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.value(name).map(PathBuf::from)
    }

    fn value(&self, name: &str) -> Option<OsString> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }
}

/// Cargo marks its target directories as caches, and says that it was cargo who did.
fn is_target(path: &Path) -> bool {
    fs::read_to_string(path.join("CACHEDIR.TAG")).is_ok_and(|text| text.contains("cargo"))
}

fn misuse(name: &str, value: &str, may_be: &str) -> ResultsError {
    let what = format!("{name} is `{value}`, and may be {may_be} (or unset it)");
    ResultsError::new(ResultsErrorKind::Misuse, what)
}

#[cfg(test)]
mod tests {
    use super::super::super::files::tests::Scratch;
    use super::*;

    fn places<'a>(
        variable: &'a dyn Fn(&str) -> Option<OsString>,
        program: &Path,
        current: &Path,
    ) -> Places<'a> {
        Places { variable, program: Some(program.into()), current: Some(current.into()) }
    }

    #[test]
    fn the_target_directory_is_found_by_variable_program_and_workspace() {
        let scratch = Scratch::new();
        let root = scratch.path();
        let (target, package) = (root.join("build"), root.join("workspace/member"));
        fs::create_dir_all(target.join("debug/deps")).unwrap();
        fs::create_dir_all(&package).unwrap();
        fs::write(target.join("CACHEDIR.TAG"), "Signature: 8a\n# created by cargo.\n").unwrap();
        fs::write(root.join("workspace/Cargo.lock"), "").unwrap();
        let results = |target: &Path| target.join("isolated-nats/results");

        let unset = |_: &str| None;
        let program = target.join("debug/deps/test-1");
        assert_eq!(places(&unset, &program, root).directory().unwrap(), results(&target));
        let elsewhere = root.join("bin/isolated-nats");
        let at = places(&unset, &elsewhere, &package).directory().unwrap();
        assert_eq!(at, results(&root.join("workspace/target")));
        let by_package = |name: &str| (name == "CARGO_MANIFEST_DIR").then(|| package.clone().into());
        let at = places(&by_package, &elsewhere, root).directory().unwrap();
        assert_eq!(at, results(&root.join("workspace/target")));

        let told = root.join("told");
        let by_target = |name: &str| (name == "CARGO_TARGET_DIR").then(|| told.clone().into());
        assert_eq!(places(&by_target, &program, root).directory().unwrap(), results(&told));
        let relative = |name: &str| (name == "CARGO_TARGET_DIR").then(|| "told".into());
        assert_eq!(places(&relative, &program, root).directory().unwrap(), results(&target));
        let by_results = |name: &str| (name == RESULTS).then(|| told.clone().into());
        assert_eq!(places(&by_results, &program, root).directory().unwrap(), told);
    }

    #[test]
    fn where_there_is_none_it_is_said_what_to_do() {
        let unset = |_: &str| None;
        let error = Places { variable: &unset, program: None, current: None }.directory().unwrap_err();
        assert_eq!(error.kind(), ResultsErrorKind::File);
        assert!(error.to_string().contains("set ISOLATED_NATS_RESULTS"), "{error}");
    }

    #[test]
    fn values_that_mean_nothing_are_refused() {
        let set = |_: &str| Some("many".into());
        let places = Places { variable: &set, program: None, current: None };
        let expected = "ISOLATED_NATS_RESULTS is `many`, and may be an absolute path (or unset it)";
        assert_eq!(places.directory().unwrap_err().to_string(), expected);
        let expected = "ISOLATED_NATS_RESULTS_KEEP is `many`, and may be a number from 1 (or unset it)";
        assert_eq!(places.keep().unwrap_err().to_string(), expected);
        let seven = |_: &str| Some(" 7 ".into());
        assert_eq!(Places { variable: &seven, ..places }.keep().unwrap(), Keep { runs: 7, quick: 7 });
        assert_eq!(Keep::default(), Keep { runs: 50, quick: 10 });
    }
}
