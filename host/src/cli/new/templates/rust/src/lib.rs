//! A room in which everybody hears what anybody says, with a number that counts on.

use parlor_guest::prelude::*;

/// The key of how many messages there were.
const COUNT: &str = "count";

#[derive(Deserialize)]
struct Say {
    text: String,
}

#[parlor_guest::room(name = "{{name}}", path = "/{{name}}")]
pub fn room(room: &mut Room) {
    room.on_connect(|ctx| {
        let said: u64 = ctx.storage().get(COUNT)?.unwrap_or(0);
        ctx.emit("welcome", json!({ "userId": ctx.meta().user_id, "motd": ctx.config("motd"), "said": said }))
    });

    // A handler is one turn: where it returns an error, what it stored and emitted until then never happened.
    room.on("say", |ctx, say: Say| {
        let number = ctx.storage().get(COUNT)?.unwrap_or(0u64) + 1;
        ctx.storage().put(COUNT, number)?;
        if say.text.trim().is_empty() {
            return Err(reject("say.empty", "say something"));
        }
        ctx.actor().emit("said", json!({ "number": number, "from": ctx.meta().user_id, "text": say.text }))
    });

    room.on_disconnect(|ctx, _| {
        ctx.actor().emit("left", json!({ "userId": ctx.meta().user_id, "left": ctx.session_count() }))
    });
}
