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
        /// By which the client may come back; none where it did not ask for that.
        pid: Option<Arc<str>>,
    },
}

impl Wire {
    /// Tells a client that it is in its room. Over Verani's frames it knows by the handshake.
    pub fn welcome(&self) -> Option<Packet> {
        match self {
            Self::Verani => None,
            Self::SocketIo { namespace, sid, pid: None } => Some(socketio::connected(namespace, sid)),
            Self::SocketIo { namespace, sid, pid: Some(pid) } => Some(socketio::connected_for(namespace, sid, pid)),
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
            Self::SocketIo { .. } => self.offset(packet).is_some(),
        }
    }

    /// Whether a packet tells a client that it is in its session, or back in it.
    pub fn tells_back(&self, packet: &Packet) -> bool {
        match self {
            Self::Verani => verani::is_session(&packet.text),
            Self::SocketIo { .. } => self.welcome().as_ref() == Some(packet),
        }
    }

    /// What a client of Socket.IO that may come back knows this packet by.
    pub fn offset<'a>(&self, packet: &'a Packet) -> Option<&'a str> {
        match self {
            Self::SocketIo { namespace, pid: Some(_), .. } => socketio::offset_of(namespace, packet),
            _ => None,
        }
    }

    /// Whether a client that speaks so, and in this namespace of Socket.IO, speaks this.
    pub fn is_of(&self, client: Option<&str>) -> bool {
        match self {
            Self::Verani => client.is_none(),
            Self::SocketIo { namespace, .. } => client == Some(namespace),
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
    /// The emit's number in its room, by which clients of Socket.IO know it.
    number: u64,
    verani: Option<Packet>,
    /// A plugin has two namespaces at most: its path, and `/`.
    socket_io: Vec<(Arc<str>, Packet)>,
    /// The same for clients that may come back, with an offset.
    with_offset: Vec<(Arc<str>, Packet)>,
}

impl<'a> EncodedEmit<'a> {
    pub fn new(emit: &'a Emit, number: u64) -> Self {
        Self { emit, number, verani: None, socket_io: Vec::new(), with_offset: Vec::new() }
    }

    /// The emit's packet for a socket that speaks this.
    pub fn packet(&mut self, wire: &Wire) -> Packet {
        let Emit { channel, event, body, ask, at, .. } = self.emit;
        match wire {
            Wire::Verani => {
                let encode = || verani::encode(channel, event, body, *ask, at.as_ref()).into();
                self.verani.get_or_insert_with(encode).clone()
            }
            Wire::SocketIo { namespace, pid, .. } => {
                // A client looks for an offset where it is not asked.
                let has_offset = pid.is_some() && ask.is_none();
                let known = if has_offset { &mut self.with_offset } else { &mut self.socket_io };
                if let Some((_, packet)) = known.iter().find(|(known, _)| known == namespace) {
                    return packet.clone();
                }
                let mut packet = socketio::event(namespace, event, body, *ask);
                if has_offset {
                    packet = socketio::with_offset(&packet, self.number);
                }
                known.push((Arc::clone(namespace), packet.clone()));
                packet
            }
        }
    }
}
