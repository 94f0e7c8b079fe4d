//! Who is in the test room.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    SocketId,
    host::types::{Meta, Refusal},
};

use super::bounds;

#[derive(Debug, Clone)]
struct Member {
    meta: Meta,
    /// False once it was closed or is leaving: in no channel and no count, but its meta can still be read.
    present: bool,
}

/// The members of a room. A turn works on a copy, which replaces the original when it commits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Members(BTreeMap<SocketId, Member>);

impl Members {
    pub(crate) fn insert(&mut self, id: SocketId, meta: Meta) {
        self.0.insert(id, Member { meta, present: true });
    }

    pub(crate) fn forget(&mut self, id: SocketId) {
        self.0.remove(&id);
    }

    pub(crate) fn depart(&mut self, id: SocketId) {
        if let Some(member) = self.0.get_mut(&id) {
            member.present = false;
        }
    }

    pub(crate) fn meta(&self, id: SocketId) -> Result<&Meta, Refusal> {
        self.0.get(&id).map(|member| &member.meta).ok_or(Refusal::NoSuchSocket)
    }

    pub(crate) fn is_present(&self, id: SocketId) -> bool {
        self.0.get(&id).is_some_and(|member| member.present)
    }

    /// The meta of a socket that can be changed: one that is present.
    pub(crate) fn meta_mut(&mut self, id: SocketId) -> Result<&mut Meta, Refusal> {
        let member = self.0.get_mut(&id).filter(|member| member.present);
        member.map(|member| &mut member.meta).ok_or(Refusal::NoSuchSocket)
    }

    pub(crate) fn join(&mut self, id: SocketId, channel: &str) -> Result<(), Refusal> {
        let channels = &mut self.meta_mut(id)?.channels;
        bounds::check_name("the channel", channel)?;
        if channels.iter().any(|name| name == channel) {
            return Ok(());
        }
        if channels.len() >= bounds::CHANNELS_PER_SOCKET {
            return Err(bounds::exceeded("channels-per-socket"));
        }
        channels.push(channel.to_owned());
        Ok(())
    }

    /// The channel that a frame to this socket alone carries.
    pub(crate) fn first_channel(&self, id: Option<SocketId>) -> String {
        let meta = id.and_then(|id| self.meta(id).ok());
        meta.and_then(|meta| meta.channels.first()).map_or("default", String::as_str).to_owned()
    }

    pub(crate) fn present(&self, user_id: Option<&str>) -> Vec<SocketId> {
        self.those(|meta| user_id.is_none_or(|user| meta.user_id == user))
    }

    /// Those of a channel, of users and with client ids, as far as such are given.
    pub(crate) fn some(
        &self,
        channel: Option<&str>,
        users: Option<&[String]>,
        clients: Option<&[String]>,
    ) -> Vec<SocketId> {
        self.those(|meta| {
            channel.is_none_or(|channel| meta.channels.iter().any(|name| name == channel))
                && users.is_none_or(|users| users.contains(&meta.user_id))
                && clients.is_none_or(|clients| clients.contains(&meta.client_id))
        })
    }

    pub(crate) fn in_channel(&self, channel: &str) -> Vec<SocketId> {
        self.those(|meta| meta.channels.iter().any(|name| name == channel))
    }

    pub(crate) fn of_user(&self, user_id: &str) -> Vec<SocketId> {
        self.those(|meta| meta.user_id == user_id)
    }

    pub(crate) fn of_clients(&self, client_ids: &[String]) -> Vec<SocketId> {
        self.those(|meta| client_ids.contains(&meta.client_id))
    }

    pub(crate) fn count(&self) -> u32 {
        self.those(|_| true).len() as u32
    }

    pub(crate) fn user_ids(&self) -> Vec<String> {
        let present = self.0.values().filter(|member| member.present);
        let ids: BTreeSet<&str> = present.map(|member| member.meta.user_id.as_str()).collect();
        ids.into_iter().map(str::to_owned).collect()
    }

    fn those(&self, wanted: impl Fn(&Meta) -> bool) -> Vec<SocketId> {
        self.0.iter().filter(|(_, member)| member.present && wanted(&member.meta)).map(|(id, _)| *id).collect()
    }
}
