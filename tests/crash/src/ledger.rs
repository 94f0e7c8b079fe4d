//! What must be in a room's ledger, from what was sent and what any client saw of it.
//!
//! The entries of a ledger are in an order, that of their turns; an answer names how many there were (`count`) and what
//! they come to (`total`). So each answer is a claim about a prefix, and all claims of all clients must fit together.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::id::Id;
use crate::seen::{Checked, Ends, Losses, Seen, expect, shown};

/// A room's ledger, as it was told.
#[derive(Debug, Default)]
pub struct Ledger {
    relaxed: bool,
    /// All that was sent, and whether more than once.
    sent: HashMap<Id, bool>,
    /// The least count that was told with an id.
    heard: HashMap<Id, u64>,
    /// What was told of each prefix, by its count.
    told: BTreeMap<u64, Told>,
}

#[derive(Debug)]
struct Told {
    total: i64,
    /// The last entry of the prefix, where it is known.
    last: Option<Id>,
    /// None once it was found stored after a restart.
    seen: Option<Seen>,
}

/// What an audit said: sums that are kept, and the same from the entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    pub total: i64,
    pub count: u64,
    pub entries: i64,
    pub ids: u64,
    pub ids_hash: String,
}

impl Ledger {
    pub fn new(relaxed: bool) -> Self {
        Self { relaxed, ..Self::default() }
    }

    /// An id is about to be sent.
    pub fn sends(&mut self, id: Id) {
        self.sent.entry(id).and_modify(|again| *again = true).or_insert(false);
    }

    /// Whether an id was sent more than once.
    pub fn is_again(&self, id: Id) -> bool {
        self.sent.get(&id).copied().unwrap_or(false)
    }

    /// What was sent and nobody heard of.
    pub fn unheard(&self) -> Vec<Id> {
        let mut ids: Vec<Id> = self.sent.keys().filter(|id| !self.heard.contains_key(id)).copied().collect();
        ids.sort_unstable();
        ids
    }

    /// A client saw `added`.
    pub fn added(&mut self, id: Id, total: i64, count: u64, seen: Seen) -> Checked {
        let Some(&again) = self.sent.get(&id) else {
            return expect(false, || "only ids that were sent".to_owned(), || format!("added {id}"));
        };
        let first = *self.heard.entry(id).or_insert(count);
        // Who sends again is told what there is now.
        let fits = if again { count >= first } else { count == first };
        expect(fits, || format!("{id} at the count {first}, as it was told"), || format!("at {count}"))?;
        self.tell(count, total, (!again).then_some(id), seen)
    }

    /// A client saw an audit; its two sides must agree.
    pub fn audited(&mut self, audit: &Audit, seen: Seen) -> Checked {
        whole(audit)?;
        self.tell(audit.count, audit.total, None, seen)
    }

    fn tell(&mut self, count: u64, total: i64, last: Option<Id>, seen: Seen) -> Checked {
        let told = self.told.entry(count).or_insert(Told { total, last, seen: Some(seen) });
        let was = told.total;
        expect(was == total, || format!("the total {was} at the count {count}, as it was told"), || shown(&total))?;
        if let (Some(one), Some(other)) = (told.last, last) {
            expect(one == other, || format!("{one} at the count {count}"), || format!("{other} at the same count"))?;
        }
        told.last = told.last.or(last);
        let last = told.last;
        if let Some((before, told)) = self.told.range(..count).next_back() {
            steps((*before, told.total), (count, total), last)?;
        }
        if let Some((after, told)) = self.told.range(count + 1..).next() {
            steps((count, total), (*after, told.total), told.last)?;
        }
        Ok(())
    }

    /// What is stored after a restart, before anything more is sent: an audit, and all ids in their order.
    pub fn stored(&mut self, audit: &Audit, ids: &[String], ends: &Ends) -> Checked<Losses> {
        whole(audit)?;
        let stored = self.known(audit, ids)?;
        let mut losses = Losses::default();
        let found = || format!("only {} entries", audit.count);
        for (count, told) in self.told.split_off(&(audit.count + 1)) {
            let what = || match told.last {
                Some(id) => format!("{id}, the entry of the count {count},"),
                None => format!("the entry of the count {count}"),
            };
            losses.lose(self.relaxed, told.seen, ends, what, found)?;
        }
        for (&id, &count) in &self.heard {
            let (there, must) = (stored.contains(&id), count <= audit.count);
            let may = must || self.sent.get(&id).copied().unwrap_or(false);
            let told = || format!("{id}, which was told at the count {count}");
            expect(there || !must, || format!("{} to be stored", told()), || format!("{} ids without it", ids.len()))?;
            expect(!there || may, || format!("{} to be lost with that count", told()), || "it is stored".to_owned())?;
        }
        self.heard.retain(|_, count| *count <= audit.count);
        in_order(&stored, &self.sent)?;
        let now = Seen { at: std::time::Instant::now(), life: 0 };
        self.tell(audit.count, audit.total, None, now)?;
        // From here on it is known to have been on the disk.
        self.told.values_mut().for_each(|told| told.seen = None);
        Ok(losses)
    }

    /// The ids, once each was sent, none is there twice, and they come to what the audit says.
    fn known(&self, audit: &Audit, ids: &[String]) -> Checked<HashSet<Id>> {
        let rising = ids.windows(2).all(|pair| pair[0] < pair[1]);
        expect(rising, || "every id once, in the order of the bytes".to_owned(), || shown(&ids))?;
        let mut stored = HashSet::with_capacity(ids.len());
        for text in ids {
            match Id::parse(text).filter(|id| self.sent.contains_key(id)) {
                Some(id) => stored.insert(id),
                None => {
                    return expect(false, || "only ids that were sent".to_owned(), || text.clone()).map(|()| stored);
                }
            };
        }
        let sum: i64 = stored.iter().map(|id| id.amount()).sum();
        let (number, hash) = (ids.len() as u64, hash(ids));
        let listed = (audit.total, audit.count, audit.ids_hash.clone());
        let computed = (sum, number, hash);
        expect(listed == computed, || format!("{computed:?}, as the ids come to"), || shown(audit))?;
        Ok(stored)
    }
}

/// A turn writes an entry, the total and the count, or nothing.
fn whole(audit: &Audit) -> Checked {
    let is_whole = audit.total == audit.entries && audit.count == audit.ids;
    expect(is_whole, || "total and count as the entries come to: no turn by half".to_owned(), || shown(audit))
}

/// Amounts are positive, and one entry adds its own.
fn steps(before: (u64, i64), after: (u64, i64), last: Option<Id>) -> Checked {
    let difference = after.1 - before.1;
    let (words, found) =
        (|| format!("a larger total at the larger count of {before:?} and {after:?}"), || shown(&after));
    expect(difference > 0, words, found)?;
    match last {
        Some(id) if after.0 == before.0 + 1 => {
            let amount = id.amount();
            expect(difference == amount, || format!("{id} to add {amount} to {before:?}"), || shown(&after))
        }
        _ => Ok(()),
    }
}

/// Of what one sender sent once, a part from the begin is stored.
fn in_order(stored: &HashSet<Id>, sent: &HashMap<Id, bool>) -> Checked {
    let mut last: HashMap<(u32, u32), u32> = HashMap::new();
    for id in stored.iter().filter(|id| sent.get(id) == Some(&false)) {
        let n = last.entry((id.life, id.sender)).or_default();
        *n = id.n.max(*n);
    }
    let missing =
        sent.keys().find(|id| !stored.contains(id) && last.get(&(id.life, id.sender)).is_some_and(|n| *n > id.n));
    let Some(missing) = missing else { return Ok(()) };
    let later = last[&(missing.life, missing.sender)];
    expect(
        false,
        || format!("{missing} to be stored before what was sent after it"),
        || format!("number {later} is, it is not"),
    )
}

/// FNV-1a of all ids, each with a line feed, as the guest makes it.
fn hash(ids: &[String]) -> String {
    let bytes = ids.iter().flat_map(|id| id.bytes().chain([b'\n']));
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}")
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
