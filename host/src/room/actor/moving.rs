//! How a room gives up its instance: it sleeps, or moves to another version.

use std::sync::Arc;

use serde_json::json;

use super::Room;
use crate::clock::unix_ms;
use crate::model::event::{Event, hook};
use crate::model::json::Json;
use crate::plugin::version::Plugin;
use crate::room::code::Suspended;

impl Room {
    /// Gives up the instance, after its `$suspend`. The next event makes another one. A checkpoint is the same, and ends a tape
    /// that is full.
    pub(super) async fn sleep(&mut self, is_checkpoint: bool) {
        if self.turns.code.is_awake() {
            let handed_over = self.suspend("sleep").await;
            self.turns.code.sleep(handed_over, is_checkpoint);
        }
    }

    /// Moves to another version, between two turns.
    pub(super) async fn swap(&mut self, plugin: Arc<Plugin>) {
        if plugin.version == self.turns.code.plugin().version {
            return self.turns.code.go_on_with(plugin);
        }
        let was_awake = self.turns.code.is_awake();
        let handed_over = if was_awake { self.suspend("swap").await } else { None };
        self.turns.code.move_to(plugin, handed_over);
        if was_awake {
            self.turns.make_ready().await;
        }
    }

    /// Runs `$suspend` and waits until nothing is pending. Answers the state for the next instance; none where
    /// `$suspend` gave none, or where its state rests on writes that failed.
    async fn suspend(&mut self, reason: &str) -> Option<Suspended> {
        let mut state = None;
        if self.turns.code.asks_for(hook::SUSPEND) {
            let payload = Json::of(&json!({ "reason": reason }));
            state = self.turns.give(Event::hook(hook::SUSPEND, Some(payload), None, unix_ms())).await;
        }
        self.turns.until_settled().await;
        let is_true = !self.turns.ledger.has_losses();
        self.turns.follow_losses().await;
        state.filter(|_| is_true).map(|state| self.turns.code.hand_over(state.data))
    }
}
