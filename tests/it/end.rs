//! However a test process ends, no server and no directory outlives it.
#![cfg(unix)]

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use isolated_nats::ExternalNats;

use crate::support::{LONG, Scratch, Victim, is_gone, processes_with, wait_gone};

static HELD: OnceLock<ExternalNats> = OnceLock::new();

/// Starts a server, says so, and then ends as the variable asks.
#[tokio::test]
#[ignore = "a victim: run by the tests below, in a process of its own"]
async fn victim() -> Result<(), String> {
    let nats = ExternalNats::builder().jetstream().start().await.unwrap();
    let _client = nats.client().await.unwrap();
    let (pid, how) = (nats.pid(), std::env::var("VICTIM").unwrap());
    let _local = if how.ends_with("static") {
        HELD.set(nats).unwrap();
        None
    } else {
        Some(nats)
    };
    println!("READY {pid}");
    std::io::stdout().flush().unwrap();
    match how.split(' ').next().unwrap() {
        "return" => {}
        "panic" => panic!("on purpose"),
        "exit" => std::process::exit(0),
        "abort" => std::process::abort(),
        "err" => return Err("on purpose".into()),
        _ => std::future::pending().await,
    }
    Ok(())
}

/// The start that sweeps.
#[tokio::test]
#[ignore = "run by the tests below, in a process of its own"]
async fn next_start() {
    drop(ExternalNats::start().await.unwrap());
}

async fn ends_with_everything(lifeline: &str) {
    for how in ["return", "panic", "exit", "abort", "err", "SIGKILL", "SIGINT", "SIGTERM"] {
        for place in ["local", "static"] {
            let case = format!("{how} {place}");
            let root = Scratch::new(&format!("{lifeline} {case}"));
            let mut command = Victim::command("end::victim", root.path());
            command
                .env("VICTIM", &case)
                .env("ISOLATED_NATS_LIFELINE", lifeline)
                .env("ISOLATED_NATS_KEEP", "never");
            let (mut victim, ready) = Victim::start(command);
            let server: u32 = ready.parse().unwrap();
            let signal = match how {
                "SIGKILL" => Some(rustix::process::Signal::KILL),
                "SIGINT" => Some(rustix::process::Signal::INT),
                "SIGTERM" => Some(rustix::process::Signal::TERM),
                _ => None,
            };
            if let Some(signal) = signal {
                assert!(!is_gone(server), "{case}");
                let victim = rustix::process::Pid::from_child(&victim.0);
                rustix::process::kill_process(victim, signal).unwrap();
            }
            let status = victim.0.wait().unwrap();
            assert_eq!(status.signal().is_some(), signal.is_some() || how == "abort", "{case}: {status}");
            // The kernel's signal needs nobody to run; the watcher is a process that must get its turn.
            let limit = if lifeline == "death-signal" { Duration::from_secs(1) } else { LONG };
            wait_gone(server, limit).await;

            let (passed, text) = Victim::run("end::next_start", root.path(), &[]);
            assert!(passed, "{text}");
            assert_eq!(root.servers(), Vec::<std::path::PathBuf>::new(), "{case}");
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn nothing_outlives_the_process_by_the_death_signal() {
    ends_with_everything("death-signal").await;
}

/// The way of macOS and the BSDs, which works here too.
#[tokio::test]
async fn nothing_outlives_the_process_by_the_watcher() {
    ends_with_everything("watcher").await;
}

/// Killed at any moment of a start, and a little after; `ISOLATED_NATS_ORPHANS=1000` looks a thousand times.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_sudden_end_at_any_moment_leaves_no_server() {
    let rounds: u32 = std::env::var("ISOLATED_NATS_ORPHANS").map_or(40, |rounds| rounds.parse().unwrap());
    let root = Scratch::new("sudden");
    for round in 0..rounds {
        let mut command = Victim::command("end::victim", root.path());
        command
            .env("VICTIM", "waits local")
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        command.env("ISOLATED_NATS_LIFELINE", if round % 2 == 0 { "death-signal" } else { "watcher" });
        let mut victim = Victim(command.spawn().unwrap());
        // A moment within the first 40 ms, in which a start takes about 20; 7 919 is prime, so that they spread.
        let moment = Instant::now() + Duration::from_micros(u64::from(round * 7919 % 40_000));
        while Instant::now() < moment {
            std::thread::yield_now();
        }
        victim.0.kill().unwrap();
        victim.0.wait().unwrap();
    }
    let path = root.path().to_str().unwrap();
    isolated_nats::eventually("no server is left", LONG, async || match processes_with(path).as_slice() {
        [] => Ok(()),
        left => Err(format!("{left:?}")),
    })
    .await
    .unwrap();
    let (passed, text) = Victim::run("end::next_start", root.path(), &[]);
    assert!(passed, "{text}");
    assert_eq!(root.servers(), Vec::<std::path::PathBuf>::new(), "the next start removes what they left");
}

/// With libtest, the thread that starts a server ends with its test; a server in a `static` must not end with it.
#[test]
fn a_server_outlives_the_thread_that_started_it() {
    let nats = std::thread::spawn(|| ExternalNats::start_blocking().unwrap()).join().unwrap();
    // Longer than the kernel takes to deliver a signal; a server that is still there answers.
    let deadline = Instant::now() + Duration::from_millis(100);
    while Instant::now() < deadline {
        assert!(!is_gone(nats.pid()));
        std::thread::yield_now();
    }
    std::net::TcpStream::connect(("127.0.0.1", nats.port())).unwrap();
}

/// A runner with a process group for each test ends the group; it must find the server in it.
#[tokio::test]
async fn the_server_stays_in_the_process_group_of_the_test() {
    let nats = ExternalNats::start().await.unwrap();
    let pid = rustix::process::Pid::from_raw(nats.pid().try_into().unwrap());
    assert_eq!(rustix::process::getpgid(pid).unwrap(), rustix::process::getpgrp());
}

/// The children of a test must not hold its output open, or its runner waits for them.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_server_inherits_no_output_and_no_descriptor() {
    let nats = ExternalNats::start().await.unwrap();
    let descriptors = format!("/proc/{}/fd", nats.pid());
    let ours = |number: u32| std::fs::read_link(format!("/proc/self/fd/{number}")).ok();
    for entry in std::fs::read_dir(descriptors).unwrap() {
        let Ok(target) = std::fs::read_link(entry.unwrap().path()) else { continue };
        let text = target.to_string_lossy().into_owned();
        let own_pipe = text.starts_with("pipe:") && [ours(1), ours(2)].contains(&Some(target));
        assert!(!own_pipe && !text.contains("owner.lock"), "{text}");
    }
}
