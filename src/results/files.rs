//! Files that are written whole or not at all, and names for them.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use super::error::{ResultsError, ResultsErrorKind};

/// How files begin that are not written to their end yet.
const UNFINISHED: &str = ".unfinished-";
/// An unfinished file of that age is of a process that was killed.
const ABANDONED: Duration = Duration::from_secs(3600);
/// Longer names are cut. With an ending, and a prefix while it is written, it must be below the 255 bytes of most file systems.
const LONGEST: usize = 60;
/// Windows has devices of these names in every directory.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// SHA-256, in hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Any text as the name of a file or directory: itself where it is short and of small letters, figures, `-` and `_`; else what is like that
/// in it, `~`, and the first 12 figures of its hash. No two texts have one name, also where capitals do not count.
pub(super) fn name_of(text: &str) -> String {
    if is_plain(text) {
        return text.into();
    }
    let mut slug = String::new();
    for char in text.chars().take(LONGEST) {
        match char.to_ascii_lowercase() {
            plain @ ('a'..='z' | '0'..='9' | '_') => slug.push(plain),
            _ if slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    format!("{}~{}", slug.trim_matches('-'), &sha256(text.as_bytes())[..12])
}

fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    let port = |text: &str| text.len() == 4 && (text.starts_with("com") || text.starts_with("lpt"));
    // Of `nul.txt` too, a system may make a device.
    let part =
        |part: &str| !part.is_empty() && part.bytes().all(plain) && !DEVICES.contains(&part) && !port(part);
    text.len() <= LONGEST && text.split('.').all(part)
}

/// Writes a file in the place of the one before, if any; another process sees the one or the other, whole.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), ResultsError> {
    let unfinished = write_beside(path, text)?;
    fs::rename(&unfinished, path).map_err(|error| {
        let _ = fs::remove_file(&unfinished);
        failed("cannot be written", path, error)
    })
}

/// Writes a file unless there is one: the first path of these at which nothing is yet. Returns which.
pub(super) fn add(paths: impl IntoIterator<Item = PathBuf>, text: &str) -> Result<PathBuf, ResultsError> {
    let mut unfinished: Option<PathBuf> = None;
    let mut last = None;
    for path in paths {
        let written = match &unfinished {
            Some(written) => written,
            None => unfinished.insert(write_beside(&path, text)?),
        };
        let placed = place(written, &path);
        let again = matches!(&placed, Err(error) if error.kind() == io::ErrorKind::AlreadyExists);
        last = Some(placed.map(|()| path.clone()).map_err(|error| failed("cannot be written", &path, error)));
        if !again {
            break;
        }
    }
    if let Some(unfinished) = unfinished {
        let _ = fs::remove_file(unfinished); // a rename has moved it
    }
    last.unwrap_or_else(|| Err(ResultsError::new(ResultsErrorKind::File, "there is no path to write to")))
}

/// Gives a file its name, if nobody else has it. A link does that in one step; where the file system has no links, between the look and
/// the rename another process may take the name.
fn place(unfinished: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(unfinished, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            if path.exists() {
                Err(io::ErrorKind::AlreadyExists.into())
            } else {
                fs::rename(unfinished, path)
            }
        }
        linked => linked,
    }
}

/// Writes the text to a file of its own in the path's directory, which is made if need be.
fn write_beside(path: &Path, text: &str) -> Result<PathBuf, ResultsError> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let directory = path.parent().unwrap_or(Path::new("."));
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    // The time tells apart two processes that share a pid: those of two containers.
    let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.subsec_nanos());
    let unfinished = directory.join(format!("{UNFINISHED}{}-{count}-{nanos:08x}", std::process::id()));
    let write = || {
        fs::create_dir_all(directory)?;
        let mut file = File::create_new(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all() // or the name may outlive a power cut, and the text not
    };
    write().map(|()| unfinished.clone()).map_err(|error| {
        let _ = fs::remove_file(&unfinished);
        failed("cannot be written", path, error)
    })
}

/// Removes what processes that were killed have left in a directory.
pub(super) fn sweep(directory: &Path, now: SystemTime) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let unfinished = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|modified| now.duration_since(modified).ok());
        if unfinished && age.is_some_and(|age| age > ABANDONED) {
            let _ = fs::remove_file(entry.path()); // somebody else may have been first
        }
    }
}

/// An error of a path, with its cause.
pub(super) fn failed(what: &str, path: &Path, error: io::Error) -> ResultsError {
    ResultsError::new(ResultsErrorKind::File, format!("`{}` {what}", path.display())).because(error)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A directory of one test, removed with this value.
    #[derive(Debug)]
    pub(in crate::results) struct Scratch(PathBuf);

    impl Scratch {
        pub(in crate::results) fn new() -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("isolated-nats-results-{}-{count}", std::process::id());
            let path = std::env::temp_dir().join(name);
            let _ = fs::remove_dir_all(&path); // of an earlier process with this pid
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        pub(in crate::results) fn path(&self) -> &Path {
            &self.0
        }

        pub(in crate::results) fn files(&self) -> Vec<String> {
            let mut names: Vec<String> = fs::read_dir(&self.0)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
                .collect();
            names.sort_unstable();
            names
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_name_is_the_text_itself_or_has_its_hash() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"); // FIPS 180-2, B.1
        assert_eq!(name_of("kv-put_2"), "kv-put_2");
        assert_eq!(name_of("orders.kept.twice"), "orders.kept.twice");
        for (text, start) in [
            ("orders::throughput", "orders-throughput~"),
            ("../../etc/passwd", "etc-passwd~"),
            ("KV Put", "kv-put~"),
            ("", "~"),
            ("...", "~"),
            ("nul", "nul~"),
            ("nul.txt", "nul-txt~"),
            ("a..b", "a-b~"),
            ("com1", "com1~"),
            ("größe\n\0", "gr-e~"),
        ] {
            let name = name_of(text);
            assert_eq!(name.strip_prefix(start).map(str::len), Some(12), "{text:?}: {name}");
        }
        let long = [name_of(&"x".repeat(5000)), name_of(&"x".repeat(5001))];
        assert!(long[0] != long[1] && long.iter().all(|name| name.len() <= LONGEST + 13), "{long:?}");
        assert_ne!(name_of("a:b").to_lowercase(), name_of("A:b").to_lowercase());
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let scratch = Scratch::new();
        let path = scratch.path().join("a.json");
        replace(&path, "one").unwrap();
        replace(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(scratch.files(), ["a.json"]);
    }

    #[test]
    fn a_file_is_added_where_none_is() {
        let scratch = Scratch::new();
        let paths = || (1..=3).map(|number| scratch.path().join(format!("{number}")));
        for number in 1..=3 {
            assert_eq!(add(paths(), &format!("{number}")).unwrap(), scratch.path().join(format!("{number}")));
        }
        let error = add(paths(), "4").unwrap_err();
        assert_eq!(error.kind(), ResultsErrorKind::File);
        assert_eq!(scratch.files(), ["1", "2", "3"]);
        assert_eq!(fs::read_to_string(scratch.path().join("2")).unwrap(), "2");
    }

    #[test]
    fn a_path_that_cannot_be_written_is_named() {
        let scratch = Scratch::new();
        let file = scratch.path().join("file");
        fs::write(&file, "").unwrap();
        let error = replace(&file.join("a.json"), "x").unwrap_err();
        assert_eq!(error.kind(), ResultsErrorKind::File);
        assert!(format!("{error:?}").contains("a.json` cannot be written: "), "{error:?}");
    }

    /// A process killed between writing and renaming leaves its file.
    #[test]
    fn what_a_killed_process_left_goes_once_it_is_old() {
        let scratch = Scratch::new();
        fs::write(scratch.path().join(format!("{UNFINISHED}1-0-0")), "{").unwrap();
        fs::write(scratch.path().join("a.json"), "{}").unwrap();
        sweep(scratch.path(), SystemTime::now());
        assert_eq!(scratch.files().len(), 2, "somebody may be writing it");
        sweep(scratch.path(), SystemTime::now() + 2 * ABANDONED);
        assert_eq!(scratch.files(), ["a.json"]);
    }
}
