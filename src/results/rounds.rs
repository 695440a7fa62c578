//! The rounds of a test with the attribute, each on a server of its own.

use super::document::Results;
use super::fingerprint::{self, Fingerprint};
use super::keep;
use super::record::{Record, TEST, configuration_hash};
use super::sample::Sample;
use super::scenario::{CONTROL, Gathered, control_of};
use crate::evidence;
use crate::server::ExternalNats;

/// What the rounds of a test measured.
pub(crate) struct Rounds {
    record: Record,
    own: Gathered,
    control: Gathered,
    has_control: bool,
    count: usize,
}

impl Rounds {
    /// Of a test by its path: no other test's baseline is its own.
    pub(crate) fn begin(scenario: &str, test: &str) -> Self {
        let mut record = Record::new(scenario);
        record.fingerprint = Fingerprint::take();
        record.configuration = [(TEST.to_owned(), test.to_owned())].into();
        record.configuration_hash = configuration_hash(&record.configuration);
        let (own, control) = (Gathered::default(), Gathered::default());
        Self { record, own, control, has_control: true, count: 0 }
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Takes what a round measured on a runtime with so many workers (`None`: of one thread), and the control on its server.
    pub(crate) fn take(&mut self, sample: Sample, server: &ExternalNats, workers: Option<usize>) {
        if self.count == 0 {
            let mut fingerprint = std::mem::take(&mut self.record.fingerprint).with_server(server);
            fingerprint.runtime = Some(fingerprint::runtime_of(workers));
            self.record.fingerprint = fingerprint;
        }
        self.own.take(self.count, sample);
        if self.has_control {
            self.take_control(server);
        }
        self.count += 1;
    }

    /// What does not work the first time (on a server that lets nobody in) is not tried again: it may take seconds each time.
    fn take_control(&mut self, server: &ExternalNats) {
        match control_of(server) {
            Ok(control) => self.control.take(self.count, control),
            Err(error) if self.count == 0 => {
                self.has_control = false;
                evidence::print(&format!(
                    "isolated-nats: `{}` is measured without a control, for {CONTROL} do not work on its server: {error}\n",
                    self.record.scenario
                ));
            }
            Err(_) => {} // none in this round
        }
    }

    /// The record of all rounds, which is kept.
    pub(crate) fn record(&mut self) -> Record {
        let mut record = self.record.clone();
        record.rounds = self.count;
        record.control = self.has_control.then(|| CONTROL.to_owned());
        std::mem::take(&mut self.own).give(&mut record, &self.control);
        keep::keep_quietly(&Results::new(record.scenario.clone(), vec![record.clone()], Vec::new()));
        record
    }
}
