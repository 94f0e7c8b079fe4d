//! What stands for a socket in its room: a bounded queue of the packets to it, and a bounded count of its events that
//! the room has not handled yet.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

use super::ring::SentRing;
use crate::clock::recent_ns;
use crate::model::limits::Limits;
use crate::model::visitor::Visitor;
use crate::protocol::Packet;
use crate::protocol::close::CloseReason;
pub use crate::protocol::wire::Wire;
use crate::tenant::account::{Counter, CounterPlace};
use crate::tenant::latency::{Latencies, Timed};
use crate::traces::TraceParent;

/// The queue between a room and one of its sockets. The room pushes packets, the socket's task pops and writes them;
/// whoever closes it first decides the reason.
#[derive(Debug)]
pub struct Outbound {
    queue: Mutex<PacketQueue>,
    /// Wakes the socket's task when there is something to write.
    writer: AtomicWaker,
    /// Events of this socket that the room has not handled yet.
    unhandled: AtomicU32,
    /// Wakes the socket's task when it may bring another event.
    reader: AtomicWaker,
    bytes_max: usize,
    frames_max: usize,
    unhandled_max: u32,
    /// Bytes queued for all sockets of the tenant.
    of_tenant: Arc<Counter>,
    latencies: Arc<Latencies>,
    /// Who is behind the socket.
    pub visitor: Arc<Visitor>,
    /// What the socket speaks.
    pub wire: Wire,
    /// The channels of which the client wants to hear what it missed, with the position up to which it heard all.
    pub since: Box<[(String, Option<String>)]>,
    /// The span that the turns of this socket are told of as parts of, where somebody wants to know.
    pub trace: Option<Box<TraceParent>>,
    /// Whether the client was told that it is in the room, where its wire says that.
    welcomed: AtomicBool,
    /// Whether the client was told why it is not in the room.
    refused: AtomicBool,
    /// The socket's place in its tenant's count. The room gives it back when it is done with the socket, which may be
    /// after the connection ended: so the count also bounds the arrivals and ends that wait in mailboxes.
    _place: CounterPlace,
}

#[derive(Debug, Default)]
struct PacketQueue {
    packets: VecDeque<Packet>,
    bytes: usize,
    /// What of it does not count against the bounds.
    exempt: Exempt,
    end: QueueEnd,
    /// What lets the queue outlive its line; none where it does not.
    survival: Option<Box<Survival>>,
}

/// What a queue may hold beyond its bounds: packets that were taken out once, and are queued again for the next line. They
/// stand before all others, so that whatever is taken out uses it up.
#[derive(Debug, Default)]
struct Exempt {
    packets: usize,
    bytes: usize,
}

impl Exempt {
    fn add(&mut self, packets: usize, bytes: usize) {
        self.packets += packets;
        self.bytes += bytes;
    }

    fn use_up(&mut self, packet: &Packet) {
        self.packets = self.packets.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(packet.bytes());
    }
}

/// What lets a queue go from one line to the next.
#[derive(Debug)]
struct Survival {
    sent: SentRing,
    /// Whether the line broke. Nobody takes packets out then.
    is_lost: bool,
    /// Whether the next line waits to take over.
    is_wanted: bool,
    /// Whether a mail waits in the room's mailbox that says that the line broke or came back.
    has_news: bool,
}

/// Whether and how the queue ends.
#[derive(Debug, Default)]
enum QueueEnd {
    #[default]
    Open,
    /// A close frame follows the frames that are queued.
    Closing(CloseReason),
    /// Nothing follows.
    Closed,
}

/// What the socket's task writes next.
#[derive(Debug, PartialEq, Eq)]
pub enum ToWrite {
    Packet(Packet),
    /// Comes once, and nothing after it.
    Close(CloseReason),
    /// Nothing over this line: another one takes over.
    HandOver,
}

/// How far the client of a line got that goes on where another one ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Got {
    /// So many packets, and the client is told last of all that it is back.
    Packets(u64),
    /// All up to the one with this offset, if any; and the client is told first of all that it is back.
    UpTo(Option<String>),
}

/// Why nothing more is written over a line.
#[derive(Debug, PartialEq, Eq)]
pub enum EndOfLine {
    /// The socket is to be closed; whether frames are still queued.
    Close(CloseReason, bool),
    /// Another line takes over.
    HandOver,
}

impl Outbound {
    pub fn new(
        limits: &Limits,
        wire: Wire,
        visitor: Arc<Visitor>,
        of_tenant: Arc<Counter>,
        latencies: Arc<Latencies>,
        place: CounterPlace,
    ) -> Self {
        Self {
            queue: Mutex::default(),
            writer: AtomicWaker::new(),
            unhandled: AtomicU32::new(0),
            reader: AtomicWaker::new(),
            bytes_max: limits.outbound_bytes,
            frames_max: limits.outbound_frames,
            unhandled_max: limits.mailbox_events_per_socket,
            of_tenant,
            latencies,
            visitor,
            wire,
            since: Box::default(),
            trace: None,
            welcomed: AtomicBool::new(false),
            refused: AtomicBool::new(false),
            _place: place,
        }
    }

    /// Has the client hear first what it missed of these channels.
    pub fn missing(mut self, since: Vec<(String, Option<String>)>) -> Self {
        self.since = since.into();
        self
    }

    /// Has the socket's turns be told of as parts of this span.
    pub fn of_trace(mut self, trace: Option<TraceParent>) -> Self {
        self.trace = trace.map(Box::new);
        self
    }

    /// The most bytes that the client is to be told of what it missed: half of what the queue takes, and of what the
    /// tenant's queues have left, so that no client is closed as slow for its own past.
    pub(super) fn room_for_histories(&self) -> usize {
        self.bytes_max.min(self.of_tenant.left()) / 2
    }

    /// Tells the client that it is in the room.
    pub fn welcome(&self) {
        self.welcomed.store(true, Ordering::Release);
        self.wire.welcome().map(|packet| self.push(packet));
    }

    /// Whether the client was told that it is in the room.
    pub fn is_welcomed(&self) -> bool {
        self.welcomed.load(Ordering::Acquire)
    }

    /// Tells a client that is not welcomed why. Says whether its wire can.
    pub fn refuse(&self, message: &str) -> bool {
        let Some(refusal) = self.wire.refusal(message).filter(|_| !self.is_welcomed()) else { return false };
        self.refused.store(true, Ordering::Release);
        self.push(refusal);
        true
    }

    /// Whether the client was told why it is not in the room.
    pub fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Acquire)
    }

    /// Queues a packet. Where the queue is full, closes the socket instead: a client that misses a packet could never
    /// know. Says whether the socket had nothing to write before.
    pub fn push(&self, packet: Packet) -> bool {
        let mut queue = self.queue.lock();
        if !matches!(queue.end, QueueEnd::Open) {
            return false;
        }
        let (had_nothing, bytes) = (queue.packets.is_empty(), packet.bytes());
        let tenant_is_full = self.of_tenant.add(bytes);
        queue.bytes += bytes;
        let counted = (queue.packets.len() - queue.exempt.packets, queue.bytes - queue.exempt.bytes);
        if counted.0 >= self.frames_max || counted.1 > self.bytes_max {
            self.clear(&mut queue, QueueEnd::Closing(CloseReason::SLOW));
        } else if tenant_is_full && !queue.packets.is_empty() {
            // Only a socket that has frames left to take: the others did not fill the tenant's queues.
            self.clear(&mut queue, QueueEnd::Closing(CloseReason::TENANT_SLOW));
        } else {
            queue.packets.push_back(packet);
            if queue.survival.as_ref().is_some_and(|survival| survival.is_lost) {
                // Nobody writes it.
                return false;
            }
        }
        drop(queue);
        self.writer.wake();
        had_nothing
    }

    /// Closes the socket, after the frames that are queued.
    pub fn close(&self, reason: CloseReason) {
        let mut queue = self.queue.lock();
        if matches!(queue.end, QueueEnd::Open) {
            queue.end = QueueEnd::Closing(reason);
        }
        drop(queue);
        self.writer.wake();
    }

    /// Forgets all frames and takes no more: the socket is gone.
    pub fn abandon(&self) {
        self.clear(&mut self.queue.lock(), QueueEnd::Closed);
    }

    /// Forgets the queued frames, and sets how the queue ends.
    fn clear(&self, queue: &mut PacketQueue, end: QueueEnd) {
        self.of_tenant.give(queue.bytes);
        *queue = PacketQueue { end, ..PacketQueue::default() };
    }

    /// The next thing to write, for the socket's task.
    pub fn poll_next(&self, context: &mut Context<'_>) -> Poll<ToWrite> {
        if let Some(next) = self.pop() {
            return Poll::Ready(next);
        }
        self.writer.register(context.waker());
        // Something may have come before the waker was registered.
        self.pop().map_or(Poll::Pending, Poll::Ready)
    }

    /// Waits until nothing more is to be written over this line, but for what is queued. For a socket's task that cannot
    /// write at the moment, or has no line.
    pub fn poll_end_of_line(&self, context: &mut Context<'_>) -> Poll<EndOfLine> {
        self.writer.register(context.waker());
        let queue = self.queue.lock();
        match &queue.end {
            QueueEnd::Closing(reason) => Poll::Ready(EndOfLine::Close(reason.clone(), !queue.packets.is_empty())),
            _ if queue.is_wanted() => Poll::Ready(EndOfLine::HandOver),
            _ => Poll::Pending,
        }
    }

    /// Counts one more of the socket's events on their way into the room; waits while there are as many as there may be.
    pub fn poll_reserve(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.unhandled.load(Ordering::Acquire) >= self.unhandled_max {
            self.reader.register(context.waker());
            if self.unhandled.load(Ordering::Acquire) >= self.unhandled_max {
                return Poll::Pending;
            }
        }
        self.unhandled.fetch_add(1, Ordering::AcqRel);
        Poll::Ready(())
    }

    /// Takes no further event of the socket for a while.
    pub fn pause(self: &Arc<Self>, pause: Duration) {
        if pause.is_zero() {
            return;
        }
        // As if so many more events waited: whoever asks for a place waits as well.
        self.unhandled.fetch_add(self.unhandled_max, Ordering::AcqRel);
        let paused = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            if let Some(outbound) = paused.upgrade() {
                outbound.unhandled.fetch_sub(outbound.unhandled_max, Ordering::AcqRel);
                outbound.reader.wake();
            }
        });
    }

    /// Counts one event less: the room has handled it, and the socket may bring the next.
    pub fn handled(&self) {
        if self.unhandled.fetch_sub(1, Ordering::AcqRel) >= self.unhandled_max {
            self.reader.wake();
        }
    }

    fn pop(&self) -> Option<ToWrite> {
        let mut queue = self.queue.lock();
        if queue.is_wanted() {
            return Some(ToWrite::HandOver);
        }
        if let Some(packet) = queue.packets.pop_front() {
            if let Some(survival) = &mut queue.survival
                && self.wire.counts(&packet)
            {
                survival.sent.keep(&packet);
            }
            let bytes = packet.bytes();
            queue.bytes -= bytes;
            queue.exempt.use_up(&packet);
            self.of_tenant.give(bytes);
            if queue.packets.is_empty() && queue.packets.capacity() > 64 {
                // The burst is over: gives back its memory, which idle sockets should not hold.
                queue.packets = VecDeque::new();
            }
            drop(queue);
            if let Some(ns) = packet.since_event(recent_ns()) {
                self.latencies.note(Timed::Event, ns);
            }
            return Some(ToWrite::Packet(packet));
        }
        match std::mem::replace(&mut queue.end, QueueEnd::Closed) {
            QueueEnd::Closing(reason) => Some(ToWrite::Close(reason)),
            end => {
                queue.end = end;
                None
            }
        }
    }
}

impl PacketQueue {
    fn is_wanted(&self) -> bool {
        matches!(self.end, QueueEnd::Open) && self.survival.as_ref().is_some_and(|survival| survival.is_wanted)
    }
}

impl Drop for Outbound {
    fn drop(&mut self) {
        self.abandon();
    }
}

mod lines;
#[cfg(test)]
mod tests;
