//! What the parent does: it makes the child, prints what the child prints, and ends it when its time is over.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use super::child;
use super::failure::{Failure, judge};
use super::output::{Output, Said, Seen};
use crate::evidence;
use crate::poll::{Deadline, scaled, until_each};
use crate::server::{Mark, Process};

/// How long a child with a time limit may take to be ready for its body: more than a server is fetched in at most (120 s).
const READY_LIMIT: Duration = Duration::from_secs(180);
/// How long after its time a child may take to end by itself: more than a runtime's end is waited for (5 s).
const END_LIMIT: Duration = Duration::from_secs(10);
/// How often a child that prints nothing is looked at: what it started may hold its output open when it has ended.
const LOOK: Duration = Duration::from_millis(20);
/// How long the last output of a child that has ended is read, where the output does not end.
const LAST_OUTPUT_LIMIT: Duration = Duration::from_secs(1);
/// Pieces of output that wait to be printed; the child waits when there are more.
const MOST_PIECES: usize = 64;

/// What is to be run.
pub(super) struct Order<'a> {
    pub(super) test: &'a str,
    pub(super) timeout: Option<Duration>,
    pub(super) variables: &'a [(&'a str, &'a OsStr)],
    /// Whether what the child prints is kept back.
    pub(super) quiet: bool,
}

/// Runs a test in a child process, to its end.
pub(super) fn run(order: &Order<'_>) -> Result<(), Failure> {
    let (process, pieces, token) = start(order)?;
    let (pid, test, timeout) = (process.id(), order.test, order.timeout);
    let deadline = Deadline::after(timeout.map_or(Duration::MAX, |limit| limit.saturating_add(READY_LIMIT)));
    let output = Output::new(test, &token);
    let mut running = Running { process, pieces, output, timeout, deadline, quiet: order.quiet };
    let Some(status) = running.follow() else {
        return Err(running.too_late(pid));
    };
    judge(pid, running.finish(), status)
}

fn start(order: &Order<'_>) -> Result<(Process, Receiver<Vec<u8>>, String), Failure> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let token = format!("{}.{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let program = std::env::current_exe().map_err(|error| Failure::not_started(None, error))?;
    let mut command = Command::new(&program);
    let test = order.test;
    command.args(child::arguments(test)).env(child::VARIABLE, format!("{token} {test}"));
    command.envs(order.variables.iter().copied());
    let (reader, writer) = io::pipe().map_err(|error| Failure::not_started(None, error))?;
    // Where a shell becomes the program, only the shell would notice that there is none.
    let process = program
        .metadata()
        .and_then(|_| Process::spawn(command, file(writer)))
        .map_err(|error| Failure::not_started(Some(program), error))?;
    let pieces = read(reader).map_err(|error| Failure::not_started(None, error))?;
    Ok((process, pieces, token))
}

#[cfg(unix)]
fn file(writer: PipeWriter) -> File {
    std::os::fd::OwnedFd::from(writer).into()
}

#[cfg(windows)]
fn file(writer: PipeWriter) -> File {
    std::os::windows::io::OwnedHandle::from(writer).into()
}

/// Reads on a thread of its own, which ends with the output, or with the receiver; what the child started may keep it.
fn read(reader: PipeReader) -> io::Result<Receiver<Vec<u8>>> {
    let (sender, pieces) = mpsc::sync_channel(MOST_PIECES);
    let mark = Mark::descriptor(&reader);
    let read = move || {
        let (_mark, mut reader) = (mark, reader); // the later one is dropped first
        let mut buffer = [0; 8 << 10];
        loop {
            match reader.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => return,
                Ok(length) => {
                    if sender.send(buffer[..length].to_vec()).is_err() {
                        return;
                    }
                }
            }
        }
    };
    std::thread::Builder::new().name("isolated-nats output".into()).spawn(read)?;
    Ok(pieces)
}

/// A child that runs, or has ended and left output to be read.
struct Running<'a> {
    process: Process,
    pieces: Receiver<Vec<u8>>,
    output: Output<'a>,
    timeout: Option<Duration>,
    deadline: Deadline,
    quiet: bool,
}

impl Running<'_> {
    /// Passes on the output until the child has ended; `None` when its time was over before.
    fn follow(&mut self) -> Option<ExitStatus> {
        while !self.deadline.is_over() {
            match self.pieces.recv_timeout(LOOK) {
                Ok(bytes) => self.pass_on(&bytes),
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(status) = self.process.ended() {
                        self.read_the_rest();
                        return Some(status);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let first = Duration::from_micros(100);
                    return until_each(first, &self.deadline, || self.process.ended());
                }
            }
        }
        None
    }

    fn pass_on(&mut self, bytes: &[u8]) {
        for said in self.output.feed(bytes) {
            if said == Said::BodyBegins {
                let limit = self.timeout.map_or(Duration::MAX, |limit| limit.saturating_add(END_LIMIT));
                self.deadline = Deadline::after(limit);
            }
            print(self.quiet, &said);
        }
    }

    /// The child's own output is in the pipe by now, and what it started may go on for ever.
    fn read_the_rest(&mut self) {
        let deadline = Deadline::after(LAST_OUTPUT_LIMIT);
        // The thread that reads may itself be late: silence alone does not say that all has been read.
        while !deadline.is_over() && !self.output.has_result() {
            match self.pieces.recv_timeout(LOOK) {
                Ok(bytes) => self.pass_on(&bytes),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn finish(self) -> Seen {
        let (said, seen) = self.output.finish();
        said.iter().for_each(|said| print(self.quiet, said));
        seen
    }

    /// Kills the child, whose server dies with it, and shows what it said last.
    fn too_late(mut self, pid: u32) -> Failure {
        let limit = self.timeout.map_or(Duration::MAX, scaled);
        if let Err(error) = self.process.end() {
            tracing::warn!(%error, pid, "could not end a child process");
        }
        self.read_the_rest();
        self.finish();
        Failure::timed_out(pid, limit)
    }
}

fn print(quiet: bool, said: &Said) {
    match said {
        _ if quiet => {}
        Said::Line(line) => evidence::pass_on(line),
        Said::Aloud(line) => evidence::print_uncaptured(&format!("{line}\n")),
        Said::BodyBegins => {}
    }
}
