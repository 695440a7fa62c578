//! Finding programs on PATH.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

/// Returns the directories of a PATH variable; an empty entry means the current directory and is left out, since no test
/// should run what happens to lie there.
pub(crate) fn directories(path: Option<&OsString>) -> Vec<PathBuf> {
    let split = path.map(env::split_paths).into_iter().flatten();
    split.filter(|directory| !directory.as_os_str().is_empty()).collect()
}

/// Returns the first program of that name.
pub(crate) fn find(path: Option<&OsString>, name: &str) -> Option<PathBuf> {
    candidates(path, name).next()
}

/// Returns all executable files of that name, in the order of PATH.
pub(crate) fn candidates(path: Option<&OsString>, name: &str) -> impl Iterator<Item = PathBuf> {
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    directories(path)
        .into_iter()
        .map(move |directory| directory.join(&file))
        .filter(|path| is_executable(path))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
}
