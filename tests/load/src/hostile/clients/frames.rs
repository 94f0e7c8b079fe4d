//! Clients that send what they should not, or more than they should.

use std::time::{Duration, Instant};

use crate::hostile::attack::Arena;
use crate::hostile::guests::judge;
use crate::hostile::seen::Seen;
use crate::hostile::stand::EVIL;
use crate::hostile::wire::{Got, Wire, attacker};
use crate::hostile::{in_threads, low_priority};
use crate::load::frame;

/// Sockets of a flood.
const FLOODERS: usize = 20;
/// What is written at once by a flood.
const BURST_BYTES: usize = 64 << 10;
/// From one connection of a client to its next.
const COMES_EVERY: Duration = Duration::from_millis(200);
/// The mask of everything: it changes nothing.
const MASK: [u8; 4] = [0; 4];

pub const TEXT: u8 = 0x81;
pub const BINARY: u8 = 0x82;
const PING: u8 = 0x89;
/// The first fragment of a text, and those behind it; neither is the last.
const FIRST_FRAGMENT: u8 = 0x01;
const FRAGMENT: u8 = 0x00;
const LAST_FRAGMENT: u8 = 0x80;
/// Fragments of a message that say nothing.
const CONTINUATIONS: usize = 20_000;
/// A text with the bit that stands for compression.
const COMPRESSED: u8 = 0xC1;

pub fn frame_of(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::put_head(&mut bytes, first, body.len() as u64, MASK);
    bytes.extend_from_slice(body);
    bytes
}

/// What a client sends: something first, then the same as fast as it is taken, or at a pace.
pub struct Words<'a> {
    pub first: &'a [u8],
    pub again: &'a [u8],
    /// From one write to the next.
    pub pace: Duration,
}

/// So many clients come into rooms, and come again when they are thrown out.
fn send_on(arena: &Arena, clients: usize, first: &[u8], again: &[u8], pace: Duration) {
    let path = |number| format!("/t/{EVIL}/bare?room=f{}", number % 4);
    send_at(arena, clients, path, &Words { first, again, pace }, judge);
}

/// The same at other paths; `judge` looks at what comes, and answers false where the connection has ended.
pub fn send_at(
    arena: &Arena,
    clients: usize,
    path: impl Fn(usize) -> String + Sync,
    words: &Words<'_>,
    judge: impl Fn(Got, &Seen) -> bool + Sync,
) {
    in_threads(clients, |number| {
        low_priority();
        let seen = &arena.seen;
        while !seen.is_over() {
            match Wire::open(attacker(number), arena.server, &path(number), seen) {
                Ok(mut wire) => {
                    seen.act();
                    wire.send(words.first);
                    send_until_closed(arena, &mut wire, words, &judge);
                }
                Err(why) if seen.begun().is_some() && !seen.is_over() => seen.stop(&why.words()),
                Err(_) => {}
            }
            seen.pause(COMES_EVERY);
        }
    });
}

fn send_until_closed(arena: &Arena, wire: &mut Wire, words: &Words<'_>, judge: &impl Fn(Got, &Seen) -> bool) {
    let seen = &arena.seen;
    let _ = wire.stream.set_nonblocking(true);
    let mut sent = 0;
    while !seen.is_over() {
        let begin = Instant::now();
        match std::io::Write::write(&mut wire.stream, &words.again[sent..]) {
            Ok(count) => sent = (sent + count) % words.again.len().max(1),
            // Not taken now: the host holds it back, which is as it should be.
            Err(why) if why.kind() == std::io::ErrorKind::WouldBlock => std::thread::sleep(Duration::from_millis(2)),
            // What was said last may still be read.
            Err(_) => {}
        }
        loop {
            match wire.receive() {
                Got::Nothing => break,
                got => {
                    if !judge(got, seen) {
                        return;
                    }
                }
            }
        }
        std::thread::sleep(words.pace.saturating_sub(begin.elapsed()));
    }
}

/// As much of a frame as makes one write worth while.
fn burst(frame: &[u8]) -> Vec<u8> {
    frame.repeat((BURST_BYTES / frame.len()).max(1))
}

pub fn flood(arena: &Arena) {
    let frame = frame_of(TEXT, br#"{"type":"say","data":"flood"}"#);
    send_on(arena, FLOODERS, &[], &burst(&frame), Duration::ZERO);
}

pub fn flood_empty(arena: &Arena) {
    send_on(arena, FLOODERS, &[], &burst(&frame_of(TEXT, b"")), Duration::ZERO);
}

pub fn flood_pings(arena: &Arena) {
    send_on(arena, FLOODERS, &[], &burst(&frame_of(PING, b"ping")), Duration::ZERO);
}

pub fn flood_large(arena: &Arena) {
    let body = format!(r#"{{"type":"say","data":"{}"}}"#, "x".repeat(60_000));
    send_on(arena, FLOODERS, &[], &frame_of(TEXT, body.as_bytes()), Duration::ZERO);
}

pub fn oversized(arena: &Arena) {
    send_on(arena, 4, &[], &frame_of(TEXT, &vec![b'x'; 10_000_000]), Duration::ZERO);
}

pub fn length_of_ages(arena: &Arena) {
    let mut head = Vec::new();
    frame::put_head(&mut head, TEXT, 1 << 62, MASK);
    send_on(arena, 4, &head, &[b'x'; 4_096], Duration::from_millis(1));
}

pub fn fragments(arena: &Arena) {
    send_on(arena, 4, &frame_of(FIRST_FRAGMENT, b"x"), &burst(&frame_of(FRAGMENT, b"x")), Duration::ZERO);
}

pub fn fragments_empty(arena: &Arena) {
    send_on(arena, 4, &frame_of(FIRST_FRAGMENT, b""), &burst(&frame_of(FRAGMENT, b"")), Duration::ZERO);
}

/// Each message is whole, and says what the guest knows.
pub fn empty_continuations(arena: &Arena) {
    let first = frame_of(FIRST_FRAGMENT, br#"{"type":"say","data":"whole"}"#);
    let message = [first, frame_of(FRAGMENT, b"").repeat(CONTINUATIONS), frame_of(LAST_FRAGMENT, b"")].concat();
    send_on(arena, 4, &[], &message, Duration::ZERO);
}

pub fn compressed(arena: &Arena) {
    // A deflate stream of zeros, which would be a thousand times as long.
    let body = [&[0xED, 0xC1, 0x01, 0x01][..], &[0; 1_000]].concat();
    send_on(arena, 4, &[], &frame_of(COMPRESSED, &body), Duration::from_millis(20));
}

pub fn unmasked(arena: &Arena) {
    let body = br#"{"type":"say"}"#;
    let bytes = [&[TEXT, body.len() as u8][..], body].concat();
    send_on(arena, 4, &[], &bytes, Duration::from_millis(20));
}

pub fn binary(arena: &Arena) {
    send_on(arena, 4, &[], &frame_of(BINARY, &[0; 1_000]), Duration::from_millis(20));
}

pub fn not_verani(arena: &Arena) {
    send_on(arena, 4, &[], &frame_of(TEXT, b"hello"), Duration::from_millis(20));
}

pub fn nested_json(arena: &Arena) {
    let body = format!(r#"{{"type":"say","data":{}{}}}"#, "[".repeat(30_000), "]".repeat(30_000));
    send_on(arena, 4, &[], &frame_of(TEXT, body.as_bytes()), Duration::from_millis(50));
}

/// All is sent with the request: the host has it before the socket is in its room.
pub fn early(arena: &Arena) {
    let early = frame_of(TEXT, br#"{"type":"say","data":"early"}"#).repeat(60);
    in_threads(4, |number| {
        low_priority();
        let seen = &arena.seen;
        let mut visit = 0;
        while !seen.is_over() {
            seen.act();
            visit += 1;
            let path = format!("/t/{EVIL}/bare?room=y{number}-{}", visit % 2);
            match Wire::open_sending(attacker(number), arena.server, &path, &early, seen) {
                Ok(mut wire) => {
                    let end = Instant::now() + Duration::from_millis(600);
                    while Instant::now() < end && !seen.is_over() && judge(wire.receive(), seen) {}
                }
                Err(why) if seen.is_over() => drop(why),
                Err(why) => seen.stop(&why.words()),
            }
            seen.pause(COMES_EVERY);
        }
    });
}
