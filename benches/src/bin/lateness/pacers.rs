//! Who releases arrivals that do nothing: the load generator, and tokio's timers by hand.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use isolated_nats::{LoadGenerator, Rate, Schedule};
use isolated_nats_benches::Error;
use rustix::time::{ClockId, clock_gettime};
use tokio::time::MissedTickBehavior;

const LONGEST_NANOSECONDS: u64 = 60_000_000_000;
/// What `interval` is set to: tokio's timers know whole milliseconds only.
const TICK: Duration = Duration::from_millis(1);

/// Who releases arrivals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pacer {
    Ours,
    Precise,
    /// `interval` of a millisecond; at each tick all that are due.
    Interval,
    /// `sleep_until` for each that is not due yet.
    SleepUntil,
}

pub(crate) const PACERS: [Pacer; 4] = [Pacer::Ours, Pacer::Precise, Pacer::Interval, Pacer::SleepUntil];

impl Pacer {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Precise => "ours, precise",
            Self::Interval => "interval(1 ms)",
            Self::SleepUntil => "sleep_until",
        }
    }
}

/// How late arrivals were, and what it cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Late {
    /// Microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// CPU time of the whole process over the time that passed.
    pub(crate) cores: f64,
    pub(crate) per_second: f64,
}

pub(crate) async fn run(pacer: Pacer, per_second: u64, length: Duration) -> Result<Late, Error> {
    let arrivals = per_second * length.as_millis() as u64 / 1_000;
    let (begin, cpu) = (Instant::now(), cpu_time());
    let (p50, p99) = match pacer {
        Pacer::Ours | Pacer::Precise => ours(pacer, per_second, length, arrivals).await?,
        Pacer::Interval => by_interval(per_second, arrivals).await?,
        Pacer::SleepUntil => by_sleep_until(per_second, arrivals).await?,
    };
    let elapsed = begin.elapsed().as_secs_f64();
    let cores = cpu_time().saturating_sub(cpu).as_secs_f64() / elapsed;
    Ok(Late { p50, p99, cores, per_second: arrivals as f64 / elapsed })
}

async fn ours(pacer: Pacer, per_second: u64, length: Duration, arrivals: u64) -> Result<(f64, f64), Error> {
    let builder = LoadGenerator::builder()
        .schedule(Schedule::steady(Rate::per_second(per_second as f64), length))
        .progress(false)
        .operation("nothing", 1, |_| async { Ok(()) });
    let builder = if pacer == Pacer::Precise { builder.precise() } else { builder };
    let report = builder.run().await?;
    if report.count() != arrivals || report.lag().count() != arrivals {
        return Err(format!("{} of {arrivals} arrivals were run", report.count()).into());
    }
    let microseconds = |percent| {
        let found = report.lag().percentile(percent);
        found.map(|found| found.as_secs_f64() * 1e6).ok_or("the report has no lag")
    };
    Ok((microseconds(50.0)?, microseconds(99.0)?))
}

async fn by_interval(per_second: u64, arrivals: u64) -> Result<(f64, f64), Error> {
    let mut lags = Lags::new(per_second)?;
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut number = 0;
    while number < arrivals {
        ticks.tick().await;
        while number < arrivals && lags.release(number) {
            number += 1;
        }
    }
    Ok(lags.percentiles())
}

async fn by_sleep_until(per_second: u64, arrivals: u64) -> Result<(f64, f64), Error> {
    let mut lags = Lags::new(per_second)?;
    for number in 0..arrivals {
        // Without the look, each would wait for the next millisecond, due or not.
        if !lags.release(number) {
            tokio::time::sleep_until(lags.due(number).into()).await;
            lags.release(number);
        }
    }
    Ok(lags.percentiles())
}

/// What a loop by hand records.
struct Lags {
    begin: Instant,
    per_second: u64,
    recorded: Histogram<u64>,
}

impl Lags {
    fn new(per_second: u64) -> Result<Self, Error> {
        let recorded = Histogram::new_with_bounds(1, LONGEST_NANOSECONDS, 2)?;
        Ok(Self { begin: Instant::now(), per_second, recorded })
    }

    fn due(&self, number: u64) -> Instant {
        self.begin + Duration::from_nanos(number * 1_000_000_000 / self.per_second)
    }

    /// Releases it if it is due.
    fn release(&mut self, number: u64) -> bool {
        let lag = Instant::now().checked_duration_since(self.due(number));
        if let Some(lag) = lag {
            self.recorded.saturating_record(lag.as_nanos() as u64);
        }
        lag.is_some()
    }

    fn percentiles(&self) -> (f64, f64) {
        let microseconds = |share| self.recorded.value_at_quantile(share) as f64 / 1e3;
        (microseconds(0.5), microseconds(0.99))
    }
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}
