//! What every WebSocket of a client is: a stream of bounded speed, and how it ends.

use std::time::Duration;

use futures_util::SinkExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::stream::ClientStream;
use super::throttle::{Throttled, TooManyFragments};
use crate::model::limits::Limits;
use crate::protocol::close::CloseReason;

pub type Ws = WebSocketStream<Throttled>;

/// How long the host waits for a client to take its last frames and the close frame; then it cuts the connection.
pub const FAREWELL: Duration = Duration::from_secs(2);
/// The buffer into which [`linger`] reads the input that it throws away.
const DISCARD_BYTES: usize = 4 << 10;
/// Read attempts fill a buffer of this size: tungstenite's default of 128 KiB costs idle sockets 17 times the memory
/// and busy ones up to 3 times the CPU (`tests/load`).
const READ_BUFFER_BYTES: usize = 4 << 10;
/// Frames are gathered up to this size before a write; a flush follows when nothing more is queued.
const WRITE_BUFFER_BYTES: usize = 16 << 10;

/// The server's side of a WebSocket, behind its 101. `read_ahead` is what was read of the stream before.
pub async fn open(stream: ClientStream, read_ahead: Vec<u8>, limits: &Limits) -> Ws {
    let stream = Throttled::new(stream, limits, &read_ahead);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(Some(limits.frame_bytes))
        .max_frame_size(Some(limits.frame_bytes));
    WebSocketStream::from_partially_read(stream, read_ahead, Role::Server, Some(config)).await
}

/// Sends the close frame, behind what is written already.
pub async fn tell(ws: &mut Ws, reason: CloseReason) -> Result<(), Error> {
    let frame = CloseFrame { code: CloseCode::from(reason.code), reason: Utf8Bytes::from(&*reason.reason) };
    ws.send(Message::Close(Some(frame))).await
}

/// Ends our side and discards what still comes: a connection dropped with unread input is reset, and a reset overtakes
/// the close frame.
pub async fn linger(ws: &mut Ws) {
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

/// What a client's close frame says.
pub fn close_of(frame: Option<CloseFrame>) -> CloseReason {
    match frame {
        Some(frame) => CloseReason::given(frame.code.into(), frame.reason.as_str().to_owned()),
        // RFC 6455, 7.1.5: a close frame without a code.
        None => CloseReason::given(1005, String::new()),
    }
}

/// What is wrong with what a client sent; none where the connection broke off.
pub fn wrong_of(why: &Error) -> Option<CloseReason> {
    match why {
        Error::Capacity(_) => Some(CloseReason::TOO_BIG),
        Error::Utf8(_) => Some(CloseReason::NOT_UTF8),
        Error::Io(why) if why.get_ref().is_some_and(|why| why.is::<TooManyFragments>()) => Some(CloseReason::TOO_FAST),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Protocol(_) => Some(CloseReason::PROTOCOL),
        _ => None,
    }
}
