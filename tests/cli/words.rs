//! The command line and the help.

use std::path::Path;

use super::support::{Scratch, ran, record};

const COMMANDS: [&str; 9] =
    ["report", "compare", "bless", "trend", "clean", "list", "fetch", "path", "doctor"];

/// With `ISOLATED_NATS_WRITE_HELP=1` the file is written, to be looked at.
#[test]
fn the_help_is_as_it_was_looked_at() {
    let scratch = Scratch::new();
    let mut all = scratch.run("--help").ends_with(0).out.clone();
    for command in COMMANDS {
        let own = scratch.run(&format!("{command} --help"));
        let head = format!("\n\n$ isolated-nats {command} --help\n\n");
        all.extend([head.as_str(), own.ends_with(0).out.as_str()]);
        assert_eq!(scratch.run(&format!("help {command}")).out, own.out);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/help.txt");
    if std::env::var_os("ISOLATED_NATS_WRITE_HELP").is_some() {
        std::fs::write(&path, &all).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    assert_eq!(all, known, "run it with ISOLATED_NATS_WRITE_HELP=1, and look at `{}`", path.display());
    assert!(all.lines().all(|line| line.chars().count() <= 120), "lines fit a terminal");
}

#[test]
fn the_version_is_that_of_the_crate() {
    let version = Scratch::new().run("--version");
    assert_eq!(version.ends_with(0).out, format!("isolated-nats {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_words_end_with_64_and_say_what_is_right() {
    let scratch = Scratch::new();
    for (words, text) in [
        ("", "isolated-nats: no command\n(see isolated-nats --help)\n"),
        ("reprot", "`reprot` is not a command (did you mean `report`?)"),
        ("benchmark", "(expected report, compare, bless,"),
        ("help benchmark", "`benchmark` is not a command"),
        ("--fast", "`--fast` is not an option"),
        ("compare a", "`compare` needs CANDIDATE\n(see isolated-nats compare --help)\n"),
        ("report --format pdf", "`pdf` is not a value for `--format` (expected terminal, markdown,"),
        ("report --format svg", "(give a directory: `--output DIR`)"),
        ("report a --all", "`--all` is of all scenarios"),
        ("compare a b --alpha 2", "expected a probability above 0 and below 1"),
        ("compare a b --least-effect p99", "expected METRIC=SHARE"),
        ("bless a --runs 0", "expected a number from 1"),
        ("clean --keep=-1", "`-1` is not a value for `--keep` (expected a number)"),
    ] {
        let ran = scratch.run(words);
        ran.ends_with(64).says(text);
        assert_eq!(ran.out, "", "{words}");
    }
}

#[test]
fn a_reader_who_has_seen_enough_is_no_trouble() {
    let scratch = Scratch::new();
    scratch.save(record("bus", 0, 1000.0));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = scratch.command("list");
    command.stdout(writer).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    drop(command); // it holds the other end
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}

#[test]
fn an_option_outweighs_the_environment() {
    let (here, there) = (Scratch::new(), Scratch::new());
    there.save(record("elsewhere", 0, 1000.0));
    let mut command = here.command("list --results");
    command.arg(there.path("runs"));
    ran(command).ends_with(0).says("elsewhere");
    here.run("list --results nowhere").ends_with(3).says("`nowhere` is no directory");
}
