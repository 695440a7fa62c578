//! Samples from the start of a run to its end.

use std::num::NonZero;
use std::time::{Duration, Instant};

use super::successor::{is_successor, program};
use super::whole::Whole;
use super::{MachineFigures, NotMeasured, ProcessLoad};
use crate::alone::Alone;
use crate::leak::{all_children, arguments};
use crate::memory;
use crate::process::{self, ProcessProbe, ProcessSample};

/// No two samples are nearer than this.
const LEAST: Duration = Duration::from_millis(20);
/// How often children are looked for, which takes a list for each thread of this process.
const LOOK: Duration = Duration::from_millis(200);

/// Samples this process, others, and the machine.
pub(in crate::load) struct Sampler {
    started: Instant,
    sampled: Instant,
    looked: Instant,
    whole: Option<Whole>,
    own_process: Option<String>,
    own: Option<Track>,
    /// First those given to the builder.
    others: Vec<Track>,
    not_measured: Vec<NotMeasured>,
    arguments: Vec<Vec<u8>>,
    cost: Option<Duration>,
    samples: u64,
}

impl Sampler {
    /// Reads everything for the first time: this process, the `labelled` ones, and the children of this process. `alone` says why no
    /// other test runs in this process.
    pub(in crate::load) fn start(labelled: Vec<(String, ProcessProbe)>, alone: Option<Alone>) -> Self {
        let _ours = memory::ours();
        let now = Instant::now();
        let mut sampler = Self {
            started: now,
            sampled: now,
            looked: now,
            whole: None,
            own_process: alone.map(|alone| alone.to_string()),
            own: Track::new("own", ProcessProbe::new(std::process::id()), Since::Start).ok(),
            others: Vec::new(),
            not_measured: Vec::new(),
            arguments: arguments(std::process::id()),
            cost: Some(Duration::ZERO),
            samples: 1,
        };
        labelled.into_iter().for_each(|(label, probe)| sampler.follow(&label, probe));
        // A child that goes over from one thread to another may be passed over by one look.
        sampler.look(Since::Start);
        sampler.look(Since::Start);
        sampler.whole = Whole::now();
        sampler
    }

    fn follow(&mut self, label: &str, probe: ProcessProbe) {
        match Track::new(label, probe, Since::Start) {
            Ok(track) => self.others.push(track),
            Err(error) => {
                self.not_measured.push(NotMeasured { label: label.to_owned(), why: error.to_string() });
            }
        }
    }

    /// Called with every window, for peaks, and for processes that are started and end.
    pub(in crate::load) fn sample(&mut self) {
        if self.sampled.elapsed() >= LEAST {
            self.take(Look::IfDue);
        }
    }

    pub(super) fn take(&mut self, look: Look) {
        let _ours = memory::ours();
        let before = process::thread_time();
        self.sampled = Instant::now();
        self.samples += 1;
        self.own.iter_mut().chain(&mut self.others).for_each(Track::sample);
        self.others.iter_mut().for_each(|track| track.identify(&self.arguments));
        if look == Look::Now || self.looked.elapsed() >= LOOK {
            self.looked = Instant::now();
            self.look(Since::Birth);
        }
        let took = process::thread_time().zip(before).map(|(after, before)| after.saturating_sub(before));
        self.cost = self.cost.zip(took).map(|(sum, took)| sum + took);
    }

    /// Looks for children that are not known yet.
    fn look(&mut self, since: Since) {
        for pid in all_children() {
            if self.others.iter().any(|track| track.is_running() && track.pids.contains(&pid)) {
                continue;
            }
            // One that has ended meanwhile is no more to be seen.
            let Ok(mut new) = Track::new("", ProcessProbe::new(pid), since) else { continue };
            new.identify(&self.arguments);
            // It has not become its program yet: the next look knows what it is.
            if new.is_unknown(&self.arguments) && since == Since::Birth {
                continue;
            }
            let before = self.others.iter_mut().find(|track| track.is_restarted_as(&new));
            match before {
                Some(track) => track.go_on_as(new),
                None => self.others.push(new),
            }
        }
    }

    /// Reads everything for the last time; `None` where this process cannot be sampled.
    pub(in crate::load) fn finish(mut self) -> Option<MachineFigures> {
        let _ours = memory::ours();
        self.take(Look::Now);
        let elapsed = self.started.elapsed();
        let used = Whole::now().zip(self.whole).and_then(|(end, start)| end.since(start));
        let own = self.own?.load();
        let processes: Vec<_> = self.others.into_iter().map(Track::load).collect();
        let known = own.cpu_time + processes.iter().map(|process| process.cpu_time).sum::<Duration>();
        Some(MachineFigures {
            elapsed,
            cores: std::thread::available_parallelism().ok().map(|cores| NonZero::get(cores) as u64),
            machine_cores: used.map(|used| used.cores),
            own,
            own_process: self.own_process,
            processes,
            not_measured: self.not_measured,
            other_cpu: used.map(|used| used.busy.saturating_sub(known)),
            steal_cpu: used.map(|used| used.steal),
            sampling_cpu: self.cost,
            samples: self.samples,
        })
    }
}

/// Whether children are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Now,
    /// When the last look is long enough ago.
    IfDue,
}

/// From when on the CPU time of a process counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Since {
    /// It was there at the start.
    Start,
    /// It was started since.
    Birth,
}

/// One process, which may be restarted.
struct Track {
    /// Empty when it bears its program's name.
    label: String,
    arguments: Vec<Vec<u8>>,
    pids: Vec<u32>,
    /// `None` when it has ended.
    sampler: Option<process::Sampler>,
    /// CPU time of those before it in its place, during the run.
    before: Duration,
    /// CPU time of this one that is from before the run.
    not_counted: Duration,
    cpu: Duration,
    rss_start: Option<u64>,
    rss: u64,
    rss_peak: u64,
    /// The kernel's mark when last read.
    mark: Option<u64>,
    threads: Option<u64>,
}

impl Track {
    fn new(label: &str, probe: ProcessProbe, since: Since) -> Result<Self, process::ProcessError> {
        let mut sampler = probe.sampler()?;
        let first = sampler.sample()?;
        let was_there = since == Since::Start;
        let mut track = Self {
            label: label.to_owned(),
            arguments: arguments(probe.pid()),
            pids: vec![probe.pid()],
            sampler: Some(sampler),
            before: Duration::ZERO,
            not_counted: if was_there { first.cpu_time } else { Duration::ZERO },
            cpu: Duration::ZERO,
            rss_start: was_there.then_some(first.rss_bytes),
            rss: 0,
            rss_peak: 0,
            mark: if was_there { first.peak_rss_bytes } else { None },
            threads: None,
        };
        track.add(&first);
        Ok(track)
    }

    fn sample(&mut self) {
        match self.sampler.as_mut().map(process::Sampler::sample) {
            Some(Ok(sample)) => self.add(&sample),
            Some(Err(error)) if error.kind() == process::ProcessErrorKind::Gone => self.sampler = None,
            Some(Err(_)) | None => {}
        }
    }

    fn add(&mut self, sample: &ProcessSample) {
        self.cpu = sample.cpu_time;
        self.rss = sample.rss_bytes;
        self.rss_peak = self.rss_peak.max(sample.rss_bytes);
        // A mark that has risen since the last sample, or since the process began, was reached in the run.
        if sample.peak_rss_bytes > self.mark {
            self.rss_peak = self.rss_peak.max(sample.peak_rss_bytes.unwrap_or(0));
        }
        self.mark = sample.peak_rss_bytes;
        self.threads = self.threads.max(sample.threads);
    }

    /// Between its birth and its program, a process has its parent's arguments, and for a moment none.
    fn is_unknown(&self, parent: &[Vec<u8>]) -> bool {
        self.arguments.is_empty() || self.arguments == parent
    }

    fn identify(&mut self, parent: &[Vec<u8>]) {
        if self.is_running() && self.is_unknown(parent) {
            self.arguments = self.pids.last().map(|pid| arguments(*pid)).unwrap_or_default();
        }
    }

    fn is_running(&self) -> bool {
        self.sampler.is_some()
    }

    fn is_restarted_as(&self, new: &Self) -> bool {
        !self.is_running() && is_successor(&self.arguments, &new.arguments)
    }

    fn go_on_as(&mut self, new: Self) {
        self.before = self.counted();
        self.pids.extend(new.pids);
        self.arguments = new.arguments;
        self.sampler = new.sampler;
        self.not_counted = new.not_counted;
        self.cpu = new.cpu;
        self.rss = new.rss;
        self.rss_peak = self.rss_peak.max(new.rss_peak);
        self.mark = new.mark;
        self.threads = self.threads.max(new.threads);
    }

    fn counted(&self) -> Duration {
        self.before + self.cpu.saturating_sub(self.not_counted)
    }

    fn load(self) -> ProcessLoad {
        let name = || program(&self.arguments).unwrap_or_else(|| "child".to_owned());
        ProcessLoad {
            cpu_time: self.counted(),
            rss_end_bytes: self.is_running().then_some(self.rss),
            label: if self.label.is_empty() { name() } else { self.label },
            pids: self.pids,
            rss_start_bytes: self.rss_start,
            rss_peak_bytes: self.rss_peak,
            threads_peak: self.threads,
        }
    }
}
