//! More than one process on one cache.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use isolated_nats_server_binary::{Source, StepErrorKind};

use crate::support::{
    Said, Scratch, UNKNOWN, acquire,
    archives::{release, sha256},
    command, files,
    server::{HttpServer, Reply},
    step,
};

fn fetch(scratch: &Scratch, server: &HttpServer, archive: &[u8]) -> Command {
    let mut command = command(scratch);
    command
        .args(["fetch", "--version", UNKNOWN, "--mirror", &server.url(), "--sha256", &sha256(archive)])
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// A child that is gone after the test, however it ends.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a fetch that gets stuck in the middle, and waits until it is there.
fn stuck(scratch: &Scratch, archive: &[u8]) -> (Process, HttpServer) {
    let server = HttpServer::with_archive(UNKNOWN, Reply::Held(archive.to_vec()));
    let process = Process(fetch(scratch, &server, archive).spawn().unwrap());
    // What it writes shows that it has the lock and the first half.
    let limit = Instant::now() + Duration::from_secs(60);
    while !files(&scratch.cache().join("tmp")).iter().any(|file| file.to_string_lossy().ends_with(".tar.gz"))
    {
        assert!(Instant::now() < limit, "the fetch did not begin");
        std::thread::yield_now();
    }
    (process, server)
}

#[test]
fn many_processes_on_a_cold_cache_make_one_download() {
    let scratch = Scratch::new();
    let archive = release(UNKNOWN);
    let server = HttpServer::with_archive(UNKNOWN, Reply::Body(archive.clone()));
    let processes: Vec<_> = (0..32).map(|_| fetch(&scratch, &server, &archive).spawn().unwrap()).collect();
    let mut first = 0;
    for process in processes {
        let output = process.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{text}");
        first += usize::from(text.contains("(mirror)"));
    }
    assert_eq!((server.requests().len(), first), (1, 1));
    assert_eq!(files(&scratch.cache().join("v1")).len(), 2);
    assert_eq!(files(&scratch.cache().join("tmp")).len(), 0);
}

#[test]
fn whoever_waits_says_for_whom_once_and_gives_up_at_the_deadline() {
    let scratch = Scratch::new();
    let archive = release(UNKNOWN);
    let (holder, server) = stuck(&scratch, &archive);
    let said = Said::default();
    let acquire = acquire(&scratch).version(UNKNOWN).mirror(server.url()).sha256(sha256(&archive));
    let error = acquire.progress(said.progress()).deadline(Duration::from_millis(1600)).run().unwrap_err();
    let lines = said.take();
    let expected = format!("waiting for `isolated-nats-server` (pid {}, for ", holder.0.id());
    assert!(lines.len() == 1 && lines[0].starts_with(&expected), "{lines:?}");
    let mirror = step(&error, Source::Mirror);
    assert_eq!(mirror.kind(), StepErrorKind::Deadline);
    assert!(mirror.to_string().contains(&format!("(pid {}, for ", holder.0.id())), "{mirror}");
}

#[test]
fn a_process_killed_in_mid_download_leaves_a_cache_that_the_next_one_repairs() {
    let scratch = Scratch::new();
    let archive = release(UNKNOWN);
    let (mut process, _held) = stuck(&scratch, &archive);
    process.0.kill().unwrap();
    process.0.wait().unwrap();
    // It left what it had, and nothing that could be taken for an entry.
    assert_ne!(files(&scratch.cache().join("tmp")).len(), 0);
    assert_eq!(files(&scratch.cache().join("v1")).len(), 0);

    let server = HttpServer::with_archive(UNKNOWN, Reply::Body(archive.clone()));
    let binary =
        acquire(&scratch).version(UNKNOWN).mirror(server.url()).sha256(sha256(&archive)).run().unwrap();
    assert_eq!(binary.source, Source::Mirror);
    assert_eq!(files(&scratch.cache().join("tmp")).len(), 0);
}

#[test]
fn the_lock_passes_on_when_its_holder_is_killed() {
    let scratch = Scratch::new();
    let archive = release(UNKNOWN);
    let (process, _held) = stuck(&scratch, &archive);
    let server = HttpServer::with_archive(UNKNOWN, Reply::Body(archive.clone()));
    let waiting = acquire(&scratch).version(UNKNOWN).mirror(server.url()).sha256(sha256(&archive));
    let thread = std::thread::spawn(move || waiting.run());
    // The lock passes on with the death of its holder, and nobody has to break it.
    drop(process);
    assert_eq!(thread.join().unwrap().unwrap().source, Source::Mirror);
}
