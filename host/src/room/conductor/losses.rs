//! What follows for turns that were lost with their writes, and what newcomers hear.

use super::Conductor;
use crate::model::event::SocketId;
use crate::room::turn::{Loss, Output, TurnKind};

impl Conductor {
    /// Does what follows for each turn that was lost with its writes: logs it, and runs `$error`, after `$restore`.
    pub(in crate::room) async fn follow_losses(&mut self) {
        while let Some(loss) = self.ledger.next_loss() {
            let lost = match loss {
                Loss::Turn(lost) => lost,
                Loss::Words(words) => {
                    let words = self.as_it_is_now(words);
                    self.people.say(words, self.code.lane(), &self.door.mailbox).await;
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

    /// What a newcomer hears of histories rested on writes that failed meanwhile.
    fn as_it_is_now(&self, words: Output) -> Output {
        match words {
            Output::Welcome { socket, .. } => self.welcome(socket),
            words => words,
        }
    }

    /// What a newcomer hears where no handler wants to know of it.
    pub(in crate::room) fn welcome(&self, socket: SocketId) -> Output {
        Output::Welcome { socket, histories: self.people.histories_for(socket, &self.limits) }
    }
}
