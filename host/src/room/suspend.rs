//! How a room gives up its instance and goes on with another: it sleeps while nothing happens, and it moves to a new version
//! of its plugin. Sockets, meta, channels, storage, the alarm and timers stay; what the plugin hands over in `$suspend` goes
//! to the next instance.

use std::sync::Arc;

use serde_json::json;

use super::actor::Room;
use super::turns::RestoreReason;
use crate::clock::unix_ms;
use crate::model::event::{Event, Payload, hook};
use crate::model::json::Json;
use crate::plugin::version::Plugin;
use crate::tenant::Account;

/// What an instance handed over. It counts as memory of the tenant's for as long as it is kept.
pub(super) struct Suspended {
    state: Payload,
    account: Arc<Account>,
}

impl Suspended {
    fn keep(state: Payload, account: &Arc<Account>) -> Self {
        account.memory.add(state.bytes());
        Self { state, account: Arc::clone(account) }
    }

    /// The state, while this keeps it.
    pub(super) fn state(&self) -> Payload {
        self.state.clone()
    }
}

impl Drop for Suspended {
    fn drop(&mut self) {
        self.account.memory.give(self.state.bytes());
    }
}

/// A version that a room tries.
pub(super) struct Trial {
    /// What the room goes back to.
    before: Arc<Plugin>,
    /// Turns that have to go well before the room stays.
    turns_left: u32,
}

impl Room {
    /// Gives up the instance while nothing happens. The next event makes another.
    pub(super) async fn sleep(&mut self) {
        if self.instance.is_none() {
            return;
        }
        self.suspended = self.suspend("sleep").await;
        // What was lost meanwhile had its own reason.
        self.restore.get_or_insert(RestoreReason::Wake);
        self.drop_instance();
    }

    /// Moves to another version, between two turns.
    pub(super) async fn swap(&mut self, plugin: Arc<Plugin>) {
        if plugin.version == self.plugin.version {
            return self.go_on_with(plugin);
        }
        let was_awake = self.instance.is_some();
        if was_awake {
            self.suspended = self.suspend("swap").await;
        }
        // A room that nobody was in yet has nothing to rebuild.
        if was_awake || self.restore.is_some() {
            self.restore = Some(RestoreReason::Swap);
        }
        self.drop_instance();
        let before = Arc::clone(&self.plugin);
        self.go_on_with(plugin);
        // To what is known to be worse, no room goes back.
        let is_good = !self.owner.is_condemned(&before);
        self.trial = is_good.then_some(Trial { before, turns_left: self.limits.swap_trial_turns });
        log!(debug, &self.shared.key, version = self.plugin.version, "the room moved to another version");
        if was_awake {
            self.make_ready().await;
        }
    }

    /// Runs `$suspend`, and waits until nothing is pending.
    async fn suspend(&mut self, reason: &str) -> Option<Suspended> {
        self.answer = None;
        if self.asks_for(hook::SUSPEND) {
            let payload = Json::of(&json!({ "reason": reason }));
            self.give(Event::hook(hook::SUSPEND, Some(payload), None, unix_ms())).await;
        }
        let state = self.answer.take();
        while !self.gate.is_empty() {
            self.settle_next().await;
        }
        // A state that rests on writes which are not there is none.
        let is_true = self.lost.is_empty();
        self.follow_losses().await;
        state.filter(|_| is_true).map(|state| Suspended::keep(state, self.plugin.account()))
    }

    /// A turn of a version on trial went well.
    pub(super) fn passed(&mut self) {
        let Some(trial) = &mut self.trial else { return };
        trial.turns_left = trial.turns_left.saturating_sub(1);
        if trial.turns_left == 0 {
            self.trial = None;
            self.owner.stayed(&self.plugin);
        }
    }

    /// Goes back to the version before; false where none is on trial. The next instance is of that version, and is given
    /// the state that this one could not take.
    pub(super) fn go_back(&mut self, why: &str, state: Option<Suspended>) -> bool {
        let Some(Trial { before, .. }) = self.trial.take() else { return false };
        let failed = Arc::clone(&self.plugin);
        let (version, back_to) = (failed.version.as_str(), before.version.as_str());
        log!(error, &self.shared.key, version, back_to, "the room goes back to the version before: {why}");
        self.shared.refuse(&failed);
        self.drop_instance();
        self.go_on_with(before);
        self.restore = Some(RestoreReason::Swap);
        self.suspended = state;
        self.owner.went_back(&failed, why);
        true
    }

    /// From now on the room's instances are of this version.
    fn go_on_with(&mut self, plugin: Arc<Plugin>) {
        self.owner.moved(&self.shared, &plugin);
        self.plugin = plugin;
    }
}
