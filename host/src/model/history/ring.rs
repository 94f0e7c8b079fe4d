//! The history of one channel. Its entries have consecutive numbers up to that of the last.

use std::collections::VecDeque;
use std::sync::Arc;

use super::entry::{HeldMemory, HistoryEntry};
use super::epochs::HistoryEpochs;
use super::position::HistoryPosition;
use super::stored::{StoredHistory, gap_behind, key_of, value_of};
use super::terms::{HistoryBounds, HistoryGap, HistoryKeep, HistoryWrite};
use crate::model::body::Body;
use crate::model::effect::UnixMs;

/// A part of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPage {
    pub(super) epochs: Arc<HistoryEpochs>,
    /// Whether nothing is missing between the position that was asked for and the first entry.
    pub recovered: bool,
    /// The oldest first.
    pub entries: Vec<Arc<HistoryEntry>>,
}

impl HistoryPage {
    /// The position of one of its entries.
    pub fn position(&self, entry: &HistoryEntry) -> HistoryPosition {
        self.epochs.position(entry.seq)
    }

    /// The first of the entries, up to the bounds; at least one.
    pub(super) fn first(mut self, entries: usize, bytes: usize) -> Self {
        let mut taken = 0;
        let fits = self.entries.iter().take(entries).enumerate().take_while(|(place, entry)| {
            taken += entry.bytes();
            taken <= bytes || *place == 0
        });
        let count = fits.count();
        self.entries.truncate(count);
        self
    }

    /// The last of the channel's entries, as many as fit into so many bytes of a frame. Where that leaves some out, something is missing.
    pub(super) fn last(mut self, channel: &str, bytes: usize) -> Self {
        let mut taken = 0;
        let fits = self.entries.iter().rev().take_while(|entry| {
            taken += entry.frame_bytes(channel);
            taken <= bytes
        });
        let left_out = self.entries.len() - fits.count();
        self.entries.drain(..left_out);
        self.recovered &= left_out == 0;
        self
    }
}

#[derive(Debug)]
pub(super) struct HistoryRing {
    pub(super) keep: HistoryKeep,
    /// Whether the word before may come back, which may have wanted more: then only the bytes end entries.
    pub(super) is_provisional: bool,
    epochs: Arc<HistoryEpochs>,
    /// The number of the last entry, kept or not; 0 before the first.
    last: u64,
    /// The number of the last entry that the storage knows by another epoch, or behind which something is missing.
    renewed: u64,
    /// The last gap that the storage was told of; an entry may have taken its place since.
    gap: Option<HistoryGap>,
    entries: VecDeque<Arc<HistoryEntry>>,
    bytes: usize,
}

impl HistoryRing {
    pub(super) fn new(keep: HistoryKeep, epoch: Arc<str>) -> Self {
        let epochs = Arc::new(HistoryEpochs::new(epoch));
        let entries = VecDeque::new();
        Self { keep, is_provisional: false, epochs, last: 0, renewed: 0, gap: None, entries, bytes: 0 }
    }

    /// The ring whose entries are in the room's storage. What is said from now on is of this epoch.
    pub(super) fn of_stored(keep: HistoryKeep, stored: StoredHistory, epoch: Arc<str>, bounds: &HistoryBounds) -> Self {
        let mut ring = Self { gap: stored.gap, ..Self::new(keep, Arc::clone(&epoch)) };
        for mut entry in stored.entries {
            entry.hold(bounds.memory.as_ref());
            ring.last = entry.seq;
            ring.bytes += entry.bytes();
            ring.entries.push_back(Arc::new(entry));
        }
        let mut epochs = stored.epochs;
        epochs.doubt_what_was_early(&epoch);
        epochs.go_on(ring.last + 1, &epoch);
        ring.epochs = Arc::new(epochs);
        ring
    }

    /// Gives all entries, and those that follow, another epoch: no position that anybody heard names one of them.
    pub(super) fn renew(&mut self, epoch: Arc<str>) {
        self.epochs = Arc::new(HistoryEpochs::new(epoch));
        self.renewed = self.last;
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn position(&self) -> HistoryPosition {
        self.epochs.position(self.last)
    }

    /// The entry that says this now, and what the room's storage gets with it.
    pub(super) fn saying(
        &self,
        event: &str,
        body: &Body,
        now: UnixMs,
        bounds: &HistoryBounds,
    ) -> (HistoryEntry, Vec<HistoryWrite>) {
        let mut entry = HistoryEntry {
            seq: self.last + 1,
            at: now,
            event: event.to_owned(),
            body: body.clone(),
            stored_bytes: 0,
            held: HeldMemory::default(),
        };
        let mut writes = Vec::new();
        if self.keep.durable {
            let is_anew = self.renewed > 0 && entry.seq == self.renewed + 1;
            let value = value_of(&self.epochs, is_anew, &entry);
            let key = key_of(&self.keep.channel, entry.seq);
            entry.stored_bytes = key.len() + value.len();
            let old_bytes = self.gap_at(entry.seq).map_or(0, |gap| gap.bytes);
            writes.push(HistoryWrite { key, value: Some(value), old_bytes });
            writes.extend(self.entries.iter().take(self.evicted_by(&entry, bounds)).map(|old| self.erasing(old)));
        }
        (entry, writes)
    }

    /// The gap that the storage holds in the place of this entry.
    fn gap_at(&self, seq: u64) -> Option<HistoryGap> {
        self.gap.filter(|gap| gap.seq == seq)
    }

    /// From now on something may be said that is not kept: whoever opens the room next has to know that. Answers what stores it.
    pub(super) fn begin_gap(&mut self) -> Option<HistoryWrite> {
        let has_none = self.keep.durable && !self.entries.is_empty() && self.gap_at(self.last + 1).is_none();
        has_none.then(|| {
            let (gap, write) = gap_behind(&self.keep.channel, self.last);
            self.gap = Some(gap);
            write
        })
    }

    /// How many of the oldest entries go for this one.
    fn evicted_by(&self, entry: &HistoryEntry, bounds: &HistoryBounds) -> usize {
        let mut bytes = self.bytes + entry.bytes();
        let goes = |(place, old): &(usize, &Arc<HistoryEntry>)| {
            let is_too_much = bytes > bounds.bytes;
            bytes -= old.bytes();
            let is_unwanted = self.entries.len() + 1 - place > self.keep.entries || self.is_over(old, entry.at);
            is_too_much || (is_unwanted && !self.is_provisional)
        };
        self.entries.iter().enumerate().take_while(goes).count()
    }

    fn is_over(&self, entry: &HistoryEntry, now: UnixMs) -> bool {
        u128::from(now.saturating_sub(entry.at)) > self.keep.ttl.as_millis()
    }

    /// Adds an entry. Says whether it found a place in memory, and which entries went for it.
    pub(super) fn push(&mut self, mut entry: HistoryEntry, bounds: &HistoryBounds) -> (bool, Vec<Arc<HistoryEntry>>) {
        let goes = self.evicted_by(&entry, bounds);
        let mut evicted: Vec<_> = self.entries.drain(..goes).collect();
        self.last = entry.seq;
        let fits = entry.stored_bytes > 0 || entry.bytes() <= bounds.bytes;
        let kept = fits && entry.hold(bounds.memory.as_ref());
        if kept {
            self.bytes += entry.bytes();
            self.entries.push_back(Arc::new(entry));
        } else {
            // The entries are consecutive: one that is missing ends what was kept before it.
            evicted.extend(self.entries.drain(..));
        }
        self.bytes -= evicted.iter().map(|old| old.bytes()).sum::<usize>();
        (kept, evicted)
    }

    /// Takes the last entry back.
    pub(super) fn unsay(&mut self, kept: bool, evicted: Vec<Arc<HistoryEntry>>) {
        if kept && let Some(entry) = self.entries.pop_back() {
            self.bytes -= entry.bytes();
        }
        self.last -= 1;
        for old in evicted.into_iter().rev() {
            self.bytes += old.bytes();
            self.entries.push_front(old);
        }
    }

    /// All that is kept behind a position.
    pub(super) fn read(&self, after: Option<&str>, now: UnixMs) -> HistoryPage {
        let too_many = self.entries.len().saturating_sub(self.keep.entries);
        let live = self.entries.iter().skip(too_many).skip_while(|entry| self.is_over(entry, now));
        let entries: Vec<_> = live.cloned().collect();
        let first = entries.first().map_or(self.last + 1, |entry| entry.seq);
        let epochs = Arc::clone(&self.epochs);
        let Some(after) = after else { return HistoryPage { epochs, recovered: true, entries } };
        match epochs.seq_in(after).filter(|seq| *seq <= self.last) {
            Some(seq) => {
                let recovered = first <= seq + 1;
                let entries = entries.into_iter().filter(|entry| entry.seq > seq).collect();
                HistoryPage { epochs, recovered, entries }
            }
            None => HistoryPage { epochs, recovered: false, entries },
        }
    }

    fn erasing(&self, entry: &HistoryEntry) -> HistoryWrite {
        HistoryWrite::erasing(key_of(&self.keep.channel, entry.seq), entry.stored_bytes)
    }

    /// What takes all entries from the room's storage.
    pub(super) fn erased(&self) -> impl Iterator<Item = HistoryWrite> {
        let gap = self.gap_at(self.last + 1);
        let gap = gap.map(|gap| HistoryWrite::erasing(key_of(&self.keep.channel, gap.seq), gap.bytes));
        self.entries.iter().map(|entry| self.erasing(entry)).chain(gap)
    }
}
