//! `ISOLATED_NATS_URL`: tests against a server or a cluster that runs already.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use percent_encoding::percent_decode_str;

use super::builder::Options;
use super::error::{Stage, StartError, StartErrorKind};
use super::{Caller, Credentials, ExternalNats, Files, Source, ready};
use crate::poll::scaled;

/// How long the server may take to greet.
const LIMIT: Duration = Duration::from_secs(5);

/// A server that somebody else runs.
#[derive(Debug)]
pub(super) struct Attached {
    /// Each server of the list, as it was given.
    pub(super) addresses: Vec<String>,
    /// `ISOLATED_NATS_MONITOR_URL`, without a slash at its end.
    pub(super) monitor_url: Option<String>,
}

/// The server to attach to, if the environment names one.
pub(super) fn url() -> Option<String> {
    variable("ISOLATED_NATS_URL")
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// The addresses in a URL, which may be a list with commas.
pub(super) fn addresses(url: &str) -> Vec<&str> {
    url.split(',').map(str::trim).filter(|url| !url.is_empty()).collect()
}

pub(super) fn attach(url: &str, options: &Options, caller: Caller) -> Result<ExternalNats, StartError> {
    let asked = options.own_server_only();
    if !asked.is_empty() {
        let what = format!(
            "ISOLATED_NATS_URL attaches to a running server, which cannot be given `{}` (unset it to run this test)",
            asked.join("`, `")
        );
        return Err(StartError::new(StartErrorKind::Attach, Stage::Prepare, what));
    }
    let Found { greeting, address, port } = first_greeting(url)?;
    let shown = without_user(address);
    if let Some(wanted) = options.version.as_deref().filter(|wanted| !satisfies(&greeting.version, wanted)) {
        return Err(unusable(format!(
            "`{url}` is version {}, and the test asks for {wanted}",
            greeting.version
        )));
    }
    if options.jetstream.is_some() && !greeting.jetstream {
        let what = format!("`{shown}` runs without JetStream, which the test asks for (start it with `-js`)");
        return Err(StartError::new(StartErrorKind::NoJetStream, Stage::JetStream, what));
    }
    let attached = Attached {
        addresses: addresses(url).into_iter().map(str::to_owned).collect(),
        monitor_url: variable("ISOLATED_NATS_MONITOR_URL").map(|url| url.trim_end_matches('/').to_owned()),
    };
    let nowhere = std::env::temp_dir().join("isolated-nats-attached");
    let files = Files { store: nowhere.join("store"), log: nowhere.join("server.log"), directory: nowhere };
    tracing::debug!(url = shown, server = greeting.server_name, "attached to a running nats-server");
    let source = Source::Attached(attached);
    Ok(ExternalNats::new(source, shown, port, greeting, caller, files, credentials(address)))
}

/// An address as it may be shown: with its scheme, and without what may be a password.
fn without_user(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").unwrap_or(("nats", address));
    format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host))
}

/// The user and password, or the token, before the `@`: async-nats 0.51 takes them from its options only.
fn credentials(address: &str) -> Credentials {
    let part = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    match rest.rsplit_once('@').map(|(user, _)| user.split_once(':').ok_or(user)) {
        Some(Ok((user, password))) => Credentials { user: Some((part(user), part(password))), token: None },
        Some(Err(token)) => Credentials { user: None, token: Some(part(token)) },
        None => Credentials::default(),
    }
}

fn unusable(what: String) -> StartError {
    StartError::new(StartErrorKind::Attach, Stage::Greeting, what)
}

/// The greeting of the first server in the list that answers; the error is that of the last that did not.
fn first_greeting(url: &str) -> Result<Found<'_>, StartError> {
    let mut last = unusable("ISOLATED_NATS_URL names no server (write `nats://host:port`)".into());
    for address in addresses(url) {
        match greet(address) {
            Ok((greeting, port)) => return Ok(Found { greeting, address, port }),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The server that answered.
struct Found<'a> {
    greeting: ready::Greeting,
    address: &'a str,
    port: u16,
}

fn greet(url: &str) -> Result<(ready::Greeting, u16), StartError> {
    let (host, port) = host_and_port(url).ok_or_else(|| {
        unusable(format!(
            "ISOLATED_NATS_URL holds `{}`, which is no address (write `nats://host:port` or `tls://host:port`)",
            without_user(url)
        ))
    })?;
    let unreachable = |error| {
        let what = format!("no nats-server answers at `{host}:{port}` of ISOLATED_NATS_URL (does it run?)");
        unusable(what).cause(error)
    };
    let addresses: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(unreachable)?.collect();
    let mut last = std::io::ErrorKind::AddrNotAvailable.into();
    for address in addresses {
        match ready::greeting(address, scaled(LIMIT)) {
            Ok(greeting) => return Ok((greeting, port)),
            Err(error) => last = error,
        }
    }
    Err(unreachable(last))
}

/// The parts of `nats://user:password@host:port`, each but the host optional.
fn host_and_port(url: &str) -> Option<(&str, u16)> {
    const DEFAULT_PORT: u16 = 4222;
    let rest = match url.split_once("://") {
        Some(("nats" | "tls", rest)) => rest,
        Some(_) => return None,
        None => url,
    };
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest).trim_end_matches('/');
    let (host, port) = match rest.strip_prefix('[') {
        Some(six) => {
            let (host, after) = six.split_once(']')?;
            (host, after.strip_prefix(':'))
        }
        None => rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map_or(Some(DEFAULT_PORT), |port| port.parse().ok())?;
    (!host.is_empty()).then_some((host, port))
}

/// Whether a version is the one asked for, or of the line asked for.
fn satisfies(version: &str, wanted: &str) -> bool {
    version.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_in_each_of_its_forms() {
        for (url, expected) in [
            ("nats://a:7", Some(("a", 7))),
            ("tls://u:p@a.b:8/", Some(("a.b", 8))),
            ("a", Some(("a", 4222))),
            ("nats://[::1]:9", Some(("::1", 9))),
            ("nats://[::1]", Some(("::1", 4222))),
            ("ws://a:7", None),
            ("nats://:7", None),
            ("nats://a:port", None),
        ] {
            assert_eq!(host_and_port(url), expected, "{url}");
        }
    }

    #[test]
    fn a_user_or_a_token_in_the_address_becomes_the_clients() {
        let user = credentials("nats://u:p%40%3A@a:7").user;
        assert_eq!(user, Some(("u".to_owned(), "p@:".to_owned())));
        assert_eq!(credentials("tls://t%2F@a").token.as_deref(), Some("t/"));
        let none = credentials("nats://a:7");
        assert!(none.user.is_none() && none.token.is_none());
        assert_eq!(without_user("nats://u:p@a:7"), "nats://a:7");
        assert_eq!(without_user("t@a"), "nats://a");
    }

    #[test]
    fn a_version_satisfies_its_own_line_only() {
        assert!(
            satisfies("2.14.5", "2.14")
                && satisfies("2.14.5", "2.14.5")
                && satisfies("2.14.0-rc.1", "2.14.0")
        );
        assert!(!satisfies("2.1.4", "2.14") && !satisfies("2.14.5", "2.1"));
    }
}
