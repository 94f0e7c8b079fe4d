//! One socket of the room.

use serde::Serialize;

use crate::{
    Meta, Result, SocketId,
    host::{outbox, sockets},
    message::Message,
    meta::fields_text,
    metas::Metas,
};

/// A socket of this room, which [`Actor::socket`](crate::Actor::socket) finds by its id. In a handler of the socket
/// itself, [`Ctx`](crate::Ctx) has these functions.
///
/// All functions but `emit` fail with `no-such-socket` if the socket has left.
///
/// ```
/// use parlor_guest::{prelude::*, testing::TestRoom};
///
/// let room = TestRoom::new(|room| {
///     room.on("kick", |ctx, id: SocketId| ctx.socket(id).close(1008, "kicked"));
/// });
/// let (ada, bob) = (room.connect("/ws"), room.connect("/ws"));
/// ada.send("kick", json!(bob.id()));
/// assert_eq!(bob.closed(), Some((1008, "kicked".to_owned())));
/// ```
#[derive(Clone, Copy)]
pub struct Socket<'a> {
    metas: &'a Metas,
    id: SocketId,
}

impl<'a> Socket<'a> {
    pub(crate) fn new(metas: &'a Metas, id: SocketId) -> Self {
        Socket { metas, id }
    }

    /// The socket's id.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn same(ctx: &Ctx) -> bool {
    ///     ctx.socket(ctx.id()).id() == ctx.id()
    /// }
    /// ```
    pub fn id(&self) -> SocketId {
        self.id
    }

    /// The socket's meta, with this turn's own changes.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn who_is(ctx: &Ctx, id: SocketId) -> Result<u32> {
    ///     ctx.emit("that-is", json!({ "userId": ctx.socket(id).meta()?.user_id }))
    /// }
    /// ```
    pub fn meta(&self) -> Result<Meta> {
        Ok(Meta::from_contract(sockets::get_meta(self.id)?))
    }

    /// Sends to the socket; see [`Ctx::emit`](crate::Ctx::emit). Returns 0 if it has left.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn poke(ctx: &Ctx, id: SocketId) -> Result<u32> {
    ///     ctx.socket(id).emit("poke", json!({ "from": ctx.meta().user_id }))
    /// }
    /// ```
    pub fn emit(&self, event: &str, data: impl Serialize) -> Result<u32> {
        Message::of(&data)?.say(|data| outbox::to_socket(self.id, event, data))
    }

    /// Puts the socket into a channel; see [`Ctx::join`](crate::Ctx::join).
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn invite(ctx: &Ctx, id: SocketId) -> Result {
    ///     ctx.socket(id).join("party")
    /// }
    /// ```
    pub fn join(&self, channel: &str) -> Result {
        self.metas.touch(Some(channel))?;
        self.metas.changed(self.id);
        Ok(sockets::join(self.id, channel)?)
    }

    /// Takes the socket out of a channel.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn expel(ctx: &Ctx, id: SocketId) -> Result {
    ///     ctx.socket(id).leave("party")
    /// }
    /// ```
    pub fn leave(&self, channel: &str) -> Result {
        self.metas.touch(Some(channel))?;
        self.metas.changed(self.id);
        Ok(sockets::leave(self.id, channel)?)
    }

    /// Replaces the plugin's own fields of the socket; see [`Ctx::set_fields`](crate::Ctx::set_fields).
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn mute(ctx: &Ctx, id: SocketId) -> Result {
    ///     ctx.socket(id).set_fields(&json!({ "muted": true }))
    /// }
    /// ```
    pub fn set_fields<T: Serialize + ?Sized>(&self, fields: &T) -> Result {
        let fields = fields_text(fields)?;
        self.metas.changed(self.id);
        Ok(sockets::set_fields(self.id, &fields)?)
    }

    /// Closes the socket after the turn has committed and the host has sent what was emitted to it before;
    /// `on_disconnect` follows. `code` must be 1000, 1008, 1011 to 1013 or 3000 to 4999, and `reason` may have 123
    /// bytes; otherwise it fails with `invalid`. Of several closes in one turn the first counts.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn kick(ctx: &Ctx, id: SocketId) -> Result {
    ///     ctx.socket(id).close(1008, "kicked")
    /// }
    /// ```
    pub fn close(&self, code: u16, reason: &str) -> Result {
        self.metas.touch(None)?;
        Ok(sockets::close(self.id, code, reason)?)
    }
}

impl std::fmt::Debug for Socket<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Socket").field(&self.id).finish()
    }
}
