//! Who came and went lately in a room. When the room's code faults, it may be the work of any of them: what they sent
//! shaped what the code works on.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::event::SocketId;
use crate::model::visitor::Visitor;

/// So many comings and goings are remembered.
const KEPT: usize = 32;

/// The visitors of a room: the latest at the end.
#[derive(Debug, Default)]
pub(super) struct Visitors(VecDeque<(SocketId, Arc<Visitor>)>);

impl Visitors {
    /// Notes that a visitor came, or went.
    pub(super) fn note(&mut self, socket: SocketId, visitor: &Arc<Visitor>) {
        self.0.retain(|(known, _)| *known != socket);
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back((socket, Arc::clone(visitor)));
    }

    /// Who was behind a socket.
    pub(super) fn of(&self, socket: SocketId) -> Option<&Arc<Visitor>> {
        self.0.iter().find(|(known, _)| *known == socket).map(|(_, visitor)| visitor)
    }

    /// Everybody who came or went lately.
    pub(super) fn suspects(&self) -> Vec<Arc<Visitor>> {
        self.0.iter().map(|(_, visitor)| Arc::clone(visitor)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_remembered() {
        let mut visitors = Visitors::default();
        let visitor = |user: u32| Arc::new(Visitor::new(None, Some(user.to_string())));
        for socket in 0..KEPT as u32 {
            visitors.note(socket, &visitor(socket));
        }
        // Who goes counts as late as who came last.
        visitors.note(0, &visitor(0));
        visitors.note(100, &visitor(100));
        assert_eq!(visitors.suspects().len(), KEPT);
        assert_eq!(visitors.of(0).unwrap().user(), Some("0"));
        assert!(visitors.of(1).is_none() && visitors.of(100).is_some());
    }
}
