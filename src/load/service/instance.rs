//! What is counted while services run.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;

use super::super::engine::Kinds;
use super::super::histogram::{Counts, Recording, nanos};
use super::super::latency::Latency;
use super::figures::{InstanceEnd, InstanceFigures, ServiceFigures};

#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) instances: Vec<Arc<Instance>>,
    /// From intended start to arrival, of what carries a stamp.
    delivery: Recording,
    measuring: AtomicBool,
    /// By the number of the instance.
    errors: Kinds,
}

#[derive(Debug)]
pub(super) struct Instance {
    service: String,
    pub(super) number: usize,
    ready: AtomicBool,
    became_ready: Notify,
    received: AtomicU64,
    bytes: AtomicU64,
    end: OnceLock<InstanceEnd>,
}

impl Service {
    pub(super) fn new(name: String, instances: usize) -> Self {
        let instance = |number| Arc::new(Instance::new(name.clone(), number));
        let instances = (0..instances).map(instance).collect();
        let (delivery, measuring) = (Recording::new(), AtomicBool::new(false));
        Self { name, instances, delivery, measuring, errors: Kinds::default() }
    }

    pub(super) fn measure(&self) {
        self.measuring.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_measuring(&self) -> bool {
        self.measuring.load(Ordering::Relaxed)
    }

    pub(super) fn failed(&self, instance: &Instance, error: &str) {
        self.errors.count(instance.number, error);
    }

    pub(super) fn delivered(&self, latency: Duration) {
        self.delivery.add_shared(nanos(latency));
    }

    /// `measured` is how long it was measured, `None` when it never was.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are more than a rate needs")]
    pub(super) fn figures(&self, measured: Option<Duration>) -> ServiceFigures {
        let mut delivery = Counts::new();
        self.delivery.add_to(&mut delivery);
        let instances: Vec<_> =
            self.instances.iter().map(|instance| self.instance_figures(instance)).collect();
        let received = instances.iter().map(|instance| instance.received).sum();
        let ended = |kind: fn(&InstanceEnd) -> bool| {
            instances.iter().filter(|instance| kind(&instance.end)).count() as u64
        };
        ServiceFigures {
            name: self.name.clone(),
            received,
            received_per_second: measured
                .filter(|measured| !measured.is_zero())
                .map(|measured| received as f64 / measured.as_secs_f64()),
            bytes: instances.iter().map(|instance| instance.bytes).sum(),
            delivery: Latency::of(&delivery),
            errors: self.errors.of(None),
            panicked: ended(|end| matches!(end, InstanceEnd::Panicked(_))),
            aborted: ended(|end| matches!(end, InstanceEnd::Aborted)),
            instances,
        }
    }

    fn instance_figures(&self, instance: &Instance) -> InstanceFigures {
        InstanceFigures {
            instance: instance.number as u64,
            received: instance.received.load(Ordering::Relaxed),
            bytes: instance.bytes.load(Ordering::Relaxed),
            errors: self.errors.of(Some(instance.number)).iter().map(|error| error.count).sum(),
            end: instance.end.get().cloned().unwrap_or(InstanceEnd::Aborted),
        }
    }
}

impl Instance {
    fn new(service: String, number: usize) -> Self {
        Self {
            service,
            number,
            ready: AtomicBool::new(false),
            became_ready: Notify::new(),
            received: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            end: OnceLock::new(),
        }
    }

    /// As texts name it.
    pub(super) fn name(&self) -> String {
        format!("instance {} of service `{}`", self.number, self.service)
    }

    pub(super) fn ready(&self) {
        self.ready.store(true, Ordering::SeqCst);
        self.became_ready.notify_one(); // keeps a permit for the one who will wait
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::SeqCst)
    }

    pub(super) async fn wait_ready(&self) {
        while !self.is_ready() {
            self.became_ready.notified().await;
        }
    }

    pub(super) fn received(&self, bytes: usize) {
        self.received.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn end(&self, end: InstanceEnd) {
        let _ = self.end.set(end); // a task ends once
    }
}
