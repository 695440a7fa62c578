//! A client of three lines, the same for every side: connect, read INFO, send CONNECT and PING, read PONG.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use isolated_nats_benches::Error;

const LIMIT: Duration = Duration::from_secs(5);

/// Returns once the server's first PONG has been read; the connection is closed when the value is dropped.
pub(crate) fn first_pong(port: u16) -> Result<TcpStream, Error> {
    let mut stream = TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), LIMIT)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LIMIT))?;
    let mut received = Vec::with_capacity(2048);
    read_until(&mut stream, &mut received, |bytes| bytes.starts_with(b"INFO ") && bytes.contains(&b'\n'))?;
    stream.write_all(b"CONNECT {\"verbose\":false}\r\nPING\r\n")?;
    received.clear();
    read_until(&mut stream, &mut received, |bytes| bytes.windows(6).any(|part| part == b"PONG\r\n"))?;
    Ok(stream)
}

fn read_until(
    stream: &mut TcpStream,
    received: &mut Vec<u8>,
    is_enough: impl Fn(&[u8]) -> bool,
) -> Result<(), Error> {
    let mut part = [0; 2048];
    while !is_enough(received) {
        match stream.read(&mut part)? {
            0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            count => received.extend_from_slice(&part[..count]),
        }
    }
    Ok(())
}

/// The port of a URL such as `nats://127.0.0.1:40117`.
pub(crate) fn port_of(url: &str) -> Result<u16, Error> {
    let port = url.rsplit_once(':').and_then(|(_, port)| port.trim_end_matches('/').parse().ok());
    port.ok_or_else(|| format!("`{url}` has no port").into())
}
