//! What follows for turns that were lost with their writes.

use super::Conductor;
use crate::room::turn::{Loss, TurnKind};

impl Conductor {
    /// Does what follows for each turn that was lost with its writes: logs it, and runs `$error`, after `$restore`.
    pub(in crate::room) async fn follow_losses(&mut self) {
        while let Some(loss) = self.ledger.next_loss() {
            let lost = match loss {
                Loss::Turn(lost) => lost,
                Loss::Words(words) => {
                    let words = self.as_it_is_now(words);
                    self.people.say(&words, self.code.lane(), &self.door.mailbox).await;
                    continue;
                }
            };
            self.tell(&lost).await;
            match (lost.origin.kind, lost.origin.socket) {
                (TurnKind::Connect, Some(socket)) => self.people.refuse(socket),
                (TurnKind::Alarm, _) => self.alarm_failed(),
                _ => {}
            }
            if lost.origin.kind.runs_error_hook_when_lost() {
                self.follow_up(&lost).await;
            }
        }
    }
}
