//! Records, results and baselines as JSON, and back.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::baseline::Baseline;
use super::document::Results;
use super::error::{ResultsError, ResultsErrorKind};
use super::files;
use super::record::{Record, SCHEMA};

/// Where results, a record and a baseline say which version of this crate wrote them.
const WRITERS: [&str; 3] = [
    "/records/0/fingerprint/isolated_nats",
    "/fingerprint/isolated_nats",
    "/runs/0/fingerprint/isolated_nats",
];

/// Over several lines, in the order of the fields, with a line feed at its end.
pub(super) fn write(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value);
    // OK because every key is a text, and nothing of ours refuses to be written.
    let mut text = text.expect("results can be written as JSON");
    text.push('\n');
    text
}

/// Reads what [`write`] wrote, by this version or an older one; `what` names it in the error.
pub(super) fn read<T: DeserializeOwned>(text: &str, what: &str) -> Result<T, ResultsError> {
    let format = |text: String| ResultsError::new(ResultsErrorKind::Format, text);
    let head: Head = serde_json::from_str(text).map_err(|error| {
        format(format!("{what} cannot be read (it is cut off, or was changed by hand)")).because(error)
    })?;
    match head.schema {
        None => Err(format(format!("{what} was not written by isolated-nats (it has no `schema`)"))),
        Some(schema) if schema > u64::from(SCHEMA) => {
            let writer = writer(text);
            Err(format(format!(
                "{what} was written by {writer}, with schema {schema}; this is {}, which reads schemas up to {SCHEMA} (update \
                 isolated-nats)",
                env!("CARGO_PKG_VERSION")
            )))
        }
        Some(_) => serde_json::from_str(text).map_err(|error| {
            format(format!("{what} lacks what its schema has (was it changed by hand?)")).because(error)
        }),
    }
}

/// Reads a file.
pub(super) fn read_file<T: DeserializeOwned>(path: &Path) -> Result<T, ResultsError> {
    let text = std::fs::read_to_string(path).map_err(|error| files::failed("cannot be read", path, error))?;
    read(&text, &format!("`{}`", path.display()))
}

#[derive(Deserialize)]
struct Head {
    schema: Option<u64>,
}

fn writer(text: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let version = WRITERS.iter().find_map(|path| value.pointer(path)?.as_str());
    version.map_or_else(|| "a newer isolated-nats".into(), |version| format!("isolated-nats {version}"))
}

impl Results {
    /// Returns the results as JSON, whole.
    #[must_use]
    pub fn json(&self) -> String {
        write(self)
    }

    /// Reads results from JSON: of this version's schema, or an older one.
    ///
    /// # Errors
    ///
    /// [`Format`](ResultsErrorKind::Format): the text is no JSON, not of this crate, or of a newer schema than this version knows; it says
    /// which version wrote it.
    pub fn from_json(text: &str) -> Result<Self, ResultsError> {
        read(text, "the text")
    }
}

impl Record {
    /// Returns the record as JSON, whole.
    #[must_use]
    pub fn json(&self) -> String {
        write(self)
    }

    /// Reads a record from JSON: of this version's schema, or an older one. What a newer version of the same schema added is ignored, and
    /// what an older one did not have is absent.
    ///
    /// # Errors
    ///
    /// [`Format`](ResultsErrorKind::Format), as of [`Results::from_json`].
    pub fn from_json(text: &str) -> Result<Self, ResultsError> {
        read(text, "the text")
    }
}

impl Baseline {
    /// Reads a baseline from the JSON of its file: of this version's schema, or an older one.
    ///
    /// # Errors
    ///
    /// [`Format`](ResultsErrorKind::Format), as of [`Results::from_json`].
    pub fn from_json(text: &str) -> Result<Self, ResultsError> {
        read(text, "the text")
    }
}

#[cfg(test)]
mod tests {
    use super::super::fingerprint::Fingerprint;
    use super::super::metric::{Better, Metric, MetricKind, Unit};
    use super::super::time::Moment;
    use super::*;

    /// It must be readable for ever: never write it anew. A later schema gets a file of its own.
    const V1: &str = include_str!("record/v1.json");

    fn expected() -> Record {
        let mut record = Record::new("kv put");
        record.side = Some("new".into());
        record.taken = Moment(1_795_282_330);
        record.rounds = 6;
        record.fingerprint = Fingerprint {
            cpu_model: Some("AMD EPYC".into()),
            cores: Some(2),
            isolated_nats: Some("0.1.0".into()),
            ..Fingerprint::default()
        };
        record.configuration = [("payload".to_owned(), "128 B".to_owned())].into();
        record.configuration_hash = super::super::record::configuration_hash(&record.configuration);
        let mut metric = Metric::new("p50", MetricKind::Median, Unit::Seconds, Better::Lower);
        metric.samples = vec![Some(0.0001), Some(0.00012), None, Some(0.00011), Some(0.0001), Some(0.00013)];
        metric.control = vec![Some(0.00005); 6];
        let queue = Metric::new("queue", MetricKind::Other, Unit::Named("items".into()), Better::Lower);
        record.metrics = vec![metric, Metric { samples: vec![Some(3.0); 6], ..queue }];
        record.control = Some("ping".into());
        record.invalid = vec![(2, "too late".into())];
        record
    }

    #[test]
    fn a_record_of_schema_1_is_read_for_ever() {
        assert_eq!(Record::from_json(V1).unwrap(), expected());
    }

    #[test]
    fn what_is_written_is_read_back_the_same() {
        let record = expected();
        assert_eq!(Record::from_json(&record.json()).unwrap(), record);
        assert!(record.json().ends_with("}\n") && record.json() == record.json());
    }

    #[test]
    fn what_a_newer_version_added_is_ignored() {
        let text = V1.replacen('{', "{\n  \"colour\": {\"of\": [\"it\"]},", 1);
        assert_eq!(Record::from_json(&text).unwrap(), expected());
    }

    #[test]
    fn what_cannot_be_read_says_why_and_what_to_do() {
        let refused = |text: &str| {
            let error = Record::from_json(text).unwrap_err();
            assert_eq!(error.kind(), ResultsErrorKind::Format);
            error.to_string()
        };
        let newer = V1.replace("\"schema\": 1", "\"schema\": 99").replace("0.1.0", "7.0.0");
        let text = refused(&newer);
        let expected = "the text was written by isolated-nats 7.0.0, with schema 99; this is ";
        assert!(text.starts_with(expected) && text.ends_with("(update isolated-nats)"), "{text}");
        assert!(refused(r#"{"schema": 2}"#).starts_with("the text was written by a newer isolated-nats"));
        assert!(refused("{}").contains("it has no `schema`"));
        assert!(refused(&V1[..V1.len() / 2]).contains("cut off"));
        assert!(refused(r#"{"schema": 1}"#).contains("lacks what its schema has"));
        assert!(refused("").contains("cut off"));
    }
}
