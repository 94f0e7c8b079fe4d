//! The trial of a new version by a plugin's open rooms. Each room tries it and goes back by itself where it fails.
//! Where too many rooms go back, the verdict is that the whole plugin has to.

use std::collections::VecDeque;
use std::slice;
use std::sync::Arc;

use crate::model::names::PluginKey;
use crate::model::visitor::{Visitor, unrelated};

/// At least so many rooms (or all, where there are fewer) must go back before their plugin does: a few rooms may have
/// met one client that knows how to crash them. Rooms that go back in events of one client count as one.
const ROOMS_OF_VERDICT: usize = 5;
/// Events alone condemn a version only where they are of so many clients.
const CLIENTS_OF_VERDICT: usize = 2;
/// How many clients are remembered in whose events rooms went back.
const CLIENTS_KEPT: usize = 256;
/// How many condemned versions of a plugin are remembered: more than the host keeps to go back to.
const CONDEMNED_MAX: usize = 64;

/// A version that its plugin has to go back from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub plugin: PluginKey,
    pub version: String,
    pub why: String,
}

/// The current version on trial.
#[derive(Debug, Default)]
pub(super) struct SwapTrial {
    /// Rooms that were open when the version came.
    rooms: usize,
    stayed: usize,
    /// Rooms that went back because of their state or of nothing in particular.
    went_back: usize,
    /// The clients in whose events rooms went back.
    clients: VecDeque<Arc<Visitor>>,
    is_condemned: bool,
    /// Why the plugin has to go back; none again once somebody acts on it.
    verdict: Option<String>,
}

impl SwapTrial {
    /// The trial of a version that this many open rooms will try.
    pub(super) fn of(rooms: usize) -> Self {
        Self { rooms, ..Self::default() }
    }

    pub(super) fn stayed(&mut self) {
        self.stayed += 1;
    }

    /// Counts a room that went back. Says whether that one condemns the version, which happens once.
    pub(super) fn went_back(&mut self, why: &str, by: Option<Arc<Visitor>>) -> bool {
        match by {
            None => self.went_back += 1,
            Some(client) => {
                if self.clients.len() >= CLIENTS_KEPT {
                    self.clients.pop_front();
                }
                self.clients.push_back(client);
            }
        }
        let clients = unrelated(self.clients.iter().map(slice::from_ref));
        let back = self.went_back + clients;
        let tried = back + self.stayed;
        let least = if self.went_back == 0 { CLIENTS_OF_VERDICT } else { 1 };
        let enough = self.rooms.clamp(least, ROOMS_OF_VERDICT).max(tried.div_ceil(2));
        if self.is_condemned || back < enough {
            return false;
        }
        self.is_condemned = true;
        self.verdict = Some(format!("{back} of {tried} rooms went back, the last of them: {why}"));
        true
    }

    pub(super) fn take_verdict(&mut self) -> Option<String> {
        self.verdict.take()
    }
}

/// The versions that a verdict condemned: no room and no plugin goes back to one of them.
#[derive(Debug, Default)]
pub(super) struct Condemned(VecDeque<String>);

impl Condemned {
    pub(super) fn add(&mut self, version: &str) {
        self.forgive(version);
        if self.0.len() >= CONDEMNED_MAX {
            self.0.pop_front();
        }
        self.0.push_back(version.to_owned());
    }

    /// Takes a version out, because it is deployed anew.
    pub(super) fn forgive(&mut self, version: &str) {
        self.0.retain(|condemned| condemned != version);
    }

    pub(super) fn has(&self, version: &str) -> bool {
        self.0.iter().any(|condemned| condemned == version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many rooms that went back, of so many that were open, the version is condemned.
    fn back_until_condemned(rooms: usize, stayed: usize) -> Option<usize> {
        let mut trial = SwapTrial::of(rooms);
        (0..stayed).for_each(|_| trial.stayed());
        (1..=2 * rooms + 2 * stayed + 10).find(|_| trial.went_back("trap", None))
    }

    #[test]
    fn five_rooms_or_all_of_fewer_and_half_of_those_that_tried_condemn_a_version() {
        assert_eq!(back_until_condemned(0, 0), Some(1));
        assert_eq!(back_until_condemned(3, 0), Some(3));
        assert_eq!(back_until_condemned(100, 0), Some(5));
        assert_eq!(back_until_condemned(100, 8), Some(8));
    }

    #[test]
    fn rooms_that_go_back_in_events_of_one_client_are_one() {
        let client = |number: u32| {
            let address = std::net::Ipv4Addr::from_bits(number).into();
            Some(Arc::new(Visitor::new(Some(address), Some(format!("user {number}")))))
        };
        let mut trial = SwapTrial::of(100);
        assert!(!(0..50).any(|_| trial.went_back("trap", client(0))));
        assert!(!(1..4).any(|number| trial.went_back("trap", client(number))));
        assert!(trial.went_back("trap", client(4)));
        // Where there is one room, another client has to meet the fault as well.
        let mut alone = SwapTrial::of(1);
        assert!(!alone.went_back("trap", client(0)) && alone.went_back("trap", client(1)));
    }

    #[test]
    fn a_version_is_condemned_once() {
        let mut trial = SwapTrial::of(100);
        let condemned = (0..5).filter(|_| trial.went_back("trap", None)).count();
        (0..8).for_each(|_| trial.stayed());
        assert_eq!(condemned + (0..20).filter(|_| trial.went_back("trap", None)).count(), 1);
    }

    #[test]
    fn condemned_versions_have_a_bound_and_are_forgiven() {
        let mut condemned = Condemned::default();
        (0..=CONDEMNED_MAX).for_each(|number| condemned.add(&number.to_string()));
        assert!(!condemned.has("0") && condemned.has("1"));
        condemned.forgive("1");
        assert!(!condemned.has("1"));
    }
}
