//! How entries of a history lie in the room's storage: one key each, in a part that plugins neither read nor list.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use data_encoding::BASE64;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::entry::{HeldMemory, HistoryEntry};
use super::terms::HistoryWrite;
use crate::model::base64;
use crate::model::body::{Body, Payload};
use crate::model::effect::UnixMs;
use crate::model::json::Json;

/// What the keys of entries begin with. The number is the version of what follows: a channel, a separator, and the entry's
/// number in 16 digits of base 16.
pub const HISTORY_PREFIX: &str = "\0parlor/history/1/";
const SEPARATOR: char = '\0';
const SEQ_DIGITS: usize = 16;

/// The value of an entry's key.
#[derive(Serialize, Deserialize)]
struct StoredValue<'a> {
    epoch: &'a str,
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

pub(super) fn value_of(epoch: &str, entry: &HistoryEntry) -> Vec<u8> {
    let Body { data, attachments, is_spread } = &entry.body;
    let (data, base64) = match data {
        // The host checked it where it came in.
        Payload::Json(json) => (serde_json::from_str(json.text()).ok(), None),
        Payload::Binary(bytes) => (None, Some(BASE64.encode(bytes))),
    };
    let attachments = attachments.iter().map(|bytes| BASE64.encode(bytes)).collect();
    let value =
        StoredValue { epoch, at: entry.at, event: entry.event.clone(), data, base64, attachments, spread: *is_spread };
    serde_json::to_vec(&value).unwrap_or_default()
}

/// The stored history of one channel.
#[derive(Debug)]
pub(super) struct StoredHistory {
    pub(super) epoch: Arc<str>,
    /// With consecutive numbers.
    pub(super) entries: Vec<HistoryEntry>,
}

/// The stored histories of a room.
#[derive(Debug, Default)]
pub struct StoredHistories {
    channels: BTreeMap<String, StoredHistory>,
    /// Keys that nobody can use: of an epoch that ended, or of a server that went on further.
    leftover: Vec<HistoryWrite>,
    /// Channels of which an entry cannot be read.
    damaged: HashSet<String>,
}

impl StoredHistories {
    /// Adds an entry of the room's storage; in the order of the keys.
    pub fn add(&mut self, key: &str, value: &[u8]) {
        let bytes = key.len() + value.len();
        let Some((channel, epoch, entry)) = parse(key, value) else {
            self.damaged.extend(channel_and_seq(key).map(|(channel, _)| channel.to_owned()));
            return self.leftover.push(HistoryWrite::erasing(key.to_owned(), bytes));
        };
        let entry = HistoryEntry { stored_bytes: bytes, ..entry };
        let fresh = || StoredHistory { epoch: Arc::clone(&epoch), entries: Vec::new() };
        let known = self.channels.entry(channel.clone()).or_insert_with(fresh);
        let follows = known.entries.last().is_none_or(|last| last.seq + 1 == entry.seq);
        if !follows {
            let gone = known.entries.drain(..);
            let gone = gone.map(|old| HistoryWrite::erasing(key_of(&channel, old.seq), old.stored_bytes));
            self.leftover.extend(gone);
        }
        // The last epoch counts: an earlier one ended where it began, and the numbers went on.
        known.epoch = epoch;
        known.entries.push(entry);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.channels.is_empty() && self.leftover.is_empty()
    }

    /// Whether an entry of the channel cannot be read. Another one gets its number, so positions have to begin anew.
    pub(super) fn is_damaged(&self, channel: &str) -> bool {
        self.damaged.contains(channel)
    }

    pub(super) fn take(&mut self, channel: &str) -> Option<StoredHistory> {
        self.channels.remove(channel)
    }

    /// What takes everything from the storage that is left here.
    pub(super) fn erased(self) -> impl Iterator<Item = HistoryWrite> {
        let entries = self.channels.into_iter().flat_map(|(channel, history)| {
            let erasing = move |entry: HistoryEntry| (key_of(&channel, entry.seq), entry.stored_bytes);
            history.entries.into_iter().map(erasing).map(|(key, bytes)| HistoryWrite::erasing(key, bytes))
        });
        self.leftover.into_iter().chain(entries)
    }
}

fn channel_and_seq(key: &str) -> Option<(&str, u64)> {
    let (channel, seq) = key.strip_prefix(HISTORY_PREFIX)?.rsplit_once(SEPARATOR)?;
    Some((channel, u64::from_str_radix(seq, 16).ok()?))
}

fn parse(key: &str, value: &[u8]) -> Option<(String, Arc<str>, HistoryEntry)> {
    let (channel, seq) = channel_and_seq(key)?;
    let StoredValue { epoch, at, event, data, base64, attachments, spread } = serde_json::from_slice(value).ok()?;
    let data = match (data, base64) {
        (Some(data), None) => Payload::Json(Json::parse(data.get().to_owned()).ok()?),
        (None, Some(text)) => Payload::Binary(base64::decode(text.as_bytes())?),
        _ => return None,
    };
    let attachments =
        attachments.iter().map(|text| base64::decode(text.as_bytes()).map(Bytes::from)).collect::<Option<_>>()?;
    let body = Body { data, attachments, is_spread: spread };
    let entry = HistoryEntry { seq, at, event, body, stored_bytes: 0, held: HeldMemory::default() };
    Some((channel.to_owned(), epoch.into(), entry))
}
