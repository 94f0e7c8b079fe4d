//! One connection: its frames to the room, the room's frames to it. One task, so that reading and writing share it
//! without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::ws;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::sync::mpsc::channel;
use tokio_tungstenite::tungstenite;

use super::frames::decode;
use super::room::{Mail, OUTBOUND_FRAMES, Rooms, Text};

/// Bytes of the read buffer: tungstenite fills all of it with zeros before each read, and keeps it while it idles.
pub const READ_BUFFER_BYTES: usize = 4_096;
/// Bytes that are collected before a write; a flush writes what there is.
pub const WRITE_BUFFER_BYTES: usize = 16_384;
/// Bytes of a frame, as in Parlor.
pub const FRAME_BYTES: usize = 65_536;
/// Frames written between two looks at what the client sent.
const FRAMES_A_FLUSH: usize = 64;

/// A WebSocket message, of axum or of tungstenite.
pub trait Message: Sized {
    /// Shared text.
    type Text: Text;
    /// A text message.
    fn text(text: Self::Text) -> Self;
    /// The text of a text message.
    fn into_text(self) -> Option<Self::Text>;
}

impl Message for ws::Message {
    type Text = ws::Utf8Bytes;
    fn text(text: ws::Utf8Bytes) -> Self {
        Self::Text(text)
    }
    fn into_text(self) -> Option<ws::Utf8Bytes> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

impl Message for tungstenite::Message {
    type Text = tungstenite::Utf8Bytes;
    fn text(text: tungstenite::Utf8Bytes) -> Self {
        Self::Text(text)
    }
    fn into_text(self) -> Option<tungstenite::Utf8Bytes> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

/// Serves one connection until either side ends it.
pub async fn serve<W, M, E>(mut wire: W, rooms: Rooms<M::Text>, room: String)
where
    W: Stream<Item = Result<M, E>> + Sink<M, Error = E> + Unpin,
    M: Message,
{
    static SOCKETS: AtomicU64 = AtomicU64::new(0);
    let socket = SOCKETS.fetch_add(1, Ordering::Relaxed);
    let (outbound, mut frames) = channel(OUTBOUND_FRAMES);
    let mailbox = rooms.join(&room, socket, outbound).await;
    drop((rooms, room));
    let mut queued = Vec::new();
    loop {
        tokio::select! {
            biased;
            count = frames.recv_many(&mut queued, FRAMES_A_FLUSH) => {
                if count == 0 {
                    // The room has dropped this socket: it was too slow.
                    break;
                }
                let mut sent = Ok(());
                for frame in queued.drain(..) {
                    sent = sent.and(wire.feed(M::text(frame)).await);
                }
                if sent.is_err() || wire.flush().await.is_err() {
                    break;
                }
            }
            message = wire.next() => {
                let Some(Ok(message)) = message else { break };
                if let Some(event) = message.into_text().and_then(|text| decode(&text))
                    && mailbox.send(Mail::Event { socket, event }).await.is_err()
                {
                    break;
                }
            }
        }
    }
    // A room outlives its members, so this fails only where the whole server ends.
    let _ = mailbox.send(Mail::Leave { socket }).await;
}
