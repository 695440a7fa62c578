//! One line on a terminal that says how far a run is.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::snapshot::LoadSnapshot;
use crate::memory::text::{count, duration, percent, whole};

/// A run that is planned to be shorter has no line.
const LEAST: Duration = Duration::from_secs(3);
/// The line is written anew no more often than this: a little less than the monitor's interval, which may come early after a
/// late one.
const EVERY: Duration = Duration::from_millis(150);
const WIDTH: usize = 80;
/// How many characters the bar has.
const BAR: usize = 20;
/// To the line's begin, and what stands in it away.
const CLEAR: &str = "\r\x1b[K";

/// One terminal has room for one line: runs of other tests meanwhile have none.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Writes on standard error, where that is a terminal. Dropped, it removes the line.
pub(super) struct Progress {
    out: Box<dyn Write + Send>,
    width: usize,
    /// When the line was last written, and what had ended by then.
    shown: Option<Shown>,
    place: Option<Place>,
}

#[derive(Clone, Copy)]
struct Shown {
    at: Instant,
    elapsed: Duration,
    completed: u64,
}

/// The one place for a line.
struct Place(());

impl Place {
    fn take() -> Option<Self> {
        (!TAKEN.swap(true, Ordering::Relaxed)).then_some(Self(()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        TAKEN.store(false, Ordering::Relaxed);
    }
}

impl Progress {
    /// `None` where there is no terminal that can clear a line, or `CI` is set, or another run has the line.
    pub(super) fn start() -> Option<Self> {
        let variable = |name: &str| std::env::var_os(name);
        if !is_wanted(io::stderr().is_terminal(), variable) {
            return None;
        }
        let place = Place::take()?;
        let mut progress = Self::on(Box::new(io::stderr()), width(variable));
        progress.place = Some(place);
        Some(progress)
    }

    fn on(out: Box<dyn Write + Send>, width: usize) -> Self {
        Self { out, width, shown: None, place: None }
    }

    /// Replaces the line, if it has stood long enough and the run is long enough for one.
    pub(super) fn show(&mut self, so_far: &LoadSnapshot) {
        let long = so_far.planned.unwrap_or(so_far.elapsed) > LEAST;
        let stood = self.shown.is_none_or(|shown| shown.at.elapsed() >= EVERY);
        if !long || !stood {
            return;
        }
        let rate = self.shown.and_then(|before| before.rate(so_far));
        self.write(&format!("{CLEAR}{}", line(so_far, rate, self.width)));
        let completed = so_far.counts.completed();
        self.shown = Some(Shown { at: Instant::now(), elapsed: so_far.elapsed, completed });
    }

    /// Removes the line.
    pub(super) fn finish(self) {}

    /// What cannot be written is left out: a terminal that is gone ends no run.
    fn write(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown.is_some() {
            self.write(CLEAR);
        }
    }
}

impl Shown {
    /// Operations that have ended since, per second.
    fn rate(self, now: &LoadSnapshot) -> Option<f64> {
        let passed = now.elapsed.checked_sub(self.elapsed).filter(|passed| !passed.is_zero())?;
        let ended = now.counts.completed().saturating_sub(self.completed);
        Some(ended as f64 / passed.as_secs_f64())
    }
}

fn is_wanted(is_terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let is_dumb = variable("TERM").is_some_and(|terminal| terminal == "dumb");
    let is_ci = variable("CI").is_some_and(|value| !value.is_empty() && value != "false");
    is_terminal && !is_dumb && !is_ci
}

/// Shells set `COLUMNS`, and few hand it on.
fn width(variable: impl Fn(&str) -> Option<OsString>) -> usize {
    let columns = variable("COLUMNS").and_then(|text| text.to_str()?.parse().ok());
    columns.filter(|columns| *columns > 0).unwrap_or(WIDTH)
}

/// `[#######-------------]  35.0 %, 3.50 s of 10.0 s, 1 000/s, 0 errors, p99 1.20 ms, 3 outstanding`, cut so that it does not
/// go on in the next line.
fn line(so_far: &LoadSnapshot, rate: Option<f64>, width: usize) -> String {
    let mut parts = vec![done(so_far)];
    parts.extend(rate.map(|rate| format!("{}/s", count(whole(rate.round())))));
    let failed = so_far.counts.failed;
    parts.push(format!("{} error{}", count(failed), if failed == 1 { "" } else { "s" }));
    parts.extend(so_far.response.percentile(99.0).map(|p99| format!("p99 {}", duration(p99))));
    parts.push(format!("{} outstanding", count(so_far.outstanding)));
    parts.join(", ").chars().take(width.saturating_sub(1)).collect()
}

fn done(so_far: &LoadSnapshot) -> String {
    let elapsed = so_far.elapsed;
    if elapsed.is_zero() {
        return "warming up".to_owned();
    }
    let Some(planned) = so_far.planned.filter(|planned| !planned.is_zero()) else {
        return format!("{}, {} ended", duration(elapsed), count(so_far.counts.completed()));
    };
    let share = (elapsed.as_secs_f64() / planned.as_secs_f64()).min(1.0);
    let full = usize::try_from(whole(share * BAR as f64)).unwrap_or(BAR);
    let bar = format!("{}{}", "#".repeat(full), "-".repeat(BAR - full));
    format!("[{bar}] {:>7}, {} of {}", percent(share), duration(elapsed), duration(planned))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::figures::LoadCounts;
    use super::super::latency::latency_of;
    use super::*;

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Screen {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn snapshot(elapsed: f64, planned: Option<f64>) -> LoadSnapshot {
        LoadSnapshot {
            name: "total".into(),
            elapsed: Duration::from_secs_f64(elapsed),
            planned: planned.map(Duration::from_secs_f64),
            counts: LoadCounts { succeeded: 3499, failed: 1, ..LoadCounts::default() },
            outstanding: 3,
            response: latency_of([1_200_000; 3]),
            service: latency_of([]),
            lag: latency_of([]),
            operations: Vec::new(),
        }
    }

    #[test]
    fn the_line_says_how_far_it_is() {
        let expected =
            "[#######-------------]  35.0 %, 3.50 s of 10.0 s, 1 000/s, 1 error, p99 1.20 ms, 3 outstanding";
        assert_eq!(line(&snapshot(3.5, Some(10.0)), Some(999.7), 200), expected);
        assert_eq!(line(&snapshot(3.5, Some(10.0)), Some(999.7), 40), expected[..39]);
        let without_plan = line(&snapshot(3.5, None), None, 80);
        assert_eq!(without_plan, "3.50 s, 3 500 ended, 1 error, p99 1.20 ms, 3 outstanding");
        assert!(line(&snapshot(0.0, Some(10.0)), None, 80).starts_with("warming up, "));
        assert!(line(&snapshot(12.0, Some(10.0)), None, 80).starts_with("[####################] 100.0 %, "));
    }

    #[test]
    fn the_line_is_removed_at_the_end_and_only_if_there_is_one() {
        let screen = Screen::default();
        let mut progress = Progress::on(Box::new(screen.clone()), 80);
        progress.show(&snapshot(1.0, Some(2.0)));
        progress.finish();
        assert_eq!(screen.text(), "", "a short run");
        let mut progress = Progress::on(Box::new(screen.clone()), 120);
        progress.show(&snapshot(1.0, Some(10.0)));
        drop(progress);
        let text = screen.text();
        assert!(text.starts_with("\r\x1b[K[##---") && text.ends_with("outstanding\r\x1b[K"), "{text:?}");
    }

    #[test]
    fn the_rate_is_of_the_time_since_the_last_line() {
        let before = Shown { at: Instant::now(), elapsed: Duration::from_secs(3), completed: 3000 };
        assert_eq!(before.rate(&snapshot(3.5, None)), Some(1000.0));
        assert_eq!(before.rate(&snapshot(3.0, None)), None);
    }

    #[test]
    fn a_line_stands_for_a_while() {
        let screen = Screen::default();
        let mut progress = Progress::on(Box::new(screen.clone()), 80);
        progress.show(&snapshot(1.0, Some(10.0)));
        // As if it had been written only now, however slow this machine is.
        let hour = Duration::from_secs(3600);
        progress.shown.iter_mut().for_each(|shown| shown.at += hour);
        progress.show(&snapshot(1.1, Some(10.0)));
        assert_eq!(screen.text().matches(CLEAR).count(), 1);
        progress.shown.iter_mut().for_each(|shown| shown.at -= hour + EVERY);
        progress.show(&snapshot(1.2, Some(10.0)));
        assert_eq!(screen.text().matches(CLEAR).count(), 2);
    }

    #[test]
    fn it_is_for_a_terminal_that_can_clear_a_line_and_not_for_ci() {
        let set = |variable: &'static str, value: &'static str| {
            move |name: &str| (name == variable).then(|| OsString::from(value))
        };
        assert!(is_wanted(true, set("TERM", "xterm")) && is_wanted(true, set("CI", "")));
        assert!(!is_wanted(false, set("TERM", "xterm")));
        assert!(!is_wanted(true, set("TERM", "dumb")) && !is_wanted(true, set("CI", "true")));
        assert_eq!(
            (width(set("COLUMNS", "132")), width(set("COLUMNS", "x")), width(set("X", ""))),
            (132, 80, 80)
        );
    }

    #[test]
    fn there_is_one_place_for_a_line() {
        let place = Place::take().unwrap();
        assert!(Place::take().is_none());
        drop(place);
        assert!(Place::take().is_some());
    }
}
