//! The official release archive, from GitHub or from a mirror.

use std::{fs::File, io::Read, path::Path};

use super::{Base, Body, Fetched, archive, http::Client, save};
use crate::{
    Source,
    cache::{Facts, Lock, Stage},
    chain::Context,
    checksums,
    reason::Reason,
};

/// The base URL of the official releases.
pub(crate) const RELEASES: &str = "https://github.com/nats-io/nats-server/releases/download";
/// Archives have about 7 MB.
const MOST_ARCHIVE_BYTES: u64 = 128 << 20;
const MOST_SUMS_BYTES: u64 = 1 << 20;
const SUMS: &str = "SHA256SUMS";

/// Returns where the archive is looked for first.
pub(crate) fn url(base: &Base, context: &Context<'_>) -> String {
    base.place(&context.version, &context.target.archive(&context.version))
}

/// What a file must have, and who says so.
struct Expected {
    sum: String,
    origin: &'static str,
}

/// Fetches, verifies, unpacks and publishes.
pub(crate) fn release(
    context: &Context<'_>,
    base: &Base,
    source: Source,
    root: &Path,
    lock: &Lock,
) -> Result<Fetched, Reason> {
    let version = &context.version;
    let file = context.target.archive(version);
    let client = context.client();
    let expected = expected(context, base, &client, &file)?;
    let stage = Stage::new(root, version, context.target, lock)?;
    let path = stage.directory().join(&file);
    let mut body = base.open(&client, version, &file)?;
    let progress = context.settings.progress.download(&format!("nats-server {version}"));
    let actual = save(&mut body, &path, MOST_ARCHIVE_BYTES, context.deadline, progress)?;
    verify(&file, &path, &expected, actual)?;
    let top = context.target.top_directory(version);
    let inside = Path::new(&top).join(context.target.executable());
    archive::extract(&path, &|entry| entry.components().eq(inside.components()), &stage.binary())?;
    context.check_works(&stage)?;
    let facts = Facts { source, place: body.url, archive_sha256: Some(expected.sum.clone()) };
    let entry = stage.publish(facts)?;
    Ok(Fetched { entry, voucher: format!("archive SHA-256 {}, {}", expected.sum, expected.origin) })
}

/// The table comes first, then the user's word, then the release's own; and one of them there must be.
fn expected(context: &Context<'_>, base: &Base, client: &Client, file: &str) -> Result<Expected, Reason> {
    let known = context.settings.known_sum(file);
    let known = known.or_else(|| {
        checksums::archive(&context.version.to_string(), &context.target.to_string()).map(str::to_owned)
    });
    match (known, context.settings.sha256.clone()) {
        (Some(known), Some(pinned)) if known != pinned => {
            Err(Reason::PinContradicts { file: file.to_owned(), pinned, known })
        }
        (Some(sum), _) => Ok(Expected { sum, origin: "compiled in" }),
        (None, Some(sum)) => Ok(Expected { sum, origin: "from ISOLATED_NATS_SHA256" }),
        (None, None) => published_sum(context, base, client, file),
    }
}

fn published_sum(
    context: &Context<'_>,
    base: &Base,
    client: &Client,
    file: &str,
) -> Result<Expected, Reason> {
    let text = fetch_sums(context, base, client)
        .map_err(|source| Reason::NoSumsFile { file: file.to_owned(), source: Box::new(source) })?;
    let sum = checksums::find_sum(&text, file).ok_or_else(|| Reason::NoChecksum {
        file: file.to_owned(),
        what: "the release's `SHA256SUMS` does not list it",
    })?;
    Ok(Expected { sum, origin: "vouched for only by the SHA256SUMS beside it" })
}

fn fetch_sums(context: &Context<'_>, base: &Base, client: &Client) -> Result<String, Reason> {
    let Body { reader, url, .. } = base.open(client, &context.version, SUMS)?;
    let mut text = String::new();
    reader
        .take(MOST_SUMS_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| Reason::Request { url, source: error.into() })?;
    Ok(text)
}

fn verify(file: &str, path: &Path, expected: &Expected, actual: String) -> Result<(), Reason> {
    if actual == expected.sum {
        return Ok(());
    }
    let hint = if is_html(path) { "; it is an HTML page, perhaps a proxy's or a sign-in page" } else { "" };
    Err(Reason::Checksum {
        file: file.to_owned(),
        expected: expected.sum.clone(),
        actual,
        origin: expected.origin,
        hint,
    })
}

fn is_html(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(256).read_to_end(&mut start));
    let start = String::from_utf8_lossy(&start).trim_start().to_ascii_lowercase();
    read.is_ok() && (start.starts_with("<!doctype html") || start.starts_with("<html"))
}
