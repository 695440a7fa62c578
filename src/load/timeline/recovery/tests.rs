use super::*;

const fn ms(length: u64) -> Duration {
    Duration::from_millis(length)
}

/// A window of 100 ms: due, ended well, failed, p99 in microseconds.
type Row = (u64, u64, u64, u64);

const GOOD: Row = (50, 50, 0, 1000);
const DOWN: Row = (50, 0, 0, 0);
/// Served late what was due during the outage.
const CATCHING_UP: Row = (50, 150, 0, 800_000);

fn timeline(parts: &[(usize, Row)]) -> Timeline {
    let rows = parts.iter().flat_map(|(times, row)| std::iter::repeat_n(*row, *times));
    let window = |(number, (due, succeeded, failed, p99)): (u64, Row)| {
        let time = |micros| (succeeded > 0).then(|| Duration::from_micros(micros));
        Window {
            at: ms(100 * number),
            length: ms(100),
            due: Some(due),
            succeeded,
            failed,
            outstanding: 0,
            p50: time(p99 / 5),
            p99: time(p99),
            max: time(p99 * 2),
        }
    };
    Timeline { windows: (0..).zip(rows).map(window).collect() }
}

fn closed(mut timeline: Timeline) -> Timeline {
    timeline.windows.iter_mut().for_each(|window| window.due = None);
    timeline
}

fn event(name: &str, at: Duration) -> LoadEvent {
    LoadEvent { name: name.into(), at, took: ms(3), error: None }
}

fn recovery(timeline: &Timeline, at: u64) -> Recovery {
    timeline.recovery(&event("kill", ms(at))).unwrap()
}

fn near(value: f64, expected: f64) -> bool {
    (value - expected).abs() < 1e-6 * expected
}

#[test]
fn an_outage_ends_where_successes_are_back_and_recovery_where_it_is_steady() {
    let timeline = timeline(&[(20, GOOD), (5, DOWN), (3, CATCHING_UP), (12, GOOD)]);
    let found = recovery(&timeline, 2000);
    assert!(near(found.before.succeeded_per_second, 500.0));
    assert_eq!(
        (found.before.length, found.before.p50, found.before.p99),
        (ms(2000), Some(Duration::from_micros(200)), Some(ms(1)))
    );
    let outage = found.outage.as_ref().unwrap();
    assert_eq!((outage.from, outage.until, outage.length()), (ms(2000), Some(ms(2500)), Some(ms(500))));
    assert_eq!((outage.failed, outage.unserved, outage.slowest), (0, Some(250), Some(ms(1600))));
    assert_eq!(found.steady_again, Some(ms(2800)));
    assert_eq!((found.after_outage(), found.after_event()), (Some(ms(300)), Some(ms(800))));
    let after = found.after.as_ref().unwrap();
    assert!(near(after.succeeded_per_second, 500.0));
    assert_eq!((after.length, after.p99), (ms(1200), Some(ms(1))));
    let expected = "kill at 2.00 s\n  before    500/s, p50 200 µs, p99 1.00 ms\n  outage    from 2.00 s to 2.50 s (500 ms): \
                    0 failed, 250 were due and not served in it, slowest 1.60 s\n  recovery  steady again at 2.80 s, 300 ms \
                    after the outage, 800 ms after the event\n  after     500/s, p50 200 µs, p99 1.00 ms\n";
    assert_eq!(found.to_string(), expected);
}

#[test]
fn it_does_not_begin_before_the_event_within_a_window() {
    // Killed at 2.04 s: the window has enough successes and one failure.
    let timeline = timeline(&[(20, GOOD), (1, (50, 26, 2, 1000)), (4, (50, 0, 40, 0)), (10, GOOD)]);
    let found = recovery(&timeline, 2040);
    let outage = found.outage.unwrap();
    assert_eq!((outage.from, outage.until, outage.failed), (ms(2040), Some(ms(2500)), 162));
    assert_eq!(found.steady_again, Some(ms(2500)));
}

#[test]
fn without_an_outage_there_is_nothing_to_recover_from() {
    let found = recovery(&timeline(&[(40, GOOD)]), 2000);
    assert_eq!((&found.outage, found.steady_again, &found.after), (&None, None, &None));
    assert_eq!((found.after_outage(), found.after_event()), (None, None));
    assert_eq!(
        found.to_string(),
        "kill at 2.00 s\n  before    500/s, p50 200 µs, p99 1.00 ms\n  no outage\n"
    );
}

#[test]
fn an_outage_to_the_end_has_no_end_and_no_recovery() {
    let found = recovery(&timeline(&[(10, GOOD), (10, (50, 0, 50, 0))]), 1000);
    let outage = found.outage.as_ref().unwrap();
    assert_eq!((outage.from, outage.until, outage.length()), (ms(1000), None, None));
    assert_eq!((outage.failed, outage.unserved, outage.slowest), (500, Some(500), None));
    assert_eq!((found.steady_again, found.after_event(), &found.after), (None, None, &None));
    assert!(
        found
            .to_string()
            .ends_with("to the end: 500 failed, 500 were due and not served in it\n  not steady again\n")
    );
}

#[test]
fn a_run_that_ends_before_three_steady_windows_has_not_recovered() {
    let found = recovery(&timeline(&[(10, GOOD), (5, DOWN), (2, GOOD)]), 1000);
    assert_eq!(found.outage.unwrap().until, Some(ms(1500)));
    assert_eq!((found.steady_again, found.after), (None, None));
}

#[test]
fn successes_that_come_and_go_are_one_outage() {
    let found = recovery(&timeline(&[(10, GOOD), (3, DOWN), (2, GOOD), (3, DOWN), (9, GOOD)]), 1000);
    assert_eq!(found.outage.unwrap().length(), Some(ms(800)));
    assert_eq!(found.steady_again, Some(ms(1800)));
}

#[test]
fn two_outages_are_told_apart() {
    let timeline = timeline(&[
        (10, GOOD),
        (5, DOWN),
        (2, CATCHING_UP),
        (8, GOOD),
        (2, DOWN),
        (1, CATCHING_UP),
        (7, GOOD),
    ]);
    let outages = [1000, 2500].map(|at| recovery(&timeline, at)).map(|found| {
        assert!(near(found.before.succeeded_per_second, 500.0), "{found}");
        let outage = found.outage.unwrap();
        (outage.from, outage.length().unwrap(), found.steady_again.unwrap())
    });
    assert_eq!(outages, [(ms(1000), ms(500), ms(1700)), (ms(2500), ms(200), ms(2800))]);
    // An outage is not that of an event before the last one.
    let first = event("harmless", ms(500));
    assert_eq!(timeline.recovery_before(&first, ms(1000)).unwrap().outage, None);
    assert!(timeline.recovery(&first).unwrap().outage.is_some());
}

#[test]
fn an_event_within_an_outage_is_compared_with_the_time_before_the_outage() {
    let found = recovery(&timeline(&[(10, GOOD), (30, DOWN), (9, GOOD)]), 3500);
    assert!(near(found.before.succeeded_per_second, 500.0));
    assert_eq!(found.outage.unwrap().length(), Some(ms(500)));
}

#[test]
fn a_closed_loop_is_compared_with_its_rate_before() {
    let timeline = closed(timeline(&[(20, GOOD), (5, (0, 20, 0, 1000)), (10, (0, 48, 0, 1500))]));
    let found = recovery(&timeline, 2000);
    let outage = found.outage.unwrap();
    assert_eq!((outage.length(), outage.unserved), (Some(ms(500)), None));
    assert_eq!(found.steady_again, Some(ms(2500)));
    assert!(near(found.after.unwrap().succeeded_per_second, 480.0));
    // Slower for good is not steady again.
    let slower = closed(self::timeline(&[(20, GOOD), (5, DOWN), (10, (0, 40, 0, 1000))]));
    assert_eq!(recovery(&slower, 2000).steady_again, None);
}

#[test]
fn noise_is_no_outage() {
    let noise = [
        (1, (50, 38, 0, 3000)),
        (1, (50, 62, 0, 1200)),
        (1, (50, 50, 0, 60_000)), // one late operation in one window alone
        (2, GOOD),
        (1, (50, 27, 0, 9000)),
        (1, (50, 73, 0, 900)),
    ];
    let found = recovery(&timeline(&[&[(20, GOOD)], &noise[..], &[(5, GOOD)]].concat()), 2000);
    assert_eq!(found.outage, None);
    // One that was started before the event, and reached its time limit.
    let found = recovery(&timeline(&[(20, GOOD), (9, GOOD), (1, (50, 49, 1, 1000)), (5, GOOD)]), 2000);
    assert_eq!(found.outage, None);
    // What is slow but fast enough for a busy machine: 300 µs for 20 µs.
    let found = recovery(&timeline(&[(20, (50, 50, 0, 20)), (5, (50, 50, 0, 300)), (5, GOOD)]), 2000);
    assert_eq!(found.outage, None);
    // One failure in fifty as before.
    let failing = (50, 49, 1, 1000);
    let found =
        recovery(&timeline(&[(20, failing), (5, failing), (1, (50, 48, 2, 1000)), (5, failing)]), 2000);
    assert_eq!(found.outage, None);
}

#[test]
fn a_time_of_slow_answers_is_an_outage() {
    let found = recovery(&timeline(&[(20, GOOD), (4, (50, 48, 0, 90_000)), (9, GOOD)]), 2000);
    let outage = found.outage.unwrap();
    assert_eq!((outage.from, outage.length(), outage.slowest), (ms(2000), Some(ms(400)), Some(ms(180))));
    assert_eq!(found.steady_again, Some(ms(2400)));
}

#[test]
fn failures_that_go_on_are_an_outage_however_few() {
    let found = recovery(&timeline(&[(20, GOOD), (4, (50, 48, 2, 1000)), (9, GOOD)]), 2000);
    let outage = found.outage.unwrap();
    assert_eq!((outage.from, outage.length(), outage.failed), (ms(2000), Some(ms(400)), 8));
    assert_eq!(found.steady_again, Some(ms(2400)));
}

#[test]
fn bursts_and_the_idle_time_between_them_are_no_outage() {
    let bursts: Vec<_> = (0..6)
        .flat_map(|_| [(1, (1000, 300, 0, 90_000)), (2, (0, 350, 0, 280_000)), (7, (0, 0, 0, 0))])
        .collect();
    assert_eq!(recovery(&timeline(&bursts), 3000).outage, None);
}

#[test]
fn at_a_low_rate_windows_are_taken_together() {
    // 20/s: two in each window, and now and then the one ends with the other.
    let few: &[(usize, Row)] = &[(1, (2, 0, 0, 0)), (1, (2, 4, 0, 1000))];
    let calm = few.repeat(20);
    assert_eq!(recovery(&timeline(&calm), 2000).outage, None);
    let broken = [calm.clone(), vec![(20, (2, 0, 0, 0))], calm].concat();
    let outage = recovery(&timeline(&broken), 4000).outage.unwrap();
    // As exact as ten operations, which are half a second.
    assert_eq!(outage.from, ms(4000));
    assert!((ms(1500)..=ms(2500)).contains(&outage.length().unwrap()), "{outage}");
}

#[test]
fn with_nothing_to_compare_with_nothing_is_said() {
    let ask = |timeline: &Timeline, at| timeline.recovery(&event("kill", ms(at)));
    assert_eq!(ask(&timeline(&[(2, GOOD), (5, DOWN)]), 200), None); // too little before
    assert_eq!(ask(&timeline(&[(20, DOWN)]), 1000), None); // nothing worked before
    assert_eq!(ask(&timeline(&[(20, GOOD)]), 2000), None); // nothing after
    assert_eq!(ask(&Timeline::default(), 0), None);
}

#[test]
fn it_survives_json() {
    let found = recovery(&timeline(&[(20, GOOD), (5, DOWN), (9, GOOD)]), 2000);
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Recovery>(&text).unwrap().to_string(), found.to_string());
}
