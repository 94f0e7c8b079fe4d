//! One client: a WebSocket on a blocking socket, for a thread of its own.

use std::fmt;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{self, Error, Message, WebSocket};

/// How long a server that is not killed may take for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why a connection is over.
#[derive(Debug)]
pub enum Over {
    /// The connection broke or was closed: what a kill looks like.
    Ended(String),
    /// Nothing came for too long.
    Silent,
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(why) => write!(f, "the connection ended: {why}"),
            Self::Silent => write!(f, "nothing came for {PATIENCE:?}"),
        }
    }
}

/// One connection.
pub struct Wire(WebSocket<TcpStream>);

impl Wire {
    pub fn join(server: SocketAddr, path: &str) -> Result<Self, Over> {
        let ended = |why: &dyn fmt::Display| Over::Ended(why.to_string());
        let stream = TcpStream::connect(server).map_err(|why| ended(&why))?;
        stream.set_nodelay(true).map_err(|why| ended(&why))?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(|why| ended(&why))?;
        let address = format!("ws://{server}{path}");
        match tungstenite::client(address.as_str(), stream) {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(why) => Err(ended(&why)),
        }
    }

    /// Sends an event.
    pub fn send(&mut self, event: &str, data: &Value) -> Result<(), Over> {
        self.send_frame(&json!({ "type": event, "data": data }))
    }

    /// Sends an event that is to be acknowledged with this number.
    pub fn request(&mut self, event: &str, data: &Value, id: u64) -> Result<(), Over> {
        self.send_frame(&json!({ "type": event, "data": data, "id": id }))
    }

    fn send_frame(&mut self, frame: &Value) -> Result<(), Over> {
        self.0.send(Message::text(frame.to_string())).map_err(|why| over(&why))
    }

    /// The next event: its data, which names it. An acknowledgement is there as a whole.
    pub fn event(&mut self) -> Result<Value, Over> {
        loop {
            match self.0.read().map_err(|why| over(&why))? {
                Message::Text(text) => {
                    let frame: Value = serde_json::from_str(&text).unwrap_or_default();
                    return Ok(if frame["type"] == "ack" { frame } else { frame["data"].clone() });
                }
                Message::Close(frame) => return Err(Over::Ended(format!("closed by the server: {frame:?}"))),
                _ => {}
            }
        }
    }
}

fn over(why: &Error) -> Over {
    match why {
        Error::Io(why) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Over::Silent,
        why => Over::Ended(why.to_string()),
    }
}
