//! Whom an emit is for.

use serde::Serialize;

use crate::{Result, host::outbox, message::Message};

/// Whom an emit is for; made by [`Ctx::to`](crate::Ctx::to) and the `to` functions of [`Actor`](crate::Actor).
///
/// ```
/// use parlor_guest::{prelude::*, testing::TestRoom};
///
/// let room = TestRoom::new(|room| {
///     room.on("shout", |ctx, data: Value| {
///         ctx.actor().to("default").except([&ctx.meta().client_id]).emit("shout", data)
///     });
/// });
/// let (ada, bob) = (room.connect("/ws"), room.connect("/ws"));
/// ada.send("shout", json!({ "text": "hey" }));
/// assert!(ada.events().is_empty());
/// assert_eq!(bob.events(), [json!({ "type": "shout", "text": "hey" })]);
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before `.emit(event, data)`"]
pub struct Target<'a>(To<'a>);

#[derive(Debug, Clone)]
enum To<'a> {
    Named(&'a str),
    Channel(&'a str),
    ChannelExcept(&'a str, Vec<String>),
    User(&'a str),
    Clients(Vec<String>),
}

impl<'a> Target<'a> {
    pub(crate) fn named(name: &'a str) -> Self {
        Target(To::Named(name))
    }

    pub(crate) fn user(user_id: &'a str) -> Self {
        Target(To::User(user_id))
    }

    pub(crate) fn clients<C: Into<String>>(client_ids: impl IntoIterator<Item = C>) -> Self {
        Target(To::Clients(client_ids.into_iter().map(Into::into).collect()))
    }

    /// Sends when the turn commits. Returns to how many sockets. See [`Ctx::emit`](crate::Ctx::emit) for limits and
    /// errors.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn announce(ctx: &Ctx, text: String) -> Result {
    ///     let sent = ctx.actor().to("news").emit("announcement", json!({ "message": text }))?;
    ///     ctx.log().info(format_args!("sent to {sent} connections"));
    ///     Ok(())
    /// }
    /// ```
    pub fn emit(&self, event: &str, data: impl Serialize) -> Result<u32> {
        Message::of(&data)?.say(|data| match &self.0 {
            To::Named(name) => outbox::to_named(name, event, data),
            To::Channel(channel) => outbox::to_channel(channel, event, data),
            To::ChannelExcept(channel, excluded) => outbox::to_channel_except(channel, excluded, event, data),
            To::User(user_id) => outbox::to_user(user_id, event, data),
            To::Clients(client_ids) => outbox::to_clients(client_ids, event, data),
        })
    }
}

/// A channel to emit to; made by [`Actor::to`](crate::Actor::to).
///
/// ```
/// # use parlor_guest::prelude::*;
/// fn tell(ctx: &Ctx, data: Value) -> Result<u32> {
///     ctx.actor().to("news").emit("headline", data)
/// }
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "nothing is sent before `.emit(event, data)`"]
pub struct Channel<'a>(&'a str);

impl<'a> Channel<'a> {
    pub(crate) fn new(channel: &'a str) -> Self {
        Channel(channel)
    }

    /// Sends to the channel when the turn commits; see [`Target::emit`].
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn tell(ctx: &Ctx, data: Value) -> Result<u32> {
    ///     ctx.actor().to("news").emit("headline", data)
    /// }
    /// ```
    pub fn emit(&self, event: &str, data: impl Serialize) -> Result<u32> {
        Target(To::Channel(self.0)).emit(event, data)
    }

    /// Leaves out the sockets with these client ids.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn tell_others(ctx: &Ctx, data: Value) -> Result<u32> {
    ///     ctx.actor().to("default").except([&ctx.meta().client_id]).emit("moved", data)
    /// }
    /// ```
    pub fn except<C: Into<String>>(&self, client_ids: impl IntoIterator<Item = C>) -> Target<'a> {
        Target(To::ChannelExcept(self.0, client_ids.into_iter().map(Into::into).collect()))
    }
}
