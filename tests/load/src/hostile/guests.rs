//! Clients that make a hostile guest act: they come, send what it waits for at a bounded rate, and come again when they
//! are thrown out.

use std::time::{Duration, Instant};

use hostile_guests::{Hostile, When};
use serde_json::Value;

use super::attack::Arena;
use super::seen::Seen;
use super::stand::EVIL;
use super::wire::{Got, Refused, Wire, attacker};
use super::{in_threads, low_priority};

/// From one event of a client to its next.
const EVENT_EVERY: Duration = Duration::from_millis(50);
/// From one connection of a client to its next.
const CONNECT_EVERY: Duration = Duration::from_millis(200);
/// From one client's first connection to the next one's.
const STAGGER: Duration = Duration::from_millis(5);
/// How long a client stays that only came to connect.
const STAY: Duration = Duration::from_millis(300);

/// Where it happens.
#[derive(Clone, Copy)]
pub struct Rooms {
    pub count: usize,
}

/// Attacks until it is over: a client in each room.
pub fn attack(hostile: &Hostile, rooms: Rooms, arena: &Arena) {
    in_threads(rooms.count, |number| {
        low_priority();
        // One after the other, so that the host spreads their rooms over its threads.
        arena.seen.pause(STAGGER * number as u32);
        let mut visit = 0;
        while !arena.seen.is_over() {
            // What acts when a room opens needs new rooms.
            let room = if hostile.when == When::Open { format!("r{number}-{visit}") } else { format!("r{number}") };
            one_visit(hostile, number, &room, arena);
            visit += 1;
            arena.seen.pause(CONNECT_EVERY);
        }
    });
}

fn one_visit(hostile: &Hostile, number: usize, room: &str, arena: &Arena) {
    let seen = &*arena.seen;
    if hostile.when != When::Event {
        seen.act();
    }
    let path = format!("/t/{EVIL}/bare?room={room}");
    match Wire::open(attacker(number), arena.server, &path, seen) {
        Ok(wire) if hostile.when == When::Event => send_events(hostile, wire, seen),
        Ok(wire) => stay(wire, seen, STAY),
        Err(_) if seen.is_over() => {}
        // Only what follows an action of the guest is a stop.
        Err(refused) => {
            if seen.begun().is_some() {
                seen.stop(&refused.words());
            }
            if matches!(refused, Refused::Status { retry_after: true, .. }) {
                seen.pause(Duration::from_millis(500));
            }
        }
    }
}

fn send_events(hostile: &Hostile, mut wire: Wire, seen: &Seen) {
    let text = "x".repeat(hostile.payload_bytes);
    let frame = format!(r#"{{"type":"{}","data":"{text}"}}"#, hostile.event);
    while !seen.is_over() {
        seen.act();
        // A connection that does not take it now is read before it is tried again.
        let is_sent = wire.text(frame.as_bytes());
        let next = Instant::now() + EVENT_EVERY;
        while Instant::now() < next && !seen.is_over() {
            if !judge(wire.receive(), seen) {
                return;
            }
        }
        if !is_sent {
            return;
        }
    }
}

/// Stays for a time, or until it is thrown out.
fn stay(mut wire: Wire, seen: &Seen, time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end && !seen.is_over() {
        if !judge(wire.receive(), seen) {
            return;
        }
    }
}

/// What came: a stop, a breach, or nothing of note. False where the connection has ended.
pub fn judge(got: Got, seen: &Seen) -> bool {
    match got {
        Got::Nothing => true,
        Got::Closed(why) => {
            seen.stop(&why);
            false
        }
        Got::Text(text) => {
            look_at(&text, seen);
            true
        }
    }
}

/// Whatever a guest does, a client gets whole envelopes with the event's own name; and where the guest reports what
/// became of a call that must not be, it was refused.
fn look_at(text: &[u8], seen: &Seen) {
    let Ok(frame) = serde_json::from_slice::<Value>(text) else {
        return seen.breach("a frame that is not one JSON value");
    };
    if frame["type"] == "pong" {
        return;
    }
    if frame["type"] != "event" || !frame["channel"].is_string() {
        return seen.breach("a frame that is not the host's envelope");
    }
    let data = &frame["data"];
    match data["type"].as_str() {
        Some("say") => {}
        Some("error") => return seen.stop("an event `error`"),
        _ => return seen.breach("an event that the guest did not name"),
    }
    match data["data"].as_u64() {
        None => {}
        Some(0) => seen.breach("the host did what the guest must not ask for"),
        Some(1) => seen.stop("refused: a limit"),
        Some(2) => seen.stop("refused: no such socket"),
        Some(3) => seen.stop("refused: no turn"),
        Some(4) => seen.stop("refused: invalid"),
        Some(_) => seen.stop("refused"),
    }
}
