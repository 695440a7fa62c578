//! What a build script does, in a process of its own: it reads the environment and prints to stdout.

use std::process::Command;

use crate::support::{
    Scratch, UNKNOWN,
    archives::{release, sha256},
    files,
    server::{HttpServer, Reply},
};

#[test]
#[ignore = "the process that the tests below start"]
fn process() {
    isolated_nats_server_binary::prefetch_for_build_script();
}

fn prefetch(scratch: &Scratch, variables: &[(&str, &str)]) -> Vec<String> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["prefetch::process", "--exact", "--ignored", "--nocapture"])
        .env_clear()
        .env("PATH", scratch.dir("no programs"))
        .env("HOME", scratch.dir("home"))
        .env("ISOLATED_NATS_CACHE_DIR", scratch.cache())
        .envs([("TARGET", "here"), ("HOST", "here"), ("ISOLATED_NATS_VERSION", UNKNOWN)])
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| Some(line[line.find("cargo::")?..].to_owned())).collect()
}

fn warnings(lines: &[String]) -> Vec<&str> {
    lines.iter().filter_map(|line| line.strip_prefix("cargo::warning=")).collect()
}

#[test]
fn the_server_is_in_the_cache_and_no_path_is_watched() {
    let scratch = Scratch::new();
    let archive = release(UNKNOWN);
    let server = HttpServer::with_archive(UNKNOWN, Reply::Body(archive.clone()));
    let (url, sum) = (server.url(), sha256(&archive));
    let variables = [("ISOLATED_NATS_MIRROR", url.as_str()), ("ISOLATED_NATS_SHA256", &sum)];
    let lines = prefetch(&scratch, &variables);
    assert_eq!(warnings(&lines), [""; 0]);
    assert!(lines.iter().all(|line| line.starts_with("cargo::rerun-if-env-changed=")), "{lines:?}");
    assert!(lines.iter().any(|line| line.ends_with("=ISOLATED_NATS_MIRROR")));
    assert_eq!(files(&scratch.cache().join("v1")).len(), 2);
    prefetch(&scratch, &variables);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn what_could_not_be_done_is_one_warning() {
    let scratch = Scratch::new();
    let server = HttpServer::new([]);
    let (url, sum) = (server.url(), "ab".repeat(32));
    let lines = prefetch(&scratch, &[("ISOLATED_NATS_MIRROR", &url), ("ISOLATED_NATS_SHA256", &sum)]);
    let warnings = warnings(&lines);
    assert!(warnings.len() == 1 && warnings[0].contains("HTTP status 404"), "{lines:?}");
    // Compiling Go inside a build is too much.
    assert!(!warnings[0].contains("go: "), "{warnings:?}");
    let lines = prefetch(&scratch, &[("ISOLATED_NATS_OFFLINE", "perhaps")]);
    assert_eq!(self::warnings(&lines).len(), 1);
}

#[test]
fn where_it_would_be_of_no_use_nothing_is_asked() {
    let scratch = Scratch::new();
    let server = HttpServer::new([]);
    let url = server.url();
    for variable in [
        ("DOCS_RS", "1"),
        ("ISOLATED_NATS_OFFLINE", "1"),
        ("CARGO_NET_OFFLINE", "true"),
        ("TARGET", "elsewhere"),
        ("ISOLATED_NATS_SERVER", "/some/server"),
    ] {
        let lines = prefetch(&scratch, &[("ISOLATED_NATS_MIRROR", &url), variable]);
        assert_eq!(warnings(&lines), [""; 0], "{variable:?}");
    }
    assert_eq!(server.requests(), [""; 0]);
}
