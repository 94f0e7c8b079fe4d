//! A thousand of each: what a server holds before and after must be the same.

use std::time::{Duration, Instant};

use anyhow::Context;
use hostile_guests::{Plan, bare, find};

use super::attack::Arena;
use super::clients::Poller;
use super::guests::judge;
use super::process::Holdings;
use super::stand::{EVIL, Kit, Setting, Stand};
use super::wire::{Got, Wire, attacker};
use super::{in_threads, uploads};

/// Threads that attack at once.
const ATTACKERS: usize = 4;
/// Addresses that they come from in turn, so that the bounds of an address do not spare the server the attack.
const ADDRESSES: usize = 200;
/// Repetitions before the first look: what is made once is not counted.
const WARM_UP: usize = 200;
/// How long the server may take until everything of an attack is gone.
const SETTLE: Duration = Duration::from_secs(10);
/// From one look to the next.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Memory that may come and go with the allocator.
const RSS_KIB: u64 = 6 << 10;
/// Of a thousand sockets or instances that leak, one in a hundred would be seen.
const DESCRIPTORS: u64 = 3;
const THREADS: u64 = 1;
const INSTANCES: u64 = 1;

/// Rooms and instances go at once where nobody is in them, and sessions that come into no room: nobody has to wait for it.
const LIMITS: &str = "room-linger-ms = 50\nengine-connect-ms = 50";

/// One kind of attack, done once.
struct Kind {
    name: &'static str,
    /// The guest that it happens to.
    guest: &'static str,
    once: fn(&Arena, usize),
}

const KINDS: &[Kind] = &[
    Kind { name: "connections", guest: "", once: |arena, number| visit(arena, number, &[]) },
    Kind { name: "rooms", guest: "", once: |arena, number| visit(arena, number, SAY) },
    Kind { name: "sessions", guest: "", once: session },
    Kind { name: "half-handshakes", guest: "", once: half_handshake },
    Kind { name: "not-found", guest: "", once: |arena, number| ask(arena, number, "/nowhere") },
    Kind { name: "bad-frames", guest: "", once: |arena, number| visit(arena, number, &[0xFF; 64]) },
    Kind { name: "traps", guest: "trap-handler", once: |arena, number| visit(arena, number, SAY) },
    Kind { name: "traps-in-connect", guest: "trap-connect", once: |arena, number| visit(arena, number, &[]) },
    Kind { name: "traps-in-authorize", guest: "trap-authorize", once: |arena, number| visit(arena, number, &[]) },
    Kind { name: "grown-memories", guest: "hold-memory", once: |arena, number| visit(arena, number, SAY) },
    Kind { name: "pollables", guest: "pollables", once: |arena, number| visit(arena, number, SAY) },
    Kind { name: "bad-uploads", guest: "", once: bad_upload },
];

/// A masked text frame `{"type":"say"}`.
const SAY: &[u8] = b"\x81\x8E\0\0\0\0{\"type\":\"say\"}";

/// All kinds, each on a fresh server; the table, and how many lines miss the aim.
pub fn run(kit: &Kit, repetitions: usize, is_wanted: impl Fn(&str) -> bool) -> anyhow::Result<(String, usize)> {
    let mut text = "| a thousand of | RSS KiB before | after | descriptors | threads | instances | met | verdict |\n\
        |---|---|---|---|---|---|---|---|\n"
        .to_owned();
    print!("{text}");
    let mut missed = 0;
    for kind in KINDS.iter().filter(|kind| is_wanted(kind.name)) {
        let (line, is_flat) = one_kind(kit, kind, repetitions).with_context(|| kind.name.to_owned())?;
        missed += usize::from(!is_flat);
        println!("{line}");
        text += &format!("{line}\n");
    }
    Ok((text, missed))
}

fn one_kind(kit: &Kit, kind: &Kind, repetitions: usize) -> anyhow::Result<(String, bool)> {
    let guest = find(kind.guest).map_or_else(|| bare(&[]), |hostile| hostile.bytes(&Plan { quiet_until_ms: 0.0 }));
    let setting = Setting { files: vec![("bare".to_owned(), guest)], limits: LIMITS.to_owned(), keeps_data: false };
    let stand = kit.start(&setting)?;
    let arena = Arena::at(stand.address());
    repeat(kind, &arena, 0..WARM_UP);
    // What stays of the warm-up stays once: the same again is the measure.
    let before = settled(&stand, &arena, None)?;
    repeat(kind, &arena, WARM_UP..WARM_UP + repetitions);
    let after = settled(&stand, &arena, Some(before))?;
    let is_flat = is_flat(before, after);
    let met = arena.seen.summary().map_or_else(|| "-".to_owned(), |(words, _)| words);
    let instances = match (before.instances, after.instances) {
        (Some(before), Some(after)) => format!("{before} / {after}"),
        _ => "not told".to_owned(),
    };
    let line = format!(
        "| {} | {} | {} | {} / {} | {} / {} | {instances} | {met} | {} |",
        kind.name,
        before.rss_kib,
        after.rss_kib,
        before.descriptors,
        after.descriptors,
        before.threads,
        after.threads,
        if is_flat { "flat" } else { "MISSED: it grows" },
    );
    Ok((line, is_flat))
}

fn repeat(kind: &Kind, arena: &Arena, numbers: std::ops::Range<usize>) {
    in_threads(ATTACKERS, |thread| {
        for number in numbers.clone().filter(|number| number % ATTACKERS == thread) {
            if arena.seen.is_over() {
                return;
            }
            arena.seen.act();
            (kind.once)(arena, number);
        }
    });
}

fn is_flat(before: Holdings, after: Holdings) -> bool {
    let instances = after.instances.unwrap_or(0).saturating_sub(before.instances.unwrap_or(0));
    after.rss_kib <= before.rss_kib + RSS_KIB
        && after.descriptors <= before.descriptors + DESCRIPTORS
        && after.threads <= before.threads + THREADS
        && instances <= INSTANCES
}

/// What the server holds once it has let go of what it does not need: looks until it is as before, or the time is over;
/// without a before, until two looks are alike.
fn settled(stand: &Stand, arena: &Arena, before: Option<Holdings>) -> anyhow::Result<Holdings> {
    let end = Instant::now() + SETTLE;
    let mut last = Holdings::read(&stand.server, arena)?;
    loop {
        std::thread::sleep(if before.is_none() { LOOK_EVERY * 10 } else { LOOK_EVERY });
        let now = Holdings::read(&stand.server, arena)?;
        let is_settled = match before {
            Some(before) => is_flat(before, now),
            None => now.descriptors == last.descriptors && now.instances == last.instances,
        };
        if is_settled || Instant::now() > end {
            return Ok(now);
        }
        last = now;
    }
}

/// Comes into a room of its own, sends something, sees what follows, and goes.
fn visit(arena: &Arena, number: usize, bytes: &[u8]) {
    let path = format!("/t/{EVIL}/bare?room=flat-{number}");
    match Wire::open(attacker(number % ADDRESSES), arena.server, &path, &arena.seen) {
        Ok(mut wire) => {
            if bytes.is_empty() || !wire.send(bytes) {
                return;
            }
            // One answer, one close, or nothing within a step.
            let got = wire.receive();
            if !matches!(got, Got::Nothing) {
                judge(got, &arena.seen);
            }
        }
        Err(why) => arena.seen.stop(&why.words()),
    }
}

/// Opens a session that polls, and forgets it.
fn session(arena: &Arena, number: usize) {
    if let Err(why) = Poller::open(attacker(number % ADDRESSES), arena) {
        arena.seen.stop(&why.words());
    }
}

fn half_handshake(arena: &Arena, number: usize) {
    if let Ok(mut wire) = Wire::dial(attacker(number % ADDRESSES), arena.server) {
        wire.send(b"GET /t/evil/bare HTTP/1.1\r\nHost: parlor\r\nUpgr");
    }
}

fn bad_upload(arena: &Arena, _: usize) {
    match uploads::upload("noise", b"\0asm\x0d\0\x01\0x", arena) {
        Ok(answer) => arena.seen.stop(&answer.status.to_string()),
        Err(why) => arena.seen.stop(&why.words()),
    }
}

fn ask(arena: &Arena, number: usize, path: &str) {
    if let Err(why) = Wire::open(attacker(number % ADDRESSES), arena.server, path, &arena.seen) {
        arena.seen.stop(&why.words());
    }
}
