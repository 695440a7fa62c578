//! Diagnoses.

use isolated_nats_server_binary::{Diagnosis, Source, doctor};

use crate::support::{
    Scratch, UNKNOWN, acquire,
    archives::{release, sha256},
    executable, files, script,
    server::{HttpServer, Reply, archive_path},
};

fn of(found: &[Diagnosis], source: Source) -> &Diagnosis {
    found.iter().find(|one| one.source == source).unwrap()
}

#[test]
fn a_mirror_is_asked_for_headers_only_and_nothing_is_made() {
    let scratch = Scratch::new();
    let archive = release(UNKNOWN);
    let sum = sha256(&archive);
    let server = HttpServer::with_archive(UNKNOWN, Reply::Body(archive));
    let found = doctor(&acquire(&scratch).version(UNKNOWN).mirror(server.url()).sha256(sum));
    let mirror = of(&found, Source::Mirror);
    assert!(mirror.works && mirror.detail.ends_with("is there; its sum is known"), "{mirror:?}");
    assert_eq!(server.requests(), [format!("HEAD {} HTTP/1.1", archive_path(UNKNOWN))]);
    assert_eq!(files(&scratch.cache()).len(), 0);
    let cache = of(&found, Source::Cache);
    assert!(!cache.works && cache.detail.starts_with("no entry in `"), "{cache:?}");
}

#[test]
fn a_named_executable_and_an_unusable_version_are_diagnosed() {
    let scratch = Scratch::new();
    let path = scratch.join("server");
    executable(&path, script("2.14.1"));
    let found = doctor(&acquire(&scratch).environment_binary(&path).offline(true));
    assert!(found[0].works && found[0].detail.ends_with("is version 2.14.1"), "{found:?}");
    let found = doctor(&acquire(&scratch).version("newest"));
    assert!(
        found.len() == 1 && !found[0].works && found[0].detail.contains("`newest` is not a version"),
        "{found:?}"
    );
}
