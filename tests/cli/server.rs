//! `fetch`, `path` and `doctor`, which are server-binary's but for their exit codes.

use super::support::{Scratch, ran};

#[test]
fn no_server_is_trouble_with_the_environment() {
    let scratch = Scratch::new();
    for words in ["path", "fetch --sources cache", "doctor --sources cache --offline"] {
        let mut command = scratch.command(&format!("{words} --cache-dir empty"));
        command.env("PATH", "");
        ran(command).ends_with(3);
    }
}

#[test]
fn wrong_words_and_variables_end_with_64() {
    let scratch = Scratch::new();
    scratch.run("path --fast").ends_with(64).says("(see isolated-nats --help)");
    scratch.run("doctor --deadline 0").ends_with(64).says("seconds above 0");
    let mut command = scratch.command("path");
    command.env("ISOLATED_NATS_SOURCES", "curl");
    ran(command).ends_with(64).says("ISOLATED_NATS_SOURCES");
}
