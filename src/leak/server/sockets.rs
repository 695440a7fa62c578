//! Whose socket the other end of a connection is, by what `/proc` says.

use std::collections::HashMap;

/// Who holds a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// A descriptor of this process.
    Here { fd: u32 },
    /// A child of this process, or a child of one.
    Child { pid: u32 },
    /// Another process, or one whose descriptors may not be read.
    Other,
    /// Nobody that is seen: it is closed, and the server will find out at once, or it comes from elsewhere.
    Nobody,
    /// The system does not say.
    Unknown,
}

/// The owners of local addresses.
#[derive(Debug)]
pub(super) struct Sockets(Option<HashMap<(String, u16), Owner>>);

impl Sockets {
    /// Looks at all sockets of this machine, which takes the kernel 10 ms where its table is large, however few there are.
    pub(super) fn look(wanted: &[(&str, u16)]) -> Self {
        Self(imp::look(wanted))
    }

    pub(super) fn owner(&self, ip: &str, port: u16) -> Owner {
        let Some(sockets) = &self.0 else { return Owner::Unknown };
        sockets.get(&(ip.to_owned(), port)).cloned().unwrap_or(Owner::Nobody)
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::collections::HashMap;

    use super::Owner;

    pub(super) fn look(_wanted: &[(&str, u16)]) -> Option<HashMap<(String, u16), Owner>> {
        None
    }
}

#[cfg(target_os = "linux")]
mod imp {
    use std::collections::HashMap;
    use std::fs;
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::Owner;

    /// States of a socket whose connection is up, or whose other side has closed it: `ESTABLISHED`, `CLOSE_WAIT`.
    const OPEN: [&str; 2] = ["01", "08"];

    pub(super) fn look(wanted: &[(&str, u16)]) -> Option<HashMap<(String, u16), Owner>> {
        let mut found = HashMap::new();
        for table in ["/proc/self/net/tcp", "/proc/self/net/tcp6"] {
            let has = |(ip, port): &(&str, u16)| found.contains_key(&((*ip).to_owned(), *port));
            if wanted.iter().all(has) {
                break; // a second table takes as long as the first
            }
            match fs::read_to_string(table) {
                Ok(text) => found.extend(addresses(&text)),
                Err(_) if !found.is_empty() => {} // IPv6 is off
                Err(_) => return None,
            }
        }
        let owners = owners()?;
        let owner = |inode| owners.get(&inode).cloned().unwrap_or(Owner::Other);
        Some(found.into_iter().map(|(address, inode)| (address, owner(inode))).collect())
    }

    /// The local address and inode of each open connection.
    pub(super) fn addresses(table: &str) -> Vec<((String, u16), u64)> {
        table.lines().skip(1).filter_map(address).collect()
    }

    /// One line: `sl local_address rem_address st queues timer retransmits uid timeout inode …`.
    fn address(line: &str) -> Option<((String, u16), u64)> {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (ip, port) = fields.next()?.split_once(':')?;
        let state = fields.nth(1)?;
        let inode: u64 = fields.nth(5)?.parse().ok()?;
        let open = OPEN.contains(&state) && inode != 0;
        open.then_some(((address_text(ip)?, u16::from_str_radix(port, 16).ok()?), inode))
    }

    /// Words of 32 bits in the machine's own order.
    fn address_text(hex: &str) -> Option<String> {
        let word = |index: usize| {
            let word = u32::from_str_radix(hex.get(index * 8..index * 8 + 8)?, 16).ok()?;
            Some(word.to_ne_bytes())
        };
        if hex.len() == 8 {
            return Some(Ipv4Addr::from(word(0)?).to_string());
        }
        let mut bytes = [0; 16];
        for (index, part) in bytes.chunks_exact_mut(4).enumerate() {
            part.copy_from_slice(&word(index)?);
        }
        let address = Ipv6Addr::from(bytes);
        // The server says `127.0.0.1` also where the client's socket is one for both.
        Some(address.to_ipv4_mapped().map_or_else(|| address.to_string(), |four| four.to_string()))
    }

    /// The sockets of this process and of those below it, by inode.
    fn owners() -> Option<HashMap<u64, Owner>> {
        let mut owners = HashMap::new();
        for pid in below(std::process::id()) {
            for (inode, _) in sockets(&format!("/proc/{pid}/fd")).unwrap_or_default() {
                owners.insert(inode, Owner::Child { pid });
            }
        }
        // Last: what a child has inherited is this process's.
        let own = sockets("/proc/self/fd")?;
        owners.extend(own.into_iter().map(|(inode, fd)| (inode, Owner::Here { fd })));
        Some(owners)
    }

    fn sockets(directory: &str) -> Option<Vec<(u64, u32)>> {
        let sockets = fs::read_dir(directory).ok()?.flatten().filter_map(|entry| {
            let target = fs::read_link(entry.path()).ok()?;
            let inode = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()?;
            Some((inode, entry.file_name().to_str()?.parse().ok()?))
        });
        Some(sockets.collect())
    }

    /// The processes below one, children first.
    fn below(pid: u32) -> Vec<u32> {
        let mut all = children(pid);
        let mut next = 0;
        while let Some(pid) = all.get(next).copied() {
            let more: Vec<u32> = children(pid).into_iter().filter(|pid| !all.contains(pid)).collect();
            all.extend(more);
            next += 1;
        }
        all
    }

    /// Each thread has those that it made.
    fn children(pid: u32) -> Vec<u32> {
        let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
        let lists =
            threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
        lists
            .flat_map(|list| list.split_ascii_whitespace().flat_map(str::parse).collect::<Vec<u32>>())
            .collect()
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;

    use super::*;

    fn owner(stream: &TcpStream) -> Owner {
        let address = stream.local_addr().unwrap();
        let (ip, port) = (address.ip().to_string(), address.port());
        Sockets::look(&[(&ip, port)]).owner(&ip, port)
    }

    #[test]
    fn a_socket_of_this_process_is_found_by_its_address() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(host) else { continue };
            let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            assert_eq!(owner(&stream), Owner::Here { fd: u32::try_from(stream.as_raw_fd()).unwrap() });
        }
        assert_eq!(Sockets::look(&[("127.0.0.1", 1)]).owner("127.0.0.1", 1), Owner::Nobody);
    }

    #[test]
    fn the_kernels_table_is_read_in_each_of_its_forms() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:D94C 0100007F:8D0F 01 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 20 4 30 10 -1\n\
             1: 0100007F:8D0F 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 20 4 30 10 -1\n\
             2: 0100007F:D94E 0100007F:8D0F 06 00000000:00000000 03:00001770 00000000     0        0 0 3 0\n\
             3: 0000000000000000FFFF00000100007F:D950 0000000000000000FFFF00000100007F:8D0F 08 00000000:00000000 00:00000000 00000000  1000        0 4713 1 0\n";
        if cfg!(target_endian = "little") {
            let expected = [(("127.0.0.1".to_owned(), 55628), 4711), (("127.0.0.1".to_owned(), 55632), 4713)];
            assert_eq!(imp::addresses(table), expected);
        }
    }
}
