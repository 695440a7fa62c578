//! The whole machine: the first lines of `/proc/stat`, whose format is fixed by proc(5).

use std::time::{Duration, Instant};

/// What all processors together have done since the system's start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Whole {
    read: Instant,
    times: Times,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Times {
    cores: u64,
    /// Idle, and idle while something waits for storage.
    idle: Duration,
    interrupts: Duration,
    steal: Duration,
}

/// The same between two readings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Used {
    pub(super) cores: u64,
    /// By processes.
    pub(super) busy: Duration,
    pub(super) steal: Duration,
}

impl Whole {
    /// Reads them now; `None` where there is no such file, or nothing in it.
    pub(super) fn now() -> Option<Self> {
        let text = std::fs::read_to_string("/proc/stat").ok()?;
        Some(Self { read: Instant::now(), times: Times::parse(&text, ticks_per_second()?)? })
    }

    pub(super) fn since(self, start: Self) -> Option<Used> {
        self.times.since(start.times, self.read - start.read)
    }
}

impl Times {
    fn parse(text: &str, ticks_per_second: u64) -> Option<Self> {
        let numbers = text.lines().next()?.strip_prefix("cpu ")?.split_ascii_whitespace();
        let ticks: Vec<u64> = numbers.map_while(|number| number.parse().ok()).collect();
        let &[_user, _nice, _system, idle, waiting, hard, soft, steal] = ticks.get(..8)? else { return None };
        let processor = |line: &&str| line.strip_prefix("cpu").is_some_and(|rest| !rest.starts_with(' '));
        let cores = text.lines().filter(processor).count() as u64;
        // A sandbox may have the file, and only zeros in it.
        let measured = cores > 0 && ticks.iter().any(|ticks| *ticks > 0);
        let time = |ticks: u64| Duration::from_secs_f64(ticks as f64 / ticks_per_second as f64);
        measured.then(|| Self {
            cores,
            idle: time(idle + waiting),
            interrupts: time(hard + soft),
            steal: time(steal),
        })
    }

    /// What was not idle is taken for busy. The kernel's own sum of that (user, nice, system) is of ticks: a process that wakes
    /// for less than one, again and again, as paced load does, is missed or counted twice by it, while idle time is exact.
    ///
    /// Where the kernel accounts for interrupts, they are in no process's time, and so must not be in this one.
    /// `None` when a processor was switched on or off meanwhile.
    fn since(self, start: Self, elapsed: Duration) -> Option<Used> {
        let less = |now: Duration, before: Duration| now.saturating_sub(before);
        let steal = less(self.steal, start.steal);
        let not_ours = less(self.idle, start.idle) + less(self.interrupts, start.interrupts) + steal;
        let all = elapsed * u32::try_from(self.cores).ok()?;
        (self.cores == start.cores).then(|| Used { cores: self.cores, busy: less(all, not_ours), steal })
    }
}

#[cfg(target_os = "linux")]
fn ticks_per_second() -> Option<u64> {
    Some(rustix::param::clock_ticks_per_second()).filter(|ticks| *ticks > 0)
}

#[cfg(not(target_os = "linux"))]
fn ticks_per_second() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn times(text: &str) -> Times {
        Times::parse(text, 100).unwrap()
    }

    #[test]
    fn what_was_not_idle_is_busy() {
        let start = times("cpu  100 0 50 1000 10 0 5 2 0 0\ncpu0 1 2 3\ncpu1 1 2 3\nintr 7\n");
        // 1.2 of 2 s idle or waiting, 0.1 s interrupts, 0.2 s stolen: 0.5 s are left.
        let end = times("cpu  120 0 60 1110 20 4 11 22 0 0\ncpu0 1 2 3\ncpu1 1 2 3\nintr 7\n");
        let used = end.since(start, SECOND).unwrap();
        assert_eq!((used.cores, used.busy.as_millis(), used.steal.as_millis()), (2, 500, 200));
    }

    #[test]
    fn what_cannot_be_read_is_absent() {
        assert_eq!(Times::parse("cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0\n", 100), None);
        assert_eq!(Times::parse("cpu  1 2 3 4\ncpu0 0 0\n", 100), None);
        assert_eq!(Times::parse("", 100), None);
    }

    #[test]
    fn a_processor_that_was_switched_off_makes_it_unknown_and_time_never_runs_back() {
        let start = times("cpu  100 0 50 1000 10 0 5 2 0 0\ncpu0 1\ncpu1 1\n");
        assert_eq!(times("cpu  100 0 50 1000 10 0 5 2 0 0\ncpu0 1\n").since(start, SECOND), None);
        // proc(5): the time in which something waits for storage may fall.
        let end = times("cpu  100 0 50 1000 0 0 5 2 0 0\ncpu0 1\ncpu1 1\n");
        assert_eq!(end.since(start, SECOND).unwrap().busy, 2 * SECOND);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_machine_can_be_read() {
        let start = Whole::now().unwrap();
        let used = Whole::now().unwrap().since(start).unwrap();
        assert!(used.cores > 0 && used.busy < 3600 * SECOND, "{used:?}");
    }
}
