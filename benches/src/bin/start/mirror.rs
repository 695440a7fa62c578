//! An HTTP server on loopback that has one archive: the cached server, packed as a release is.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use flate2::{Compression, write::GzEncoder};
use isolated_nats_benches::Error;
use isolated_nats_server_binary::{Acquire, Progress, Source, Version};
use sha2::{Digest, Sha256};

const LIMIT: Duration = Duration::from_secs(10);

/// The server; it ends with this value.
#[derive(Debug)]
pub(crate) struct Mirror {
    shared: Arc<Shared>,
    address: SocketAddr,
    file: String,
    sum: String,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    path: String,
    archive: Vec<u8>,
    served: AtomicUsize,
    is_over: AtomicBool,
}

impl Mirror {
    pub(crate) fn new(binary: &Path, version: &Version) -> Result<Self, Error> {
        let top = format!("nats-server-v{version}-{}-{}", os(), arch());
        let file = format!("{top}.tar.gz");
        let archive = pack(binary, &format!("{top}/nats-server"))?;
        let sum = Sha256::digest(&archive).iter().map(|byte| format!("{byte:02x}")).collect();
        let path = format!("/v{version}/{file}");
        let (served, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let shared = Arc::new(Shared { path, archive, served, is_over });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let theirs = Arc::clone(&shared);
        let thread = Some(std::thread::spawn(move || serve(&listener, &theirs)));
        Ok(Self { shared, address, file, sum, thread })
    }

    /// An acquisition from here into a cache of its own, and from nowhere else.
    ///
    /// The sum is added to the compiled table, for the table has another one for this name: the release's own archive.
    pub(crate) fn acquire(&self, cache: &Path) -> Acquire {
        Acquire::new()
            .cache_dir(cache)
            .mirror(format!("http://{}", self.address))
            .sources([Source::Cache, Source::Mirror])
            .add_known_sum(&self.file, &self.sum)
            .progress(Progress::quiet())
    }

    /// How often the archive has been asked for.
    pub(crate) fn served(&self) -> usize {
        self.shared.served.load(Ordering::Relaxed)
    }

    pub(crate) fn archive_bytes(&self) -> usize {
        self.shared.archive.len()
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        drop(TcpStream::connect_timeout(&self.address, LIMIT)); // wakes the accept
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn serve(listener: &TcpListener, shared: &Shared) {
    for stream in listener.incoming() {
        if shared.is_over.load(Ordering::Relaxed) {
            return;
        }
        if let Err(error) = stream.and_then(|stream| answer(&stream, shared)) {
            eprintln!("the mirror on loopback could not answer: {error}");
        }
    }
}

fn answer(mut stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    let lines = BufReader::new(stream).lines();
    let head = lines.take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()));
    let head = head.collect::<io::Result<Vec<_>>>()?;
    let path = head.first().and_then(|line| line.split(' ').nth(1));
    if path != Some(shared.path.as_str()) {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    shared.served.fetch_add(1, Ordering::Relaxed);
    let length = shared.archive.len();
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(&shared.archive)
}

fn pack(binary: &Path, inside: &str) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    tar.append_path_with_name(binary, inside)?;
    tar.into_inner()?.finish()
}

/// The names that releases use.
fn os() -> &'static str {
    if cfg!(target_os = "macos") { "darwin" } else { std::env::consts::OS }
}

fn arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
