//! Components: uploaded again and again, slowly, and files that are none.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hostile_guests::bare;

use crate::hostile::attack::Arena;
use crate::hostile::clients::connections::hold;
use crate::hostile::low_priority;
use crate::hostile::stand::{EVIL, EVIL_TOKEN, GOOD, TOKEN};
use crate::hostile::uploads;
use crate::hostile::wire::{Wire, attacker};

/// Files that are no components.
const FILES: usize = 2_000;
/// How many of them change each second.
const CHANGES: usize = 100;
/// From one upload of the good tenant's to the next.
const GOOD_EVERY: Duration = Duration::from_millis(500);
/// Where uploads come from.
const UPLOADER: usize = 1_001;
/// What a slow body says that it has, and the tenants that one is sent to.
const SLOW_BYTES: usize = 1_000_000;
const SLOW_TENANTS: usize = 6;
/// A section of a component that may hold anything, and how many bytes it has.
const CUSTOM_SECTION: [u8; 2] = [0, 10];

pub fn same(arena: &Arena) {
    upload_on(arena, |_| 0);
}

pub fn fresh(arena: &Arena) {
    upload_on(arena, |number| number);
}

/// Uploads a component that serves, as soon as the last upload was answered.
fn upload_on(arena: &Arena, mark: impl Fn(u64) -> u64) {
    low_priority();
    let mut number = 0;
    while !arena.seen.is_over() {
        number += 1;
        let bytes = marked(&arena.component, mark(number));
        arena.seen.act();
        match uploads::put_as(EVIL_TOKEN, attacker(UPLOADER), EVIL, "again", &bytes, arena) {
            Ok(answer) if answer.status < 300 => {}
            Ok(answer) => {
                arena.seen.stop(&format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body)));
                arena.seen.pause(Duration::from_millis(100));
            }
            Err(why) if arena.seen.is_over() => drop(why),
            Err(why) => arena.seen.stop(&why.words()),
        }
    }
}

/// A component with a number behind it that changes nothing but its bytes.
fn marked(component: &[u8], number: u64) -> Vec<u8> {
    // The length of the section's name, and the name.
    let name: &[u8] = &[1, b'n'];
    [component, &CUSTOM_SECTION, name, &number.to_le_bytes()].concat()
}

/// Bodies of which a byte comes now and then, for several tenants, since each has one upload at a time; meanwhile the good
/// tenant uploads as well.
pub fn slow(arena: &Arena) {
    let begun = AtomicUsize::new(0);
    let begin = |wire: &mut Wire| {
        let tenant = begun.fetch_add(1, Ordering::Relaxed) % SLOW_TENANTS;
        let head = format!(
            "PUT /_parlor/api/plugins/{EVIL}-{tenant}/slow HTTP/1.1\r\nHost: parlor\r\nAuthorization: Bearer {TOKEN}\r\n\
             Content-Length: {SLOW_BYTES}\r\n\r\n"
        );
        wire.send(head.as_bytes());
    };
    let keep = |wire: &mut Wire| {
        wire.send(b"\0");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| hold(arena, begin, keep));
        let bytes = bare(&[]);
        while arena.seen.pause(GOOD_EVERY) {
            match uploads::put(GOOD, "bare", &bytes, arena) {
                Ok(answer) if answer.status < 300 => {}
                Ok(answer) => {
                    arena.seen.breach(&format!("the good tenant's upload was answered with {}", answer.status))
                }
                Err(why) if arena.seen.is_over() => drop(why),
                Err(why) => arena.seen.breach(&format!("the good tenant's upload failed: {}", why.words())),
            }
        }
    });
}

pub fn bad_files(arena: &Arena) {
    low_priority();
    let write = |number: usize, round: usize| {
        arena.seen.act();
        let path = arena.folder.join(format!("bad-{number}")).with_extension("wasm");
        if let Err(why) = fs::write(&path, format!("\0asm, file {number}, the {round}. time")) {
            arena.seen.breach(&format!("no file could be written: {}", why.kind()));
        }
    };
    (0..FILES).for_each(|number| write(number, 0));
    let mut round = 1;
    while arena.seen.pause(Duration::from_secs(1)) {
        (0..CHANGES).for_each(|number| write((round * CHANGES + number) % FILES, round));
        round += 1;
    }
}
