//! A small HTTP server that can also behave badly, and a proxy.

use std::{
    collections::HashMap,
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

#[derive(Clone)]
pub(crate) enum Reply {
    /// 200 with this body.
    Body(Vec<u8>),
    /// Another status with this body.
    Status(u16, &'static str),
    /// 302 to here.
    Redirect(String),
    /// Promises all of it, sends so many bytes, and ends.
    Truncated(Vec<u8>, usize),
    /// A byte now and then, for ever.
    Dribble,
    /// Sends half of it, and holds the rest back until the client goes away.
    Held(Vec<u8>),
}

pub(crate) struct HttpServer {
    stop: Stop,
    requests: Arc<Mutex<Vec<String>>>,
}

/// Ends the accepting thread when dropped.
struct Stop {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl HttpServer {
    /// Serves these paths, and 404 for all others.
    pub(crate) fn new(replies: impl IntoIterator<Item = (String, Reply)>) -> Self {
        let replies: HashMap<_, _> = replies.into_iter().collect();
        Self::with(move |stream, request| {
            let path = request.split(' ').nth(1).unwrap_or_default();
            let html = "<html><body>Not Found</body></html>";
            let reply = replies.get(path).cloned().unwrap_or(Reply::Status(404, html));
            // The client may have gone away, and then there is nobody to tell.
            let _ = answer(stream, reply);
        })
    }

    /// Serves one archive where a mirror has it.
    pub(crate) fn with_archive(version: &str, reply: Reply) -> Self {
        Self::new([(archive_path(version), reply)])
    }

    /// A proxy that connects to where it is told, and notes it.
    pub(crate) fn proxy() -> Self {
        Self::with(|client, request| {
            let target = request.split(' ').nth(1).unwrap_or_default();
            let Ok(mut server) = TcpStream::connect(target) else { return };
            client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
            let (mut to, mut from) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let up = thread::spawn(move || {
                let _ = io::copy(&mut from, &mut to);
            });
            let _ = io::copy(&mut server, client);
            let _ = client.shutdown(Shutdown::Both);
            up.join().unwrap();
        })
    }

    /// Hands each connection, and the first line that came on it, to a function.
    fn with(serve: impl Fn(&mut TcpStream, &str) + Send + Sync + 'static) -> Self {
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = Arc::clone(&requests);
        let server = Self::raw(move |mut stream| {
            let Ok(request) = read_head(&stream) else { return };
            noted.lock().unwrap().push(request.clone());
            serve(&mut stream, &request);
        });
        Self { requests, ..server }
    }

    /// Hands each connection to a function, on a thread of its own.
    pub(crate) fn raw(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stopped = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (stopped, serve) = (Arc::clone(&stopped), Arc::new(serve));
            move || {
                for stream in listener
                    .incoming()
                    .map_while(|stream| (!stopped.load(Ordering::SeqCst)).then_some(stream))
                {
                    let (Ok(stream), serve) = (stream, Arc::clone(&serve)) else { continue };
                    thread::spawn(move || serve(stream));
                }
            }
        });
        Self { stop: Stop { address, stopped, thread: Some(thread) }, requests: Arc::default() }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.stop.address)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.stop.address
    }

    /// Returns the first lines of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Reads up to the empty line, and returns the first.
pub(crate) fn read_head(stream: impl Read) -> io::Result<String> {
    // One byte of buffer: what follows the head is not ours.
    let mut reader = BufReader::with_capacity(1, stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    Ok(first.trim().to_owned())
}

pub(crate) fn head(status: u16, length: usize, more: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n")
}

fn answer(stream: &mut TcpStream, reply: Reply) -> io::Result<()> {
    match reply {
        Reply::Body(body) => {
            stream.write_all(head(200, body.len(), "").as_bytes())?;
            stream.write_all(&body)
        }
        Reply::Status(status, body) => {
            stream.write_all(head(status, body.len(), "Content-Type: text/html\r\n").as_bytes())?;
            stream.write_all(body.as_bytes())
        }
        Reply::Redirect(to) => stream.write_all(head(302, 0, &format!("Location: {to}\r\n")).as_bytes()),
        Reply::Truncated(body, sent) => {
            stream.write_all(head(200, body.len(), "").as_bytes())?;
            stream.write_all(&body[..sent])
        }
        Reply::Dribble => {
            stream.write_all(head(200, 1 << 20, "").as_bytes())?;
            while !has_gone(stream, Some(Duration::from_millis(20)))? {
                stream.write_all(b"x")?;
            }
            Ok(())
        }
        Reply::Held(body) => {
            stream.write_all(head(200, body.len(), "").as_bytes())?;
            stream.write_all(&body[..body.len() / 2])?;
            has_gone(stream, None).map(drop)
        }
    }
}

/// Waits until the client closes the connection, or so long.
fn has_gone(stream: &mut TcpStream, limit: Option<Duration>) -> io::Result<bool> {
    stream.set_read_timeout(limit)?;
    match stream.read(&mut [0; 64]) {
        Ok(count) => Ok(count == 0),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Where a mirror has a version's archive.
pub(crate) fn archive_path(version: &str) -> String {
    format!("/v{version}/{}", super::archives::archive_name(version))
}
