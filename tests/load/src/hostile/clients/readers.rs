//! Clients that do not read.

use std::time::Duration;

use serde_json::Value;

use crate::hostile::attack::Arena;
use crate::hostile::low_priority;
use crate::hostile::stand::EVIL;
use crate::hostile::uploads;
use crate::hostile::wire::{Got, Wire, attacker};

/// Sockets that never read.
const READERS: usize = 200;
/// How many of them come from one address.
const OF_AN_ADDRESS: usize = 50;
/// What the speaker says: the smallest plugin's evil cousin sends it to everyone. A bound lets it say that often.
const WORDS_BYTES: usize = 20_000;
/// What the kernel keeps for a reader: the rest piles up at the server.
const BUFFER_BYTES: usize = 4_096;
const SPEAKS_EVERY: Duration = Duration::from_millis(20);

/// Comes in with 200 sockets that never read and one that speaks; the host's own count tells how many are left.
pub fn slow_readers(arena: &Arena) {
    low_priority();
    let seen = &arena.seen;
    let path = format!("/t/{EVIL}/bare?room=slow");
    let mut readers = Vec::new();
    while readers.len() < READERS && !seen.is_over() {
        match Wire::open(attacker(1 + readers.len() / OF_AN_ADDRESS), arena.server, &path, seen) {
            Ok(wire) => {
                // Where it cannot be set, more is kept for a reader that nobody reads.
                let _ = socket2::SockRef::from(&wire.stream).set_recv_buffer_size(BUFFER_BYTES);
                readers.push(wire);
            }
            Err(_) => drop(seen.pause(Duration::from_millis(100))),
        }
    }
    let Ok(mut speaker) = Wire::open(attacker(0), arena.server, &path, seen) else {
        return seen.breach("the speaker could not come in");
    };
    let _ = speaker.stream.set_read_timeout(Some(SPEAKS_EVERY));
    let frame = format!(r#"{{"type":"say","data":"{}"}}"#, "x".repeat(WORDS_BYTES));
    let mut said = 0u32;
    while !seen.is_over() {
        seen.act();
        speaker.text(frame.as_bytes());
        while let Got::Text(_) = speaker.receive() {}
        said += 1;
        if said.is_multiple_of(10) && !seen.is_stopped() && sockets(arena).is_some_and(|count| count <= READERS) {
            let why = readers.first_mut().map(last_words).unwrap_or_default();
            seen.stop(&format!("readers are closed: {why}"));
        }
    }
}

/// The evil tenant's sockets, as the host counts them.
fn sockets(arena: &Arena) -> Option<usize> {
    let list: Value = serde_json::from_str(&uploads::get("/_parlor/api/plugins", arena)?).ok()?;
    let plugins = list["plugins"].as_array()?.iter();
    let evil = plugins.filter(|plugin| plugin["tenant"] == EVIL);
    Some(evil.filter_map(|plugin| plugin["sockets"].as_u64()).sum::<u64>() as usize)
}

/// What a socket was told at its end, behind all that it had not read.
fn last_words(wire: &mut Wire) -> String {
    for _ in 0..100_000 {
        match wire.receive() {
            Got::Text(_) => {}
            Got::Closed(why) => return why,
            Got::Nothing => break,
        }
    }
    "without a word".to_owned()
}
