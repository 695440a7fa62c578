//! Who leads, and what each worker is at.

use futures_util::future::try_join_all;
use isolated_nats::{Condition, ExternalNats, any_of, in_sequence, isolated_nats};
use partition_workers::{State, Worker};

use crate::support::{Failure, Gate, Group, LIMIT, LONG, is};

#[isolated_nats(jetstream, timeout = "60s")]
async fn exactly_one_leads(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 10, LONG).await?;
    let workers = try_join_all(["a", "b", "c", "d", "e"].map(|id| group.start(id))).await?;
    let status = group.stable(5).await?;
    assert_eq!(leaders(&workers), [status.leader.ok_or("nobody leads")?]);
    Ok(())
}

/// With a lease of an hour, nobody has waited for it.
#[isolated_nats(jetstream, timeout = "60s")]
async fn another_leads_when_the_leader_leaves(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 10, LONG).await?;
    let mut workers = try_join_all(["a", "b", "c"].map(|id| group.start(id))).await?;
    for left in [2, 1] {
        let status = group.stable(left + 1).await?;
        let leader = workers.iter().position(Worker::is_leader).ok_or("nobody leads")?;
        assert_eq!(status.leader.as_deref(), Some(workers[leader].id()));
        workers.swap_remove(leader).stop().await?;
        any_of(LIMIT, workers.iter().map(leads)).await?;
        let after = group.stable(left).await?;
        assert_eq!(leaders(&workers), [after.leader.ok_or("nobody leads")?]);
        assert!(after.revision > status.revision);
    }
    Ok(())
}

#[isolated_nats(jetstream, timeout = "60s")]
async fn a_worker_goes_from_state_to_state(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 4, LONG).await?;
    let (given, taken) = (Gate::closed(), Gate::closed());
    let handler = group.recorder("a").waits_when_assigned(&given).waits_when_revoked(&taken);
    let worker = group.start_with("a", handler).await?;
    assert_eq!(worker.state(), State::Starting);
    let mut states = worker.states();
    // From one to the next it has to ask the server: none is missed in this runtime of one thread.
    for state in [State::Electing, State::Scaling] {
        states.wait_for(|now| *now == state).await?;
    }
    given.reached().await?;
    assert_eq!(worker.state(), State::Scaling);
    given.open();
    states.wait_for(|now| *now == State::Stable).await?;
    let stopping = async {
        taken.reached().await?;
        let state = *states.borrow();
        taken.open();
        Ok::<_, Failure>(state)
    };
    let (stopped, state) = tokio::join!(worker.stop(), stopping);
    stopped?;
    assert_eq!(state?, State::Stopping);
    Ok(())
}

/// The others scale too, while one of them is slow to let go.
#[isolated_nats(jetstream, timeout = "60s")]
async fn all_scale_together_and_are_stable_together(nats: ExternalNats) -> Result<(), Failure> {
    let group = Group::open(&nats, 6, LONG).await?;
    let letting_go = Gate::closed();
    let a = group.start_with("a", group.recorder("a").waits_when_revoked(&letting_go)).await?;
    group.stable(1).await?;
    let b = group.start("b").await?;
    letting_go.reached().await?;
    let opened = Condition::new("the gate is open", || async {
        letting_go.open();
        Ok::<_, String>(())
    });
    let scaling = [is(&a, State::Scaling), is(&b, State::Scaling)];
    let stable = [is(&a, State::Stable), is(&b, State::Stable)];
    in_sequence(LIMIT, scaling.into_iter().chain([opened]).chain(stable)).await?;
    group.stable(2).await?;
    Ok(())
}

fn leads(worker: &Worker) -> Condition<'_> {
    Condition::new(format!("`{}` leads", worker.id()), move || async move {
        if worker.is_leader() { Ok(()) } else { Err(format!("it is {:?}", worker.state())) }
    })
}

fn leaders(workers: &[Worker]) -> Vec<String> {
    workers.iter().filter(|worker| worker.is_leader()).map(|worker| worker.id().into()).collect()
}
