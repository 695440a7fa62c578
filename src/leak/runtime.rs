//! The end of a test's runtime: its threads, which must end with it, and what becomes of a report.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;

use super::finding::{Leak, LeakKind};
use super::report::LeakReport;
use super::whole::TaskPolicy;
use crate::evidence;
use crate::poll::{self, Deadline, scaled};

/// How long blocking work may hold up the end of the runtime; tokio alone would wait for ever.
const END_LIMIT: Duration = Duration::from_secs(5);
/// How long afterwards work may take that waited for a task: a runtime of one thread drops its tasks after that wait.
const LAST_LIMIT: Duration = Duration::from_secs(2);

/// The threads of one runtime: its workers, and those of blocking work.
#[derive(Clone, Debug, Default)]
pub(crate) struct RuntimeThreads(Arc<AtomicUsize>);

impl RuntimeThreads {
    /// Counts the threads of the runtime that is to be built.
    pub(crate) fn count(builder: &mut Builder) -> Self {
        let threads = Self::default();
        let (begun, ended) = (threads.clone(), threads.clone());
        builder.on_thread_start(move || _ = begun.0.fetch_add(1, Ordering::AcqRel));
        builder.on_thread_stop(move || _ = ended.0.fetch_sub(1, Ordering::AcqRel));
        threads
    }

    /// Ends the runtime, and returns how many of its threads did not end with it: they do blocking work.
    pub(crate) fn end(&self, shutdown_timeout: impl FnOnce(Duration)) -> usize {
        self.end_within(scaled(END_LIMIT), shutdown_timeout)
    }

    fn end_within(&self, limit: Duration, shutdown_timeout: impl FnOnce(Duration)) -> usize {
        let started = Instant::now();
        shutdown_timeout(limit);
        if started.elapsed() < limit {
            return 0; // tokio waits for every thread: all have ended
        }
        let none_left = || (self.alive() == 0).then_some(());
        poll::until(&Deadline::after(LAST_LIMIT), none_left).map_or_else(|| self.alive(), |()| 0)
    }

    fn alive(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

/// Adds the threads that did not end to what was found before, unless that has the same work in it.
pub(crate) fn with_threads(mut report: LeakReport, left: usize, allowed: usize) -> LeakReport {
    let is_known = report.leaks().iter().any(|leak| leak.kind == LeakKind::BlockingTask);
    match left {
        0 => {}
        _ if left <= allowed => report.use_allowance(),
        _ if is_known => {}
        _ => report.add(unended(left)),
    }
    report
}

fn unended(count: usize) -> Leak {
    let limit = scaled(END_LIMIT);
    let what = format!("had not ended {limit:.1?} after the runtime was told to");
    let hint = "`spawn_blocking` work, or a task that blocks its thread, cannot be ended from outside: give it a way to stop, \
                such as a channel that is closed or a flag";
    Leak { count, ..Leak::one(LeakKind::BlockingTask, what) }
        .hint(hint)
        .hint("tokio looks up the names of hosts by such work, too")
}

/// What becomes of a report: it is what the test fails with, and is returned; or it is printed.
pub(crate) fn weigh(report: LeakReport, policy: TaskPolicy, passed: bool) -> Option<LeakReport> {
    match policy {
        _ if report.is_clean() && !passed => {}
        _ if report.is_clean() => report.print_remarks(),
        // The test's own failure is the news.
        _ if !passed => evidence::print(&format!("isolated-nats: {report}\n")),
        TaskPolicy::Warn => evidence::print_uncaptured(&format!("isolated-nats: warning: {report}\n")),
        TaskPolicy::Deny | TaskPolicy::Off => return Some(report),
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::super::builder::Settings;
    use super::super::finding::Findings;
    use super::*;

    const SHORT: Duration = Duration::from_millis(20);

    fn builders() -> [Builder; 2] {
        let mut several = Builder::new_multi_thread();
        several.worker_threads(2);
        [Builder::new_current_thread(), several]
    }

    #[test]
    fn threads_that_end_are_none_left() {
        for mut builder in builders() {
            let threads = RuntimeThreads::count(&mut builder);
            let runtime = builder.enable_all().build().unwrap();
            let (started, has_started) = mpsc::channel();
            let (release, released) = mpsc::channel::<()>();
            runtime.spawn_blocking(move || {
                started.send(()).unwrap();
                let _ = released.recv();
            });
            has_started.recv().unwrap();
            assert!(threads.alive() >= 1);
            drop(release);
            assert_eq!(threads.end(|limit| runtime.shutdown_timeout(limit)), 0);
            assert_eq!(threads.alive(), 0);
        }
    }

    #[test]
    fn blocking_work_that_goes_on_is_left() {
        for mut builder in builders() {
            let threads = RuntimeThreads::count(&mut builder);
            let runtime = builder.build().unwrap();
            let (started, has_started) = mpsc::channel();
            let (release, released) = mpsc::channel::<()>();
            runtime.spawn_blocking(move || {
                started.send(()).unwrap();
                let _ = released.recv();
            });
            has_started.recv().unwrap();
            let left = threads.end_within(SHORT, |limit| runtime.shutdown_timeout(limit));
            assert!(left >= 1, "{left}"); // on a busy machine a worker may be slow, too
            drop(release); // it was still there
        }
    }

    /// tokio drops the tasks of a runtime of one thread only after it has waited for blocking work.
    #[test]
    fn blocking_work_that_waits_for_a_task_is_not_left() {
        let mut builder = Builder::new_current_thread();
        let threads = RuntimeThreads::count(&mut builder);
        let runtime = builder.build().unwrap();
        let (held, released) = mpsc::channel::<()>();
        runtime.spawn(async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        let (started, has_started) = mpsc::channel();
        runtime.spawn_blocking(move || {
            started.send(()).unwrap();
            let _ = released.recv();
        });
        has_started.recv().unwrap();
        assert_eq!(threads.end_within(SHORT, |limit| runtime.shutdown_timeout(limit)), 0);
    }

    fn report(allow_tasks: usize, leaks: &[LeakKind]) -> LeakReport {
        let leaks = leaks.iter().map(|kind| Leak::one(*kind, "")).collect();
        let findings = Findings { leaks, ..Findings::default() };
        LeakReport::new("a", findings, &Settings { allow_tasks, ..Settings::default() })
    }

    #[test]
    fn threads_are_added_unless_they_are_known_or_allowed() {
        use LeakKind::{BlockingTask, Task};
        for (before, left, allowed, after) in [
            (&[][..], 0, 0, &[][..]),
            (&[], 2, 1, &[(BlockingTask, 2)]),
            (&[], 2, 2, &[]),
            (&[Task], 1, 0, &[(Task, 1), (BlockingTask, 1)]),
            (&[BlockingTask], 1, 0, &[(BlockingTask, 1)]),
        ] {
            let report = with_threads(report(allowed, before), left, allowed);
            let leaks: Vec<_> = report.leaks().iter().map(|leak| (leak.kind, leak.count)).collect();
            assert_eq!(leaks, after);
            let is_stale = allowed > 0 && left == 0;
            assert!(is_stale || report.stale_ignores().is_empty() || !leaks.is_empty(), "{report}");
        }
        assert_eq!(with_threads(report(1, &[]), 0, 1).stale_ignores(), ["allow_tasks(1)"]);
    }

    #[test]
    fn only_a_test_that_passed_fails_by_what_it_left() {
        let leaky = || report(0, &[LeakKind::Task]);
        assert!(weigh(leaky(), TaskPolicy::Deny, true).is_some());
        assert!(weigh(leaky(), TaskPolicy::Deny, false).is_none());
        assert!(weigh(report(0, &[]), TaskPolicy::Deny, true).is_none());
    }
}
