//! One side: what is run, and what its rounds measured.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use crate::load::{Latency, LoadReport, OperationError};
use crate::memory::MemoryReport;
use crate::results::metric::Metric;
use crate::results::record::Record;
use crate::results::sample::Sample;

/// What is run once in each round.
pub(super) trait Side {
    fn run<'s>(&'s mut self) -> Pin<Box<dyn Future<Output = Result<Sample, OperationError>> + 's>>;
}

pub(super) fn boxed<'a, T: Into<Sample> + 'a>(
    round: impl AsyncFnMut() -> Result<T, OperationError> + 'a,
) -> Box<dyn Side + 'a> {
    Box::new(Closure { round, returns: PhantomData })
}

struct Closure<F, T> {
    round: F,
    returns: PhantomData<fn() -> T>,
}

impl<F, T> Side for Closure<F, T>
where
    F: AsyncFnMut() -> Result<T, OperationError>,
    T: Into<Sample>,
{
    fn run<'s>(&'s mut self) -> Pin<Box<dyn Future<Output = Result<Sample, OperationError>> + 's>> {
        Box::pin(async { (self.round)().await.map(Into::into) })
    }
}

/// What the rounds of one side measured.
#[derive(Debug, Default)]
pub(in crate::results) struct Gathered {
    rounds: usize,
    metrics: Vec<Metric>,
    invalid: Vec<(usize, String)>,
    latency: Option<Latency>,
    load: Option<LoadReport>,
    memory: Option<MemoryReport>,
}

impl Gathered {
    /// Takes the sample of this round, the rounds coming in order.
    pub(in crate::results) fn take(&mut self, round: usize, sample: Sample) {
        self.rounds = round + 1;
        for mut metric in sample.metrics {
            let value = metric.samples.pop().flatten();
            let known = match self.metrics.iter().position(|known| known.name == metric.name) {
                Some(place) => &mut self.metrics[place],
                None => {
                    self.metrics.push(metric);
                    let last = self.metrics.len() - 1;
                    &mut self.metrics[last]
                }
            };
            known.samples.resize(round, None);
            known.samples.push(value);
        }
        self.invalid.extend(sample.invalid.map(|why| (round, why)));
        if let Some(load) = sample.load {
            match &mut self.latency {
                Some(latency) => latency.add(load.response()),
                None => self.latency = Some(load.response().clone()),
            }
            self.load = Some(*load);
        }
        self.memory = sample.memory.map(|memory| *memory).or(self.memory.take());
    }

    /// What the load generator was set to, which the result depends on.
    pub(super) fn load_settings(&self) -> Vec<(String, String)> {
        let Some(setup) = self.load.as_ref().map(LoadReport::setup) else { return Vec::new() };
        let (least, most) = setup.payload_bytes;
        vec![
            ("load schedule".into(), setup.schedule.clone()),
            ("load workers".into(), setup.workers.to_string()),
            (
                "load payload".into(),
                if least == most { format!("{least} B") } else { format!("{least} to {most} B") },
            ),
        ]
    }

    /// Gives the record all of it, and what the control measured beside it.
    pub(in crate::results) fn give(self, record: &mut Record, control: &Self) {
        record.metrics = self.metrics;
        for metric in &mut record.metrics {
            metric.samples.resize(self.rounds, None);
            if let Some(beside) = control.metrics.iter().find(|beside| beside.name == metric.name) {
                metric.control.clone_from(&beside.samples);
                metric.control.resize(self.rounds, None);
            }
        }
        record.invalid = self.invalid;
        record.latency = self.latency;
        record.load = self.load;
        record.memory = self.memory;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_in_its_round() {
        let mut gathered = Gathered::default();
        gathered.take(0, Sample::new().rate("throughput", 5.0));
        gathered.take(1, Sample::new().bytes("peak heap", 7).invalid("too late"));
        gathered.take(2, Sample::new().rate("throughput", 6.0));
        let mut control = Gathered::default();
        control.take(0, Sample::new().rate("throughput", 10.0));
        let mut record = Record::new("s");
        gathered.give(&mut record, &control);
        let throughput = record.metric("throughput").unwrap();
        assert_eq!(throughput.samples, [Some(5.0), None, Some(6.0)]);
        assert_eq!(throughput.control, [Some(10.0), None, None]);
        assert_eq!(throughput.ratios(), Some(vec![0.5]));
        assert_eq!(record.metric("peak heap").unwrap().samples, [None, Some(7.0), None]);
        assert_eq!(record.invalid, [(1, "too late".to_owned())]);
    }
}
