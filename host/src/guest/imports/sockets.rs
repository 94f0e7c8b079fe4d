//! `parlor:room/sockets`.

use super::super::bindings::parlor::room::sockets::Host;
use super::super::bindings::parlor::room::types::Meta;
use super::super::convert::meta_to_guest;
use super::super::state::GuestState;
use crate::guest::call_error::CallResult;
use crate::model::event::SocketId;

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
