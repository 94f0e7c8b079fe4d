//! The histories of the test room's channels.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use crate::{
    bindings::parlor::room::history::{Entry, Page},
    host::types::{Payload, Refusal},
};

use super::bounds::{self, exceeded, invalid};
use super::frame::frame;

/// What the plugin has kept of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keep {
    entries: usize,
    ttl_ms: u64,
    durable: bool,
}

#[derive(Debug, Clone)]
struct Said {
    seq: u64,
    at: f64,
    event: String,
    data: Payload,
    frame: Value,
}

#[derive(Debug, Clone)]
struct Ring {
    keep: Keep,
    epoch: u64,
    last: u64,
    said: VecDeque<Said>,
}

impl Ring {
    fn position(&self, seq: u64) -> String {
        format!("e{}.{seq}", self.epoch)
    }

    /// What is kept behind a position, and whether that is all.
    fn behind(&self, after: Option<&str>, now: f64) -> (impl Iterator<Item = &Said>, bool) {
        let too_many = self.said.len().saturating_sub(self.keep.entries);
        let live = || self.said.iter().skip(too_many).filter(move |said| !is_over(said, now, self.keep.ttl_ms));
        let first = live().next().map_or(self.last + 1, |said| said.seq);
        let known = after.and_then(|after| {
            let (epoch, seq) = after.rsplit_once('.')?;
            let seq = seq.parse::<u64>().ok().filter(|seq| *seq <= self.last)?;
            (epoch == format!("e{}", self.epoch)).then_some(seq)
        });
        let is_all = after.is_none() || known.is_some_and(|seq| first <= seq + 1);
        (live().filter(move |said| known.is_none_or(|seq| said.seq > seq)), is_all)
    }
}

fn is_over(said: &Said, now: f64, ttl_ms: u64) -> bool {
    now - said.at > ttl_ms as f64
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Histories {
    rings: BTreeMap<String, Ring>,
    /// What the `init` that runs asked for.
    wanted: Option<BTreeMap<String, Keep>>,
    epochs: u64,
}

impl Histories {
    /// An `init` begins.
    pub(crate) fn begin_init(&mut self) {
        self.wanted = Some(BTreeMap::new());
    }

    /// An `init` ended: what it asked for is kept, and nothing else.
    pub(crate) fn end_init(&mut self) {
        let wanted = self.wanted.take().unwrap_or_default();
        self.rings.retain(|channel, ring| wanted.get(channel).is_some_and(|keep| keep.durable == ring.keep.durable));
        for (channel, keep) in wanted {
            if let Some(ring) = self.rings.get_mut(&channel) {
                ring.keep = keep;
                continue;
            }
            self.epochs += 1;
            let ring = Ring { keep, epoch: self.epochs, last: 0, said: VecDeque::new() };
            self.rings.insert(channel, ring);
        }
    }

    /// The server starts anew: what was in memory is gone.
    pub(crate) fn restart(&mut self) {
        self.rings.retain(|_, ring| ring.keep.durable && ring.last > 0);
    }

    /// Whether the room's storage has anything of a history.
    pub(crate) fn are_stored(&self) -> bool {
        self.rings.values().any(|ring| ring.keep.durable && !ring.said.is_empty())
    }

    pub(crate) fn keep(&mut self, channel: &str, entries: u32, ttl_ms: u32, durable: bool) -> Result<(), Refusal> {
        let Some(wanted) = &mut self.wanted else { return Err(Refusal::NoTurn) };
        bounds::check_name("the channel", channel)?;
        if entries == 0 || ttl_ms == 0 {
            return Err(invalid("a history keeps 1 entry for 1 ms, or more"));
        }
        if entries > bounds::HISTORY_ENTRIES {
            return Err(exceeded("history-entries"));
        }
        if ttl_ms > bounds::HISTORY_TTL_MS {
            return Err(exceeded("history-ttl-ms"));
        }
        if wanted.len() >= bounds::HISTORY_CHANNELS && !wanted.contains_key(channel) {
            return Err(exceeded("history-channels"));
        }
        wanted.insert(channel.to_owned(), Keep { entries: entries as usize, ttl_ms: ttl_ms.into(), durable });
        Ok(())
    }

    /// Adds what is said to a channel, if that is kept. The frame then has its position.
    pub(crate) fn say(&mut self, channel: &str, event: &str, data: &Value, frame: &mut Value, now: f64) {
        let Some(ring) = self.rings.get_mut(channel) else { return };
        ring.last += 1;
        frame["at"] = json!(ring.position(ring.last));
        let said = Said {
            seq: ring.last,
            at: now,
            event: event.to_owned(),
            data: Payload::Json(data.to_string()),
            frame: frame.clone(),
        };
        ring.said.push_back(said);
        while ring.said.len() > ring.keep.entries || is_over(&ring.said[0], now, ring.keep.ttl_ms) {
            ring.said.pop_front();
        }
    }

    fn ring(&self, channel: &str) -> Result<&Ring, Refusal> {
        let why = || invalid(format!("the history of the channel {channel:?} is not kept: `keep` it in `init`"));
        self.rings.get(channel).ok_or_else(why)
    }

    pub(crate) fn read(&self, channel: &str, after: Option<&str>, limit: u32, now: f64) -> Result<Page, Refusal> {
        if !(1..=bounds::SCAN_ENTRIES).contains(&limit) {
            return Err(invalid(format!("limit must be 1 to {}, not {limit}", bounds::SCAN_ENTRIES)));
        }
        let ring = self.ring(channel)?;
        let (said, recovered) = ring.behind(after, now);
        let mut bytes = 0;
        let fits = said.take(limit as usize).enumerate().take_while(|(place, said)| {
            bytes += bounds::bytes(&said.data);
            *place == 0 || bytes <= bounds::SCAN_BYTES
        });
        let entry = |said: &Said| Entry {
            position: ring.position(said.seq),
            event: said.event.clone(),
            data: said.data.clone(),
            at: said.at,
        };
        Ok(Page { entries: fits.map(|(_, said)| entry(said)).collect(), recovered })
    }

    pub(crate) fn position(&self, channel: &str) -> Result<String, Refusal> {
        let ring = self.ring(channel)?;
        Ok(ring.position(ring.last))
    }

    /// What a client hears first that asks for what it missed of a channel.
    pub(crate) fn answer(&self, channel: &str, after: Option<&str>, now: f64) -> Value {
        let (frames, recovered) = match self.rings.get(channel) {
            Some(ring) => {
                let (said, is_all) = ring.behind(after, now);
                (said.map(|said| said.frame.clone()).collect(), is_all)
            }
            None => (Vec::new(), false),
        };
        json!({ "type": "history", "channel": channel, "recovered": recovered, "frames": frames })
    }
}

/// The channels that `?since=CHANNEL:POSITION` names, with the position that the client has; none for `0`.
pub(crate) fn since(values: Vec<String>) -> Vec<(String, Option<String>)> {
    let parts = values.into_iter().map(|value| match value.rsplit_once(':') {
        Some((channel, "0" | "")) => (channel.to_owned(), None),
        Some((channel, position)) => (channel.to_owned(), Some(position.to_owned())),
        None => (value, None),
    });
    parts.filter(|(channel, _)| !channel.is_empty()).collect()
}

/// Takes what a newcomer would hear twice: the history that it got ends with that.
pub(crate) fn without_doubles(frames: &mut Vec<Value>, channels: &[&str]) {
    frames.retain(|frame| frame["at"].is_null() || !frame["channel"].as_str().is_some_and(|it| channels.contains(&it)));
}

/// An emit of the room itself, such as one that it says to itself by its own id.
pub(crate) fn said_in(histories: &mut Histories, channel: &str, event: &str, data: &Value, now: f64) -> Value {
    let mut said = frame(channel, event, data.clone());
    histories.say(channel, event, data, &mut said, now);
    said
}
