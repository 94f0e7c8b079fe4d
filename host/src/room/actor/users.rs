//! The first and the last socket of a user: `$user-join` and `$user-leave`.

use serde_json::json;

use super::Room;
use crate::clock::unix_ms;
use crate::model::event::{Event, SocketId, hook};
use crate::model::json::Json;

impl Room {
    /// Runs `$user-join` where a socket that came is the first of its user.
    pub(super) async fn user_came(&mut self, socket: SocketId) {
        if !self.turns.code.wants_users() {
            return;
        }
        if let Some(user) = self.turns.people.first_of_user(socket) {
            self.tell_of_user(hook::USER_JOIN, &user, socket).await;
        }
    }

    /// Runs `$user-leave` where a socket that departed was the last of its user. Its meta can still be read.
    pub(super) async fn user_left(&mut self, socket: SocketId) {
        if let Some(user) = self.turns.people.last_of_user(socket) {
            self.tell_of_user(hook::USER_LEAVE, &user, socket).await;
        }
    }

    async fn tell_of_user(&mut self, hook: &'static str, user: &str, socket: SocketId) {
        // A hook that nobody wants does not wake a room that sleeps.
        if !self.turns.code.wants(hook) || !self.turns.make_ready().await || !self.turns.code.asks_for(hook) {
            return;
        }
        let payload = Json::of(&json!({ "userId": user }));
        self.turns.give(Event::hook(hook, Some(payload), Some(socket), unix_ms())).await;
    }
}
