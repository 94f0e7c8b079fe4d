//! What a room asked its clients and they have not answered. It lives in memory as long as the room, so it outlives the
//! room's instances, as timers do.

use std::collections::BTreeMap;
use std::time::Duration;

use super::event::{AskId, SocketId};
use super::journal::{Journal, Mark};
use crate::clock::Instant;

/// One ask of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The name of the event that the answer raises.
    pub name: String,
    /// The socket whose event asked; none where no client's event did.
    pub set_by: Option<SocketId>,
    /// How long the client has, from the end of the turn that asks.
    pub timeout: Duration,
}

/// Which ask: the socket that is asked, and the number.
pub type AskKey = (SocketId, AskId);

/// All asks of a room that nobody answered yet. A journal notes which were added: an ask that is over never comes back,
/// whatever becomes of its turn.
#[derive(Debug, Default)]
pub struct Asks {
    asks: BTreeMap<AskKey, (Ask, Option<Instant>)>,
    /// The last number. It only grows, also where a turn is undone.
    last: AskId,
    /// When the earliest ask times out: the room asks before each mail.
    next: Option<Instant>,
    journal: Journal<AskKey>,
}

impl Asks {
    pub fn len(&self) -> usize {
        self.asks.len()
    }

    pub fn is_empty(&self) -> bool {
        self.asks.is_empty()
    }

    /// How many asks a socket has not answered.
    pub fn of_socket(&self, socket: SocketId) -> usize {
        self.asks.range((socket, 0)..=(socket, AskId::MAX)).count()
    }

    /// When the earliest ask times out.
    pub fn next_due(&self) -> Option<Instant> {
        self.next
    }

    /// Adds an ask. Its time begins with [`Asks::start`].
    pub fn add(&mut self, socket: SocketId, ask: Ask) -> AskKey {
        self.last += 1;
        let key = (socket, self.last);
        self.asks.insert(key, (ask, None));
        self.journal.note(key);
        key
    }

    /// The turn that asked ends: the time of its asks begins.
    pub fn start(&mut self, asked: &[AskKey], now: Instant) {
        for key in asked {
            if let Some((ask, due)) = self.asks.get_mut(key) {
                let ends = now + ask.timeout;
                *due = Some(ends);
                self.next = Some(self.next.map_or(ends, |next| next.min(ends)));
            }
        }
    }

    /// Takes out an ask: it is over.
    pub fn take(&mut self, key: AskKey) -> Option<Ask> {
        let (ask, due) = self.asks.remove(&key)?;
        if due == self.next {
            self.next = self.asks.values().filter_map(|(_, due)| *due).min();
        }
        Some(ask)
    }

    /// Takes out the ask that timed out first, if one did.
    pub fn take_due(&mut self, now: Instant) -> Option<(SocketId, Ask)> {
        let due = self.next.filter(|due| *due <= now)?;
        let key = *self.asks.iter().find(|(_, (_, other))| *other == Some(due))?.0;
        Some((key.0, self.take(key)?))
    }

    /// Takes out the first ask of a socket, which is gone.
    pub fn take_of(&mut self, socket: SocketId) -> Option<Ask> {
        let key = *self.asks.range((socket, 0)..=(socket, AskId::MAX)).next()?.0;
        self.take(key)
    }

    pub fn mark(&self) -> Mark {
        self.journal.mark()
    }

    pub fn make_final(&mut self, before: Mark) {
        self.journal.make_final(before);
    }

    pub fn roll_back(&mut self, to: Mark) {
        while let Some(key) = self.journal.take_back(to) {
            self.take(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(name: &str, ms: u64) -> Ask {
        Ask { name: name.to_owned(), set_by: None, timeout: Duration::from_millis(ms) }
    }

    #[test]
    fn a_failed_turn_asked_nobody_and_its_numbers_never_come_back() {
        let mut asks = Asks::default();
        let first = asks.add(1, ask("a", 9));
        asks.start(&[first], Instant::now());
        let (mark, due) = (asks.mark(), asks.next_due());
        let lost = asks.add(1, ask("b", 1));
        asks.start(&[lost], Instant::now());
        assert_eq!(asks.of_socket(1), 2);
        asks.roll_back(mark);
        assert_eq!((asks.of_socket(1), asks.len(), asks.next_due()), (1, 1, due));
        assert_eq!(asks.take(lost), None);
        assert!(asks.add(1, ask("c", 1)).1 > lost.1);
    }

    #[test]
    fn what_is_over_stays_over_when_its_turn_is_undone() {
        let mut asks = Asks::default();
        let (mark, key) = (asks.mark(), asks.add(1, ask("a", 1)));
        asks.start(&[key], Instant::now());
        assert_eq!(asks.take((2, key.1)), None);
        assert_eq!(asks.take(key), Some(ask("a", 1)));
        asks.roll_back(mark);
        assert_eq!((asks.take(key), asks.next_due()), (None, None));
    }

    #[test]
    fn the_earliest_times_out_first_and_once() {
        let (start, mut asks) = (Instant::now(), Asks::default());
        let keys = [(1, "late", 9), (1, "second", 2), (2, "first", 1)]
            .map(|(socket, name, ms)| asks.add(socket, ask(name, ms)));
        // Their time does not begin before the turn ends.
        assert_eq!(asks.take_due(start + Duration::from_secs(9)), None);
        asks.start(&keys, start);
        let now = start + Duration::from_millis(5);
        let taken = std::iter::from_fn(|| asks.take_due(now)).map(|(socket, ask)| (socket, ask.name));
        assert_eq!(taken.collect::<Vec<_>>(), [(2, "first".to_owned()), (1, "second".to_owned())]);
        assert_eq!(asks.next_due(), Some(start + Duration::from_millis(9)));
    }

    #[test]
    fn who_leaves_takes_its_own_asks_along() {
        let mut asks = Asks::default();
        for (socket, name) in [(1, "a"), (2, "b"), (1, "c")] {
            asks.add(socket, ask(name, 1));
        }
        let taken: Vec<String> = std::iter::from_fn(|| asks.take_of(1)).map(|ask| ask.name).collect();
        assert_eq!((taken, asks.len()), (vec!["a".to_owned(), "c".to_owned()], 1));
    }
}
