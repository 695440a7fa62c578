//! The run window by window: outages, recovery, bursts.

use std::sync::Arc;

use isolated_nats::load::Verifier;
use isolated_nats::{ExternalNats, LoadGenerator, Rate, Schedule, eventually};

use crate::support::{CorePublish, Counts, JetStreamPublish, LONG, consume, ms, with_stream};

#[tokio::test]
async fn a_killed_server_is_an_outage_until_it_is_back() {
    let nats = ExternalNats::builder().jetstream().start().await.unwrap();
    let jetstream = with_stream(&nats).await;
    let workload = JetStreamPublish { jetstream, verifier: Verifier::acknowledged() };
    let (killed, restarted) = (nats.clone(), nats.clone());
    let run = LoadGenerator::builder()
        .schedule(Schedule::steady(Rate::per_second(200.0), LONG))
        .operation_timeout(ms(2000)) // for acknowledgements that died with the server
        .workload("publish", 1, workload)
        .event(ms(1000), "kill", async move || Ok(killed.kill()?))
        .event(ms(1500), "restart", async move || Ok(restarted.restart().await?))
        .start()
        .await
        .unwrap();
    eventually("it is served again", LONG, async || {
        let so_far = run.snapshot();
        // 500 are due until two and a half seconds have passed, of which those of half a second must wait.
        if so_far.counts.succeeded > 600 { Ok(()) } else { Err(format!("{:?}", so_far.counts)) }
    })
    .await
    .unwrap();
    run.handle().stop();
    let report = run.finish().await.unwrap();

    let [kill, restart] = report.events() else { panic!("{:?}", report.events()) };
    assert_eq!((&kill.error, &restart.error), (&None, &None));
    let recoveries = report.recoveries();
    let found = &recoveries[0];
    let outage = found.outage.as_ref().expect("nothing was served for five windows");
    assert_eq!((found.event.as_str(), found.at), ("kill", kill.at));
    assert!(outage.from >= kill.at && outage.unserved.unwrap() > 0, "{found}");
    // It may be that the kill was late, and the restart with it: the outage lasts until the server is back.
    let until = outage.until.expect("600 were served");
    assert!(until + ms(150) > restart.at, "{found}\n{}", report.timeline());
    let windows = report.timeline().windows();
    assert_eq!(windows.iter().map(|window| window.succeeded).sum::<u64>(), report.counts().succeeded);
    assert_eq!(windows.iter().map(|window| window.failed).sum::<u64>(), report.errors());
}

#[tokio::test]
async fn each_burst_says_when_it_was_drained_and_what_was_delivered() {
    let nats = ExternalNats::start().await.unwrap();
    let (verifier, counts) = (Verifier::new(), Arc::new(Counts::default()));
    let client = nats.client().await.unwrap();
    let workload =
        CorePublish { client: client.clone(), verifier: verifier.clone(), counts: Arc::clone(&counts) };
    let receiver = verifier.receiver("subscriber");
    let report = LoadGenerator::builder()
        .schedule(Schedule::burst(200, ms(250), 3))
        .workload("publish", 1, workload)
        .service("subscriber", 1, move |service| {
            consume(service, client.clone(), receiver.clone(), Arc::clone(&counts))
        })
        .verifier(&verifier)
        .run()
        .await
        .unwrap();
    let bursts = report.bursts();
    let figures: Vec<_> =
        bursts.iter().map(|burst| (burst.at, burst.size, burst.succeeded, burst.failed)).collect();
    assert_eq!(figures, [0, 250, 500].map(|at| (ms(at), 200, 200, 0)));
    assert!(bursts.iter().all(|burst| burst.drained.is_some_and(|drained| drained > ms(0))));
    let found = report.verification().unwrap();
    assert_eq!((found.sent(), found.delivered_share()), (600, Some(1.0)));
}
