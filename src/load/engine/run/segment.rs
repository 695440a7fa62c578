//! Segment by segment: open phases, closed loops, and the warm-up before them.

use std::time::{Duration, Instant};

use super::{Bursts, Closed, Plan, Relaxed, Run, Schedule, Segment, Until, delay, nanos, pacer};

/// Where the numbers of the warm-up begin: those of the schedule begin at 0, with or without one.
pub(super) const WARM_UP_NUMBERS: u64 = 1 << 60;
/// How many numbers a closed loop is given that ends by time.
const NUMBERS: u64 = 1 << 40;
/// How often the end of a segment is looked for, when nothing says that it has come.
const LOOK: Duration = Duration::from_millis(20);

/// A segment, and the number of its first operation.
#[derive(Debug)]
pub(super) struct Numbered {
    pub(super) segment: Segment,
    base: u64,
    /// From the start of the schedule, as far as its phases end by time.
    at: Duration,
}

impl Numbered {
    /// Workers that it can use.
    pub(super) fn workers(&self, max_in_flight: usize) -> usize {
        match &self.segment {
            Segment::Open(plan) => {
                usize::try_from(plan.count()).map_or(max_in_flight, |count| max_in_flight.min(count))
            }
            Segment::Closed(closed) => closed.workers,
        }
        .max(1)
    }

    pub(super) fn duration(&self) -> Option<Duration> {
        match &self.segment {
            Segment::Open(plan) => Some(plan.duration()),
            Segment::Closed(Closed { until: Until::Time(time), .. }) => Some(*time),
            Segment::Closed(_) => None,
        }
    }

    fn count(&self) -> Option<u64> {
        match &self.segment {
            Segment::Open(plan) => Some(plan.count()),
            Segment::Closed(Closed { until: Until::Count(count), .. }) => Some(*count),
            Segment::Closed(_) => None,
        }
    }
}

pub(super) fn numbered(schedule: &Schedule) -> Vec<Numbered> {
    let (mut base, mut at) = (0, Duration::ZERO);
    let number = |segment| {
        let numbered = Numbered { segment, base, at };
        base += numbered.count().unwrap_or(NUMBERS);
        at += numbered.duration().unwrap_or_default();
        numbered
    };
    schedule.segments().into_iter().map(number).collect()
}

pub(super) fn bursts(segments: &[Numbered]) -> Bursts {
    let mut bursts = Bursts::default();
    for numbered in segments {
        if let Segment::Open(plan) = &numbered.segment {
            for burst in plan.bursts() {
                bursts.add(numbered.base + burst.first, burst.size, nanos(numbered.at) + burst.at);
            }
        }
    }
    bursts
}

impl Run {
    /// Runs the warm-up, if there is one, until nothing of it is in flight.
    pub(super) async fn warm_up(&mut self) {
        let duration = self.setting.warm_up;
        let Some(first) = self.segments.first().filter(|_| !duration.is_zero()) else { return };
        match &first.segment {
            Segment::Open(plan) => self.open(&plan.warm_up(duration), WARM_UP_NUMBERS, true).await,
            Segment::Closed(closed) => {
                let closed = Closed { until: Until::Time(duration), ..*closed };
                self.closed(&closed, WARM_UP_NUMBERS, true).await
            }
        };
    }

    /// Runs a segment until nothing of it is in flight; returns its planned end.
    pub(super) async fn segment(&self, at: usize) -> Instant {
        let Numbered { segment, base, .. } = &self.segments[at];
        match segment {
            Segment::Open(plan) => self.open(plan, *base, false).await,
            Segment::Closed(closed) => self.closed(closed, *base, false).await,
        }
    }

    async fn open(&self, plan: &Plan, base: u64, warm_up: bool) -> Instant {
        let from = Instant::now();
        self.shared.source.open(base, warm_up);
        let gap = if self.setting.precise { Duration::ZERO } else { pacer::GAP };
        pacer::start(&self.shared, plan, from, gap, self.runtime.threads);
        let end = from + plan.duration();
        self.drained(Some(end)).await;
        if !self.shared.is_stopping() {
            delay(end.saturating_duration_since(Instant::now())).await;
        }
        self.shared.source.pause();
        end
    }

    async fn closed(&self, closed: &Closed, base: u64, warm_up: bool) -> Instant {
        let from = Instant::now();
        self.shared.source.close_loop(closed, base, self.shared.since_epoch(from), warm_up);
        let end = if let Until::Time(time) = closed.until { Some(from + time) } else { None };
        self.drained(end).await;
        self.shared.source.pause();
        end.unwrap_or_else(Instant::now)
    }

    /// Waits until the segment has ended and nothing of it is in flight, or until the limit after its end. Where it has no
    /// planned end, the limit is one between two operations that end.
    async fn drained(&self, end: Option<Instant>) {
        let mut marked = false;
        self.drained_marking(end, &mut marked).await;
        if !marked {
            self.shared.mark_in_time();
        }
    }

    /// The same, marking the planned end where it comes before.
    async fn drained_marking(&self, end: Option<Instant>, marked: &mut bool) {
        let (source, limit) = (&self.shared.source, self.setting.stop_timeout);
        let (mut last, mut progress, mut stopped) = (0, Instant::now(), None);
        while !source.is_drained() {
            let now = Instant::now();
            if !*marked && end.is_some_and(|end| now >= end) {
                *marked = true;
                self.shared.mark_in_time();
            }
            let stopping = self.shared.is_stopping();
            let ended = self.shared.recorder.last_end();
            if ended != last {
                (last, progress) = (ended, now);
            }
            // An open segment ends with its pacer.
            if !source.is_open() && (stopping || end.is_some_and(|end| now >= end)) {
                source.end();
            }
            if stopping {
                stopped.get_or_insert(now);
            }
            let since = stopped.into_iter().chain(end).min().unwrap_or(progress + source.think());
            if now.saturating_duration_since(since) >= limit {
                self.shared.gave_up.store(true, Relaxed);
                self.shared.stop(); // whatever hangs would hang in the next segment, too
                source.end();
                return;
            }
            let rest = end.filter(|end| *end > now).map_or(LOOK, |end| (end - now).min(LOOK));
            tokio::select! {
                () = source.changed.notified() => {}
                () = delay(rest) => {}
            }
        }
    }
}
