//! From which level on figures are worse than at the first stable one.

use super::figure::Figure;
use super::rung::Rung;
use super::{Axis, Degradation};
use crate::results::metric::Unit;
use crate::results::stats;

/// So much worse counts, if it is beyond the noise of the windows.
const WORSE: f64 = 0.10;

/// One figure over the levels, each with its windows.
struct Course {
    name: &'static str,
    unit: Unit,
    /// 1 where more is worse, else -1.
    sign: f64,
    levels: Vec<(f64, Vec<f64>)>,
}

/// What is worse at some level, and all above, than at the first level that is well; of levels at which most operations succeeded.
pub(super) fn degradation(axis: &Axis, rungs: &[Rung]) -> Vec<Degradation> {
    let Some(first) = rungs.iter().position(Rung::is_well) else { return Vec::new() };
    let rungs: Vec<&Rung> = rungs[first..].iter().filter(|rung| rung.is_working()).collect();
    let times = [Figure::P50, Figure::P99].map(|figure| course(&rungs, figure));
    let cpu = [Figure::ClientCpu, Figure::ServerCpu].map(|figure| course(&rungs, figure));
    let all = times.into_iter().chain([throughput(axis, &rungs)]).chain(cpu);
    all.filter_map(Course::judge).collect()
}

fn course(rungs: &[&Rung], figure: Figure) -> Course {
    let levels = rungs.iter().map(|rung| (rung.level, rung.values(figure))).collect();
    Course { name: figure.name(), unit: figure.unit(), sign: 1.0, levels }
}

/// What should not fall with the level: throughput for each unit of it, bytes per second, or throughput itself.
fn throughput(axis: &Axis, rungs: &[&Rung]) -> Course {
    let (name, unit) = match axis {
        Axis::Rate => ("throughput per rate offered", Unit::Share),
        Axis::Concurrency => ("throughput per unit", Unit::PerSecond),
        Axis::Payload => ("bytes per second", Unit::Named("B/s".into())),
        Axis::Data | Axis::Named(_) => ("throughput", Unit::PerSecond),
    };
    let value = |level: f64, throughput: f64| match axis {
        Axis::Rate | Axis::Concurrency => throughput / level,
        Axis::Payload => throughput * level,
        Axis::Data | Axis::Named(_) => throughput,
    };
    let levels = rungs.iter().map(|rung| {
        (rung.level, rung.values(Figure::Throughput).into_iter().map(|x| value(rung.level, x)).collect())
    });
    Course { name, unit, sign: -1.0, levels: levels.collect() }
}

impl Course {
    fn judge(mut self) -> Option<Degradation> {
        self.levels.retain(|(_, values)| !values.is_empty());
        let ((_, base), above) = self.levels.split_first()?;
        let stable = stats::median(base)?;
        let ill = above.iter().rev().take_while(|(_, values)| self.is_worse(base, values));
        let ill: Vec<(f64, f64)> =
            ill.filter_map(|(level, values)| Some((*level, stats::median(values)?))).collect();
        let (from, _) = *ill.last()?;
        let worst = ill.iter().max_by(|a, b| (a.1 * self.sign).total_cmp(&(b.1 * self.sign)))?;
        Some(Degradation {
            metric: self.name.to_owned(),
            from,
            stable,
            worst: worst.1,
            worst_at: worst.0,
            unit: self.unit,
        })
    }

    /// By more than a tenth, and beyond noise: each median is outside the range of the other's windows.
    fn is_worse(&self, base: &[f64], values: &[f64]) -> bool {
        let (Some(stable), Some(here)) = (stats::median(base), stats::median(values)) else {
            return false;
        };
        let worse = |a: f64, b: f64| (a - b) * self.sign > 0.0;
        let by = (here - stable) * self.sign > stable.abs() * WORSE;
        by && base.iter().all(|one| worse(here, *one)) && values.iter().all(|one| worse(*one, stable))
    }
}

#[cfg(test)]
mod tests {
    use super::super::rung::rungs;
    use super::*;

    #[test]
    fn it_sets_in_where_this_level_and_all_above_are_worse() {
        let table: [(f64, &[f64]); 5] = [
            (1.0, &[1.0, 1.02, 0.98]),
            (2.0, &[1.3, 1.31, 1.29]), // worse, but the next is not
            (4.0, &[1.05, 1.0, 1.1]),
            (8.0, &[2.0, 2.1, 1.9]),
            (16.0, &[1.9, 1.8, 1.85]),
        ];
        let found = degradation(&Axis::Concurrency, &rungs(Figure::P50, &table));
        let expected = Degradation {
            metric: "p50".into(),
            from: 8.0,
            stable: 1.0,
            worst: 2.0,
            worst_at: 8.0,
            unit: Unit::Seconds,
        };
        assert_eq!(found, [expected]);
    }

    // A payload above the server's limit: all operations fail, at once and at little cost, or at much.
    #[test]
    fn where_operations_fail_nothing_is_worse() {
        let table: [(f64, &[f64]); 3] =
            [(128.0, &[43.7e-6]), (1_048_576.0, &[44e-6]), (2_097_152.0, &[54e-6])];
        let mut rungs = rungs(Figure::ClientCpu, &table);
        assert_eq!(degradation(&Axis::Payload, &rungs).len(), 1);
        rungs[2].windows[0].put(Figure::Errors, Some(1.0));
        rungs[2].windows[0].put(Figure::Throughput, Some(0.0));
        assert_eq!(degradation(&Axis::Payload, &rungs), []);
    }

    #[test]
    fn within_a_tenth_or_within_the_noise_nothing_is_worse() {
        let near: [(f64, &[f64]); 2] = [(1.0, &[1.0, 1.0, 1.0]), (2.0, &[1.09, 1.09, 1.09])];
        let noisy: [(f64, &[f64]); 2] = [(1.0, &[1.0, 0.7, 1.6]), (2.0, &[1.5, 1.4, 1.6])];
        for table in [near, noisy] {
            assert_eq!(degradation(&Axis::Data, &rungs(Figure::P99, &table)), []);
        }
        assert_eq!(degradation(&Axis::Data, &[]), []);
    }

    #[test]
    fn what_throughput_should_do_depends_on_the_axis() {
        // Perfect with more in flight; of a stream that grows, or a rate that is offered, it is worse or better.
        let doubling: [(f64, &[f64]); 3] = [(10.0, &[100.0]), (20.0, &[200.0]), (40.0, &[400.0])];
        let flat: [(f64, &[f64]); 3] = [(10.0, &[100.0]), (20.0, &[100.0]), (40.0, &[100.0])];
        let halving: [(f64, &[f64]); 3] = [(10.0, &[100.0]), (20.0, &[50.0]), (40.0, &[25.0])];
        let from = |axis: &Axis, table: &[(f64, &[f64])]| {
            degradation(axis, &rungs(Figure::Throughput, table)).first().map(|found| found.from)
        };
        for (axis, on_doubling, on_flat, on_halving) in [
            (Axis::Concurrency, None, Some(20.0), Some(20.0)),
            (Axis::Rate, None, Some(20.0), Some(20.0)),
            (Axis::Payload, None, None, None),
            (Axis::Data, None, None, Some(20.0)),
        ] {
            let found = (from(&axis, &doubling), from(&axis, &flat), from(&axis, &halving));
            assert_eq!(found, (on_doubling, on_flat, on_halving), "{axis:?}");
        }
    }
}
