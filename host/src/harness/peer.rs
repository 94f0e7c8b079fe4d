//! The client's end of a socket: a task that speaks the WebSocket's protocol over a connection in memory.

use std::sync::Arc;

use axum::http::{HeaderMap, Uri};
use futures_util::{SinkExt as _, StreamExt as _};
use parking_lot::Mutex;
use tokio::io::DuplexStream;
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

use super::inbox::{Inbox, InboxSession};
use super::step::PeerClosing;

/// What a client sees of a connection that ends without a close frame (RFC 6455, 7.1.5).
const BROKEN_OFF: u16 = 1_006;
/// What a close frame without a code means (RFC 6455, 7.1.5).
const NO_CODE: u16 = 1_005;

/// The key of the query by which a client asks for a session that outlives its line.
const RESUME: &str = "resume";

/// Bytes of frames that came and that no step took. A client that gets more breaks its connection off.
const UNSEEN_BYTES_MAX: usize = 256 << 20;

/// A socket as its client has it.
pub(super) struct InsidePeer {
    orders: mpsc::Sender<Order>,
    seen: Arc<Mutex<Seen>>,
    pub(super) inbox: Inbox,
    /// What it asked for.
    uri: Uri,
    headers: HeaderMap,
}

/// What came over the connection and nobody took.
#[derive(Debug, Default)]
struct Seen {
    frames: Vec<String>,
    bytes: usize,
    closing: Option<PeerClosing>,
}

/// What the client is to do.
enum Order {
    /// Send this, and say when the server has moved it into the room, or ended the connection.
    Send(String, oneshot::Sender<()>),
    Close(PeerClosing, oneshot::Sender<()>),
}

impl InsidePeer {
    /// Takes up the client's end of a connection.
    pub(super) async fn begin(stream: DuplexStream) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let orders = speak_over(stream, &seen).await;
        Self { orders, seen, inbox: Inbox::default(), uri: Uri::default(), headers: HeaderMap::new() }
    }

    /// Notes what the client asked for, which it asks for again where it comes back.
    pub(super) fn asked_for(self, uri: Uri, headers: HeaderMap) -> Self {
        Self { uri, headers, ..self }
    }

    /// Breaks the line off.
    pub(super) fn lose_line(&mut self) {
        // Whoever serves the client's end has nobody left to follow.
        (self.orders, _) = mpsc::channel(1);
    }

    /// Whether the line broke, and nobody has told the client that its socket is closed.
    pub(super) fn is_lost(&self) -> bool {
        self.orders.is_closed() && self.closing().is_none()
    }

    /// What a client asks for that comes back; none where it has no session.
    pub(super) fn wish(&mut self) -> Option<(Uri, HeaderMap)> {
        let InboxSession { secret, got, .. } = self.collect().session.clone()?;
        let query = self.uri.query().unwrap_or_default();
        let others = query.split('&').filter(|pair| *pair != RESUME && !pair.starts_with("resume="));
        let others = others.collect::<Vec<_>>().join("&");
        let uri = format!("{}?{others}&resume={secret}&got={got}", self.uri.path()).parse().ok()?;
        Some((uri, self.headers.clone()))
    }

    /// Takes up the client's end of another line.
    pub(super) async fn go_on_over(&mut self, stream: DuplexStream) {
        self.orders = speak_over(stream, &self.seen).await;
    }

    /// Sends a text, and waits until it is in the room's order or the connection has ended.
    pub(super) async fn send(&self, text: String) {
        let (sent, told) = oneshot::channel();
        self.order(Order::Send(text, sent), told).await;
    }

    /// Closes the connection, and waits until it has ended.
    pub(super) async fn close(&self, closing: PeerClosing) {
        let (closed, told) = oneshot::channel();
        self.order(Order::Close(closing, closed), told).await;
    }

    async fn order(&self, order: Order, told: oneshot::Receiver<()>) {
        // Either fails where the connection has ended, which `closing` tells.
        if self.orders.send(order).await.is_ok() {
            let _ = told.await;
        }
    }

    /// How the connection ended; none while it is open.
    pub(super) fn closing(&self) -> Option<PeerClosing> {
        self.seen.lock().closing.clone()
    }

    /// Moves what came into the inbox.
    pub(super) fn collect(&mut self) -> &mut Inbox {
        let mut seen = self.seen.lock();
        let frames = std::mem::take(&mut seen.frames);
        seen.bytes = 0;
        drop(seen);
        self.inbox.take_in(frames);
        &mut self.inbox
    }
}

/// Has the client's end of a connection served; answers who is to be told what to do.
async fn speak_over(stream: DuplexStream, seen: &Arc<Mutex<Seen>>) -> mpsc::Sender<Order> {
    let ws = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    let (orders, taken) = mpsc::channel(1);
    tokio::spawn(converse(ws, taken, Arc::clone(seen)));
    orders
}

/// Serves the client's end until the connection has ended. Dropping what an order waits with answers it.
async fn converse(mut ws: WebSocketStream<DuplexStream>, mut orders: mpsc::Receiver<Order>, seen: Arc<Mutex<Seen>>) {
    let mut waiting: Vec<oneshot::Sender<()>> = Vec::new();
    loop {
        let message = tokio::select! {
            biased;
            message = ws.next() => message,
            order = orders.recv() => {
                match order {
                    Some(order) => waiting.push(follow(&mut ws, order, &seen).await),
                    // The harness has forgotten the socket: the connection breaks off.
                    None => return,
                }
                continue;
            }
        };
        match message {
            Some(Ok(Message::Text(text))) => {
                let mut seen = seen.lock();
                seen.bytes += text.len();
                seen.frames.push(text.as_str().to_owned());
                if seen.bytes > UNSEEN_BYTES_MAX {
                    break;
                }
            }
            // The server answers a ping when it has moved all that came before into the room.
            Some(Ok(Message::Pong(_))) => waiting.clear(),
            Some(Ok(Message::Close(frame))) => note_end(&seen, frame),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => break,
        }
    }
    seen.lock().closing.get_or_insert_with(|| PeerClosing { code: BROKEN_OFF, reason: String::new() });
}

/// Does what an order says; answers what to tell when it is done.
async fn follow(ws: &mut WebSocketStream<DuplexStream>, order: Order, seen: &Mutex<Seen>) -> oneshot::Sender<()> {
    // Where sending fails, the connection has ended, and the next read tells.
    match order {
        Order::Send(text, done) => {
            let _ = ws.send(Message::text(text)).await;
            let _ = ws.send(Message::Ping(Vec::new().into())).await;
            done
        }
        Order::Close(closing, done) => {
            let frame = CloseFrame { code: CloseCode::from(closing.code), reason: closing.reason.as_str().into() };
            seen.lock().closing.get_or_insert(closing);
            let _ = ws.send(Message::Close(Some(frame))).await;
            done
        }
    }
}

/// Notes the first close frame, whoever sent it.
fn note_end(seen: &Mutex<Seen>, frame: Option<CloseFrame>) {
    let closing = match frame {
        Some(frame) => PeerClosing { code: frame.code.into(), reason: frame.reason.as_str().to_owned() },
        None => PeerClosing { code: NO_CODE, reason: String::new() },
    };
    seen.lock().closing.get_or_insert(closing);
}
