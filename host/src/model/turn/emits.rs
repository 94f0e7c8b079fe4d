//! What a turn says to clients: emits, asks, and what comes with them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{EmitTarget, Enclosed, KeyWrite, Turn, require_name};
use crate::model::asks::Ask;
use crate::model::body::{Body, Payload, bytes_of};
use crate::model::effect::{Audience, Emit, EmitElsewhere, UnixMs};
use crate::model::event::SocketId;
use crate::model::history::{HistoryPosition, HistoryWrite};
use crate::model::meta::Meta;
use crate::model::names::DEFAULT;
use crate::model::refusal::{Bound, Refusal};

/// How long a client may have to answer an ask.
const ASK_LONGEST: Duration = Duration::from_secs(3_600);

impl Enclosed {
    /// The bytes of the attachments.
    pub fn bytes(&self) -> usize {
        bytes_of(&self.attachments)
    }

    /// Puts what the guest gave before to the data that it belongs to.
    pub fn around(self, data: Payload) -> Result<Body, Refusal> {
        let Self { attachments, is_spread } = self;
        match &data {
            Payload::Binary(_) if !attachments.is_empty() => {
                return Err(Refusal::invalid("data with attachments must be JSON, which names them"));
            }
            Payload::Json(json) if json.is_array() => {}
            _ if is_spread => return Err(Refusal::invalid("several arguments must be a JSON array")),
            _ => {}
        }
        Ok(Body { data, attachments, is_spread })
    }
}

impl Turn {
    /// Takes bytes for the next emit, ask or answer. Returns the number that its JSON names them by.
    pub fn attach(&mut self, bytes: Bytes) -> Result<u32, Refusal> {
        let number = self.enclosed.attachments.len();
        if number >= self.limits.attachments_per_event {
            return Err(self.exceed(Bound::AttachmentsPerEvent));
        }
        self.check_emit_size(self.enclosed.bytes() + bytes.len())?;
        self.enclosed.attachments.push(bytes);
        Ok(number as u32)
    }

    /// The next emit, ask or answer is several arguments.
    pub fn spread(&mut self) {
        self.enclosed.is_spread = true;
    }

    /// Takes what the guest gave for the emit, the ask or the answer that comes now, whether that is refused or not.
    pub fn take_enclosed(&mut self) -> Enclosed {
        std::mem::take(&mut self.enclosed)
    }

    /// Emits to a target. Returns how many sockets that are.
    pub fn emit(&mut self, target: EmitTarget, event: String, body: Body) -> Result<u32, Refusal> {
        require_event(&event)?;
        let is_to_channel = self.is_to_channel(&target);
        let (audience, channel) = self.resolve(target)?;
        self.charge_emit(body.bytes(), audience.len())?;
        let at = if is_to_channel { self.say_for_good(&channel, &event, &body)? } else { None };
        let count = audience.len() as u32;
        if count > 0 {
            self.effects.emits.push(Emit { audience, channel, event, body, ask: None, at });
        }
        Ok(count)
    }

    /// Whether an emit says something to a whole channel, so that it counts for the channel's history.
    fn is_to_channel(&self, target: &EmitTarget) -> bool {
        match target {
            EmitTarget::Channel(_) | EmitTarget::ChannelExcept { .. } => true,
            EmitTarget::Named(name) => {
                self.sender.is_some_and(|id| self.state.members.channel(name).binary_search(&id).is_ok())
            }
            EmitTarget::Socket(_) | EmitTarget::Some { .. } | EmitTarget::User(_) | EmitTarget::Clients(_) => false,
        }
    }

    /// Adds an emit to the history of its channel, if that is kept. Answers where it stands there.
    fn say_for_good(&mut self, channel: &str, event: &str, body: &Body) -> Result<Option<HistoryPosition>, Refusal> {
        let now = self.accepted_at as UnixMs;
        let Some(mut saying) = self.state.histories.saying(channel, event, body, now) else { return Ok(None) };
        let writes = std::mem::take(&mut saying.writes);
        if !writes.is_empty() {
            let of_key = |HistoryWrite { key, value, old_bytes }| KeyWrite { key, value, old_bytes };
            self.write(writes.into_iter().map(of_key).collect())?;
        }
        Ok(self.state.histories.say(saying))
    }

    /// Emits into another room. Nobody knows yet whether it is open.
    pub fn emit_elsewhere(&mut self, emit: EmitElsewhere) -> Result<(), Refusal> {
        require_event(&emit.event)?;
        if emit.to.is_everybody() {
            return Err(Refusal::invalid("an emit into another room names a channel, users or clients"));
        }
        self.charge_emit(emit.bytes(), 1)?;
        self.effects.elsewhere.push(emit);
        Ok(())
    }

    /// Asks a socket. `name` is that of the event which its answer raises.
    pub fn ask(
        &mut self,
        socket: SocketId,
        event: String,
        body: Body,
        name: String,
        timeout: Duration,
    ) -> Result<(), Refusal> {
        self.require_present(socket)?;
        require_event(&event)?;
        require_name("an ask's name", &name)?;
        if timeout.is_zero() || timeout > ASK_LONGEST {
            let longest = ASK_LONGEST.as_millis();
            return Err(Refusal::invalid(format!("an ask must time out after 1 to {longest} ms")));
        }
        if self.state.asks.len() >= self.limits.asks_per_room {
            return Err(Refusal::LimitExceeded(Bound::AsksPerRoom));
        }
        if self.state.asks.of_socket(socket) >= self.limits.asks_per_socket {
            return Err(Refusal::LimitExceeded(Bound::AsksPerSocket));
        }
        let (audience, channel) = self.resolve(EmitTarget::Socket(socket))?;
        self.charge_emit(body.bytes(), 1)?;
        let key = self.state.asks.add(socket, Ask { name, set_by: self.caused_by, timeout });
        self.asked.push(key);
        self.effects.emits.push(Emit { audience, channel, event, body, ask: Some(key.1), at: None });
        Ok(())
    }

    /// Refuses a payload that is too large for an emit, before anybody parses it.
    pub fn check_emit_size(&mut self, bytes: usize) -> Result<(), Refusal> {
        if bytes > self.limits.emit_bytes { Err(self.exceed(Bound::EmitBytes)) } else { Ok(()) }
    }

    /// Finds the sockets that a target means now, and the channel that the frame carries.
    fn resolve(&self, target: EmitTarget) -> Result<(Audience, String), Refusal> {
        let own_channel = || {
            let meta = self.sender.and_then(|id| self.state.members.meta(id));
            meta.map_or(DEFAULT, Meta::first_channel).to_owned()
        };
        Ok(match target {
            EmitTarget::Socket(id) if self.state.members.is_present(id) => {
                let channel = self.state.members.meta(id).map_or(DEFAULT, Meta::first_channel).to_owned();
                (Audience::One(id), channel)
            }
            EmitTarget::Socket(_) => (Audience::nobody(), DEFAULT.to_owned()),
            EmitTarget::Named(name) => {
                let group = self.state.members.channel(&name);
                match self.sender {
                    Some(id) if group.binary_search(&id).is_ok() => (Audience::others(group, id), name),
                    _ => (Audience::all(self.state.members.user(&name)), own_channel()),
                }
            }
            EmitTarget::Channel(name) => {
                require_name("the channel", &name)?;
                (Audience::all(self.state.members.channel(&name)), name)
            }
            EmitTarget::ChannelExcept { channel, clients } => {
                require_name("the channel", &channel)?;
                let excluded = self.sockets_of(&clients);
                let left =
                    self.state.members.channel(&channel).iter().copied().filter(|id| !excluded.contains(id)).collect();
                (Audience::all(Arc::new(left)), channel)
            }
            EmitTarget::Some { whom, excluded } => {
                let channel = match &whom.channel {
                    Some(name) => {
                        require_name("the channel", name)?;
                        name.clone()
                    }
                    None => own_channel(),
                };
                let (some, excluded) = (self.state.members.some(&whom), self.sockets_of(&excluded));
                let left = some.iter().copied().filter(|id| !excluded.contains(id)).collect();
                (Audience::all(Arc::new(left)), channel)
            }
            EmitTarget::User(id) => (Audience::all(self.state.members.user(&id)), own_channel()),
            EmitTarget::Clients(ids) => {
                (Audience::all(Arc::new(self.sockets_of(&ids).into_iter().collect())), own_channel())
            }
        })
    }

    fn sockets_of(&self, clients: &[String]) -> BTreeSet<SocketId> {
        self.state.members.of_clients(clients)
    }

    fn charge_emit(&mut self, bytes: usize, deliveries: usize) -> Result<(), Refusal> {
        if self.emits >= self.limits.emits_per_turn {
            return Err(self.exceed(Bound::EmitsPerTurn));
        }
        if self.emit_bytes + bytes > self.limits.emit_bytes_per_turn {
            return Err(self.exceed(Bound::EmitBytesPerTurn));
        }
        if self.deliveries + deliveries > self.limits.deliveries_per_turn {
            return Err(self.exceed(Bound::DeliveriesPerTurn));
        }
        self.emits += 1;
        self.emit_bytes += bytes;
        self.deliveries += deliveries;
        Ok(())
    }
}

fn require_event(name: &str) -> Result<(), Refusal> {
    require_name("the event", name)?;
    match name.starts_with('$') {
        true => Err(Refusal::invalid("an event whose name begins with $ is the host's own")),
        false => Ok(()),
    }
}
