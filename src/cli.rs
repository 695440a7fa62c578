//! The command `isolated-nats`: what test runs left behind, shown, compared and kept.
//!
//! `cargo install isolated-nats --features cli` installs it. Cargo runs no program of a dependency, so a project that wants it at the
//! version that its tests use has it as an example of its own: one line in `examples/isolated-nats.rs`,
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     isolated_nats::cli::main()
//! }
//! ```
//!
//! with `isolated-nats = { version = "…", features = ["cli"] }` among the dev-dependencies; then
//! `cargo run --example isolated-nats -- report`. A `[[bin]]` of an `xtask` does as well.
//!
//! It reads the runs that tests have kept under cargo's target directory ([`Store::find`](crate::results::Store::find)), from any
//! directory of the workspace, and prints to stdout; what went wrong goes to stderr. `isolated-nats help` names the commands.
//!
//! | exit code | meaning |
//! | --- | --- |
//! | 0 | all is well, or at most warned of |
//! | 1 | something is worse, or misses its target ([`Outcome::Failed`](crate::results::Outcome::Failed)) |
//! | 2 | it cannot be told ([`Outcome::Inconclusive`](crate::results::Outcome::Inconclusive)) |
//! | 3 | trouble with the environment: no such run, a file that cannot be read or written, no server |
//! | 64 | the command line is wrong, or an environment variable |
//!
//! Only `compare` and `report --check` end with 1 or 2.

mod arguments;
mod baselines;
mod compare;
mod format;
mod help;
mod keep;
mod near;
mod pick;
mod report;
mod trend;

use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use arguments::Arguments;

use crate::results::{ResultsError, ResultsErrorKind};

/// Trouble with the environment.
const TROUBLE: u8 = 3;
/// The command line is wrong: `EX_USAGE` of `sysexits.h`.
const USAGE: u8 = 64;

/// Runs the command with this process's arguments: for the `main` of a program, see the [module](self).
#[must_use]
pub fn main() -> ExitCode {
    run(std::env::args_os().skip(1))
}

/// Runs the command with these arguments, without the program's name.
///
/// It prints to this process's stdout and stderr, and ends quietly where nobody reads on (`| head`).
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = arguments.into_iter().collect();
    let code = match answer(&words) {
        Ok(Answer::Text(said)) => said.print(),
        Ok(Answer::Done(code)) => code,
        Err(failure) => failure.print(),
    };
    ExitCode::from(code)
}

/// What a command comes to.
enum Answer {
    /// What is to be printed yet.
    Text(Said),
    /// It was printed, and this is the exit code.
    Done(u8),
}

/// What a command prints, and its exit code.
#[derive(Debug, Default)]
struct Said {
    out: String,
    /// What is beside the point: where files were written.
    notes: Vec<String>,
    code: u8,
}

/// Why a command did not do what was asked for.
#[derive(Debug)]
enum Failure {
    /// The words are wrong, of this command.
    Usage(String, Option<&'static str>),
    /// What is there is.
    Environment(String),
}

fn answer(words: &[OsString]) -> Result<Answer, Failure> {
    let (name, rest) = match words.split_first() {
        Some((first, rest)) => (first.to_string_lossy(), rest),
        None => return Err(Failure::Usage("no command".into(), None)),
    };
    match &*name {
        "-h" | "--help" | "help" => return help::asked(rest).map(Said::of).map(Answer::Text),
        "-V" | "--version" => {
            return Ok(Answer::Text(Said::of(format!("isolated-nats {}\n", env!("CARGO_PKG_VERSION")))));
        }
        _ => {}
    }
    let spec = help::command(&name)?;
    let asks_for_help = |word: &OsString| word == "-h" || word == "--help";
    if rest.iter().take_while(|word| *word != "--").any(asks_for_help) {
        return Ok(Answer::Text(Said::of(spec.help())));
    }
    if spec.is_of_server {
        return Ok(Answer::Done(of_server(words)));
    }
    let arguments = Arguments::parse(spec, rest)?;
    let said = match spec.name {
        "report" => report::run(&arguments),
        "compare" => compare::run(&arguments),
        "bless" => keep::bless(&arguments),
        "trend" => trend::run(&arguments),
        "clean" => keep::clean(&arguments),
        _ => keep::list(&arguments),
    };
    said.map(Answer::Text)
}

/// `fetch`, `path` and `doctor` are those of the program `isolated-nats-server`, but for their exit codes.
fn of_server(words: &[OsString]) -> u8 {
    use isolated_nats_server_binary::cli;
    match cli::run("isolated-nats", words.iter().cloned()) {
        cli::DONE => 0,
        cli::USAGE => USAGE,
        _ => TROUBLE,
    }
}

impl Said {
    fn of(out: impl Into<String>) -> Self {
        Self { out: out.into(), ..Self::default() }
    }

    fn print(&self) -> u8 {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(self.out.as_bytes()).and_then(|()| stdout.flush()) {
            // `| head` has seen enough, and the outcome is what it is.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                return Failure::Environment(format!("it could not be printed: {error}")).print();
            }
            _ => {}
        }
        self.notes.iter().for_each(|note| say(note));
        self.code
    }
}

impl Failure {
    fn print(&self) -> u8 {
        match self {
            Self::Usage(what, command) => {
                let command = command.map_or(String::new(), |command| format!("{command} "));
                say(&format!("{what}\n(see isolated-nats {command}--help)"));
                USAGE
            }
            Self::Environment(what) => {
                say(what);
                TROUBLE
            }
        }
    }
}

impl From<ResultsError> for Failure {
    fn from(error: ResultsError) -> Self {
        // `Debug` has the causes. A command line's own mistakes were found before.
        match error.kind() {
            ResultsErrorKind::Misuse => Self::Usage(format!("{error:?}"), None),
            _ => Self::Environment(format!("{error:?}")),
        }
    }
}

fn say(text: &str) {
    // Nobody is left to tell if this fails.
    let _ = writeln!(io::stderr().lock(), "isolated-nats: {text}");
}
