//! What a test room asked its clients, and they have not answered.

use std::collections::BTreeMap;

use crate::{SocketId, host::types::Refusal};

use super::bounds;

/// The longest time that a client may have, in milliseconds.
const TIMEOUT_MS_MAX: u32 = 3_600_000;

#[derive(Debug, Clone)]
struct Ask {
    name: String,
    due: u64,
}

/// The asks of a room, by socket and number. A turn works on a copy, which replaces the original when it commits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asks {
    asks: BTreeMap<(SocketId, u64), Ask>,
    last: u64,
}

impl Asks {
    /// Adds an ask; returns its number.
    pub(crate) fn add(&mut self, socket: SocketId, name: &str, now: u64, timeout_ms: u32) -> Result<u64, Refusal> {
        bounds::check_name("an ask's name", name)?;
        if !(1..=TIMEOUT_MS_MAX).contains(&timeout_ms) {
            return Err(bounds::invalid(format!("an ask must time out after 1 to {TIMEOUT_MS_MAX} ms")));
        }
        if self.asks.len() >= bounds::ASKS_PER_ROOM {
            return Err(bounds::exceeded("asks-per-room"));
        }
        if self.of(socket).count() >= bounds::ASKS_PER_SOCKET {
            return Err(bounds::exceeded("asks-per-socket"));
        }
        self.last += 1;
        self.asks.insert((socket, self.last), Ask { name: name.to_owned(), due: now + u64::from(timeout_ms) });
        Ok(self.last)
    }

    /// The numbers of what a socket was asked, in the order in which it was.
    pub(crate) fn of(&self, socket: SocketId) -> impl Iterator<Item = u64> {
        self.asks.range((socket, 0)..=(socket, u64::MAX)).map(|((_, number), _)| *number)
    }

    /// When the first ask times out.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.asks.values().map(|ask| ask.due).min()
    }

    /// Takes out an ask; returns its name.
    pub(crate) fn take(&mut self, socket: SocketId, number: u64) -> Option<String> {
        self.asks.remove(&(socket, number)).map(|ask| ask.name)
    }

    /// Takes out the ask that timed out first.
    pub(crate) fn take_due(&mut self) -> Option<(SocketId, String)> {
        let key = *self.asks.iter().min_by_key(|(_, ask)| ask.due)?.0;
        Some((key.0, self.take(key.0, key.1)?))
    }

    /// A restart of the server forgets them all.
    pub(crate) fn clear(&mut self) {
        self.asks.clear();
    }
}
