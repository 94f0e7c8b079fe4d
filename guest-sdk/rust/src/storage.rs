//! The room's own keys and values.

use serde::{Serialize, de::DeserializeOwned};

use crate::{Result, host::storage};

/// The room's own keys and values. Reads see this turn's own writes. Writes commit with the turn or not at all, and the
/// host sends no emit of the turn before they are durable.
///
/// A key has 1 to 512 bytes, a value up to 128 KiB, a room's storage up to 16 MiB, and the writes of a turn up to 4
/// MiB. A write past that fails with `limit-exceeded` and changes nothing.
///
/// The functions for many keys only save calls: a turn's writes are atomic anyway. They take up to 128 keys
/// and read or write up to 1 MiB. A key that is named twice is read as often; what writes names each key once (`invalid`
/// otherwise). If the host refuses one key or value, it refuses the whole call.
///
/// ```
/// use parlor_guest::{prelude::*, testing::TestRoom};
///
/// let room = TestRoom::new(|room| {
///     room.on_connect(|ctx| {
///         let visits = ctx.storage().get("visits")?.unwrap_or(0) + 1;
///         ctx.storage().put("visits", visits)?;
///         ctx.emit("welcome", json!({ "visits": visits }))
///     });
/// });
/// room.connect("/ws");
/// assert_eq!(room.connect("/ws").events(), [json!({ "type": "welcome", "visits": 2 })]);
/// assert_eq!(room.stored::<u32>("visits"), Some(2));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Storage(());

impl Storage {
    pub(crate) fn new() -> Self {
        Storage(())
    }

    /// Reads the value of a key as JSON, if it has one. Fails with `json` if it does not fit the type.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn best(ctx: &Ctx, _: Value) -> Result<u32> {
    ///     let best: Option<u32> = ctx.storage().get("best")?;
    ///     ctx.emit("best", json!({ "score": best }))
    /// }
    /// ```
    pub fn get<T: DeserializeOwned>(self, key: &str) -> Result<Option<T>> {
        storage::get(key)?.map(|bytes| Ok(serde_json::from_slice(&bytes)?)).transpose()
    }

    /// Sets the value of a key, as JSON.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn score(ctx: &Ctx, points: u32) -> Result {
    ///     ctx.storage().put("best", points)
    /// }
    /// ```
    pub fn put(self, key: &str, value: impl Serialize) -> Result {
        Ok(storage::put(key, &serde_json::to_vec(&value)?)?)
    }

    /// Reads the values of many keys as JSON, in the order of the keys. Fails with `json` if one does not fit the type.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn compare(ctx: &Ctx, players: Vec<String>) -> Result<u32> {
    ///     let keys = players.iter().map(|player| format!("score/{player}"));
    ///     let scores = ctx.storage().get_many::<u32>(keys)?;
    ///     ctx.emit("scores", json!({ "players": players, "scores": scores }))
    /// }
    /// ```
    pub fn get_many<T: DeserializeOwned>(
        self,
        keys: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Vec<Option<T>>> {
        let values = storage::get_many(&owned(keys))?;
        let read = |value: Option<Vec<u8>>| value.map(|bytes| Ok(serde_json::from_slice(&bytes)?)).transpose();
        values.into_iter().map(read).collect()
    }

    /// Sets the values of many keys, as JSON.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn pay(ctx: &Ctx, (from, to, left, has): (String, String, u32, u32)) -> Result {
    ///     ctx.storage().put_many([(format!("money/{from}"), left), (format!("money/{to}"), has)])
    /// }
    /// ```
    pub fn put_many<K: Into<String>, V: Serialize>(self, entries: impl IntoIterator<Item = (K, V)>) -> Result {
        let entry = |(key, value): (K, V)| Ok(storage::Entry { key: key.into(), value: serde_json::to_vec(&value)? });
        let entries: Vec<storage::Entry> = entries.into_iter().map(entry).collect::<Result<_>>()?;
        Ok(storage::put_many(&entries)?)
    }

    /// Reads the value of a key as bytes, if it has one.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn size(ctx: &Ctx, _: Value) -> Result<u32> {
    ///     ctx.emit("size", ctx.storage().get_bytes("picture")?.map_or(0, |bytes| bytes.len()))
    /// }
    /// ```
    pub fn get_bytes(self, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(storage::get(key)?)
    }

    /// Sets the value of a key to these bytes, whatever they are.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn seed(ctx: &Ctx, _: Value) -> Result {
    ///     ctx.storage().put_bytes("seed", &ctx.random_bytes(32))
    /// }
    /// ```
    pub fn put_bytes(self, key: &str, value: &[u8]) -> Result {
        Ok(storage::put(key, value)?)
    }

    /// Removes a key. Returns whether it had a value.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn reset(ctx: &Ctx, _: Value) -> Result {
    ///     if ctx.storage().delete("best")? { ctx.log().info("a new season"); }
    ///     Ok(())
    /// }
    /// ```
    pub fn delete(self, key: &str) -> Result<bool> {
        Ok(storage::delete(key)?)
    }

    /// Removes many keys. Returns how many of them had a value.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn forget(ctx: &Ctx, players: Vec<String>) -> Result<u32> {
    ///     let gone = ctx.storage().delete_many(players.iter().map(|player| format!("score/{player}")))?;
    ///     ctx.emit("forgotten", gone)
    /// }
    /// ```
    pub fn delete_many(self, keys: impl IntoIterator<Item = impl Into<String>>) -> Result<u32> {
        Ok(storage::delete_many(&owned(keys))?)
    }

    /// Iterates over all entries whose keys begin with `prefix`, in ascending order of their keys. It fetches page by
    /// page, as the iteration goes on.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn scores(ctx: &Ctx, _: Value) -> Result<u32> {
    ///     let mut sum = 0;
    ///     for entry in ctx.storage().list("score/") {
    ///         sum += entry?.json::<u32>()?;
    ///     }
    ///     ctx.emit("sum", sum)
    /// }
    /// ```
    pub fn list(self, prefix: &str) -> Entries {
        Entries { prefix: prefix.to_owned(), page: Vec::new().into_iter(), next: Next::First }
    }

    /// Reads one page of [`list`](Storage::list): up to `limit` entries (1 to 1,000) after the key `after`. It may hold
    /// fewer and still have a `next`, since a page ends at 256 KiB.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn history(ctx: &Ctx, after: Option<String>) -> Result<u32> {
    ///     let page = ctx.storage().page("message/", after.as_deref(), 50)?;
    ///     let keys: Vec<_> = page.entries.iter().map(|entry| &entry.key).collect();
    ///     ctx.emit("history", json!({ "keys": keys, "next": page.next }))
    /// }
    /// ```
    pub fn page(self, prefix: &str, after: Option<&str>, limit: u32) -> Result<Page> {
        let storage::Page { entries, next } = storage::scan(prefix, after, limit)?;
        let entries = entries.into_iter().map(|storage::Entry { key, value }| Entry { key, value }).collect();
        Ok(Page { entries, next })
    }
}

fn owned(keys: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    keys.into_iter().map(Into::into).collect()
}

/// One key with its value.
///
/// ```
/// # use parlor_guest::prelude::*;
/// fn first(ctx: &Ctx, _: Value) -> Result {
///     if let Some(entry) = ctx.storage().list("").next().transpose()? {
///         ctx.log().info(format_args!("{} has {} bytes", entry.key, entry.value.len()));
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The bytes of the value.
    pub value: Vec<u8>,
}

impl Entry {
    /// Reads the value as JSON. Fails with `json` if it does not fit the type.
    ///
    /// ```
    /// let entry = parlor_guest::Entry { key: "score/ada".into(), value: b"12".to_vec() };
    /// assert_eq!(entry.json::<u32>().unwrap(), 12);
    /// ```
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        Ok(serde_json::from_slice(&self.value)?)
    }
}

/// A part of a listing; made by [`Storage::page`].
///
/// ```
/// # use parlor_guest::{Page, prelude::*};
/// fn is_last(page: &Page) -> bool {
///     page.next.is_none()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The entries, in ascending order of their keys' bytes.
    pub entries: Vec<Entry>,
    /// Pass this as `after` to get the next page. `None` on the last page.
    pub next: Option<String>,
}

/// The entries of [`Storage::list`]. After an error it ends.
///
/// ```
/// # use parlor_guest::prelude::*;
/// fn keys(ctx: &Ctx) -> Result<Vec<String>> {
///     ctx.storage().list("score/").map(|entry| Ok(entry?.key)).collect()
/// }
/// ```
#[derive(Debug)]
pub struct Entries {
    prefix: String,
    page: std::vec::IntoIter<Entry>,
    next: Next,
}

#[derive(Debug)]
enum Next {
    First,
    After(String),
    End,
}

impl Entries {
    /// How many entries [`Storage::list`] fetches at once. A page ends at 256 KiB anyway.
    const ENTRIES_PER_PAGE: u32 = 256;

    fn fetch(&mut self) -> Result {
        let after = match &self.next {
            Next::First => None,
            Next::After(key) => Some(key.as_str()),
            Next::End => return Ok(()),
        };
        let page = Storage(()).page(&self.prefix, after, Self::ENTRIES_PER_PAGE)?;
        self.next = page.next.map_or(Next::End, Next::After);
        self.page = page.entries.into_iter();
        Ok(())
    }
}

impl Iterator for Entries {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.page.next() {
                return Some(Ok(entry));
            }
            if matches!(self.next, Next::End) {
                return None;
            }
            if let Err(error) = self.fetch() {
                self.next = Next::End;
                return Some(Err(error));
            }
        }
    }
}
