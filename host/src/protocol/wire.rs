//! What one socket speaks, and how a room's words look in it. An emit is encoded once for all sockets that speak the same.

use std::sync::Arc;

use super::Packet;
use super::socketio::encode as socketio;
use super::verani;
use crate::model::body::{Body, Payload};
use crate::model::effect::Emit;
use crate::model::event::AckId;
use crate::model::history::HistoryAnswer;
use crate::model::json::Json;

/// The event by which a client that waits for no acknowledgement hears that its event failed.
const ERROR: &str = "error";

/// What one socket speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wire {
    Verani,
    SocketIo {
        /// As the client named it.
        namespace: Arc<str>,
        /// The socket's id, which its client learns when it is welcomed.
        sid: Arc<str>,
    },
}

impl Wire {
    /// Tells a client that it is in its room. Over Verani's frames it knows by the handshake.
    pub fn welcome(&self) -> Option<Packet> {
        match self {
            Self::Verani => None,
            Self::SocketIo { namespace, sid } => Some(socketio::connected(namespace, sid)),
        }
    }

    /// Tells a client what it missed of a channel. Clients of Socket.IO cannot ask for that.
    pub fn history(&self, answer: &HistoryAnswer) -> Option<Packet> {
        match self {
            Self::Verani => Some(verani::history(answer).into()),
            Self::SocketIo { .. } => None,
        }
    }

    /// Whether a client that may come back counts this packet among those that it got.
    pub fn counts(&self, packet: &Packet) -> bool {
        match self {
            Self::Verani => verani::is_counted(&packet.text),
            Self::SocketIo { .. } => false,
        }
    }

    /// Tells a client why its `$connect` failed, where it is not in its room before that. Over Verani's frames it is.
    pub fn refusal(&self, message: &str) -> Option<Packet> {
        match self {
            Self::Verani => None,
            Self::SocketIo { namespace, .. } => Some(socketio::refused(namespace, message, None)),
        }
    }

    /// Answers a client's event with what its handler answered.
    pub fn acknowledgement(&self, id: AckId, body: Option<&Body>) -> Packet {
        match self {
            Self::Verani => verani::ack(id, body).into(),
            Self::SocketIo { namespace, .. } => socketio::answer(namespace, id, body),
        }
    }

    /// Answers a client's event with why it failed.
    pub fn failure(&self, id: AckId, code: &str, message: Option<&str>) -> Packet {
        match self {
            Self::Verani => verani::nack(id, code, message).into(),
            Self::SocketIo { namespace, .. } => socketio::failure(namespace, id, code, message),
        }
    }

    /// Tells a client that waits for no acknowledgement why its event failed.
    pub fn error(&self, channel: &str, code: &str, message: Option<&str>) -> Packet {
        let data = Json::of(&serde_json::json!({ "code": code, "message": message }));
        let body = Body::of(Payload::Json(data));
        match self {
            Self::Verani => verani::encode(channel, ERROR, &body, None, None).into(),
            Self::SocketIo { namespace, .. } => socketio::event(namespace, ERROR, &body, None),
        }
    }
}

/// An emit, and its packets so far.
pub struct EncodedEmit<'a> {
    emit: &'a Emit,
    verani: Option<Packet>,
    /// A plugin has two namespaces at most: its path, and `/`.
    socket_io: Vec<(Arc<str>, Packet)>,
}

impl<'a> EncodedEmit<'a> {
    pub fn new(emit: &'a Emit) -> Self {
        Self { emit, verani: None, socket_io: Vec::new() }
    }

    /// The emit's packet for a socket that speaks this.
    pub fn packet(&mut self, wire: &Wire) -> Packet {
        let Emit { channel, event, body, ask, at, .. } = self.emit;
        match wire {
            Wire::Verani => {
                let encode = || verani::encode(channel, event, body, *ask, at.as_ref()).into();
                self.verani.get_or_insert_with(encode).clone()
            }
            Wire::SocketIo { namespace, .. } => {
                if let Some((_, packet)) = self.socket_io.iter().find(|(known, _)| known == namespace) {
                    return packet.clone();
                }
                let packet = socketio::event(namespace, event, body, *ask);
                self.socket_io.push((Arc::clone(namespace), packet.clone()));
                packet
            }
        }
    }
}
