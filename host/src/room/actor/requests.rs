//! What administration, the harness and other rooms ask of a room. Nothing of it wakes a room that sleeps.

use std::sync::Arc;

use super::Room;
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
            RoomRequest::Kick { socket, kicked } => {
                let _ = kicked.send(self.turns.people.kick(socket));
            }
            RoomRequest::Storage { view } => {
                let _ = view.send(Arc::clone(self.turns.ledger.view()));
            }
            RoomRequest::View { view } => {
                let _ = view.send(RoomOverview { sockets: members.count(), users: members.user_ids() });
            }
            RoomRequest::Sockets { after, limit, sockets } => {
                let found = members.present_after(after).take(limit);
                let _ = sockets.send(found.map(|(id, meta)| (id, meta.clone())).collect());
            }
            RoomRequest::Emit { to, event, data, sent } => {
                // So that the emit does not overtake what turns said before it.
                self.turns.until_said().await;
                let (lane, mailbox) = (self.turns.code.lane(), &self.turns.door.mailbox);
                let _ = sent.send(self.turns.people.announce(to, event, data, lane, mailbox).await);
            }
        }
    }
}
