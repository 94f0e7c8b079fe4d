//! What a handler's context can do.

use std::{ops::Deref, rc::Rc};

use serde::Serialize;

use crate::{Actor, Ctx, Meta, Result, Socket, SocketId, Target};

impl Ctx {
    pub(crate) fn new(actor: Actor) -> Self {
        Ctx { actor }
    }

    /// The room around the socket.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn relay(ctx: &Ctx, data: Value) -> Result<u32> {
    ///     ctx.actor().emit("message", data)
    /// }
    /// ```
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// This socket's id in the room, by which [`Actor::socket`] finds it again.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn remember(ctx: &Ctx) -> Result {
    ///     ctx.storage().put("host-socket", ctx.id())
    /// }
    /// ```
    pub fn id(&self) -> SocketId {
        // The runtime lets no client's event through without a socket, and hooks without a socket get only the actor.
        self.actor.cause().unwrap_or(SocketId::MAX)
    }

    /// This socket's meta, with this turn's own changes. Asking again costs nothing.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn welcome(ctx: &Ctx) -> Result<u32> {
    ///     ctx.emit("welcome", json!({ "userId": ctx.meta().user_id }))
    /// }
    /// ```
    pub fn meta(&self) -> Rc<Meta> {
        let runtime = &self.actor.room().runtime;
        runtime.metas.get(self.id()).unwrap_or_else(|refusal| {
            runtime.note(Err(refusal));
            Rc::new(Meta::unknown())
        })
    }

    /// Sends to this socket when the turn commits, and not at all if the turn fails. Returns to how many sockets: 1, or
    /// 0 if it has left.
    ///
    /// `data` is anything that serde writes as JSON, up to 256 KiB of it. An object arrives as
    /// `{"type": event, ...data}` (a `type` of its own is dropped), any other value as `{"type": event, "data": data}`.
    /// Event names are 1 to 128 bytes. A turn may make 1,000 emits of 512 KiB together, and reach 20,000 sockets with
    /// them; past that it fails with `limit-exceeded`.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn ping(ctx: &Ctx, _: Value) -> Result<u32> {
    ///     ctx.emit("pong", json!({ "timestamp": ctx.now() }))
    /// }
    /// ```
    pub fn emit(&self, event: &str, data: impl Serialize) -> Result<u32> {
        self.own().emit(event, data)
    }

    /// Emits like `ctx.emit.to` of Verani's API: if this socket is in a channel of that name, to the channel's other
    /// sockets; otherwise to all sockets of the user with that id. Use [`Actor::to`] or [`Actor::to_user`] to say which
    /// you mean.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn typing(ctx: &Ctx, data: Value) -> Result<u32> {
    ///     ctx.to("default").emit("user.typing", data)
    /// }
    /// ```
    pub fn to<'a>(&self, channel_or_user: &'a str) -> Target<'a> {
        Target::named(channel_or_user)
    }

    /// Puts this socket into a channel. Later emits of this turn reach it there already; others see it when the turn
    /// commits. A socket may be in 64 channels, with names of 1 to 128 bytes.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn join(ctx: &Ctx, channel: String) -> Result {
    ///     ctx.join(&channel)
    /// }
    /// ```
    pub fn join(&self, channel: &str) -> Result {
        self.own().join(channel)
    }

    /// Takes this socket out of a channel when the turn commits.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn leave(ctx: &Ctx, channel: String) -> Result {
    ///     ctx.leave(&channel)
    /// }
    /// ```
    pub fn leave(&self, channel: &str) -> Result {
        self.own().leave(channel)
    }

    /// Replaces this socket's own fields: a JSON object, up to 4 KiB.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// #[derive(Serialize, Deserialize)]
    /// struct Profile { username: String }
    ///
    /// fn rename(ctx: &Ctx, username: String) -> Result {
    ///     ctx.set_fields(&Profile { username })
    /// }
    /// ```
    pub fn set_fields<T: Serialize + ?Sized>(&self, fields: &T) -> Result {
        self.own().set_fields(fields)
    }

    /// Closes this socket after the turn has committed and the host has sent what was emitted to it before. See
    /// [`Socket::close`] for the codes.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn goodbye(ctx: &Ctx, _: Value) -> Result {
    ///     ctx.emit("goodbye", json!({}))?;
    ///     ctx.close(1000, "as you asked")
    /// }
    /// ```
    pub fn close(&self, code: u16, reason: &str) -> Result {
        self.own().close(code, reason)
    }

    fn own(&self) -> Socket<'_> {
        self.actor.socket(self.id())
    }
}

impl Deref for Ctx {
    type Target = Actor;

    fn deref(&self) -> &Actor {
        &self.actor
    }
}
