//! What a failed check says.

use std::error::Error;
use std::fmt;

use super::{GrowthReport, GrowthVerdict};

/// The width of the slope's interval falls with the rounds to this power: for a given noise, as that of any line through
/// points in equal distances.
const WIDTH_FALLS_BY: f64 = 1.5;

/// The estimate of rounds is raised by this factor, as it is made from a slope that has noise itself. The benchmark
/// `growth` prints how often that many rounds were enough.
const MARGIN: f64 = 1.5;

/// No estimate beyond this many times the rounds; it would be a guess.
const MOST_TIMES: f64 = 100.0;

/// Why live bytes are not known to stay below a ceiling.
///
/// `Debug` prints the same text, which is what a test shows that unwraps; `{:#?}` prints the parts.
pub struct GrowthError(Box<Context>);

#[derive(Debug)]
struct Context {
    kind: GrowthErrorKind,
    rounds: usize,
    ceiling: Option<f64>,
    report: Option<GrowthReport>,
    /// Why nothing was measured.
    why: Option<String>,
}

/// What kind of [`GrowthError`] it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GrowthErrorKind {
    /// There were fewer rounds than [`GrowthReport::MIN_ROUNDS`]: run more.
    TooFewRounds,
    /// The heap was not measured: do what the text says, such as install the tracking allocator.
    NotMeasured,
    /// Live bytes grow by more than the ceiling: free what a round keeps, or raise the ceiling to what is meant to stay.
    Grew,
    /// The rounds do not tell: run about as many as the text says, or give the work a warm-up before the first round.
    Inconclusive,
}

impl GrowthError {
    pub(super) fn too_few_rounds(rounds: usize) -> Self {
        Self::without_report(GrowthErrorKind::TooFewRounds, rounds, None)
    }

    pub(in crate::memory) fn not_measured(rounds: usize, why: String) -> Self {
        Self::without_report(GrowthErrorKind::NotMeasured, rounds, Some(why))
    }

    fn without_report(kind: GrowthErrorKind, rounds: usize, why: Option<String>) -> Self {
        Self(Box::new(Context { kind, rounds, ceiling: None, report: None, why }))
    }

    pub(super) fn grew(report: &GrowthReport, ceiling: f64) -> Self {
        Self::of(GrowthErrorKind::Grew, report, ceiling)
    }

    pub(super) fn inconclusive(report: &GrowthReport, ceiling: f64) -> Self {
        Self::of(GrowthErrorKind::Inconclusive, report, ceiling)
    }

    fn of(kind: GrowthErrorKind, report: &GrowthReport, ceiling: f64) -> Self {
        let (rounds, report) = (report.rounds, Some(report.clone()));
        Self(Box::new(Context { kind, rounds, ceiling: Some(ceiling), report, why: None }))
    }

    /// Returns what kind of error it is.
    #[must_use]
    pub fn kind(&self) -> GrowthErrorKind {
        self.0.kind
    }

    /// Returns the report that was judged; `None` when there was none.
    #[must_use]
    pub fn report(&self) -> Option<&GrowthReport> {
        self.0.report.as_ref()
    }

    /// Returns about how many rounds, all together, would tell; `None` when the verdict was not inconclusive, or when no
    /// sensible number would: then the growth is too near to the ceiling.
    ///
    /// It is an estimate from the same noise and the same slope: the interval narrows as rounds to the power of 1.5.
    #[must_use]
    pub fn rounds_to_tell(&self) -> Option<usize> {
        let (Some(report), Some(ceiling), GrowthErrorKind::Inconclusive) =
            (&self.0.report, self.0.ceiling, self.0.kind)
        else {
            return None;
        };
        rounds_to_tell(report, ceiling)
    }

    fn what_to_try(&self) -> String {
        let inconclusive = self.0.kind == GrowthErrorKind::Inconclusive;
        let unsteady = match (&self.0.report, self.0.ceiling) {
            (Some(report), Some(ceiling)) => inconclusive && report.is_unsteady_above(ceiling),
            _ => false,
        };
        match (inconclusive, unsteady, self.rounds_to_tell()) {
            (false, ..) => {
                "free what a round keeps (a collection that is never cleared, a task that never ends), or \
                            raise the ceiling to what is meant to stay"
                    .to_owned()
            }
            (true, true, Some(rounds)) => format!(
                "it grew, but in jumps or ever slower, as a table that doubles or a cache that fills up does: run \
                 {rounds} rounds, or fill it before the first round"
            ),
            (true, false, Some(rounds)) => {
                format!("noise hides the answer: run about {rounds} rounds, or raise the ceiling")
            }
            (true, _, None) => {
                "the growth is too near to the ceiling for any sensible number of rounds: raise the \
                                ceiling, or make the rounds less noisy"
                    .to_owned()
            }
        }
    }
}

fn rounds_to_tell(report: &GrowthReport, ceiling: f64) -> Option<usize> {
    if report.is_unsteady_above(ceiling) {
        return Some(2 * report.rounds);
    }
    let times = |width: f64, gap: f64| {
        if gap > 0.0 { (width / gap).powf(1.0 / WIDTH_FALLS_BY) } else { f64::INFINITY }
    };
    let slope = report.bytes_per_round;
    let to_fail = times(slope - report.bytes_per_round_low, slope - ceiling);
    let room = ceiling + GrowthReport::RESOLUTION_BYTES_PER_ROUND - slope;
    let to_pass = times(report.bytes_per_round_high - slope, room);
    let rounds = report.rounds as f64 * MARGIN * to_fail.min(to_pass).max(1.0);
    let most = report.rounds as f64 * MOST_TIMES;
    (rounds <= most).then(|| (report.rounds..).step_by(10).find(|&more| more as f64 >= rounds))?
}

impl fmt::Display for GrowthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Context { kind, rounds, ceiling, report, why } = &*self.0;
        if let Some(why) = why {
            return write!(f, "growth cannot be judged: {why}");
        }
        let (Some(report), Some(ceiling)) = (report, ceiling) else {
            let least = GrowthReport::MIN_ROUNDS;
            return write!(f, "{rounds} rounds are too few to see growth (run {least} or more)");
        };
        let (what, verdict) = match kind {
            GrowthErrorKind::Inconclusive => {
                ("it is not known whether each round leaves bytes behind", GrowthVerdict::Inconclusive)
            }
            _ => ("each round leaves bytes behind", GrowthVerdict::Fail),
        };
        writeln!(f, "{what}")?;
        writeln!(f, "  expected  at most {ceiling} bytes per round")?;
        writeln!(f, "{report}")?;
        writeln!(f, "  verdict   {verdict}")?;
        write!(f, "  try       {}", self.what_to_try())
    }
}

impl fmt::Debug for GrowthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() { f.debug_tuple("GrowthError").field(&self.0).finish() } else { write!(f, "{self}") }
    }
}

impl Error for GrowthError {}
