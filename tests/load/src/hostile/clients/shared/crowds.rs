//! Many sockets and many rooms: what is said to them, and how they come, go and wake.

use std::time::{Duration, Instant};

use super::held::{Held, path};
use crate::hostile::attack::Arena;
use crate::hostile::clients::connections::come_and_go;
use crate::hostile::costs::gauge;
use crate::hostile::low_priority;
use crate::hostile::stand::EVIL;
use crate::hostile::wire::Wire;

/// Sockets of a room that is talked to, and what its one speaker says: 20 events a second, each answered to all 60 times.
const ROOM: usize = 300;
const CAST: &str = r#"{"type":"cast","data":60}"#;
const CAST_EVERY: Duration = Duration::from_millis(50);
/// Rooms that log, and from one turn of theirs to the next, of all together.
const LOGGERS: usize = 20;
const LOG_EVERY: Duration = Duration::from_millis(2);
/// Threads that open rooms, the addresses of each, and from one opening of a thread to its next.
const OPENERS: usize = 8;
const OPENER_ADDRESSES: usize = 5;
const OPEN_EVERY: Duration = Duration::from_millis(10);
/// Clients whose `authorize` thinks, for some 20 ms.
const THINKERS: usize = 40;
const THOUGHTS: u32 = 8_000_000;
/// Members of an address that come and go together, and groups of addresses that do so in turn, so that none asks too often.
const LEAVERS_OF_AN_ADDRESS: usize = 20;
const GROUPS: usize = 8;
const LEAVE_EVERY: Duration = Duration::from_millis(250);
/// Rooms that sleep, how long they may take to, and to answer when all are woken.
const SLEEPERS: usize = 3_000;
const ASLEEP: Duration = Duration::from_secs(30);
const WOKEN: Duration = Duration::from_secs(20);

pub fn broadcast(arena: &Arena) {
    broadcast_in(arena, 1);
}

pub fn broadcast_in_four(arena: &Arena) {
    broadcast_in(arena, 4);
}

fn broadcast_in(arena: &Arena, rooms: usize) {
    low_priority();
    let Some(mut held) = Held::in_rooms(arena, "cast", rooms, ROOM) else { return };
    if held.wait_to_go() {
        let speakers = (0..held.count()).step_by(ROOM).collect();
        held.talk(CAST, speakers, CAST_EVERY / rooms as u32);
    }
}

pub fn log_bulk(arena: &Arena) {
    low_priority();
    let Some(mut held) = Held::in_rooms(arena, "log", LOGGERS, 1) else { return };
    if held.wait_to_go() {
        held.talk(r#"{"type":"log"}"#, (0..held.count()).collect(), LOG_EVERY);
    }
}

pub fn openings(arena: &Arena) {
    come_and_go(arena, OPENERS, OPENER_ADDRESSES, OPEN_EVERY, |from, thread, visit| {
        Wire::open(from, arena.server, &path(&format!("fresh-{thread}-{visit}")), &arena.seen)
    });
}

pub fn authorize(arena: &Arena) {
    come_and_go(arena, THINKERS, 1, OPEN_EVERY * 5, |from, thread, _| {
        let path = format!("/t/{EVIL}/greedy?room=think-{}&rounds={THOUGHTS}", thread % 4);
        Wire::open(from, arena.server, &path, &arena.seen)
    });
}

/// They come together and leave together, and each who leaves is told of to those who are left.
pub fn teardown(arena: &Arena) {
    low_priority();
    let paths: Vec<String> = (0..ROOM).map(|_| path("teardown")).collect();
    let addresses = ROOM / LEAVERS_OF_AN_ADDRESS;
    let mut round = 0;
    while !arena.seen.is_over() {
        let begin = Instant::now();
        let first = round % GROUPS * addresses;
        let Ok(held) = Held::join(arena, first, LEAVERS_OF_AN_ADDRESS, &paths) else { return };
        arena.seen.act();
        drop(held);
        round += 1;
        arena.seen.pause(LEAVE_EVERY.saturating_sub(begin.elapsed()));
    }
}

pub fn wake_storm(arena: &Arena) {
    low_priority();
    let Some(mut held) = Held::in_rooms(arena, "sleep", SLEEPERS, 1) else { return };
    let end = Instant::now() + ASLEEP;
    while gauge("parlor_tenant_awake_rooms", Some(EVIL), arena).is_some_and(|awake| awake > 0.0) && Instant::now() < end
    {
        held.listen(Duration::from_millis(200));
    }
    if !held.wait_to_go() {
        return;
    }
    while !arena.seen.is_over() {
        held.all_say(r#"{"type":"sync","data":1}"#);
        held.hear(held.count(), WOKEN);
    }
}
