use std::time::Instant;

use super::*;
use crate::seen::End;

const ALARM: Id = Id { life: 1, sender: 0, n: 0 };
const DUE: u64 = 10_000;

fn seen(ago: Duration, life: u32) -> Seen {
    Seen { at: Instant::now() - ago, life }
}

fn ends() -> [End; 1] {
    [End { at: Instant::now(), stall: Duration::ZERO, wait: Duration::ZERO }]
}

/// An alarm that a client heard of.
fn armed(relaxed: bool, ago: Duration) -> Alarms {
    let mut alarms = Alarms::new(relaxed);
    alarms.sets(ALARM, 500);
    alarms.armed(ALARM, DUE, seen(ago, 1)).unwrap();
    alarms
}

fn compare(alarms: &mut Alarms, armed: &[Id], rang: &[Id]) -> Checked<Losses> {
    alarms.stored(armed, rang, DUE, seen(Duration::ZERO, 2), &ends())
}

#[test]
fn an_alarm_rings_in_time_or_is_found() {
    let mut alarms = armed(false, Duration::ZERO);
    assert!(alarms.in_time(DUE + LATE_MS, 0).is_ok());
    assert!(alarms.in_time(DUE + LATE_MS + 1, 0).is_err());
    assert!(alarms.in_time(DUE + LATE_MS + 1, DUE + 1).is_ok(), "the server has only started");
    assert_eq!(alarms.rang(ALARM, DUE + 7, seen(Duration::ZERO, 1)), Ok(Some(7)));
    assert_eq!((alarms.waiting(), alarms.counts()), (0, (1, 1)));
}

#[test]
fn an_alarm_rings_not_early_and_not_in_two_lives() {
    let mut alarms = armed(false, Duration::ZERO);
    assert!(alarms.rang(ALARM, DUE - 2, seen(Duration::ZERO, 1)).is_err());
    let mut alarms = armed(false, Duration::ZERO);
    alarms.rang(ALARM, DUE, seen(Duration::ZERO, 1)).unwrap();
    assert_eq!(alarms.rang(ALARM, DUE, seen(Duration::ZERO, 1)), Ok(None), "another client heard it too");
    assert!(alarms.rang(ALARM, DUE, seen(Duration::ZERO, 2)).is_err());
}

#[test]
fn what_was_told_of_an_alarm_must_be_stored() {
    assert!(compare(&mut armed(false, Duration::ZERO), &[], &[]).is_err());
    assert!(compare(&mut armed(false, Duration::ZERO), &[ALARM], &[]).is_ok());
    assert!(compare(&mut armed(false, Duration::ZERO), &[], &[ALARM]).is_err(), "half a turn");
    let mut alarms = armed(false, Duration::ZERO);
    alarms.rang(ALARM, DUE, seen(Duration::ZERO, 1)).unwrap();
    assert!(compare(&mut alarms, &[ALARM], &[]).is_err());
}

#[test]
fn an_alarm_that_nobody_heard_of_must_ring_where_it_is_stored() {
    let mut alarms = Alarms::new(false);
    alarms.sets(ALARM, 500);
    assert_eq!(alarms.waiting(), 0);
    compare(&mut alarms, &[ALARM], &[]).unwrap();
    assert_eq!(alarms.waiting(), 1);
    assert!(alarms.in_time(DUE + 500 + LATE_MS + 1, 0).is_err());
}

#[test]
fn relaxed_forgets_what_is_young() {
    let mut young = armed(true, Duration::from_millis(20));
    assert_eq!(compare(&mut young, &[], &[]).unwrap().turns, 1);
    assert_eq!(young.waiting(), 0);
    assert!(compare(&mut armed(true, Duration::from_millis(200)), &[], &[]).is_err());
}
