//! Notifications: users with tokens get theirs on all their devices, and admins announce to everybody.

use std::collections::BTreeMap;

use parlor_guest::{config, log, prelude::*, serde_json};

/// Who a token stands for: an entry of the configuration's `tokens`.
#[derive(Deserialize)]
struct User {
    id: String,
    #[serde(flatten)]
    profile: Profile,
}

/// A socket's own fields.
#[derive(Serialize, Deserialize)]
struct Profile {
    username: String,
    #[serde(default)]
    role: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    user_id: Option<String>,
    count: u32,
}

#[derive(Deserialize)]
struct MarkRead {
    id: Value,
}

#[derive(Deserialize)]
struct Announcement {
    message: String,
}

#[parlor_guest::room(name = "notifications", path = "/ws/notifications")]
pub fn notifications(room: &mut Room) {
    room.authorize(authorize);

    room.on_connect(|ctx| {
        ctx.emit("welcome", json!({ "message": "Connected to notifications", "userId": ctx.meta().user_id }))
    });

    room.on("notification.update", |ctx, update: Update| {
        let user_id = update.user_id.filter(|id| !id.is_empty()).ok_or_else(|| Error::msg("Missing userId"))?;
        ctx.to(&user_id).emit("inbox_changed", json!({ "count": update.count }))
    });

    room.on("notification.mark-read", |ctx, read: MarkRead| {
        let own_id = &ctx.meta().user_id;
        ctx.to(own_id).emit("notification.read", json!({ "notificationId": read.id, "readAt": ctx.now() }))
    });

    room.on("admin.announcement", |ctx, announcement: Announcement| {
        let Profile { username, role } = ctx.meta().fields()?;
        if role != "admin" {
            return ctx.emit("error", json!({ "message": "Unauthorized" }));
        }
        let data = json!({ "message": announcement.message, "from": username, "timestamp": ctx.now() });
        ctx.actor().to("notifications").emit("announcement", data)
    });
}

/// Exchanges `?token=` for the user it stands for.
fn authorize(request: &Request) -> Result<Meta, Rejection> {
    let token = request.query("token").ok_or_else(|| Rejection::unauthorized("add ?token= to the address"))?;
    let tokens = config("tokens").ok_or_else(|| {
        log().error("nobody can connect: `tokens` are not configured");
        Rejection::unauthorized("nobody has a token yet")
    })?;
    let mut users: BTreeMap<String, User> = serde_json::from_str(&tokens)?;
    let user = users.remove(&token).ok_or_else(|| Rejection::unauthorized("nobody has this token"))?;
    Ok(Meta::new(user.id).in_channels(["notifications"]).with_fields(&user.profile)?)
}
