//! The environment variables, read once.

use std::{ffi::OsString, path::PathBuf};

use crate::{
    Acquire, AcquireError, Source,
    checksums::parse_sum,
    fetch::{Base, Proxies},
    version::Requirement,
};

/// All that is read, for `cargo::rerun-if-env-changed`.
pub(crate) const VARIABLES: &[&str] =
    &[SERVER, VERSION, OFFLINE, CARGO_OFFLINE, SOURCES, CACHE_DIR, MIRROR, SHA256, VERIFY, TIME_FACTOR];

const SERVER: &str = "ISOLATED_NATS_SERVER";
const VERSION: &str = "ISOLATED_NATS_VERSION";
const OFFLINE: &str = "ISOLATED_NATS_OFFLINE";
const CARGO_OFFLINE: &str = "CARGO_NET_OFFLINE";
const SOURCES: &str = "ISOLATED_NATS_SOURCES";
const CACHE_DIR: &str = "ISOLATED_NATS_CACHE_DIR";
const MIRROR: &str = "ISOLATED_NATS_MIRROR";
const SHA256: &str = "ISOLATED_NATS_SHA256";
const VERIFY: &str = "ISOLATED_NATS_VERIFY";
const TIME_FACTOR: &str = "ISOLATED_NATS_TIME_FACTOR";

pub(crate) fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Acquire, AcquireError> {
    let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let text = |name: &'static str| text(&variable, name);
    let mut acquire = Acquire::new();
    acquire.environment_binary = path(SERVER);
    acquire.version = parse(text(VERSION)?, VERSION, "a version such as `2.14.5`, `2.12` or `2`", |text| {
        text.parse::<Requirement>().ok().map(|_| text.to_owned())
    })?;
    acquire.offline = offline(text(OFFLINE)?, text(CARGO_OFFLINE).unwrap_or_default())?;
    acquire.sources = parse(text(SOURCES)?, SOURCES, Source::NAMES, parse_sources)?;
    acquire.cache_dir = absolute(path(CACHE_DIR))?;
    acquire.mirror =
        parse(text(MIRROR)?, MIRROR, "an `http://`, `https://` or `file://` URL, or a directory", |text| {
            Base::parse(text).map(|_| text.to_owned())
        })?;
    acquire.sha256 = parse(text(SHA256)?, SHA256, "the 64 hexadecimal digits of a SHA-256", parse_sum)?;
    acquire.verify = parse(text(VERIFY)?, VERIFY, "`1` or `0`", parse_bool)?.unwrap_or(false);
    acquire.time_factor =
        parse(text(TIME_FACTOR)?, TIME_FACTOR, "a number from 0.001 to 1000", parse_factor)?.unwrap_or(1.0);
    acquire.path_variable = variable("PATH");
    acquire.certificate_file = path("SSL_CERT_FILE");
    acquire.certificate_dir = path("SSL_CERT_DIR");
    acquire.proxies =
        Proxies::from_env(|name| variable(name)?.into_string().ok().filter(|value| !value.is_empty()));
    Ok(acquire)
}

fn text(
    variable: impl Fn(&str) -> Option<OsString>,
    name: &'static str,
) -> Result<Option<String>, AcquireError> {
    let value = variable(name).filter(|value| !value.is_empty());
    value
        .map(|value| {
            value
                .into_string()
                .map_err(|value| AcquireError::variable(name, value.to_string_lossy(), "valid Unicode"))
        })
        .transpose()
}

/// A build script and a test run in different directories: a relative path would be two caches.
fn absolute(path: Option<PathBuf>) -> Result<Option<PathBuf>, AcquireError> {
    match path {
        Some(path) if !path.is_absolute() => {
            Err(AcquireError::variable(CACHE_DIR, path.to_string_lossy(), "an absolute path"))
        }
        path => Ok(path),
    }
}

fn parse<T>(
    value: Option<String>,
    name: &'static str,
    expected: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, AcquireError> {
    let Some(value) = value else { return Ok(None) };
    match read(value.trim()) {
        Some(parsed) => Ok(Some(parsed)),
        None => Err(AcquireError::variable(name, value, expected)),
    }
}

fn offline(ours: Option<String>, cargo: Option<String>) -> Result<Option<&'static str>, AcquireError> {
    match parse(ours, OFFLINE, "`1` or `0`", parse_bool)? {
        Some(true) => Ok(Some(OFFLINE)),
        // An explicit no of ours outweighs cargo's yes.
        Some(false) => Ok(None),
        // Cargo's variable is cargo's to judge.
        None => Ok(cargo.and_then(|value| parse_bool(&value)).unwrap_or(false).then_some(CARGO_OFFLINE)),
    }
}

pub(crate) fn parse_sources(text: &str) -> Option<Vec<Source>> {
    text.split(',').map(|name| name.parse().ok()).collect()
}

fn parse_bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn parse_factor(text: &str) -> Option<f64> {
    text.parse().ok().filter(|factor| (0.001..=1000.0).contains(factor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AcquireErrorKind;

    fn from(pairs: &[(&str, &str)]) -> Result<Acquire, AcquireError> {
        read(|name| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.into()))
    }

    #[test]
    fn every_variable_is_taken() {
        let sum = "AB".repeat(32);
        let acquire = from(&[
            (SERVER, "/s"),
            (VERSION, "2.12"),
            (OFFLINE, "1"),
            (SOURCES, "path, cache"),
            (CACHE_DIR, "/c"),
            (MIRROR, "file:///m"),
            (SHA256, &sum),
            (VERIFY, "yes"),
            (TIME_FACTOR, "2.5"),
            ("PATH", "/p"),
            ("SSL_CERT_FILE", "/f"),
            ("SSL_CERT_DIR", "/d"),
            ("https_proxy", "http://x"),
        ])
        .unwrap();
        assert_eq!(acquire.environment_binary, Some("/s".into()));
        assert_eq!(acquire.version.as_deref(), Some("2.12"));
        assert_eq!(acquire.offline, Some(OFFLINE));
        assert_eq!(acquire.sources, Some(vec![Source::Path, Source::Cache]));
        assert_eq!(acquire.cache_dir, Some("/c".into()));
        assert_eq!(acquire.base(), Some(Base::Directory("/m".into())));
        assert_eq!(acquire.sha256, Some(sum.to_lowercase()));
        assert!(acquire.verify);
        assert_eq!(acquire.probe_limit().as_secs_f64(), 12.5);
        assert_eq!(acquire.path_variable, Some("/p".into()));
        assert_eq!(
            (acquire.certificate_file, acquire.certificate_dir),
            (Some("/f".into()), Some("/d".into()))
        );
        assert_eq!(acquire.proxies.proxy_for(true, "h"), Some("http://x"));
    }

    #[test]
    fn a_relative_cache_would_be_two_and_is_refused() {
        let error = from(&[(CACHE_DIR, "cache")]).unwrap_err();
        assert_eq!(error.kind(), AcquireErrorKind::Environment);
        assert!(error.to_string().contains("`cache` (expected an absolute path)"), "{error}");
    }

    #[test]
    fn an_empty_variable_is_an_unset_one() {
        let empty: Vec<_> = VARIABLES.iter().map(|name| (*name, "")).collect();
        let acquire = from(&empty).unwrap();
        assert_eq!(format!("{acquire:?}"), format!("{:?}", Acquire::new()));
    }

    #[test]
    fn a_bad_value_is_an_error_that_names_the_variable_and_what_it_may_be() {
        for name in [VERSION, OFFLINE, SOURCES, MIRROR, SHA256, VERIFY, TIME_FACTOR] {
            let error = from(&[(name, "ftp://?")]).unwrap_err();
            assert_eq!(error.kind(), AcquireErrorKind::Environment);
            assert!(error.to_string().contains(name) && error.to_string().contains("(expected "), "{error}");
        }
        let error = from(&[(TIME_FACTOR, "0")]).unwrap_err();
        let expected = "the environment variable `ISOLATED_NATS_TIME_FACTOR` is `0` (expected a number from 0.001 \
                        to 1000)\nto fix it, one of:\n  unset ISOLATED_NATS_TIME_FACTOR";
        assert_eq!(format!("{error:?}"), expected);
    }

    #[test]
    fn cargo_offline_counts_unless_ours_says_no() {
        assert_eq!(from(&[(CARGO_OFFLINE, "true")]).unwrap().offline, Some(CARGO_OFFLINE));
        assert_eq!(from(&[(CARGO_OFFLINE, "true"), (OFFLINE, "0")]).unwrap().offline, None);
        assert_eq!(from(&[(CARGO_OFFLINE, "perhaps")]).unwrap().offline, None);
    }
}
