//! What is to be measured.

use std::time::Duration;

use super::super::error::{ResultsError, ResultsErrorKind};
use super::super::keep;
use super::run::Turns;
use super::{Axis, SweepReport};
use crate::load::{LoadReport, OperationError, Rate, Threshold};
use crate::memory::text::whole;
use crate::server::ExternalNats;

const WINDOWS: usize = 3;
const BISECTIONS: usize = 2;
/// More are a typing error.
const MOST_LEVELS: usize = 1000;

/// Measures a system at several levels of load: up to where it is well, where throughput stops rising, and what limits it.
///
/// Each window is one run of the caller's [`LoadGenerator`](crate::LoadGenerator) at one level. First comes one window at the lowest
/// level that is not counted; then all levels in ascending order, so that a level beyond recovery ends the raising before it is
/// worse; then all of them again, in an order that is drawn by the seed for each round, so that what drifts with time is not taken
/// for the level's. At last, levels between the last good and the first bad one.
///
/// Results are kept under the target directory (`isolated-nats report` shows them), and added to the summary of a GitHub job.
///
/// ```
/// use std::time::Duration;
///
/// use isolated_nats::results::{Axis, Sweep, SweepStep};
/// use isolated_nats::{LoadGenerator, Schedule};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let report = Sweep::doubling(Axis::Concurrency, 1, 4)
///     .named("yield")
///     .windows(2)
///     # .keep(false)
///     .threshold("errors<1%")
///     .run(async |step: SweepStep| {
///         LoadGenerator::builder()
///             .schedule(Schedule::closed(step.as_usize(), Duration::from_millis(20)))
///             .operation("yield", 1, |_| async {
///                 tokio::task::yield_now().await;
///                 Ok(())
///             })
///             .run()
///             .await
///     })
///     .await?;
/// assert_eq!(report.limit.as_ref().map(|limit| limit.level), Some(4.0));
/// println!("{report}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a sweep does nothing until `run`"]
pub struct Sweep {
    pub(super) axis: Axis,
    pub(super) levels: Vec<f64>,
    pub(super) name: String,
    pub(super) windows: usize,
    pub(super) thresholds: Vec<Threshold>,
    pub(super) server: Option<ExternalNats>,
    pub(super) budget: Option<Duration>,
    pub(super) bisections: usize,
    pub(super) seed: u64,
    pub(super) keep: bool,
}

/// What a window of a sweep is to be run at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SweepStep {
    pub(super) level: f64,
    pub(super) window: Option<usize>,
}

impl SweepStep {
    /// Returns the level, in the unit of the axis.
    #[must_use]
    pub fn level(&self) -> f64 {
        self.level
    }

    /// Returns the level as a whole number, rounded, and at least 1: workers, bytes, messages.
    #[must_use]
    pub fn as_u64(&self) -> u64 {
        whole(self.level.round()).max(1)
    }

    /// Returns the same as a `usize`.
    #[must_use]
    pub fn as_usize(&self) -> usize {
        usize::try_from(self.as_u64()).unwrap_or(usize::MAX)
    }

    /// Returns the level as operations per second.
    #[must_use]
    pub fn rate(&self) -> Rate {
        Rate::per_second(self.level)
    }

    /// Returns which window of its level it is, from 0; `None` of the first one of all, which is not counted.
    #[must_use]
    pub fn window(&self) -> Option<usize> {
        self.window
    }
}

/// What is raised, and how far.
impl Sweep {
    /// Measures at these levels, in whatever order and each once.
    pub fn over<L: Into<f64>>(axis: Axis, levels: impl IntoIterator<Item = L>) -> Self {
        let mut levels: Vec<f64> = levels.into_iter().map(Into::into).collect();
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        Self {
            axis,
            levels,
            name: "sweep".into(),
            windows: WINDOWS,
            thresholds: Vec::new(),
            server: None,
            budget: None,
            bisections: BISECTIONS,
            seed: 0,
            keep: true,
        }
    }

    /// Measures at `from`, twice that, and so on, as long as it is not above `to`.
    pub fn doubling(axis: Axis, from: impl Into<f64>, to: impl Into<f64>) -> Self {
        let (from, to) = (from.into(), to.into());
        let next = |level: &f64| Some(level * 2.0);
        let levels =
            std::iter::successors(Some(from), next).take(MOST_LEVELS + 1).take_while(|level| *level <= to);
        Self::over(axis, levels.collect::<Vec<_>>())
    }

    /// Measures at `from`, `step` above that, and so on, as long as it is not above `to`.
    pub fn range(axis: Axis, from: impl Into<f64>, to: impl Into<f64>, step: impl Into<f64>) -> Self {
        let (from, to, step) = (from.into(), to.into(), step.into());
        if step <= 0.0 || step.is_nan() {
            return Self::over(axis, [] as [f64; 0]); // refused by `run`
        }
        let levels = (0..=u16::MAX).map(|at| from + f64::from(at) * step).take(MOST_LEVELS + 1);
        // Steps of 0.1 must not miss their end by the last digit.
        Self::over(axis, levels.take_while(|level| *level <= to + step * 1e-9).collect::<Vec<_>>())
    }
}

/// How it is measured.
impl Sweep {
    /// What is measured: the report's name. Default: `sweep`.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Windows of each level; default: 3. With one, noise cannot be told from the level.
    pub fn windows(mut self, windows: usize) -> Self {
        self.windows = windows;
        self
    }

    /// Adds a limit within which all is well, for each window; those of the generator count as well. Default: none but that of
    /// 10 % of errors.
    pub fn threshold(mut self, threshold: impl Into<Threshold>) -> Self {
        self.thresholds.push(threshold.into());
        self
    }

    /// The server under test, whose processors, memory, storage and slow consumers are then in the figures. Default: none; a
    /// server that is called `server` in the reports has its processors and memory in the figures anyway.
    pub fn server(mut self, nats: &ExternalNats) -> Self {
        self.server = Some(nats.clone());
        self
    }

    /// The time that the whole may take by the clock: no window is started that would go beyond it, if it takes as long as the
    /// longest so far. Default: no limit.
    pub fn budget(mut self, limit: Duration) -> Self {
        self.budget = Some(limit);
        self
    }

    /// How often to look between the last good and the first bad level, each time in the middle by their ratio; default: 2.
    pub fn bisect(mut self, times: usize) -> Self {
        self.bisections = times;
        self
    }

    /// What the order of the windows is drawn from; default: 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Keeps the results under the target directory, by the sweep's name, and adds them to a GitHub job's summary, or not; it does by
    /// default.
    pub fn keep(mut self, keep: bool) -> Self {
        self.keep = keep;
        self
    }

    /// Returns how many windows it is at most: the one that is not counted, those of the levels, and those in between.
    #[must_use]
    pub fn planned_windows(&self) -> usize {
        1 + (self.levels.len() + self.bisections) * self.windows
    }

    /// Returns how long it takes at most when a window takes so long, warm-up included; the [budget](Self::budget) where that is less.
    #[must_use]
    pub fn expected_duration(&self, window: Duration) -> Duration {
        let windows = u32::try_from(self.planned_windows()).unwrap_or(u32::MAX);
        window.saturating_mul(windows).min(self.budget.unwrap_or(Duration::MAX))
    }

    /// Runs it: `run` makes one window at the level it is given, and returns its report.
    ///
    /// A window that fails with an error is a problem of its level. Where a level is beyond recovery in half of its windows ([`SweepStop`](super::SweepStop)),
    /// higher ones are left out.
    ///
    /// # Errors
    ///
    /// [`Misuse`](ResultsErrorKind::Misuse) without a level or a window, with a level that is not above zero, with more than 1 000, or with a
    /// threshold that cannot be read or met; [`Round`](ResultsErrorKind::Round) when every window failed, with the first error as its source. When the results
    /// cannot be kept, that is said on standard error, and is none.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it drops the window under way; nothing else is running.
    pub async fn run<F, E>(self, run: F) -> Result<SweepReport, ResultsError>
    where
        F: AsyncFnMut(SweepStep) -> Result<LoadReport, E>,
        E: Into<OperationError>,
    {
        self.check()?;
        let keep = self.keep;
        let report = Turns::new(self, run).run().await?;
        if keep {
            keep::keep(&report.clone().into_results());
        }
        Ok(report)
    }

    fn check(&self) -> Result<(), ResultsError> {
        let misuse = |what: &str| Err(ResultsError::new(ResultsErrorKind::Misuse, what));
        if self.levels.is_empty() {
            return misuse(
                "a sweep needs a level (`to` must not be below `from`, and a step must be above zero)",
            );
        }
        if self.levels.len() > MOST_LEVELS {
            return misuse("a sweep can have 1000 levels (raise the step)");
        }
        if let Some(level) = self.levels.iter().find(|level| !(level.is_finite() && **level > 0.0)) {
            return misuse(&format!("the level `{level}` is not above zero (take it out)"));
        }
        if self.windows == 0 {
            return misuse("a sweep needs a window for each level (`windows` is 0)");
        }
        for threshold in &self.thresholds {
            if let Err(error) = threshold.to_string().parse::<Threshold>() {
                return Err(ResultsError::new(
                    ResultsErrorKind::Misuse,
                    "a threshold of the sweep cannot be used",
                )
                .because(error));
            }
        }
        Ok(())
    }
}
