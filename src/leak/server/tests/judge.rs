//! Over answers that a real server gave, cut to what is read.

use serde_json::json;

use super::*;

fn connection(cid: u64, name: &str, subscriptions: &[(u32, &str)]) -> serde_json::Value {
    let list: Vec<_> = subscriptions
        .iter()
        .map(|(sid, subject)| json!({"cid": cid, "msgs": 0, "sid": sid.to_string(), "subject": subject}))
        .collect();
    json!({
        "account": "$G", "cid": cid, "idle": "0s", "in_msgs": 12, "ip": "127.0.0.1", "kind": "Client", "lang": "rust",
        "name": name, "port": 40000 + cid, "rtt": "296µs", "subscriptions": list.len(),
        "subscriptions_list_detail": list, "type": "nats", "version": "0.51.0"
    })
}

/// `/connz?subs=detail&auth=1`
fn connz(server_id: &str, connections: &[serde_json::Value]) -> ConnectionsView {
    let view = json!({"connections": connections, "limit": 1024, "num_connections": connections.len(), "offset": 0,
        "server_id": server_id, "total": connections.len()});
    serde_json::from_value(view).unwrap()
}

/// `/jsz?accounts=1&streams=1&consumers=1&config=1`
fn jsz(consumers: &[(&str, u64)]) -> JetStreamView {
    let consumers: Vec<_> = consumers
        .iter()
        .map(|(name, threshold)| {
            json!({"config": {"ack_policy": "explicit", "inactive_threshold": threshold, "max_deliver": -1},
                "created": "2026-11-21T10:53:27.135121169Z", "name": name, "num_pending": 1, "stream_name": "ORDERS"})
        })
        .collect();
    let view = json!({"account_details": [{"accounts": 0, "id": "$G", "name": "$G", "stream_detail": [{
        "config": {"name": "ORDERS", "subjects": ["orders.>"]}, "consumer_detail": consumers, "name": "ORDERS",
        "created": "2026-11-21T10:53:27.132487262Z", "state": {"bytes": 39, "consumer_count": 4, "messages": 1}}]}],
        "accounts": 2, "total": 1});
    serde_json::from_value(view).unwrap()
}

struct Case {
    baseline: ServerBaseline,
    now: ServerState,
}

impl Case {
    fn new(before: ConnectionsView, now: ConnectionsView) -> Self {
        let before = Arc::new(Views { connections: before, jetstream: jsz(&[]) });
        let nats = WeakNats::default();
        let question = ServerQuestion { nats, reach: Reach::All, before, changed: Arc::default() };
        let baseline = ServerBaseline { question, flushed: true, restarted: false };
        let views = Views { connections: now, jetstream: jsz(&[]) };
        Self { baseline, now: ServerState { views, owners: HashMap::new() } }
    }

    fn owners(mut self, owners: &[(u64, Owner)]) -> Self {
        self.now.owners = owners.iter().cloned().collect();
        self
    }

    fn reach(mut self, reach: Reach) -> Self {
        self.baseline.question.reach = reach;
        self
    }

    fn findings(&self) -> Findings {
        self.baseline.judge(&self.now, &Ignores::default(), false)
    }

    /// Each leak up to its address.
    fn found(&self) -> Vec<String> {
        let findings = self.findings();
        findings.leaks.iter().map(|leak| leak.what.split(" from ").next().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_client_of_before_is_known_by_the_inbox_of_its_requests() {
    let before = [connection(5, "a", &[(0, "_INBOX.one.*")]), connection(6, "a", &[(0, "_INBOX.two.*")])];
    // `two` has been dropped, `one` is back, and another has been made.
    let now = [connection(7, "a", &[(0, "_INBOX.three.*")]), connection(8, "a", &[(0, "_INBOX.one.*")])];
    let findings = Case::new(connz("N1", &before), connz("N2", &now)).findings();
    assert_eq!(texts(&findings.leaks), [(LeakKind::Connection, "`a` (rust 0.51.0) from 127.0.0.1:40007")]);
}

#[test]
fn one_that_has_made_no_request_is_taken_for_any_of_its_name() {
    let before = connz("N1", &[connection(5, "a", &[(1, "x")]), connection(6, "b", &[])]);
    let now = |connections: &[serde_json::Value]| Case::new(before.clone(), connz("N2", connections)).found();
    assert_eq!(now(&[connection(5, "a", &[(0, "_INBOX.i.*"), (1, "x")])]), [""; 0]);
    // Numbers begin anew with a restart: 5 is another connection, and `a` with `x` is the one that is back.
    let both = now(&[connection(5, "a", &[]), connection(9, "a", &[(1, "x")])]);
    assert_eq!(both, ["`a` (rust 0.51.0)"]);
    assert_eq!(now(&[connection(5, "c", &[])]), ["`c` (rust 0.51.0)"]);
}

#[test]
fn a_connection_that_nobody_holds_any_more_makes_room_for_its_client() {
    let case = || {
        let old = connection(5, "a", &[]);
        Case::new(connz("N", std::slice::from_ref(&old)), connz("N", &[old, connection(6, "a", &[])]))
    };
    assert_eq!(case().found(), ["`a` (rust 0.51.0)"]);
    let gone = case().owners(&[(5, Owner::Nobody), (6, Owner::Here { fd: 9 })]);
    assert_eq!(gone.found(), [""; 0]);
}

#[test]
fn only_what_may_be_the_tests_own_counts() {
    let owners =
        [(1, Owner::Here { fd: 9 }), (2, Owner::Child { pid: 7 }), (3, Owner::Other), (4, Owner::Nobody)];
    let names = ["here", "child", "other", "nobody", "unknown"];
    let now: Vec<_> = (1..).zip(names).map(|(cid, name)| connection(cid, name, &[])).collect();
    let case = |reach| Case::new(connz("N", &[]), connz("N", &now)).owners(&owners).reach(reach).findings();
    let whats = |findings: &Findings| -> Vec<String> {
        findings.leaks.iter().map(|leak| leak.what.clone()).collect()
    };
    let own = [
        "`child` (rust 0.51.0) from 127.0.0.1:40002 (child process 7)",
        "`here` (rust 0.51.0) from 127.0.0.1:40001 (fd 9 of this process)",
    ];
    let all = case(Reach::All);
    let unseen =
        ["`nobody` (rust 0.51.0) from 127.0.0.1:40004", "`unknown` (rust 0.51.0) from 127.0.0.1:40005"];
    assert_eq!(whats(&all), [own[0], own[1], unseen[0], unseen[1]]);
    assert!(
        all.leaks[0].hints[0].starts_with("close it") && all.leaks[1].hints[0].starts_with("an async-nats")
    );
    let attached = case(Reach::OwnConnections);
    assert_eq!(whats(&attached), own);
    assert_eq!(attached.not_checked[0].what, "streams, buckets, consumers");
}

#[test]
fn inboxes_are_counted_together_and_requests_not_at_all() {
    let old = |list: &[(u32, &str)]| connz("N", &[connection(5, "a", list)]);
    let found = |before: &[(u32, &str)], now: &[(u32, &str)]| {
        let leaks = Case::new(old(before), old(now)).findings().leaks;
        leaks.iter().map(|leak| leak.what.split('`').nth(1).unwrap().to_owned()).collect::<Vec<_>>()
    };
    let none = [""; 0];
    assert_eq!(found(&[], &[(0, "_INBOX.i.*"), (1, "$SYS.ACCOUNT.A.>")]), none);
    // An ordered consumer of before has begun anew.
    assert_eq!(found(&[(1, "_INBOX.one")], &[(0, "_INBOX.i.*"), (2, "_INBOX.two")]), none);
    assert_eq!(found(&[(1, "own.one")], &[(0, "own.i.*"), (2, "own.two")]), none);
    assert_eq!(found(&[(1, "_INBOX.one")], &[(1, "_INBOX.one"), (2, "_INBOX.two")]), ["_INBOX.two"]);
    // One instead of another is no more than before; a second one is.
    assert_eq!(found(&[(1, "x")], &[(2, "x")]), none);
    assert_eq!(found(&[(1, "x")], &[(1, "x"), (2, "x"), (3, "y")]), ["x", "y"]);
    // A second subscription in the form of the one for answers.
    assert_eq!(found(&[], &[(0, "_INBOX.i.*"), (1, "_INBOX.j.*")]), ["_INBOX.j.*"]);
    assert_eq!(found(&[], &[(1, "_INBOX.j.*")]), none);
}

#[test]
fn a_consumer_that_begins_anew_is_no_leak_when_strict() {
    let mut case = Case::new(connz("N", &[]), connz("N", &[]));
    let before = Views { connections: connz("N", &[]), jetstream: jsz(&[("gone", 30_000_000_000)]) };
    case.baseline.question.before = Arc::new(before);
    case.now.views.jetstream = jsz(&[("anew", 30_000_000_000), ("dur", 0), ("more", 1_500_000_000)]);
    let leaks = case.baseline.judge(&case.now, &Ignores::default(), true).leaks;
    let expected = [
        (LeakKind::Consumer, "`dur` of `ORDERS`, durable"),
        (LeakKind::Consumer, "`more` of `ORDERS`, ephemeral"),
    ];
    assert_eq!(texts(&leaks), expected);
    assert_eq!(leaks[1].details, ["the server removes it after 1.5s of inactivity"]);
}

#[test]
fn who_else_may_use_the_server_decides_what_is_looked_at() {
    let owned = |shared, here, alone| reach_of(false, shared, "a::test", here, alone);
    assert_eq!(owned(false, Some("a::test"), None), Ok(Reach::All));
    assert_eq!(owned(false, Some("tokio-rt-worker"), None), Ok(Reach::All));
    assert!(owned(false, Some("b::test"), None).unwrap_err().starts_with("started by `a::test`"));
    assert!(owned(true, Some("a::test"), None).unwrap_err().starts_with("shared by the tests"));
    for alone in [Alone::Nextest, Alone::Child, Alone::Program, Alone::Serial] {
        assert_eq!(owned(true, Some("b::test"), Some(alone)), Ok(Reach::All));
    }
    let attached = |alone| reach_of(true, false, "a", Some("a"), alone);
    assert!(attached(None).unwrap_err().starts_with("attached, and shared"));
    assert_eq!(attached(Some(Alone::Nextest)), Ok(Reach::OwnConnections));
    assert_eq!(attached(Some(Alone::Serial)), Ok(Reach::AllWithOwnConnections));
}
