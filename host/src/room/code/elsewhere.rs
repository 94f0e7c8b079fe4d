//! What a turn says in other rooms.

use super::Code;
use crate::model::effect::EmitElsewhere;

/// After so many emits the thread's other tasks have their turn: each emit may wake another room.
const IN_ONE_GO: usize = 32;

impl Code {
    /// Says in other rooms what a turn says there.
    pub(in crate::room) async fn say_elsewhere(&mut self, emits: Vec<EmitElsewhere>) {
        for (said, emit) in emits.into_iter().enumerate() {
            if said % IN_ONE_GO == IN_ONE_GO - 1 {
                tokio::task::yield_now().await;
            }
            self.owner.say_elsewhere(&self.room.key.plugin, emit);
        }
    }
}
