//! What the base line of the load program does natively, as a plugin: `echo` goes back to its sender, `say` to the
//! whole room, each with the time added; `recall` is an `echo` that looks up three values of the room's first. What
//! stands below them is for the well-behaved tenant beside an attack.

use parlor_guest::{Alarm, prelude::*};

/// Keys that `look` reads, and that `keep` writes in turn.
const KEYS: u32 = 20;

#[derive(Deserialize)]
struct Note {
    n: u64,
    text: String,
}

#[derive(Deserialize)]
struct Ring {
    in_ms: u64,
}

#[derive(Serialize)]
struct Stamped<'a> {
    n: u64,
    text: &'a str,
    at: u64,
}

#[parlor_guest::room(name = "bench", path = "/bench")]
pub fn bench(room: &mut Room) {
    room.on("echo", |ctx, note: Note| ctx.emit("echo", stamped(ctx, &note)));
    // The boundary alone, for the benchmark: nothing is parsed or written by the guest.
    room.on("relay", |ctx, note: Box<RawValue>| ctx.emit("relay", &note));
    room.on("recall", |ctx, note: Note| {
        for key in ["first", "second", "third"] {
            if ctx.storage().get::<String>(key)?.is_none() {
                ctx.storage().put(key, &note.text)?;
            }
        }
        ctx.emit("recall", stamped(ctx, &note))
    });
    room.on("say", |ctx, note: Note| ctx.actor().emit("say", stamped(ctx, &note)));
    // The answer comes when what it writes is durable.
    room.on("keep", |ctx, note: Note| {
        ctx.storage().put(&format!("kept/{}", note.n % u64::from(KEYS)), &note.text)?;
        ctx.emit("keep", stamped(ctx, &note))
    });
    // A page is read from the storage each time.
    room.on("look", |ctx, note: Note| {
        if ctx.storage().page("looked/", None, KEYS)?.entries.is_empty() {
            ctx.storage().put_many((0..KEYS).map(|key| (format!("looked/{key}"), &note.text)))?;
        }
        ctx.emit("look", stamped(ctx, &note))
    });
    room.on("ring", |ctx, ring: Ring| ctx.alarm().set_in(Duration::from_millis(ring.in_ms)));
    room.on_alarm(|actor, alarm: Alarm| actor.emit("rang", json!({ "due": alarm.due })));
}

fn stamped<'a>(ctx: &Ctx, note: &'a Note) -> Stamped<'a> {
    Stamped { n: note.n, text: &note.text, at: ctx.now() }
}
