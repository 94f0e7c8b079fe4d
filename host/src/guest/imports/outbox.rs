//! `parlor:room/outbox`.

use super::super::bindings::parlor::room::outbox::Host;
use super::super::bindings::parlor::room::types::Payload;
use super::super::convert::{payload_bytes, payload_from_guest};
use super::super::state::GuestState;
use crate::guest::call_error::CallResult;
use crate::model::event::SocketId;
use crate::model::turn::EmitTarget;

impl GuestState {
    fn emit(&mut self, target: EmitTarget, event: String, data: Payload) -> CallResult<u32> {
        let turn = self.turn()?;
        // Check the size first: a payload that is too large is not worth parsing.
        turn.check_emit_size(payload_bytes(&data))?;
        Ok(turn.emit(target, event, payload_from_guest(data)?)?)
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

    fn to_user(&mut self, user_id: String, event: String, data: Payload) -> CallResult<u32> {
        self.emit(EmitTarget::User(user_id), event, data)
    }

    fn to_clients(&mut self, client_ids: Vec<String>, event: String, data: Payload) -> CallResult<u32> {
        self.emit(EmitTarget::Clients(client_ids), event, data)
    }
}
