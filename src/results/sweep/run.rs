//! The windows, one after the other.

use std::time::{Duration, Instant};

use super::super::error::{ResultsError, ResultsErrorKind};
use super::super::fingerprint::Fingerprint;
use super::super::time::Moment;
use super::analysis::{Facts, analyse};
use super::rung::{Rung, level_text};
use super::server::Watch;
use super::turn::order;
use super::window::Window;
use super::{Sweep, SweepReport, SweepStep, SweepStop, limit};
use crate::load::{LoadReport, OperationError, chain};
use crate::memory::text;

/// A sweep under way.
pub(super) struct Turns<F> {
    sweep: Sweep,
    run: F,
    rungs: Vec<Rung>,
    taken: Moment,
    fingerprint: Fingerprint,
    started: Instant,
    longest: Duration,
    out_of_time: bool,
    /// Whether a threshold was seen to name operations that there are.
    checked: bool,
    first_error: Option<OperationError>,
    notes: Vec<String>,
}

impl<F, E> Turns<F>
where
    F: AsyncFnMut(SweepStep) -> Result<LoadReport, E>,
    E: Into<OperationError>,
{
    pub(super) fn new(sweep: Sweep, run: F) -> Self {
        let rungs = sweep.levels.iter().map(|level| Rung::new(*level)).collect();
        let fingerprint = match &sweep.server {
            Some(nats) => Fingerprint::take().with_server(nats),
            None => Fingerprint::take(),
        };
        Self {
            sweep,
            run,
            rungs,
            taken: Moment::now(),
            fingerprint,
            started: Instant::now(),
            longest: Duration::ZERO,
            out_of_time: false,
            checked: false,
            first_error: None,
            notes: Vec::new(),
        }
    }

    pub(super) async fn run(mut self) -> Result<SweepReport, ResultsError> {
        self.warm_up().await?;
        let levels = self.sweep.levels.clone();
        for round in 0..self.sweep.windows {
            for level in order(&levels, self.sweep.seed, round) {
                self.window(level).await?;
            }
        }
        for _ in 0..self.sweep.bisections {
            let next = limit::limit(&self.measured()).as_ref().and_then(limit::between);
            let Some(level) = next.filter(|_| !self.out_of_time) else { break };
            self.add(level);
            for _ in 0..self.sweep.windows {
                self.window(level).await?;
            }
        }
        self.finish()
    }

    async fn warm_up(&mut self) -> Result<(), ResultsError> {
        let Some(level) = self.sweep.levels.first().copied() else { return Ok(()) };
        let step = SweepStep { level, window: None };
        let began = Instant::now();
        match (self.run)(step).await {
            Ok(report) => self.check(&report)?,
            Err(error) => {
                let error = error.into();
                self.notes.push(format!("the window before the first failed: {}", chain(error.as_ref())));
            }
        }
        self.longest = began.elapsed();
        Ok(())
    }

    /// Measures one window more at a level, unless there is no time for it, or no use in it.
    async fn window(&mut self, level: f64) -> Result<(), ResultsError> {
        if self.is_hopeless(level) || self.is_out_of_time() {
            return Ok(());
        }
        let Some(at) = self.rungs.iter().position(|rung| rung.level.total_cmp(&level).is_eq()) else {
            return Ok(());
        };
        let step = SweepStep { level, window: Some(self.rungs[at].windows.len()) };
        let began = Instant::now();
        let watch = Watch::start(self.sweep.server.as_ref()).await;
        let result = (self.run)(step).await;
        let window = match result {
            Ok(report) => {
                self.check(&report)?;
                let pid = self.sweep.server.as_ref().map(|nats| nats.process().pid());
                let mut window = Window::of(level, &report, &self.sweep.thresholds, pid);
                watch.finish(&mut window).await;
                window
            }
            Err(error) => {
                let error = error.into();
                let window = Window::failed(level, &chain(error.as_ref()));
                self.first_error.get_or_insert(error);
                window
            }
        };
        self.rungs[at].windows.push(window);
        self.longest = self.longest.max(began.elapsed());
        Ok(())
    }

    /// A lower level is beyond recovery.
    fn is_hopeless(&self, level: f64) -> bool {
        self.rungs.iter().any(|rung| rung.level < level && rung.stop().is_some())
    }

    fn is_out_of_time(&mut self) -> bool {
        let over = |budget| self.started.elapsed() + self.longest > budget;
        self.out_of_time = self.out_of_time || self.sweep.budget.is_some_and(over);
        self.out_of_time
    }

    /// Refuses thresholds that name what is not there, once it is known what is.
    fn check(&mut self, report: &LoadReport) -> Result<(), ResultsError> {
        if std::mem::replace(&mut self.checked, true) {
            return Ok(());
        }
        let names: Vec<_> = report.operations().iter().map(|operation| operation.name().to_owned()).collect();
        let refused = self.sweep.thresholds.iter().find_map(|threshold| threshold.check(&names).err());
        match refused {
            None => Ok(()),
            Some(error) => {
                let what = "a threshold of the sweep cannot be used";
                Err(ResultsError::new(ResultsErrorKind::Misuse, what).because(error))
            }
        }
    }

    fn add(&mut self, level: f64) {
        self.rungs.push(Rung::new(level));
        self.rungs.sort_by(|a, b| a.level.total_cmp(&b.level));
    }

    fn measured(&self) -> Vec<Rung> {
        self.rungs.iter().filter(|rung| !rung.windows.is_empty()).cloned().collect()
    }

    fn finish(mut self) -> Result<SweepReport, ResultsError> {
        let rungs = self.measured();
        let has_figures = |window: &Window| window.value(super::figure::Figure::Dropped).is_some();
        if let (false, Some(error)) =
            (rungs.iter().flat_map(|rung| &rung.windows).any(has_figures), self.first_error.take())
        {
            let what = "every window of the sweep failed (this is the first cause; run one window by itself)";
            return Err(ResultsError::new(ResultsErrorKind::Round, what).because(error));
        }
        self.note_what_is_missing(&rungs);
        self.note_what_was_added(&rungs);
        let measured = |level: &f64| rungs.iter().any(|rung| rung.level.total_cmp(level).is_eq());
        let skipped = self.sweep.levels.iter().copied().filter(|level| !measured(level)).collect();
        let budget = self.sweep.budget.filter(|_| self.out_of_time).map(|limit| SweepStop::Budget { limit });
        let facts = Facts {
            name: self.sweep.name,
            taken: self.taken,
            fingerprint: self.fingerprint,
            seed: self.sweep.seed,
            thresholds: self.sweep.thresholds.iter().map(ToString::to_string).collect(),
            skipped,
            budget,
            notes: self.notes,
        };
        Ok(analyse(self.sweep.axis, &rungs, facts))
    }

    /// Levels that nobody asked for by their number.
    fn note_what_was_added(&mut self, rungs: &[Rung]) {
        let levels: Vec<f64> = rungs.iter().map(|rung| rung.level).collect();
        self.notes.extend(added(&self.sweep.levels, &levels));
    }

    fn note_what_is_missing(&mut self, rungs: &[Rung]) {
        if self.out_of_time {
            let spent = text::duration(self.started.elapsed());
            let windows: usize = rungs.iter().map(|rung| rung.windows.len()).sum();
            let planned = self.sweep.planned_windows() - 1;
            let longest = text::duration(self.longest);
            self.notes.push(format!(
                "the budget was over after {spent} and {windows} of at most {planned} windows, the longest of {longest}"
            ));
        }
        let fewer = rungs.iter().filter(|rung| rung.windows.len() < self.sweep.windows);
        let fewer: Vec<_> = fewer.map(|rung| level_text(rung.level)).collect();
        if !fewer.is_empty() {
            let (windows, levels) = (self.sweep.windows, fewer.join(", "));
            self.notes.push(format!("fewer than {windows} windows: {levels}"));
        }
    }
}

fn added(asked: &[f64], measured: &[f64]) -> Option<String> {
    let is_new = |level: &&f64| !asked.iter().any(|known| known.total_cmp(level).is_eq());
    let new: Vec<_> = measured.iter().filter(is_new).map(|level| level_text(*level)).collect();
    let s = if new.len() == 1 { "" } else { "s" };
    (!new.is_empty()).then(|| {
        format!(
            "{} level{s} more than the {} asked for, between the last good and the first bad one: {} (`bisect`)",
            new.len(),
            asked.len(),
            new.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::added;

    #[test]
    fn levels_in_between_are_told() {
        let asked = [1024.0, 2048.0];
        assert_eq!(added(&asked, &asked), None);
        assert_eq!(added(&asked, &asked[..1]), None);
        assert_eq!(
            added(&asked, &[1024.0, 1448.0, 2048.0]).unwrap(),
            "1 level more than the 2 asked for, between the last good and the first bad one: 1448 (`bisect`)"
        );
        let two = added(&asked, &[1024.0, 1217.0, 1448.0, 2048.0]).unwrap();
        assert!(two.starts_with("2 levels more than the 2 ") && two.contains(": 1217, 1448 ("), "{two}");
    }
}
