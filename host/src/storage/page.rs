//! Reads that stop at their bounds: a backend copies no more than it was asked for, whatever a room stores.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::model::names::{RESERVED_KEYS, RESERVED_KEYS_END};

/// A key with its value.
pub type StoredEntry = (String, Vec<u8>);

/// How much one read of a range takes at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageBounds {
    pub entries: usize,
    /// The page ends behind the entry with which it passes these bytes of keys and values.
    pub bytes: usize,
}

/// A part of a range, in ascending order of the keys' bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredPage {
    pub entries: Vec<StoredEntry>,
    /// Whether nothing of the range comes behind it. Where it ended at a bound, something may.
    pub is_last: bool,
}

impl StoredPage {
    /// Cuts the page before the keys that are the host's own. Answers how much is then to be read behind them, from
    /// `RESERVED_KEYS_END` on; none where the page is whole.
    pub fn leave_out_reserved(&mut self, prefix: &str, bounds: PageBounds) -> Option<PageBounds> {
        let own = self.entries.iter().position(|(key, _)| key.starts_with(RESERVED_KEYS))?;
        self.entries.truncate(own);
        // Behind the host's keys come others only where the prefix is not one of the host's.
        self.is_last = !RESERVED_KEYS_END.starts_with(prefix);
        (!self.is_last).then(|| PageBounds { entries: bounds.entries - own, ..bounds })
    }

    /// Adds the page that follows.
    pub fn append(&mut self, next: Self) {
        self.entries.extend(next.entries);
        self.is_last = next.is_last;
    }

    /// Takes entries in their order, and none behind the one that reaches a bound.
    pub fn take<E>(mut range: impl Iterator<Item = Result<StoredEntry, E>>, bounds: PageBounds) -> Result<Self, E> {
        let (mut page, mut bytes) = (Self::default(), 0);
        while page.entries.len() < bounds.entries && bytes <= bounds.bytes {
            let Some(entry) = range.next() else {
                page.is_last = true;
                break;
            };
            let (key, value) = entry?;
            bytes += key.len() + value.len();
            page.entries.push((key, value));
        }
        Ok(page)
    }
}

/// Takes values in the order of their keys, and none behind the one with which they pass so many bytes.
pub fn take_values<E>(
    values: impl Iterator<Item = Result<Option<Vec<u8>>, E>>,
    bytes_max: usize,
) -> Result<Vec<Option<Vec<u8>>>, E> {
    let (mut taken, mut bytes) = (Vec::new(), 0);
    for value in values {
        let value = value?;
        bytes += value.as_ref().map_or(0, Vec::len);
        taken.push(value);
        if bytes > bytes_max {
            break;
        }
    }
    Ok(taken)
}

/// The part of a map whose keys begin with `prefix` and come behind `after`.
pub fn range_of<'a, V>(
    map: &'a BTreeMap<String, V>,
    prefix: &'a str,
    after: Option<&'a str>,
) -> impl Iterator<Item = (&'a String, &'a V)> {
    let start = match after {
        Some(after) if after >= prefix => Bound::Excluded(after),
        _ => Bound::Included(prefix),
    };
    map.range::<str, _>((start, Bound::Unbounded)).take_while(move |(key, _)| key.starts_with(prefix))
}
