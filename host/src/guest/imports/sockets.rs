//! `parlor:room/sockets`.

use super::super::bindings::parlor::room::sockets::Host;
use super::super::bindings::parlor::room::types::Meta;
use super::super::convert::meta_to_guest;
use super::super::state::GuestState;
use crate::guest::call_error::CallResult;
use crate::model::event::SocketId;
use crate::model::refusal::Refusal;

/// How many sockets one call answers at most.
const PAGE_SOCKETS_MAX: u32 = 1_000;

impl Host for GuestState {
    fn get_meta(&mut self, socket: SocketId) -> CallResult<Meta> {
        Ok(meta_to_guest(self.turn()?.meta(socket)?))
    }

    fn present(&mut self, user_id: Option<String>) -> CallResult<Vec<SocketId>> {
        let members = self.turn()?.members();
        Ok(match user_id {
            Some(user) => members.user(&user).to_vec(),
            None => members.present_after(0).map(|(id, _)| id).collect(),
        })
    }

    fn of_channel(&mut self, channel: String, after: Option<SocketId>, limit: u32) -> CallResult<Vec<SocketId>> {
        let turn = self.turn()?;
        if !(1..=PAGE_SOCKETS_MAX).contains(&limit) {
            return Err(Refusal::invalid(format!("limit must be 1 to {PAGE_SOCKETS_MAX}, not {limit}")).into());
        }
        let members = turn.members().channel(&channel);
        let behind = after.map_or(0, |after| members.partition_point(|id| *id <= after));
        Ok(members[behind..].iter().take(limit as usize).copied().collect())
    }

    fn set_fields(&mut self, socket: SocketId, fields: String) -> CallResult<()> {
        Ok(self.turn()?.set_fields(socket, fields)?)
    }

    fn join(&mut self, socket: SocketId, channel: String) -> CallResult<()> {
        Ok(self.turn()?.join(socket, &channel)?)
    }

    fn leave(&mut self, socket: SocketId, channel: String) -> CallResult<()> {
        Ok(self.turn()?.leave(socket, &channel)?)
    }

    fn close(&mut self, socket: SocketId, code: u16, reason: String) -> CallResult<()> {
        Ok(self.turn()?.close(socket, code, reason)?)
    }
}
