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
use super::throttle::{Throttled, TooManyFragments};
use crate::clock::Instant;
use crate::model::event::ClientEvent;
use crate::model::limits::Limits;
use crate::protocol::close::CloseReason;
use crate::protocol::verani::{self, Inbound};
use crate::room::outbound::ToWrite;

type Ws = WebSocketStream<Throttled>;

/// How long the host waits for a client to take its last frames and the close frame; then it cuts the connection.
const FAREWELL: Duration = Duration::from_secs(2);
/// The buffer into which [`linger`] reads the input that it throws away.
const DISCARD_BYTES: usize = 4 << 10;
/// Frames that one socket may read before others of its thread get their turn.
const READS_AT_ONCE: usize = 64;
/// Bytes that one socket may read before others of its thread get their turn: checking them takes some 0.1 ms.
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
    /// It waits until the room has handled enough of the socket's earlier events.
    Uncounted(ClientEvent),
    /// It counts among the socket's events, and waits for a place in the room's mailbox.
    Counted(Option<ClientEvent>),
}

/// How the conversation ended.
enum End {
    /// The client said goodbye or broke off. No close frame of ours follows; `$disconnect` gets this reason.
    Client(CloseReason),
    /// The host closes, and still has to send the close frame. `$disconnect` gets the same reason.
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

    /// Serves the socket to its end, and then tells the room.
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
        // `poll_read` may have queued an answer: it answers a keepalive itself.
        if let Poll::Ready(end) = self.poll_write(context) {
            return Poll::Ready(end);
        }
        self.poll_watch(context)
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

    /// The client takes nothing at the moment. Once the room closes the socket, the client has [`FAREWELL`] to take the
    /// frames that it is still owed.
    fn poll_blocked(&mut self, context: &mut Context<'_>) -> Poll<End> {
        let (reason, frames_left) = ready!(self.seat.outbound.poll_closing(context));
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
        // There may be more to read: this asks for another poll, after the thread's other tasks.
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

    /// Decodes a text frame: an event waits in `held` for `poll_held`, a bare ping gets its answer here.
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

    /// Drops a frame and counts it; a client that sent more of them than `bad-frames` is closed.
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
            Error::Io(why) if why.get_ref().is_some_and(|why| why.is::<TooManyFragments>()) => {
                End::Host(CloseReason::TOO_FAST)
            }
            Error::Protocol(protocol) if !is_broken_off(protocol) => End::Host(CloseReason::PROTOCOL),
            _ => End::Client(CloseReason::BROKEN_OFF),
        }
    }

    /// Pings a client that sent nothing for half of `idle-socket-ms`, and closes it when it sends nothing in the other
    /// half.
    fn poll_watch(&mut self, context: &mut Context<'_>) -> Poll<End> {
        while self.watch.as_mut().poll(context).is_ready() {
            // While an event waits for the room, the host reads nothing: then the client only seems silent.
            if self.heard || !matches!(self.held, Held::Nothing) {
                self.pinged = false;
            } else if self.pinged {
                return Poll::Ready(End::Host(CloseReason::SILENT));
            } else {
                self.pinged = true;
                // The flush below sends it. A ping that cannot be sent gets no answer, and the socket counts as silent.
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
