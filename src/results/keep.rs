//! What becomes of results by themselves: they are kept, and shown where a job shows its summary.

use super::document::Results;
use super::error::ResultsError;
use super::store::Store;
use crate::evidence;

/// Keeps results under the target directory, and adds them to a job's summary. That it does not work is said, and no reason to
/// fail a test.
pub(super) fn keep(results: &Results) {
    let _ours = crate::memory::ours();
    let kept = Store::find().and_then(|store| store.save(results)).map(drop);
    let shown = results.add_to_job_summary().map(drop);
    for text in said(&results.title, kept.err().as_ref(), shown.err().as_ref()) {
        evidence::print(&text);
    }
}

/// Keeps results, without showing them.
pub(super) fn keep_quietly(results: &Results) {
    let _ours = crate::memory::ours();
    if let Err(error) = Store::find().and_then(|store| store.save(results)) {
        said(&results.title, Some(&error), None).for_each(|text| evidence::print(&text));
    }
}

/// What is to be said of results that could not be kept, or not shown.
fn said(
    title: &str,
    kept: Option<&ResultsError>,
    shown: Option<&ResultsError>,
) -> impl Iterator<Item = String> {
    let told = |what: &str, error: &ResultsError| {
        format!("isolated-nats: the results of `{title}` are not {what}: {error:?}\n")
    };
    let kept = kept.map(|error| told("kept", error));
    kept.into_iter().chain(shown.map(|error| told("in the summary of the job", error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::error::ResultsErrorKind;

    #[test]
    fn a_summary_that_cannot_be_written_is_not_called_a_loss() {
        let error = ResultsError::new(ResultsErrorKind::File, "could not add to `s`");
        let texts = |kept, shown| said("bus", kept, shown).collect::<Vec<_>>();
        let shown =
            "isolated-nats: the results of `bus` are not in the summary of the job: could not add to `s`\n";
        assert_eq!(texts(None, Some(&error)), [shown]);
        let kept = "isolated-nats: the results of `bus` are not kept: could not add to `s`\n";
        assert_eq!(texts(Some(&error), None), [kept]);
        assert_eq!(texts(Some(&error), Some(&error)), [kept, shown]);
    }
}
