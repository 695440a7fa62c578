//! The state of a probe, and the samples that fill it.

use std::collections::BTreeMap;
use std::sync::{Mutex, TryLockError};
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeMetrics};

use super::gauge::Gauge;
use super::handle::MemorySample;
use super::heap::Heap;
use super::lock;
use super::process::Track;
use crate::alone::Alone;
use crate::memory::allocator::{self, Domain};
use crate::memory::figures::{Figure, PhaseFigures, Sampling};
use crate::memory::installed::NoHeap;
use crate::memory::report::{MemoryReport, Parts};
use crate::memory::series::Series;
use crate::memory::text::whole;

/// All that a probe, its sampler and its handles share.
#[derive(Debug)]
pub(super) struct Shared {
    test: String,
    started: Instant,
    heap: Result<Heap, NoHeap>,
    alone: Option<Alone>,
    tasks: Option<RuntimeMetrics>,
    interval: Option<Duration>,
    state: Mutex<State>,
    /// Apart from the state, which others may ask for while a gauge takes its time.
    gauges: Mutex<Vec<Gauge>>,
}

#[derive(Debug)]
struct State {
    phase: String,
    phase_at: Duration,
    phase_tasks: Series,
    phases: Vec<PhaseFigures>,
    tracks: Vec<Track>,
    heap: Series,
    tasks: Series,
    samples: u64,
    cost: Duration,
}

impl State {
    fn count_sample(&mut self, began: Instant) {
        self.samples += 1;
        self.cost += began.elapsed();
    }
}

impl Shared {
    pub(super) fn start(
        heap: Result<Heap, NoHeap>,
        alone: Option<Alone>,
        tracks: Vec<Track>,
        gauges: Vec<Gauge>,
        interval: Option<Duration>,
    ) -> Self {
        let state = State {
            phase: "start".into(),
            phase_at: Duration::ZERO,
            phase_tasks: Series::default(),
            phases: Vec::new(),
            tracks,
            heap: Series::default(),
            tasks: Series::default(),
            samples: 0,
            cost: Duration::ZERO,
        };
        let shared = Self {
            test: std::thread::current().name().unwrap_or("a test").to_owned(),
            started: Instant::now(),
            heap,
            alone,
            tasks: Handle::try_current().ok().map(|runtime| runtime.metrics()),
            interval,
            state: Mutex::new(state),
            gauges: Mutex::new(gauges),
        };
        shared.take_first_sample();
        shared
    }

    fn take_first_sample(&self) {
        let began = Instant::now();
        self.sample_gauges(Duration::ZERO, true);
        let mut state = lock(&self.state);
        state.tracks.iter_mut().for_each(Track::start);
        self.sample_test(&mut state, Duration::ZERO);
        state.count_sample(began);
        state.phase_at = self.started.elapsed();
    }

    /// A sample between the limits of phases.
    pub(super) fn sample(&self) {
        let began = Instant::now();
        let at = self.started.elapsed();
        let mut state = lock(&self.state);
        self.sample_test(&mut state, at);
        state.tracks.iter_mut().for_each(|track| track.sample(at));
        drop(state);
        self.sample_gauges(at, false);
        lock(&self.state).count_sample(began);
    }

    /// Does nothing while another thread is at the gauges: one of them may never come back.
    fn with_gauges<T: Default>(&self, work: impl FnOnce(&mut Vec<Gauge>) -> T) -> T {
        match self.gauges.try_lock() {
            Ok(mut gauges) => work(&mut gauges),
            Err(TryLockError::Poisoned(gauges)) => work(&mut gauges.into_inner()),
            Err(TryLockError::WouldBlock) => T::default(),
        }
    }

    fn sample_gauges(&self, at: Duration, limit: bool) {
        self.with_gauges(|gauges| gauges.iter_mut().for_each(|gauge| gauge.sample(at, limit)));
    }

    fn sample_test(&self, state: &mut State, at: Duration) {
        if let Ok(heap) = &self.heap {
            state.heap.push(at, heap.growth() as f64);
        }
        if let Some(tasks) = self.live_tasks() {
            state.tasks.push(at, tasks as f64);
            state.phase_tasks.push(at, tasks as f64);
        }
    }

    pub(super) fn live_tasks(&self) -> Option<u64> {
        self.tasks.as_ref().map(|runtime| runtime.num_alive_tasks() as u64)
    }

    pub(super) fn live_heap(&self) -> Option<i64> {
        self.heap.as_ref().ok().map(Heap::growth)
    }

    pub(super) fn is_alone(&self) -> bool {
        self.alone.is_some()
    }

    pub(super) fn domain(&self) -> Option<&'static Domain> {
        self.heap.as_ref().ok().map(Heap::domain)
    }

    pub(super) fn heap(&self) -> Result<&Heap, NoHeap> {
        self.heap.as_ref().map_err(|why| *why)
    }

    pub(super) fn component(&self, name: &str) -> &'static Domain {
        match &self.heap {
            Ok(heap) => heap.component(name),
            Err(_) => allocator::current_domain(),
        }
    }

    pub(super) fn now(&self) -> MemorySample {
        let state = lock(&self.state);
        let rss = |track: &Track| Some((track.label().to_owned(), whole(track.rss().last()?.value)));
        MemorySample {
            at: self.started.elapsed(),
            heap_growth_bytes: self.live_heap(),
            tasks: self.live_tasks(),
            rss_bytes: state.tracks.iter().filter_map(rss).collect(),
        }
    }

    pub(super) fn series(&self, name: &str) -> Option<Series> {
        self.all_series().remove(name)
    }

    /// All that has samples, by name.
    fn all_series(&self) -> BTreeMap<String, Series> {
        let of_gauge = |gauge: &Gauge| (gauge.name().to_owned(), gauge.series().clone());
        let mut all: BTreeMap<_, _> = self.with_gauges(|gauges| gauges.iter().map(of_gauge).collect());
        let state = lock(&self.state);
        all.extend([("heap".to_owned(), state.heap.clone()), ("tasks".to_owned(), state.tasks.clone())]);
        all.extend(state.tracks.iter().map(|track| (format!("rss {}", track.label()), track.rss().clone())));
        all.retain(|_, series| !series.is_empty());
        all
    }

    pub(super) fn begin_phase(&self, name: &str) {
        self.end_phase();
        name.clone_into(&mut lock(&self.state).phase);
    }

    /// Ends the phase now; what it takes to look at the processes belongs to no phase, and the gauges to the next.
    fn end_phase(&self) {
        let began = Instant::now();
        let mut state = lock(&self.state);
        let now = self.started.elapsed();
        let (at, duration) = (state.phase_at, now.saturating_sub(state.phase_at));
        let heap = self.heap.as_ref().ok().map(Heap::end_phase);
        self.sample_test(&mut state, now);
        let processes = state.tracks.iter_mut().filter_map(|track| track.end_phase(now, duration)).collect();
        let tasks = std::mem::take(&mut state.phase_tasks);
        let name = state.phase.clone();
        let peak_tasks = tasks.max().map(|tasks| whole(tasks.value));
        state.phases.push(PhaseFigures { name, at, duration, heap, processes, peak_tasks });
        state.tracks.iter_mut().for_each(Track::begin_phase);
        state.phase_at = self.started.elapsed();
        drop(state);
        self.sample_gauges(now, true);
        lock(&self.state).count_sample(began);
    }

    pub(super) fn finish(&self) -> MemoryReport {
        self.end_phase();
        let series = self.all_series();
        let gauges = self.with_gauges(|gauges| gauges.iter().filter_map(Gauge::figures).collect());
        let mut state = lock(&self.state);
        let duration = state.phases.last().map_or(Duration::ZERO, |phase| phase.at + phase.duration);
        let heap = self.heap.as_ref();
        MemoryReport::new(Parts {
            test: self.test.clone(),
            duration,
            heap: heap.map(|heap| heap.figures(&state.heap, self.interval.is_some())).map_err(|why| *why),
            components: heap.map(Heap::components).unwrap_or_default(),
            crossing: heap.ok().and_then(Heap::crossing),
            alone: self.alone,
            processes: state.tracks.iter().filter_map(|track| track.figures(duration)).collect(),
            tasks: Figure::of(&state.tasks),
            gauges,
            phases: std::mem::take(&mut state.phases),
            sampling: Sampling { interval: self.interval, samples: state.samples, cost: state.cost },
            series,
        })
    }
}
