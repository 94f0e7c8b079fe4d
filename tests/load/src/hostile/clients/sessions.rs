//! Clients of Socket.IO: sessions that are opened, kept and fed as no stock client does it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::Attack;
use super::connections::{come_and_go, hold, refused};
use super::frames::{BINARY, TEXT, Words, frame_of, send_at};
use crate::hostile::attack::Arena;
use crate::hostile::seen::Seen;
use crate::hostile::stand::EVIL;
use crate::hostile::wire::{Got, Refused, Wire, attacker};
use crate::hostile::{in_threads, low_priority};
use crate::load::clients::upgrade_request;

/// All of them.
pub const LIST: &[Attack] = &[
    Attack::new("get-flood", "GETs that open sessions, from 40 addresses, as fast as they are answered", get_flood),
    Attack::new(
        "half-upgrades",
        "200 WebSockets that are to take a session over and never do (engine-upgrade-ms is 2 s)",
        half_upgrades,
    )
    .limits("engine-upgrade-ms = 2000")
    .patience(8),
    Attack::new(
        "idle-sessions",
        "10,000 sessions in rooms that never poll (pinged after 4 s, gone 4 s later)",
        idle_sessions,
    )
    .limits("engine-ping-ms = 4000\nengine-pong-ms = 4000")
    .patience(20),
    Attack::new("no-attachments", "20 sessions that announce attachments and send texts of 60 KiB", no_attachments),
    Attack::new(
        "attachment-bombs",
        "20 sessions, events with 16 attachments of 4,000 bytes as fast as they are taken",
        attachment_bombs,
    ),
    Attack::new("endless-posts", "200 POSTs, a byte every half second (handshake-ms is 2 s)", endless_posts)
        .limits("handshake-ms = 2000")
        .patience(8),
    Attack::new("parallel-polls", "two polls at a time of one session, again and again", parallel_polls),
];

/// Threads that open sessions one after the other, and the addresses of each.
const OPENERS: usize = 8;
const OPENER_ADDRESSES: usize = 5;
/// From one opening of a thread to its next, at least.
const OPEN_EVERY: Duration = Duration::from_millis(2);
/// Sessions that stay, threads that open them, and how many of them an address has: each counts as two upgrades, and no
/// address is to ask for too many.
const IDLE: usize = 10_000;
const IDLE_THREADS: usize = 8;
const IDLE_OF_AN_ADDRESS: usize = 25;
/// From one look whether the first of them is still there to the next.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Sessions over WebSockets that send.
const SENDERS: usize = 20;
/// Attachments of an event, and bytes of each: as many and as large as may be, together with the text.
const ATTACHMENTS: usize = 16;
const ATTACHMENT_BYTES: usize = 4_000;
/// What an event without its attachments says besides.
const WORDS_BYTES: usize = 60_000;
const WORDS_EVERY: Duration = Duration::from_millis(200);
/// Threads whose sessions poll twice at a time, and from one such session of a thread to its next.
const POLLERS: usize = 8;
const POLL_EVERY: Duration = Duration::from_millis(20);

/// The engine's address, with what belongs to a request.
fn address(rest: &str) -> String {
    format!("/t/{EVIL}/socket.io/?EIO=4&{rest}")
}

/// A session that polls, and the connection that it was opened over.
pub struct Poller {
    wire: Wire,
    sid: String,
}

impl Poller {
    /// Opens one, over a connection of its own.
    pub fn open(from: Ipv4Addr, arena: &Arena) -> Result<Self, Refused> {
        let mut wire = Wire::dial(from, arena.server)?;
        let sid = open(&mut wire, arena)?;
        Ok(Self { wire, sid })
    }

    fn get(&self, server: SocketAddr) -> String {
        let address = polling(&self.sid);
        format!("GET {address} HTTP/1.1\r\nHost: {server}\r\n\r\n")
    }

    fn post(&mut self, packet: &str, arena: &Arena) -> Result<(), Refused> {
        let request = format!("{}{packet}", post_head(&self.sid, packet.len(), arena.server));
        self.wire.ask(&request, &arena.seen).map(drop)
    }
}

/// Opens a session over a connection; answers its id.
fn open(wire: &mut Wire, arena: &Arena) -> Result<String, Refused> {
    let request = format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", address("transport=polling"), arena.server);
    let opened = wire.ask(&request, &arena.seen)?;
    let terms = opened.strip_prefix(b"0").and_then(|terms| serde_json::from_slice::<serde_json::Value>(terms).ok());
    let sid = terms.as_ref().and_then(|terms| terms["sid"].as_str());
    sid.map(str::to_owned).ok_or_else(|| Refused::Broken("no open packet".to_owned()))
}

fn polling(sid: &str) -> String {
    address(&format!("transport=polling&sid={sid}"))
}

fn post_head(sid: &str, length: usize, server: SocketAddr) -> String {
    let address = polling(sid);
    format!("POST {address} HTTP/1.1\r\nHost: {server}\r\nContent-Length: {length}\r\n\r\n")
}

fn get_flood(arena: &Arena) {
    come_and_go(arena, OPENERS, OPENER_ADDRESSES, OPEN_EVERY, |from, _, _| Poller::open(from, arena));
}

/// Opens a session, and has the same connection ask to take it over.
fn half_upgrade(wire: &mut Wire, arena: &Arena) -> Result<(), Refused> {
    let sid = open(wire, arena)?;
    let path = address(&format!("transport=websocket&sid={sid}"));
    wire.send(upgrade_request(arena.server, &path).as_bytes());
    wire.await_upgrade(&arena.seen)?;
    wire.text(b"2probe");
    Ok(())
}

fn half_upgrades(arena: &Arena) {
    let begin = |wire: &mut Wire| {
        if let Err(why) = half_upgrade(wire, arena) {
            refused(&why, arena);
        }
    };
    hold(arena, begin, |_| {});
}

fn endless_posts(arena: &Arena) {
    let begin = |wire: &mut Wire| match open(wire, arena) {
        Ok(sid) => drop(wire.send(post_head(&sid, WORDS_BYTES, arena.server).as_bytes())),
        Err(why) => refused(&why, arena),
    };
    let keep = |wire: &mut Wire| {
        wire.send(b"4");
    };
    hold(arena, begin, keep);
}

/// Each thread opens its part of them, and then looks whether its first one is still there.
fn idle_sessions(arena: &Arena) {
    let addresses = IDLE / IDLE_THREADS / IDLE_OF_AN_ADDRESS;
    in_threads(IDLE_THREADS, |thread| {
        low_priority();
        let (mut first, mut opened) = (None, 0);
        while !arena.seen.is_over() {
            if opened < IDLE / IDLE_THREADS {
                arena.seen.act();
                match idle_session(attacker(thread * addresses + opened / IDLE_OF_AN_ADDRESS), arena) {
                    Ok(session) => {
                        first.get_or_insert(session);
                        opened += 1;
                        continue;
                    }
                    Err(why) => refused(&why, arena),
                }
            }
            // A packet that says nothing; the session answers no ping by it.
            if let Some(Err(why)) = first.as_mut().map(|session: &mut Poller| session.post("6", arena)) {
                refused(&why, arena);
                first = None;
            }
            arena.seen.pause(LOOK_EVERY);
        }
    });
}

/// A session in a room, whose client does not ask what is said there.
fn idle_session(from: Ipv4Addr, arena: &Arena) -> Result<Poller, Refused> {
    let mut session = Poller::open(from, arena)?;
    session.post("40/bare,", arena)?;
    Ok(session)
}

/// Sessions over WebSockets that come into a room and send the same again and again.
fn send_in_sessions(arena: &Arena, again: &[u8], pace: Duration) {
    let path = |number| address(&format!("transport=websocket&room=f{}", number % 4));
    let first = frame_of(TEXT, b"40/bare,");
    send_at(arena, SENDERS, path, &Words { first: &first, again, pace }, judge_packet);
}

/// What came: a stop, or nothing of note. False where the connection has ended.
fn judge_packet(got: Got, seen: &Seen) -> bool {
    match got {
        Got::Nothing => {}
        Got::Closed(why) => {
            seen.stop(&why);
            return false;
        }
        Got::Text(text) if text.starts_with(b"44") => seen.stop(&String::from_utf8_lossy(&text)),
        Got::Text(text) if text.first().is_some_and(u8::is_ascii_digit) => {}
        Got::Text(_) => seen.breach("a frame that is no packet"),
    }
    true
}

/// An event of so many attachments, without them.
fn announcement(count: usize, words: &str) -> Vec<u8> {
    let places = (0..count).map(|number| format!(r#",{{"_placeholder":true,"num":{number}}}"#));
    let packet = format!(r#"45{count}-/bare,["say"{},"{words}"]"#, places.collect::<String>());
    frame_of(TEXT, packet.as_bytes())
}

/// The second announcement comes in place of what the first one announced.
fn no_attachments(arena: &Arena) {
    send_in_sessions(arena, &announcement(1, &"x".repeat(WORDS_BYTES)), WORDS_EVERY);
}

fn attachment_bombs(arena: &Arena) {
    let attachments = frame_of(BINARY, &[0; ATTACHMENT_BYTES]).repeat(ATTACHMENTS);
    send_in_sessions(arena, &[announcement(ATTACHMENTS, ""), attachments].concat(), Duration::ZERO);
}

fn parallel_polls(arena: &Arena) {
    come_and_go(arena, POLLERS, OPENER_ADDRESSES, POLL_EVERY, |from, _, _| poll_twice(from, arena));
}

/// One of the two polls must be refused, and the other one ends.
fn poll_twice(from: Ipv4Addr, arena: &Arena) -> Result<(), Refused> {
    let mut session = Poller::open(from, arena)?;
    let (mut other, poll) = (Wire::dial(from, arena.server)?, session.get(arena.server));
    session.wire.send(poll.as_bytes());
    other.send(poll.as_bytes());
    let (first, second) = (session.wire.read_answer(&arena.seen)?, other.read_answer(&arena.seen)?);
    match [first, second].into_iter().find(|answer| answer.status != 200) {
        Some(refusal) => Err(refusal.into_refusal()),
        None => {
            arena.seen.breach("two polls at a time were answered");
            Ok(())
        }
    }
}
