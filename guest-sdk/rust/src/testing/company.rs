//! Whom else a test room knows: the users that its plugin was told of, and rooms by their ids.

use crate::hooks::hook;

use super::{frame::frame, histories::said_in, turn::Elsewhere, world::State};

impl State {
    /// Says something in a room by its id, which may be this one. Other rooms are not open here.
    pub(super) fn say_elsewhere(&mut self, emit: Elsewhere) {
        if emit.room != self.room_id {
            return self.elsewhere.push(emit);
        }
        let Elsewhere { channel, users, clients, event, data, .. } = emit;
        let named = channel.as_deref().unwrap_or("default");
        let frame = match channel.is_some() && users.is_none() && clients.is_none() {
            true => said_in(&mut self.histories, named, &event, &data, self.time),
            false => frame(named, &event, data),
        };
        for id in self.members.some(channel.as_deref(), users.as_deref(), clients.as_deref()) {
            self.push(Some(id), frame.clone());
        }
    }

    /// A new instance that wants to know of users knows those that are here.
    pub(super) fn know_users(&mut self) {
        let wants = [hook::USER_JOIN, hook::USER_LEAVE].iter().any(|hook| self.events.contains(*hook));
        match wants {
            true if self.known_users.is_empty() => self.known_users = self.members.user_ids().into_iter().collect(),
            true => {}
            false => self.known_users.clear(),
        }
    }
}
