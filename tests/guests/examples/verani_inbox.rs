//! Verani's emit to a user, once with an error that fails the turn and once with one that is handled gracefully.

use parlor_guest::prelude::*;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    user_id: Option<String>,
    count: Option<u32>,
}

impl Update {
    fn user(&self) -> Result<&str> {
        let user = self.user_id.as_deref().filter(|id| !id.is_empty());
        user.ok_or_else(|| Error::msg("Missing userId"))
    }
}

#[parlor_guest::room(name = "inbox", path = "/verani/inbox")]
fn inbox(room: &mut Room) {
    test_guests::believe(room);
    test_guests::sync(room);
    room.on("notification.update", |ctx, update: Update| {
        let data = json!({ "type": "inbox_changed", "count": update.count });
        ctx.to(update.user()?).emit("inbox_changed", data)
    });
    room.on("notification.update-gracefully", |ctx, update: Update| {
        let sent = update.user().and_then(|user| ctx.to(user).emit("inbox_changed", json!({ "count": update.count })));
        sent.or_else(|error| ctx.emit("error", json!({ "message": error.message() })))
    });
}
