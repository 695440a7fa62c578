//! Executables that are named, in the builder or by the environment.

use std::{
    fs,
    time::{Duration, Instant},
};

use isolated_nats_server_binary::{AcquireErrorKind, Source, StepErrorKind};

use crate::support::{Scratch, acquire, executable, files, script};

#[test]
fn a_named_executable_is_used_and_may_be_a_script_of_any_version() {
    let scratch = Scratch::new();
    let path = scratch.join("my server");
    executable(&path, script("2.9.25"));
    let server = acquire(&scratch).binary(&path).run().unwrap();
    assert_eq!((server.path.as_path(), server.version.to_string().as_str()), (path.as_path(), "2.9.25"));
    assert_eq!((server.source, server.sha256, server.origin), (Source::Builder, None, None));
    // It did not come to making a cache.
    assert_eq!(files(&scratch.cache()).len(), 0);
}

#[test]
fn the_builder_comes_before_the_environment() {
    let scratch = Scratch::new();
    let (builder, environment) = (scratch.join("builder"), scratch.join("environment"));
    executable(&builder, script("2.14.1"));
    executable(&environment, script("2.14.2"));
    let acquire = acquire(&scratch).environment_binary(&environment);
    let server = acquire.run().unwrap();
    assert_eq!((server.source, server.path), (Source::Environment, environment));
    assert_eq!(acquire.binary(&builder).run().unwrap().path, builder);
}

#[test]
fn a_named_executable_of_another_version_than_asked_for_is_an_error() {
    let scratch = Scratch::new();
    let path = scratch.join("server");
    executable(&path, script("2.14.1"));
    let error = acquire(&scratch).environment_binary(&path).version("2.12").run().unwrap_err();
    assert_eq!(error.kind(), AcquireErrorKind::WrongVersion);
    assert_eq!(error.steps()[0].kind(), StepErrorKind::WrongVersion);
    let expected = format!(
        "the nats-server named by `ISOLATED_NATS_SERVER`, `{}`, cannot be used for version 2.12: the executable says it \
         is version 2.14.1, not 2.12\nto fix it, one of:\n  export ISOLATED_NATS_VERSION=2.14.1   # or ask for that \
         version in the builder\n  isolated-nats-server fetch --version 2.12   # and name that one, or none\n  unset \
         ISOLATED_NATS_SERVER   # then one is located or fetched",
        path.display()
    );
    assert_eq!(format!("{error:?}"), expected);
    assert!(acquire(&scratch).environment_binary(&path).version("2.14").run().is_ok());
}

#[test]
fn what_does_not_work_as_nats_server_is_an_error_and_nothing_else_is_tried() {
    let scratch = Scratch::new();
    let garbage = scratch.join("garbage");
    executable(&garbage, "#!/bin/sh\nprintf 'hello\\033[31m\\n'\n");
    let failing = scratch.join("failing");
    executable(&failing, "#!/bin/sh\necho no such library >&2\nexit 127\n");
    let not_executable = scratch.join("text");
    fs::write(&not_executable, script("2.14.5")).unwrap();
    for (path, expected) in [
        (scratch.join("missing"), "cannot be opened"),
        (scratch.dir("directory"), "is not a file"),
        (garbage, "printed no version of nats-server but `hello [31m`"),
        (failing, "failed (exit status: 127): `no such library`"),
        (not_executable, "could not be started (is it executable"),
    ] {
        let error = acquire(&scratch).binary(&path).run().unwrap_err();
        assert_eq!((error.kind(), error.steps().len()), (AcquireErrorKind::Binary, 1));
        assert_eq!(error.steps()[0].kind(), StepErrorKind::Binary);
        let text = format!("{error:?}");
        assert!(text.contains(expected) && text.contains("named by the builder"), "{text}");
    }
}

#[test]
fn an_executable_that_hangs_is_killed_and_is_an_error() {
    let scratch = Scratch::new();
    let path = scratch.join("hangs");
    // Holds the pipes open in a grandchild as well.
    executable(&path, "#!/bin/sh\ntail -f /dev/null\n");
    let started = Instant::now();
    // 5 s times this.
    let error = acquire(&scratch).binary(&path).time_factor(0.06).run().unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert!(format!("{error:?}").contains("was still running after 300.0ms"), "{error:?}");
}

#[test]
fn the_version_is_asked_once_for_each_state_of_the_file() {
    let scratch = Scratch::new();
    let (path, asked) = (scratch.join("counts"), scratch.join("asked"));
    executable(&path, format!("#!/bin/sh\necho x >> '{}'\necho 'nats-server: v2.14.1'\n", asked.display()));
    let acquire = acquire(&scratch).binary(&path);
    acquire.run().unwrap();
    acquire.run().unwrap();
    assert_eq!(fs::read_to_string(&asked).unwrap(), "x\n");
    // Replaced in place by an upgrade.
    executable(&path, script("2.14.22"));
    assert_eq!(acquire.run().unwrap().version.to_string(), "2.14.22");
}
