//! Reads of much that give little.

use std::time::Duration;

use super::held::Held;
use crate::hostile::attack::Arena;
use crate::hostile::low_priority;

/// Rooms that are full: 16 MiB each.
const ROOMS: usize = 4;
/// What one turn writes.
const TURN_BYTES: usize = 1 << 20;
/// Entries of a page, and of one call.
const PAGE: (usize, usize) = (1_000, 16 << 10);
const CALL: (usize, usize) = (120, 128 << 10);
/// From one question to the next, of all rooms together: more than a tenant's processor answers.
const PACE: Duration = Duration::from_millis(5);
/// How long a turn may take that writes.
const WRITES: Duration = Duration::from_secs(10);

pub fn scan(arena: &Arena) {
    ask(arena, PAGE, r#"{"type":"scan"}"#);
}

pub fn get_many(arena: &Arena) {
    ask(arena, CALL, r#"{"type":"get-many"}"#);
}

/// Fills the rooms with so many entries of so many bytes, and then asks on and on.
fn ask(arena: &Arena, (entries, bytes): (usize, usize), words: &str) {
    low_priority();
    let Some(mut held) = Held::in_rooms(arena, "full", ROOMS, 1) else { return };
    let step = TURN_BYTES / bytes - 1;
    for first in (0..entries).step_by(step) {
        let count = step.min(entries - first);
        held.all_say(&format!(r#"{{"type":"fill","data":{{"first":{first},"count":{count},"bytes":{bytes}}}}}"#));
        if !held.hear(ROOMS, WRITES) {
            return arena.seen.breach("the rooms could not be filled");
        }
    }
    if held.wait_to_go() {
        held.talk(words, (0..held.count()).collect(), PACE);
    }
}
