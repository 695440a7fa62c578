//! Streams, buckets and consumers that are new (pure).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::leak::finding::{Findings, Leak, LeakKind};
use crate::leak::ignore::{Ignored, Ignores};
use crate::server::{JetStreamView, StreamView};

/// Streams by their account and name.
type Streams<'a> = BTreeMap<(&'a str, &'a str), &'a StreamView>;

pub(super) fn by_name(view: &JetStreamView) -> Streams<'_> {
    let of_account = view.account_details.iter().map(|account| (account.name.as_str(), &account.streams));
    of_account
        .flat_map(|(account, streams)| {
            streams.iter().map(move |stream| ((account, stream.name.as_str()), stream))
        })
        .collect()
}

pub(super) fn judge(
    before: &JetStreamView,
    now: &JetStreamView,
    ignores: &Ignores,
    strict: bool,
) -> Findings {
    let mut findings = Findings::default();
    let before = by_name(before);
    for ((account, name), stream) in by_name(now) {
        if let Some(old) = before.get(&(account, name)) {
            findings.add(consumers(old, stream, account, ignores, strict));
        } else if !is_servers_own(name) && !is_allowed(name, ignores) {
            findings.leaks.push(stream_leak(stream, account));
        }
    }
    findings
}

/// What the server makes for clients of MQTT, once and for good.
fn is_servers_own(stream: &str) -> bool {
    stream.starts_with("$MQTT_")
}

/// A bucket is allowed by its own name and by its stream's; each allowance that fits is noted as used.
fn is_allowed(stream: &str, ignores: &Ignores) -> bool {
    let bucket = bucket(stream).is_some_and(|(_, bucket)| ignores.allow(Ignored::Names, bucket));
    ignores.allow(Ignored::Names, stream) || bucket
}

fn bucket(stream: &str) -> Option<(&'static str, &str)> {
    let kind = |prefix, kind| Some((kind, stream.strip_prefix(prefix)?));
    kind("KV_", "key-value bucket").or_else(|| kind("OBJ_", "object store"))
}

/// The stream as a user made it: `ORDERS`, or the bucket that it is of.
fn named(stream: &str) -> String {
    bucket(stream).map_or_else(|| format!("`{stream}`"), |(kind, bucket)| format!("{kind} `{bucket}`"))
}

fn of_account(account: &str) -> String {
    if account == "$G" { String::new() } else { format!(" of account `{account}`") }
}

/// An allowance of a stream covers the consumers on it, for they go with it.
fn stream_leak(stream: &StreamView, account: &str) -> Leak {
    let StreamView { name, state, consumers } = stream;
    let count = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let mut content = format!("{}, {}", count(state.messages, "message"), count(state.bytes, "byte"));
    if !consumers.is_empty() {
        content = format!("{content}, {}", count(consumers.len() as u64, "consumer"));
    }
    let kind = if bucket(name).is_some() { LeakKind::Bucket } else { LeakKind::Stream };
    Leak::one(kind, format!("{}{} ({content})", named(name), of_account(account)))
        .hint("delete it at the end of the test, or allow it (`ignore_names`)")
}

fn consumers(old: &StreamView, now: &StreamView, account: &str, ignores: &Ignores, strict: bool) -> Findings {
    let mut findings = Findings::default();
    let has = |stream: &StreamView, name: &str| stream.consumers.iter().any(|consumer| consumer.name == name);
    // An ordered consumer or a watch of before that begins anew has a consumer of another name.
    let mut replaced = old.consumers.iter().filter(|consumer| !has(now, &consumer.name)).count();
    for consumer in now.consumers.iter().filter(|consumer| !has(old, &consumer.name)) {
        let Some(config) = &consumer.config else { continue }; // made between two questions, and seen by the next
        let ephemeral = config.inactive_threshold > 0;
        if ephemeral && strict && replaced > 0 {
            replaced -= 1;
            continue;
        }
        if ignores.allow(Ignored::Names, &consumer.name) {
            continue;
        }
        let what = format!("`{}` of {}{}", consumer.name, named(&now.name), of_account(account));
        let removed = format!(
            "the server removes it after {:?} of inactivity",
            Duration::from_nanos(config.inactive_threshold)
        );
        findings.add(match (ephemeral, strict) {
            (true, false) => Findings {
                notes: vec![format!("ephemeral consumer {what}: {removed}")],
                ..Findings::default()
            },
            (true, true) => leak(Leak::one(LeakKind::Consumer, format!("{what}, ephemeral")).detail(removed)),
            (false, _) => leak(Leak::one(LeakKind::Consumer, format!("{what}, durable"))),
        });
    }
    findings
}

fn leak(leak: Leak) -> Findings {
    let leak = leak.hint("delete it at the end of the test, or allow it (`ignore_names`)");
    Findings { leaks: vec![leak], ..Findings::default() }
}
