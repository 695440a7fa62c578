//! The processes of one probe.

use std::fmt;
use std::time::Duration;

use super::mark::Mark;
use crate::memory::figures::{Figure, PhaseProcess, ProcessFigures};
use crate::memory::series::Series;
use crate::process::{ProcessError, ProcessErrorKind, ProcessProbe, ProcessSample, Sampler};

/// One process, which may be restarted while it is measured.
pub(super) struct Track {
    label: String,
    pid: Box<dyn Fn() -> Option<u32> + Send>,
    pids: Vec<u32>,
    /// Reads the present process without looking at each of its threads.
    sampler: Option<Sampler>,
    /// The last sample of the present process, and the counters of those before it.
    last: Option<ProcessSample>,
    before: Counters,
    /// The counters at the start of the probe, and of the phase.
    at_start: Counters,
    at_phase: Counters,
    rss_at_phase: u64,
    /// Whether the kernel's high-water mark was reset when the phase began, and its highest since.
    mark_is_ours: bool,
    high: Mark,
    peak: u64,
    peak_is_exact: bool,
    rss: Series,
    virtual_bytes: Series,
    threads: Series,
    descriptors: Series,
    want_pages: bool,
}

/// What a process counts since its start, and those before it in its place; `None` when not all of it is known.
#[derive(Clone, Copy, Debug)]
struct Counters {
    cpu: Duration,
    read: Option<u64>,
    written: Option<u64>,
    voluntary: Option<u64>,
    involuntary: Option<u64>,
}

impl Counters {
    const ZERO: Self = Self {
        cpu: Duration::ZERO,
        read: Some(0),
        written: Some(0),
        voluntary: Some(0),
        involuntary: Some(0),
    };

    fn of(sample: &ProcessSample) -> Self {
        Self {
            cpu: sample.cpu_time,
            read: sample.read_bytes,
            written: sample.written_bytes,
            voluntary: sample.voluntary_switches,
            involuntary: sample.involuntary_switches,
        }
    }

    fn plus(self, other: Self) -> Self {
        let add = |a: Option<u64>, b: Option<u64>| Some(a? + b?);
        Self {
            cpu: self.cpu + other.cpu,
            read: add(self.read, other.read),
            written: add(self.written, other.written),
            voluntary: add(self.voluntary, other.voluntary),
            involuntary: add(self.involuntary, other.involuntary),
        }
    }

    fn since(self, start: Self) -> Self {
        let less = |a: Option<u64>, b: Option<u64>| Some(a?.saturating_sub(b?));
        Self {
            cpu: self.cpu.saturating_sub(start.cpu),
            read: less(self.read, start.read),
            written: less(self.written, start.written),
            voluntary: less(self.voluntary, start.voluntary),
            involuntary: less(self.involuntary, start.involuntary),
        }
    }
}

impl Track {
    pub(super) fn new(label: String, pid: Box<dyn Fn() -> Option<u32> + Send>, want_pages: bool) -> Self {
        Self {
            label,
            pid,
            pids: Vec::new(),
            sampler: None,
            last: None,
            before: Counters::ZERO,
            at_start: Counters::ZERO,
            at_phase: Counters::ZERO,
            rss_at_phase: 0,
            mark_is_ours: false,
            high: Mark::default(),
            peak: 0,
            peak_is_exact: true,
            rss: Series::default(),
            virtual_bytes: Series::default(),
            threads: Series::default(),
            descriptors: Series::default(),
            want_pages,
        }
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    pub(super) fn rss(&self) -> &Series {
        &self.rss
    }

    fn probe(&self) -> Option<ProcessProbe> {
        self.pids.last().map(|pid| ProcessProbe::new(*pid))
    }

    /// Takes the first sample, from which all is counted.
    pub(super) fn start(&mut self) {
        self.sample_whole(Duration::ZERO);
        self.begin_phase();
        self.at_start = self.at_phase;
    }

    /// Takes a sample of what changes most; a process that has ended leaves the counters as they were.
    pub(super) fn sample(&mut self, at: Duration) {
        let cheap = |track: &mut Self| track.sampler.as_mut().map(Sampler::sample);
        if let Some(sample) = self.read(cheap) {
            self.take(at, sample);
        }
    }

    /// Takes a sample with all there is.
    fn sample_whole(&mut self, at: Duration) {
        let whole = |track: &mut Self| track.probe().map(|probe| probe.sample());
        if let Some(sample) = self.read(whole) {
            self.take(at, sample);
        }
    }

    fn take(&mut self, at: Duration, sample: ProcessSample) {
        self.high.raise(sample.peak_rss_bytes.unwrap_or(0));
        self.rss.push(at, sample.rss_bytes as f64);
        let others = [
            (&mut self.virtual_bytes, sample.virtual_bytes),
            (&mut self.threads, sample.threads),
            (&mut self.descriptors, sample.open_descriptors),
        ];
        for (series, value) in others {
            if let Some(value) = value {
                series.push(at, value as f64);
            }
        }
        self.last = Some(sample);
    }

    fn read(
        &mut self,
        read: impl FnOnce(&mut Self) -> Option<Result<ProcessSample, ProcessError>>,
    ) -> Option<ProcessSample> {
        match read(self) {
            Some(Ok(sample)) => return Some(sample),
            Some(Err(error)) if error.kind() != ProcessErrorKind::Gone => return None,
            Some(Err(_)) | None => {}
        }
        let pid = (self.pid)().filter(|pid| *pid != 0 && self.pids.last() != Some(pid))?;
        let sample = ProcessProbe::new(pid).sample().ok()?;
        // Of a process that was started meanwhile, all belongs to this probe; of the first, what it did since the start.
        self.before = self.counters();
        self.mark_is_ours = !self.pids.is_empty();
        self.pids.push(pid);
        self.high.follow(pid);
        self.sampler = ProcessProbe::new(pid).sampler().ok();
        self.last = None;
        Some(sample)
    }

    fn counters(&self) -> Counters {
        self.last.as_ref().map_or(self.before, |last| self.before.plus(Counters::of(last)))
    }

    /// Begins a phase: what was done since the last one's end, which is to take our figures, is not counted in it.
    pub(super) fn begin_phase(&mut self) {
        let (sample, reset) = self.probe().map_or((None, false), |probe| self.high.reset(probe));
        self.last = sample.or_else(|| self.last.take());
        self.at_phase = self.counters();
        self.rss_at_phase = self.last.as_ref().map_or(0, |last| last.rss_bytes);
        self.mark_is_ours = reset;
    }

    /// Ends a phase that took so long, at this time.
    pub(super) fn end_phase(&mut self, at: Duration, took: Duration) -> Option<PhaseProcess> {
        self.sample_whole(at);
        let last = self.last.as_ref()?;
        let exact = self.mark_is_ours;
        let peak = exact.then(|| self.high.bytes());
        self.peak = self.peak.max(peak.unwrap_or(0));
        self.peak_is_exact &= exact;
        let counted = self.counters().since(self.at_phase);
        let figures = PhaseProcess {
            label: self.label.clone(),
            peak_rss_bytes: peak,
            rss_growth_bytes: last.rss_bytes.cast_signed() - self.rss_at_phase.cast_signed(),
            cpu_share: share(counted.cpu, took),
        };
        Some(figures)
    }

    /// All figures; the last phase must have ended. `None` when it was never there.
    pub(super) fn figures(&self, took: Duration) -> Option<ProcessFigures> {
        let rss = Figure::of(&self.rss)?;
        let counted = self.counters().since(self.at_start);
        let pages = self.want_pages.then(|| self.probe()?.pages().ok()).flatten();
        Some(ProcessFigures {
            label: self.label.clone(),
            pids: self.pids.clone(),
            rss_bytes: Figure {
                peak: rss.peak.max(self.peak as f64),
                peak_is_exact: self.peak_is_exact,
                ..rss
            },
            rss_slope: self.rss.slope_per_hour(),
            virtual_bytes: Figure::of(&self.virtual_bytes),
            threads: Figure::of(&self.threads),
            open_descriptors: Figure::of(&self.descriptors),
            cpu_time: counted.cpu,
            cpu_share: share(counted.cpu, took),
            read_bytes: counted.read,
            written_bytes: counted.written,
            voluntary_switches: counted.voluntary,
            involuntary_switches: counted.involuntary,
            pss_bytes: pages.as_ref().map(|pages| pages.pss_bytes),
            private_bytes: pages.as_ref().map(|pages| pages.private_bytes),
        })
    }
}

fn share(cpu: Duration, of: Duration) -> f64 {
    if of.is_zero() { 0.0 } else { cpu.as_secs_f64() / of.as_secs_f64() }
}

impl fmt::Debug for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Track").field("label", &self.label).field("pids", &self.pids).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track() -> Track {
        let mut track = Track::new("own".into(), Box::new(|| Some(std::process::id())), false);
        track.start();
        track
    }

    #[test]
    fn a_peak_of_samples_is_of_the_whole_and_of_no_phase() {
        let mut track = track();
        let high = ProcessSample { rss_bytes: 1 << 40, ..track.last.clone().unwrap() };
        track.mark_is_ours = false;
        track.take(Duration::from_millis(1), high);
        let second = Duration::from_secs(1);
        assert_eq!(track.end_phase(second, second).unwrap().peak_rss_bytes, None);
        let rss = track.figures(second).unwrap().rss_bytes;
        assert_eq!((rss.peak, rss.peak_is_exact), ((1_u64 << 40) as f64, false));
    }

    #[test]
    fn what_an_ended_process_did_last_is_not_taken_for_zero() {
        let mut track = track();
        // Between the limits of phases the switches are not read.
        track.sample(Duration::from_millis(1));
        track.before = track.counters();
        track.last = None;
        track.end_phase(Duration::from_secs(1), Duration::from_secs(1));
        let figures = track.figures(Duration::from_secs(1)).unwrap();
        assert_eq!((figures.voluntary_switches, figures.involuntary_switches), (None, None));
    }
}
