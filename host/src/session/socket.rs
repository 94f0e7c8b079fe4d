//! A session's WebSocket.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::{Sink as _, Stream as _};
use tokio::time::Sleep;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::conversation::{Conversation, SessionEnd};
use crate::protocol::Packet;
use crate::protocol::close::CloseReason;
use crate::protocol::engineio::{self, EnginePacket};
use crate::socket::ws::{self, FAREWELL, Ws};

/// Packets that one session may read before others of its thread get their turn.
const READS_AT_ONCE: usize = 64;
/// Bytes that one session may read before others of its thread get their turn: checking them takes some 0.1 ms.
const BYTES_AT_ONCE: usize = 64 << 10;

/// What a client sends over the line.
pub(super) enum Said {
    Text(Utf8Bytes),
    Bytes(bytes::Bytes),
}

/// The WebSocket of a session.
pub(super) struct SessionSocket {
    pub(super) ws: Ws,
    /// Messages that are not handed to the WebSocket yet: the parts of a packet follow each other.
    outgoing: VecDeque<Message>,
    /// Whether anything was written since the last flush.
    unflushed: bool,
    /// Whether the client took nothing more when the session last wrote.
    is_blocked: bool,
    /// Set while a room closes a client that takes nothing.
    farewell: Option<Pin<Box<Sleep>>>,
}

const BROKEN_OFF: SessionEnd = SessionEnd::Client(CloseReason::BROKEN_OFF);

impl SessionSocket {
    pub(super) fn new(ws: Ws) -> Self {
        Self { ws, outgoing: VecDeque::new(), unflushed: false, is_blocked: false, farewell: None }
    }

    /// Queues a packet: its text, and its bytes behind it.
    pub(super) fn push(&mut self, packet: &Packet) {
        let bytes = packet.attachments().iter().cloned().map(Message::Binary);
        self.outgoing.extend(std::iter::once(Message::Text(packet.text.clone())).chain(bytes));
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>, conversation: &mut Conversation) -> Poll<SessionEnd> {
        if let Poll::Ready(end) = self.poll_write(context, conversation) {
            return Poll::Ready(end);
        }
        if let Poll::Ready(end) = self.poll_read(context, conversation) {
            return Poll::Ready(end);
        }
        if let Poll::Ready(end) = conversation.poll_time(context) {
            return Poll::Ready(end);
        }
        if conversation.has_words() && !self.is_blocked {
            // What was read or the time made the session say something: it leaves in another poll, and more is read then.
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Hands the WebSocket what is queued; ready when it takes more.
    pub(super) fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), SessionEnd>> {
        loop {
            if ready!(Pin::new(&mut self.ws).poll_ready(context)).is_err() {
                return Poll::Ready(Err(BROKEN_OFF));
            }
            let Some(message) = self.outgoing.pop_front() else { return Poll::Ready(Ok(())) };
            if Pin::new(&mut self.ws).start_send(message).is_err() {
                return Poll::Ready(Err(BROKEN_OFF));
            }
            self.unflushed = true;
        }
    }

    /// Lets what was handed over leave.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), SessionEnd>> {
        if self.unflushed && ready!(Pin::new(&mut self.ws).poll_flush(context)).is_err() {
            return Poll::Ready(Err(BROKEN_OFF));
        }
        self.unflushed = false;
        Poll::Ready(Ok(()))
    }

    /// Writes all that is to be said, then flushes once.
    fn poll_write(&mut self, context: &mut Context<'_>, conversation: &mut Conversation) -> Poll<SessionEnd> {
        loop {
            let sent = self.poll_send(context);
            self.is_blocked = sent.is_pending();
            match sent {
                Poll::Ready(Ok(())) => self.farewell = None,
                Poll::Ready(Err(end)) => return Poll::Ready(end),
                Poll::Pending => return self.poll_blocked(context, conversation),
            }
            match conversation.poll_packet(context) {
                Poll::Ready(Ok(packet)) => self.push(&packet),
                Poll::Ready(Err(end)) => return Poll::Ready(end),
                Poll::Pending => break,
            }
        }
        match ready!(self.poll_flush(context)) {
            Ok(()) => Poll::Pending,
            Err(end) => Poll::Ready(end),
        }
    }

    /// The client takes nothing at the moment. Once a room closes it, it has [`FAREWELL`] to take what it is still owed.
    fn poll_blocked(&mut self, context: &mut Context<'_>, conversation: &mut Conversation) -> Poll<SessionEnd> {
        let reason = ready!(conversation.poll_closing(context));
        let farewell = self.farewell.get_or_insert_with(|| Box::pin(tokio::time::sleep(FAREWELL)));
        ready!(farewell.as_mut().poll(context));
        Poll::Ready(SessionEnd::Host(reason))
    }

    /// Reads packets and brings them to their rooms, until there are none, a room holds the client back, or others of the
    /// thread come first.
    fn poll_read(&mut self, context: &mut Context<'_>, conversation: &mut Conversation) -> Poll<SessionEnd> {
        let mut bytes = 0;
        for _ in 0..READS_AT_ONCE {
            if bytes >= BYTES_AT_ONCE {
                break;
            }
            ready!(conversation.poll_ready(context));
            let taken = match ready!(self.poll_said(context)) {
                Ok(Said::Text(text)) => {
                    bytes += text.len();
                    conversation.take(engineio::decode(&text))
                }
                Ok(Said::Bytes(message)) => {
                    bytes += message.len();
                    conversation.take(Ok(EnginePacket::Bytes(message)))
                }
                Err(end) => Err(end),
            };
            match taken {
                Ok(()) => {}
                Err(SessionEnd::Host(reason)) => {
                    conversation.stop_reading(reason);
                    break;
                }
                Err(end) => return Poll::Ready(end),
            }
        }
        // There may be more to do: this asks for another poll, after the thread's other tasks.
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// The next thing that the client says.
    pub(super) fn poll_said(&mut self, context: &mut Context<'_>) -> Poll<Result<Said, SessionEnd>> {
        loop {
            return Poll::Ready(match ready!(Pin::new(&mut self.ws).poll_next(context)) {
                Some(Ok(Message::Text(text))) => Ok(Said::Text(text)),
                Some(Ok(Message::Binary(bytes))) => Ok(Said::Bytes(bytes)),
                Some(Ok(Message::Close(frame))) => Err(SessionEnd::Client(ws::close_of(frame))),
                // tungstenite answers pings by itself; the next flush sends it.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
                    self.unflushed = true;
                    continue;
                }
                Some(Err(why)) => Err(ws::wrong_of(&why).map_or(BROKEN_OFF, SessionEnd::Host)),
                None => Err(BROKEN_OFF),
            });
        }
    }
}
