//! Building, through a stand-in for Go.

use std::fs;

use isolated_nats_server_binary::{Acquire, Source, StepErrorKind};

use crate::support::{Said, Scratch, UNKNOWN, acquire, assert_nothing_left, executable, script, step};

fn wanted(scratch: &Scratch, go: &str) -> Acquire {
    let programs = scratch.dir("programs");
    executable(&programs.join("go"), go);
    acquire(scratch).version(UNKNOWN).path_variable(programs).sources([Source::Cache, Source::Go])
}

#[test]
fn go_builds_the_version_into_the_cache() {
    let scratch = Scratch::new();
    let built = scratch.join("built");
    executable(&built, script(UNKNOWN));
    let calls = scratch.join("calls");
    let go = format!(
        "#!/bin/sh\necho \"$@\" > '{}'\n/bin/cp -p '{}' \"$GOBIN/nats-server\"\n",
        calls.display(),
        built.display()
    );
    let said = Said::default();
    let server = wanted(&scratch, &go).progress(said.progress()).run().unwrap();
    assert_eq!((server.source, server.origin), (Source::Go, Some(Source::Go)));
    let module = format!("github.com/nats-io/nats-server/v2@v{UNKNOWN}");
    assert_eq!(fs::read_to_string(calls).unwrap(), format!("install {module}\n"));
    assert_eq!(server.place, Some(module));
    let lines = said.take();
    assert!(lines[0].contains(", built here, its source verified by Go)"), "{lines:?}");
    assert_eq!(wanted(&scratch, "#!/bin/sh\nexit 9\n").run().unwrap().source, Source::Cache);
}

#[test]
fn a_build_that_fails_or_makes_nothing_leaves_nothing() {
    for (go, expected) in [
        (
            "#!/bin/sh\necho 'requires go >= 1.99' >&2\nexit 1\n",
            "failed (exit status: 1): requires go >= 1.99",
        ),
        ("#!/bin/sh\n", "did not make `"),
    ] {
        let scratch = Scratch::new();
        let error = wanted(&scratch, go).run().unwrap_err();
        let step = step(&error, Source::Go);
        assert_eq!(step.kind(), StepErrorKind::Command);
        assert!(step.to_string().contains(expected), "{step}");
        assert_nothing_left(&scratch);
    }
}

#[test]
fn without_go_the_reason_is_said() {
    let error = acquire(&Scratch::new()).sources([Source::Go]).run().unwrap_err();
    assert_eq!(step(&error, Source::Go).to_string(), "go: no `go` on PATH");
}
