//! What a room sees as a socket: a bounded queue of frames towards it, and a count of its events that still wait.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

use crate::model::limits::Limits;
use crate::protocol::Frame;
use crate::protocol::close::CloseReason;
use crate::tenant::account::{Counter, CounterPlace};

/// The room's end of one socket. The room pushes, the socket's task pops; whoever closes first decides why.
#[derive(Debug)]
pub struct Outbound {
    queue: Mutex<FrameQueue>,
    writer: AtomicWaker,
    /// Events of this socket that the room has not handled yet.
    unhandled: AtomicU32,
    reader: AtomicWaker,
    bytes_max: usize,
    frames_max: usize,
    unhandled_max: u32,
    /// Bytes queued for all sockets of the tenant.
    of_tenant: Arc<Counter>,
    /// Given back when the room is done with the socket, not when the connection ends: what waits in the mailbox is
    /// bounded by the number of places.
    _place: CounterPlace,
}

#[derive(Debug, Default)]
struct FrameQueue {
    frames: VecDeque<Frame>,
    bytes: usize,
    end: QueueEnd,
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
    Frame(Frame),
    /// The last one; it comes once.
    Close(CloseReason),
}

impl Outbound {
    pub fn new(limits: &Limits, of_tenant: Arc<Counter>, place: CounterPlace) -> Self {
        Self {
            queue: Mutex::default(),
            writer: AtomicWaker::new(),
            unhandled: AtomicU32::new(0),
            reader: AtomicWaker::new(),
            bytes_max: limits.outbound_bytes,
            frames_max: limits.outbound_frames,
            unhandled_max: limits.mailbox_events_per_socket,
            of_tenant,
            _place: place,
        }
    }

    /// Queues a frame. A socket that takes its frames too slowly is closed instead: what it missed cannot be made good.
    pub fn push(&self, frame: Frame) {
        let mut queue = self.queue.lock();
        if !matches!(queue.end, QueueEnd::Open) {
            return;
        }
        let tenant_is_full = self.of_tenant.add(frame.len());
        queue.bytes += frame.len();
        if queue.frames.len() >= self.frames_max || queue.bytes > self.bytes_max {
            self.clear(&mut queue, QueueEnd::Closing(CloseReason::SLOW));
        } else if tenant_is_full && !queue.frames.is_empty() {
            // Who has taken all its frames so far is not the one to blame.
            self.clear(&mut queue, QueueEnd::Closing(CloseReason::TENANT_SLOW));
        } else {
            queue.frames.push_back(frame);
        }
        drop(queue);
        self.writer.wake();
    }

    /// Closes behind what is queued.
    pub fn close(&self, reason: CloseReason) {
        let mut queue = self.queue.lock();
        if matches!(queue.end, QueueEnd::Open) {
            queue.end = QueueEnd::Closing(reason);
        }
        drop(queue);
        self.writer.wake();
    }

    /// The socket is gone: nothing is queued any more.
    pub fn abandon(&self) {
        self.clear(&mut self.queue.lock(), QueueEnd::Closed);
    }

    /// Forgets what is queued.
    fn clear(&self, queue: &mut FrameQueue, end: QueueEnd) {
        self.of_tenant.give(queue.bytes);
        *queue = FrameQueue { end, ..FrameQueue::default() };
    }

    /// The next thing to write, for the socket's task.
    pub fn poll_next(&self, context: &mut Context<'_>) -> Poll<ToWrite> {
        if let Some(next) = self.pop() {
            return Poll::Ready(next);
        }
        self.writer.register(context.waker());
        // Something may have come before the waker was in its place.
        self.pop().map_or(Poll::Pending, Poll::Ready)
    }

    /// Why the socket is to be closed, and whether frames are left before that: for a task that cannot write.
    pub fn poll_closing(&self, context: &mut Context<'_>) -> Poll<(CloseReason, bool)> {
        self.writer.register(context.waker());
        let queue = self.queue.lock();
        match &queue.end {
            QueueEnd::Closing(reason) => Poll::Ready((reason.clone(), !queue.frames.is_empty())),
            _ => Poll::Pending,
        }
    }

    /// Counts an event of the socket on its way to the room; waits while too many are.
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

    /// The room is done with one of the socket's events.
    pub fn handled(&self) {
        if self.unhandled.fetch_sub(1, Ordering::AcqRel) >= self.unhandled_max {
            self.reader.wake();
        }
    }

    fn pop(&self) -> Option<ToWrite> {
        let mut queue = self.queue.lock();
        if let Some(frame) = queue.frames.pop_front() {
            queue.bytes -= frame.len();
            self.of_tenant.give(frame.len());
            if queue.frames.is_empty() && queue.frames.capacity() > 64 {
                // A burst is over; idle sockets keep no memory for it.
                queue.frames = VecDeque::new();
            }
            return Some(ToWrite::Frame(frame));
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

impl Drop for Outbound {
    fn drop(&mut self) {
        self.abandon();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbound() -> Outbound {
        outbound_of(&Arc::new(Counter::new(1_000)))
    }

    fn outbound_of(tenant: &Arc<Counter>) -> Outbound {
        let place = Arc::new(Counter::new(1)).place().unwrap();
        let limits = Limits { outbound_bytes: 10, outbound_frames: 3, ..Limits::default() };
        Outbound::new(&limits, Arc::clone(tenant), place)
    }

    #[test]
    fn a_tenants_queues_have_a_bound_together() {
        let tenant = Arc::new(Counter::new(6));
        let (slow, fresh) = (outbound_of(&tenant), outbound_of(&tenant));
        slow.push(Frame::from_static("123"));
        slow.push(Frame::from_static("123"));
        // A socket that owes nothing still gets its frame.
        fresh.push(Frame::from_static("abc"));
        assert_eq!(fresh.pop(), Some(ToWrite::Frame(Frame::from_static("abc"))));
        slow.push(Frame::from_static("4"));
        assert_eq!(slow.pop(), Some(ToWrite::Close(CloseReason::TENANT_SLOW)));
        assert_eq!(tenant.used(), 0);
        slow.push(Frame::from_static("late"));
        fresh.push(Frame::from_static("never read"));
        drop((slow, fresh));
        assert_eq!(tenant.used(), 0);
    }

    #[test]
    fn a_close_comes_behind_what_is_queued() {
        let outbound = outbound();
        outbound.push(Frame::from_static("a"));
        outbound.close(CloseReason::RESTART);
        outbound.push(Frame::from_static("late"));
        assert_eq!(outbound.pop(), Some(ToWrite::Frame(Frame::from_static("a"))));
        assert_eq!(outbound.pop(), Some(ToWrite::Close(CloseReason::RESTART)));
        assert_eq!(outbound.pop(), None);
    }

    #[test]
    fn a_slow_consumer_is_closed() {
        for frame in ["12345678901", "1234"] {
            let outbound = outbound();
            for _ in 0..4 {
                outbound.push(Frame::from_static(frame));
            }
            assert_eq!(outbound.pop(), Some(ToWrite::Close(CloseReason::SLOW)));
        }
    }
}
