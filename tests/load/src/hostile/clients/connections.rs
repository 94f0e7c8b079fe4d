//! Clients that are about connections: how they are made, how many, and what becomes of them.

use std::io::{ErrorKind, Read};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use crate::hostile::attack::Arena;
use crate::hostile::guests::judge;
use crate::hostile::stand::EVIL;
use crate::hostile::wire::{Got, Refused, Wire, attacker};
use crate::hostile::{in_threads, low_priority};
use crate::load::clients::upgrade_request;

/// Connections of the attacks that hold many.
const HELD: usize = 200;
/// How many of them come from one address: half as many as it may upgrade at once, since some ask twice.
const HELD_OF_AN_ADDRESS: usize = 25;
/// Sockets of a reconnect storm, and addresses that they come from.
const STORM: usize = 500;
const STORM_ADDRESSES: usize = 10;
/// Sockets that one address wants: more than the 256 that it may have.
const OF_ONE_ADDRESS: usize = 400;
/// A connection of a churn may take this long at least: 2,000 a second and a thread.
const CHURN_PACE: Duration = Duration::from_micros(500);
/// Threads of a churn.
const CHURNERS: usize = 2;

fn path(room: &str) -> String {
    format!("/t/{EVIL}/bare?room={room}")
}

/// Notes why somebody was kept out, and waits where that is asked for.
pub fn refused(why: &Refused, arena: &Arena) {
    if !arena.seen.is_over() {
        arena.seen.stop(&why.words());
    }
}

/// Holds connections that were begun by `begin`, keeps them busy with `keep`, and replaces those that were ended.
pub fn hold(arena: &Arena, begin: impl Fn(&mut Wire), keep: impl Fn(&mut Wire)) {
    low_priority();
    let seen = &arena.seen;
    let mut held: Vec<Option<Wire>> = (0..HELD).map(|_| None).collect();
    let mut buffer = [0; 4_096];
    while !seen.is_over() {
        for (number, place) in held.iter_mut().enumerate() {
            seen.act();
            let Some(wire) = place else {
                match Wire::dial(attacker(number / HELD_OF_AN_ADDRESS), arena.server) {
                    Ok(mut wire) => {
                        begin(&mut wire);
                        // From here on nothing waits.
                        let _ = wire.stream.set_nonblocking(true);
                        *place = Some(wire);
                    }
                    Err(why) => refused(&why, arena),
                }
                continue;
            };
            keep(wire);
            match wire.stream.read(&mut buffer) {
                Ok(0) => seen.stop("the connection was ended"),
                Ok(count) if buffer[..count].starts_with(b"HTTP/1.1 ") => {
                    let line = String::from_utf8_lossy(&buffer[9..count]).into_owned();
                    seen.stop(line.lines().next().unwrap_or_default());
                }
                Ok(_) => continue,
                Err(why) if why.kind() == ErrorKind::WouldBlock => continue,
                Err(why) => seen.stop(&format!("cut off: {}", why.kind())),
            }
            *place = None;
        }
        seen.pause(Duration::from_millis(500));
    }
}

pub fn slowloris(arena: &Arena) {
    // A connection that takes no more is looked at by `hold`.
    let begin = |wire: &mut Wire| {
        wire.send(b"GET /t/evil/bare HTTP/1.1\r\nHost: parlor\r\nX-Slow: ");
    };
    let keep = |wire: &mut Wire| {
        wire.send(b"x");
    };
    hold(arena, begin, keep);
}

pub fn silent(arena: &Arena) {
    hold(arena, |_| {}, |_| {});
}

/// They come in, and then answer nothing, not even a ping.
pub fn half_open(arena: &Arena) {
    low_priority();
    let seen = &arena.seen;
    let mut held: Vec<Wire> = Vec::new();
    while !seen.is_over() {
        if held.len() < HELD {
            seen.act();
            let from = attacker(held.len() / HELD_OF_AN_ADDRESS);
            match Wire::open(from, arena.server, &path(&format!("r{}", held.len() % 4)), seen) {
                Ok(wire) => {
                    let _ = wire.stream.set_nonblocking(true);
                    held.push(wire);
                    continue;
                }
                Err(why) => refused(&why, arena),
            }
        }
        held.retain_mut(|wire| match wire.receive() {
            Got::Closed(why) => {
                seen.stop(&why);
                false
            }
            _ => true,
        });
        seen.pause(Duration::from_millis(100));
    }
}

/// Requests whose headers are too much; each is answered, or cut off.
fn with_headers(arena: &Arena, headers: &str) {
    low_priority();
    while !arena.seen.is_over() {
        arena.seen.act();
        match Wire::dial(attacker(0), arena.server) {
            Ok(mut wire) => {
                let request = upgrade_request(arena.server, &path("r"));
                // A host that does not read on does not take it all.
                let _ =
                    wire.send(request.trim_end().as_bytes()) && wire.send(headers.as_bytes()) && wire.send(b"\r\n\r\n");
                match wire.await_upgrade(&arena.seen) {
                    Ok(()) => arena.seen.breach("the host took the headers"),
                    Err(why) => refused(&why, arena),
                }
            }
            Err(why) => refused(&why, arena),
        }
        arena.seen.pause(Duration::from_millis(50));
    }
}

pub fn huge_headers(arena: &Arena) {
    with_headers(arena, &format!("\r\nX-Huge: {}", "x".repeat(1 << 20)));
}

pub fn many_headers(arena: &Arena) {
    let headers: String = (0..10_000).map(|number| format!("\r\nX-{number}: x")).collect();
    with_headers(arena, &headers);
}

/// Comes and goes again: so many threads, each from so many addresses in turn. Who is kept out is noted. `visit` is told where
/// it comes from, and the numbers of its thread and of its visit; what it answers is kept until the pause before the next.
pub fn come_and_go<T>(
    arena: &Arena,
    threads: usize,
    addresses: usize,
    pace: Duration,
    visit: impl Fn(Ipv4Addr, usize, usize) -> Result<T, Refused> + Sync,
) {
    in_threads(threads, |thread| {
        low_priority();
        let mut number = 0;
        while !arena.seen.is_over() {
            let begin = Instant::now();
            arena.seen.act();
            let from = attacker(thread * addresses + number % addresses);
            if let Err(why) = visit(from, thread, number) {
                refused(&why, arena);
            }
            number += 1;
            std::thread::sleep(pace.saturating_sub(begin.elapsed()));
        }
    });
}

pub fn churn(arena: &Arena) {
    come_and_go(arena, CHURNERS, 1, CHURN_PACE, |from, _, visit| {
        Wire::open(from, arena.server, &path(&format!("c{}", visit % 8)), &arena.seen)
    });
}

pub fn churn_tcp(arena: &Arena) {
    come_and_go(arena, CHURNERS, 1, CHURN_PACE, |from, _, _| Wire::dial(from, arena.server));
}

/// Comes in and breaks its line, again and again, and never comes back.
pub fn detached(arena: &Arena) {
    come_and_go(arena, 1, 1, CHURN_PACE, |from, _, visit| {
        Wire::open(from, arena.server, &format!("{}&resume", path(&format!("d{}", visit % 8))), &arena.seen)
    });
}

/// Each guess is as long as a secret, and no two are the same.
pub fn guessed_secrets(arena: &Arena) {
    come_and_go(arena, CHURNERS, 1, CHURN_PACE, |from, thread, visit| {
        let guess = format!("{:0>36}", format!("{thread}x{visit}"));
        Wire::open(from, arena.server, &format!("{}&resume={guess}&got=0", path("g")), &arena.seen)
    });
}

/// All ask at once, then all are looked at; those who are in are cut off, and it begins anew.
pub fn storm(arena: &Arena) {
    in_threads(STORM_ADDRESSES, |address| {
        low_priority();
        let seen = &arena.seen;
        while !seen.is_over() {
            let mut coming = Vec::new();
            for number in 0..STORM / STORM_ADDRESSES {
                seen.act();
                match Wire::dial(attacker(address), arena.server) {
                    Ok(mut wire) => {
                        wire.send(upgrade_request(arena.server, &path(&format!("s{}", number % 10))).as_bytes());
                        coming.push(wire);
                    }
                    Err(why) => refused(&why, arena),
                }
            }
            for wire in &mut coming {
                if let Err(why) = wire.await_upgrade(seen) {
                    refused(&why, arena);
                }
            }
            seen.pause(Duration::from_millis(1_000));
        }
    });
}

pub fn many_from_one_address(arena: &Arena) {
    low_priority();
    let seen = &arena.seen;
    let mut held = Vec::new();
    while !seen.is_over() {
        if held.len() < OF_ONE_ADDRESS {
            seen.act();
            match Wire::open(attacker(0), arena.server, &path(&format!("m{}", held.len() % 8)), seen) {
                Ok(wire) => held.push(wire),
                Err(why) => {
                    refused(&why, arena);
                    seen.pause(Duration::from_millis(20));
                }
            }
        } else {
            // All are in that wanted to be, which is more than one address may have.
            seen.breach("400 sockets of one address are in");
            seen.pause(Duration::from_millis(500));
        }
    }
}

pub fn close_in_connect(arena: &Arena) {
    in_threads(4, |number| {
        low_priority();
        let mut visit = 0;
        while !arena.seen.is_over() {
            arena.seen.act();
            visit += 1;
            let room = format!("e{number}-{}", visit % 4);
            match Wire::open(attacker(number), arena.server, &path(&room), &arena.seen) {
                // Every second one says that it closes, the others are gone without a word.
                Ok(mut wire) if visit % 2 == 0 => {
                    wire.send(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8]);
                    let end = Instant::now() + Duration::from_millis(100);
                    while Instant::now() < end && judge(wire.receive(), &arena.seen) {}
                }
                Ok(_) => {}
                Err(why) => refused(&why, arena),
            }
            arena.seen.pause(Duration::from_millis(60));
        }
    });
}
