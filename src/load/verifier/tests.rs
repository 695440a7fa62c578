use std::time::Duration;

use bytes::Bytes;

use super::super::error::LoadErrorKind;
use super::*;

const LONG: Duration = Duration::from_secs(60);

fn sent(publisher: &mut Publisher, payload: &[u8]) -> Bytes {
    let (message, mut receipt) = publisher.stamp(payload);
    receipt.sent();
    message
}

fn confirmed(publisher: &mut Publisher) -> Bytes {
    let (message, receipt) = publisher.stamp(b"");
    receipt.confirm();
    message
}

#[test]
fn each_message_is_told_apart() {
    use ReceptionKind::{Duplicate, Expected, Late};

    let verifier = Verifier::new();
    let mut publisher = verifier.publisher("a");
    let receiver = verifier.receiver("r");
    let messages: Vec<_> = (0..4).map(|_| sent(&mut publisher, b"x")).collect();
    let kinds = [0, 2, 1, 2, 3, 0].map(|at: usize| receiver.received(&messages[at]).kind);
    assert_eq!(kinds, [Expected, Expected, Late, Duplicate, Expected, Duplicate]);
    let found = verifier.verification();
    assert_eq!((found.sent(), found.received(), found.duplicates(), found.reordered()), (4, 4, 2, 1));
    assert_eq!((found.lost(), found.in_flight(), found.unconfirmed()), (0, 0, 0));
    assert_eq!(found.delivered_share(), Some(1.0));
    assert_eq!(found.receiver("r").unwrap().delivery.count(), 4);
    found.assert_nothing_lost();
    assert_eq!(found.exactly_once_in_order().unwrap_err().kind(), LoadErrorKind::Failed);
    assert_eq!(receiver.count(), 4);
}

#[test]
fn two_publishers_to_one_subject_are_in_order_each_by_itself() {
    let verifier = Verifier::new();
    let (mut one, mut other) = (verifier.publisher("a"), verifier.publisher("a"));
    let receiver = verifier.receiver("r");
    let (first, second) = (sent(&mut one, b""), sent(&mut one, b""));
    let theirs = sent(&mut other, b"");
    for message in [&first, &theirs, &second] {
        assert_eq!(receiver.received(message).kind, ReceptionKind::Expected);
    }
    let found = verifier.verification();
    found.assert_exactly_once_in_order();
    let subjects = &found.receiver("r").unwrap().subjects;
    assert_eq!((subjects.len(), subjects[0].publishers, subjects[0].counts.received), (1, 2, 3));
}

#[test]
fn what_is_not_of_its_publishers_is_foreign_and_takes_no_memory() {
    let (verifier, other) = (Verifier::new(), Verifier::new());
    let receiver = verifier.receiver("r");
    let mut publisher = verifier.publisher("a");
    let message = sent(&mut publisher, b"x");
    let theirs = sent(&mut other.publisher("a"), b"x");
    let mut far = message.to_vec();
    far[16..24].copy_from_slice(&(1_u64 << 60).to_le_bytes());
    let mut nobody = message.to_vec();
    nobody[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
    let bare = super::super::stamp::write(std::time::Instant::now(), 0, b"");
    for foreign in [&b"no stamp"[..], &theirs, &far, &nobody, &bare, b""] {
        assert_eq!(receiver.received(foreign), Reception { kind: ReceptionKind::Foreign, latency: None });
    }
    assert_eq!(receiver.received(&message).kind, ReceptionKind::Expected);
    let found = verifier.verification();
    assert_eq!((found.receivers()[0].foreign, found.received()), (6, 1));
    found.assert_exactly_once_in_order();
}

#[tokio::test]
async fn a_core_message_that_was_sent_and_does_not_come_is_lost() {
    let verifier = Verifier::new();
    let mut publisher = verifier.publisher("a");
    let receiver = verifier.receiver("r");
    let messages: Vec<_> = (0..10).map(|_| sent(&mut publisher, b"")).collect();
    publisher.stamp(b"").1.failed();
    drop(publisher.stamp(b""));
    for message in messages.iter().step_by(2) {
        receiver.received(message);
    }
    let before = verifier.verification();
    assert_eq!((before.lost(), before.in_flight(), before.unconfirmed()), (0, 5, 2));
    assert_eq!(before.nothing_lost().unwrap_err().kind(), LoadErrorKind::Inconclusive);
    assert!(!verifier.settled(Duration::from_millis(1)).await);
    let found = verifier.verification();
    assert_eq!((found.stamped(), found.sent(), found.received()), (12, 10, 5));
    assert_eq!((found.lost(), found.in_flight(), found.unconfirmed()), (5, 0, 2));
    assert_eq!(found.delivered_share(), Some(0.5));
    let error = found.nothing_lost().unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Failed);
    assert!(
        error.to_string().starts_with("5 of 10 messages were lost\nmessages: 12 stamped, 10 sent, "),
        "{error}"
    );
    // One that comes after all is not lost.
    assert_eq!(receiver.received(&messages[1]).kind, ReceptionKind::Late);
    assert_eq!(verifier.verification().lost(), 4);
}

#[tokio::test]
async fn an_unacknowledged_message_need_not_come() {
    let verifier = Verifier::acknowledged();
    let mut publisher = verifier.publisher("a");
    let receiver = verifier.receiver("r");
    receiver.received(&confirmed(&mut publisher));
    let unsure = sent(&mut publisher, b"");
    let stored_all_the_same = sent(&mut publisher, b"");
    receiver.received(&stored_all_the_same);
    assert!(verifier.settled(LONG).await);
    let found = verifier.verification();
    assert_eq!((found.sent(), found.confirmed(), found.received(), found.unconfirmed()), (3, 1, 2, 1));
    found.assert_exactly_once_in_order();
    receiver.received(&unsure);
    assert_eq!(verifier.verification().unconfirmed(), 0);
    confirmed(&mut publisher);
    verifier.settled(Duration::from_millis(1)).await;
    assert_eq!(verifier.verification().lost(), 1);
}

#[test]
fn a_check_of_nothing_does_not_pass() {
    let verifier = Verifier::new();
    let text = |verifier: &Verifier| verifier.verification().nothing_lost().unwrap_err().to_string();
    let no_receiver = "nothing was verified (there is no receiver: `Verifier::receiver` makes one)";
    assert_eq!(text(&verifier), no_receiver);
    let _receiver = verifier.receiver("r");
    assert_eq!(text(&verifier), "nothing was verified (no message was sent: `Receipt::sent` says so)");
    assert_eq!(verifier.verification().delivered_share(), None);
    let verifier = Verifier::acknowledged();
    let _receiver = verifier.receiver("r");
    sent(&mut verifier.publisher("a"), b"");
    assert_eq!(
        text(&verifier),
        "nothing was verified (no message was confirmed: `Receipt::confirm` says so)"
    );
}

#[test]
fn each_receiver_must_get_all_and_clones_share_it() {
    let verifier = Verifier::new();
    let mut publisher = verifier.publisher("a");
    let (group, single) = (verifier.receiver("group"), verifier.receiver("single"));
    let worker = group.clone();
    let again = verifier.receiver("group"); // after a restart
    for receivers in [[&group, &single], [&worker, &single], [&again, &single]] {
        let message = sent(&mut publisher, b"");
        for receiver in receivers {
            receiver.received(&message);
        }
    }
    sent(&mut publisher, b"");
    let found = verifier.verification();
    assert_eq!((found.receivers().len(), found.received(), found.in_flight()), (2, 6, 2));
    assert_eq!(found.delivered_share(), Some(0.75));
}

#[test]
fn a_receiver_of_some_subjects_misses_no_other() {
    let verifier = Verifier::new();
    let (mut a, mut b) = (verifier.publisher("a"), verifier.publisher("b"));
    let receiver = verifier.receiver_of("only a", ["a"]);
    assert_eq!(receiver.received(&sent(&mut a, b"")).kind, ReceptionKind::Expected);
    assert_eq!(receiver.received(&sent(&mut b, b"")).kind, ReceptionKind::Foreign);
    let found = verifier.verification();
    found.assert_nothing_lost();
    assert_eq!((found.total().expected, found.receivers()[0].subjects.len()), (1, 1));
}

#[test]
fn delivery_is_timed_from_the_intended_start() {
    let verifier = Verifier::new();
    let mut publisher = verifier.publisher("a");
    let receiver = verifier.receiver("r");
    let due = std::time::Instant::now().checked_sub(Duration::from_millis(50)).unwrap();
    let (message, mut receipt) = publisher.stamp_due(b"payload", due);
    receipt.sent();
    let reception = receiver.received(&message);
    assert!(reception.latency.unwrap() >= Duration::from_millis(50));
    assert_eq!(
        verifier.verification().receivers()[0].delivery.max().unwrap().as_nanos(),
        reception.latency.unwrap().as_nanos()
    );
    assert_eq!(receiver.payload(&message), "payload");
}

#[tokio::test]
async fn settling_ends_with_the_last_message_and_not_with_its_limit() {
    let verifier = Verifier::new();
    let mut publisher = verifier.publisher("a");
    let receiver = verifier.receiver("r");
    let messages: Vec<_> = (0..3).map(|_| sent(&mut publisher, b"")).collect();
    let consumer = async {
        for message in &messages {
            crate::poll::delay(Duration::from_millis(5)).await;
            receiver.received(message);
        }
    };
    let started = std::time::Instant::now();
    let (complete, ()) = tokio::join!(verifier.settled(LONG * 10), consumer);
    assert!(complete && started.elapsed() < LONG * 10);
}

#[test]
fn threads_lose_nothing_of_what_they_count() {
    const MESSAGES: u64 = 20_000;
    let verifier = Verifier::new();
    let receiver = verifier.receiver("r");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (mut publisher, receiver) = (verifier.publisher("a"), receiver.clone());
            scope.spawn(move || {
                for _ in 0..MESSAGES {
                    receiver.received(&sent(&mut publisher, b""));
                }
            });
        }
    });
    let found = verifier.verification();
    found.assert_exactly_once_in_order();
    assert_eq!((found.sent(), found.received()), (4 * MESSAGES, 4 * MESSAGES));
    assert_eq!(found.receivers()[0].delivery.count(), 4 * MESSAGES);
}

#[tokio::test]
async fn a_table_says_what_was_found_and_json_keeps_it() {
    let verifier = Verifier::new();
    let receiver = verifier.receiver("billing");
    let mut publishers: Vec<_> = (0..25).map(|number| verifier.publisher(format!("s.{number}"))).collect();
    for publisher in &mut publishers {
        receiver.received(&sent(publisher, b""));
    }
    sent(&mut publishers[7], b"");
    verifier.settled(Duration::from_millis(1)).await;
    let found = verifier.verification();
    let table = found.to_string();
    let mut lines = table.lines();
    assert_eq!(lines.next().unwrap(), "messages: 26 stamped, 26 sent, 0 confirmed; 96.2 % delivered");
    assert!(lines.next().unwrap().starts_with("  receiver "), "{table}");
    let row: Vec<_> = lines.next().unwrap().split_whitespace().take(9).collect();
    assert_eq!(row, ["billing", "26", "25", "1", "0", "0", "0", "0", "0"]);
    assert_eq!(lines.next().unwrap().split_whitespace().take(4).collect::<Vec<_>>(), ["s.7", "2", "1", "1"]);
    assert_eq!(lines.last().unwrap().trim(), "and 5 more subjects");
    let text = serde_json::to_string(&found).unwrap();
    let back: Verification = serde_json::from_str(&text).unwrap();
    assert_eq!((back.to_string(), back.total()), (table, found.total()));
}
