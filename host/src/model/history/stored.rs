//! How entries of a history lie in the room's storage: one key each, in a part that plugins neither read nor list.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use data_encoding::BASE64;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::entry::{HeldMemory, HistoryEntry};
use super::epochs::HistoryEpochs;
use super::terms::{HistoryGap, HistoryWrite};
use crate::model::base64;
use crate::model::body::{Body, Payload};
use crate::model::effect::UnixMs;
use crate::model::json::Json;

/// What the keys of entries begin with. The number is the version of what follows: a channel, a separator, and the entry's
/// number in 16 digits of base 16.
pub const HISTORY_PREFIX: &str = "\0parlor/history/1/";
const SEPARATOR: char = '\0';
const SEQ_DIGITS: usize = 16;
/// The value of a gap's key: what was said from this number on may not be kept. No entry reads like this.
const GAP: &[u8] = b"{\"gap\":true}";

/// The value of an entry's key.
#[derive(Serialize, Deserialize)]
struct StoredValue<'a> {
    epoch: &'a str,
    /// The epoch of the entry before, where that is another, or was another one when it was stored itself: then nobody knows
    /// what was said in between.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    after: Option<&'a str>,
    at: UnixMs,
    event: String,
    /// JSON data, `null` included, or `base64`.
    #[serde(borrow, default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    spread: bool,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

pub(super) fn key_of(channel: &str, seq: u64) -> String {
    format!("{HISTORY_PREFIX}{channel}{SEPARATOR}{seq:0SEQ_DIGITS$x}")
}

/// A gap behind the entry with this number, and what stores it.
pub(super) fn gap_behind(channel: &str, last: u64) -> (HistoryGap, HistoryWrite) {
    let (seq, key) = (last + 1, key_of(channel, last + 1));
    let gap = HistoryGap { seq, bytes: key.len() + GAP.len() };
    (gap, HistoryWrite { key, value: Some(GAP.to_vec()), old_bytes: 0 })
}

/// What is stored of an entry. `is_anew` where the one before is stored under an epoch that is no longer its own.
pub(super) fn value_of(epochs: &HistoryEpochs, is_anew: bool, entry: &HistoryEntry) -> Vec<u8> {
    let epoch = &*epochs.current();
    let after = epochs.of(entry.seq - 1).map(|after| &**after).filter(|after| is_anew || *after != epoch);
    let Body { data, attachments, is_spread } = &entry.body;
    let (data, base64) = match data {
        // The host checked it where it came in.
        Payload::Json(json) => (serde_json::from_str(json.text()).ok(), None),
        Payload::Binary(bytes) => (None, Some(BASE64.encode(bytes))),
    };
    let attachments = attachments.iter().map(|bytes| BASE64.encode(bytes)).collect();
    let (event, spread) = (entry.event.clone(), *is_spread);
    let value = StoredValue { epoch, after, at: entry.at, event, data, base64, attachments, spread };
    serde_json::to_vec(&value).unwrap_or_default()
}

/// The stored history of one channel.
#[derive(Debug, Default)]
pub(super) struct StoredHistory {
    pub(super) epochs: HistoryEpochs,
    /// With consecutive numbers.
    pub(super) entries: Vec<HistoryEntry>,
    /// What lies behind the last of them.
    pub(super) gap: Option<HistoryGap>,
}

impl StoredHistory {
    /// What takes all of it from the storage, and forgets it.
    fn erase(&mut self, channel: &str) -> impl Iterator<Item = HistoryWrite> {
        let entries = self.entries.drain(..).map(|entry| (entry.seq, entry.stored_bytes));
        let gap = self.gap.take().map(|gap| (gap.seq, gap.bytes));
        entries.chain(gap).map(move |(seq, bytes)| HistoryWrite::erasing(key_of(channel, seq), bytes))
    }
}

/// The stored histories of a room.
#[derive(Debug, Default)]
pub struct StoredHistories {
    channels: BTreeMap<String, StoredHistory>,
    /// Keys that nobody can use: of an epoch that ended, or of a server that went on further.
    leftover: Vec<HistoryWrite>,
    /// Channels of which an entry cannot be read, or was not kept.
    damaged: HashSet<String>,
}

impl StoredHistories {
    /// Adds an entry of the room's storage; in the order of the keys.
    pub fn add(&mut self, key: &str, value: &[u8]) {
        let bytes = key.len() + value.len();
        let Some(KnownEntry { channel, after, epoch, entry }) = parse(key, value) else {
            return self.add_unreadable(key, bytes);
        };
        let entry = HistoryEntry { stored_bytes: bytes, ..entry };
        let known = self.channels.entry(channel.clone()).or_default();
        let follows = known.entries.last().is_some_and(|last| last.seq + 1 == entry.seq);
        if !follows {
            self.leftover.extend(known.erase(&channel));
        }
        if !follows || after.as_ref().is_some_and(|after| known.epochs.of(entry.seq - 1) != Some(after)) {
            known.epochs = HistoryEpochs::default();
            known.epochs.go_on(entry.seq - 1, after.as_ref().unwrap_or(&epoch));
        }
        known.epochs.go_on(entry.seq, &epoch);
        known.entries.push(entry);
    }

    /// Adds a key that holds no entry. Behind the last entry it stays, until an entry takes its place: however often the room
    /// opens before that, nobody knows what was said.
    fn add_unreadable(&mut self, key: &str, bytes: usize) {
        let found = channel_and_seq(key);
        self.damaged.extend(found.map(|(channel, _)| channel.to_owned()));
        let known = found.and_then(|(channel, seq)| Some((self.channels.get_mut(channel)?, seq)));
        match known {
            Some((known, seq)) if known.entries.last().is_some_and(|last| last.seq + 1 == seq) => {
                known.gap = Some(HistoryGap { seq, bytes });
            }
            _ => self.leftover.push(HistoryWrite::erasing(key.to_owned(), bytes)),
        }
    }

    /// From now on something may be said that is not kept. Answers what stores that.
    pub(super) fn begin_gaps(&mut self) -> impl Iterator<Item = HistoryWrite> {
        let whole = self.channels.iter_mut().filter(|(_, history)| history.gap.is_none());
        whole.filter_map(|(channel, history)| {
            let (gap, write) = gap_behind(channel, history.entries.last()?.seq);
            history.gap = Some(gap);
            Some(write)
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.channels.is_empty() && self.leftover.is_empty()
    }

    /// Whether an entry of the channel cannot be read, or was not kept. Another one gets its number, so positions have to begin anew.
    pub(super) fn is_damaged(&self, channel: &str) -> bool {
        self.damaged.contains(channel)
    }

    pub(super) fn take(&mut self, channel: &str) -> Option<StoredHistory> {
        self.channels.remove(channel)
    }

    /// What takes everything from the storage that is left here.
    pub(super) fn erased(self) -> impl Iterator<Item = HistoryWrite> {
        let entries = self.channels.into_iter().flat_map(|(channel, mut history)| {
            let erased: Vec<_> = history.erase(&channel).collect();
            erased
        });
        self.leftover.into_iter().chain(entries)
    }
}

fn channel_and_seq(key: &str) -> Option<(&str, u64)> {
    let (channel, seq) = key.strip_prefix(HISTORY_PREFIX)?.rsplit_once(SEPARATOR)?;
    // Numbers begin with 1.
    Some((channel, u64::from_str_radix(seq, 16).ok().filter(|seq| *seq > 0)?))
}

/// What the storage says of an entry.
struct KnownEntry {
    channel: String,
    /// The epoch of the entry before it, where it names that.
    after: Option<Arc<str>>,
    epoch: Arc<str>,
    entry: HistoryEntry,
}

fn parse(key: &str, value: &[u8]) -> Option<KnownEntry> {
    let (channel, seq) = channel_and_seq(key)?;
    let StoredValue { epoch, after, at, event, data, base64, attachments, spread } =
        serde_json::from_slice(value).ok()?;
    let data = match (data, base64) {
        (Some(data), None) => Payload::Json(Json::parse(data.get().to_owned()).ok()?),
        (None, Some(text)) => Payload::Binary(base64::decode(text.as_bytes())?),
        _ => return None,
    };
    let attachments =
        attachments.iter().map(|text| base64::decode(text.as_bytes()).map(Bytes::from)).collect::<Option<_>>()?;
    let body = Body { data, attachments, is_spread: spread };
    let entry = HistoryEntry { seq, at, event, body, stored_bytes: 0, held: HeldMemory::default() };
    Some(KnownEntry { channel: channel.to_owned(), after: after.map(Arc::from), epoch: epoch.into(), entry })
}
