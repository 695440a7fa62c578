//! The same rounds in other runs.

use isolated_nats::results::Record;

use crate::measured::Run;

/// The rounds of all runs one after the other, each so many joined into one, in runs of so many rounds; what is left over is in none.
///
/// A value is the mean of those that were measured. A round cannot be believed where one that it is of cannot.
pub(crate) fn regrouped(runs: &[Run], merge: usize, rounds: usize) -> Vec<Run> {
    let rounds_of = |run: &Run| run.records.iter().map(|record| record.rounds).min().unwrap_or(0);
    let all: Vec<(&Run, usize)> =
        runs.iter().flat_map(|run| (0..rounds_of(run)).map(move |round| (run, round))).collect();
    let of = |all: &[(&Run, usize)]| {
        let first = all[0].0;
        let records = (0..first.records.len()).map(|side| joined(all, merge, side)).collect();
        Run { loaded: first.loaded, at: first.at, records }
    };
    all.chunks_exact(merge * rounds).map(of).collect()
}

fn joined(all: &[(&Run, usize)], merge: usize, side: usize) -> Record {
    let mut record = all[0].0.records[side].clone();
    record.rounds = all.len() / merge;
    for metric in &mut record.metrics {
        let mean = |rounds: &[(&Run, usize)], of_control: bool| {
            let values = rounds.iter().filter_map(|(run, round)| {
                let metric = run.records[side].metric(&metric.name)?;
                let values = if of_control { &metric.control } else { &metric.samples };
                values.get(*round).copied().flatten()
            });
            let values: Vec<f64> = values.collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let samples = all.chunks(merge).map(|rounds| mean(rounds, false)).collect();
        let control = if metric.control.is_empty() {
            Vec::new()
        } else {
            all.chunks(merge).map(|rounds| mean(rounds, true)).collect()
        };
        (metric.samples, metric.control) = (samples, control);
    }
    let why = |(run, round): &(&Run, usize)| {
        let of = |(invalid, why): &(usize, String)| (invalid == round).then(|| why.clone());
        run.records[side].invalid.iter().find_map(of)
    };
    let invalid = all.chunks(merge).enumerate();
    record.invalid =
        invalid.filter_map(|(round, rounds)| Some((round, rounds.iter().find_map(why)?))).collect();
    record
}

#[cfg(test)]
mod tests {
    use isolated_nats::results::{Better, Metric, MetricKind, Unit};

    use super::*;

    fn run(samples: [Option<f64>; 3], invalid: &[usize]) -> Run {
        let mut metric = Metric::new("p50", MetricKind::Median, Unit::Seconds, Better::Lower);
        (metric.samples, metric.control) = (samples.to_vec(), vec![Some(1.0), Some(3.0), None]);
        let mut record = Record::new("s");
        (record.rounds, record.metrics) = (3, vec![metric]);
        record.invalid = invalid.iter().map(|round| (*round, "late".to_owned())).collect();
        Run { loaded: false, at: 0.0, records: vec![record] }
    }

    #[test]
    fn rounds_are_joined_by_their_mean_across_runs() {
        let runs = [run([Some(1.0), Some(2.0), Some(3.0)], &[]), run([Some(5.0), None, None], &[2])];
        let joined = regrouped(&runs, 2, 3);
        let record = &joined[0].records[0];
        assert_eq!((joined.len(), record.rounds), (1, 3));
        assert_eq!(record.metrics[0].samples, [Some(1.5), Some(4.0), None]);
        assert_eq!(record.metrics[0].control, [Some(2.0), Some(1.0), Some(3.0)]);
        assert_eq!(record.invalid, [(2, "late".to_owned())]);
    }

    #[test]
    fn runs_as_they_were_are_the_same() {
        let runs = [run([Some(1.0), None, Some(3.0)], &[1]), run([None, Some(5.0), None], &[])];
        let same = regrouped(&runs, 1, 3);
        assert_eq!(same.len(), 2);
        assert!(same.iter().zip(&runs).all(|(same, run)| same.records == run.records));
        assert_eq!(regrouped(&runs, 1, 2)[2].records[0].metrics[0].samples, [Some(5.0), None]);
    }
}
