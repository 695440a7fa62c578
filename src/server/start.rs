//! From a builder's options to a handle: find the program, prepare, launch, and leave nothing behind on the way.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use isolated_nats_server_binary::{Acquire, AcquireError, AcquireErrorKind, ServerBinary};

use super::builder::{FAULT_TIMEOUT, Options, START_TIMEOUT, STOP_TIMEOUT};
use super::config::{self, LogLevel, SecondStore, Settings};
use super::directory::{ServerDirectory, unique_name};
use super::error::{Stage, StartError, StartErrorKind};
use super::launch::{Launch, Ready};
use super::{Caller, ExternalNats, attach};
use crate::environment;
use crate::evidence::Keep;
use crate::own_thread::on_own_thread;

/// Starts on a thread of ours; when the future is dropped, the start ends early and its server with it.
pub(crate) async fn start(options: Options) -> Result<ExternalNats, StartError> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let _cancel = CancelOnDrop(Arc::clone(&cancelled));
    let caller = Caller::current();
    on_own_thread("isolated-nats start", move || start_here(&options, caller, &cancelled)).await
}

pub(crate) fn start_blocking(options: &Options) -> Result<ExternalNats, StartError> {
    start_here(options, Caller::current(), &AtomicBool::new(false))
}

struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn start_here(options: &Options, caller: Caller, cancelled: &AtomicBool) -> Result<ExternalNats, StartError> {
    options.check()?;
    environment::check()
        .map_err(|what| StartError::new(StartErrorKind::Environment, Stage::Prepare, what))?;
    if let Some(url) = attach::url() {
        return attach::attach(&url, options, caller);
    }
    let binary = acquire(options)?;
    let server_name = unique_name(options.name.as_deref().unwrap_or(&caller.name));
    let directory = ServerDirectory::create(&server_name).map_err(|(path, error)| {
        let hint = "ISOLATED_NATS_DIR, or else the temporary directory, must be one that can be written";
        let what = format!("its private directory `{}` cannot be made ({hint})", path.display());
        StartError::new(StartErrorKind::Directory, Stage::Prepare, what).cause(error)
    })?;
    let started = Plan::new(options, binary, server_name, &directory)
        .and_then(|mut plan| plan.launch(&directory, options.port, cancelled).map(|ready| (plan, ready)));
    match started {
        Ok((plan, ready)) => Ok(ExternalNats::owned(plan, directory, ready, caller)),
        Err(error) => Err(abandon(error, &directory, cancelled)),
    }
}

/// Keeps the directory of a failed start as evidence, or removes it where nobody would look at it.
fn abandon(mut error: StartError, directory: &ServerDirectory, cancelled: &AtomicBool) -> StartError {
    let seen = error.log_path().is_some() && !cancelled.load(Ordering::Relaxed);
    if Keep::from_env().applies(seen) {
        directory.keep();
    } else {
        directory.remove();
        error.log_is_gone();
    }
    error
}

fn acquire(options: &Options) -> Result<ServerBinary, StartError> {
    let failed = |error: AcquireError| {
        let (kind, what) = match error.kind() {
            AcquireErrorKind::Environment => (StartErrorKind::Environment, "a variable cannot be used"),
            AcquireErrorKind::Version => (StartErrorKind::Builder, "the version asked for cannot be had"),
            AcquireErrorKind::Binary | AcquireErrorKind::WrongVersion => {
                (StartErrorKind::Binary, "the program that is named cannot be used")
            }
            _ => (StartErrorKind::NoBinary, "there is no program to run"),
        };
        StartError::new(kind, Stage::Acquire, what).cause(error)
    };
    let mut acquire = Acquire::from_env().map_err(failed)?;
    if let Some(version) = &options.version {
        acquire = acquire.version(version);
    }
    if let Some(path) = &options.binary {
        acquire = acquire.binary(path);
    }
    if let Some(limit) = options.acquire_timeout {
        acquire = acquire.deadline(limit); // multiplied by the time factor there
    }
    acquire.run().map_err(failed)
}

/// Everything that a server is started from, again and again.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) launch: Launch,
    pub(crate) settings: Settings,
    pub(crate) stop_limit: Duration,
    pub(crate) fault_limit: Duration,
    /// The user's file, to be copied with its store taken out if it turns out to set one.
    config_file: Option<PathBuf>,
}

impl Plan {
    fn new(
        options: &Options,
        binary: ServerBinary,
        server_name: String,
        directory: &ServerDirectory,
    ) -> Result<Self, StartError> {
        let config_file = options.config_file.as_deref().map(readable).transpose()?;
        let include = config_file.as_deref().map(|file| include(directory.path(), file)).transpose()?;
        let settings = Settings {
            server_name: server_name.clone(),
            jetstream: options.jetstream,
            include,
            user: options.user.clone(),
            token: options.token.clone(),
            max_payload_bytes: options.max_payload_bytes,
            max_connections: options.max_connections,
            max_subscriptions: options.max_subscriptions,
            max_pending_bytes: options.max_pending_bytes,
            profiling: options.profiling,
            log: options.log.or_else(log_level_from_env).unwrap_or_default(),
            text: options.text.clone(),
        };
        let launch = Launch {
            binary: binary.path,
            server_name,
            version: binary.version.to_string(),
            jetstream: options.jetstream.is_some(),
            jetstream_in_doubt: options.jetstream.is_some()
                && (options.config_file.is_some()
                    || !options.text.is_empty()
                    || !options.arguments.is_empty()),
            go_memory_limit_bytes: options.go_memory_limit_bytes,
            arguments: options.arguments.clone(),
            limit: options.start_timeout.unwrap_or(START_TIMEOUT),
        };
        let stop_limit = options.stop_timeout.unwrap_or(STOP_TIMEOUT);
        let fault_limit = options.fault_timeout.unwrap_or(FAULT_TIMEOUT);
        Ok(Self { launch, settings, stop_limit, fault_limit, config_file })
    }

    /// Writes the configuration and starts a server with it; once more if the configuration names a store of its own.
    pub(crate) fn launch(
        &mut self,
        directory: &ServerDirectory,
        port: Option<u16>,
        cancelled: &AtomicBool,
    ) -> Result<Ready, StartError> {
        write(&directory.config(), &config::render(&self.settings))?;
        let error = match self.launch.run(directory, port, cancelled) {
            Err(error) if error.kind() == StartErrorKind::ConfigRejected => error,
            result => return result,
        };
        let Some(place) = error.fatal_line().and_then(config::second_store) else { return Err(error) };
        if self.take_store_out(directory, &place).is_none() {
            let what = format!("take `store_dir` out of `{}`: it has a private store", place.file);
            return Err(error.known_better(Some((StartErrorKind::ConfigRejected, &what))));
        }
        self.launch.run(directory, port, cancelled)
    }

    /// Takes a `store_dir` out of our configuration, or out of a copy of the user's file that ours then includes; `None`
    /// when it stands in neither, as in a file that the user's includes.
    fn take_store_out(&mut self, directory: &ServerDirectory, place: &SecondStore<'_>) -> Option<()> {
        const COPY: &str = "user.conf";
        let own = directory.config();
        if is_same(&own, place.file) {
            let text = fs::read_to_string(&own).ok()?;
            return write(&own, &config::without_store(&text, place.line, place.column)?).ok();
        }
        let file = self.config_file.as_deref().filter(|file| is_same(file, place.file))?;
        let text = config::without_store(&fs::read_to_string(file).ok()?, place.line, place.column)?;
        let way = config::relative(directory.path(), file.parent()?)?;
        write(&directory.path().join(COPY), &config::with_includes_from(&text, &way)).ok()?;
        self.settings.include = Some(COPY.into());
        write(&own, &config::render(&self.settings)).ok()
    }
}

/// Whether a path is the one that the server printed; a log holds no bytes that are not text.
fn is_same(path: &Path, printed: &str) -> bool {
    path.to_string_lossy() == printed
        || fs::canonicalize(path)
            .is_ok_and(|path| fs::canonicalize(printed).is_ok_and(|printed| path == printed))
}

fn write(path: &Path, text: &str) -> Result<(), StartError> {
    fs::write(path, text).map_err(|error| {
        let what = format!("`{}` cannot be written", path.display());
        StartError::new(StartErrorKind::Directory, Stage::Prepare, what).cause(error)
    })
}

/// The user's file as an absolute path, once it is known that it can be read.
fn readable(path: &Path) -> Result<PathBuf, StartError> {
    let unreadable = |error| {
        let directory = std::env::current_dir().unwrap_or_default();
        let what = format!(
            "the configuration file `{}` cannot be read (a relative path is taken from `{}`)",
            path.display(),
            directory.display()
        );
        StartError::new(StartErrorKind::ConfigFile, Stage::Prepare, what).cause(error)
    };
    fs::read(path).map_err(unreadable)?; // a directory can be opened, but not read
    std::path::absolute(path).map_err(unreadable)
}

/// The file as an `include` of a configuration in that directory: relative, for the server joins it to the directory.
fn include(directory: &Path, file: &Path) -> Result<PathBuf, StartError> {
    let refuse = |what: &str| {
        let what = format!("the configuration file `{}` {what}", file.display());
        StartError::new(StartErrorKind::ConfigFile, Stage::Prepare, what)
    };
    if file.to_str().is_none() {
        return Err(refuse(
            "has a name that is not UTF-8, which the server's configuration cannot hold (rename it)",
        ));
    }
    config::relative(directory, file).ok_or_else(|| {
        refuse("is on another drive than the server's directory (set ISOLATED_NATS_DIR to one on its drive)")
    })
}

fn log_level_from_env() -> Option<LogLevel> {
    let levels = [("debug", LogLevel::Debug), ("trace", LogLevel::Trace)];
    levels.into_iter().find_map(|(name, level)| environment::is("ISOLATED_NATS_LOG", name).then_some(level))
}
