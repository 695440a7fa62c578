//! A `nats-server` on PATH.

use std::env::join_paths;

use isolated_nats_server_binary::{Source, StepErrorKind};

use crate::support::{Scratch, acquire, compiled, executable, script, step};

#[test]
fn the_first_suitable_one_is_taken() {
    let scratch = Scratch::new();
    let (shim, old, new) = (scratch.dir("shim"), scratch.dir("old"), scratch.dir("néw one"));
    executable(&shim.join("nats-server"), script("2.14.5"));
    compiled(&old, "2.9.25");
    let right = compiled(&new, "2.14.5");
    let path = join_paths([&shim, &old, &scratch.join("missing"), &new]).unwrap();
    let server = acquire(&scratch).path_variable(path).run().unwrap();
    assert_eq!((server.source, server.path), (Source::Path, right));
    assert_eq!(server.sha256, None);
}

#[test]
fn a_line_is_served_by_any_of_its_versions() {
    let scratch = Scratch::new();
    let directory = scratch.dir("bin");
    compiled(&directory, "2.12.3");
    let acquire = acquire(&scratch).path_variable(&directory);
    assert_eq!(acquire.clone().version("2.12").run().unwrap().version.to_string(), "2.12.3");
    let error = acquire.sources([Source::Path]).run().unwrap_err();
    assert_eq!(step(&error, Source::Path).kind(), StepErrorKind::Missing);
}

// Killing a shim leaves the real server running, and its pid is not the server's.
#[test]
fn what_is_not_taken_is_listed_with_its_reason_and_what_to_do() {
    let scratch = Scratch::new();
    let (shim, old) = (scratch.dir("shim"), scratch.dir("old"));
    executable(&shim.join("nats-server"), script("2.14.5"));
    let old_one = compiled(&old, "2.9.25");
    let path = join_paths([&shim, &old]).unwrap();
    let error = acquire(&scratch).path_variable(path).sources([Source::Path]).run().unwrap_err();
    let expected = format!(
        "path: nothing suitable among: `{}` (a script that starts with `#!` (killing it would leave the real server \
         running)), `{}` (version 2.9.25, not 2.14.5)",
        shim.join("nats-server").display(),
        old_one.display()
    );
    assert_eq!(step(&error, Source::Path).to_string(), expected);
    let fix = format!("export ISOLATED_NATS_SERVER='{}'", shim.join("nats-server").display());
    assert!(error.fixes().iter().any(|line| line.starts_with(&fix)), "{error}");
}

#[test]
fn an_empty_path_is_said() {
    let scratch = Scratch::new();
    let error = acquire(&scratch).sources([Source::Path]).run().unwrap_err();
    assert_eq!(step(&error, Source::Path).to_string(), "path: no `nats-server` in the 1 directories of PATH");
}
