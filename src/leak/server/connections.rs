//! Connections that are new, and subscriptions that are new on those of before (pure).

use std::collections::{BTreeMap, HashMap};

use super::sockets::Owner;
use super::{Reach, ServerBaseline, ServerState};
use crate::leak::finding::{Findings, Leak, LeakKind, NotChecked};
use crate::leak::ignore::{Ignored, Ignores};
use crate::server::{ConnectionView, ConnectionsView, SubscriptionView};

/// Most of a list that is shown.
const SHOWN: usize = 10;
/// async-nats' own number for the subscription that takes the answers to all requests of a client.
const MULTIPLEXER: &str = "0";
const INBOX: &str = "_INBOX";

/// The connections that were not there before; after a restart all, for the numbers begin anew.
pub(super) fn new<'a>(
    before: &'a ConnectionsView,
    now: &'a ConnectionsView,
) -> impl Iterator<Item = &'a ConnectionView> {
    let known =
        move |cid| before.server_id == now.server_id && before.connections.iter().any(|old| old.cid == cid);
    now.connections.iter().filter(move |connection| !known(connection.cid))
}

pub(super) fn judge(
    baseline: &ServerBaseline,
    now: &ServerState,
    ignores: &Ignores,
    strict: bool,
) -> Findings {
    let mut findings = Findings::default();
    let (before, views) = (baseline.connections(), &now.views.connections);
    let owner = |connection: &ConnectionView| now.owners.get(&connection.cid).unwrap_or(&Owner::Unknown);
    let mut new: Vec<_> = new(before, views).filter(|new| counts(baseline.reach(), owner(new))).collect();
    // A connection that nobody holds any more may be of a client that has come back before the server has noticed.
    let pairs = pairs(before, views, |now| *owner(now) != Owner::Nobody, &mut new);
    new.retain(|connection| !ignores.allow(Ignored::Names, &connection.name));
    if baseline.restarted && !new.is_empty() {
        let why = "the server was restarted before the guard, and clients of before may have come back (begin the guard \
                   before the restart)";
        findings.not_checked.push(NotChecked { what: "connections", why: why.into() });
    } else {
        findings.leaks = leaks(&new, owner);
    }
    for (old, now) in pairs.into_iter().filter(|(_, now)| counts(baseline.reach(), owner(now))) {
        let new = subscriptions(old, now);
        let new = new.into_iter().filter(|new| !ignores.allow(Ignored::Subjects, &new.subject));
        if baseline.flushed || strict {
            findings.leaks.extend(new.map(|new| subscription_leak(new, now)));
        } else {
            findings.notes.extend(new.map(|new| subscription_note(new, now)));
        }
    }
    findings
}

fn counts(reach: Reach, owner: &Owner) -> bool {
    match owner {
        Owner::Here { .. } | Owner::Child { .. } => true,
        Owner::Other => false,
        Owner::Nobody | Owner::Unknown => reach == Reach::All,
    }
}

/// Connections of before with what they are now; takes those that have come back out of the new ones.
fn pairs<'a>(
    before: &'a ConnectionsView,
    now: &'a ConnectionsView,
    is_held: impl Fn(&ConnectionView) -> bool,
    new: &mut Vec<&'a ConnectionView>,
) -> Vec<(&'a ConnectionView, &'a ConnectionView)> {
    let same_run = before.server_id == now.server_id;
    let current: HashMap<u64, &ConnectionView> =
        now.connections.iter().filter(|now| same_run && is_held(now)).map(|now| (now.cid, now)).collect();
    let (mut pairs, mut gone) = (Vec::new(), Vec::new());
    for old in &before.connections {
        match current.get(&old.cid) {
            Some(now) => pairs.push((old, *now)),
            None => gone.push(old),
        }
    }
    // First those that are certain, so that a likely one cannot take their place.
    for certain in [true, false] {
        gone.retain(|old| {
            let alike = |new: &ConnectionView| {
                if certain {
                    multiplexer(old).is_some() && is_same_client(old, new)
                } else {
                    may_be(old, new)
                }
            };
            let best = (0..new.len()).filter(|index| alike(new[*index]));
            let best =
                best.max_by_key(|index| (in_common(old, new[*index]), std::cmp::Reverse(new[*index].cid)));
            best.map(|index| pairs.push((old, new.remove(index)))).is_none()
        });
    }
    pairs
}

fn is_same_client(old: &ConnectionView, new: &ConnectionView) -> bool {
    multiplexer(old) == multiplexer(new)
}

/// A client that has made requests keeps the inbox of their answers; one that has not may have made some since.
fn may_be(old: &ConnectionView, new: &ConnectionView) -> bool {
    let identity = |view: &ConnectionView| [&view.name, &view.lang, &view.version].map(String::clone);
    identity(old) == identity(new) && (multiplexer(old).is_none() || is_same_client(old, new))
}

fn multiplexer(connection: &ConnectionView) -> Option<&str> {
    let is = |subscription: &&SubscriptionView| connection.lang == "rust" && subscription.sid == MULTIPLEXER;
    Some(connection.subscriptions.iter().find(is)?.subject.as_str())
}

fn in_common(old: &ConnectionView, new: &ConnectionView) -> usize {
    new.subscriptions.iter().filter(|subscription| old.subscriptions.contains(subscription)).count()
}

/// The subscriptions of a test's own: not the one that takes the answers to requests, and none of the server's subjects.
fn own_subscriptions(connection: &ConnectionView) -> impl Iterator<Item = &SubscriptionView> {
    let known = multiplexer(connection);
    // Other libraries number it like any other: one of its form is taken for it.
    let guessed = connection.subscriptions.iter().find(|own| known.is_none() && is_answers(&own.subject));
    let answers = known.or(guessed.map(|own| own.subject.as_str()));
    let is_own = move |own: &&SubscriptionView| {
        Some(own.subject.as_str()) != answers && !own.subject.starts_with("$SYS.")
    };
    connection.subscriptions.iter().filter(is_own)
}

/// `_INBOX.<id>.*`
fn is_answers(subject: &str) -> bool {
    subject
        .strip_prefix(INBOX)
        .is_some_and(|rest| rest.starts_with('.') && rest.ends_with(".*") && rest.split('.').count() == 3)
}

/// What a subscription is counted by: an ordered consumer or a watch takes a new inbox when it begins anew.
fn counted_by<'a>(connection: &'a ConnectionView, own: &'a SubscriptionView) -> (&'a str, &'a str) {
    let prefix = multiplexer(connection)
        .and_then(|subject| subject.strip_suffix(".*")?.rsplit_once('.'))
        .map_or(INBOX, |(prefix, _)| prefix);
    let is_inbox = own.subject.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.'));
    (if is_inbox { prefix } else { &own.subject }, &own.queue_group)
}

/// Those that a client of before has more than it had.
fn subscriptions<'a>(old: &'a ConnectionView, now: &'a ConnectionView) -> Vec<&'a SubscriptionView> {
    let mut had: HashMap<(&str, &str), usize> = HashMap::new();
    // In the new one's terms: its first request may have told its prefix since.
    own_subscriptions(old).for_each(|own| *had.entry(counted_by(now, own)).or_default() += 1);
    let mut own: Vec<_> = own_subscriptions(now).collect();
    let age = |own: &SubscriptionView| own.sid.parse::<u64>().unwrap_or(u64::MAX);
    own.sort_by_key(|own| (!old.subscriptions.contains(own), age(own)));
    own.retain(|own| match had.get_mut(&counted_by(now, own)) {
        Some(left @ 1..) => {
            *left -= 1;
            false
        }
        _ => true,
    });
    own
}

fn subscription_text(subscription: &SubscriptionView) -> String {
    let SubscriptionView { subject, queue_group, .. } = subscription;
    if queue_group.is_empty() {
        format!("`{subject}`")
    } else {
        format!("`{subject}` (queue group `{queue_group}`)")
    }
}

fn subscription_leak(subscription: &SubscriptionView, connection: &ConnectionView) -> Leak {
    let what = format!("{} of {}", subscription_text(subscription), connection_text(connection));
    Leak::one(LeakKind::Subscription, what).hint(
        "a subscription, a watch, a consumer's messages or a service is still held: drop it before the verdict, or make \
         it before the guard",
    )
}

fn subscription_note(subscription: &SubscriptionView, connection: &ConnectionView) -> String {
    format!(
        "subscription to {} of {}: made since the guard began, or so shortly before that the server did not know it yet \
         (`leak_checked` and `run` tell the two apart, and `strict` takes it for a leak)",
        subscription_text(subscription),
        connection_text(connection)
    )
}

fn named(connection: &ConnectionView) -> String {
    let ConnectionView { name, lang, version, .. } = connection;
    let library = format!("{lang} {version}");
    match (name.is_empty(), library.trim()) {
        (true, "") => "a connection that has not said who it is".into(),
        (true, library) => format!("a client without a name ({library})"),
        (false, "") => format!("`{name}`"),
        (false, library) => format!("`{name}` ({library})"),
    }
}

fn address(connection: &ConnectionView) -> String {
    let ConnectionView { ip, port, .. } = connection;
    if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}

fn connection_text(connection: &ConnectionView) -> String {
    format!("{} from {}", named(connection), address(connection))
}

/// Connections that differ in their address only are one entry.
fn leaks<'a>(new: &[&'a ConnectionView], owner: impl Fn(&'a ConnectionView) -> &'a Owner) -> Vec<Leak> {
    let mut groups: BTreeMap<(String, Vec<String>, bool), Vec<&ConnectionView>> = BTreeMap::new();
    for connection in new {
        let mut details = Vec::new();
        if !matches!(connection.account.as_str(), "" | "$G") {
            details.push(format!("account `{}`", connection.account));
        }
        let mut subjects: Vec<_> = own_subscriptions(connection).map(subscription_text).collect();
        subjects.sort_unstable();
        if !subjects.is_empty() {
            details.push(format!("subscribed to {}", cut(&subjects)));
        }
        let is_client = connection.lang == "rust" && !matches!(owner(connection), Owner::Child { .. });
        groups.entry((named(connection), details, is_client)).or_default().push(connection);
    }
    let leaks = groups.into_iter().map(|((name, details, is_client), group)| {
        let addresses: Vec<_> = group.iter().map(|one| address_and_owner(one, owner(one))).collect();
        Leak {
            count: group.len(),
            details,
            ..Leak::one(LeakKind::Connection, format!("{name} from {}", cut(&addresses)))
        }
        .hint(if is_client { CLIENT_HINT } else { OTHER_HINT })
    });
    leaks.collect()
}

const CLIENT_HINT: &str = "an async-nats client, or something made from it (a subscription, a context, a store), is still \
                           held: drop it before the verdict, or make it before the guard";
const OTHER_HINT: &str = "close it, or end the process that holds it, before the verdict";

fn address_and_owner(connection: &ConnectionView, owner: &Owner) -> String {
    let address = address(connection);
    match owner {
        Owner::Here { fd } => format!("{address} (fd {fd} of this process)"),
        Owner::Child { pid } => format!("{address} (child process {pid})"),
        Owner::Other | Owner::Nobody | Owner::Unknown => address,
    }
}

fn cut(list: &[String]) -> String {
    let shown = list[..list.len().min(SHOWN)].join(", ");
    match list.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
