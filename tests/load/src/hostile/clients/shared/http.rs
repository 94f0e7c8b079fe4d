//! Requests: of lists, too many of them, and such as never end.

use std::io::Read as _;
use std::time::Duration;

use super::held::{Held, path};
use crate::hostile::attack::Arena;
use crate::hostile::clients::connections::hold;
use crate::hostile::stand::{EVIL, EVIL_TOKEN};
use crate::hostile::wire::{Wire, attacker};
use crate::hostile::{in_threads, low_priority};
use crate::load::clients::upgrade_request;

/// Connections that ask for a list.
const LISTERS: usize = 32;
/// Connections of one address that pipeline, and requests that each has under way.
const PIPELINES: usize = 64;
const UNDER_WAY: usize = 64;
/// From one upgrade with a body to the next.
const UPGRADE_EVERY: Duration = Duration::from_millis(50);
/// Where those come from who ask, so that they are not who is in the rooms.
const ASKER: usize = 1_000;

pub fn api_list(arena: &Arena) {
    let Some(mut held) = Held::in_rooms(arena, "list", arena.scale.rooms, 1) else { return };
    if !held.wait_to_go() {
        return;
    }
    let request = format!(
        "GET /_parlor/api/rooms/{EVIL}/greedy?limit=1 HTTP/1.1\r\nHost: parlor\r\nAuthorization: Bearer {EVIL_TOKEN}\r\n\r\n"
    );
    in_threads(LISTERS, |_| {
        low_priority();
        while !arena.seen.is_over() {
            let Ok(mut wire) = Wire::dial(attacker(ASKER), arena.server) else { continue };
            while !arena.seen.is_over() && wire.send(request.as_bytes()) {
                arena.seen.act();
                match wire.read_answer(&arena.seen) {
                    Ok(answer) if answer.status == 200 => {}
                    Ok(answer) => {
                        arena.seen.stop(&format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body)));
                        break;
                    }
                    Err(_) => break,
                }
            }
        }
    });
}

pub fn pipelined(arena: &Arena) {
    let batch = "GET /_parlor/health HTTP/1.1\r\nHost: parlor\r\n\r\n".repeat(UNDER_WAY);
    in_threads(PIPELINES, |_| {
        low_priority();
        while !arena.seen.is_over() {
            let Ok(mut wire) = Wire::dial(attacker(ASKER), arena.server) else { continue };
            while !arena.seen.is_over() && wire.send(batch.as_bytes()) && answers(&mut wire, arena) {}
        }
    });
}

/// Reads the answers of a batch; false where the connection has ended.
fn answers(wire: &mut Wire, arena: &Arena) -> bool {
    let (mut buffer, mut count) = ([0; 16_384], 0);
    while count < UNDER_WAY && !arena.seen.is_over() {
        match wire.stream.read(&mut buffer) {
            Ok(0) => return false,
            // A head that two reads share is not counted, and the next batch comes a little later.
            Ok(read) => {
                let heads = buffer[..read].windows(9).filter(|nine| *nine == b"HTTP/1.1 ").count();
                (0..heads).for_each(|_| arena.seen.act());
                count += heads;
                if buffer[..read].windows(12).any(|twelve| twelve == b"HTTP/1.1 429") {
                    arena.seen.stop("429");
                }
            }
            Err(why) if matches!(why.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                return true;
            }
            Err(_) => return false,
        }
    }
    true
}

pub fn half_body(arena: &Arena) {
    let head = format!(
        "POST /_parlor/api/rooms/{EVIL}/greedy/r/emit HTTP/1.1\r\nHost: parlor\r\nAuthorization: Bearer {EVIL_TOKEN}\r\n\
         Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{\"channel\":"
    );
    let begin = |wire: &mut Wire| {
        wire.send(head.as_bytes());
    };
    hold(arena, begin, |_| {});
}

pub fn upgrade_body(arena: &Arena) {
    low_priority();
    let bodies =
        ["\r\nContent-Length: 5\r\n\r\nhello", "\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"];
    for body in bodies.iter().cycle() {
        if !arena.seen.pause(UPGRADE_EVERY) {
            return;
        }
        arena.seen.act();
        let Ok(mut wire) = Wire::dial(attacker(0), arena.server) else { continue };
        let request = upgrade_request(arena.server, &path("body"));
        wire.send(format!("{}{body}", request.trim_end()).as_bytes());
        match wire.await_upgrade(&arena.seen) {
            Ok(()) => arena.seen.breach("an upgrade with a body was answered with 101"),
            Err(why) if arena.seen.is_over() => drop(why),
            Err(why) => arena.seen.stop(&why.words()),
        }
    }
}
