//! What was said to channels lately: a ring of entries for each channel that the plugin has kept.
//!
//! A turn adds entries in place and notes what undoes that in a journal, as for all else that turns change. An entry of a
//! durable ring is in the turn's own batch as well, so that it is stored exactly if its emit leaves.

mod entry;
mod epochs;
mod position;
mod ring;
mod stored;
mod terms;

use std::sync::Arc;

use super::body::Body;
use super::effect::UnixMs;
use super::journal::{Journal, Mark};

pub use entry::HistoryEntry;
pub use epochs::epoch_of;
pub use position::HistoryPosition;
pub use ring::HistoryPage;
pub use stored::{HISTORY_PREFIX, StoredHistories};
pub use terms::{HistoryBounds, HistoryKeep, HistoryMemory, HistoryWrite};

use ring::HistoryRing;

/// What an answer says beside its channel and its entries.
const ANSWER_BYTES: usize = 64;

/// What a client that came back hears of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryAnswer {
    pub channel: String,
    pub page: HistoryPage,
}

impl HistoryAnswer {
    /// The answer where nothing is kept, or nothing of it is for the client.
    pub fn nothing(channel: &str) -> Self {
        let page = HistoryPage { epochs: Arc::default(), recovered: false, entries: Vec::new() };
        Self { channel: channel.to_owned(), page }
    }

    /// The most bytes that the answer takes in a client's frame.
    pub fn frame_bytes(&self) -> usize {
        let nothing = self.channel.len() + ANSWER_BYTES;
        nothing + self.page.entries.iter().map(|entry| entry.frame_bytes(&self.channel)).sum::<usize>()
    }
}

/// What undoes an entry.
#[derive(Debug)]
struct Unsay {
    channel: String,
    /// Whether it found a place in memory.
    kept: bool,
    /// The older entries that went for it, the oldest first.
    evicted: Vec<Arc<HistoryEntry>>,
}

/// The histories of a room's channels. Most rooms keep none, and then this is one word.
#[derive(Debug, Default)]
pub struct Histories(Option<Box<KeptHistories>>);

#[derive(Debug)]
struct KeptHistories {
    rings: Vec<HistoryRing>,
    aside: SetAside,
    bounds: HistoryBounds,
    journal: Journal<Unsay>,
}

/// What the plugin's last word does not name, while that word may be taken back.
#[derive(Debug, Default)]
struct SetAside {
    rings: Vec<HistoryRing>,
    /// What lies in the room's storage beside the rings.
    stored: StoredHistories,
}

impl SetAside {
    fn is_empty(&self) -> bool {
        self.rings.is_empty() && self.stored.is_empty()
    }
}

/// What an emit to a channel adds to its history, before that is done.
#[derive(Debug)]
pub struct Saying {
    channel: String,
    entry: HistoryEntry,
    /// What the room's storage gets with it.
    pub writes: Vec<HistoryWrite>,
}

impl Histories {
    /// Whether what is said to this channel is kept.
    pub fn keeps(&self, channel: &str) -> bool {
        self.ring(channel).is_some()
    }

    /// How the channels are kept.
    pub fn kept(&self) -> impl Iterator<Item = &HistoryKeep> {
        self.rings().iter().map(|ring| &ring.keep)
    }

    fn rings(&self) -> &[HistoryRing] {
        self.0.as_ref().map_or(&[], |kept| &kept.rings)
    }

    fn ring(&self, channel: &str) -> Option<&HistoryRing> {
        self.rings().iter().find(|ring| ring.keep.channel == channel)
    }

    /// From now on these channels are kept, and no others. What is kept of them already stays, even where this word wants
    /// fewer entries, until [`Histories::give_up_aside`]; the others' entries are set aside, and come back where the next word
    /// names their channels again. `stored` are the entries of the room's storage, where the room reads them now. Only while
    /// all turns are settled, since the journal begins anew.
    pub fn keep_only(
        &mut self,
        wanted: &[HistoryKeep],
        stored: Option<StoredHistories>,
        bounds: HistoryBounds,
        mut new_epoch: impl FnMut() -> Arc<str>,
    ) {
        let (mut before, mut aside) = self.0.take().map_or_else(Default::default, |kept| (kept.rings, kept.aside));
        let is_fresh = stored.is_some();
        aside.stored = stored.unwrap_or(aside.stored);
        let is_same = |ring: &HistoryRing, keep: &HistoryKeep| {
            (&ring.keep.channel, ring.keep.durable) == (&keep.channel, keep.durable)
        };
        let take = |rings: &mut Vec<HistoryRing>, keep: &HistoryKeep| {
            rings.iter().position(|ring| is_same(ring, keep)).map(|place| rings.swap_remove(place))
        };
        let mut rings = Vec::new();
        for keep in wanted {
            let known = take(&mut before, keep).or_else(|| {
                let mut ring = take(&mut aside.rings, keep)?;
                // What was said to the channel meanwhile is not in it.
                ring.renew(new_epoch());
                Some(ring)
            });
            let mut ring = known.unwrap_or_else(|| {
                let epoch = new_epoch();
                let Some(found) = keep.durable.then(|| aside.stored.take(&keep.channel)).flatten() else {
                    return HistoryRing::new(keep.clone(), epoch);
                };
                let mut ring = HistoryRing::of_stored(keep.clone(), found, Arc::clone(&epoch), &bounds);
                if !is_fresh || aside.stored.is_damaged(&keep.channel) {
                    ring.renew(epoch);
                }
                ring
            });
            ring.keep = keep.clone();
            ring.is_provisional = true;
            rings.push(ring);
        }
        aside.rings.extend(before);
        if !(rings.is_empty() && aside.is_empty()) {
            self.0 = Some(Box::new(KeptHistories { rings, aside, bounds, journal: Journal::default() }));
        }
    }

    /// What is said from now on to a channel whose entries are set aside is not kept, and the room may be opened next by whoever
    /// wants them back. Answers what tells the room's storage; once.
    pub fn begin_gaps_aside(&mut self) -> Vec<HistoryWrite> {
        let Some(SetAside { rings, stored }) = self.0.as_mut().map(|kept| &mut kept.aside) else { return Vec::new() };
        rings.iter_mut().filter_map(HistoryRing::begin_gap).chain(stored.begin_gaps()).collect()
    }

    /// The last word stands: gives up what is set aside. Answers what takes it from the storage. What the word does not want of
    /// the channels that it names goes with what is said to them next.
    pub fn give_up_aside(&mut self) -> Vec<HistoryWrite> {
        let Some(kept) = &mut self.0 else { return Vec::new() };
        kept.rings.iter_mut().for_each(|ring| ring.is_provisional = false);
        let SetAside { rings, stored } = std::mem::take(&mut kept.aside);
        if kept.rings.is_empty() {
            self.0 = None;
        }
        let of_rings = rings.iter().filter(|ring| ring.keep.durable).flat_map(HistoryRing::erased);
        of_rings.chain(stored.erased()).collect()
    }

    /// Forgets the rings that the room's storage holds as well.
    pub fn forget_durable(&mut self) {
        if let Some(kept) = &mut self.0 {
            kept.rings.retain(|ring| !ring.keep.durable);
            kept.aside.rings.retain(|ring| !ring.keep.durable);
        }
    }

    /// Gives all positions from now on another epoch: what clients heard of the last entries may not be what is kept.
    pub fn renew(&mut self, mut new_epoch: impl FnMut() -> Arc<str>) {
        for ring in self.0.iter_mut().flat_map(|kept| &mut kept.rings) {
            ring.renew(new_epoch());
        }
    }

    /// What it means for a channel's history to say this now; none where the channel is not kept.
    pub fn saying(&self, channel: &str, event: &str, body: &Body, now: UnixMs) -> Option<Saying> {
        let kept = self.0.as_ref()?;
        let ring = kept.rings.iter().find(|ring| ring.keep.channel == channel)?;
        let (entry, writes) = ring.saying(event, body, now, &kept.bounds);
        Some(Saying { channel: channel.to_owned(), entry, writes })
    }

    /// Adds an entry. Answers its position.
    pub fn say(&mut self, saying: Saying) -> Option<HistoryPosition> {
        let KeptHistories { rings, bounds, journal, .. } = self.0.as_deref_mut()?;
        let Saying { channel, entry, .. } = saying;
        let ring = rings.iter_mut().find(|ring| ring.keep.channel == channel)?;
        let (kept, evicted) = ring.push(entry, bounds);
        journal.note(Unsay { channel, kept, evicted });
        Some(ring.position())
    }

    /// The position of a channel's last entry.
    pub fn position(&self, channel: &str) -> Option<HistoryPosition> {
        self.ring(channel).map(HistoryRing::position)
    }

    /// The entries of a channel behind a position, the oldest first, up to the bounds; at least one where there is one.
    pub fn read(
        &self,
        channel: &str,
        after: Option<&str>,
        (entries, bytes): (usize, usize),
        now: UnixMs,
    ) -> Option<HistoryPage> {
        Some(self.ring(channel)?.read(after, now).first(entries, bytes))
    }

    /// What a client hears of a channel whose last position was `after`: where it missed more than so many bytes of
    /// a frame, the newest of it.
    pub fn answer(&self, channel: &str, after: Option<&str>, bytes: usize, now: UnixMs) -> HistoryAnswer {
        match self.ring(channel) {
            Some(ring) => {
                HistoryAnswer { channel: channel.to_owned(), page: ring.read(after, now).last(channel, bytes) }
            }
            None => HistoryAnswer::nothing(channel),
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.rings().iter().map(HistoryRing::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn mark(&self) -> Mark {
        self.0.as_ref().map_or(0, |kept| kept.journal.mark())
    }

    /// Makes all entries before a mark final.
    pub fn make_final(&mut self, before: Mark) {
        if let Some(kept) = &mut self.0 {
            kept.journal.make_final(before);
        }
    }

    /// Takes back all entries since a mark.
    pub fn roll_back(&mut self, to: Mark) {
        let Some(KeptHistories { rings, journal, .. }) = self.0.as_deref_mut() else { return };
        while let Some(Unsay { channel, kept, evicted }) = journal.take_back(to) {
            if let Some(ring) = rings.iter_mut().find(|ring| ring.keep.channel == channel) {
                ring.unsay(kept, evicted);
            }
        }
    }
}

#[cfg(test)]
mod tests;
