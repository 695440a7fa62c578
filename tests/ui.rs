//! What is wrong with a use of the attribute is a compile error that says what to write, and what is right compiles
//! in any module.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::{env, fs, io::Write as _, path::PathBuf, process::Command};

// These compile and run as they stand.
#[path = "ui/pass-crate-path.rs"]
mod pass_crate_path;
#[path = "ui/pass-forbid-unsafe.rs"]
mod pass_forbid_unsafe;
#[path = "ui/pass-from-macro.rs"]
mod pass_from_macro;
#[path = "ui/pass-no-implicit-prelude.rs"]
mod pass_no_implicit_prelude;
#[path = "ui/pass-raw-identifiers.rs"]
mod pass_raw_identifiers;
#[path = "ui/pass-shadowed-prelude.rs"]
mod pass_shadowed_prelude;

/// The compiler words the lines around our messages, and its versions differ.
const CHECKED_ON: &str = "rustc 1.95.";

#[test]
fn mistakes_are_compile_errors_that_say_what_to_write() {
    let compiler = compiler_version();
    let forced = env::var_os("ISOLATED_NATS_UI_TESTS").is_some_and(|value| value == "always");
    if !compiler.starts_with(CHECKED_ON) && !forced {
        // Past the capture of the test harness, which would hide it.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: the ui tests are checked on {CHECKED_ON}*, and this is {compiler} \
             (ISOLATED_NATS_UI_TESTS=always runs them)"
        );
        return;
    }

    // trybuild builds all dependencies once more, which takes minutes on two cores.
    if env::var_os("CI").is_none() && !forced && isolated_nats::skip_unless("ISOLATED_NATS_UI_TESTS") {
        return;
    }

    let tests = trybuild::TestCases::new();

    for mistake in mistakes() {
        tests.compile_fail(mistake);
    }
}

fn compiler_version() -> String {
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler).arg("--version").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Returns the files with one mistake each, sorted by name; those that compile are left out.
fn mistakes() -> Vec<PathBuf> {
    let is_mistake = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".rs") && !name.starts_with("pass-")
    };
    let files = fs::read_dir("tests/ui").unwrap().map(|entry| entry.unwrap().path());
    let mut mistakes: Vec<PathBuf> = files.filter(is_mistake).collect();
    mistakes.sort();
    mistakes
}
