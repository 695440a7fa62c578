//! One server process: from a command to a server that is ready, or to an error with the evidence.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::directory::ServerDirectory;
use super::error::{Evidence, Stage, StartError, StartErrorKind};
use super::lifeline::{self, Child, Tether};
use super::ours::{Mark, Thing};
use super::ready::{self, Greeting, Ports};
use crate::evidence;
use crate::poll::{Deadline, until, until_each};

/// Longest that one look at the greeting may take; after a silent greeting the monitoring port is asked.
const ONE_LOOK: Duration = Duration::from_millis(250);
/// How often is looked at first: a look is a listing of a directory with one file in it.
const FIRST_LOOKS: Duration = Duration::from_micros(100);

/// What is executed; all of it known before.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) binary: PathBuf,
    pub(crate) server_name: String,
    pub(crate) version: String,
    pub(crate) jetstream: bool,
    /// Whether a configuration of the user's may have turned JetStream off.
    pub(crate) jetstream_in_doubt: bool,
    pub(crate) go_memory_limit_bytes: Option<u64>,
    pub(crate) arguments: Vec<String>,
    pub(crate) limit: Duration,
}

/// A running child process, which ends with this value, or else with this process.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    tether: Option<Tether>,
    /// Until it has been waited for: its pid may be another's then.
    mark: Option<Mark>,
}

/// A server that is ready, and what it said of itself.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) process: Process,
    pub(crate) ports: Ports,
    pub(crate) greeting: Greeting,
    pub(crate) command_line: String,
}

impl Process {
    /// Starts a process with no input, and both outputs to the file.
    pub(crate) fn spawn(command: Command, output: File) -> io::Result<Self> {
        let (child, tether) = lifeline::spawn(command, output)?;
        let mark = Some(Mark::new(Thing::Child(child.id())));
        Ok(Self { child, tether: Some(tether), mark })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The exit status of a process that has ended by itself.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        #[cfg(unix)]
        if self.child.has_ended() {
            self.tether = None; // before it is waited for: until then the pid cannot be another's
        }
        let status = self.child.try_wait().ok().flatten();
        if status.is_some() {
            self.mark = None;
        }
        status
    }

    /// Kills the process and waits for its end, which needs nothing of the process itself.
    pub(crate) fn kill(mut self) -> io::Result<ExitStatus> {
        self.end()
    }

    /// Waits until the process has ended by itself, and gives it back when the limit passes first.
    pub(crate) fn wait(mut self, deadline: &Deadline) -> Result<ExitStatus, Self> {
        match until(deadline, || self.ended()) {
            Some(status) => Ok(status),
            None => Err(self),
        }
    }

    /// The same, for an owner that still needs what is beside it.
    pub(crate) fn end(&mut self) -> io::Result<ExitStatus> {
        self.child.kill()?; // also ends a paused process; no error when it has ended already
        self.tether = None; // before the wait: until then the pid cannot be another's
        let status = self.child.wait()?;
        self.mark = None;
        Ok(status)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.tether.is_some()
            && let Err(error) = self.end()
        {
            tracing::warn!(%error, pid = self.id(), "could not end a child process");
        }
    }
}

impl Launch {
    /// The arguments: the configuration, and what must win over any spelling in it.
    pub(crate) fn command(&self, directory: &ServerDirectory, port: Option<u16>) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("-c").arg(directory.config());
        command.args(["-a", "127.0.0.1", "-p"]);
        command.arg(port.map_or_else(|| "-1".to_owned(), |port| port.to_string()));
        command.args(["-m", "-1", "-sd"]).arg(directory.store());
        command.arg("--ports_file_dir").arg(directory.ports());
        // A log or a pid file that the user's configuration names is the real server's.
        command.arg("-l").arg(directory.log()).arg("-P").arg(directory.path().join("server.pid"));
        command.args(&self.arguments);
        if let Some(bytes) = self.go_memory_limit_bytes {
            command.env("GOMEMLIMIT", bytes.to_string());
        }
        // A store that the configuration turns on without naming a place would else be everybody's.
        command.env("TMPDIR", directory.path());
        command
    }

    /// Spawns the server and waits until it is ready; `cancelled` ends the wait early.
    pub(crate) fn run(
        &self,
        directory: &ServerDirectory,
        port: Option<u16>,
        cancelled: &AtomicBool,
    ) -> Result<Ready, StartError> {
        let command_line = command_line(&self.command(directory, port));
        let deadline = Deadline::after(self.limit);
        let log_from = fs::metadata(directory.log()).map_or(0, |log| log.len());
        let mut wait = self.spawn(directory, port).map(|process| Wait {
            launch: self,
            directory,
            command_line: &command_line,
            process: Some(process),
            ports: None,
            greeting: None,
            stage: Stage::Ports,
        })?;
        let outcome = until_each(FIRST_LOOKS, &deadline, || {
            if cancelled.load(Ordering::Relaxed) {
                return Some(Err(StartError::new(
                    StartErrorKind::Timeout,
                    wait.stage,
                    "nobody waits for it any more",
                )));
            }
            wait.look(&deadline).transpose()
        });
        let error = match outcome {
            Some(Ok(ready)) => return Ok(ready),
            Some(Err(error)) => error,
            None => wait.timeout(&deadline),
        };
        let status = wait.process.take().and_then(|mut process| process.ended());
        Err(with_evidence(error, directory, log_from, command_line.clone(), status)
            .elapsed_time(deadline.elapsed()))
    }

    fn spawn(&self, directory: &ServerDirectory, port: Option<u16>) -> Result<Process, StartError> {
        let prepare = |error| {
            let what = format!("`{}` could not be written", directory.path().display());
            StartError::new(StartErrorKind::Directory, Stage::Prepare, what)
                .cause(Box::<dyn std::error::Error + Send + Sync>::from(error))
        };
        remove_old_ports(directory).map_err(prepare)?;
        let log = File::options().create(true).append(true).open(directory.log()).map_err(prepare)?;
        let command = self.command(directory, port);
        Process::spawn(command, log).map_err(|error| {
            let what = format!("`{}` cannot be executed{}", self.binary.display(), spawn_hint(&error));
            StartError::new(StartErrorKind::Spawn, Stage::Spawn, what).cause(error)
        })
    }
}

fn spawn_hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => " (does it exist, and for a script, does its interpreter?)",
        io::ErrorKind::PermissionDenied => {
            " (is it marked executable, and its file system not mounted `noexec`?)"
        }
        _ => " (is it a program for this machine?)",
    }
}

/// A server that was killed left its ports file, which must not be taken for the new one's.
fn remove_old_ports(directory: &ServerDirectory) -> io::Result<()> {
    fs::read_dir(directory.ports())?.try_for_each(|entry| fs::remove_file(entry?.path()))
}

/// The state of a wait for readiness; each look goes as far as it can.
struct Wait<'a> {
    launch: &'a Launch,
    directory: &'a ServerDirectory,
    command_line: &'a str,
    process: Option<Process>,
    ports: Option<Ports>,
    greeting: Option<Greeting>,
    stage: Stage,
}

impl Wait<'_> {
    /// `Ok(None)` is "not yet".
    fn look(&mut self, deadline: &Deadline) -> Result<Option<Ready>, StartError> {
        if self.process.as_mut().is_some_and(|process| process.ended().is_some()) {
            return Err(StartError::new(
                StartErrorKind::Exited,
                self.stage,
                "its process ended before it was ready",
            ));
        }
        if self.ports.is_none() {
            self.ports = ready::read_ports(&self.directory.ports());
        }
        let Some(ports) = self.ports.clone() else { return Ok(None) };
        if self.greeting.is_none() {
            self.stage = Stage::Greeting;
            self.greeting = match self.vouched_for(&ports) {
                Some(greeting) => Some(greeting),
                None => self.greet(&ports, deadline)?,
            };
        }
        let Some(greeting) = self.greeting.clone() else { return Ok(None) };
        if self.launch.jetstream {
            self.stage = Stage::JetStream;
            if !greeting.jetstream {
                let what =
                    "it listens without JetStream, which was asked for (the configuration turns it off)";
                return Err(StartError::new(StartErrorKind::NoJetStream, self.stage, what));
            }
        }
        let command_line = self.command_line.to_owned();
        Ok(self.process.take().map(|process| Ready { process, ports, greeting, command_line }))
    }

    /// What the server would say, where its ports file says it already: a file in a private directory, named after the
    /// very process that was spawned, is that process's, and it writes it when it listens. JetStream is on by then, where
    /// the configuration has it, for the server starts it before it listens, and gives up when that fails.
    fn vouched_for(&self, ports: &Ports) -> Option<Greeting> {
        let own = ports.pid.is_some() && ports.pid == self.process.as_ref().map(Process::id);
        (own && !self.launch.jetstream_in_doubt).then(|| Greeting {
            server_name: self.launch.server_name.clone(),
            version: self.launch.version.clone(),
            jetstream: self.launch.jetstream,
        })
    }

    fn greet(&self, ports: &Ports, deadline: &Deadline) -> Result<Option<Greeting>, StartError> {
        let limit = ONE_LOOK.min(deadline.remaining());
        let greeting = match ready::greeting(ready::local(ports.client), limit) {
            Ok(greeting) => greeting,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let what = format!("port {} is answered by something that is no nats-server", ports.client);
                return Err(StartError::new(StartErrorKind::NotTheServer, self.stage, what).cause(error));
            }
            // A server that expects TLS before anything else says nothing; its monitoring port tells who it is.
            Err(error) if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => {
                match self.varz(ports, limit) {
                    Some(greeting) => greeting,
                    None => return Ok(None),
                }
            }
            Err(_) => return Ok(None),
        };
        if greeting.server_name == self.launch.server_name {
            return Ok(Some(greeting));
        }
        let what = format!("port {} is answered by the server `{}`", ports.client, greeting.server_name);
        Err(StartError::new(StartErrorKind::NotTheServer, self.stage, what))
    }

    fn varz(&self, ports: &Ports, limit: Duration) -> Option<Greeting> {
        let url = format!("http://{}/varz", ready::local(ports.monitor?));
        let mut response = ready::http(limit).get(&url).call().ok()?;
        ready::greeting_from_varz(&response.body_mut().read_to_string().ok()?)
    }

    fn timeout(&self, deadline: &Deadline) -> StartError {
        let limit = deadline.elapsed();
        let hint = "a slow machine: raise `start_timeout`, or set ISOLATED_NATS_TIME_FACTOR";
        let what = format!("it was not ready within {limit:.1?} ({hint})");
        StartError::new(StartErrorKind::Timeout, self.stage, what)
    }
}

/// Adds what the process left, and names the kind of end by the server's own last words.
fn with_evidence(
    error: StartError,
    directory: &ServerDirectory,
    log_from: u64,
    command_line: String,
    status: Option<ExitStatus>,
) -> StartError {
    let log = evidence::tail_from(&directory.log(), log_from, usize::MAX);
    let fatal = fatal_line(&log).map(str::to_owned);
    let tail = evidence::last_lines(&log, evidence::TAIL_LINES);
    let known = fatal.as_deref().filter(|_| error.kind() == StartErrorKind::Exited).and_then(kind_of);
    error.known_better(known).evidence(Evidence {
        command_line: Some(command_line),
        status,
        fatal,
        log_tail: Some(tail),
        log_path: Some(directory.log()),
    })
}

/// The line that says why a server gave up: `[FTL]` in its log, or what it printed before it had a log, which for an
/// unknown argument comes before a long help.
fn fatal_line(log: &str) -> Option<&str> {
    let last = |wanted: fn(&&str) -> bool| log.lines().rev().find(wanted);
    last(|line| line.contains("[FTL]"))
        .or_else(|| last(|line| line.starts_with("nats-server: ")))
        .or_else(|| last(|line| line.starts_with("flag provided but not defined")))
}

/// The kind of error that a server's last words stand for, with what to do; `None` when they are of no known kind.
fn kind_of(fatal: &str) -> Option<(StartErrorKind, &'static str)> {
    let has = |part: &str| fatal.contains(part);
    if has("address already in use") || has("Only one usage of each socket address") {
        Some((
            StartErrorKind::PortTaken,
            "a port is taken (leave out `port`, or write -1 in the configuration, and it picks a free one)",
        ))
    } else if has("Can't start JetStream") {
        Some((StartErrorKind::Store, "it cannot use its store (is there space, and may it write there?)"))
    } else if fatal.starts_with("nats-server: ") {
        Some((StartErrorKind::ConfigRejected, "it refuses its configuration"))
    } else if has("flag provided but not defined") {
        Some((StartErrorKind::Builder, "it does not know an argument (look at `arg`)"))
    } else {
        None
    }
}

/// The command as one would type it, each part quoted where a shell needs it.
pub(crate) fn command_line(command: &Command) -> String {
    let parts = std::iter::once(command.get_program()).chain(command.get_args());
    let environment = command.get_envs().filter(|(key, _)| *key == "GOMEMLIMIT");
    let environment = environment.map(|(key, value)| {
        format!("{}={}", key.to_string_lossy(), value.unwrap_or_default().to_string_lossy())
    });
    environment.chain(parts.map(|part| shell_quoted(&part.to_string_lossy()))).collect::<Vec<_>>().join(" ")
}

fn shell_quoted(part: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "-_./:=+,@%".contains(character);
    if !part.is_empty() && part.chars().all(plain) {
        return part.to_owned();
    }
    format!("'{}'", part.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_pasted_into_a_shell() {
        let mut command = Command::new("/a b/nats-server");
        command.args(["-c", "it's", "", "ä/x.conf"]).env("GOMEMLIMIT", "5").env("TMPDIR", "/x");
        assert_eq!(command_line(&command), r"GOMEMLIMIT=5 '/a b/nats-server' -c 'it'\''s' '' ä/x.conf");
    }

    #[test]
    fn last_words_name_the_kind_of_error() {
        let kinds = [
            (
                "[7] [FTL] Error listening on port: 127.0.0.1:1, \"listen tcp: bind: address already in use\"",
                Some(StartErrorKind::PortTaken),
            ),
            (
                "nats-server: /x/server.conf:3:1: unknown field \"bogus\"",
                Some(StartErrorKind::ConfigRejected),
            ),
            (
                "[7] [FTL] Can't start JetStream: could not create storage directory - mkdir /x: not a directory",
                Some(StartErrorKind::Store),
            ),
            ("flag provided but not defined: -nonsense", Some(StartErrorKind::Builder)),
            ("[7] [FTL] something new", None),
        ];
        for (text, kind) in kinds {
            let tail = format!("[7] [INF] Starting\n{text}\n[7] [INF] after");
            let fatal = fatal_line(&tail).unwrap();
            assert_eq!((fatal, kind_of(fatal).map(|(kind, _)| kind)), (text, kind));
        }
        assert_eq!(fatal_line("[7] [INF] all is well"), None);
    }
}
