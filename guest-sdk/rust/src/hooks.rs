//! Hooks, the events that the host itself raises: their names, and the data that their handlers get.

use serde::Deserialize;

/// The contract's name for all events of clients.
pub(crate) const ANY: &str = "*";
/// The hooks, in the contract's words.
pub(crate) mod hook {
    pub(crate) const CONNECT: &str = "$connect";
    pub(crate) const DISCONNECT: &str = "$disconnect";
    pub(crate) const LOST: &str = "$lost";
    pub(crate) const BACK: &str = "$back";
    pub(crate) const MESSAGE: &str = "$message";
    pub(crate) const ERROR: &str = "$error";
    pub(crate) const RESTORE: &str = "$restore";
    pub(crate) const TIMER: &str = "$timer";
    pub(crate) const ACK: &str = "$ack";
    pub(crate) const ALARM: &str = "$alarm";
    pub(crate) const SUSPEND: &str = "$suspend";
    pub(crate) const RESUME: &str = "$resume";
    pub(crate) const USER_JOIN: &str = "$user-join";
    pub(crate) const USER_LEAVE: &str = "$user-leave";
    pub(crate) const CHECK: &str = "$check";

    /// Whether the host itself is the cause, so that there may be no socket.
    pub(crate) fn is_socketless(cause: &str) -> bool {
        [RESTORE, ERROR, TIMER, ALARM, SUSPEND, RESUME, CHECK].contains(&cause)
    }
}

/// How a socket ended. The closure of [`Room::on_disconnect`](crate::Room::on_disconnect) gets it.
///
/// ```
/// use parlor_guest::{Disconnect, prelude::*};
///
/// fn game(room: &mut Room) {
///     room.on_disconnect(|ctx, end: Disconnect| {
///         ctx.log().info(format_args!("{} left: {} {}", ctx.meta().user_id, end.code, end.reason));
///     });
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Disconnect {
    /// The WebSocket close code: 1000 normal, 1001 going away, 1005 no code, 1006 connection lost, 1008 policy, ...
    pub code: u16,
    /// The reason, up to 123 bytes; often empty.
    #[serde(default)]
    pub reason: String,
}

/// The user whose first or last socket it was. The closures of [`Room::on_user_join`](crate::Room::on_user_join) and
/// [`Room::on_user_leave`](crate::Room::on_user_leave) get it.
///
/// ```
/// use parlor_guest::{User, prelude::*};
///
/// fn game(room: &mut Room) {
///     room.on_user_leave(|ctx, user: User| ctx.actor().emit("left", json!({ "userId": user.user_id })));
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct User {
    /// The user's id.
    pub user_id: String,
}

/// A turn that failed. The closure of [`Room::on_error`](crate::Room::on_error) gets it.
///
/// ```
/// use parlor_guest::{Failed, prelude::*};
///
/// fn game(room: &mut Room) {
///     room.on_error(|actor, failed: Failed| {
///         actor.emit("sorry", json!({ "event": failed.event }))
///     });
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Failed {
    /// The event whose turn failed.
    pub event: String,
    /// The error's code. If the host ended the turn, it is `trap`, `deadline` or another word of the host.
    pub code: String,
    /// The error's message.
    pub message: String,
}

/// Why the plugin's memory is new and empty. The closure of [`Room::on_restore`](crate::Room::on_restore) gets it.
///
/// | reason | what happened |
/// |---|---|
/// | `crash` | The instance trapped, ran too long, or a disk failed; sockets and timers are there |
/// | `restart` | The server was started anew: no sockets and no timers, only storage and the alarm |
/// | `wake` | The room slept, and the last instance left no state, or [`Room::on_resume`] failed with it |
/// | `swap` | This is another version than the one before, which left no state |
///
/// More reasons may come: treat one that you do not know as `crash`.
///
/// [`Room::on_resume`]: crate::Room::on_resume
///
/// ```
/// use parlor_guest::{Restore, prelude::*};
///
/// fn presence(room: &mut Room) {
///     room.on_restore(|actor, restore: Restore| {
///         actor.log().info(format_args!("{} users after {}", actor.user_ids().len(), restore.reason));
///     });
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Restore {
    /// `crash`, `restart`, `wake` or `swap`.
    pub reason: String,
}

/// Why the host is about to drop this instance. The closure of [`Room::on_suspend`](crate::Room::on_suspend) gets it.
///
/// ```
/// use parlor_guest::{Suspend, prelude::*};
///
/// fn quiz(room: &mut Room) {
///     room.on_suspend("quiz/1", |actor, suspend: Suspend| {
///         actor.log().info(format_args!("goes for a {}", suspend.reason));
///         Ok(json!({ "round": 3 }))
///     });
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Suspend {
    /// `sleep`: the room is quiet, and this version goes on when it wakes. `swap`: another version takes over.
    pub reason: String,
}

/// The alarm that rings. The closure of [`Room::on_alarm`](crate::Room::on_alarm) gets it.
///
/// ```
/// use parlor_guest::{Alarm, prelude::*};
///
/// fn auction(room: &mut Room) {
///     room.on_alarm(|actor, alarm: Alarm| {
///         if alarm.attempt > 1 {
///             actor.log().warn(format_args!("{} ms late", actor.now() - alarm.due));
///         }
///         actor.emit("sold", json!({}))
///     });
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Alarm {
    /// When the alarm was due, in milliseconds since the Unix epoch.
    pub due: u64,
    /// Which attempt this is, from 1, since the server started.
    pub attempt: u32,
}
