//! One test body in a runtime of its own, as `#[tokio::test]` makes it, with each check after it.

use std::future::Future;
use std::time::{Duration, Instant};

use isolated_nats::{ExternalNats, LeakGuard, LeakGuardBuilder};
use isolated_nats_benches::Error;
use isolated_nats_benches::random::Random;
use tokio::runtime::{Builder, Handle, Runtime};

/// How long a check by hand waits for tasks to end.
const BY_HAND_LIMIT: Duration = Duration::from_secs(2);
const TASKS: usize = 10;

/// What looks for leaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// Nothing does.
    None,
    /// `num_alive_tasks`, compared after yields, as goleak does with goroutines.
    ByHand,
    Guard,
}

pub(crate) const CHECKS: [Check; 3] = [Check::None, Check::ByHand, Check::Guard];

/// Where the body runs, and whether it uses a server, which the guard then looks at too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) is_multi_thread: bool,
    pub(crate) has_server: bool,
}

pub(crate) const SETTINGS: [Setting; 4] = [
    Setting { is_multi_thread: false, has_server: false },
    Setting { is_multi_thread: true, has_server: false },
    Setting { is_multi_thread: false, has_server: true },
    Setting { is_multi_thread: true, has_server: true },
];

/// One body with one check, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) setting: Setting,
    pub(crate) check: Check,
    /// From before the baseline to after the verdict, without the runtime's own start and end.
    pub(crate) whole: f64,
    /// The baseline.
    pub(crate) start: f64,
    /// The verdict, with what it waits for.
    pub(crate) verdict: f64,
}

/// All checks in all settings, in each round in another order.
pub(crate) fn measure(rounds: usize, random: &mut Random) -> Result<Vec<Sample>, Error> {
    let nats = ExternalNats::start_blocking()?;
    let mut samples = Vec::new();
    for round in 0..=rounds {
        for setting in SETTINGS {
            let mut turn = CHECKS;
            random.shuffle(&mut turn);
            for check in turn {
                let sample = one(setting, check, &nats)?;
                if round > 0 {
                    samples.push(sample); // the first is for nothing
                }
            }
        }
    }
    Ok(samples)
}

fn one(setting: Setting, check: Check, nats: &ExternalNats) -> Result<Sample, Error> {
    let server = setting.has_server.then_some(nats);
    let runtime = runtime(setting)?;
    let times = runtime.block_on(async {
        let begin = Instant::now();
        match check {
            Check::None => {
                body(server).await?;
                Ok::<_, Error>((begin.elapsed(), Duration::ZERO, Duration::ZERO))
            }
            Check::ByHand => {
                let baseline = Handle::current().metrics().num_alive_tasks();
                let start = begin.elapsed();
                body(server).await?;
                let verdict = timed(by_hand(baseline)).await?;
                Ok((begin.elapsed(), start, verdict))
            }
            Check::Guard => {
                let builder = server.into_iter().fold(LeakGuard::builder(), LeakGuardBuilder::server);
                let guard = builder.start();
                let start = begin.elapsed();
                body(server).await?;
                let verdict = timed(async { Ok(guard.check().await?) }).await?;
                Ok((begin.elapsed(), start, verdict))
            }
        }
    });
    let (whole, start, verdict) = times?;
    let [whole, start, verdict] = [whole, start, verdict].map(|time| time.as_secs_f64());
    Ok(Sample { setting, check, whole, start, verdict })
}

async fn timed(check: impl Future<Output = Result<(), Error>>) -> Result<Duration, Error> {
    let begin = Instant::now();
    check.await?;
    Ok(begin.elapsed())
}

/// What is written by hand today: a number, and yields until it is as before.
async fn by_hand(baseline: usize) -> Result<(), Error> {
    let begin = Instant::now();
    while Handle::current().metrics().num_alive_tasks() > baseline {
        if begin.elapsed() > BY_HAND_LIMIT {
            return Err("tasks are left of a body that leaves none".into());
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Some tasks that are joined; with a server, a client that is subscribed, sends itself a message, and is dropped.
async fn body(server: Option<&ExternalNats>) -> Result<(), Error> {
    let tasks: Vec<_> = (0..TASKS).map(|number| tokio::spawn(async move { number })).collect();
    for task in tasks {
        task.await?;
    }
    let Some(nats) = server else { return Ok(()) };
    let client = nats.client().await?;
    let subscription = client.subscribe("orders").await?;
    client.publish("orders", "a book".into()).await?;
    client.flush().await?;
    drop((client, subscription));
    Ok(())
}

fn runtime(setting: Setting) -> std::io::Result<Runtime> {
    let mut builder =
        if setting.is_multi_thread { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    builder.enable_all().build()
}
