//! What the handlers of hooks are given.

use serde::Deserialize;

#[cfg(doc)]
use crate::Room;

/// How a socket ended: what [`Room::on_disconnect`]'s closure is given.
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
    /// The WebSocket close code: 1000 normal, 1001 gone, 1005 none given, 1006 lost, 1008 policy, ...
    pub code: u16,
    /// The reason, up to 123 bytes; often empty.
    #[serde(default)]
    pub reason: String,
}

/// A turn that failed: what [`Room::on_error`]'s closure is given.
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
    /// The error's code; `trap`, `deadline` and the like where the host ended the turn.
    pub code: String,
    /// The error's message.
    pub message: String,
}

/// Why the plugin's memory is new: what [`Room::on_restore`]'s closure is given.
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
    /// `crash`, `wake`, `swap` or `restart`.
    pub reason: String,
}

/// The alarm that is running: what [`Room::on_alarm`]'s closure is given.
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
    /// When it was to run, in milliseconds since the Unix epoch.
    pub due: u64,
    /// Which attempt this is, from 1, since the room was opened.
    pub attempt: u32,
}
