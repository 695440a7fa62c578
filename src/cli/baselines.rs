//! Baselines, by `--baselines` or where tests have them.

use std::fs;
use std::path::{Path, PathBuf};

use super::Failure;
use super::arguments::Arguments;
use crate::results::{Baseline, ResultsError};

pub(super) fn load(name: &str, arguments: &Arguments) -> Result<Baseline, Failure> {
    Ok(match arguments.path("--baselines") {
        Some(directory) => Baseline::load_from(directory, name),
        None => {
            check()?;
            Baseline::load(name)
        }
    }?)
}

pub(super) fn save(baseline: &Baseline, arguments: &Arguments) -> Result<PathBuf, Failure> {
    Ok(match arguments.path("--baselines") {
        Some(directory) => baseline.save_to(directory),
        None => {
            check()?;
            baseline.save()
        }
    }?)
}

pub(super) fn read(text: &str) -> Result<Baseline, ResultsError> {
    Baseline::from_json(text)
}

/// Refuses to guess for which package of a workspace it is.
fn check() -> Result<(), Failure> {
    let is_told = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_absolute =
        std::env::var_os("ISOLATED_NATS_BASELINES").is_some_and(|path| Path::new(&path).is_absolute());
    if is_told("CARGO_MANIFEST_DIR") || is_absolute {
        return Ok(());
    }
    let current = std::env::current_dir().unwrap_or_default();
    match workspace(&current) {
        Some(workspace) => Err(Failure::Environment(format!(
            "`{}` is a workspace and no package, and tests have their baselines in a package's directory (call it from there, or give \
             `--baselines DIR`)",
            workspace.display()
        ))),
        None => Ok(()),
    }
}

/// The workspace around a directory that is in none of its packages.
fn workspace(directory: &Path) -> Option<&Path> {
    let manifest = |path: &&Path| path.join("Cargo.toml").is_file();
    let nearest = directory.ancestors().find(manifest)?;
    let text = fs::read_to_string(nearest.join("Cargo.toml")).ok()?;
    let has = |table: &str| {
        text.lines().any(|line| line.split('#').next().is_some_and(|line| line.trim() == table))
    };
    (has("[workspace]") && !has("[package]")).then_some(nearest)
}
