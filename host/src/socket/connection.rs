//! One socket's task: it reads what the client sends and writes what the room has queued, in one place, so that
//! neither waits for the other.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink as _, Stream as _};
use tokio::time::Sleep;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::held::HeldMessage;
use super::keepalive::{Keepalive, SilenceCall};
use super::rate::FrameRate;
use super::seat::Seat;
use super::ws::{self, FAREWELL, Ws};
use crate::clock::coarse_now;
use crate::model::event::{ClientEvent, ClientMessage};
use crate::model::limits::Limits;
use crate::model::rate::Rate;
use crate::protocol::close::CloseReason;
use crate::protocol::verani::{self, BadFrame, Inbound};
use crate::room::handle::RoomClosed;
use crate::room::outbound::{EndOfLine, ToWrite};

/// How long a room has to answer what came before a frame that ends the connection.
const LAST_ANSWERS: Duration = Duration::from_secs(10);
const MINUTE: Duration = Duration::from_secs(60);
/// Frames that one socket may read before others of its thread get their turn.
const READS_AT_ONCE: usize = 64;
/// Bytes that one socket may read before others of its thread get their turn: checking them takes some 0.1 ms.
const BYTES_AT_ONCE: usize = 64 << 10;

/// One client's connection to its room.
pub struct Connection {
    ws: Ws,
    seat: Seat,
    /// An event that waits for its place in the room; nothing more is read meanwhile.
    held: HeldMessage,
    /// Whether that is one of the frames that a client which may come back counts.
    held_counts: bool,
    /// How many bad frames may come.
    bad_frames: Rate,
    /// How fast frames may come.
    frames: FrameRate,
    /// How many text and binary frames came.
    frames_read: u64,
    /// Whether anything was written since the last flush.
    unflushed: bool,
    keepalive: Keepalive,
    /// Set once the host reads no more.
    deaf: Option<Box<Deafness>>,
    /// Set while the room closes a socket that takes nothing.
    farewell: Option<Pin<Box<Sleep>>>,
}

/// The host reads no more, and the room still answers what came before.
struct Deafness {
    reason: CloseReason,
    /// Whether the room knows.
    is_told: bool,
    until: Pin<Box<Sleep>>,
}

/// How the conversation ended.
enum End {
    /// The client said goodbye or broke off. No close frame of ours follows; `$disconnect` gets this reason.
    Client(CloseReason),
    /// The host closes, and still has to send the close frame. `$disconnect` gets the same reason.
    Host(CloseReason),
    /// The client came back over another line, which takes over.
    HandOver,
}

impl Connection {
    pub fn new(ws: Ws, seat: Seat, limits: &Limits) -> Self {
        Self {
            ws,
            seat,
            held: HeldMessage::Nothing,
            held_counts: false,
            bad_frames: Rate::within(MINUTE, limits.bad_frames_per_minute, limits.bad_frames),
            frames: FrameRate::new(limits),
            frames_read: 0,
            unflushed: false,
            keepalive: Keepalive::new(limits),
            deaf: None,
            farewell: None,
        }
    }

    /// Serves the socket to its end, and then tells the room, or leaves the seat to the client's next line. Borrows, since
    /// a task that owned the connection would hold its memory twice.
    pub async fn run(&mut self) {
        let end = poll_fn(|context| self.poll(context)).await;
        // Boxed, so that idle sockets hold no memory for their end.
        Box::pin(self.part(end)).await;
    }

    async fn part(&mut self, end: End) {
        let Self { ws, seat, held, deaf, .. } = self;
        match end {
            End::HandOver => {
                held.give_up(seat);
                seat.hand_over();
                let _ = tokio::time::timeout(FAREWELL, ws::tell(ws, CloseReason::TAKEN_OVER)).await;
            }
            End::Host(reason) => {
                seat.room.plugin().totals.count_close(reason.label());
                if reason == CloseReason::SILENT {
                    // The client may be on its way back over another line.
                    held.give_up(seat);
                    seat.lose_line(reason.clone());
                    let _ = tokio::time::timeout(FAREWELL, ws::tell(ws, reason)).await;
                    return;
                }
                seat.fall_silent();
                let told = tokio::time::timeout(FAREWELL, ws::tell(ws, reason.clone())).await;
                seat.leave(reason);
                if !matches!(told, Ok(Ok(()))) {
                    return;
                }
            }
            End::Client(reason) if deaf.is_none() && !reason.is_goodbye() => {
                held.give_up(seat);
                seat.lose_line(reason);
            }
            End::Client(reason) => {
                seat.fall_silent();
                seat.leave(reason);
            }
        }
        ws::linger(ws).await;
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<End> {
        if let Poll::Ready(end) = self.poll_write(context) {
            return Poll::Ready(end);
        }
        let read = if self.deaf.is_some() { self.poll_deaf(context) } else { self.poll_read(context) };
        if let Poll::Ready(end) = read {
            return Poll::Ready(end);
        }
        // tungstenite may have answered a ping. Whatever was queued meanwhile has woken this task again.
        if self.unflushed
            && let Poll::Ready(end) = self.poll_write(context)
        {
            return Poll::Ready(end);
        }
        self.poll_keepalive(context)
    }

    /// Writes all that is queued, then flushes once.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<End> {
        loop {
            // While the client takes no frames, its queue grows; at the queue's bound the room closes the socket.
            match Pin::new(&mut self.ws).poll_ready(context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(End::Client(CloseReason::BROKEN_OFF)),
                Poll::Pending => return self.poll_blocked(context),
            }
            let Poll::Ready(next) = self.seat.outbound.poll_next(context) else {
                break;
            };
            match next {
                ToWrite::Close(reason) => return Poll::Ready(End::Host(reason)),
                ToWrite::HandOver => return Poll::Ready(End::HandOver),
                ToWrite::Packet(packet) => {
                    if Pin::new(&mut self.ws).start_send(Message::Text(packet.text)).is_err() {
                        return Poll::Ready(End::Client(CloseReason::BROKEN_OFF));
                    }
                    self.unflushed = true;
                }
            }
        }
        if self.unflushed && ready!(Pin::new(&mut self.ws).poll_flush(context)).is_err() {
            return Poll::Ready(End::Client(CloseReason::BROKEN_OFF));
        }
        self.unflushed = false;
        Poll::Pending
    }

    /// The client takes nothing at the moment. Once the room closes the socket, the client has [`FAREWELL`] to take the
    /// frames that it is still owed.
    fn poll_blocked(&mut self, context: &mut Context<'_>) -> Poll<End> {
        let EndOfLine::Close(reason, frames_left) = ready!(self.seat.outbound.poll_end_of_line(context)) else {
            return Poll::Ready(End::HandOver);
        };
        if frames_left {
            let farewell = self.farewell.get_or_insert_with(|| Box::pin(tokio::time::sleep(FAREWELL)));
            ready!(farewell.as_mut().poll(context));
        }
        Poll::Ready(End::Host(reason))
    }

    /// Reads frames and moves their events into the room, until there are none, the room holds the socket back, or other
    /// sockets of the thread come first.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<End> {
        let mut bytes = 0;
        for _ in 0..READS_AT_ONCE {
            if bytes >= BYTES_AT_ONCE {
                break;
            }
            match self.poll_held(context) {
                Poll::Ready(Ok(())) => self.frames.goes_on(),
                Poll::Ready(Err(end)) => return Poll::Ready(end),
                Poll::Pending => {
                    self.frames.is_held();
                    return Poll::Pending;
                }
            }
            let message = match ready!(Pin::new(&mut self.ws).poll_next(context)) {
                Some(Ok(message)) => message,
                Some(Err(why)) => return self.broken(context, &why),
                None => return Poll::Ready(End::Client(CloseReason::BROKEN_OFF)),
            };
            if !self.frames.allows_one() {
                return self.stop_reading(context, CloseReason::TOO_FAST, None);
            }
            bytes += message.len();
            let is_data = message.is_text() || message.is_binary();
            let bad = match message {
                Message::Text(text) => self.take_text(&text).err(),
                Message::Binary(_) => Some(BadFrame::Binary),
                Message::Close(frame) => return Poll::Ready(End::Client(ws::close_of(frame))),
                // tungstenite answers pings by itself; the next flush sends it.
                Message::Ping(_) => {
                    self.unflushed = true;
                    None
                }
                Message::Pong(_) | Message::Frame(_) => None,
            };
            if bad.is_some() {
                self.seat.count_heard();
            }
            if let Some(bad) = bad
                && !self.may_send_bad_frame()
            {
                let reason = if bad == BadFrame::Binary { CloseReason::BAD_BINARY } else { CloseReason::BAD_TEXT };
                return self.stop_reading(context, reason, Some(bad));
            }
            self.frames_read += u64::from(is_data);
        }
        // There may be more to read: this asks for another poll, after the thread's other tasks.
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Moves the event that waits, if any, into the room.
    fn poll_held(&mut self, context: &mut Context<'_>) -> Poll<Result<(), End>> {
        let moved = ready!(self.held.poll(context, &self.seat));
        if std::mem::take(&mut self.held_counts) && moved.is_ok() {
            self.seat.count_heard();
        }
        Poll::Ready(moved.map_err(|RoomClosed| End::Host(self.seat.room.end_reason())))
    }

    /// Decodes a text frame: an event waits in `held` for `poll_held`, a bare ping gets its answer here.
    fn take_text(&mut self, text: &Utf8Bytes) -> Result<(), BadFrame> {
        match verani::decode(text)? {
            Inbound::Message(message) => {
                self.held = HeldMessage::Uncounted(message);
                self.held_counts = true;
            }
            Inbound::Ping => {
                self.seat.outbound.push(verani::PONG.into());
                if self.seat.room.wants_ping.load(Ordering::Relaxed) {
                    let ping = ClientEvent { name: "ping".to_owned(), ..ClientEvent::default() };
                    self.held = HeldMessage::Uncounted(ClientMessage::Event(ping));
                }
            }
        }
        Ok(())
    }

    /// Counts a bad frame, which is dropped; false where the client sent too many.
    fn may_send_bad_frame(&mut self) -> bool {
        self.seat.room.stats.bad_frames.fetch_add(1, Ordering::Relaxed);
        self.bad_frames.allows(1, coarse_now())
    }

    /// Does what an error of the WebSocket asks for.
    fn broken(&mut self, context: &mut Context<'_>, why: &Error) -> Poll<End> {
        match ws::wrong_of(why) {
            Some(reason) => self.stop_reading(context, reason, None),
            None => Poll::Ready(End::Client(CloseReason::BROKEN_OFF)),
        }
    }

    /// Reads no more, because of the frame that follows those read so far. The room still handles those, and closes the
    /// socket behind its answers.
    fn stop_reading(&mut self, context: &mut Context<'_>, reason: CloseReason, why: Option<BadFrame>) -> Poll<End> {
        let reason = reason.at_frame(self.frames_read + 1, why);
        let until = Box::pin(tokio::time::sleep(LAST_ANSWERS));
        self.deaf = Some(Box::new(Deafness { reason, is_told: false, until }));
        self.poll_deaf(context)
    }

    /// Moves the last event into the room, and tells the room that nothing follows. Where the room answers nothing in
    /// time, the socket is closed without.
    fn poll_deaf(&mut self, context: &mut Context<'_>) -> Poll<End> {
        let is_moved = self.poll_held(context);
        let Some(deaf) = &mut self.deaf else { return Poll::Pending };
        match is_moved {
            Poll::Ready(Err(end)) => return Poll::Ready(end),
            Poll::Ready(Ok(())) if !deaf.is_told => {
                deaf.is_told = true;
                if self.seat.say_last_words(deaf.reason.clone()).is_err() {
                    return Poll::Ready(End::Host(self.seat.room.end_reason()));
                }
            }
            _ => {}
        }
        ready!(deaf.until.as_mut().poll(context));
        Poll::Ready(End::Host(deaf.reason.clone()))
    }

    /// Pings a silent client, and closes the socket of one that does not answer.
    fn poll_keepalive(&mut self, context: &mut Context<'_>) -> Poll<End> {
        if self.ws.get_mut().take_heard() {
            self.keepalive.heard();
        }
        let listens = self.held.is_nothing() && self.deaf.is_none() && !self.ws.get_ref().is_paused();
        while let SilenceCall::Ping = ready!(self.keepalive.poll(context, listens)) {
            // The flush below sends it. A ping that cannot be sent gets no answer, and the socket counts as silent.
            let ping = Pin::new(&mut self.ws).start_send(Message::Ping(Bytes::new()));
            self.unflushed |= ping.is_ok();
            if let Poll::Ready(end) = self.poll_write(context) {
                return Poll::Ready(end);
            }
        }
        Poll::Ready(End::Host(CloseReason::SILENT))
    }
}
