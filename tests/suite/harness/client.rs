//! A client: a real WebSocket that says what it is told to, right or wrong, and waits for what must come.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{Value, json, soon};

/// How a connection ended, as the client saw it: 1005 for a close frame without a code, 1006 for none at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    pub code: u16,
    pub reason: String,
}

/// One connection.
#[derive(Debug)]
pub struct Client {
    ws: WebSocketStream<TcpStream>,
    syncs: u64,
    /// The subprotocol that the server chose.
    pub subprotocol: Option<String>,
}

impl Client {
    pub(super) async fn new(stream: TcpStream, read_ahead: Vec<u8>, subprotocol: Option<String>) -> Self {
        let ws = WebSocketStream::from_partially_read(stream, read_ahead, Role::Client, None).await;
        Self { ws, syncs: 0, subprotocol }
    }

    /// Sends `{"type": event, "data": data}`.
    pub async fn send(&mut self, event: &str, data: Value) {
        self.send_text(&json!({ "type": event, "data": data }).to_string()).await;
    }

    /// Sends an event without data.
    pub async fn send_bare(&mut self, event: &str) {
        self.send_text(&json!({ "type": event }).to_string()).await;
    }

    /// Sends a text frame as it is.
    pub async fn send_text(&mut self, text: &str) {
        self.send_message(Message::text(text)).await;
    }

    /// Sends anything that the WebSocket protocol knows. That the server closed meanwhile is seen when reading.
    pub async fn send_message(&mut self, message: Message) {
        let sent = soon("room to send", self.ws.send(message)).await;
        match sent {
            Ok(()) | Err(Error::ConnectionClosed | Error::AlreadyClosed | Error::Protocol(_) | Error::Io(_)) => {}
            Err(why) => panic!("a message was not sent: {why}"),
        }
    }

    /// Sends bytes past the WebSocket protocol.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        soon("room to send", self.ws.get_mut().write_all(bytes)).await.expect("the server still reads");
    }

    /// The next text frame, exactly.
    pub async fn frame(&mut self) -> String {
        match self.message().await {
            Message::Text(text) => text.as_str().to_owned(),
            other => panic!("a text frame was expected, not {other:?}"),
        }
    }

    /// The next message but for the WebSocket's own pings.
    pub async fn message(&mut self) -> Message {
        loop {
            match soon("a frame", self.ws.next()).await {
                Some(Ok(Message::Ping(_))) => {}
                Some(Ok(message)) => return message,
                Some(Err(why)) => panic!("a frame was expected, but: {why}"),
                None => panic!("a frame was expected, but the connection is over"),
            }
        }
    }

    /// The next frame, which is an event: its whole `data` object, `type` included.
    pub async fn event(&mut self) -> Value {
        Self::data_of(&self.frame().await)
    }

    /// The next frame, which is an event; none where the server closes the socket instead.
    pub async fn event_or_end(&mut self) -> Option<Value> {
        match self.message().await {
            Message::Text(text) => Some(Self::data_of(text.as_str())),
            Message::Close(_) => None,
            other => panic!("a text frame was expected, not {other:?}"),
        }
    }

    fn data_of(text: &str) -> Value {
        let mut frame: Value = serde_json::from_str(text).unwrap_or_else(|why| panic!("{why}: {text}"));
        assert_eq!(frame["type"], "event", "{text}");
        frame["data"].take()
    }

    /// The next frame, which is this event; answers its `data`.
    pub async fn expect(&mut self, name: &str) -> Value {
        let event = self.event().await;
        assert_eq!(event["type"], name, "{event}");
        event
    }

    /// The next event of this name; others before it are passed over.
    pub async fn next_event(&mut self, name: &str) -> Value {
        loop {
            let event = self.event().await;
            if event["type"] == name {
                return event;
            }
        }
    }

    /// Makes sure that nothing comes: everything that the room did for this socket so far is read, and it is nothing.
    /// For rooms of guests that answer `sync`, see [`Client::sync`].
    pub async fn expect_silence(&mut self) {
        let came = self.sync().await;
        assert!(came.is_empty(), "silence was expected, but there came {came:?}");
    }

    /// Sends `sync`, which the guest answers with `synced` and the same data; answers the frames that came before.
    /// A room takes one event after the other, so whatever it did for this socket before is among them.
    pub async fn sync(&mut self) -> Vec<String> {
        match self.sync_or_end().await {
            (before, None) => before,
            (before, Some(closed)) => panic!("the connection is over: {closed:?}, behind {before:?}"),
        }
    }

    /// As [`Client::sync`]; where the connection ends instead, also how.
    pub async fn sync_or_end(&mut self) -> (Vec<String>, Option<Closed>) {
        self.syncs += 1;
        self.send("sync", json!({ "sync": self.syncs })).await;
        let answer = json!({ "type": "synced", "sync": self.syncs });
        let mut before = Vec::new();
        loop {
            let text = match self.frame_or_end().await {
                Ok(None) => continue,
                Ok(Some(text)) => text,
                Err(closed) => return (before, Some(closed)),
            };
            let frame: Value = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
            if frame["data"] == answer {
                return (before, None);
            }
            before.push(text);
        }
    }

    /// Waits for the end of the connection; frames before it are passed over.
    pub async fn closed(&mut self) -> Closed {
        loop {
            if let Err(closed) = self.frame_or_end().await {
                return closed;
            }
        }
    }

    /// Waits for the end of the connection; answers the text frames that came before it as well.
    pub async fn frames_until_closed(&mut self) -> (Vec<String>, Closed) {
        let mut frames = Vec::new();
        loop {
            match self.frame_or_end().await {
                Ok(frame) => frames.extend(frame),
                Err(closed) => return (frames, closed),
            }
        }
    }

    /// The next text frame, or how the connection ended.
    pub async fn frame_or_close(&mut self) -> Result<String, Closed> {
        loop {
            if let Some(frame) = self.frame_or_end().await? {
                return Ok(frame);
            }
        }
    }

    /// The next text frame, nothing for another message, or the end.
    async fn frame_or_end(&mut self) -> Result<Option<String>, Closed> {
        let abnormal = || Closed { code: 1006, reason: String::new() };
        match soon("the end of the connection", self.ws.next()).await {
            Some(Ok(Message::Close(None))) => Err(Closed { code: 1005, reason: String::new() }),
            Some(Ok(Message::Close(Some(frame)))) => {
                Err(Closed { code: frame.code.into(), reason: frame.reason.as_str().to_owned() })
            }
            Some(Ok(Message::Text(text))) => Ok(Some(text.as_str().to_owned())),
            Some(Ok(_)) => Ok(None),
            Some(Err(_)) | None => Err(abnormal()),
        }
    }

    /// Says goodbye, and waits until the server did.
    pub async fn close(&mut self, code: u16, reason: &str) {
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        self.send_message(Message::Close(Some(frame))).await;
        self.closed().await;
    }

    /// Ends its side of the connection without a goodbye, and reads no more.
    pub async fn cut(&mut self) {
        let _ = self.ws.get_mut().shutdown().await;
    }

    /// Ends the connection without a goodbye.
    pub fn break_off(self) {
        drop(self);
    }
}
