//! Which directory the cache is in.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::{checksums::hex, reason::Reason};

/// Returns the user's own cache, `None` for a user without a home.
pub(crate) fn default_root() -> Option<PathBuf> {
    Some(dirs::cache_dir()?.join("isolated-nats"))
}

/// Returns the caches that may have an entry: the one asked for, then the one in the temporary directory if it is ours.
pub(crate) fn readable_roots(root: Option<&Path>) -> impl Iterator<Item = PathBuf> {
    let own = root.map(Path::to_owned);
    let substitute = substitute(root);
    // Lazily, since a hit in the first must not pay for the second.
    own.into_iter()
        .chain(std::iter::once_with(move || is_private(&substitute).then_some(substitute)).flatten())
}

/// Returns a cache that can be written, and whether it is the substitute in the temporary directory.
pub(crate) fn writable_root(root: Option<&Path>) -> Result<(PathBuf, bool), Reason> {
    let refused = match root.map(prepare) {
        Some(Ok(root)) => return Ok((root, false)),
        Some(Err(reason)) => reason,
        None => Reason::NoCacheDirectory,
    };
    tracing::debug!(%refused, "the cache directory cannot be written");
    let substitute = substitute(root);
    match create_private(&substitute) {
        Ok(()) if is_private(&substitute) => prepare(&substitute).map(|root| (root, true)),
        // The first refusal is the one to mend.
        _ => Err(refused),
    }
}

fn prepare(root: &Path) -> Result<PathBuf, Reason> {
    for part in ["locks", "tmp", "v1"] {
        let path = root.join(part);
        fs::create_dir_all(&path).map_err(Reason::io("create", &path))?;
    }
    let probe =
        root.join("tmp").join(format!("probe-{}-{:?}", std::process::id(), std::thread::current().id()));
    fs::write(&probe, b"").map_err(Reason::io("write to", root.join("tmp")))?;
    let _ = fs::remove_file(&probe);
    Ok(root.to_owned())
}

/// Names the substitute after the cache that it stands for, so that two of them do not mix.
fn substitute(root: Option<&Path>) -> PathBuf {
    let text = root.map_or_else(String::new, |root| root.to_string_lossy().into_owned());
    let sum = hex(&Sha256::digest(text.as_bytes()));
    std::env::temp_dir().join(format!("isolated-nats-cache-{}", &sum[..16]))
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;

    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<()> {
    // The temporary directory is the user's own here.
    fs::create_dir_all(path)
}

/// The temporary directory is everybody's on Unix: only a directory that is ours alone may hold what we execute.
#[cfg(unix)]
fn is_private(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let Ok(metadata) = fs::symlink_metadata(path) else { return false };
    metadata.is_dir() && metadata.mode() & 0o077 == 0 && own_uid().is_some_and(|uid| uid == metadata.uid())
}

#[cfg(not(unix))]
fn is_private(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// The user that files we make belong to; std has no other way to ask.
#[cfg(unix)]
fn own_uid() -> Option<u32> {
    use std::os::unix::fs::MetadataExt;

    if let Ok(metadata) = fs::metadata("/proc/self") {
        return Some(metadata.uid());
    }
    let name = format!("isolated-nats-uid-{}-{:?}", std::process::id(), std::thread::current().id());
    let path = std::env::temp_dir().join(name);
    let file = fs::File::options().write(true).create_new(true).open(&path).ok()?;
    let uid = file.metadata().ok().map(|metadata| metadata.uid());
    let _ = fs::remove_file(&path);
    uid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cache_has_a_substitute_of_its_own() {
        assert_ne!(substitute(Some(Path::new("/a"))), substitute(Some(Path::new("/b"))));
        assert_eq!(substitute(None), substitute(None));
    }

    // Otherwise another user could plant an executable for us to run.
    #[cfg(unix)]
    #[test]
    fn a_directory_that_others_may_write_is_not_private() {
        use std::os::unix::fs::PermissionsExt;

        let path = std::env::temp_dir().join(format!("isolated-nats-test-{}-private", std::process::id()));
        create_private(&path).unwrap();
        assert!(is_private(&path));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(!is_private(&path));
        fs::remove_dir(&path).unwrap();
        assert!(!is_private(&path));
    }
}
