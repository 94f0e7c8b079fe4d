//! What the base line of the load program does natively, as a plugin: `echo` goes back to its sender, `say` to the
//! whole room, each with the time added; `recall` is an `echo` that looks up three values of the room's first.

use parlor_guest::prelude::*;

#[derive(Deserialize)]
struct Note {
    n: u64,
    text: String,
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
}

fn stamped<'a>(ctx: &Ctx, note: &'a Note) -> Stamped<'a> {
    Stamped { n: note.n, text: &note.text, at: ctx.now() }
}
