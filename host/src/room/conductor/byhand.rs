//! What somebody who looks into a room's storage writes there: in the room's order, within the plugin's limits.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Conductor;
use crate::clock::unix_ms;
use crate::model::refusal::Refusal;
use crate::model::turn::{KeyWrite, Turn, check_key, check_value};
use crate::room::turn::Origin;

impl Conductor {
    /// Writes a key as the host itself, or deletes it where there is no value, and waits until that is durable. Answers
    /// whether the key had a value before. What the instance remembers may rest on that one, so the next turn has a new one.
    pub(in crate::room) async fn write_by_hand(
        &mut self,
        key: String,
        value: Option<Vec<u8>>,
    ) -> Result<bool, Refusal> {
        check_key(&key, &self.limits)?;
        value.iter().try_for_each(|value| check_value(value, &self.limits))?;
        let failed = || Refusal::Other("the room's storage failed".to_owned());
        self.until_settled().await;
        self.follow_losses().await;
        let old = self.ledger.view().get(&[&key], &BTreeMap::new(), usize::MAX).await.map_err(|why| {
            log!(error, &self.door.key, "{why}");
            failed()
        })?;
        let old = old.and_then(|mut values| values.pop().flatten());
        let old_bytes = old.as_ref().map_or(0, |old| key.len() + old.len());
        let (state, storage) = (self.people.state.lend(), self.ledger.storage_use());
        let mut turn = Box::new(Turn::begin(state, storage, None, None, unix_ms(), Arc::clone(&self.limits)));
        if let Err(why) = turn.write(vec![KeyWrite { key, value, old_bytes }]) {
            self.undo(turn);
            return Err(why);
        }
        self.commit(Origin::of_host("storage"), None, turn).await;
        self.until_settled().await;
        if self.ledger.has_losses() {
            self.follow_losses().await;
            return Err(failed());
        }
        self.code.lose();
        Ok(old.is_some())
    }
}
