//! The history of a channel: what was said to it lately.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::{Result, Room, host::history, host::types::Payload, payload};

/// For how long an entry is kept where [`Keep::for_up_to`] does not say.
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// How much of a channel's history is kept, and where; for [`Room::keep_history`].
///
/// ```
/// use parlor_guest::{Keep, prelude::*};
///
/// fn chat(room: &mut Room) {
///     room.keep_history("default", Keep::last(100).for_up_to(Duration::from_secs(3_600)).durable());
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "give it to `room.keep_history`"]
pub struct Keep {
    entries: u32,
    ttl: Duration,
    durable: bool,
}

impl Keep {
    /// The last so many entries, 1 to 1,000, for up to a day, in memory.
    ///
    /// ```
    /// # use parlor_guest::{Keep, prelude::*};
    /// fn chat(room: &mut Room) {
    ///     room.keep_history("default", Keep::last(50));
    /// }
    /// ```
    pub fn last(entries: u32) -> Self {
        Keep { entries, ttl: DAY, durable: false }
    }

    /// For so long at most: 1 ms to 30 days.
    ///
    /// ```
    /// # use parlor_guest::{Keep, prelude::*};
    /// fn chat(room: &mut Room) {
    ///     room.keep_history("default", Keep::last(50).for_up_to(Duration::from_secs(60)));
    /// }
    /// ```
    pub fn for_up_to(self, ttl: Duration) -> Self {
        Keep { ttl, ..self }
    }

    /// In the room's storage, so that a restart of the server does not lose it. Then an emit to the channel is a write, and
    /// leaves when it is durable.
    ///
    /// ```
    /// # use parlor_guest::{Keep, prelude::*};
    /// fn chat(room: &mut Room) {
    ///     room.keep_history("default", Keep::last(50).durable());
    /// }
    /// ```
    pub fn durable(self) -> Self {
        Keep { durable: true, ..self }
    }
}

impl Room {
    /// Keeps what is said to a channel from now on: clients that come back get what they missed, and
    /// [`Actor::history`](crate::Actor::history) reads it. Only at the start, in the room's function; up to 16 channels. What
    /// the host refuses fails the start.
    ///
    /// What counts is what is said to the whole channel: [`Actor::emit`](crate::Actor::emit) and
    /// [`Actor::to`](crate::Actor::to), with [`except`](crate::Channel::except) too, and [`Ctx::to`](crate::Ctx::to) where it
    /// names a channel.
    ///
    /// ```
    /// use parlor_guest::{Keep, prelude::*, testing::TestRoom};
    ///
    /// let room = TestRoom::new(|room| {
    ///     room.keep_history("default", Keep::last(100));
    ///     room.on("say", |ctx, text: String| ctx.actor().emit("said", json!({ "text": text })));
    /// });
    /// let ada = room.connect("/ws");
    /// ada.send("say", json!("hi"));
    /// let heard = ada.received().remove(0);
    /// ada.disconnect(1006, "");
    /// room.connect("/ws").send("say", json!("are you there?"));
    ///
    /// let back = room.connect(format!("/ws?since=default:{}", heard["at"].as_str().unwrap()).as_str());
    /// let missed = back.received().remove(0);
    /// assert_eq!((&missed["type"], &missed["recovered"]), (&json!("history"), &json!(true)));
    /// assert_eq!(missed["frames"][0]["data"], json!({ "type": "said", "text": "are you there?" }));
    /// ```
    pub fn keep_history(&self, channel: &str, keep: Keep) {
        let ttl = u32::try_from(keep.ttl.as_millis()).unwrap_or(u32::MAX);
        self.runtime.note(history::keep(channel, keep.entries, ttl, keep.durable));
    }
}

/// What was said to the channels whose history is kept; made by [`Actor::history`](crate::Actor::history).
///
/// ```
/// use parlor_guest::{Keep, prelude::*, testing::TestRoom};
///
/// let room = TestRoom::new(|room| {
///     room.keep_history("default", Keep::last(100));
///     room.on("say", |ctx, text: String| ctx.actor().emit("said", text));
///     room.on("last", |ctx, _: Value| {
///         let page = ctx.history().read("default", None, 100)?;
///         let texts: Vec<String> = page.entries.iter().map(|entry| entry.json()).collect::<Result<_>>()?;
///         ctx.emit("last", json!({ "texts": texts }))
///     });
/// });
/// let ada = room.connect("/ws");
/// ada.send("say", json!("one"));
/// ada.send("say", json!("two"));
/// ada.events();
/// ada.send("last", json!({}));
/// assert_eq!(ada.events(), [json!({ "type": "last", "texts": ["one", "two"] })]);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct History(());

impl History {
    pub(crate) fn new() -> Self {
        History(())
    }

    /// The entries of a channel behind a position, the oldest first, this turn's own included: up to `limit`, 1 to 1,000. A
    /// page ends early at 256 KiB; where it is empty, nothing follows. Fails with `invalid` for a channel that is not kept.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn all(ctx: &Ctx) -> Result<usize> {
    ///     let (mut after, mut count) = (None, 0);
    ///     loop {
    ///         let page = ctx.history().read("default", after.as_deref(), 100)?;
    ///         let Some(last) = page.entries.last() else { return Ok(count) };
    ///         after = Some(last.position.clone());
    ///         count += page.entries.len();
    ///     }
    /// }
    /// ```
    pub fn read(&self, channel: &str, after: Option<&str>, limit: u32) -> Result<HistoryPage> {
        let page = history::read(channel, after, limit)?;
        let entries = page.entries.into_iter().map(|history::Entry { position, event, data, at }| HistoryEntry {
            position,
            event,
            data,
            at: at as u64,
        });
        Ok(HistoryPage { entries: entries.collect(), recovered: page.recovered })
    }

    /// The position of the last entry of a channel, or one that is before all. Fails with `invalid` for a channel that is
    /// not kept.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn bookmark(ctx: &Ctx) -> Result {
    ///     ctx.storage().put("read-up-to", ctx.history().position("default")?)
    /// }
    /// ```
    pub fn position(&self, channel: &str) -> Result<String> {
        Ok(history::position(channel)?)
    }
}

/// A part of a history; made by [`History::read`].
///
/// ```
/// # use parlor_guest::{HistoryPage, prelude::*};
/// fn has_a_gap(page: &HistoryPage) -> bool {
///     !page.recovered
/// }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HistoryPage {
    /// The entries, the oldest first.
    pub entries: Vec<HistoryEntry>,
    /// Whether this and the following pages are all that was said behind the position that was asked for. True where none was.
    pub recovered: bool,
}

/// One thing that was said to a channel; in a [`HistoryPage`].
///
/// ```
/// # use parlor_guest::{HistoryEntry, prelude::*};
/// fn text(entry: &HistoryEntry) -> Result<String> {
///     entry.json()
/// }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HistoryEntry {
    /// Where it stands: a text to store and to give back.
    pub position: String,
    /// The event's name.
    pub event: String,
    /// When it was said, in milliseconds since the Unix epoch.
    pub at: u64,
    data: Payload,
}

impl HistoryEntry {
    /// Reads the data, as a handler of the event would.
    ///
    /// ```
    /// # use parlor_guest::{HistoryEntry, prelude::*};
    /// fn text(entry: &HistoryEntry) -> Result<String> {
    ///     entry.json()
    /// }
    /// ```
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        payload::read(Some(&self.data))
    }
}
