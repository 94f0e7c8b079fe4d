//! `parlor:room/outbox`.

use std::time::Duration;

use bytes::Bytes;

use super::super::bindings::parlor::room::outbox::Host;
use super::super::bindings::parlor::room::types::Payload;
use super::super::convert::{payload_bytes, payload_from_guest};
use super::super::state::GuestState;
use crate::guest::call_error::CallResult;
use crate::model::body::{Body, Payload as Carried};
use crate::model::effect::{EmitElsewhere, Whom};
use crate::model::event::SocketId;
use crate::model::names::{BadName, PluginName, RoomId};
use crate::model::refusal::Refusal;
use crate::model::turn::{EmitTarget, Turn};

impl GuestState {
    fn emit(&mut self, target: EmitTarget, event: String, data: Payload) -> CallResult<u32> {
        let turn = self.turn()?;
        let body = body(turn, data)?;
        Ok(turn.emit(target, event, body)?)
    }
}

/// Puts what the guest gave before to the data that it gives now.
fn body(turn: &mut Turn, data: Payload) -> Result<Body, Refusal> {
    let enclosed = turn.take_enclosed();
    // Check the size first: a payload that is too large is not worth parsing.
    turn.check_emit_size(payload_bytes(&data) + enclosed.bytes())?;
    enclosed.around(payload_from_guest(data)?)
}

/// A room of the same plugin, or `PLUGIN/ROOM`: neither name has a slash.
fn place(text: &str) -> Result<(Option<PluginName>, RoomId), BadName> {
    match text.split_once('/') {
        Some((plugin, room)) => Ok((Some(PluginName::new(plugin)?), RoomId::new(room)?)),
        None => Ok((None, RoomId::new(text)?)),
    }
}

impl Host for GuestState {
    fn to_socket(&mut self, socket: SocketId, event: String, data: Payload) -> CallResult<u32> {
        self.emit(EmitTarget::Socket(socket), event, data)
    }

    fn to_named(&mut self, target: String, event: String, data: Payload) -> CallResult<u32> {
        self.emit(EmitTarget::Named(target), event, data)
    }

    fn to_channel(&mut self, channel: String, event: String, data: Payload) -> CallResult<u32> {
        self.emit(EmitTarget::Channel(channel), event, data)
    }

    fn to_channel_except(
        &mut self,
        channel: String,
        excluded: Vec<String>,
        event: String,
        data: Payload,
    ) -> CallResult<u32> {
        self.emit(EmitTarget::ChannelExcept { channel, clients: excluded }, event, data)
    }

    fn to_channel_some(
        &mut self,
        channel: String,
        users: Option<Vec<String>>,
        clients: Option<Vec<String>>,
        excluded: Vec<String>,
        event: String,
        data: Payload,
    ) -> CallResult<u32> {
        self.emit(EmitTarget::Some { whom: Whom { channel: Some(channel), users, clients }, excluded }, event, data)
    }

    fn to_room(
        &mut self,
        room: String,
        channel: Option<String>,
        users: Option<Vec<String>>,
        clients: Option<Vec<String>>,
        event: String,
        data: Payload,
    ) -> CallResult<()> {
        let turn = self.turn()?;
        let Body { data, attachments, .. } = body(turn, data)?;
        let Carried::Json(data) = data else {
            return Err(Refusal::invalid("the data of an emit into another room must be JSON").into());
        };
        if !attachments.is_empty() {
            return Err(Refusal::invalid("an emit into another room takes no bytes").into());
        }
        let (plugin, room) = place(&room).map_err(|why| Refusal::invalid(why.to_string()))?;
        let to = Whom { channel, users, clients };
        Ok(turn.emit_elsewhere(EmitElsewhere { plugin, room, to, event, data })?)
    }

    fn to_user(&mut self, user_id: String, event: String, data: Payload) -> CallResult<u32> {
        self.emit(EmitTarget::User(user_id), event, data)
    }

    fn to_clients(&mut self, client_ids: Vec<String>, event: String, data: Payload) -> CallResult<u32> {
        self.emit(EmitTarget::Clients(client_ids), event, data)
    }

    fn attach(&mut self, bytes: Vec<u8>) -> CallResult<u32> {
        Ok(self.turn()?.attach(Bytes::from(bytes))?)
    }

    fn spread(&mut self) -> CallResult<()> {
        self.turn()?.spread();
        Ok(())
    }

    fn ask(&mut self, socket: SocketId, event: String, data: Payload, name: String, timeout_ms: u32) -> CallResult<()> {
        let turn = self.turn()?;
        let body = body(turn, data)?;
        Ok(turn.ask(socket, event, body, name, Duration::from_millis(timeout_ms.into()))?)
    }
}
