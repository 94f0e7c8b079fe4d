//! Everything that comes to a room, in one order. Clients' events wait for a place; what the host itself puts in always
//! finds one, or, for administration, is refused. Nothing that is in is dropped while the room lives.

mod requests;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use parking_lot::{Mutex, MutexGuard};

use super::line::MailboxLine;
use super::outbound::Outbound;
use crate::clock::{recent_ns, recent_unix_ms};
use crate::model::effect::UnixMs;
use crate::model::event::{ClientMessage, SocketId};
use crate::model::limits::Limits;
use crate::model::meta::Meta;
use crate::plugin::version::Plugin;
use crate::protocol::close::CloseReason;

pub use self::requests::{ListedSocket, RoomOverview, RoomRequest};

/// Requests of administration and emits of other rooms that may wait in one mailbox.
const REQUESTS_MAX: usize = 256;
/// How many of these emits may be, so that the API is answered however much other rooms say. Their bytes have the bound of
/// what clients say.
const EMITS_MAX: usize = REQUESTS_MAX / 2;

/// One thing that somebody tells a room.
#[derive(Debug)]
pub enum Mail {
    Connect {
        socket: SocketId,
        meta: Meta,
        outbound: Arc<Outbound>,
    },
    /// An event of a client, or its answer to an ask.
    Message {
        socket: SocketId,
        message: ClientMessage,
        /// When it got its place in the room's order, in milliseconds since the Unix epoch.
        accepted_at: f64,
        /// The same by `clock::now_ns`.
        accepted_ns: u64,
    },
    /// The socket's line broke, or it goes on over another one: its outbound queue says which.
    Line {
        socket: SocketId,
    },
    /// The host reads no more of this socket: close it, behind the answers to what came before.
    LastWords {
        socket: SocketId,
        reason: CloseReason,
    },
    Disconnect {
        socket: SocketId,
        reason: CloseReason,
    },
    Request(RoomRequest),
    /// The room's alarm is due.
    Alarm {
        due: UnixMs,
        /// From 1.
        attempt: u32,
    },
    /// Close every socket with this reason, and end when the last is gone.
    Close(CloseReason),
    /// Move to another version of the plugin.
    Swap(Arc<Plugin>),
    /// The room has had no turn for a while, and may give up its instance.
    Idle,
    /// The room's version is in quarantine: close every socket and end.
    Quarantined,
}

/// The room's mailbox is closed, because the room has ended or is about to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomClosed;

/// Why the mailbox refused a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestNotTaken {
    Closed,
    /// As many requests wait as may.
    Full,
}

#[derive(Debug)]
pub struct Mailbox {
    inner: Mutex<Contents>,
    /// Wakes the room's task, which takes the mail in [`Mailbox::next`].
    actor: AtomicWaker,
    events_max: usize,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct Contents {
    mails: VecDeque<Mail>,
    /// How many of the mails are clients' events and answers.
    events: usize,
    /// Bytes of these.
    bytes: usize,
    /// How many of the mails are requests.
    requests: usize,
    /// How many of these are emits.
    emits: usize,
    /// Bytes of the emits.
    emit_bytes: usize,
    /// Sockets that wait for a place.
    line: MailboxLine,
    /// The room is to close. It takes this first of all.
    closing: Option<CloseReason>,
    /// The version to move to. The room takes this before all mails.
    swap: Option<Arc<Plugin>>,
    /// The room has had no turn for a while. It takes this last, where no mail waits.
    idle: bool,
    /// The room's version is in quarantine. The room takes this before all mails and any swap.
    quarantined: bool,
    /// Somebody told the room to close or that its version is in quarantine.
    told_to_end: bool,
    closed: bool,
}

impl Mailbox {
    pub fn new(limits: &Limits) -> Self {
        let (events_max, bytes_max) = (limits.mailbox_events, limits.mailbox_bytes);
        Self { inner: Mutex::default(), actor: AtomicWaker::new(), events_max, bytes_max }
    }

    /// Puts in a mail that always finds a place. Needs no bound: each socket has one arrival, news of its line, last words and
    /// an end, and an alarm that waits in the mailbox rings again after a minute at the earliest.
    pub fn push(&self, mail: Mail) -> Result<(), RoomClosed> {
        let mut inner = self.inner.lock();
        if inner.closed {
            return Err(RoomClosed);
        }
        if let Mail::Disconnect { socket, .. } = &mail {
            self.leave_line(&mut inner, *socket);
        }
        self.put(inner, mail);
        Ok(())
    }

    /// Tells the room, before all else, to close every socket.
    pub fn close_all(&self, reason: CloseReason) {
        let mut inner = self.inner.lock();
        (inner.closing, inner.told_to_end) = (Some(reason), true);
        drop(inner);
        self.actor.wake();
    }

    /// Tells the room to move to another version, which then handles the mails that wait.
    pub(super) fn swap(&self, plugin: Arc<Plugin>) {
        self.inner.lock().swap = Some(plugin);
        self.actor.wake();
    }

    /// Tells the room that it has had no turn for a while.
    pub(super) fn nudge(&self) {
        self.inner.lock().idle = true;
        self.actor.wake();
    }

    /// Tells the room, before its mails, that its version is in quarantine.
    pub fn quarantine(&self) {
        let mut inner = self.inner.lock();
        (inner.quarantined, inner.told_to_end) = (true, true);
        drop(inner);
        self.actor.wake();
    }

    /// Takes a socket that sends no more events out of the line, so that it holds up nobody behind it.
    pub fn give_up_place(&self, socket: SocketId) {
        self.leave_line(&mut self.inner.lock(), socket);
    }

    /// Puts in a request of administration.
    pub fn request(&self, request: RoomRequest) -> Result<(), RequestNotTaken> {
        let mut inner = self.inner.lock();
        if inner.closed {
            return Err(RequestNotTaken::Closed);
        }
        if inner.requests >= REQUESTS_MAX {
            return Err(RequestNotTaken::Full);
        }
        if let Some(bytes) = request.brought_bytes() {
            // One that is larger than the bound goes in alone.
            if inner.emits >= EMITS_MAX || (inner.emits > 0 && inner.emit_bytes + bytes > self.bytes_max) {
                return Err(RequestNotTaken::Full);
            }
            inner.emits += 1;
            inner.emit_bytes += bytes;
        }
        inner.requests += 1;
        self.put(inner, Mail::Request(request));
        Ok(())
    }

    /// Puts in a client's event or answer, or waits for a place. It takes it out of the option when it is ready, not
    /// before.
    pub fn poll_event(
        &self,
        context: &mut Context<'_>,
        socket: SocketId,
        message: &mut Option<ClientMessage>,
    ) -> Poll<Result<(), RoomClosed>> {
        let mut inner = self.inner.lock();
        if inner.closed {
            return Poll::Ready(Err(RoomClosed));
        }
        // The first in line goes in first, even if another socket comes just when a place is free.
        if self.is_full(&inner) || !inner.line.may_go(socket) {
            inner.line.join(socket, context.waker());
            return Poll::Pending;
        }
        inner.line.leave(socket);
        if let Some(message) = message.take() {
            inner.events += 1;
            inner.bytes += message.bytes();
            if !self.is_full(&inner) {
                inner.line.wake_first();
            }
            let (accepted_at, accepted_ns) = (recent_unix_ms(), recent_ns());
            self.put(inner, Mail::Message { socket, message, accepted_at, accepted_ns });
        }
        Poll::Ready(Ok(()))
    }

    /// The next mail; for the room's own task.
    pub async fn next(&self) -> Mail {
        poll_fn(|context| {
            if let Some(mail) = self.pop() {
                return Poll::Ready(mail);
            }
            self.actor.register(context.waker());
            self.pop().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// Waits until there is mail, without taking it, and gives back spare memory first. For the room's own task while it
    /// sleeps.
    pub async fn ready(&self) {
        self.inner.lock().mails.shrink_to_fit();
        poll_fn(|context| {
            if self.has_mail() {
                return Poll::Ready(());
            }
            self.actor.register(context.waker());
            if self.has_mail() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn has_mail(&self) -> bool {
        let inner = self.inner.lock();
        let is_told = inner.closing.is_some() || inner.swap.is_some() || inner.idle || inner.quarantined;
        is_told || !inner.mails.is_empty()
    }

    /// Closes the mailbox if no mail waits; says whether it is closed.
    pub fn close_if_empty(&self) -> bool {
        let mut inner = self.inner.lock();
        inner.closed |= inner.mails.is_empty() && inner.closing.is_none();
        inner.closed
    }

    /// Closes the mailbox, wakes the sockets in line, and answers the mails that nobody takes any more.
    pub fn close(&self) -> VecDeque<Mail> {
        let mut inner = self.inner.lock();
        inner.closed = true;
        let line = std::mem::take(&mut inner.line);
        let mails = std::mem::take(&mut inner.mails);
        drop(inner);
        line.wake_all();
        mails
    }

    /// Whether somebody told the room to end: from then on it does not wait for the tenant's CPU time.
    pub fn ends(&self) -> bool {
        self.inner.lock().told_to_end
    }

    pub fn is_closed(&self) -> bool {
        self.inner.lock().closed
    }

    /// Puts a mail behind all others and wakes the room.
    fn put(&self, mut inner: MutexGuard<'_, Contents>, mail: Mail) {
        inner.mails.push_back(mail);
        drop(inner);
        self.actor.wake();
    }

    fn pop(&self) -> Option<Mail> {
        let mut inner = self.inner.lock();
        if let Some(reason) = inner.closing.take() {
            return Some(Mail::Close(reason));
        }
        if std::mem::take(&mut inner.quarantined) {
            return Some(Mail::Quarantined);
        }
        if let Some(plugin) = inner.swap.take() {
            return Some(Mail::Swap(plugin));
        }
        let idle = std::mem::take(&mut inner.idle);
        let Some(mail) = inner.mails.pop_front() else { return idle.then_some(Mail::Idle) };
        match &mail {
            Mail::Message { message, .. } => {
                inner.events -= 1;
                inner.bytes -= message.bytes();
            }
            Mail::Request(request) => {
                inner.requests -= 1;
                if let Some(bytes) = request.brought_bytes() {
                    inner.emits -= 1;
                    inner.emit_bytes -= bytes;
                }
            }
            _ => {}
        }
        // Wakes the first in line only when the mailbox is half empty, so that a full one does not wake a socket for
        // each place. Whoever goes in wakes the next.
        let is_half_empty = inner.events <= self.events_max / 2 && inner.bytes <= self.bytes_max / 2;
        if is_half_empty {
            inner.line.wake_first();
        }
        Some(mail)
    }

    fn leave_line(&self, inner: &mut Contents, socket: SocketId) {
        if inner.line.leave(socket) && !self.is_full(inner) {
            inner.line.wake_first();
        }
    }

    /// Whether there is no place for another client's event.
    fn is_full(&self, inner: &Contents) -> bool {
        inner.events >= self.events_max || inner.bytes >= self.bytes_max
    }
}

#[cfg(test)]
mod tests;
