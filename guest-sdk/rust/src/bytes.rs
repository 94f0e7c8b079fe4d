//! Bytes in the data of events, emits, asks and answers, and data that is several arguments.

use std::{
    cell::{Cell, RefCell},
    fmt,
    ops::Deref,
};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor},
    ser::SerializeMap,
};

use crate::{
    base64,
    host::{inbox, outbox, types::Refusal},
};

/// Bytes, anywhere in what a plugin emits, asks or answers, and in what it reads.
///
/// Clients of Socket.IO get and send them as bytes, clients of Verani's protocol as `{"base64": "..."}`. A message may hold
/// 16 of them; more than that go to all clients as `{"base64": "..."}`. In storage, timers and what `on_suspend`
/// returns they are `{"base64": "..."}` as well, and read from it.
///
/// ```
/// use parlor_guest::{Bytes, prelude::*, testing::TestRoom};
///
/// #[derive(Serialize, Deserialize)]
/// struct Picture { name: String, pixels: Bytes }
///
/// let room = TestRoom::new(|room| {
///     room.on("picture", |ctx, picture: Picture| ctx.emit("picture", picture));
///     room.on("raw", |ctx, bytes: Bytes| ctx.emit("size", bytes.len()));
/// });
/// let ada = room.connect("/ws");
/// ada.send("picture", json!({ "name": "dot", "pixels": { "base64": "AP8=" } }));
/// ada.send_bytes("raw", &[1, 2, 3]);
/// assert_eq!(ada.events(), [
///     json!({ "type": "picture", "name": "dot", "pixels": { "base64": "AP8=" } }),
///     json!({ "type": "size", "data": 3 }),
/// ]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Bytes(pub Vec<u8>);

/// Several arguments for clients whose protocol has them, as Socket.IO's has; others get an array. It must be the whole of
/// the data. A handler reads several arguments of a client as an array or a tuple.
///
/// ```
/// use parlor_guest::{Args, prelude::*, testing::TestRoom};
///
/// let room = TestRoom::new(|room| {
///     room.on("move", |ctx, (x, y): (i32, i32)| ctx.emit("moved", Args((x, y, "fast"))));
/// });
/// let ada = room.connect("/ws");
/// ada.send("move", json!([3, 4]));
/// assert_eq!(ada.events(), [json!({ "type": "moved", "data": [3, 4, "fast"] })]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Args<T>(pub T);

pub(crate) type Attach = fn(&[u8]) -> Result<u32, Refusal>;
pub(crate) type Spread = fn() -> Result<(), Refusal>;

thread_local! {
    // The host's functions stand here once a turn needs them: a plugin without bytes does not import them.
    static ATTACH: Cell<Option<Attach>> = const { Cell::new(None) };
    static SPREAD: Cell<Option<Spread>> = const { Cell::new(None) };
    /// What placeholders of this turn's event name, once somebody read one.
    static ATTACHED: RefCell<Option<Vec<Vec<u8>>>> = const { RefCell::new(None) };
}

/// A turn begins: it has written and read no bytes.
pub(crate) fn begin_turn() {
    ATTACH.set(None);
    ATTACHED.set(None);
}

/// How to attach bytes, if this turn wrote any.
pub(crate) fn attach() -> Option<Attach> {
    ATTACH.get()
}

/// Takes how to say that data is several arguments, if it was written so since this was last asked.
pub(crate) fn take_spread() -> Option<Spread> {
    SPREAD.take()
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes(bytes)
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Bytes(bytes.to_vec())
    }
}

impl Deref for Bytes {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ATTACH.set(Some(outbox::attach));
        let mut object = serializer.serialize_map(Some(1))?;
        object.serialize_entry("base64", &base64::encode(&self.0))?;
        object.end()
    }
}

impl<T: Serialize> Serialize for Args<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        SPREAD.set(Some(outbox::spread));
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BytesVisitor)
    }
}

struct BytesVisitor;

impl<'de> Visitor<'de> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(bytes.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Bytes, A::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Part {
            Flag(bool),
            Number(usize),
            Text(String),
        }
        let (mut marked, mut number, mut text) = (false, None, None);
        while let Some((key, part)) = map.next_entry::<String, Part>()? {
            match (key.as_str(), part) {
                ("_placeholder", Part::Flag(true)) => marked = true,
                ("num", Part::Number(place)) => number = Some(place),
                ("base64", Part::Text(base64)) => text = Some(base64),
                _ => return Err(de::Error::custom("these are no bytes")),
            }
        }
        let bytes = match (marked, number, text) {
            (true, Some(number), None) => attached(number),
            (false, None, Some(text)) => base64::decode(&text),
            _ => None,
        };
        bytes.map(Bytes).ok_or_else(|| de::Error::custom("these are no bytes"))
    }
}

/// What a placeholder names.
fn attached(number: usize) -> Option<Vec<u8>> {
    ATTACHED.with_borrow_mut(|attached| attached.get_or_insert_with(inbox::attachments).get(number).cloned())
}

/// A payload of bytes, as serde reads it: [`Bytes`] takes it, and `Option` of it.
pub(crate) struct Whole<'a>(pub(crate) &'a [u8]);

impl<'de> Deserializer<'de> for Whole<'_> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_bytes(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}
