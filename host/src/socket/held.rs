//! One event or answer on its way from a socket into its room. Nothing more is read of the socket meanwhile.

use std::task::{Context, Poll, ready};

use super::seat::Seat;
use crate::model::event::ClientMessage;
use crate::room::handle::RoomClosed;

/// How far an event or an answer is on its way into the room.
#[derive(Debug)]
pub enum HeldMessage {
    Nothing,
    /// It waits until the room has handled enough of the socket's earlier events.
    Uncounted(ClientMessage),
    /// It counts among the socket's events, and waits for a place in the room's mailbox.
    Counted(Option<ClientMessage>),
}

impl HeldMessage {
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// Drops it, since the line is gone: it is not counted as heard, and a client of Verani's frames that comes back sends it
    /// again.
    pub fn give_up(&mut self, seat: &Seat) {
        if let Self::Counted(_) = std::mem::replace(self, Self::Nothing) {
            seat.outbound.handled();
        }
        seat.room.mailbox.give_up_place(seat.id);
    }

    /// Moves it, if there is one, into the room.
    pub fn poll(&mut self, context: &mut Context<'_>, seat: &Seat) -> Poll<Result<(), RoomClosed>> {
        if let Self::Uncounted(_) = self {
            ready!(seat.outbound.poll_reserve(context));
            if let Self::Uncounted(message) = std::mem::replace(self, Self::Nothing) {
                *self = Self::Counted(Some(message));
            }
        }
        if let Self::Counted(message) = self {
            let moved = ready!(seat.room.mailbox.poll_event(context, seat.id, message));
            *self = Self::Nothing;
            return Poll::Ready(moved);
        }
        Poll::Ready(Ok(()))
    }
}
