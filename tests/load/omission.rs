//! Coordinated omission: what a pause of the server costs those who would have asked meanwhile.

use std::time::Duration;

use isolated_nats::load::LoadReport;
use isolated_nats::{ExternalNats, LoadGenerator, Rate, Schedule, operations};

const LENGTH: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_secs(1);

/// Five seconds of requests, in which the server is paused for one.
async fn with_a_pause(schedule: Schedule) -> LoadReport {
    let nats = ExternalNats::start().await.unwrap();
    let client = nats.client().await.unwrap();
    let (paused, resumed) = (nats.clone(), nats.clone());
    LoadGenerator::builder()
        .schedule(schedule)
        .service(
            "responder",
            1,
            operations::responder(nats.client().await.unwrap(), "service").into_service(),
        )
        .workload("request", 1, operations::request(client, "service"))
        .event(Duration::from_secs(2), "pause", move || async move { Ok(paused.pause()?) })
        .event(Duration::from_secs(2) + PAUSE, "resume", move || async move { Ok(resumed.resume()?) })
        .max_in_flight(4_000)
        .run()
        .await
        .unwrap()
}

/// In a second of 1 000 arrivals a second, arrival i waits 1 s less i ms; of all 5 000 these are the slowest fifth, and the
/// slowest hundredth of all is its twentieth part: 950 ms. What the machine adds is measured by when the pause really was.
#[tokio::test]
async fn an_open_schedule_shows_a_pause_and_a_closed_loop_hides_it() {
    let open = with_a_pause(Schedule::steady(Rate::per_second(1_000.0), LENGTH)).await;
    assert_eq!((open.count(), open.errors()), (5_000, 0), "{open}");
    let [pause, resume] = open.events() else { panic!("{:?}", open.events()) };
    let paused = (resume.at + resume.took).saturating_sub(pause.at + pause.took).as_secs_f64();
    // Fifty of 5 000 wait longer than the 99th percentile: those of the pause's first 50 ms.
    let computed = paused - 0.05;
    let measured = open.response().percentile(99.0).unwrap().as_secs_f64();
    assert!((measured / computed - 1.0).abs() < 0.1, "{measured} s measured, {computed} s computed\n{open}");

    let closed = with_a_pause(Schedule::closed(1, LENGTH)).await;
    let hidden = closed.service().percentile(99.0).unwrap().as_secs_f64();
    assert!(hidden < measured / 5.0, "{hidden} s in the closed loop, {measured} s in truth\n{closed}");
    // It did see the pause: once.
    assert!(closed.service().max().unwrap().as_secs_f64() > paused * 0.9, "{closed}");
}
