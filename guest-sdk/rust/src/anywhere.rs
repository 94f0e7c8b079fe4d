//! Functions that work inside and outside of turns: time, randomness, configuration.

use crate::host::{clock, config as host_config, random};

/// The value of a key of the plugin's configuration, if the operator set one. Operators pass secrets this way, too.
///
/// ```
/// use parlor_guest::{config, prelude::*, testing::TestRoom};
///
/// let room = TestRoom::builder().config("greeting", "ahoy").build(|room: &mut Room| {
///     let greeting = config("greeting").unwrap_or("hello".into());
///     room.on_connect(move |ctx| ctx.emit("welcome", json!({ "text": greeting })));
/// });
/// assert_eq!(room.connect("/ws").events(), [json!({ "type": "welcome", "text": "ahoy" })]);
/// ```
pub fn config(key: &str) -> Option<String> {
    host_config::get(key)
}

/// Milliseconds since the Unix epoch. In a turn this is the moment when the room accepted the event, at every call;
/// outside of a turn it is the current time.
///
/// ```
/// use parlor_guest::{now, prelude::*, testing::TestRoom};
///
/// let room = TestRoom::new(|room: &mut Room| {
///     room.on("ping", |ctx, _: Value| ctx.emit("pong", json!({ "timestamp": now() })));
/// });
/// room.set_time(1_700_000_000_000);
/// let ada = room.connect("/ws");
/// ada.send("ping", json!({}));
/// assert_eq!(ada.events(), [json!({ "type": "pong", "timestamp": 1_700_000_000_000_u64 })]);
/// ```
pub fn now() -> u64 {
    millis(clock::now())
}

/// Rounds the contract's time down to whole milliseconds, so that it prints without a decimal point.
pub(crate) fn millis(time: f64) -> u64 {
    time as u64
}

/// Random bytes that nobody can predict.
///
/// # Panics
/// If the host refuses. It does so only if the turn has used up its host calls, and then the turn cannot commit anyway.
///
/// ```
/// assert_eq!(parlor_guest::random_bytes(5_000).len(), 5_000);
/// ```
pub fn random_bytes(count: usize) -> Vec<u8> {
    /// How many bytes one call of the contract returns at most.
    const BYTES_PER_CALL: usize = 4096;
    let mut bytes = Vec::with_capacity(count);
    while bytes.len() < count {
        let part = (count - bytes.len()).min(BYTES_PER_CALL) as u32;
        match random::get_bytes(part) {
            Ok(more) => bytes.extend(more),
            Err(refusal) => panic!("the host gives no more random bytes: {refusal}"),
        }
    }
    bytes
}

/// A random id: 128 bits as 32 hexadecimal digits.
///
/// # Panics
/// If the host refuses, like [`random_bytes`].
///
/// ```
/// let id = parlor_guest::random_id();
/// assert_eq!(id.len(), 32);
/// assert_ne!(id, parlor_guest::random_id());
/// ```
pub fn random_id() -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
    random_bytes(16).into_iter().flat_map(|byte| [digit(byte >> 4), digit(byte)]).collect()
}
