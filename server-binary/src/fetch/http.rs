//! The HTTP client: bounded connecting, proxies, redirects, private CAs.

use std::{path::PathBuf, time::Duration};

use ureq::{
    Agent, Proxy,
    config::{Config, ConfigBuilder},
    http::{Response, StatusCode, Uri, header::LOCATION},
    typestate::AgentScope,
};

use super::{Body, Proxies};
use crate::{poll::Deadline, reason::Reason};

const MOST_REDIRECTS: usize = 10;
/// How long a server may take to answer, and between two pieces of its answer, as a multiple of the limit for connecting.
const ANSWER_FACTOR: u32 = 3;

/// What the client needs to know from the settings.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) deadline: Deadline,
    pub(crate) connect_timeout: Duration,
    pub(crate) proxies: Proxies,
    pub(crate) roots: Roots,
}

/// Certificates other than the platform's.
#[cfg_attr(not(feature = "_tls"), expect(dead_code, reason = "there is nobody to trust without https"))]
#[derive(Clone, Debug, Default)]
pub(crate) struct Roots {
    pub(crate) file: Option<PathBuf>,
    pub(crate) directories: Option<PathBuf>,
}

impl Client {
    /// Gets a URL, following redirects, each through the proxy that is right for it.
    pub(crate) fn get(&self, url: &str) -> Result<Body, Reason> {
        let mut url = url.to_owned();
        for _ in 0..=MOST_REDIRECTS {
            let response = self.call(&url, false)?;
            if !response.status().is_redirection() {
                let body = response.into_body();
                return Ok(Body {
                    length: body.content_length(),
                    reader: Box::new(body.into_reader()),
                    url: shown(&url),
                });
            }
            url = redirect(&url, &response)?;
        }
        Err(Reason::Url { url: shown(&url), what: "it is redirected too often" })
    }

    /// Asks whether a URL is there, without its body.
    pub(crate) fn head(&self, url: &str) -> Result<(), Reason> {
        let mut url = url.to_owned();
        for _ in 0..=MOST_REDIRECTS {
            let response = self.call(&url, true)?;
            if !response.status().is_redirection() {
                return Ok(());
            }
            url = redirect(&url, &response)?;
        }
        Err(Reason::Url { url: shown(&url), what: "it is redirected too often" })
    }

    fn call(&self, url: &str, head: bool) -> Result<Response<ureq::Body>, Reason> {
        let uri: Uri = url.parse().map_err(|_| Reason::Url { url: shown(url), what: "it is not a URL" })?;
        let agent = self.agent(url, &uri)?;
        let result = if head { agent.head(url).call() } else { agent.get(url).call() };
        result.map_err(|error| match error {
            ureq::Error::StatusCode(status) => Reason::Status { url: shown(url), status },
            ureq::Error::Timeout(which) => {
                let limit = match which {
                    ureq::Timeout::Global => self.deadline.limit(),
                    ureq::Timeout::Connect | ureq::Timeout::Resolve => self.connect_timeout,
                    _ => self.connect_timeout * ANSWER_FACTOR,
                };
                Reason::NetworkTimeout { url: shown(url), limit }
            }
            error => Reason::Request { url: shown(url), source: error.into() },
        })
    }

    fn agent(&self, url: &str, uri: &Uri) -> Result<Agent, Reason> {
        let is_https = uri.scheme_str() == Some("https");
        let proxy = match self.proxies.proxy_for(is_https, uri.host().unwrap_or_default()) {
            Some(proxy) => Some(
                Proxy::new(proxy)
                    .map_err(|error| Reason::Request { url: shown(proxy), source: error.into() })?,
            ),
            None => None,
        };
        let answer = self.connect_timeout * ANSWER_FACTOR;
        let config = Config::builder()
            .proxy(proxy)
            .max_redirects(0)
            .user_agent(concat!("isolated-nats/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(self.deadline.remaining()))
            .timeout_resolve(Some(self.connect_timeout))
            .timeout_connect(Some(self.connect_timeout))
            .timeout_recv_response(Some(answer))
            .timeout_per_read(Some(answer));
        let config = if is_https { tls(config, url, &self.roots)? } else { config };
        Ok(config.build().new_agent())
    }
}

/// A mirror's URL or a proxy may have a password in it, which is not for logs.
pub(crate) fn shown(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) if scheme.is_empty() => format!("***{}", &rest[at..]),
        Some(at) => format!("{scheme}://***{}", &rest[at..]),
        None => url.to_owned(),
    }
}

/// Returns where a redirect leads; never from https to http.
fn redirect(url: &str, response: &Response<ureq::Body>) -> Result<String, Reason> {
    let fail = |what| Reason::Url { url: shown(url), what };
    if response.status() == StatusCode::NOT_MODIFIED {
        return Err(fail("it answers that it was not modified"));
    }
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let next = resolve(url, location.ok_or_else(|| fail("its redirect leads nowhere"))?);
    if url.starts_with("https://") && !next.starts_with("https://") {
        return Err(fail("it is redirected from https to http"));
    }
    Ok(next)
}

fn resolve(base: &str, location: &str) -> String {
    let (scheme, rest) = base.split_once("://").unwrap_or(("http", base));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if location.contains("://") {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else {
        let path = rest.split(['?', '#']).next().unwrap_or_default();
        let directory = path.rsplit_once('/').map_or(authority, |(directory, _)| directory);
        format!("{scheme}://{directory}/{location}")
    }
}

#[cfg(not(feature = "_tls"))]
fn tls(
    _config: ConfigBuilder<AgentScope>,
    url: &str,
    _roots: &Roots,
) -> Result<ConfigBuilder<AgentScope>, Reason> {
    let what = "this build has no https (turn on the feature `https` or `https-aws-lc-rs` of isolated-nats, or of this crate alone)";
    Err(Reason::Url { url: shown(url), what })
}

#[cfg(feature = "_tls")]
fn tls(
    config: ConfigBuilder<AgentScope>,
    url: &str,
    roots: &Roots,
) -> Result<ConfigBuilder<AgentScope>, Reason> {
    use rustls_native_certs::{load_certs_from_paths, load_native_certs};
    use ureq::tls::{Certificate, RootCerts, TlsConfig};

    let mut loaded = match (&roots.file, &roots.directories) {
        (None, None) => load_native_certs(),
        (file, _) => load_certs_from_paths(file.as_deref(), None),
    };
    // A list, as openssl has it.
    for directory in roots.directories.iter().flat_map(std::env::split_paths) {
        let more = load_certs_from_paths(None, Some(&directory));
        loaded.certs.extend(more.certs);
        loaded.errors.extend(more.errors);
    }
    if loaded.certs.is_empty() {
        return Err(match loaded.errors.into_iter().next() {
            Some(error) => Reason::Request { url: shown(url), source: error.into() },
            None => Reason::Url {
                url: shown(url),
                what: "no root certificates were found (install ca-certificates, or set SSL_CERT_FILE)",
            },
        });
    }
    let certificates: Vec<_> =
        loaded.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&certificates))
        .unversioned_rustls_crypto_provider(crypto_provider());
    Ok(config.tls_config(tls.build()))
}

/// The application's own provider where it installed one, so that a process has one and not two.
#[cfg(feature = "_tls")]
fn crypto_provider() -> std::sync::Arc<rustls::crypto::CryptoProvider> {
    use rustls::crypto::CryptoProvider;

    #[cfg(feature = "https")]
    let ours = rustls::crypto::ring::default_provider;
    #[cfg(not(feature = "https"))]
    let ours = rustls::crypto::aws_lc_rs::default_provider;
    CryptoProvider::get_default().cloned().unwrap_or_else(|| ours().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(shown("https://me:secret@h:1/a?b"), "https://***@h:1/a?b");
        assert_eq!(shown("me:se@cret@h:1"), "***@h:1");
        assert_eq!(shown("https://h/a@b"), "https://h/a@b");
    }

    #[test]
    fn redirects_may_be_relative() {
        let base = "http://h:1/a/b?c=d/e";
        assert_eq!(resolve(base, "https://x/y"), "https://x/y");
        assert_eq!(resolve(base, "//x/y"), "http://x/y");
        assert_eq!(resolve(base, "/y"), "http://h:1/y");
        assert_eq!(resolve(base, "y"), "http://h:1/a/y");
        assert_eq!(resolve("http://h", "y"), "http://h/y");
    }
}
