//! What was measured, kept, compared and shown.
//!
//! - **Is this test dearer than it was?** [`#[isolated_nats(baseline)]`](macro@crate::isolated_nats): its memory and time over several runs, against a
//!   file in the repository. Nothing else is to be written.
//! - **Is my code slower than it was?** A [`Scenario`] with [`control_requests`](Scenario::control_requests) or a control of your own,
//!   [`measure`](Scenario::measure), and [`Record::assert_no_regression`].
//! - **Which of two is better?** A [`Scenario`] with two or more [`side`](Scenario::side)s: they run in turn, and each [`Comparison`] has a verdict and
//!   its reason. [`Target`]s say what each should reach. Nothing fails by itself: call [`Results::check`] or [`Results::assert`].
//! - **How far does it scale, and what limits it?** A [`Sweep`] over rate, concurrency, payload or data.
//! - **Show it**: `println!("{results}")`, [`markdown`](Results::markdown), [`html`](Results::html), [`json`](Results::json), [`csv`](Results::csv),
//!   [`plots`](Results::plots), or all of them by [`write_to`](Results::write_to).
//! - **Later**: scenarios and sweeps are kept in the [`Store`]; the command `isolated-nats` reports, compares, blesses and follows them.
//!
//! A round should take 50 ms or more, and the build be an optimized one: shorter rounds tell more of the machine than of the code. All that is not
//! measured is absent, in every output.
//!
//! | module | what it decides or does |
//! | --- | --- |
//! | `scenario`, `sample`, `rounds` | rounds in turn, and what each measured |
//! | `record`, `metric`, `fingerprint`, `document`, `json` | what was measured, on what, and its file format |
//! | `comparison`, `stats` | two records, metric by metric: rank tests, intervals, verdicts |
//! | `baseline` | records in the repository, and tests against them |
//! | `sweep` | levels of load: limit, knee, law, bottlenecks, degradation |
//! | `target`, `findings` | what was aimed at, and what stands out |
//! | `render` | terminal, Markdown, HTML, CSV, SVG, a job's summary, from one model |
//! | `store`, `trend`, `files`, `keep` | runs by scenario, time and commit |

mod baseline;
mod comparison;
mod document;
mod error;
mod files;
mod findings;
mod fingerprint;
mod json;
mod keep;
#[cfg(test)]
mod made;
mod metric;
mod quick;
mod record;
mod render;
mod rounds;
mod sample;
mod scenario;
mod stats;
mod store;
mod sweep;
mod target;
mod time;
mod trend;

pub use baseline::Baseline;
pub use comparison::{Basis, Comparison, ComparisonKind, Interval, MetricComparison, Rules, Spread, Verdict};
pub use document::{Outcome, Results};
pub use error::{ResultsError, ResultsErrorKind};
pub use findings::{Finding, FindingKind, Severity};
pub use fingerprint::{Commit, Fingerprint};
pub use metric::{Better, Limits, Metric, MetricKind, Unit};
pub use quick::is_asked_for as is_quick;
pub use record::{Record, SCHEMA};
pub use render::Plot;
pub(crate) use rounds::Rounds;
pub use sample::Sample;
pub(crate) use scenario::CPU_TIME;
pub use scenario::{DEFAULT_ROUNDS, QUICK_ROUNDS, Scenario};
pub use store::{Store, StoredRun};
pub use sweep::{
    Axis, Bottleneck, BottleneckKind, Degradation, Knee, Level, Limit, ScalabilityLaw, Sweep, SweepReport,
    SweepStep, SweepStop,
};
pub use target::{Target, TargetResult};
pub use time::Moment;
pub use trend::{MetricTrend, Trend, TrendRun};
