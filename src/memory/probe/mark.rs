//! The kernel's high-water mark of a process, of which there is one, however many probes reset it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use super::lock;
use crate::process::{ProcessProbe, ProcessSample};

/// What every probe of every process is told before the mark is reset.
static MARKS: Mutex<Vec<(u32, Weak<AtomicU64>)>> = Mutex::new(Vec::new());

/// The most bytes ever resident, as one probe sees it.
#[derive(Debug, Default)]
pub(super) struct Mark(Arc<AtomicU64>);

impl Mark {
    pub(super) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn raise(&self, bytes: u64) {
        self.0.fetch_max(bytes, Ordering::Relaxed);
    }

    /// From now on, whoever resets the mark of this process tells this one before.
    pub(super) fn follow(&self, pid: u32) {
        self.follow_in(&mut marks(), pid);
    }

    fn follow_in(&self, marks: &mut Vec<(u32, Weak<AtomicU64>)>, pid: u32) {
        marks.retain(|(_, mark)| mark.strong_count() > 0 && mark.as_ptr() != Arc::as_ptr(&self.0));
        marks.push((pid, Arc::downgrade(&self.0)));
    }

    /// Begins anew: returns the last sample before, and whether the mark could be reset.
    pub(super) fn reset(&self, probe: ProcessProbe) -> (Option<ProcessSample>, bool) {
        let mut marks = marks(); // between the sample and the reset no other may come
        let sample = probe.sample().ok();
        let peak = sample.as_ref().and_then(|sample| sample.peak_rss_bytes).unwrap_or(0);
        let of_process = marks.iter().filter(|(pid, _)| *pid == probe.pid());
        of_process.filter_map(|(_, mark)| mark.upgrade()).for_each(|mark| {
            mark.fetch_max(peak, Ordering::Relaxed);
        });
        let done = probe.reset_peak_rss().is_ok();
        self.0.store(sample.as_ref().map_or(0, |sample| sample.rss_bytes), Ordering::Relaxed);
        self.follow_in(&mut marks, probe.pid());
        (sample, done)
    }
}

fn marks() -> MutexGuard<'static, Vec<(u32, Weak<AtomicU64>)>> {
    lock(&MARKS)
}
