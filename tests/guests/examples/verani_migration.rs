//! Verani's migration: the same relay as an `onMessage` that looks at names, or as a handler; the operator chooses.

use parlor_guest::prelude::*;

#[derive(Deserialize)]
struct Text {
    text: String,
}

#[parlor_guest::room(name = "migration", path = "/verani/migration")]
fn migration(room: &mut Room) {
    test_guests::believe(room);
    if parlor_guest::config("style").as_deref() == Some("before") {
        room.on_message(|ctx, data: Text| match ctx.event().name() {
            "chat.message" => relay(ctx, &data),
            _ => Ok(0),
        });
    } else {
        room.on("chat.message", |ctx, data: Text| relay(ctx, &data));
    }
}

fn relay(ctx: &Ctx, data: &Text) -> Result<u32> {
    ctx.actor().to("default").emit("chat.message", json!({ "from": ctx.meta().user_id, "text": data.text }))
}
