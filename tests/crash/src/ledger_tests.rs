use std::time::{Duration, Instant};

use super::*;
use crate::seen::End;

const FIRST: Id = Id { life: 1, sender: 0, n: 0 };
const SECOND: Id = Id { life: 1, sender: 0, n: 1 };
const OTHER: Id = Id { life: 1, sender: 1, n: 0 };

fn seen(ago: Duration) -> Seen {
    Seen { at: Instant::now() - ago, life: 1 }
}

fn now() -> Seen {
    seen(Duration::ZERO)
}

/// The first life ended now.
fn ends() -> [End; 1] {
    [End { at: Instant::now(), stall: Duration::ZERO, wait: Duration::ZERO }]
}

/// A ledger to which these were sent.
fn ledger(relaxed: bool, sent: &[Id]) -> Ledger {
    let mut ledger = Ledger::new(relaxed);
    sent.iter().for_each(|id| ledger.sends(*id));
    ledger
}

/// What a whole ledger of these ids says.
fn stored(ids: &[Id]) -> (Audit, Vec<String>) {
    let mut texts: Vec<String> = ids.iter().map(Id::to_string).collect();
    texts.sort_unstable();
    let (sum, number) = (ids.iter().map(|id| id.amount()).sum(), ids.len() as u64);
    (Audit { total: sum, count: number, entries: sum, ids: number, ids_hash: hash(&texts) }, texts)
}

fn sum(ids: &[Id]) -> i64 {
    ids.iter().map(|id| id.amount()).sum()
}

fn compare(ledger: &mut Ledger, ids: &[Id]) -> Checked<Losses> {
    let (audit, texts) = stored(ids);
    ledger.stored(&audit, &texts, &ends())
}

#[test]
fn what_was_told_must_be_stored() {
    let mut ledger = ledger(false, &[FIRST, SECOND, OTHER]);
    ledger.added(FIRST, FIRST.amount(), 1, now()).unwrap();
    ledger.added(OTHER, sum(&[FIRST, OTHER]), 2, now()).unwrap();
    let lost = compare(&mut ledger, &[FIRST]).unwrap_err();
    assert!(lost.expected.contains("1-1-0") && lost.expected.contains("a client saw it"), "{lost:?}");
}

#[test]
fn what_was_not_told_may_be_there_or_not() {
    for kept in [&[FIRST][..], &[FIRST, SECOND], &[FIRST, SECOND, OTHER]] {
        let mut ledger = ledger(false, &[FIRST, SECOND, OTHER]);
        ledger.added(FIRST, FIRST.amount(), 1, now()).unwrap();
        assert_eq!(compare(&mut ledger, kept).unwrap().turns, 0);
    }
}

#[test]
fn half_a_turn_is_found() {
    let mut ledger = ledger(false, &[FIRST, SECOND]);
    let (whole, texts) = stored(&[FIRST, SECOND]);
    let halves = [
        Audit { total: whole.total - 1, ..whole.clone() },
        Audit { count: 1, ..whole.clone() },
        Audit { entries: FIRST.amount(), ids: 1, ..whole.clone() },
        Audit { ids_hash: hash(&texts[..1]), ..whole.clone() },
    ];
    for half in halves {
        assert!(ledger.stored(&half, &texts, &ends()).is_err(), "{half:?}");
    }
    assert!(ledger.stored(&whole, &texts[..1], &ends()).is_err(), "an id that is not listed");
    assert!(ledger.stored(&whole, &texts, &ends()).is_ok());
}

#[test]
fn what_nobody_sent_and_what_is_there_twice_is_found() {
    let mut ledger = ledger(false, &[FIRST]);
    assert!(compare(&mut ledger, &[FIRST, OTHER]).is_err());
    let (audit, mut texts) = stored(&[FIRST]);
    texts.push(FIRST.to_string());
    assert!(ledger.stored(&audit, &texts, &ends()).is_err());
    assert!(ledger.added(OTHER, OTHER.amount(), 1, now()).is_err());
}

#[test]
fn claims_of_different_clients_must_agree() {
    let told = |id: Id, total: i64, count: u64| {
        let mut ledger = ledger(false, &[FIRST, SECOND, OTHER]);
        ledger.added(FIRST, FIRST.amount(), 1, now()).unwrap();
        ledger.added(id, total, count, now())
    };
    assert!(told(FIRST, FIRST.amount(), 1).is_ok(), "another client heard the same");
    assert!(told(SECOND, sum(&[FIRST, SECOND]), 2).is_ok());
    assert!(told(OTHER, sum(&[FIRST, SECOND, OTHER]), 3).is_ok(), "nobody heard of the one between");
    assert!(told(FIRST, FIRST.amount(), 2).is_err(), "the same id twice");
    assert!(told(SECOND, FIRST.amount(), 1).is_err(), "two entries at one count");
    assert!(told(SECOND, sum(&[FIRST, SECOND]) + 1, 2).is_err(), "a total that one entry does not make");
    assert!(told(SECOND, FIRST.amount(), 2).is_err(), "a total that does not grow");
}

#[test]
fn one_senders_entries_are_stored_in_order() {
    assert!(compare(&mut ledger(false, &[FIRST, SECOND, OTHER]), &[SECOND]).is_err());
    assert!(compare(&mut ledger(false, &[FIRST, SECOND, OTHER]), &[FIRST, OTHER]).is_ok());
}

#[test]
fn who_sends_again_is_told_what_there_is() {
    let mut ledger = ledger(false, &[FIRST, SECOND, FIRST]);
    ledger.added(SECOND, sum(&[FIRST, SECOND]), 2, now()).unwrap();
    ledger.added(FIRST, sum(&[FIRST, SECOND]), 2, now()).unwrap();
    assert_eq!(compare(&mut ledger, &[FIRST, SECOND]).unwrap().turns, 0);
}

#[test]
fn relaxed_loses_the_last_moment_and_nothing_older() {
    let lose = |ago: u64| {
        let mut ledger = ledger(true, &[FIRST, SECOND]);
        ledger.added(FIRST, FIRST.amount(), 1, seen(Duration::from_secs(9))).unwrap();
        ledger.added(SECOND, sum(&[FIRST, SECOND]), 2, seen(Duration::from_millis(ago))).unwrap();
        compare(&mut ledger, &[FIRST])
    };
    assert_eq!(lose(50).unwrap().turns, 1);
    assert!(lose(150).is_err());
    let mut ledger = ledger(true, &[FIRST, SECOND]);
    ledger.added(SECOND, SECOND.amount(), 1, now()).unwrap();
    compare(&mut ledger, &[SECOND]).unwrap_err();
}

#[test]
fn what_was_found_after_a_restart_stays() {
    let mut ledger = ledger(true, &[FIRST]);
    ledger.added(FIRST, FIRST.amount(), 1, now()).unwrap();
    assert!(compare(&mut ledger, &[FIRST]).is_ok());
    let lost = compare(&mut ledger, &[]).unwrap_err();
    assert!(lost.expected.contains("to stay stored"), "{lost:?}");
}

#[test]
fn relaxed_loses_no_more_than_was_seen_in_a_moment() {
    let mut ledger = ledger(true, &[FIRST, SECOND]);
    ledger.added(FIRST, FIRST.amount(), 1, seen(Duration::from_millis(140))).unwrap();
    ledger.added(SECOND, sum(&[FIRST, SECOND]), 2, now()).unwrap();
    let (audit, texts) = stored(&[]);
    let busy = [End { at: Instant::now(), stall: Duration::ZERO, wait: Duration::from_secs(1) }];
    assert!(ledger.stored(&audit, &texts, &busy).unwrap_err().expected.contains("of what was seen to be lost"));
}
