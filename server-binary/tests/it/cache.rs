//! The cache: damaged, restored, read-only, removed.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::SystemTime,
};

use isolated_nats_server_binary::{Acquire, Source, StepErrorKind, clean};

use crate::support::{
    Said, Scratch, UNKNOWN, acquire,
    archives::{release, sha256},
    files, script,
    server::{HttpServer, Reply},
    step,
};

/// A cache with one entry, and the server that it came from.
struct Filled {
    scratch: Scratch,
    server: HttpServer,
    acquire: Acquire,
    binary: PathBuf,
}

fn filled() -> Filled {
    let scratch = Scratch::new();
    let archive = release(UNKNOWN);
    let sum = sha256(&archive);
    let server = HttpServer::with_archive(UNKNOWN, Reply::Body(archive));
    let acquire = acquire(&scratch).version(UNKNOWN).mirror(server.url()).sha256(sum);
    let binary = acquire.run().unwrap().path;
    Filled { scratch, server, acquire, binary }
}

fn modified(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

fn set_modified(path: &Path, time: SystemTime) {
    File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
}

/// Replaces a letter, and the time too unless it is kept.
fn change_a_byte(binary: &Path, keep_time: bool) {
    let time = modified(binary);
    fs::write(binary, fs::read_to_string(binary).unwrap().replace("stands", "stinks")).unwrap();
    set_modified(binary, if keep_time { time } else { SystemTime::UNIX_EPOCH });
}

#[track_caller]
fn assert_is_fetched_again(filled: &Filled, acquire: &Acquire, what: &str) {
    let said = Said::default();
    let again = acquire.clone().progress(said.progress()).run().unwrap();
    let lines = said.take();
    assert_eq!(again.source, Source::Mirror);
    assert_eq!(filled.server.requests().len(), 2);
    assert_eq!(fs::read_to_string(&again.path).unwrap(), script(UNKNOWN));
    assert!(lines[0].starts_with("the cache entry `") && lines[0].contains(what), "{lines:?}");
    let aside = files(&filled.scratch.cache().join("quarantine"));
    assert!(!aside.is_empty());
    assert_eq!(acquire.run().unwrap().source, Source::Cache);
    assert_eq!(filled.server.requests().len(), 2);
}

#[test]
fn a_truncated_binary_is_put_aside_and_fetched_again() {
    let filled = filled();
    File::options().write(true).open(&filled.binary).unwrap().set_len(10).unwrap();
    assert_is_fetched_again(&filled, &filled.acquire, "has 10 bytes, not ");
    let aside = files(&filled.scratch.cache().join("quarantine"));
    assert!(aside.iter().any(|path| path.ends_with("nats-server")), "{aside:?}");
}

#[test]
fn a_changed_byte_shows_by_the_time_of_the_file() {
    let filled = filled();
    change_a_byte(&filled.binary, false);
    assert_is_fetched_again(&filled, &filled.acquire, "has the SHA-256");
}

#[test]
fn a_changed_byte_with_the_old_time_shows_when_all_is_hashed() {
    let filled = filled();
    change_a_byte(&filled.binary, true);
    // The price of a hit in microseconds: this is what it does not see.
    assert_eq!(filled.acquire.run().unwrap().source, Source::Cache);
    assert_is_fetched_again(&filled, &filled.acquire.clone().verify(true), "has the SHA-256");
}

#[test]
fn a_manifest_that_is_broken_or_gone_or_for_something_else_is_put_aside_and_fetched_again() {
    for (text, what) in
        [(Some("{"), "cannot be parsed"), (None, "cannot be read"), (Some(""), "cannot be parsed")]
    {
        let filled = filled();
        let manifest = filled.binary.with_file_name("manifest.json");
        match text {
            Some(text) => fs::write(manifest, text).unwrap(),
            None => fs::remove_file(manifest).unwrap(),
        }
        assert_is_fetched_again(&filled, &filled.acquire, what);
    }
    let filled = filled();
    let manifest = filled.binary.with_file_name("manifest.json");
    fs::write(&manifest, fs::read_to_string(&manifest).unwrap().replace(UNKNOWN, "2.99.2")).unwrap();
    assert_is_fetched_again(&filled, &filled.acquire, "is for something else");
}

#[test]
fn a_binary_that_lost_its_right_to_run_is_put_aside_and_fetched_again() {
    use std::os::unix::fs::PermissionsExt;

    let filled = filled();
    fs::set_permissions(&filled.binary, fs::Permissions::from_mode(0o644)).unwrap();
    assert_is_fetched_again(&filled, &filled.acquire, "is not executable");
}

#[test]
fn offline_a_damaged_entry_is_an_error_that_says_so() {
    let filled = filled();
    File::options().write(true).open(&filled.binary).unwrap().set_len(10).unwrap();
    let error = filled.acquire.offline(true).run().unwrap_err();
    assert_eq!(step(&error, Source::Cache).kind(), StepErrorKind::Damaged);
    assert!(!filled.binary.exists());
}

// A cache restored by a CI service, or copied into an image, has the bytes and not the times.
#[test]
fn a_restored_cache_is_hashed_once_and_then_trusted() {
    let filled = filled();
    set_modified(&filled.binary, SystemTime::UNIX_EPOCH);
    assert_eq!(filled.acquire.run().unwrap().source, Source::Cache);
    // It is remembered: now a changed byte with that time is not seen, so it was not hashed again.
    change_a_byte(&filled.binary, true);
    assert_eq!(filled.acquire.run().unwrap().source, Source::Cache);
    assert_eq!(filled.server.requests().len(), 1);
    assert_eq!(files(filled.binary.parent().unwrap()), ["manifest.json", "nats-server"].map(PathBuf::from));
}

#[test]
fn an_entry_from_another_archive_than_the_pinned_one_is_passed_over() {
    let filled = filled();
    let error = filled.acquire.sha256("ab".repeat(32)).offline(true).run().unwrap_err();
    assert_eq!(step(&error, Source::Cache).kind(), StepErrorKind::Missing);
    assert!(filled.binary.exists());
}

#[test]
fn a_read_only_cache_with_the_entry_just_works() {
    let filled = filled();
    // Root may write anywhere; this keeps anybody from making a lock or a temporary file.
    for part in ["locks", "tmp"] {
        fs::remove_dir_all(filled.scratch.cache().join(part)).unwrap();
        fs::write(filled.scratch.cache().join(part), "").unwrap();
    }
    assert_eq!(filled.acquire.run().unwrap().path, filled.binary);
}

#[test]
fn a_cache_that_cannot_be_made_is_replaced_by_one_in_the_temporary_directory() {
    let filled = filled();
    fs::write(filled.scratch.join("file"), "").unwrap();
    let root = filled.scratch.join("file").join("cache");
    let said = Said::default();
    let acquire = filled.acquire.clone().cache_dir(&root).progress(said.progress());

    let first = acquire.run().unwrap();
    let lines = said.take();
    let second = acquire.run().unwrap();

    let note = format!(" (the cache directory `{}` cannot be written)", root.display());
    assert!(lines[0].ends_with(&note), "{lines:?}");
    assert!(first.path.starts_with(std::env::temp_dir()));
    assert_eq!((second.source, &second.path), (Source::Cache, &first.path));
    clean(&acquire).unwrap();
    assert!(!first.path.exists());
}

#[test]
fn cleaning_removes_the_cache_and_nothing_else_and_can_be_done_twice() {
    let filled = filled();
    let other = filled.scratch.cache().join("somebody's own");
    fs::write(&other, "").unwrap();
    clean(&filled.acquire).unwrap();
    clean(&filled.acquire).unwrap();
    assert_eq!(files(&filled.scratch.cache()), [PathBuf::from("somebody's own")]);
    fs::remove_file(other).unwrap();
    clean(&filled.acquire).unwrap();
    assert!(!filled.scratch.cache().exists());
}
