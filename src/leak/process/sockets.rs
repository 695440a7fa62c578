//! Sockets by their inodes: `/proc/self/net/{tcp,tcp6,udp,udp6,unix}`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::files::read;
use crate::leak::finding::Leak;
use crate::server::Thing;

/// A flag of `/proc/net/unix`: it waits for connections (`__SO_ACCEPTCON`).
const ACCEPTS: u32 = 0x1_0000;

pub(super) type Sockets = BTreeMap<u64, Socket>;

/// What is known of a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Socket {
    /// With nothing bound, or of another kind.
    #[default]
    Unknown,
    Inet {
        udp: bool,
        local: SocketAddr,
        /// None of a listener, and of one that takes datagrams from anybody.
        peer: Option<SocketAddr>,
        state: u8,
    },
    Unix {
        path: Option<String>,
        accepts: bool,
    },
}

type Parse = fn(&str) -> Sockets;

/// The tables, the cheapest first: for those of TCP the kernel walks all its connections' slots, which takes ten
/// milliseconds and more on a machine with much memory.
const TABLES: [(&str, Parse); 5] = [
    ("unix", unix),
    ("udp", |text| inet(text, true)),
    ("udp6", |text| inet(text, true)),
    ("tcp", |text| inet(text, false)),
    ("tcp6", |text| inet(text, false)),
];

/// Those with these inodes; one that is in no table is left out.
pub(super) fn find(inodes: &BTreeSet<u64>) -> Sockets {
    let mut found = Sockets::new();
    for (file, parse) in TABLES {
        if found.len() == inodes.len() {
            break;
        }
        // A system may lack a table, as that of IPv6.
        let Some(text) = read(&format!("/proc/self/net/{file}")) else { continue };
        let all = parse(&String::from_utf8_lossy(&text));
        found.extend(all.into_iter().filter(|(inode, _)| inodes.contains(inode)));
    }
    found
}

fn inet(table: &str, udp: bool) -> Sockets {
    table.lines().skip(1).filter_map(|line| inet_line(line, udp)).collect()
}

/// Such as `0: 0100007F:1F90 00000000:0000 0A …`, with the inode as the tenth.
fn inet_line(line: &str, udp: bool) -> Option<(u64, Socket)> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (local, peer) = (address(fields.next()?)?, address(fields.next()?)?);
    let state = u8::from_str_radix(fields.next()?, 16).ok()?;
    let inode = fields.nth(5)?.parse().ok()?;
    let peer = Some(peer).filter(|peer| peer.port() != 0);
    Some((inode, Socket::Inet { udp, local, peer, state }))
}

/// The address in words of 32 bits, each as a number of this machine; the port as it is.
fn address(text: &str) -> Option<SocketAddr> {
    let (words, port) = text.split_once(':')?;
    let word = |index: usize| {
        let word = words.get(index * 8..index * 8 + 8)?;
        Some(u32::from_str_radix(word, 16).ok()?.to_ne_bytes())
    };
    let ip = match words.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let bytes = [word(0)?, word(1)?, word(2)?, word(3)?].concat();
            IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

fn unix(table: &str) -> Sockets {
    table.lines().skip(1).filter_map(unix_line).collect()
}

/// `Num: RefCount Protocol Flags Type St Inode Path`; the path may be missing, or hold spaces.
fn unix_line(line: &str) -> Option<(u64, Socket)> {
    let mut rest = line;
    let mut field = || {
        let (field, after) = rest.trim_start().split_once(' ').unwrap_or((rest.trim_start(), ""));
        rest = after;
        field
    };
    let flags = u32::from_str_radix([field(), field(), field(), field()][3], 16).ok()?;
    let inode = [field(), field(), field()][2].parse().ok()?;
    let path = (!rest.is_empty()).then(|| rest.to_owned());
    Some((inode, Socket::Unix { path, accepts: flags & ACCEPTS != 0 }))
}

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("socket"),
            Self::Inet { udp, local, peer, state } => {
                let udp = if *udp { "udp " } else { "" };
                match peer {
                    Some(peer) => write!(f, "{udp}socket {local} -> {peer}"),
                    None if *state == State::LISTEN => write!(f, "listener on {local}"),
                    None => write!(f, "{udp}socket on {local}"),
                }
            }
            Self::Unix { path, accepts } => {
                let what = if *accepts { "listener on" } else { "socket" };
                let path = path.as_deref().unwrap_or("without a name");
                write!(f, "unix {what} {path}")
            }
        }
    }
}

/// States of TCP that are worth a word.
struct State;

impl State {
    const CLOSE_WAIT: u8 = 0x08;
    const LISTEN: u8 = 0x0A;
}

impl Socket {
    /// Whether it is of TCP and leads to a server of ours.
    pub(super) fn is_of_our_server(&self) -> bool {
        matches!(self, Self::Inet { udp: false, peer: Some(peer), .. } if is_a_server_of_ours(peer))
    }

    /// Adds what may be the reason.
    pub(super) fn explain(&self, leak: Leak) -> Leak {
        let Self::Inet { udp: false, peer, state, .. } = self else { return leak };
        let leak = match *state {
            State::CLOSE_WAIT => leak.detail("the other side has closed it (CLOSE_WAIT)"),
            _ => leak,
        };
        match peer {
            Some(peer) if is_a_server_of_ours(peer) => leak.hint(
                "an async-nats client is still connected: drop its last handle (clones, subscriptions, \
                 contexts, consumers and messages hold it, too)",
            ),
            _ => leak,
        }
    }
}

fn is_a_server_of_ours(peer: &SocketAddr) -> bool {
    peer.ip().to_canonical().is_loopback() && Thing::Port(peer.port()).is_ours()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    /// An address as the kernel of this machine writes it.
    fn kernels(ip: &str) -> String {
        let octets = match ip.parse().unwrap() {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        let word = |word: &[u8]| format!("{:08X}", u32::from_ne_bytes(word.try_into().unwrap()));
        octets.chunks(4).map(word).collect()
    }

    fn line(local: &str, peer: &str, state: &str) -> String {
        format!(
            "   0: {local} {peer} {state} 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100\n"
        )
    }

    fn shown(sockets: &Sockets) -> String {
        sockets[&4711].to_string()
    }

    #[test]
    fn tcp_sockets_have_both_addresses_and_listeners_one() {
        let (local, none) = (kernels("127.0.0.1"), kernels("0.0.0.0"));
        let text = format!("{HEAD}{}", line(&format!("{local}:9CB5"), &format!("{local}:107E"), "01"));
        assert_eq!(shown(&inet(&text, false)), "socket 127.0.0.1:40117 -> 127.0.0.1:4222");
        let text = format!("{HEAD}{}", line(&format!("{local}:1F90"), &format!("{none}:0000"), "0A"));
        assert_eq!(shown(&inet(&text, false)), "listener on 127.0.0.1:8080");
    }

    #[test]
    fn ipv6_is_read_too() {
        let (local, none) = (kernels("fe80::1:2"), kernels("::"));
        let text =
            format!("{HEAD}{}", line(&format!("{local}:9CB5"), &format!("{}:107E", kernels("::1")), "01"));
        assert_eq!(shown(&inet(&text, false)), "socket [fe80::1:2]:40117 -> [::1]:4222");
        let text = format!("{HEAD}{}", line(&format!("{none}:1F90"), &format!("{none}:0000"), "07"));
        assert_eq!(shown(&inet(&text, true)), "udp socket on [::]:8080");
    }

    #[test]
    fn a_socket_closed_by_the_other_side_says_so() {
        let local = kernels("127.0.0.1");
        let text = format!("{HEAD}{}", line(&format!("{local}:9CB5"), &format!("{local}:0001"), "08"));
        let leak = inet(&text, false)[&4711].explain(Leak::one(crate::LeakKind::Descriptor, ""));
        assert_eq!(leak.details, ["the other side has closed it (CLOSE_WAIT)"]);
        assert!(leak.hints.is_empty());
    }

    #[test]
    fn unix_sockets_have_a_path_or_none() {
        let head = "Num       RefCount Protocol Flags    Type St Inode Path\n";
        let unix = |line: &str| shown(&unix(&format!("{head}{line}\n")));
        let listens = "0000000000000000: 00000002 00000000 00010000 0001 01  4711 /tmp/a b.sock";
        assert_eq!(unix(listens), "unix listener on /tmp/a b.sock");
        assert_eq!(unix("ffff9a: 00000003 00000000 00000000 0001 03 4711"), "unix socket without a name");
        assert_eq!(unix("0: 00000003 00000000 00000000 0001 03 4711 @abstract"), "unix socket @abstract");
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        for bad in ["", "x", "0: 0100007F:1F90", "0: 0100:1F90 0100:1 01 a b c d e 7"] {
            assert!(
                inet(&format!("{HEAD}{bad}\n"), false).is_empty()
                    && unix(&format!("{HEAD}{bad}\n")).is_empty(),
                "{bad}"
            );
        }
    }
}
