//! A socket's place in its room. The server takes it before it tells the client that it is connected, so that the client
//! misses nothing that the room says from then on. The seat is given up once, whatever ends the connection.

use std::sync::Arc;

use crate::model::event::SocketId;
use crate::model::meta::Meta;
use crate::protocol::close::CloseReason;
use crate::room::handle::{Mail, RoomClosed, RoomHandle};
use crate::room::outbound::Outbound;

/// The seat of one socket. Dropping it without [`Seat::leave`] tells the room that the connection broke off.
pub struct Seat {
    pub room: RoomHandle,
    pub id: SocketId,
    pub outbound: Arc<Outbound>,
    is_left: bool,
}

impl Seat {
    /// Puts the socket's arrival into the room's order. Fails where the room has ended.
    pub fn take(room: RoomHandle, meta: Meta, outbound: Arc<Outbound>) -> Result<Self, RoomClosed> {
        let id = room.next_socket();
        room.mailbox.push(Mail::Connect { socket: id, meta, outbound: Arc::clone(&outbound) })?;
        Ok(Self { room, id, outbound, is_left: false })
    }

    /// Tells the room that the host reads no more of this socket. The room closes it with this reason, behind the answers
    /// to what came before. Fails where the room has ended.
    pub fn say_last_words(&self, reason: CloseReason) -> Result<(), RoomClosed> {
        self.room.mailbox.push(Mail::LastWords { socket: self.id, reason })
    }

    /// From now on the socket takes no frames and sends no events. [`Seat::leave`] follows, once the reason is final.
    pub fn fall_silent(&self) {
        self.outbound.abandon();
        self.room.mailbox.give_up_place(self.id);
    }

    /// Tells the room, once, why the socket is gone.
    pub fn leave(&mut self, reason: CloseReason) {
        if !std::mem::replace(&mut self.is_left, true) {
            self.outbound.abandon();
            // Fails only where the room has ended, and then nobody needs to know.
            let _ = self.room.mailbox.push(Mail::Disconnect { socket: self.id, reason });
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave(CloseReason::BROKEN_OFF);
    }
}
