//! Who is connected, as one instance remembers it.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use crate::{
    Event, Meta, SocketId,
    host::{sockets, types::Refusal},
};

/// Caches the metas of the sockets that caused turns, across turns: asking the host for one costs as much as the rest
/// of a small handler.
///
/// It is never stale. A socket's meta changes only through this instance's own calls, each of which goes through
/// [`Metas::changed`]: from there to the end of the turn the socket's entry is read anew and then dropped, whether the
/// turn commits or not. What stays is therefore always a committed value. Socket ids are never given twice.
#[derive(Default)]
pub(crate) struct Metas {
    known: RefCell<BTreeMap<SocketId, Rc<Meta>>>,
    changed: RefCell<BTreeSet<SocketId>>,
    follower: RefCell<Option<Rc<dyn Following>>>,
}

/// Who follows the sockets of channels: presence, where the room has it. Others import nothing for it.
pub(crate) trait Following {
    fn follow(&self, channel: &str);

    /// Begins the turn of an event.
    fn begin(&self, metas: &Metas, event: &Event) -> Result<(), Refusal>;

    /// A channel will have other sockets; each may, where none is named.
    fn touch(&self, metas: &Metas, channel: Option<&str>) -> Result<(), Refusal>;

    /// Tells of what has changed, at the end of a turn that went well so far.
    fn tell(&self, metas: &Metas) -> crate::Result;

    fn end(&self, failed: bool);
}

/// How many metas an instance caches before it empties the cache. With 4 KiB of fields each this takes 2 MiB of the
/// instance's memory at the worst, and usually some 100 KiB.
const METAS_KEPT: usize = 512;

impl Metas {
    pub(crate) fn get(&self, socket: SocketId) -> Result<Rc<Meta>, Refusal> {
        if let Some(meta) = self.known.borrow().get(&socket) {
            return Ok(Rc::clone(meta));
        }
        let meta = Rc::new(Meta::from_contract(sockets::get_meta(socket)?));
        let mut known = self.known.borrow_mut();
        if known.len() >= METAS_KEPT {
            known.clear();
        }
        known.insert(socket, Rc::clone(&meta));
        Ok(meta)
    }

    pub(crate) fn follower(&self) -> Option<Rc<dyn Following>> {
        self.follower.borrow().clone()
    }

    pub(crate) fn set_follower(&self, follower: Rc<dyn Following>) {
        *self.follower.borrow_mut() = Some(follower);
    }

    /// Tells who follows channels that a turn is about to change one, or any.
    pub(crate) fn touch(&self, channel: Option<&str>) -> Result<(), Refusal> {
        self.follower().map_or(Ok(()), |follower| follower.touch(self, channel))
    }

    /// Notes that this turn changed the socket's meta.
    pub(crate) fn changed(&self, socket: SocketId) {
        self.known.borrow_mut().remove(&socket);
        self.changed.borrow_mut().insert(socket);
    }

    pub(crate) fn end_turn(&self) {
        let mut changed = self.changed.borrow_mut();
        let mut known = self.known.borrow_mut();
        while let Some(socket) = changed.pop_first() {
            known.remove(&socket);
        }
    }
}
