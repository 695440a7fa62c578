use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::stamp;
use super::super::verifier::{ReceptionKind, Verifier};
use super::*;

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(20);

fn plan<Fut>(
    name: &str,
    instances: usize,
    run: impl Fn(ServiceContext) -> Fut + Send + Sync + 'static,
) -> ServicePlan
where
    Fut: Future<Output = Result<(), OperationError>> + Send + 'static,
{
    ServicePlan { name: name.into(), instances, run: Box::new(move |context| Box::pin(run(context))) }
}

async fn failure(plans: Vec<ServicePlan>) -> LoadError {
    Services::start(plans).await.err().expect("it must not start")
}

/// Counts how many of it there are.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn messages_count_from_the_start_of_the_schedule_on() {
    let run = |context: ServiceContext| async move {
        context.received(b"before the schedule");
        context.ready();
        context.stopping().await;
        assert!(context.is_stopping());
        for _ in 0..=context.instance() {
            context.received(b"12345");
        }
        context.received(&stamp::write(Instant::now(), 0, b""));
        Ok(())
    };
    let services = Services::start(vec![plan("a", 3, run), plan("none", 0, run)]).await.unwrap();
    services.measure_from_now();
    let figures = services.stop(LONG).await;
    let counts: Vec<_> =
        figures[0].instances.iter().map(|one| (one.instance, one.received, one.bytes)).collect();
    assert_eq!(counts, [(0, 2, 37), (1, 3, 42), (2, 4, 47)]);
    assert_eq!((figures[0].name.as_str(), figures[0].received, figures[0].bytes), ("a", 9, 126));
    assert_eq!(figures[0].delivery.count(), 3);
    assert!(figures[0].received_per_second.is_some_and(|rate| rate > 0.0));
    assert!(figures[0].instances.iter().all(|one| one.end == InstanceEnd::Stopped));
    assert!(figures[1].instances.is_empty() && figures[1].delivery.percentile(50.0).is_none());
}

#[tokio::test]
async fn one_call_counts_and_verifies() {
    let verifier = Verifier::new();
    let receiver = verifier.receiver("r");
    let (message, mut receipt) = verifier.publisher("a").stamp(b"x");
    receipt.sent();
    let run = move |context: ServiceContext| {
        let (receiver, message) = (receiver.clone(), message.clone());
        async move {
            context.ready();
            context.stopping().await;
            assert_eq!(context.receive(&receiver, &message).kind, ReceptionKind::Expected);
            assert_eq!(context.receive(&receiver, b"?").kind, ReceptionKind::Foreign);
            Ok(())
        }
    };
    let services = Services::start(vec![plan("a", 1, run)]).await.unwrap();
    services.measure_from_now();
    let figures = services.stop(LONG).await;
    assert_eq!((figures[0].received, figures[0].bytes, figures[0].delivery.count()), (2, 34, 1));
    verifier.verification().assert_nothing_lost();
}

#[tokio::test]
async fn each_way_to_end_is_named() {
    let run = |context: ServiceContext| async move {
        context.ready();
        if context.instance() == 0 {
            return Ok(());
        }
        context.stopping().await;
        match context.instance() {
            1 => Err("connection 17 lost".into()),
            2 => panic!("instance {} has a bug", context.instance()),
            3 => std::future::pending().await,
            _ => Ok(()),
        }
    };
    let mut services = Services::start(vec![plan("a", 5, run)]).await.unwrap();
    services.measure_from_now();
    let first = services.tasks.join_next_with_id().await.unwrap();
    services.note(first, true);
    let figures = services.stop(SHORT).await.remove(0);
    let ends: Vec<_> = figures.instances.iter().map(|one| one.end.clone()).collect();
    let expected = [
        InstanceEnd::Returned,
        InstanceEnd::Failed("connection 17 lost".into()),
        InstanceEnd::Panicked("instance 2 has a bug".into()),
        InstanceEnd::Aborted,
        InstanceEnd::Stopped,
    ];
    assert_eq!(ends, expected);
    assert_eq!((figures.panicked, figures.aborted, figures.errors.len()), (1, 1, 1));
    assert_eq!(figures.errors[0].kind, "connection # lost");
    let text = figures.to_string();
    assert!(text.starts_with("service a × 5: 0 messages, 0/s\n  1 × connection 17 lost\n"), "{text}");
    assert!(text.ends_with("  instance 3 did not return in time, and was aborted\n"), "{text}");
}

#[tokio::test]
async fn errors_of_all_instances_are_counted_by_kind() {
    let run = |context: ServiceContext| async move {
        context.failed(format!("bad message {}", context.instance()));
        context.failed("refused");
        context.failed(format!("bad message {}", 100 + context.instance()));
        context.ready();
        context.stopping().await;
        Ok(())
    };
    let figures = Services::start(vec![plan("a", 2, run)]).await.unwrap().stop(LONG).await.remove(0);
    let kinds: Vec<_> = figures.errors.iter().map(|error| (error.kind.as_str(), error.count)).collect();
    assert_eq!(kinds, [("bad message #", 4), ("refused", 2)]);
    assert_eq!((figures.instances[0].errors, figures.received_per_second), (3, None));
}

#[tokio::test]
async fn an_instance_that_ends_before_the_load_is_named_with_its_cause() {
    let good = || {
        plan("good", 2, |context| async move {
            context.ready();
            context.stopping().await;
            Ok(())
        })
    };
    let failing = plan("billing", 2, |context| async move {
        if context.instance() == 1 {
            return Err("no such stream".into());
        }
        context.ready();
        context.stopping().await;
        Ok(())
    });
    let error = failure(vec![good(), failing]).await;
    assert_eq!(error.kind(), LoadErrorKind::SetUp);
    assert_eq!(
        format!("{error:?}"),
        "instance 1 of service `billing` failed before the load began: no such stream"
    );
    let error = failure(vec![good(), plan("b", 1, |_| async { panic!("a bug") })]).await;
    assert_eq!(format!("{error:?}"), "instance 0 of service `b` panicked before the load began: a bug");
    let error = failure(vec![good(), plan("b", 1, |_| async { Ok(()) })]).await;
    let expected = "instance 0 of service `b` returned before the load began (it must go on until \
                    `ServiceContext::stopping` completes)";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn no_instance_is_left_whichever_way_it_ends() {
    let count = Arc::new(AtomicUsize::new(0));
    let holding = |name: &str| {
        let count = Arc::clone(&count);
        plan(name, 3, move |context| {
            let alive = Alive::new(&count);
            async move {
                let _alive = alive;
                context.ready();
                std::future::pending().await
            }
        })
    };
    let services = Services::start(vec![holding("a")]).await.unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 3);
    services.stop(SHORT).await;
    assert_eq!(count.load(Ordering::SeqCst), 0);
    failure(vec![holding("a"), plan("b", 1, |_| async { Err("refused".into()) })]).await;
    assert_eq!(count.load(Ordering::SeqCst), 0);
    drop(Services::start(vec![holding("a")]).await.unwrap());
    crate::eventually("the instances are gone", LONG, async || match count.load(Ordering::SeqCst) {
        0 => Ok(()),
        left => Err(format!("{left} left")),
    })
    .await
    .unwrap();
}
