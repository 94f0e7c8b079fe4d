//! The sockets of a room, their meta, and the groups that emits address.
//!
//! A turn changes members in place and notes what undoes each change in a journal. Failed turns are undone in reverse
//! order, and a turn that changes nothing costs nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::effect::Whom;
use super::event::SocketId;
use super::journal::{Journal, Mark};
use super::meta::Meta;

/// One socket of the room.
#[derive(Debug)]
struct Member {
    meta: Meta,
    /// False for a socket that was closed or is leaving. It is in no group and no count, but its meta can still be
    /// read.
    present: bool,
    /// True for a socket that left: no undo makes it present again.
    departed: bool,
}

/// The sockets that share a name (a channel, a user or a client), in ascending order.
#[derive(Debug, Default)]
struct Groups(HashMap<String, Arc<Vec<SocketId>>>);

impl Groups {
    fn get(&self, name: &str) -> Arc<Vec<SocketId>> {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// The sockets of all groups of these names.
    fn of(&self, names: &[String]) -> BTreeSet<SocketId> {
        // Look up each name once: a guest that repeats a name must not make the host repeat the work.
        let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        names.into_iter().filter_map(|name| self.0.get(name)).flat_map(|group| group.iter().copied()).collect()
    }

    fn add(&mut self, name: &str, id: SocketId) {
        let group = match self.0.get_mut(name) {
            Some(group) => group,
            None => self.0.entry(name.to_owned()).or_default(),
        };
        if let Err(place) = group.binary_search(&id) {
            Arc::make_mut(group).insert(place, id);
        }
    }

    fn remove(&mut self, name: &str, id: SocketId) {
        let Some(group) = self.0.get_mut(name) else { return };
        if let Ok(place) = group.binary_search(&id) {
            if group.len() == 1 {
                self.0.remove(name);
            } else {
                Arc::make_mut(group).remove(place);
            }
        }
    }
}

/// What undoes one change.
#[derive(Debug)]
enum Undo {
    Join { id: SocketId, channel: String },
    Leave { id: SocketId, channel: String, place: usize },
    Fields { id: SocketId, fields: String },
    Close { id: SocketId },
}

/// The members of one room.
#[derive(Debug, Default)]
pub struct Members {
    /// Boxed, since a node of the tree holds up to eleven entries, and most sleeping rooms have one.
    sockets: BTreeMap<SocketId, Box<Member>>,
    present: usize,
    channels: Groups,
    users: Groups,
    clients: Groups,
    journal: Journal<Undo>,
}

impl Members {
    /// Makes a socket a member. This is not in the journal: where `$connect` fails, the room forgets the socket
    /// altogether.
    pub fn insert(&mut self, id: SocketId, meta: Meta) {
        self.sockets.insert(id, Box::new(Member { meta, present: false, departed: false }));
        self.set_present(id, true);
    }

    /// Takes a leaving socket out of all groups and counts for good.
    pub fn depart(&mut self, id: SocketId) {
        self.set_present(id, false);
        if let Some(member) = self.sockets.get_mut(&id) {
            member.departed = true;
        }
    }

    /// Forgets a socket.
    pub fn forget(&mut self, id: SocketId) {
        self.depart(id);
        self.sockets.remove(&id);
    }

    /// How many sockets are present.
    pub fn count(&self) -> usize {
        self.present
    }

    pub fn is_present(&self, id: SocketId) -> bool {
        self.sockets.get(&id).is_some_and(|member| member.present)
    }

    /// The meta of a socket, which may be leaving already.
    pub fn meta(&self, id: SocketId) -> Option<&Meta> {
        self.sockets.get(&id).map(|member| &member.meta)
    }

    /// The present sockets with higher numbers, in ascending order.
    pub fn present_after(&self, id: SocketId) -> impl Iterator<Item = (SocketId, &Meta)> {
        let behind = self.sockets.range(id.saturating_add(1)..);
        behind.filter(|(_, member)| member.present).map(|(id, member)| (*id, &member.meta))
    }

    /// All sockets whose meta can be read, and whether each is present.
    pub fn all(&self) -> impl Iterator<Item = (SocketId, &Meta, bool)> {
        self.sockets.iter().map(|(id, member)| (*id, &member.meta, member.present))
    }

    pub fn channel(&self, name: &str) -> Arc<Vec<SocketId>> {
        self.channels.get(name)
    }

    pub fn user(&self, id: &str) -> Arc<Vec<SocketId>> {
        self.users.get(id)
    }

    pub fn client(&self, id: &str) -> Arc<Vec<SocketId>> {
        self.clients.get(id)
    }

    /// The present sockets of these clients.
    pub fn of_clients(&self, ids: &[String]) -> BTreeSet<SocketId> {
        self.clients.of(ids)
    }

    /// The present sockets that an emit from outside, or with several conditions, is for.
    pub fn some(&self, whom: &Whom) -> Arc<Vec<SocketId>> {
        let users = whom.users.as_deref().map(|users| self.users.of(users));
        let clients = whom.clients.as_deref().map(|clients| self.of_clients(clients));
        // By name first, so that a few names in a large room are a few look-ups.
        let named = match (users, clients) {
            (Some(users), Some(clients)) => Some(&users & &clients),
            (users, clients) => users.or(clients),
        };
        match (&whom.channel, named) {
            (Some(channel), None) => self.channel(channel),
            (None, Some(named)) => Arc::new(named.into_iter().collect()),
            (None, None) => Arc::new(self.present_after(0).map(|(id, _)| id).collect()),
            (Some(channel), Some(named)) => {
                let channel = self.channel(channel);
                Arc::new(named.into_iter().filter(|id| channel.binary_search(id).is_ok()).collect())
            }
        }
    }

    /// The users with a socket in the room, in ascending order.
    pub fn user_ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.users.0.keys().cloned().collect();
        ids.sort_unstable();
        ids
    }

    /// How many users have a socket in the room.
    pub fn user_count(&self) -> usize {
        self.users.0.len()
    }

    /// Puts a present socket into a channel.
    pub fn join(&mut self, id: SocketId, channel: &str) {
        let Some(member) = self.sockets.get_mut(&id).filter(|member| member.present) else {
            return;
        };
        if member.meta.channels.iter().any(|name| name == channel) {
            return;
        }
        member.meta.channels.push(channel.to_owned());
        self.channels.add(channel, id);
        self.journal.note(Undo::Join { id, channel: channel.to_owned() });
    }

    /// Takes a present socket out of a channel.
    pub fn leave(&mut self, id: SocketId, channel: &str) {
        let Some(member) = self.sockets.get_mut(&id).filter(|member| member.present) else {
            return;
        };
        let Some(place) = member.meta.channels.iter().position(|name| name == channel) else {
            return;
        };
        let channel = member.meta.channels.remove(place);
        self.channels.remove(&channel, id);
        self.journal.note(Undo::Leave { id, channel, place });
    }

    /// Replaces the plugin's own fields in a socket's meta.
    pub fn set_fields(&mut self, id: SocketId, fields: String) {
        let Some(member) = self.sockets.get_mut(&id) else {
            return;
        };
        let fields = std::mem::replace(&mut member.meta.fields, fields);
        self.journal.note(Undo::Fields { id, fields });
    }

    /// Takes a socket out of all groups and counts, because the turn closes it. Undoing the turn brings it back.
    pub fn close(&mut self, id: SocketId) {
        if self.is_present(id) {
            self.set_present(id, false);
            self.journal.note(Undo::Close { id });
        }
    }

    pub fn mark(&self) -> Mark {
        self.journal.mark()
    }

    /// Makes all changes before a mark final.
    pub fn make_final(&mut self, before: Mark) {
        self.journal.make_final(before);
    }

    /// Undoes all changes since a mark, also those of sockets that left meanwhile.
    pub fn roll_back(&mut self, to: Mark) {
        while let Some(undo) = self.journal.take_back(to) {
            match undo {
                Undo::Join { id, channel } => {
                    self.channels.remove(&channel, id);
                    if let Some(member) = self.sockets.get_mut(&id) {
                        member.meta.channels.retain(|name| *name != channel);
                    }
                }
                Undo::Leave { id, channel, place } => {
                    if self.is_present(id) {
                        self.channels.add(&channel, id);
                    }
                    if let Some(member) = self.sockets.get_mut(&id) {
                        member.meta.channels.insert(place, channel);
                    }
                }
                Undo::Fields { id, fields } => {
                    if let Some(member) = self.sockets.get_mut(&id) {
                        member.meta.fields = fields;
                    }
                }
                Undo::Close { id } => self.set_present(id, true),
            }
        }
    }

    fn set_present(&mut self, id: SocketId, present: bool) {
        let Some(member) = self.sockets.get_mut(&id) else {
            return;
        };
        if member.present == present || (present && member.departed) {
            return;
        }
        member.present = present;
        let meta = &member.meta;
        let named = [(&mut self.users, &meta.user_id), (&mut self.clients, &meta.client_id)];
        if present {
            self.present += 1;
            named.into_iter().for_each(|(groups, name)| groups.add(name, id));
            meta.channels.iter().for_each(|name| self.channels.add(name, id));
        } else {
            self.present -= 1;
            named.into_iter().for_each(|(groups, name)| groups.remove(name, id));
            meta.channels.iter().for_each(|name| self.channels.remove(name, id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(user: &str, channels: &[&str]) -> Meta {
        Meta::anonymous(user.into(), format!("{user}-client"), channels.iter().map(|c| (*c).to_owned()).collect())
    }

    fn room() -> Members {
        let mut members = Members::default();
        members.insert(1, meta("ana", &["default", "a"]));
        members.insert(2, meta("bo", &["default"]));
        members.insert(3, meta("ana", &["default"]));
        members
    }

    #[test]
    fn a_rolled_back_turn_leaves_no_trace() {
        let mut members = room();
        let before = format!("{:?}", (&members.sockets, members.present, members.user_ids()));
        members.leave(1, "default");
        members.join(1, "b");
        members.set_fields(1, "{\"x\":1}".into());
        members.close(1);
        members.close(2);
        members.join(3, "a");
        assert_eq!((members.count(), members.user_ids()), (1, vec!["ana".to_owned()]));
        members.roll_back(0);
        assert_eq!(format!("{:?}", (&members.sockets, members.present, members.user_ids())), before);
        assert_eq!(*members.channel("default"), [1, 2, 3]);
        assert_eq!(*members.channel("a"), [1]);
        assert!(members.channel("b").is_empty());
    }

    #[test]
    fn who_left_stays_gone_when_turns_are_taken_back() {
        let mut members = room();
        members.leave(1, "a");
        members.close(2);
        members.depart(1);
        members.depart(2);
        members.join(3, "a");
        members.forget(2);
        members.roll_back(0);
        assert_eq!((members.count(), members.user_ids()), (1, vec!["ana".to_owned()]));
        assert!(members.channel("a").is_empty() && !members.is_present(1) && !members.is_present(2));
        assert_eq!(members.meta(1).unwrap().channels, ["default", "a"]);
        assert_eq!(*members.channel("default"), [3]);
    }

    #[test]
    fn an_audience_is_as_it_was_at_the_call() {
        let mut members = room();
        let at_the_call = members.channel("default");
        members.leave(2, "default");
        members.make_final(members.mark());
        assert_eq!((at_the_call.len(), members.channel("default").len()), (3, 2));
    }

    #[test]
    fn an_emit_to_some_is_for_those_who_meet_all_conditions() {
        const NOBODY: [SocketId; 0] = [];
        let members = room();
        let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        let some = |channel: Option<&str>, users, clients| {
            members.some(&Whom { channel: channel.map(str::to_owned), users, clients }).to_vec()
        };
        assert_eq!(some(None, None, None), [1, 2, 3]);
        assert_eq!(some(Some("a"), None, None), [1]);
        assert_eq!(some(None, names(&["ana", "nobody", "ana"]), None), [1, 3]);
        assert_eq!(some(None, None, names(&["bo-client"])), [2]);
        assert_eq!(some(Some("default"), names(&["bo", "ana"]), None), [1, 2, 3]);
        assert_eq!(some(Some("a"), names(&["ana"]), names(&["ana-client", "bo-client"])), [1]);
        assert_eq!(some(Some("default"), names(&["bo"]), names(&["ana-client"])), NOBODY);
        assert_eq!(some(Some("nowhere"), names(&["bo"]), None), NOBODY);
    }

    #[test]
    fn who_departs_can_still_be_read_but_not_reached() {
        let mut members = room();
        members.depart(1);
        assert_eq!(members.meta(1).unwrap().channels, ["default", "a"]);
        assert_eq!(*members.user("ana"), [3]);
        assert!(members.channel("a").is_empty());
        members.join(1, "b");
        assert!(members.channel("b").is_empty());
        members.forget(1);
        assert!(members.meta(1).is_none());
        assert_eq!(members.count(), 2);
    }
}
