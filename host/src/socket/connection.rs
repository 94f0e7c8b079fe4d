//! One socket's task: it reads what the client sends and writes what the room has queued, in one place, so that
//! neither waits for the other.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink as _, SinkExt as _, Stream as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Sleep;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::rate::FrameRate;
use super::seat::Seat;
use super::throttle::Throttled;
use crate::clock::Instant;
use crate::model::event::ClientEvent;
use crate::model::limits::Limits;
use crate::protocol::close::CloseReason;
use crate::protocol::verani::{self, Inbound};
use crate::room::outbound::ToWrite;

type Ws = WebSocketStream<Throttled>;

/// A socket that does not take what it is owed at its end is cut off after this.
const FAREWELL: Duration = Duration::from_secs(2);
/// What comes behind the end is read in pieces of this size and thrown away.
const DISCARD_BYTES: usize = 4 << 10;
/// Frames that one socket may read before others of its thread get their turn.
const READS_AT_ONCE: usize = 64;
/// The same in bytes: reading and checking them takes some 0.1 ms.
const BYTES_AT_ONCE: usize = 64 << 10;

/// One client's connection to its room.
pub struct Connection {
    ws: Ws,
    seat: Seat,
    limits: Arc<Limits>,
    /// An event that waits for its place in the room; nothing more is read meanwhile.
    held: Held,
    bad_frames: u32,
    /// How fast frames may come.
    frames: FrameRate,
    /// Whether anything was written since the last flush.
    unflushed: bool,
    /// Whether anything came since the watch last looked.
    heard: bool,
    /// Whether the silence was answered with a ping already.
    pinged: bool,
    watch: Pin<Box<Sleep>>,
    /// Set while the room closes a socket that takes nothing.
    farewell: Option<Pin<Box<Sleep>>>,
}

/// How far an event is on its way into the room.
enum Held {
    Nothing,
    /// The socket has too many events in the room already.
    Uncounted(ClientEvent),
    /// The room's mailbox is full.
    Counted(Option<ClientEvent>),
}

/// How the conversation ended.
enum End {
    /// The client said goodbye, broke off, or broke the rules: this is what `$disconnect` is told.
    Client(CloseReason),
    /// The host closes: the client is still to be told.
    Host(CloseReason),
}

impl Connection {
    pub fn new(ws: Ws, seat: Seat, limits: Arc<Limits>) -> Self {
        let watch = Box::pin(tokio::time::sleep(half_idle(&limits)));
        let frames = FrameRate::new(&limits);
        Self {
            ws,
            seat,
            limits,
            held: Held::Nothing,
            bad_frames: 0,
            frames,
            unflushed: false,
            heard: false,
            pinged: false,
            watch,
            farewell: None,
        }
    }

    /// Serves the socket to its end. The room hears of the end in any case.
    pub async fn run(mut self) {
        let end = poll_fn(|context| self.poll(context)).await;
        self.seat.fall_silent();
        match end {
            End::Host(reason) => {
                self.seat.room.plugin().totals.count_close(reason.label());
                let told = tokio::time::timeout(FAREWELL, tell(&mut self.ws, reason.clone())).await;
                self.seat.leave(reason);
                if matches!(told, Ok(Ok(()))) {
                    linger(&mut self.ws).await;
                }
            }
            End::Client(reason) => {
                self.seat.leave(reason);
                linger(&mut self.ws).await;
            }
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<End> {
        if let Poll::Ready(end) = self.poll_write(context) {
            return Poll::Ready(end);
        }
        if let Poll::Ready(end) = self.poll_read(context) {
            return Poll::Ready(end);
        }
        // What was read may be answered by now: a keepalive is.
        if let Poll::Ready(end) = self.poll_write(context) {
            return Poll::Ready(end);
        }
        self.poll_watch(context)
    }

    /// Writes all that is queued, then flushes once.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<End> {
        loop {
            // A socket that does not take its frames lets the queue grow, whose bound closes it.
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
                ToWrite::Frame(frame) => {
                    if Pin::new(&mut self.ws).start_send(Message::Text(frame)).is_err() {
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

    /// The client takes nothing at the moment. Where the room closes the socket, what it is still owed gets a last chance.
    fn poll_blocked(&mut self, context: &mut Context<'_>) -> Poll<End> {
        let (reason, frames_left) = ready!(self.seat.outbound.poll_closing(context));
        if frames_left {
            let farewell = self.farewell.get_or_insert_with(|| Box::pin(tokio::time::sleep(FAREWELL)));
            ready!(farewell.as_mut().poll(context));
        }
        Poll::Ready(End::Host(reason))
    }

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
                Some(Err(why)) => return Poll::Ready(self.broken(&why)),
                None => return Poll::Ready(End::Client(CloseReason::BROKEN_OFF)),
            };
            self.heard = true;
            if !self.frames.allows_one() {
                return Poll::Ready(End::Host(CloseReason::TOO_FAST));
            }
            bytes += message.len();
            let taken = match message {
                Message::Text(text) => self.take_text(&text),
                Message::Binary(_) => self.bad_frame(CloseReason::BAD_BINARY),
                Message::Close(frame) => Some(End::Client(close_of(frame))),
                // tungstenite answers pings by itself; the next flush sends it.
                Message::Ping(_) => {
                    self.unflushed = true;
                    None
                }
                Message::Pong(_) | Message::Frame(_) => None,
            };
            if let Some(end) = taken {
                return Poll::Ready(end);
            }
        }
        // There may be more; others come first.
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Moves the event that waits, if any, into the room.
    fn poll_held(&mut self, context: &mut Context<'_>) -> Poll<Result<(), End>> {
        if let Held::Uncounted(_) = self.held {
            ready!(self.seat.outbound.poll_reserve(context));
            if let Held::Uncounted(event) = std::mem::replace(&mut self.held, Held::Nothing) {
                self.held = Held::Counted(Some(event));
            }
        }
        if let Held::Counted(event) = &mut self.held {
            let put = ready!(self.seat.room.mailbox.poll_event(context, self.seat.id, event));
            self.held = Held::Nothing;
            if put.is_err() {
                return Poll::Ready(Err(End::Host(self.seat.room.end_reason())));
            }
        }
        Poll::Ready(Ok(()))
    }

    fn take_text(&mut self, text: &Utf8Bytes) -> Option<End> {
        match verani::decode(text) {
            Ok(Inbound::Event(event)) => self.held = Held::Uncounted(event),
            Ok(Inbound::Ping) => {
                self.seat.outbound.push(verani::PONG);
                if self.seat.room.wants_ping.load(Ordering::Relaxed) {
                    let event = ClientEvent { name: "ping".to_owned(), channel: None, payload: None };
                    self.held = Held::Uncounted(event);
                }
            }
            Err(_) => return self.bad_frame(CloseReason::BAD_TEXT),
        }
        None
    }

    /// Drops a frame and counts it; a client that sends nothing else is sent away.
    fn bad_frame(&mut self, reason: CloseReason) -> Option<End> {
        self.bad_frames += 1;
        self.seat.room.stats.bad_frames.fetch_add(1, Ordering::Relaxed);
        (self.bad_frames > self.limits.bad_frames).then_some(End::Host(reason))
    }

    /// The end that an error of the WebSocket means.
    fn broken(&self, why: &Error) -> End {
        match why {
            Error::Capacity(_) => End::Host(CloseReason::TOO_BIG),
            Error::Utf8(_) => End::Host(CloseReason::BAD_TEXT),
            Error::Protocol(protocol) if !is_broken_off(protocol) => End::Host(CloseReason::PROTOCOL),
            _ => End::Client(CloseReason::BROKEN_OFF),
        }
    }

    /// Pings a socket that is silent for half of what it may be, and gives it up at the end of it.
    fn poll_watch(&mut self, context: &mut Context<'_>) -> Poll<End> {
        while self.watch.as_mut().poll(context).is_ready() {
            // A socket that is held back by its room is not silent: nothing is read from it.
            if self.heard || !matches!(self.held, Held::Nothing) {
                self.pinged = false;
            } else if self.pinged {
                return Poll::Ready(End::Host(CloseReason::SILENT));
            } else {
                self.pinged = true;
                // Written with the next flush; where that cannot be, the socket is as good as silent.
                let ping = Pin::new(&mut self.ws).start_send(Message::Ping(Bytes::new()));
                self.unflushed |= ping.is_ok();
                if let Poll::Ready(end) = self.poll_write(context) {
                    return Poll::Ready(end);
                }
            }
            self.heard = false;
            let next = Instant::now() + half_idle(&self.limits);
            self.watch.as_mut().reset(next);
        }
        Poll::Pending
    }
}

/// Sends the close frame, behind what is written already.
async fn tell(ws: &mut Ws, reason: CloseReason) -> Result<(), Error> {
    let frame = CloseFrame { code: CloseCode::from(reason.code), reason: Utf8Bytes::from(&*reason.reason) };
    ws.send(Message::Close(Some(frame))).await
}

/// Ends our side and discards what still comes: a connection dropped with unread input is reset, and a reset overtakes
/// the close frame.
async fn linger(ws: &mut Ws) {
    let discard = async {
        let _ = ws.flush().await;
        let stream = ws.get_mut();
        let _ = stream.shutdown().await;
        // On the heap: an array would be part of every connection's task for all of its life.
        let mut buffer = vec![0; DISCARD_BYTES];
        while let Ok(1..) = stream.read(&mut buffer).await {}
    };
    let _ = tokio::time::timeout(FAREWELL, discard).await;
}

fn close_of(frame: Option<CloseFrame>) -> CloseReason {
    match frame {
        Some(frame) => CloseReason { code: frame.code.into(), reason: frame.reason.as_str().to_owned().into() },
        // RFC 6455, 7.1.5: a close frame without a code.
        None => CloseReason { code: 1005, reason: "".into() },
    }
}

fn is_broken_off(why: &tokio_tungstenite::tungstenite::error::ProtocolError) -> bool {
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    matches!(why, ProtocolError::ResetWithoutClosingHandshake)
}

fn half_idle(limits: &Limits) -> Duration {
    Duration::from_millis(limits.idle_socket_ms / 2)
}
