//! One turn of the test room: copies that its calls change, and what it asked for.

use std::mem;

use serde_json::{Value, json};

use crate::{
    SocketId,
    host::types::{Payload, Refusal},
};

use super::{
    asks::Asks, bounds, filled::filled, frame::frame, histories::Histories, members::Members, schedule::Schedule,
    storage::Storage,
};

/// The close codes that a plugin may use, beside 3000 to 4999.
const CLOSE_CODES: [u16; 5] = [1000, 1008, 1011, 1012, 1013];

/// Whom an emit is for, in the contract's words.
pub(crate) enum Target<'a> {
    Socket(SocketId),
    Named(&'a str),
    Channel(&'a str),
    ChannelExcept(&'a str, &'a [String]),
    Some { channel: &'a str, users: Option<&'a [String]>, clients: Option<&'a [String]>, excluded: &'a [String] },
    User(&'a str),
    Clients(&'a [String]),
}

/// What a turn says in a room by its id.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Elsewhere {
    pub(crate) room: String,
    pub(crate) channel: Option<String>,
    pub(crate) users: Option<Vec<String>>,
    pub(crate) clients: Option<Vec<String>>,
    pub(crate) event: String,
    pub(crate) data: Value,
}

/// A frame for the sockets that its emit addressed at the call.
pub(crate) struct Emit {
    pub(crate) to: Vec<SocketId>,
    pub(crate) frame: Value,
}

pub(crate) struct Close {
    pub(crate) socket: SocketId,
    pub(crate) code: u16,
    pub(crate) reason: String,
}

pub(crate) struct Turn {
    pub(crate) members: Members,
    pub(crate) storage: Storage,
    pub(crate) schedule: Schedule,
    pub(crate) asks: Asks,
    /// How many arguments the event has, and what its placeholders name.
    pub(crate) arguments: u32,
    pub(crate) attachments: Vec<Vec<u8>>,
    /// What comes with the next emit, ask or answer.
    attached: Vec<Vec<u8>>,
    pub(crate) is_spread: bool,
    pub(crate) emits: Vec<Emit>,
    pub(crate) elsewhere: Vec<Elsewhere>,
    pub(crate) histories: Histories,
    pub(crate) closes: Vec<Close>,
    pub(crate) accepted_at: f64,
    /// The limit that the turn exceeded, if any: then it cannot commit.
    pub(crate) poison: Option<&'static str>,
    sender: Option<SocketId>,
    calls: u32,
    emit_bytes: usize,
    emits_made: usize,
    deliveries: usize,
}

impl Turn {
    pub(crate) fn new(
        (members, storage, schedule, asks, histories): (Members, Storage, Schedule, Asks, Histories),
        (arguments, attachments): (u32, Vec<Vec<u8>>),
        sender: Option<SocketId>,
        accepted_at: f64,
    ) -> Self {
        Turn {
            members,
            storage,
            schedule,
            asks,
            arguments,
            attachments,
            attached: Vec::new(),
            is_spread: false,
            sender,
            accepted_at,
            emits: Vec::new(),
            elsewhere: Vec::new(),
            histories,
            closes: Vec::new(),
            poison: None,
            calls: 0,
            emit_bytes: 0,
            emits_made: 0,
            deliveries: 0,
        }
    }

    /// Counts a call into the host.
    pub(crate) fn count_call(&mut self) -> Result<(), Refusal> {
        self.calls += 1;
        if self.calls > bounds::HOST_CALLS_PER_TURN { Err(self.pass("host-calls-per-turn")) } else { Ok(()) }
    }

    /// Notes that the turn exceeded a limit: it cannot commit, even if the handler goes on.
    fn pass(&mut self, bound: &'static str) -> Refusal {
        self.poison.get_or_insert(bound);
        bounds::exceeded(bound)
    }

    pub(crate) fn emit(&mut self, target: Target<'_>, event: &str, data: &Payload) -> Result<u32, Refusal> {
        let (data, bytes) = self.enclosed(data)?;
        check_event(event)?;
        let (to, channel) = self.resolve(&target)?;
        self.charge(bytes, to.len())?;
        let count = to.len() as u32;
        let mut frame = frame(&channel, event, data.clone());
        if self.is_to_channel(&target) {
            self.histories.say(&channel, event, &data, &mut frame, self.accepted_at);
        }
        self.emits.push(Emit { to, frame });
        Ok(count)
    }

    /// Whether an emit says something to a whole channel, so that it counts for the channel's history.
    fn is_to_channel(&self, target: &Target<'_>) -> bool {
        match target {
            Target::Channel(_) | Target::ChannelExcept(..) => true,
            Target::Named(name) => self.sender.is_some_and(|id| self.members.in_channel(name).contains(&id)),
            Target::Socket(_) | Target::Some { .. } | Target::User(_) | Target::Clients(_) => false,
        }
    }

    /// Emits into a room by its id.
    pub(crate) fn emit_elsewhere(&mut self, emit: Elsewhere, data: &Payload) -> Result<(), Refusal> {
        let has_bytes = !self.attached.is_empty();
        let (value, bytes) = self.enclosed(data)?;
        if matches!(data, Payload::Binary(_)) {
            return Err(bounds::invalid("the data of an emit into another room must be JSON"));
        }
        if has_bytes {
            return Err(bounds::invalid("an emit into another room takes no bytes"));
        }
        check_event(&emit.event)?;
        if emit.channel.is_none() && emit.users.is_none() && emit.clients.is_none() {
            return Err(bounds::invalid("an emit into another room names a channel, users or clients"));
        }
        let id = emit.room.rsplit('/').next().unwrap_or_default();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
        if !(1..=128).contains(&id.len()) || !id.bytes().all(is_plain) {
            return Err(bounds::invalid("a room's id must be 1 to 128 of A-Z, a-z, 0-9, ., _, ~ and -"));
        }
        self.charge(bytes, 1)?;
        self.elsewhere.push(Elsewhere { data: value, ..emit });
        Ok(())
    }

    pub(crate) fn ask(
        &mut self,
        socket: SocketId,
        event: &str,
        data: &Payload,
        name: &str,
        timeout_ms: u32,
    ) -> Result<(), Refusal> {
        let (data, bytes) = self.enclosed(data)?;
        self.members.meta_mut(socket)?;
        check_event(event)?;
        let number = self.asks.add(socket, name, self.accepted_at as u64, timeout_ms)?;
        self.charge(bytes, 1)?;
        let mut frame = frame(&self.members.first_channel(Some(socket)), event, data);
        frame["id"] = json!(number);
        self.emits.push(Emit { to: vec![socket], frame });
        Ok(())
    }

    /// Takes bytes for the next emit, ask or answer.
    pub(crate) fn attach(&mut self, bytes: &[u8]) -> Result<u32, Refusal> {
        if self.attached.len() >= bounds::ATTACHMENTS_PER_EVENT {
            return Err(self.pass("attachments-per-event"));
        }
        if self.attached_bytes() + bytes.len() > bounds::EMIT_BYTES {
            return Err(self.pass("emit-bytes"));
        }
        self.attached.push(bytes.to_vec());
        Ok(self.attached.len() as u32 - 1)
    }

    fn attached_bytes(&self) -> usize {
        self.attached.iter().map(Vec::len).sum()
    }

    /// The data of an emit, an ask or an answer with what was given for it before, and the bytes of all that.
    pub(crate) fn enclosed(&mut self, data: &Payload) -> Result<(Value, usize), Refusal> {
        let bytes = bounds::bytes(data) + self.attached_bytes();
        let (attached, is_spread) = (mem::take(&mut self.attached), mem::take(&mut self.is_spread));
        if bytes > bounds::EMIT_BYTES {
            return Err(self.pass("emit-bytes"));
        }
        if matches!(data, Payload::Binary(_)) && !attached.is_empty() {
            return Err(bounds::invalid("data with attachments must be JSON, which names them"));
        }
        let data = filled(data, &attached).map_err(bounds::invalid)?;
        if is_spread && !data.is_array() {
            return Err(bounds::invalid("several arguments must be a JSON array"));
        }
        Ok((data, bytes))
    }

    fn charge(&mut self, bytes: usize, receivers: usize) -> Result<(), Refusal> {
        if self.emits_made >= bounds::EMITS_PER_TURN {
            return Err(self.pass("emits-per-turn"));
        }
        if self.emit_bytes + bytes > bounds::EMIT_BYTES_PER_TURN {
            return Err(self.pass("emit-bytes-per-turn"));
        }
        if self.deliveries + receivers > bounds::DELIVERIES_PER_TURN {
            return Err(self.pass("deliveries-per-turn"));
        }
        self.emits_made += 1;
        self.emit_bytes += bytes;
        self.deliveries += receivers;
        Ok(())
    }

    /// The sockets that a target names now, and the channel that the frame carries.
    fn resolve(&self, target: &Target<'_>) -> Result<(Vec<SocketId>, String), Refusal> {
        let members = &self.members;
        let own_channel = || members.first_channel(self.sender);
        Ok(match *target {
            Target::Socket(id) if members.is_present(id) => (vec![id], members.first_channel(Some(id))),
            Target::Socket(_) => (Vec::new(), "default".to_owned()),
            Target::Named(name) => {
                let mut group = members.in_channel(name);
                match self.sender {
                    Some(id) if group.contains(&id) => {
                        group.retain(|other| *other != id);
                        (group, name.to_owned())
                    }
                    _ => (members.of_user(name), own_channel()),
                }
            }
            Target::Channel(name) => {
                bounds::check_name("the channel", name)?;
                (members.in_channel(name), name.to_owned())
            }
            Target::ChannelExcept(name, client_ids) => {
                bounds::check_name("the channel", name)?;
                let excluded = members.of_clients(client_ids);
                let left = members.in_channel(name).into_iter().filter(|id| !excluded.contains(id)).collect();
                (left, name.to_owned())
            }
            Target::Some { channel, users, clients, excluded } => {
                bounds::check_name("the channel", channel)?;
                let excluded = members.of_clients(excluded);
                let mut some = members.some(Some(channel), users, clients);
                some.retain(|id| !excluded.contains(id));
                (some, channel.to_owned())
            }
            Target::User(user_id) => (members.of_user(user_id), own_channel()),
            Target::Clients(client_ids) => (members.of_clients(client_ids), own_channel()),
        })
    }

    pub(crate) fn close(&mut self, socket: SocketId, code: u16, reason: &str) -> Result<(), Refusal> {
        // Of several closes of one socket in a turn the first counts.
        let is_closed = self.closes.iter().any(|close| close.socket == socket);
        if !is_closed {
            self.members.meta_mut(socket)?;
        }
        if !CLOSE_CODES.contains(&code) && !(3000..5000).contains(&code) {
            return Err(bounds::invalid(format!(
                "the close code {code} must be 1000, 1008, 1011 to 1013 or 3000 to 4999"
            )));
        }
        if reason.len() > bounds::CLOSE_REASON_BYTES {
            let max = bounds::CLOSE_REASON_BYTES;
            return Err(bounds::invalid(format!("a close reason must be at most {max} bytes")));
        }
        if !is_closed {
            self.members.depart(socket);
            self.closes.push(Close { socket, code, reason: reason.to_owned() });
        }
        Ok(())
    }
}

fn check_event(name: &str) -> Result<(), Refusal> {
    bounds::check_name("the event", name)?;
    match name.starts_with('$') {
        true => Err(bounds::invalid("an event whose name begins with $ is the host's own")),
        false => Ok(()),
    }
}
