//! Whether a server is ready, seen from outside: its ports file, its greeting, its health.

use std::fs;
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

/// Longest greeting read; the server's own is about half a kilobyte, more in a large cluster.
const GREETING_LIMIT: usize = 256 << 10;

/// The ports a server picked, as it writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ports {
    /// The process that wrote them, by the name of the file: `<program>_<pid>.ports`.
    pub(crate) pid: Option<u32>,
    /// `nats` or `tls`.
    pub(crate) scheme: String,
    pub(crate) client: u16,
    pub(crate) monitor: Option<u16>,
    pub(crate) profile: Option<u16>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PortsFile {
    nats: Vec<String>,
    monitoring: Vec<String>,
    profile: Vec<String>,
}

/// Reads the ports file in a private directory, whatever its name; `None` while there is none, or only a part of it:
/// the server writes it in place.
pub(crate) fn read_ports(directory: &Path) -> Option<Ports> {
    let files = fs::read_dir(directory).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let file =
        files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "ports"))?;
    let pid = file.file_stem().and_then(|stem| stem.to_str()?.rsplit_once('_')?.1.parse().ok());
    Some(Ports { pid, ..parse_ports(&fs::read(file).ok()?)? })
}

fn parse_ports(text: &[u8]) -> Option<Ports> {
    let file: PortsFile = serde_json::from_slice(text).ok()?;
    let port = |urls: &[String]| urls.iter().find_map(|url| url.rsplit_once(':')?.1.parse().ok());
    Some(Ports {
        pid: None,
        scheme: file.nats.first()?.split_once("://")?.0.to_owned(),
        client: port(&file.nats)?,
        monitor: port(&file.monitoring),
        profile: port(&file.profile),
    })
}

/// What a server says of itself when a client connects; the parts that are used here.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(crate) struct Greeting {
    pub(crate) server_name: String,
    pub(crate) version: String,
    pub(crate) jetstream: bool,
}

/// Connects and reads the greeting.
///
/// Errors: `ConnectionRefused` and the like while nobody listens; `TimedOut` or `WouldBlock` when the other side says
/// nothing, as with a server that expects TLS first; `InvalidData` when what it says is no greeting.
pub(crate) fn greeting(address: SocketAddr, limit: Duration) -> io::Result<Greeting> {
    let limit = limit.max(Duration::from_millis(1));
    let mut stream = TcpStream::connect_timeout(&address, limit)?;
    stream.set_read_timeout(Some(limit))?;
    let mut line = Vec::with_capacity(1024);
    let mut part = [0; 1024];
    loop {
        let count = match stream.read(&mut part) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            result => result?,
        };
        line.extend_from_slice(&part[..count]);
        if let Some(end) = line.iter().position(|byte| *byte == b'\n') {
            return parse_greeting(&line[..end]);
        }
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line.len() > GREETING_LIMIT || !b"INFO ".starts_with(&line[..line.len().min(5)]) {
            return parse_greeting(&line);
        }
    }
}

fn parse_greeting(line: &[u8]) -> io::Result<Greeting> {
    let invalid = |cause| io::Error::new(io::ErrorKind::InvalidData, cause);
    let json = line.strip_prefix(b"INFO ").ok_or_else(|| {
        let shown: String = String::from_utf8_lossy(line).chars().take(80).collect();
        invalid(format!("it said {shown:?}, which is not a NATS greeting").into())
    })?;
    serde_json::from_slice(json)
        .map_err(|error| invalid(Box::<dyn std::error::Error + Send + Sync>::from(error)))
}

/// The same from what a server says at its monitoring port, where JetStream is not a flag but a part that may be empty.
pub(crate) fn greeting_from_varz(text: &str) -> Option<Greeting> {
    let varz: serde_json::Value = serde_json::from_str(text).ok()?;
    let field = |name: &str| varz[name].as_str().map(str::to_owned);
    Some(Greeting {
        server_name: field("server_name")?,
        version: field("version")?,
        jetstream: varz["jetstream"]["config"].is_object(),
    })
}

/// The address of a port on this machine.
pub(crate) fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// An HTTP client for a monitoring port: no proxy, whatever the environment says, and a status is never an error.
pub(crate) fn http(limit: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false)
        .timeout_global(Some(limit.max(Duration::from_millis(1))))
        .build()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::TcpListener;

    #[test]
    fn a_ports_file_is_read_only_when_whole() {
        let whole =
            br#"{"nats":["nats://127.0.0.1:42"],"monitoring":["http://127.0.0.1:41","http://[::1]:41"]}"#;
        let ports = parse_ports(whole).unwrap();
        assert_eq!((ports.client, ports.monitor, ports.profile), (42, Some(41), None));
        assert_eq!(ports.scheme, "nats");
        for length in 0..whole.len() {
            assert_eq!(parse_ports(&whole[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn the_monitoring_port_tells_the_same_as_a_greeting() {
        let varz = r#"{"server_name":"a","server_id":"N","version":"2.14.5","jetstream":{"config":{"max_memory":1}}}"#;
        let greeting = greeting_from_varz(varz).unwrap();
        assert_eq!((greeting.server_name.as_str(), greeting.jetstream), ("a", true));
        let without = varz.replace(r#"{"config":{"max_memory":1}}"#, "{}");
        assert!(!greeting_from_varz(&without).unwrap().jetstream);
        assert_eq!(greeting_from_varz("{}"), None);
    }

    fn server(says: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(says).unwrap();
            let _ = stream.read(&mut [0; 1]); // until the other side has gone
        });
        address
    }

    #[test]
    fn a_greeting_is_read_and_anything_else_is_named() {
        let limit = Duration::from_secs(20);
        let good =
            greeting(server(b"INFO {\"server_name\":\"a\",\"version\":\"2.14.5\"} \r\n"), limit).unwrap();
        assert_eq!((good.server_name.as_str(), good.jetstream), ("a", false));
        let bad = greeting(server(b"SSH-2.0-OpenSSH_9.2\r\n"), limit).unwrap_err();
        assert_eq!(bad.kind(), io::ErrorKind::InvalidData);
        assert_eq!(bad.to_string(), "it said \"SSH-2.0-OpenSSH_9.2\\r\", which is not a NATS greeting");
        // Something that never ends its line is told from a greeting by its first bytes, without waiting.
        assert_eq!(greeting(server(b"220 "), limit).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
