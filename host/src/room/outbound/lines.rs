//! How a queue goes from one line of its client to the next.

use std::sync::Arc;

use super::{Got, Outbound, PacketQueue, QueueEnd, SentRing, Survival};
use crate::model::limits::Limits;
use crate::protocol::Packet;
use crate::protocol::close::CloseReason;
use crate::tenant::account::Counter;

impl Outbound {
    /// Lets the queue go from one line to the next: from now on it keeps what it sends. `memory` is the tenant's.
    pub fn survive(&self, limits: &Limits, memory: Arc<Counter>) {
        let sent = SentRing::new(limits, memory);
        self.queue.lock().survival =
            Some(Box::new(Survival { sent, is_lost: false, is_wanted: false, has_news: false }));
    }

    /// Notes that the line broke; false where the queue ends with it.
    pub fn lose_line(&self) -> bool {
        let mut queue = self.queue.lock();
        let is_open = matches!(queue.end, QueueEnd::Open);
        let survival = queue.survival.as_mut().filter(|_| is_open);
        survival.is_some_and(|survival| {
            survival.is_lost = true;
            true
        })
    }

    /// Whether the line broke, and no other has taken over yet.
    pub fn is_lost(&self) -> bool {
        self.queue.lock().survival.as_ref().is_some_and(|survival| survival.is_lost)
    }

    /// Whether the room is to be told that the line broke or came back: not where it has not looked since it was told.
    pub fn note_news(&self) -> bool {
        self.queue.lock().survival.as_mut().is_some_and(|survival| !std::mem::replace(&mut survival.has_news, true))
    }

    /// Whether the line is lost, for a room that was told of news.
    pub(in crate::room) fn take_news(&self) -> bool {
        self.queue.lock().survival.as_mut().is_some_and(|survival| {
            survival.has_news = false;
            survival.is_lost
        })
    }

    /// Asks whoever serves the line, or waits in its place, to hand over; or takes that back.
    pub fn want(&self, is_wanted: bool) {
        if let Some(survival) = &mut self.queue.lock().survival {
            survival.is_wanted = is_wanted;
        }
        self.writer.wake();
    }

    /// Why the queue ends, where it closes behind what is queued.
    pub fn closes_with(&self) -> Option<CloseReason> {
        match &self.queue.lock().end {
            QueueEnd::Closing(reason) => Some(reason.clone()),
            QueueEnd::Open | QueueEnd::Closed => None,
        }
    }

    /// Begins a line whose client has got so much: the packets behind that are queued again, before all others, and `back`
    /// tells the client, as the only one: what was to tell it over a line that broke before says what is true no more. False where some are gone, or where the queue has ended.
    pub fn go_on(&self, got: &Got, back: Packet) -> bool {
        let mut guard = self.queue.lock();
        let queue = &mut *guard;
        let Some(survival) = queue.survival.as_mut().filter(|_| matches!(queue.end, QueueEnd::Open)) else {
            return false;
        };
        let number = match got {
            Got::Packets(number) => Some(*number),
            Got::UpTo(None) => Some(0),
            Got::UpTo(offset) => survival.sent.number_of(|packet| self.wire.offset(packet) == offset.as_deref()),
        };
        let Some(mut again) = number.and_then(|number| survival.sent.rewind(number)) else { return false };
        survival.is_lost = false;
        let stale = queue.take_out(|packet| self.wire.tells_back(packet));
        self.of_tenant.give(stale);
        let bytes = again.iter().map(Packet::bytes).sum::<usize>() + back.bytes();
        self.of_tenant.add(bytes);
        queue.bytes += bytes;
        queue.exempt.add(again.len() + 1, bytes);
        // What waited for this line says nothing of how long the room took.
        again.extend(queue.packets.drain(..).map(|packet| packet.of_event(0)));
        match got {
            Got::Packets(_) => again.push_back(back),
            Got::UpTo(_) => again.push_front(back),
        }
        queue.packets = again;
        true
    }
}

impl PacketQueue {
    /// Takes the packets out that are such. Answers their bytes.
    fn take_out(&mut self, is_such: impl Fn(&Packet) -> bool) -> usize {
        let mut taken = 0;
        self.packets.retain(|packet| {
            let stays = !is_such(packet);
            if !stays {
                taken += packet.bytes();
                self.exempt.use_up(packet);
            }
            stays
        });
        self.bytes -= taken;
        taken
    }
}
