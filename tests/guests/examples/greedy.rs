//! Does what it may, as often as it is asked: nothing of it is forbidden, and all of it is the host's work.

use std::hint::black_box;

use parlor_guest::prelude::*;

/// Lines of a turn and bytes of a line: as much as the default limits allow.
const LOG_LINES: usize = 64;
const LOG_LINE_BYTES: usize = 1_000;
/// Keys of one page, and of one call.
const PAGE: u32 = 1_000;
const KEYS: usize = 120;

#[derive(Deserialize)]
struct Fill {
    first: usize,
    count: usize,
    bytes: usize,
}

#[parlor_guest::room(name = "greedy", path = "/greedy")]
fn greedy(room: &mut Room) {
    room.authorize(|request| {
        let rounds = request.query("rounds").and_then(|rounds| rounds.parse().ok()).unwrap_or(0);
        think(rounds);
        Ok::<Option<Meta>, Rejection>(None)
    });
    test_guests::sync(room);
    room.on("cast", |ctx, count: u32| (0..count).try_for_each(|n| ctx.actor().emit("cast", n).map(drop)));
    room.on("log", |ctx, _: Value| {
        let line = "x".repeat(LOG_LINE_BYTES);
        (0..LOG_LINES).for_each(|_| ctx.log().info(&line));
    });
    room.on("fill", |ctx, fill: Fill| {
        let value = vec![b'1'; fill.bytes];
        let mut keys = fill.first..fill.first + fill.count;
        keys.try_for_each(|n| ctx.storage().put_bytes(&key(n), &value))?;
        ctx.emit("filled", fill.first)
    });
    room.on("scan", |ctx, _: Value| ctx.emit("scanned", ctx.storage().page("k/", None, PAGE)?.entries.len()));
    room.on("get-many", |ctx, _: Value| {
        let is_refused = ctx.storage().get_many::<Value>((0..KEYS).map(key)).is_err();
        ctx.emit("got", is_refused)
    });
    room.on("alarm", |ctx, due: u64| {
        ctx.alarm().set_at(due)?;
        ctx.emit("set", due)
    });
    // From now on the alarm is always due.
    room.on("past", |ctx, _: Value| {
        ctx.storage().put("past", true)?;
        ctx.alarm().set_at(1)?;
        ctx.emit("set", 1)
    });
    room.on_alarm(
        |actor, _| if actor.storage().get("past")?.unwrap_or(false) { actor.alarm().set_at(1) } else { Ok(()) },
    );
    room.on_disconnect(|ctx, _| ctx.actor().emit("left", json!({})));
}

fn key(number: usize) -> String {
    format!("k/{number:06}")
}

/// Uses the processor, in a way that no compiler takes out.
fn think(rounds: u32) {
    let mut hash = 0_u32;
    for round in 0..rounds {
        hash = black_box(hash.wrapping_mul(0x9E37_79B1) ^ round);
    }
}
