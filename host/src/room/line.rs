//! The sockets that wait for a place in a full mailbox, first come, first served.

use std::collections::BTreeMap;
use std::task::Waker;

use crate::model::event::SocketId;

/// The sockets in line, each with one event. Indexed both by place and by socket: a busy room has thousands of sockets,
/// and each may be polled while it waits.
#[derive(Debug, Default)]
pub(super) struct MailboxLine {
    /// The sockets by their place in the line.
    order: BTreeMap<u64, SocketId>,
    places: BTreeMap<SocketId, MailboxLinePlace>,
    /// The first socket was woken and has not gone in yet.
    first_is_woken: bool,
}

#[derive(Debug)]
struct MailboxLinePlace {
    number: u64,
    waker: Waker,
}

impl MailboxLine {
    /// Whether a socket waits for nobody else: the line is empty, or it is the first.
    pub(super) fn may_go(&self, socket: SocketId) -> bool {
        self.order.first_key_value().is_none_or(|(_, first)| *first == socket)
    }

    /// Puts a socket at the end of the line, unless it stands in the line already.
    pub(super) fn join(&mut self, socket: SocketId, waker: &Waker) {
        if let Some(place) = self.places.get_mut(&socket) {
            place.waker.clone_from(waker);
            if self.order.first_key_value().is_some_and(|(first, _)| *first == place.number) {
                // The first looked and found no place: it needs another wake.
                self.first_is_woken = false;
            }
            return;
        }
        let number = self.order.last_key_value().map_or(0, |(last, _)| last + 1);
        self.order.insert(number, socket);
        self.places.insert(socket, MailboxLinePlace { number, waker: waker.clone() });
    }

    /// Takes a socket out of the line; says whether it was the first.
    pub(super) fn leave(&mut self, socket: SocketId) -> bool {
        let Some(MailboxLinePlace { number, .. }) = self.places.remove(&socket) else { return false };
        let was_first = self.order.first_key_value().is_some_and(|(first, _)| *first == number);
        self.order.remove(&number);
        self.first_is_woken &= !was_first;
        was_first
    }

    /// Wakes the first socket, unless it was woken already.
    pub(super) fn wake_first(&mut self) {
        let Some((_, first)) = self.order.first_key_value() else { return };
        if let Some(place) = self.places.get(first).filter(|_| !self.first_is_woken) {
            place.waker.wake_by_ref();
            self.first_is_woken = true;
        }
    }

    pub(super) fn wake_all(self) {
        self.places.into_values().for_each(|place| place.waker.wake());
    }
}
