//! Registration of what says whether a plugin's own invariants hold.

use crate::{Actor, Handler, Outcome, Room, hooks::hook};

impl Room {
    /// Calls `handler` after each step of `parlor simulate`, and never in a server: an error says that something does not hold
    /// which must hold between any two turns, and the simulation finds the shortest way there. It should look and change nothing.
    ///
    /// ```
    /// use parlor_guest::prelude::*;
    ///
    /// fn auction(room: &mut Room) {
    ///     room.on_check(|actor| {
    ///         let sold = actor.storage().get::<bool>("sold")?.unwrap_or(false);
    ///         let rings = actor.alarm().get()?.is_some();
    ///         if sold && rings { Err(Error::new("auction.rings", "it is sold, and its alarm is set")) } else { Ok(()) }
    ///     });
    /// }
    /// ```
    pub fn on_check<F, R>(&self, mut handler: F) -> Handler
    where
        F: FnMut(&Actor) -> R + 'static,
        R: Outcome,
    {
        self.add(hook::CHECK, move |ctx| handler(ctx.actor()).into_handled())
    }
}
