//! The programs that have one allocator each: built, and run one at a time.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Builds programs of this package, as the caller is built or as `cargo test` builds.
    ///
    /// # Errors
    ///
    /// When they cannot be built.
    pub fn build(programs: &[&str], unoptimised: bool) -> Result<Self, Error> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let mut command = Command::new(cargo);
        command.args(["build", "--quiet", "--manifest-path"]).arg(manifest);
        command.args(programs.iter().flat_map(|program| ["--bin", program]));
        if !unoptimised {
            command.arg("--release");
        }
        // What `cargo run` says of this package would make build scripts that look at it run again, each time.
        let of_this_package =
            |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(of_this_package)) {
            command.env_remove(name);
        }
        let status = command.status()?;
        if !status.success() {
            return Err(format!("the programs cannot be built ({status})").into());
        }
        let own = std::env::current_exe()?;
        let folder = own.parent().ok_or("this program is in no directory")?;
        Ok(Self { folder: folder.with_file_name(if unoptimised { "debug" } else { "release" }) })
    }

    /// Runs one with these words, and returns what it printed.
    ///
    /// # Errors
    ///
    /// When it cannot be run, or fails.
    pub fn run(&self, program: &str, words: &[&str]) -> Result<String, Error> {
        let output = Command::new(self.folder.join(program)).args(words).output()?;
        if !output.status.success() {
            let (status, said) = (output.status, String::from_utf8_lossy(&output.stderr));
            return Err(format!("`{program} {}` ended with {status}: {said}", words.join(" ")).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// The numbers in an answer.
///
/// # Errors
///
/// When a word is none.
pub fn numbers(text: &str) -> Result<Vec<f64>, Error> {
    Ok(text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?)
}
