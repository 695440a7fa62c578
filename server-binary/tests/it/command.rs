//! The command.

use std::{os::unix::ffi::OsStrExt, path::Path, process::Output};

use crate::support::{
    Scratch, UNKNOWN,
    archives::{release, sha256},
    command, compiled,
    server::{HttpServer, Reply},
};

fn run(scratch: &Scratch, words: &[&str]) -> Output {
    command(scratch).args(words).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn fetch_then_path_prints_the_path_and_nothing_else() {
    let scratch = Scratch::new();
    let archive = release(UNKNOWN);
    let server = HttpServer::with_archive(UNKNOWN, Reply::Body(archive.clone()));
    let sum = sha256(&archive);
    let words = ["fetch", "--version", UNKNOWN, "--mirror", &server.url(), "--sha256", &sum];
    let fetched = run(&scratch, &words);
    assert!(fetched.status.success() && fetched.stdout.is_empty(), "{}", stderr(&fetched));
    assert_eq!(stderr(&fetched).lines().count(), 2, "{}", stderr(&fetched));

    let path = run(&scratch, &["path", "--version", UNKNOWN]);
    let text = path.stdout.strip_suffix(b"\n").unwrap();
    assert!(path.status.success() && path.stderr.is_empty());
    assert!(Path::new(std::ffi::OsStr::from_bytes(text)).is_file());

    // A hit says where it is and no more; asked to be quiet, nothing at all.
    assert_eq!(stderr(&run(&scratch, &words)).lines().count(), 1);
    assert!(run(&scratch, &[&words[..], &["--quiet"]].concat()).stderr.is_empty());
    assert_eq!(server.requests().len(), 1);

    assert!(run(&scratch, &["clean"]).status.success());
    let path = run(&scratch, &["path", "--version", UNKNOWN]);
    assert_eq!((path.status.code(), path.stdout.len()), (Some(1), 0));
}

#[test]
fn path_never_fetches() {
    let scratch = Scratch::new();
    let archive = release(UNKNOWN);
    let server = HttpServer::with_archive(UNKNOWN, Reply::Body(archive.clone()));
    let words = ["path", "--version", UNKNOWN, "--mirror", &server.url(), "--sha256", &sha256(&archive)];
    assert_eq!(run(&scratch, &words).status.code(), Some(1));
    assert_eq!(server.requests(), [""; 0]);
}

#[test]
fn wrong_usage_is_2_and_says_what_is_wrong() {
    let scratch = Scratch::new();
    for (words, expected) in [
        (&["fetch", "--fast"][..], "`--fast` is not an option"),
        (&[], "no command (expected fetch, path, doctor or clean)"),
    ] {
        let output = run(&scratch, words);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
    let output = command(&scratch).arg("path").env("ISOLATED_NATS_OFFLINE", "perhaps").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let expected =
        "isolated-nats: the environment variable `ISOLATED_NATS_OFFLINE` is `perhaps` (expected `1` or `0`)";
    assert!(stderr(&output).starts_with(expected), "{}", stderr(&output));
}

#[test]
fn help_lists_the_commands_and_the_exit_codes() {
    let output = run(&Scratch::new(), &["--help"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for word in ["fetch ", "path ", "doctor ", "clean ", "Exit codes: 0 done; 1 "] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(text.lines().all(|line| line.len() <= 100), "{text}");
}

#[test]
fn the_environment_reaches_the_chain() {
    let scratch = Scratch::new();
    let bin = scratch.dir("bin");
    compiled(&bin, "2.12.3");
    let output = command(&scratch)
        .arg("path")
        .env("PATH", &bin)
        .env("ISOLATED_NATS_VERSION", "2.12")
        .env("ISOLATED_NATS_SERVER", "")
        .output()
        .unwrap();
    let expected = format!("{}\n", bin.join("nats-server").display());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

#[test]
fn doctor_says_of_each_source_whether_it_would_work() {
    let scratch = Scratch::new();
    let bin = scratch.dir("bin");
    compiled(&bin, "2.14.5");
    let output = command(&scratch).args(["doctor", "--offline"]).env("PATH", &bin).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let starts: Vec<_> =
        text.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(starts, ["no cache", "yes path", "no release", "no wheel", "no go"]);
    assert!(output.status.success());
    assert_eq!(run(&scratch, &["doctor", "--offline"]).status.code(), Some(1));
}
