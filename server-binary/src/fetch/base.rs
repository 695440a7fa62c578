//! Where releases are: an HTTP server or a directory.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use super::{Body, http::Client};
use crate::{Version, reason::Reason};

/// What `ISOLATED_NATS_MIRROR` may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    Http(String),
    Directory(PathBuf),
}

impl Base {
    /// Takes `http://…`, `https://…`, `file://…` or a directory; `None` for another scheme.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("http" | "https") => Some(Self::Http(text.trim_end_matches('/').to_owned())),
            Some("file") => {
                let path =
                    text["file://".len()..].strip_prefix("localhost").unwrap_or(&text["file://".len()..]);
                Some(Self::Directory(file_path(&percent_decode(path)?)))
            }
            Some(_) => None,
            None => Some(Self::Directory(text.into())),
        }
    }

    /// Returns whether it can be read offline.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self, Self::Directory(_))
    }

    /// Returns where a file of a version is looked for first.
    pub(crate) fn place(&self, version: &Version, file: &str) -> String {
        match self {
            Self::Http(base) => format!("{base}/v{version}/{file}"),
            Self::Directory(base) => base.join(format!("v{version}")).join(file).display().to_string(),
        }
    }

    /// Opens a file of a version.
    pub(crate) fn open(&self, client: &Client, version: &Version, file: &str) -> Result<Body, Reason> {
        match self {
            Self::Http(_) => client.get(&self.place(version, file)),
            Self::Directory(base) => {
                let path = base.join(format!("v{version}")).join(file);
                match open(&path) {
                    // A plain directory with the archives in it serves too.
                    Err(Reason::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                        open(&base.join(file)).map_err(|_| Reason::Io { doing: "open", path, source })
                    }
                    other => other,
                }
            }
        }
    }
}

fn open(path: &Path) -> Result<Body, Reason> {
    let file = File::open(path).map_err(Reason::io("open", path))?;
    let metadata = file.metadata().map_err(Reason::io("read", path))?;
    Ok(Body { reader: Box::new(file), length: Some(metadata.len()), url: path.display().to_string() })
}

/// `/C:/x` is how a Windows path looks in a URL.
fn file_path(path: &str) -> PathBuf {
    let bytes = path.as_bytes();
    let has_drive = cfg!(windows) && bytes.len() > 2 && bytes[0] == b'/' && bytes[2] == b':';
    PathBuf::from(if has_drive { &path[1..] } else { path })
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let (high, low) = (rest.next()?, rest.next()?);
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            bytes.push(digit(high)? << 4 | digit(low)?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_are_servers_or_directories() {
        assert_eq!(Base::parse("https://h/a/"), Some(Base::Http("https://h/a".to_owned())));
        assert_eq!(Base::parse("file:///a%20b/%C3%A9"), Some(Base::Directory("/a b/é".into())));
        assert_eq!(Base::parse("file://localhost/a"), Some(Base::Directory("/a".into())));
        assert_eq!(Base::parse("/plain/dir"), Some(Base::Directory("/plain/dir".into())));
        assert_eq!(Base::parse("ftp://h/a"), None);
        assert_eq!(Base::parse("file:///a%2"), None);
        assert_eq!(Base::parse("file:///a%+1"), None);
    }

    #[test]
    fn a_file_is_below_its_version() {
        let base = Base::parse("http://h:1/x/").unwrap();
        assert_eq!(base.place(&"2.14.5".parse().unwrap(), "f.zip"), "http://h:1/x/v2.14.5/f.zip");
    }
}
