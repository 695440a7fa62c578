//! Building with the user's own Go; Go's checksum database vouches for the source.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::Fetched;
use crate::{
    Source,
    cache::{Facts, Lock, Stage},
    chain::Context,
    command::{self, RunError},
    programs,
    reason::Reason,
};

const MODULE: &str = "github.com/nats-io/nats-server/v2";

/// Returns Go if it is there.
pub(crate) fn find_go(path: Option<&OsString>) -> Option<PathBuf> {
    programs::find(path, "go")
}

/// Builds and publishes.
pub(crate) fn build(context: &Context<'_>, root: &Path, lock: &Lock) -> Result<Fetched, Reason> {
    let go =
        find_go(context.settings.path_variable.as_ref()).ok_or(Reason::NoProgram { programs: "`go`" })?;
    let stage = Stage::new(root, &context.version, context.target, lock)?;
    let bin = stage.directory().join("bin");
    fs::create_dir(&bin).map_err(Reason::io("create", &bin))?;
    let package = format!("{MODULE}@v{}", context.version);
    let mut command = Command::new(go);
    // GOFLAGS and all the rest stay the user's.
    command.args(["install", &package]).env("GOBIN", &bin);
    context.settings.set_path(&mut command);
    let line = command::line(&command);
    let limit = context.deadline.remaining();
    match command::run(&mut command, limit) {
        Ok(finished) if finished.status.success() => {}
        Ok(finished) => {
            return Err(Reason::Command { line, status: finished.status, stderr: finished.stderr });
        }
        Err(RunError::Deadline { stderr }) => return Err(Reason::CommandDeadline { line, limit, stderr }),
        Err(RunError::Start(source)) => return Err(Reason::Spawn { line, source }),
    }
    let built = bin.join(context.target.executable());
    if !built.is_file() {
        return Err(Reason::NoOutput { line, what: built.display().to_string() });
    }
    fs::rename(&built, stage.binary()).map_err(Reason::io("move", &built))?;
    context.check_works(&stage)?;
    let entry = stage.publish(Facts { source: Source::Go, place: package, archive_sha256: None })?;
    let voucher =
        format!("binary SHA-256 {}, built here, its source verified by Go", entry.manifest.binary_sha256);
    Ok(Fetched { entry, voucher })
}
