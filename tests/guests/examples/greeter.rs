//! Remembers in a socket's meta that it was greeted, and says so with its events.

use parlor_guest::prelude::*;

#[parlor_guest::room(name = "greeter", path = "/greeter")]
fn greeter(room: &mut Room) {
    room.on_connect(|ctx| {
        ctx.set_fields(&json!({ "greeted": true }))?;
        ctx.emit("connected", json!({}))
    });
    room.on("hi", |ctx, data: Value| {
        let fields: Value = ctx.meta().fields()?;
        ctx.emit("hi", json!({ "n": data["n"], "greeted": fields["greeted"] }))
    });
}
