//! Consumers that run beside the load, with figures of their own.

mod context;
mod figures;
mod instance;

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};

use super::error::{LoadError, LoadErrorKind, OperationError, chain};
use crate::panic::message;
use crate::{memory, poll};
pub use context::ServiceContext;
pub use figures::{InstanceEnd, InstanceFigures, ServiceFigures};
use instance::{Instance, Service};

/// How long all instances together may take until each is ready.
const READY_LIMIT: Duration = Duration::from_secs(10);

type Run = Box<
    dyn Fn(ServiceContext) -> Pin<Box<dyn Future<Output = Result<(), OperationError>> + Send>> + Send + Sync,
>;

/// A service as the builder holds it.
pub(super) struct ServicePlan {
    pub(super) name: String,
    pub(super) instances: usize,
    pub(super) run: Run,
}

type Ended = Result<(Id, Result<(), OperationError>), JoinError>;

/// Services under way; dropped, their instances are aborted.
pub(super) struct Services {
    services: Vec<Arc<Service>>,
    tasks: JoinSet<Result<(), OperationError>>,
    instances: HashMap<Id, (Arc<Service>, Arc<Instance>)>,
    phase: watch::Sender<Phase>,
    measured_from: OnceLock<Instant>,
}

/// What instances are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    Stopping,
}

impl Services {
    /// Spawns all instances and waits until each says it is ready, 10 s at most; where one fails or is late, all are ended.
    pub(super) async fn start(plans: Vec<ServicePlan>) -> Result<Self, LoadError> {
        let mut services = Self::spawn(plans);
        match services.all_ready().await {
            Ok(()) => Ok(services),
            Err(error) => {
                services.tasks.shutdown().await;
                Err(error)
            }
        }
    }

    fn spawn(plans: Vec<ServicePlan>) -> Self {
        let _ours = memory::ours();
        let (phase, told) = watch::channel(Phase::Running);
        let (mut tasks, mut instances, mut services) = (JoinSet::new(), HashMap::new(), Vec::new());
        for plan in plans {
            let service = Arc::new(Service::new(plan.name, plan.instances));
            for instance in &service.instances {
                let context = ServiceContext::new(Arc::clone(&service), Arc::clone(instance), told.clone());
                let task = tasks.spawn((plan.run)(context));
                instances.insert(task.id(), (Arc::clone(&service), Arc::clone(instance)));
            }
            services.push(service);
        }
        Self { services, tasks, instances, phase, measured_from: OnceLock::new() }
    }

    async fn all_ready(&mut self) -> Result<(), LoadError> {
        let mut limit = poll::delay(poll::scaled(READY_LIMIT));
        for service in self.services.clone() {
            for instance in &service.instances {
                while let Some(first) =
                    first_of(instance.wait_ready(), self.tasks.join_next_with_id(), &mut limit).await
                {
                    match first {
                        // Its work may be done: nothing says that a service has to go on.
                        First::Ended(ended @ Ok((_, Ok(())))) if self.was_ready(&ended) => {
                            self.note(ended, true);
                        }
                        first => return Err(self.not_ready(first, &service.name, instance.number)),
                    }
                }
            }
        }
        Ok(())
    }

    fn was_ready(&self, ended: &Ended) -> bool {
        let instance = ended.as_ref().ok().and_then(|(id, _)| self.instances.get(id));
        instance.is_some_and(|(_, instance)| instance.is_ready())
    }

    /// Why the services do not start: one has ended, or `waited_for` is late.
    fn not_ready(&self, first: First, service: &str, waited_for: usize) -> LoadError {
        let First::Ended(ended) = first else {
            let what = format!(
                "instance {waited_for} of service `{service}` was not ready within {} (it must call \
                 `ServiceContext::ready` once it is subscribed)",
                memory::text::duration(poll::scaled(READY_LIMIT))
            );
            return LoadError::new(LoadErrorKind::SetUp, what);
        };
        let (id, end) = outcome(ended);
        let (what, cause) = match end {
            Ok(()) => ("returned", None),
            Err(Failure::Error(error)) => ("failed", Some(error)),
            Err(Failure::Panic(text)) => ("panicked", Some(text.into())),
            Err(Failure::Aborted) => ("was aborted", None),
        };
        let name = self.instances.get(&id).map_or_else(String::new, |(_, one)| one.name());
        let hint =
            if cause.is_none() { " (it must go on until `ServiceContext::stopping` completes)" } else { "" };
        let error =
            LoadError::new(LoadErrorKind::SetUp, format!("{name} {what} before the load began{hint}"));
        match cause {
            Some(cause) => error.because(cause),
            None => error,
        }
    }

    /// Called at the start of the schedule: figures count from here on.
    pub(super) fn measure_from_now(&self) {
        self.measured_from.get_or_init(Instant::now);
        self.services.iter().for_each(|service| service.measure());
    }

    /// Tells the instances to stop, waits at most `limit`, aborts the rest; none of its tasks is left when it returns.
    ///
    /// Rates are of the time until this was called; messages that instances still get while they stop are counted.
    pub(super) async fn stop(mut self, limit: Duration) -> Vec<ServiceFigures> {
        let measured = self.measured_from.get().map(Instant::elapsed);
        self.note_ended_early();
        self.phase.send_replace(Phase::Stopping);
        let mut late = poll::delay(poll::scaled(limit));
        while let Some(ended) = next_or_late(&mut self.tasks, &mut late).await {
            self.note(ended, false);
        }
        self.tasks.abort_all();
        while let Some(ended) = self.tasks.join_next_with_id().await {
            self.note(ended, false);
        }
        let _ours = memory::ours();
        self.services.iter().map(|service| service.figures(measured)).collect()
    }

    /// Takes up those that have ended without having been told.
    fn note_ended_early(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.note(ended, true);
        }
    }

    fn note(&self, ended: Ended, early: bool) {
        let _ours = memory::ours();
        let (id, end) = outcome(ended);
        let Some((service, instance)) = self.instances.get(&id) else { return };
        instance.end(match end {
            Ok(()) if early => InstanceEnd::Returned,
            Ok(()) => InstanceEnd::Stopped,
            Err(Failure::Error(error)) => {
                let text = chain(error.as_ref());
                service.failed(instance, &text);
                InstanceEnd::Failed(text)
            }
            Err(Failure::Panic(text)) => InstanceEnd::Panicked(text),
            Err(Failure::Aborted) => InstanceEnd::Aborted,
        });
    }
}

enum Failure {
    Error(OperationError),
    Panic(String),
    Aborted,
}

fn outcome(ended: Ended) -> (Id, Result<(), Failure>) {
    match ended {
        Ok((id, result)) => (id, result.map_err(Failure::Error)),
        Err(error) => {
            let id = error.id();
            let failure = error.try_into_panic().map_or(Failure::Aborted, |panic| {
                Failure::Panic(message(panic.as_ref()).unwrap_or("a panic without a text").to_owned())
            });
            (id, Err(failure))
        }
    }
}

/// What came before an instance was ready.
enum First {
    Ended(Ended),
    Late,
}

/// `None` when `ready` is first: also when an instance has ended at the same time.
async fn first_of(
    ready: impl Future<Output = ()>,
    ended: impl Future<Output = Option<Ended>>,
    limit: &mut poll::Delay,
) -> Option<First> {
    let (mut ready, mut ended) = (pin!(ready), pin!(ended));
    poll_fn(|context| {
        if ready.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        if let Poll::Ready(Some(ended)) = ended.as_mut().poll(context) {
            return Poll::Ready(Some(First::Ended(ended)));
        }
        Pin::new(&mut *limit).poll(context).map(|()| Some(First::Late))
    })
    .await
}

/// The next instance that ends; `None` when there is none any more, or it is too late.
async fn next_or_late(
    tasks: &mut JoinSet<Result<(), OperationError>>,
    late: &mut poll::Delay,
) -> Option<Ended> {
    poll_fn(|context| {
        if let Poll::Ready(ended) = tasks.poll_join_next_with_id(context) {
            return Poll::Ready(ended);
        }
        Pin::new(&mut *late).poll(context).map(|()| None)
    })
    .await
}

#[cfg(test)]
mod tests;
