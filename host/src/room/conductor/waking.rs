//! How a room comes to be able to run a turn: it waits for its share, an instance is made, and hears what the last one knew.

use std::sync::Arc;

use serde_json::json;

use super::Conductor;
use crate::clock::{Instant, unix_ms};
use crate::guest::tape::data::{TapeBase, TapedMember, TapedTimer};
use crate::model::event::{Event, hook};
use crate::model::json::Json;
use crate::room::code::{Readiness, RestoreReason, Suspended};
use crate::room::turn::TurnEnd;

impl Conductor {
    /// Waits for the tenant's share of the thread, and until the room is not too far ahead of its disk.
    pub(in crate::room) async fn wait_for_share(&mut self) {
        self.code.lane().start(|| self.door.mailbox.ends()).await;
        while self.ledger.is_full(&self.limits) {
            self.settle_next().await;
        }
        self.follow_losses().await;
    }

    /// Makes an instance if there is none, and has it resume or rebuild what the last one knew. False where none can be
    /// made: then the room ends.
    pub(in crate::room) async fn make_ready(&mut self) -> bool {
        while !self.is_ending() {
            if self.code.is_ready() {
                return true;
            }
            if !self.code.is_awake() {
                // Opening may take long, and what turns said already should not wait for it.
                self.until_said().await;
            }
            // Boxed, like all that is seldom here: what is not counts in the memory of each room that is awake.
            let base = Box::pin(self.tape_base()).await;
            let sockets = self.people.sockets();
            let prepared = self.code.prepare(self.ledger.view(), sockets, &self.people.visitors, base);
            let readiness = Box::pin(prepared).await;
            if let Some(wanted) = self.code.take_histories_wanted() {
                Box::pin(self.keep_histories(&wanted)).await;
                self.people.know_users(self.code.wants_users());
            }
            match readiness {
                // Writes failed meanwhile, and took it along.
                Readiness::Ready | Readiness::Resume { .. } | Readiness::Restore(_) if !self.code.is_awake() => {}
                Readiness::Ready => return true,
                Readiness::Resume { handed_over, reason } => Box::pin(self.resume(handed_over, reason)).await,
                Readiness::Restore(reason) => Box::pin(self.restore(reason)).await,
                Readiness::WentBack => {}
                Readiness::End(reason) => self.end(reason),
            }
        }
        false
    }

    /// What the tape of an instance begins with that is made now; none where nothing is recorded.
    async fn tape_base(&mut self) -> Option<Arc<TapeBase>> {
        let (base, bound) = self.code.new_base()?;
        let (state, now) = (&self.people.state, Instant::now());
        let members = state.members.all().map(|(socket, meta, is_present)| TapedMember::new(socket, meta, is_present));
        let timers = state.timers.all().map(|(name, timer)| TapedTimer {
            name: name.clone(),
            due_in_ms: timer.due.saturating_duration_since(now).as_millis() as u64,
            data: timer.data.as_ref().map(|data| data.text().to_owned()),
        });
        let (members, timers) = (members.collect(), timers.collect());
        let view = Arc::clone(self.ledger.view());
        let kept = view.kept();
        let storage = if kept.bytes > bound.storage_bytes() {
            None
        } else {
            // Where the disk fails now, the turns that read it say so.
            view.whole().await.ok()
        };
        Some(Arc::new(TapeBase {
            opened_at: unix_ms(),
            members,
            timers,
            alarm: kept.alarm,
            stored_bytes: kept.bytes as u64,
            storage,
            ..base
        }))
    }

    /// Gives a new instance what the last one handed over.
    async fn resume(&mut self, handed_over: Suspended, reason: RestoreReason) {
        let event = Event::hook_with(hook::RESUME, handed_over.state(), unix_ms());
        if let TurnEnd::Failed(failed) = self.turn(event).await {
            self.tell(&failed).await;
            self.code.resume_failed(&format!("{}: {}", hook::RESUME, failed.failure.message), handed_over, reason);
        }
    }

    /// Tells a new instance to rebuild what the last one knew.
    async fn restore(&mut self, reason: RestoreReason) {
        let payload = Json::of(&json!({ "reason": reason.as_str() }));
        if let TurnEnd::Failed(failed) = self.turn(Event::hook(hook::RESTORE, Some(payload), None, unix_ms())).await {
            self.tell(&failed).await;
            self.code.restore_failed(&format!("{}: {}", hook::RESTORE, failed.failure.message));
        }
    }
}
