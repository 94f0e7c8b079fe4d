//! What is asked of a room by others than its clients.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::model::effect::Whom;
use crate::model::event::SocketId;
use crate::model::json::Json;
use crate::model::meta::Meta;
use crate::model::refusal::Refusal;
use crate::storage::view::StorageView;

/// What the operator's API asks of a room, or the harness, or another room.
#[derive(Debug)]
pub enum RoomRequest {
    Emit {
        to: Whom,
        event: String,
        data: Json,
        sent: oneshot::Sender<u32>,
    },
    /// Run the plugin's `$check`, where there is an instance and a handler for it. A server never asks.
    Check {
        checked: oneshot::Sender<()>,
    },
    /// Lose the instance, as after a fault that nobody caused.
    Lose {
        lost: oneshot::Sender<()>,
    },
    /// Close a socket, as its plugin might, whatever it does.
    Kick {
        socket: SocketId,
        /// Whether it was here.
        kicked: oneshot::Sender<bool>,
    },
    /// What the room stores, for somebody who only looks. Reading it is not the room's work.
    Storage {
        view: oneshot::Sender<Arc<StorageView>>,
    },
    /// Write a key as the host itself, or delete it where there is no value. The answer comes when it is durable.
    Write {
        key: String,
        value: Option<Vec<u8>>,
        /// Whether the key had a value before.
        written: oneshot::Sender<Result<bool, Refusal>>,
    },
    View {
        view: oneshot::Sender<RoomOverview>,
    },
    /// A page of the room's sockets: up to `limit` of those with a number above `after`.
    Sockets {
        after: SocketId,
        limit: usize,
        sockets: oneshot::Sender<Vec<ListedSocket>>,
    },
}

/// A socket as the operator's API lists it.
#[derive(Debug, Clone)]
pub struct ListedSocket {
    pub id: SocketId,
    pub meta: Meta,
    /// Whether its line broke, and its client may come back.
    pub detached: bool,
}

impl RoomRequest {
    /// The bytes of what it brings: an emit or a value; none for what asks.
    pub(super) fn brought_bytes(&self) -> Option<usize> {
        match self {
            Self::Emit { to, event, data, .. } => Some(to.bytes() + event.len() + data.text().len()),
            Self::Write { key, value, .. } => Some(key.len() + value.as_ref().map_or(0, Vec::len)),
            _ => None,
        }
    }
}

/// Who is in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomOverview {
    pub sockets: usize,
    pub users: Vec<String>,
}
