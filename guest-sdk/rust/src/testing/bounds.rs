//! The bounds that a test room enforces: those of the server's defaults which a handler can run into, by the names that
//! the server has for them.

use crate::host::types::{Meta, Payload, Refusal};

pub(crate) const ASKS_PER_ROOM: usize = 1_024;
pub(crate) const ASKS_PER_SOCKET: usize = 64;
pub(crate) const ATTACHMENTS_PER_EVENT: usize = 16;
pub(crate) const CHANNELS_PER_SOCKET: usize = 64;
pub(crate) const CLOSE_REASON_BYTES: usize = 123;
pub(crate) const DELIVERIES_PER_TURN: usize = 20_000;
pub(crate) const EMIT_BYTES: usize = 256 << 10;
pub(crate) const EMIT_BYTES_PER_TURN: usize = 512 << 10;
pub(crate) const EMITS_PER_TURN: usize = 1_000;
pub(crate) const HISTORY_CHANNELS: usize = 16;
pub(crate) const HISTORY_ENTRIES: u32 = 1_000;
pub(crate) const HISTORY_TTL_MS: u32 = 2_592_000_000;
pub(crate) const HOST_CALLS_PER_TURN: u32 = 10_000;
pub(crate) const META_FIELDS_BYTES: usize = 4 << 10;
pub(crate) const NAME_BYTES: usize = 128;
pub(crate) const RANDOM_BYTES: u32 = 4_096;
pub(crate) const REGISTRATIONS: usize = 256;
pub(crate) const SCAN_BYTES: usize = 256 << 10;
pub(crate) const SCAN_ENTRIES: u32 = 1_000;
pub(crate) const STORAGE_BYTES_PER_CALL: usize = 1 << 20;
pub(crate) const STORAGE_BYTES_PER_TURN: usize = 4 << 20;
pub(crate) const STORAGE_KEY_BYTES: usize = 512;
pub(crate) const STORAGE_KEYS_PER_CALL: usize = 128;
pub(crate) const STORAGE_ROOM_BYTES: usize = 16 << 20;
pub(crate) const STORAGE_VALUE_BYTES: usize = 128 << 10;
pub(crate) const SUSPEND_BYTES: usize = 256 << 10;
pub(crate) const TIMER_BYTES: usize = 4 << 10;
pub(crate) const TIMERS_PER_ROOM: usize = 64;

/// The bytes of a payload.
pub(crate) fn bytes(payload: &Payload) -> usize {
    match payload {
        Payload::Json(text) => text.len(),
        Payload::Binary(bytes) => bytes.len(),
    }
}

/// Refuses this call alone.
pub(crate) fn exceeded(bound: &str) -> Refusal {
    Refusal::LimitExceeded(bound.to_owned())
}

pub(crate) fn invalid(why: impl Into<String>) -> Refusal {
    Refusal::Invalid(why.into())
}

/// Event and channel names, user and client ids.
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), Refusal> {
    if (1..=NAME_BYTES).contains(&name.len()) {
        Ok(())
    } else {
        Err(invalid(format!("{what} must be 1 to {NAME_BYTES} bytes, not {}", name.len())))
    }
}

/// A plugin's own fields: one JSON object.
pub(crate) fn check_fields(fields: &str) -> Result<(), Refusal> {
    if fields.len() > META_FIELDS_BYTES {
        return Err(exceeded("meta-fields-bytes"));
    }
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(fields) {
        Ok(_) => Ok(()),
        Err(why) => Err(invalid(format!("fields must be a JSON object: {why}"))),
    }
}

/// What the host checks of a meta, and the channel that every socket has.
pub(crate) fn checked(mut meta: Meta) -> Result<Meta, Refusal> {
    check_name("user-id", &meta.user_id)?;
    check_name("client-id", &meta.client_id)?;
    let mut seen = std::collections::BTreeSet::new();
    meta.channels.retain(|name| seen.insert(name.clone()));
    if meta.channels.is_empty() {
        meta.channels.push("default".to_owned());
    }
    if meta.channels.len() > CHANNELS_PER_SOCKET {
        return Err(exceeded("channels-per-socket"));
    }
    meta.channels.iter().try_for_each(|name| check_name("the channel", name))?;
    check_fields(&meta.fields)?;
    Ok(meta)
}
