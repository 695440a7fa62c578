//! The commands that would mend it.

use crate::{
    Source,
    chain::Context,
    checksums,
    error::Step,
    fetch::{self, Base},
    reason::{Reason, Unsuitable},
};

pub(crate) fn for_named(source: Source, reason: &Reason) -> Vec<String> {
    let mut fixes = Vec::new();
    if let Reason::WrongVersion { actual, wanted } = reason {
        fixes.push(format!(
            "export ISOLATED_NATS_VERSION={actual}   # or ask for that version in the builder"
        ));
        fixes.push(format!("isolated-nats-server fetch --version {wanted}   # and name that one, or none"));
    }
    let fix = match source {
        Source::Environment => "unset ISOLATED_NATS_SERVER   # then one is located or fetched",
        _ => "leave `binary` out of the builder   # then one is located or fetched",
    };
    fixes.push(fix.to_owned());
    fixes
}

pub(crate) fn for_exhausted(context: &Context<'_>, steps: &[Step]) -> Vec<String> {
    let version = &context.version;
    let mut fixes = Vec::new();
    if let Some(variable) = context.settings.offline.filter(|name| !name.contains("::")) {
        fixes.push(format!("unset {variable}   # lets it be fetched"));
    }
    // The command restricts them too, and no variable is to blame for that.
    if context.settings.sources.is_some() && std::env::var_os("ISOLATED_NATS_SOURCES").is_some() {
        fixes.push("unset ISOLATED_NATS_SOURCES   # then all are tried".to_owned());
    }
    if let Some(fix) = steps.iter().find_map(other_version) {
        fixes.push(fix);
    }
    fixes.push(format!(
        "isolated-nats-server fetch --version {version}   # where there is a network; cargo install isolated-nats-server-binary has it"
    ));
    fixes.push("export ISOLATED_NATS_SERVER=/path/to/nats-server   # any executable of your own".to_owned());
    let is_known = checksums::archive(&version.to_string(), &context.target.to_string()).is_some();
    let url = fetch::url(&Base::Http(fetch::RELEASES.to_owned()), context);
    // Otherwise the SHA256SUMS would have to be fetched too.
    if is_known {
        fixes.push(format!("curl -fLO {url} && export ISOLATED_NATS_MIRROR=\"file://$PWD\""));
    }
    fixes.push(format!(
        "go install github.com/nats-io/nats-server/v2@v{version} && export ISOLATED_NATS_SERVER=\"$(go env GOPATH)/bin/nats-server\""
    ));
    fixes
}

/// What is on PATH works and is only another version.
fn other_version(step: &Step) -> Option<String> {
    let Reason::Unsuitable(rejected) = &step.reason else { return None };
    rejected.iter().find_map(|rejected| match &rejected.why {
        Unsuitable::Version { actual, .. } => Some(format!(
            "export ISOLATED_NATS_VERSION={actual}   # the version of `{}`",
            rejected.path.display()
        )),
        Unsuitable::Shim => Some(format!(
            "export ISOLATED_NATS_SERVER='{}'   # if the script is to be used",
            rejected.path.display()
        )),
        Unsuitable::Probe(_) => None,
    })
}
