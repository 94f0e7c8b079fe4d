//! What administration, the harness and other rooms ask of a room. Nothing of it wakes a room that sleeps.

use std::sync::Arc;

use super::Room;
use crate::clock::unix_ms;
use crate::model::event::{Event, hook};
use crate::room::handle::{RoomOverview, RoomRequest};

impl Room {
    /// Answers a request of administration. Sending fails where whoever asked has gone, and then nobody needs the
    /// answer.
    pub(super) async fn answer(&mut self, request: RoomRequest) {
        let members = &self.turns.people.state.members;
        match request {
            RoomRequest::Lose { lost } => {
                if self.turns.code.is_awake() {
                    self.turns.code.lose();
                    self.turns.make_ready().await;
                }
                let _ = lost.send(());
            }
            RoomRequest::Check { checked } => {
                if self.turns.code.is_awake() && self.turns.code.asks_for(hook::CHECK) {
                    self.turns.give(Event::hook(hook::CHECK, None, None, unix_ms())).await;
                }
                let _ = checked.send(());
            }
            RoomRequest::Kick { socket, kicked } => {
                let _ = kicked.send(self.turns.people.kick(socket));
            }
            RoomRequest::Storage { view } => {
                let _ = view.send(Arc::clone(self.turns.ledger.view()));
            }
            RoomRequest::Write { key, value, written } => {
                let _ = written.send(self.turns.write_by_hand(key, value).await);
            }
            RoomRequest::View { view } => {
                let _ = view.send(RoomOverview { sockets: members.count(), users: members.user_ids() });
            }
            RoomRequest::Sockets { after, limit, sockets } => {
                let _ = sockets.send(self.turns.people.list(after, limit));
            }
            RoomRequest::Emit { to, event, data, sent } => {
                let _ = sent.send(self.turns.announce(to, event, data).await);
            }
        }
    }
}
