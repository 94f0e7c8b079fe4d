//! The host's functions of the contract, answered by the test room that is running: the same names and types as the
//! generated ones. Without one (a helper of a plugin that is tested by itself) only what needs no room answers.

use super::{bounds, turn, world};

pub(crate) mod events {
    use super::{bounds, world};
    use crate::{hooks::hook, host::types::Refusal};

    const HOOKS: &[&str] = &[
        hook::CONNECT,
        hook::DISCONNECT,
        hook::LOST,
        hook::BACK,
        hook::MESSAGE,
        hook::ERROR,
        hook::RESTORE,
        hook::TIMER,
        hook::ACK,
        hook::ALARM,
        hook::SUSPEND,
        hook::RESUME,
        hook::USER_JOIN,
        hook::USER_LEAVE,
        hook::CHECK,
    ];

    pub(crate) fn on(event: &str) -> Result<(), Refusal> {
        bounds::check_name("the event", event)?;
        if event.starts_with('$') && !HOOKS.contains(&event) {
            return Err(bounds::invalid(format!("{event} is no hook that this host knows")));
        }
        world::current(|state| {
            if state.events.len() >= bounds::REGISTRATIONS && !state.events.contains(event) {
                return Err(bounds::exceeded("registrations"));
            }
            state.events.insert(event.to_owned());
            Ok(())
        })
        .unwrap_or(Err(Refusal::NoTurn))
    }

    pub(crate) fn off(event: &str) -> Result<(), Refusal> {
        world::current(|state| state.events.remove(event)).map(|_| ()).ok_or(Refusal::NoTurn)
    }
}

pub(crate) mod sockets {
    use super::{bounds, world};
    use crate::{
        SocketId,
        host::types::{Meta, Refusal},
    };

    pub(crate) fn get_meta(socket: SocketId) -> Result<Meta, Refusal> {
        world::turn(|turn| turn.members.meta(socket).cloned())
    }

    pub(crate) fn present(user_id: Option<&str>) -> Result<Vec<SocketId>, Refusal> {
        world::turn(|turn| Ok(turn.members.present(user_id)))
    }

    pub(crate) fn of_channel(channel: &str, after: Option<SocketId>, limit: u32) -> Result<Vec<SocketId>, Refusal> {
        world::turn(|turn| {
            if !(1..=bounds::SCAN_ENTRIES).contains(&limit) {
                return Err(bounds::invalid(format!("limit must be 1 to {}, not {limit}", bounds::SCAN_ENTRIES)));
            }
            let mut sockets = turn.members.in_channel(channel);
            sockets.retain(|id| after.is_none_or(|after| *id > after));
            sockets.truncate(limit as usize);
            Ok(sockets)
        })
    }

    pub(crate) fn set_fields(socket: SocketId, fields: &str) -> Result<(), Refusal> {
        world::turn(|turn| {
            let meta = turn.members.meta_mut(socket)?;
            bounds::check_fields(fields)?;
            meta.fields = fields.to_owned();
            Ok(())
        })
    }

    pub(crate) fn join(socket: SocketId, channel: &str) -> Result<(), Refusal> {
        world::turn(|turn| turn.members.join(socket, channel))
    }

    pub(crate) fn leave(socket: SocketId, channel: &str) -> Result<(), Refusal> {
        world::turn(|turn| {
            turn.members.meta_mut(socket)?.channels.retain(|name| name != channel);
            Ok(())
        })
    }

    pub(crate) fn close(socket: SocketId, code: u16, reason: &str) -> Result<(), Refusal> {
        world::turn(|turn| turn.close(socket, code, reason))
    }
}

pub(crate) mod outbox {
    use super::{
        turn::{Elsewhere, Target},
        world,
    };
    use crate::{
        SocketId,
        host::types::{Payload, Refusal},
    };

    fn emit(target: Target<'_>, event: &str, data: &Payload) -> Result<u32, Refusal> {
        world::turn(|turn| turn.emit(target, event, data))
    }

    pub(crate) fn to_socket(socket: SocketId, event: &str, data: &Payload) -> Result<u32, Refusal> {
        emit(Target::Socket(socket), event, data)
    }

    pub(crate) fn to_named(target: &str, event: &str, data: &Payload) -> Result<u32, Refusal> {
        emit(Target::Named(target), event, data)
    }

    pub(crate) fn to_channel(channel: &str, event: &str, data: &Payload) -> Result<u32, Refusal> {
        emit(Target::Channel(channel), event, data)
    }

    pub(crate) fn to_channel_except(
        channel: &str,
        excluded: &[String],
        event: &str,
        data: &Payload,
    ) -> Result<u32, Refusal> {
        emit(Target::ChannelExcept(channel, excluded), event, data)
    }

    pub(crate) fn to_channel_some(
        channel: &str,
        users: Option<&[String]>,
        clients: Option<&[String]>,
        excluded: &[String],
        event: &str,
        data: &Payload,
    ) -> Result<u32, Refusal> {
        emit(Target::Some { channel, users, clients, excluded }, event, data)
    }

    pub(crate) fn to_room(
        room: &str,
        channel: Option<&str>,
        users: Option<&[String]>,
        clients: Option<&[String]>,
        event: &str,
        data: &Payload,
    ) -> Result<(), Refusal> {
        let whom = Elsewhere {
            room: room.to_owned(),
            channel: channel.map(str::to_owned),
            users: users.map(<[String]>::to_vec),
            clients: clients.map(<[String]>::to_vec),
            event: event.to_owned(),
            data: serde_json::Value::Null,
        };
        world::turn(|turn| turn.emit_elsewhere(whom, data))
    }

    pub(crate) fn to_user(user_id: &str, event: &str, data: &Payload) -> Result<u32, Refusal> {
        emit(Target::User(user_id), event, data)
    }

    pub(crate) fn to_clients(client_ids: &[String], event: &str, data: &Payload) -> Result<u32, Refusal> {
        emit(Target::Clients(client_ids), event, data)
    }

    pub(crate) fn attach(bytes: &[u8]) -> Result<u32, Refusal> {
        world::turn(|turn| turn.attach(bytes))
    }

    pub(crate) fn spread() -> Result<(), Refusal> {
        world::turn(|turn| {
            turn.is_spread = true;
            Ok(())
        })
    }

    pub(crate) fn ask(
        socket: SocketId,
        event: &str,
        data: &Payload,
        name: &str,
        timeout_ms: u32,
    ) -> Result<(), Refusal> {
        world::turn(|turn| turn.ask(socket, event, data, name, timeout_ms))
    }
}

pub(crate) mod inbox {
    use super::world;

    pub(crate) fn arguments() -> u32 {
        world::turn(|turn| Ok(turn.arguments)).unwrap_or_default()
    }

    pub(crate) fn attachments() -> Vec<Vec<u8>> {
        world::turn(|turn| Ok(turn.attachments.clone())).unwrap_or_default()
    }
}

pub(crate) mod storage {
    use super::world;
    pub(crate) use crate::bindings::parlor::room::storage::{Entry, Page};
    use crate::host::types::Refusal;

    pub(crate) fn get(key: &str) -> Result<Option<Vec<u8>>, Refusal> {
        world::turn(|turn| turn.storage.get(key))
    }

    pub(crate) fn get_many(keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, Refusal> {
        world::turn(|turn| turn.storage.get_many(keys))
    }

    pub(crate) fn put(key: &str, value: &[u8]) -> Result<(), Refusal> {
        world::turn(|turn| turn.storage.put(key, value))
    }

    pub(crate) fn put_many(entries: &[Entry]) -> Result<(), Refusal> {
        world::turn(|turn| turn.storage.put_many(entries))
    }

    pub(crate) fn delete(key: &str) -> Result<bool, Refusal> {
        world::turn(|turn| turn.storage.delete(key))
    }

    pub(crate) fn delete_many(keys: &[String]) -> Result<u32, Refusal> {
        world::turn(|turn| turn.storage.delete_many(keys))
    }

    pub(crate) fn scan(prefix: &str, after: Option<&str>, limit: u32) -> Result<Page, Refusal> {
        world::turn(|turn| turn.storage.scan(prefix, after, limit))
    }
}

pub(crate) mod history {
    use super::world;
    pub(crate) use crate::bindings::parlor::room::history::{Entry, Page};
    use crate::{host::types::Refusal, testing::bounds::invalid};

    pub(crate) fn keep(channel: &str, entries: u32, ttl_ms: u32, durable: bool) -> Result<(), Refusal> {
        world::current(|state| match &mut state.turn {
            Some(_) => Err(invalid("a history is kept from `init` on, and not in an event")),
            None => state.histories.keep(channel, entries, ttl_ms, durable),
        })
        .unwrap_or(Err(Refusal::NoTurn))
    }

    pub(crate) fn read(channel: &str, after: Option<&str>, limit: u32) -> Result<Page, Refusal> {
        world::turn(|turn| turn.histories.read(channel, after, limit, turn.accepted_at))
    }

    pub(crate) fn position(channel: &str) -> Result<String, Refusal> {
        world::turn(|turn| turn.histories.position(channel))
    }
}

pub(crate) mod timers {
    use super::world;
    use crate::host::types::{Payload, Refusal};

    pub(crate) fn set(name: &str, delay_ms: u32, data: Option<&Payload>) -> Result<(), Refusal> {
        world::turn(|turn| {
            let due = turn.accepted_at as u64 + u64::from(delay_ms);
            turn.schedule.set_timer(name, due, data)
        })
    }

    pub(crate) fn cancel(name: &str) -> Result<bool, Refusal> {
        world::turn(|turn| Ok(turn.schedule.cancel_timer(name)))
    }
}

pub(crate) mod alarm {
    use super::world;
    use crate::host::types::Refusal;

    pub(crate) fn set(at: f64) -> Result<(), Refusal> {
        world::turn(|turn| turn.schedule.set_alarm(at))
    }

    pub(crate) fn get() -> Result<Option<f64>, Refusal> {
        world::turn(|turn| Ok(turn.schedule.alarm().map(|due| due as f64)))
    }

    pub(crate) fn cancel() -> Result<(), Refusal> {
        world::turn(|turn| {
            turn.schedule.forget_alarm();
            Ok(())
        })
    }
}

pub(crate) mod room {
    use super::world;
    use crate::host::types::Refusal;

    pub(crate) fn id() -> Result<String, Refusal> {
        world::turn(|_| Ok(()))?;
        world::current(|state| state.room_id.clone()).ok_or(Refusal::NoTurn)
    }

    pub(crate) fn session_count() -> Result<u32, Refusal> {
        world::turn(|turn| Ok(turn.members.count()))
    }

    pub(crate) fn user_ids() -> Result<Vec<String>, Refusal> {
        world::turn(|turn| Ok(turn.members.user_ids()))
    }
}

pub(crate) mod clock {
    use super::world;

    pub(crate) fn now() -> f64 {
        world::current(|state| state.turn.as_ref().map_or(state.time, |turn| turn.accepted_at)).unwrap_or(0.0)
    }
}

pub(crate) mod random {
    use std::cell::Cell;

    use super::bounds;
    use crate::host::types::Refusal;

    thread_local! {
        static SEED: Cell<u64> = const { Cell::new(0) };
    }

    /// The same bytes in every run of a test (splitmix64), so that a failure can be looked at again.
    pub(crate) fn get_bytes(count: u32) -> Result<Vec<u8>, Refusal> {
        if count > bounds::RANDOM_BYTES {
            return Err(bounds::exceeded("random-bytes"));
        }
        let mut bytes = Vec::with_capacity(count as usize + 8);
        while bytes.len() < count as usize {
            let seed = SEED.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
            SEED.set(seed);
            let mut word = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            bytes.extend((word ^ (word >> 31)).to_le_bytes());
        }
        bytes.truncate(count as usize);
        Ok(bytes)
    }
}

pub(crate) mod logging {
    use super::world;
    pub(crate) use crate::bindings::parlor::room::logging::Level;

    pub(crate) fn write(level: Level, message: &str) {
        let level = match level {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        };
        world::current(|state| state.log.push(format!("{level}: {message}")));
    }
}

pub(crate) mod config {
    use super::world;

    pub(crate) fn get(key: &str) -> Option<String> {
        world::current(|state| state.config.get(key).cloned()).flatten()
    }
}
