//! What a socket is called.

/// A socket's number in its room; never given to a second socket while the room lives.
///
/// ```
/// # use parlor_guest::prelude::*;
/// fn remember(ctx: &Ctx) -> Result {
///     let id: SocketId = ctx.id();
///     ctx.storage().put("first", id)
/// }
/// ```
pub type SocketId = u32;
