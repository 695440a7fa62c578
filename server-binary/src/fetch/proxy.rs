//! Which proxy a URL goes through.

use std::net::IpAddr;

/// The proxies of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and the exceptions of `NO_PROXY`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proxies {
    pub(crate) http: Option<String>,
    pub(crate) https: Option<String>,
    pub(crate) none_for: Vec<String>,
}

impl Proxies {
    /// Reads the usual variables, the lower-case spelling first as other programs do.
    pub(crate) fn from_env(variable: impl Fn(&str) -> Option<String>) -> Self {
        let either = |name: &str| variable(&name.to_ascii_lowercase()).or_else(|| variable(name));
        let all = either("ALL_PROXY");
        Self {
            http: either("HTTP_PROXY").or_else(|| all.clone()),
            https: either("HTTPS_PROXY").or(all),
            none_for: parse_exceptions(&either("NO_PROXY").unwrap_or_default()),
        }
    }

    /// Returns the proxy for a host, `None` to connect directly.
    pub(crate) fn proxy_for(&self, is_https: bool, host: &str) -> Option<&str> {
        let proxy = if is_https { self.https.as_deref() } else { self.http.as_deref() };
        proxy.filter(|_| !self.none_for.iter().any(|exception| excepts(exception, host)))
    }
}

pub(crate) fn parse_exceptions(text: &str) -> Vec<String> {
    text.split([',', ' '])
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(str::to_ascii_lowercase)
        .collect()
}

/// `*`, a host, a domain with or without a leading dot, an address, or a network such as `10.0.0.0/8`.
fn excepts(exception: &str, host: &str) -> bool {
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    if exception == "*" {
        return true;
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return match exception.split_once('/') {
            Some((network, bits)) => is_in(address, network, bits).unwrap_or(false),
            None => exception.trim_matches(['[', ']']).parse() == Ok(address),
        };
    }
    let domain = exception.trim_start_matches('*').trim_start_matches('.');
    let domain = domain.split(':').next().unwrap_or_default();
    host.strip_suffix(domain)
        .is_some_and(|rest| !domain.is_empty() && (rest.is_empty() || rest.ends_with('.')))
}

fn is_in(address: IpAddr, network: &str, bits: &str) -> Option<bool> {
    let (bits, network): (u32, IpAddr) = (bits.parse().ok()?, network.parse().ok()?);
    let (address, network, width) = match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            (u128::from(address.to_bits()), u128::from(network.to_bits()), 32)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits(), network.to_bits(), 128),
        _ => return Some(false),
    };
    let rest: u32 = u32::checked_sub(width, bits)?;
    Some(address.checked_shr(rest).unwrap_or(0) == network.checked_shr(rest).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Proxies {
        Proxies::from_env(|name| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned()))
    }

    #[test]
    fn each_scheme_has_its_proxy_in_any_spelling() {
        let proxies = from(&[("HTTP_PROXY", "http://a"), ("https_proxy", "http://b")]);
        assert_eq!(proxies.proxy_for(false, "h"), Some("http://a"));
        assert_eq!(proxies.proxy_for(true, "h"), Some("http://b"));
        assert_eq!(from(&[("ALL_PROXY", "http://c")]).proxy_for(true, "h"), Some("http://c"));
        assert_eq!(from(&[]).proxy_for(true, "h"), None);
    }

    #[test]
    fn exceptions_are_hosts_domains_addresses_and_networks() {
        for (exception, host) in [
            ("*", "any"),
            ("example.com", "example.com"),
            ("example.com", "a.EXAMPLE.com"),
            (".example.com", "a.example.com"),
            ("*.example.com", "a.example.com"),
            ("localhost:8080", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("10.0.0.0/8", "10.9.8.7"),
            ("::1", "[::1]"),
            ("0.0.0.0/0", "1.2.3.4"),
        ] {
            assert!(excepts(exception, host), "{exception} {host}");
        }
        for (exception, host) in [
            ("example.com", "notexample.com"),
            ("10.0.0.0/8", "11.0.0.1"),
            ("10.0.0.0/99", "10.0.0.1"),
            (".", "a"),
            ("1", "127.0.0.1"),
        ] {
            assert!(!excepts(exception, host), "{exception} {host}");
        }
    }

    #[test]
    fn an_excepted_host_has_no_proxy() {
        let proxies = from(&[("http_proxy", "http://a"), ("NO_PROXY", "x.test, 127.0.0.1")]);
        assert_eq!(proxies.proxy_for(false, "127.0.0.1"), None);
        assert_eq!(proxies.proxy_for(false, "y.test"), Some("http://a"));
    }
}
