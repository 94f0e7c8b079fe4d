//! What becomes of a socket's line, for plugins that ask for it.

use super::Room;
use crate::clock::unix_ms;
use crate::model::event::{Event, SocketId};

impl Room {
    /// Tells a plugin that asks for it that a socket's line broke, or that its client came back.
    pub(super) async fn line_changed(&mut self, socket: SocketId) {
        let Some(news) = self.turns.people.news_of_line(socket) else { return };
        // First, so that a hook that nobody wants does not wake a room that sleeps.
        if self.turns.code.wants(news) && self.turns.make_ready().await && self.turns.code.asks_for(news) {
            self.turns.give(Event::hook(news, None, Some(socket), unix_ms())).await;
        }
    }
}
