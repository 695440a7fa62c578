//! Each test runs again in a process of its own, leaves one thing, and looks.

mod servers;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::alone::{Alone, Told};
use crate::leak::finding::LeakKind;
use crate::leak::ignore::Ignored;
use crate::poll::{Deadline, until};

/// What a guard waits for what ends by itself.
const SETTLE: Duration = Duration::from_millis(500);
/// For what certainly comes.
const LONG: Duration = Duration::from_secs(30);

/// Runs the body where nothing else runs.
#[track_caller]
fn alone(body: impl FnOnce()) {
    if alone::alone().is_some_and(Alone::is_for_good) {
        let _told = Told::begin();
        return body();
    }
    alone::run_again("a test has a named thread", None).unwrap();
}

fn baseline() -> ProcessBaseline {
    ProcessBaseline::take().unwrap()
}

fn looked(baseline: &ProcessBaseline) -> Vec<Leak> {
    baseline.leaks(&Ignores::default())
}

#[track_caller]
fn is_clean(baseline: &ProcessBaseline) {
    let mut last = Vec::new();
    let clean = until(&Deadline::after(SETTLE), || {
        last = looked(baseline);
        (last.is_empty() && baseline.is_clean(&Ignores::default())).then_some(())
    });
    assert_eq!(clean, Some(()), "{last:#?}");
}

/// The one thing that is left, once it is all that is left.
#[track_caller]
fn the_one(baseline: &ProcessBaseline, kind: LeakKind, begins: &str) -> Leak {
    let mut last = Vec::new();
    let found = until(&Deadline::after(LONG), || {
        last = looked(baseline);
        let one = last.len() == 1 && last[0].kind == kind && last[0].what.starts_with(begins);
        one.then(|| last.remove(0))
    });
    found.unwrap_or_else(|| panic!("`{begins}` expected: {last:#?}"))
}

fn ignoring(ignored: Ignored, pattern: &str) -> Ignores {
    let mut ignores = Ignores::default();
    ignores.add(ignored, pattern);
    ignores
}

// ---- whether it is looked at at all ----

#[test]
fn beside_other_tests_nothing_is_checked() {
    match (alone::alone(), ProcessBaseline::take()) {
        (None, Err(not_checked)) => {
            assert_eq!(not_checked.what, "threads, descriptors, children");
            assert!(not_checked.why.starts_with("shared process (run it under nextest"), "{not_checked:?}");
        }
        (Some(_), Ok(_)) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn many_are_cut_and_the_rest_is_counted() {
    let leaks: Vec<_> = (0..SHOWN + 3).map(|number| Leak::one(LeakKind::Child, number.to_string())).collect();
    let shown = linux::capped(LeakKind::Child, leaks);
    assert_eq!((shown.len(), shown[SHOWN].count, shown[SHOWN].what.as_str()), (SHOWN + 1, 3, "and 3 more"));
}

// ---- threads ----

#[test]
fn a_thread_that_is_stuck_is_found_by_its_name_and_may_be_allowed() {
    alone(|| {
        let baseline = baseline();
        let (release, released) = mpsc::channel::<()>();
        let stuck = std::thread::Builder::new().name("stuck-worker".into());
        let stuck = stuck.spawn(move || released.recv()).unwrap();
        let leak = the_one(&baseline, LeakKind::Thread, "`stuck-worker` (tid ");
        assert_eq!(leak.count, 1);
        let ignores = ignoring(Ignored::Threads, "stuck-*");
        assert_eq!(baseline.leaks(&ignores), []);
        assert_eq!(ignores.stale(|_| true).count(), 0);
        drop(release);
        stuck.join().unwrap().unwrap_err();
        is_clean(&baseline);
    });
}

#[test]
fn threads_of_one_name_are_one_group_and_those_without_say_whose_it_is() {
    alone(|| {
        let baseline = baseline();
        let (release, released) = mpsc::channel::<()>();
        let released = std::sync::Arc::new(std::sync::Mutex::new(released));
        for _ in 0..3 {
            let released = std::sync::Arc::clone(&released);
            std::thread::spawn(move || released.lock().unwrap().recv());
        }
        // The test's name, as far as Linux keeps it.
        let leak = the_one(&baseline, LeakKind::Thread, "`leak::process::` (tids ");
        assert_eq!(leak.count, 3);
        assert!(leak.hints[0].starts_with("a thread without a name"), "{leak:?}");
        drop(release);
        is_clean(&baseline);
    });
}

#[test]
fn a_runtime_that_is_dropped_leaves_nothing() {
    alone(|| {
        let baseline = baseline();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("mine")
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            tokio::task::spawn_blocking(|| {}).await.unwrap();
        });
        drop(runtime);
        is_clean(&baseline);
    });
}

#[test]
fn a_guard_from_outside_of_its_runtime_does_not_find_that() {
    alone(|| {
        let baseline = baseline();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            is_clean(&baseline);
            let second = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let leaks = looked(&baseline);
            let epoll = |leak: &Leak| leak.what.starts_with("epoll instance (fd ");
            assert!(leaks.iter().any(epoll), "{leaks:#?}");
            second.shutdown_background();
            is_clean(&baseline);
        });
    });
}

#[test]
fn threads_that_a_pool_keeps_are_not_counted() {
    alone(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let baseline = baseline();
            tokio::task::spawn_blocking(|| {}).await.unwrap();
            is_clean(&baseline);
        });
    });
}

#[test]
fn threads_that_a_pool_of_another_name_keeps_are_not_counted_either() {
    alone(|| {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.thread_name("pool-of-mine-1").enable_all().build().unwrap();
        runtime.block_on(async {
            let baseline = baseline();
            let (release, released) = mpsc::channel::<()>();
            let busy = tokio::task::spawn_blocking(move || released.recv());
            tokio::task::spawn_blocking(|| {}).await.unwrap();
            is_clean(&baseline);
            drop(release);
            busy.await.unwrap().unwrap_err();
            let (release, released) = mpsc::channel::<()>();
            let stuck = std::thread::Builder::new().name("stuck-worker".into());
            let stuck = stuck.spawn(move || released.recv()).unwrap();
            the_one(&baseline, LeakKind::Thread, "`stuck-worker` (tid ");
            drop(release);
            stuck.join().unwrap().unwrap_err();
        });
    });
}

// ---- descriptors ----

#[test]
fn a_file_that_is_open_is_found_by_its_path_and_may_be_allowed() {
    alone(|| {
        let path = std::env::temp_dir().join(format!("leak-{}.txt", std::process::id()));
        let baseline = baseline();
        let file = File::create(&path).unwrap();
        let leak = the_one(&baseline, LeakKind::Descriptor, &format!("`{}` (fd ", path.display()));
        assert!(leak.what.ends_with(')') && leak.hints.is_empty(), "{leak:?}");
        assert_eq!(baseline.leaks(&ignoring(Ignored::Descriptors, "*/leak-*.txt")), []);
        assert_eq!(baseline.leaks(&ignoring(Ignored::Descriptors, "leak")).len(), 1);
        drop(file);
        is_clean(&baseline);
        fs::remove_file(path).unwrap();
    });
}

#[test]
fn a_file_from_before_may_be_renamed_and_removed() {
    alone(|| {
        let path = std::env::temp_dir().join(format!("leak-{}-before", std::process::id()));
        let _file = File::create(&path).unwrap();
        let baseline = baseline();
        let moved = path.with_extension("moved");
        fs::rename(path, &moved).unwrap();
        is_clean(&baseline);
        fs::remove_file(moved).unwrap();
        is_clean(&baseline);
    });
}

#[test]
fn a_number_that_means_another_file_is_found() {
    alone(|| {
        let path = |name| std::env::temp_dir().join(format!("leak-{}-{name}", std::process::id()));
        let (old, new) = (File::create(path("old")).unwrap(), File::create(path("new")).unwrap());
        let before = std::os::fd::AsRawFd::as_raw_fd(&old);
        let moved = rustix::io::fcntl_dupfd_cloexec(&new, 100).unwrap();
        drop(new);
        let baseline = baseline();
        drop(old);
        let new = rustix::io::fcntl_dupfd_cloexec(&moved, before).unwrap();
        assert_eq!(std::os::fd::AsRawFd::as_raw_fd(&new), before);
        let leak = the_one(&baseline, LeakKind::Descriptor, &format!("`{}` (fd ", path("new").display()));
        assert!(leak.what.ends_with(&format!("(fd {before})")), "{leak:?}");
        for name in ["old", "new"] {
            fs::remove_file(path(name)).unwrap();
        }
    });
}

#[test]
fn sockets_have_their_addresses() {
    alone(|| {
        let outer = baseline();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        the_one(&outer, LeakKind::Descriptor, &format!("listener on {address} (fd "));
        let inner = baseline();
        let stream = TcpStream::connect(address).unwrap();
        let local = stream.local_addr().unwrap();
        let leak = the_one(&inner, LeakKind::Descriptor, &format!("socket {local} -> {address} (fd "));
        assert!(leak.hints.is_empty(), "no server of ours: {leak:?}");
        let ignores = ignoring(Ignored::Descriptors, &format!("socket * -> {address}"));
        assert!(inner.is_clean(&ignores) && !inner.is_clean(&ignoring(Ignored::Descriptors, "socket")));
        assert_eq!(inner.leaks(&ignores), []);
        drop(stream);
        is_clean(&inner);
        drop(listener);
        is_clean(&outer);
    });
}

#[test]
fn pipes_and_unix_sockets_are_named() {
    alone(|| {
        let outer = baseline();
        let (reader, writer) = io::pipe().unwrap();
        let whats: Vec<_> = looked(&outer).into_iter().map(|leak| leak.what).collect();
        assert!(whats.len() == 2 && whats[0].starts_with("pipe, reading end (fd "), "{whats:?}");
        assert!(whats[1].starts_with("pipe, writing end (fd "), "{whats:?}");
        drop(reader);
        the_one(&outer, LeakKind::Descriptor, "pipe, writing end (fd ");
        drop(writer);
        let pair = UnixStream::pair().unwrap();
        let whats: Vec<_> = looked(&outer).into_iter().map(|leak| leak.what).collect();
        let unix = |what: &String| what.starts_with("unix socket without a name (fd ");
        assert!(whats.len() == 2 && whats.iter().all(unix), "{whats:?}");
        drop(pair);
        is_clean(&outer);
    });
}

// ---- children ----

/// A command that runs until the other end is dropped, or this process ends, however it does.
fn endless() -> (Command, io::PipeWriter) {
    let (input, held) = io::pipe().unwrap();
    let mut command = Command::new("cat");
    command.arg("-").stdin(input);
    (command, held)
}

#[test]
fn a_child_that_runs_is_found_by_its_command_line_and_may_be_allowed() {
    alone(|| {
        let (mut command, _held) = endless();
        let baseline = baseline();
        let mut child = command.spawn().unwrap();
        let leak = the_one(&baseline, LeakKind::Child, "`cat -` (pid ");
        assert!(leak.what.ends_with(&format!("(pid {})", child.id())), "{leak:?}");
        assert_eq!(baseline.leaks(&ignoring(Ignored::Children, "cat *")), []);
        child.kill().unwrap();
        child.wait().unwrap();
        is_clean(&baseline);
    });
}

#[test]
fn a_child_of_a_thread_that_has_ended_is_found_too() {
    alone(|| {
        let (mut command, _held) = endless();
        let baseline = baseline();
        let mut child = std::thread::spawn(move || command.spawn().unwrap()).join().unwrap();
        the_one(&baseline, LeakKind::Child, "`cat -` (pid ");
        child.kill().unwrap();
        child.wait().unwrap();
        is_clean(&baseline);
    });
}

#[test]
fn a_child_that_nobody_waited_for_is_a_zombie() {
    alone(|| {
        let baseline = baseline();
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"x").unwrap();
        let mut text = String::new();
        child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        let found = until(&Deadline::after(LONG), || {
            let leaks = looked(&baseline);
            let [leak] = &leaks[..] else { return None };
            leak.details.first().map(|detail| (leak.what.clone(), detail.clone()))
        });
        let (what, detail) = found.unwrap();
        assert_eq!(what, format!("`cat` (pid {})", child.id()));
        assert_eq!(detail, "zombie: it has ended, and nobody waited for it");
        child.wait().unwrap();
        is_clean(&baseline);
    });
}

#[test]
fn a_child_that_tokio_kills_is_gone() {
    alone(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (command, _held) = endless();
            let mut command = tokio::process::Command::from(command);
            let baseline = baseline();
            let child = command.kill_on_drop(true).spawn().unwrap();
            assert!(looked(&baseline).iter().any(|leak| leak.kind == LeakKind::Child));
            drop(child);
            let clean = async || match &looked(&baseline)[..] {
                [] => Ok(()),
                leaks => Err(format!("{leaks:?}")),
            };
            crate::eventually("the child is gone", LONG, clean).await.unwrap();
        });
    });
}
